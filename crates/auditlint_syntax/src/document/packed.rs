//! A tree as bytes beside its text: what is known when the program is built is parsed then, and only unpacked when
//! it runs.

use super::{Entry, Node, NodeKind};
use crate::Span;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const NUMBER: u8 = 3;
const STRING: u8 = 4;
const LIST: u8 = 5;
const MAP: u8 = 6;

/// Nesting that is unpacked; the parsers stop earlier.
const MAX_DEPTH: usize = 256;

/// The bytes of `root`, the tree of `text`.
#[must_use]
pub fn pack(root: &Node, text: &str) -> Vec<u8> {
    let mut packer = Packer { text, out: Vec::new() };
    packer.node(root);
    packer.out
}

/// The tree that was packed; none where the bytes are not those of a tree of `text`.
#[must_use]
pub fn unpack(packed: &[u8], text: &str) -> Option<Node> {
    let mut unpacker = Unpacker { text, rest: packed };
    unpacker.node(0).filter(|_| unpacker.rest.is_empty())
}

struct Packer<'t> {
    text: &'t str,
    out: Vec<u8>,
}

impl Packer<'_> {
    fn node(&mut self, node: &Node) {
        let tag = match &node.kind {
            NodeKind::Null => NULL,
            NodeKind::Bool(false) => FALSE,
            NodeKind::Bool(true) => TRUE,
            NodeKind::Number(..) => NUMBER,
            NodeKind::String(_) => STRING,
            NodeKind::List(_) => LIST,
            NodeKind::Map(_) => MAP,
        };
        self.out.push(tag);
        self.span(node.span);
        match &node.kind {
            NodeKind::Null | NodeKind::Bool(_) => {}
            NodeKind::Number(number, written) => {
                self.out.extend(number.to_le_bytes());
                self.string(written, node.span);
            }
            NodeKind::String(text) => self.string(text, node.span),
            NodeKind::List(items) => {
                self.number(items.len());
                items.iter().for_each(|item| self.node(item));
            }
            NodeKind::Map(entries) => {
                self.number(entries.len());
                for entry in entries {
                    self.span(entry.key_span);
                    self.string(&entry.key, entry.key_span);
                    self.node(&entry.value);
                }
            }
        }
    }

    /// A string: nothing but a zero where it is what stands at `span`, else its length and its bytes.
    fn string(&mut self, string: &str, span: Span) {
        if self.text.get(span.range()) == Some(string) {
            return self.number(0);
        }
        self.number(string.len() + 1);
        self.out.extend(string.as_bytes());
    }

    fn span(&mut self, span: Span) {
        self.number(span.start as usize);
        self.number((span.end - span.start) as usize);
    }

    /// Seven bits a byte, the lowest first; the highest bit says that more follow.
    fn number(&mut self, mut number: usize) {
        while number >= 0x80 {
            self.out.push((number & 0x7F) as u8 | 0x80);
            number >>= 7;
        }
        self.out.push(number as u8);
    }
}

struct Unpacker<'t> {
    text: &'t str,
    rest: &'t [u8],
}

impl<'t> Unpacker<'t> {
    fn node(&mut self, depth: usize) -> Option<Node> {
        let tag = *self.take(1)?.first()?;
        let span = self.span()?;
        let kind = match tag {
            NULL => NodeKind::Null,
            FALSE | TRUE => NodeKind::Bool(tag == TRUE),
            NUMBER => {
                let bytes = self.take(8)?.first_chunk()?;
                NodeKind::Number(f64::from_le_bytes(*bytes), self.string(span)?.to_owned())
            }
            STRING => NodeKind::String(self.string(span)?.to_owned()),
            LIST if depth < MAX_DEPTH => {
                let count = self.count()?;
                NodeKind::List((0..count).map(|_| self.node(depth + 1)).collect::<Option<_>>()?)
            }
            MAP if depth < MAX_DEPTH => {
                let count = self.count()?;
                NodeKind::Map((0..count).map(|_| self.entry(depth)).collect::<Option<_>>()?)
            }
            _ => return None,
        };
        Some(Node { span, kind })
    }

    fn entry(&mut self, depth: usize) -> Option<Entry> {
        let key_span = self.span()?;
        let key = self.string(key_span)?.to_owned();
        Some(Entry { key, key_span, value: self.node(depth + 1)? })
    }

    fn string(&mut self, span: Span) -> Option<&'t str> {
        match self.number()? {
            0 => self.text.get(span.range()),
            length => std::str::from_utf8(self.take(length - 1)?).ok(),
        }
    }

    fn span(&mut self) -> Option<Span> {
        let start = u32::try_from(self.number()?).ok()?;
        let length = u32::try_from(self.number()?).ok()?;
        Some(Span { start, end: start.checked_add(length)? })
    }

    /// How many nodes follow: each takes at least a byte.
    fn count(&mut self) -> Option<usize> {
        self.number().filter(|count| *count <= self.rest.len())
    }

    fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in (0..usize::BITS).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= usize::from(byte & 0x7F).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, count: usize) -> Option<&'t [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse_yaml;

    const TEXT: &str = "a: [1, 0x10, -2.5, ~, true, 'q\"''s', \"\\u00e9\"]\nb: {c: {}, ä: |\n  x\n  y\n}\nd: &x [é]\ne: *x\n";

    #[test]
    fn a_tree_survives_packing() {
        let root = parse_yaml(TEXT).root;
        let packed = pack(&root, TEXT);
        assert_eq!(unpack(&packed, TEXT), Some(root));
        assert!(packed.len() < TEXT.len() * 3);
    }

    #[test]
    fn bytes_that_are_no_tree_are_refused() {
        let packed = pack(&parse_yaml(TEXT).root, TEXT);
        for cut in 0..packed.len() {
            assert_eq!(unpack(&packed[..cut], TEXT), None, "cut at {cut}");
        }
        assert_eq!(unpack(&[LIST, 0, 0].repeat(5000), TEXT), None);
        assert_eq!(unpack(&[packed.as_slice(), &[0]].concat(), TEXT), None);
    }
}
