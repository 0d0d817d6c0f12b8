//! Filter patterns for JSON events in `CloudWatch` Logs: read, and tried on events.
//!
//! The syntax is that of "Filter pattern syntax for metric filters" in the guide of `CloudWatch` Logs.

use regex::Regex;

/// Deepest nesting of parentheses that is read.
const DEEPEST: usize = 64;

/// An event with the fields that matter, flat: `userIdentity.type`.
pub(super) struct Event(Vec<(String, String)>);

/// A pattern between braces.
pub(super) struct Pattern(Term);

enum Term {
    All(Vec<Term>),
    Any(Vec<Term>),
    Test { field: String, test: Test },
}

enum Test {
    Equals(Wanted),
    Differs(Wanted),
    /// By number: smaller, same, greater.
    Compares(&'static [std::cmp::Ordering], f64),
    Exists,
    Missing,
}

enum Wanted {
    /// A text in which `*` stands for any text.
    Glob(String),
    Regex(Regex),
}

impl Event {
    /// The events that a text stands for: `eventSource=kms.amazonaws.com, eventName=DisableKey|ScheduleKeyDeletion`
    /// is two. Each comes with its last field as its name.
    pub(super) fn all(text: &str) -> Vec<(String, Self)> {
        let mut out = vec![(String::new(), Self(Vec::new()))];
        for field in text.split(", ") {
            let Some((name, values)) = field.split_once('=') else { continue };
            out = out
                .iter()
                .flat_map(|(_, Self(fields))| {
                    values.split('|').map(move |value| {
                        let mut fields = fields.clone();
                        fields.push((name.to_owned(), value.to_owned()));
                        (format!("{name} {value}"), Self(fields))
                    })
                })
                .collect();
        }
        out
    }

    fn get(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())
    }
}

impl Pattern {
    /// Reads a pattern; none when it is not one, or uses what is not known here.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
        let mut parser = Parser { rest: inner };
        let term = parser.any(0)?;
        parser.skip();
        parser.rest.is_empty().then_some(Self(term))
    }

    /// Whether the filter counts `event`. A field that the event does not have differs from every value.
    pub(super) fn counts(&self, event: &Event) -> bool {
        self.0.holds(event)
    }

    /// Whether it looks at fields that only events of a trail have.
    pub(super) fn is_of_a_trail(&self) -> bool {
        self.0.some(&|field, test| match field {
            "eventName" | "eventSource" | "eventType" => true,
            "errorCode" => matches!(test, Test::Equals(Wanted::Glob(text)) if text.contains("Unauthorized") || text.contains("AccessDenied")),
            field => field.starts_with("userIdentity.") || field.starts_with("additionalEventData."),
        })
    }
}

impl Term {
    fn holds(&self, event: &Event) -> bool {
        match self {
            Self::All(terms) => terms.iter().all(|term| term.holds(event)),
            Self::Any(terms) => terms.iter().any(|term| term.holds(event)),
            Self::Test { field, test } => {
                let value = event.get(field);
                match test {
                    Test::Equals(wanted) => value.is_some_and(|value| wanted.is(value)),
                    Test::Differs(wanted) => !value.is_some_and(|value| wanted.is(value)),
                    Test::Compares(orders, limit) => value
                        .and_then(|value| value.parse::<f64>().ok()?.partial_cmp(limit))
                        .is_some_and(|order| orders.contains(&order)),
                    Test::Exists => value.is_some(),
                    Test::Missing => value.is_none(),
                }
            }
        }
    }

    fn some(&self, asked: &dyn Fn(&str, &Test) -> bool) -> bool {
        match self {
            Self::All(terms) | Self::Any(terms) => terms.iter().any(|term| term.some(asked)),
            Self::Test { field, test } => asked(field, test),
        }
    }
}

impl Wanted {
    fn is(&self, value: &str) -> bool {
        match self {
            Self::Regex(regex) => regex.is_match(value),
            Self::Glob(glob) => {
                let mut parts = glob.split('*');
                let Some(mut rest) = parts.next().and_then(|first| value.strip_prefix(first)) else {
                    return false;
                };
                let parts: Vec<&str> = parts.collect();
                let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
                for part in between {
                    let Some((_, after)) = rest.split_once(part) else { return false };
                    rest = after;
                }
                rest.ends_with(last)
            }
        }
    }
}

struct Parser<'t> {
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip();
        let after = self.rest.strip_prefix(token);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn any(&mut self, depth: usize) -> Option<Term> {
        let mut terms = vec![self.all(depth)?];
        while self.eat("||") {
            terms.push(self.all(depth)?);
        }
        Some(Term::Any(terms))
    }

    fn all(&mut self, depth: usize) -> Option<Term> {
        let mut terms = vec![self.one(depth)?];
        while self.eat("&&") {
            terms.push(self.one(depth)?);
        }
        Some(Term::All(terms))
    }

    fn one(&mut self, depth: usize) -> Option<Term> {
        if self.eat("(") {
            let inner = if depth < DEEPEST { self.any(depth + 1)? } else { return None };
            return self.eat(")").then_some(inner);
        }
        if !self.eat("$.") {
            return None;
        }
        let field = self.until(|c| c.is_whitespace() || "=!<>()&|".contains(c));
        let field = field.replace("['", ".").replace("[\"", ".").replace("']", "").replace("\"]", "");
        let test = self.test()?;
        (!field.is_empty()).then_some(Term::Test { field, test })
    }

    fn test(&mut self) -> Option<Test> {
        use std::cmp::Ordering::{Equal, Greater, Less};
        if self.word("NOT") {
            return self.word("EXISTS").then_some(Test::Missing);
        }
        if self.word("EXISTS") {
            return Some(Test::Exists);
        }
        if self.word("IS") {
            return match () {
                () if self.word("NULL") => Some(Test::Missing),
                () if self.word("TRUE") => Some(Test::Equals(Wanted::Glob("true".to_owned()))),
                () if self.word("FALSE") => Some(Test::Equals(Wanted::Glob("false".to_owned()))),
                () => None,
            };
        }
        let orders: &'static [std::cmp::Ordering] = match () {
            () if self.eat("!=") => return Some(Test::Differs(self.wanted()?)),
            () if self.eat(">=") => &[Greater, Equal],
            () if self.eat("<=") => &[Less, Equal],
            () if self.eat(">") => &[Greater],
            () if self.eat("<") => &[Less],
            () if self.eat("=") => return Some(Test::Equals(self.wanted()?)),
            () => return None,
        };
        match self.wanted()? {
            Wanted::Glob(number) => Some(Test::Compares(orders, number.parse().ok()?)),
            Wanted::Regex(_) => None,
        }
    }

    fn word(&mut self, word: &str) -> bool {
        self.skip();
        let here = self.rest.get(..word.len()).is_some_and(|text| text.eq_ignore_ascii_case(word));
        let after = self.rest.get(word.len()..).unwrap_or_default();
        let ends = !after.starts_with(|c: char| c.is_ascii_alphanumeric());
        if here && ends {
            self.rest = after;
        }
        here && ends
    }

    fn wanted(&mut self) -> Option<Wanted> {
        self.skip();
        let quote = self.rest.chars().next().filter(|c| "\"'%".contains(*c));
        let Some(quote) = quote else {
            let text = self.until(|c| c.is_whitespace() || "()&|".contains(c));
            return (!text.is_empty()).then(|| Wanted::Glob(text.to_owned()));
        };
        let (text, after) = self.rest.get(1..)?.split_once(quote)?;
        self.rest = after;
        if quote == '%' {
            Regex::new(text).ok().map(Wanted::Regex)
        } else {
            Some(Wanted::Glob(text.to_owned()))
        }
    }

    fn until(&mut self, end: impl Fn(char) -> bool) -> &'t str {
        let (text, rest) = self.rest.split_at(self.rest.find(end).unwrap_or(self.rest.len()));
        self.rest = rest;
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(pattern: &str, event: &str) -> Option<bool> {
        let events = Event::all(event);
        Pattern::parse(pattern).map(|pattern| events.iter().all(|(_, event)| pattern.counts(event)))
    }

    #[test]
    fn writing_makes_no_difference() {
        let event = "eventSource=kms.amazonaws.com, eventName=DisableKey|ScheduleKeyDeletion";
        for pattern in [
            r#"{ ($.eventSource = "kms.amazonaws.com") && (($.eventName = DisableKey) || ($.eventName = ScheduleKeyDeletion)) }"#,
            r#"{($.eventName=ScheduleKeyDeletion||$.eventName='DisableKey')&&$.eventSource=kms.amazonaws.com}"#,
            "{ $.eventSource = kms.* && ($.eventName = %^(Disable|Schedule)Key% && $.eventType NOT EXISTS) }",
            r#"{ $.eventName = "*Key*" && $.eventSource != "s3.amazonaws.com" }"#,
        ] {
            assert_eq!(counts(pattern, event), Some(true), "{pattern}");
            assert_eq!(counts(pattern, "eventSource=s3.amazonaws.com, eventName=PutObject"), Some(false));
        }
    }

    #[test]
    fn and_binds_before_or() {
        let pattern = "{ $.a = 1 || $.b = 1 && $.c = 1 }";
        assert_eq!(counts(pattern, "a=1"), Some(true));
        assert_eq!(counts(pattern, "b=1"), Some(false));
        assert_eq!(counts(pattern, "b=1, c=1"), Some(true));
    }

    #[test]
    fn numbers_and_missing_fields() {
        assert_eq!(counts("{ $.n >= 3 }", "n=3"), Some(true));
        assert_eq!(counts("{ $.n < 3 }", "n=3"), Some(false));
        assert_eq!(counts("{ $.x != \"1\" }", "n=3"), Some(true));
        assert_eq!(counts("{ $.x IS NULL }", "n=3"), Some(true));
        assert_eq!(counts("{ $.n is true }", "n=true"), Some(true));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["ERROR", "{ $.a }", "{ ($.a = 1 }", "{ $.a = 1 } x", "{ a = 1 }", "{}", "{ $.a = \"1 }"]
        {
            assert_eq!(counts(text, "a=1"), None, "{text}");
        }
        let deep = format!("{{ {}$.a = 1{} }}", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(counts(&deep, "a=1"), None);
    }

    #[test]
    fn stars_stand_for_any_text() {
        let is = |glob: &str, value: &str| Wanted::Glob(glob.to_owned()).is(value);
        assert!(is("*UnauthorizedOperation", "Client.UnauthorizedOperation"));
        assert!(is("AccessDenied*", "AccessDenied"));
        assert!(is("a*b*c", "a-b-c"));
        assert!(!is("a*b*c", "a-c-b"));
        assert!(!is("abc", "abcd"));
        assert!(is("*", ""));
    }
}
