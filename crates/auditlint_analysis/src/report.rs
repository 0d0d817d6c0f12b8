//! What a check gives: everything that an output format may show, already sorted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use auditlint_graph::Gap;
use auditlint_policy::{Category, Finding, Place, Policy, Reach, Verdict, digest};
use auditlint_syntax::{FileId, Source};
use camino::Utf8PathBuf;

use crate::LeftOut;

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InputMode {
    /// Configuration.
    Hcl,
    /// A plan.
    Plan,
    /// A state.
    State,
    /// Kubernetes objects.
    Kubernetes,
}

impl InputMode {
    /// The word of the JSON output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hcl => "hcl",
            Self::Plan => "plan",
            Self::State => "state",
            Self::Kubernetes => "kubernetes",
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
    /// Folders that were found and not judged, sorted.
    pub left_out: Vec<LeftOut>,
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
    /// Whether what is undecided here makes the run incomplete, as the policy says.
    pub blocks_unknown: bool,
    /// Every verdict but `not_applicable`, sorted by place, rule and address; formats filter.
    pub findings: Vec<Arc<Finding>>,
    /// What could not be analysed, sorted.
    pub gaps: Vec<Gap>,
    /// Number of Terraform files of a configuration, those included that could not be read.
    pub files: usize,
    /// The numbers.
    pub summary: Summary,
    /// In which regions each category is recorded of which the policy asks that.
    pub reach: BTreeMap<Category, Reach>,
}

impl RootReport {
    /// Counts verdicts, places and gaps anew, after something was filtered.
    pub fn recount(&mut self) {
        let (mut fail, mut unknown, mut exempt) = (0, 0, 0);
        let mut places: BTreeSet<(&str, &Place)> = BTreeSet::new();
        let mut causes = BTreeSet::new();
        for finding in &self.findings {
            match finding.verdict {
                Verdict::Fail => {
                    fail += 1;
                    places.insert((&finding.rule, &finding.place));
                }
                Verdict::Unknown => {
                    unknown += 1;
                    causes.insert(&finding.cause);
                }
                Verdict::Exempt => exempt += 1,
                Verdict::Pass | Verdict::NotApplicable => {}
            }
        }
        self.summary = Summary {
            fail,
            unknown,
            exempt,
            places: u32::try_from(places.len()).unwrap_or(u32::MAX),
            causes: u32::try_from(causes.len()).unwrap_or(u32::MAX),
            gaps: u32::try_from(self.gaps.len()).unwrap_or(u32::MAX),
            ..std::mem::take(&mut self.summary)
        };
    }
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
    /// Failures and unknowns of rules that the policy switched off.
    pub off: u32,
}

impl Summary {
    /// The numbers over several roots. A place that two roots share counts once.
    #[must_use]
    pub fn over<'a>(roots: impl Iterator<Item = &'a RootReport> + Clone) -> Self {
        let mut all = Self::default();
        let mut places = BTreeSet::new();
        let mut causes = BTreeSet::new();
        for root in roots {
            let own = &root.summary;
            all.resources += own.resources;
            all.applicable += own.applicable;
            all.pass += own.pass;
            all.fail += own.fail;
            all.unknown += own.unknown;
            all.exempt += own.exempt;
            all.off += own.off;
            all.gaps += own.gaps;
            all.sources.iter_mut().zip(own.sources).for_each(|(sum, own)| *sum += own);
            for (category, count) in &own.by_category {
                match all.by_category.iter_mut().find(|(known, _)| known == category) {
                    Some((_, sum)) => *sum += count,
                    None => all.by_category.push((*category, *count)),
                }
            }
            for finding in &root.findings {
                match finding.verdict {
                    Verdict::Fail => drop(places.insert((&finding.rule, &root.path, &finding.place))),
                    Verdict::Unknown => drop(causes.insert(&finding.cause)),
                    _ => {}
                }
            }
        }
        // Places in texts are the same whichever root saw them; those in plans belong to their plan.
        let distinct: BTreeSet<_> = places
            .into_iter()
            .map(|(rule, path, place)| {
                (rule, if matches!(place, Place::Source(_)) { None } else { Some(path) }, place)
            })
            .collect();
        all.places = u32::try_from(distinct.len()).unwrap_or(u32::MAX);
        all.causes = u32::try_from(causes.len()).unwrap_or(u32::MAX);
        all
    }
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
    digest::fingerprint(&[gap.kind.as_str(), gap.path.as_str(), &gap.reason])
}
