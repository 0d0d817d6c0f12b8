//! What is known of a resource type before any value is read, and what the readers are asked for.
//!
//! Both are tables that are given to this crate; it never reads the catalogue itself.

use std::sync::Arc;

use auditlint_syntax::Name;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::Tracked;

/// The facts of one resource type that evaluation needs.
#[derive(Clone, Debug, Default)]
pub struct ResourceFacts {
    /// Provider defaults of top-level attributes that are not set: known values of origin
    /// [`Origin::ProviderDefault`](crate::Origin::ProviderDefault).
    pub defaults: FxHashMap<Name, Tracked>,
    /// Attributes that the provider always sets: a reference to one proves that something is there.
    pub always_set: Vec<Name>,
    /// Sensitive attributes, beyond those with a telling name.
    pub sensitive: Vec<Name>,
    /// Attributes that name an instance uniquely (`bucket`, `name`, `arn`): equal literals may link to it.
    pub identity: Vec<Name>,
    /// Nested blocks (as opposed to attributes), so that HCL, JSON syntax and plan give the same shape: a
    /// block is always a list of maps.
    pub blocks: Vec<Name>,
    /// Nested blocks that the provider never fills in by itself: one that a plan knows only after apply was
    /// written, if only by a `dynamic` block, which a plan's configuration leaves out.
    pub only_written: Vec<Name>,
}

/// How a data source finds a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The type of the resource.
    pub kind: Name,
    /// The argument of the data source that names it.
    pub argument: Name,
    /// The attribute of the resource that is the name.
    pub attribute: Name,
    /// The attributes of the data source that are another attribute of the resource: the first one that is written.
    pub gives: FxHashMap<Name, Vec<Name>>,
}

/// The facts of all resource types.
#[derive(Clone, Debug, Default)]
pub struct FactsTable {
    types: FxHashMap<Name, ResourceFacts>,
    /// By the type of the data source.
    lookups: FxHashMap<Name, Vec<Lookup>>,
    none: ResourceFacts,
}

impl FactsTable {
    /// A table of `(type, facts)`.
    #[must_use]
    pub fn new(types: FxHashMap<Name, ResourceFacts>) -> Self {
        Self { types, ..Self::default() }
    }

    /// The same table with what data sources look for, by their type.
    #[must_use]
    pub fn with_lookups(self, lookups: FxHashMap<Name, Vec<Lookup>>) -> Self {
        Self { lookups, ..self }
    }

    /// What a data source of type `kind` looks for.
    #[must_use]
    pub fn lookups(&self, kind: &str) -> &[Lookup] {
        self.lookups.get(kind).map_or(&[], Vec::as_slice)
    }

    /// The facts of `kind`; empty ones for a type that the catalogue does not know.
    #[must_use]
    pub fn of(&self, kind: &str) -> &ResourceFacts {
        self.types.get(kind).unwrap_or(&self.none)
    }

    /// Whether the catalogue knows `kind`.
    #[must_use]
    pub fn knows(&self, kind: &str) -> bool {
        self.types.contains_key(kind)
    }
}

/// Which top-level attributes of a type are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attributes {
    /// All of them.
    All,
    /// These.
    Some(Wanted),
}

/// Names that are wanted. Most names that a reader comes across are not, and their length alone says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    names: FxHashSet<Name>,
    /// A bit for the length of each name, those of 64 bytes and more folded onto the shorter ones.
    lengths: u64,
}

impl Wanted {
    /// Adds a name.
    pub fn insert(&mut self, name: Name) {
        self.lengths |= Self::length(name.len());
        self.names.insert(name);
    }

    fn length(bytes: usize) -> u64 {
        1 << (bytes % 64)
    }

    fn named(&self, name: &[u8]) -> Option<&Name> {
        if self.lengths & Self::length(name.len()) == 0 {
            return None;
        }
        self.names.get(std::str::from_utf8(name).ok()?)
    }
}

impl Attributes {
    /// Whether `name` is among them.
    #[must_use]
    pub fn holds(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(wanted) => wanted.named(name.as_bytes()).is_some(),
        }
    }

    /// `name` as a name of its own, where it is among them.
    #[must_use]
    pub fn named(&self, name: &[u8]) -> Option<Name> {
        match self {
            Self::All => std::str::from_utf8(name).ok().map(Name::new),
            Self::Some(wanted) => wanted.named(name).cloned(),
        }
    }
}

/// What readers are asked for: what nobody asks for is skipped while reading, only address and action remain.
#[derive(Clone, Debug, Default)]
pub struct Interest {
    /// By resource type.
    pub types: FxHashMap<Name, Attributes>,
    /// Everything of every type (an export, or a policy that may look anywhere).
    pub everything: bool,
    /// What resources were before the changes of a plan, too.
    pub prior: bool,
}

impl Interest {
    /// Whether anything of `kind` is wanted.
    #[must_use]
    pub fn wants_type(&self, kind: &str) -> bool {
        self.everything || self.types.contains_key(kind)
    }

    /// Whether `attribute` of `kind` is wanted.
    #[must_use]
    pub fn wants(&self, kind: &str, attribute: &str) -> bool {
        self.of(kind).is_some_and(|wanted| wanted.holds(attribute))
    }

    /// What is wanted of `kind`; none when nothing is.
    #[must_use]
    pub fn of(&self, kind: &str) -> Option<&Attributes> {
        if self.everything { Some(&Attributes::All) } else { self.types.get(kind) }
    }

    /// Asks whether there are resources of `kind`, if for nothing else of them.
    pub fn mention(&mut self, kind: &str) {
        self.asked(kind);
    }

    /// Asks for these attributes of every type of which anything is wanted.
    pub fn add_to_all(&mut self, attributes: impl IntoIterator<Item = &'static str> + Clone) {
        self.types.values_mut().for_each(|wanted| {
            if let Attributes::Some(wanted) = wanted {
                attributes.clone().into_iter().for_each(|name| wanted.insert(Name::new(name)));
            }
        });
    }

    fn asked(&mut self, kind: &str) -> &mut Attributes {
        self.types.entry(Name::new(kind)).or_insert_with(|| Attributes::Some(Wanted::default()))
    }

    /// Asks for `attribute` of `kind` as well.
    pub fn add(&mut self, kind: &str, attribute: &str) {
        let wanted = self.asked(kind);
        if let Attributes::Some(wanted) = wanted {
            wanted.insert(Name::new(attribute));
        }
    }
}

/// Both tables, shared by everything that reads.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// The facts.
    pub facts: Arc<FactsTable>,
    /// The interest.
    pub interest: Arc<Interest>,
}

/// Parts of attribute names whose values are sensitive although no schema says so.
pub const SENSITIVE_NAMES: &[&str] = &[
    "password",
    "secret",
    "token",
    "private_key",
    "api_key",
    "access_key",
    "credential",
    "passphrase",
    "connection_string",
];

/// Whether an attribute of that name holds a secret. Names that only *point* to one (`secret_arn`,
/// `password_policy_id`, `kms_key_id`) do not.
#[must_use]
pub fn is_sensitive_name(name: &str) -> bool {
    const POINTERS: &[&str] =
        &["_arn", "_id", "_ids", "_name", "_names", "_enabled", "_length", "_path", "_url", "_version"];
    // Every attribute name of a plan comes by here, so only the parts that begin with the letter are tried.
    let begins = |at: usize| {
        let rest = name.get(at..).unwrap_or_default();
        SENSITIVE_NAMES.iter().any(|part| rest.starts_with(part))
    };
    let holds = name
        .bytes()
        .enumerate()
        .any(|(at, byte)| matches!(byte, b'p' | b's' | b't' | b'a' | b'c') && begins(at));
    holds && !POINTERS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_telling_part_makes_a_name_sensitive_wherever_it_stands() {
        for part in SENSITIVE_NAMES {
            assert!(is_sensitive_name(part) && is_sensitive_name(&format!("master_{part}_value")), "{part}");
            assert!(!is_sensitive_name(&format!("{part}_arn")), "{part}_arn");
        }
        assert!(!is_sensitive_name("passive") && !is_sensitive_name("tags") && !is_sensitive_name(""));
    }
}
