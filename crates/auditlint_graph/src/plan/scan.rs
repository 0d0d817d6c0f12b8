//! JSON that lies in memory, walked once: what is asked for is taken as text, the rest is passed over, and both are
//! checked to be well formed. Nothing of it becomes a tree.

use std::borrow::Cow;

/// Why a walk ends before the value does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// The bytes end first; more of them may follow.
    End,
    /// It is not JSON.
    Wrong {
        /// What is wrong.
        reason: &'static str,
        /// Offset in the bytes.
        at: usize,
    },
}

/// A place in JSON, before a value or a member.
#[derive(Clone, Debug)]
pub(super) struct Scan<'b> {
    bytes: &'b [u8],
    at: usize,
    /// Whether an object was just entered, so that no comma stands before its first member.
    entered: bool,
}

impl<'b> Scan<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0, entered: false }
    }

    /// Offset in the bytes.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Goes into an object; false, with the value passed over, when it is something else (`null`).
    fn enter(&mut self) -> Result<bool, Halt> {
        self.at = blank(self.bytes, self.at);
        self.entered = self.bytes.get(self.at) == Some(&b'{');
        if !self.entered {
            return self.skip().map(|()| false);
        }
        self.at += 1;
        Ok(true)
    }

    /// The next key of the object that was entered; none at its end, which is passed.
    fn next_key(&mut self) -> Result<Option<Cow<'b, str>>, Halt> {
        self.at = blank(self.bytes, self.at);
        let first = std::mem::take(&mut self.entered);
        match self.bytes.get(self.at) {
            Some(b'}') => {
                self.at += 1;
                return Ok(None);
            }
            Some(b',') if !first => self.at += 1,
            Some(_) if first => {}
            Some(_) => return wrong("expected `,` or `}`", self.at),
            None => return Err(Halt::End),
        }
        let key = self.text()?;
        self.at = colon(self.bytes, self.at)?;
        Ok(Some(key))
    }

    /// Passes the next value over.
    pub(super) fn skip(&mut self) -> Result<(), Halt> {
        self.at = value(self.bytes, self.at)?;
        self.entered = false;
        Ok(())
    }

    /// Whether the next value is `true`.
    pub(super) fn is_true(&self) -> bool {
        self.bytes.get(blank(self.bytes, self.at)..).unwrap_or_default().starts_with(b"true")
    }

    /// The text of the next value.
    pub(super) fn take(&mut self) -> Result<&'b str, Halt> {
        let from = blank(self.bytes, self.at);
        self.skip()?;
        let text = std::str::from_utf8(self.bytes.get(from..self.at).unwrap_or_default());
        text.or_else(|error| wrong("it is not UTF-8", from + error.valid_up_to()))
    }

    /// The next value, which must be a text.
    pub(super) fn text(&mut self) -> Result<Cow<'b, str>, Halt> {
        let from = blank(self.bytes, self.at);
        match self.bytes.get(from) {
            Some(b'"') => self.at = string(self.bytes, from + 1)?,
            Some(_) => return wrong("expected a text", from),
            None => return Err(Halt::End),
        }
        let inner = self.bytes.get(from + 1..self.at - 1).unwrap_or_default();
        if !inner.contains(&b'\\')
            && let Ok(text) = std::str::from_utf8(inner)
        {
            return Ok(Cow::Borrowed(text));
        }
        let written = self.bytes.get(from..self.at).unwrap_or_default();
        serde_json::from_slice(written).map_or_else(|_| wrong("a text that is not Unicode", from), Ok)
    }
}

/// Gives each member of an object to `each`, which passes its value; something else (`null`) has no members.
pub(super) fn members<'b>(
    scan: &mut Scan<'b>,
    mut each: impl FnMut(&str, &mut Scan<'b>) -> Result<(), Halt>,
) -> Result<(), Halt> {
    if scan.enter()? {
        while let Some(key) = scan.next_key()? {
            each(&key, scan)?;
        }
    }
    Ok(())
}

/// Gives each element of a list to `each`, which passes it; something else (`null`) has no elements.
pub(super) fn items<'b>(
    scan: &mut Scan<'b>,
    mut each: impl FnMut(&mut Scan<'b>) -> Result<(), Halt>,
) -> Result<(), Halt> {
    scan.at = blank(scan.bytes, scan.at);
    if scan.bytes.get(scan.at) != Some(&b'[') {
        return scan.skip();
    }
    let mut first = true;
    loop {
        scan.at = blank(scan.bytes, scan.at + usize::from(first));
        match scan.bytes.get(scan.at) {
            Some(b']') => {
                scan.at += 1;
                return Ok(());
            }
            Some(b',') if !first => scan.at += 1,
            Some(_) if first => {}
            Some(_) => return wrong("expected `,` or `]`", scan.at),
            None => return Err(Halt::End),
        }
        first = false;
        each(scan)?;
    }
}

/// A JSON string as text, borrowed where it has no escapes; none where it is something else, or holds half of a
/// surrogate pair.
pub(super) fn text(written: &str) -> Option<Cow<'_, str>> {
    let inner = written.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.as_bytes().contains(&b'\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(written).ok().map(Cow::Owned)
}

fn wrong<T>(reason: &'static str, at: usize) -> Result<T, Halt> {
    Err(Halt::Wrong { reason, at })
}

/// The offset of the next byte that is no white space.
fn blank(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// The offset after the `:` of a member.
fn colon(bytes: &[u8], at: usize) -> Result<usize, Halt> {
    let at = blank(bytes, at);
    match bytes.get(at) {
        Some(b':') => Ok(at + 1),
        Some(_) => wrong("expected `:`", at),
        None => Err(Halt::End),
    }
}

/// The offset after the key and the `:` of a member.
fn key(bytes: &[u8], at: usize) -> Result<usize, Halt> {
    let at = blank(bytes, at);
    match bytes.get(at) {
        Some(b'"') => colon(bytes, string(bytes, at + 1)?),
        Some(_) => wrong("expected a key", at),
        None => Err(Halt::End),
    }
}

/// The offset after the value at `at`. Containers are kept on a stack of their own, so that no nesting is too deep.
fn value(bytes: &[u8], mut at: usize) -> Result<usize, Halt> {
    // Whether the containers around the current one are objects.
    let mut around: Vec<bool> = Vec::new();
    let mut in_object = false;
    let mut depth = 0_usize;
    loop {
        at = blank(bytes, at);
        at = match bytes.get(at) {
            Some(b'"') => string(bytes, at + 1)?,
            Some(open @ (b'{' | b'[')) => {
                let is_object = *open == b'{';
                at = blank(bytes, at + 1);
                if bytes.get(at) == Some(if is_object { &b'}' } else { &b']' }) {
                    at + 1
                } else {
                    around.push(std::mem::replace(&mut in_object, is_object));
                    depth += 1;
                    if is_object {
                        at = key(bytes, at)?;
                    }
                    continue;
                }
            }
            Some(b't') => word(bytes, at, b"true")?,
            Some(b'f') => word(bytes, at, b"false")?,
            Some(b'n') => word(bytes, at, b"null")?,
            Some(b'-' | b'0'..=b'9') => number(bytes, at)?,
            Some(_) => return wrong("expected a value", at),
            None => return Err(Halt::End),
        };
        loop {
            if depth == 0 {
                return Ok(at);
            }
            at = blank(bytes, at);
            match bytes.get(at) {
                Some(b',') => {
                    at += 1;
                    if in_object {
                        at = key(bytes, at)?;
                    }
                    break;
                }
                Some(close @ (b'}' | b']')) if (*close == b'}') == in_object => {
                    at += 1;
                    depth -= 1;
                    in_object = around.pop().unwrap_or_default();
                }
                Some(_) => return wrong("expected `,` or the end", at),
                None => return Err(Halt::End),
            }
        }
    }
}

/// The offset after the closing quote of the string whose inside begins at `at`.
#[inline]
fn string(bytes: &[u8], mut at: usize) -> Result<usize, Halt> {
    // Eight bytes are looked at together: a subtraction borrows into the highest bit of a byte that is below the
    // other one, and of no byte before the first such.
    const ONES: u64 = 0x0101_0101_0101_0101;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    loop {
        while let Some((eight, _)) = bytes.get(at..).and_then(<[u8]>::split_first_chunk) {
            let word = u64::from_le_bytes(*eight);
            let quote = below(word ^ (ONES * u64::from(b'"')), 1);
            let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
            let found = (quote | backslash | below(word, 0x20)) & (ONES << 7);
            if found != 0 {
                at += found.trailing_zeros() as usize / 8;
                break;
            }
            at += 8;
        }
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = escape(bytes, at + 1)?,
            Some(0..0x20) => return wrong("a control character in a text", at),
            Some(_) => at += 1,
            None => return Err(Halt::End),
        }
    }
}

/// The offset after the escape whose backslash stands before `at`.
#[cold]
fn escape(bytes: &[u8], at: usize) -> Result<usize, Halt> {
    match bytes.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => match bytes.get(at + 1..at + 5) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(at + 5),
            Some(_) => wrong("an escape that JSON does not have", at),
            None => Err(Halt::End),
        },
        Some(_) => wrong("an escape that JSON does not have", at),
        None => Err(Halt::End),
    }
}

fn word(bytes: &[u8], at: usize, word: &[u8]) -> Result<usize, Halt> {
    match bytes.get(at..at + word.len()) {
        Some(found) if found == word => Ok(at + word.len()),
        Some(_) => wrong("expected a value", at),
        None => Err(Halt::End),
    }
}

/// The offset after a number. At the very end of the bytes it may go on behind them.
fn number(bytes: &[u8], from: usize) -> Result<usize, Halt> {
    let digits = |at: usize| {
        let length =
            bytes.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
        match bytes.get(at + length) {
            None => Err(Halt::End),
            Some(_) if length == 0 => wrong("a number without digits", at),
            Some(next) => Ok((at + length, *next)),
        }
    };
    let whole = from + usize::from(bytes.get(from) == Some(&b'-'));
    let (mut at, mut next) = digits(whole)?;
    if bytes.get(whole) == Some(&b'0') && at > whole + 1 {
        return wrong("a number that begins with zero", whole);
    }
    if next == b'.' {
        (at, next) = digits(at + 1)?;
    }
    if matches!(next, b'e' | b'E') {
        let signed = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
        (at, _) = digits(at + 1 + usize::from(signed))?;
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    fn end(text: &[u8]) -> Result<usize, Halt> {
        value(text, 0)
    }

    #[test]
    fn members_are_found_whatever_they_hold() {
        let text = br#"{ "a" : [1, {"x": "]}"}], "b\"c": "q\\", "d": -1.5e3 ,"e":null}"#;
        let mut scan = Scan::new(text);
        let mut found = Vec::new();
        members(&mut scan, |key, scan| scan.take().map(|value| found.push((key.to_owned(), value)))).unwrap();
        let expected = [("a", r#"[1, {"x": "]}"}]"#), ("b\"c", r#""q\\""#), ("d", "-1.5e3"), ("e", "null")];
        assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value)));
        assert_eq!(scan.at(), text.len());
    }

    #[test]
    fn elements_are_found_whatever_they_hold() {
        let text = br#"[ 1 , {"x": "]"} ,[],null ] "#;
        let mut scan = Scan::new(text);
        let mut found = Vec::new();
        items(&mut scan, |scan| scan.take().map(|value| found.push(value))).unwrap();
        assert_eq!(found, ["1", r#"{"x": "]"}"#, "[]", "null"]);
        assert_eq!(scan.at(), text.len() - 1);
        for wrong in ["[1 2]", "[,1]", "[1"] {
            assert!(items(&mut Scan::new(wrong.as_bytes()), Scan::skip).is_err(), "{wrong}");
        }
        assert_eq!(items(&mut Scan::new(b"[]"), Scan::skip), Ok(()));
    }

    #[test]
    fn a_text_that_is_cut_anywhere_asks_for_more() {
        let text = br#" {"a":"\\\"}","b":[{},"\u007d",-1.5e+3, true]} "#;
        for cut in 0..text.len() - 1 {
            assert_eq!(end(&text[..cut]), Err(Halt::End), "cut at {cut}");
        }
        assert_eq!(end(text), Ok(text.len() - 1));
    }

    #[test]
    fn commas_stand_between_members_and_nowhere_else() {
        for text in ["[,1]", "[1,]", "[1 2]", r#"{"a":1,}"#, r#"{,"a":1}"#, r#"{"a" 1}"#, "[1}"] {
            assert!(matches!(end(text.as_bytes()), Err(Halt::Wrong { .. })), "{text}");
            if text.starts_with('{') {
                let walked = members(&mut Scan::new(text.as_bytes()), |_, scan| scan.skip());
                assert!(matches!(walked, Err(Halt::Wrong { .. })), "{text}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        /// What is well formed is decided as serde_json decides it.
        #[test]
        fn json_is_what_serde_json_takes(text in r#"[\[\]{},:"\\ \n\x01a-e0-9.eE+u-]{0,12}|([\[{]|"(a|\\u00[0-9]{2}|\\[nq])*"|:|,|-?[0-9]{1,3}(\.[0-9]?)?(e[+-]?[0-9]?)?|true|nul|null|[\]}]){0,9}"#) {
            // A white space behind it ends a number.
            let text = format!("{text} ");
            let ours = match end(text.as_bytes()) {
                Ok(end) => text[end..].trim().is_empty(),
                Err(_) => false,
            };
            prop_assert_eq!(ours, serde_json::from_str::<IgnoredAny>(&text).is_ok(), "{}", text);
        }

        #[test]
        fn every_document_ends_where_it_ends(value in documents()) {
            let compact = serde_json::to_string(&value).unwrap();
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            for text in [compact, pretty] {
                prop_assert_eq!(end(format!("{text},").as_bytes()), Ok(text.len()));
            }
        }
    }

    fn documents() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            ".{0,20}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::btree_map(".{0,12}", inner, 0..5)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
