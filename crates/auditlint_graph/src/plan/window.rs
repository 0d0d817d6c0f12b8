//! A window over a JSON document: structure is walked, values are taken one by one or skipped, and never more
//! than one value is in memory.

use std::borrow::Cow;
use std::io::{self, Read};

use super::scan::{Halt, Scan};
use super::tokens::Tokens;
use super::walk::Walk;

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
    /// Tokens that were consumed.
    passed: usize,
    /// Bytes of the document before the buffer.
    before: u64,
    done: bool,
}

impl<R: Read> Window<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            buffer: vec![0; FIRST],
            end: 0,
            tokens: Tokens::default(),
            passed: 0,
            before: 0,
            done: false,
        }
    }

    /// The offset in the buffer of the next token, or of what was not looked at.
    fn start(&self) -> usize {
        self.tokens.all().get(self.passed).map_or(self.tokens.seen(), |token| token.at())
    }

    pub(super) fn malformed<T>(&self, reason: &str) -> Result<T, Stop> {
        self.malformed_at(reason, self.start())
    }

    fn malformed_at<T>(&self, reason: &str, at: usize) -> Result<T, Stop> {
        Err(Stop::Malformed { reason: reason.to_owned(), at: self.before + at as u64 })
    }

    /// Reads more behind what is there, and looks for its tokens. False at the end of the document.
    fn fill(&mut self) -> Result<bool, Stop> {
        let is_more = self.receive()?;
        self.tokens.extend(self.buffer.get(..self.end).unwrap_or_default(), self.done);
        Ok(is_more)
    }

    /// Reads more behind what is there; what was consumed is dropped. False at the end of the document.
    fn receive(&mut self) -> Result<bool, Stop> {
        if self.done {
            return Ok(false);
        }
        let start = self.start();
        if start > 0 {
            self.buffer.copy_within(start..self.end, 0);
            self.before += start as u64;
            self.end -= start;
            self.tokens.shift(self.passed, start);
            self.passed = 0;
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
            if let Some(token) = self.tokens.all().get(self.passed) {
                return Ok(self.buffer.get(token.at()).copied());
            }
            // The last tokens are known only where the document ends.
            if self.done {
                return Ok(None);
            }
            self.fill()?;
        }
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Stop> {
        match self.peek()? {
            Some(byte) if byte == wanted => {
                self.passed += 1;
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
                self.passed += 1;
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
                    self.passed += 1;
                    return Ok(false);
                }
                Some(b',') => self.passed += 1,
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
            let (mut scan, ahead) = self.scan();
            match of(&mut scan) {
                Ok(found) => {
                    self.passed += ahead - scan.ahead();
                    return Ok(found);
                }
                Err(Halt::Wrong { reason, at }) => return self.malformed_at(reason, at),
                Err(Halt::End) if self.grow()? => {}
                Err(Halt::End) => return Err(Stop::Truncated),
            }
        }
    }

    /// Passes the next value over; nothing of it is kept, however large it is. Of what goes on behind the part that
    /// is in memory only the brackets are looked at.
    pub(super) fn skip(&mut self) -> Result<(), Stop> {
        let mut walk = Walk::default();
        loop {
            let (mut scan, ahead) = self.scan();
            let walked = walk.on(&mut scan);
            self.passed += ahead - scan.ahead();
            match walked {
                Ok(true) => return Ok(()),
                Err(Halt::Wrong { reason, at }) => return self.malformed_at(reason, at),
                Ok(false) | Err(Halt::End) if self.done => return Err(Stop::Truncated),
                Ok(false) | Err(Halt::End) if walk.depth() > 0 => return self.close(walk.depth()),
                Ok(false) | Err(Halt::End) => self.fill().map(|_| ())?,
            }
        }
    }

    /// Passes everything up to the end of the `depth` containers that are open where the tokens end.
    fn close(&mut self, mut depth: usize) -> Result<(), Stop> {
        self.passed = self.tokens.all().len();
        loop {
            self.receive()?;
            let text = self.buffer.get(..self.end).unwrap_or_default();
            if self.tokens.close(text, self.done, &mut depth) {
                self.tokens.extend(text, self.done);
                return Ok(());
            }
            if self.done {
                return Err(Stop::Truncated);
            }
        }
    }

    fn scan(&self) -> (Scan<'_, '_>, usize) {
        let tokens = self.tokens.all().get(self.passed..).unwrap_or_default();
        (Scan::new(self.buffer.get(..self.end).unwrap_or_default(), tokens), tokens.len())
    }

    /// Reads at least as much again as is there: looking anew after every small piece would take time that grows
    /// with the square of a value's size. False when nothing is left to be known.
    fn grow(&mut self) -> Result<bool, Stop> {
        if self.done {
            return Ok(false);
        }
        let wanted = (self.end - self.start()) * 2;
        while self.end - self.start() < wanted.max(1) && self.fill()? {}
        Ok(true)
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
