//! The one literal behind a reference: a variable's default, a line of a variable file, a local, an argument.

use auditlint_graph::{Origin, Tracked, Value};
use auditlint_policy::{NewValue, Verdict};
use auditlint_syntax::{FileId, Location, TextEdit, apply_edits};
use rustc_hash::FxHashSet;

use super::value::literal;
use super::{FileEdits, Workshop, is_editable};
use crate::{Analysis, RootId, RootSpec};

/// The edit of the literal that decides the attribute at `path`, a description of its place, and whether a trial
/// showed that nobody else is worse off. None where there is not exactly one literal, or it is not ours.
pub(super) fn edit(
    workshop: &Workshop<'_>,
    path: &str,
    value: &NewValue,
) -> Option<(FileEdits, String, bool)> {
    let NewValue::Literal(new) = value else { return None };
    let current = attribute(workshop, path)?;
    let at = only_literal(&current.origin)?;
    let source = workshop.analysis.source(at.file)?;
    let text = source.text().get(at.span.range())?;
    if !is_editable(&source) || !says(text, current.value()) {
        return None;
    }
    let edit = TextEdit { span: at.span, text: literal(new) };
    let after = apply_edits(source.bytes(), std::slice::from_ref(&edit)).ok()?;
    let after = String::from_utf8(after).ok()?;
    let proven = trial(workshop, at.file, &after)?;
    let line = source.lines().line_column(source.text(), at.span.start).line;
    let place = format!("{}:{line}", source.path());
    Some((FileEdits { file: at.file, edits: vec![edit] }, place, proven))
}

fn attribute(workshop: &Workshop<'_>, path: &str) -> Option<Tracked> {
    let mut steps = path.split('.');
    let mut at = workshop.resource.attribute(steps.next()?)?.clone();
    for step in steps {
        if let Value::List(items) = at.value() {
            at = items.first()?.clone();
        }
        let Value::Map(map) = at.value() else { return None };
        at = map.get(step)?.clone();
    }
    Some(at)
}

/// The literal behind an origin, if there is exactly one.
fn only_literal(origin: &Origin) -> Option<Location> {
    match origin {
        Origin::Written(at) | Origin::AssumedDefault(at) => Some(*at),
        Origin::Derived(derived) => match &*derived.from {
            [only] => only_literal(only),
            _ => None,
        },
        _ => None,
    }
}

/// Whether `text` is a literal of this very value, so that the attribute takes it over unchanged.
fn says(text: &str, value: &Value) -> bool {
    match value {
        Value::Bool(value) => text == value.to_string(),
        Value::Number(number) => text.parse::<f64>().is_ok_and(|written| written == number.to_f64()),
        Value::String(value) => text == super::value::string(value),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Unknown(_) => false,
    }
}

/// Judges every root that reads `file` with its new text: none when this finding stays, false when another
/// fails that did not fail before.
pub(super) fn trial(workshop: &Workshop<'_>, file: FileId, text: &str) -> Option<bool> {
    let analysis = workshop.analysis;
    let tried = analysis.trial(&analysis.files().paths().path(file), text);
    let mut proven = true;
    for id in analysis.roots_of(file) {
        // What a plan shows stays as it is, whatever a text says.
        if !matches!(analysis.spec(id)?, RootSpec::Folder { .. }) {
            return None;
        }
        let (before, after) = (failing(analysis, id)?, failing(&tried, id)?);
        if id == workshop.root
            && after.iter().any(|(rule, address)| {
                *rule == *workshop.finding.rule && *address == workshop.finding.address.to_string()
            })
        {
            return None;
        }
        proven &= after.iter().all(|one| before.contains(one));
    }
    Some(proven)
}

type Failing = FxHashSet<(String, String)>;

fn failing(analysis: &Analysis, id: RootId) -> Option<Failing> {
    let judged = analysis.judged(id).ok()?;
    let failing = judged.findings().filter(|finding| finding.verdict == Verdict::Fail);
    Some(failing.map(|finding| (finding.rule.to_string(), finding.address.to_string())).collect())
}
