//! What a store is for, where the configuration does not say it.

use auditlint_graph::Resource;
use auditlint_syntax::Location;

use super::{Externals, Pattern};

/// What a store is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreRole {
    /// Logs rest in it, whether any source of the run writes there or not.
    Archive,
    /// It passes logs on, and how long it keeps them itself does not matter: what stands behind it is judged.
    Buffer,
    /// It is no store of logs.
    Ignore,
}

impl StoreRole {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Archive, Self::Buffer, Self::Ignore];

    /// The word of the config file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Buffer => "buffer",
            Self::Ignore => "ignore",
        }
    }
}

/// What a config file says of some stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredRole {
    /// Their addresses, with or without the keys of instances, or their names.
    pub matches: Vec<Pattern>,
    /// What they are for.
    pub role: StoreRole,
    /// Where it says so.
    pub at: Location,
}

impl Externals {
    /// What the config file says that `resource` is for; `identity` are the attributes that name it.
    pub(crate) fn role_of(
        &self,
        resource: &Resource,
        identity: &[auditlint_syntax::Name],
    ) -> Option<&DeclaredRole> {
        if self.roles.is_empty() {
            return None;
        }
        let address = resource.address.to_string();
        let block = resource.address.without_keys().to_string();
        let named = |pattern: &Pattern| {
            let names = identity.iter().filter_map(|name| resource.attribute(name));
            let mut names = names.filter(|value| !value.sensitive).filter_map(|value| value.value().as_str());
            names.any(|name| pattern.matches(name))
        };
        let is_meant =
            |pattern: &Pattern| pattern.matches(&address) || pattern.matches(&block) || named(pattern);
        self.roles.iter().find(|declared| declared.matches.iter().any(is_meant))
    }
}
