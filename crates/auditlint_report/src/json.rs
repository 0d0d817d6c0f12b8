//! The stable JSON format; readers must accept new keys and kinds.

use auditlint_analysis::{Outcome, Report, RootReport, Summary};
use auditlint_graph::Gap;
use auditlint_policy::{Evidence, Finding, Place};
use serde::Serialize;
use serde_json::{Value, json};

use crate::Options;
use crate::group::{gaps, wanted};
use crate::obligations;
use crate::plain::plain_json;
use crate::words::{self, Shown};

#[derive(Serialize)]
struct Output<'a> {
    schema_version: u32,
    tool: Value,
    run: Value,
    status: &'a str,
    summary: Value,
    findings: Vec<Value>,
    gaps: Vec<Value>,
    left_out: Vec<Value>,
    obligations: Vec<Value>,
}

pub(crate) fn render(report: &Report, outcome: &Outcome, options: &Options) -> String {
    let modes: Vec<&str> = report.roots.iter().map(|root| root.mode.as_str()).collect();
    let mode =
        modes.first().filter(|first| modes.iter().all(|mode| mode == *first)).copied().unwrap_or("mixed");
    let excused: Vec<&str> = outcome.excused.iter().map(|kind| kind.as_str()).collect();
    let output = Output {
        schema_version: 1,
        tool: json!({"name": "auditlint", "version": env!("CARGO_PKG_VERSION")}),
        run: json!({"mode": mode, "policy": &*report.policy.id, "policy_digest": report.policy.digest, "commit": null, "excused_gaps": excused,
            "override": outcome.overridden.as_ref().map(|(who, findings)| json!({"by": who, "findings": findings}))}),
        status: outcome.status.as_str(),
        summary: summary(&report.summary, report.left_out.len()),
        findings: report
            .findings()
            .filter(|(_, item)| wanted(item, options))
            .map(|(root, item)| finding(report, root, item, outcome.defers))
            .collect(),
        gaps: gaps(report).into_iter().map(|(_, item)| gap(report, item)).collect(),
        left_out: report
            .left_out
            .iter()
            .map(|one| json!({"kind": one.kind.as_str(), "path": one.folder.as_str(), "reason": one.reason, "hint": one.hint}))
            .collect(),
        obligations: if outcome.defers { obligations::all(report) } else { Vec::new() },
    };
    let mut out = plain_json(&serde_json::to_string_pretty(&output).unwrap_or_default());
    out.push('\n');
    out
}

/// The report of a run that ended with a usage, config or policy error.
#[must_use]
pub fn error(message: &str, hint: Option<&str>) -> String {
    let body = json!({"schema_version": 1, "status": "error", "error": {"message": message, "hint": hint}});
    plain_json(&format!("{body}\n"))
}

fn summary(summary: &Summary, left_out: usize) -> Value {
    let [sources, proven, broken, undecided] = summary.sources;
    let by_category: serde_json::Map<String, Value> = summary
        .by_category
        .iter()
        .map(|(category, count)| (category.as_str().to_owned(), json!(count)))
        .collect();
    json!({
        "resources": summary.resources, "applicable": summary.applicable, "pass": summary.pass, "fail": summary.fail,
        "unknown": summary.unknown, "exempt": summary.exempt, "gaps": summary.gaps, "places": summary.places,
        "causes": summary.causes, "off": summary.off, "left_out": left_out,
        "sources": {"total": sources, "proven": proven, "broken": broken, "undecided": undecided},
        "sources_by_category": by_category,
    })
}

fn finding(report: &Report, root: &RootReport, finding: &Finding, defers: bool) -> Value {
    let rule = words::rule(report, finding);
    let (path, span, pointer) = place(report, root, &finding.place);
    let policy = words::location(report, finding.policy.at);
    json!({
        "rule": &*finding.rule,
        "aliases": rule.map(|rule| rule.aliases.clone()).unwrap_or_default(),
        "verdict": finding.verdict.as_str(),
        "severity": finding.severity.as_str(),
        "enforcement": finding.level.as_str(),
        "categories": finding.categories.iter().map(|category| category.as_str()).collect::<Vec<_>>(),
        "address": finding.address.to_string(),
        "resource_type": finding.address.kind.as_str(),
        "attribute": finding.attribute,
        "root": root.path.as_str(),
        "environment": root.environment.as_ref().map(|(name, why)| json!({"name": name, "why": why})),
        "message": finding.message,
        "docs": auditlint_policy::rule::docs(&finding.rule),
        "path": path,
        "span": span,
        "pointer": pointer,
        "related": finding.related.iter().map(|related| {
            let (path, span, pointer) = place(report, root, &related.place);
            json!({"message": related.message, "path": path, "span": span, "pointer": pointer})
        }).collect::<Vec<_>>(),
        "policy": {
            "id": &*finding.policy.id,
            "path": policy.as_ref().map(|shown| shown.source.path().as_str()),
            "line": policy.as_ref().map(|shown| shown.start.line),
        },
        "controls": rule.map(|rule| rule.controls.clone()).unwrap_or_default(),
        "cause": finding.cause.as_ref().map(|cause| json!({"kind": cause.kind.as_str(), "ref": cause.subject, "hint": cause.hint})),
        "evidence": finding.evidence.iter().map(|item| evidence(report, item)).collect::<Vec<_>>(),
        "flows": finding.flows.iter().map(|flow| flow.iter().map(|step| json!({
            "address": step.address, "role": step.role, "retention_days": step.retention_days,
            "never_expires": step.never_expires, "external": step.external, "root": step.root.as_deref(),
        })).collect::<Vec<_>>()).collect::<Vec<_>>(),
        "state": null,
        "exemption": finding.exemption,
        "obligation": if defers { obligations::of(root, finding) } else { None },
        "fixes": finding.remedies.iter().map(|remedy| json!({"title": remedy.title, "safety": remedy.safety.as_str()})).collect::<Vec<_>>(),
        "fingerprint": finding.fingerprint(),
    })
}

/// Path, span and pointer of a place.
fn place(report: &Report, root: &RootReport, place: &Place) -> (Value, Value, Value) {
    match (words::shown(report, place), place) {
        (Some(shown), _) => (json!(shown.source.path().as_str()), span(&shown), Value::Null),
        (None, Place::Plan(pointer)) => (json!(root.path.as_str()), Value::Null, json!(pointer)),
        (None, _) => (json!(root.path.as_str()), Value::Null, Value::Null),
    }
}

fn span(shown: &Shown<'_>) -> Value {
    json!({
        "start": {"byte": shown.at.span.start, "line": shown.start.line, "column": shown.start.column},
        "end": {"byte": shown.at.span.end, "line": shown.end.line, "column": shown.end.column},
    })
}

fn evidence(report: &Report, evidence: &Evidence) -> Value {
    let shown = words::shown(report, &evidence.place);
    json!({
        "subject": evidence.subject, "value": evidence.value, "origin": evidence.origin,
        "path": shown.as_ref().map(|shown| shown.source.path().as_str()),
        "line": shown.as_ref().map(|shown| shown.start.line),
    })
}

fn gap(report: &Report, gap: &Gap) -> Value {
    let shown = gap.at.and_then(|at| words::location(report, at));
    json!({
        "kind": gap.kind.as_str(), "path": gap.path, "span": shown.as_ref().map(span), "reason": gap.reason,
        "hint": gap.hint, "count": gap.count, "fingerprint": auditlint_analysis::gap_fingerprint(gap),
    })
}
