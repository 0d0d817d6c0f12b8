//! A value in a module that is not ours, changed in our call of it.

use auditlint_graph::Declared;
use auditlint_policy::{NewValue, Remedy, RemedyKind, Safety};
use auditlint_syntax::apply_edits;
use auditlint_syntax::hcl::{self, BlockCache};

use super::block::{self, Subject};
use super::choices::Choices;
use super::value::Writer;
use super::{FileEdits, Fix, Workshop, is_editable, literal};

/// The remedy as a change of the argument that decides: the literal that our call gives, or the argument that it
/// leaves to the module. Only a trial shows what the module makes of it.
pub(super) fn offer(workshop: &Workshop<'_>, remedy: &Remedy, call: Declared) -> Option<Fix> {
    let [RemedyKind::Set { path, value: value @ NewValue::Literal(_) }] = remedy.changes.as_slice() else {
        return None;
    };
    let (edits, place, proven) =
        literal::edit(workshop, path, value).or_else(|| argument(workshop, path, value, call))?;
    Some(Fix {
        title: format!("{} ({place})", remedy.title),
        safety: if proven { remedy.safety } else { Safety::NeedsInput },
        finding: std::sync::Arc::clone(workshop.finding),
        edits: vec![edits],
        placeholders: Vec::new(),
    })
}

/// Sets the argument that the module hands on to the attribute at `path`, where our call does not.
fn argument(
    workshop: &Workshop<'_>,
    path: &str,
    value: &NewValue,
    call: Declared,
) -> Option<(FileEdits, String, bool)> {
    let parsed = hcl::parse(&workshop.source, &BlockCache::default());
    let written = Subject::find(&workshop.source, &parsed, workshop.resource)?;
    let name = written.variable(path)?;
    let source = workshop.analysis.source(call.header.file)?;
    if !is_editable(&source) {
        return None;
    }
    let parsed = hcl::parse(&source, &BlockCache::default());
    let subject = Subject::at(&source, &parsed, call)?;
    let choices = Choices::default();
    let writer = Writer { subject: &subject, resource: workshop.resource, choices: &choices, pick: 0 };
    let block::Set::Edits(edits) = subject.set(name, value, &writer) else { return None };
    let after = String::from_utf8(apply_edits(source.bytes(), &edits).ok()?).ok()?;
    let proven = literal::trial(workshop, source.file(), &after)?;
    let place = format!("{} of {}", name, source.text().get(call.header.span.range())?.trim());
    Some((FileEdits { file: source.file(), edits }, place, proven))
}
