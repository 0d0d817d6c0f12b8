//! What is judged of a policy and of all roots together, where no rule of the catalogue speaks of a resource.

use crate::Severity;

/// A check that is no rule: it has no resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its id, which findings show.
    pub id: &'static str,
    /// What holds where it passes.
    pub title: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// How much.
    pub severity: Severity,
}

/// A category that must have a source has one.
pub const REQUIRED_SOURCE: Check = Check {
    id: "policy/required-source",
    title: "Every category that the policy requires has a source",
    why: "A rule judges resources that are there. Where nobody declared a trail at all there is nothing to judge, and \
          nothing is recorded: only the policy knows that something is missing.",
    severity: Severity::High,
};

/// What stands outside of the run was looked at when the policy says so.
pub const REVIEW_DUE: Check = Check {
    id: "policy/review-due",
    title: "What a policy says without proof is looked at again in time",
    why: "Of a store or source outside of the run nobody reads the configuration: somebody answers for it, until the day \
          on which they said they would look again.",
    severity: Severity::Medium,
};

/// All of them.
pub const CHECKS: [Check; 2] = [REQUIRED_SOURCE, REVIEW_DUE];
