//! One line for each rule and place: `path:line:column: severity[rule] message`.

use std::fmt::Write as _;

use auditlint_analysis::Report;
use auditlint_policy::Verdict;

use crate::environments::Matrix;
use crate::group::{gaps, groups};
use crate::plain::plain_line;
use crate::{Options, words};

pub(crate) fn render(report: &Report, options: &Options) -> String {
    let mut out = String::new();
    let matrix = Matrix::new(report);
    for group in groups(report, options) {
        let finding = group.first;
        let place = words::place(report, group.root, &finding.place);
        let mut line = String::new();
        let _ = write!(
            line,
            "{place}: {}[{}] {}",
            label(finding.verdict, finding.severity.as_str()),
            finding.rule,
            finding.message
        );
        let _ = match group.addresses.as_slice() {
            // What is said of the whole root has no address.
            [one] if one.is_empty() => Ok(()),
            [one] => write!(line, " ({one})"),
            [first, rest @ ..] => write!(line, " ({first} and {} more)", rest.len()),
            [] => Ok(()),
        };
        if let Some(words) = matrix.words(&group) {
            let _ = write!(line, " ({words})");
        }
        out.push_str(&plain_line(&line));
        out.push('\n');
    }
    for (_, gap) in gaps(report) {
        let line = format!("{}: gap[{}] {}", gap_place(report, gap), gap.kind.as_str(), gap.reason);
        out.push_str(&plain_line(&line));
        out.push('\n');
    }
    for one in &report.left_out {
        let folder = words::folder(one.folder.as_str());
        out.push_str(&plain_line(&format!("{folder}: left out[{}] {}", one.kind.as_str(), one.reason)));
        out.push('\n');
    }
    if let Some(line) = words::exempt(report, options) {
        let _ = writeln!(out, "{line}");
    }
    if options.statistics {
        crate::pretty::statistics(&mut out, report);
    }
    out
}

pub(crate) fn label(verdict: Verdict, severity: &'static str) -> &'static str {
    match verdict {
        Verdict::Fail => severity,
        other => other.as_str(),
    }
}

/// `path:line:column` of a gap, or its path alone.
pub(crate) fn gap_place(report: &Report, gap: &auditlint_graph::Gap) -> String {
    match gap.at.and_then(|at| words::location(report, at)) {
        Some(shown) => format!("{}:{}:{}", shown.source.path(), shown.start.line, shown.start.column),
        None => gap.path.clone(),
    }
}
