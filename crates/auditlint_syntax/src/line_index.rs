//! Offsets to lines and columns, in the three encodings that editors count in.

/// How a client counts columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// Code units of UTF-16, the protocol's default.
    Utf16,
    /// Unicode scalar values.
    Utf32,
}

/// A place as editors say it: both from 0, the column in units of an [`Encoding`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line from 0.
    pub line: u32,
    /// Column from 0.
    pub column: u32,
}

/// A place as reports say it: both from 1, the column in Unicode scalar values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineColumn {
    /// Line from 1.
    pub line: u32,
    /// Column from 1.
    pub column: u32,
}

/// The starts of the lines of one text. Lines end with `\n`; a `\r` before it belongs to the line.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
    ascii: bool,
}

impl LineIndex {
    /// Indexes `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(
            text.bytes()
                .enumerate()
                .filter(|&(_, b)| b == b'\n')
                .map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX)),
        );
        Self { starts, ascii: text.is_ascii() }
    }

    /// Number of lines (a text that ends with `\n` has an empty last one).
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    /// First byte of `line` (from 0), or the end of the text past the last line.
    #[must_use]
    pub fn start(&self, line: u32, text: &str) -> u32 {
        self.starts
            .get(line as usize)
            .copied()
            .unwrap_or_else(|| u32::try_from(text.len()).unwrap_or(u32::MAX))
    }

    /// The line (from 0) that holds `offset`.
    #[must_use]
    pub fn line(&self, offset: u32) -> u32 {
        u32::try_from(self.starts.partition_point(|&start| start <= offset).saturating_sub(1)).unwrap_or(0)
    }

    /// `offset` as a report says it.
    #[must_use]
    pub fn line_column(&self, text: &str, offset: u32) -> LineColumn {
        let at = self.position(text, offset, Encoding::Utf32);
        LineColumn { line: at.line + 1, column: at.column + 1 }
    }

    /// `offset` as an editor says it. An offset inside a character counts as the character's start.
    #[must_use]
    pub fn position(&self, text: &str, offset: u32, encoding: Encoding) -> Position {
        let offset = floor_boundary(text, offset);
        let line = self.line(offset);
        let start = self.start(line, text);
        let column = if self.ascii || encoding == Encoding::Utf8 {
            offset - start
        } else {
            width(text.get(start as usize..offset as usize).unwrap_or_default(), encoding)
        };
        Position { line, column }
    }

    /// The offset of an editor's position; a column past the end of its line is the end of that line.
    #[must_use]
    pub fn offset(&self, text: &str, position: Position, encoding: Encoding) -> u32 {
        let start = self.start(position.line, text);
        let end = self.start(position.line + 1, text);
        let line = text.get(start as usize..end as usize).unwrap_or_default();
        let line = line.strip_suffix('\n').unwrap_or(line);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if self.ascii || encoding == Encoding::Utf8 {
            let column = position.column.min(u32::try_from(line.len()).unwrap_or(u32::MAX));
            return floor_boundary(text, start + column);
        }
        let mut units = 0;
        for (at, c) in line.char_indices() {
            if position.column <= units {
                return start + u32::try_from(at).unwrap_or(0);
            }
            units += char_width(c, encoding);
        }
        start + u32::try_from(line.len()).unwrap_or(0)
    }
}

fn floor_boundary(text: &str, offset: u32) -> u32 {
    let mut at = (offset as usize).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn width(text: &str, encoding: Encoding) -> u32 {
    text.chars().map(|c| char_width(c, encoding)).sum()
}

fn char_width(c: char, encoding: Encoding) -> u32 {
    match encoding {
        Encoding::Utf8 => u32::try_from(c.len_utf8()).unwrap_or(1),
        Encoding::Utf16 => u32::try_from(c.len_utf16()).unwrap_or(1),
        Encoding::Utf32 => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_boundary_survives_the_round_trip_in_every_encoding() {
        let text = "a\u{1F600}b\r\n\té\n\nlast";
        let lines = LineIndex::new(text);
        for (at, _) in text.char_indices().filter(|&(_, c)| c != '\r' && c != '\n') {
            for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
                let at = u32::try_from(at).unwrap();
                assert_eq!(lines.offset(text, lines.position(text, at, encoding), encoding), at);
            }
        }
        let emoji_end = Position { line: 0, column: 3 };
        assert_eq!(lines.offset(text, emoji_end, Encoding::Utf16), 5);
    }

    #[test]
    fn a_column_past_the_line_is_its_end_and_reports_count_from_one() {
        let text = "ab\r\ncd";
        let lines = LineIndex::new(text);
        assert_eq!(lines.offset(text, Position { line: 0, column: 99 }, Encoding::Utf16), 2);
        assert_eq!(lines.offset(text, Position { line: 99, column: 0 }, Encoding::Utf8), 6);
        assert_eq!(lines.line_column(text, 5), LineColumn { line: 2, column: 2 });
    }
}
