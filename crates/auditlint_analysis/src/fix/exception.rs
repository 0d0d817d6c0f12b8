//! What excuses nothing any more is taken away: an exemption of a policy, a comment beside a resource.

use std::sync::Arc;

use auditlint_policy::check::{EXEMPTION_EXPIRED, EXEMPTION_UNUSED, SUPPRESSION};
use auditlint_policy::{Element, Finding, LiteralValue, Place, Safety, Where};
use auditlint_syntax::document;
use auditlint_syntax::{Location, Source, Span, TextEdit};

use super::element::Page;
use super::layout::{line_start, next_line};
use super::{FileEdits, Fix, is_editable};
use crate::Analysis;

/// The fix of a finding about an exception itself; none for other findings.
pub(crate) fn offer(analysis: &Analysis, finding: &Arc<Finding>) -> Option<Fix> {
    let Place::Source(at) = finding.place else { return None };
    let source = analysis.source(at.file).filter(|source| is_editable(source))?;
    let is = |id: &str| *finding.rule == *id;
    let (title, edits) = if is(EXEMPTION_EXPIRED.id) || is(EXEMPTION_UNUSED.id) {
        ("remove the exemption", exemption(&source, at)?)
    } else if is(SUPPRESSION.id) {
        ("remove the comment", vec![comment(source.text(), at.span)?])
    } else {
        return None;
    };
    Some(Fix {
        title: title.to_owned(),
        safety: Safety::ChangesBehaviour,
        finding: Arc::clone(finding),
        edits: vec![FileEdits { file: at.file, edits }],
        placeholders: Vec::new(),
    })
}

/// Takes the element of `exemptions` away that stands at `at`.
fn exemption(source: &Source, at: Location) -> Option<Vec<TextEdit>> {
    let document = document::parse(source.text());
    let items = document.root.get("exemptions")?.items();
    let holds = |span: Span| span.start <= at.span.start && at.span.end <= span.end;
    let item = items.iter().find(|item| holds(item.span))?;
    let at = Location { span: item.span, ..at };
    let gone = Element { at, place: Where::Gone, value: LiteralValue::List(Vec::new()) };
    // The last one takes the key with it: an empty list is a value that nobody wrote.
    if let (1, Some(entry)) =
        (items.len(), document.root.entries().iter().find(|entry| entry.key == "exemptions"))
    {
        let (start, end) = (entry.key_span.start as usize, entry.value.span.end as usize);
        let end = start + source.text().get(start..end)?.trim_end().len();
        let (start, end) = (line_start(source.text(), start), next_line(source.text(), end));
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        return Some(vec![TextEdit { span: Span::new(offset(start), offset(end)), text: String::new() }]);
    }
    Page { text: source.text(), is_yaml: true }.edits(&gone)
}

/// Takes the comment away that begins at `at`: with its line where it has one of its own.
fn comment(text: &str, at: Span) -> Option<TextEdit> {
    let own = at.start as usize;
    if !["#", "//", "/*"].iter().any(|mark| text.get(own..).is_some_and(|rest| rest.starts_with(mark))) {
        return None;
    }
    let (start, end) = (line_start(text, own), own + text.get(own..at.end as usize)?.trim_end().len());
    let before = text.get(start..own)?.trim_end();
    let has_own_line = before.is_empty() && text.get(end..next_line(text, end))?.trim().is_empty();
    let (from, to) = if has_own_line { (start, next_line(text, end)) } else { (start + before.len(), end) };
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Some(TextEdit { span: Span::new(offset(from), offset(to)), text: String::new() })
}
