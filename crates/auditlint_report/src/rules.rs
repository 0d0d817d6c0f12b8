//! `auditlint rules` and `auditlint explain`.

use std::fmt::Write as _;
use std::sync::Arc;

use auditlint_policy::Rule;
use auditlint_policy::check::Check;
use auditlint_policy::rule::{Input, RuleKind};
use serde_json::{Value, json};

/// All rules as the stable JSON of `auditlint rules --format json`.
#[must_use]
pub fn rules_json(rules: &[Arc<Rule>]) -> String {
    let rules: Vec<Value> = rules
        .iter()
        .map(|rule| {
            json!({
                "id": &*rule.id,
                "title": rule.title,
                "aliases": rule.aliases,
                "resource_types": rule.selects.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
                "categories": rule.categories.iter().map(|category| category.as_str()).collect::<Vec<_>>(),
                "severity": rule.severity.as_str(),
                "kind": kind(rule.kind),
                "fixable": !rule.remedies.is_empty(),
                "inputs": rule.inputs.iter().map(|input| input_word(*input)).collect::<Vec<_>>(),
                "default": rule.in_everything,
            })
        })
        .collect();
    let mut out = serde_json::to_string_pretty(&json!({"rules": rules})).unwrap_or_default();
    out.push('\n');
    out
}

/// All rules, a line each.
#[must_use]
pub fn rules_text(rules: &[Arc<Rule>]) -> String {
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    rules.iter().fold(String::new(), |mut out, rule| {
        let fix = if rule.remedies.is_empty() { ' ' } else { 'f' };
        let _ = writeln!(out, "{:width$}  {fix}  {:8}  {}", rule.id, rule.severity.as_str(), rule.title);
        out
    })
}

/// What is known about a check of the policy itself.
#[must_use]
pub fn explain_check(check: &Check) -> String {
    let (id, title, why, severity) = (check.id, check.title, check.why, check.severity.as_str());
    format!("{id}\n{title}\n\n{why}\n\nseverity    {severity}\njudges      the policy, over all roots\n")
}

/// Everything that is known about a rule.
#[must_use]
pub fn explain(rule: &Rule) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}\n{}\n", rule.id, rule.title);
    let _ = writeln!(out, "{}\n", rule.why.trim());
    let _ = writeln!(out, "severity    {}", rule.severity.as_str());
    let _ = writeln!(out, "kind        {}", kind(rule.kind));
    let categories: Vec<&str> = rule.categories.iter().map(|category| category.as_str()).collect();
    let categories = if categories.is_empty() {
        "those of the flows that reach it".to_owned()
    } else {
        categories.join(", ")
    };
    let _ = writeln!(out, "categories  {categories}");
    let _ = writeln!(out, "judges      {}", rule.selects.join(", "));
    for parameter in &rule.parameters {
        let default = parameter.default.as_ref().map_or("none".to_owned(), |value| format!("{value}"));
        let _ = writeln!(out, "parameter   {} (default {default})", parameter.name);
    }
    if !rule.controls.is_empty() {
        let _ = writeln!(out, "controls    {}", rule.controls.join(", "));
    }
    if !rule.aliases.is_empty() {
        let _ = writeln!(out, "elsewhere   {}", rule.aliases.join(", "));
    }
    for remedy in &rule.remedies {
        let _ = writeln!(out, "fix         {} ({})", remedy.title, remedy.safety.as_str());
    }
    for link in &rule.references {
        let _ = writeln!(out, "see         {link}");
    }
    for example in &rule.examples {
        let _ = writeln!(out, "\nexample: {}", example.name);
        for line in example.hcl.lines() {
            let _ = writeln!(out, "    {line}");
        }
        if let Some(fixed) = &example.fixed {
            let _ = writeln!(out, "  fixed:");
            for line in fixed.lines() {
                let _ = writeln!(out, "    {line}");
            }
        }
    }
    out
}

const fn kind(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Source => "source",
        RuleKind::Store => "store",
        RuleKind::Guard => "guard",
    }
}

const fn input_word(input: Input) -> &'static str {
    match input {
        Input::Hcl => "hcl",
        Input::Plan => "plan",
        Input::State => "state",
    }
}
