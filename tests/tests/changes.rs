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
