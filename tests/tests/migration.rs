//! `auditlint init --from`: what it writes loads, asks for what the other tool checks, and leaves out what that leaves out.

use anyhow::ensure;
use auditlint_tests::workspace::Workspace;

const MAIN: &str =
    "resource \"aws_cloudtrail\" \"all\" {\n  name           = \"all\"\n  s3_bucket_name = \"logs\"\n}\n";

/// The rules that fail on one trail under the policy that is made from those configs.
fn failing(tool: &str, configs: &[(&str, &str)]) -> anyhow::Result<(Vec<String>, String)> {
    let workspace = Workspace::with(&[&[("main.tf", MAIN)], configs].concat())?;
    let made = workspace.run(&["init", "--from", tool])?;
    ensure!(made.exit == 0, "{made:?}");
    let run = workspace.run(&["check", ".", "--format", "concise"])?;
    ensure!(run.exit <= 1 && run.stderr.is_empty(), "{run:?}");
    let rule = |line: &str| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned());
    let mut rules: Vec<String> = run.stdout.lines().filter_map(rule).collect();
    rules.sort();
    rules.dedup();
    Ok((rules, made.stdout))
}

#[test]
fn what_another_tool_checks_is_asked() -> anyhow::Result<()> {
    const REGIONS: &str = "aws/cloudtrail/multi-region";
    const VALIDATION: &str = "aws/cloudtrail/log-validation";
    for (tool, skip) in [
        ("checkov", [(".checkov.yaml", "skip-check: [CKV_AWS_36]\n")]),
        ("tfsec", [(".tfsec/config.yml", "exclude: [aws-cloudtrail-enable-log-validation]\n")]),
        ("trivy", [(".trivyignore", "AVD-AWS-0016 # later\n")]),
    ] {
        let (all, said) = failing(tool, &[])?;
        let has = |rules: &[String], rule: &str| rules.iter().any(|known| known == rule);
        ensure!(has(&all, REGIONS) && has(&all, VALIDATION), "{tool}: {all:?}");
        ensure!(said.contains("no config: there is none of"), "{said}");
        let (some, said) = failing(tool, &skip)?;
        ensure!(has(&some, REGIONS) && !has(&some, VALIDATION), "{tool}: {some:?}");
        ensure!(!said.contains("no config"), "{said}");
    }
    let (only, said) = failing("checkov", &[(".checkov.yaml", "check: CKV_AWS_67,CKV_AWS_1\n")])?;
    ensure!(only == [REGIONS], "{only:?}");
    ensure!(said.contains("CKV_AWS_1: no rule judges the same fact"), "{said}");
    Ok(())
}

#[test]
fn a_config_that_cannot_be_read_and_one_that_is_there_are_told() -> anyhow::Result<()> {
    let workspace = Workspace::with(&[("main.tf", MAIN), (".checkov.yaml", "check: [\n")])?;
    let run = workspace.run(&["init", "--from", "checkov"])?;
    ensure!(run.exit == 3 && run.stderr.contains(".checkov.yaml:"), "{run:?}");
    workspace.write(".checkov.yaml", "check: [CKV_AWS_67]\n")?;
    ensure!(workspace.run(&["init", "--from", "checkov"])?.exit == 0, "it is written once");
    let run = workspace.run(&["init", "--from", "checkov"])?;
    ensure!(run.exit == 3 && run.stderr.contains("is there already"), "{run:?}");
    Ok(())
}
