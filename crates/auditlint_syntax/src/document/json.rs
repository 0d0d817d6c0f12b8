//! A strict JSON reader with byte spans that reports every problem it can and keeps the tree so far.

use super::{Document, Entry, Node, NodeKind};
use crate::{Problem, ProblemKind, Span};

/// Deepest nesting.
const DEEPEST: usize = 128;
/// Problems reported for one text; what follows a broken structure is rarely a defect of its own.
const PROBLEMS: usize = 20;

pub(super) fn parse(text: &str) -> Document {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, problems: Vec::new() };
    reader.blank();
    let root = reader.value(0);
    reader.blank();
    if reader.at < text.len() {
        reader.problem(ProblemKind::Syntax, reader.at, "expected the end of the document");
    }
    Document { root, problems: reader.problems }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn span(&self, start: usize) -> Span {
        let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span::new(at(start), at(self.at.max(start)))
    }

    fn problem(&mut self, kind: ProblemKind, at: usize, message: &str) {
        // The character at `at`; the last one where the text ends before.
        let last = self.text.char_indices().next_back().map_or(0, |(last, _)| last);
        let mut start = at.min(last);
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let rest = self.text.get(start..).unwrap_or_default();
        let end = start + rest.chars().next().map_or(0, char::len_utf8);
        let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.problem_at(kind, Span::new(at(start), at(end)), message);
    }

    fn problem_at(&mut self, kind: ProblemKind, span: Span, message: &str) {
        if self.problems.len() < PROBLEMS {
            self.problems.push(Problem { kind, span, message: message.to_owned() });
        }
    }

    fn node(&self, start: usize, kind: NodeKind) -> Node {
        Node { span: self.span(start), kind }
    }

    fn value(&mut self, depth: usize) -> Node {
        let start = self.at;
        match self.peek() {
            Some(b'{' | b'[') if depth >= DEEPEST => {
                self.problem(ProblemKind::TooLarge, start, "nested too deeply");
                self.at = self.bytes.len();
                self.node(start, NodeKind::Null)
            }
            Some(b'{') => self.map(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => {
                let text = self.string();
                self.node(start, NodeKind::String(text))
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                let word_end = self
                    .bytes
                    .get(start..)
                    .unwrap_or_default()
                    .iter()
                    .position(|byte| !byte.is_ascii_alphanumeric());
                self.at = word_end.map_or(self.bytes.len(), |n| start + n);
                let kind = match self.text.get(start..self.at) {
                    Some("true") => NodeKind::Bool(true),
                    Some("false") => NodeKind::Bool(false),
                    Some("null") => NodeKind::Null,
                    _ => {
                        self.problem(ProblemKind::Syntax, start, "expected a value");
                        NodeKind::Null
                    }
                };
                self.node(start, kind)
            }
        }
    }

    fn map(&mut self, depth: usize) -> Node {
        let start = self.at;
        self.at += 1;
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            self.blank();
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                Some(b'"') => {}
                Some(b',') => {
                    self.problem(ProblemKind::Syntax, self.at, "expected a key in double quotes");
                    self.at += 1;
                    continue;
                }
                Some(_) => {
                    self.problem(ProblemKind::Syntax, self.at, "expected a key in double quotes");
                    if !self.skip_to_next() {
                        break;
                    }
                    continue;
                }
                None => {
                    self.problem(ProblemKind::Syntax, start, "this `{` is not closed");
                    break;
                }
            }
            let key_start = self.at;
            let key = self.string();
            let key_span = self.span(key_start);
            self.blank();
            if self.peek() == Some(b':') {
                self.at += 1;
            } else {
                self.problem(ProblemKind::Syntax, self.at, "expected `:` after the key");
            }
            self.blank();
            let value = self.value(depth + 1);
            if entries.iter().any(|entry| entry.key == key) {
                self.problem_at(ProblemKind::Duplicate, key_span, &format!("the key `{key}` stands twice"));
            } else {
                entries.push(Entry { key, key_span, value });
            }
            if !self.separator(b'}') {
                break;
            }
        }
        self.node(start, NodeKind::Map(entries))
    }

    fn list(&mut self, depth: usize) -> Node {
        let start = self.at;
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.blank();
            match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    break;
                }
                None => {
                    self.problem(ProblemKind::Syntax, start, "this `[` is not closed");
                    break;
                }
                Some(_) => {}
            }
            let before = self.at;
            items.push(self.value(depth + 1));
            if self.at == before {
                self.at += 1;
            }
            if !self.separator(b']') {
                break;
            }
        }
        self.node(start, NodeKind::List(items))
    }

    /// A comma, or what closes the structure (left for the caller); false at the end of the text.
    fn separator(&mut self, close: u8) -> bool {
        self.blank();
        match self.peek() {
            Some(b',') => {
                let comma = self.at;
                self.at += 1;
                self.blank();
                if self.peek() == Some(close) {
                    self.problem(ProblemKind::Syntax, comma, "a trailing comma is not allowed");
                }
                true
            }
            Some(byte) if byte == close => true,
            Some(_) => {
                self.problem(ProblemKind::Syntax, self.at, "expected `,`");
                !matches!(self.peek(), Some(b'}' | b']')) || {
                    self.at += 1;
                    false
                }
            }
            None => true,
        }
    }

    /// Skips to after the next comma, or to what closes this structure.
    fn skip_to_next(&mut self) -> bool {
        while let Some(byte) = self.peek() {
            match byte {
                b',' => {
                    self.at += 1;
                    return true;
                }
                b'}' | b']' => return byte == b'}',
                b'"' => {
                    self.string();
                }
                _ => self.at += 1,
            }
        }
        true
    }

    fn number(&mut self) -> Node {
        let start = self.at;
        let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
        let length =
            self.bytes.get(start..).unwrap_or_default().iter().take_while(|byte| is_part(byte)).count();
        self.at = start + length;
        let written = self.text.get(start..self.at).unwrap_or_default().to_owned();
        if let Ok(value) = written.parse() {
            return self.node(start, NodeKind::Number(value, written));
        }
        self.problem(ProblemKind::Syntax, start, "this is not a number");
        self.node(start, NodeKind::Null)
    }

    fn string(&mut self) -> String {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let plain = rest.find(['"', '\\', '\n']).unwrap_or(rest.len());
            out.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return out;
                }
                Some(b'\\') => self.escape(&mut out),
                _ => {
                    self.problem(ProblemKind::Syntax, start, "this string is not closed");
                    return out;
                }
            }
        }
    }

    fn escape(&mut self, out: &mut String) {
        let start = self.at;
        self.at += 2;
        match self.bytes.get(start + 1) {
            Some(b'"') => out.push('"'),
            Some(b'\\') => out.push('\\'),
            Some(b'/') => out.push('/'),
            Some(b'b') => out.push('\u{8}'),
            Some(b'f') => out.push('\u{c}'),
            Some(b'n') => out.push('\n'),
            Some(b'r') => out.push('\r'),
            Some(b't') => out.push('\t'),
            Some(b'u') => {
                let high = self.hex();
                let code = match high {
                    Some(high @ 0xD800..=0xDBFF)
                        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with("\\u")) =>
                    {
                        self.at += 2;
                        self.hex()
                            .filter(|low| (0xDC00..=0xDFFF).contains(low))
                            .map(|low| 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))
                    }
                    other => other,
                };
                if code.is_none() {
                    self.problem(ProblemKind::Syntax, start, "this escape is not valid");
                }
                out.push(code.and_then(char::from_u32).unwrap_or('\u{FFFD}'));
            }
            _ => {
                self.at = start + 1;
                self.problem(ProblemKind::Syntax, start, "this escape is not valid");
            }
        }
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(code)
    }
}
