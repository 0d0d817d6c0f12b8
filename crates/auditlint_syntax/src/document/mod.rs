//! One node tree for YAML and JSON documents: byte spans, keys in order, and *all* problems.
//!
//! Policies, rules, facts, tests and the config file are read from it.

mod json;
pub mod packed;
pub mod reader;
mod tagged;
mod yaml;

pub use tagged::{TaggedError, TaggedKind, TaggedNode, parse_tagged};

/// A node and where it stands (absolute).
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its bytes.
    pub span: crate::Span,
    /// What it is.
    pub kind: NodeKind,
}

/// The kinds of node.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeKind {
    /// `null`, `~`, or nothing at all.
    Null,
    /// `true`, `false` (the YAML 1.2 core schema: `yes`, `no`, `on` and `off` are strings).
    Bool(bool),
    /// A number and how it was written.
    Number(f64, String),
    /// Any other scalar; a block scalar's text begins at its first content line.
    String(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in source order; of duplicate keys the first is kept and the others are problems.
    Map(Vec<Entry>),
}

/// One entry of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// Where the key stands.
    pub key_span: crate::Span,
    /// The value.
    pub value: Node,
}

/// A document: the tree and everything that is wrong with the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The first document of the stream.
    pub root: Node,
    /// All problems, absolute, in source order.
    pub problems: Vec<crate::Problem>,
}

impl Node {
    /// The value of `key`, when this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The entries of a mapping; none for anything else.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        if let NodeKind::Map(entries) = &self.kind { entries } else { &[] }
    }

    /// The elements of a sequence; none for anything else.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        if let NodeKind::List(items) = &self.kind { items } else { &[] }
    }

    fn shift(&mut self, base: u32) {
        if base == 0 {
            return;
        }
        self.span = self.span.shifted(base);
        match &mut self.kind {
            NodeKind::List(items) => items.iter_mut().for_each(|item| item.shift(base)),
            NodeKind::Map(entries) => {
                for entry in entries {
                    entry.key_span = entry.key_span.shifted(base);
                    entry.value.shift(base);
                }
            }
            NodeKind::Null | NodeKind::Bool(_) | NodeKind::Number(..) | NodeKind::String(_) => {}
        }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let NodeKind::String(text) = &self.kind { Some(text) } else { None }
    }
}

/// Parses a YAML text. Aliases are expanded up to a limit on the number of nodes; a tab in the indentation
/// is named as such; merge keys are not supported.
#[must_use]
pub fn parse_yaml(text: &str) -> Document {
    yaml::parse(text)
}

/// Parses a JSON text.
#[must_use]
pub fn parse_json(text: &str) -> Document {
    json::parse(text)
}

/// Parses a text as what it looks like: JSON when it begins with a brace or a bracket, else YAML.
#[must_use]
pub fn parse(text: &str) -> Document {
    if text.trim_start().starts_with(['{', '[']) { parse_json(text) } else { parse_yaml(text) }
}

/// Parses every document of a stream: the documents of a YAML text that stand between lines of `---`, or the one of
/// a JSON text. Spans are those of the whole text.
#[must_use]
pub fn parse_stream(text: &str) -> Vec<Document> {
    if text.trim_start().starts_with(['{', '[']) {
        return vec![parse_json(text)];
    }
    let mut starts = vec![0];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        // A document marker ends every text block, so that nothing else can be meant by it.
        let marks = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
        if marks && at > 0 && starts.len() < DOCUMENTS {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let parts = starts.iter().zip(ends).filter_map(|(&start, end)| Some((start, text.get(start..end)?)));
    let base = |start: usize| u32::try_from(start).unwrap_or(u32::MAX);
    parts.map(|(start, part)| parse_yaml(part).shifted(base(start))).collect()
}

/// Most documents of a stream that are told apart; what stands behind them is a problem of the last.
const DOCUMENTS: usize = 10_000;

impl Document {
    fn shifted(mut self, base: u32) -> Self {
        self.root.shift(base);
        for problem in &mut self.problems {
            problem.span = problem.span.shifted(base);
        }
        self
    }
}

/// A YAML text up to its top-level key `key`.
#[must_use]
pub fn before_key<'t>(text: &'t str, key: &str) -> &'t str {
    match text.find(&format!("\n{key}:")) {
        Some(end) => text.get(..=end).unwrap_or(text),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(text: &str, node: &Node, out: &mut Vec<String>) {
        for entry in node.entries() {
            out.push(format!("{}={}", &text[entry.key_span.range()], &text[entry.value.span.range()]));
            spans(text, &entry.value, out);
        }
        node.items().iter().for_each(|item| spans(text, item, out));
    }

    #[test]
    fn yaml_spans_are_byte_exact_with_any_text() {
        let text = "ä: ünï\r\nb:\r\n  c: [1, \"x\"]\r\n  d: 90_days # é\r\n";
        let document = parse_yaml(text);
        assert!(document.problems.is_empty(), "{:?}", document.problems);
        let mut found = Vec::new();
        spans(text, &document.root, &mut found);
        assert_eq!(found, ["ä=ünï", "b=c: [1, \"x\"]\r\n  d: 90_days", "c=[1, \"x\"]", "d=90_days"]);
        assert_eq!(document.root.get("b").unwrap().get("d").unwrap().as_str(), Some("90_days"));
    }

    #[test]
    fn every_problem_of_a_yaml_text_has_its_place() {
        let at = |text: &str| -> Vec<(u32, String)> {
            parse_yaml(text)
                .problems
                .into_iter()
                .map(|problem| (problem.span.start, problem.message))
                .collect()
        };
        assert_eq!(at("a: 1\na: 2\n"), [(5, "the key `a` stands twice".to_owned())]);
        assert_eq!(at("a:\n\tb: 1\n")[0], (3, "a tab may not indent YAML; use spaces".to_owned()));
        assert_eq!(at("a: 1\n---\nb: 2\n").len(), 1);
        let two = at("a: [1\nb: 'x\nc: 1\nc: 2\n");
        assert!(!two.is_empty(), "{two:?}");
        assert!(at("").is_empty() && at("# only a comment\n").is_empty());
    }

    #[test]
    fn every_document_of_a_stream_is_read_with_the_places_of_the_whole_text() {
        let text = "# first\n---\na: 1\n--- # second\nb: |\n  ---\n  x\n---\n";
        let documents = parse_stream(text);
        let mut found = Vec::new();
        documents.iter().for_each(|document| spans(text, &document.root, &mut found));
        assert_eq!(found.iter().map(|text| &text[..3]).collect::<Vec<_>>(), ["a=1", "b=-"]);
        assert!(documents.iter().all(|document| document.problems.is_empty()), "{documents:?}");
        assert_eq!(parse_stream("{\"a\": 1}").len(), 1);
    }

    #[test]
    fn a_text_that_doubles_itself_is_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            text.push_str(&format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", ")));
        }
        let problems = parse_yaml(&text).problems;
        assert_eq!(problems.iter().filter(|problem| problem.kind == crate::ProblemKind::TooLarge).count(), 1);
        let deep = parse_yaml(&"[".repeat(5000));
        assert!(!deep.problems.is_empty());
    }

    #[test]
    fn quoted_and_worded_scalars_are_texts() {
        let document = parse_yaml("a: '90'\nb: yes\nc: 1e3\nd: 0x10\ne: ~\nf: |\n  x\n  y\n");
        let kind = |key| document.root.get(key).unwrap().kind.clone();
        assert_eq!(kind("a"), NodeKind::String("90".to_owned()));
        assert_eq!(kind("b"), NodeKind::String("yes".to_owned()));
        assert_eq!(kind("c"), NodeKind::Number(1000.0, "1e3".to_owned()));
        assert_eq!(kind("d"), NodeKind::Number(16.0, "0x10".to_owned()));
        assert_eq!(kind("e"), NodeKind::Null);
        assert_eq!(kind("f"), NodeKind::String("x\ny\n".to_owned()));
    }

    #[test]
    fn json_problems_keep_the_tree_so_far() {
        let document = parse_json("{\"a\": [1, 2,], \"b\": \"\\ud83d\\ude00\", \"a\": 3, \"c\" 4}");
        let messages: Vec<&str> = document.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            messages,
            ["a trailing comma is not allowed", "the key `a` stands twice", "expected `:` after the key"]
        );
        assert_eq!(document.root.get("b").unwrap().as_str(), Some("\u{1F600}"));
        assert_eq!(document.root.entries().len(), 3);
        assert_eq!(parse_json("{\"a\": ").problems.len(), 2);
        assert_eq!(parse_json("{} x").problems.len(), 1);
        assert!(!parse_json(&"[".repeat(100_000)).problems.is_empty());
    }
}
