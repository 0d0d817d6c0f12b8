//! JSON that lies in memory, walked once by its tokens: what is asked for is taken as text that is well formed, the
//! rest is passed over by its brackets. Nothing of it becomes a tree.

use std::borrow::Cow;

use super::tokens::{Token, Tokens};
use super::walk::Walk;

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
#[derive(Debug)]
pub(super) struct Scan<'b, 't> {
    bytes: &'b [u8],
    /// Whether nothing follows behind the bytes.
    is_end: bool,
    /// The tokens from here on.
    tokens: &'t mut Tokens,
    /// Whether an object was just entered, so that no comma stands before its first member.
    entered: bool,
}

impl<'b, 't> Scan<'b, 't> {
    /// `tokens` are those of `bytes`, from the place on where the walk begins.
    pub(super) fn new(bytes: &'b [u8], is_end: bool, tokens: &'t mut Tokens) -> Self {
        Self { bytes, is_end, tokens, entered: false }
    }

    /// The next token and its first byte, without passing it.
    pub(super) fn first(&mut self) -> Option<(Token, u8)> {
        let token = self.tokens.peek(self.bytes, self.is_end)?;
        Some((token, *self.bytes.get(token.at())?))
    }

    /// Like [`Self::first`], where there must be one.
    pub(super) fn peek(&mut self) -> Result<(Token, u8), Halt> {
        self.first().ok_or(Halt::End)
    }

    pub(super) fn pass(&mut self) {
        self.tokens.pass();
    }

    /// Goes into an object; false, with the value passed over, when it is something else (`null`).
    fn enter(&mut self) -> Result<bool, Halt> {
        self.entered = self.peek()?.1 == b'{';
        if !self.entered {
            return self.skip().map(|()| false);
        }
        self.pass();
        Ok(true)
    }

    /// The next key of the object that was entered; none at its end, which is passed.
    fn next_key(&mut self) -> Result<Option<Cow<'b, [u8]>>, Halt> {
        let first = std::mem::take(&mut self.entered);
        match self.peek()? {
            (_, b'}') => {
                self.pass();
                return Ok(None);
            }
            (_, b',') if !first => self.pass(),
            _ if first => {}
            (token, _) => return wrong("expected `,` or `}`", token),
        }
        let key = self.bytes()?;
        match self.peek()? {
            (_, b':') => self.pass(),
            (token, _) => return wrong("expected `:`", token),
        }
        Ok(Some(key))
    }

    /// Passes the next value over. Of what it holds only the brackets are looked at.
    pub(super) fn skip(&mut self) -> Result<(), Halt> {
        self.entered = false;
        let (token, byte) = self.peek()?;
        if !matches!(byte, b'{' | b'[' | b'"') {
            self.scalar(token)?;
        }
        self.pass();
        if matches!(byte, b'{' | b'[') && !self.tokens.close(self.bytes, self.is_end, &mut 1) {
            return Err(Halt::End);
        }
        Ok(())
    }

    /// Passes the rest of the object over that was entered, by its brackets.
    fn leave(&mut self) -> Result<(), Halt> {
        self.entered = false;
        if self.tokens.close(self.bytes, self.is_end, &mut 1) { Ok(()) } else { Err(Halt::End) }
    }

    /// Whether the next value is a number or a word as JSON has them.
    pub(super) fn scalar(&self, token: Token) -> Result<(), Halt> {
        scalar(self.bytes, token).map(|_| ())
    }

    /// Whether the next value is `true`.
    pub(super) fn is_true(&mut self) -> bool {
        self.first().is_some_and(|(token, _)| {
            self.bytes.get(token.at()..).is_some_and(|rest| rest.starts_with(b"true"))
        })
    }

    /// The text of the next value, which is well formed.
    pub(super) fn take(&mut self) -> Result<&'b str, Halt> {
        self.entered = false;
        let (first, byte) = self.peek()?;
        let end = match byte {
            b'"' => {
                self.pass();
                self.end_of_text()?
            }
            b'{' | b'[' => {
                Walk::default().over(self)?;
                self.tokens.passed().map_or(0, Token::at) + 1
            }
            _ => {
                self.pass();
                scalar(self.bytes, first)?
            }
        };
        let text = std::str::from_utf8(self.bytes.get(first.at()..end).unwrap_or_default());
        text.map_err(|error| Halt::Wrong { reason: "it is not UTF-8", at: first.at() + error.valid_up_to() })
    }

    /// The next value, which must be a text.
    pub(super) fn text(&mut self) -> Result<Cow<'b, str>, Halt> {
        let at = self.tokens.start();
        let not_unicode = |_| Halt::Wrong { reason: "a text that is not Unicode", at };
        match self.bytes()? {
            Cow::Borrowed(text) => std::str::from_utf8(text).map(Cow::Borrowed).map_err(not_unicode),
            Cow::Owned(text) => {
                String::from_utf8(text).map(Cow::Owned).map_err(|error| not_unicode(error.utf8_error()))
            }
        }
    }

    /// The bytes of the next value, which must be a text.
    fn bytes(&mut self) -> Result<Cow<'b, [u8]>, Halt> {
        let (token, byte) = self.peek()?;
        if byte != b'"' {
            return wrong("expected a text", token);
        }
        self.pass();
        self.entered = false;
        let end = self.end_of_text()?;
        let written = self.bytes.get(token.at()..end).unwrap_or_default();
        if self.tokens.passed().is_some_and(Token::is_escaped) {
            return serde_json::from_slice(written).map_or_else(
                |_| wrong("a text that is not Unicode", token),
                |text: String| Ok(Cow::Owned(text.into_bytes())),
            );
        }
        Ok(Cow::Borrowed(written.get(1..written.len() - 1).unwrap_or_default()))
    }

    /// The offset after the closing quote of the text that was just passed: between it and the next token stands
    /// nothing but white space.
    fn end_of_text(&mut self) -> Result<usize, Halt> {
        let mut end = self.peek()?.0.at();
        while end > 0 && self.bytes.get(end - 1) != Some(&b'"') {
            end -= 1;
        }
        Ok(end)
    }
}

/// Gives each member of an object to `each`, by the bytes of its key, and `each` passes its value; something else (`null`) has no members.
pub(super) fn members<'b, 't>(
    scan: &mut Scan<'b, 't>,
    mut each: impl FnMut(&[u8], &mut Scan<'b, 't>) -> Result<(), Halt>,
) -> Result<(), Halt> {
    if scan.enter()? {
        while let Some(key) = scan.next_key()? {
            each(&key, scan)?;
        }
    }
    Ok(())
}

/// Gives the value of the first member of that name to `take`, which passes it; the rest of the object is passed over by
/// its brackets.
pub(super) fn member<'b, 't, T>(
    scan: &mut Scan<'b, 't>,
    name: &[u8],
    take: impl FnOnce(&mut Scan<'b, 't>) -> Result<T, Halt>,
) -> Result<Option<T>, Halt> {
    if scan.enter()? {
        while let Some(key) = scan.next_key()? {
            if *key == *name {
                let value = take(scan)?;
                return scan.leave().map(|()| Some(value));
            }
            scan.skip()?;
        }
    }
    Ok(None)
}

/// Gives each element of a list to `each`, which passes it; something else (`null`) has no elements.
pub(super) fn items<'b, 't>(
    scan: &mut Scan<'b, 't>,
    mut each: impl FnMut(&mut Scan<'b, 't>) -> Result<(), Halt>,
) -> Result<(), Halt> {
    if scan.peek()?.1 != b'[' {
        return scan.skip();
    }
    scan.pass();
    let mut first = true;
    loop {
        match scan.peek()? {
            (_, b']') => {
                scan.pass();
                return Ok(());
            }
            (_, b',') if !first => scan.pass(),
            _ if first => {}
            (token, _) => return wrong("expected `,` or `]`", token),
        }
        first = false;
        each(scan)?;
    }
}

/// A JSON string as text, borrowed where it has no escapes; none where it is something else, or holds half of a
/// surrogate pair.
pub(super) fn text(written: &str) -> Option<Cow<'_, str>> {
    let inner = written.strip_prefix('"')?.strip_suffix('"')?;
    let Some(first) = inner.find('\\') else { return Some(Cow::Borrowed(inner)) };
    let (mut text, mut rest) = (String::with_capacity(inner.len()), inner);
    let mut next = Some(first);
    while let Some(at) = next {
        // The keys of instances are what is escaped most, and their quotes are all of it.
        let Some((before, after)) = rest.split_at_checked(at) else { break };
        let Some(behind) = after.strip_prefix("\\\"") else {
            return serde_json::from_str::<String>(written).ok().map(Cow::Owned);
        };
        text.push_str(before);
        text.push('"');
        rest = behind;
        next = rest.find('\\');
    }
    text.push_str(rest);
    Some(Cow::Owned(text))
}

pub(super) fn wrong<T>(reason: &'static str, token: Token) -> Result<T, Halt> {
    Err(Halt::Wrong { reason, at: token.at() })
}

/// The offset after a number or a word. At the very end of the bytes it may go on behind them.
fn scalar(bytes: &[u8], token: Token) -> Result<usize, Halt> {
    let from = token.at();
    let end = match bytes.get(from) {
        Some(b't') => word(bytes, from, b"true")?,
        Some(b'f') => word(bytes, from, b"false")?,
        Some(b'n') => word(bytes, from, b"null")?,
        Some(b'-' | b'0'..=b'9') => number(bytes, from)?,
        Some(_) => return wrong("expected a value", token),
        None => return Err(Halt::End),
    };
    match bytes.get(end) {
        Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' | b'{' | b'[' | b'"' | b':') => Ok(end),
        Some(_) => wrong("expected a value", token),
        None => Err(Halt::End),
    }
}

fn word(bytes: &[u8], at: usize, word: &[u8]) -> Result<usize, Halt> {
    match bytes.get(at..at + word.len()) {
        Some(found) if found == word => Ok(at + word.len()),
        Some(_) => Err(Halt::Wrong { reason: "expected a value", at }),
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
            Some(_) if length == 0 => Err(Halt::Wrong { reason: "a number without digits", at }),
            Some(next) => Ok((at + length, *next)),
        }
    };
    let whole = from + usize::from(bytes.get(from) == Some(&b'-'));
    let (mut at, mut next) = digits(whole)?;
    if bytes.get(whole) == Some(&b'0') && at > whole + 1 {
        return Err(Halt::Wrong { reason: "a number that begins with zero", at: whole });
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

    /// How many bytes the value at the beginning takes.
    fn end(text: &[u8]) -> Result<usize, Halt> {
        let mut tokens = Tokens::default();
        let mut scan = Scan::new(text, true, &mut tokens);
        match scan.take() {
            Ok(value) => {
                Ok(text.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0) + value.len())
            }
            Err(halt) => Err(halt),
        }
    }

    #[test]
    fn members_are_found_whatever_they_hold() {
        let text = br#"{ "a" : [1, {"x": "]}"}], "b\"c": "q\\", "d": -1.5e3 ,"e":null}"#;
        let mut tokens = Tokens::default();
        let mut scan = Scan::new(text, true, &mut tokens);
        let mut found = Vec::new();
        members(&mut scan, |key, scan| {
            scan.take().map(|value| found.push((String::from_utf8_lossy(key).into_owned(), value)))
        })
        .unwrap();
        let expected = [("a", r#"[1, {"x": "]}"}]"#), ("b\"c", r#""q\\""#), ("d", "-1.5e3"), ("e", "null")];
        assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value)));
        assert!(scan.first().is_none());
    }

    #[test]
    fn behind_a_member_the_object_is_passed_over() {
        let text = br#"[{"a": {"c": 1}, "b": [2], "c": 3, "d": {"e": "}"}}, 4]"#;
        for (name, value) in [("c", Some("3")), ("b", Some("[2]")), ("e", None)] {
            let mut tokens = Tokens::default();
            let mut scan = Scan::new(text, true, &mut tokens);
            let mut found = Vec::new();
            items(&mut scan, |scan| match found.len() {
                0 => member(scan, name.as_bytes(), Scan::take).map(|value| found.push(value)),
                _ => scan.take().map(|value| found.push(Some(value))),
            })
            .unwrap();
            assert_eq!(found, [value, Some("4")], "{name}");
        }
    }

    #[test]
    fn texts_are_read_as_json_has_them() {
        for written in [
            r#""plain""#,
            r#""a[\"b\"]""#,
            r#""\"""#,
            r#""\\"""#,
            r#""\"\n\"""#,
            r#""\u0041\"é""#,
            r#""\"#,
            r#""a\"#,
            r#"5"#,
        ] {
            assert_eq!(text(written).map(Cow::into_owned), serde_json::from_str(written).ok(), "{written}");
        }
    }

    #[test]
    fn elements_are_found_whatever_they_hold() {
        let text = br#"[ 1 , {"x": "]"} ,[],null ] "#;
        let mut tokens = Tokens::default();
        let mut scan = Scan::new(text, true, &mut tokens);
        let mut found = Vec::new();
        items(&mut scan, |scan| scan.take().map(|value| found.push(value))).unwrap();
        assert_eq!(found, ["1", r#"{"x": "]"}"#, "[]", "null"]);
        assert!(scan.first().is_none());
        for wrong in ["[1 2]", "[,1]", "[1"] {
            let mut tokens = Tokens::default();
            let mut scan = Scan::new(wrong.as_bytes(), true, &mut tokens);
            assert!(items(&mut scan, Scan::skip).is_err(), "{wrong}");
        }
        let mut tokens = Tokens::default();
        assert_eq!(items(&mut Scan::new(b"[]", true, &mut tokens), Scan::skip), Ok(()));
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
                let mut tokens = Tokens::default();
                let mut scan = Scan::new(text.as_bytes(), true, &mut tokens);
                let walked = members(&mut scan, |_, scan| scan.skip());
                assert!(matches!(walked, Err(Halt::Wrong { .. })), "{text}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        /// What is well formed is decided as serde_json decides it.
        #[test]
        fn json_is_what_serde_json_takes(text in r#"[\[\]{},:"\\ \n\x01a-e0-9.eE+u-]{0,12}|([\[{]|"(a|\\u00[0-9]{2}|\\[nq])*"|:|,|-?[0-9]{1,3}(\.[0-9]?)?(e[+-]?[0-9]?)?|true|nul|null|[\]}]){0,9}"#) {
            // A number and a text end where something follows.
            let text = format!("[{text}]");
            let mut tokens = Tokens::default();
            let mut scan = Scan::new(text.as_bytes(), true, &mut tokens);
            let is_taken = scan.take().is_ok() && scan.first().is_none();
            prop_assert_eq!(is_taken, serde_json::from_str::<IgnoredAny>(&text).is_ok(), "{}", text);
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
