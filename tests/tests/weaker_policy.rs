//! A change that makes the policy of its repository ask less, in every way that there is: it is told, and what held before
//! counts until it is merged.

use anyhow::{Context as _, ensure};
use auditlint_tests::workspace::Workspace;

const POLICY: &str = r#"logging_policy:
  defaults:
    retention: {min: 365_days, max: 2_years, hot: 90_days}
    encryption: {at_rest: customer_managed}
    destination: {accounts: ["111122223333"], regions: [eu-west-1]}
  configuration_changes: {required: true, provided_by: [central]}
  authentication: {log_failed_attempts: true, log_successful_attempts: true}
  network_flow: {traffic: [reject], regions: [eu-west-1, us-east-1]}
  access_logs: {sources: [load_balancer, object_store], required_in: [{path: live/*}]}
  database_activity: {events: [statements]}
  alerting: {events: [root_use]}
  changes: {forbid: [disable, delete]}
rules:
  - {rule: aws/s3/log-bucket-public, severity: critical}
enforcement: {level: mandatory, on_unknown: block, severity: high, rules: {aws/elb/load-balancer-access-logs: mandatory}}
parameters:
  floor: {type: duration, default: 30_days, min: 30_days}
environments:
  production: {match: {path: live/*}, at_least: staging}
  staging: {match: {path: staging/*}}
external_stores:
  archive: {match: ["archive-*"], retention: 400_days, owner: o, review_by: 9999-01-01}
external_sources:
  central: {categories: [configuration_changes], attested_by: o, review_by: 9999-01-01}
repository: {may_exempt: true, max_exemption: 30_days, approvers: ["*@example.com"], may_baseline: false, suppress: {max: 30_days, severity_below: high}}
"#;

/// What is written, and what stands in its place.
const WEAKER: &[(&str, &str)] = &[
    ("default: 30_days, min: 30_days", "default: 30_days"),
    ("default: 30_days, min: 30_days", "default: 30_days, min: 20_days"),
    ("configuration_changes: {required: true, provided_by: [central]}", "configuration_changes:"),
    ("regions: [eu-west-1, us-east-1]}", "regions: [eu-west-1]}"),
    ("required_in: [{path: live/*}]", "required_in: [{path: live/a}]"),
    ("min: 365_days", "min: 90_days"),
    ("max: 2_years", "max: 3_years"),
    (", hot: 90_days", ""),
    ("customer_managed", "provider_managed"),
    ("[\"111122223333\"]", "[\"111122223333\",\"2*\"]"),
    ("regions: [eu-west-1]}\n  conf", "regions: [eu-*]}\n  conf"),
    ("log_failed_attempts: true", "log_failed_attempts: false"),
    ("traffic: [reject], ", ""),
    ("{events: [statements]}", "{}"),
    ("  alerting: {events: [root_use]}\n", ""),
    ("[disable, delete]", "[delete]"),
    ("rules:\n  - {rule: aws/s3/log-bucket-public, severity: critical}\n", ""),
    ("enforcement: {level: mandatory", "enforcement: {level: advisory"),
    ("on_unknown: block", "on_unknown: warn"),
    (", severity: high, rules", ", severity: low, rules"),
    ("access-logs: mandatory", "access-logs: advisory"),
    (", at_least: staging", ""),
    (
        "staging: {match: {path: staging/*}}",
        "staging: {match: {path: staging/*}, overlay: {enforcement: {level: advisory}}, weaken: approved}",
    ),
    ("production: {match: {path: live/*}", "production: {match: {path: live/a}"),
    (
        "environments:\n",
        "environments:\n  dev: {match: {path: \"*\"}, overlay: {enforcement: {level: \"off\"}}, weaken: approved}\n",
    ),
    ("enforcement:", "scope: {exclude: [{module: module.x}]}\nenforcement:"),
    ("configuration_changes: {required", "configuration_changes: {may_live_in: [other], required"),
    ("max_exemption: 30_days", "max_exemption: 300_days"),
    ("may_baseline: false", "may_baseline: true"),
    ("suppress: {max: 30_days, severity_below: high}", "suppress: true"),
    ("approvers: [\"*@example.com\"]", "approvers: [\"*\"]"),
    ("  database_activity: {events: [statements]}\n", ""),
];

/// The same, where more is asked or the same said in another way.
const STRICTER: &[(&str, &str)] = &[
    ("default: 30_days, min: 30_days", "default: 40_days, min: 40_days, max: 90_days"),
    ("min: 365_days", "min: 1_year"),
    ("min: 365_days", "min: 400_days"),
    ("regions: [eu-west-1, us-east-1]}", "regions: [us-east-1, eu-west-1, eu-north-1]}"),
    ("[disable, delete]", "[delete, disable, retarget, ignore_changes]"),
    ("provided_by: [central]}", "provided_by: []}"),
    ("logging_policy:\n", "# What is logged.\nlogging_policy:\n"),
    ("suppress: {max: 30_days, severity_below: high}", "suppress: false"),
    (
        "  staging: {match: {path: staging/*}}\n",
        "  staging: {match: {path: staging/*}}\n  dev: {match: {path: dev/*}}\n",
    ),
    ("may_exempt: true", "may_exempt: [aws/elb/load-balancer-access-logs]"),
];

/// What is told of the policy with one thing in it replaced.
fn told(workspace: &Workspace, (old, new): (&str, &str)) -> anyhow::Result<Vec<String>> {
    ensure!(POLICY.contains(old), "{old}");
    workspace.write("logging.yaml", &POLICY.replacen(old, new, 1))?;
    let run = workspace.run(&["check", ".", "--base-ref", "main", "--format", "json"])?;
    let report: serde_json::Value = serde_json::from_str(&run.stdout).with_context(|| format!("{run:?}"))?;
    let found =
        report.get("findings").and_then(serde_json::Value::as_array).with_context(|| format!("{run:?}"))?;
    let told = found.iter().filter(|one| one["rule"] == "policy/self-exemption");
    Ok(told.map(|one| one["message"].as_str().unwrap_or_default().to_owned()).collect())
}

fn repository() -> anyhow::Result<Workspace> {
    let files = [
        ("live/a/main.tf", "locals {}\n"),
        ("logging.yaml", POLICY),
        (".auditlint.yaml", "policy: [logging.yaml]\n"),
    ];
    let workspace = Workspace::with(&files)?;
    workspace.git(&["init", "--quiet", "--initial-branch=main"])?;
    workspace.commit()?;
    Ok(workspace)
}

#[test]
fn whatever_is_asked_less_is_told() -> anyhow::Result<()> {
    let workspace = repository()?;
    for case in WEAKER {
        ensure!(!told(&workspace, *case)?.is_empty(), "nobody is told of {case:?}");
    }
    Ok(())
}

#[test]
fn what_is_asked_more_is_nobodys_fault() -> anyhow::Result<()> {
    let workspace = repository()?;
    for case in STRICTER {
        let told = told(&workspace, *case)?;
        ensure!(told.is_empty(), "{case:?}: {told:?}");
    }
    Ok(())
}

/// What the config file leaves out is checked until the change is merged, and whoever reviews it is told.
#[test]
fn what_a_change_leaves_out_is_told() -> anyhow::Result<()> {
    let workspace = repository()?;
    let said = |config: &str| {
        workspace.write(".auditlint.yaml", config)?;
        let run = workspace.run(&["check", ".", "--base-ref", "main", "--format", "concise"])?;
        let told = run.stdout.lines().filter(|line| line.contains("policy/self-exemption"));
        anyhow::Ok(told.map(str::to_owned).collect::<Vec<String>>())
    };
    ensure!(said("policy: [logging.yaml] # as it was\n")?.is_empty());
    let told = said("policy: [logging.yaml]\nignore_paths: [live/**]\n")?;
    ensure!(
        matches!(told.as_slice(), [one] if one.starts_with(".auditlint.yaml:1:1:") && one.contains("leaves live/** out")),
        "{told:?}"
    );
    let told = said("policy: [logging.yaml]\nstores: [{match: aws_s3_bucket.logs, role: ignore}]\n")?;
    ensure!(
        matches!(told.as_slice(), [one] if one.contains(".auditlint.yaml:2:") && one.contains("is for `ignore`")),
        "{told:?}"
    );
    Ok(())
}
