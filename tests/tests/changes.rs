//! Plans that turn logs off, delete them, move them or keep them for less long: by the real plan of a fixture.

use anyhow::Context as _;
use auditlint_tests::repository;
use auditlint_tests::workspace::Workspace;
use serde_json::Value;

/// Each finding as `rule address: message`.
fn found(words: &[&str]) -> anyhow::Result<Vec<String>> {
    let all: Vec<&str> = ["check", "fixtures/changes/after/plan.json"].iter().chain(words).copied().collect();
    let run = auditlint_tests::binary::run(&repository(), &all)?;
    let report: Value = serde_json::from_str(&run.stdout).with_context(|| format!("{run:?}"))?;
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let findings = report.get("findings").and_then(Value::as_array).context("findings")?.iter();
    let mut found: Vec<String> = findings
        .map(|one| format!("{} {}: {}", text(one, "rule"), text(one, "address"), text(one, "message")))
        .collect();
    found.sort();
    Ok(found)
}

const POLICY: [&str; 4] = ["--policy", "fixtures/changes/policy.yaml", "--format", "json"];

#[test]
fn each_change_of_logs_is_a_finding_on_the_resource_that_has_them() -> anyhow::Result<()> {
    let expected = [
        "change/deleted aws_cloudwatch_log_group.jobs: the plan deletes this store of logs",
        "change/disabled aws_lb.web: the plan turns access_logs off",
        "change/disabled aws_s3_bucket.data: the plan turns access_logs and data_access off",
        "change/retargeted aws_cloudtrail.main: configuration_changes and authentication no longer go to aws_s3_bucket.trail, and go to aws_s3_bucket.new instead",
        "change/shortened aws_cloudwatch_log_group.trail: the plan shortens how long logs are kept from 731 days to 365 days",
    ];
    assert_eq!(found(&POLICY)?, expected);
    let source = ["--source", "fixtures/changes/after"];
    let words: Vec<&str> = source.iter().chain(&POLICY).copied().collect();
    assert_eq!(found(&words)?, expected, "with the configuration");
    Ok(())
}

#[test]
fn one_change_can_be_asked_for_alone() -> anyhow::Result<()> {
    let words: Vec<&str> = ["--select", "change/deleted"].iter().chain(&POLICY).copied().collect();
    let found = found(&words)?;
    assert!(matches!(found.as_slice(), [one] if one.starts_with("change/deleted ")), "{found:?}");
    Ok(())
}

/// What goes has no tags any more: those that it had say whether the policy means it.
#[test]
fn a_store_that_goes_is_meant_by_the_tags_that_it_had() -> anyhow::Result<()> {
    let change = |name: &str, tag: &str| {
        serde_json::json!({
            "address": format!("aws_cloudwatch_log_group.{name}"), "mode": "managed",
            "type": "aws_cloudwatch_log_group", "name": name,
            "change": {"actions": ["delete"], "after": null, "after_unknown": {},
                       "before": {"name": name, "tags": {"audit": tag}}},
        })
    };
    let plan = serde_json::json!({
        "format_version": "1.2", "complete": true, "configuration": {"root_module": {}},
        "resource_changes": [change("meant", "yes"), change("other", "no")],
    });
    let policy = "logging_policy:\n  changes: {forbid: [delete]}\nscope: {include: [{tags: {audit: yes}}]}\n";
    let workspace = Workspace::with(&[("plan.json", &plan.to_string()), ("logging.yaml", policy)])?;
    let run = workspace.run(&["check", "plan.json", "--policy", "logging.yaml", "--format", "json"])?;
    let report: Value = serde_json::from_str(&run.stdout).with_context(|| format!("{run:?}"))?;
    let findings = report.get("findings").and_then(Value::as_array).context("findings")?;
    let addresses: Vec<Option<&str>> = findings.iter().map(|one| one["address"].as_str()).collect();
    assert_eq!(addresses, [Some("aws_cloudwatch_log_group.meant")]);
    Ok(())
}

/// A plan that does something with one log group, and what a run says of it with a policy.
fn judged(change: Value, policy: &str) -> anyhow::Result<(i32, Vec<String>)> {
    let plan = serde_json::json!({
        "format_version": "1.2", "complete": true,
        "configuration": {"root_module": {"resources": [{
            "address": "aws_cloudwatch_log_group.jobs", "mode": "managed", "type": "aws_cloudwatch_log_group",
            "name": "jobs", "expressions": {"name": {}, "retention_in_days": {}},
        }]}},
        "resource_changes": [{
            "address": "aws_cloudwatch_log_group.jobs", "mode": "managed", "type": "aws_cloudwatch_log_group",
            "name": "jobs", "change": change,
        }],
    });
    let workspace = Workspace::with(&[("plan.json", &plan.to_string()), ("logging.yaml", policy)])?;
    let words = ["check", "plan.json", "--policy", "logging.yaml", "--format", "json", "--show", "exempt"];
    let run = workspace.run(&words)?;
    let report: Value = serde_json::from_str(&run.stdout).with_context(|| format!("{run:?}"))?;
    let findings = report.get("findings").and_then(Value::as_array).context("findings")?.iter();
    Ok((
        run.exit,
        findings.map(|one| format!("{} {}", one["verdict"], one["rule"]).replace('"', "")).collect(),
    ))
}

#[test]
fn a_change_is_exempt_where_the_policy_says_so() -> anyhow::Result<()> {
    let delete = || serde_json::json!({"actions": ["delete"], "before": {"name": "jobs"}, "after": null, "after_unknown": {}});
    let policy = "logging_policy:\n  changes: {forbid: [delete]}\n";
    assert_eq!(judged(delete(), policy)?, (1, vec!["fail change/deleted".to_owned()]));
    let exempt = |rule: &str| {
        format!(
            "{policy}exemptions:\n  - {{id: E1, rule: {rule}, targets: [aws_cloudwatch_log_group.jobs], owner: o, reason: r, expires: 9999-12-31}}\n"
        )
    };
    assert_eq!(judged(delete(), &exempt("change/deleted"))?, (0, vec!["exempt change/deleted".to_owned()]));
    let (exit, found) = judged(delete(), &exempt("change/disabled"))?;
    anyhow::ensure!(
        exit == 1 && found.contains(&"fail change/deleted".to_owned()),
        "of another change: {found:?}"
    );
    Ok(())
}

#[test]
fn what_becomes_of_a_retention_can_be_unknown() -> anyhow::Result<()> {
    let change = serde_json::json!({
        "actions": ["update"], "before": {"name": "jobs", "retention_in_days": 400}, "after": {"name": "jobs"},
        "after_unknown": {"retention_in_days": true},
    });
    let policy = "logging_policy:\n  changes: {forbid: [shorten_retention]}\n";
    assert_eq!(judged(change, policy)?, (0, vec!["unknown change/shortened".to_owned()]));
    Ok(())
}

/// Whoever permits more in the change that makes use of it is told, and the change is judged by what held before.
#[test]
fn a_change_does_not_permit_what_it_does() -> anyhow::Result<()> {
    let policy =
        |forbidden: &str| format!("logging_policy:\n  access_logs:\n  changes: {{forbid: [{forbidden}]}}\n");
    let files = [("main.tf", "locals {}\n"), ("logging.yaml", &*policy("delete, disable"))];
    let workspace =
        Workspace::with(&[&files[..], &[(".auditlint.yaml", "policy: [logging.yaml]\n")]].concat())?;
    workspace.git(&["init", "--quiet", "--initial-branch=main"])?;
    workspace.commit()?;
    workspace.git(&["switch", "--quiet", "--create", "change"])?;
    workspace.write("logging.yaml", &policy("disable"))?;
    workspace.commit()?;
    let run = workspace.run(&["check", ".", "--base-ref", "main"])?;
    anyhow::ensure!(run.exit == 1 && run.stdout.contains("`delete` is forbidden no more"), "{run:?}");
    Ok(())
}
