//! JSON as Terraform reads and writes it.

use std::sync::Arc;

use auditlint_syntax::Name;

use super::{Answer, not_computed, nowhere, text_of};
use crate::{Map, Number, Tracked, Value};

/// Deepest nesting that is read.
const DEEPEST: usize = 128;

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
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Reads a text that is JSON, to numbers of as many digits as it has. None where it is not, or nests too deeply.
pub(crate) fn read_json(text: &str) -> Option<Value> {
    let mut reader = Reader { text, at: 0, beyond: false };
    let value = reader.value(0)?;
    reader.blank();
    (reader.at == text.len()).then_some(value)
}

/// `jsondecode`: no digit is lost, the last of repeated keys counts, half a surrogate pair is a replacement character.
pub(super) fn decode(arguments: &[Tracked]) -> Answer {
    let text = text_of(arguments.first()?)?;
    let mut reader = Reader { text, at: 0, beyond: false };
    let value = reader.value(0);
    if reader.beyond {
        return not_computed("jsondecode()");
    }
    reader.blank();
    value.filter(|_| reader.at == text.len()).map(nowhere)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// Whether it stopped at what Terraform goes on with.
    beyond: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Passes over `text`; false when it is not there.
    fn take(&mut self, text: &str) -> bool {
        let found = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(text));
        self.at += if found { text.len() } else { 0 };
        found
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            self.beyond = true;
            return None;
        }
        self.blank();
        match self.peek()? {
            b'n' => self.take("null").then_some(Value::Null),
            b't' => self.take("true").then_some(Value::Bool(true)),
            b'f' => self.take("false").then_some(Value::Bool(false)),
            b'"' => self.string().map(|text| Value::String(super::super::convert::normal(&text))),
            b'[' => self.list(depth),
            b'{' => self.map(depth),
            _ => self.number(),
        }
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        self.take("[");
        self.blank();
        let mut items = Vec::new();
        if self.take("]") {
            return Some(Value::List(items.into()));
        }
        loop {
            items.push(nowhere(self.value(depth + 1)?));
            self.blank();
            if self.take("]") {
                return Some(Value::List(items.into()));
            }
            self.take(",").then_some(())?;
        }
    }

    fn map(&mut self, depth: usize) -> Option<Value> {
        self.take("{");
        self.blank();
        let mut map = Map::default();
        if self.take("}") {
            return Some(Value::Map(Arc::new(map)));
        }
        loop {
            self.blank();
            let key = self.string()?;
            self.blank();
            self.take(":").then_some(())?;
            map.insert(Name::new(key), nowhere(self.value(depth + 1)?));
            self.blank();
            if self.take("}") {
                return Some(Value::Map(Arc::new(map)));
            }
            self.take(",").then_some(())?;
        }
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<Value> {
        let start = self.at;
        self.take("-");
        if !self.take("0") {
            self.digits()?;
        }
        if self.take(".") {
            self.digits()?;
        }
        if self.take("e") || self.take("E") {
            let _ = self.take("+") || self.take("-");
            self.digits()?;
        }
        let number = Number::parse(self.text.get(start..self.at)?);
        self.beyond |= number.is_none();
        number.map(Value::Number)
    }

    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        if digits.starts_with('+') { None } else { u16::from_str_radix(digits, 16).ok() }
    }

    fn string(&mut self) -> Option<String> {
        self.take("\"").then_some(())?;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..)?;
            let end = rest.find(|c| matches!(c, '"' | '\\' | '\0'..='\u{1f}'))?;
            out.push_str(rest.get(..end)?);
            self.at += end;
            if self.take("\"") {
                return Some(out);
            }
            self.take("\\").then_some(())?;
            let escape = self.peek()?;
            self.at += 1;
            out.push(match escape {
                b'"' | b'\\' | b'/' => char::from(escape),
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => {
                    let unit = self.unit()?;
                    let (at, mut pair) = (self.at, vec![unit]);
                    if (0xD800..0xDC00).contains(&unit) && self.take("\\u") {
                        pair.push(self.unit()?);
                    }
                    match char::decode_utf16(pair).next() {
                        Some(Ok(c)) => c,
                        _ => {
                            // What follows half a pair stands for itself.
                            self.at = at;
                            char::REPLACEMENT_CHARACTER
                        }
                    }
                }
                _ => return None,
            });
        }
    }
}
