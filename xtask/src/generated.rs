//! `cargo xtask gen`: whatever a test holds to be generated or recorded is written anew by that same test, so that
//! there is one place that knows what belongs there.

use std::process::Command;

use crate::step;

/// The tests that can write what they compare, and the variable that makes them.
const WRITERS: [(&str, &str, &str); 4] = [
    ("schemas", "AUDITLINT_OVERWRITE", "1"),
    ("rule_pages", "AUDITLINT_OVERWRITE", "1"),
    ("documents", "AUDITLINT_OVERWRITE", "1"),
    ("cli", "TRYCMD", "overwrite"),
];

/// Writes all of it; the difference is to be read like code.
pub(crate) fn run() -> anyhow::Result<()> {
    for (test, variable, value) in WRITERS {
        if !step::repository().join(format!("tests/tests/{test}.rs")).is_file() {
            continue;
        }
        let mut command = Command::new(step::cargo_path());
        command
            .args(["test", "--quiet", "--package", "auditlint_tests", "--test", test])
            .env(variable, value);
        step::run(test, &mut command)?;
    }
    step::run("what changed", Command::new("git").args(["status", "--short"]))
}
