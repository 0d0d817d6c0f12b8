//! What a check gives: everything that an output format may show, already sorted.

use std::sync::Arc;

use auditlint_graph::Gap;
use auditlint_policy::{Category, Finding, Policy};
use auditlint_syntax::{FileId, Source};
use camino::Utf8PathBuf;

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InputMode {
    /// Configuration.
    Hcl,
    /// A plan.
    Plan,
    /// A state.
    State,
}

impl InputMode {
    /// The word of the JSON output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hcl => "hcl",
            Self::Plan => "plan",
            Self::State => "state",
        }
    }
}

/// The result of a check over one or more roots.
#[derive(Clone, Debug)]
pub struct Report {
    /// The policy that was applied.
    pub policy: Arc<Policy>,
    /// The roots, sorted by folder or path.
    pub roots: Vec<RootReport>,
    /// The numbers over all roots.
    pub summary: Summary,
    /// The texts that findings, gaps and policy lines point into.
    pub sources: Vec<Arc<Source>>,
}

/// One root's part.
#[derive(Clone, Debug)]
pub struct RootReport {
    /// The folder of the root, or the path of the plan (`-` for standard input); empty for the workspace.
    pub path: Utf8PathBuf,
    /// What was read.
    pub mode: InputMode,
    /// The environment, and why it is that one.
    pub environment: Option<(String, String)>,
    /// Every verdict but `not_applicable`, sorted by place, rule and address; formats filter.
    pub findings: Vec<Arc<Finding>>,
    /// What could not be analysed, sorted.
    pub gaps: Vec<Gap>,
    /// The numbers.
    pub summary: Summary,
}

/// Numbers of a root or a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Resources read, data sources left out.
    pub resources: u32,
    /// Resources that a rule of the policy speaks of.
    pub applicable: u32,
    /// Verdicts.
    pub pass: u32,
    /// Verdicts.
    pub fail: u32,
    /// Verdicts.
    pub unknown: u32,
    /// Verdicts.
    pub exempt: u32,
    /// Gaps.
    pub gaps: u32,
    /// Distinct places of failures: one for each rule and place.
    pub places: u32,
    /// Distinct causes of unknowns.
    pub causes: u32,
    /// Log sources, and how many of them are proven, broken and undecided: each counts once, by its worst
    /// verdict over the source rules.
    pub sources: [u32; 4],
    /// For each category that the policy names, the number of sources here.
    pub by_category: Vec<(Category, u32)>,
}

impl Report {
    /// The text of `file`, where a finding or a gap points into it.
    #[must_use]
    pub fn source(&self, file: FileId) -> Option<&Arc<Source>> {
        self.sources.iter().find(|source| source.file() == file)
    }

    /// The findings of all roots, with their root.
    pub fn findings(&self) -> impl Iterator<Item = (&RootReport, &Arc<Finding>)> {
        self.roots.iter().flat_map(|root| root.findings.iter().map(move |finding| (root, finding)))
    }
}

/// `v1:` and 32 hex digits over the kind, the path and the reason of a gap: free of lines.
#[must_use]
pub fn gap_fingerprint(gap: &Gap) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(format!("{}\0{}\0{}", gap.kind.as_str(), gap.path, gap.reason));
    digest.iter().take(16).fold("v1:".to_owned(), |out, byte| out + &format!("{byte:02x}"))
}
