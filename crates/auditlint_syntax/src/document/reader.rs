//! Typed reads of a mapping: unknown keys, wrong types and missing keys become problems, all of them.

use super::{Entry, Node, NodeKind};
use crate::{Problem, ProblemKind, Span};

/// Reads one mapping. Every key that is asked for counts as known; [`Self::finish`] reports the others.
pub struct MapReader<'a, 'p> {
    entries: &'a [Entry],
    span: Span,
    asked: Vec<&'static str>,
    problems: &'p mut Vec<Problem>,
}

impl<'a, 'p> MapReader<'a, 'p> {
    /// Reads `node`, which must be a mapping.
    pub fn new(node: &'a Node, problems: &'p mut Vec<Problem>) -> Self {
        if !matches!(node.kind, NodeKind::Map(_)) {
            problems.push(wrong(node, "a mapping"));
        }
        Self { entries: node.entries(), span: node.span, asked: Vec::new(), problems }
    }

    /// The problems, to report one more.
    pub fn problems(&mut self) -> &mut Vec<Problem> {
        self.problems
    }

    /// The entry of `key`, if it is there.
    pub fn entry(&mut self, key: &'static str) -> Option<&'a Entry> {
        self.asked.push(key);
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of `key`, if it is there.
    pub fn take(&mut self, key: &'static str) -> Option<&'a Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The value of `key`; a problem when it is missing.
    pub fn need(&mut self, key: &'static str) -> Option<&'a Node> {
        let found = self.take(key);
        if found.is_none() {
            let message = format!("`{key}` is missing");
            self.problems.push(Problem {
                kind: ProblemKind::Syntax,
                span: Span::new(self.span.start, self.span.start),
                message,
            });
        }
        found
    }

    /// The text of `key`, if it is there.
    pub fn string(&mut self, key: &'static str) -> Option<&'a str> {
        let node = self.take(key)?;
        string(node, self.problems)
    }

    /// The truth value of `key`, if it is there.
    pub fn bool(&mut self, key: &'static str) -> Option<bool> {
        let node = self.take(key)?;
        if let NodeKind::Bool(value) = node.kind {
            return Some(value);
        }
        self.problems.push(wrong(node, "`true` or `false`"));
        None
    }

    /// The texts of the list at `key`; a single text counts as a list of one.
    pub fn strings(&mut self, key: &'static str) -> Vec<&'a str> {
        let Some(node) = self.take(key) else { return Vec::new() };
        strings(node, self.problems)
    }

    /// Reports the keys that nobody asked for.
    pub fn finish(self) {
        for entry in self.entries.iter().filter(|entry| !self.asked.contains(&entry.key.as_str())) {
            self.problems.push(unknown("key", &entry.key, entry.key_span, self.asked.iter().copied()));
        }
    }
}

/// The text of `node`, or a problem.
pub fn string<'a>(node: &'a Node, problems: &mut Vec<Problem>) -> Option<&'a str> {
    if let NodeKind::String(text) = &node.kind {
        return Some(text);
    }
    problems.push(wrong(node, "a text"));
    None
}

/// The texts of `node`, a list or a single text, or problems.
pub fn strings<'a>(node: &'a Node, problems: &mut Vec<Problem>) -> Vec<&'a str> {
    match &node.kind {
        NodeKind::String(text) => vec![text],
        NodeKind::List(items) => items.iter().filter_map(|item| string(item, problems)).collect(),
        _ => {
            problems.push(wrong(node, "a list of texts"));
            Vec::new()
        }
    }
}

/// `expected …, found …`
#[must_use]
pub fn wrong(node: &Node, expected: &str) -> Problem {
    let found = match &node.kind {
        NodeKind::Null => "nothing".to_owned(),
        NodeKind::Bool(value) => format!("`{value}`"),
        NodeKind::Number(_, written) => format!("the number {written}"),
        NodeKind::String(text) if text.len() <= 40 => format!("the text `{text}`"),
        NodeKind::String(_) => "a text".to_owned(),
        NodeKind::List(_) => "a list".to_owned(),
        NodeKind::Map(_) => "a mapping".to_owned(),
    };
    Problem {
        kind: ProblemKind::Syntax,
        span: node.span,
        message: format!("expected {expected}, found {found}"),
    }
}

/// ``unknown WHAT `word`; did you mean `other`?``
#[must_use]
pub fn unknown<'a>(what: &str, word: &str, span: Span, known: impl Iterator<Item = &'a str>) -> Problem {
    let hint = nearest(word, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Problem { kind: ProblemKind::Syntax, span, message: format!("unknown {what} `{word}`{hint}") }
}

/// The known word that is nearest to `word`, when it is near: at most a third of its letters differ.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(far, candidate)| {
            *far <= candidate.chars().count().max(word.chars().count()) / 3 && *far <= 8
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edits between two words, a swap of neighbours counting as one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(80).collect(), b.chars().take(80).collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |back: usize, column: usize| {
                rows.len()
                    .checked_sub(back)
                    .and_then(|n| rows.get(n))
                    .and_then(|row| row.get(column))
                    .copied()
                    .unwrap_or(usize::MAX / 2)
            };
            let mut best = (at(1, j) + usize::from(x != y)).min(at(1, j + 1) + 1);
            best = best.min(row.last().copied().unwrap_or(0) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(2, j - 1) + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let known = ["retention_period", "log_failed_attempts"];
        assert_eq!(nearest("retention_peroid", known.into_iter()), Some("retention_period"));
        assert_eq!(nearest("log_failed_attempt", known.into_iter()), Some("log_failed_attempts"));
        assert_eq!(nearest("encryption", known.into_iter()), None);
        assert_eq!(distance("ab", "ba"), 1);
    }
}
