//! Tests that are written in Rego, as `opa test` and `conftest verify` run them: rules called `test_…` that hold.

use std::sync::Arc;

use auditlint_syntax::{Source, Span};
use regorus::Value;

use super::{RegoError, guard, ready};

/// What became of a test.
#[derive(Clone, Debug)]
pub struct RegoTest {
    /// `main.test_a_trail_of_one_region_is_denied`
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// Why it does not hold; none where it does.
    pub failure: Option<String>,
}

/// Runs the tests of a file beside the policies that it is about: `sources` are all files, it among them.
///
/// # Errors
/// With every problem of the files: what must not run in a policy does not run in a test.
pub fn run_tests(file: &Source, sources: &[Arc<Source>]) -> Result<Vec<RegoTest>, RegoError> {
    let (mut engine, modules) = ready(file.path().as_str(), sources)?;
    let tests = guard::tests(&modules, file).into_iter().map(|entry| {
        let name = format!("{}.{}", entry.package, entry.rule);
        let failure = match engine.eval_rule(format!("data.{name}")) {
            Ok(Value::Bool(true)) => None,
            Ok(Value::Undefined) => Some("it is not defined".to_owned()),
            Ok(value) => Some(format!("it is {}", value.to_json_str().unwrap_or_default())),
            Err(error) => Some(guard::located(&entry.source, &error.to_string()).message),
        };
        RegoTest { name, span: entry.span, failure }
    });
    Ok(tests.collect())
}
