//! JSON whose numbers are their decimal text: terraform computes with more digits than a machine number holds.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Context as _;
use auditlint_graph::{Tracked, Value};
use serde_json::value::RawValue;

/// A value of terraform: lists, tuples and sets are lists, maps and objects are objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number, as terraform writes it.
    Number(String),
    /// A text.
    Text(String),
    /// A list, a tuple or a set.
    List(Vec<Self>),
    /// A map or an object.
    Object(BTreeMap<String, Self>),
}

impl Json {
    /// Reads a JSON text.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let text = text.trim();
        Ok(match text.as_bytes().first() {
            Some(b'n') => serde_json::from_str(text).map(|()| Self::Null)?,
            Some(b't' | b'f') => Self::Bool(serde_json::from_str(text)?),
            Some(b'"') => Self::Text(serde_json::from_str(text)?),
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text)?;
                Self::List(items.iter().map(|item| Self::parse(item.get())).collect::<anyhow::Result<_>>()?)
            }
            Some(b'{') => {
                let items: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
                let pairs = items.into_iter().map(|(key, item)| Ok((key, Self::parse(item.get())?)));
                Self::Object(pairs.collect::<anyhow::Result<_>>()?)
            }
            _ => {
                let number: &RawValue = serde_json::from_str(text).with_context(|| text.to_owned())?;
                Self::Number(number.get().to_owned())
            }
        })
    }

    /// The value where all of it is known.
    #[must_use]
    pub fn of(value: &Tracked) -> Option<Self> {
        Some(match value.value() {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::Text(text.to_string()),
            Value::List(items) => Self::List(items.iter().map(Self::of).collect::<Option<_>>()?),
            Value::Map(map) => {
                let pairs = map.iter().map(|(key, item)| Some((key.to_string(), Self::of(item)?)));
                Self::Object(pairs.collect::<Option<_>>()?)
            }
            Value::Unknown(_) => return None,
        })
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Number(number) => f.write_str(number),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(items) => {
                f.write_str("[")?;
                for (n, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if n == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            Self::Object(items) => {
                f.write_str("{")?;
                for (n, (key, item)) in items.iter().enumerate() {
                    write!(f, "{}{key:?}:{item}", if n == 0 { "" } else { "," })?;
                }
                f.write_str("}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    fn same(first: &str, second: &str) -> bool {
        Json::parse(first).unwrap() == Json::parse(second).unwrap()
    }

    #[test]
    fn a_number_is_its_digits() {
        assert!(same("9007199254740993", " 9007199254740993 "));
        assert!(!same("9007199254740993", "9007199254740992"));
        assert!(!same("0.30000000000000000001", "0.3"));
        assert!(!same("1", "\"1\""));
    }

    #[test]
    fn the_order_of_keys_is_none_and_that_of_elements_is_one() {
        assert!(same("{\"a\":1,\"b\":[null,true]}", "{\"b\":[null,true],\"a\":1}"));
        assert!(!same("[1,2]", "[2,1]"));
        assert!(!same("[]", "{}"));
        assert!(Json::parse("[1,").is_err());
    }
}
