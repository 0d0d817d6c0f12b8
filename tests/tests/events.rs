//! Events that a policy names one by one, and those of which somebody must be told.

use anyhow::Context as _;
use auditlint_tests::workspace::Workspace;
use serde_json::Value;

const HCL: &str = "resource \"aws_flow_log\" \"main\" {
  vpc_id          = \"vpc-1\"
  traffic_type    = \"REJECT\"
  log_destination = \"arn:aws:s3:::flow\"
}

resource \"aws_cloudwatch_log_metric_filter\" \"root\" {
  name           = \"root-use\"
  pattern        = \"{ $.userIdentity.type = \\\"Root\\\" }\"
  log_group_name = \"trail\"

  metric_transformation {
    name      = \"root-use\"
    namespace = \"Trail\"
    value     = \"1\"
  }
}
";

/// The rules that fail under a policy, with the line of policy that asks.
fn failing(policy: &str) -> anyhow::Result<Vec<String>> {
    let workspace = Workspace::with(&[("main.tf", HCL), ("logging.yaml", policy)])?;
    let run = workspace.run(&["check", ".", "--policy", "logging.yaml", "--format", "json"])?;
    let report: Value = serde_json::from_str(&run.stdout).with_context(|| format!("{run:?}"))?;
    let findings = report.get("findings").and_then(Value::as_array).context("findings")?.iter();
    let mut found: Vec<String> = findings
        .filter(|one| one["verdict"] == "fail")
        .map(|one| {
            let line = one.pointer("/policy/line").and_then(Value::as_u64).unwrap_or_default();
            format!("{} by line {line}", one["rule"].as_str().unwrap_or(""))
        })
        .collect();
    found.sort();
    Ok(found)
}

#[test]
fn a_policy_asks_for_one_event_and_not_for_the_others() -> anyhow::Result<()> {
    let rejected = "logging_policy:\n  network_flow:\n    traffic: [reject]\n";
    assert_eq!(failing(rejected)?, Vec::<String>::new());
    let both = "logging_policy:\n  network_flow:\n    traffic: [accept, reject]\n";
    assert_eq!(failing(both)?, ["aws/vpc/flow-log-accepted by line 3"]);
    Ok(())
}

#[test]
fn somebody_is_told_of_the_events_that_are_named() -> anyhow::Result<()> {
    let named = "logging_policy:\n  alerting:\n    events: [root_use]\n";
    assert_eq!(failing(named)?, ["aws/cloudwatch/alarm-root-use by line 3"]);
    Ok(())
}

#[test]
fn an_event_that_nothing_records_is_an_error_with_a_suggestion() -> anyhow::Result<()> {
    let policy = "logging_policy:\n  data_access: {events: [reed]}\n  alerting: {events: [root_usage]}\n";
    let workspace = Workspace::with(&[("main.tf", HCL), ("logging.yaml", policy)])?;
    let run = workspace.run(&["check", ".", "--policy", "logging.yaml"])?;
    assert_eq!(run.exit, 3, "{run:?}");
    for said in ["logging.yaml:2:", "`read`", "logging.yaml:3:", "`root_use`"] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    Ok(())
}

#[test]
fn a_child_may_not_leave_out_an_event_of_its_parent() -> anyhow::Result<()> {
    let files = [
        ("main.tf", HCL),
        ("base.yaml", "logging_policy:\n  network_flow: {traffic: [accept, reject]}\n"),
        ("logging.yaml", "extends: base.yaml\nlogging_policy:\n  network_flow: {traffic: [reject]}\n"),
    ];
    let workspace = Workspace::with(&files)?;
    let run = workspace.run(&["check", ".", "--policy", "logging.yaml"])?;
    assert_eq!(run.exit, 3, "{run:?}");
    assert!(run.stderr.contains("logging.yaml:3:") && run.stderr.contains("base.yaml:2"), "{}", run.stderr);
    Ok(())
}

const AUDIT: &str = "resource \"kubernetes_manifest\" \"audit\" {
  manifest = {
    apiVersion = \"audit.k8s.io/v1\"
    kind       = \"Policy\"
    rules = [
      { level = \"Request\", resources = [{ group = \"rbac.authorization.k8s.io\" }] },
      { level = \"Metadata\" },
    ]
  }
}
";

#[test]
fn a_policy_says_how_much_of_a_change_is_recorded() -> anyhow::Result<()> {
    let rule = "kubernetes/audit-policy/permission-changes";
    let weaker = "extends: [logging.yaml]\nlogging_policy: {configuration_changes: {level: Request}}\n";
    for (policy, fails) in [
        ("logging_policy: {configuration_changes: {}}\n", false),
        ("logging_policy: {configuration_changes: {level: Request}}\n", false),
        ("logging_policy: {configuration_changes: {level: RequestResponse}}\n", true),
    ] {
        let files = [("main.tf", AUDIT), ("logging.yaml", policy), ("weaker.yaml", weaker)];
        let workspace = Workspace::with(&files)?;
        let run = workspace.run(&["check", ".", "--policy", "logging.yaml", "--format", "concise"])?;
        let told = format!("[{rule}] ");
        anyhow::ensure!(run.stdout.contains(&told) == fails, "{policy}: {run:?}");
        // Whoever extends it does not ask for less.
        let run = workspace.run(&["check", ".", "--policy", "weaker.yaml"])?;
        anyhow::ensure!((run.exit == 3) == fails, "{policy}: {run:?}");
    }
    Ok(())
}
