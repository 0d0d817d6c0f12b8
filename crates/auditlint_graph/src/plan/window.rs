//! A window over a JSON document: structure is walked, values are taken one by one or skipped, and never more
//! than one value is in memory.

use std::borrow::Cow;
use std::io::{self, Read};

use super::scan::{Halt, Scan};

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
                // Of what is unpacked while it is read, the end is missing.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(Stop::Truncated),
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
        let key = self.read(|scan| scan.text().map(Cow::into_owned))?;
        self.expect(b':')?;
        Ok(Some(key))
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

    /// What `of` reads of the next value. It is asked again, from the start, when the value goes on behind what is
    /// in memory.
    pub(super) fn read<T>(
        &mut self,
        mut of: impl FnMut(&mut Scan<'_>) -> Result<T, Halt>,
    ) -> Result<T, Stop> {
        self.peek()?;
        loop {
            let mut scan = Scan::new(self.buffer.get(self.start..self.end).unwrap_or_default());
            match of(&mut scan) {
                Ok(found) => {
                    self.start += scan.at();
                    return Ok(found);
                }
                Err(Halt::Wrong { reason, at }) => {
                    self.start += at;
                    return self.malformed(reason);
                }
                Err(Halt::End) if self.grow()? => {}
                Err(Halt::End) => return Err(Stop::Truncated),
            }
        }
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
                    let mut scan = Scan::new(self.buffer.get(self.start..self.end).unwrap_or_default());
                    match scan.skip() {
                        Ok(()) => self.start += scan.at(),
                        Err(Halt::Wrong { reason, at }) => {
                            self.start += at;
                            return self.malformed(reason);
                        }
                        Err(Halt::End) if is_container && self.end - self.start >= FIRST / 2 => {
                            self.start += 1;
                            depth += 1;
                        }
                        Err(Halt::End) if self.grow()? => continue,
                        Err(Halt::End) => return Err(Stop::Truncated),
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
}
