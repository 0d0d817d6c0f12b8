//! A policy as it is evaluated: which rules, with which parameters, asked for by which line.

use std::sync::Arc;

use auditlint_syntax::{Location, Name};

use crate::condition::Operand;
use crate::{Category, Rule, Severity};

/// The policies of a run, merged.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The id that findings show: `auditlint:recommended`, or the paths of its files.
    pub id: Arc<str>,
    /// `sha256:` of the texts it was made from.
    pub digest: String,
    /// The rules that it turns on, sorted by id.
    pub bindings: Vec<Binding>,
    /// How long each category's logs must be kept, and the line that says so.
    pub retention: Vec<(Category, u32, Location)>,
    /// The categories that it names, and the line of each, for "authentication: 0 sources here".
    pub categories: Vec<(Category, Location)>,
}

/// A rule that a policy turns on.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The rule.
    pub rule: Arc<Rule>,
    /// All its parameters with their values.
    pub parameters: Vec<(Name, Operand)>,
    /// The categories on whose behalf it is on.
    pub categories: Vec<Category>,
    /// Its severity here.
    pub severity: Severity,
    /// Whether a finding counts for the exit code.
    pub mandatory: bool,
    /// The line that turned it on.
    pub at: Location,
    /// Whether the retention that a store must meet follows from the flows that reach it (a policy with
    /// `retention_period`), rather than from the parameter (a policy that names the rule).
    pub by_flow: bool,
}
