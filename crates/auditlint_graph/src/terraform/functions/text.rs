//! Functions on texts.
//!
//! Every expectation below was asked of terraform 1.11.

use std::collections::BTreeSet;
use std::sync::Arc;

use regex::Captures;
use unicode_segmentation::UnicodeSegmentation;

use super::super::types::{Optional, Type};
use super::pattern::{self, Pattern, Stop};
use super::{
    Answer, LONGEST_TEXT, as_text, int, items_of, list, not_computed, nowhere, string, text_of, texts,
    too_long, truth, tuple,
};
use crate::{Map, Tracked, Value};

/// Some answer when `name` is one of these functions.
pub(super) fn call(name: &str, values: &[Tracked]) -> Option<Answer> {
    Some(match name {
        "chomp" | "endswith" | "startswith" | "strcontains" | "lower" | "upper" | "strrev" | "title"
        | "trimspace" | "trim" | "trimprefix" | "trimsuffix" => simple(name, values),
        "indent" => indent(values),
        "join" => join(values),
        "split" => split(values),
        "substr" => part(values),
        "replace" => replace(values),
        "regex" => matched(values),
        "regexall" => all_matched(values),
        _ => return None,
    })
}

fn simple(name: &str, values: &[Tracked]) -> Answer {
    let text = as_text(values.first()?.value())?;
    let other = values.get(1).and_then(|value| as_text(value.value())).unwrap_or_default();
    match name {
        "chomp" => string(text.trim_end_matches(['\n', '\r'])),
        "endswith" => truth(text.ends_with(other.as_str())),
        "startswith" => truth(text.starts_with(other.as_str())),
        "strcontains" => truth(text.contains(other.as_str())),
        "lower" => string(text.chars().map(lower).collect::<String>()),
        "upper" => string(text.chars().map(upper).collect::<String>()),
        "strrev" => string(text.graphemes(true).rev().collect::<String>()),
        "title" => string(title(&text)),
        "trimspace" => string(text.trim()),
        "trim" => string(text.trim_matches(|c| other.contains(c))),
        "trimprefix" => string(text.strip_prefix(other.as_str()).unwrap_or(&text)),
        _ => string(text.strip_suffix(other.as_str()).unwrap_or(&text)),
    }
}

/// The one character that is the other case of `c`, where Rust may give several.
fn upper(c: char) -> char {
    let mut all = c.to_uppercase();
    match (all.next(), all.next()) {
        (Some(one), None) => one,
        // Greek letters with an iota below have a form of their own for titles.
        _ => match c {
            '\u{1F80}'..='\u{1F87}' | '\u{1F90}'..='\u{1F97}' | '\u{1FA0}'..='\u{1FA7}' => shifted(c, 8),
            '\u{1FB3}' | '\u{1FC3}' | '\u{1FF3}' => shifted(c, 9),
            _ => c,
        },
    }
}

fn shifted(c: char, by: u32) -> char {
    char::from_u32(u32::from(c) + by).unwrap_or(c)
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

fn title(text: &str) -> String {
    let mut start = true;
    text.chars()
        .map(|c| {
            let begins = start;
            start = if c.is_ascii() {
                !c.is_ascii_alphanumeric() && c != '_'
            } else {
                !c.is_alphanumeric() && c.is_whitespace()
            };
            match c {
                _ if !begins => c,
                '\u{1C4}'..='\u{1C6}' => '\u{1C5}',
                '\u{1C7}'..='\u{1C9}' => '\u{1C8}',
                '\u{1CA}'..='\u{1CC}' => '\u{1CB}',
                '\u{1F1}'..='\u{1F3}' => '\u{1F2}',
                '\u{10D0}'..='\u{10FF}' => c,
                _ => upper(c),
            }
        })
        .collect()
}

fn indent(values: &[Tracked]) -> Answer {
    let (width, text) = (usize::try_from(int(values.first()?)?).ok()?, text_of(values.get(1)?)?);
    let lines = text.bytes().filter(|byte| *byte == b'\n').count();
    if lines.saturating_mul(width) > LONGEST_TEXT {
        return too_long();
    }
    string(text.replace('\n', &format!("\n{}", " ".repeat(if lines == 0 { 0 } else { width }))))
}

fn join(values: &[Tracked]) -> Answer {
    let (between, lists) = values.split_first()?;
    let between = text_of(between)?;
    if lists.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    for list in lists {
        for part in items_of(list)? {
            parts.push(text_of(part)?.clone());
        }
    }
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    if length.saturating_add(between.len().saturating_mul(parts.len())) > LONGEST_TEXT {
        return too_long();
    }
    string(parts.join(between.as_str()))
}

fn split(values: &[Tracked]) -> Answer {
    let (between, text) = (text_of(values.first()?)?, text_of(values.get(1)?)?);
    if between.is_empty() {
        return texts(text.chars().map(String::from));
    }
    texts(text.split(between.as_str()).map(str::to_owned))
}

fn part(values: &[Tracked]) -> Answer {
    let text = text_of(values.first()?)?;
    let (offset, length) = (int(values.get(1)?)?, int(values.get(2)?)?);
    let clusters: Vec<&str> = text.graphemes(true).collect();
    let count = i64::try_from(clusters.len()).ok()?;
    let start = if offset < 0 { count.saturating_add(offset).max(0) } else { offset.min(count) };
    let end = if length < 0 { count } else { start.saturating_add(length).min(count) };
    string(clusters.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)?.concat())
}

fn compiled(text: &str, name: &str) -> Result<Pattern, Answer> {
    pattern::compile(text).map_err(|stop| match stop {
        Stop::Refused => None,
        Stop::NotComputed => not_computed(name),
    })
}

fn replace(values: &[Tracked]) -> Answer {
    let (text, from, to) = (text_of(values.first()?)?, text_of(values.get(1)?)?, text_of(values.get(2)?)?);
    let Some(pattern) = from.strip_prefix('/').and_then(|from| from.strip_suffix('/')) else {
        let found = text.matches(from.as_str()).count();
        if found.saturating_mul(to.len()) > LONGEST_TEXT {
            return too_long();
        }
        return string(text.replace(from.as_str(), to));
    };
    let pattern = match compiled(pattern, "replace()") {
        Ok(pattern) => pattern,
        Err(answer) => return answer,
    };
    let (mut out, mut from) = (String::new(), 0);
    for found in pattern.regex.captures_iter(text) {
        let whole = found.get(0)?;
        out.push_str(text.get(from..whole.start())?);
        pattern::expand(&pattern, &found, to, &mut out);
        from = whole.end();
        if out.len() > LONGEST_TEXT {
            return too_long();
        }
    }
    out.push_str(text.get(from..)?);
    string(out)
}

/// What a match is: the whole text, a tuple of its groups, or an object where they have names.
struct Capture(Pattern);

impl Capture {
    fn new(pattern: Pattern) -> Option<Self> {
        // Either all groups have names or none.
        let named = pattern.names.iter().flatten().count();
        (named == 0 || named == pattern.names.len()).then_some(Self(pattern))
    }

    fn kind(&self) -> Type {
        let names = &self.0.names;
        if names.is_empty() {
            return Type::String;
        }
        if names.iter().any(Option::is_none) {
            return Type::Tuple(vec![Type::String; names.len()]);
        }
        let names: BTreeSet<&str> = names.iter().flatten().map(String::as_str).collect();
        Type::Object(names.into_iter().map(|name| (name.into(), Type::String, Optional::Required)).collect())
    }

    fn value(&self, found: &Captures<'_>) -> Answer {
        let names = &self.0.names;
        if names.is_empty() {
            return string(found.get(0)?.as_str());
        }
        let group = |at: usize| match found.get(at) {
            Some(group) => nowhere(Value::text(group.as_str())),
            None => Tracked::default().of_kind(&Type::String),
        };
        if names.iter().any(Option::is_none) {
            return tuple((1..=names.len()).map(group).collect());
        }
        let mut map: Map = names
            .iter()
            .enumerate()
            .filter_map(|(n, name)| Some((name.as_deref()?.into(), group(n + 1))))
            .collect();
        map.sort_keys();
        Some(nowhere(Value::Map(Arc::new(map))))
    }
}

fn matched(values: &[Tracked]) -> Answer {
    let text = text_of(values.get(1)?)?;
    match compiled(text_of(values.first()?)?, "regex()") {
        Ok(pattern) => {
            let capture = Capture::new(pattern)?;
            capture.value(&capture.0.regex.captures(text)?)
        }
        Err(answer) => answer,
    }
}

fn all_matched(values: &[Tracked]) -> Answer {
    let text = text_of(values.get(1)?)?;
    match compiled(text_of(values.first()?)?, "regexall()") {
        Ok(pattern) => {
            let capture = Capture::new(pattern)?;
            let all: Option<Vec<Tracked>> =
                capture.0.regex.captures_iter(text).map(|found| capture.value(&found)).collect();
            list(all?).map(|list| list.of_kind(&Type::List(Box::new(capture.kind()))))
        }
        Err(answer) => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{json, l, n, t};
    use super::*;

    fn shown(name: &str, values: &[Tracked]) -> Option<String> {
        json(call(name, values)?)
    }

    fn check(name: &str, cases: &[(&[&str], Option<&str>)]) {
        for (texts, expected) in cases {
            let values: Vec<Tracked> = texts.iter().map(|text| t(text)).collect();
            assert_eq!(shown(name, &values).as_deref(), *expected, "{name} {texts:?}");
        }
    }

    #[test]
    fn cases_are_those_of_single_characters() {
        check("upper", &[(&["straße ŉ ı ﬁ ǆ"], Some("\"STRAßE ŉ I ﬁ Ǆ\""))]);
        check("lower", &[(&["İSTANBUL ΑΣ ẞ"], Some("\"istanbul ασ ß\""))]);
        check(
            "title",
            &[
                (
                    &["hello world foo-bar a'b c_d 1a é ßx ǆ"],
                    Some("\"Hello World Foo-Bar A'B C_d 1a É ßx ǅ\""),
                ),
                (&["HELLO wOrld\tx\u{a0}y o’neil"], Some("\"HELLO WOrld\\tX\u{a0}Y O’neil\"")),
            ],
        );
    }

    #[test]
    fn parts_count_grapheme_clusters() {
        let family = "añ👨\u{200d}👩\u{200d}👧x";
        check(
            "strrev",
            &[(&[family], Some("\"x👨\u{200d}👩\u{200d}👧ña\"")), (&["a\r\nb"], Some("\"b\\r\\na\""))],
        );
        let substr =
            |text: &str, offset: &str, length: &str| shown("substr", &[t(text), n(offset), n(length)]);
        assert_eq!(substr(family, "2", "2").unwrap(), "\"👨\u{200d}👩\u{200d}👧x\"");
        for (offset, length, expected) in [
            ("1", "4", "ello"),
            ("-3", "2", "ll"),
            ("-10", "2", "he"),
            ("10", "2", ""),
            ("0", "-2", "hello"),
            ("2", "0", ""),
            ("1", "100", "ello"),
            ("-2", "5", "lo"),
            ("-9", "-1", "hello"),
        ] {
            assert_eq!(
                substr("hello", offset, length).unwrap(),
                format!("\"{expected}\""),
                "{offset} {length}"
            );
        }
        assert_eq!(substr("hello", "1.5", "1"), None);
    }

    #[test]
    fn trimming_splitting_and_joining() {
        check("trimspace", &[(&["\u{85}\u{2028}\u{a0} a\u{200b}\u{3000}"], Some("\"a\u{200b}\""))]);
        check("trim", &[(&["??hello??", "?!"], Some("\"hello\"")), (&["abc", ""], Some("\"abc\""))]);
        check(
            "split",
            &[
                (&[",", "a,b,"], Some(r#"["a","b",""]"#)),
                (&[",", ""], Some(r#"[""]"#)),
                (&["", "añ"], Some(r#"["a","ñ"]"#)),
                (&["", ""], Some("[]")),
            ],
        );
        assert_eq!(shown("join", &[t(","), l(&[t("a"), t("b")]), l(&[t("c")])]).unwrap(), "\"a,b,c\"");
        assert_eq!(shown("join", &[t(",")]), None);
        assert_eq!(shown("indent", &[n("2"), t("a\nb\n\nc")]).unwrap(), r#""a\n  b\n  \n  c""#);
        assert_eq!(shown("indent", &[n("-1"), t("a")]), None);
    }

    #[test]
    fn replacements() {
        check(
            "replace",
            &[
                (&["a.b.c", ".", "-"], Some("\"a-b-c\"")),
                (&["añ", "", "-"], Some("\"-a-ñ-\"")),
                (&["hello", "/(l+)(o)/", "$2$1"], Some("\"heoll\"")),
                (&["hello", "/(?P<x>l+)/", "[${x}]"], Some("\"he[ll]o\"")),
                (&["hello", "/(l+)/", "$1x"], Some("\"heo\"")),
                (&["hello", "/(l+)/", "$$"], Some("\"he$o\"")),
                (&["hello", "/(l+)/", "$0$9$"], Some("\"hell$o\"")),
                (&["hello", "/(l/", "x"], None),
                (&["a/b", "/", "x"], Some("\"axb\"")),
                (&["a/b", "//", "x"], Some("\"xax/xbx\"")),
                (&["a/b", "///", "x"], Some("\"axb\"")),
                (&["abc", "/b*/", "-"], Some("\"-a-c-\"")),
                (&["aéb", "/x*/", "-"], Some("\"-a-é-b-\"")),
            ],
        );
    }

    #[test]
    fn matches() {
        let address = r"^(?:(?P<scheme>[^:/?#]+):)?(?://(?P<authority>[^/?#]*))?";
        check(
            "regex",
            &[
                (&["[a-z]+", "53453453.345345aaabbbccc23454"], Some("\"aaabbbccc\"")),
                (&[r"(\d\d\d\d)-(\d\d)-(\d\d)", "2019-02-01"], Some(r#"["2019","02","01"]"#)),
                (
                    &[address, "https://terraform.io/"],
                    Some(r#"{"authority":"terraform.io","scheme":"https"}"#),
                ),
                (&[address, "//terraform.io/"], Some(r#"{"authority":"terraform.io","scheme":null}"#)),
                (&["(a)?(b)", "b"], Some(r#"[null,"b"]"#)),
                (&["(a)(?P<x>b)", "ab"], None),
                (&["x", "abc"], None),
            ],
        );
        check(
            "regexall",
            &[
                (&["(a)(b)?", "aab"], Some(r#"[["a",null],["a","b"]]"#)),
                (&["(?P<x>a)", "aab"], Some(r#"[{"x":"a"},{"x":"a"}]"#)),
                (&["x*", "axb"], Some(r#"["","x",""]"#)),
                (&["b*", "abb"], Some(r#"["","bb"]"#)),
                (&["x", "aab"], Some("[]")),
            ],
        );
    }

    #[test]
    fn patterns_that_are_not_translated_are_unknown() {
        assert_eq!(shown("regex", &[t(r"a\Bb"), t("ab")]).as_deref(), Some("\"?\""));
    }
}
