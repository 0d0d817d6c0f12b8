//! What a terminal, a pipeline or a reader would take for something else than text: control characters, and
//! those that reorder what is read. A repository's names, values and lines may hold them; no output does.

use std::fmt::Write as _;

/// Whether a character does something instead of being shown.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            // Marks, embeddings, overrides and isolates of right-to-left text; separators of lines.
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// `text` with such characters as `\u001b`; line ends and tabs stay.
#[must_use]
pub fn plain(text: &str) -> String {
    escaped(text, |c| acts(c) && !matches!(c, '\n' | '\t'))
}

/// `text` on one line, with such characters as `\u001b`.
pub(crate) fn plain_line(text: &str) -> String {
    escaped(text, acts)
}

/// JSON with such characters escaped: the same document. Outside of its strings it has line ends alone.
pub(crate) fn plain_json(json: &str) -> String {
    plain(json)
}

/// A text of the same length for frames that point into it: what acts is shown as a placeholder. Tabs stay for
/// whoever draws the frame to expand, and line ends stay line ends.
pub(crate) fn plain_source(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends_line = c == '\n' || c == '\r' && chars.peek() == Some(&'\n');
        if !acts(c) || c == '\t' || ends_line {
            out.push(c);
            continue;
        }
        out.push_str(match c.len_utf8() {
            1 => "?",
            2 => "\u{b7}",
            _ => "\u{fffd}",
        });
    }
    out
}

fn escaped(text: &str, escape: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if escape(c) {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_written_out_and_the_rest_stays() {
        assert_eq!(plain("é\u{1b}[31m\tx\u{202e}y\u{9b}\n"), "é\\u001b[31m\tx\\u202ey\\u009b\n");
        assert_eq!(plain_line("a\n::error::b\r"), "a\\u000a::error::b\\u000d");
    }

    #[test]
    fn a_source_keeps_its_offsets() {
        let text = "a\t= 1 # \u{1b}[2J\u{85}\u{2066}\r\nb\rc\n";
        let shown = plain_source(text);
        assert_eq!(shown, "a\t= 1 # ?[2J\u{b7}\u{fffd}\r\nb?c\n");
        assert_eq!(shown.len(), text.len());
    }

    #[test]
    fn escaped_json_is_the_same_document() {
        let value = serde_json::json!({"a\u{202e}": ["\u{1b}\n\t\u{9f}", "é"]});
        let text = plain_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(text.chars().all(|c| c == '\n' || !acts(c)), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
