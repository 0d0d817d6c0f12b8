//! A standard control by control, with the evidence for and against it. It never says that anybody complies.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use auditlint_analysis::{ControlEvidence, Report, RootReport, evidence};
use auditlint_policy::control::Standard;
use auditlint_policy::{Finding, FlowStep};
use serde_json::{Value, json};

use crate::plain::{plain_json, plain_line};
use crate::words;

type Found<'r> = (&'r RootReport, &'r Arc<Finding>);

/// Text for people.
#[must_use]
pub fn standard_text(report: &Report, standard: &Standard) -> String {
    let all = evidence(report, standard);
    let mut out = format!("{} {}\n{}\n", standard.title, standard.version, standard.source);
    if let Some(kept) = &standard.retention {
        let by =
            kept.control.as_ref().map(|control| format!(" ({}:{control})", standard.id)).unwrap_or_default();
        let hot = kept.hot.as_ref().map(|hot| format!(", searchable {hot}")).unwrap_or_default();
        let _ = writeln!(out, "retention {}{hot}{by}, by {}: {}", kept.value, kept.basis.as_str(), kept.note);
    }
    for (old, new) in &standard.superseded_by {
        let _ = writeln!(out, "{old} is superseded by {new}");
    }
    out.push_str("This lists evidence. Whether it is enough is for an auditor to say.\n");
    for one in &all {
        control(&mut out, report, standard, one);
    }
    let uncovered = all.iter().filter(|one| one.is_uncovered()).count();
    let against = all.iter().filter(|one| !one.opposing.is_empty()).count();
    let _ = writeln!(
        out,
        "\n{}: evidence against {against}, nothing here speaks of {uncovered}",
        words::counted(u32::try_from(all.len()).unwrap_or(u32::MAX), "control"),
    );
    let gaps: u32 = report.roots.iter().map(|root| root.summary.gaps).sum();
    if gaps > 0 {
        let _ = writeln!(
            out,
            "{} could not be read: what is there is not in this list",
            words::counted(gaps, "part")
        );
    }
    out
}

fn control(out: &mut String, report: &Report, standard: &Standard, one: &ControlEvidence<'_>) {
    let control = one.control;
    let version =
        if control.version == standard.version { String::new() } else { format!(" of {}", control.version) };
    let basis = control.basis.as_str();
    let _ = writeln!(out, "\n{}:{}{version}  {} (by {basis})", standard.id, control.id, control.title);
    if one.is_uncovered() {
        out.push_str("  not covered: nothing here speaks of it\n");
        return;
    }
    section(out, report, "evidence for", &one.supporting);
    section(out, report, "evidence against", &one.opposing);
    section(out, report, "not known", &one.undecided);
    section(out, report, "exempt", &one.exempt);
}

/// Findings by rule, each with its place, value and flow.
fn section(out: &mut String, report: &Report, heading: &str, found: &[Found<'_>]) {
    if found.is_empty() {
        return;
    }
    let _ = writeln!(out, "  {heading}: {}", found.len());
    let mut rules: BTreeMap<&str, Vec<&Found<'_>>> = BTreeMap::new();
    found.iter().for_each(|one| rules.entry(&one.1.rule).or_default().push(one));
    for (rule, found) in rules {
        let _ = writeln!(out, "    {rule}");
        for (root, finding) in found {
            let place = words::place(report, root, &finding.place);
            let values: Vec<String> =
                finding.evidence.iter().map(|one| format!("{} = {}", one.subject, one.value)).collect();
            let why = finding.exemption.as_ref().map(|why| format!(" · {why}")).unwrap_or_default();
            let text = format!("{} at {place} · {}{why}", finding.address, values.join(", "));
            let _ = writeln!(out, "      {}", plain_line(text.trim_end_matches(" · ")));
            for flow in finding.flows.iter().filter(|flow| flow.len() > 1) {
                let _ = writeln!(out, "        {}", plain_line(&path(flow)));
            }
        }
    }
}

fn path(flow: &[FlowStep]) -> String {
    let steps = flow.iter().map(|step| match (step.retention_days, step.never_expires) {
        (Some(days), _) => format!("{} ({days} days)", step.address),
        (None, true) => format!("{} (never expires)", step.address),
        (None, false) => step.address.clone(),
    });
    steps.collect::<Vec<_>>().join(" → ")
}

/// The same for machines.
#[must_use]
pub fn standard_json(report: &Report, standard: &Standard) -> String {
    let all = evidence(report, standard);
    let controls: Vec<Value> = all
        .iter()
        .map(|one| {
            json!({
                "id": format!("{}:{}", standard.id, one.control.id), "title": one.control.title,
                "version": one.control.version, "basis": one.control.basis.as_str(),
                "covered": !one.is_uncovered(),
                "evidence_for": found(report, &one.supporting), "evidence_against": found(report, &one.opposing),
                "undecided": found(report, &one.undecided), "exempt": found(report, &one.exempt),
            })
        })
        .collect();
    let retention = standard.retention.as_ref().map(|kept| {
        json!({"value": kept.value, "hot": kept.hot, "control": kept.control, "basis": kept.basis.as_str(), "note": kept.note})
    });
    let out = json!({
        "schema_version": 1, "standard": standard.id, "title": standard.title, "version": standard.version,
        "source": standard.source, "retention": retention, "policy_digest": report.policy.digest,
        "gaps": report.roots.iter().map(|root| root.summary.gaps).sum::<u32>(), "controls": controls,
    });
    let mut out = plain_json(&serde_json::to_string_pretty(&out).unwrap_or_default());
    out.push('\n');
    out
}

fn found(report: &Report, found: &[Found<'_>]) -> Vec<Value> {
    let one = |(root, finding): &Found<'_>| {
        let evidence: Vec<Value> = finding
            .evidence
            .iter()
            .map(|one| json!({"attribute": one.subject, "value": one.value, "origin": one.origin}))
            .collect();
        let flows: Vec<String> =
            finding.flows.iter().filter(|flow| flow.len() > 1).map(|flow| path(flow)).collect();
        json!({
            "rule": &*finding.rule, "address": finding.address.to_string(), "root": root.path.as_str(),
            "place": words::place(report, root, &finding.place), "evidence": evidence, "flows": flows,
            "exemption": finding.exemption, "fingerprint": finding.fingerprint(),
        })
    };
    found.iter().map(one).collect()
}
