//! The bytes of a document as UTF-8: byte order marks, and the UTF-16 that a shell's redirection may have made.

use std::io::{self, Read};

/// What the first bytes say about the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16 { big_endian: bool },
}

/// A reader that gives UTF-8.
pub(super) struct Utf8<'r> {
    input: &'r mut dyn Read,
    encoding: Encoding,
    /// Bytes that were read and not given yet.
    ready: Vec<u8>,
    given: usize,
    /// An odd byte, or the first half of a surrogate pair.
    rest: Vec<u8>,
}

impl<'r> Utf8<'r> {
    /// Looks at the first bytes of `input`; gives them as well, for whoever tells kinds of files apart.
    pub(super) fn new(input: &'r mut dyn Read) -> io::Result<(Self, [u8; 4])> {
        let mut first = [0; 4];
        let mut length = 0;
        while let Some(free) = first.get_mut(length..).filter(|free| !free.is_empty()) {
            match input.read(free) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let (encoding, mark) = match first {
            [0xEF, 0xBB, 0xBF, _] => (Encoding::Utf8, 3),
            [0xFF, 0xFE, ..] => (Encoding::Utf16 { big_endian: false }, 2),
            [0xFE, 0xFF, ..] => (Encoding::Utf16 { big_endian: true }, 2),
            [_, 0, _, 0] if length == 4 => (Encoding::Utf16 { big_endian: false }, 0),
            [0, _, 0, _] if length == 4 => (Encoding::Utf16 { big_endian: true }, 0),
            _ => (Encoding::Utf8, 0),
        };
        let read = first.get(mark..length).unwrap_or_default().to_vec();
        let mut text = Self { input, encoding, ready: Vec::new(), given: 0, rest: Vec::new() };
        match encoding {
            Encoding::Utf8 => text.ready = read,
            Encoding::Utf16 { .. } => text.decode(&read),
        }
        Ok((text, first))
    }

    /// Decodes UTF-16; a lone surrogate becomes the replacement character, as in every browser.
    fn decode(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let Encoding::Utf16 { big_endian } = self.encoding else { return };
        let units: Vec<u16> = self
            .rest
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| if big_endian { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) })
            .collect();
        let high = units.last().is_some_and(|unit| (0xD800..0xDC00).contains(unit));
        let whole = units.len() - usize::from(high);
        let text: String = char::decode_utf16(units.iter().take(whole).copied())
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        self.ready = text.into_bytes();
        self.given = 0;
        self.rest.drain(..whole * 2);
    }
}

impl Read for Utf8<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.ready.get(self.given..).unwrap_or_default();
            if !left.is_empty() {
                let count = left.len().min(out.len());
                if let (Some(to), Some(from)) = (out.get_mut(..count), left.get(..count)) {
                    to.copy_from_slice(from);
                }
                self.given += count;
                return Ok(count);
            }
            match self.encoding {
                Encoding::Utf8 => return self.input.read(out),
                Encoding::Utf16 { .. } => {
                    let mut chunk = vec![0; 64 * 1024];
                    let count = self.input.read(&mut chunk)?;
                    if count == 0 {
                        return Ok(0);
                    }
                    self.decode(chunk.get(..count).unwrap_or_default());
                }
            }
        }
    }
}
