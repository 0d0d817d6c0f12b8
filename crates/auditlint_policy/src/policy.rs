//! A policy as it is evaluated: which rules, with which parameters, asked for by which line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use auditlint_graph::terraform::RootIdentity;
use auditlint_syntax::{Location, Name, Source};

use crate::condition::Operand;
use crate::destination::Destination;
use crate::exemption::{Exemption, ForeignComments, RepositoryLimits};
use crate::external::{Externals, Pattern};
use crate::intent::{Bounds, OnUnknown, PolicyEnvironment, Scope, Statement};
use crate::rego::RegoSpec;
use crate::{Category, Change, Rule, Severity, Verdict};

/// The policies of a run, merged.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The id that findings show: `auditlint:recommended`, or the paths of its files.
    pub id: Arc<str>,
    /// `sha256:` of the texts it was made from.
    pub digest: String,
    /// The rules that it turns on, sorted by id.
    pub bindings: Vec<Binding>,
    /// The days that it asks for.
    pub days: AskedDays,
    /// The categories that it names, and the line of each, for "authentication: 0 sources here".
    pub categories: Vec<(Category, Location)>,
    /// Where a category must have a source, and what stands for one.
    pub demands: Vec<Demand>,
    /// What a plan must not do to logs, with the word of each.
    pub changes: BTreeMap<Change, Location>,
    /// Where logs may rest.
    pub destinations: Vec<Destination>,
    /// What others may make of its parameters, by their names.
    pub bounds: Arc<BTreeMap<String, Bounds>>,
    /// From which accounts and organisations stores of a category may be read.
    pub readers: Vec<(Category, BTreeSet<String>, Location)>,
    /// The categories of which what turns the logs on may live in another root, and which roots these are.
    pub may_live_in: Vec<(Category, Vec<String>)>,
    /// The stores and sources outside of the run.
    pub externals: Arc<Externals>,
    /// Which resources it means.
    pub scope: Scope,
    /// What it says, for those who show it.
    pub statement: Arc<Statement>,
    /// What becomes of undecided findings in a configuration, a plan, a state.
    pub on_unknown: [OnUnknown; 3],
    /// The exceptions that it makes.
    pub exemptions: Arc<[Exemption]>,
    /// The policies in Rego that belong to it.
    pub rego: Arc<[RegoSpec]>,
    /// What a repository may do to it.
    pub limits: RepositoryLimits,
    /// What becomes of comments of other tools.
    pub foreign: ForeignComments,
    /// Its environments, in the order in which they are tried. This policy itself is the strictest of all of them.
    pub environments: Vec<PolicyEnvironment>,
    /// The environment of roots that none of them means; none for the strictest.
    pub unmatched: Option<String>,
    /// The texts that it was made from, the ones that are extended too.
    pub texts: Vec<Arc<Source>>,
}

/// What the findings of a rule count for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// They are counted, and not shown unless asked for.
    Off,
    /// They are shown, and never decide the exit code.
    Advisory,
    /// They decide the exit code, unless the run says who takes the responsibility.
    SoftMandatory,
    /// They decide the exit code.
    #[default]
    Mandatory,
}

impl Policy {
    /// What a finding counts for of which nothing more is said.
    #[must_use]
    pub fn level(&self) -> Level {
        self.statement.enforcement.of_all()
    }
}

impl Level {
    /// All of them, the weakest first.
    pub const ALL: [Self; 4] = [Self::Off, Self::Advisory, Self::SoftMandatory, Self::Mandatory];

    /// The word of policies and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Advisory => "advisory",
            Self::SoftMandatory => "soft-mandatory",
            Self::Mandatory => "mandatory",
        }
    }

    /// The level of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    /// Whether a finding counts for the exit code.
    #[must_use]
    pub const fn gates(self) -> bool {
        matches!(self, Self::SoftMandatory | Self::Mandatory)
    }
}

/// The days that a policy asks for, by category, with the line that says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedDays {
    /// How long logs are kept at least.
    pub retention: Vec<(Category, u32, Location)>,
    /// How long they are kept at most.
    pub maxima: Vec<(Category, u32, Location)>,
    /// How long they can be searched at least.
    pub hot: Vec<(Category, u32, Location)>,
    /// For how long nobody can delete them.
    pub immutable: Vec<(Category, u32, Location)>,
}

/// A category that must have a source somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The category.
    pub category: Category,
    /// In each root that one of these means; where there is none, in one root of the estate.
    pub within: Vec<RootPattern>,
    /// In each of these regions; where there is none, in any.
    pub regions: Vec<Name>,
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
    /// What a finding counts for.
    pub level: Level,
    /// The line that turned it on.
    pub at: Location,
    /// Whether the retention that a store must meet follows from the flows that reach it (a policy with
    /// `retention_period`), rather than from the parameter (a policy that names the rule).
    pub by_flow: bool,
}
