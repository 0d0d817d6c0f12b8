//! Bodies that are parsed when somebody looks. Nobody asks anything of most resources of a large configuration, and
//! to know that a block is there its header is enough.

use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::piece::{self, Known};
use super::tree::{Block, Body, ItemKind, Label};
use crate::{Name, Span};

/// More brackets than this may be past the limits of the tree's parser, which has to be known at once.
const MOST_BRACKETS: usize = 48;
/// The same for operators; what merely looks like one is counted as well.
const MOST_OPERATORS: usize = 96;

/// The body of a block: a [`Body`], as soon as it is looked at.
#[derive(Debug)]
pub struct BlockBody(State);

#[derive(Debug)]
enum State {
    Parsed(Body),
    Later(Box<Later>),
}

/// The body of a block that Terraform accepts.
#[derive(Debug)]
struct Later {
    /// The text of the whole block; empty once somebody parses it.
    text: Mutex<Text>,
    span: Span,
    body: OnceLock<Body>,
}

/// The text of a statement: a part of the text of its file, or one of its own.
#[derive(Debug)]
pub(super) enum Text {
    /// Keeps the whole text of the file, which is cheap as long as the file has that text.
    Part(Arc<str>, Span),
    Own(Box<str>),
}

impl Text {
    /// A copy.
    pub(super) fn own(text: &str) -> Self {
        Self::Own(text.into())
    }

    /// That part of the text of a file.
    pub(super) fn part(file: &Arc<str>, range: &Range<usize>) -> Self {
        Self::Part(Arc::clone(file), span(range.start, range.end))
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::Own(Box::default())
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Part(file, span) => file.get(span.range()).unwrap_or_default(),
            Self::Own(text) => text,
        }
    }
}

impl Default for BlockBody {
    fn default() -> Self {
        Body::default().into()
    }
}

impl From<Body> for BlockBody {
    fn from(body: Body) -> Self {
        Self(State::Parsed(body))
    }
}

impl Deref for BlockBody {
    type Target = Body;

    fn deref(&self) -> &Body {
        match &self.0 {
            State::Parsed(body) => body,
            State::Later(later) => later.body.get_or_init(|| later.parse()),
        }
    }
}

impl BlockBody {
    /// Whether it may hold an argument or a block of that name; where it says no, it holds none. Nothing is parsed.
    #[must_use]
    pub fn may_hold(&self, name: &str) -> bool {
        let body = match &self.0 {
            State::Parsed(body) => body,
            State::Later(later) => match later.body.get() {
                Some(body) => body,
                None => {
                    let text = later.text();
                    if !text.is_empty() {
                        return begins_a_statement(&text, name);
                    }
                    drop(text);
                    // Another thread is at it: this waits.
                    &**self
                }
            },
        };
        body.attribute(name).is_some() || body.blocks_named(name).next().is_some()
    }

    /// The body itself.
    pub(super) fn into_body(self) -> Body {
        match self.0 {
            State::Parsed(body) => body,
            State::Later(later) => later.parsed(),
        }
    }
}

impl Later {
    fn text(&self) -> std::sync::MutexGuard<'_, Text> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn parsed(mut self) -> Body {
        self.body.take().unwrap_or_else(|| self.parse())
    }

    fn parse(&self) -> Body {
        let text = std::mem::take(&mut *self.text());
        match piece::whole(&text, 0, Known::Sound) {
            Ok((ItemKind::Block(Block { body: BlockBody(State::Parsed(body)), .. }), problems))
                if problems.is_empty() =>
            {
                body
            }
            // Whoever asks is told that something is missing.
            _ => Body { span: self.span, incomplete: true, ..Body::default() },
        }
    }
}

/// The resource or data source of a text that Terraform accepts, with its body for later; none where its parts cannot
/// be told apart at sight. `kept` gives the text that the body is made of later.
pub(super) fn block(text: &str, kept: impl FnOnce(&str) -> Text) -> Option<Block> {
    let (ident, _) = word(text)?;
    // A brace alone on the last line closes the block.
    let is_usual = ["resource", "data"].contains(&ident)
        && text.lines().next_back()?.trim_ascii() == "}"
        && text.ends_with('}')
        && is_shallow(text);
    if !is_usual {
        return None;
    }
    let mut labels = Vec::new();
    let mut at = ident.len();
    let mut header = at;
    loop {
        at += text.get(at..)?.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let rest = text.get(at..)?;
        if rest.starts_with('{') {
            break;
        }
        let (name, length) = quoted(rest).or_else(|| word(rest))?;
        labels.push(Label { name: Name::new(name), span: span(at, at + length) });
        at += length;
        header = at;
    }
    let inside = span(at + 1, text.len() - 1);
    let later = Later { text: Mutex::new(kept(text)), span: inside, body: OnceLock::new() };
    Some(Block {
        ident: Name::new(ident),
        ident_span: span(0, ident.len()),
        labels: labels.into(),
        header: span(0, header),
        span: span(0, text.len()),
        body: BlockBody(State::Later(Box::new(later))),
    })
}

fn span(start: usize, end: usize) -> Span {
    Span::new(piece::offset(start), piece::offset(end))
}

/// A name at the beginning of `text`, and its length.
fn word(text: &str) -> Option<(&str, usize)> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let length = text.bytes().take_while(is_part).count();
    let found =
        text.get(..length).filter(|word| word.starts_with(|first: char| first.is_ascii_alphabetic()))?;
    Some((found, length))
}

/// A plain text in quotes at the beginning of `text`, and its length with them.
fn quoted(text: &str) -> Option<(&str, usize)> {
    let (inner, _) = text.strip_prefix('"')?.split_once('"')?;
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'$' | b'%');
    inner.bytes().all(is_plain).then(|| (inner, inner.len() + 2))
}

/// Whether it is far from every limit of the tree's parser.
fn is_shallow(text: &str) -> bool {
    let (mut brackets, mut operators) = (0, 0);
    for byte in text.bytes() {
        brackets += usize::from(matches!(byte, b'(' | b'[' | b'{'));
        operators += usize::from(matches!(
            byte,
            b'+' | b'-' | b'*' | b'/' | b'%' | b'!' | b'=' | b'<' | b'>' | b'&' | b'|' | b'?'
        ));
    }
    brackets <= MOST_BRACKETS && operators <= MOST_OPERATORS
}

/// Whether `name` stands somewhere in `text` where a statement may begin.
fn begins_a_statement(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default().trim_end_matches([' ', '\t', '\r']);
        let behind = text.get(at + name.len()..).unwrap_or_default();
        before.ends_with(['\n', '{', '/']) && word(behind).is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The block of `text` as it is parsed at once.
    fn at_once(text: &str) -> Block {
        match piece::whole(text, 0, Known::Nothing) {
            Ok((ItemKind::Block(block), _)) => block,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_parsed_later_is_what_would_have_been_parsed_at_once() {
        let texts = [
            "resource \"a\" \"b\" {\n}",
            "resource \"a\" \"b\" {\n  x = 1\n  inner {\n    y = [\"}\", \"${z}\"]\n  }\n}",
            "resource a  \"b-c\"\t{ # why {\n  text = <<-EOT\n    }\n  EOT\n}",
            "data \"a\" \"b\" {\n  /* }\n*/ count = 2\n\n}",
            "resource \"a\" \"b\" {\r\n  x = {\r\n    y = 1\r\n  }\r\n}",
            "data \"a\" \"é\" {\n}",
            "resource \"a\" \"b\" \"c\" {\n  x = \"ü\"\n}",
        ];
        for text in texts {
            let expected = at_once(text);
            let found = piece::parse(text, 0, Known::Sound, Text::own);
            let ItemKind::Block(found) = found.kind else { panic!("{text}") };
            for name in ["x", "inner", "text", "count"] {
                let holds = expected.body.attribute(name).is_some()
                    || expected.body.blocks_named(name).next().is_some();
                assert!(found.body.may_hold(name) || !holds, "{name} in {text}");
            }
            assert_eq!(format!("{:?}", &*found.body), format!("{:?}", &*expected.body), "{text}");
            let head = |block: &Block| {
                format!("{:?}", (&block.ident, block.ident_span, &block.labels, block.header, block.span))
            };
            assert_eq!(head(&found), head(&expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_told_apart_at_sight_is_parsed_at_once() {
        for text in [
            "resource \"a\" \"b\" {}",
            "resource \"a\" /* { */ \"b\" {\n}",
            "resource \"a\\u0062\" \"b\" {\n}",
            "resource \"a\" \"b\" {\n} # }",
            "variable \"a\" {\n}",
        ] {
            assert!(block(text, Text::own).is_none(), "{text}");
        }
        let deep = format!("resource \"a\" \"b\" {{\n  x = {}1{}\n}}", "(".repeat(70), ")".repeat(70));
        assert!(block(&deep, Text::own).is_none());
    }

    #[test]
    fn a_body_that_another_thread_parses_holds_what_it_held() {
        let text = format!("resource \"a\" \"b\" {{\n{}  for_each = x\n}}", "  y {\n  }\n".repeat(40));
        for _ in 0..2_000 {
            let block = block(&text, Text::own).unwrap();
            let start = std::sync::Barrier::new(2);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    start.wait();
                    block.body.attribute("for_each").is_some()
                });
                start.wait();
                for _ in 0..20 {
                    assert!(block.body.may_hold("for_each"));
                }
            });
        }
    }

    #[test]
    fn a_name_is_looked_for_where_statements_begin() {
        let body = "{\n  account = \"count\"\n  x = var.count\n  /* here */ lifecycle {\n  }\n}";
        let holds =
            |name| block(&format!("resource \"a\" \"b\" {body}"), Text::own).unwrap().body.may_hold(name);
        assert!(holds("lifecycle") && holds("account"));
        assert!(!holds("for_each") && !holds("var") && !holds("count"));
    }
}
