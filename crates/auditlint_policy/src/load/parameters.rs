//! The parameters of policies: values with a name, which whoever extends a policy or an environment of it may set
//! within the bounds that its owner gave.

use std::collections::BTreeMap;

use auditlint_syntax::document::reader::{MapReader, string, unknown, wrong};
use auditlint_syntax::document::{Entry, Node, NodeKind};
use auditlint_syntax::{FileId, Location, Problem, ProblemKind};

use super::values::word;
use crate::Days;
use crate::external::Pattern;
use crate::intent::Bounds;

/// A parameter as its owner declares it.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    kind: ParameterType,
    default: Option<Node>,
    min: Option<Node>,
    max: Option<Node>,
    one_of: Vec<Pattern>,
    at: Location,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ParameterType {
    Duration,
    Integer,
    Text,
    List,
    Flag,
}

const TYPES: [(&str, ParameterType); 5] = [
    ("duration", ParameterType::Duration),
    ("integer", ParameterType::Integer),
    ("text", ParameterType::Text),
    ("list", ParameterType::List),
    ("bool", ParameterType::Flag),
];

/// The parameters of one document: what it declares, and what it sets of others.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters {
    pub(super) declared: BTreeMap<String, Declared>,
    pub(super) set: BTreeMap<String, (Node, Location)>,
}

/// Reads `parameters`; a mapping with a `type` declares, anything else sets.
pub(super) fn read(node: &Node, file: FileId, problems: &mut Vec<Problem>) -> Parameters {
    let mut out = Parameters::default();
    if !matches!(node.kind, NodeKind::Map(_)) {
        problems.push(wrong(node, "parameters by their name"));
    }
    for entry in node.entries() {
        let at = Location { file, span: entry.key_span };
        if entry.value.get("type").is_some() {
            if let Some(declared) = declared(entry, at, problems) {
                out.declared.insert(entry.key.clone(), declared);
            }
        } else {
            out.set.insert(entry.key.clone(), (entry.value.clone(), at));
        }
    }
    out
}

fn declared(entry: &Entry, at: Location, problems: &mut Vec<Problem>) -> Option<Declared> {
    let mut own = Vec::new();
    let mut map = MapReader::new(&entry.value, problems);
    let kind = map.need("type").and_then(|node| {
        let word = string(node, &mut own)?;
        let known = TYPES.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind);
        if known.is_none() {
            own.push(unknown("type of a parameter", word, node.span, TYPES.iter().map(|(name, _)| *name)));
        }
        known
    });
    let (default, min, max) = (map.take("default"), map.take("min"), map.take("max"));
    let one_of = map.strings("one_of").into_iter().map(Pattern::new).collect();
    map.take("description");
    map.finish();
    problems.append(&mut own);
    let declared =
        Declared { kind: kind?, default: default.cloned(), min: min.cloned(), max: max.cloned(), one_of, at };
    if let Some(default) = default
        && let Err(problem) = declared.accepts(&entry.key, default)
    {
        problems.push(Problem { kind: ProblemKind::Syntax, span: default.span, message: problem });
    }
    Some(declared)
}

impl Declared {
    /// What its owner lets others make of it.
    pub(super) fn bounds(&self) -> Bounds {
        let bound = |node: &Option<Node>| node.as_ref().and_then(|node| self.number(node));
        Bounds { min: bound(&self.min), max: bound(&self.max), one_of: self.one_of.clone(), at: self.at }
    }

    fn number(&self, node: &Node) -> Option<f64> {
        match (self.kind, &node.kind) {
            (ParameterType::Duration, _) => days(node).map(f64::from),
            (_, NodeKind::Number(number, _)) => Some(*number),
            _ => None,
        }
    }

    /// Whether a value is of the type and within the bounds.
    fn accepts(&self, name: &str, value: &Node) -> Result<(), String> {
        let is_of_type = match self.kind {
            ParameterType::Duration => days(value).is_some(),
            ParameterType::Integer => {
                matches!(value.kind, NodeKind::Number(number, _) if number.fract() == 0.0)
            }
            ParameterType::Text => word(value, &mut Vec::new()).is_some(),
            ParameterType::List => matches!(value.kind, NodeKind::List(_)),
            ParameterType::Flag => matches!(value.kind, NodeKind::Bool(_)),
        };
        if !is_of_type {
            let kind = TYPES.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| *name);
            return Err(format!("parameter `{name}` is of type {kind}"));
        }
        let bound = |node: &Option<Node>| node.as_ref().and_then(|node| self.number(node));
        let said = |node: &Option<Node>| {
            node.as_ref().and_then(|node| word(node, &mut Vec::new())).unwrap_or_default()
        };
        if let Some(value) = self.number(value) {
            if bound(&self.min).is_some_and(|min| value < min) {
                return Err(format!("parameter `{name}` is at least {}", said(&self.min)));
            }
            if bound(&self.max).is_some_and(|max| value > max) {
                return Err(format!("parameter `{name}` is at most {}", said(&self.max)));
            }
        }
        let items =
            if self.kind == ParameterType::List { value.items() } else { std::slice::from_ref(value) };
        for item in items.iter().filter(|_| !self.one_of.is_empty()) {
            let text = word(item, &mut Vec::new()).unwrap_or_default();
            if !self.one_of.iter().any(|pattern| pattern.matches(&text)) {
                let known: Vec<&str> = self.one_of.iter().map(Pattern::as_str).collect();
                return Err(format!("parameter `{name}` is one of {}", known.join(", ")));
            }
        }
        Ok(())
    }

    /// Whether its owner said who may set it: by bounds, or by leaving it open.
    fn may_be_set(&self) -> bool {
        self.default.is_none() || self.min.is_some() || self.max.is_some() || !self.one_of.is_empty()
    }
}

fn days(node: &Node) -> Option<u32> {
    match &node.kind {
        NodeKind::Number(number, text) if number.fract() == 0.0 => Days::parse(text).ok(),
        NodeKind::String(text) => Days::parse(text).ok(),
        _ => None,
    }
}

/// The values of all parameters of a chain. Two documents may declare one of the same name: each has its own default and
/// bounds, and whoever sets it sets both.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    /// By name, for each document that declares it.
    values: BTreeMap<String, Vec<(FileId, Option<Node>)>>,
}

impl Values {
    /// The values of `documents`, ancestors first; a later one sets what an earlier one declares. Problems have the
    /// file that they are in.
    pub(super) fn of<'p>(
        documents: impl Iterator<Item = &'p Parameters> + Clone,
        overlays: impl Iterator<Item = &'p Parameters>,
        problems: &mut Vec<(FileId, Problem)>,
    ) -> Self {
        let mut declared: BTreeMap<&str, Vec<&Declared>> = BTreeMap::new();
        for (name, parameter) in documents.clone().flat_map(|document| &document.declared) {
            declared.entry(name).or_default().push(parameter);
        }
        let defaults = |all: &Vec<&Declared>| {
            all.iter().map(|parameter| (parameter.at.file, parameter.default.clone())).collect()
        };
        let mut values: BTreeMap<String, Vec<(FileId, Option<Node>)>> =
            declared.iter().map(|(name, all)| ((*name).to_owned(), defaults(all))).collect();
        for (name, (node, at)) in documents.chain(overlays).flat_map(|document| &document.set) {
            let Some(all) = declared.get(name.as_str()) else {
                problems.push((at.file, unknown("parameter", name, at.span, declared.keys().copied())));
                continue;
            };
            let refused = all.iter().find_map(|parameter| match parameter.accepts(name, node) {
                Err(message) => Some(Problem { kind: ProblemKind::Syntax, span: node.span, message }),
                Ok(()) if !parameter.may_be_set() && parameter.at.file != at.file => {
                    let message = format!(
                        "parameter `{name}` has a value, and its owner gave no bounds (`min`, `max`, `one_of`) within which others may set it"
                    );
                    Some(Problem { kind: ProblemKind::Syntax, span: at.span, message })
                }
                Ok(()) => None,
            });
            match (refused, values.get_mut(name)) {
                (Some(problem), _) => problems.push((at.file, problem)),
                (None, Some(all)) => all.iter_mut().for_each(|(_, value)| *value = Some(node.clone())),
                (None, None) => {}
            }
        }
        Self { values }
    }

    /// `node` of a document with the values of the parameters in the places of `${NAME}`.
    pub(super) fn filled(&self, node: &Node, file: FileId, problems: &mut Vec<Problem>) -> Node {
        let kind = match &node.kind {
            NodeKind::String(text) if text.contains("${") => return self.text(node, text, file, problems),
            NodeKind::List(items) => {
                NodeKind::List(items.iter().map(|item| self.filled(item, file, problems)).collect())
            }
            NodeKind::Map(entries) => NodeKind::Map(
                entries
                    .iter()
                    .map(|entry| Entry { value: self.filled(&entry.value, file, problems), ..entry.clone() })
                    .collect(),
            ),
            other => other.clone(),
        };
        Node { kind, ..node.clone() }
    }

    fn text(&self, node: &Node, text: &str, file: FileId, problems: &mut Vec<Problem>) -> Node {
        let whole = text
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'))
            .filter(|name| !name.contains('}'));
        if let Some(name) = whole {
            let value = self.value(name, node, file, problems);
            return value.map_or_else(|| node.clone(), |value| Node { kind: value.kind, ..node.clone() });
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            let value = self.value(name, node, file, problems).and_then(|value| word(&value, problems));
            out.push_str(&value.unwrap_or_default());
            rest = after;
        }
        out.push_str(rest);
        Node { kind: NodeKind::String(out), ..node.clone() }
    }

    fn value(&self, name: &str, node: &Node, file: FileId, problems: &mut Vec<Problem>) -> Option<Node> {
        // The document's own counts for it, else the one of the document that it builds on.
        let all = self.values.get(name);
        let own = all.and_then(|all| all.iter().find(|(known, _)| *known == file).or(all.last()));
        match own.map(|(_, value)| value) {
            Some(Some(value)) => Some(value.clone()),
            Some(None) => {
                let message = format!(
                    "parameter `{name}` has no value: set it under `parameters` of the policy that extends this one"
                );
                problems.push(Problem { kind: ProblemKind::Syntax, span: node.span, message });
                None
            }
            None => {
                problems.push(unknown("parameter", name, node.span, self.values.keys().map(String::as_str)));
                None
            }
        }
    }
}
