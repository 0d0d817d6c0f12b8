//! What a plan leaves undecided, written down so that the state after the apply can be held against it.

use auditlint_analysis::{InputMode, Report, RootReport};
use auditlint_policy::{Finding, Verdict};
use serde_json::{Value, json};

use crate::plain::plain_json;

/// The document that `--obligations` writes.
#[must_use]
pub fn render(report: &Report) -> String {
    let document = json!({
        "schema_version": 1,
        "tool": {"name": "auditlint", "version": env!("CARGO_PKG_VERSION")},
        "policy": &*report.policy.id,
        "policy_digest": report.policy.digest,
        "obligations": all(report),
    });
    plain_json(&format!("{}\n", serde_json::to_string_pretty(&document).unwrap_or_default()))
}

/// The obligations of a report, in its order.
pub(crate) fn all(report: &Report) -> Vec<Value> {
    report.findings().filter_map(|(root, finding)| of(root, finding)).collect()
}

/// The obligation of one finding: none for what is decided, and for what was not read from a plan.
pub(crate) fn of(root: &RootReport, finding: &Finding) -> Option<Value> {
    if finding.verdict != Verdict::Unknown || root.mode != InputMode::Plan {
        return None;
    }
    Some(json!({
        "id": finding.fingerprint(),
        "rule": &*finding.rule,
        "address": finding.address.to_string(),
        "resource_type": finding.address.kind.as_str(),
        "attribute": finding.attribute,
        "severity": finding.severity.as_str(),
        "categories": finding.categories.iter().map(|category| category.as_str()).collect::<Vec<_>>(),
        "message": finding.message,
        "cause": finding.cause.as_ref().map(|cause| json!({"kind": cause.kind.as_str(), "ref": cause.subject, "hint": cause.hint})),
        "root": root.path.as_str(),
    }))
}
