//! YAML as its author wrote it: which scalars are quoted, and their tags. For readers with rules of their own.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

/// Nodes of one document, aliases expanded: protects against a text that doubles itself.
const NODES: usize = 100_000;
/// Deepest nesting.
const DEEPEST: usize = 64;

/// A node and its tag in full (`tag:yaml.org,2002:str`), where one is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedNode {
    /// The tag.
    pub tag: Option<String>,
    /// What it is.
    pub kind: TaggedKind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaggedKind {
    /// A scalar: its text, and whether it is written without quotes.
    Scalar(String, bool),
    /// A sequence.
    List(Vec<TaggedNode>),
    /// A mapping, repeated keys included.
    Map(Vec<(TaggedNode, TaggedNode)>),
}

/// Why a text is no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaggedError {
    /// It cannot be parsed.
    Syntax,
    /// It cannot be parsed by any parser: a value within a value of one line, or a tab in the indentation.
    Misplaced,
    /// It holds no document.
    Empty,
    /// It holds more than one.
    Several,
    /// It is too large or nested too deeply once its aliases are expanded.
    TooLarge,
}

/// Reads the only document of a YAML text.
///
/// # Errors
/// When it is not one document.
pub fn parse_tagged(text: &str) -> Result<TaggedNode, TaggedError> {
    let text_with_tabs = text.contains('\t').then(|| text.chars().collect::<Vec<_>>());
    let mut reader =
        Reader { events: Parser::new_from_str(text), nodes: 0, anchors: Vec::new(), loose: Vec::new() };
    let mut root = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            Event::DocumentStart(_) if root.is_some() => return Err(TaggedError::Several),
            Event::DocumentStart(_) => {}
            event => root = Some(reader.node(event, span, 0)?.0),
        }
    }
    match (root, text_with_tabs) {
        (None, _) => Err(TaggedError::Empty),
        (Some(root), None) => Ok(root),
        (Some(root), Some(text)) => tabs(&text, &reader.loose).map(|()| root),
    }
}

/// Refuses tabs in the indentation, where the events' parser takes them: at the beginning of a line, and between a
/// dash and what follows it. In texts and between brackets, which are the ranges `loose`, they are white space.
fn tabs(text: &[char], loose: &[Range<usize>]) -> Result<(), TaggedError> {
    for (start, line) in lines(text) {
        let indent = |c: &char| matches!(c, ' ' | '\t' | '-' | '?');
        let before = line.iter().take_while(|c| indent(c)).count();
        let Some(tab) = line.iter().take(before).position(|c| *c == '\t') else { continue };
        let is_inside = |range: &Range<usize>| range.start <= start + tab && start + tab < range.end;
        if loose.iter().any(is_inside) {
            continue;
        }
        let is_blank = line.get(before).is_none_or(|c| matches!(c, '#' | '\r'));
        // What follows a text as a blank line may or may not be one of its own.
        return Err(if is_blank && tab > 0 { TaggedError::Syntax } else { TaggedError::Misplaced });
    }
    Ok(())
}

/// The lines of a text, and where they begin.
fn lines(text: &[char]) -> impl Iterator<Item = (usize, &[char])> {
    let mut at = 0;
    text.split(|c| *c == '\n').map(move |line| {
        let start = at;
        at += line.len() + 1;
        (start, line)
    })
}

struct Reader<'i> {
    events: Parser<'i, StrInput<'i>>,
    nodes: usize,
    /// The nodes with an anchor, and how many nodes each of them holds.
    anchors: Vec<(usize, TaggedNode, usize)>,
    /// The characters of texts, and those between brackets.
    loose: Vec<Range<usize>>,
}

fn full(tag: Option<std::borrow::Cow<'_, Tag>>) -> Option<String> {
    tag.map(|tag| format!("{}{}", tag.handle, tag.suffix))
}

impl<'i> Reader<'i> {
    fn next(&mut self) -> Result<(Event<'i>, Span), TaggedError> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) if error.info().starts_with("mapping values are not allowed") => {
                Err(TaggedError::Misplaced)
            }
            Some(Err(_)) => Err(TaggedError::Syntax),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// Notes that the characters from `start` to `end` stand between brackets, where the end is one.
    fn bracketed(&mut self, start: Span, end: Span) {
        if !end.is_empty() {
            self.loose.push(start.start.index()..end.end.index());
        }
    }

    fn count(&mut self, nodes: usize) -> Result<(), TaggedError> {
        self.nodes += nodes;
        if self.nodes > NODES { Err(TaggedError::TooLarge) } else { Ok(()) }
    }

    /// The node that `event` begins, and how many nodes it holds.
    fn node(
        &mut self,
        event: Event<'i>,
        span: Span,
        depth: usize,
    ) -> Result<(TaggedNode, usize), TaggedError> {
        self.count(1)?;
        if depth > DEEPEST {
            return Err(TaggedError::TooLarge);
        }
        let (node, anchor, count) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.loose.push(span.start.index()..span.end.index());
                let kind = TaggedKind::Scalar(text.into_owned(), style == ScalarStyle::Plain);
                (TaggedNode { tag: full(tag), kind }, anchor, 1)
            }
            Event::Alias(id) => {
                let found = self.anchors.iter().rev().find(|(anchor, ..)| *anchor == id);
                let (node, count) =
                    found.map(|(_, node, count)| (node.clone(), *count)).ok_or(TaggedError::Syntax)?;
                self.count(count)?;
                return Ok((node, count));
            }
            Event::SequenceStart(anchor, tag) => {
                let (mut items, mut count) = (Vec::new(), 1);
                loop {
                    let (event, at) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        self.bracketed(span, at);
                        break;
                    }
                    let (item, inner) = self.node(event, at, depth + 1)?;
                    count += inner;
                    items.push(item);
                }
                (TaggedNode { tag: full(tag), kind: TaggedKind::List(items) }, anchor, count)
            }
            Event::MappingStart(anchor, tag) => {
                let (mut entries, mut count) = (Vec::new(), 1);
                loop {
                    let (event, at) = self.next()?;
                    if matches!(event, Event::MappingEnd) {
                        self.bracketed(span, at);
                        break;
                    }
                    let (key, keys) = self.node(event, at, depth + 1)?;
                    let (event, at) = self.next()?;
                    let (value, values) = self.node(event, at, depth + 1)?;
                    count += keys + values;
                    entries.push((key, value));
                }
                (TaggedNode { tag: full(tag), kind: TaggedKind::Map(entries) }, anchor, count)
            }
            _ => return Err(TaggedError::Syntax),
        };
        if anchor > 0 {
            self.anchors.push((anchor, node.clone(), count));
        }
        Ok((node, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_tags_and_aliases_are_told() {
        let scalar =
            |text: &str, plain| TaggedNode { tag: None, kind: TaggedKind::Scalar(text.to_owned(), plain) };
        let root = parse_tagged("a: &x \"1\"\nb: [*x, !!str 2]\n").unwrap();
        let tagged = TaggedNode { tag: Some("tag:yaml.org,2002:str".to_owned()), ..scalar("2", true) };
        let list = TaggedNode { tag: None, kind: TaggedKind::List(vec![scalar("1", false), tagged]) };
        let entries = vec![(scalar("a", true), scalar("1", false)), (scalar("b", true), list)];
        assert_eq!(root, TaggedNode { tag: None, kind: TaggedKind::Map(entries) });
    }

    #[test]
    fn what_is_not_one_document_is_an_error() {
        assert_eq!(parse_tagged(""), Err(TaggedError::Empty));
        assert_eq!(parse_tagged("a\n---\nb\n"), Err(TaggedError::Several));
        assert_eq!(parse_tagged("{a: 1"), Err(TaggedError::Syntax));
        let bomb: String = (1..30)
            .fold("a0: &a0 x\n".to_owned(), |out, n| out + &format!("a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1));
        assert_eq!(parse_tagged(&bomb), Err(TaggedError::TooLarge));
    }
}
