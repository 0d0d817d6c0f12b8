//! Where a JSON value ends, and the members of an object that lies in memory. What is skipped is not decoded.

use std::borrow::Cow;

use memchr::memchr2;

/// A scan that can be continued when more bytes have come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scan {
    depth: usize,
    in_string: bool,
    in_scalar: bool,
}

impl Scan {
    /// Scans `bytes` from `at`: the end of the value, or where to go on when more bytes are there.
    pub(super) fn advance(&mut self, bytes: &[u8], mut at: usize) -> Result<usize, usize> {
        while let Some(&byte) = bytes.get(at) {
            if self.in_string {
                match bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
                    None => return Err(bytes.len()),
                    Some(found) => {
                        at += found;
                        if bytes.get(at) == Some(&b'\\') {
                            if at + 1 >= bytes.len() {
                                return Err(at);
                            }
                            at += 2;
                            continue;
                        }
                        at += 1;
                        self.in_string = false;
                        if self.depth == 0 {
                            return Ok(at);
                        }
                    }
                }
                continue;
            }
            if self.in_scalar {
                if matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace() {
                    return Ok(at);
                }
                at += 1;
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Ok(at + 1);
                    }
                }
                _ if self.depth == 0 && !byte.is_ascii_whitespace() => self.in_scalar = true,
                _ => {}
            }
            at += 1;
        }
        Err(at)
    }

    /// Whether the end of the text may end the value: a number at the very top.
    pub(super) fn may_end(self) -> bool {
        self.in_scalar
    }
}

/// The members of the object in `slice`; ends early where it is not well formed.
pub(super) fn members(slice: &[u8]) -> Members<'_> {
    let at = slice.iter().position(|byte| *byte == b'{').map_or(slice.len(), |at| at + 1);
    Members { slice, at }
}

pub(super) struct Members<'s> {
    slice: &'s [u8],
    at: usize,
}

impl<'s> Iterator for Members<'s> {
    type Item = (Cow<'s, str>, &'s [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_to(|byte| byte == b'"')?;
        let key = self.value()?;
        self.skip_to(|byte| byte == b':')?;
        self.at += 1;
        self.skip_to(|byte| !byte.is_ascii_whitespace())?;
        let value = self.value()?;
        Some((text(key)?, value))
    }
}

impl<'s> Members<'s> {
    fn skip_to(&mut self, is: impl Fn(u8) -> bool) -> Option<()> {
        let found = self.slice.get(self.at..)?.iter().position(|byte| is(*byte))?;
        // Between members there is nothing but white space and one comma.
        self.at += found;
        Some(())
    }

    fn value(&mut self) -> Option<&'s [u8]> {
        let end = match Scan::default().advance(self.slice, self.at) {
            Ok(end) => end,
            Err(end) if end == self.slice.len() => end,
            Err(_) => return None,
        };
        let value = self.slice.get(self.at..end)?;
        self.at = end;
        Some(value)
    }
}

/// A JSON string as text, borrowed where it has no escapes.
pub(super) fn text(slice: &[u8]) -> Option<Cow<'_, str>> {
    let inner = slice.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if !inner.contains(&b'\\')
        && let Ok(text) = std::str::from_utf8(inner)
    {
        return Some(Cow::Borrowed(text));
    }
    serde_json::from_slice::<String>(slice).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_whatever_they_hold() {
        let slice = br#"{ "a" : [1, {"x": "]}"}], "b\"c": "q\\", "d": -1.5e3 ,"e":null}"#;
        let found: Vec<(String, String)> = members(slice)
            .map(|(key, value)| (key.into_owned(), String::from_utf8_lossy(value).into_owned()))
            .collect();
        let expected = [("a", r#"[1, {"x": "]}"}]"#), ("b\"c", r#""q\\""#), ("d", "-1.5e3"), ("e", "null")];
        let expected: Vec<(String, String)> =
            expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_scan_goes_on_at_every_byte() {
        let text = br#"{"a":"\\\"}","b":[{},"\u007d"]} "#;
        for cut in 0..text.len() - 2 {
            let mut scan = Scan::default();
            let from = scan.advance(&text[..cut], 0).unwrap_err();
            assert_eq!(scan.advance(text, from), Ok(text.len() - 1), "cut at {cut}");
        }
    }
}
