//! The words of the language: white space, comments, names, numbers and escapes, as Terraform's scanner reads
//! them.

use super::{Cover, Reader, Result, names};
use crate::ProblemKind;

/// A number as it is written.
pub(super) struct Number {
    /// Past its last byte.
    pub(super) end: usize,
    /// Whether a point stands in it.
    pub(super) has_point: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    pub(super) fn looks_at(&self, text: &str) -> bool {
        self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(text.as_bytes()))
    }

    /// The width of the newline at `at`, where there is one.
    pub(super) fn newline(&self, at: usize) -> Option<usize> {
        match self.byte(at) {
            Some(b'\n') => Some(1),
            Some(b'\r') if self.byte(at + 1) == Some(b'\n') => Some(2),
            _ => None,
        }
    }

    /// Past white space and comments, and past newlines unless they mean something here. A comment that is not
    /// closed is left where it is, where no word can begin with it.
    pub(super) fn trivia(&mut self, newlines: bool) {
        let start = self.at;
        self.skip(newlines);
        self.cover(start..self.at, Cover::Blank);
    }

    /// The same between two statements, where a newline that means nothing follows one that does.
    pub(super) fn skip(&mut self, newlines: bool) {
        loop {
            match self.byte(self.at) {
                Some(b' ' | b'\t') => self.at += 1,
                Some(b'\n') if !newlines => self.at += 1,
                Some(b'\r') if !newlines && self.byte(self.at + 1) == Some(b'\n') => self.at += 2,
                Some(b'#') => self.line_comment(),
                Some(b'/') => match self.byte(self.at + 1) {
                    Some(b'/') => self.line_comment(),
                    Some(b'*') => {
                        let rest = self.bytes.get(self.at + 2..).unwrap_or_default();
                        let Some(length) = rest.windows(2).position(|pair| pair == b"*/") else { return };
                        self.at += 2 + length + 2;
                    }
                    _ => return,
                },
                _ => return,
            }
        }
    }

    fn line_comment(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    }

    /// Past the end of the line at `at`, its newline left out; none where the text ends before.
    pub(super) fn line_end(&self, at: usize) -> Option<usize> {
        let rest = self.bytes.get(at..)?;
        match rest.iter().position(|&byte| byte == b'\n') {
            Some(length) => Some(at + length),
            None => self.is_cut.then_some(self.bytes.len()),
        }
    }

    /// Past the name at `at`; `at` itself where none begins.
    pub(super) fn name_end(&self, at: usize) -> usize {
        match self.byte(at) {
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {}
            Some(byte) if !byte.is_ascii() && self.char(at).is_some_and(names::starts) => {}
            _ => return at,
        }
        let mut at = at;
        loop {
            match self.byte(at) {
                Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') => at += 1,
                Some(byte) if !byte.is_ascii() => match self.char(at) {
                    Some(c) if names::continues(c) => at += c.len_utf8(),
                    _ => return at,
                },
                _ => return at,
            }
        }
    }

    fn char(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    /// Takes the name that stands here.
    pub(super) fn name(&mut self, wanted: &str) -> Result<&'a [u8]> {
        let (bytes, start) = (self.bytes, self.at);
        let end = self.name_end(start);
        if start == end {
            return self.refuse(wanted);
        }
        self.at = end;
        Ok(bytes.get(start..end).unwrap_or_default())
    }

    /// Whether the name that stands here is `word`.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.looks_at(word) && self.name_end(self.at) == self.at + word.len()
    }

    /// Takes the number that stands here. As Terraform does, this reads more than a number at first, so that
    /// `1.2.3` is one wrong number and not two right ones.
    pub(super) fn number(&mut self) -> Result<Number> {
        let start = self.at;
        let mut end = start + 1;
        let mut at = end;
        loop {
            match self.byte(at) {
                Some(b'0'..=b'9') => at += 1,
                Some(b'.') => {
                    at += 1;
                    continue;
                }
                Some(b'e' | b'E') => {
                    let sign = usize::from(matches!(self.byte(at + 1), Some(b'+' | b'-')));
                    if !self.byte(at + 1 + sign).is_some_and(|byte| byte.is_ascii_digit()) {
                        break;
                    }
                    at += 2 + sign;
                }
                _ => break,
            }
            end = at;
        }
        let written = self.text.get(start..end).unwrap_or_default();
        if !is_number(written) {
            return self.refuse_span(ProblemKind::Syntax, start..end, "invalid number literal".to_owned());
        }
        self.at = end;
        // The tree's parser would see a number and an attribute of it.
        if written.contains(".e") || written.contains(".E") {
            self.outline.misread.push(start);
        }
        let has_point = written.contains('.');
        self.cover(start..end, Cover::Number);
        Ok(Number { end, has_point })
    }

    /// Past the escape at the backslash that stands here.
    pub(super) fn escape(&mut self) -> Result<()> {
        let digits = match self.byte(self.at + 1) {
            Some(b'n' | b'r' | b't' | b'"' | b'\\') => 0,
            Some(b'u') => 4,
            Some(b'U') => 8,
            _ => return self.refuse("invalid escape sequence"),
        };
        if digits > 0 {
            let written = self.text.get(self.at + 2..self.at + 2 + digits);
            let written = written.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let code = written.and_then(|digits| u32::from_str_radix(digits, 16).ok());
            if code.and_then(char::from_u32).is_none() {
                return self.refuse("invalid escape sequence");
            }
        }
        self.at += 2 + digits;
        Ok(())
    }
}

/// Whether Terraform can hold the number: one point and one exponent at most, and a binary exponent that fits 32
/// bits.
fn is_number(written: &str) -> bool {
    let (mantissa, exponent) = match written.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (written, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if fraction.contains('.') {
        return false;
    }
    let Some(exponent) = exponent else { return true };
    let Ok(exponent) = exponent.parse::<i64>() else { return false };
    let digits = [whole, fraction].concat();
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return true;
    }
    // A mantissa past 38 digits has at least 126 bits, and near enough that number for a limit of 2³¹.
    let bits = digits.parse::<u128>().map_or(digits.len().saturating_mul(3322) / 1000, |mantissa| {
        mantissa.checked_ilog2().map_or(0, |bits| bits as usize + 1)
    });
    let (Ok(places), Ok(bits)) = (i64::try_from(fraction.len()), i64::try_from(bits)) else { return false };
    i32::try_from(exponent.saturating_sub(places).saturating_add(bits)).is_ok()
}
