//! Terraform's resource addresses, read by a real parser: instance keys may hold dots, brackets and quotes.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use auditlint_syntax::Name;
use rustc_hash::FxHashSet;
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
#[derive(Clone, Debug, Default, Eq, PartialOrd, Ord)]
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

    /// The module instance that is written `text`.
    fn written(text: &str) -> Self {
        // Only an escape can be written in more than one way.
        if text.is_empty() || !text.contains('\\') {
            return Self((!text.is_empty()).then(|| text.into()));
        }
        let calls = steps(text).unwrap_or_default();
        calls
            .iter()
            .skip(1)
            .step_by(2)
            .fold(Self::root(), |path, call| path.child(&call.text, call.key.as_ref()))
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

/// Most paths that are compared are the same one, shared.
impl PartialEq for ModulePath {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other) || own == other,
            (None, None) => true,
            _ => false,
        }
    }
}

impl Hash for ModulePath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Borrow<str> for ModulePath {
    fn borrow(&self) -> &str {
        self.as_str()
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
        // What no resource has is said of the whole root.
        if self.kind.is_empty() {
            return Ok(());
        }
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
    /// The address of no resource: what is said with it is about the policy or a root as a whole.
    #[must_use]
    pub fn nobody() -> Self {
        Self {
            module: ModulePath::root(),
            mode: Mode::Managed,
            kind: Name::default(),
            name: Name::default(),
            key: None,
        }
    }

    /// Whether it is the address of no resource.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        self.kind.is_empty()
    }

    /// Reads an address.
    ///
    /// # Errors
    /// When the text is none; the error says where.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        Self::parse_among(text, &mut Names::default())
    }

    /// Reads an address whose long names are shared with others.
    ///
    /// # Errors
    /// When the text is none; the error says where.
    pub(crate) fn parse_among(text: &str, names: &mut Names) -> Result<Self, AddressError> {
        Self::read(text, names).map_err(|(reason, at)| AddressError { text: text.to_owned(), reason, at })
    }

    fn read(text: &str, names: &mut Names) -> Result<Self, Fault> {
        let wrong = ("expected TYPE.NAME", text.len());
        let mut parts = Parts::of(text);
        let mut part = || parts.next()?.ok_or(wrong);
        let mut first = part()?;
        let mut module_end = 0;
        while first.name == "module" {
            module_end = part()?.end;
            first = part()?;
        }
        let mode = if first.name == "data" { Mode::Data } else { Mode::Managed };
        let kind = if mode == Mode::Data { part()? } else { first };
        let name = part()?;
        if kind.key.is_some() || parts.next()?.is_some() {
            return Err(wrong);
        }
        Ok(Self {
            module: names.module(text.get(..module_end).unwrap_or_default()),
            mode,
            kind: names.name(kind.name),
            name: names.name(name.name),
            key: name.key,
        })
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

/// The names of many addresses, each kept once: a plan has few modules and types, and many resources.
#[derive(Debug, Default)]
pub(crate) struct Names {
    modules: FxHashSet<ModulePath>,
    names: FxHashSet<Name>,
}

impl Names {
    fn module(&mut self, written: &str) -> ModulePath {
        match self.modules.get(written) {
            Some(known) => known.clone(),
            None => {
                let path = ModulePath::written(written);
                self.modules.insert(path.clone());
                path
            }
        }
    }

    fn name(&mut self, written: &str) -> Name {
        match self.names.get(written) {
            Some(known) => known.clone(),
            None => {
                let name = Name::new(written);
                if name.is_heap_allocated() {
                    self.names.insert(name.clone());
                }
                name
            }
        }
    }
}

pub(crate) struct Step {
    pub(crate) text: Name,
    pub(crate) key: Option<Key>,
}

/// The parts of a dotted path with their keys.
pub(crate) fn steps(text: &str) -> Result<Vec<Step>, Fault> {
    let mut parts = Parts::of(text);
    let mut out = Vec::new();
    while let Some(part) = parts.next()? {
        out.push(Step { text: Name::new(part.name), key: part.key });
    }
    Ok(out)
}

/// What is wrong with a text, and at which byte.
type Fault = (&'static str, usize);

/// A part of a dotted path.
struct Part<'t> {
    name: &'t str,
    key: Option<Key>,
    /// Offset after it.
    end: usize,
}

/// The parts of a dotted path, read one after the other; it has at least one.
struct Parts<'t> {
    text: &'t str,
    /// Where the next part begins.
    at: Option<usize>,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Self {
        Self { text, at: Some(0) }
    }

    fn next(&mut self) -> Result<Option<Part<'t>>, Fault> {
        let Some(at) = self.at else { return Ok(None) };
        let rest = self.text.get(at..).unwrap_or_default();
        let length = rest.bytes().position(|byte| matches!(byte, b'.' | b'[')).unwrap_or(rest.len());
        let name = rest.get(..length).filter(|name| !name.is_empty()).ok_or(("expected a name", at))?;
        let (mut key, mut end) = (None, at + length);
        if rest.as_bytes().get(length) == Some(&b'[') {
            let (read, next) = read_key(self.text, end)?;
            (key, end) = (Some(read), next);
        }
        self.at = match self.text.as_bytes().get(end) {
            None => None,
            Some(b'.') => Some(end + 1),
            Some(_) => return Err(("expected `.`", end)),
        };
        Ok(Some(Part { name, key, end }))
    }
}

/// Reads `[0]` or `["key"]` at `at`; gives the key and the offset after the bracket.
fn read_key(text: &str, at: usize) -> Result<(Key, usize), Fault> {
    let inside = text.get(at + 1..).unwrap_or_default();
    let Some(quoted) = inside.strip_prefix('"') else {
        let end = inside.find(']').ok_or(("unclosed `[`", at))?;
        let digits = inside.get(..end).unwrap_or_default();
        let index = digits.parse().map_err(|_| ("expected a whole number or a quoted key", at + 1))?;
        return Ok((Key::Index(index), at + 1 + end + 1));
    };
    if let Some(length) = quoted.bytes().position(|byte| matches!(byte, b'"' | b'\\'))
        && let Some((key, rest)) = quoted.split_at_checked(length)
        && rest.starts_with("\"]")
    {
        return Ok((Key::Text(Name::new(key)), at + 2 + length + 2));
    }
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
