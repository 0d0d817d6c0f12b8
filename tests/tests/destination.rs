//! Where logs may rest: the account and region of every store that logs reach, in configurations and plans.

use anyhow::{Context as _, ensure};
use auditlint_tests::workspace::Workspace;
use serde_json::Value;

const PROVIDERS: &str = "provider \"aws\" {
  region              = var.region
  allowed_account_ids = [\"111122223333\"]
}

provider \"aws\" {
  alias  = \"far\"
  region = \"us-east-1\"
  assume_role {
    role_arn = \"arn:aws:iam::444455556666:role/logs\"
  }
}

variable \"region\" {
  default = \"eu-west-1\"
}
";

const API: &str = "resource \"aws_apigatewayv2_stage\" \"live\" {
  api_id = \"api-1\"
  name   = \"live\"

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    format          = \"$context.requestId\"
  }
}
";

const GROUP: &str = "resource \"aws_cloudwatch_log_group\" \"api\" {\n  name = \"api\"\n}\n";

fn policy(destination: &str) -> String {
    format!("logging_policy:\n  access_logs: {{destination: {{{destination}}}}}\n")
}

/// Verdict, rule, address and message of each finding on destinations, and the exit code.
fn found(files: &[(&str, &str)], words: &[&str]) -> anyhow::Result<(i32, Vec<String>)> {
    let workspace = Workspace::with(files)?;
    let words: Vec<&str> =
        words.iter().copied().chain(["--policy", "logging.yaml", "--format", "json"]).collect();
    let run = workspace.run(&words)?;
    let report: Value = serde_json::from_str(&run.stdout).with_context(|| format!("{run:?}"))?;
    let findings = report.get("findings").and_then(Value::as_array).context("findings")?.iter();
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let of_destination = findings.filter(|one| text(one, "rule").starts_with("destination/"));
    let shown = of_destination.map(|one| {
        let [verdict, rule, address, message] =
            ["verdict", "rule", "address", "message"].map(|key| text(one, key));
        format!("{verdict} {rule} {address}: {message}")
    });
    Ok((run.exit, shown.collect()))
}

fn judged(group: &str, destination: &str) -> anyhow::Result<Vec<String>> {
    let policy = policy(destination);
    let main = format!("{PROVIDERS}\n{API}\n{group}");
    Ok(found(&[("main.tf", &main), ("logging.yaml", &policy)], &["check", "."])?.1)
}

#[test]
fn a_store_stands_where_its_provider_works() -> anyhow::Result<()> {
    let far = GROUP.replace("name = ", "provider = aws.far\n  name = ");
    let own = GROUP.replace("name = ", "region = \"us-west-2\"\n  name = ");
    let open = GROUP.replace("name = ", "region = var.other\n  name = ");
    let open = format!("{open}\nvariable \"other\" {{}}\n");
    let cases: [(&str, &str, &str, &[&str]); 8] = [
        ("a region that is permitted", GROUP, "regions: [\"eu-*\"]", &[]),
        (
            "one that is not",
            GROUP,
            "regions: [eu-central-1, us-east-1]",
            &[
                "fail destination/region aws_cloudwatch_log_group.api: keeps access_logs in region eu-west-1; the policy permits eu-central-1, us-east-1",
            ],
        ),
        (
            "that of another provider configuration",
            &far,
            "regions: [\"eu-*\"]",
            &[
                "fail destination/region aws_cloudwatch_log_group.api: keeps access_logs in region us-east-1; the policy permits eu-*",
            ],
        ),
        (
            "its own",
            &own,
            "regions: [\"eu-*\"]",
            &[
                "fail destination/region aws_cloudwatch_log_group.api: keeps access_logs in region us-west-2; the policy permits eu-*",
            ],
        ),
        (
            "one that is not known",
            &open,
            "regions: [\"eu-*\"]",
            &[
                "unknown destination/region aws_cloudwatch_log_group.api: keeps access_logs, and whether in region eu-* is not known",
            ],
        ),
        ("an account that is permitted", GROUP, "accounts: [111122223333]", &[]),
        (
            "one that is not",
            GROUP,
            "accounts: [444455556666]",
            &[
                "fail destination/account aws_cloudwatch_log_group.api: keeps access_logs in account 111122223333; the policy permits 444455556666",
            ],
        ),
        ("that of a role", &far, "accounts: [444455556666]", &[]),
    ];
    for (what, group, destination, expected) in cases {
        let now = judged(group, destination)?;
        ensure!(now == expected, "{what}: {now:#?}");
    }
    Ok(())
}

/// The log account is a root of its own: its stores are judged there.
#[test]
fn a_store_is_judged_in_the_root_that_manages_it() -> anyhow::Result<()> {
    let logging = "provider \"aws\" {
  region              = \"us-east-1\"
  allowed_account_ids = [\"444455556666\"]
}

resource \"aws_s3_bucket\" \"logs\" {
  bucket = \"acme-central-logs\"
}

terraform {
  backend \"s3\" {
    bucket = \"states\"
    key    = \"logging.tfstate\"
    region = \"eu-west-1\"
  }
}

output \"bucket\" {
  value = aws_s3_bucket.logs.bucket
}
";
    let application = "provider \"aws\" {
  region              = \"eu-west-1\"
  allowed_account_ids = [\"111122223333\"]
}

data \"terraform_remote_state\" \"logging\" {
  backend = \"s3\"
  config = {
    bucket = \"states\"
    key    = \"logging.tfstate\"
    region = \"eu-west-1\"
  }
}

resource \"aws_lb\" \"web\" {
  access_logs {
    bucket  = data.terraform_remote_state.logging.outputs.bucket
    enabled = true
  }
}
";
    let policy = policy("regions: [\"eu-*\"], accounts: [444455556666]");
    let files = [("logging/main.tf", logging), ("app/main.tf", application), ("logging.yaml", &policy)];
    let (exit, found) = found(&files, &["check", "."])?;
    let expected = "fail destination/region aws_s3_bucket.logs: keeps access_logs in region us-east-1; the policy permits eu-*";
    ensure!(exit == 1 && found == [expected], "{exit} {found:#?}");
    Ok(())
}

#[test]
fn a_store_that_nobody_manages_is_judged_where_logs_leave() -> anyhow::Result<()> {
    let far = "arn:aws:logs:us-east-1:444455556666:log-group:api";
    let written = format!("destination_arn = \"{far}\"");
    let main = format!(
        "{PROVIDERS}\n{}",
        API.replace("destination_arn = aws_cloudwatch_log_group.api.arn", &written)
    );
    let lb = "resource \"aws_lb\" \"web\" {\n  access_logs {\n    bucket  = \"acme-org-logs\"\n    enabled = true\n  }\n}\n";
    let lb = format!("{PROVIDERS}\n{lb}");
    let external = |rest: &str| {
        format!("external_stores: {{central: {{match: acme-org-logs, retention: 1_year{rest}}}}}\n")
    };
    let cases = [
        ("by its ARN", &main, "regions: [\"eu-*\"]", String::new(), vec![
            format!("fail destination/region aws_apigatewayv2_stage.live: sends access_logs to {far} in region us-east-1; the policy permits eu-*"),
        ]),
        ("by the account of its ARN", &main, "accounts: [444455556666]", String::new(), Vec::new()),
        ("by what the policy says", &lb, "regions: [\"eu-*\"]", external(", region: us-west-2"), vec![
            "fail destination/region aws_lb.web: sends access_logs to acme-org-logs in region us-west-2; the policy permits eu-*".to_owned(),
        ]),
        ("nobody says", &lb, "accounts: [444455556666]", external(""), vec![
            "unknown destination/account aws_lb.web: sends access_logs to acme-org-logs, and whether in account 444455556666 is not known".to_owned(),
        ]),
        ("the policy says", &lb, "accounts: [444455556666]", external(", account: 444455556666"), Vec::new()),
    ];
    for (what, main, destination, rest, expected) in cases {
        let policy = format!("{}{rest}", policy(destination));
        let found = found(&[("main.tf", main), ("logging.yaml", &policy)], &["check", "."])?.1;
        ensure!(found == expected, "{what}: {found:#?}");
    }
    Ok(())
}

#[test]
fn a_plan_says_in_which_region_a_store_is() -> anyhow::Result<()> {
    let resource = |kind: &str, name: &str, after: Value| {
        serde_json::json!({
            "address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name,
            "change": {"actions": ["create"], "before": null, "after": after, "after_unknown": {}},
        })
    };
    let bucket =
        resource("aws_s3_bucket", "logs", serde_json::json!({"bucket": "logs", "region": "us-east-1"}));
    let lb =
        resource("aws_lb", "web", serde_json::json!({"access_logs": [{"bucket": "logs", "enabled": true}]}));
    let plan = serde_json::json!({
        "format_version": "1.2", "complete": true, "configuration": {"root_module": {}},
        "resource_changes": [bucket, lb],
    });
    let policy = policy("regions: [\"eu-*\"]");
    let (_, found) =
        found(&[("plan.json", &plan.to_string()), ("logging.yaml", &policy)], &["check", "plan.json"])?;
    let expected = "fail destination/region aws_s3_bucket.logs: keeps access_logs in region us-east-1; the policy permits eu-*";
    ensure!(found == [expected], "{found:#?}");
    Ok(())
}

/// Of a plan alone, its provider configurations say where what says nothing itself stands.
#[test]
fn a_plan_says_where_its_providers_work() -> anyhow::Result<()> {
    let block = |name: &str, provider: &str| {
        serde_json::json!({"address": format!("aws_cloudwatch_log_group.{name}"), "mode": "managed", "name": name,
            "type": "aws_cloudwatch_log_group", "provider_config_key": provider,
            "expressions": {"name": {"constant_value": name}}})
    };
    let stage = |name: &str| {
        serde_json::json!({"address": format!("aws_apigatewayv2_stage.{name}"), "mode": "managed", "name": name,
            "type": "aws_apigatewayv2_stage", "provider_config_key": "aws", "expressions": {
                "name": {"constant_value": name}, "api_id": {"constant_value": "api-1"},
                "access_log_settings": [{"format": {"constant_value": "$context.requestId"}, "destination_arn": {
                    "references": [format!("aws_cloudwatch_log_group.{name}.arn"), format!("aws_cloudwatch_log_group.{name}")]}}]}})
    };
    let change = |kind: &str, name: &str, after: Value, unknown: Value| {
        serde_json::json!({"address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name,
            "change": {"actions": ["create"], "before": null, "after": after, "after_unknown": unknown}})
    };
    let names = ["here", "far", "secret"];
    let groups = names.iter().map(|name| {
        change(
            "aws_cloudwatch_log_group",
            name,
            serde_json::json!({"name": name}),
            serde_json::json!({"arn": true}),
        )
    });
    let stages = names.iter().map(|name| {
        let after = serde_json::json!({"name": name, "api_id": "api-1", "access_log_settings": [{"format": "$context.requestId"}]});
        let unknown = serde_json::json!({"access_log_settings": [{"destination_arn": true}]});
        change("aws_apigatewayv2_stage", name, after, unknown)
    });
    let providers = serde_json::json!({
        "aws": {"name": "aws", "expressions": {"region": {"references": ["var.region"]},
            "allowed_account_ids": {"constant_value": ["111122223333"]}}},
        "aws.far": {"name": "aws", "alias": "far", "expressions": {"region": {"constant_value": "us-east-1"},
            "assume_role": [{"role_arn": {"constant_value": "arn:aws:iam::444455556666:role/logs"}}]}},
        "aws.secret": {"name": "aws", "alias": "secret", "expressions": {"region": {"references": ["var.secret"]}}},
    });
    let blocks: Vec<Value> = names
        .iter()
        .zip(["aws", "module.logs:aws.far", "aws.secret"])
        .flat_map(|(name, provider)| [block(name, provider), stage(name)])
        .collect();
    let variables = serde_json::json!({"region": {}, "secret": {"sensitive": true}});
    let plan = serde_json::json!({
        "format_version": "1.2", "complete": true,
        "variables": {"region": {"value": "eu-west-1"}, "secret": {"value": "us-hidden-1"}},
        "resource_changes": groups.chain(stages).collect::<Vec<Value>>(),
        "configuration": {"provider_config": providers, "root_module": {"variables": variables, "resources": blocks}},
    });
    let policy = policy("regions: [\"eu-*\"], accounts: [\"111122223333\"]");
    let (_, found) =
        found(&[("plan.json", &plan.to_string()), ("logging.yaml", &policy)], &["check", "plan.json"])?;
    let expected = [
        "fail destination/account aws_cloudwatch_log_group.far: keeps access_logs in account 444455556666; the policy permits 111122223333",
        "unknown destination/account aws_cloudwatch_log_group.secret: keeps access_logs, and whether in account 111122223333 is not known",
        "fail destination/region aws_cloudwatch_log_group.far: keeps access_logs in region us-east-1; the policy permits eu-*",
        "unknown destination/region aws_cloudwatch_log_group.secret: keeps access_logs, and whether in region eu-* is not known",
    ];
    ensure!(found == expected, "{found:#?}");
    Ok(())
}

#[test]
fn a_child_permits_no_more_than_its_parent() -> anyhow::Result<()> {
    let cases = [
        ("regions: [\"eu-*\"]", "regions: [eu-west-1, eu-central-1]", None),
        ("regions: [\"eu-*\"]", "regions: [\"eu-*\", us-east-1]", Some("may only become stricter")),
        ("accounts: [444455556666]", "accounts: [\"*\"]", Some("may only become stricter")),
        ("accounts: [444455556666]", "regions: [eu-west-1]", None),
    ];
    for (parent, child, problem) in cases {
        let child = format!("extends: [parent.yaml]\n{}", policy(child));
        let files = [("main.tf", GROUP), ("parent.yaml", &policy(parent)), ("logging.yaml", &child)];
        let run = Workspace::with(&files)?.run(&["check", ".", "--policy", "logging.yaml"])?;
        let is_told = problem.is_none_or(|problem| run.stderr.contains(problem));
        ensure!((run.exit == 3) == problem.is_some() && is_told, "{parent} {child}: {run:?}");
    }
    let beside = "extends: [one.yaml, two.yaml]\nlogging_policy: {access_logs: {}}\n";
    let (one, two) = (policy("regions: [\"eu-*\"]"), policy("regions: [us-east-1]"));
    let files = [("main.tf", GROUP), ("one.yaml", &*one), ("two.yaml", &*two), ("logging.yaml", beside)];
    let run = Workspace::with(&files)?.run(&["check", ".", "--policy", "logging.yaml"])?;
    ensure!(run.exit == 3 && run.stderr.contains("nothing can meet both"), "{run:?}");
    Ok(())
}

#[test]
fn a_policy_can_mean_the_resources_of_a_region() -> anyhow::Result<()> {
    let far = GROUP.replace("\"api\"", "\"far\"").replace("name = ", "provider = aws.far\n  name = ");
    let open = GROUP.replace("\"api\"", "\"open\"").replace("name = ", "region = var.other\n  name = ");
    let main = format!("{PROVIDERS}\n{GROUP}\n{far}\n{open}\nvariable \"other\" {{}}\n");
    for (scope, expected) in
        [("include: [{region: \"eu-*\"}]", "api open"), ("exclude: [{region: \"eu-*\"}]", "far open")]
    {
        let policy =
            format!("rules: [{{rule: aws/cloudwatch/log-group-retention-unset}}]\nscope: {{{scope}}}\n");
        let workspace = Workspace::with(&[("main.tf", &main), ("logging.yaml", &policy)])?;
        let run = workspace.run(&["check", ".", "--policy", "logging.yaml", "--format", "json"])?;
        let report: Value = serde_json::from_str(&run.stdout).with_context(|| format!("{run:?}"))?;
        let findings = report.get("findings").and_then(Value::as_array).context("findings")?.iter();
        let address = |one: &Value| one["address"].as_str().unwrap_or_default().to_owned();
        let mut names: Vec<String> =
            findings.map(|one| address(one).replace("aws_cloudwatch_log_group.", "")).collect();
        names.sort();
        // What is not known is meant.
        ensure!(names.join(" ") == expected, "{scope}: {names:?}");
    }
    Ok(())
}
