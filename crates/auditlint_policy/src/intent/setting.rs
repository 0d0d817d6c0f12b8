//! The value of a field: two of them have a strictest common one, so that the order of merging does not matter.

use std::collections::BTreeSet;
use std::fmt;

use auditlint_syntax::Location;

use super::field::{Field, FieldKind};
use crate::Days;
use crate::external::Pattern;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A number of days.
    Days(u32),
    /// The position of a word among those of the field, the weakest first.
    Word(usize),
    /// Whether it is so.
    Flag(bool),
    /// Kinds of sources, none for all; or events.
    Kinds(Option<BTreeSet<String>>),
    /// How places look, none of which lies within another.
    Within(BTreeSet<String>),
}

/// A value with the line that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// The value.
    pub setting: Setting,
    /// The line.
    pub at: Location,
}

impl Setting {
    /// The weakest value that is at least as strict as both.
    #[must_use]
    pub fn stricter(&self, other: &Self, kind: FieldKind) -> Self {
        match (self, other) {
            (Self::Days(one), Self::Days(other)) if kind == FieldKind::AtMost => Self::Days(*one.min(other)),
            (Self::Days(one), Self::Days(other)) => Self::Days(*one.max(other)),
            (Self::Word(one), Self::Word(other)) => Self::Word(*one.max(other)),
            (Self::Flag(one), Self::Flag(other)) => Self::Flag(*one || *other),
            (Self::Kinds(Some(one)), Self::Kinds(Some(other))) => {
                Self::Kinds(Some(one.union(other).cloned().collect()))
            }
            (Self::Kinds(_), Self::Kinds(_)) => Self::Kinds(None),
            (Self::Within(one), Self::Within(other)) => Self::Within(within_both(one, other)),
            // A field has one kind of value.
            (one, _) => one.clone(),
        }
    }

    /// Places that look like one of these, each named once.
    #[must_use]
    pub fn within(names: impl IntoIterator<Item = String>) -> Self {
        Self::Within(each_once(names.into_iter().collect()))
    }

    /// Whether it asks for less than `other`, or for something else.
    #[must_use]
    pub fn is_weaker_than(&self, other: &Self, kind: FieldKind) -> bool {
        self.stricter(other, kind) != *self
    }

    /// As a policy writes it.
    #[must_use]
    pub fn show(&self, field: Field) -> String {
        match (self, field.spec().kind) {
            (Self::Days(days), _) => Days::Count(*days).to_string(),
            (Self::Word(at), FieldKind::Words(words)) => {
                words.get(*at).copied().unwrap_or_default().to_owned()
            }
            (Self::Word(at), _) => at.to_string(),
            (Self::Flag(value), _) => value.to_string(),
            (Self::Kinds(None), _) => "all".to_owned(),
            (Self::Kinds(Some(names)) | Self::Within(names), _) => {
                names.iter().cloned().collect::<Vec<_>>().join(", ")
            }
        }
    }
}

/// What looks like one of `one` and like one of `other`.
pub(crate) fn within_both(one: &BTreeSet<String>, other: &BTreeSet<String>) -> BTreeSet<String> {
    let both = one.iter().filter(|name| lies_within(name, other));
    each_once(both.chain(other.iter().filter(|name| lies_within(name, one))).cloned().collect())
}

/// The names without those that lie within another one.
fn each_once(names: BTreeSet<String>) -> BTreeSet<String> {
    let is_said = |name: &String| {
        let others: BTreeSet<String> = names.iter().filter(|other| *other != name).cloned().collect();
        lies_within(name, &others)
    };
    names.iter().filter(|name| !is_said(name)).cloned().collect()
}

/// Whether everything that looks like `name` looks like one of `others`.
fn lies_within(name: &str, others: &BTreeSet<String>) -> bool {
    others.iter().any(|other| Pattern::new(other).matches(name))
}

impl Stated {
    /// The stricter of two; of two that are equally strict the one that is written first.
    #[must_use]
    pub fn stricter(&self, other: &Self, kind: FieldKind) -> Self {
        let setting = self.setting.stricter(&other.setting, kind);
        let first = if (other.at.file, other.at.span.start) < (self.at.file, self.at.span.start) {
            [other, self]
        } else {
            [self, other]
        };
        let at = first.into_iter().find(|one| one.setting == setting).map_or(self.at, |one| one.at);
        Self { setting, at }
    }
}

impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast | Self::AtMost => f.write_str("a duration"),
            Self::Words(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                f.write_str(&words.join(" or "))
            }
            Self::Flag => f.write_str("`true` or `false`"),
            Self::Kinds => f.write_str("a list of kinds of sources"),
            Self::Within => f.write_str("a list of places"),
            Self::Events => f.write_str("a list of events"),
        }
    }
}
