//! The walk through a value of JSON that is passed over, which checks that it is well formed.

use super::scan::{Halt, Scan, wrong};
use super::tokens::Token;

/// Containers that are nested deeper than this are refused: what is open is remembered.
const MAX_DEPTH: usize = 1 << 20;

/// A walk through a value that is passed over. Where the tokens end it keeps its place, and goes on with those that
/// follow.
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
    /// Goes on; false where the tokens end before the value.
    pub(super) fn on(&mut self, scan: &mut Scan<'_, '_>) -> Result<bool, Halt> {
        // One round passes a member of an object, or an element of a list.
        loop {
            if matches!(self.expected, Expected::Member | Expected::Key) {
                let Some((token, byte)) = scan.first() else { return Ok(false) };
                scan.pass();
                match byte {
                    b'"' => self.expected = Expected::Colon,
                    b'}' if self.expected == Expected::Member => self.close(),
                    _ => return wrong("expected a key", token),
                }
            }
            if self.expected == Expected::Colon {
                let Some((token, byte)) = scan.first() else { return Ok(false) };
                scan.pass();
                match byte {
                    b':' => self.expected = Expected::Value,
                    _ => return wrong("expected `:`", token),
                }
            }
            if matches!(self.expected, Expected::Value | Expected::Element) {
                let Some((token, byte)) = scan.first() else { return Ok(false) };
                match byte {
                    b'"' => self.expected = Expected::More,
                    b'{' | b'[' => {
                        self.open(byte == b'{', token)?;
                        scan.pass();
                        continue;
                    }
                    b']' if self.expected == Expected::Element => self.close(),
                    _ => match scan.scalar(token) {
                        Ok(()) => self.expected = Expected::More,
                        Err(Halt::End) => return Ok(false),
                        Err(halt) => return Err(halt),
                    },
                }
                scan.pass();
            }
            while self.expected == Expected::More {
                if self.around.is_empty() {
                    return Ok(true);
                }
                let Some((token, byte)) = scan.first() else { return Ok(false) };
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

    /// How many containers are open.
    pub(super) fn depth(&self) -> usize {
        self.around.len()
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
