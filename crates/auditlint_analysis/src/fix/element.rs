//! Elements of lists and entries of objects, written beside one that is there: in Terraform's language or in YAML.

use std::sync::Arc;

use auditlint_policy::{Element, LiteralValue, Remedy, Where};
use auditlint_syntax::{Span, TextEdit};

use super::layout::{indentation, line_end, line_start, next_line};
use super::value::literal;
use super::{FileEdits, Fix, Workshop, is_editable};

/// The fix that writes the element; none where the value beside which it comes is not written in a way that is understood.
pub(super) fn offer(workshop: &Workshop<'_>, remedy: &Remedy, element: &Element) -> Option<Fix> {
    let source = workshop.analysis.source(element.at.file).filter(|source| is_editable(source))?;
    let text = source.text();
    // Objects in JSON are a machine's.
    if text.trim_start().starts_with('{') {
        return None;
    }
    let is_yaml = [".yaml", ".yml"].iter().any(|end| source.path().as_str().ends_with(end));
    let edits = Page { text, is_yaml }.edits(element)?;
    Some(Fix {
        title: remedy.title.clone(),
        safety: remedy.safety,
        finding: Arc::clone(workshop.finding),
        edits: vec![FileEdits { file: source.file(), edits }],
        placeholders: Vec::new(),
    })
}

/// A text, and its language.
pub(super) struct Page<'t> {
    pub(super) text: &'t str,
    pub(super) is_yaml: bool,
}

impl Page<'_> {
    pub(super) fn edits(&self, element: &Element) -> Option<Vec<TextEdit>> {
        let (start, end) = (element.at.span.start as usize, element.at.span.end as usize);
        let old = self.text.get(start..end)?.trim_end();
        let end = start + old.len();
        if old.is_empty() {
            return None;
        }
        match &element.place {
            Where::Instead => Some(vec![edit(start, end, self.scalar(&element.value, old))]),
            Where::Before => self.before(start, &element.value),
            Where::After => self.after(start, end, &element.value),
            Where::Entry(name) => {
                let indentation = indentation(self.text, start);
                let sign = if self.is_yaml { ": " } else { " = " };
                let value = self.scalar(&element.value, old);
                Some(vec![self.line_after(end, &format!("{indentation}{name}{sign}{value}"))])
            }
            Where::Gone => self.gone(start, end),
        }
    }

    /// The column of a dash before `start`, where the element is one of a list with a line for each.
    fn dash(&self, start: usize) -> Option<usize> {
        let before = self.text.get(line_start(self.text, start)..start)?;
        let dash = before.trim_end_matches(' ').strip_suffix('-')?;
        (self.is_yaml && dash.trim().is_empty()).then_some(dash.len())
    }

    /// Whether an element begins its line.
    fn has_own_line(&self, start: usize) -> bool {
        self.text.get(line_start(self.text, start)..start).is_some_and(|before| before.trim().is_empty())
    }

    fn before(&self, start: usize, value: &LiteralValue) -> Option<Vec<TextEdit>> {
        let end = line_end(self.text);
        if let Some(dash) = self.dash(start) {
            let lines = yaml(value, dash + 2).join(end);
            return Some(vec![edit(start, start, format!("{lines}{end}{}- ", " ".repeat(dash)))]);
        }
        let value = self.inline(value);
        let text = if self.has_own_line(start) {
            format!("{value},{end}{}", indentation(self.text, start))
        } else {
            format!("{value}, ")
        };
        Some(vec![edit(start, start, text)])
    }

    fn after(&self, start: usize, end: usize, value: &LiteralValue) -> Option<Vec<TextEdit>> {
        if let Some(dash) = self.dash(start) {
            let lines = yaml(value, dash + 2).join(line_end(self.text));
            return Some(vec![self.line_after(end, &format!("{}- {lines}", " ".repeat(dash)))]);
        }
        let value = self.inline(value);
        if !self.has_own_line(start) {
            return Some(vec![edit(end, end, format!(", {value}"))]);
        }
        let line = format!("{}{value},", indentation(self.text, start));
        let has_comma = self.text.get(end..)?.trim_start().starts_with(',');
        let comma = (!has_comma).then(|| edit(end, end, ",".to_owned()));
        Some(comma.into_iter().chain([self.line_after(end, &line)]).collect())
    }

    fn gone(&self, start: usize, end: usize) -> Option<Vec<TextEdit>> {
        if self.dash(start).is_some() {
            return Some(vec![edit(line_start(self.text, start), next_line(self.text, end), String::new())]);
        }
        let rest = self.text.get(end..)?;
        let comma = rest.strip_prefix(',');
        if self.has_own_line(start) {
            return Some(vec![edit(line_start(self.text, start), next_line(self.text, end), String::new())]);
        }
        if let Some(after) = comma {
            let spaces = after.len() - after.trim_start_matches(' ').len();
            return Some(vec![edit(start, end + 1 + spaces, String::new())]);
        }
        let before = self.text.get(..start)?.trim_end().strip_suffix(',').map_or(start, str::len);
        Some(vec![edit(before, end, String::new())])
    }

    /// `line` as a line of its own after the one in which `offset` stands.
    fn line_after(&self, offset: usize, line: &str) -> TextEdit {
        let rest = self.text.get(offset..).unwrap_or_default();
        let at = offset + rest.lines().next().map_or(0, |rest| rest.trim_end().len());
        edit(at, at, format!("{}{line}", line_end(self.text)))
    }

    /// A value in the style of the one that is there.
    fn scalar(&self, value: &LiteralValue, old: &str) -> String {
        let plain = match value {
            LiteralValue::String(text) => text.clone(),
            other => return self.inline(other),
        };
        match old.chars().next() {
            Some('"') => literal(value),
            Some('\'') if self.is_yaml => format!("'{}'", plain.replace('\'', "''")),
            // What looks like a number would be one.
            _ if self.is_yaml => flow(value),
            _ => literal(value),
        }
    }

    /// A value in one line.
    fn inline(&self, value: &LiteralValue) -> String {
        if self.is_yaml { flow(value) } else { literal(value) }
    }
}

/// A value as lines of YAML; the first stands behind a dash or a key, the others `indent` spaces in.
fn yaml(value: &LiteralValue, indent: usize) -> Vec<String> {
    let LiteralValue::Map(entries) = value else { return vec![flow(value)] };
    let space = " ".repeat(indent);
    let mut out: Vec<String> = Vec::new();
    for (name, value) in entries {
        let lead = if out.is_empty() { "" } else { &space };
        match value {
            LiteralValue::List(items) if items.iter().any(|item| matches!(item, LiteralValue::Map(_))) => {
                out.push(format!("{lead}{name}:"));
                for item in items {
                    let lines = yaml(item, indent + 4).into_iter().enumerate();
                    out.extend(
                        lines.map(|(n, line)| if n == 0 { format!("{space}  - {line}") } else { line }),
                    );
                }
            }
            value => out.push(format!("{lead}{name}: {}", flow(value))),
        }
    }
    out
}

/// A value in one line of YAML.
fn flow(value: &LiteralValue) -> String {
    match value {
        LiteralValue::String(text) => {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.' | '=');
            let is_word =
                text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') || text.starts_with("--");
            if is_word && text.chars().all(is_plain) { text.clone() } else { literal(value) }
        }
        LiteralValue::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        LiteralValue::Map(entries) => {
            let entries = entries.iter().map(|(name, value)| format!("{name}: {}", flow(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        LiteralValue::Bool(_) | LiteralValue::Int(_) => literal(value),
    }
}

fn edit(start: usize, end: usize, text: String) -> TextEdit {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    TextEdit { span: Span::new(offset(start), offset(end)), text }
}

#[cfg(test)]
mod tests {
    use auditlint_syntax::{Location, Paths, apply_edits};

    use super::*;

    /// The text after an element came beside the first `beside` of it.
    fn after(text: &str, is_yaml: bool, beside: &str, place: Where, value: LiteralValue) -> Option<String> {
        let start = u32::try_from(text.find(beside)?).ok()?;
        let span = Span::new(start, start + u32::try_from(beside.len()).ok()?);
        let element = Element { at: Location { file: Paths::default().id("a".into()), span }, place, value };
        let edits = Page { text, is_yaml }.edits(&element)?;
        String::from_utf8(apply_edits(text.as_bytes(), &edits).ok()?).ok()
    }

    fn word(text: &str) -> LiteralValue {
        LiteralValue::String(text.to_owned())
    }

    fn rule() -> LiteralValue {
        let resources =
            [("group".into(), word("")), ("resources".into(), LiteralValue::List(vec![word("secrets")]))];
        LiteralValue::Map(vec![
            ("level".into(), word("Metadata")),
            ("resources".into(), LiteralValue::List(vec![LiteralValue::Map(resources.into())])),
        ])
    }

    #[test]
    fn a_rule_of_yaml_gets_lines_of_its_own() {
        let text = "rules:\n  # The rest.\n  - level: None # all of it\n    users: [a]\n";
        let rule_text =
            "- level: Metadata\n    resources:\n      - group: \"\"\n        resources: [secrets]\n";
        assert_eq!(
            after(text, true, "level: None", Where::Before, rule()).as_deref(),
            Some(&*format!(
                "rules:\n  # The rest.\n  {rule_text}  - level: None # all of it\n    users: [a]\n"
            ))
        );
        let whole = "level: None # all of it\n    users: [a]";
        assert_eq!(
            after(text, true, whole, Where::After, rule()).as_deref(),
            Some(&*format!("{text}  {rule_text}"))
        );
    }

    #[test]
    fn a_word_keeps_the_quotes_and_the_comment_of_its_neighbour() {
        let text = "args:\n- --a=1 # one\n- '--b=2'\n- \"--c=3\"";
        let flag = || word("--d=4");
        let instead = |beside| after(text, true, beside, Where::Instead, flag()).unwrap_or_default();
        assert!(instead("--a=1").contains("- --d=4 # one\n"));
        assert!(instead("'--b=2'").contains("- '--d=4'\n"));
        assert!(instead("\"--c=3\"").ends_with("- \"--d=4\""));
        let added = after(text, true, "--a=1", Where::After, flag());
        assert_eq!(added.as_deref(), Some("args:\n- --a=1 # one\n- --d=4\n- '--b=2'\n- \"--c=3\""));
        let last = after(text, true, "\"--c=3\"", Where::After, flag()).unwrap_or_default();
        assert!(last.ends_with("- \"--c=3\"\n- --d=4"), "{last}");
    }

    #[test]
    fn a_list_in_one_line_stays_in_one_line() {
        for (is_yaml, text, expected) in [
            (true, "a: [x, y]\n", "a: [x, z, y]\n"),
            (false, "a = [\"x\", \"y\"]\n", "a = [\"x\", \"z\", \"y\"]\n"),
        ] {
            let beside = if is_yaml { "x" } else { "\"x\"" };
            assert_eq!(after(text, is_yaml, beside, Where::After, word("z")).as_deref(), Some(expected));
        }
        let gone = |text, beside| after(text, true, beside, Where::Gone, word("")).unwrap_or_default();
        assert_eq!(gone("a: [x, y]\n", "x"), "a: [y]\n");
        assert_eq!(gone("a: [x, y]\n", "y"), "a: [x]\n");
        assert_eq!(gone("a: [y]\n", "y"), "a: []\n");
        assert_eq!(gone("a:\n  - x\n  - y\n", "x"), "a:\n  - y\n");
    }

    #[test]
    fn a_last_element_without_a_comma_gets_one() {
        let text = "a = [\n  \"x\" # one\n]\n";
        let expected = "a = [\n  \"x\", # one\n  \"z\",\n]\n";
        assert_eq!(after(text, false, "\"x\"", Where::After, word("z")).as_deref(), Some(expected));
    }

    #[test]
    fn an_entry_comes_after_another_one() {
        let text = "extraArgs:\n  audit-log-path: /var/log/a\nnext: 1\n";
        let place = Where::Entry("audit-log-maxage".into());
        assert_eq!(
            after(text, true, "/var/log/a", place, word("90")).as_deref(),
            Some("extraArgs:\n  audit-log-path: /var/log/a\n  audit-log-maxage: \"90\"\nnext: 1\n")
        );
    }
}
