//! Where in a YAML text a cursor stands: below which keys, and whether a key or a value is being written. A text that is
//! being typed cannot be parsed, so that this goes by columns, line by line.

use std::ops::Range;

/// A step from the top of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Into the value of a key.
    Key(String),
    /// Into an element of a list.
    Item,
}

/// A place in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The steps that lead there; of a value the last one is its key, or an element.
    pub(crate) path: Vec<Step>,
    /// Whether a value is being written; else a key, or an element that may become one.
    pub(crate) is_value: bool,
    /// The bytes of the word that is being written.
    pub(crate) word: Range<usize>,
    /// The keys that stand beside it already.
    pub(crate) siblings: Vec<String>,
}

/// A line without its dashes.
struct Line<'t> {
    /// The columns of the dashes.
    dashes: Vec<usize>,
    /// The column of what stands behind them.
    column: usize,
    text: &'t str,
}

impl<'t> Line<'t> {
    fn of(line: &'t str) -> Self {
        let mut column = line.len() - line.trim_start_matches(' ').len();
        let mut dashes = Vec::new();
        while let Some(rest) = line.get(column..).and_then(|rest| rest.strip_prefix('-')) {
            if !rest.is_empty() && !rest.starts_with(' ') {
                break;
            }
            dashes.push(column);
            let spaces = rest.len() - rest.trim_start_matches(' ').len();
            // A dash alone stands for what will be written two columns further.
            column += if rest.trim().is_empty() { spaces.max(1) + 1 } else { spaces + 1 };
        }
        Self { dashes, column, text: line.get(column..).unwrap_or_default() }
    }

    fn is_empty(&self) -> bool {
        self.dashes.is_empty() && (self.text.trim().is_empty() || self.text.starts_with('#'))
    }

    fn key(&self) -> Option<&'t str> {
        key(self.text).map(|(key, _)| key)
    }
}

/// The key that a text begins with, and what follows it.
fn key(text: &str) -> Option<(&str, &str)> {
    let (key, rest) = text.split_once(':')?;
    let is_plain =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '"' | '\'' | '*' | '@' | '$');
    let ends = rest.is_empty() || rest.starts_with([' ', '\r']);
    (ends && !key.is_empty() && key.chars().all(is_plain)).then(|| (key.trim_matches(['"', '\'']), rest))
}

impl Cursor {
    /// The place at `offset`; none in a comment.
    pub(crate) fn at(text: &str, offset: usize) -> Option<Self> {
        let before = text.get(..offset)?;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let written = before.get(start..)?;
        if written.trim_start().starts_with('#') || written.contains(" #") {
            return None;
        }
        let line = Line::of(written);
        let mut above: Vec<Line<'_>> =
            text.get(..start)?.lines().map(Line::of).filter(|line| !line.is_empty()).collect();
        let last = above.iter().rposition(|line| line.dashes.is_empty() && line.text.starts_with("---"));
        if let Some(last) = last {
            above.drain(..=last);
        }
        let below = text.get(start..)?.lines().skip(1).map(Line::of).filter(|line| !line.is_empty());
        let (mut path, siblings) = parents(&line, &above, below);
        let column = start + line.column;
        let mut cursor = match key(line.text) {
            Some((key, rest)) => {
                path.push(Step::Key(key.to_owned()));
                let at = offset - rest.trim_start().len();
                Self { path, is_value: true, word: at..offset, siblings: Vec::new() }
            }
            None => Self { path, is_value: false, word: column.min(offset)..offset, siblings },
        };
        cursor.descend(text);
        Some(cursor)
    }

    /// Goes into lists and mappings that are written in one line.
    fn descend(&mut self, text: &str) {
        let Some(written) = text.get(self.word.clone()) else { return };
        let base = self.word.start;
        let mut open: Vec<(char, Vec<String>)> = Vec::new();
        let (mut quoted, mut from, mut is_value) = (None, base, self.is_value);
        for (at, c) in written.char_indices() {
            let next = base + at + c.len_utf8();
            match (quoted, c) {
                (Some(quote), c) if c == quote => quoted = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quoted = Some(c),
                (None, '{' | '[') => {
                    if c == '[' {
                        self.path.push(Step::Item);
                    }
                    open.push((c, Vec::new()));
                    (from, is_value) = (next, c == '[');
                }
                (None, '}' | ']') => {
                    if let Some((kind, _)) = open.pop() {
                        // What was gone into is left again, with the key that led there.
                        if kind == '[' || is_value {
                            self.path.pop();
                        }
                    }
                    (from, is_value) = (next, true);
                }
                (None, ':') if !is_value => {
                    let name = text.get(from..base + at).unwrap_or_default().trim().trim_matches(['"', '\'']);
                    self.path.push(Step::Key(name.to_owned()));
                    if let Some((_, names)) = open.last_mut() {
                        names.push(name.to_owned());
                    }
                    (from, is_value) = (next, true);
                }
                (None, ',') => {
                    if let Some(('{', _)) = open.last() {
                        if is_value {
                            self.path.pop();
                        }
                        is_value = false;
                    }
                    from = next;
                }
                _ => {}
            }
        }
        if let Some((_, names)) = open.pop() {
            self.siblings = names;
            self.is_value = is_value;
        }
        let word = text.get(from..self.word.end).unwrap_or_default();
        let start = self.word.end - word.trim_start_matches([' ', '"', '\'']).len();
        self.word = start..self.word.end;
    }
}

/// The steps to the mapping or list in which `line` stands, and the keys beside it.
fn parents<'t>(
    line: &Line<'t>,
    above: &[Line<'t>],
    below: impl Iterator<Item = Line<'t>>,
) -> (Vec<Step>, Vec<String>) {
    let mut steps = Vec::new();
    let mut siblings: Vec<String> = Vec::new();
    let mut column = line.column;
    let is_own = line.dashes.is_empty();
    // Every dash of a line is an element; what encloses it stands further left, or is a key right above.
    let leave = |dashes: &[usize], column: &mut usize, steps: &mut Vec<Step>| {
        for dash in dashes.iter().rev() {
            steps.push(Step::Item);
            *column = *dash;
        }
        !dashes.is_empty()
    };
    let mut in_list = leave(&line.dashes, &mut column, &mut steps);
    let mut beside = is_own;
    for other in above.iter().rev() {
        let outer = other.dashes.first().copied().unwrap_or(other.column);
        // Another key of the same mapping; the first one of an element stands behind its dash.
        if !in_list && other.column == column {
            if beside {
                siblings.extend(other.key().map(str::to_owned));
            }
            if !other.dashes.is_empty() {
                beside = false;
                in_list = leave(&other.dashes, &mut column, &mut steps);
            }
            continue;
        }
        let is_parent =
            if in_list { other.dashes.is_empty() && other.column <= column } else { other.column < column };
        let is_item_above = !other.dashes.is_empty() && other.column <= column && outer < column;
        if (is_parent || is_item_above)
            && let Some(key) = other.key()
        {
            beside = false;
            steps.push(Step::Key(key.to_owned()));
            column = other.column;
            in_list = leave(&other.dashes, &mut column, &mut steps);
        }
    }
    for other in below {
        if other.column < line.column || !other.dashes.is_empty() {
            break;
        }
        if other.column == line.column {
            siblings.extend(other.key().map(str::to_owned));
        }
    }
    steps.reverse();
    (steps, siblings)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place of `|`, as `a.b[]`, with `=` before a value and the word.
    fn at(text: &str) -> String {
        let offset = text.find('|').expect("a cursor");
        let text = text.replacen('|', "", 1);
        let Some(cursor) = Cursor::at(&text, offset) else { return "none".to_owned() };
        let steps: String = cursor
            .path
            .iter()
            .map(|step| match step {
                Step::Key(key) => format!(".{key}"),
                Step::Item => "[]".to_owned(),
            })
            .collect();
        let mark = if cursor.is_value { "=" } else { ":" };
        format!("{steps}{mark}{}", &text[cursor.word])
    }

    #[test]
    fn a_cursor_stands_below_the_keys_before_it() {
        for (text, expected) in [
            ("log|", ":log"),
            ("logging_policy:\n  acc|", ".logging_policy:acc"),
            ("logging_policy:\n  access_logs:\n    retention: |", ".logging_policy.access_logs.retention="),
            (
                "logging_policy:\n  access_logs:\n    retention:\n      min: 9|",
                ".logging_policy.access_logs.retention.min=9",
            ),
            ("logging_policy:\n  access_logs:\n    ret|\n  x:\n", ".logging_policy.access_logs:ret"),
            ("a:\n  b: {c: {d: 1, e|", ".a.b.c:e"),
            ("a:\n  b: {c: {d: 1}, e: f|", ".a.b.e=f"),
            ("a:\n  b: [x, y|", ".a.b[]=y"),
            ("a: [{b: c, d|", ".a[]:d"),
            ("a: [{b: c}, {d: e|", ".a[].d=e"),
            ("rules:\n  - aws/|", ".rules[]:aws/"),
            ("rules:\n- rule: aws/|", ".rules[].rule=aws/"),
            ("exemptions:\n  - id: X\n    ru|", ".exemptions[]:ru"),
            ("exemptions:\n  - id: X\n    targets:\n      - a|", ".exemptions[].targets[]:a"),
            ("exemptions:\n  - id: X\n  - id: Y\n    own|", ".exemptions[]:own"),
            ("a:\n  # b:\n  c|", ".a:c"),
            ("a: b # c|", "none"),
            ("a:\n  b: 1\n---\nc|", ":c"),
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
    }

    #[test]
    fn the_keys_beside_a_cursor_are_known() {
        let text = "a:\n  b: 1\n  c: {x: 1}\n  \n  d: 2\ne: 3\n";
        let offset = text.find("  \n").expect("a line") + 2;
        let cursor = Cursor::at(text, offset).expect("a place");
        assert_eq!(cursor.siblings, ["c", "b", "d"]);
        let cursor = Cursor::at("a: {x: 1, y: 2, ", 16).expect("a place");
        assert_eq!(cursor.siblings, ["x", "y"]);
    }
}
