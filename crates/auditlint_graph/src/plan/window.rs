//! A window over a JSON document: structure is walked, values are taken one by one or skipped, and never more
//! than one value is in memory.

use std::borrow::Cow;
use std::io::{self, Read};

use super::scan::{Halt, Scan};
use super::tokens::Tokens;

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
    /// Bytes of the buffer that were read.
    end: usize,
    tokens: Tokens,
    /// Bytes of the document before the buffer.
    before: u64,
    done: bool,
}

impl<R: Read> Window<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, buffer: vec![0; FIRST], end: 0, tokens: Tokens::default(), before: 0, done: false }
    }

    pub(super) fn malformed<T>(&self, reason: &str) -> Result<T, Stop> {
        self.malformed_at(reason, self.tokens.start())
    }

    fn malformed_at<T>(&self, reason: &str, at: usize) -> Result<T, Stop> {
        Err(Stop::Malformed { reason: reason.to_owned(), at: self.before + at as u64 })
    }

    /// Reads more behind what is there; what was consumed is dropped. False at the end of the document.
    fn receive(&mut self) -> Result<bool, Stop> {
        if self.done {
            return Ok(false);
        }
        let start = self.tokens.start();
        if start > 0 {
            self.buffer.copy_within(start..self.end, 0);
            self.before += start as u64;
            self.end -= start;
            self.tokens.shift(start);
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
                Ok(count) => {
                    self.end += count;
                    self.done = count == 0;
                    return Ok(!self.done);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Of what is unpacked while it is read, the end is missing.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(Stop::Truncated),
                Err(error) => return Err(Stop::Io(error)),
            }
        }
    }

    /// The first byte of the next token, without consuming it; none at the end.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Stop> {
        loop {
            let text = self.buffer.get(..self.end).unwrap_or_default();
            if let Some(token) = self.tokens.peek(text, self.done) {
                return Ok(text.get(token.at()).copied());
            }
            // The last tokens are known only where the document ends.
            if self.done {
                return Ok(None);
            }
            self.receive()?;
        }
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Stop> {
        match self.peek()? {
            Some(byte) if byte == wanted => {
                self.tokens.pass();
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
                self.tokens.pass();
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
                    self.tokens.pass();
                    return Ok(false);
                }
                Some(b',') => self.tokens.pass(),
                Some(b'}' | b']' | b':') => return self.malformed("unexpected structure"),
                Some(_) => return Ok(true),
            }
        }
    }

    /// What `of` reads of the next value. It is asked again, from the start, when the value goes on behind what is
    /// in memory.
    pub(super) fn read<T>(
        &mut self,
        mut of: impl FnMut(&mut Scan<'_, '_>) -> Result<T, Halt>,
    ) -> Result<T, Stop> {
        self.peek()?;
        loop {
            let start = self.tokens.start();
            let text = self.buffer.get(..self.end).unwrap_or_default();
            match of(&mut Scan::new(text, self.done, &mut self.tokens)) {
                Ok(found) => return Ok(found),
                Err(Halt::Wrong { reason, at }) => return self.malformed_at(reason, at),
                Err(Halt::End) if self.done => return Err(Stop::Truncated),
                Err(Halt::End) => {
                    self.tokens.restart(start);
                    self.grow()?;
                }
            }
        }
    }

    /// Passes the next value over; nothing of it is kept, however large it is. Of what it holds only the brackets
    /// are looked at.
    pub(super) fn skip(&mut self) -> Result<(), Stop> {
        match self.peek()? {
            Some(b'{' | b'[') => {
                self.tokens.pass();
                self.close()
            }
            Some(b'"') => {
                self.tokens.pass();
                Ok(())
            }
            Some(_) => self.read(|scan| scan.skip()),
            None => Err(Stop::Truncated),
        }
    }

    /// Passes everything up to the end of the container that was entered.
    fn close(&mut self) -> Result<(), Stop> {
        let mut depth = 1;
        loop {
            let text = self.buffer.get(..self.end).unwrap_or_default();
            if self.tokens.close(text, self.done, &mut depth) {
                return Ok(());
            }
            if self.done {
                return Err(Stop::Truncated);
            }
            self.receive()?;
        }
    }

    /// Reads at least as much again as is there: looking anew after every small piece would take time that grows
    /// with the square of a value's size.
    fn grow(&mut self) -> Result<(), Stop> {
        let wanted = (self.end - self.tokens.start()) * 2;
        while self.end - self.tokens.start() < wanted.max(1) && self.receive()? {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives a text in pieces.
    struct Pieces<'t> {
        rest: &'t [u8],
        most: usize,
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.most.min(self.rest.len()).min(out.len());
            let (piece, rest) = self.rest.split_at(count);
            out[..count].copy_from_slice(piece);
            self.rest = rest;
            Ok(count)
        }
    }

    /// Passes the first member over, and takes the second.
    fn second(text: &str, most: usize) -> Result<String, Stop> {
        let mut window = Window::new(Pieces { rest: text.as_bytes(), most });
        assert!(window.enter(b'{')?);
        assert_eq!(window.next_key()?.as_deref(), Some("first"));
        window.skip()?;
        assert_eq!(window.next_key()?.as_deref(), Some("sec}ond"));
        let taken = window.read(|scan| scan.take().map(str::to_owned))?;
        assert_eq!(window.next_key()?, None);
        assert_eq!(window.peek()?, None);
        Ok(taken)
    }

    #[test]
    fn a_text_that_ends_within_a_value_is_truncated() {
        let text = r#"{"first": {"a": ["\"]", {"b\\": [[], "\u007d"]}], "c": "}}}}"}, "sec}ond": 1}"#;
        assert_eq!(second(text, 1).unwrap(), "1");
        for cut in 12..text.len() - 1 {
            for most in [1, 3, 1000] {
                let stopped = second(&text[..cut], most);
                assert!(matches!(stopped, Err(Stop::Truncated)), "cut at {cut}: {stopped:?}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// What is passed over ends where it ends, in whatever pieces it comes.
        #[test]
        fn values_are_passed_to_their_end(value in values(), most in 1_usize..300, space in 0_usize..70) {
            for written in [serde_json::to_string(&value), serde_json::to_string_pretty(&value)] {
                let space = " ".repeat(space);
                let text = format!("{{{space}\"first\": {}, \"sec}}ond\": [1, \"]\"]}}", written.unwrap());
                prop_assert_eq!(second(&text, most).unwrap(), "[1, \"]\"]");
            }
        }
    }

    fn values() -> impl Strategy<Value = serde_json::Value> {
        let text = r#"([\[\]{}",: a-z]|\\|\n){0,90}"#;
        let leaf = prop_oneof![any::<bool>().prop_map(Into::into), text.prop_map(serde_json::Value::from)];
        leaf.prop_recursive(5, 60, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map(text, inner, 0..5)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
