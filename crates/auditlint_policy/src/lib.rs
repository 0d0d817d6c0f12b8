//! Resources and policies to findings: the catalogue of facts and rules, policies, the log flow, evaluation.
//!
//! Evaluation is three-valued throughout ([`Verdict`]); nothing here formats output or touches a text.
//! The catalogue's files are in the folder `policies/` at the top of the repository.

mod category;
pub mod condition;
mod duration;
pub mod facts;
mod finding;
mod policy;
pub mod rule;
mod verdict;

pub use category::Category;
pub use duration::Days;
pub use finding::{
    Evidence, Finding, FlowStep, LiteralValue, NewBlock, NewValue, Place, PolicyRef, Related, Remedy,
    RemedyKind, Safety, Severity,
};
pub use policy::{Binding, Policy};
pub use rule::Rule;
pub use verdict::Verdict;
