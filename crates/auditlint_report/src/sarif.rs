//! SARIF 2.1.0: one result for each rule, place and verdict; lines and columns from 1, columns in Unicode code
//! points; gaps as notifications of the invocation.

use std::collections::BTreeMap;

use auditlint_analysis::Report;
use auditlint_policy::{Place, Rule, Severity, Verdict};
use serde_json::{Value, json};

use crate::Options;
use crate::group::{Group, gaps, groups};
use crate::plain::plain_json;
use crate::words::{self, Shown};

pub(crate) fn render(report: &Report, options: &Options) -> String {
    let groups = groups(report, &Options { show_exempt: true, ..options.clone() });
    let mut rules: BTreeMap<&str, Option<&Rule>> = BTreeMap::new();
    for group in &groups {
        rules.insert(&group.first.rule, words::rule(report, group.first).map(AsRef::as_ref));
    }
    let index: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(at, id)| (*id, at)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "auditlint",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules.iter().map(|(id, rule)| descriptor(id, *rule)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications(report),
            }],
            "results": groups.iter().map(|group| result(report, group, &index)).collect::<Vec<_>>(),
        }],
    });
    let mut out = plain_json(&serde_json::to_string_pretty(&log).unwrap_or_default());
    out.push('\n');
    out
}

/// What was not analysed, and what was left out.
fn notifications(report: &Report) -> Vec<Value> {
    let gaps = gaps(report).into_iter().map(|(_, gap)| {
        let at = gap.at.and_then(|at| words::location(report, at));
        json!({
            "level": "warning",
            "descriptor": {"id": format!("gap/{}", gap.kind.as_str())},
            "message": {"text": gap.reason},
            "locations": [{"physicalLocation": physical(at.as_ref(), &gap.path)}],
        })
    });
    let left_out = report.left_out.iter().map(|one| {
        json!({
            "level": "note",
            "descriptor": {"id": format!("left_out/{}", one.kind.as_str())},
            "message": {"text": one.reason},
            "locations": [{"physicalLocation": physical(None, one.folder.as_str())}],
        })
    });
    gaps.chain(left_out).collect()
}

fn descriptor(id: &str, rule: Option<&Rule>) -> Value {
    let Some(rule) = rule else { return json!({"id": id}) };
    json!({
        "id": id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "helpUri": auditlint_policy::rule::docs(id),
        "help": {"text": rule.why},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {
            "tags": rule.categories.iter().map(|category| category.as_str()).chain(rule.controls.iter().map(String::as_str)).collect::<Vec<_>>(),
            "security-severity": security_severity(rule.severity),
        },
    })
}

fn result(report: &Report, group: &Group<'_>, index: &BTreeMap<&str, usize>) -> Value {
    let finding = group.first;
    let shown = words::shown(report, &finding.place);
    // What is undecided is `open` in SARIF's words, and only a failure may carry a level.
    let (kind, level) = match finding.verdict {
        Verdict::Fail | Verdict::Exempt => ("fail", level(finding.severity)),
        Verdict::Unknown => ("open", "none"),
        Verdict::Pass => ("pass", "none"),
        Verdict::NotApplicable => ("notApplicable", "none"),
    };
    let mut related: Vec<Value> = finding
        .related
        .iter()
        .filter_map(|related| Some((words::shown(report, &related.place)?, &related.message)))
        .map(|(shown, message)| json!({"physicalLocation": physical(Some(&shown), ""), "message": {"text": message}}))
        .collect();
    if let Some(policy) = words::location(report, finding.policy.at)
        .filter(|policy| !policy.source.path().as_str().contains(':'))
    {
        related.push(
            json!({"physicalLocation": physical(Some(&policy), ""), "message": {"text": "asked for here"}}),
        );
    }
    let mut out = json!({
        "ruleId": &*finding.rule,
        "kind": kind,
        "level": level,
        "message": {"text": message(group)},
        "locations": [{
            "physicalLocation": physical(shown.as_ref(), group.root.path.as_str()),
            "logicalLocations": group.addresses.iter().map(|address| json!({"fullyQualifiedName": address, "kind": "resource"})).collect::<Vec<_>>(),
        }],
        "relatedLocations": related,
        "partialFingerprints": {"auditlint/v1": finding.fingerprint()},
    });
    if let (Some(at), Some(object)) = (index.get(&*finding.rule), out.as_object_mut()) {
        object.insert("ruleIndex".to_owned(), json!(at));
        if let Some(reason) = &finding.exemption {
            object.insert("suppressions".to_owned(), json!([{"kind": "inSource", "justification": reason}]));
        }
        if let Place::Plan(pointer) = &finding.place {
            object.insert("properties".to_owned(), json!({"pointer": pointer}));
        }
    }
    out
}

fn message(group: &Group<'_>) -> String {
    match group.addresses.as_slice() {
        [one] => format!("{one}: {}", group.first.message),
        many => format!("{} ({} instances: {})", group.first.message, many.len(), many.join(", ")),
    }
}

fn physical(shown: Option<&Shown<'_>>, path: &str) -> Value {
    match shown {
        Some(shown) => json!({
            "artifactLocation": {"uri": uri(shown.source.path().as_str())},
            "region": {
                "startLine": shown.start.line, "startColumn": shown.start.column,
                "endLine": shown.end.line, "endColumn": shown.end.column,
            },
        }),
        None => json!({"artifactLocation": {"uri": uri(path)}}),
    }
}

/// A relative reference: what is not allowed in one is escaped.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    if out.is_empty() { ".".to_owned() } else { out }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "note",
        Severity::Medium => "warning",
        Severity::High | Severity::Critical => "error",
    }
}

/// The number by which code scanning sorts.
const fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "3.0",
        Severity::Medium => "5.0",
        Severity::High => "7.5",
        Severity::Critical => "9.5",
    }
}
