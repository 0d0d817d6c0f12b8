//! Tests of policies: scenarios with what is expected of them, and mutants that somebody has to notice.

mod examples;
mod expectation;
mod given;
mod mutation;
mod plan;
mod reading;
mod rego;
mod scenario;

use std::sync::Arc;

use auditlint_policy::{Catalogue, LocatedProblem};
use auditlint_syntax::{Files, Source};
use jiff::civil::Date;

pub use crate::rego::is_rego_test;
pub use examples::{Mark, is_rule, marks, run_examples};
pub use expectation::{Expected, ExpectedFinding};
pub use mutation::{Mutant, Mutation, Survivor};
pub use reading::Scenarios;
pub use rego::run_rego_tests;
pub use scenario::{Coverage, ScenarioResult};

use crate::SetupError;

/// The `kind` of a file of tests.
pub const KIND: &str = "PolicyTest";

/// What became of a file of tests.
#[derive(Clone, Debug, Default)]
pub struct TestReport {
    /// Its path.
    pub path: String,
    /// What is wrong with the file itself; then nothing was run.
    pub problems: Vec<LocatedProblem>,
    /// Each scenario, once for each combination of its matrix.
    pub scenarios: Vec<ScenarioResult>,
    /// What became of the mutants, where the file asks for them.
    pub mutation: Option<Mutation>,
    /// Which verdicts of which rules the scenarios saw.
    pub coverage: Coverage,
}

impl TestReport {
    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty()
            && self.scenarios.iter().all(|scenario| scenario.failures.is_empty())
            && self.mutation.as_ref().is_none_or(Mutation::is_ok)
    }
}

/// What the tests of a run share.
pub struct TestBed<'a> {
    /// The facts and rules.
    pub catalogue: &'a Arc<Catalogue>,
    /// The files that tests name: policies, configurations, plans.
    pub files: &'a dyn Files,
    /// The day, where a test says none.
    pub today: Date,
    /// Most mutants of one file; more are sampled.
    pub mutants: usize,
    /// What chooses the sample.
    pub seed: u64,
}

/// What is wrong in a file of tests, without running any.
#[must_use]
pub fn problems(source: &Source) -> Vec<LocatedProblem> {
    Scenarios::read(source).err().unwrap_or_default()
}

/// Whether a text is a file of tests.
#[must_use]
pub fn is_test(source: &Source) -> bool {
    source.text().contains(KIND)
        && auditlint_syntax::document::parse(source.text()).root.get("kind").and_then(|node| node.as_str())
            == Some(KIND)
}

/// Runs the tests of a file.
#[must_use]
pub fn run_tests(source: &Arc<Source>, bed: &TestBed<'_>) -> TestReport {
    let path = source.path().to_string();
    let scenarios = match Scenarios::read(source) {
        Ok(scenarios) => scenarios,
        Err(problems) => return TestReport { path, problems, ..TestReport::default() },
    };
    let mut coverage = Coverage::default();
    let results = match scenario::run_all(&scenarios, source, bed, &mut coverage) {
        Ok(results) => results,
        Err(error) => {
            return TestReport { path, problems: explained(source, &error), ..TestReport::default() };
        }
    };
    let mutation = match &scenarios.mutate {
        Some(mutate) => match mutation::run(mutate, &scenarios, source, bed) {
            Ok(mutation) => Some(mutation),
            Err(error) => {
                return TestReport { path, problems: explained(source, &error), ..TestReport::default() };
            }
        },
        None => None,
    };
    TestReport { path, problems: Vec::new(), scenarios: results, mutation, coverage }
}

/// The problems of an error, those without a place at the head of the file.
fn explained(source: &Source, error: &SetupError) -> Vec<LocatedProblem> {
    match error.problems() {
        [] => vec![LocatedProblem::new(source, auditlint_syntax::Span::default(), error.to_string())],
        problems => problems.to_vec(),
    }
}
