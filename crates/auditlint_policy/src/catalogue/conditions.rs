//! Conditions and operands from nodes.

use auditlint_syntax::document::reader::{string, strings, unknown, wrong};
use auditlint_syntax::document::{Entry, Node, NodeKind};
use auditlint_syntax::{Name, Problem, ProblemKind};
use regex::RegexBuilder;

use crate::Verdict;
use crate::condition::{AttributePath, Condition, Operand, Test};

const TESTS: &[&str] = &[
    "equals",
    "not_equals",
    "in",
    "not_in",
    "at_least",
    "at_most",
    "present",
    "contains",
    "contains_any",
    "matches",
    "references",
];
const CONDITIONS: &[&str] = &["all", "any", "not", "path", "every", "some", "companion", "linked", "probe"];

/// Reads a condition.
pub(super) fn condition(node: &Node, problems: &mut Vec<Problem>) -> Option<Condition> {
    let Some(head) = node.entries().iter().find(|entry| CONDITIONS.contains(&entry.key.as_str())) else {
        match node.entries().first() {
            Some(first) => {
                problems.push(unknown("condition", &first.key, first.key_span, CONDITIONS.iter().copied()));
            }
            None => problems.push(wrong(node, "a condition")),
        }
        return None;
    };
    let list = |problems: &mut Vec<Problem>| -> Vec<Condition> {
        head.value.items().iter().filter_map(|item| condition(item, problems)).collect()
    };
    let condition = match head.key.as_str() {
        "all" => Condition::All(list(problems)),
        "any" => Condition::Any(list(problems)),
        "not" => Condition::Not(Box::new(condition(&head.value, problems)?)),
        "path" => return test(node, head, problems),
        "every" | "some" => {
            let path = path(&head.value, problems)?;
            let holds = Box::new(condition(node.get("holds").unwrap_or(node), problems)?);
            let none =
                node.get("none").and_then(|none| verdict(none, problems)).unwrap_or(Verdict::NotApplicable);
            keys(node, &[&head.key, "holds", "none"], problems);
            if head.key == "every" {
                Condition::Every { path, holds, none }
            } else {
                Condition::Some { path, holds }
            }
        }
        "companion" => {
            keys(node, &["companion", "join", "to", "holds"], problems);
            let types = strings(&head.value, problems).into_iter().map(Name::new).collect();
            let Some(join) = node.get("join") else {
                problems.push(Problem {
                    kind: ProblemKind::Syntax,
                    span: head.key_span,
                    message: "`join` is missing".to_owned(),
                });
                return None;
            };
            let join = path(join, problems)?;
            let to = node.get("to").map(|to| strings(to, problems)).unwrap_or_default();
            let holds = node.get("holds").and_then(|holds| condition(holds, problems)).map(Box::new);
            Condition::Companion { types, join, to: to.into_iter().map(Name::new).collect(), holds }
        }
        "linked" => {
            keys(node, &["linked", "types", "holds", "elsewhere"], problems);
            let path = path(&head.value, problems)?;
            let types = node.get("types").map(|types| strings(types, problems)).unwrap_or_default();
            let holds = node.get("holds").and_then(|holds| condition(holds, problems)).map(Box::new);
            let elsewhere =
                node.get("elsewhere").and_then(|word| verdict(word, problems)).unwrap_or(Verdict::Unknown);
            Condition::Linked { path, types: types.into_iter().map(Name::new).collect(), holds, elsewhere }
        }
        _ => {
            keys(node, &["probe", "with"], problems);
            let name = Name::new(string(&head.value, problems)?);
            if !crate::probes::NAMES.contains(&name.as_str()) {
                problems.push(unknown("probe", &name, head.value.span, crate::probes::NAMES.iter().copied()));
            }
            let with = node.get("with").map(Node::entries).unwrap_or_default();
            let with = with
                .iter()
                .filter_map(|entry| Some((Name::new(&entry.key), operand(&entry.value, problems)?)))
                .collect();
            Condition::Probe { name, with }
        }
    };
    Some(condition)
}

fn test(node: &Node, head: &Entry, problems: &mut Vec<Problem>) -> Option<Condition> {
    let path = path(&head.value, problems)?;
    let mut found = None;
    let (mut absent, mut ignore_case) = (None, false);
    for entry in node.entries().iter().filter(|entry| entry.key != "path") {
        match entry.key.as_str() {
            "absent" => absent = verdict(&entry.value, problems),
            "ignore_case" => ignore_case = entry.value.kind == NodeKind::Bool(true),
            key if TESTS.contains(&key) && found.is_none() => found = Some(entry),
            key if TESTS.contains(&key) => {
                let message = "only one test may stand beside `path`".to_owned();
                problems.push(Problem { kind: ProblemKind::Syntax, span: entry.key_span, message });
            }
            key => problems.push(unknown("test", key, entry.key_span, TESTS.iter().copied())),
        }
    }
    let Some(found) = found else {
        if node.entries().len() < 2 {
            let message = "a test is missing beside `path`".to_owned();
            problems.push(Problem { kind: ProblemKind::Syntax, span: head.key_span, message });
        }
        return None;
    };
    let value = &found.value;
    let many = |problems: &mut Vec<Problem>| match &value.kind {
        NodeKind::List(items) => items.iter().filter_map(|item| operand(item, problems)).collect(),
        _ => operand(value, problems).into_iter().collect(),
    };
    let test = match found.key.as_str() {
        "equals" => Test::Equals(operand(value, problems)?),
        "not_equals" => Test::NotEquals(operand(value, problems)?),
        "in" => Test::In(many(problems)),
        "not_in" => Test::NotIn(many(problems)),
        "at_least" => Test::AtLeast(operand(value, problems)?),
        "at_most" => Test::AtMost(operand(value, problems)?),
        "present" => Test::Present(value.kind == NodeKind::Bool(true)),
        "contains" => Test::Contains(many(problems)),
        "contains_any" => Test::ContainsAny(many(problems)),
        "matches" => {
            let pattern = string(value, problems)?;
            match RegexBuilder::new(pattern).case_insensitive(ignore_case).build() {
                Ok(pattern) => Test::Matches(pattern),
                Err(error) => {
                    let message = format!("not a regular expression: {error}").replace('\n', " ");
                    problems.push(Problem { kind: ProblemKind::Syntax, span: value.span, message });
                    return None;
                }
            }
        }
        _ => Test::References(strings(value, problems).into_iter().map(Name::new).collect()),
    };
    Some(Condition::Test { path, test, absent, ignore_case })
}

fn keys(node: &Node, known: &[&str], problems: &mut Vec<Problem>) {
    for entry in node.entries().iter().filter(|entry| !known.contains(&entry.key.as_str())) {
        problems.push(unknown("key", &entry.key, entry.key_span, known.iter().copied()));
    }
}

pub(super) fn path(node: &Node, problems: &mut Vec<Problem>) -> Option<AttributePath> {
    string(node, problems).map(AttributePath::parse)
}

fn verdict(node: &Node, problems: &mut Vec<Problem>) -> Option<Verdict> {
    let word = string(node, problems)?;
    let known = [Verdict::Pass, Verdict::Fail, Verdict::Unknown, Verdict::NotApplicable];
    let found = known.into_iter().find(|verdict| verdict.as_str() == word);
    if found.is_none() {
        problems.push(unknown("verdict", word, node.span, known.iter().map(|verdict| verdict.as_str())));
    }
    found
}

/// Whether what follows a `$` is the name of a parameter, and not a text that happens to begin so.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Reads an operand: a literal, a list, or `$parameter`.
pub(super) fn operand(node: &Node, problems: &mut Vec<Problem>) -> Option<Operand> {
    Some(match &node.kind {
        NodeKind::Bool(value) => Operand::Bool(*value),
        NodeKind::Number(value, _) => Operand::Number(*value),
        NodeKind::String(text) => match text.strip_prefix('$') {
            Some(name) if is_name(name) => Operand::Parameter(Name::new(name)),
            _ => Operand::Text(Name::new(text)),
        },
        NodeKind::List(items) => {
            Operand::List(items.iter().filter_map(|item| operand(item, problems)).collect())
        }
        NodeKind::Null | NodeKind::Map(_) => {
            problems.push(wrong(node, "a value"));
            return None;
        }
    })
}
