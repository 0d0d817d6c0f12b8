//! Cuts a file into its top-level statements.

use super::scan::{Scanner, indentation, line_end, line_indentation, name_end, starts_name};

/// The blocks that Terraform knows at the top of a file: where a statement before them did not end properly,
/// a line that begins with one of these is where reading begins again.
const TOP_LEVEL: &[&str] = &[
    "resource",
    "data",
    "module",
    "variable",
    "output",
    "provider",
    "locals",
    "terraform",
    "moved",
    "import",
    "removed",
    "check",
    "ephemeral",
    "run",
    "action",
];

/// A statement: its bytes, and whether it is known to be broken before anybody parsed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) broken: bool,
}

/// Cuts by brackets alone, which is right for every text that parses.
pub(super) fn statements(scanner: &Scanner<'_>, start: usize, end: usize) -> Vec<Cut> {
    let text = scanner.text();
    let mut cuts: Vec<Cut> = Vec::new();
    let mut at = scanner.skip_trivia(start, end);
    while at < end {
        if text.get(at) == Some(&b'}') {
            // One brace too many: what stands between it and the block before it was meant to be inside.
            close_early(text, &mut cuts, at);
            at = scanner.skip_trivia(at + 1, end);
            continue;
        }
        let stop = scanner.statement_end(at, end);
        let stop = if stop == at { at + 1 } else { stop };
        let kept = text.get(at..stop).unwrap_or_default().trim_ascii_end().len();
        cuts.push(Cut { start: at, end: at + kept.max(1), broken: false });
        at = scanner.skip_trivia(stop, end);
    }
    closed_early(text, cuts)
}

/// Joins a block whose closing brace stands deeper than its header with the indented statements after it: the
/// brace was typed inside of the block, and what follows was meant to be inside as well.
fn closed_early(text: &[u8], cuts: Vec<Cut>) -> Vec<Cut> {
    let mut out: Vec<Cut> = Vec::with_capacity(cuts.len());
    for cut in cuts {
        let own = line_indentation(text, cut.start);
        let is_inside = |block: &Cut| {
            let (header, last) = (line_indentation(text, block.start), block.end.saturating_sub(1));
            header < own
                && header < line_indentation(text, last)
                && text.get(last) == Some(&b'}')
                && is_header(text, block.start, block.end)
        };
        match out.last_mut() {
            Some(block)
                if !is_header(text, cut.start, cut.end) && (block.broken || is_inside(block)) && 0 < own =>
            {
                *block = Cut { end: cut.end, broken: true, ..*block };
            }
            _ => out.push(cut),
        }
    }
    out
}

/// Joins the last block and the indented statements after it, up to the stray brace at `at`.
fn close_early(text: &[u8], cuts: &mut Vec<Cut>, at: usize) {
    let is_block = |cut: &Cut| text.get(cut.start..cut.end).is_some_and(|bytes| bytes.ends_with(b"}"));
    let is_indented =
        |cut: &&Cut| cut.start.checked_sub(1).is_some_and(|before| text.get(before) != Some(&b'\n'));
    let inside = cuts.iter().rev().take_while(is_indented).count();
    let from = cuts.len().saturating_sub(inside + 1);
    let end = at + 1;
    match cuts.get(from).copied() {
        Some(block) if is_block(&block) || inside > 0 => {
            cuts.truncate(from);
            cuts.push(Cut { start: block.start, end, broken: true });
        }
        _ => cuts.push(Cut { start: at, end, broken: true }),
    }
}

/// Cuts a statement that does not parse at each line that begins like a top-level block. Lines that are
/// indented deeper than the statement itself are left alone.
pub(super) fn resynchronised(text: &[u8], cut: Cut) -> Vec<Cut> {
    let own = indentation(text, cut.start);
    let mut starts = vec![cut.start];
    let mut line = line_end(text, cut.start, cut.end) + 1;
    while line < cut.end {
        let next = line_end(text, line, cut.end) + 1;
        let first =
            text.get(line..cut.end).unwrap_or_default().iter().position(|byte| !matches!(byte, b' ' | b'\t'));
        if let Some(indent) = first
            && indent <= own
            && is_header(text, line + indent, cut.end)
        {
            starts.push(line + indent);
        }
        line = next;
    }
    let ends = starts.iter().skip(1).copied().chain([cut.end]);
    starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| {
            let kept = text.get(start..end).unwrap_or_default().trim_ascii_end().len();
            Cut { start, end: start + kept, broken: false }
        })
        .filter(|cut| cut.start < cut.end)
        .collect()
}

/// Whether a top-level block's header begins at `at`: its word, then a label or a brace.
fn is_header(text: &[u8], at: usize, end: usize) -> bool {
    if !text.get(at).copied().is_some_and(starts_name) {
        return false;
    }
    let stop = name_end(text, at, end);
    let word = text.get(at..stop).unwrap_or_default();
    let rest = text.get(stop..line_end(text, stop, end)).unwrap_or_default().trim_ascii_start();
    TOP_LEVEL.iter().any(|known| known.as_bytes() == word)
        && rest.first().is_some_and(|byte| matches!(byte, b'"' | b'{'))
}
