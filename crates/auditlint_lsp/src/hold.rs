//! What stays on the screen while someone types: a block with a syntax problem keeps the diagnostics that were
//! last shown for it, moved with the text, and gets none that are new because of the problem.

use auditlint_syntax::hcl::{HclFile, ItemKind};
use auditlint_syntax::{Encoding, Source};
use tower_lsp::ls_types as proto;

use crate::convert::range;

/// A block of a text: what its first line says, and its lines.
struct Region {
    header: String,
    first: u32,
    last: u32,
    is_broken: bool,
}

/// The diagnostics of a text, and its blocks at that time.
#[derive(Default)]
pub(crate) struct Shown {
    diagnostics: Vec<proto::Diagnostic>,
    regions: Vec<Region>,
}

impl Shown {
    /// What is to be shown now, when `fresh` is what the analysis says.
    pub(crate) fn next(
        &self,
        fresh: Vec<proto::Diagnostic>,
        source: &Source,
        file: &HclFile,
        encoding: Encoding,
    ) -> Self {
        let regions = regions(source, file, encoding);
        let inside = |diagnostic: &proto::Diagnostic, region: &Region| {
            region.first <= diagnostic.range.start.line && diagnostic.range.start.line <= region.last
        };
        let is_gap = |diagnostic: &proto::Diagnostic| matches!(&diagnostic.code, Some(proto::NumberOrString::String(code)) if code.starts_with("gap/"));
        let broken: Vec<&Region> = regions.iter().filter(|region| region.is_broken).collect();
        let mut diagnostics: Vec<proto::Diagnostic> = fresh
            .into_iter()
            .filter(|one| is_gap(one) || !broken.iter().any(|region| inside(one, region)))
            .collect();
        for region in &broken {
            let Some(before) = self.regions.iter().find(|old| old.header == region.header) else { continue };
            let kept = self.diagnostics.iter().filter(|one| !is_gap(one) && inside(one, before));
            diagnostics.extend(kept.map(|one| moved(one, before.first, region.first)));
        }
        diagnostics.sort_by_key(|one| (one.range.start.line, one.range.start.character));
        Self { diagnostics, regions }
    }

    pub(crate) fn diagnostics(&self) -> &[proto::Diagnostic] {
        &self.diagnostics
    }
}

fn moved(diagnostic: &proto::Diagnostic, from: u32, to: u32) -> proto::Diagnostic {
    let line = |line: u32| (line + to).saturating_sub(from);
    let mut out = diagnostic.clone();
    out.range.start.line = line(out.range.start.line);
    out.range.end.line = line(out.range.end.line);
    out
}

fn regions(source: &Source, file: &HclFile, encoding: Encoding) -> Vec<Region> {
    file.items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let end = file.items.get(at + 1).map_or(source.text().len(), |next| next.base as usize);
            let start = item.base as usize;
            let text = source.text().get(start..end).unwrap_or_default();
            let span = auditlint_syntax::Span::new(item.base, u32::try_from(end).unwrap_or(u32::MAX));
            let range = range(source, span, encoding);
            let is_broken = item.piece.is_broken() || matches!(item.piece.kind, ItemKind::Unreadable(_));
            let header = text.trim_start().lines().next().unwrap_or_default().trim_end_matches([' ', '{']);
            Region { header: header.to_owned(), first: range.start.line, last: range.end.line, is_broken }
        })
        .collect()
}
