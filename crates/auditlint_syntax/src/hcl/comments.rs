//! The comments of a text, for those that say something to a tool.

use super::scan::{Scanner, is_comment};
use crate::Span;

/// The comments of an HCL text in order, absolute, without their final newline. Strings and heredocs are
/// skipped.
#[must_use]
pub fn comments(text: &str) -> Vec<Span> {
    let bytes = text.as_bytes();
    let scanner = Scanner::new(bytes);
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let end = scanner.token_end(at, bytes.len());
        if is_comment(bytes, at) {
            let kept = text.get(at..end).unwrap_or_default().trim_end().len();
            let start = u32::try_from(at).unwrap_or(u32::MAX);
            out.push(Span::new(start, start + u32::try_from(kept).unwrap_or(0)));
        }
        at = end.max(at + 1);
    }
    out
}
