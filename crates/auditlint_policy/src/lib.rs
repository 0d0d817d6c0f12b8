//! Resources and policies to findings: the catalogue of facts and rules, policies, the log flow, evaluation.
//!
//! Evaluation is three-valued throughout ([`Verdict`]); nothing here formats output or touches a text.
//! The catalogue's files are in the folder `policies/` at the top of the repository.

mod answer;
pub mod catalogue;
mod category;
pub mod change;
pub mod check;
pub mod condition;
pub mod control;
pub mod crossing;
pub mod destination;
pub mod digest;
mod duration;
mod evaluate;
pub mod exemption;
pub mod external;
pub mod facts;
mod finding;
mod flow;
pub mod intent;
mod load;
mod minimal;
mod policy;
pub mod probes;
pub mod rego;
pub mod rule;
mod verdict;

pub use answer::Answer;
pub use catalogue::{Catalogue, LocatedProblem, Reading};
pub use category::Category;
pub use change::Change;
pub use duration::Days;
pub use evaluate::{Evaluation, Evaluator, Matter, Reach, Rejudged, RootContext};
pub use finding::{
    Element, Evidence, Finding, FlowStep, LiteralValue, NewBlock, NewValue, Place, PolicyRef, Related,
    Remedy, RemedyKind, Safety, Severity, Where,
};
pub use flow::{
    Certainty, Effective, Encryption, FlowMap, Immutability, Keeps, KeptStore, Role, Silence, Station,
    StationId, StorePlace, Way, Ways,
};
pub use load::{Config, ConfiguredRoot, Environment, Extended, FORMATS, Output, PolicyError, ReadFrom};
pub use minimal::MinimalSet;
pub use policy::{AskedDays, Binding, Demand, Level, Policy, RootPattern};
pub use rule::Rule;
pub use verdict::Verdict;
