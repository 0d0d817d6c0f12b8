//! What must hold, as rules and facts say it. The list of operators is closed: what needs more is a probe.

use auditlint_syntax::Name;
use regex::Regex;

use crate::Verdict;

/// A path to an attribute: names with dots; a step through a list of blocks takes the first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttributePath(pub Box<[Name]>);

impl AttributePath {
    /// Reads `a.b.c`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(text.split('.').map(Name::new).collect())
    }

    /// The top-level attribute or block.
    #[must_use]
    pub fn head(&self) -> &str {
        self.0.first().map_or("", |name| name.as_str())
    }
}

impl std::fmt::Display for AttributePath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, name) in self.0.iter().enumerate() {
            write!(f, "{}{name}", if n == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

/// A condition on one resource, or on one element of it.
#[derive(Clone, Debug)]
pub enum Condition {
    /// All hold.
    All(Vec<Self>),
    /// One holds.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// A test of the value at a path.
    Test {
        /// The path.
        path: AttributePath,
        /// The test.
        test: Test,
        /// What absence means, where neither the facts nor the test decide.
        absent: Option<Verdict>,
        /// Whether letters are compared without case.
        ignore_case: bool,
    },
    /// All blocks or elements.
    Every {
        /// The list.
        path: AttributePath,
        /// What holds of each.
        holds: Box<Self>,
        /// The verdict on an empty list.
        none: Verdict,
    },
    /// One block or element.
    Some {
        /// The list.
        path: AttributePath,
        /// What holds of one.
        holds: Box<Self>,
    },
    /// Another resource that names this one.
    Companion {
        /// Its types.
        types: Vec<Name>,
        /// Its attribute that names this one.
        join: AttributePath,
        /// Which attributes of this one it may name; empty: `id` and the facts' identity.
        to: Vec<Name>,
        /// What holds of it.
        holds: Option<Box<Self>>,
    },
    /// A resource that this one names.
    Linked {
        /// The attribute that names it.
        path: AttributePath,
        /// The types it may have.
        types: Vec<Name>,
        /// What holds of it.
        holds: Option<Box<Self>>,
        /// The verdict where it lies outside.
        elsewhere: Verdict,
    },
    /// A named function, with its arguments.
    Probe {
        /// Its name.
        name: Name,
        /// Its arguments.
        with: Vec<(Name, Operand)>,
    },
}

/// A test of one value.
#[derive(Clone, Debug)]
pub enum Test {
    /// Equal, as Terraform converts.
    Equals(Operand),
    /// Not equal.
    NotEquals(Operand),
    /// One of these.
    In(Vec<Operand>),
    /// None of these.
    NotIn(Vec<Operand>),
    /// A number, or a duration in days, not below.
    AtLeast(Operand),
    /// Not above.
    AtMost(Operand),
    /// Set (true) or not set (false): `null`, `""`, `[]` and an empty block list count as not set.
    Present(bool),
    /// A list that holds all of these.
    Contains(Vec<Operand>),
    /// A list that holds one of these.
    ContainsAny(Vec<Operand>),
    /// A text that the expression matches somewhere.
    Matches(Regex),
    /// A value that is an attribute of a resource of one of these types.
    References(Vec<Name>),
}

/// What a value is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// `true`, `false`
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(Name),
    /// A list.
    List(Vec<Self>),
    /// `$name`: a parameter of the rule.
    Parameter(Name),
}

impl std::fmt::Display for Operand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
            Self::Parameter(name) => write!(f, "${name}"),
            Self::List(items) => {
                for (n, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if n == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}
