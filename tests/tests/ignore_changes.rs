//! What a `lifecycle` ignores, where the policy forbids that: found on what rests on it, and mended by taking the name out.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use auditlint_analysis::{AnalysisHost, Change, RootSpec, Settings, load_policies};
use auditlint_graph::terraform::RootInputs;
use auditlint_syntax::{MemoryFiles, apply_edits};
use auditlint_tests::catalogue;
use camino::Utf8Path;

const POLICY: &str = "logging_policy:
  system: {retention: {min: 90_days}}
  access_logs:
  changes: {forbid: [ignore_changes]}
";

/// Each finding with the text that it stands on, and the text after the first fix.
fn judged(main: &str) -> anyhow::Result<(Vec<String>, Option<String>)> {
    let files =
        [("main.tf", main), ("logging.yaml", POLICY), (".auditlint.yaml", "policy: [logging.yaml]\n")];
    let files = Arc::new(MemoryFiles::of(files));
    let set = load_policies(&catalogue()?, &*files, Utf8Path::new(""), &[])?;
    let mut host = AnalysisHost::new(files, set, Settings::default());
    host.apply_change(Change::Roots(vec![RootSpec::Folder {
        inputs: RootInputs::default(),
        environment: None,
    }]));
    let analysis = host.analysis();
    let file = analysis.files().paths().id(Utf8Path::new("main.tf"));
    let source = analysis.source(file).context("a text")?;
    let cancelled = |_| anyhow::anyhow!("cancelled");
    let report = analysis.check(&analysis.roots()).map_err(cancelled)?;
    let found = report.findings().map(|(_, one)| {
        let at = match &one.place {
            auditlint_policy::Place::Source(at) => source.text().get(at.span.range()).unwrap_or_default(),
            _ => "nowhere",
        };
        format!("{} {} at `{at}`: {}", one.rule, one.address, one.message)
    });
    let found: Vec<String> = found.collect();
    let end = u32::try_from(main.len())?;
    let fixes = analysis.fixes(file, 0..end).map_err(cancelled)?;
    let edits = fixes.into_iter().next().and_then(|fix| fix.edits.into_iter().next());
    let fixed = edits.map(|edits| apply_edits(main.as_bytes(), &edits.edits)).transpose()?;
    let fixed = fixed.map(String::from_utf8).transpose()?;
    Ok((found, fixed))
}

fn group(lifecycle: &str) -> String {
    format!(
        "resource \"aws_cloudwatch_log_group\" \"app\" {{
  name              = \"app\"
  retention_in_days = 400
  tags              = {{ team = \"a\" }}

  lifecycle {{
    {lifecycle}
  }}
}}
"
    )
}

#[test]
fn what_a_rule_rests_on_is_named_and_taken_out() -> anyhow::Result<()> {
    let (found, fixed) = judged(&group("ignore_changes = [tags, retention_in_days]"))?;
    let [found] = found.as_slice() else { anyhow::bail!("{found:?}") };
    let expected = "change/ignored aws_cloudwatch_log_group.app at `retention_in_days`: lifecycle ignores changes of \
                    retention_in_days, on which aws/cloudwatch/log-group-retention, \
                    aws/cloudwatch/log-group-retention-unset rests";
    assert_eq!(found, expected);
    assert_eq!(fixed, Some(group("ignore_changes = [tags]")));
    Ok(())
}

#[test]
fn all_is_everything_that_a_rule_looks_at() -> anyhow::Result<()> {
    let (found, fixed) = judged(&group("ignore_changes = all"))?;
    let [found] = found.as_slice() else { anyhow::bail!("{found:?}") };
    ensure!(found.contains("at `all`: lifecycle ignores changes of everything, on which "), "{found}");
    ensure!(fixed.is_none(), "{fixed:?}");
    Ok(())
}

#[test]
fn what_no_verdict_rests_on_may_be_ignored() -> anyhow::Result<()> {
    for harmless in ["ignore_changes = [tags, name]", "ignore_changes = []", "prevent_destroy = true"] {
        let (found, _) = judged(&group(harmless))?;
        ensure!(found.is_empty(), "{harmless}: {found:?}");
    }
    Ok(())
}

/// What is not written is what the provider takes by default, and that is ignored as well.
#[test]
fn a_default_may_be_changed_by_hand_too() -> anyhow::Result<()> {
    let trail = "resource \"aws_cloudwatch_log_group\" \"app\" {
  name = \"app\"

  lifecycle {
    ignore_changes = [retention_in_days]
  }
}
";
    let (found, _) = judged(trail)?;
    ensure!(
        found.iter().any(|one| one.contains("on which aws/cloudwatch/log-group-retention rests")),
        "{found:?}"
    );
    Ok(())
}

/// A path leads to what it names, and to nothing beside it.
#[test]
fn a_path_is_followed_to_its_end() -> anyhow::Result<()> {
    let balancer = |path: &str| {
        format!(
            "resource \"aws_lb\" \"web\" {{
  name = \"web\"

  access_logs {{
    bucket  = \"logs-elsewhere\"
    prefix  = \"web\"
    enabled = true
  }}

  lifecycle {{
    ignore_changes = [{path}]
  }}
}}
"
        )
    };
    let found = |path: &str| anyhow::Ok(judged(&balancer(path))?.0);
    let beside = found("access_logs[0].prefix")?;
    ensure!(beside.iter().all(|one| !one.starts_with("change/")), "{beside:?}");
    for path in ["access_logs[0].enabled", "access_logs"] {
        let found = found(path)?;
        let is_told = |one: &String| one.starts_with(&format!("change/ignored aws_lb.web at `{path}`"));
        ensure!(found.iter().any(is_told), "{path}: {found:?}");
    }
    Ok(())
}

/// Until it is asked for again, what was said stays with its resource, and offers nothing that would write to a place that
/// has moved.
#[test]
fn a_keystroke_offers_no_edit_of_an_older_text() -> anyhow::Result<()> {
    let first = group("ignore_changes = [retention_in_days]");
    let files = [
        ("main.tf", first.as_str()),
        (".auditlint.yaml", "policy: [logging.yaml]\n"),
        ("logging.yaml", POLICY),
    ];
    let files = Arc::new(MemoryFiles::of(files));
    let set = load_policies(&catalogue()?, &*files, Utf8Path::new(""), &[])?;
    let mut host = AnalysisHost::new(files, set, Settings { follow_edits: true, ..Settings::default() });
    let inputs = RootInputs::default();
    host.apply_change(Change::Roots(vec![RootSpec::Folder { inputs, environment: None }]));
    let file = host.analysis().files().paths().id(Utf8Path::new("main.tf"));
    let fixes = |analysis: &auditlint_analysis::Analysis| {
        analysis.fixes(file, 0..1_000).map_err(|_| anyhow::anyhow!("cancelled"))
    };
    ensure!(fixes(&host.analysis())?.len() == 1, "at the start");
    let longer = format!("# Of the shop.\n{first}");
    host.apply_change(Change::Overlay("main.tf".into(), longer.as_str().into()));
    ensure!(fixes(&host.analysis().hurried())?.is_empty(), "of a text that is gone");
    let fixes = fixes(&host.analysis())?;
    let edits = fixes.into_iter().next().and_then(|fix| fix.edits.into_iter().next()).context("a fix")?;
    let fixed = String::from_utf8(apply_edits(longer.as_bytes(), &edits.edits)?)?;
    assert_eq!(fixed, longer.replace("[retention_in_days]", "[]"));
    Ok(())
}
