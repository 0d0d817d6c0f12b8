//! The walk through a value of JSON that is taken, which checks that it is well formed.

use super::scan::{Halt, Scan, wrong};
use super::tokens::Token;

/// Containers that are nested deeper than this are refused: what is open is remembered.
const MAX_DEPTH: usize = 1 << 20;

/// A walk through a value.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Whether the containers around the current one are objects.
    around: Vec<bool>,
    in_object: bool,
    expected: Expected,
}

/// What a walk takes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expected {
    #[default]
    Value,
    /// The first element of a list, or its end.
    Element,
    /// The first key of an object, or its end.
    Member,
    Key,
    Colon,
    /// A comma, or the end of the container.
    More,
}

impl Walk {
    /// Passes the value.
    pub(super) fn over(mut self, scan: &mut Scan<'_, '_>) -> Result<(), Halt> {
        // One round passes a member of an object, or an element of a list.
        loop {
            if matches!(self.expected, Expected::Member | Expected::Key) {
                let (token, byte) = scan.peek()?;
                scan.pass();
                match byte {
                    b'"' => self.expected = Expected::Colon,
                    b'}' if self.expected == Expected::Member => self.close(),
                    _ => return wrong("expected a key", token),
                }
            }
            if self.expected == Expected::Colon {
                let (token, byte) = scan.peek()?;
                scan.pass();
                match byte {
                    b':' => self.expected = Expected::Value,
                    _ => return wrong("expected `:`", token),
                }
            }
            if matches!(self.expected, Expected::Value | Expected::Element) {
                let (token, byte) = scan.peek()?;
                match byte {
                    b'"' => self.expected = Expected::More,
                    b'{' | b'[' => {
                        self.open(byte == b'{', token)?;
                        scan.pass();
                        continue;
                    }
                    b']' if self.expected == Expected::Element => self.close(),
                    _ => {
                        scan.scalar(token)?;
                        self.expected = Expected::More;
                    }
                }
                scan.pass();
            }
            while self.expected == Expected::More {
                if self.around.is_empty() {
                    return Ok(());
                }
                let (token, byte) = scan.peek()?;
                scan.pass();
                match byte {
                    b',' => self.expected = if self.in_object { Expected::Key } else { Expected::Value },
                    b'}' if self.in_object => self.close(),
                    b']' if !self.in_object => self.close(),
                    _ => return wrong("expected `,` or the end", token),
                }
            }
        }
    }

    fn open(&mut self, is_object: bool, token: Token) -> Result<(), Halt> {
        if self.around.len() >= MAX_DEPTH {
            return wrong("it is nested too deeply", token);
        }
        self.around.push(std::mem::replace(&mut self.in_object, is_object));
        self.expected = if is_object { Expected::Member } else { Expected::Element };
        Ok(())
    }

    /// Leaves a container, which is a value of the one around it.
    fn close(&mut self) {
        self.in_object = self.around.pop().unwrap_or_default();
        self.expected = Expected::More;
    }
}
