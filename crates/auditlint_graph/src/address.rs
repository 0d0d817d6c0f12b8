//! Terraform's resource addresses, read by a real parser: instance keys may hold dots, brackets and quotes.

use std::fmt;
use std::sync::Arc;

use auditlint_syntax::Name;
use thiserror::Error;

/// `[0]` or `["key"]`
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// Of `count`.
    Index(u64),
    /// Of `for_each`.
    Text(Name),
}

/// The type of the stand-ins for calls of the registry's module `source`; no resource type has a colon.
#[must_use]
pub fn module_kind(source: &str) -> String {
    format!("{MODULE}{}", source.strip_prefix("registry.terraform.io/").unwrap_or(source))
}

const MODULE: &str = "module:";

/// Managed resource or data source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// `resource`
    #[default]
    Managed,
    /// `data`
    Data,
}

/// A module instance: empty for the root, else the text of its address with keys, `module.a["x"].module.b`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModulePath(Option<Arc<str>>);

/// The address of a resource instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The module instance.
    pub module: ModulePath,
    /// Managed resource or data source.
    pub mode: Mode,
    /// The resource type.
    pub kind: Name,
    /// The resource's name.
    pub name: Name,
    /// The instance, where the resource has `count` or `for_each`.
    pub key: Option<Key>,
}

/// Why a text is no address.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{text}` is not a resource address: {reason}, at byte {at}")]
pub struct AddressError {
    text: String,
    reason: &'static str,
    at: usize,
}

impl ModulePath {
    /// The root module.
    #[must_use]
    pub fn root() -> Self {
        Self(None)
    }

    /// The text, empty for the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// Whether it is the root module.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_none()
    }

    /// The instance `key` of the module call `name` made in this module.
    #[must_use]
    pub fn child(&self, name: &str, key: Option<&Key>) -> Self {
        let dot = if self.is_root() { "" } else { "." };
        let key = key.map(ToString::to_string).unwrap_or_default();
        Self(Some(format!("{}{dot}module.{name}{key}", self.as_str()).into()))
    }

    /// The module that makes the call, the call's name and its instance; none for the root.
    #[must_use]
    pub fn split_last(&self) -> Option<(Self, Name, Option<Key>)> {
        let all = steps(self.as_str()).ok()?;
        let (last, before) = all.split_last()?;
        let before = before.split_last()?.1;
        let parent = before
            .iter()
            .skip(1)
            .step_by(2)
            .fold(Self::root(), |path, step| path.child(&step.text, step.key.as_ref()));
        Some((parent, last.text.clone(), last.key.clone()))
    }

    /// The path without instance keys.
    #[must_use]
    pub fn without_keys(&self) -> Self {
        if !self.as_str().contains('[') {
            return self.clone();
        }
        match steps(self.as_str()) {
            Ok(steps) => steps
                .iter()
                .filter(|step| step.text != "module")
                .fold(Self::root(), |path, step| path.child(&step.text, None)),
            Err(_) => self.clone(),
        }
    }
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(n) => write!(f, "[{n}]"),
            Self::Text(text) => {
                f.write_str("[\"")?;
                for c in text.chars() {
                    match c {
                        '"' | '\\' => write!(f, "\\{c}")?,
                        '\n' => f.write_str("\\n")?,
                        '\r' => f.write_str("\\r")?,
                        '\t' => f.write_str("\\t")?,
                        c => write!(f, "{c}")?,
                    }
                }
                f.write_str("\"]")
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        if self.mode == Mode::Data {
            f.write_str("data.")?;
        }
        let kind = if self.called_module().is_some() { "module" } else { self.kind.as_str() };
        write!(f, "{kind}.{}", self.name)?;
        self.key.iter().try_for_each(|key| write!(f, "{key}"))
    }
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// When the text is none; the error says where.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let fail = |reason, at| AddressError { text: text.to_owned(), reason, at };
        let steps = steps(text).map_err(|(reason, at)| fail(reason, at))?;
        let mut module = ModulePath::root();
        let mut rest = steps.as_slice();
        while let [call, name, tail @ ..] = rest
            && call.text == "module"
            && !tail.is_empty()
        {
            module = module.child(&name.text, name.key.as_ref());
            rest = tail;
        }
        let mode = match rest {
            [data, _, _] if data.text == "data" => Mode::Data,
            _ => Mode::Managed,
        };
        match if mode == Mode::Data { rest.get(1..).unwrap_or_default() } else { rest } {
            [kind, name] if kind.key.is_none() && kind.text != "module" => Ok(Self {
                module,
                mode,
                kind: kind.text.clone(),
                name: name.text.clone(),
                key: name.key.clone(),
            }),
            _ => Err(fail("expected TYPE.NAME", text.len())),
        }
    }

    /// The source of the module, where it is the address of a stand-in for a call (see [`module_kind`]).
    #[must_use]
    pub fn called_module(&self) -> Option<&str> {
        self.kind.strip_prefix(MODULE)
    }

    /// The address of the resource block: the same without any instance key.
    #[must_use]
    pub fn without_keys(&self) -> Self {
        Self { module: self.module.without_keys(), key: None, ..self.clone() }
    }
}

pub(crate) struct Step {
    pub(crate) text: Name,
    pub(crate) key: Option<Key>,
}

/// The parts of a dotted path with their keys.
pub(crate) fn steps(text: &str) -> Result<Vec<Step>, (&'static str, usize)> {
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        if end == 0 {
            return Err(("expected a name", at));
        }
        let name = Name::new(rest.get(..end).unwrap_or_default());
        at += end;
        let mut key = None;
        if text.get(at..).is_some_and(|rest| rest.starts_with('[')) {
            let (read, next) = read_key(text, at)?;
            key = Some(read);
            at = next;
        }
        out.push(Step { text: name, key });
        match text.as_bytes().get(at) {
            None => return Ok(out),
            Some(b'.') => at += 1,
            Some(_) => return Err(("expected `.`", at)),
        }
    }
}

/// Reads `[0]` or `["key"]` at `at`; gives the key and the offset after the bracket.
fn read_key(text: &str, at: usize) -> Result<(Key, usize), (&'static str, usize)> {
    let inside = text.get(at + 1..).unwrap_or_default();
    let Some(quoted) = inside.strip_prefix('"') else {
        let end = inside.find(']').ok_or(("unclosed `[`", at))?;
        let digits = inside.get(..end).unwrap_or_default();
        let index = digits.parse().map_err(|_| ("expected a whole number or a quoted key", at + 1))?;
        return Ok((Key::Index(index), at + 1 + end + 1));
    };
    let mut key = String::new();
    let mut chars = quoted.char_indices();
    while let Some((offset, c)) = chars.next() {
        match c {
            '"' => {
                let close = at + 2 + offset + 1;
                if text.as_bytes().get(close) != Some(&b']') {
                    return Err(("expected `]`", close));
                }
                return Ok((Key::Text(Name::new(key)), close + 1));
            }
            '\\' => match chars.next() {
                Some((_, 'n')) => key.push('\n'),
                Some((_, 'r')) => key.push('\r'),
                Some((_, 't')) => key.push('\t'),
                Some((_, escaped)) => key.push(escaped),
                None => break,
            },
            c => key.push(c),
        }
    }
    Err(("unclosed quote", at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_round_trip() {
        for text in [
            "aws_s3_bucket.b",
            "aws_s3_bucket.b[0]",
            r#"module.a["x"].aws_cloudwatch_log_group.g[0]"#,
            r#"module.a.module.b["y.z"].data.aws_iam_policy_document.d["a]\"b.c[0]"]"#,
            "data.aws_region.current",
            "module.module.aws_s3_bucket.module",
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_place() {
        for (text, at) in [
            ("", 0),
            ("module.a", 8),
            ("a.b[x]", 4),
            ("a.b[\"x]", 4),
            ("a..b", 2),
            ("a.b[\"k\"x]", 7),
            ("a[0].b", 6),
        ] {
            assert_eq!(Address::parse(text).unwrap_err().at, at, "{text}");
        }
    }

    #[test]
    fn keys_are_removed_at_every_step() {
        let address = Address::parse(r#"module.a["x.y"].module.b[1].t.n["k"]"#).unwrap();
        assert_eq!(address.without_keys().to_string(), "module.a.module.b.t.n");
    }
}
