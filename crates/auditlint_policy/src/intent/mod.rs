//! What policies ask, before any rule: fields with a direction, statements that are merged by it, and from those the
//! rules that are turned on.

pub(crate) mod bind;
mod bounds;
mod enforcement;
mod environment;
mod field;
mod listing;
mod merge;
mod scope;
mod setting;
mod statement;

pub use bounds::Bounds;
pub use enforcement::{Enforcement, OnUnknown};
pub use environment::{EnvironmentPattern, PolicyEnvironment, RootLook};
pub use field::{FIELDS, Field, FieldKind, FieldSpec};
pub use listing::PolicyLine;
pub use merge::{Permission, Weakening};
pub use scope::{Scope, ScopePattern, TAG_ATTRIBUTES};
pub(crate) use setting::within_both;
pub use setting::{Setting, Stated};
pub use statement::{Asked, NamedRule, Statement};
