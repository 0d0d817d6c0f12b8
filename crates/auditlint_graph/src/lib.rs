//! Trees and plans to resources: values with origin, Terraform's evaluation, and the resource graph.
//!
//! Nothing here knows a policy or a file of the catalogue, and nothing here guesses: what cannot be decided
//! is [`Value::Unknown`] with a cause, what could not be read is a [`Gap`].

mod address;
mod cause;
mod facts;
mod graph;
mod join;
pub mod kubernetes;
mod map;
mod number;
mod origin;
mod partial;
pub mod plan;
mod resource;
pub mod terraform;
mod value;

pub use address::{Address, AddressError, Key, Mode, ModulePath, module_kind};
pub use auditlint_syntax::Name;
pub use cause::{Cause, CauseKind, Gap, GapKind, ModuleSource};
pub use facts::{
    Attributes, FactsTable, Interest, Lookup, ResourceFacts, SENSITIVE_NAMES, Tables, Wanted,
    is_sensitive_name,
};
pub use graph::{Delta, ResourceGraph, Slot, Target};
pub use join::join;
pub use map::{Entries, Map};
pub use number::Number;
pub use origin::{Derived, Origin, PlanSection};
pub use partial::Partial;
pub use resource::{Action, Declared, Ignored, IgnoredPath, Resource};
pub(crate) use value::Shape;
pub use value::{RefKey, Reference, References, RootKey, Tracked, Unknown, Value};
