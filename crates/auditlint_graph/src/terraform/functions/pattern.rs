//! Regular expressions as Go's `regexp` reads them, in the words of the `regex` crate.
//!
//! Both match leftmost-first in linear time; what they read differs: `\w`, `\d`, `\s` and `\b` are ASCII in Go, its
//! classes neither nest nor intersect, `a**` and more than 1000 repetitions are refused.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use regex::{Captures, Regex};

/// Why there is no pattern.
pub(super) enum Stop {
    /// Go refuses it.
    Refused,
    /// It may well mean something that is not translated.
    NotComputed,
}

/// Repetitions that Go allows.
const MOST_REPETITIONS: u32 = 1000;

/// The general categories that Go knows by name.
const CATEGORIES: &[&str] = &[
    "C", "Cc", "Cf", "Co", "Cs", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl",
    "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
];

/// The scripts that are translated; others are not computed.
const SCRIPTS: &[&str] = &[
    "Arabic",
    "Armenian",
    "Bengali",
    "Common",
    "Cyrillic",
    "Devanagari",
    "Georgian",
    "Greek",
    "Han",
    "Hangul",
    "Hebrew",
    "Hiragana",
    "Katakana",
    "Latin",
    "Tamil",
    "Thai",
];

/// A pattern, and the names of its groups: several may have the same one.
pub(super) struct Pattern {
    pub(super) regex: Regex,
    pub(super) names: Vec<Option<String>>,
}

/// Compiles `text`.
pub(super) fn compile(text: &str) -> Result<Pattern, Stop> {
    let mut translation =
        Translation { rest: text.chars().peekable(), out: String::new(), names: Vec::new() };
    translation.all()?;
    match regex::RegexBuilder::new(&translation.out).size_limit(1 << 22).build() {
        Ok(regex) => Ok(Pattern { regex, names: translation.names }),
        Err(regex::Error::Syntax(_)) => Err(Stop::Refused),
        Err(_) => Err(Stop::NotComputed),
    }
}

struct Translation<'t> {
    rest: Peekable<Chars<'t>>,
    out: String,
    names: Vec<Option<String>>,
}

/// A part of a class: one character, or what may not stand at an end of a range.
enum Member {
    One(char),
    Many(String),
}

fn perl(letter: char) -> Option<(bool, &'static str)> {
    Some(match letter {
        'd' | 'D' => (letter == 'D', "0-9"),
        'w' | 'W' => (letter == 'W', "0-9A-Za-z_"),
        's' | 'S' => (letter == 'S', r"\t\n\f\r\x20"),
        _ => return None,
    })
}

fn set((negated, members): (bool, &str)) -> String {
    format!("[{}{members}]", if negated { "^" } else { "" })
}

impl Translation<'_> {
    fn literal(&mut self, c: char) {
        let _ = write!(self.out, "\\x{{{:x}}}", u32::from(c));
    }

    fn all(&mut self) -> Result<(), Stop> {
        // Whether an operator of repetition stood last, which no other one may follow.
        let mut repeated = false;
        while let Some(c) = self.rest.next() {
            let was_repeated = std::mem::replace(&mut repeated, false);
            match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                '*' | '+' | '?' => {
                    self.repeat(was_repeated, &c.to_string())?;
                    repeated = true;
                }
                '{' => match self.counts() {
                    Some((low, high)) => {
                        let high_number = high.clone().unwrap_or_else(|| low.clone());
                        let number = |text: &str| text.parse::<u32>().ok().filter(|n| *n <= MOST_REPETITIONS);
                        let (least, most) = (
                            number(&low),
                            if high_number.is_empty() {
                                Some(MOST_REPETITIONS)
                            } else {
                                number(&high_number)
                            },
                        );
                        if least.zip(most).is_none_or(|(least, most)| least > most) {
                            return Err(Stop::Refused);
                        }
                        let text = high.map_or(format!("{{{low}}}"), |high| format!("{{{low},{high}}}"));
                        self.repeat(was_repeated, &text)?;
                        repeated = true;
                    }
                    None => self.literal('{'),
                },
                '.' | '^' | '$' | '|' | ')' => self.out.push(c),
                c => self.literal(c),
            }
        }
        Ok(())
    }

    fn repeat(&mut self, was_repeated: bool, operator: &str) -> Result<(), Stop> {
        if was_repeated {
            return Err(Stop::Refused);
        }
        self.out.push_str(operator);
        if self.rest.next_if_eq(&'?').is_some() {
            self.out.push('?');
        }
        Ok(())
    }

    /// The counts of `{2}`, `{2,}` and `{2,3}`; none for a brace that stands for itself.
    fn counts(&mut self) -> Option<(String, Option<String>)> {
        let mut ahead = self.rest.clone();
        let digits = |ahead: &mut Peekable<Chars<'_>>| {
            let mut out = String::new();
            while let Some(digit) = ahead.next_if(char::is_ascii_digit) {
                out.push(digit);
            }
            out
        };
        let low = digits(&mut ahead);
        let high = ahead.next_if_eq(&',').map(|_| digits(&mut ahead));
        if low.is_empty() || ahead.next() != Some('}') {
            return None;
        }
        self.rest = ahead;
        Some((low, high))
    }

    fn group(&mut self) -> Result<(), Stop> {
        self.out.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            self.names.push(None);
            return Ok(());
        }
        if self.rest.next_if_eq(&'P').is_some() && self.rest.peek() != Some(&'<') {
            return Err(Stop::Refused);
        }
        if self.rest.next_if_eq(&'<').is_some() {
            let mut name = String::new();
            loop {
                match self.rest.next() {
                    Some('>') if !name.is_empty() => break,
                    Some(c) if c.is_ascii_alphanumeric() || c == '_' => name.push(c),
                    _ => return Err(Stop::Refused),
                }
            }
            // What is a name differs; here the group has its number alone.
            self.names.push(Some(name));
            return Ok(());
        }
        self.out.push('?');
        for c in self.rest.by_ref() {
            match c {
                'i' | 'm' | 's' | 'U' | '-' => self.out.push(c),
                ':' | ')' => {
                    self.out.push(c);
                    return Ok(());
                }
                _ => return Err(Stop::Refused),
            }
        }
        Err(Stop::Refused)
    }

    fn escape(&mut self) -> Result<(), Stop> {
        let Some(c) = self.rest.peek().copied() else { return Err(Stop::Refused) };
        match c {
            'Q' => {
                self.rest.next();
                while let Some(c) = self.rest.next() {
                    if c == '\\' && self.rest.next_if_eq(&'E').is_some() {
                        break;
                    }
                    self.literal(c);
                }
            }
            'A' | 'z' => {
                self.rest.next();
                self.out.extend(['\\', c]);
            }
            'b' => {
                self.rest.next();
                self.out.push_str(r"(?-u:\b)");
            }
            'B' => return Err(Stop::NotComputed),
            _ => match self.escaped()? {
                Member::One(c) => self.literal(c),
                Member::Many(class) => self.out.push_str(&class),
            },
        }
        Ok(())
    }

    /// What a backslash and what follows it stand for, in a class as well as outside.
    fn escaped(&mut self) -> Result<Member, Stop> {
        let c = self.rest.next().ok_or(Stop::Refused)?;
        if let Some(class) = perl(c) {
            return Ok(Member::Many(set(class)));
        }
        Ok(Member::One(match c {
            'p' | 'P' => return self.category(c == 'P'),
            'a' => '\u{7}',
            'f' => '\u{c}',
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'v' => '\u{b}',
            '0'..='7' => {
                let octal = |c: &char| c.is_digit(8);
                // A digit alone refers back to a group, which is refused.
                if c != '0' && !self.rest.peek().is_some_and(octal) {
                    return Err(Stop::Refused);
                }
                let mut code = c.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = self.rest.next_if(octal) else { break };
                    code = code * 8 + digit.to_digit(8).unwrap_or(0);
                }
                char::from_u32(code).ok_or(Stop::Refused)?
            }
            'x' => {
                let digits: String = if self.rest.next_if_eq(&'{').is_some() {
                    self.rest.by_ref().take_while(|c| *c != '}').collect()
                } else {
                    self.rest.by_ref().take(2).collect()
                };
                let is_hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                let code = is_hex.then(|| u32::from_str_radix(&digits, 16).ok()).flatten();
                code.and_then(char::from_u32).ok_or(Stop::Refused)?
            }
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
            _ => return Err(Stop::Refused),
        }))
    }

    fn category(&mut self, negated: bool) -> Result<Member, Stop> {
        let mut name: String = match self.rest.next().ok_or(Stop::Refused)? {
            '{' => self.rest.by_ref().take_while(|c| *c != '}').collect(),
            letter => letter.to_string(),
        };
        let inverse = name.starts_with('^');
        if inverse {
            name.remove(0);
        }
        let negated = negated != inverse;
        if !CATEGORIES.contains(&name.as_str()) && !SCRIPTS.contains(&name.as_str()) {
            return Err(Stop::NotComputed);
        }
        Ok(Member::Many(format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' })))
    }

    fn class(&mut self) -> Result<(), Stop> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            if self.rest.peek() == Some(&']') && !std::mem::replace(&mut first, false) {
                self.rest.next();
                break;
            }
            first = false;
            let low = match self.member()? {
                Member::Many(class) => {
                    self.out.push_str(&class);
                    continue;
                }
                Member::One(low) => low,
            };
            self.literal(low);
            let mut ahead = self.rest.clone();
            if ahead.next() == Some('-') && ahead.next().is_some_and(|after| after != ']') {
                self.rest.next();
                let Member::One(high) = self.member()? else { return Err(Stop::Refused) };
                self.out.push('-');
                self.literal(high);
            }
        }
        self.out.push(']');
        Ok(())
    }

    fn member(&mut self) -> Result<Member, Stop> {
        match self.rest.next().ok_or(Stop::Refused)? {
            '\\' => self.escaped(),
            '[' if self.rest.peek() == Some(&':') => {
                let rest: String = self.rest.clone().collect();
                let Some(end) = rest.find(":]") else { return Ok(Member::One('[')) };
                let name = rest.get(..end + 2).unwrap_or_default();
                for _ in name.chars() {
                    self.rest.next();
                }
                // A name that is none is refused, by the crate as well.
                Ok(Member::Many(format!("[{name}")))
            }
            c => Ok(Member::One(c)),
        }
    }
}

/// A replacement with its `$1` and `${name}` filled in, as Go's `Expand` does.
pub(super) fn expand(pattern: &Pattern, found: &Captures<'_>, replacement: &str, out: &mut String) {
    let named = |wanted: &str| {
        let groups = (1..).zip(&pattern.names).filter(|(_, name)| name.as_deref() == Some(wanted));
        groups.filter_map(|(number, _)| found.get(number)).next()
    };
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let (name, after) = match rest.strip_prefix('{') {
            Some(inner) => match inner.split_once('}') {
                Some((name, after)) if !name.is_empty() && name.chars().all(is_word) => (name, after),
                _ => ("", rest),
            },
            None => rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len())),
        };
        if name.is_empty() {
            out.push('$');
            continue;
        }
        rest = after;
        let group = match name.parse::<usize>() {
            Ok(number) => found.get(number),
            Err(_) => named(name),
        };
        out.push_str(group.map_or("", |group| group.as_str()));
    }
    out.push_str(rest);
}
