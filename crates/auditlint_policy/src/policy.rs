//! A policy as it is evaluated: which rules, with which parameters, asked for by which line.

use std::sync::Arc;

use auditlint_syntax::{Location, Name};

use crate::condition::Operand;
use crate::external::{Externals, Pattern};
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
    /// How long each category's logs may be kept at most, and the line that says so.
    pub maxima: Vec<(Category, u32, Location)>,
    /// The categories that it names, and the line of each, for "authentication: 0 sources here".
    pub categories: Vec<(Category, Location)>,
    /// Where a category must have a source, and what stands for one.
    pub demands: Vec<Demand>,
    /// The stores and sources outside of the run.
    pub externals: Arc<Externals>,
}

/// A category that must have a source somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The category.
    pub category: Category,
    /// In each root that one of these means; where there is none, in one root of the estate.
    pub within: Vec<RootPattern>,
    /// The external sources that stand for one.
    pub provided_by: Vec<String>,
    /// The line that asks for it.
    pub at: Location,
}

/// Which roots are meant: all that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootPattern {
    /// How their folders look.
    pub path: Option<Pattern>,
    /// The folder of the one.
    pub root: Option<String>,
}

impl RootPattern {
    /// Whether the root in `folder` is meant. The top folder is written `.`.
    #[must_use]
    pub fn matches(&self, folder: &str) -> bool {
        let folder = if folder.is_empty() { "." } else { folder };
        let named =
            |root: &String| root.trim_start_matches("./").trim_end_matches('/') == folder || root == folder;
        self.path.as_ref().is_none_or(|path| path.matches(folder)) && self.root.as_ref().is_none_or(named)
    }
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
