//! Mutants: what is compliant with one thing changed that somebody has to notice, and policies that ask for less.

mod infrastructure;
mod policy;

use auditlint_policy::external::Pattern;
use auditlint_syntax::document::Node;
use auditlint_syntax::document::reader::unknown;
use auditlint_syntax::{Problem, Source};

use super::TestBed;
use super::reading::Scenarios;
use crate::SetupError;

/// A change that is to be noticed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mutant {
    /// What was done: `drop_attribute`.
    pub operator: String,
    /// To what: `aws_lb.web.access_logs.enabled`, or a value of the policy.
    pub on: String,
    /// The lines that changed, as a diff.
    pub diff: String,
}

/// A mutant that nothing noticed.
#[derive(Clone, Debug)]
pub struct Survivor {
    /// It.
    pub mutant: Mutant,
    /// Why that is right, where the file says so.
    pub allowed: Option<String>,
}

/// What became of the mutants.
#[derive(Clone, Debug, Default)]
pub struct Mutation {
    /// How many there were.
    pub mutants: usize,
    /// How many of them were looked at; fewer where they were too many.
    pub tried: usize,
    /// Those that nothing noticed.
    pub survivors: Vec<Survivor>,
    /// The least part that must be noticed, of those of which it is not said that they need not be.
    pub required: f64,
    /// What could not be mutated at all.
    pub problems: Vec<String>,
}

impl Mutation {
    /// The part that was noticed, of those that have to be.
    #[must_use]
    pub fn score(&self) -> f64 {
        let survived = self.survivors.iter().filter(|one| one.allowed.is_none()).count();
        let excused = self.survivors.len() - survived;
        let counted = self.tried.saturating_sub(excused);
        if counted == 0 { 0.0 } else { ratio(counted - survived, counted) }
    }

    /// Whether enough was noticed.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty() && self.score() >= self.required
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of mutants are small")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// What to mutate, as the file says.
#[derive(Clone, Debug)]
pub(super) struct Mutate {
    /// Folders that are compliant.
    pub(super) from: Vec<String>,
    /// What is done to them.
    pub(super) operators: Vec<Operator>,
    /// The least score.
    pub(super) score: f64,
    /// What need not be noticed, with the reason.
    pub(super) allowed: Vec<Allowed>,
    /// Whether policies that ask for less must be noticed by the scenarios.
    pub(super) policy: bool,
}

/// What need not be noticed.
#[derive(Clone, Debug)]
pub(super) struct Allowed {
    operator: Option<String>,
    on: Option<Pattern>,
    reason: String,
}

impl Allowed {
    pub(super) fn new(operator: Option<String>, on: Option<String>, reason: String) -> Self {
        Self { operator, on: on.map(|on| Pattern::new(&on)), reason }
    }

    fn holds(&self, mutant: &Mutant) -> bool {
        self.operator.as_ref().is_none_or(|operator| *operator == mutant.operator)
            && self.on.as_ref().is_none_or(|on| on.matches(&mutant.on))
    }
}

/// What is done to a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// An attribute is taken away.
    DropAttribute,
    /// A nested block is taken away.
    DropBlock,
    /// An attribute is set to null.
    Null,
    /// True becomes false, and the other way round.
    FlipBool,
    /// A number of days becomes one.
    BelowMinimum,
    /// A word becomes the one before it among those that the provider takes.
    StepDownEnum,
    /// A resource that stands beside another one is taken away.
    DropCompanion,
    /// What names another resource names something that nobody manages.
    Retarget,
    /// A resource is made no times.
    CountZero,
    /// Terraform leaves alone what somebody else makes of an attribute.
    IgnoreChanges,
    /// A value is not known.
    Unknown,
}

impl Operator {
    const ALL: [(&'static str, Self); 11] = [
        ("drop_attribute", Self::DropAttribute),
        ("drop_block", Self::DropBlock),
        ("null", Self::Null),
        ("flip_bool", Self::FlipBool),
        ("below_minimum", Self::BelowMinimum),
        ("step_down_enum", Self::StepDownEnum),
        ("drop_companion", Self::DropCompanion),
        ("retarget", Self::Retarget),
        ("count_zero", Self::CountZero),
        ("ignore_changes", Self::IgnoreChanges),
        ("unknown", Self::Unknown),
    ];

    fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, operator)| *operator == self).map_or("", |(name, _)| name)
    }
}

/// The operators of these names; all of them where none is named.
pub(super) fn operators(names: &[String], node: &Node, problems: &mut Vec<Problem>) -> Vec<Operator> {
    if names.is_empty() {
        return Operator::ALL.map(|(_, operator)| operator).to_vec();
    }
    let known = || Operator::ALL.iter().map(|(name, _)| *name);
    names
        .iter()
        .filter_map(|name| {
            let found = Operator::ALL.iter().find(|(known, _)| known == name).map(|(_, operator)| *operator);
            if found.is_none() {
                problems.push(unknown("operator", name, node.span, known()));
            }
            found
        })
        .collect()
}

/// Makes the mutants of a file and looks which of them are noticed.
pub(super) fn run(
    mutate: &Mutate,
    scenarios: &Scenarios,
    source: &std::sync::Arc<Source>,
    bed: &TestBed<'_>,
) -> Result<Mutation, SetupError> {
    let mut out = Mutation { required: mutate.score, ..Mutation::default() };
    for folder in &mutate.from {
        infrastructure::run(folder, mutate, scenarios, (source, bed), &mut out)?;
    }
    if mutate.policy && !scenarios.cases.is_empty() {
        policy::run(scenarios, (source, bed), &mut out)?;
    }
    for survivor in &mut out.survivors {
        let allowed = mutate.allowed.iter().find(|allowed| allowed.holds(&survivor.mutant));
        survivor.allowed = allowed.map(|allowed| allowed.reason.clone());
    }
    out.survivors.sort_by(|a, b| a.mutant.cmp(&b.mutant));
    Ok(out)
}

/// At most so many of `all`, always the same for the same seed.
fn sampled<T>(all: Vec<T>, most: usize, seed: u64) -> Vec<T> {
    if all.len() <= most {
        return all;
    }
    let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
    let mut keyed: Vec<(u64, usize, T)> = all
        .into_iter()
        .enumerate()
        .map(|(at, one)| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11, at, one)
        })
        .collect();
    keyed.sort_by_key(|(key, at, _)| (*key, *at));
    keyed.truncate(most);
    keyed.sort_by_key(|(_, at, _)| *at);
    keyed.into_iter().map(|(_, _, one)| one).collect()
}
