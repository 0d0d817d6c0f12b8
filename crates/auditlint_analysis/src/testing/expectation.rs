//! What a scenario expects, and what is missing of it.

use auditlint_policy::{Category, Finding, Verdict};

/// What a scenario expects. What it does not speak of may be anything.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The failures and unknowns, all of them; none where the scenario does not say.
    pub findings: Option<Vec<ExpectedFinding>>,
    /// Further verdicts.
    pub also: Vec<ExpectedFinding>,
    /// Whether there may be failures and unknowns beside.
    pub allow_extra: bool,
    /// The number of gaps.
    pub gaps: Option<u32>,
    /// The rules of what a plan leaves undecided, to be looked at after the apply: all of them, each as often as it is.
    pub obligations: Option<Vec<String>>,
    /// The exit code.
    pub exit: Option<Exit>,
    /// The environment that the root is found to be.
    pub environment: Option<String>,
    /// Values of the policy, as `auditlint policy show` prints them.
    pub policy: Vec<(String, String)>,
    /// Ways of logs: `A -> B -> C = 365 days`.
    pub flow: Vec<String>,
    /// The number of sources of a category.
    pub sources: Vec<(Category, u32)>,
    /// The policy is refused, with a message that holds this.
    pub refused: Option<String>,
}

/// An exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// In every environment.
    All(u32),
    /// By environment.
    By(Vec<(String, u32)>),
}

/// A verdict that is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedFinding {
    /// The rule.
    pub rule: String,
    /// What it says.
    pub verdict: Verdict,
    /// Of which resource; none for any.
    pub address: Option<String>,
    /// Where: `main.tf:3:1`.
    pub at: Option<String>,
    /// How severe.
    pub severity: Option<String>,
    /// What it counts for.
    pub level: Option<String>,
    /// A part of the message.
    pub message: Option<String>,
    /// What the rule says of the resource once the first fix is applied.
    pub fix_makes: Option<Verdict>,
}

impl ExpectedFinding {
    /// A verdict of a rule on any resource.
    #[must_use]
    pub fn of(rule: &str, verdict: Verdict) -> Self {
        Self {
            rule: rule.to_owned(),
            verdict,
            address: None,
            at: None,
            severity: None,
            level: None,
            message: None,
            fix_makes: None,
        }
    }

    /// Whether a finding at `place` is what is expected.
    #[must_use]
    pub fn is(&self, finding: &Finding, place: &str) -> bool {
        let address = finding.address.to_string();
        let block = finding.address.without_keys().to_string();
        *self.rule == *finding.rule
            && self.verdict == finding.verdict
            && self.address.as_ref().is_none_or(|one| *one == address || *one == block)
            && self.at.as_ref().is_none_or(|at| at == place)
            && self.severity.as_ref().is_none_or(|one| one == finding.severity.as_str())
            && self.level.as_ref().is_none_or(|one| one == finding.level.as_str())
            && self.message.as_ref().is_none_or(|part| finding.message.contains(part.as_str()))
    }

    /// As a person would say it.
    #[must_use]
    pub fn show(&self) -> String {
        let of = self.address.as_ref().map(|address| format!(" of {address}")).unwrap_or_default();
        let at = self.at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
        format!("{} {}{of}{at}", self.verdict.as_str(), self.rule)
    }
}

impl Exit {
    /// The exit code in an environment.
    pub(super) fn in_environment(&self, environment: Option<&str>) -> Option<u32> {
        match self {
            Self::All(code) => Some(*code),
            Self::By(codes) => {
                let found = codes.iter().find(|(name, _)| Some(name.as_str()) == environment);
                found.map(|(_, code)| *code)
            }
        }
    }
}
