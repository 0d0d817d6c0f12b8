//! The baseline: what was there on the first day, and is accepted until somebody mends it. It only shrinks.

use std::collections::BTreeMap;
use std::sync::Arc;

use auditlint_graph::Gap;
use auditlint_policy::{Finding, LocatedProblem, Verdict};
use auditlint_syntax::document::{self, Node};
use auditlint_syntax::{Source, Span};
use serde_json::json;

use crate::{Report, gap_fingerprint};

/// The name of the file, beside the config file or at the top of the workspace.
pub const BASELINE_NAME: &str = ".auditlint.baseline.json";

/// What is accepted, by fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// The findings.
    pub findings: BTreeMap<String, Accepted>,
    /// The gaps, with their reasons.
    pub gaps: BTreeMap<String, String>,
    /// Where each finding is written, for those who speak of it.
    places: BTreeMap<String, Span>,
}

/// A finding that was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The rule.
    pub rule: String,
    /// The address.
    pub address: String,
    /// What the rule said.
    pub verdict: String,
    /// What it rested on: another digest is another finding.
    pub evidence: String,
    /// The day on which it was accepted.
    pub since: String,
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read(source: &Source) -> Result<Self, LocatedProblem> {
        let document = document::parse(source.text());
        if let Some(problem) = document.problems.into_iter().next() {
            return Err(LocatedProblem::new(source, problem.span, problem.message));
        }
        let root = &document.root;
        if root.get("kind").and_then(Node::as_str) != Some("auditlint_baseline") {
            let message = "this is no baseline that `auditlint baseline create` wrote".to_owned();
            return Err(LocatedProblem::new(source, root.span, message));
        }
        let mut out = Self::default();
        for node in root.get("findings").map(Node::items).unwrap_or_default() {
            let text = |key: &str| node.get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
            let accepted = Accepted {
                rule: text("rule"),
                address: text("address"),
                verdict: text("verdict"),
                evidence: text("evidence"),
                since: text("since"),
            };
            out.places.insert(text("fingerprint"), node.span);
            out.findings.insert(text("fingerprint"), accepted);
        }
        for node in root.get("gaps").map(Node::items).unwrap_or_default() {
            let text = |key: &str| node.get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
            out.gaps.insert(text("fingerprint"), text("reason"));
        }
        Ok(out)
    }

    /// Everything that is open in `report`, accepted on the day `today`.
    #[must_use]
    pub fn of(report: &Report, today: &str) -> Self {
        let mut out = Self::default();
        for (_, finding) in report.findings().filter(|(_, finding)| is_open(finding)) {
            out.findings.insert(finding.fingerprint(), accepted(finding, today));
        }
        for gap in report.roots.iter().flat_map(|root| &root.gaps) {
            out.gaps.insert(gap_fingerprint(gap), gap.reason.clone());
        }
        out
    }

    /// What of it is still there in `report`: nothing is added, and what was mended is gone.
    #[must_use]
    pub fn shrunk(&self, report: &Report) -> Self {
        let now = Self::of(report, "");
        let mut out = self.clone();
        out.findings.retain(|fingerprint, accepted| {
            now.findings
                .get(fingerprint)
                .is_some_and(|found| !accepted.is_worsened(&found.verdict, &found.evidence))
        });
        out.gaps.retain(|fingerprint, _| now.gaps.contains_key(fingerprint));
        out
    }

    /// Where a finding is written.
    #[must_use]
    pub fn place(&self, fingerprint: &str) -> Option<Span> {
        self.places.get(fingerprint).copied()
    }

    /// The finding, excused where it was there and is no worse.
    #[must_use]
    pub fn apply(&self, finding: Arc<Finding>) -> Arc<Finding> {
        if !is_open(&finding) {
            return finding;
        }
        let Some(known) = self.findings.get(&finding.fingerprint()) else { return finding };
        if known.is_worsened(finding.verdict.as_str(), &finding.evidence_digest()) {
            return finding;
        }
        let mut exempt = Finding::clone(&finding);
        exempt.verdict = Verdict::Exempt;
        exempt.exemption = Some(format!("baseline since {}", known.since));
        exempt.remedies.clear();
        Arc::new(exempt)
    }

    /// Whether a gap was there.
    #[must_use]
    pub fn holds(&self, gap: &Gap) -> bool {
        self.gaps.contains_key(&gap_fingerprint(gap))
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> String {
        let findings: Vec<_> = self
            .findings
            .iter()
            .map(|(fingerprint, one)| {
                json!({
                    "fingerprint": fingerprint, "rule": one.rule, "address": one.address, "verdict": one.verdict,
                    "evidence": one.evidence, "since": one.since,
                })
            })
            .collect();
        let gaps: Vec<_> = self
            .gaps
            .iter()
            .map(|(fingerprint, reason)| json!({"fingerprint": fingerprint, "reason": reason}))
            .collect();
        let out =
            json!({"kind": "auditlint_baseline", "schema_version": 1, "findings": findings, "gaps": gaps});
        let mut out = serde_json::to_string_pretty(&out).unwrap_or_default();
        out.push('\n');
        out
    }
}

impl Accepted {
    /// Whether a finding says more than what was accepted, or rests on something else.
    fn is_worsened(&self, verdict: &str, evidence: &str) -> bool {
        self.verdict != verdict || self.evidence != evidence
    }
}

fn is_open(finding: &Finding) -> bool {
    matches!(finding.verdict, Verdict::Fail | Verdict::Unknown)
}

fn accepted(finding: &Finding, today: &str) -> Accepted {
    Accepted {
        rule: finding.rule.to_string(),
        address: finding.address.to_string(),
        verdict: finding.verdict.as_str().to_owned(),
        evidence: finding.evidence_digest(),
        since: today.to_owned(),
    }
}
