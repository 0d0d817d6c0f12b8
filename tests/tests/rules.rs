//! The examples of the rules, each a test of its own: verdicts, fixes byte by byte, and that a fix removes its
//! finding, adds none, and is done after one round.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on panics")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{bail, ensure};
use auditlint_analysis::Change;
use auditlint_graph::{Address, GapKind, ModulePath};
use auditlint_policy::rule::Example;
use auditlint_policy::{Catalogue, Finding, Rule, Verdict};
use auditlint_syntax::{MemoryFiles, TextEdit, apply_edits};
use auditlint_tests::{Mark, catalogue, diff, host, marks};
use camino::Utf8Path;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let catalogue = match catalogue() {
        Ok(catalogue) => catalogue,
        Err(problems) => {
            let trial = Trial::test("catalogue", move || Err(Failed::from(problems.to_string())));
            libtest_mimic::run(&arguments, vec![trial]).exit();
        }
    };
    let mut trials = Vec::new();
    for rule in catalogue.rules() {
        let complete = Arc::clone(rule);
        trials.push(Trial::test(format!("{} :: has every verdict", rule.id), move || {
            has_every_verdict(&complete).map_err(|error| Failed::from(format!("{error:#}")))
        }));
        for (n, example) in rule.examples.iter().enumerate() {
            let (catalogue, rule) = (Arc::clone(&catalogue), Arc::clone(rule));
            trials.push(Trial::test(format!("{} :: {}", rule.id, example.name), move || {
                judged(&catalogue, &rule, &rule.examples[n])
                    .map_err(|error| Failed::from(format!("{error:#}")))
            }));
        }
    }
    let everything = Arc::clone(&catalogue);
    trials.push(Trial::test("no rule refuses what another asks for", move || {
        agreed(&everything).map_err(|error| Failed::from(format!("{error:#}")))
    }));
    trials.push(Trial::test("every fixed text is as terraform fmt writes it", move || {
        formatted(&catalogue).map_err(|error| Failed::from(format!("{error:#}")))
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

/// A rule without a passing, a failing and an undecided example proves nothing.
fn has_every_verdict(rule: &Rule) -> anyhow::Result<()> {
    let mut seen = BTreeSet::new();
    for example in &rule.examples {
        seen.extend(marks(&example.hcl)?.1.into_iter().map(|mark| mark.verdict.as_str()));
    }
    for verdict in ["pass", "fail", "unknown"] {
        ensure!(seen.contains(verdict), "no example has a resource marked `#! {verdict}`");
    }
    ensure!(
        rule.remedies.is_empty() || rule.examples.iter().any(|example| example.fixed.is_some()),
        "the rule has a remedy and no example shows the fixed text"
    );
    Ok(())
}

fn judged(catalogue: &Arc<Catalogue>, rule: &Rule, example: &Example) -> anyhow::Result<()> {
    let (text, marks) = marks(&example.hcl)?;
    ensure!(!marks.is_empty(), "the example at line {} marks no resource", example.line);
    let own = format!("rules:\n  - {}\n", rule.id);
    let policy = example.policy.as_deref().unwrap_or(&own);
    let verdicts = verdicts(catalogue, policy, &text, rule)?;
    let mut wrong = String::new();
    for Mark { resource, verdict, .. } in &marks {
        let of_resource: Vec<Verdict> =
            verdicts.iter().filter(|(name, ..)| name == resource).map(|(_, verdict, _)| *verdict).collect();
        let found = if of_resource.is_empty() { Verdict::NotApplicable } else { Verdict::all(of_resource) };
        if found != *verdict {
            wrong.push_str(&format!("{resource} is {}, expected {}\n", found.as_str(), verdict.as_str()));
        }
    }
    if !wrong.is_empty() {
        let lines: Vec<String> = verdicts
            .iter()
            .map(|(name, verdict, message)| format!("  {name}: {}: {message}", verdict.as_str()))
            .collect();
        bail!("example at line {}:\n{wrong}{}", example.line, lines.join("\n"));
    }
    if let Some(expected) = &example.fixed {
        let before = failing(catalogue, &text)?;
        let found = fixed(catalogue, policy, &text, rule)?;
        ensure!(
            found == *expected,
            "example at line {}: the fixed text differs\n{}",
            example.line,
            diff(expected, &found)
        );
        ensure!(
            fixed(catalogue, policy, &found, rule)? == found,
            "a second round of fixes changes the text again"
        );
        let fails = |all: &[Judged]| all.iter().filter(|(_, verdict, _)| *verdict == Verdict::Fail).count();
        let left = self::verdicts(catalogue, policy, &found, rule)?;
        ensure!(found == text || fails(&left) < fails(&verdicts), "the fixed text fails as before");
        let new: Vec<String> = failing(catalogue, &found)?.difference(&before).cloned().collect();
        ensure!(new.is_empty(), "the fix adds findings: {}", new.join(", "));
    }
    Ok(())
}

/// Rules that judge the same value and may differ: a log group that never deletes keeps its events for long enough,
/// and nobody decided how long.
const MAY_DIFFER: &[(&str, &str)] =
    &[("aws/cloudwatch/log-group-retention", "aws/cloudwatch/log-group-retention-unset")];

/// Of the values that one rule's passing examples rest on, at least one satisfies each other rule that judges the
/// same attribute under `auditlint:everything`: else nobody could satisfy both.
fn agreed(catalogue: &Arc<Catalogue>) -> anyhow::Result<()> {
    // Which rule refused, and whether the other accepted, by the rule that passes and the attribute.
    let mut pairs: BTreeMap<(String, String, String), bool> = BTreeMap::new();
    for rule in catalogue.rules() {
        for example in rule.examples.iter().filter(|example| example.policy.is_none()) {
            let (text, _) = marks(&example.hcl)?;
            let files = MemoryFiles::of([("main.tf", text.as_str())]);
            let host = host(files, catalogue, "auditlint:everything")?;
            let analysis = host.analysis();
            let report = analysis.check(&analysis.roots()).map_err(|_| anyhow::anyhow!("cancelled"))?;
            let written = |finding: &&Finding| finding.evidence.iter().any(|one| one.origin != "absent");
            let findings: Vec<&Finding> =
                report.findings().map(|(_, finding)| &**finding).filter(written).collect();
            let passes = findings.iter().filter(|one| one.rule == rule.id && one.verdict == Verdict::Pass);
            for pass in passes {
                let same = findings
                    .iter()
                    .filter(|other| other.address == pass.address && other.attribute == pass.attribute)
                    .filter(|other| matches!(other.verdict, Verdict::Pass | Verdict::Fail));
                for other in same {
                    let attribute = pass.attribute.clone().unwrap_or_default();
                    let accepted = pairs
                        .entry((rule.id.to_string(), other.rule.to_string(), attribute))
                        .or_insert(false);
                    *accepted |= other.verdict == Verdict::Pass;
                }
            }
        }
    }
    ensure!(pairs.len() > 100, "only {} pairs of rules were compared", pairs.len());
    let wrong: Vec<String> = pairs
        .iter()
        .filter(|((rule, other, _), accepted)| {
            !**accepted && !MAY_DIFFER.contains(&(rule.as_str(), other.as_str()))
        })
        .map(|((rule, other, attribute), _)| {
            format!("{other} refuses every {attribute} of the passing examples of {rule}")
        })
        .collect();
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

type Judged = (String, Verdict, String);

/// Resource without its key, verdict and message of each of the rule's verdicts.
fn verdicts(
    catalogue: &Arc<Catalogue>,
    policy: &str,
    text: &str,
    rule: &Rule,
) -> anyhow::Result<Vec<Judged>> {
    let host = host(MemoryFiles::of([("main.tf", text)]), catalogue, policy)?;
    let analysis = host.analysis();
    let report = analysis.check(&analysis.roots()).map_err(|_| anyhow::anyhow!("cancelled"))?;
    // The module that a call of the registry stands for is not here.
    let calls = rule.selects.iter().any(|kind| kind.starts_with("module:"));
    let gaps: Vec<&str> = report
        .roots
        .iter()
        .flat_map(|root| &root.gaps)
        .filter(|gap| !calls || gap.kind != GapKind::MissingModule)
        .map(|gap| gap.reason.as_str())
        .collect();
    ensure!(gaps.is_empty(), "the example has gaps: {}", gaps.join("; "));
    Ok(report
        .findings()
        .filter(|(_, finding)| finding.rule == rule.id)
        .map(|(_, finding)| {
            let address = Address { module: ModulePath::root(), ..finding.address.without_keys() };
            (address.to_string(), finding.verdict, finding.message.clone())
        })
        .collect())
}

/// What fails under everything, as `rule address`.
fn failing(catalogue: &Arc<Catalogue>, text: &str) -> anyhow::Result<BTreeSet<String>> {
    let host = host(MemoryFiles::of([("main.tf", text)]), catalogue, "auditlint:everything")?;
    let analysis = host.analysis();
    let report = analysis.check(&analysis.roots()).map_err(|_| anyhow::anyhow!("cancelled"))?;
    let failing = report.findings().filter(|(_, finding)| finding.verdict == Verdict::Fail);
    Ok(failing.map(|(_, finding)| format!("{} {}", finding.rule, finding.address)).collect())
}

/// The text after the first fix of every failing finding of the rule, one after the other.
fn fixed(catalogue: &Arc<Catalogue>, policy: &str, text: &str, rule: &Rule) -> anyhow::Result<String> {
    let path = Utf8Path::new("main.tf");
    let mut host = host(MemoryFiles::of([("main.tf", text)]), catalogue, policy)?;
    let mut text = text.to_owned();
    for _ in 0..20 {
        let analysis = host.analysis();
        let report = analysis.check(&analysis.roots()).map_err(|_| anyhow::anyhow!("cancelled"))?;
        let root = analysis.roots()[0];
        let fix = report
            .findings()
            .filter(|(_, finding)| finding.rule == rule.id && finding.verdict == Verdict::Fail)
            .find_map(|(_, finding)| analysis.fixes_of(root, finding).into_iter().next());
        let Some(fix) = fix else { return Ok(text) };
        let edits: Vec<TextEdit> = fix.edits.iter().flat_map(|file| file.edits.clone()).collect();
        text = String::from_utf8(apply_edits(text.as_bytes(), &edits)?)?;
        host.apply_change(Change::Overlay(path.to_owned(), text.as_str().into()));
    }
    bail!("fixes do not come to an end:\n{text}")
}

/// Where terraform is installed, it must leave every example's fixed text as it is.
fn formatted(catalogue: &Catalogue) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    for rule in catalogue.rules() {
        for (n, example) in rule.examples.iter().enumerate() {
            if let Some(fixed) = &example.fixed {
                let name = format!("{}.{n}.tf", rule.id.replace('/', "."));
                #[expect(clippy::disallowed_methods, reason = "tests write to a folder of their own")]
                std::fs::write(folder.path().join(name), fixed)?;
            }
        }
    }
    let run = Command::new("terraform")
        .args(["fmt", "-check", "-diff", "-recursive"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output();
    match run {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => {
            bail!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
        }
        Err(_) => {
            #[expect(clippy::print_stderr, reason = "a test that was not run says so")]
            {
                eprintln!("terraform is not installed: fixed texts were not compared with terraform fmt");
            }
            Ok(())
        }
    }
}
