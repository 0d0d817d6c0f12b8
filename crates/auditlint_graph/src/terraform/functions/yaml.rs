//! `yamldecode` and `yamlencode`.
//!
//! Source: what terraform 1.11 reads and writes, of which every expectation below was asked: the schema is YAML 1.2's
//! with the truth values and timestamps of YAML 1.1, and the emitter is libyaml's.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use auditlint_syntax::Name;
use auditlint_syntax::document::{TaggedError, TaggedKind, TaggedNode, parse_tagged};

use super::super::convert::text as as_text;
use super::{Answer, date, not_computed, nowhere, string, text_of};
use crate::{Map, Number, Tracked, Value};

/// What core tags begin with.
const CORE: &str = "tag:yaml.org,2002:";
/// Longest key that is written before its colon on one line.
const LONGEST_KEY: usize = 128;
/// Where a line of a quoted text is broken at its next space.
const WIDTH: usize = 80;

/// Some answer when `name` is one of these functions.
pub(super) fn call(name: &str, arguments: &[Tracked]) -> Option<Answer> {
    Some(match name {
        "yamldecode" => decode(arguments),
        "yamlencode" => encode(arguments),
        _ => return None,
    })
}

/// Why there is no value.
enum Stop {
    Refused,
    NotComputed,
}

fn decode(arguments: &[Tracked]) -> Answer {
    let text = text_of(arguments.first()?)?;
    let read = match parse_tagged(text) {
        // A version of YAML that libyaml does not know is refused.
        Ok(_) if text.starts_with("%YAML") || text.contains("\n%YAML") => Err(Stop::NotComputed),
        Ok(root) => value(&root),
        Err(TaggedError::Empty | TaggedError::Several | TaggedError::Misplaced) => Err(Stop::Refused),
        Err(TaggedError::Syntax | TaggedError::TooLarge) => Err(Stop::NotComputed),
    };
    match read {
        Ok(value) => Some(value),
        Err(Stop::Refused) => None,
        Err(Stop::NotComputed) => not_computed("yamldecode()"),
    }
}

fn value(node: &TaggedNode) -> Result<Tracked, Stop> {
    let tag = match node.tag.as_deref() {
        Some(tag) => Some(tag.strip_prefix(CORE).ok_or(Stop::Refused)?),
        None => None,
    };
    let value = match (&node.kind, tag) {
        (TaggedKind::Scalar(text, plain), tag) => scalar(text, *plain, tag)?,
        (TaggedKind::List(items), None | Some("seq")) => {
            Value::List(items.iter().map(value).collect::<Result<Vec<_>, _>>()?.into())
        }
        (TaggedKind::Map(entries), None | Some("map")) => {
            let mut map = Map::default();
            for (key, item) in entries {
                let item = value(item)?;
                match (&key.kind, item.value()) {
                    (TaggedKind::Scalar(text, _), Value::Map(merged)) if text == "<<" => {
                        map.extend(merged.iter().map(|(key, item)| (key.clone(), item.clone())));
                    }
                    (TaggedKind::Scalar(text, _), _) if text == "<<" => return Err(Stop::Refused),
                    _ => {
                        // A key that is a number or a truth value is a text like theirs; null is refused.
                        let key = value(key)?;
                        map.insert(as_text(key.value()).ok_or(Stop::Refused)?, item);
                    }
                }
            }
            Value::Map(Arc::new(map))
        }
        _ => return Err(Stop::NotComputed),
    };
    Ok(nowhere(value))
}

fn scalar(text: &str, plain: bool, tag: Option<&str>) -> Result<Value, Stop> {
    match tag {
        // It stays the text that it is, if it is base64.
        Some("binary") => {
            let digits: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
            let is_base64 = STANDARD.decode(digits).is_ok();
            return if is_base64 { Ok(Value::text(text)) } else { Err(Stop::Refused) };
        }
        Some("str") => return Ok(Value::text(text)),
        _ if !plain => return Ok(Value::text(text)),
        _ => {}
    }
    let value = resolved(text)?;
    let agrees = match tag {
        None => true,
        Some("null") => matches!(value, Value::Null),
        Some("bool") => matches!(value, Value::Bool(_)),
        Some("int" | "float") => matches!(value, Value::Number(_)),
        Some(_) => false,
    };
    if agrees { Ok(value) } else { Err(Stop::NotComputed) }
}

/// What a text without quotes stands for.
fn resolved(text: &str) -> Result<Value, Stop> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => return Err(Stop::NotComputed),
        _ => {
            let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
            if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
                return Err(Stop::NotComputed);
            }
            let radix = [("0x", 16), ("0o", 8)].into_iter().find_map(|(prefix, radix)| {
                let digits = text.strip_prefix(prefix)?;
                (!digits.starts_with('+'))
                    .then(|| num_bigint::BigInt::parse_bytes(digits.as_bytes(), radix))?
            });
            if let Some(number) = radix {
                return Number::from_integer(number).map(Value::Number).ok_or(Stop::NotComputed);
            }
            if is_decimal(unsigned) {
                let sign = if text.starts_with('-') { "-" } else { "" };
                let (digits, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
                let zero = if digits.starts_with('.') { "0" } else { "" };
                let written = format!("{sign}{zero}{}e{power}", digits.strip_suffix('.').unwrap_or(digits));
                return Number::parse(&written).map(Value::Number).ok_or(Stop::NotComputed);
            }
            match timestamp(text) {
                Some(moment) => Value::text(&moment),
                None => Value::text(text),
            }
        }
    })
}

fn is_decimal(unsigned: &str) -> bool {
    let (digits, power) = match unsigned.split_once(['e', 'E']) {
        Some((digits, power)) => (digits, Some(power.strip_prefix(['+', '-']).unwrap_or(power))),
        None => (unsigned, None),
    };
    let all = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    !(whole.is_empty() && fraction.is_empty())
        && all(whole)
        && all(fraction)
        && power.is_none_or(|power| !power.is_empty() && all(power))
}

/// A timestamp, as RFC 3339 and without its fraction; none where the text is none.
fn timestamp(text: &str) -> Option<String> {
    let year = text.get(..4)?;
    if !year.bytes().all(|byte| byte.is_ascii_digit()) || text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    let (day, rest) = match text.find(['T', 't', ' ']) {
        Some(at) => text.split_at_checked(at)?,
        None => (text, ""),
    };
    let padded = |text: &str, by: char| -> Option<String> {
        let parts: Vec<&str> = text.split(by).collect();
        let fits =
            |part: &&str| matches!(part.len(), 1 | 2 | 4) && part.bytes().all(|byte| byte.is_ascii_digit());
        let all = parts.len() == 3 && parts.iter().all(fits);
        all.then(|| parts.iter().map(|part| format!("{part:0>2}")).collect::<Vec<_>>().join(&by.to_string()))
    };
    let day = padded(day, '-')?;
    if rest.is_empty() {
        return date::normal(&format!("{day}T00:00:00Z"));
    }
    let end =
        rest.get(1..)?.find(|c: char| !c.is_ascii_digit() && c != ':').map_or(rest.len(), |end| end + 1);
    let (clock, mut zone) = (padded(rest.get(1..end)?, ':')?, rest.get(end..)?.to_owned());
    if rest.starts_with(' ') {
        // This notation knows no zone.
        if zone.contains(['Z', '+', '-']) {
            return None;
        }
        zone.push('Z');
    }
    date::normal(&format!("{day}T{clock}{zone}"))
}

fn encode(arguments: &[Tracked]) -> Answer {
    let value = arguments.first()?.value();
    let mut emitter = Emitter { out: String::new() };
    match emitter.node(value, None, false) {
        Some(()) => {
            let plain = matches!(value, Value::Null | Value::Bool(_) | Value::Number(_));
            emitter.line(0);
            string(emitter.out + if plain { "...\n" } else { "" })
        }
        None => not_computed("yamlencode()"),
    }
}

struct Emitter {
    out: String,
}

impl Emitter {
    fn column(&self) -> usize {
        self.out.rsplit('\n').next().map_or(0, |line| line.chars().count())
    }

    /// Begins a line, where none has just begun.
    fn line(&mut self, indent: usize) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.out.push_str(&" ".repeat(indent));
    }

    /// Writes a value inside of a collection at `outer`; `follows` says that its first line has begun. None for
    /// what is not known.
    fn node(&mut self, value: &Value, outer: Option<usize>, follows: bool) -> Option<()> {
        let inner = outer.map_or(0, |outer| outer + 2);
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(truth) => self.out.push_str(if *truth { "true" } else { "false" }),
            Value::Number(number) => self.out.push_str(&number.to_string()),
            Value::String(text) => self.text(text, outer.map_or(2, |outer| outer + 2)),
            Value::List(items) if items.is_empty() => self.out.push_str("[]"),
            Value::Map(map) if map.is_empty() => self.out.push_str("{}"),
            Value::List(items) => self.items(items, inner, follows)?,
            Value::Map(map) => {
                let mut entries: Vec<(&Name, &Tracked)> = map.iter().collect();
                entries.sort_by_key(|(key, _)| *key);
                for (n, (key, item)) in entries.into_iter().enumerate() {
                    if n > 0 || !follows {
                        self.line(inner);
                    }
                    if key.len() > LONGEST_KEY || key.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
                    {
                        self.out.push_str("? ");
                        self.text(key, inner + 2);
                        self.line(inner);
                        self.out.push_str(": ");
                        self.node(item.value(), Some(inner), true)?;
                        continue;
                    }
                    self.quoted(key, None);
                    self.out.push(':');
                    match item.value() {
                        // A list stands as deep as its key.
                        Value::List(items) if !items.is_empty() => self.items(items, inner, false)?,
                        Value::Map(map) if !map.is_empty() => self.node(item.value(), Some(inner), false)?,
                        _ => {
                            self.out.push(' ');
                            self.node(item.value(), Some(inner), true)?;
                        }
                    }
                }
            }
            Value::Unknown(_) => return None,
        }
        Some(())
    }

    fn items(&mut self, items: &[Tracked], indent: usize, follows: bool) -> Option<()> {
        for (n, item) in items.iter().enumerate() {
            if n > 0 || !follows {
                self.line(indent);
            }
            self.out.push_str("- ");
            self.node(item.value(), Some(indent), true)?;
        }
        Some(())
    }

    fn text(&mut self, text: &str, indent: usize) {
        let plain = |c: char| c == '\n' || is_printable(c);
        let block =
            text.contains('\n') && text.chars().all(plain) && !text.contains(" \n") && !text.ends_with(' ');
        if !block {
            self.quoted(text, Some(indent));
            return;
        }
        self.out.push('|');
        if text.starts_with([' ', '\n']) {
            self.out.push('2');
        }
        if text == "\n" || text.ends_with("\n\n") {
            self.out.push('+');
        } else if !text.ends_with('\n') {
            self.out.push('-');
        }
        self.out.push('\n');
        for line in text.split_inclusive('\n') {
            if line != "\n" {
                self.out.push_str(&" ".repeat(indent));
            }
            self.out.push_str(line);
        }
    }

    /// A text in quotes, broken into lines where it may be.
    fn quoted(&mut self, text: &str, breaks: Option<usize>) {
        self.out.push('"');
        let count = text.chars().count();
        let mut after_space = false;
        let mut chars = text.chars().enumerate().peekable();
        while let Some((n, c)) = chars.next() {
            if c != ' ' {
                after_space = false;
                self.escaped(c);
                continue;
            }
            match breaks {
                Some(indent) if !after_space && n > 0 && n + 1 < count && self.column() > WIDTH => {
                    self.line(indent);
                    if chars.peek().is_some_and(|(_, next)| *next == ' ') {
                        self.out.push('\\');
                    }
                }
                _ => self.out.push(' '),
            }
            after_space = true;
        }
        self.out.push('"');
    }

    fn escaped(&mut self, c: char) {
        let short = match c {
            '"' | '\\' => c,
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '\u{85}' => 'N',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            c if is_printable(c) => {
                self.out.push(c);
                return;
            }
            c => {
                let code = u32::from(c);
                self.out.push_str(&match code {
                    0..=0xFF => format!("\\x{code:02X}"),
                    0x100..=0xFFFF => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                });
                return;
            }
        };
        self.out.extend(['\\', short]);
    }
}

/// What libyaml writes as it is.
fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFFD}')
}
