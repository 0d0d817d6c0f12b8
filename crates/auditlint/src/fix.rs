//! `auditlint fix`

use std::collections::BTreeMap;

use auditlint_analysis::{Fix, Settings};
use auditlint_syntax::{FileId, TextEdit, apply_edits};
use similar::TextDiff;

use crate::arguments::FixOptions;
use crate::failure::Failure;
use crate::inputs::{self, Extra};
use crate::output;

pub(crate) fn run(options: &FixOptions) -> Result<u8, Failure> {
    let inputs =
        inputs::read(&options.selection, Extra { settings: Settings::default(), ..Extra::default() })?;
    let analysis = inputs.host.analysis();
    let changed = |_| Failure::new("the files changed during the run");
    let roots = analysis.roots();
    let mut fixes = analysis.safe_fixes(&roots).map_err(changed)?;
    if options.add_missing {
        let report = analysis.check(&roots).map_err(changed)?;
        fixes.extend(analysis.missing_fixes(&report, &roots));
    }
    let mut by_file: BTreeMap<FileId, Vec<TextEdit>> = BTreeMap::new();
    for edits in fixes.iter().flat_map(|fix| &fix.edits) {
        by_file.entry(edits.file).or_default().extend(edits.edits.iter().cloned());
    }
    let mut diff = String::new();
    for (file, mut edits) in by_file {
        edits.sort();
        edits.dedup();
        let path = analysis.files().paths().path(file);
        let source =
            analysis.files().read(&path).map_err(|error| Failure::new(format!("{path}: {error}")))?;
        let after =
            apply_edits(source.bytes(), &edits).map_err(|error| Failure::new(format!("{path}: {error}")))?;
        if options.apply {
            output::replace(&inputs.files.root().join(&path), &after)?;
        } else {
            let (old, new) = (String::from_utf8_lossy(source.bytes()), String::from_utf8_lossy(&after));
            let text = TextDiff::from_lines(&*old, &*new);
            diff.push_str(
                &text
                    .unified_diff()
                    .context_radius(2)
                    .header(&format!("a/{path}"), &format!("b/{path}"))
                    .to_string(),
            );
        }
    }
    output::print_diff(&diff)?;
    output::print(&summary(&fixes, options.apply))?;
    Ok(0)
}

fn summary(fixes: &[Fix], applied: bool) -> String {
    let verb = if applied { "applied" } else { "would apply" };
    let mut out = format!("{verb} {} fix{}\n", fixes.len(), if fixes.len() == 1 { "" } else { "es" });
    if !applied && !fixes.is_empty() {
        out.push_str("next: the same command with --apply writes them\n");
    }
    out
}
