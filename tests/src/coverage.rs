//! The rules beside the checks of other tools, as `docs/coverage.md` shows them: a rule's aliases are their ids.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use auditlint_policy::Catalogue;

/// The tools, in the order of the columns.
const TOOLS: [&str; 7] = ["Checkov", "Trivy", "KICS", "Steampipe", "tfsec", "Terrascan", "Regula"];

/// The tool that has a check of that id.
///
/// # Errors
/// When no tool names its checks like that.
pub fn tool(alias: &str) -> anyhow::Result<&'static str> {
    const PREFIXES: [(&str, &str); 7] = [
        ("CKV_", "Checkov"),
        ("CKV2_", "Checkov"),
        ("kics-", "KICS"),
        ("steampipe-", "Steampipe"),
        ("tfsec-", "tfsec"),
        ("AC_", "Terrascan"),
        ("FG_", "Regula"),
    ];
    if let Some((_, tool)) = PREFIXES.iter().find(|(prefix, _)| alias.starts_with(prefix)) {
        return Ok(tool);
    }
    // Trivy names its checks by three letters of the provider and a number, and did so with `AVD-` before them.
    let short = alias.strip_prefix("AVD-").unwrap_or(alias);
    match short.split_once('-') {
        Some((provider, number))
            if provider.len() == 3
                && provider.bytes().all(|byte| byte.is_ascii_uppercase())
                && !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Ok("Trivy")
        }
        _ => bail!("no tool names a check `{alias}`"),
    }
}

/// A row for each rule that another tool has a check for, and for each tool how many of its checks they are.
///
/// # Errors
/// When an alias is of no tool.
pub fn tables(catalogue: &Catalogue) -> anyhow::Result<(String, String)> {
    let mut checks: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    let header = TOOLS.join(" | ");
    let mut rows = format!("| rule | {header} |\n|---|{}\n", "---|".repeat(TOOLS.len()));
    let mut alone = 0;
    for rule in catalogue.rules() {
        if rule.aliases.is_empty() {
            alone += 1;
            continue;
        }
        let mut own: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for alias in &rule.aliases {
            let tool = tool(alias)?;
            checks.entry(tool).or_default().insert(alias);
            own.entry(tool).or_default().push(format!("`{alias}`"));
        }
        own.keys().for_each(|tool| *rules.entry(tool).or_default() += 1);
        let cells = TOOLS.map(|tool| own.get(tool).map_or(String::new(), |ids| ids.join(", ")));
        rows.push_str(&format!("| [`{0}`](rules/{0}.md) | {1} |\n", rule.id, cells.join(" | ")));
    }
    let mut counts = String::from("| tool | its checks that a rule stands for | rules |\n|---|---|---|\n");
    for tool in TOOLS {
        let checks = checks.get(tool).map_or(0, BTreeSet::len);
        counts.push_str(&format!("| {tool} | {checks} | {} |\n", rules.get(tool).copied().unwrap_or(0)));
    }
    counts.push_str(&format!("| none of them | | {alone} |\n"));
    Ok((counts, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_of_the_tool_that_names_its_checks_so() {
        let known = [
            ("CKV2_AWS_11", "Checkov"),
            ("AWS-0178", "Trivy"),
            ("AVD-AZU-0057", "Trivy"),
            ("kics-aws-vpc_flowlogs_disabled", "KICS"),
            ("steampipe-vpc_flow_logs_enabled", "Steampipe"),
            ("tfsec-aws-vpc-no-flow-log", "tfsec"),
            ("AC_AWS_0369", "Terrascan"),
            ("FG_R00054", "Regula"),
        ];
        for (alias, expected) in known {
            assert_eq!(tool(alias).ok(), Some(expected), "{alias}");
        }
        for alias in ["AWS-", "aws-0178", "CIS-AWS:3.7", "kics"] {
            assert!(tool(alias).is_err(), "{alias}");
        }
    }
}
