//! Policies in Rego while somebody types: they are asked after every edit, no keystroke waits for them, and what they said
//! before stays with its resource until they are asked again.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use auditlint_analysis::{Analysis, AnalysisHost, Change, RootSpec, Settings, load_policies};
use auditlint_graph::terraform::RootInputs;
use auditlint_policy::Place;
use auditlint_syntax::MemoryFiles;
use auditlint_tests::catalogue;
use camino::Utf8Path;

const POLICY: &str = "package main

import rego.v1

deny contains answer if {
  some group in input.resources
  group.values.retention_in_days < 30
  not short_is_fine
  answer := {\"msg\": \"too short\", \"address\": group.address, \"path\": \"retention_in_days\"}
}

short_is_fine if {
  some group in input.resources
  group.name == \"archive\"
}
";

fn group(name: &str, days: u32) -> String {
    format!("resource \"aws_cloudwatch_log_group\" \"{name}\" {{\n  retention_in_days = {days}\n}}\n")
}

fn host(text: &str, follow_edits: bool) -> anyhow::Result<AnalysisHost> {
    let files = [("main.tf", text), (".auditlint.yaml", "rego: [policy]\n"), ("policy/main.rego", POLICY)];
    let files = Arc::new(MemoryFiles::of(files));
    let set = load_policies(&catalogue()?, &*files, Utf8Path::new(""), &[])?;
    let mut host = AnalysisHost::new(files, set, Settings { follow_edits, ..Settings::default() });
    let inputs = RootInputs::default();
    host.apply_change(Change::Roots(vec![RootSpec::Folder { inputs, environment: None }]));
    Ok(host)
}

/// Each finding of the file with the line that it stands on.
fn said(analysis: &Analysis) -> anyhow::Result<Vec<String>> {
    let file = analysis.files().paths().id(Utf8Path::new("main.tf"));
    let source = analysis.source(file).context("a text")?;
    let found = analysis.findings_in(file, &analysis.roots()).map_err(|_| anyhow::anyhow!("cancelled"))?;
    let line = |place: &Place| match place {
        Place::Source(at) => source.lines().line(at.span.start) + 1,
        Place::Plan(_) | Place::Nowhere => 0,
    };
    Ok(found.iter().map(|one| format!("{} {}", one.address, line(&one.place))).collect())
}

#[test]
fn what_they_say_follows_edits() -> anyhow::Result<()> {
    let first = group("app", 7);
    let mut follows = host(&first, true)?;
    ensure!(said(&follows.analysis())? == ["aws_cloudwatch_log_group.app 2"], "at the start");
    let steps = [
        ("a comment above it", format!("# Of the shop.\n{first}"), vec!["aws_cloudwatch_log_group.app 3"]),
        (
            "another that is wrong",
            format!("{first}{}", group("jobs", 3)),
            vec!["aws_cloudwatch_log_group.app 2", "aws_cloudwatch_log_group.jobs 5"],
        ),
        ("one that is wrong elsewhere no more", format!("{first}{}", group("archive", 400)), vec![]),
        ("a comment that excuses", format!("# auditlint:ignore rego/main/deny -- a test\n{first}"), vec![]),
        ("back", first, vec!["aws_cloudwatch_log_group.app 2"]),
        ("mended", group("app", 400), vec![]),
    ];
    for (what, text, expected) in steps {
        follows.apply_change(Change::Overlay("main.tf".into(), text.as_str().into()));
        let now = said(&follows.analysis())?;
        ensure!(now == expected, "{what}: {now:?}");
        ensure!(now == said(&host(&text, false)?.analysis())?, "{what}: a fresh run says something else");
    }
    Ok(())
}

#[test]
fn a_keystroke_does_not_wait_for_them() -> anyhow::Result<()> {
    let first = group("app", 7);
    let mut follows = host(&first, true)?;
    said(&follows.analysis())?;
    let text = format!("# Of the shop.\n{first}{}", group("jobs", 3));
    follows.apply_change(Change::Overlay("main.tf".into(), text.as_str().into()));
    let analysis = follows.analysis();
    let at_once = said(&analysis.hurried())?;
    ensure!(at_once == ["aws_cloudwatch_log_group.app 3"], "what is known moves along: {at_once:?}");
    let then = said(&analysis)?;
    ensure!(then == ["aws_cloudwatch_log_group.app 3", "aws_cloudwatch_log_group.jobs 6"], "{then:?}");
    // What is said afterwards is said at once as well.
    ensure!(said(&analysis.hurried())? == then, "asked once");
    let gone = group("other", 400);
    follows.apply_change(Change::Overlay("main.tf".into(), gone.as_str().into()));
    ensure!(said(&follows.analysis().hurried())?.is_empty(), "what is said of a resource goes with it");
    Ok(())
}
