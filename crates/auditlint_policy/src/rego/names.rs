//! The names that a rule reads: those of other rules among them, without the variables that it declares itself.

use std::collections::BTreeSet;

use auditlint_syntax::{Source, Span};
use serde_json::Value;

use super::guard::{path, span_of};

/// The names with their dots that `rule` reads. A variable of its own hides a rule of the same name.
pub(super) fn free(rule: &Value, source: &Source) -> BTreeSet<String> {
    let mut declared = BTreeSet::new();
    declarations(rule, source, &mut declared);
    let mut read = BTreeSet::new();
    // What the head names is the rule itself; its key and its value are read.
    match rule.get("head").and_then(Value::as_object).and_then(|head| head.iter().next()) {
        Some((_, head)) => {
            for (part, node) in head.as_object().into_iter().flatten() {
                if part != "refr" && part != "args" {
                    names(node, &mut read);
                }
            }
            rule.as_object()
                .into_iter()
                .flatten()
                .filter(|(part, _)| *part != "head")
                .for_each(|(_, node)| names(node, &mut read));
        }
        None => rule
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(part, _)| *part != "refr" && *part != "args")
            .for_each(|(_, node)| names(node, &mut read)),
    }
    read.retain(|name| !declared.contains(name.split('.').next().unwrap_or_default()));
    read
}

/// The longest names in a part of the tree.
fn names(node: &Value, out: &mut BTreeSet<String>) {
    match node {
        Value::Array(items) => items.iter().for_each(|item| names(item, out)),
        Value::Object(map) => {
            if map.len() == 1
                && let Some(name) = path(node)
            {
                out.insert(name);
                return;
            }
            map.values().for_each(|value| names(value, out));
        }
        _ => {}
    }
}

/// The variables that a rule declares: parameters, `some`, `every` and `:=`.
fn declarations(node: &Value, source: &Source, out: &mut BTreeSet<String>) {
    let text = |span: Span| source.text().get(span.start as usize..span.end as usize);
    match node {
        Value::Array(items) => items.iter().for_each(|item| declarations(item, source, out)),
        Value::Object(map) => {
            for (kind, inner) in map {
                match kind.as_str() {
                    "args" => variables(inner, out),
                    "AssignExpr" if inner["op"] == "ColEq" => variables(&inner["lhs"], out),
                    "SomeIn" | "Every" => {
                        variables(&inner["key"], out);
                        variables(&inner["value"], out);
                        let places = [&inner["key"], &inner["value"]].into_iter().filter_map(span_of);
                        out.extend(places.filter_map(text).map(str::to_owned));
                    }
                    "SomeVars" => {
                        let spans = inner["vars"].as_array().into_iter().flatten().filter_map(span_of);
                        out.extend(spans.filter_map(text).map(str::to_owned));
                    }
                    _ => {}
                }
                declarations(inner, source, out);
            }
        }
        _ => {}
    }
}

/// The variables in a pattern.
fn variables(node: &Value, out: &mut BTreeSet<String>) {
    match node {
        Value::Array(items) => items.iter().for_each(|item| variables(item, out)),
        Value::Object(map) => {
            if let Some(name) = map.get("Var").and_then(|inner| inner["value"].as_str()) {
                out.insert(name.to_owned());
            }
            map.values().for_each(|value| variables(value, out));
        }
        _ => {}
    }
}
