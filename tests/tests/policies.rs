//! Policies: environments give the matrix that the policy says; bad input is told with its line; and the tests of the
//! shipped standards pass.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use auditlint_policy::Level;
use auditlint_policy::intent::{FIELDS, FieldKind};
use auditlint_syntax::document::{Node, NodeKind, parse};
use auditlint_tests::binary::run;
use auditlint_tests::repository;
use auditlint_tests::workspace::Workspace;
use serde_json::Value;

fn json(workspace: &Workspace, words: &[&str]) -> anyhow::Result<Value> {
    let words: Vec<&str> = words.iter().copied().chain(["--format", "json"]).collect();
    let run = workspace.run(&words)?;
    serde_json::from_str(&run.stdout).with_context(|| format!("{run:?}"))
}

/// Rule, environment and verdict of each finding.
fn verdicts(report: &Value) -> BTreeSet<String> {
    let found = report["findings"].as_array().map_or(&[][..], Vec::as_slice).iter();
    found
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            let environment =
                one.pointer("/environment/name").and_then(Value::as_str).unwrap_or_default().to_owned();
            format!("{} {environment} {} {}", text("rule"), text("verdict"), text("enforcement"))
        })
        .collect()
}

const WEB: &str = r#"
variable "days" {
  type = number
}

resource "aws_apigatewayv2_stage" "live" {
  api_id = "api-1"
  name   = "live"

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    format          = "$context.requestId"
  }
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "api"
  retention_in_days = var.days
}
"#;

const ENVIRONMENTS: &str = "
policy: [logging.yaml]
roots:
  - path: .
    environments:
      dev: {vars: {days: 7}}
      staging: {vars: {days: 400}}
      production: {vars: {days: 365}}
";

const BY_ENVIRONMENT: &str = "
logging_policy:
  access_logs: {retention: {min: 365_days}}
environments:
  production: {at_least: staging}
  staging: {overlay: {logging_policy: {access_logs: {retention: {min: 90_days}}}}, weaken: approved}
  dev: {overlay: {enforcement: {level: advisory}}, weaken: approved}
";

#[test]
fn environments_give_the_matrix_that_the_policy_says() -> anyhow::Result<()> {
    let workspace = Workspace::with(&[
        ("main.tf", WEB),
        (".auditlint.yaml", ENVIRONMENTS),
        ("logging.yaml", BY_ENVIRONMENT),
    ])?;
    let report = json(&workspace, &["check"])?;
    let expected = [
        "aws/cloudwatch/log-group-retention dev fail advisory",
        "policy/environment-order production fail mandatory",
    ];
    ensure!(verdicts(&report) == expected.map(str::to_owned).into(), "{:#?}", verdicts(&report));
    let order = report["findings"].as_array().context("findings")?.iter();
    let order = order.filter(|one| one["rule"] == "policy/environment-order");
    let message = order.map(|one| one["message"].clone()).next().unwrap_or_default();
    ensure!(message == "keeps logs for 365 days in production, and for 400 days in staging", "{message}");
    let weaker = BY_ENVIRONMENT.replace("min: 90_days", "min: 3_years");
    workspace.write("logging.yaml", &weaker)?;
    let run = workspace.run(&["check"])?;
    ensure!(run.exit == 3 && run.stderr.contains("production is weaker than staging"), "{run:?}");
    ensure!(run.stderr.contains("logging.yaml:5:26"), "{run:?}");
    Ok(())
}

#[test]
fn a_root_is_the_environment_that_its_account_path_workspace_or_variable_says() -> anyhow::Result<()> {
    let policy = "
logging_policy:
  access_logs: {retention: {min: 365_days}}
environments:
  production: {match: {account: \"1111*\"}}
  staging: {match: {variable: {stage: [stg, staging]}}}
  dev: {match: {path: \"dev/*\"}}
";
    let provider = "provider \"aws\" {\n  allowed_account_ids = [\"111122223333\"]\n}\n";
    let variable = "variable \"stage\" {\n  default = \"stg\"\n}\n\nprovider \"aws\" {\n  allowed_account_ids = [\"999999999999\"]\n}\n";
    let other = "provider \"aws\" {\n  allowed_account_ids = [\"999999999999\"]\n}\n";
    let workspace = Workspace::with(&[
        ("a/main.tf", provider),
        ("b/main.tf", variable),
        ("dev/c/main.tf", other),
        ("d/main.tf", "provider \"aws\" {\n  region = \"eu-west-1\"\n}\n"),
        ("logging.yaml", policy),
    ])?;
    let found = workspace.run(&["policy", "env", ".", "--policy", "logging.yaml"])?;
    let lines: Vec<&str> = found.stdout.lines().collect();
    let expected = [
        "a → production: account 111122223333",
        "b → staging: var.stage stg",
        "d → strictest: whether it is production: account is not known",
        // A root that declares no such variable is not staging, and what is not known stays the strictest.
        "dev/c → strictest: whether it is staging: var.stage is not known",
    ];
    ensure!(lines == expected, "{lines:#?}");
    let named = workspace.run(&["policy", "env", "d", "--policy", "logging.yaml", "--env", "dev"])?;
    ensure!(named.stdout == ". → dev: --env\n", "{named:?}");
    Ok(())
}

#[test]
fn what_is_wrong_with_a_policy_has_its_line() -> anyhow::Result<()> {
    let hcl = "resource \"aws_lb\" \"web\" {\n  name = \"web\"\n}\n";
    for (policy, expected) in [
        (
            "extends: policy.yaml\nlogging_policy:\n  access_logs:\n",
            "policy.yaml:1:10: `policy.yaml` extends this policy",
        ),
        (
            "extends: gone.yaml\nlogging_policy:\n  access_logs:\n",
            "policy.yaml:1:10: `gone.yaml` cannot be extended: no such file",
        ),
        ("extends: auditlint:sock2\n", "did you mean `auditlint:soc2`?"),
        (
            "logging_policy:\n  access_logs:\nexemptions:\n  - {id: E1, rule: aws/elb/*, targets: [\"*\"], owner: me, reason: why}\n",
            "policy.yaml:4:5: `expires` is missing",
        ),
        (
            "logging_policy:\n  access_logs:\nenvironments:\n  production: {at_least: staging}\n",
            "policy.yaml:4:26: unknown environment `staging`",
        ),
        ("logging_policy:\n  access_logs: {retention: {min: \"${days}\"}}\n", "unknown parameter `days`"),
        (
            "logging_policy:\n  access_logs: {retention: {min: 6_years, max: 400_days}}\n",
            "at most 400 days is less than the 2190 days that `min` asks for",
        ),
        (
            "extends: [auditlint:hipaa, auditlint:gdpr]\n",
            "keep what each of the two is about in stores of its own",
        ),
        (
            "extends: auditlint:pci-dss\nparameters: {retention: 30_days}\n",
            "policy.yaml:2:25: parameter `retention` is at least 12_months",
        ),
    ] {
        let workspace = Workspace::with(&[("main.tf", hcl), ("policy.yaml", policy)])?;
        let run = workspace.run(&["check", ".", "--policy", "policy.yaml"])?;
        ensure!(run.exit == 3 && run.stdout.is_empty(), "{policy}\n{run:?}");
        ensure!(run.stderr.contains(expected), "{policy}\n{}", run.stderr);
    }
    Ok(())
}

/// Each file of tests in `policies/tests`, as one run reports it.
#[test]
fn the_tests_of_the_shipped_standards_pass() -> anyhow::Result<()> {
    let folder = repository().join("policies/tests");
    let mut files: Vec<Value> = Vec::new();
    // One by one: together they take longer than a run may in a build without optimisation.
    for path in auditlint_tests::files_below(&folder, "yaml")? {
        let run = run(&repository(), &["test", path.as_str(), "--format", "json"])?;
        let report: Value = serde_json::from_str(&run.stdout).with_context(|| format!("{run:?}"))?;
        ensure!(run.exit == 0, "{report:#}");
        files.extend(report["files"].as_array().context("files")?.iter().cloned());
    }
    let scenarios: usize = files.iter().map(|file| file["scenarios"].as_array().map_or(0, Vec::len)).sum();
    ensure!(scenarios >= 120, "{scenarios} scenarios");
    for standard in ["baseline", "soc2", "pci-dss", "hipaa", "gdpr"] {
        let path = format!("policies/tests/{standard}.yaml");
        let file = files.iter().find(|file| file["path"] == path).with_context(|| path.clone())?;
        let mutation = &file["mutation"];
        ensure!(mutation["score"] == 1.0 && mutation["tried"].as_u64() > Some(200), "{path}: {mutation:#}");
        let survivors = mutation["survivors"].as_array().context("survivors")?;
        let reason = |one: &Value| one["allowed"].as_str().is_some_and(|reason| reason.len() > 20);
        ensure!(survivors.iter().all(reason), "{path}: {survivors:#?}");
    }
    Ok(())
}

#[test]
fn a_test_that_expects_something_else_fails() -> anyhow::Result<()> {
    let test = "kind: PolicyTest\npolicy: auditlint:soc2\ncases:\n  - given: {hcl: 'resource \"aws_lb\" \"a\" { name = \"x\" }'}\n    expect: {clean: true}\n";
    let workspace = Workspace::with(&[("soc2_test.yaml", test)])?;
    let run = workspace.run(&["test"])?;
    ensure!(
        run.exit == 1 && run.stdout.contains("not expected: fail aws/elb/load-balancer-access-logs"),
        "{run:?}"
    );
    for format in ["tap", "junit", "json"] {
        let run = workspace.run(&["test", "--format", format])?;
        ensure!(run.exit == 1 && run.stdout.contains("aws/elb/load-balancer-access-logs"), "{run:?}");
    }
    workspace
        .write("soc2_test.yaml", "kind: PolicyTest\npolicy: gone.yaml\ncases: [{expect: {clean: true}}]\n")?;
    let run = workspace.run(&["test"])?;
    ensure!(run.exit == 3 && run.stdout.contains("gone.yaml"), "{run:?}");
    Ok(())
}

/// A policy that nobody tests has mutants that nothing notices.
#[test]
fn an_environment_is_that_of_the_unit_of_its_account() -> anyhow::Result<()> {
    let policy = |unit: &str| {
        format!(
            "logging_policy: {{access_logs: {{}}}}
accounts:
  111122223333: Workloads/Production
  444455556666: Sandbox
environments:
  production: {{match: {{organizational_unit: {unit}}}}}
  sandbox: {{match: {{organizational_unit: Sandbox}}}}
"
        )
    };
    let root = |account: &str| format!("provider \"aws\" {{\n  allowed_account_ids = [\"{account}\"]\n}}\n");
    let files = [
        ("a/main.tf", root("111122223333")),
        ("b/main.tf", root("444455556666")),
        ("c/main.tf", root("999999999999")),
        ("logging.yaml", policy("Workloads")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let workspace = Workspace::with(&files)?;
    let found = workspace.run(&["policy", "env", ".", "--policy", "logging.yaml"])?;
    let lines: Vec<&str> = found.stdout.lines().collect();
    let [a, b, c] = lines.as_slice() else { anyhow::bail!("{found:?}") };
    ensure!(a.starts_with("a \u{2192} production") && b.starts_with("b \u{2192} sandbox"), "{found:?}");
    ensure!(c.starts_with("c \u{2192} strictest"), "{found:?}");
    workspace.write("logging.yaml", &policy("Workload"))?;
    let run = workspace.run(&["check", ".", "--policy", "logging.yaml"])?;
    ensure!(
        run.exit == 3 && run.stderr.contains("logging.yaml:6"),
        "an environment that no account is in: {run:?}"
    );
    Ok(())
}

#[test]
fn a_scenario_says_what_a_plan_leaves_for_a_look_after_the_apply() -> anyhow::Result<()> {
    let tests = |obligations: &str| {
        format!(
            "kind: PolicyTest
policy: [logging.yaml]
cases:
  - name: the days are known after apply
    given:
      plan:
        resource: aws_cloudwatch_log_group.app
        actions: [create]
        after: {{name: app}}
        after_unknown: {{retention_in_days: true}}
    expect: {{obligations: {obligations}, exit: 0}}
"
        )
    };
    let rule = "aws/cloudwatch/log-group-retention-unset";
    let policy = format!("rules: [{{rule: {rule}}}]\nenforcement: {{on_unknown: block}}\n");
    let files = [("logging.yaml", policy.as_str()), ("plan_test.yaml", &tests(&format!("[{rule}]")))];
    let workspace = Workspace::with(&files)?;
    let run = workspace.run(&["test", "."])?;
    ensure!(
        run.exit == 1 && run.stdout.contains("exit code 2, expected 0"),
        "what blocks is not deferred: {run:?}"
    );
    workspace.write("logging.yaml", &policy.replace("block", "warn"))?;
    ensure!(workspace.run(&["test", "."])?.exit == 0, "{:?}", workspace.run(&["test", "."])?);
    workspace.write("plan_test.yaml", &tests("[]"))?;
    let run = workspace.run(&["test", "."])?;
    let told = format!("obligations: {rule}, expected none");
    ensure!(run.exit == 1 && run.stdout.contains(&told), "{run:?}");
    Ok(())
}

#[test]
fn mutants_that_nothing_notices_are_named() -> anyhow::Result<()> {
    let policy = "logging_policy:\n  access_logs: {retention: {min: 365_days}}\n";
    let test = "kind: PolicyTest\npolicy: policy.yaml\ncases:\n  - given: {hcl: 'resource \"aws_lb\" \"a\" { name = \"x\" }'}\n    expect: {fail: [aws/elb/load-balancer-access-logs]}\nmutate: {}\n";
    let workspace = Workspace::with(&[("policy.yaml", policy), ("policy_test.yaml", test)])?;
    let run = workspace.run(&["test"])?;
    ensure!(run.exit == 1, "{run:?}");
    ensure!(run.stdout.contains("nothing notices loosen of access_logs.retention.min"), "{run:?}");
    ensure!(!run.stdout.contains("nothing notices drop_category"), "{run:?}");
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "tests read and record what lies in the repository")]
fn published(file: &str, words: &[&str]) -> anyhow::Result<Value> {
    let run = run(&repository(), words)?;
    let path = repository().join("policies/schema").join(file);
    if auditlint_tests::overwrites() {
        std::fs::create_dir_all(path.parent().context("a folder")?)?;
        std::fs::write(&path, &run.stdout)?;
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    ensure!(published == run.stdout, "{path} is not what `auditlint {}` prints", words.join(" "));
    Ok(serde_json::from_str(&published)?)
}

/// A document as the validator of the schema sees it.
fn plain(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Bool(value) => Value::from(*value),
        NodeKind::Number(value, text) => {
            text.parse::<i64>().map_or_else(|_| Value::from(*value), Value::from)
        }
        NodeKind::String(text) => Value::from(text.as_str()),
        NodeKind::List(items) => items.iter().map(plain).collect(),
        NodeKind::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.clone(), plain(&entry.value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

/// Policies and tests as they are shipped, and what users write, are as the schemas say.
#[test]
fn what_is_shipped_loads_and_is_as_the_published_schemas_say() -> anyhow::Result<()> {
    let policies = jsonschema::validator_for(&published("policy.json", &["policy", "schema"])?)?;
    let tests = jsonschema::validator_for(&published("test.json", &["policy", "schema", "--tests"])?)?;
    let folder = repository().join("policies");
    let mut count = 0;
    for below in ["standards", "examples", "tests"] {
        for path in auditlint_tests::files_below(&folder.join(below), "yaml")? {
            #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
            let text = std::fs::read_to_string(&path)?;
            let document = parse(&text);
            ensure!(document.problems.is_empty(), "{path}: {:?}", document.problems);
            let schema = if below == "tests" { &tests } else { &policies };
            let value = plain(&document.root);
            let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
            ensure!(errors.is_empty(), "{path}: {errors:#?}");
            ensure!(text.starts_with("# yaml-language-server: $schema="), "{path} names no schema");
            if below != "tests" {
                let shown = run(&repository(), &["policy", "show", "--policy", path.as_str()])?;
                ensure!(shown.exit == 0, "{path}: {shown:?}");
            }
            count += 1;
        }
    }
    ensure!(count >= 18, "{count} files");
    for wrong in
        ["logging_policy: {access_log: {}}", "logging_policy: {access_logs: {retention: {min: soon}}}"]
    {
        ensure!(!policies.is_valid(&plain(&parse(wrong).root)), "{wrong}");
    }
    Ok(())
}

#[test]
fn the_page_names_every_field_and_level() -> anyhow::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
    let page = std::fs::read_to_string(repository().join("docs/organisation.md"))?;
    for spec in &FIELDS {
        let name = format!("`{}`", spec.field.name());
        ensure!(page.contains(&name), "{name}");
        if let FieldKind::Words(words) = spec.kind {
            ensure!(words.iter().all(|word| page.contains(&format!("`{word}`"))), "{name}: {words:?}");
        }
    }
    ensure!(Level::ALL.iter().all(|level| page.contains(&format!("`{}`", level.as_str()))));
    Ok(())
}

/// Two standards each have a parameter `retention`: each keeps its own bounds, and whoever sets it sets both.
#[test]
fn policies_side_by_side_may_have_parameters_of_the_same_name() -> anyhow::Result<()> {
    let both = |value: &str| format!("extends: [auditlint:soc2, auditlint:pci-dss]\n{value}");
    let workspace = Workspace::with(&[("policy.yaml", &both(""))])?;
    let show = ["policy", "show", "--policy", "policy.yaml", "--why", "access_logs.retention.min"];
    let run = workspace.run(&show)?;
    ensure!(run.stdout.starts_with("access_logs.retention.min: 365 days"), "{run:?}");
    workspace.write("policy.yaml", &both("parameters: {retention: 2_years}\n"))?;
    let run = workspace.run(&show)?;
    ensure!(run.stdout.starts_with("access_logs.retention.min: 730 days"), "{run:?}");
    // What one of them would take, the other does not.
    workspace.write("policy.yaml", &both("parameters: {retention: 100_days}\n"))?;
    let run = workspace.run(&show)?;
    ensure!(run.exit == 3 && run.stderr.contains("at least 12_months"), "{run:?}");
    Ok(())
}
