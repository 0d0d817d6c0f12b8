//! Dated exceptions of a policy, and what a repository may do to the policy that it is checked with.

use auditlint_syntax::Location;
use jiff::civil::Date;

use crate::external::Pattern;
use crate::{Finding, Severity};

/// A dated exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption {
    /// Its id, `EX-2026-014`.
    pub id: String,
    /// The rules that it speaks of.
    pub rules: Vec<Pattern>,
    /// The addresses of the resources, without the keys of instances or with them.
    pub targets: Vec<Pattern>,
    /// The environments in which it holds; empty for all.
    pub environments: Vec<String>,
    /// Who owns the risk.
    pub owner: String,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// Why.
    pub reason: String,
    /// Since when.
    pub created: Option<Date>,
    /// The last day on which it holds.
    pub expires: Date,
    /// What is done instead.
    pub compensating: Vec<String>,
    /// The digest of the evidence that it was made for: it lapses when the resource changes.
    pub digest: Option<String>,
    /// The line.
    pub at: Location,
}

/// What a repository may do to a policy that is named on the command line, and a document to one that it extends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryLimits {
    /// The rules for which it may make exemptions; none for none at all.
    pub may_exempt: Vec<Pattern>,
    /// Longest that an exemption may hold, in days from its creation.
    pub max_exemption: Option<u32>,
    /// Who may approve exemptions; empty for anybody.
    pub approvers: Vec<Pattern>,
    /// Whether it may have a baseline.
    pub may_baseline: bool,
    /// Whether comments at resources count.
    pub may_suppress: bool,
    /// Longest that a comment may hold, in days from today; a comment without a date is refused then.
    pub max_suppression: Option<u32>,
    /// The rules of which no comment counts.
    pub not_suppressed: Vec<Pattern>,
    /// Comments count for findings that are less severe than this.
    pub severity_below: Option<Severity>,
}

/// What becomes of comments by which other tools pass over a finding. The first is the strictest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ForeignComments {
    /// They say nothing here.
    #[default]
    Ignore,
    /// The finding stays, and says that another tool passes over it.
    Report,
    /// They excuse the finding of the same fact.
    Honour,
}

impl RepositoryLimits {
    /// Everything is allowed: the policy is the repository's own.
    #[must_use]
    pub fn own() -> Self {
        Self {
            may_exempt: vec![Pattern::new("*")],
            max_exemption: None,
            approvers: Vec::new(),
            may_baseline: true,
            may_suppress: true,
            max_suppression: None,
            not_suppressed: Vec::new(),
            severity_below: None,
        }
    }

    /// Nothing is allowed that the policy does not name.
    #[must_use]
    pub fn none() -> Self {
        Self { may_exempt: Vec::new(), may_baseline: false, may_suppress: false, ..Self::own() }
    }

    /// Whether it may exempt whatever it likes.
    #[must_use]
    pub fn may_exempt_all(&self) -> bool {
        self.may_exempt == [Pattern::new("*")]
    }

    /// What both allow.
    #[must_use]
    pub fn both(&self, other: &Self) -> Self {
        let shorter = |one: Option<u32>, other: Option<u32>| one.into_iter().chain(other).min();
        let all = vec![Pattern::new("*")];
        let may_exempt = if self.may_exempt == all {
            other.may_exempt.clone()
        } else if other.may_exempt == all {
            self.may_exempt.clone()
        } else {
            self.may_exempt.iter().filter(|one| other.may_exempt.contains(one)).cloned().collect()
        };
        let approvers = match (self.approvers.is_empty(), other.approvers.is_empty()) {
            (true, _) => other.approvers.clone(),
            (_, true) => self.approvers.clone(),
            _ => self.approvers.iter().filter(|one| other.approvers.contains(one)).cloned().collect(),
        };
        Self {
            may_exempt,
            max_exemption: shorter(self.max_exemption, other.max_exemption),
            approvers,
            may_baseline: self.may_baseline && other.may_baseline,
            may_suppress: self.may_suppress && other.may_suppress,
            max_suppression: shorter(self.max_suppression, other.max_suppression),
            not_suppressed: self.not_suppressed.iter().chain(&other.not_suppressed).cloned().collect(),
            severity_below: self.severity_below.into_iter().chain(other.severity_below).min(),
        }
    }

    /// Whether they allow anything that `other` does not.
    #[must_use]
    pub fn allow_more_than(&self, other: &Self) -> bool {
        let both = self.both(other);
        let is_same = |one: &Self, other: &Self| {
            let suppresses = |limits: &Self| (limits.max_suppression, limits.severity_below);
            (&one.may_exempt, one.may_baseline, one.may_suppress)
                == (&other.may_exempt, other.may_baseline, other.may_suppress)
                // How long and by whom matters only where it may be at all.
                && (one.may_exempt.is_empty()
                    || (one.max_exemption, &one.approvers) == (other.max_exemption, &other.approvers))
                && (!one.may_suppress || suppresses(one) == suppresses(other))
        };
        let is_said = |pattern: &Pattern| self.not_suppressed.contains(pattern);
        !is_same(self, &both) || self.may_suppress && !other.not_suppressed.iter().all(is_said)
    }

    /// Why these limits refuse an exemption; none where they allow it.
    #[must_use]
    pub fn refuse(&self, exemption: &Exemption) -> Option<String> {
        let covered = |rule: &Pattern| {
            self.may_exempt.iter().any(|allowed| allowed == rule || allowed.matches(rule.as_str()))
        };
        if let Some(rule) = exemption.rules.iter().find(|rule| !covered(rule)) {
            return Some(format!("`repository.may_exempt` does not name {}", rule.as_str()));
        }
        if let Some(most) = self.max_exemption {
            let Some(created) = exemption.created else {
                return Some(format!(
                    "an exemption holds at most {most} days here, and this one does not say since when (`created`)"
                ));
            };
            let days = created.until(exemption.expires).map_or(i32::MAX, |span| span.get_days());
            if i64::from(days) > i64::from(most) {
                return Some(format!("it holds {days} days, and `repository.max_exemption` allows {most}"));
            }
        }
        if self.approvers.is_empty() {
            return None;
        }
        match &exemption.approved_by {
            Some(who) if self.approvers.iter().any(|approver| approver.matches(who)) => None,
            Some(who) => Some(format!("{who} is none of `repository.approvers`")),
            None => Some("it needs `approved_by`: one of `repository.approvers`".to_owned()),
        }
    }
}

impl Exemption {
    /// Whether it speaks of a finding in an environment.
    #[must_use]
    pub fn holds(&self, finding: &Finding, environment: Option<&str>) -> bool {
        let here = self.environments.is_empty()
            || environment.is_some_and(|name| self.environments.iter().any(|one| one == name));
        let address = finding.address.to_string();
        let block = finding.address.without_keys().to_string();
        here && self.rules.iter().any(|rule| rule.matches(&finding.rule))
            && self.targets.iter().any(|target| target.matches(&address) || target.matches(&block))
    }
}
