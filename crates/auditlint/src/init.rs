//! `auditlint init`: a first config with a policy.

use auditlint_analysis::CONFIG_NAME;
use camino::Utf8Path;

use crate::failure::Failure;
use crate::output;

const FIRST: &str = "\
# What must be logged, and for how long: https://github.com/auditlint/auditlint/blob/main/docs/seven-lines.md
logging_policy:
  access_logs:
    retention_period: 90_days
  authentication:
    log_failed_attempts: true
    log_successful_attempts: true
";

/// Writes the config unless there is one.
pub(crate) fn run(folder: &Utf8Path) -> Result<u8, Failure> {
    if !folder.is_dir() {
        return Err(Failure::new(format!("{folder}: no such folder")));
    }
    let path = folder.join(CONFIG_NAME);
    if path.exists() {
        return Err(Failure::new(format!("{path} is there already")).hint("edit it, or remove it first"));
    }
    output::replace(&path, FIRST.as_bytes())?;
    output::print(&format!("wrote {path}\nnext: auditlint check {folder}\n"))?;
    Ok(0)
}
