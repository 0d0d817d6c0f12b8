//! What an editor shows for a place: what is wrong, why it matters, what the policy says.

use std::fmt::Write as _;
use std::sync::Arc;

use auditlint_policy::{Finding, Place, Verdict};

use crate::{Analysis, Hover, RootId};

/// The text for the findings at one place; none without any.
pub(crate) fn of(analysis: &Analysis, findings: &[(RootId, Arc<Finding>)]) -> Option<Hover> {
    let (_, first) = findings.first()?;
    let Place::Source(at) = first.place else { return None };
    let mut markdown = String::new();
    for (n, (_, finding)) in findings.iter().enumerate() {
        if n > 0 {
            markdown.push_str("\n---\n\n");
        }
        one(analysis, finding, &mut markdown);
    }
    Some(Hover { at, markdown })
}

fn one(analysis: &Analysis, finding: &Finding, out: &mut String) {
    let set = analysis.policy_set();
    let Some(rule) = set.catalogue.rule(&finding.rule) else { return };
    let verdict = if finding.verdict == Verdict::Unknown { "undecided" } else { finding.severity.as_str() };
    let _ = writeln!(out, "**{}** · {verdict} · `{}`\n", rule.title, finding.rule);
    let _ = writeln!(out, "{}: {}\n", code(&finding.address.to_string()), finding.message);
    if let Some(cause) = finding.cause.as_ref().filter(|cause| !cause.hint.is_empty()) {
        let _ = writeln!(out, "To decide it: {}\n", cause.hint);
    }
    let _ = writeln!(out, "{}\n", rule.why);
    if let Some(source) = analysis.source(finding.policy.at.file) {
        let at = source.lines().line_column(source.text(), finding.policy.at.span.start);
        let line = source.text().lines().nth((at.line as usize).saturating_sub(1)).unwrap_or_default();
        let _ = writeln!(
            out,
            "Asked for by {} line {}: {}\n",
            code(source.path().as_str()),
            at.line,
            code(line.trim())
        );
    }
    if !rule.controls.is_empty() {
        let _ = writeln!(out, "Controls: {}\n", rule.controls.join(", "));
    }
    for link in &rule.references {
        let _ = writeln!(out, "<{link}>");
    }
}

/// Text of a repository as inline code, whatever it holds.
fn code(text: &str) -> String {
    let fence = "`".repeat(text.split(|c| c != '`').map(str::len).max().unwrap_or(0) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}
