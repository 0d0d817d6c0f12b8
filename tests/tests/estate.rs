//! Roots that are checked together, as the command line shows them: the fixture `estate` as it stands, each of its
//! roots alone, and with a value changed in one of them.

#![expect(clippy::indexing_slicing, reason = "a key that a report lacks must fail the test")]

use anyhow::{Context as _, ensure};
use auditlint_tests::binary::{Run, run};
use auditlint_tests::{files_below, repository};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

/// A copy of the fixture that may be changed.
struct Estate {
    _folder: tempfile::TempDir,
    top: Utf8PathBuf,
}

impl Estate {
    fn copy() -> anyhow::Result<Self> {
        let fixture = repository().join("fixtures/estate");
        let folder = tempfile::tempdir()?;
        let top = Utf8PathBuf::try_from(folder.path().to_owned())?;
        for path in files_below(&fixture, "tf")?.into_iter().chain([fixture.join("logging.yaml")]) {
            let copy = top.join(path.strip_prefix(&fixture)?);
            std::fs::create_dir_all(copy.parent().context("a folder")?)?;
            std::fs::copy(&path, &copy)?;
        }
        Ok(Self { _folder: folder, top })
    }

    #[expect(clippy::disallowed_methods, reason = "the test changes its own copy")]
    fn change(&self, path: &str, from: &str, to: &str) -> anyhow::Result<()> {
        let path = self.top.join(path);
        let text = std::fs::read_to_string(&path)?;
        ensure!(text.contains(from), "{path} has no {from}");
        std::fs::write(&path, text.replace(from, to))?;
        Ok(())
    }

    fn check(&self, folders: &[&str], more: &[&str]) -> anyhow::Result<Run> {
        let words: Vec<&str> = ["check"]
            .iter()
            .chain(folders)
            .chain(&["--policy", "logging.yaml"])
            .chain(more)
            .copied()
            .collect();
        run(&self.top, &words)
    }

    fn findings(&self, folders: &[&str]) -> anyhow::Result<Vec<Value>> {
        let report: Value = serde_json::from_str(&self.check(folders, &["--format", "json"])?.stdout)?;
        Ok(report["findings"].as_array().context("findings")?.clone())
    }
}

#[test]
fn together_they_are_clean() -> anyhow::Result<()> {
    for folders in [&["."][..], &["application", "logging", "network"]] {
        let run = Estate::copy()?.check(folders, &[])?;
        ensure!(run.exit == 0 && run.stdout.contains("\nclean\n"), "{}", run.stdout);
        ensure!(run.stdout.contains("2 log sources · 2 proven"), "{}", run.stdout);
    }
    Ok(())
}

#[test]
fn alone_each_is_undecided_and_says_what_is_not_here() -> anyhow::Result<()> {
    let estate = Estate::copy()?;
    for (folder, cause) in [
        ("application", "data.terraform_remote_state.of"),
        ("logging", "data.aws_ssm_parameter.log_retention.insecure_value"),
        ("network", "data.terraform_remote_state.logging"),
    ] {
        let findings = estate.findings(&[folder])?;
        ensure!(!findings.is_empty(), "{folder} has no finding");
        for finding in findings {
            ensure!(finding["verdict"] == "unknown", "{finding}");
            ensure!(finding["cause"]["kind"] == "elsewhere" && finding["cause"]["ref"] == cause, "{finding}");
            let hint = finding["cause"]["hint"].as_str().unwrap_or_default();
            ensure!(hint.contains("in this run") && hint.contains("check the roots together"), "{hint}");
        }
    }
    Ok(())
}

#[test]
fn a_value_shortened_in_one_root_fails_in_another_and_names_them_all() -> anyhow::Result<()> {
    let estate = Estate::copy()?;
    estate.change("network/main.tf", "\"180\"", "\"30\"")?;
    let run = estate.check(&["."], &[])?;
    ensure!(run.exit == 1, "{}", run.stdout);
    let findings = estate.findings(&["."])?;
    let [finding] = findings.as_slice() else { anyhow::bail!("{findings:#?}") };
    ensure!(finding["rule"] == "aws/s3/log-bucket-retention" && finding["verdict"] == "fail", "{finding}");
    ensure!(finding["root"] == "logging", "{finding}");
    ensure!(finding["address"] == "module.access_logs.aws_s3_bucket.logs", "{finding}");
    let paths: Vec<&str> = finding["related"]
        .as_array()
        .context("related")?
        .iter()
        .filter_map(|one| one["path"].as_str())
        .collect();
    for path in ["application/main.tf", "network/main.tf"] {
        ensure!(paths.contains(&path), "{finding:#}");
    }
    let sources: Vec<String> = finding["flows"]
        .as_array()
        .context("flows")?
        .iter()
        .map(|flow| format!("{} {}", flow[0]["root"].as_str().unwrap_or("-"), flow[0]["address"]))
        .collect();
    ensure!(sources == ["application \"aws_lb.web\"", "network \"aws_lb.entry\""], "{sources:?}");
    Ok(())
}

#[test]
fn a_source_shows_the_store_in_the_other_root() -> anyhow::Result<()> {
    let run = Estate::copy()?.check(&["."], &["--format", "json", "--show", "pass"])?;
    let report: Value = serde_json::from_str(&run.stdout)?;
    let all = report["findings"].as_array().context("findings")?;
    let source = all.iter().find(|finding| finding["address"] == "aws_lb.web").context("aws_lb.web")?;
    let store = &source["flows"][0][1];
    ensure!(store["root"] == "logging" && store["role"] == "store", "{source:#}");
    ensure!(store["address"] == "module.access_logs.aws_s3_bucket.logs", "{source:#}");
    Ok(())
}

#[test]
fn a_root_whose_state_is_another_one_is_not_meant() -> anyhow::Result<()> {
    let estate = Estate::copy()?;
    estate.change("logging/main.tf", "\"logging/terraform.tfstate\"", "\"logs/terraform.tfstate\"")?;
    let findings = estate.findings(&["."])?;
    let verdicts: Vec<&Value> = findings.iter().map(|finding| &finding["verdict"]).collect();
    ensure!(verdicts == ["unknown", "unknown"], "{findings:#?}");
    Ok(())
}

/// Each root says what the one before it says; and each pair of roots reads both of the pair before.
#[test]
#[expect(clippy::disallowed_methods, reason = "the test makes a workspace")]
fn long_chains_and_wide_nets_of_roots_are_bounded() -> anyhow::Result<()> {
    let state = |key: &str| format!("{{ bucket = \"states\", key = \"{key}\" }}");
    let backend = |key: &str| {
        format!(
            "terraform {{\n  backend \"s3\" {{\n    bucket = \"states\"\n    key    = \"{key}\"\n  }}\n}}\n"
        )
    };
    let read = |key: &str| {
        format!(
            "data \"terraform_remote_state\" \"{key}\" {{\n  backend = \"s3\"\n  config  = {}\n}}\n",
            state(key)
        )
    };
    let folder = tempfile::tempdir()?;
    let top = Utf8PathBuf::try_from(folder.path().to_owned())?;
    std::fs::write(top.join("logging.yaml"), "rules: [aws/cloudwatch/log-group-retention]\n")?;
    let group = |value: &str| {
        format!(
            "resource \"aws_cloudwatch_log_group\" \"g\" {{\n  name              = \"g\"\n  retention_in_days = {value}\n}}\n"
        )
    };
    for (name, wide) in [("chain", false), ("net", true)] {
        for n in 0..150 {
            let own = format!("{name}{n}");
            let before: Vec<String> = match (n, wide) {
                (0, _) => Vec::new(),
                (_, false) => vec![format!("{name}{}", n - 1)],
                (_, true) => {
                    (1..=2).filter(|back| *back <= n).map(|back| format!("{name}{}", n - back)).collect()
                }
            };
            let values: Vec<String> =
                before.iter().map(|key| format!("data.terraform_remote_state.{key}.outputs.days")).collect();
            let value =
                if values.is_empty() { "7".to_owned() } else { format!("max({})", values.join(", ")) };
            let mut text = backend(&own);
            before.iter().for_each(|key| text.push_str(&read(key)));
            text.push_str(&format!("output \"days\" {{\n  value = {value}\n}}\n"));
            text.push_str(&group(&value));
            std::fs::create_dir_all(top.join(&own))?;
            std::fs::write(top.join(&own).join("main.tf"), text)?;
        }
        let run = run(&top, &["check", ".", "--policy", "logging.yaml", "--format", "json"])?;
        let report: Value = serde_json::from_str(&run.stdout).context(run.stderr)?;
        let findings = report["findings"].as_array().context("findings")?;
        let of = |root: &str| findings.iter().find(|finding| finding["root"] == root).context("a finding");
        ensure!(of(&format!("{name}9"))?["verdict"] == "fail");
        let last = of(&format!("{name}149"))?;
        ensure!(last["verdict"] == "unknown", "{last}");
        let cause = last["cause"]["ref"].as_str().unwrap_or_default();
        ensure!(cause.starts_with("an expression nested too deeply in root"), "{cause}");
    }
    Ok(())
}

/// What reports call a root is its folder, as seen from the workspace.
#[test]
fn the_repository_itself_is_a_workspace() -> anyhow::Result<()> {
    let policy = "fixtures/estate/logging.yaml";
    let run = run(Utf8Path::new(&repository()), &["check", "fixtures/estate", "--policy", policy])?;
    ensure!(run.exit == 0 && run.stdout.contains("clean"), "{}", run.stdout);
    Ok(())
}

/// The team that keeps the logs exports its root, and the others read that instead of the root.
#[test]
fn an_exported_root_is_as_good_as_the_root() -> anyhow::Result<()> {
    let estate = Estate::copy()?;
    // A name that is made by the provider is not known before apply, and nobody else can write it.
    estate.change(
        "logging/bucket/main.tf",
        "bucket_prefix = \"acme-access-logs-\"",
        "bucket = \"acme-logs\"",
    )?;
    estate.change(
        "logging/main.tf",
        "tonumber(data.aws_ssm_parameter.log_retention.insecure_value)",
        "400",
    )?;
    let export = run(&estate.top, &["export", "logging", "--output", "logging.json", "--commit", "abc"])?;
    ensure!(export.exit == 0 && export.stdout.is_empty(), "{export:?}");
    #[expect(clippy::disallowed_methods, reason = "the test changes its own copy")]
    let text = std::fs::read_to_string(estate.top.join("logging.json"))?;
    let file: Value = serde_json::from_str(&text)?;
    ensure!(file["commit"] == "abc" && file["complete"] == true, "{file:#}");
    let bucket =
        file["stores"].as_array().context("stores")?.iter().find(|one| one["names"][0] == "acme-logs");
    let days = bucket.context("the bucket")?["retention_days"].as_u64().context("its days")?;
    for (asked, exit) in [(days, 0), (days + 1, 1)] {
        let policy = format!(
            "logging_policy:\n  access_logs: {{retention_period: {asked}}}\nexternal_stores:\n  logging: {{from: logging.json}}\n"
        );
        let site = "resource \"aws_lb\" \"web\" {\n  access_logs {\n    bucket  = \"acme-logs\"\n    enabled = true\n  }\n}\n";
        #[expect(clippy::disallowed_methods, reason = "the test changes its own copy")]
        {
            std::fs::create_dir_all(estate.top.join("site"))?;
            std::fs::write(estate.top.join("site/main.tf"), site)?;
            std::fs::write(estate.top.join("outside.yaml"), policy)?;
        }
        let checked = run(
            &estate.top,
            &["check", "site", "--policy", "outside.yaml", "--format", "json", "--show", "pass"],
        )?;
        ensure!(checked.exit == exit, "{checked:?}");
        let report: Value = serde_json::from_str(&checked.stdout)?;
        let end = &report["findings"][0]["flows"][0][1];
        ensure!(end["external"] == true && end["retention_days"] == days, "{report:#}");
    }
    Ok(())
}

/// Several roots have several files.
#[test]
fn one_root_is_exported_at_a_time() -> anyhow::Result<()> {
    let run = Estate::copy()?.check(&["."], &[])?;
    ensure!(run.exit == 0, "{run:?}");
    let estate = Estate::copy()?;
    let run = auditlint_tests::binary::run(&estate.top, &["export", "."])?;
    ensure!(run.exit == 3 && run.stdout.is_empty() && run.stderr.contains("holds 3 roots"), "{run:?}");
    Ok(())
}
