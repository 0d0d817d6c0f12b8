//! A window over a JSON document: structure is walked, values are taken one by one or skipped, and never more
//! than one value is in memory.

use std::io::{self, Read};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::scan::{Scan, text};

const FIRST: usize = 256 * 1024;
/// One resource of a plan is never larger; what is larger is not read.
const MAX_VALUE: usize = 64 * 1024 * 1024;

/// Why a document cannot be read on.
#[derive(Debug)]
pub(super) enum Stop {
    /// It ends too early.
    Truncated,
    /// It is not JSON, or not what is expected there.
    Malformed { reason: String, at: u64 },
    /// Reading failed.
    Io(io::Error),
}

/// A shape in which a value is read without being kept: it borrows from the window.
pub(super) trait Shape {
    /// The shape, for one state of the window.
    type Of<'w>: Deserialize<'w>;
}

pub(super) struct Window<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the document before the buffer.
    before: u64,
    done: bool,
}

impl<R: Read> Window<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, buffer: vec![0; FIRST], start: 0, end: 0, before: 0, done: false }
    }

    /// Offset in the document.
    fn offset(&self) -> u64 {
        self.before + self.start as u64
    }

    pub(super) fn malformed<T>(&self, reason: &str) -> Result<T, Stop> {
        Err(Stop::Malformed { reason: reason.to_owned(), at: self.offset() })
    }

    /// Reads more behind what is there; what was consumed is dropped. False at the end of the document.
    fn fill(&mut self) -> Result<bool, Stop> {
        if self.done {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.before += self.start as u64;
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            if self.buffer.len() >= MAX_VALUE {
                return self.malformed("a single value is larger than 64 MB");
            }
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            let free = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.input.read(free) {
                Ok(0) => {
                    self.done = true;
                    return Ok(false);
                }
                Ok(count) => {
                    self.end += count;
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Stop::Io(error)),
            }
        }
    }

    /// The next byte that is no white space, without consuming it; none at the end.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Stop> {
        loop {
            let rest = self.buffer.get(self.start..self.end).unwrap_or_default();
            if let Some(at) = rest.iter().position(|byte| !byte.is_ascii_whitespace()) {
                self.start += at;
                return Ok(self.buffer.get(self.start).copied());
            }
            self.start = self.end;
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Stop> {
        match self.peek()? {
            Some(byte) if byte == wanted => {
                self.start += 1;
                Ok(())
            }
            Some(_) => self.malformed(&format!("expected `{}`", char::from(wanted))),
            None => Err(Stop::Truncated),
        }
    }

    /// Goes into an object or a list; false, with the value skipped, when it is something else (`null`).
    pub(super) fn enter(&mut self, open: u8) -> Result<bool, Stop> {
        match self.peek()? {
            Some(byte) if byte == open => {
                self.start += 1;
                Ok(true)
            }
            Some(_) => self.skip().map(|()| false),
            None => Err(Stop::Truncated),
        }
    }

    /// The next key of the object that was entered; none at its end, which is consumed.
    pub(super) fn next_key(&mut self) -> Result<Option<String>, Stop> {
        if !self.goes_on(b'}')? {
            return Ok(None);
        }
        if self.peek()? != Some(b'"') {
            return self.malformed("expected a key");
        }
        let key = text(self.take()?).map(std::borrow::Cow::into_owned);
        self.expect(b':')?;
        match key {
            Some(key) => Ok(Some(key)),
            None => self.malformed("expected a key"),
        }
    }

    /// Whether the list that was entered has another element; its end is consumed.
    pub(super) fn next_item(&mut self) -> Result<bool, Stop> {
        self.goes_on(b']')
    }

    fn goes_on(&mut self, close: u8) -> Result<bool, Stop> {
        loop {
            match self.peek()? {
                None => return Err(Stop::Truncated),
                Some(byte) if byte == close => {
                    self.start += 1;
                    return Ok(false);
                }
                Some(b',') => self.start += 1,
                Some(b'}' | b']' | b':') => return self.malformed("unexpected structure"),
                Some(_) => return Ok(true),
            }
        }
    }

    /// The bytes of the next value.
    pub(super) fn take(&mut self) -> Result<&[u8], Stop> {
        self.peek()?;
        let mut scan = Scan::default();
        let mut at = 0;
        loop {
            let rest = self.buffer.get(self.start..self.end).unwrap_or_default();
            match scan.advance(rest, at) {
                Ok(end) => {
                    let from = self.start;
                    self.start += end;
                    return Ok(self.buffer.get(from..self.start).unwrap_or_default());
                }
                Err(next) => at = next,
            }
            if !self.fill()? {
                return if scan.may_end() { self.rest() } else { Err(Stop::Truncated) };
            }
        }
    }

    fn rest(&mut self) -> Result<&[u8], Stop> {
        let from = self.start;
        self.start = self.end;
        Ok(self.buffer.get(from..self.end).unwrap_or_default())
    }

    /// The next value, given to `of` in its shape; the reason, with the value passed over, where its shape is
    /// another one.
    pub(super) fn read<S: Shape, T>(
        &mut self,
        of: impl for<'w> Fn(S::Of<'w>) -> T,
    ) -> Result<Result<T, String>, Stop> {
        self.peek()?;
        let reason = loop {
            let rest = self.buffer.get(self.start..self.end).unwrap_or_default();
            let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<S::Of<'_>>();
            let (found, end) = (values.next().map(|value| value.map(&of)), values.byte_offset());
            drop(values);
            match found {
                Some(Ok(found)) => {
                    self.start += end;
                    return Ok(Ok(found));
                }
                Some(Err(error)) if error.is_data() => break error.to_string(),
                Some(Err(error)) if !error.is_eof() => return self.broken(rest, &error),
                Some(Err(_)) | None => {}
            }
            if !self.grow()? {
                return Err(Stop::Truncated);
            }
        };
        self.skip()?;
        Ok(Err(reason))
    }

    /// Passes the next value over; nothing of it is kept. A value that is larger than the window is passed over
    /// part by part.
    pub(super) fn skip(&mut self) -> Result<(), Stop> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                None => return Err(Stop::Truncated),
                Some(b'}' | b']') if depth > 0 => {
                    self.start += 1;
                    depth -= 1;
                }
                Some(b',' | b':') if depth > 0 => self.start += 1,
                Some(byte) => {
                    let is_container = matches!(byte, b'{' | b'[');
                    match self.next_end()? {
                        Some(end) => self.start += end,
                        None if is_container && self.end - self.start >= FIRST / 2 => {
                            self.start += 1;
                            depth += 1;
                        }
                        None if self.grow()? => continue,
                        None => return Err(Stop::Truncated),
                    }
                }
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Reads at least as much again as is there: looking anew after every small piece would take time that grows
    /// with the square of a value's size. False at the end of the document.
    fn grow(&mut self) -> Result<bool, Stop> {
        let wanted = (self.end - self.start) * 2;
        let mut grew = false;
        while self.end - self.start < wanted.max(1) && self.fill()? {
            grew = true;
        }
        Ok(grew)
    }

    fn broken<T>(&self, rest: &[u8], error: &serde_json::Error) -> Result<T, Stop> {
        let lines = rest.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
        let at = lines.map(<[u8]>::len).sum::<usize>() + error.column().saturating_sub(1);
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
        Err(Stop::Malformed { reason, at: self.offset() + at as u64 })
    }

    /// Where the next value ends, checked to be well formed; none when it does not end in the window.
    fn next_end(&self) -> Result<Option<usize>, Stop> {
        let rest = self.buffer.get(self.start..self.end).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
        match values.next() {
            // A number at the very end may go on behind it.
            Some(Ok(_)) if values.byte_offset() == rest.len() && !self.done && !ends_itself(rest) => Ok(None),
            Some(Ok(_)) => Ok(Some(values.byte_offset())),
            Some(Err(error)) if !error.is_eof() => self.broken(rest, &error),
            Some(Err(_)) | None => Ok(None),
        }
    }
}

/// Whether the last byte ends a value by itself.
fn ends_itself(bytes: &[u8]) -> bool {
    matches!(bytes.last(), Some(b'"' | b'}' | b']'))
}
