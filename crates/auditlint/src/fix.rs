//! `auditlint fix`

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use auditlint_analysis::{Analysis, Change, Fix, Settings, is_terraform};
use auditlint_syntax::{FileId, Source, TextEdit, apply_edits};
use camino::Utf8PathBuf;
use similar::TextDiff;

use crate::arguments::FixOptions;
use crate::failure::Failure;
use crate::inputs::{self, Extra};
use crate::output;

/// Two fixes of one place are made one after the other; a place that needs more than this is left to another run.
const ROUNDS: usize = 8;

pub(crate) fn run(options: &FixOptions) -> Result<u8, Failure> {
    let mut inputs =
        inputs::read(&options.selection, Extra { settings: Settings::default(), ..Extra::default() })?;
    let mut before: BTreeMap<Utf8PathBuf, Arc<Source>> = BTreeMap::new();
    let mut after: BTreeMap<Utf8PathBuf, Vec<u8>> = BTreeMap::new();
    let mut made = 0;
    for round in 0..ROUNDS {
        let analysis = inputs.host.analysis();
        let mut fixes = fixes(&analysis, options.add_missing && round == 0)?;
        // A manifest is read once: what was changed in it is looked at by the next run.
        let is_done = |file: FileId| {
            let path = analysis.files().paths().path(file);
            before.contains_key(&path) && !path.file_name().is_some_and(is_terraform)
        };
        fixes.retain(|fix| !fix.edits.iter().any(|edits| is_done(edits.file)));
        made += fixes.len();
        let mut changed = Vec::new();
        for (file, edits) in by_file(&fixes) {
            let path = analysis.files().paths().path(file);
            let failure = |error: &dyn Display| Failure::new(format!("{path}: {error}"));
            let source = analysis.files().read(&path).map_err(|error| failure(&error))?;
            let text = apply_edits(source.bytes(), &edits).map_err(|error| failure(&error))?;
            before.entry(path.clone()).or_insert(source);
            after.insert(path.clone(), text.clone());
            changed.push((path, text));
        }
        if changed.is_empty() {
            break;
        }
        for (path, text) in changed {
            // What is no text is written as it is, and not looked at again.
            let Ok(text) = String::from_utf8(text) else { continue };
            inputs.host.apply_change(Change::Overlay(path, text.into()));
        }
    }
    let mut diff = String::new();
    for (path, source) in &before {
        let Some(after) = after.get(path) else { continue };
        if options.apply {
            output::replace(&inputs.files.root().join(path), after)?;
        } else {
            let (old, new) = (String::from_utf8_lossy(source.bytes()), String::from_utf8_lossy(after));
            let text = TextDiff::from_lines(&*old, &*new);
            let (old, new) = (format!("a/{path}"), format!("b/{path}"));
            diff.push_str(&text.unified_diff().context_radius(2).header(&old, &new).to_string());
        }
    }
    output::print_diff(&diff)?;
    output::print(&summary(made, options.apply))?;
    Ok(0)
}

/// What is fixed without asking, and what is missing altogether where that is asked for.
fn fixes(analysis: &Analysis, add_missing: bool) -> Result<Vec<Fix>, Failure> {
    let changed = |_| Failure::new("the files changed during the run");
    let roots = analysis.roots();
    let mut fixes = analysis.safe_fixes(&roots).map_err(changed)?;
    if add_missing {
        let report = analysis.check(&roots).map_err(changed)?;
        fixes.extend(analysis.missing_fixes(&report, &roots));
    }
    Ok(fixes)
}

/// The edits of each file, each once.
fn by_file(fixes: &[Fix]) -> BTreeMap<FileId, Vec<TextEdit>> {
    let mut out: BTreeMap<FileId, Vec<TextEdit>> = BTreeMap::new();
    for edits in fixes.iter().flat_map(|fix| &fix.edits) {
        out.entry(edits.file).or_default().extend(edits.edits.iter().cloned());
    }
    for edits in out.values_mut() {
        edits.sort();
        edits.dedup();
    }
    out
}

fn summary(made: usize, applied: bool) -> String {
    let verb = if applied { "applied" } else { "would apply" };
    let mut out = format!("{verb} {made} fix{}\n", if made == 1 { "" } else { "es" });
    if !applied && made > 0 {
        out.push_str("next: the same command with --apply writes them\n");
    }
    out
}
