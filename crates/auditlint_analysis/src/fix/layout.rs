//! How a text is laid out: line ends, indentation, and the lines around an offset.

use auditlint_syntax::hcl::Body;

/// The line end of a text: that of its first line.
pub(super) fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if at > 0 && text.as_bytes().get(at - 1) == Some(&b'\r') => "\r\n",
        _ => "\n",
    }
}

/// The first byte of the line that holds `offset`.
pub(super) fn line_start(text: &str, offset: usize) -> usize {
    text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1)
}

/// The first byte of the line after the one that holds `offset`; the end of the text in its last line.
pub(super) fn next_line(text: &str, offset: usize) -> usize {
    text.get(offset..).and_then(|after| after.find('\n')).map_or(text.len(), |at| offset + at + 1)
}

/// The white space at the beginning of the line that holds `offset`.
pub(super) fn indentation(text: &str, offset: usize) -> &str {
    let line = text.get(line_start(text, offset)..).unwrap_or_default();
    let rest = line.trim_start_matches([' ', '\t']);
    line.get(..line.len() - rest.len()).unwrap_or_default()
}

/// The indentation of the statements in `body`: that of the first one on a line of its own, else one step more
/// than that of the block at `outer`. `base` makes the body's spans absolute.
pub(super) fn inner_indentation(text: &str, body: &Body, base: u32, outer: usize) -> String {
    let statements = body.attributes.iter().map(|a| a.span).chain(body.blocks.iter().map(|b| b.span));
    let own_line = statements
        .map(|span| (span.start + base) as usize)
        .filter(|at| text.get(line_start(text, *at)..*at).is_some_and(|before| before.trim().is_empty()))
        .min();
    match own_line {
        Some(at) => indentation(text, at).to_owned(),
        None => format!("{}  ", indentation(text, outer)),
    }
}
