//! What became of the tests of policies.

use std::fmt::Write as _;

use auditlint_analysis::testing::{Mutation, TestReport};
use serde_json::{Value, json};

use crate::plain::{plain_json, plain_line};

/// A format of `auditlint test`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestFormat {
    /// For people.
    Text,
    /// The Test Anything Protocol, version 14.
    Tap,
    /// The XML that build servers read.
    Junit,
    /// For machines.
    Json,
}

/// Renders the reports; `coverage` adds which verdicts of which rules were seen.
#[must_use]
pub fn tests(reports: &[TestReport], format: TestFormat, coverage: bool) -> String {
    match format {
        TestFormat::Text => text(reports, coverage),
        TestFormat::Tap => tap(reports),
        TestFormat::Junit => junit(reports),
        TestFormat::Json => json_text(reports),
    }
}

/// Each scenario, and the mutants of each file, as a name and what is wrong.
fn results(report: &TestReport) -> Vec<(String, Vec<String>)> {
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    let mut out = Vec::new();
    if !problems.is_empty() {
        out.push((report.path.clone(), problems));
    }
    for scenario in &report.scenarios {
        out.push((
            format!("{}:{}: {}", report.path, scenario.line, scenario.name),
            scenario.failures.clone(),
        ));
    }
    if let Some(mutation) = &report.mutation {
        let failures = if mutation.is_ok() { Vec::new() } else { survived(mutation) };
        out.push((format!("{}: mutants", report.path), failures));
    }
    out
}

fn survived(mutation: &Mutation) -> Vec<String> {
    let mut out = mutation.problems.clone();
    if mutation.tried > 0 {
        out.push(format!("score {:.3}, required {:.3}", mutation.score(), mutation.required));
    }
    for survivor in mutation.survivors.iter().filter(|survivor| survivor.allowed.is_none()) {
        out.push(format!(
            "nothing notices {} of {}\n{}",
            survivor.mutant.operator, survivor.mutant.on, survivor.mutant.diff
        ));
    }
    out
}

fn text(reports: &[TestReport], coverage: bool) -> String {
    let mut out = String::new();
    let (mut passed, mut failed) = (0, 0);
    for report in reports {
        for (name, failures) in results(report) {
            if failures.is_empty() {
                passed += 1;
                continue;
            }
            failed += 1;
            let _ = writeln!(out, "FAIL {}", plain_line(&name));
            for failure in failures {
                for line in failure.lines() {
                    let _ = writeln!(out, "  {}", plain_line(line));
                }
            }
        }
        if let Some(mutation) = &report.mutation {
            let excused = mutation.survivors.iter().filter(|survivor| survivor.allowed.is_some()).count();
            let sampled = if mutation.tried < mutation.mutants {
                format!(" (a sample of {})", mutation.mutants)
            } else {
                String::new()
            };
            let _ = writeln!(
                out,
                "{}: {} mutants{sampled}, score {:.3}, {excused} survive by name",
                plain_line(&report.path),
                mutation.tried,
                mutation.score()
            );
        }
        if coverage {
            covered(&mut out, report);
        }
    }
    let _ = writeln!(out, "{passed} passed, {failed} failed");
    out
}

fn covered(out: &mut String, report: &TestReport) {
    let seen = report.coverage.rules.values().filter(|seen| seen.iter().any(|one| *one)).count();
    let _ =
        writeln!(out, "{}: {seen} of {} rules seen", plain_line(&report.path), report.coverage.rules.len());
    for (rule, [pass, fail, unknown]) in &report.coverage.rules {
        let words = [("pass", pass), ("fail", fail), ("unknown", unknown)];
        let seen: Vec<&str> = words.into_iter().filter(|(_, seen)| **seen).map(|(word, _)| word).collect();
        let seen = if seen.is_empty() { "never".to_owned() } else { seen.join(", ") };
        let vacuous = if *fail { "" } else { " · vacuous: nothing ever failed it" };
        let _ = writeln!(out, "  {rule}: {seen}{vacuous}");
    }
}

fn tap(reports: &[TestReport]) -> String {
    let all: Vec<(String, Vec<String>)> = reports.iter().flat_map(results).collect();
    let mut out = format!("TAP version 14\n1..{}\n", all.len());
    for (number, (name, failures)) in all.iter().enumerate() {
        let verdict = if failures.is_empty() { "ok" } else { "not ok" };
        let _ = writeln!(out, "{verdict} {} - {}", number + 1, plain_line(name).replace('#', "\\#"));
        if !failures.is_empty() {
            out.push_str("  ---\n  message: |\n");
            for line in failures.iter().flat_map(|failure| failure.lines()) {
                let _ = writeln!(out, "    {}", plain_line(line));
            }
            out.push_str("  ...\n");
        }
    }
    out
}

fn junit(reports: &[TestReport]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for report in reports {
        let all = results(report);
        let failed = all.iter().filter(|(_, failures)| !failures.is_empty()).count();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\">",
            xml(&report.path),
            all.len()
        );
        for (name, failures) in &all {
            let _ = write!(out, "    <testcase classname=\"{}\" name=\"{}\"", xml(&report.path), xml(name));
            if failures.is_empty() {
                out.push_str("/>\n");
                continue;
            }
            let lines: Vec<String> = failures.iter().flat_map(|failure| failure.lines()).map(xml).collect();
            let first = lines.first().map(String::as_str).unwrap_or_default();
            let _ = writeln!(
                out,
                ">\n      <failure message=\"{first}\">{}</failure>\n    </testcase>",
                lines.join("\n")
            );
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn xml(text: &str) -> String {
    let text = plain_line(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn json_text(reports: &[TestReport]) -> String {
    let one = |report: &TestReport| {
        let scenarios: Vec<Value> = report
            .scenarios
            .iter()
            .map(|scenario| json!({"name": scenario.name, "line": scenario.line, "failures": scenario.failures}))
            .collect();
        let mutation = report.mutation.as_ref().map(|mutation| {
            let survivors: Vec<Value> = mutation
                .survivors
                .iter()
                .map(|one| {
                    json!({"operator": one.mutant.operator, "on": one.mutant.on, "diff": one.mutant.diff, "allowed": one.allowed})
                })
                .collect();
            json!({
                "mutants": mutation.mutants, "tried": mutation.tried, "score": mutation.score(),
                "required": mutation.required, "problems": mutation.problems, "survivors": survivors,
            })
        });
        let rules: serde_json::Map<String, Value> = report
            .coverage
            .rules
            .iter()
            .map(|(rule, [pass, fail, unknown])| {
                (rule.clone(), json!({"pass": pass, "fail": fail, "unknown": unknown}))
            })
            .collect();
        json!({
            "path": report.path, "ok": report.is_ok(),
            "problems": report.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "scenarios": scenarios, "mutation": mutation, "coverage": rules,
        })
    };
    let out = json!({
        "schema_version": 1, "ok": reports.iter().all(TestReport::is_ok),
        "files": reports.iter().map(one).collect::<Vec<_>>(),
    });
    let mut out = plain_json(&serde_json::to_string_pretty(&out).unwrap_or_default());
    out.push('\n');
    out
}
