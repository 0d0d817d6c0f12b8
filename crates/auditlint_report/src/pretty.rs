//! For people: a headline, frames over the Terraform line and the policy line, and what to do next.
//!
//! A first run fits on a screen: the worst places as frames, the others as one line each, unknowns by cause,
//! gaps by kind. `--full` draws every frame.

use std::fmt::Write as _;

use auditlint_analysis::{Outcome, Report, Status};
use auditlint_policy::{Category, Place, Severity, Verdict};
use auditlint_syntax::{FileId, Location};
use codespan_reporting::diagnostic::{Diagnostic, Label};
use codespan_reporting::files::SimpleFiles;
use codespan_reporting::term::{self, Config};

use crate::Options;
use crate::concise::{gap_place, label};
use crate::environments::Matrix;
use crate::group::{Group, causes, gaps, groups};
use crate::mask::masked;
use crate::plain::{plain, plain_line, plain_source};
use crate::words::{self, counted};

/// Frames drawn on a first run.
const FRAMES: usize = 2;
/// Lines of each further list on a first run.
const LINES: usize = 5;

pub(crate) fn render(report: &Report, outcome: &Outcome, options: &Options) -> String {
    let groups = groups(report, options);
    let mut drawn = String::new();
    headline(&mut drawn, report);
    let (judged, shown): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| is_judged(group));
    let matrix = Matrix::new(report);
    frames(&mut drawn, report, &judged, &matrix, options);
    for group in shown {
        line(&mut drawn, report, &group, &matrix);
    }
    // The frames have colours of ours; what else is written has none.
    let mut out = String::new();
    undecided(&mut out, report, options);
    incomplete(&mut out, report, outcome, options);
    left_out(&mut out, report, options);
    nothing_here(&mut out, report);
    not_counted(&mut out, report, outcome, options);
    if options.statistics {
        statistics(&mut out, report);
    }
    if !options.quiet {
        next_steps(&mut out, report, outcome, options);
    }
    drawn.push_str(&plain(&out));
    drawn
}

/// What would have counted, and why it does not.
fn not_counted(out: &mut String, report: &Report, outcome: &Outcome, options: &Options) {
    if let Some((who, findings)) = &outcome.overridden {
        let _ = writeln!(out, "{} overridden by {who}", counted(*findings, "soft-mandatory finding"));
    }
    if let Some(line) = words::exempt(report, options) {
        let _ = writeln!(out, "{line}");
    }
    if report.summary.off > 0 {
        let _ =
            writeln!(out, "{} of rules that the policy switched off", counted(report.summary.off, "finding"));
    }
}

fn is_judged(group: &Group<'_>) -> bool {
    group.first.verdict == Verdict::Fail
}

fn headline(out: &mut String, report: &Report) {
    let summary = &report.summary;
    let [sources, proven, broken, undecided] = summary.sources;
    if summary.resources == 0 && summary.gaps > 0 {
        let _ = writeln!(out, "nothing could be read");
        return;
    }
    // What is found by no rule of a resource (a change, a policy in Rego) is found all the same.
    if summary.applicable == 0 && summary.fail + summary.unknown == 0 {
        let _ = writeln!(
            out,
            "{} read; none emits or keeps logs that the policy covers",
            counted(summary.resources, "resource")
        );
        return;
    }
    let mut parts = Vec::new();
    if sources > 0 {
        parts.push(counted(sources, "log source"));
        parts.push(format!("{proven} proven"));
        parts.push(format!("{broken} broken"));
        parts.push(format!("{undecided} undecided"));
    } else {
        let judged = if summary.applicable == 0 { summary.resources } else { summary.applicable };
        parts.push(counted(judged, "resource"));
    }
    let _ = writeln!(
        out,
        "{} · {} in {} · {} unknown by {}",
        parts.join(" · "),
        counted(summary.fail, "failure"),
        counted(summary.places, "place"),
        summary.unknown,
        counted(summary.causes, "cause"),
    );
}

fn frames(out: &mut String, report: &Report, groups: &[Group<'_>], matrix: &Matrix<'_>, options: &Options) {
    let drawn = if options.quiet {
        0
    } else if options.full {
        groups.len()
    } else {
        FRAMES
    };
    for group in groups.iter().take(drawn) {
        out.push('\n');
        out.push_str(&frame(report, group, matrix, options));
    }
    if !groups.is_empty() && drawn > 0 {
        out.push('\n');
    }
    let lines = if options.full || options.quiet { usize::MAX } else { LINES };
    for group in groups.iter().skip(drawn).take(lines) {
        line(out, report, group, matrix);
    }
    let rest = groups.len().saturating_sub(drawn).saturating_sub(lines);
    if rest > 0 {
        let target = plain_line(&options.target);
        let _ = writeln!(out, "… and {rest} more: auditlint check {target} --format concise");
    }
}

/// One diagnostic over both files, with the Terraform line and the policy line.
fn frame(report: &Report, group: &Group<'_>, matrix: &Matrix<'_>, options: &Options) -> String {
    let finding = group.first;
    let mut files = Texts::new(report);
    let mut labels = Vec::new();
    if let Place::Source(at) = finding.place
        && let Some(label) = files.label(at, true)
    {
        labels.push(label.with_message(plain_line(&addresses(&group.addresses))));
    }
    for related in finding.related.iter().take(2) {
        if let Place::Source(at) = related.place
            && let Some(label) = files.label(at, false)
        {
            labels.push(label.with_message(plain_line(&related.message)));
        }
    }
    if let Some(label) = files.label(finding.policy.at, false) {
        labels.push(label.with_message("asked for here"));
    }
    let mut notes = Vec::new();
    if let Place::Plan(_) = finding.place {
        notes.push(plain_line(&format!(
            "at {} ({})",
            words::place(report, group.root, &finding.place),
            addresses(&group.addresses)
        )));
    }
    notes.extend(matrix.words(group).map(|words| plain_line(&words)));
    if let Some(remedy) = finding.remedies.first() {
        notes.push(plain_line(&format!("fix: {}", remedy.title)));
    }
    let diagnostic = match (finding.severity, finding.level.gates()) {
        (Severity::Low, _) | (_, false) => Diagnostic::warning(),
        _ => Diagnostic::error(),
    }
    .with_code(&*finding.rule)
    .with_message(plain_line(&format!("{}: {}", finding.severity.as_str(), finding.message)))
    .with_labels(labels)
    .with_notes(notes);
    let config = Config { start_context_lines: 1, end_context_lines: 0, ..Config::default() };
    let mut out = String::new();
    let drawn = if options.colour {
        let mut buffer = term::termcolor::Buffer::ansi();
        term::emit_to_write_style(&mut buffer, &config, &files.texts, &diagnostic)
            .map(|()| out.push_str(&String::from_utf8_lossy(buffer.as_slice())))
    } else {
        term::emit_to_string(&mut out, &config, &files.texts, &diagnostic)
    };
    if drawn.is_err() {
        line(&mut out, report, group, matrix);
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

/// The texts of one diagnostic, masked.
struct Texts<'a> {
    report: &'a Report,
    texts: SimpleFiles<String, String>,
    ids: Vec<(FileId, usize)>,
}

impl<'a> Texts<'a> {
    fn new(report: &'a Report) -> Self {
        Self { report, texts: SimpleFiles::new(), ids: Vec::new() }
    }

    /// A label at `at`, cut at the end of its first line so that a frame stays small.
    fn label(&mut self, at: Location, primary: bool) -> Option<Label<usize>> {
        let source = self.report.source(at.file)?;
        let id = match self.ids.iter().find(|(file, _)| *file == at.file) {
            Some((_, id)) => *id,
            None => {
                let path = plain_line(source.path().as_str());
                let id = self.texts.add(path, plain_source(&masked(source.text())));
                self.ids.push((at.file, id));
                id
            }
        };
        let text = source.text().get(at.span.range()).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default().len();
        let range = at.span.start as usize..at.span.start as usize + first;
        Some(if primary { Label::primary(id, range) } else { Label::secondary(id, range) })
    }
}

fn addresses(addresses: &[String]) -> String {
    match addresses {
        [] => String::new(),
        [one] => one.clone(),
        [first, ..] => format!("{first} and {} more, {} instances", addresses.len() - 1, addresses.len()),
    }
}

fn line(out: &mut String, report: &Report, group: &Group<'_>, matrix: &Matrix<'_>) {
    let finding = group.first;
    let place = words::place(report, group.root, &finding.place);
    let instances = if group.addresses.len() > 1 {
        format!(" ({} instances)", group.addresses.len())
    } else {
        String::new()
    };
    let environments = matrix.words(group).map(|words| format!(" ({words})")).unwrap_or_default();
    let line = format!(
        "{}[{}] {place}: {}{instances}{environments}",
        label(finding.verdict, finding.severity.as_str()),
        finding.rule,
        finding.message
    );
    out.push_str(&plain_line(&line));
    out.push('\n');
}

fn undecided(out: &mut String, report: &Report, options: &Options) {
    let causes = causes(report);
    if causes.is_empty() {
        return;
    }
    out.push_str("\nundecided, by cause:\n");
    let shown = if options.full { causes.len() } else { LINES };
    for (cause, count) in causes.iter().take(shown) {
        let _ = write!(out, "  {}: {count}", plain_line(&cause.subject));
        let _ = if cause.hint.is_empty() { writeln!(out) } else { writeln!(out, " — {}", cause.hint) };
    }
    if causes.len() > shown {
        let _ = writeln!(out, "  … and {} more", causes.len() - shown);
    }
}

fn incomplete(out: &mut String, report: &Report, outcome: &Outcome, options: &Options) {
    let gaps = gaps(report);
    if gaps.is_empty() {
        return;
    }
    out.push_str("\nnot analysed:\n");
    let shown = if options.full { gaps.len() } else { LINES };
    for (_, gap) in gaps.iter().take(shown) {
        let excused = if outcome.excused.contains(&gap.kind) { " (excused)" } else { "" };
        let place = gap_place(report, gap);
        let reason = plain_line(&format!("{place}: {}", gap.reason));
        let _ = write!(out, "  {} {reason}{excused}", gap.kind.as_str());
        if gap.count > 1 {
            let _ = write!(out, " ({} times)", gap.count);
        }
        let _ = if gap.hint.is_empty() { writeln!(out) } else { writeln!(out, " — {}", gap.hint) };
    }
    if gaps.len() > shown {
        let _ =
            writeln!(out, "  … and {} more: auditlint check {} --full", gaps.len() - shown, options.target);
    }
}

fn left_out(out: &mut String, report: &Report, options: &Options) {
    let all = &report.left_out;
    if all.is_empty() {
        return;
    }
    out.push_str("\nleft out:\n");
    let shown = if options.full { all.len() } else { LINES };
    for one in all.iter().take(shown) {
        let line = format!("{}: {} — {}", words::folder(one.folder.as_str()), one.reason, one.hint);
        let _ = writeln!(out, "  {}", plain_line(&line));
    }
    if all.len() > shown {
        let _ = writeln!(out, "  … and {} more", all.len() - shown);
    }
}

/// Categories that the policy names and that no source here emits.
fn nothing_here(out: &mut String, report: &Report) {
    let empty: Vec<Category> = report
        .summary
        .by_category
        .iter()
        .filter(|(_, count)| *count == 0)
        .map(|(category, _)| *category)
        .collect();
    if report.summary.applicable > 0 {
        for category in empty {
            let _ = writeln!(out, "{}: 0 sources here", category.as_str());
        }
    }
}

pub(crate) fn statistics(out: &mut String, report: &Report) {
    let mut counts: std::collections::BTreeMap<(&str, &str), u32> = std::collections::BTreeMap::new();
    for (_, finding) in report.findings() {
        *counts.entry((&finding.rule, finding.verdict.as_str())).or_default() += 1;
    }
    out.push('\n');
    for ((rule, verdict), count) in counts {
        let _ = writeln!(out, "{count:>6} {verdict:<8} {rule}");
    }
}

fn next_steps(out: &mut String, report: &Report, outcome: &Outcome, options: &Options) {
    let fixable = report
        .findings()
        .filter(|(_, finding)| finding.verdict == Verdict::Fail && !finding.remedies.is_empty())
        .count();
    let first = report.findings().find(|(_, finding)| finding.verdict == Verdict::Fail);
    if fixable > 0 && report.roots.iter().any(|root| root.mode == auditlint_analysis::InputMode::Hcl) {
        let _ = writeln!(out, "\nfixes: auditlint fix {} --diff", options.target);
    }
    if let Some((_, finding)) = first {
        let _ = writeln!(out, "why:   auditlint explain {}", finding.rule);
    }
    if outcome.status == Status::Clean && report.summary.applicable > 0 {
        let _ = match u32::try_from(report.left_out.len()).unwrap_or(u32::MAX) {
            0 => writeln!(out, "clean"),
            n => writeln!(out, "clean, with {} left out", counted(n, "folder")),
        };
    }
}
