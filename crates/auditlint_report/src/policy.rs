//! What a policy asks once everything that it extends is taken in, with the line that each value comes from.

use std::fmt::Write as _;

use auditlint_policy::intent::{FIELDS, Setting, Statement};
use auditlint_policy::{Category, Policy};
use auditlint_syntax::Location;
use serde_json::{Value, json};

use crate::plain::{plain_json, plain_line};

/// One value of a policy.
#[derive(Debug)]
struct Line {
    what: String,
    value: String,
    at: Option<Location>,
}

/// The values that `policy` asks for, with their lines; of one of them where `why` names it.
///
/// # Errors
/// With the names of all values when `why` is none of them.
pub fn policy_text(policy: &Policy, heading: &str, why: Option<&str>) -> Result<String, Vec<String>> {
    let lines = lines(policy);
    if let Some(path) = why {
        let found: Vec<&Line> = lines.iter().filter(|line| is_below(&line.what, path)).collect();
        if found.is_empty() {
            return Err(lines.into_iter().map(|line| line.what).collect());
        }
        let mut out = String::new();
        for line in found {
            let _ = writeln!(out, "{}: {}", line.what, plain_line(&line.value));
            if let Some((place, text)) = line.at.and_then(|at| written(policy, at)) {
                let _ = writeln!(out, "  {place}  {}", plain_line(&text));
            }
        }
        return Ok(out);
    }
    let widest = |of: fn(&Line) -> &str| lines.iter().map(|line| of(line).chars().count()).max().unwrap_or(0);
    let (what, value) = (widest(|line| &line.what), widest(|line| &line.value).min(40));
    let mut out = format!("{}\n", plain_line(heading));
    for line in &lines {
        let place = line.at.and_then(|at| written(policy, at)).map(|(place, _)| place).unwrap_or_default();
        let text = format!("  {:what$}  {:value$}  {place}", line.what, plain_line(&line.value));
        let _ = writeln!(out, "{}", text.trim_end());
    }
    let _ = writeln!(out, "  {} rules, {} exemptions", policy.bindings.len(), policy.exemptions.len());
    Ok(out)
}

/// The same for machines.
#[must_use]
pub fn policy_json(policy: &Policy, environment: Option<&str>) -> String {
    let values: Vec<Value> = lines(policy)
        .into_iter()
        .map(|line| {
            let place = line.at.and_then(|at| written(policy, at)).map(|(place, _)| place);
            json!({"name": line.what, "value": line.value, "at": place})
        })
        .collect();
    let rules: Vec<Value> = policy
        .bindings
        .iter()
        .map(|binding| {
            let categories: Vec<&str> = binding.categories.iter().map(|one| one.as_str()).collect();
            json!({
                "id": &*binding.rule.id, "enforcement": binding.level.as_str(),
                "severity": binding.severity.as_str(), "categories": categories,
                "at": written(policy, binding.at).map(|(place, _)| place),
            })
        })
        .collect();
    let out = json!({
        "schema_version": 1, "policy": &*policy.id, "policy_digest": policy.digest,
        "environment": environment, "values": values, "rules": rules,
    });
    let mut out = plain_json(&serde_json::to_string_pretty(&out).unwrap_or_default());
    out.push('\n');
    out
}

fn is_below(what: &str, path: &str) -> bool {
    what.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// `base.yaml:12`, and what stands on that line.
fn written(policy: &Policy, at: Location) -> Option<(String, String)> {
    let source = policy.texts.iter().find(|source| source.file() == at.file)?;
    let line = source.lines().line_column(source.text(), at.span.start).line;
    let text = source.text().lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    Some((format!("{}:{line}", source.path()), text.trim().to_owned()))
}

fn lines(policy: &Policy) -> Vec<Line> {
    let statement: &Statement = &policy.statement;
    let mut out = Vec::new();
    for category in Category::ALL {
        let Some(asked) = statement.categories.get(&category) else { continue };
        let name = category.as_str();
        out.push(Line { what: name.to_owned(), value: "asked".to_owned(), at: Some(asked.at) });
        for spec in &FIELDS {
            let Some(stated) = statement.effective(category, spec.field) else { continue };
            if stated.setting == Setting::Kinds(None) {
                continue;
            }
            let what = format!("{name}.{}", spec.field.name());
            out.push(Line { what, value: stated.setting.show(spec.field), at: Some(stated.at) });
        }
        for demand in statement.demands.iter().filter(|demand| demand.category == category) {
            let value = if demand.within.is_empty() { "in the estate" } else { "in each root that is meant" };
            out.push(Line { what: format!("{name}.required"), value: value.to_owned(), at: Some(demand.at) });
        }
    }
    for rule in &statement.rules {
        let what = format!("rules.{}", rule.id.as_deref().unwrap_or("all"));
        let parameters = rule.parameters.iter().map(|(name, value)| format!("{name} {value}"));
        let value = parameters.collect::<Vec<_>>().join(", ");
        let value = if value.is_empty() { "asked".to_owned() } else { value };
        out.push(Line { what, value, at: Some(rule.at) });
    }
    let enforcement = &statement.enforcement;
    let (level, at) = match enforcement.level {
        Some((level, at)) => (level.as_str(), Some(at)),
        None => ("mandatory", None),
    };
    out.push(Line { what: "enforcement.level".to_owned(), value: level.to_owned(), at });
    for (category, (level, at)) in &enforcement.categories {
        let what = format!("enforcement.categories.{}", category.as_str());
        out.push(Line { what, value: level.as_str().to_owned(), at: Some(*at) });
    }
    for (rule, (level, at)) in &enforcement.rules {
        let what = format!("enforcement.rules.{rule}");
        out.push(Line { what, value: level.as_str().to_owned(), at: Some(*at) });
    }
    if let Some((severity, at)) = enforcement.severity {
        let what = "enforcement.severity".to_owned();
        out.push(Line { what, value: format!("at least {}", severity.as_str()), at: Some(at) });
    }
    for ((kind, said), effective) in
        ["hcl", "plan", "state"].into_iter().zip(enforcement.on_unknown).zip(policy.on_unknown)
    {
        let what = format!("enforcement.on_unknown.{kind}");
        out.push(Line { what, value: effective.as_str().to_owned(), at: said.map(|(_, at)| at) });
    }
    out
}
