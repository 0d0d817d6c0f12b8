//! Exceptions: exemptions, comments, the baseline, and that a change does not excuse itself.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use auditlint_analysis::{AnalysisHost, Change, RootSpec, Settings, load_policies};
use auditlint_graph::terraform::RootInputs;
use auditlint_syntax::MemoryFiles;
use auditlint_tests::catalogue;
use auditlint_tests::workspace::Workspace;
use camino::Utf8Path;
use serde_json::Value;

const HCL: &str = "resource \"aws_lb\" \"web\" {\n  name = \"web\"\n}\n";
const POLICY: &str = "logging_policy:\n  access_logs:\n";
const CONFIG: &str = "policy: [logging.yaml]\n";
const EXEMPTION: &str = "exemptions:
  - id: EX-1
    rule: aws/elb/*
    targets: [aws_lb.web]
    owner: web@example.com
    approved_by: ciso@example.com
    reason: it is replaced in spring
    created: 2026-11-01
    expires: 2099-03-31
";
const COMMENT: &str =
    "# auditlint:ignore aws/elb/load-balancer-access-logs by=web -- it is replaced in spring\n";

fn check(workspace: &Workspace, words: &[&str]) -> anyhow::Result<(i32, Value)> {
    let words: Vec<&str> =
        ["check", ".", "--format", "json", "--show", "exempt"].iter().chain(words).copied().collect();
    let run = workspace.run(&words)?;
    Ok((run.exit, serde_json::from_str(&run.stdout).with_context(|| format!("{run:?}"))?))
}

/// Each finding as `rule verdict`.
fn found(report: &Value) -> Vec<String> {
    let all = report["findings"].as_array().map_or(&[][..], Vec::as_slice).iter();
    let one = |one: &Value| {
        format!("{} {}", one["rule"].as_str().unwrap_or(""), one["verdict"].as_str().unwrap_or(""))
    };
    let mut found: Vec<String> = all.map(one).collect();
    found.sort();
    found
}

fn repository(files: &[(&str, &str)]) -> anyhow::Result<Workspace> {
    let workspace = Workspace::with(files)?;
    workspace.git(&["init", "--quiet", "--initial-branch=main"])?;
    workspace.commit()?;
    workspace.git(&["checkout", "--quiet", "-b", "change"])?;
    Ok(workspace)
}

const FAILS: &str = "aws/elb/load-balancer-access-logs fail";
const IDLE: &str = "policy/suppression fail";
const EXEMPT: &str = "aws/elb/load-balancer-access-logs exempt";

/// Exemptions in a file of their own, which somebody else owns.
#[test]
fn exemptions_may_stand_in_a_file_of_their_own() -> anyhow::Result<()> {
    let config = "policy: [logging.yaml, exemptions.yaml]\n";
    let workspace = Workspace::with(&[
        ("main.tf", HCL),
        (".auditlint.yaml", config),
        ("logging.yaml", POLICY),
        ("exemptions.yaml", EXEMPTION),
    ])?;
    let (exit, report) = check(&workspace, &[])?;
    ensure!(exit == 0 && found(&report) == [EXEMPT], "{report:#}");
    Ok(())
}

#[test]
fn an_exemption_excuses_until_its_day_and_is_shown() -> anyhow::Result<()> {
    let policy = format!("{POLICY}{EXEMPTION}");
    let workspace =
        Workspace::with(&[("main.tf", HCL), (".auditlint.yaml", CONFIG), ("logging.yaml", &policy)])?;
    let (exit, report) = check(&workspace, &[])?;
    ensure!(exit == 0 && found(&report) == [EXEMPT], "{report:#}");
    ensure!(report["summary"]["exempt"] == 1, "{report:#}");
    let why = report["findings"][0]["exemption"].to_string();
    for part in ["EX-1", "web@example.com", "ciso@example.com", "2099-03-31", "replaced in spring"] {
        ensure!(why.contains(part), "{why}");
    }
    workspace.write("logging.yaml", &policy.replace("2099", "2026"))?;
    let (exit, report) = check(&workspace, &[])?;
    ensure!(exit == 1 && found(&report) == [FAILS, "policy/exemption-expired fail"], "{report:#}");
    workspace.write("logging.yaml", &policy.replace("aws_lb.web", "aws_lb.other"))?;
    let (_, report) = check(&workspace, &[])?;
    ensure!(found(&report) == [FAILS, "policy/exemption-unused fail"], "{report:#}");
    // It lapses when what it was made for is another thing.
    workspace.write("logging.yaml", &format!("{policy}    digest: sha256:0\n"))?;
    let (exit, report) = check(&workspace, &[])?;
    ensure!(exit == 1 && found(&report).contains(&FAILS.to_owned()), "{report:#}");
    Ok(())
}

#[test]
fn a_policy_from_elsewhere_says_what_the_repository_may_do() -> anyhow::Result<()> {
    let own = format!("{POLICY}{EXEMPTION}");
    let commented = format!("{COMMENT}{HCL}");
    let elsewhere = Workspace::with(&[("central.yaml", POLICY)])?;
    let central = elsewhere.top().join("central.yaml").to_string();
    let words = ["--policy", central.as_str()];
    let workspace =
        Workspace::with(&[("main.tf", HCL), (".auditlint.yaml", CONFIG), ("logging.yaml", &own)])?;
    let (exit, report) = check(&workspace, &words)?;
    ensure!(exit == 1 && found(&report) == [FAILS, "policy/suppression fail"], "{report:#}");
    workspace.write("main.tf", &commented)?;
    workspace.write("logging.yaml", POLICY)?;
    let (exit, report) = check(&workspace, &words)?;
    ensure!(exit == 1 && found(&report) == [FAILS, IDLE], "{report:#}");
    // What the repository leaves out would be exempt in all but name.
    workspace.write(".auditlint.yaml", "policy: [logging.yaml]\nignore_paths: [inner]\n")?;
    workspace.write("inner/main.tf", HCL)?;
    ensure!(found(&check(&workspace, &words)?.1) == [FAILS, FAILS, IDLE]);
    ensure!(found(&check(&workspace, &[])?.1) == [EXEMPT]);
    workspace.write("inner/main.tf", "")?;
    workspace.write(".auditlint.yaml", CONFIG)?;
    // Each of them counts once the policy allows it.
    elsewhere.write("central.yaml", &format!("{POLICY}repository: {{suppress: true}}\n"))?;
    ensure!(found(&check(&workspace, &words)?.1) == [EXEMPT]);
    elsewhere.write("central.yaml", &format!("{POLICY}repository: {{suppress: {{max: 30_days}}}}\n"))?;
    ensure!(found(&check(&workspace, &words)?.1) == [FAILS, IDLE]);
    elsewhere
        .write("central.yaml", &format!("{POLICY}repository: {{suppress: {{severity_below: medium}}}}\n"))?;
    ensure!(found(&check(&workspace, &words)?.1) == [FAILS, IDLE]);
    workspace.write("main.tf", HCL)?;
    workspace.write("logging.yaml", &own)?;
    elsewhere.write("central.yaml", &format!("{POLICY}repository: {{may_exempt: [aws/elb/*]}}\n"))?;
    ensure!(found(&check(&workspace, &words)?.1) == [EXEMPT]);
    let strict = "repository: {may_exempt: true, max_exemption: 90_days, approvers: [ciso@example.com]}\n";
    elsewhere.write("central.yaml", &format!("{POLICY}{strict}"))?;
    let (_, report) = check(&workspace, &words)?;
    ensure!(found(&report) == [FAILS, "policy/suppression fail"], "{report:#}");
    Ok(())
}

#[test]
fn the_baseline_only_shrinks_and_what_worsens_is_new() -> anyhow::Result<()> {
    let group = |days: u32| {
        format!(
            "resource \"aws_apigatewayv2_stage\" \"a\" {{\n  api_id = \"a\"\n  name   = \"a\"\n\n  access_log_settings {{\n    destination_arn = aws_cloudwatch_log_group.a.arn\n    format          = \"x\"\n  }}\n}}\n\nresource \"aws_cloudwatch_log_group\" \"a\" {{\n  name              = \"a\"\n  retention_in_days = {days}\n}}\n"
        )
    };
    let policy = "logging_policy:\n  access_logs: {retention_period: 365_days}\n";
    let workspace = Workspace::with(&[
        ("main.tf", &format!("{HCL}\n{}", group(90))),
        (".auditlint.yaml", CONFIG),
        ("logging.yaml", policy),
    ])?;
    let run = workspace.run(&["baseline", "diff"])?;
    ensure!(run.exit == 3 && run.stderr.contains("baseline create"), "{run:?}");
    let run = workspace.run(&["baseline", "create"])?;
    ensure!(run.exit == 0 && run.stdout.starts_with("2 findings and 0 gaps"), "{run:?}");
    let retention = "aws/cloudwatch/log-group-retention exempt";
    let (exit, report) = check(&workspace, &[])?;
    ensure!(exit == 0 && found(&report) == [retention, EXEMPT], "{report:#}");
    // What worsens is new; what is mended leaves the baseline and does not come back.
    workspace.write("main.tf", &format!("{HCL}\n{}", group(7)))?;
    let (exit, report) = check(&workspace, &[])?;
    ensure!(
        exit == 1 && found(&report).contains(&"aws/cloudwatch/log-group-retention fail".to_owned()),
        "{report:#}"
    );
    let run = workspace.run(&["baseline", "diff"])?;
    ensure!(run.exit == 1 && run.stdout.contains("another one now"), "{run:?}");
    workspace.write("main.tf", &group(400))?;
    let run = workspace.run(&["baseline", "update"])?;
    ensure!(run.stdout == "2 taken out, 0 findings and 0 gaps stay\n", "{run:?}");
    workspace.write("main.tf", HCL)?;
    let (exit, report) = check(&workspace, &[])?;
    ensure!(exit == 1 && found(&report) == [FAILS], "{report:#}");
    let run = workspace.run(&["baseline", "create"])?;
    ensure!(run.exit == 3, "{run:?}");
    Ok(())
}

/// Whoever says of a module that nobody can read what it provides does so before it is used.
#[test]
fn a_change_does_not_vouch_for_what_nobody_reads() -> anyhow::Result<()> {
    let call = "module \"trail\" {\n  source = \"acme/trail/aws\"\n}\n";
    let modules =
        "modules:\n  - {source: acme/trail/aws, provides: [], attested_by: us, review_by: 9999-12-31}\n";
    let workspace = repository(&[("main.tf", call), (".auditlint.yaml", CONFIG), ("logging.yaml", POLICY)])?;
    workspace.write("logging.yaml", &format!("{POLICY}{modules}"))?;
    workspace.commit()?;
    let (_, report) = check(&workspace, &[])?;
    ensure!(report.pointer("/summary/gaps") == Some(&Value::from(0)), "{report:#}");
    let (exit, report) = check(&workspace, &["--base-ref", "main"])?;
    ensure!(exit == 1 && report.pointer("/summary/gaps") == Some(&Value::from(1)), "{report:#}");
    ensure!(found(&report).contains(&"policy/self-exemption fail".to_owned()), "{report:#}");
    Ok(())
}

/// What a change does to excuse itself.
type Way<'w> = &'w dyn Fn(&Workspace) -> anyhow::Result<()>;

/// An exemption, a baseline entry, a comment and a weaker policy: each counts in the change that adds it without
/// `--base-ref`, and is a finding with it.
#[test]
fn a_change_does_not_excuse_itself() -> anyhow::Result<()> {
    let self_exemption = "policy/self-exemption fail".to_owned();
    let start = [("main.tf", HCL), (".auditlint.yaml", CONFIG), ("logging.yaml", POLICY)];
    let ways: [(&str, Way<'_>); 4] = [
        ("exemption", &|workspace| workspace.write("logging.yaml", &format!("{POLICY}{EXEMPTION}"))),
        ("baseline", &|workspace| {
            ensure!(workspace.run(&["baseline", "create"])?.exit == 0);
            Ok(())
        }),
        ("comment", &|workspace| workspace.write("main.tf", &format!("{COMMENT}{HCL}"))),
        ("weaker policy", &|workspace| workspace.write("logging.yaml", "logging_policy:\n  network_flow:\n")),
    ];
    for (way, change) in ways {
        let workspace = repository(&start)?;
        ensure!(found(&check(&workspace, &["--base-ref", "main"])?.1) == [FAILS], "{way}");
        change(&workspace)?;
        workspace.commit()?;
        let (exit, report) = check(&workspace, &[])?;
        ensure!(exit == 0, "{way} does not excuse: {report:#}");
        let (exit, report) = check(&workspace, &["--base-ref", "main"])?;
        ensure!(exit == 1, "{way}: {report:#}");
        ensure!(found(&report).contains(&FAILS.to_owned()), "{way}: {report:#}");
        ensure!(found(&report).contains(&self_exemption), "{way}: {report:#}");
        // Once it is merged it counts.
        workspace.git(&["branch", "--force", "main"])?;
        let (exit, report) = check(&workspace, &["--base-ref", "main"])?;
        ensure!(exit == 0, "{way}: {report:#}");
    }
    let workspace = repository(&start)?;
    let run = workspace.run(&["check", ".", "--base-ref", "gone"])?;
    ensure!(run.exit == 3 && run.stderr.contains("no revision gone"), "{run:?}");
    Ok(())
}

/// Comments of checkov, tfsec, trivy and KICS by which those pass over the same fact.
#[test]
fn comments_of_other_tools_count_as_the_policy_says() -> anyhow::Result<()> {
    let inside = "resource \"aws_lb\" \"web\" {\n  # checkov:skip=CKV_AWS_91:it is replaced in spring\n  name = \"web\"\n}\n";
    let above = |comment: &str| format!("# {comment}\n{HCL}");
    let config = |word: &str| format!("{POLICY}foreign_suppressions: {word}\n");
    let workspace =
        Workspace::with(&[("main.tf", inside), (".auditlint.yaml", CONFIG), ("logging.yaml", POLICY)])?;
    ensure!(found(&check(&workspace, &[])?.1) == [FAILS]);
    workspace.write("logging.yaml", &config("report"))?;
    let (_, report) = check(&workspace, &[])?;
    ensure!(found(&report) == [FAILS], "{report:#}");
    ensure!(
        report.to_string().contains("another tool passes over it: `checkov:skip=CKV_AWS_91"),
        "{report:#}"
    );
    workspace.write("logging.yaml", &config("honour"))?;
    let (exit, report) = check(&workspace, &[])?;
    ensure!(exit == 0 && found(&report) == [EXEMPT], "{report:#}");
    for (comment, expected) in [
        ("tfsec:ignore:aws-elb-alb-not-public", vec![FAILS]),
        ("trivy:ignore:*", vec![EXEMPT]),
        ("trivy:ignore:*:exp:2020-01-31", vec![FAILS, IDLE]),
        ("kics-scan ignore-block", vec![EXEMPT]),
        ("checkov:skip=CKV_AWS_1:another fact", vec![FAILS]),
        ("kics-scan nonsense", vec![FAILS, IDLE]),
    ] {
        workspace.write("main.tf", &above(comment))?;
        let (_, report) = check(&workspace, &[])?;
        ensure!(found(&report) == expected, "{comment}: {report:#}");
    }
    Ok(())
}

#[test]
fn what_is_soft_can_be_overridden_by_name_and_what_is_off_is_counted() -> anyhow::Result<()> {
    let policy = |level: &str| format!("{POLICY}enforcement: {{level: {level}}}\n");
    let workspace = Workspace::with(&[
        ("main.tf", HCL),
        (".auditlint.yaml", CONFIG),
        ("logging.yaml", &policy("soft-mandatory")),
    ])?;
    ensure!(check(&workspace, &[])?.0 == 1);
    let words = ["--override", "ciso@example.com: it is replaced in spring"];
    let (exit, report) = check(&workspace, &words)?;
    ensure!(exit == 0 && found(&report) == [FAILS], "{report:#}");
    let by = report.pointer("/run/override").context("override")?;
    ensure!(by["by"] == words[1] && by["findings"] == 1, "{by:#}");
    let shown = workspace.run(&["check", ".", words[0], words[1]])?.stdout;
    ensure!(shown.contains("1 soft-mandatory finding overridden by ciso@example.com"), "{shown}");
    workspace.write("logging.yaml", &policy("mandatory"))?;
    ensure!(check(&workspace, &words)?.0 == 1);
    workspace.write("logging.yaml", &policy("\"off\""))?;
    let (exit, report) = check(&workspace, &[])?;
    ensure!(exit == 0 && found(&report).is_empty() && report["summary"]["off"] == 1, "{report:#}");
    Ok(())
}

/// In an editor as well, whether the root is judged once or followed.
#[test]
fn a_gap_of_the_first_day_is_shown_to_nobody() -> anyhow::Result<()> {
    let broken = "resource \"aws_lb\" \"web\" {\n  name = = 1\n}\n";
    let policy = "logging_policy:\n  access_logs:\n";
    let workspace = Workspace::with(&[("main.tf", broken), (".auditlint.yaml", policy)])?;
    let run = workspace.run(&["baseline", "create"])?;
    ensure!(run.exit == 0, "{run:?}");
    let baseline = workspace.read(".auditlint.baseline.json")?;
    let gaps = |follow_edits: bool, baseline: Option<&str>| -> anyhow::Result<usize> {
        let files = [("main.tf", broken), (".auditlint.yaml", policy)];
        let files = files.into_iter().chain(baseline.map(|text| (".auditlint.baseline.json", text)));
        let files = Arc::new(MemoryFiles::of(files));
        let set = load_policies(&catalogue()?, &*files, Utf8Path::new(""), &[])?;
        let mut host = AnalysisHost::new(files, set, Settings { follow_edits, ..Settings::default() });
        let inputs = RootInputs::default();
        host.apply_change(Change::Roots(vec![RootSpec::Folder { inputs, environment: None }]));
        let analysis = host.analysis();
        let file = analysis.files().paths().id(Utf8Path::new("main.tf"));
        let roots = analysis.roots();
        analysis.findings_in(file, &roots).map_err(|_| anyhow::anyhow!("cancelled"))?;
        Ok(analysis.gaps(file, &roots).map_err(|_| anyhow::anyhow!("cancelled"))?.len())
    };
    for follows in [false, true] {
        ensure!(gaps(follows, None)? == 1, "follows: {follows}");
        ensure!(gaps(follows, Some(&baseline))? == 0, "follows: {follows}");
    }
    Ok(())
}
