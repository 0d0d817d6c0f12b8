//! Categories that must be recorded in each of the regions that a policy names.

use anyhow::ensure;
use auditlint_tests::workspace::Workspace;

const POLICY: &str = "logging_policy:\n  configuration_changes: {regions: [eu-west-1, us-east-1]}\n";

fn trail(provider: &str, more: &str) -> String {
    format!(
        "provider \"aws\" {{\n  {provider}\n}}\n\nresource \"aws_cloudtrail\" \"main\" {{\n  name           = \"main\"\n  s3_bucket_name = \"log-archive\"\n{more}}}\n"
    )
}

/// The exit code, and what is said of the demand.
fn judged(policy: &str, roots: &[(&str, String)]) -> anyhow::Result<(i32, Vec<String>)> {
    let mut files: Vec<(&str, &str)> = roots.iter().map(|(path, text)| (*path, text.as_str())).collect();
    files.push(("logging.yaml", policy));
    let words = ["check", ".", "--policy", "logging.yaml", "--format", "json"];
    let run = Workspace::with(&files)?.run(&words)?;
    let report: serde_json::Value = serde_json::from_str(&run.stdout)?;
    let found = report.get("findings").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    let said = found.iter().filter(|one| one["rule"] == "policy/required-source").map(|one| {
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        format!("{}: {}", text("verdict"), text("message"))
    });
    Ok((run.exit, said.collect()))
}

#[test]
fn each_region_needs_a_source_in_any_root() -> anyhow::Result<()> {
    let (west, east) = (trail("region = \"eu-west-1\"", ""), trail("region = \"us-east-1\"", ""));
    let (exit, said) = judged(POLICY, &[("west/main.tf", west.clone()), ("east/main.tf", east)])?;
    ensure!(exit == 0 && said.is_empty(), "{said:?}");
    let (exit, said) = judged(POLICY, &[("west/main.tf", west), ("other/main.tf", "locals {}\n".into())])?;
    let missing = "fail: no root of 2 holds a source for configuration_changes in us-east-1";
    ensure!(exit == 1 && said == [missing], "{said:?}");
    let both = [("a/main.tf", String::from("locals {}\n")), ("b/main.tf", String::from("locals {}\n"))];
    let (exit, said) = judged(POLICY, &both)?;
    let nothing = "fail: no root of 2 holds a source for configuration_changes in eu-west-1, us-east-1";
    ensure!(exit == 1 && said == [nothing], "{said:?}");
    Ok(())
}

#[test]
fn what_records_everywhere_is_enough() -> anyhow::Result<()> {
    let multi = |value: &str| {
        let text = trail("region = \"eu-west-1\"", &format!("  is_multi_region_trail = {value}\n"));
        [
            ("main.tf", format!("{text}\nvariable \"multi\" {{}}\n")),
            ("other/main.tf", "locals {}\n".to_owned()),
        ]
    };
    let (exit, said) = judged(POLICY, &multi("true"))?;
    ensure!(exit == 0 && said.is_empty(), "{said:?}");
    let (_, said) = judged(POLICY, &multi("var.multi"))?;
    ensure!(said.first().is_some_and(|one| one.starts_with("unknown: ")), "{said:?}");
    // Where nobody says in which region a trail stands, it may be any.
    let unplaced = [("main.tf", trail("", "")), ("other/main.tf", "locals {}\n".to_owned())];
    let (_, said) = judged(POLICY, &unplaced)?;
    ensure!(said.first().is_some_and(|one| one.starts_with("unknown: ")), "{said:?}");
    Ok(())
}

/// A CDN records what is asked of itself, wherever that comes from: it stands in no region.
#[test]
fn a_service_without_regions_is_in_none_of_them() -> anyhow::Result<()> {
    let policy = "logging_policy:\n  access_logs: {regions: [eu-west-1]}\n";
    let text = "provider \"aws\" {
  region = \"eu-west-1\"
}

resource \"aws_cloudfront_distribution\" \"site\" {
  logging_config {
    bucket = \"logs.s3.amazonaws.com\"
  }
}
";
    let roots = [("main.tf", text.to_owned()), ("other/main.tf", "locals {}\n".to_owned())];
    let (_, said) = judged(policy, &roots)?;
    ensure!(said == ["fail: no root of 2 holds a source for access_logs in eu-west-1"], "{said:?}");
    Ok(())
}

#[test]
fn a_source_outside_covers_the_regions_that_the_policy_says() -> anyhow::Result<()> {
    let outside = |covers: &str| {
        format!(
            "logging_policy:\n  configuration_changes: {{regions: [eu-west-1, us-east-1], provided_by: [central]}}\n\
             external_sources:\n  central: {{categories: [configuration_changes], {covers}attested_by: logs@example.com, review_by: 9999-01-01}}\n"
        )
    };
    let west = [("main.tf", trail("region = \"eu-west-1\"", ""))];
    let (exit, said) = judged(&outside(""), &west)?;
    ensure!(exit == 0 && said.is_empty(), "{said:?}");
    // What is recorded here need not be covered from outside.
    let (exit, said) = judged(&outside("covers: {regions: [us-east-1]}, "), &west)?;
    ensure!(exit == 0 && said.is_empty(), "{said:?}");
    let (exit, said) = judged(&outside("covers: {regions: [eu-west-1]}, "), &west)?;
    ensure!(exit == 1 && said == ["fail: central covers eu-west-1, and us-east-1 is asked"], "{said:?}");
    Ok(())
}

#[test]
fn each_root_that_is_meant_needs_its_own() -> anyhow::Result<()> {
    let policy = "logging_policy:\n  configuration_changes: {required_in: [{path: live/*}], regions: [eu-west-1, us-east-1]}\n";
    let roots = [
        ("live/west/main.tf", trail("region = \"eu-west-1\"", "")),
        ("live/all/main.tf", trail("region = \"eu-west-1\"", "  is_multi_region_trail = true\n")),
        ("test/main.tf", "locals {}\n".to_owned()),
    ];
    let (exit, said) = judged(policy, &roots)?;
    let missing = "fail: root live/west holds no source for configuration_changes in us-east-1";
    ensure!(exit == 1 && said == [missing], "{said:?}");
    Ok(())
}

#[test]
fn regions_are_a_list_of_at_least_one() -> anyhow::Result<()> {
    let policy = "logging_policy:\n  configuration_changes: {regions: []}\n";
    let files = [("main.tf", "locals {}\n"), ("logging.yaml", policy)];
    let run = Workspace::with(&files)?.run(&["check", ".", "--policy", "logging.yaml"])?;
    ensure!(run.exit == 3 && run.stderr.contains("at least one region"), "{run:?}");
    Ok(())
}
