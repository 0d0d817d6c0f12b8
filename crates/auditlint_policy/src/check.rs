//! What is judged of a policy and of all roots together, where no rule of the catalogue speaks of a resource.

use std::sync::Arc;

use auditlint_graph::Address;
use auditlint_syntax::Location;

use crate::destination::Part;
use crate::{Category, Change, Finding, Place, Policy, PolicyRef, Severity, Verdict};

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

impl Check {
    /// What it finds where the policy asks at `at`: a failure there that is about no resource, as severe as the policy
    /// says at least, and with nothing that explains it further.
    #[must_use]
    pub fn finding(
        self,
        policy: &Policy,
        at: Location,
        categories: Vec<Category>,
        message: String,
    ) -> Finding {
        let enforcement = &policy.statement.enforcement;
        let least = enforcement.severity.map_or(Severity::Low, |(least, _)| least);
        Finding {
            rule: self.id.into(),
            verdict: Verdict::Fail,
            severity: self.severity.max(least),
            level: enforcement.of_check(self, categories.iter().copied()),
            categories,
            address: Address::nobody(),
            attribute: None,
            message,
            place: Place::Source(at),
            related: Vec::new(),
            policy: PolicyRef { id: Arc::clone(&policy.id), at },
            cause: None,
            evidence: Vec::new(),
            flows: Vec::new(),
            remedies: Vec::new(),
            exemption: None,
            root: Arc::from(""),
        }
    }
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

/// Of a module that is not here somebody says what it provides.
pub const ATTESTED_MODULE: Check = Check {
    id: "policy/attested-module",
    title: "Every module is read",
    why: "What a module makes is judged where it is here. Of one that is not, the policy may say who answers for it and until \
          when: that is an exception, and it is counted as one.",
    severity: Severity::Medium,
};

/// An environment keeps its logs as long as the one that it must not fall behind.
pub const ENVIRONMENT_ORDER: Check = Check {
    id: "policy/environment-order",
    title: "An environment keeps its logs as long as the one that it must not fall behind",
    why: "Whoever tries something out in staging looks at logs that production does not keep: what was seen there cannot be \
          seen where it matters.",
    severity: Severity::Medium,
};

/// An exemption ends on a day, and somebody decides anew.
pub const EXEMPTION_EXPIRED: Check = Check {
    id: "policy/exemption-expired",
    title: "No exemption has expired",
    why: "An exemption that has expired excuses nothing any more, and whoever relies on it does not know.",
    severity: Severity::Medium,
};

/// An exemption excuses something.
pub const EXEMPTION_UNUSED: Check = Check {
    id: "policy/exemption-unused",
    title: "Every exemption excuses something",
    why: "An exemption that excuses nothing today excuses tomorrow what nobody looked at.",
    severity: Severity::Low,
};

/// A comment at a resource excuses what the policy lets it excuse.
pub const SUPPRESSION: Check = Check {
    id: "policy/suppression",
    title: "Every comment that excuses a finding is understood, allowed and used",
    why: "A comment that is malformed, forbidden, expired or unused excuses nothing, and whoever reads it believes that it does.",
    severity: Severity::Low,
};

/// A change does not excuse itself.
pub const SELF_EXEMPTION: Check = Check {
    id: "policy/self-exemption",
    title: "A change does not excuse itself",
    why: "Whoever adds an exception together with what it excuses has decided about the risk alone: the exception has to be \
          there before.",
    severity: Severity::High,
};

/// No source stops recording.
pub const CHANGE_DISABLED: Check = Check {
    id: "change/disabled",
    title: "A plan turns no log off",
    why: "What happens from then on is not recorded, and the time in which it was off cannot be made up for.",
    severity: Severity::High,
};

/// No store of logs goes.
pub const CHANGE_DELETED: Check = Check {
    id: "change/deleted",
    title: "A plan deletes nothing that keeps, passes on or records logs",
    why: "With a store goes everything that it kept, and nobody can prove any more what happened before.",
    severity: Severity::Critical,
};

/// No store keeps for less long.
pub const CHANGE_SHORTENED: Check = Check {
    id: "change/shortened",
    title: "A plan shortens no retention",
    why: "What is older than the new period is deleted with the apply, also where the minimum of the policy still holds.",
    severity: Severity::Medium,
};

/// Logs go where they went.
pub const CHANGE_RETARGETED: Check = Check {
    id: "change/retargeted",
    title: "A plan moves no logs to another store",
    why: "Whoever looks where the logs always were finds none, and where they go now nobody may have looked at who reads them.",
    severity: Severity::Medium,
};

/// What is written for logs is what is there.
pub const CHANGE_IGNORED: Check = Check {
    id: "change/ignored",
    title: "No lifecycle ignores changes of what a rule rests on",
    why: "What `ignore_changes` names counts when the resource is made, and never again: whoever changes it by hand changes it \
          for good, no plan shows it, and everything that is judged of it is judged of what nobody keeps.",
    severity: Severity::Medium,
};

/// Logs rest in accounts that the policy permits.
pub const DESTINATION_ACCOUNT: Check = Check {
    id: "destination/account",
    title: "Logs rest in an account that the policy permits",
    why: "Whoever may change a workload often may do so in all of its account: logs that stay there can be deleted by the one \
          whom they would convict.",
    severity: Severity::High,
};

/// Logs rest in regions that the policy permits.
pub const DESTINATION_REGION: Check = Check {
    id: "destination/region",
    title: "Logs rest in a region that the policy permits",
    why: "Logs hold personal data: addresses, names, what somebody did. A copy in another region may lie under another law, \
          and is deleted by nobody who looks after those that are known.",
    severity: Severity::High,
};

/// What is found at resources beside what rules say of them; policies name it as they name rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfResources {
    /// What a plan does to logs that are there.
    Change(Change),
    /// Where logs rest.
    Place(Part),
}

impl OfResources {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Change::ALL.map(Self::Change).into_iter().chain(Part::ALL.map(Self::Place))
    }

    /// That whose check has the id.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        Self::all().find(|one| one.check().id == id)
    }

    /// The check that finds it.
    #[must_use]
    pub const fn check(self) -> Check {
        match self {
            Self::Change(change) => change.check(),
            Self::Place(part) => part.check(),
        }
    }
}

/// All of them.
pub const CHECKS: [Check; 15] = [
    REQUIRED_SOURCE,
    REVIEW_DUE,
    ATTESTED_MODULE,
    ENVIRONMENT_ORDER,
    EXEMPTION_EXPIRED,
    EXEMPTION_UNUSED,
    SUPPRESSION,
    SELF_EXEMPTION,
    CHANGE_DISABLED,
    CHANGE_DELETED,
    CHANGE_SHORTENED,
    CHANGE_RETARGETED,
    CHANGE_IGNORED,
    DESTINATION_ACCOUNT,
    DESTINATION_REGION,
];
