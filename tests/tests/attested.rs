//! Modules that are not here and of which the policy says who answers for them, and what findings on what is missing count
//! for.

use anyhow::{Context as _, ensure};
use auditlint_tests::workspace::Workspace;
use serde_json::Value;

const CALLS: &str = "module \"trail\" {
  source  = \"acme/trail/aws\"
  version = \"~> 2.0\"
}
";

fn policy(rest: &str) -> String {
    format!("logging_policy:\n  configuration_changes: {{required_in: [{{path: live}}]}}\n{rest}")
}

fn modules(source: &str, version: &str, provides: &str, until: &str) -> String {
    policy(&format!(
        "modules:\n  - source: {source}\n    version: \"{version}\"\n    provides: [{provides}]\n    attested_by: the platform team\n    review_by: {until}\n"
    ))
}

/// The exit code, the rules of the findings and the number of gaps.
fn found(policy: &str) -> anyhow::Result<(i32, Vec<String>, u64)> {
    let workspace = Workspace::with(&[("live/main.tf", CALLS), ("logging.yaml", policy)])?;
    let words = ["check", ".", "--policy", "logging.yaml", "--format", "json", "--show", "exempt"];
    let run = workspace.run(&words)?;
    let report: Value = serde_json::from_str(&run.stdout).with_context(|| format!("{run:?}"))?;
    let findings = report.get("findings").and_then(Value::as_array).context("findings")?.iter();
    let rule = |one: &Value| format!("{} {}", one["verdict"], one["rule"]).replace('"', "");
    let gaps = report.pointer("/summary/gaps").and_then(Value::as_u64).context("gaps")?;
    Ok((run.exit, findings.map(rule).collect(), gaps))
}

#[test]
fn a_module_for_which_somebody_answers_is_exempt_and_no_gap() -> anyhow::Result<()> {
    let exempt = "exempt policy/attested-module".to_owned();
    let unknown = "unknown policy/required-source".to_owned();
    let fails = "fail policy/required-source".to_owned();
    let due = "fail policy/review-due".to_owned();
    let cases = [
        ("nobody answers", policy(""), (2, vec![unknown.clone()], 1)),
        (
            "somebody does",
            modules("acme/trail/*", "~> 2.*", "configuration_changes", "9999-12-31"),
            (0, vec![exempt.clone()], 0),
        ),
        (
            "of another version",
            modules("acme/trail/*", "~> 1.*", "configuration_changes", "9999-12-31"),
            (2, vec![unknown.clone()], 1),
        ),
        (
            "of another module",
            modules("acme/logs/*", "*", "configuration_changes", "9999-12-31"),
            (2, vec![unknown.clone()], 1),
        ),
        (
            "it provides something else",
            modules("acme/trail/*", "*", "network_flow", "9999-12-31"),
            (1, vec![exempt, fails], 0),
        ),
        (
            "the day has passed",
            modules("acme/trail/*", "*", "configuration_changes", "2020-01-31"),
            (1, vec![due, unknown], 1),
        ),
    ];
    for (what, policy, expected) in cases {
        let (exit, mut rules, gaps) = found(&policy)?;
        rules.sort();
        ensure!((exit, rules.clone(), gaps) == expected, "{what}: {exit} {rules:?} {gaps}");
    }
    Ok(())
}

#[test]
fn a_module_needs_a_name_and_a_day() -> anyhow::Result<()> {
    let policy = policy("modules:\n  - {source: acme/trail/aws, provides: [configuration_changes]}\n");
    let workspace = Workspace::with(&[("live/main.tf", CALLS), ("logging.yaml", &policy)])?;
    let run = workspace.run(&["check", ".", "--policy", "logging.yaml"])?;
    for key in ["attested_by", "review_by"] {
        ensure!(run.exit == 3 && run.stderr.contains(&format!("`{key}` is missing")), "{run:?}");
    }
    Ok(())
}

#[test]
fn what_is_missing_counts_for_what_its_category_counts_for() -> anyhow::Result<()> {
    let empty = [("live/main.tf", "locals {}\n"), ("prod/main.tf", "locals {}\n")];
    let required = "logging_policy:\n  configuration_changes: {required_in: [{path: live}]}\n";
    for (enforcement, exit) in [
        ("", 1),
        ("enforcement: {level: advisory}\n", 0),
        ("enforcement: {level: advisory, categories: {configuration_changes: mandatory}}\n", 1),
        ("enforcement: {categories: {configuration_changes: \"off\"}}\n", 0),
        (
            "environments: {dev: {match: {path: live}, overlay: {enforcement: {level: advisory}}, weaken: approved}}\n",
            0,
        ),
    ] {
        let policy = format!("{required}{enforcement}");
        let files: Vec<(&str, &str)> = empty.into_iter().chain([("logging.yaml", policy.as_str())]).collect();
        let run = Workspace::with(&files)?.run(&["check", ".", "--policy", "logging.yaml"])?;
        ensure!(run.exit == exit, "{enforcement}: {run:?}");
        let is_off = enforcement.contains("off");
        ensure!(run.stdout.contains("policy/required-source") != is_off, "{enforcement}: {run:?}");
    }
    Ok(())
}
