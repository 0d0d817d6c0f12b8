//! The columns of `terraform fmt`: in consecutive lines the `=` of attributes stand under each other, and so do
//! the comments after them. A line that opens a longer value stands for itself.

use auditlint_syntax::{Span, TextEdit};

use super::layout::{line_start, next_line};

/// A line with an attribute, in parts.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Absolute start of the name; none for a line that is not there yet.
    at: Option<usize>,
    name: String,
    value: String,
    /// The comment after it, with its start.
    comment: Option<(usize, String)>,
}

impl Line {
    /// A line to be written.
    pub(super) fn new(name: &str, value: &str) -> Self {
        Self { at: None, name: name.to_owned(), value: value.to_owned(), comment: None }
    }

    /// The line of the attribute `name` at `at` whose value ends at `end`; none where it does not stand alone on
    /// one line.
    pub(super) fn read(text: &str, name: &str, at: usize, value: Span) -> Option<Self> {
        let (start, end) = (value.start as usize, value.end as usize);
        let line = text.get(line_start(text, at)..next_line(text, at))?;
        let before = text.get(line_start(text, at)..at)?;
        let written = text.get(start..end)?;
        if !before.trim().is_empty() || written.contains('\n') || next_line(text, end) != next_line(text, at)
        {
            return None;
        }
        let rest = text.get(end..line_start(text, at) + line.len())?.trim_end();
        let comment = rest.trim_start();
        let comment = match comment.bytes().next() {
            None => None,
            Some(b'#' | b'/') => Some((end + rest.len() - comment.len(), comment.to_owned())),
            Some(_) => return None,
        };
        Some(Self { at: Some(at), name: name.to_owned(), value: written.to_owned(), comment })
    }

    /// Whether it is the line of the attribute at `at`.
    pub(super) fn is_at(&self, at: usize) -> bool {
        self.at == Some(at)
    }

    /// Whether a comment stands after it.
    pub(super) fn has_comment(&self) -> bool {
        self.comment.is_some()
    }

    /// The same line with another value.
    pub(super) fn with_value(self, value: &str) -> Self {
        Self { value: value.to_owned(), ..self }
    }

    fn width(&self) -> usize {
        self.name.chars().count()
    }
}

/// The column of `=` for a chain of lines, counted from the name.
fn column(lines: &[Line]) -> usize {
    lines.iter().map(Line::width).max().unwrap_or(0) + 1
}

/// Lines that stand in no text yet, aligned among themselves.
pub(super) fn fresh(lines: &[Line], indentation: &str, line_end: &str) -> String {
    let column = column(lines);
    lines
        .iter()
        .map(|line| {
            let pad = " ".repeat(column - line.width());
            format!("{indentation}{}{pad}= {}{line_end}", line.name, line.value)
        })
        .collect()
}

/// The edits that align `lines`, which are consecutive in `text`; new ones among them are written after the line
/// before them.
pub(super) fn edits(text: &str, lines: &[Line], indentation: &str, line_end: &str) -> Vec<TextEdit> {
    let column = column(lines);
    let mut out = Vec::new();
    let mut behind = None;
    for line in lines {
        let pad = " ".repeat(column - line.width());
        match line.at {
            Some(at) => {
                let from = at + line.name.len();
                let equals = text.get(from..).and_then(|rest| rest.find('=')).map_or(from, |gap| from + gap);
                replace(text, from, equals, &pad, &mut out);
                behind = Some(next_line(text, at));
            }
            None => {
                let at = behind.unwrap_or(0);
                // The last line of a text may have no end of its own.
                let missing =
                    if text.get(..at).is_some_and(|before| before.ends_with('\n')) { "" } else { line_end };
                let new = format!("{missing}{indentation}{}{pad}= {}{line_end}", line.name, line.value);
                out.push(TextEdit { span: span(at, at), text: new });
            }
        }
    }
    for chain in lines.split(|line| line.comment.is_none()) {
        let value_width = |line: &Line| column + 2 + line.value.chars().count();
        let comment_column = chain.iter().map(value_width).max().unwrap_or(0) + 1;
        for line in chain {
            if let (Some(at), Some((start, _))) = (line.at, &line.comment) {
                let end = text.get(..*start).map_or(at, |before| before.trim_end_matches([' ', '\t']).len());
                replace(text, end, *start, &" ".repeat(comment_column - value_width(line)), &mut out);
            }
        }
    }
    out.sort();
    out
}

fn replace(text: &str, from: usize, to: usize, new: &str, out: &mut Vec<TextEdit>) {
    if text.get(from..to) != Some(new) {
        out.push(TextEdit { span: span(from, to), text: new.to_owned() });
    }
}

pub(super) fn span(from: usize, to: usize) -> Span {
    Span::new(u32::try_from(from).unwrap_or(u32::MAX), u32::try_from(to).unwrap_or(u32::MAX))
}
