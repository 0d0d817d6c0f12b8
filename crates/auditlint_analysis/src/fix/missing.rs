//! What is missing altogether, written at the end of a file of the root.

use std::sync::Arc;

use auditlint_policy::check::REQUIRED_SOURCE;
use auditlint_policy::{Finding, MinimalSet, RemedyKind, Safety};
use auditlint_syntax::{Source, Span, TextEdit};
use camino::Utf8Path;

use super::layout::line_end;
use super::{FileEdits, Fix, is_editable};
use crate::judged::Judged;
use crate::{Analysis, RootId, RootSpec};

/// The sets that `findings` ask for in `root`, each once, for the longest that one asks.
pub(crate) fn missing<'f>(
    analysis: &Analysis,
    root: RootId,
    findings: impl Iterator<Item = &'f Arc<Finding>>,
) -> Vec<Fix> {
    let mut sets: Vec<(Arc<MinimalSet>, u32, &Arc<Finding>)> = Vec::new();
    for finding in findings.filter(|finding| *finding.rule == *REQUIRED_SOURCE.id) {
        let Some(remedy) = finding.remedies.first() else { continue };
        for change in &remedy.changes {
            let RemedyKind::AddSet { set, days } = change else { continue };
            match sets.iter_mut().find(|(known, ..)| known == set) {
                Some((_, longest, ..)) => *longest = (*longest).max(*days),
                None => sets.push((Arc::clone(set), *days, finding)),
            }
        }
    }
    // What a provider makes that the root does not have would not be made there.
    let identity =
        (!sets.is_empty()).then(|| analysis.root(root).map(|root| analysis.identity(root))).flatten();
    let providers = identity.map(|identity| identity.providers).unwrap_or_default();
    sets.retain(|(set, ..)| providers.is_empty() || providers.contains(&set.provider));
    if sets.is_empty() {
        return Vec::new();
    }
    let Some(source) = file(analysis, root) else { return Vec::new() };
    let Ok(judged) = analysis.judged(root) else { return Vec::new() };
    let fix = |(set, days, finding): (Arc<MinimalSet>, u32, &Arc<Finding>)| Fix {
        title: format!("add {}", set.title),
        safety: Safety::ChangesBehaviour,
        finding: Arc::clone(finding),
        edits: vec![FileEdits {
            file: source.file(),
            edits: vec![appended(&source, &set.written(&free_name(&judged, &set), days))],
        }],
        placeholders: Vec::new(),
    };
    sets.into_iter().map(fix).collect()
}

/// The file of a root that takes what belongs to nothing that is there: `main.tf`, else the first one.
fn file(analysis: &Analysis, root: RootId) -> Option<Arc<Source>> {
    let RootSpec::Folder { inputs, .. } = &analysis.root(root)?.spec else { return None };
    let files = analysis.files();
    let entries = files.list(&inputs.folder);
    let names = || entries.iter().map(|entry| &*entry.name).filter(|name| name.ends_with(".tf"));
    let name = names().find(|name| *name == "main.tf").or_else(|| names().next())?;
    let source = files.read(&inputs.folder.join(Utf8Path::new(name))).ok()?;
    is_editable(&source).then_some(source)
}

/// `text` at the end, after an empty line.
fn appended(source: &Source, text: &str) -> TextEdit {
    let old = source.text();
    let end = line_end(old);
    let before = match (old.is_empty(), old.ends_with('\n')) {
        (true, _) => String::new(),
        (false, true) => end.to_owned(),
        (false, false) => end.repeat(2),
    };
    let at = u32::try_from(old.len()).unwrap_or(u32::MAX);
    TextEdit { span: Span::new(at, at), text: before + &text.replace('\n', end) }
}

/// A name that no resource of these types has in the root module.
fn free_name(judged: &Judged, set: &MinimalSet) -> String {
    let is_taken = |name: &str| {
        set.types().any(|kind| {
            let graph = &judged.graph;
            let mut others = graph.of_kind(kind).iter().filter_map(|slot| graph.get(*slot));
            others.any(|other| other.address.module.is_root() && other.address.name == name)
        })
    };
    let names = std::iter::once("audit".to_owned()).chain((2..).map(|n| format!("audit_{n}")));
    names.take(1_000).find(|name| !is_taken(name)).unwrap_or_else(|| "audit_trail".to_owned())
}
