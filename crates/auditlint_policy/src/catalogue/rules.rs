//! Rules from nodes.

use std::sync::Arc;

use auditlint_syntax::document::reader::{MapReader, string, unknown, wrong};
use auditlint_syntax::document::{Node, NodeKind};
use auditlint_syntax::{LineIndex, Name, Problem, ProblemKind};

use super::Reading;
use super::conditions::{condition, operand};
use crate::condition::{AttributePath, Operand};
use crate::rule::{
    BlockTemplate, ChangeTemplate, Example, Input, Intent, Parameter, ParameterKind, RemedyTemplate,
    RuleKind, ValueTemplate,
};
use crate::{Category, Days, LiteralValue, Rule, Safety, Severity};

/// The words of [`Intent`].
pub(crate) const INTENTS: &[(&str, Intent)] = &[
    ("emit", Intent::Emit),
    ("failed_attempts", Intent::FailedAttempts),
    ("successful_attempts", Intent::SuccessfulAttempts),
    ("retention", Intent::Retention),
    ("retention_unset", Intent::RetentionUnset),
    ("retention_maximum", Intent::RetentionMaximum),
    ("retention_hot", Intent::RetentionHot),
    ("encryption", Intent::Encryption),
    ("integrity", Intent::Integrity),
    ("immutability", Intent::Immutability),
    ("public_access", Intent::PublicAccess),
    ("access", Intent::Access),
    ("durability", Intent::Durability),
    ("coverage", Intent::Coverage),
    ("level", Intent::Level),
    ("quality", Intent::Quality),
    ("alerting", Intent::Alerting),
];

/// One of the words of a table, or a problem with a suggestion.
pub(super) fn word<T: Copy>(
    what: &str,
    node: &Node,
    known: &[(&str, T)],
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let text = string(node, problems)?;
    let found = known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    if found.is_none() {
        problems.push(unknown(what, text, node.span, known.iter().map(|(name, _)| *name)));
    }
    found
}

fn words<T: Copy>(
    what: &str,
    node: Option<&Node>,
    known: &[(&str, T)],
    problems: &mut Vec<Problem>,
) -> Vec<T> {
    node.map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|item| word(what, item, known, problems))
        .collect()
}

fn categories(node: Option<&Node>, problems: &mut Vec<Problem>) -> Vec<Category> {
    let known = Category::ALL.map(|category| (category.as_str(), category));
    words("category", node, &known, problems)
}

pub(super) fn read_intents(node: Option<&Node>, problems: &mut Vec<Problem>) -> Vec<Intent> {
    words("intent", node, INTENTS, problems)
}

pub(super) fn read_categories(node: Option<&Node>, problems: &mut Vec<Problem>) -> Vec<Category> {
    categories(node, problems)
}

/// Reads the rule with that id.
pub(super) fn read(
    id: &str,
    root: &Node,
    text: &str,
    reading: Reading,
    problems: &mut Vec<Problem>,
) -> Option<Rule> {
    let severities =
        [Severity::Low, Severity::Medium, Severity::High, Severity::Critical].map(|s| (s.as_str(), s));
    let kinds = [("source", RuleKind::Source), ("store", RuleKind::Store), ("guard", RuleKind::Guard)];
    let inputs = [("hcl", Input::Hcl), ("plan", Input::Plan), ("state", Input::State)];
    let mut own = Vec::new();
    let mut map = MapReader::new(root, problems);
    let title = map.need("title").and_then(|node| string(node, &mut own)).unwrap_or_default().to_owned();
    let why = map.need("why").and_then(|node| string(node, &mut own)).unwrap_or_default().trim().to_owned();
    let severity = map.need("severity").and_then(|node| word("severity", node, &severities, &mut own));
    let kind = map.need("kind").and_then(|node| word("kind", node, &kinds, &mut own));
    let asks = words("intent", map.need("asks"), INTENTS, &mut own);
    let events = map.strings("events").into_iter().map(str::to_owned).collect();
    let categories = categories(map.take("categories"), &mut own);
    let selects: Vec<Name> = map.strings("selects").into_iter().map(Name::new).collect();
    let when = map.take("where").and_then(|node| condition(node, &mut own));
    let parameters = map.take("parameters").map(|node| parameters(node, &mut own)).unwrap_or_default();
    let requires = map.need("requires").and_then(|node| condition(node, &mut own));
    let satisfied_by = map
        .take("satisfied_by")
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|node| condition(node, &mut own))
        .collect();
    let message = map.need("message").and_then(|node| string(node, &mut own)).unwrap_or_default().to_owned();
    let remedies = match map.take("remedy") {
        Some(Node { kind: NodeKind::List(items), .. }) => {
            items.iter().filter_map(|node| remedy(node, &mut own)).collect()
        }
        Some(node) => remedy(node, &mut own).into_iter().collect(),
        None => Vec::new(),
    };
    let strings = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<String>>();
    let controls = strings(map.strings("controls"));
    let read_inputs = words("input", map.take("inputs"), &inputs, &mut own);
    let aliases = strings(map.strings("aliases"));
    let references = strings(map.strings("references"));
    let in_everything = map
        .take("default")
        .and_then(|node| node.get("everything"))
        .map(|node| node.kind == NodeKind::Bool(true));
    let example_node = map.take("examples");
    map.finish();
    let examples = examples(example_node, text, &mut own);
    if reading == Reading::Whole {
        for mark in ["pass", "fail", "unknown"] {
            if !examples.iter().any(|example: &Example| example.hcl.contains(&format!("#! {mark}"))) {
                own.push(Problem {
                    kind: ProblemKind::Syntax,
                    span: root.span,
                    message: format!("no example is marked `#! {mark}`"),
                });
            }
        }
    }
    // The problems that were found while the reader held the list come first in the file anyway.
    own.append(problems);
    *problems = own;
    let known: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    for used in placeholders(&message) {
        if used != "value" && !known.contains(&used) {
            problems.push(unknown(
                "parameter",
                used,
                root.get("message").map(|node| node.span).unwrap_or_default(),
                known.iter().copied(),
            ));
        }
    }
    Some(Rule {
        id: Arc::from(id),
        title,
        why,
        severity: severity?,
        kind: kind?,
        asks,
        events,
        categories,
        selects,
        when,
        parameters,
        requires: requires?,
        satisfied_by,
        message,
        remedies,
        controls,
        inputs: if read_inputs.is_empty() { vec![Input::Hcl, Input::Plan] } else { read_inputs },
        aliases,
        references,
        in_everything: in_everything.unwrap_or(true),
        examples,
    })
}

/// The names in braces of a message.
pub(crate) fn placeholders(message: &str) -> impl Iterator<Item = &str> {
    message.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name))
}

fn parameters(node: &Node, problems: &mut Vec<Problem>) -> Vec<Parameter> {
    let kinds = [
        ("duration", ParameterKind::Duration),
        ("integer", ParameterKind::Integer),
        ("text", ParameterKind::Text),
        ("list", ParameterKind::List),
    ];
    node.entries()
        .iter()
        .filter_map(|entry| {
            let mut own = Vec::new();
            let mut map = MapReader::new(&entry.value, problems);
            let kind = map.need("type").and_then(|node| word("type", node, &kinds, &mut own));
            let default = map.take("default");
            map.finish();
            problems.append(&mut own);
            let default = default.and_then(|node| parameter_value(kind?, node, problems));
            Some(Parameter { name: Name::new(&entry.key), kind: kind?, default })
        })
        .collect()
}

/// The value of a parameter; a duration becomes its number of days.
pub(crate) fn parameter_value(
    kind: ParameterKind,
    node: &Node,
    problems: &mut Vec<Problem>,
) -> Option<Operand> {
    match (kind, operand(node, problems)?) {
        (ParameterKind::Duration, Operand::Text(text)) => match Days::parse(&text) {
            Ok(days) => Some(Operand::Number(f64::from(days))),
            Err(message) => {
                problems.push(Problem { kind: ProblemKind::Syntax, span: node.span, message });
                None
            }
        },
        (ParameterKind::Duration | ParameterKind::Integer, Operand::Number(n))
            if n >= 0.0 && n.fract() == 0.0 =>
        {
            Some(Operand::Number(n))
        }
        (ParameterKind::Text, value @ Operand::Text(_)) | (ParameterKind::List, value @ Operand::List(_)) => {
            Some(value)
        }
        _ => {
            let expected = match kind {
                ParameterKind::Duration => "a duration",
                ParameterKind::Integer => "a whole number",
                ParameterKind::Text => "a text",
                ParameterKind::List => "a list",
            };
            problems.push(wrong(node, expected));
            None
        }
    }
}

fn remedy(node: &Node, problems: &mut Vec<Problem>) -> Option<RemedyTemplate> {
    let safeties =
        [Safety::Safe, Safety::ChangesBehaviour, Safety::NeedsInput].map(|safety| (safety.as_str(), safety));
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let title = map.need("title").and_then(|node| string(node, &mut own)).map(str::to_owned);
    let safety = map.need("safety").and_then(|node| word("safety", node, &safeties, &mut own));
    let mut changes = Vec::new();
    for entry in map.take("set").map(Node::entries).unwrap_or_default() {
        changes.extend(
            value(&entry.value, &mut own)
                .map(|value| ChangeTemplate::Set(AttributePath::parse(&entry.key), value)),
        );
    }
    for entry in map.take("append").map(Node::entries).unwrap_or_default() {
        let single = std::slice::from_ref(&entry.value);
        let items = if entry.value.items().is_empty() { single } else { entry.value.items() };
        let values = items.iter().filter_map(|item| operand(item, &mut own)).collect();
        changes.push(ChangeTemplate::Append(AttributePath::parse(&entry.key), values));
    }
    changes.extend(
        map.strings("remove").into_iter().map(|path| ChangeTemplate::Remove(AttributePath::parse(path))),
    );
    for entry in map.take("flag").map(Node::entries).unwrap_or_default() {
        let value = operand(&entry.value, &mut own);
        changes.extend(value.map(|value| ChangeTemplate::Flag(Name::new(&entry.key), value)));
    }
    if let Some(node) = map.take("audit_level") {
        changes.extend(operand(node, &mut own).map(ChangeTemplate::AuditLevel));
    }
    changes.extend(map.take("audit_rule").map(literal).map(ChangeTemplate::AuditRule));
    if map.bool("drop") == Some(true) {
        changes.push(ChangeTemplate::Drop);
    }
    if let Some(node) = map.take("add_block") {
        changes.extend(block(node, &mut own).map(ChangeTemplate::AddBlock));
    }
    if let Some(node) = map.take("add_resource") {
        let kind = node.get("type").and_then(|kind| string(kind, &mut own)).map(Name::new);
        if let Some(kind) = kind {
            changes.push(ChangeTemplate::AddResource {
                kind,
                body: body(node.get("body"), &mut own),
                blocks: blocks(node, &mut own),
            });
        }
    }
    map.finish();
    problems.append(&mut own);
    Some(RemedyTemplate { title: title?, safety: safety?, changes })
}

/// A value of a template, as it is written.
fn literal(node: &Node) -> LiteralValue {
    match &node.kind {
        NodeKind::Null => LiteralValue::String(String::new()),
        NodeKind::Bool(value) => LiteralValue::Bool(*value),
        NodeKind::Number(_, written) => match written.parse() {
            Ok(number) => LiteralValue::Int(number),
            Err(_) => LiteralValue::String(written.to_string()),
        },
        NodeKind::String(text) => LiteralValue::String(text.to_string()),
        NodeKind::List(items) => LiteralValue::List(items.iter().map(literal).collect()),
        NodeKind::Map(entries) => {
            let entries = entries.iter().map(|entry| (Name::new(&entry.key), literal(&entry.value)));
            LiteralValue::Map(entries.collect())
        }
    }
}

fn block(node: &Node, problems: &mut Vec<Problem>) -> Option<BlockTemplate> {
    let mut map = MapReader::new(node, problems);
    let name = map.string("name").map(Name::new);
    let (inner, nested) = (map.take("body"), map.take("blocks"));
    map.finish();
    let _ = nested;
    Some(BlockTemplate { name: name?, body: body(inner, problems), blocks: blocks(node, problems) })
}

fn blocks(node: &Node, problems: &mut Vec<Problem>) -> Vec<BlockTemplate> {
    node.get("blocks")
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|item| block(item, problems))
        .collect()
}

fn body(node: Option<&Node>, problems: &mut Vec<Problem>) -> Vec<(Name, ValueTemplate)> {
    let entries = node.map(Node::entries).unwrap_or_default();
    entries.iter().filter_map(|entry| Some((Name::new(&entry.key), value(&entry.value, problems)?))).collect()
}

fn value(node: &Node, problems: &mut Vec<Problem>) -> Option<ValueTemplate> {
    match &node.kind {
        NodeKind::String(text) if text.starts_with('@') => {
            Some(ValueTemplate::SubjectAttribute(Name::new(text.trim_start_matches('@'))))
        }
        NodeKind::Map(_) => {
            let mut map = MapReader::new(node, problems);
            let types = map.strings("choose").into_iter().map(Name::new).collect();
            let attribute = map.string("attribute").map(Name::new);
            let placeholder = map.string("placeholder").map(str::to_owned);
            map.finish();
            Some(ValueTemplate::Choose { types, attribute: attribute?, placeholder: placeholder? })
        }
        _ => operand(node, problems).map(ValueTemplate::Operand),
    }
}

fn examples(node: Option<&Node>, text: &str, problems: &mut Vec<Problem>) -> Vec<Example> {
    let Some(node) = node else { return Vec::new() };
    let lines = LineIndex::new(text);
    let mut out: Vec<Example> = Vec::new();
    for item in node.items() {
        let mut map = MapReader::new(item, problems);
        let name = map.string("name").unwrap_or_default().to_owned();
        let hcl_node = map.need("hcl");
        let hcl = hcl_node.and_then(Node::as_str).unwrap_or_default().to_owned();
        let fixed = map.string("fixed").map(str::to_owned);
        let policy = map.string("policy").map(str::to_owned);
        map.finish();
        if out.iter().any(|example| example.name == name) {
            let message = format!("two examples are called `{name}`");
            problems.push(Problem { kind: ProblemKind::Duplicate, span: item.span, message });
        }
        let line = hcl_node.map_or(1, |node| lines.line(node.span.start) + 1);
        out.push(Example { name, hcl, fixed, policy, line });
    }
    out
}
