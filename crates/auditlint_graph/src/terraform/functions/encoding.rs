//! Encodings and hashes.

use std::sync::Arc;

use auditlint_syntax::Name;
use auditlint_syntax::document::{self, Node, NodeKind};
use base64::Engine as _;

use super::{Answer, nowhere, string, text_of};
use crate::{Map, Number, Tracked, Value};

/// Some answer when `name` is one of these functions.
pub(super) fn call(name: &str, arguments: &[Tracked]) -> Option<Answer> {
    Some(match name {
        "jsonencode" => encoded(arguments),
        "base64encode" | "base64decode" | "jsondecode" | "yamldecode" | "urlencode" => {
            of_text(name, arguments)
        }
        _ => return None,
    })
}

fn encoded(arguments: &[Tracked]) -> Answer {
    let mut out = String::new();
    write_json(arguments.first()?.value(), None, &mut out)?;
    string(out)
}

fn of_text(name: &str, arguments: &[Tracked]) -> Answer {
    let first = text_of(arguments.first()?)?;
    let engine = base64::engine::general_purpose::STANDARD;
    match name {
        "base64encode" => string(engine.encode(first.as_bytes())),
        "base64decode" => string(String::from_utf8(engine.decode(first.as_bytes()).ok()?).ok()?),
        "jsondecode" => decoded(&document::parse_json(first)),
        "yamldecode" => decoded(&document::parse_yaml(first)),
        _ => string(first.bytes().fold(String::new(), |mut out, byte| {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    out.push(char::from(byte));
                }
                b' ' => out.push('+'),
                _ => out.push_str(&format!("%{byte:02X}")),
            }
            out
        })),
    }
}

/// Writes a value as Terraform's `jsonencode` does: keys sorted, `<`, `>` and `&` escaped. What is not known is
/// written as `fill`; none without one.
pub(crate) fn write_json(value: &Value, fill: Option<&str>, out: &mut String) -> Option<()> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_string(text, out),
        Value::List(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                out.push_str(if n == 0 { "" } else { "," });
                write_json(item.value(), fill, out)?;
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            let mut keys: Vec<&Name> = map.keys().collect();
            keys.sort();
            for (n, key) in keys.into_iter().enumerate() {
                out.push_str(if n == 0 { "" } else { "," });
                write_string(key, out);
                out.push(':');
                write_json(map.get(key)?.value(), fill, out)?;
            }
            out.push('}');
        }
        Value::Unknown(_) => write_string(fill?, out),
    }
    Some(())
}

pub(super) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn decoded(document: &document::Document) -> Answer {
    if document.problems.is_empty() { from_node(&document.root) } else { None }
}

fn from_node(node: &Node) -> Answer {
    Some(nowhere(match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Bool(value) => Value::Bool(*value),
        NodeKind::Number(number, written) => {
            Value::Number(Number::parse(written).or_else(|| Number::from_f64(*number))?)
        }
        NodeKind::String(text) => Value::String(Name::new(text)),
        NodeKind::List(items) => Value::List(items.iter().map(from_node).collect::<Option<_>>()?),
        NodeKind::Map(entries) => {
            let entry = |entry: &document::Entry| Some((Name::new(&entry.key), from_node(&entry.value)?));
            let map: Map = entries.iter().map(entry).collect::<Option<_>>()?;
            Value::Map(Arc::new(map))
        }
    }))
}
