//! Functions on texts.

use regex::Regex;

use super::{
    Answer, LONGEST_TEXT, as_text, int, items_of, list, not_computed, string, text_of, texts, too_long, truth,
};
use crate::Tracked;

pub(super) const NAMES: &[&str] = &[
    "chomp",
    "endswith",
    "indent",
    "join",
    "lower",
    "regex",
    "regexall",
    "replace",
    "split",
    "startswith",
    "strcontains",
    "strrev",
    "substr",
    "title",
    "trim",
    "trimprefix",
    "trimspace",
    "trimsuffix",
    "upper",
];

/// Some answer when `name` is one of these functions.
pub(super) fn call(name: &str, values: &[Tracked]) -> Option<Answer> {
    NAMES.contains(&name).then(|| compute(name, values))
}

fn compute(name: &str, values: &[Tracked]) -> Answer {
    let arg = |n: usize| values.get(n).and_then(|value| as_text(value.value()));
    let first = || arg(0);
    match name {
        "chomp" => string(first()?.trim_end_matches(['\n', '\r'])),
        "endswith" => truth(first()?.ends_with(arg(1)?.as_str())),
        "startswith" => truth(first()?.starts_with(arg(1)?.as_str())),
        "strcontains" => truth(first()?.contains(arg(1)?.as_str())),
        "lower" => string(first()?.to_lowercase()),
        "upper" => string(first()?.to_uppercase()),
        "strrev" => string(first()?.chars().rev().collect::<String>()),
        "title" => string(title(&first()?)),
        "trimspace" => string(first()?.trim()),
        "trim" => {
            let cut = arg(1)?;
            string(first()?.trim_matches(|c| cut.contains(c)))
        }
        "trimprefix" => {
            let text = first()?;
            string(text.strip_prefix(arg(1)?.as_str()).unwrap_or(&text))
        }
        "trimsuffix" => {
            let text = first()?;
            string(text.strip_suffix(arg(1)?.as_str()).unwrap_or(&text))
        }
        "indent" => {
            let (width, text) = (usize::try_from(int(values.first()?)?).ok()?, arg(1)?);
            let lines = text.bytes().filter(|byte| *byte == b'\n').count();
            if lines.saturating_mul(width) > LONGEST_TEXT {
                return too_long();
            }
            string(text.replace('\n', &format!("\n{}", " ".repeat(width))))
        }
        "join" => {
            let mut parts = Vec::new();
            for list in values.get(1..)? {
                for part in items_of(list)? {
                    parts.push(text_of(part)?.clone());
                }
            }
            let between = first()?;
            let length = parts.iter().map(|part| part.len()).sum::<usize>();
            if length.saturating_add(between.len().saturating_mul(parts.len())) > LONGEST_TEXT {
                return too_long();
            }
            string(parts.join(between.as_str()))
        }
        "split" => texts(arg(1)?.split(first()?.as_str()).map(str::to_owned)),
        "substr" => {
            let chars: Vec<char> = first()?.chars().collect();
            let (offset, length) = (int(values.get(1)?)?, int(values.get(2)?)?);
            let count = i64::try_from(chars.len()).ok()?;
            let start = if offset < 0 { (count + offset).max(0) } else { offset.min(count) };
            let end = if length < 0 { count } else { (start + length).min(count) };
            string(
                chars
                    .get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)?
                    .iter()
                    .collect::<String>(),
            )
        }
        "replace" => {
            let (text, from, to) = (first()?, arg(1)?, arg(2)?);
            match from
                .strip_prefix('/')
                .and_then(|from| from.strip_suffix('/'))
                .filter(|from| !from.is_empty())
            {
                Some(pattern) => {
                    let Ok(pattern) = Regex::new(pattern) else { return not_computed("replace()") };
                    // A group of the replacement may stand for the whole text each time.
                    let (found, groups) = (pattern.find_iter(&text).count(), to.matches('$').count());
                    let longest = groups.saturating_mul(text.len()).saturating_add(to.len());
                    if found.saturating_mul(longest) > LONGEST_TEXT.saturating_mul(16) {
                        return too_long();
                    }
                    string(pattern.replace_all(&text, to.as_str()))
                }
                None => {
                    let found = text.matches(from.as_str()).count();
                    if found.saturating_mul(to.len()) > LONGEST_TEXT {
                        return too_long();
                    }
                    string(text.replace(from.as_str(), &to))
                }
            }
        }
        "regex" => {
            let Ok(pattern) = Regex::new(&first()?) else { return not_computed("regex()") };
            captured(&pattern, &pattern.captures(&arg(1)?)?)
        }
        "regexall" => {
            let Ok(pattern) = Regex::new(&first()?) else { return not_computed("regexall()") };
            let text = arg(1)?;
            let all: Option<Vec<Tracked>> =
                pattern.captures_iter(&text).map(|found| captured(&pattern, &found)).collect();
            list(all?)
        }
        _ => None,
    }
}

/// The whole match, or its groups: a list, or a map when they have names.
fn captured(pattern: &Regex, found: &regex::Captures<'_>) -> Answer {
    if found.len() == 1 {
        return string(found.get(0)?.as_str());
    }
    if pattern.capture_names().flatten().next().is_some() {
        return not_computed("a regular expression with named groups");
    }
    texts(found.iter().skip(1).map(|group| group.map_or(String::new(), |group| group.as_str().to_owned())))
}

fn title(text: &str) -> String {
    let mut start = true;
    text.chars()
        .flat_map(|c| {
            let upper = start && c.is_alphabetic();
            start = !(c.is_alphanumeric() || c == '\'' || c == '_');
            if upper { c.to_uppercase().collect::<Vec<_>>() } else { vec![c] }
        })
        .collect()
}
