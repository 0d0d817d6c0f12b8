//! Encodings and hashes.

use std::sync::Arc;

use auditlint_syntax::Name;
use auditlint_syntax::document::{self, Node, NodeKind};
use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use super::{Answer, as_text, string};
use crate::{Map, Number, Origin, Tracked, Value};

pub(super) const NAMES: &[&str] =
    &["base64decode", "base64encode", "jsondecode", "jsonencode", "sha256", "urlencode", "yamldecode"];

pub(super) fn call(name: &str, values: &[&Value]) -> Option<Answer> {
    NAMES.contains(&name).then(|| compute(name, values))
}

fn compute(name: &str, values: &[&Value]) -> Answer {
    let first = values.first()?;
    let engine = base64::engine::general_purpose::STANDARD;
    match name {
        "base64encode" => string(engine.encode(as_text(first)?.as_bytes())),
        "base64decode" => string(String::from_utf8(engine.decode(as_text(first)?.as_bytes()).ok()?).ok()?),
        "jsonencode" => {
            let mut out = String::new();
            write_json(first, None, &mut out)?;
            string(out)
        }
        "jsondecode" => decoded(&document::parse_json(&as_text(first)?)),
        "yamldecode" => decoded(&document::parse_yaml(&as_text(first)?)),
        "sha256" => {
            let digest = Sha256::digest(as_text(first)?.as_bytes());
            string(digest.iter().fold(String::new(), |out, byte| out + &format!("{byte:02x}")))
        }
        "urlencode" => string(as_text(first)?.bytes().fold(String::new(), |mut out, byte| {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    out.push(char::from(byte));
                }
                b' ' => out.push('+'),
                _ => out.push_str(&format!("%{byte:02X}")),
            }
            out
        })),
        _ => None,
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

fn write_string(text: &str, out: &mut String) {
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
    document.problems.is_empty().then(|| from_node(&document.root))
}

fn from_node(node: &Node) -> Value {
    let wrap = |node: &Node| Tracked::new(from_node(node), Origin::Nowhere);
    match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Bool(value) => Value::Bool(*value),
        NodeKind::Number(number, _) => Value::Number(Number(*number)),
        NodeKind::String(text) => Value::String(Name::new(text)),
        NodeKind::List(items) => Value::List(items.iter().map(wrap).collect()),
        NodeKind::Map(entries) => {
            let map: Map = entries.iter().map(|entry| (Name::new(&entry.key), wrap(&entry.value))).collect();
            Value::Map(Arc::new(map))
        }
    }
}
