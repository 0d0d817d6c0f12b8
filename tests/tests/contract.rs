//! The contract of the machine formats: JSON as its page states it, SARIF against its schema, annotations that
//! GitHub understands, the same bytes in every run, and no sensitive value anywhere.

#![expect(clippy::indexing_slicing, reason = "a key that a report lacks must fail the test")]

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use auditlint_tests::binary::{Run, run, run_with};
use auditlint_tests::fixtures::fixtures;
use auditlint_tests::{diff, repository};
use camino::Utf8Path;
use serde_json::Value;

const FORMATS: [&str; 5] = ["pretty", "concise", "json", "sarif", "github"];

/// Runs `check` over a target of the repository under every rule, with everything shown.
fn check(target: &str, format: &str) -> anyhow::Result<Run> {
    let words =
        ["check", target, "--policy", "auditlint:everything", "--show", "pass,exempt", "--format", format];
    let run = run(&repository(), &words)?;
    ensure!((0..=2).contains(&run.exit), "{target}: exit {}: {}", run.exit, run.stderr);
    ensure!(run.stderr.is_empty(), "{target}: {}", run.stderr);
    Ok(run)
}

/// Every folder of the fixtures and every recorded plan, relative to the repository.
fn targets() -> anyhow::Result<Vec<String>> {
    let mut targets = Vec::new();
    for folder in fixtures()? {
        targets.push(folder.strip_prefix(repository())?.to_string());
        for entry in folder.read_dir_utf8()? {
            let path = entry?.into_path();
            let name = path.file_name().unwrap_or_default();
            if name.starts_with("plan.") && name.ends_with(".json") {
                targets.push(path.strip_prefix(repository())?.to_string());
            }
        }
    }
    targets.sort();
    Ok(targets)
}

/// The schema of SARIF 2.1.0, from the package of the registry that ships it.
fn sarif_schema() -> anyhow::Result<Value> {
    #[expect(clippy::disallowed_methods, reason = "tests are told by the environment what to test")]
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let metadata = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(repository())
        .output()?;
    ensure!(metadata.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let package =
        packages.iter().find(|package| package["name"] == "serde-sarif").context("no serde-sarif")?;
    let manifest = Utf8Path::new(package["manifest_path"].as_str().context("no path")?);
    let path = manifest.with_file_name("src").join("schema.json");
    #[expect(clippy::disallowed_methods, reason = "tests read what cargo keeps")]
    let text = std::fs::read_to_string(&path).with_context(|| path.to_string())?;
    // One pattern of the published schema has a stray bracket, which a strict reader of patterns refuses.
    Ok(serde_json::from_str(&text.replace("{2}]?$", r"{2}\\]?$"))?)
}

#[test]
fn sarif_is_valid_and_points_into_the_repository() -> anyhow::Result<()> {
    let schema = sarif_schema()?;
    let validator = jsonschema::validator_for(&schema)?;
    // The validator must be able to say no.
    ensure!(!validator.is_valid(&serde_json::json!({"version": "2.1.0", "runs": [{}]})));
    let mut results = 0;
    for target in targets()? {
        let log: Value = serde_json::from_str(&check(&target, "sarif")?.stdout)?;
        let errors: Vec<String> =
            validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
        ensure!(errors.is_empty(), "{target}:\n{}", errors.join("\n"));
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().context("rules")?;
        let mut seen = BTreeSet::new();
        for result in run["results"].as_array().context("results")? {
            results += 1;
            let at = usize::try_from(result["ruleIndex"].as_u64().context("ruleIndex")?)?;
            ensure!(rules[at]["id"] == result["ruleId"], "{target}: ruleIndex {at}");
            let physical = &result["locations"][0]["physicalLocation"];
            let uri = physical["artifactLocation"]["uri"].as_str().context("uri")?;
            ensure!(!uri.starts_with('/') && !uri.contains('\\') && !uri.contains(".."), "{target}: {uri}");
            ensure!(repository().join(uri).is_file(), "{target}: {uri} is no file of the repository");
            if let Some(region) = physical.get("region") {
                ensure!(region["startLine"].as_u64() >= Some(1), "{target}: {region}");
                ensure!(region["startColumn"].as_u64() >= Some(1), "{target}: {region}");
            }
            let level = result["level"].as_str().unwrap_or("warning");
            let fails = result["kind"] == "fail";
            ensure!(fails == (level != "none"), "{target}: {} has the level {level}", result["kind"]);
            let print = result["partialFingerprints"]["auditlint/v1"].as_str().context("fingerprint")?;
            ensure!(print.len() == 35 && print.starts_with("v1:"), "{target}: {print}");
            let place =
                format!("{} {physical} {} {}", result["ruleId"], result["kind"], result["properties"]);
            ensure!(seen.insert(place.clone()), "{target}: two results for {place}");
        }
    }
    ensure!(results > 50, "only {results} results");
    Ok(())
}

/// The keys of a finding as the page of the JSON output lists them.
const FINDING: [&str; 27] = [
    "rule",
    "aliases",
    "verdict",
    "severity",
    "enforcement",
    "categories",
    "address",
    "resource_type",
    "attribute",
    "root",
    "environment",
    "message",
    "docs",
    "path",
    "span",
    "related",
    "policy",
    "controls",
    "cause",
    "evidence",
    "flows",
    "state",
    "exemption",
    "obligation",
    "fixes",
    "fingerprint",
    "pointer",
];

fn holds_keys(of: &Value, keys: &[&str], what: &str) -> anyhow::Result<()> {
    for key in keys {
        ensure!(of.get(key).is_some(), "{what} lacks `{key}`: {of}");
    }
    Ok(())
}

#[test]
fn json_is_as_its_page_states_it() -> anyhow::Result<()> {
    let mut findings = 0;
    for target in targets()? {
        let run = check(&target, "json")?;
        let report: Value = serde_json::from_str(&run.stdout)?;
        ensure!(report["schema_version"] == 1);
        holds_keys(
            &report,
            &["tool", "run", "status", "summary", "findings", "gaps", "left_out", "obligations"],
            &target,
        )?;
        holds_keys(&report["run"], &["mode", "policy_digest", "commit"], &target)?;
        let counted = [
            "resources",
            "applicable",
            "pass",
            "fail",
            "unknown",
            "exempt",
            "gaps",
            "places",
            "causes",
            "left_out",
        ];
        holds_keys(&report["summary"], &counted, &target)?;
        let mode = match &*target {
            "fixtures/kubernetes" => "kubernetes",
            plan if plan.ends_with(".json") => "plan",
            _ => "hcl",
        };
        ensure!(report["run"]["mode"] == mode, "{target}: {}", report["run"]);
        let status = report["status"].as_str().unwrap_or_default();
        let allowed: &[&str] = match run.exit {
            0 => &["clean", "undecided"],
            1 => &["findings"],
            _ => &["incomplete"],
        };
        ensure!(allowed.contains(&status), "{target}: exit {} and status {status}", run.exit);
        let list = report["findings"].as_array().context("findings")?;
        let count =
            |verdict: &str| list.iter().filter(|finding| finding["verdict"] == verdict).count() as u64;
        for verdict in ["pass", "fail", "unknown", "exempt"] {
            let told = report["summary"][verdict].as_u64();
            ensure!(told == Some(count(verdict)), "{target}: {verdict}: {told:?} and {}", count(verdict));
        }
        ensure!(
            report["summary"]["gaps"].as_u64() == report["gaps"].as_array().map(|gaps| gaps.len() as u64)
        );
        for finding in list {
            findings += 1;
            finding_is_whole(finding, &target, mode)?;
        }
        for gap in report["gaps"].as_array().context("gaps")? {
            holds_keys(gap, &["kind", "path", "span", "reason", "hint", "count", "fingerprint"], &target)?;
        }
    }
    ensure!(findings > 100, "only {findings} findings");
    Ok(())
}

fn finding_is_whole(finding: &Value, target: &str, mode: &str) -> anyhow::Result<()> {
    holds_keys(finding, &FINDING, target)?;
    let address = finding["address"].as_str().context("address")?;
    let resource_type = finding["resource_type"].as_str().context("resource_type")?;
    ensure!(address.contains(&format!("{resource_type}.")), "{target}: {address} and {resource_type}");
    // Both places: the line of infrastructure and the line of policy.
    ensure!(finding["policy"]["line"].as_u64() >= Some(1), "{target}: {finding}");
    let path = finding["path"].as_str().context("path")?;
    ensure!(repository().join(path).is_file(), "{target}: {path}");
    if mode == "plan" {
        ensure!(finding["span"].is_null() && finding["pointer"].is_string(), "{target}: {finding}");
        ensure!(path == target, "{target}: {path}");
        #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
        let plan: Value = serde_json::from_slice(&std::fs::read(repository().join(path))?)?;
        let pointer = finding["pointer"].as_str().unwrap_or_default();
        ensure!(plan.pointer(pointer).is_some(), "{target}: the pointer {pointer} leads nowhere");
    } else {
        span_is_true(finding, path)?;
    }
    if finding["verdict"] == "unknown" {
        holds_keys(&finding["cause"], &["kind", "ref", "hint"], target)?;
        let kinds = ["variable", "data", "module", "computed", "function", "sensitive", "elsewhere"];
        let kind = finding["cause"]["kind"].as_str().unwrap_or_default();
        ensure!(kinds.contains(&kind), "{target}: a cause of kind {kind}");
    }
    Ok(())
}

/// Byte, line and column speak of the same place; columns count Unicode scalar values from 1.
fn span_is_true(finding: &Value, path: &str) -> anyhow::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
    let text = std::fs::read_to_string(repository().join(path))?;
    for side in ["start", "end"] {
        let place = &finding["span"][side];
        let number =
            |key: &str| place[key].as_u64().and_then(|n| usize::try_from(n).ok()).context("a number");
        let (byte, line, column) = (number("byte")?, number("line")?, number("column")?);
        let before = text.get(..byte).with_context(|| format!("{path}: byte {byte}"))?;
        let true_line = before.matches('\n').count() + 1;
        let true_column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        ensure!(
            (line, column) == (true_line, true_column),
            "{path}: {place}, truly {true_line}:{true_column}"
        );
    }
    Ok(())
}

#[test]
fn fingerprints_are_free_of_lines_and_tell_findings_apart() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("a path in UTF-8")?;
    let text = "resource \"aws_cloudwatch_log_group\" \"app\" {\n  name              = \"app\"\n  retention_in_days = 7\n}\n";
    let prints = |text: &str| -> anyhow::Result<Vec<String>> {
        #[expect(clippy::disallowed_methods, reason = "the test makes a workspace")]
        std::fs::write(folder.join("main.tf"), text)?;
        let run = run(folder, &["check", ".", "--policy", "auditlint:everything", "--format", "json"])?;
        let report: Value = serde_json::from_str(&run.stdout)?;
        let list = report["findings"].as_array().context("findings")?;
        Ok(list.iter().map(|finding| finding["fingerprint"].to_string()).collect())
    };
    let before = prints(text)?;
    ensure!(before.len() > 1, "{before:?}");
    ensure!(before.iter().collect::<BTreeSet<_>>().len() == before.len(), "{before:?}");
    ensure!(before == prints(&format!("# A comment.\n\n{text}"))?);
    Ok(())
}

#[test]
fn annotations_are_commands_that_github_reads() -> anyhow::Result<()> {
    let mut seen = 0;
    for target in targets()? {
        for line in check(&target, "github")?.stdout.lines() {
            seen += 1;
            let rest = line.strip_prefix("::").with_context(|| format!("{target}: {line}"))?;
            let (head, message) = rest.split_once("::").with_context(|| format!("{target}: {line}"))?;
            let (command, properties) = head.split_once(' ').context("no properties")?;
            ensure!(["error", "warning", "notice"].contains(&command), "{target}: {line}");
            ensure!(!message.is_empty());
            let mut known = BTreeSet::new();
            for property in properties.split(',') {
                let (key, value) =
                    property.split_once('=').with_context(|| format!("{target}: {property}"))?;
                ensure!(["file", "line", "endLine", "col", "endColumn", "title"].contains(&key), "{line}");
                ensure!(known.insert(key) && !value.is_empty(), "{line}");
                if key == "file" {
                    ensure!(repository().join(value).is_file(), "{target}: {value}");
                }
            }
        }
    }
    ensure!(seen > 50, "only {seen} annotations");
    Ok(())
}

#[test]
fn every_run_gives_the_same_bytes() -> anyhow::Result<()> {
    for format in FORMATS {
        let words =
            ["check", "fixtures", "--policy", "auditlint:everything", "--show", "pass", "--format", format];
        let first = run(&repository(), &words)?;
        for threads in ["1", "2", "7"] {
            let again = run_with(&repository(), &words, b"", &[("RAYON_NUM_THREADS", threads)])?;
            ensure!(again.exit == first.exit);
            if again.stdout != first.stdout {
                bail!("{format} with {threads} threads\n{}", diff(&first.stdout, &again.stdout));
            }
        }
    }
    Ok(())
}

#[test]
fn the_order_of_arguments_changes_nothing() -> anyhow::Result<()> {
    let words =
        |first, second| ["check", first, second, "--policy", "auditlint:everything", "--format", "json"];
    let one = run(&repository(), &words("fixtures/eks", "fixtures/edge"))?;
    let other = run(&repository(), &words("fixtures/edge", "fixtures/eks"))?;
    ensure!(one == other, "{}", diff(&one.stdout, &other.stdout));
    Ok(())
}

#[test]
fn no_output_holds_a_sensitive_value() -> anyhow::Result<()> {
    let secret = "correct-horse-battery-staple";
    for target in ["fixtures/databases", "fixtures/databases/plan.json"] {
        for format in FORMATS {
            let run = check(target, format)?;
            ensure!(!run.stdout.contains(secret), "{target} as {format} shows the password");
        }
    }
    let joined = ["check", "fixtures/databases/plan.json", "--source", "fixtures/databases", "--full"];
    ensure!(!run(&repository(), &joined)?.stdout.contains(secret));
    let fixed = run(&repository(), &["fix", "fixtures/databases", "--policy", "auditlint:everything"])?;
    ensure!(!fixed.stdout.contains(secret), "{}", fixed.stdout);
    Ok(())
}

/// A plan shows the values of sensitive variables as plainly as any other.
#[test]
fn no_output_holds_the_value_of_a_sensitive_variable_of_a_plan() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("a path in UTF-8")?;
    let group = r#"resource "aws_cloudwatch_log_group" "app" {
  name              = "app"
  retention_in_days = var.NAME
}
"#;
    let plan = r#"{"format_version": "1.2", "variables": {"NAME": {"value": 1827}}, "complete": true,
  "resource_changes": [{"address": "aws_cloudwatch_log_group.app", "mode": "managed", "type": "aws_cloudwatch_log_group", "name": "app",
    "change": {"actions": ["create"], "after": {"name": "app"}, "after_unknown": {"retention_in_days": true}}}],
  "configuration": {"root_module": {"variables": {"NAME": {}}, "resources": [{"address": "aws_cloudwatch_log_group.app", "mode": "managed",
    "type": "aws_cloudwatch_log_group", "name": "app", "expressions": {"retention_in_days": {"references": ["var.NAME"]}}}]}}}"#;
    let policy =
        "rules:\n  - {rule: aws/cloudwatch/log-group-retention, parameters: {retention: 3653_days}}\n";
    #[expect(clippy::disallowed_methods, reason = "the test writes what it checks")]
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text);
    write("policy.yaml", policy)?;
    for (name, declared, shown) in [
        ("days", "variable \"days\" {\n  type = number\n}\n", true),
        ("days", "variable \"days\" {\n  type      = number\n  sensitive = true\n}\n", false),
        ("days_token", "variable \"days_token\" {\n  type = number\n}\n", false),
    ] {
        write("main.tf", &format!("{declared}\n{}", group.replace("NAME", name)))?;
        write("plan.json", &plan.replace("NAME", name))?;
        for format in FORMATS {
            let words =
                ["check", "plan.json", "--source", ".", "--policy", "policy.yaml", "--format", format];
            let run = run(folder, &words)?;
            ensure!(run.exit == 1, "{}{}", run.stdout, run.stderr);
            let holds = run.stdout.contains("1827");
            ensure!(holds == shown, "{declared} as {format}: {}", run.stdout);
        }
    }
    Ok(())
}

#[test]
fn one_run_writes_many_reports() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("a path in UTF-8")?;
    let (sarif, json) = (folder.join("out.sarif"), folder.join("out.json"));
    let target = "fixtures/aws-web";
    let (first, second) = (format!("sarif={sarif}"), format!("json={json}"));
    let words = ["check", target, "--output", &first, "--output", &second, "--format", "concise"];
    let done = run(&repository(), &words)?;
    ensure!(done.exit == 1);
    for (path, format) in [(sarif, "sarif"), (json, "json")] {
        #[expect(clippy::disallowed_methods, reason = "the test reads what was written")]
        let written = std::fs::read_to_string(path)?;
        ensure!(written == run(&repository(), &["check", target, "--format", format])?.stdout);
    }
    Ok(())
}

#[test]
fn a_usage_error_leaves_standard_output_empty() -> anyhow::Result<()> {
    for words in [
        &["check", "nowhere"][..],
        &["check", "fixtures/eks", "--policy", "nowhere.yaml"],
        &["check", "fixtures/eks", "--format", "nonsense"],
        &["explain", "nonsense"],
    ] {
        let run = run(&repository(), words)?;
        ensure!(run.exit == 3 && run.stdout.is_empty() && !run.stderr.is_empty(), "{words:?}: {run:?}");
    }
    let run = run(&repository(), &["check", "nowhere", "--format", "json"])?;
    ensure!(run.exit == 3 && run.stdout.is_empty(), "{run:?}");
    let error: Value = serde_json::from_str(&run.stderr)?;
    ensure!(
        error["schema_version"] == 1 && error["status"] == "error" && !error["error"].is_null(),
        "{error}"
    );
    Ok(())
}

#[test]
fn rules_are_listed_for_machines() -> anyhow::Result<()> {
    let run = run(&repository(), &["rules", "--format", "json"])?;
    ensure!(run.exit == 0);
    let listed: Value = serde_json::from_str(&run.stdout)?;
    let rules = listed["rules"].as_array().context("rules")?;
    ensure!(rules.len() >= 30, "{} rules", rules.len());
    let keys = [
        "id",
        "title",
        "aliases",
        "resource_types",
        "categories",
        "severity",
        "kind",
        "fixable",
        "inputs",
        "default",
    ];
    for rule in rules {
        holds_keys(rule, &keys, "a rule")?;
    }
    Ok(())
}

#[test]
fn completions_and_help_are_printed() -> anyhow::Result<()> {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = run(&repository(), &["completions", shell])?;
        ensure!(run.exit == 0 && run.stdout.contains("auditlint") && run.stdout.contains("check"), "{shell}");
    }
    for words in [&["--help"][..], &["check", "--help"], &["--version"]] {
        let run = run(&repository(), words)?;
        ensure!(run.exit == 0 && !run.stdout.is_empty() && run.stderr.is_empty(), "{words:?}: {run:?}");
    }
    Ok(())
}

#[test]
fn the_seven_lines_give_the_same_failures_on_a_folder_and_on_its_plan() -> anyhow::Result<()> {
    let policy = "fixtures/aws-web/logging.yaml";
    for folder in fixtures()? {
        let plan = folder.join("plan.json");
        let values = folder.join("plan.tfvars");
        if !plan.is_file() {
            continue;
        }
        let folder = folder.strip_prefix(repository())?;
        let mut words = vec!["check", folder.as_str(), "--policy", policy, "--format", "json"];
        if values.is_file() {
            words.extend(["--var-file", values.as_str()]);
        }
        let hcl = run(&repository(), &words)?;
        #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
        let input = std::fs::read(&plan)?;
        let planned =
            run_with(&repository(), &["check", "-", "--policy", policy, "--format", "json"], &input, &[])?;
        ensure!(
            failures(&hcl)? == failures(&planned)?,
            "{folder}: {:?} and {:?}",
            failures(&hcl)?,
            failures(&planned)?
        );
        ensure!(hcl.exit == planned.exit, "{folder}: exit {} and {}", hcl.exit, planned.exit);
    }
    Ok(())
}

fn failures(run: &Run) -> anyhow::Result<BTreeSet<(String, String)>> {
    let report: Value = serde_json::from_str(&run.stdout).with_context(|| run.stderr.clone())?;
    let list = report["findings"].as_array().context("findings")?;
    let failing = list.iter().filter(|finding| finding["verdict"] == "fail");
    Ok(failing.map(|finding| (finding["rule"].to_string(), finding["address"].to_string())).collect())
}
