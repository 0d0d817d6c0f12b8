//! What another policy makes of the same configuration.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use auditlint_analysis::Report;
use auditlint_policy::Verdict;

use crate::plain::plain_line;
use crate::words;

/// The findings that only one of two reports has, by fingerprint and verdict.
#[must_use]
pub fn difference(
    before: &Report,
    after: &Report,
    known: &BTreeSet<(String, Verdict)>,
    now: &BTreeSet<(String, Verdict)>,
) -> String {
    let mut out = String::new();
    let appear = one_sided(&mut out, "+", after, known);
    let disappear = one_sided(&mut out, "-", before, now);
    let _ = writeln!(out, "{} appear, {} disappear", words::counted(appear, "finding"), disappear);
    out
}

fn one_sided(out: &mut String, sign: &str, report: &Report, other: &BTreeSet<(String, Verdict)>) -> u32 {
    let mut count = 0;
    for (root, finding) in report.findings() {
        let is_open = matches!(finding.verdict, Verdict::Fail | Verdict::Unknown);
        if !is_open || other.contains(&(finding.fingerprint(), finding.verdict)) {
            continue;
        }
        count += 1;
        let place = words::place(report, root, &finding.place);
        let text = format!(
            "{sign} {place}: {} {} {}: {}",
            finding.verdict.as_str(),
            finding.rule,
            finding.address,
            finding.message
        );
        let _ = writeln!(out, "{}", plain_line(&text));
    }
    count
}
