//! Text edits: byte ranges on the original text, applied in one place.

use thiserror::Error;

use crate::Span;

/// Replace the bytes of `span` by `text`. An empty span inserts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextEdit {
    /// What to replace, in the text before any edit.
    pub span: Span,
    /// What to write there.
    pub text: String,
}

/// Why a set of edits cannot be applied.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EditError {
    /// Two edits touch the same bytes.
    #[error("two edits overlap at byte {0}")]
    Overlap(u32),
    /// An edit reaches past the end of the text or into a character.
    #[error("an edit ends outside of the text, at byte {0}")]
    OutOfBounds(u32),
}

/// Applies `edits`, whatever their order, to `original`. Bytes outside of the edits are never touched.
/// Two insertions at one place stay in the order in which they were given.
///
/// # Errors
/// When edits overlap or leave the text; nothing is applied then.
pub fn apply_edits(original: &[u8], edits: &[TextEdit]) -> Result<Vec<u8>, EditError> {
    let mut sorted: Vec<&TextEdit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut out =
        Vec::with_capacity(original.len() + sorted.iter().map(|edit| edit.text.len()).sum::<usize>());
    let mut at = 0;
    for edit in sorted {
        if edit.span.start < at {
            return Err(EditError::Overlap(edit.span.start));
        }
        let kept = original
            .get(at as usize..edit.span.start as usize)
            .ok_or(EditError::OutOfBounds(edit.span.start))?;
        if original.len() < edit.span.end as usize || edit.span.end < edit.span.start {
            return Err(EditError::OutOfBounds(edit.span.end));
        }
        out.extend_from_slice(kept);
        out.extend_from_slice(edit.text.as_bytes());
        at = edit.span.end;
    }
    out.extend_from_slice(original.get(at as usize..).unwrap_or_default());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: u32, end: u32, text: &str) -> TextEdit {
        TextEdit { span: Span::new(start, end), text: text.to_owned() }
    }

    #[test]
    fn edits_apply_in_any_order_and_leave_other_bytes_alone() {
        let out = apply_edits(b"a\xFF = 1\r\n", &[edit(5, 6, "22"), edit(0, 1, "b")]).unwrap();
        assert_eq!(out, b"b\xFF = 22\r\n");
    }

    #[test]
    fn overlapping_edits_are_refused() {
        assert_eq!(apply_edits(b"abcd", &[edit(0, 3, ""), edit(2, 4, "")]), Err(EditError::Overlap(2)));
        assert_eq!(apply_edits(b"ab", &[edit(1, 9, "")]), Err(EditError::OutOfBounds(9)));
    }
}
