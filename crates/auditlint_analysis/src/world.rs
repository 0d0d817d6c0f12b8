//! What a computation may look at: the files, the policy that is prepared for readers, and how the run is set up.

use std::sync::Arc;

use auditlint_graph::terraform::{Caches, Estate};
use auditlint_graph::{Gap, ResourceGraph};
use auditlint_syntax::Files;

use crate::host::Settings;
use crate::{PolicySet, attested};

/// What a computation may look at.
pub(crate) struct World<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) caches: &'a Caches,
    pub(crate) set: &'a Arc<Prepared>,
    pub(crate) estate: &'a Estate,
    pub(crate) revision: u64,
    pub(crate) settings: &'a Settings,
    pub(crate) is_current: &'a (dyn Fn() -> bool + Sync),
    /// Whether somebody waits for what can be said at once.
    pub(crate) hurries: bool,
}

impl World<'_> {
    /// What could not be read, was not so on the first day, and for which nobody answers.
    pub(crate) fn open_gaps(&self, graph: &ResourceGraph) -> Vec<Gap> {
        let known = |gap: &Gap| {
            self.set.baseline.as_ref().is_some_and(|(_, baseline)| baseline.holds(gap))
                || attested::answer(gap, &self.set.policy, self.settings.today).is_some()
        };
        graph.gaps.iter().filter(|gap| !known(gap)).cloned().collect()
    }
}

/// A policy with the tables that readers need for its catalogue.
pub(crate) struct Prepared {
    set: PolicySet,
    pub(crate) tables: auditlint_graph::Tables,
}

impl Prepared {
    pub(crate) fn new(set: PolicySet) -> Self {
        let tables = set.catalogue.tables(&set.policy);
        Self { set, tables }
    }
}

impl std::ops::Deref for Prepared {
    type Target = PolicySet;

    fn deref(&self) -> &PolicySet {
        &self.set
    }
}
