//! What a report is evidence of, control by control of a standard.

use std::sync::Arc;

use auditlint_policy::control::{Control, Standard};
use auditlint_policy::{Finding, Verdict};

use crate::{Report, RootReport};

/// What speaks for and against a control.
#[derive(Clone, Debug)]
pub struct ControlEvidence<'r> {
    /// The control.
    pub control: &'r Control,
    /// What holds.
    pub supporting: Vec<(&'r RootReport, &'r Arc<Finding>)>,
    /// What does not.
    pub opposing: Vec<(&'r RootReport, &'r Arc<Finding>)>,
    /// What is not known.
    pub undecided: Vec<(&'r RootReport, &'r Arc<Finding>)>,
    /// What the policy or a comment excuses.
    pub exempt: Vec<(&'r RootReport, &'r Arc<Finding>)>,
}

impl ControlEvidence<'_> {
    /// Whether nothing in the report speaks of it.
    #[must_use]
    pub fn is_uncovered(&self) -> bool {
        [&self.supporting, &self.opposing, &self.undecided, &self.exempt].iter().all(|all| all.is_empty())
    }
}

/// The evidence in `report` for each control of `standard`. The report must have kept what passes.
#[must_use]
pub fn evidence<'r>(report: &'r Report, standard: &'r Standard) -> Vec<ControlEvidence<'r>> {
    standard.controls.iter().map(|control| of(report, standard, control)).collect()
}

fn of<'r>(report: &'r Report, standard: &Standard, control: &'r Control) -> ControlEvidence<'r> {
    let mut out = ControlEvidence {
        control,
        supporting: Vec::new(),
        opposing: Vec::new(),
        undecided: Vec::new(),
        exempt: Vec::new(),
    };
    for root in &report.roots {
        for finding in &root.findings {
            let bindings = &report.policy.bindings;
            let at = bindings.binary_search_by(|binding| (*binding.rule.id).cmp(&*finding.rule));
            let Some(binding) = at.ok().and_then(|at| bindings.get(at)) else { continue };
            if !control.is_shown_by(standard, &binding.rule, finding) {
                continue;
            }
            match finding.verdict {
                Verdict::Pass => out.supporting.push((root, finding)),
                Verdict::Fail => out.opposing.push((root, finding)),
                Verdict::Unknown => out.undecided.push((root, finding)),
                Verdict::Exempt => out.exempt.push((root, finding)),
                Verdict::NotApplicable => {}
            }
        }
    }
    out
}
