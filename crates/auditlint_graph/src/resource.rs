//! One resource instance, as far as anybody asked for it.

use std::sync::Arc;

use auditlint_syntax::{FileId, Location, Name};

use crate::{Address, Cause, Map, Origin, PlanSection, Tracked};

/// What a plan means to do with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Leave it.
    NoOp,
    /// Make it.
    Create,
    /// Read a data source during apply.
    Read,
    /// Change it in place.
    Update,
    /// Delete it and make it anew, in either order.
    Replace,
    /// Delete it.
    Delete,
    /// Drop it from the state only.
    Forget,
}

impl Action {
    /// Whether the resource is gone after the apply, so that nothing about it is judged.
    #[must_use]
    pub const fn removes(self) -> bool {
        matches!(self, Self::Delete | Self::Forget)
    }
}

/// The attributes whose later changes `lifecycle` ignores: what is written counts only when the resource is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// Where `ignore_changes = all` stands.
    pub everything: Option<Location>,
    /// What is named.
    pub paths: Vec<IgnoredPath>,
}

/// An element of `ignore_changes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredPath {
    /// The names on the way, at least one; which element of a list is meant is left out.
    pub names: Vec<Name>,
    /// Where it is written.
    pub at: Location,
}

/// Where a resource is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The block's header, where a finding on something absent sits.
    pub header: Location,
    /// The whole block.
    pub block: Location,
}

/// A resource instance; or the one stand-in for a block whose instances are not known.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its address.
    pub address: Address,
    /// The attributes and blocks that are set and were asked for, in source order. `null` counts as not set
    /// and is left out.
    pub attributes: Map,
    /// Where it is declared, when HCL was read.
    pub declared: Option<Declared>,
    /// Where it stands in a plan or state.
    pub planned: Option<(PlanSection, u32)>,
    /// What the plan does with it.
    pub action: Option<Action>,
    /// Whether it exists at all is undecided (`count`, `for_each`, a module call's): judged `unknown` at most.
    pub undecided: Option<Box<Cause>>,
    /// Why an attribute that is not here may still be set: statements lost to a syntax problem, a plan without
    /// its `configuration`.
    pub incomplete: Option<Box<Cause>>,
    /// The module call of ours through which a module that is not ours was reached: findings sit there.
    pub nearest_call: Option<Arc<Declared>>,
    /// What its `lifecycle` ignores.
    pub ignored: Option<Arc<Ignored>>,
}

impl Resource {
    /// The resource type.
    #[must_use]
    pub fn kind(&self) -> &Name {
        &self.address.kind
    }

    /// The attribute or block list of that name, where it is set.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Tracked> {
        self.attributes.get(name)
    }

    /// Whether changes of that attribute, or of something in it, are ignored: what is written for it counts only when the
    /// resource is made.
    #[must_use]
    pub fn ignores(&self, name: &str) -> bool {
        self.ignored.as_ref().is_some_and(|ignored| {
            ignored.everything.is_some()
                || ignored.paths.iter().any(|path| path.names.first().is_some_and(|known| known == name))
        })
    }

    /// The file that declares it.
    #[must_use]
    pub fn file(&self) -> Option<FileId> {
        self.declared.map(|declared| declared.header.file)
    }

    /// The origin of something that is absent: the block's header or the plan.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match (self.declared, self.planned) {
            (Some(declared), _) => Origin::Written(declared.header),
            (None, Some((section, index))) => Origin::Plan(section, index),
            (None, None) => Origin::Nowhere,
        }
    }
}
