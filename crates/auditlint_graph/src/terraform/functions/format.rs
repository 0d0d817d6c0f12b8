//! `format` and `formatlist`.
//!
//! Source: cty's standard library, whose numbers Go's `fmt` writes; every expectation below was asked of terraform
//! 1.11.

use num_bigint::Sign;
use unicode_segmentation::UnicodeSegmentation;

use super::super::convert::{boolean, number};
use super::decimal::Decimal;
use super::json::{write_json, write_string};
use super::{Answer, LONGEST_TEXT, as_text, items_of, not_computed, string, text_of, texts, too_long};
use crate::{Number, Tracked, Value};

/// Some answer when `name` is one of these functions.
pub(super) fn call(name: &str, arguments: &[Tracked]) -> Option<Answer> {
    Some(match name {
        "format" => format(arguments),
        "formatlist" => format_list(arguments),
        _ => return None,
    })
}

fn format(arguments: &[Tracked]) -> Answer {
    let (pattern, values) = arguments.split_first()?;
    match formatted(text_of(pattern)?, &values.iter().collect::<Vec<_>>()) {
        Ok(text) => string(text),
        Err(stop) => stop.answer(),
    }
}

fn format_list(arguments: &[Tracked]) -> Answer {
    let (pattern, values) = arguments.split_first()?;
    // A null that has no type prints nothing before apply.
    if values.iter().any(|value| value.is_null() && value.kind.is_none()) {
        return not_computed("formatlist() of null");
    }
    let mut rounds = None;
    for items in values.iter().filter_map(items_of) {
        if *rounds.get_or_insert(items.len()) != items.len() {
            return None;
        }
    }
    let (mut out, mut length) = (Vec::new(), 0_usize);
    for round in 0..rounds.unwrap_or(1) {
        let row: Option<Vec<&Tracked>> = values
            .iter()
            .map(|value| items_of(value).map_or(Some(value), |items| items.get(round)))
            .collect();
        match formatted(text_of(pattern)?, &row?) {
            Ok(text) => {
                length = length.saturating_add(text.len());
                if length > LONGEST_TEXT {
                    return too_long();
                }
                out.push(text);
            }
            Err(stop) => return stop.answer(),
        }
    }
    texts(out)
}

/// Why there is no text.
enum Stop {
    Refused,
    TooLong,
    NotComputed,
}

impl Stop {
    fn answer(self) -> Answer {
        match self {
            Self::Refused => None,
            Self::TooLong => too_long(),
            Self::NotComputed => not_computed("format()"),
        }
    }
}

/// `%`, and what follows it up to its letter.
#[derive(Default)]
struct Verb {
    sharp: bool,
    zero: bool,
    minus: bool,
    plus: bool,
    space: bool,
    width: Option<usize>,
    /// The digits after a point; empty for a point alone.
    precision: Option<Option<usize>>,
    index: Option<usize>,
    letter: char,
}

fn digits(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Option<usize>, Stop> {
    let mut text = String::new();
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        text.push(digit);
    }
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().ok().filter(|number| *number <= LONGEST_TEXT).map(Some).ok_or(Stop::TooLong)
}

impl Verb {
    fn read(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Self, Stop> {
        let mut verb = Self::default();
        while let Some(flag) = chars.next_if(|c| matches!(c, '#' | '0' | '-' | '+' | ' ')) {
            match flag {
                '#' => verb.sharp = true,
                '0' => verb.zero = true,
                '-' => verb.minus = true,
                '+' => verb.plus = true,
                _ => verb.space = true,
            }
        }
        verb.width = digits(chars)?;
        if chars.next_if_eq(&'.').is_some() {
            verb.precision = Some(digits(chars)?);
        }
        if chars.next_if_eq(&'[').is_some() {
            verb.index = digits(chars)?.and_then(|index| index.checked_sub(1));
            if verb.index.is_none() || chars.next() != Some(']') {
                return Err(Stop::Refused);
            }
        }
        verb.letter = chars.next().ok_or(Stop::Refused)?;
        Ok(verb)
    }

    /// `text` at the width, which counts grapheme clusters.
    fn padded(&self, text: String) -> String {
        let missing = self.width.unwrap_or(0).saturating_sub(text.graphemes(true).count());
        let padding = if self.zero { "0" } else { " " }.repeat(missing);
        if self.minus { text + &padding } else { padding + &text }
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        }
    }

    fn write(&self, value: &Tracked) -> Result<String, Stop> {
        match self.letter {
            'v' => self.as_is(value.value()),
            // Terraform refuses a null of a known type, and does not know the text of one of an unknown type.
            _ if value.is_null() && value.kind.is_some() => Err(Stop::Refused),
            _ if value.is_null() => Err(Stop::NotComputed),
            't' => boolean(value.value()).map(|truth| truth.to_string()).ok_or(Stop::Refused),
            'b' | 'o' | 'd' | 'x' | 'X' => self.integer(&number(value.value()).ok_or(Stop::Refused)?),
            'e' | 'E' | 'f' | 'g' | 'G' => self.float(&number(value.value()).ok_or(Stop::Refused)?),
            's' | 'q' => {
                let text = as_text(value.value()).ok_or(Stop::Refused)?;
                let text: String = match self.precision.flatten() {
                    Some(count) => text.graphemes(true).take(count).collect(),
                    None => text.to_string(),
                };
                if self.letter == 's' {
                    return Ok(self.padded(text));
                }
                let mut quoted = String::new();
                write_string(&text, &mut quoted);
                Ok(self.padded(quoted))
            }
            _ => Err(Stop::Refused),
        }
    }

    fn as_is(&self, value: &Value) -> Result<String, Stop> {
        let text = match value {
            Value::String(text) if !self.sharp => text.to_string(),
            Value::Number(number) if !self.sharp => {
                let (negative, text) = Decimal::write(number, 'g', None).ok_or(Stop::NotComputed)?;
                let minus = negative || number.is_zero() && number.to_string().starts_with('-');
                if minus { format!("-{text}") } else { text }
            }
            other => {
                let mut out = String::new();
                write_json(other, None, &mut out).ok_or(Stop::NotComputed)?;
                out
            }
        };
        Ok(self.padded(text))
    }

    fn float(&self, number: &Number) -> Result<String, Stop> {
        let mode = self.letter.to_ascii_lowercase();
        let precision = match self.precision {
            Some(digits) => Some(digits.unwrap_or(0)),
            None => (mode != 'g').then_some(6),
        };
        let precision = precision.map(|precision| i64::try_from(precision).unwrap_or(i64::MAX));
        let (negative, text) = Decimal::write(number, mode, precision).ok_or(Stop::NotComputed)?;
        let text = if mode == self.letter { text } else { text.to_uppercase() };
        let sign = self.sign(negative);
        let missing = self.width.unwrap_or(0).saturating_sub(sign.len() + text.len());
        Ok(match (self.zero, self.minus) {
            (true, _) => format!("{sign}{}{text}", "0".repeat(missing)),
            (false, true) => format!("{sign}{text}{}", " ".repeat(missing)),
            (false, false) => format!("{}{sign}{text}", " ".repeat(missing)),
        })
    }

    fn integer(&self, number: &Number) -> Result<String, Stop> {
        let integer = number.to_integer().ok_or(Stop::Refused)?;
        let (radix, prefix) = match self.letter {
            'b' => (2, "0b"),
            'o' => (8, "0"),
            'x' => (16, "0x"),
            'X' => (16, "0X"),
            _ => (10, ""),
        };
        let prefix = if self.sharp { prefix } else { "" };
        let digits = integer.magnitude().to_str_radix(radix);
        let digits = if self.letter == 'X' { digits.to_uppercase() } else { digits };
        let precision = self.precision.map(|digits| digits.unwrap_or(0));
        if digits == "0" && precision == Some(0) {
            return Ok(String::new());
        }
        let sign = self.sign(integer.sign() == Sign::Minus);
        let mut zeros = precision.unwrap_or(0).saturating_sub(digits.len());
        let length = sign.len() + prefix.len() + zeros + digits.len();
        let missing = self.width.unwrap_or(0).saturating_sub(length);
        let (mut left, mut right) = (0, 0);
        match (self.minus, self.zero && precision.is_none()) {
            (true, _) => right = missing,
            (false, true) => zeros = missing,
            (false, false) => left = missing,
        }
        let (left, zeros, right) = (" ".repeat(left), "0".repeat(zeros), " ".repeat(right));
        Ok(format!("{left}{sign}{prefix}{zeros}{digits}{right}"))
    }
}

fn formatted(pattern: &str, values: &[&Tracked]) -> Result<String, Stop> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    // The value whose turn it is, and how many values were asked for.
    let (mut next, mut asked) = (0, 0);
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            out.push('%');
            continue;
        }
        let verb = Verb::read(&mut chars)?;
        let at = verb.index.unwrap_or(next);
        next = at + 1;
        asked = asked.max(next);
        let wanted = verb.width.unwrap_or(0).max(verb.precision.flatten().unwrap_or(0));
        if out.len().saturating_add(wanted) > LONGEST_TEXT {
            return Err(Stop::TooLong);
        }
        out.push_str(&verb.write(values.get(at).ok_or(Stop::Refused)?)?);
        if out.len() > LONGEST_TEXT {
            return Err(Stop::TooLong);
        }
    }
    if asked < values.len() { Err(Stop::Refused) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{l, n, t};
    use super::*;
    use crate::{Origin, Shape};

    fn shown(pattern: &str, values: &[Tracked]) -> Option<String> {
        let arguments: Vec<Tracked> = [t(pattern)].into_iter().chain(values.iter().cloned()).collect();
        format(&arguments)?.value().as_str().map(str::to_owned)
    }

    #[test]
    fn texts_and_values() {
        let cases: &[(&str, Vec<Tracked>, &str)] = &[
            ("%%%s%%", vec![t("a")], "%a%"),
            (
                "%.2s|%5.1s|%-5s|%05s|%-05s|",
                vec![t("abc"), t("def"), t("g"), t("h"), t("i")],
                "ab|    d|g    |0000h|i0000|",
            ),
            ("%5s|%3s|", vec![t("e\u{301}"), t("👨\u{200d}👩\u{200d}👧")], "    é|  👨\u{200d}👩\u{200d}👧|"),
            ("%.s|%q", vec![t("abc"), t("a\"b\n<>é\u{1}")], "abc|\"a\\\"b\\n\\u003c\\u003eé\\u0001\""),
            ("%[2]s %[1]s|%5[1]s|", vec![t("a"), t("b")], "b a|    a|"),
            ("%[1]s %s", vec![t("a"), t("b")], "a b"),
            ("%s %s", vec![n("1.50"), n("10000000")], "1.5 10000000"),
            (
                "%v %v %v %v",
                vec![n("1000000"), n("999999"), n("123456789"), n("0.00001")],
                "1e+06 999999 1.23456789e+08 1e-05",
            ),
            (
                "%v %#v %10v|",
                vec![l(&[n("1"), t("a<b")]), t("x"), l(&[n("1")])],
                "[1,\"a\\u003cb\"] \"x\"        [1]|",
            ),
            ("%t %6t|", vec![t("true"), Tracked::new(Value::Bool(false), Origin::Nowhere)], "true false|"),
            ("%v", vec![Tracked::default()], "null"),
        ];
        for (pattern, values, expected) in cases {
            assert_eq!(shown(pattern, values).as_deref(), Some(*expected), "{pattern}");
        }
    }

    #[test]
    fn numbers() {
        let cases: &[(&str, &[&str], &str)] = &[
            (
                "%+d|% d|%05d|%-5d|%5d|%.3d|%+05d|%-05d|",
                &["1", "2", "3", "4", "5", "6", "7", "8"],
                "+1| 2|00003|4    |    5|006|+0007|8    |",
            ),
            (
                "%x %X %#x %#X %o %#o %b %#b %x",
                &["255", "255", "255", "255", "8", "8", "5", "5", "-255"],
                "ff FF 0xff 0XFF 10 010 101 0b101 -ff",
            ),
            (
                "%08.3f|%-8.2f|%+.1f|% .1f|%.0f|%.f",
                &["3.14159", "2.5", "1", "1", "2.5", "2.6"],
                "0003.142|2.50    |+1.0| 1.0|2|3",
            ),
            ("%.2f %.2f %.2f", &["2.675", "1.005", "0.125"], "2.67 1.00 0.12"),
            (
                "%e %E %.2e %g %G %.3g",
                &["12345.678", "12345.678", "12345.678", "12345.678", "1e-10", "12345.678"],
                "1.234568e+04 1.234568E+04 1.23e+04 12345.678 1E-10 1.23e+04",
            ),
            (
                "%.3g %.3g %.10g %.0e %.0g",
                &["1234567", "0.00012345", "100", "12345", "12345"],
                "1.23e+06 0.000123 100 1e+04 1e+04",
            ),
            ("%5.3d|%05.3d|%.0d|%-+5d|", &["7", "7", "0", "1"], "  007|  007||+1   |"),
            (
                "%0-8.1f|%-08.1f|%08.2f|%8.2f|",
                &["1", "2", "-1.5", "-1.5"],
                "000001.0|000002.0|-0001.50|   -1.50|",
            ),
            ("%g %g %e %g %g", &["100000", "1e21", "0", "0", "0.0001"], "100000 1e+21 0.000000e+00 0 0.0001"),
            ("%d", &["123456789012345678901234567890"], "123456789012345678901234567890"),
        ];
        for (pattern, values, expected) in cases {
            let values: Vec<Tracked> = values.iter().map(|value| n(value)).collect();
            assert_eq!(shown(pattern, &values).as_deref(), Some(*expected), "{pattern}");
        }
    }

    #[test]
    fn lists_go_in_step_and_single_values_repeat() {
        let listed = |arguments: &[Tracked]| {
            let answer = format_list(arguments)?;
            assert_eq!(answer.shape, Shape::Typed);
            items_of(&answer)?
                .iter()
                .map(|item| text_of(item).map(ToString::to_string))
                .collect::<Option<Vec<_>>>()
        };
        let two = l(&[t("a"), t("b")]);
        assert_eq!(listed(&[t("%s-%s"), two.clone(), t("x")]).unwrap(), ["a-x", "b-x"]);
        assert_eq!(listed(&[t("%s %d"), two.clone(), l(&[n("1"), n("2")])]).unwrap(), ["a 1", "b 2"]);
        assert_eq!(listed(&[t("x")]).unwrap(), ["x"]);
        assert!(listed(&[t("%s"), l(&[])]).unwrap().is_empty());
        assert!(listed(&[t("%s-%s"), two.clone(), l(&[t("x")])]).is_none());
        assert!(listed(&[t("x"), two]).is_none());
    }
}
