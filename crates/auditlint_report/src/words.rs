//! Places and names as every format writes them.

use std::sync::Arc;

use auditlint_analysis::{Report, RootReport};
use auditlint_policy::{Finding, Place, Rule};
use auditlint_syntax::{LineColumn, Location, Source};

use crate::Options;

/// A place, resolved to its text.
pub(crate) struct Shown<'a> {
    pub(crate) source: &'a Arc<Source>,
    pub(crate) at: Location,
    pub(crate) start: LineColumn,
    pub(crate) end: LineColumn,
}

/// Resolves a place in a text; none for a place in a plan.
pub(crate) fn shown<'a>(report: &'a Report, place: &Place) -> Option<Shown<'a>> {
    let Place::Source(at) = place else { return None };
    location(report, *at)
}

pub(crate) fn location(report: &Report, at: Location) -> Option<Shown<'_>> {
    let source = report.source(at.file)?;
    let lines = source.lines();
    let (start, end) =
        (lines.line_column(source.text(), at.span.start), lines.line_column(source.text(), at.span.end));
    Some(Shown { source, at, start, end })
}

/// `path:line:column`, or the plan's path and pointer.
pub(crate) fn place(report: &Report, root: &RootReport, place: &Place) -> String {
    match (shown(report, place), place) {
        (Some(shown), _) => format!("{}:{}:{}", shown.source.path(), shown.start.line, shown.start.column),
        (None, Place::Plan(pointer)) => format!("{}#{pointer}", root.path),
        (None, _) => root.path.to_string(),
    }
}

/// The rule of a finding, where the catalogue has it (findings on suppressions have none).
pub(crate) fn rule<'a>(report: &'a Report, finding: &Finding) -> Option<&'a Arc<Rule>> {
    let bindings = &report.policy.bindings;
    let at = bindings.binary_search_by(|binding| (*binding.rule.id).cmp(&*finding.rule)).ok()?;
    bindings.get(at).map(|binding| &binding.rule)
}

/// `1 place`, `2 places`
pub(crate) fn counted(n: u32, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// A folder as people write it: the top of the workspace is `.`.
pub(crate) fn folder(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}

/// How many findings are excused, where they are not listed anyway.
pub(crate) fn exempt(report: &Report, options: &Options) -> Option<String> {
    let number = report.summary.exempt;
    let are = if number == 1 { "is" } else { "are" };
    (number > 0 && !options.show_exempt)
        .then(|| format!("{} {are} exempt; --show exempt lists them", counted(number, "finding")))
}
