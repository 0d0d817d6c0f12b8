//! Values that know where they were written and whether they are sensitive.
//!
//! A [`Tracked`] is compared, matched and measured through [`Tracked::value`]; the only way to text is
//! [`Tracked::show`], which masks what is sensitive. `Debug` masks as well.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use auditlint_syntax::{Location, Name};

use crate::terraform::Type;
use crate::{Cause, Derived, Key, Map, Mode, ModulePath, Number, Origin};

/// A value without its history.
#[derive(Clone, Default)]
pub enum Value {
    /// `null`: as in Terraform, the same as not set.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    String(Name),
    /// A list, tuple or set (a set's elements are sorted and distinct). A repeated nested block is a list of
    /// maps. An element that is unknown with [`Unknown::many`] stands for any number of elements.
    List(Arc<[Tracked]>),
    /// A map or an object.
    Map(Arc<Map>),
    /// Not known, and why.
    Unknown(Arc<Unknown>),
}

/// What is known of a value that is not known.
#[derive(Clone, Debug)]
pub struct Unknown {
    /// Why.
    pub cause: Cause,
    /// Whether it is certain not to be null: a reference to an attribute that the provider always sets.
    pub not_null: bool,
    /// Whether it stands for any number of list elements, none included.
    pub many: bool,
    /// The text it must begin with, where that is known.
    pub prefix: Option<Name>,
    /// The values of which it is one, where that is known: both arms of an undecided conditional.
    pub one_of: Option<Box<[Tracked]>>,
    /// The least and the greatest number that it can be, where at least one of them is known:
    /// `max(var.days, 90)`.
    pub range: Option<[f64; 2]>,
    /// The value whose JSON the text is, where only parts of it are not known.
    pub encoded: Option<Value>,
}

impl Unknown {
    /// Unknown for `cause`, and nothing else is known.
    #[must_use]
    pub fn because(cause: Cause) -> Self {
        Self { cause, not_null: false, many: false, prefix: None, one_of: None, range: None, encoded: None }
    }
}

impl Unknown {
    /// Most alternatives that are kept apart: whoever compares two values compares each with each.
    const ALTERNATIVES: usize = 64;

    /// One of `arms`, and which is not known for `cause`. Where there are too many, nothing is known of it but
    /// the cause.
    #[must_use]
    pub fn one_of(cause: Cause, arms: Box<[Tracked]>) -> Self {
        let mut alternatives = 0;
        arms.iter().for_each(|arm| count_alternatives(arm, Self::ALTERNATIVES, &mut alternatives));
        let one_of = (alternatives <= Self::ALTERNATIVES).then_some(arms);
        Self { one_of, ..Self::because(cause) }
    }

    /// What is known of it, in parentheses: it is no value that anybody wrote.
    fn write(&self, out: &mut String, longest: usize) -> fmt::Result {
        use fmt::Write as _;
        match (&self.one_of, self.range) {
            (Some(arms), _) if arms.iter().all(|arm| arm.unknown().is_none()) => {
                out.push_str("(one of ");
                for (n, arm) in arms.iter().enumerate() {
                    out.push_str(if n == 0 { "" } else { ", " });
                    arm.write(out, longest);
                }
                out.write_str(")")
            }
            (_, Some([low, f64::INFINITY])) => write!(out, "(at least {low})"),
            (_, Some([f64::NEG_INFINITY, high])) => write!(out, "(at most {high})"),
            (_, Some([low, high])) => write!(out, "({low} to {high})"),
            _ => out.write_str("(not known)"),
        }
    }

    /// The JSON text with `fill` in place of every part that is not known; none when it is not a JSON text of
    /// which parts are known. What all fillings have in common is decided.
    #[must_use]
    pub fn filled(&self, fill: &str) -> Option<String> {
        let mut out = String::new();
        crate::terraform::write_json(self.encoded.as_ref()?, Some(fill), &mut out)?;
        Some(out)
    }
}

fn count_alternatives(value: &Tracked, most: usize, total: &mut usize) {
    match value.unknown().and_then(|unknown| unknown.one_of.as_ref()) {
        Some(arms) if *total <= most => {
            arms.iter().for_each(|arm| count_alternatives(arm, most, total));
        }
        _ => *total += 1,
    }
}

/// A value with its history.
#[derive(Clone, Default)]
pub struct Tracked {
    pub(crate) value: Value,
    /// Where it was written.
    pub origin: Origin,
    /// Whether it is sensitive; survives every operation.
    pub sensitive: bool,
    /// Which of Terraform's types a list or a map is.
    pub(crate) shape: Shape,
    /// The type of what does not show it: of null, and of a list or a map without elements.
    pub(crate) kind: Option<Arc<Type>>,
    /// The attributes of other resources that it was made from, whether they are known or not.
    pub references: Option<Arc<References>>,
}

/// The references of a value, which hold one pointer of it: values are very many, and few refer to anything.
#[derive(Clone, Debug)]
pub struct References(Box<[Reference]>);

impl References {
    /// To be shared by the values that are made from each other.
    pub fn shared(all: impl IntoIterator<Item = Reference>) -> Arc<Self> {
        Arc::new(Self(all.into_iter().collect()))
    }
}

impl std::ops::Deref for References {
    type Target = [Reference];

    fn deref(&self) -> &[Reference] {
        &self.0
    }
}

/// Which of Terraform's types a [`Value::List`] or [`Value::Map`] is; nothing for other values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A tuple or an object: each element has a type of its own.
    #[default]
    Loose,
    /// A list or a map: all elements have one type.
    Typed,
    /// A set.
    Set,
}

/// A root by number. A host never gives a number to another root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RootKey(pub u32);

/// One attribute of one resource, named from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The other root that holds the resource; none for a resource of the root that is evaluated.
    pub root: Option<RootKey>,
    /// The module instance that holds the resource.
    pub module: ModulePath,
    /// Managed resource or data source.
    pub mode: Mode,
    /// The resource type.
    pub kind: Name,
    /// The resource's name.
    pub name: Name,
    /// Its instance.
    pub key: RefKey,
    /// The attribute, with dots; empty for the whole resource.
    pub attribute: Name,
    /// Whether the value *is* that attribute, and not only made from it.
    pub exact: bool,
}

impl Reference {
    /// The type of a reference to an output of another root whose text was made of no resource.
    pub const OUTPUT: &'static str = "output";
}

/// The instance that a reference names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RefKey {
    /// The resource has no `count` and no `for_each`.
    None,
    /// This instance.
    Known(Key),
    /// One that is not known.
    Unknown,
    /// Every instance (a splat, or the whole resource).
    All,
}

impl Tracked {
    /// A value with its origin, not sensitive, made from no resource.
    #[must_use]
    pub fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin, ..Self::default() }
    }

    /// A value made at `at` from `inputs`: origins are chained, sensitivity and references carried over.
    /// References stop being exact; [`Self::with_references`] says otherwise where the value passes through.
    #[must_use]
    pub fn derive(at: Location, inputs: &[&Self], value: Value) -> Self {
        let from = inputs.iter().map(|input| input.origin.clone()).collect();
        Self {
            value,
            origin: Origin::Derived(Arc::new(Derived::new(at, from))),
            sensitive: inputs.iter().any(|input| input.sensitive),
            shape: Shape::Loose,
            kind: None,
            references: united(inputs, false),
        }
    }

    /// The attributes of other resources that it was made from.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        self.references.as_deref().map_or(&[], |all| all)
    }

    /// The same value made from these references.
    #[must_use]
    pub fn with_references(self, references: Option<Arc<References>>) -> Self {
        Self { references, ..self }
    }

    /// The same value, sensitive when `sensitive` or when it already was.
    #[must_use]
    pub fn marked(self, sensitive: bool) -> Self {
        Self { sensitive: self.sensitive || sensitive, ..self }
    }

    /// Another value with the same history.
    #[must_use]
    pub fn with_value(self, value: Value) -> Self {
        Self { value, shape: Shape::Loose, kind: None, ..self }
    }

    /// The same value, whose type is `kind`; kept only where the value does not show it.
    #[must_use]
    pub(crate) fn of_kind(self, kind: &Type) -> Self {
        let is_hidden = match &self.value {
            Value::Null => true,
            Value::List(items) => items.is_empty() && self.shape != Shape::Loose,
            Value::Map(map) => map.is_empty() && self.shape != Shape::Loose,
            _ => false,
        };
        Self { kind: is_hidden.then(|| Arc::new(kind.clone())), ..self }
    }

    /// The same list or map, as one whose elements have one type.
    #[must_use]
    pub(crate) fn shaped(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }

    /// The value, to compare, match and measure; what is printed goes through [`Self::show`].
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The same unknown, which is the JSON text of `value`.
    #[must_use]
    pub(crate) fn encoding(self, value: Value) -> Self {
        match &self.value {
            Value::Unknown(unknown) => {
                let unknown = Unknown { encoded: Some(value), not_null: true, ..Unknown::clone(unknown) };
                Self { value: Value::Unknown(Arc::new(unknown)), ..self }
            }
            _ => self,
        }
    }

    /// The same unknown, which is a number of that range.
    #[must_use]
    pub(crate) fn between(self, range: [f64; 2]) -> Self {
        match &self.value {
            Value::Unknown(unknown) => {
                let unknown = Unknown { range: Some(range), not_null: true, ..Unknown::clone(unknown) };
                Self { value: Value::Unknown(Arc::new(unknown)), ..self }
            }
            _ => self,
        }
    }

    /// Takes the value out, to compute with.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.value
    }

    /// The unknown, where the value is not known.
    #[must_use]
    pub fn unknown(&self) -> Option<&Arc<Unknown>> {
        if let Value::Unknown(unknown) = &self.value { Some(unknown) } else { None }
    }

    /// Whether it is `null`, which Terraform treats as not set.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The text for a report: `(sensitive value)`, `(not known)`, or the value as Terraform would write it
    /// (long ones cut).
    #[must_use]
    pub fn show(&self) -> String {
        const LONGEST: usize = 120;
        let mut out = String::new();
        self.write(&mut out, LONGEST);
        if out.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|&at| out.is_char_boundary(at)).unwrap_or(0);
            out.truncate(end);
            out.push('…');
        }
        out
    }

    fn write(&self, out: &mut String, longest: usize) {
        use fmt::Write as _;
        if out.len() > longest {
            return;
        }
        if self.sensitive {
            out.push_str("(sensitive value)");
            return;
        }
        let _ = match &self.value {
            Value::Null => out.write_str("null"),
            Value::Bool(b) => write!(out, "{b}"),
            Value::Number(n) => write!(out, "{n}"),
            Value::String(s) => write!(out, "{s:?}"),
            Value::Unknown(unknown) => unknown.write(out, longest),
            Value::List(items) => {
                out.push('[');
                for (n, item) in items.iter().enumerate() {
                    out.push_str(if n == 0 { "" } else { ", " });
                    item.write(out, longest);
                }
                out.write_str("]")
            }
            Value::Map(map) => {
                out.push('{');
                for (n, (key, item)) in map.iter().enumerate() {
                    let _ = write!(out, "{}{key} = ", if n == 0 { " " } else { ", " });
                    item.write(out, longest);
                }
                out.write_str(" }")
            }
        };
    }
}

/// The references of all `inputs`, each once, in the order in which they come first; exact ones stay so only
/// where `exact` says so.
pub(crate) fn united(inputs: &[&Tracked], exact: bool) -> Option<Arc<References>> {
    let mut out: Vec<Reference> = Vec::new();
    // Most values refer to a handful of resources; a set pays only past that.
    let mut seen: HashSet<Reference> = HashSet::new();
    for reference in inputs.iter().flat_map(|input| input.references().iter()) {
        let reference = Reference { exact: reference.exact && exact, ..reference.clone() };
        let known = if seen.is_empty() { out.contains(&reference) } else { seen.contains(&reference) };
        if known {
            continue;
        }
        if out.len() == 16 {
            seen.extend(out.iter().cloned());
        }
        if out.len() >= 16 {
            seen.insert(reference.clone());
        }
        out.push(reference);
    }
    (!out.is_empty()).then(|| References::shared(out))
}

impl fmt::Debug for Tracked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.show())
    }
}

impl fmt::Debug for Value {
    /// Only the kind: a bare value has lost the mark that says whether it may be shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Unknown(_) => "unknown",
        })
    }
}

impl Value {
    /// A string.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::String(Name::new(text))
    }

    /// A whole number.
    #[must_use]
    pub fn int(n: i32) -> Self {
        Self::Number(Number::whole(i64::from(n)))
    }

    /// The string, where it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensitive_value_reaches_no_text() {
        let secret = Tracked::new(Value::text("hunter2"), Origin::Nowhere).marked(true);
        let list = Tracked::new(Value::List(Arc::from([secret.clone()])), Origin::Nowhere);
        for text in
            [secret.show(), format!("{secret:?}"), format!("{list:?}"), format!("{:?}", secret.value())]
        {
            assert!(!text.contains("hunter2"), "{text}");
        }
        assert_eq!(secret.value().as_str(), Some("hunter2"));
    }

    #[test]
    fn long_values_are_cut_for_reports() {
        let long = Tracked::new(Value::text(&"é".repeat(500)), Origin::Nowhere);
        assert!(long.show().len() < 130);
    }
}
