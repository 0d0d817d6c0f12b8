//! Which resources a policy means, by tags above all: nothing falls out of a policy because nobody read its tags.

use anyhow::Context as _;
use auditlint_tests::workspace::Workspace;
use serde_json::Value;

const HCL: &str = "resource \"aws_cloudwatch_log_group\" \"meant\" {
  name              = \"meant\"
  tags              = { audit = \"required\" }
  retention_in_days = 7
}

resource \"aws_cloudwatch_log_group\" \"other\" {
  name              = \"other\"
  tags              = { audit = \"none\" }
  retention_in_days = 7
}

resource \"aws_cloudwatch_log_group\" \"open\" {
  name              = \"open\"
  tags              = { audit = var.audit }
  retention_in_days = 7
}

variable \"audit\" {}
";

fn failing(scope: &str) -> anyhow::Result<Vec<String>> {
    let policy = format!("logging_policy:\n  system: {{retention_period: 90_days}}\nscope: {scope}\n");
    let workspace = Workspace::with(&[("main.tf", HCL), ("logging.yaml", &policy)])?;
    let run = workspace.run(&["check", ".", "--policy", "logging.yaml", "--format", "json"])?;
    let report: Value = serde_json::from_str(&run.stdout).with_context(|| format!("{run:?}"))?;
    let findings = report.get("findings").and_then(Value::as_array).context("findings")?;
    let mut names: Vec<String> = findings
        .iter()
        .filter_map(|one| one["address"].as_str()?.rsplit('.').next().map(str::to_owned))
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

#[test]
fn tags_include_what_has_them_and_what_may_have_them() -> anyhow::Result<()> {
    assert_eq!(failing("{include: [{tags: {audit: required}}]}")?, ["meant", "open"]);
    Ok(())
}

#[test]
fn tags_exclude_only_what_has_them_for_certain() -> anyhow::Result<()> {
    assert_eq!(failing("{exclude: [{tags: {audit: none}}]}")?, ["meant", "open"]);
    Ok(())
}
