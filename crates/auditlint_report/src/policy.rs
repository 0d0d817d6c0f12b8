//! What a policy asks once everything that it extends is taken in, with the line that each value comes from.

use std::fmt::Write as _;

use auditlint_policy::Policy;
use auditlint_policy::intent::PolicyLine;
use auditlint_syntax::Location;
use serde_json::{Value, json};

use crate::plain::{plain_json, plain_line};

/// The values that `policy` asks for, with their lines; of one of them where `why` names it.
///
/// # Errors
/// With the names of all values when `why` is none of them.
pub fn policy_text(policy: &Policy, heading: &str, why: Option<&str>) -> Result<String, Vec<String>> {
    let lines = policy.lines();
    if let Some(path) = why {
        let found: Vec<&PolicyLine> = lines.iter().filter(|line| is_below(&line.what, path)).collect();
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
    let widest =
        |of: fn(&PolicyLine) -> &str| lines.iter().map(|line| of(line).chars().count()).max().unwrap_or(0);
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
    let values: Vec<Value> = policy
        .lines()
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
