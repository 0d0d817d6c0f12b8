//! Terraform's conversions between primitive types, and the order of sets.

use std::cmp::Ordering;

use auditlint_syntax::Name;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::{Number, Shape, Tracked, Value};

/// A text as Terraform keeps it: in Unicode's normal form C.
pub(super) fn normal(text: &str) -> Name {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Name::new(text);
    }
    Name::new(text.nfc().collect::<String>())
}

/// A value as text: numbers and truth values convert.
pub(crate) fn text(value: &Value) -> Option<Name> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(Name::new(number.to_string())),
        Value::Bool(value) => Some(Name::new(if *value { "true" } else { "false" })),
        _ => None,
    }
}

/// A value as number: texts that are numbers convert.
pub(crate) fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => Number::parse(text),
        _ => None,
    }
}

/// A value as truth value: the texts `true` and `false` convert, and so do `1` and `0`.
pub(crate) fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) => match text.as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The order and distinctness of a set.
pub(super) fn set(items: Vec<Tracked>) -> Vec<Tracked> {
    let mut items = items;
    items.sort_by(|a, b| order(a.value(), b.value()).then_with(|| key(a).cmp(&key(b))));
    items.dedup_by(|a, b| super::operators::equal(a, b) == Some(true));
    items
}

/// The order of a set's elements, where it is one that Terraform promises.
fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        // What is null or not known comes last.
        (Value::Null | Value::Unknown(_), Value::Null | Value::Unknown(_)) => Ordering::Equal,
        (Value::Null | Value::Unknown(_), _) => Ordering::Greater,
        (_, Value::Null | Value::Unknown(_)) => Ordering::Less,
        _ => Ordering::Equal,
    }
}

/// What other elements are sorted by: the text from which cty makes a set's hash.
fn key(item: &Tracked) -> String {
    let mut out = String::new();
    write_key(item, &mut out);
    out
}

fn write_key(item: &Tracked, out: &mut String) {
    match item.value() {
        Value::Null => out.push('~'),
        Value::Unknown(_) => out.push('?'),
        Value::Bool(truth) => out.push(if *truth { 'T' } else { 'F' }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => out.push_str(&format!("{:?}", text.as_str())),
        Value::List(items) => {
            let (open, close) = if item.shape == Shape::Loose { ('<', '>') } else { ('[', ']') };
            out.push(open);
            for inner in items.iter() {
                write_key(inner, out);
                out.push(';');
            }
            out.push(close);
        }
        Value::Map(map) => {
            let is_map = item.shape == Shape::Typed;
            out.push(if is_map { '{' } else { '<' });
            let mut entries: Vec<(&Name, &Tracked)> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            for (name, inner) in entries {
                if is_map {
                    out.push_str(&format!("{:?}:", name.as_str()));
                }
                write_key(inner, out);
                out.push(';');
            }
            out.push(if is_map { '}' } else { '>' });
        }
    }
}
