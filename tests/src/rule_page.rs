//! The page of a rule, made of its file alone: `docs/rules/PROVIDER/SERVICE/RULE.md`.

use std::collections::BTreeMap;

use anyhow::Context as _;
use auditlint_policy::rule::{Example, Input, ParameterKind, Rule, RuleKind};
use auditlint_policy::{Catalogue, Safety, Verdict};
use auditlint_syntax::document::{self, Node};

use crate::coverage::tool;
use crate::marks;

/// The pages of all rules, by their path in the repository.
///
/// # Errors
/// When a rule names a check of a tool that nobody knows.
pub fn pages(catalogue: &Catalogue, texts: &[(String, String)]) -> anyhow::Result<BTreeMap<String, String>> {
    let page = |rule: &Rule| {
        let path = format!("rules/{}.yaml", rule.id);
        let (_, text) = texts.iter().find(|(known, _)| *known == path).with_context(|| path.clone())?;
        let page = page(rule, text, texts).with_context(|| path.clone())?;
        Ok((format!("docs/rules/{}.md", rule.id), page))
    };
    catalogue.rules().iter().map(|rule| page(rule)).collect()
}

/// From a page to the top of the repository.
const TOP: &str = "../../../..";

fn page(rule: &Rule, text: &str, texts: &[(String, String)]) -> anyhow::Result<String> {
    let id = &rule.id;
    let mut out = format!(
        "# {}\n\n<!-- Written by `cargo xtask gen`, out of the file of the rule. -->\n\n",
        rule.title
    );
    out.push_str(&sentences(&rule.why));
    out.push_str("\n| | |\n|---|---|\n");
    let mut row = |name: &str, value: String| out.push_str(&format!("| {name} | {value} |\n"));
    row("rule", format!("[`{id}`]({TOP}/policies/rules/{id}.yaml)"));
    row("severity", rule.severity.as_str().to_owned());
    row("kind", kind(rule.kind).to_owned());
    row("categories", categories(rule));
    row("judges", rule.selects.iter().map(|kind| facts(kind, texts)).collect::<Vec<_>>().join(", "));
    row("reads", inputs(rule));
    for parameter in &rule.parameters {
        let (kind, unit) = match parameter.kind {
            ParameterKind::Duration => ("a duration", " days"),
            ParameterKind::Integer => ("a number", ""),
            ParameterKind::Text => ("a text", ""),
            ParameterKind::List => ("a list", ""),
        };
        let default = parameter.default.as_ref();
        let default =
            default.map_or("you must set it".to_owned(), |value| format!("`{value}`{unit} by default"));
        row("parameter", format!("`{}`, {kind}, {default}", parameter.name));
    }
    if !rule.controls.is_empty() {
        row("evidence for", code(&rule.controls));
    }
    out.push_str("\n## What must hold\n\n```yaml\n");
    let root = document::parse_yaml(text).root;
    for part in ["where", "requires", "satisfied_by"].iter().filter_map(|key| part(text, &root, key)) {
        out.push_str(&format!("{part}\n"));
    }
    out.push_str(&format!("```\n\nWhere it does not, a finding says `{}`.\n", rule.message));
    fixes(rule, &mut out);
    examples(rule, &mut out)?;
    elsewhere(rule, &mut out)?;
    if !rule.references.is_empty() {
        out.push_str("\n## Read more\n\n");
        rule.references.iter().for_each(|link| out.push_str(&format!("- <{link}>\n")));
    }
    Ok(out)
}

fn kind(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Source => "source: it asks a resource to emit events",
        RuleKind::Store => "store: it asks how events are kept",
        RuleKind::Guard => "guard",
    }
}

fn categories(rule: &Rule) -> String {
    if rule.categories.is_empty() {
        return "those of the logs that reach it".to_owned();
    }
    code(rule.categories.iter().map(|category| category.as_str()))
}

fn inputs(rule: &Rule) -> String {
    let words = rule.inputs.iter().map(|input| match input {
        Input::Hcl => "configurations",
        Input::Plan => "plans",
        Input::State => "states",
    });
    words.collect::<Vec<_>>().join(", ")
}

fn code<T: std::fmt::Display>(words: impl IntoIterator<Item = T>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// A type, with the link to its facts where it has a file of them.
fn facts(kind: &str, texts: &[(String, String)]) -> String {
    let file = format!("/{kind}.yaml");
    let facts = texts.iter().find(|(path, _)| path.starts_with("resources/") && path.ends_with(&file));
    match facts {
        Some((path, _)) => format!("[`{kind}`]({TOP}/policies/{path})"),
        None => format!("`{kind}`"),
    }
}

/// One sentence on a line.
fn sentences(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.trim().split(". ").peekable();
    while let Some(part) = parts.next() {
        out.push_str(part);
        match parts.peek() {
            Some(next) if next.starts_with(char::is_uppercase) => out.push_str(".\n"),
            Some(_) => out.push_str(". "),
            None => out.push('\n'),
        }
    }
    out
}

/// A top-level key of a rule's file with what stands under it, as it is written.
fn part<'t>(text: &'t str, root: &Node, key: &str) -> Option<&'t str> {
    let entry = root.entries().iter().find(|entry| entry.key == key)?;
    let (start, end) = (entry.key_span.start as usize, entry.value.span.end as usize);
    text.get(start..end).map(str::trim_end)
}

fn fixes(rule: &Rule, out: &mut String) {
    if rule.remedies.is_empty() {
        return;
    }
    out.push_str("\n## Fix\n\n");
    for remedy in &rule.remedies {
        let safety = match remedy.safety {
            Safety::Safe => "safe",
            Safety::ChangesBehaviour => "changes what the resource does",
            Safety::NeedsInput => "needs a decision of yours",
        };
        out.push_str(&format!("- {} ({safety})\n", remedy.title));
    }
}

/// Every example that fails, with its fixed text, and the first that passes throughout.
fn examples(rule: &Rule, out: &mut String) -> anyhow::Result<()> {
    let verdicts = |example: &Example| -> anyhow::Result<Vec<Verdict>> {
        Ok(marks(&example.hcl)?.1.iter().map(|mark| mark.verdict).collect())
    };
    out.push_str("\n## Examples\n");
    let mut passes = false;
    for example in &rule.examples {
        let verdicts = verdicts(example)?;
        let fails = verdicts.contains(&Verdict::Fail);
        let passing = !fails && verdicts.iter().all(|verdict| *verdict == Verdict::Pass);
        if !fails && (passes || !passing) {
            continue;
        }
        passes |= passing;
        let verdict = if fails { "Fails" } else { "Passes" };
        out.push_str(&format!("\n{verdict}: {}.\n\n", example.name));
        // The marks of the harness become plain comments.
        out.push_str(&format!("```hcl\n{}```\n", example.hcl.replace("#! ", "# ")));
        if let Some(fixed) = example.fixed.as_ref().filter(|_| fails) {
            out.push_str(&format!("\nFixed:\n\n```hcl\n{fixed}```\n"));
        }
    }
    Ok(())
}

fn elsewhere(rule: &Rule, out: &mut String) -> anyhow::Result<()> {
    if rule.aliases.is_empty() {
        return Ok(());
    }
    let mut by_tool: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for alias in &rule.aliases {
        by_tool.entry(tool(alias)?).or_default().push(alias);
    }
    out.push_str("\n## In other tools\n\n| tool | checks |\n|---|---|\n");
    for (tool, aliases) in by_tool {
        out.push_str(&format!("| {tool} | {} |\n", code(aliases)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_sentence_on_a_line() {
        assert_eq!(sentences("One. Two, i. e. more.\n"), "One.\nTwo, i. e. more.\n");
    }

    #[test]
    fn a_part_of_a_file_is_taken_as_it_is_written() {
        let text = "a: 1\nrequires:\n  all:\n    # Why.\n    - {path: x}\nmessage: m\n";
        let root = document::parse_yaml(text).root;
        let found = part(text, &root, "requires");
        assert_eq!(found, Some("requires:\n  all:\n    # Why.\n    - {path: x}"));
        assert_eq!(part(text, &root, "where"), None);
    }
}
