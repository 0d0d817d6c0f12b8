//! `auditlint init`: a first config with a policy.

use auditlint_analysis::{CONFIG_NAME, DiskFiles, Migration, OtherTool, migrate};
use auditlint_policy::Reading;
use auditlint_syntax::Files as _;
use camino::Utf8Path;

use crate::arguments::FromTool;
use crate::failure::Failure;
use crate::{catalogue, output};

const FIRST: &str = "\
# What must be logged, and for how long: https://github.com/auditlint/auditlint/blob/main/docs/seven-lines.md
logging_policy:
  access_logs:
    retention_period: 90_days
  authentication:
    log_failed_attempts: true
    log_successful_attempts: true
";

/// Writes the config unless there is one: a first one, or what comes nearest to what another tool checks.
pub(crate) fn run(folder: &Utf8Path, from: Option<FromTool>) -> Result<u8, Failure> {
    if !folder.is_dir() {
        return Err(Failure::new(format!("{folder}: no such folder")));
    }
    let path = folder.join(CONFIG_NAME);
    if path.exists() {
        return Err(Failure::new(format!("{path} is there already")).hint("edit it, or remove it first"));
    }
    let Migration { policy, differences } = match from {
        None => Migration { policy: FIRST.to_owned(), differences: Vec::new() },
        Some(tool) => migrated(folder, tool)?,
    };
    output::replace(&path, policy.as_bytes())?;
    let mut told = format!("wrote {path}\n");
    if !differences.is_empty() {
        told.push_str("different:\n");
        differences.iter().for_each(|one| told.push_str(&format!("  {}\n", auditlint_report::plain(one))));
    }
    told.push_str(&format!("next: auditlint check {folder}\n"));
    output::print(&told)?;
    Ok(0)
}

fn migrated(folder: &Utf8Path, tool: FromTool) -> Result<Migration, Failure> {
    let tool = match tool {
        FromTool::Checkov => OtherTool::Checkov,
        FromTool::Tfsec => OtherTool::Tfsec,
        FromTool::Trivy => OtherTool::Trivy,
    };
    let top =
        folder.canonicalize_utf8().map_err(|error| Failure::new(format!("{folder}: {}", error.kind())))?;
    let files = DiskFiles::new(top);
    let sources: Vec<_> =
        tool.files().iter().filter_map(|name| files.read(Utf8Path::new(name)).ok()).collect();
    let catalogue = catalogue::load(Reading::WithoutExamples)?;
    migrate(tool, &sources, &catalogue).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Failure::new(lines.join("\n")).hint(format!("correct the config of {}", tool.as_str()))
    })
}
