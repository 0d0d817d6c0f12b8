//! Tests that are written in Rego, beside the policies that they are about.

use std::sync::Arc;

use auditlint_policy::LocatedProblem;
use auditlint_policy::rego::{RegoError, run_tests};
use auditlint_syntax::{Files, Source, Span};
use camino::Utf8Path;

use super::{ScenarioResult, TestBed, TestReport};
use crate::rego::{Tests, is_rego_test, modules};

/// Runs the tests of a file (`…_test.rego`) with all files of its folder and below; where those are tests alone, with
/// those of the folder above, up to the top of the workspace.
#[must_use]
pub fn run_rego_tests(source: &Arc<Source>, bed: &TestBed<'_>) -> TestReport {
    let path = source.path().to_string();
    let problem = |message: String| vec![LocatedProblem::new(source, Span::default(), message)];
    let sources = match beside(source, bed.files) {
        Ok(sources) => sources,
        Err(message) => return TestReport { path, problems: problem(message), ..TestReport::default() },
    };
    match run_tests(source, &sources) {
        Ok(tests) => {
            let result = |test: auditlint_policy::rego::RegoTest| ScenarioResult {
                name: test.name,
                line: source.lines().line_column(source.text(), test.span.start).line,
                failures: test.failure.into_iter().collect(),
            };
            TestReport { path, scenarios: tests.into_iter().map(result).collect(), ..TestReport::default() }
        }
        Err(RegoError::Entry(message)) => {
            TestReport { path, problems: problem(message), ..TestReport::default() }
        }
        Err(RegoError::Files(problems)) => TestReport { path, problems, ..TestReport::default() },
    }
}

/// The files that a test is run with, itself among them.
fn beside(source: &Arc<Source>, files: &dyn Files) -> Result<Vec<Arc<Source>>, String> {
    let folders = source.path().ancestors().skip(1);
    let mut found = Vec::new();
    for folder in folders {
        found = modules(folder, files, Tests::Taken);
        if found.iter().any(|path| !is_rego_test(path)) {
            break;
        }
    }
    let read =
        |path: &Utf8Path| files.read(path).map_err(|reason| format!("{path} cannot be read: {reason}"));
    found.iter().map(|path| read(path)).collect()
}
