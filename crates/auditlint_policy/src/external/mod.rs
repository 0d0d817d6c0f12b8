//! What a policy says of stores and sources that no root of a run holds: for those nobody reads a configuration, the
//! policy names an owner and a date on which somebody looks again.

mod export;
mod pattern;
mod role;

use auditlint_graph::{ModuleSource, Tracked, Value};
use auditlint_syntax::Location;
use jiff::civil::Date;

pub use export::{Export, ExportedSource, ExportedStore};
pub use pattern::Pattern;
pub use role::{DeclaredRole, StoreRole};

use crate::evaluate::names_in;
use crate::{Category, Days};

/// The stores and sources outside of the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Externals {
    /// The stores, in the order of the policies.
    pub stores: Vec<ExternalStore>,
    /// The sources, in the order of the policies.
    pub sources: Vec<ExternalSource>,
    /// The modules that are not here, in the order of the policies.
    pub modules: Vec<AttestedModule>,
    /// Whether the policy names its external stores, be it none: then logs that leave for any other one are undecided.
    pub names_stores: bool,
    /// What the config file says that stores of the run are for, the first one counts.
    pub roles: Vec<DeclaredRole>,
}

/// A store that no root of the run manages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalStore {
    /// Its name in the policy.
    pub id: String,
    /// Its ARNs, ids or names.
    pub matches: Vec<Pattern>,
    /// How long it keeps what it gets; none where the policy does not say.
    pub retention: Option<Days>,
    /// Whether nobody can delete from it before that.
    pub immutable: Option<bool>,
    /// Whether it is encrypted with a key of its owner.
    pub encrypted: Option<bool>,
    /// The account, project or subscription where it stands; none where the policy does not say.
    pub account: Option<String>,
    /// The region or location where it stands; none where the policy does not say.
    pub region: Option<String>,
    /// Where the policy says so.
    pub at: Location,
    /// Who looks again, and when.
    pub review: Review,
}

/// A source that no root of the run holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalSource {
    /// Its name in the policy.
    pub id: String,
    /// What it records.
    pub categories: Vec<Category>,
    /// The accounts that it records; empty for all.
    pub accounts: Vec<String>,
    /// The regions that it records; empty for all.
    pub regions: Vec<String>,
    /// The external store where its logs rest.
    pub into: Option<String>,
    /// Where the policy says so.
    pub at: Location,
    /// Who looks again, and when.
    pub review: Review,
}

/// A module that is not here, of which somebody says what it provides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedModule {
    /// Which `source` of a module call is meant.
    pub source: Pattern,
    /// Which `version` is meant; none for any.
    pub version: Option<Pattern>,
    /// What it records.
    pub provides: Vec<Category>,
    /// Who says so.
    pub attested_by: String,
    /// The last day on which that counts.
    pub review_by: Date,
    /// Where the policy says so.
    pub at: Location,
}

/// Who answers for what a policy says without proof.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// Who.
    pub owner: Option<String>,
    /// The day on which it has to be looked at again.
    pub by: Option<(Date, Location)>,
}

impl Externals {
    /// The store of that name in the policy.
    #[must_use]
    pub fn store(&self, id: &str) -> Option<&ExternalStore> {
        self.stores.iter().find(|store| store.id == id)
    }

    /// The source of that name in the policy.
    #[must_use]
    pub fn source(&self, id: &str) -> Option<&ExternalSource> {
        self.sources.iter().find(|source| source.id == id)
    }

    /// What is said of a module.
    #[must_use]
    pub fn module(&self, module: &ModuleSource) -> Option<&AttestedModule> {
        let version = module.version.as_deref().unwrap_or_default();
        self.modules.iter().find(|known| {
            known.source.matches(&module.source)
                && known.version.as_ref().is_none_or(|pattern| pattern.matches(version))
        })
    }

    /// The store that a value names for certain: the whole of it where it is known, and what is known of it (how it
    /// begins, or what decides it) where it is not.
    #[must_use]
    pub fn named_by(&self, value: &Tracked) -> Option<&ExternalStore> {
        match value.value() {
            Value::String(text) => {
                let names = names_in(text);
                let is_it = |pattern: &Pattern| names.iter().any(|name| pattern.matches(name));
                self.stores.iter().find(|store| store.matches.iter().any(is_it))
            }
            Value::Unknown(unknown) => {
                let begins = |pattern: &Pattern| {
                    unknown.prefix.as_ref().is_some_and(|prefix| pattern.matches_all_that_begin(prefix))
                };
                let decides = |pattern: &Pattern| pattern.matches(&unknown.cause.subject);
                let is_it = |pattern: &Pattern| begins(pattern) || decides(pattern);
                self.stores.iter().find(|store| store.matches.iter().any(is_it))
            }
            _ => None,
        }
    }

    /// The store of a name that is written out.
    #[must_use]
    pub fn of_text(&self, text: &str) -> Option<&ExternalStore> {
        let names = names_in(text);
        self.stores
            .iter()
            .find(|store| store.matches.iter().any(|pattern| names.iter().any(|name| pattern.matches(name))))
    }
}
