//! A policy as it is evaluated: which rules, with which parameters, asked for by which line.

use std::sync::Arc;

use auditlint_graph::terraform::RootIdentity;
use auditlint_syntax::{Location, Name};

use crate::condition::Operand;
use crate::external::{Externals, Pattern};
use crate::{Category, Rule, Severity, Verdict};

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
    /// The categories of which what turns the logs on may live in another root, and which roots these are.
    pub may_live_in: Vec<(Category, Vec<String>)>,
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
    /// How an account, project or subscription looks that they are applied in.
    pub account: Option<Pattern>,
    /// How the tags look that their providers give to everything, by their names.
    pub tags: Vec<(String, Pattern)>,
}

impl RootPattern {
    /// Whether the root in `folder` is meant: a pass when it is, unknown where its account or tags are not known.
    #[must_use]
    pub fn matches(&self, folder: &str, identity: &RootIdentity) -> Verdict {
        let account = self.account.as_ref().map(|account| {
            let found = identity.accounts.iter().any(|known| account.matches(known));
            found_or(found, identity.other_accounts)
        });
        let tags = self.tags.iter().map(|(name, look)| {
            let found = identity.tags.iter().any(|(known, tag)| known == name && look.matches(tag));
            found_or(found, identity.other_tags)
        });
        let place = if self.is_at(folder) { Verdict::Pass } else { Verdict::Fail };
        Verdict::all(std::iter::once(place).chain(account).chain(tags))
    }

    /// Whether it asks where a root is applied, or how it is tagged.
    #[must_use]
    pub fn asks_identity(&self) -> bool {
        self.account.is_some() || !self.tags.is_empty()
    }

    /// Whether the root in `folder` has the place that is given. The top folder is written `.`.
    fn is_at(&self, folder: &str) -> bool {
        let folder = if folder.is_empty() { "." } else { folder };
        let named =
            |root: &String| root.trim_start_matches("./").trim_end_matches('/') == folder || root == folder;
        self.path.as_ref().is_none_or(|path| path.matches(folder)) && self.root.as_ref().is_none_or(named)
    }
}

/// What was found, or may be there all the same.
const fn found_or(found: bool, others: bool) -> Verdict {
    match (found, others) {
        (true, _) => Verdict::Pass,
        (false, true) => Verdict::Unknown,
        (false, false) => Verdict::Fail,
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
