//! Rules over resources: three values throughout, with the value that decided.

mod condition;
mod evaluator;
mod joins;
mod judge;
mod judged;
mod links;
mod look;
mod outside;
pub(crate) mod place;
mod reach;
mod reads;
mod remedy;
mod test;

use std::collections::BTreeMap;
use std::sync::Arc;

use auditlint_graph::{Cause, Mode, Resource, ResourceGraph, Slot};
use auditlint_syntax::Name;

pub use evaluator::{Evaluator, Matter, Rejudged};
pub(crate) use joins::{Joins, names_in};
use judge::days_text;
pub(crate) use judged::{Judged, Looked};
pub(crate) use links::{Link, computed, instance_link};
pub(crate) use look::{Look, Subject};
pub use reach::Reach;
pub(crate) use reads::{Read, Reads};
pub(crate) use test::text;

use crate::condition::Operand;
use crate::external::DeclaredRole;
use crate::flow::{Flow, Lost};
use crate::{Catalogue, Category, Finding, Related, Verdict};

/// The root that is judged.
#[derive(Clone, Debug, Default)]
pub struct RootContext {
    /// Its folder (or the path of its plan), for fingerprints.
    pub folder: Arc<str>,
    /// Whether passing verdicts become findings too, rather than numbers alone.
    pub keep_passes: bool,
}

/// The verdicts on one root.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// Failing and undecided verdicts, and passing ones where they were asked for.
    pub findings: Vec<Arc<Finding>>,
    /// Number of passing verdicts.
    pub passes: u32,
    /// Resources that a rule of the policy speaks of.
    pub applicable: u32,
    /// For each log source, its worst verdict over the source rules.
    pub sources: BTreeMap<Slot, Verdict>,
    /// For each category that the policy names, the number of sources that emit it.
    pub by_category: Vec<(Category, u32)>,
}

/// What conditions and probes see.
pub(crate) struct Context<'a> {
    pub(crate) graph: &'a ResourceGraph,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) flow: &'a Flow,
    pub(crate) joins: &'a Joins,
    pub(crate) parameters: &'a [(Name, Operand)],
    pub(crate) slot: Slot,
    pub(crate) resource: &'a Resource,
    /// Why what is not here may live in another root, where the policy says so.
    pub(crate) elsewhere: Option<&'a Cause>,
    /// Where it is written down what was looked at, if that is asked for.
    pub(crate) reads: Option<&'a Reads>,
}

impl<'a> Context<'a> {
    /// Takes note of what is looked at.
    pub(crate) fn note(&self, read: impl FnOnce() -> Read) {
        if let Some(reads) = self.reads {
            reads.borrow_mut().insert(read());
        }
    }

    /// The resource at `slot`.
    pub(crate) fn get(&self, slot: Slot) -> Option<&'a Arc<Resource>> {
        self.note(|| Read::Resource(slot));
        self.graph.get(slot)
    }

    /// The categories of the flows that reach this resource.
    pub(crate) fn categories(&self) -> Vec<Category> {
        self.note(|| Read::Flow(self.slot));
        self.flow.categories(self.slot)
    }

    /// Whether any flow ends here or passes through.
    pub(crate) fn is_reached(&self) -> bool {
        self.note(|| Read::Flow(self.slot));
        self.flow.is_reached(self.slot)
    }

    /// What the config file says that this resource is for.
    pub(crate) fn declared_role(&self) -> Option<&'a DeclaredRole> {
        let identity = self.catalogue.facts(self.resource.kind()).map(|facts| facts.identity.as_slice());
        self.flow.externals().role_of(self.resource, identity.unwrap_or_default())
    }

    /// The logs of these categories of this resource of which nobody knows where they come to rest.
    pub(crate) fn lost(&self, categories: &[Category]) -> Option<&'a Lost> {
        self.note(|| Read::Flow(self.slot));
        self.flow.lost(self.slot, categories)
    }

    /// The resources directly before this one in a flow.
    pub(crate) fn before(&self) -> impl Iterator<Item = &'a Arc<Resource>> {
        self.note(|| Read::Flow(self.slot));
        self.flow.before(self.slot).iter().filter_map(|slot| self.get(*slot))
    }

    /// The same world, seen from another resource.
    pub(crate) fn at(&self, slot: Slot, resource: &'a Resource) -> Self {
        self.note(|| Read::Resource(slot));
        Self { slot, resource, ..*self }
    }

    /// A related place from a resource that was looked at.
    pub(crate) fn related(&self, resource: &Resource, message: String) -> Related {
        Related { message, place: place::of(self.graph, resource, None, None).0 }
    }

    /// What holds only if it is found: in the flow, or in a resource of one of `kinds`. What is not here may exist
    /// all the same.
    pub(crate) fn found(&self, holds: bool, kinds: &[&str]) -> Judged {
        let left_out = || self.left_out(|kind| kinds.contains(&kind) || self.catalogue.carries_logs(kind));
        match (!holds).then(left_out).flatten() {
            Some(cause) => Judged::unknown(cause),
            None => Judged::holds(holds),
        }
    }

    /// Why a resource that is not here may exist all the same, in a plan of a part of its configuration: one of a
    /// type that `could` matter.
    pub(crate) fn left_out(&self, could: impl Fn(&str) -> bool) -> Option<Cause> {
        self.graph.partial.as_ref().and_then(|partial| partial.of(could)).cloned()
    }

    /// The value of a parameter, or the operand itself.
    pub(crate) fn operand<'o>(&'o self, operand: &'o Operand) -> &'o Operand {
        match operand {
            Operand::Parameter(name) => {
                self.parameters.iter().find(|(known, _)| known == name).map_or(operand, |(_, value)| value)
            }
            other => other,
        }
    }

    /// The same resources as [`Self::of_kind`], to look into every one of them.
    pub(crate) fn each_of(&self, kind: &str) -> impl Iterator<Item = (Slot, &'a Arc<Resource>)> {
        self.note(|| Read::Contents(Name::new(kind)));
        self.of_kind(kind)
    }

    /// The resources of `kind` that exist after the apply.
    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = (Slot, &'a Arc<Resource>)> {
        self.note(|| Read::Kind(Name::new(kind)));
        let graph = self.graph;
        graph
            .of_kind(kind)
            .iter()
            .filter_map(move |slot| Some((*slot, graph.get(*slot)?)))
            .filter(|(_, resource)| is_judged(resource))
    }
}

/// Data sources are not ours to judge, and what a plan deletes is gone.
pub(crate) fn is_judged(resource: &Resource) -> bool {
    resource.address.mode == Mode::Managed && !resource.action.is_some_and(auditlint_graph::Action::removes)
}
