//! YAML to the node tree, over saphyr-parser's events. The parser stops at its first error; reading goes on
//! without the line that it stopped at, so that an editor sees the rest.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span as EventSpan};

use super::{Document, Entry, Node, NodeKind};
use crate::{Problem, ProblemKind, Span};

/// Nodes of one document, aliases expanded: protects against a text that doubles itself.
const NODES: usize = 100_000;
/// Deepest nesting.
const DEEPEST: usize = 64;
/// Lines given up before the rest is left unread.
const RETRIES: usize = 20;

pub(super) fn parse(text: &str) -> Document {
    let mut problems = tabs(text);
    let mut attempt = text.to_owned();
    let offsets = Offsets::new(text);
    for _ in 0..=RETRIES {
        let mut builder = Builder {
            offsets: &offsets,
            text,
            problems: Vec::new(),
            nodes: 0,
            anchors: Vec::new(),
            failed: None,
        };
        let mut events = Parser::new_from_str(&attempt);
        let root = builder.document(&mut events);
        let Some((at, message)) = builder.failed.take() else {
            problems.append(&mut builder.problems);
            return finish(root, problems);
        };
        let known = problems.iter().any(|problem| offsets.same_line(text, problem.span.start, at));
        if !known {
            let end = next_boundary(text, at);
            problems.push(Problem { kind: ProblemKind::Syntax, span: Span::new(at.min(end), end), message });
        }
        if !blank_line(&mut attempt, at as usize) {
            problems.append(&mut builder.problems);
            return finish(root, problems);
        }
    }
    finish(None, problems)
}

fn finish(root: Option<Node>, mut problems: Vec<Problem>) -> Document {
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    problems.dedup();
    Document { root: root.unwrap_or(Node { span: Span::default(), kind: NodeKind::Null }), problems }
}

/// A tab in the indentation is the most common mistake, and the parser's words for it help nobody.
fn tabs(text: &str) -> Vec<Problem> {
    let mut out = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let indent: usize = line.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let first = line.bytes().take(indent).position(|byte| byte == b'\t');
        if let Some(tab) = first
            && !line.trim().is_empty()
            && !line.trim_start().starts_with('#')
        {
            let at = u32::try_from(start + tab).unwrap_or(u32::MAX);
            let message = "a tab may not indent YAML; use spaces".to_owned();
            out.push(Problem { kind: ProblemKind::Syntax, span: Span::new(at, at + 1), message });
        }
        start += line.len();
    }
    out
}

/// Makes the line that holds `at` blank without moving a byte; false when there is nothing left to give up.
fn blank_line(text: &mut String, at: usize) -> bool {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let mut start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |n| n + 1);
    let mut end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |n| start + n);
    // An error is often found one line late: where this line is blank already, the one before it goes.
    while text.get(start..end).is_some_and(|line| line.trim().is_empty()) {
        if start == 0 {
            return false;
        }
        end = start - 1;
        start = text.get(..end).and_then(|before| before.rfind('\n')).map_or(0, |n| n + 1);
    }
    text.replace_range(start..end, &" ".repeat(end - start));
    true
}

fn next_boundary(text: &str, at: u32) -> u32 {
    let mut end = (at as usize + 1).min(text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    u32::try_from(end).unwrap_or(u32::MAX)
}

/// The parser counts characters; spans are bytes.
struct Offsets {
    /// Byte offset of each character, and of the end; none for an ASCII text, where both are the same.
    bytes: Option<Vec<u32>>,
}

impl Offsets {
    fn new(text: &str) -> Self {
        let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let bytes = (!text.is_ascii())
            .then(|| text.char_indices().map(|(n, _)| at(n)).chain([at(text.len())]).collect());
        Self { bytes }
    }

    fn byte(&self, marker: &Marker) -> u32 {
        let index = marker.index();
        match &self.bytes {
            Some(bytes) => bytes.get(index).or(bytes.last()).copied().unwrap_or(0),
            None => u32::try_from(index).unwrap_or(u32::MAX),
        }
    }

    fn span(&self, span: EventSpan) -> Span {
        Span::new(self.byte(&span.start), self.byte(&span.end).max(self.byte(&span.start)))
    }

    fn same_line(&self, text: &str, a: u32, b: u32) -> bool {
        let (low, high) = (a.min(b) as usize, a.max(b) as usize);
        text.get(low..high.min(text.len())).is_some_and(|between| !between.contains('\n'))
    }
}

struct Builder<'a> {
    offsets: &'a Offsets,
    text: &'a str,
    problems: Vec<Problem>,
    nodes: usize,
    anchors: Vec<(usize, Node, usize)>,
    failed: Option<(u32, String)>,
}

impl Builder<'_> {
    fn next<'i>(
        &mut self,
        events: &mut Parser<'i, saphyr_parser::StrInput<'i>>,
    ) -> Option<(Event<'i>, Span)> {
        match events.next_event()? {
            Ok((event, span)) => Some((event, self.offsets.span(span))),
            Err(error) => {
                self.failed = Some((self.offsets.byte(error.marker()), error.info().to_owned()));
                None
            }
        }
    }

    fn document<'i>(&mut self, events: &mut Parser<'i, saphyr_parser::StrInput<'i>>) -> Option<Node> {
        let mut root = None;
        while let Some((event, span)) = self.next(events) {
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
                Event::DocumentStart(_) if root.is_some() => {
                    let message = "only the first document of a file is read".to_owned();
                    self.problems.push(Problem { kind: ProblemKind::Unsupported, span, message });
                    break;
                }
                Event::DocumentStart(_) => {}
                event => root = self.node(events, event, span, 0).map(|(node, _)| node),
            }
        }
        root
    }

    /// The node that `event` begins, and how many nodes it holds.
    fn node<'i>(
        &mut self,
        events: &mut Parser<'i, saphyr_parser::StrInput<'i>>,
        event: Event<'i>,
        span: Span,
        depth: usize,
    ) -> Option<(Node, usize)> {
        self.nodes += 1;
        if depth > DEEPEST || self.nodes > NODES {
            self.too_large(span);
            return None;
        }
        let (node, anchor, count) = match event {
            Event::Scalar(value, style, anchor, _) => (scalar(&value, style, span, self.text), anchor, 1),
            Event::Alias(id) => return self.alias(id, span),
            Event::SequenceStart(anchor, _) => {
                let (mut items, mut end, mut count) = (Vec::new(), span.end, 1);
                while let Some((event, at)) = self.next(events) {
                    if matches!(event, Event::SequenceEnd) {
                        end = self.closed(span.start, end, at);
                        break;
                    }
                    let Some((item, inner)) = self.node(events, event, at, depth + 1) else { break };
                    end = end.max(item.span.end);
                    count += inner;
                    items.push(item);
                }
                (Node { span: self.trimmed(span.start, end), kind: NodeKind::List(items) }, anchor, count)
            }
            Event::MappingStart(anchor, _) => {
                let (mut entries, mut end, mut count) = (Vec::<Entry>::new(), span.end, 1);
                while let Some((event, at)) = self.next(events) {
                    if matches!(event, Event::MappingEnd) {
                        end = self.closed(span.start, end, at);
                        break;
                    }
                    let Some((key, inner)) = self.node(events, event, at, depth + 1) else { break };
                    count += inner;
                    let Some((event, at)) = self.next(events) else { break };
                    let Some((value, inner)) = self.node(events, event, at, depth + 1) else { break };
                    count += inner;
                    end = end.max(value.span.end);
                    self.entry(&mut entries, key, value);
                }
                (Node { span: self.trimmed(span.start, end), kind: NodeKind::Map(entries) }, anchor, count)
            }
            _ => return None,
        };
        if anchor > 0 {
            self.anchors.push((anchor, node.clone(), count));
        }
        Some((node, count))
    }

    fn entry(&mut self, entries: &mut Vec<Entry>, key: Node, value: Node) {
        let key_span = key.span;
        let key = match key.kind {
            NodeKind::String(text) | NodeKind::Number(_, text) => text,
            NodeKind::Bool(value) => value.to_string(),
            NodeKind::Null => "null".to_owned(),
            NodeKind::List(_) | NodeKind::Map(_) => {
                let message = "a key must be a single word or a string".to_owned();
                self.problems.push(Problem { kind: ProblemKind::Syntax, span: key_span, message });
                return;
            }
        };
        if key == "<<" {
            let message = "merge keys are not supported; write the values out".to_owned();
            self.problems.push(Problem { kind: ProblemKind::Unsupported, span: key_span, message });
        } else if entries.iter().any(|entry| entry.key == key) {
            let message = format!("the key `{key}` stands twice");
            self.problems.push(Problem { kind: ProblemKind::Duplicate, span: key_span, message });
        } else {
            entries.push(Entry { key, key_span, value });
        }
    }

    fn alias(&mut self, id: usize, span: Span) -> Option<(Node, usize)> {
        let (_, node, count) = self.anchors.iter().rev().find(|(anchor, ..)| *anchor == id)?;
        let (node, count) = (node.clone(), *count);
        self.nodes += count;
        if self.nodes > NODES {
            self.too_large(span);
            return None;
        }
        Some((Node { span, ..node }, count))
    }

    fn too_large(&mut self, span: Span) {
        if !self.problems.iter().any(|problem| problem.kind == ProblemKind::TooLarge) {
            let message =
                "this document is too large or nested too deeply once its aliases are expanded".to_owned();
            self.problems.push(Problem { kind: ProblemKind::TooLarge, span, message });
        }
    }

    /// Where a collection ends: a flow collection at its bracket; a block collection with its last node, since
    /// the parser notices its end only after the comments that follow.
    fn closed(&self, start: u32, last: u32, event: Span) -> u32 {
        let flow = self.text.get(start as usize..).is_some_and(|rest| rest.starts_with(['[', '{']));
        if flow { last.max(event.end) } else { last }
    }

    /// The span without trailing white space.
    fn trimmed(&self, start: u32, end: u32) -> Span {
        let text = self.text.get(start as usize..end as usize).unwrap_or_default();
        Span::new(start, start + u32::try_from(text.trim_end().len()).unwrap_or(0))
    }
}

fn scalar(value: &str, style: ScalarStyle, span: Span, text: &str) -> Node {
    let written = text.get(span.range()).unwrap_or_default();
    let span = Span::new(span.start, span.start + u32::try_from(written.trim_end().len()).unwrap_or(0));
    let kind = if style == ScalarStyle::Plain { plain(value) } else { NodeKind::String(value.to_owned()) };
    Node { span, kind }
}

/// The core schema of YAML 1.2.
fn plain(value: &str) -> NodeKind {
    match value {
        "" | "~" | "null" | "Null" | "NULL" => NodeKind::Null,
        "true" | "True" | "TRUE" => NodeKind::Bool(true),
        "false" | "False" | "FALSE" => NodeKind::Bool(false),
        _ => {
            let looks = value.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
            let number = looks.then(|| value.parse::<f64>().ok().filter(|n| n.is_finite())).flatten();
            let hex = value
                .strip_prefix("0x")
                .and_then(|digits| u32::from_str_radix(digits, 16).ok())
                .map(f64::from);
            number
                .or(hex)
                .map_or_else(|| NodeKind::String(value.to_owned()), |n| NodeKind::Number(n, value.to_owned()))
        }
    }
}
