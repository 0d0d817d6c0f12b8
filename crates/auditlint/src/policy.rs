//! `auditlint policy`

use std::collections::BTreeSet;

use auditlint_analysis::{Report, Settings};
use auditlint_policy::{Policy, Reading, Verdict};
use auditlint_report::{difference, policy_json, policy_schema, policy_text, test_schema};
use auditlint_syntax::document::reader::nearest;

use crate::arguments::{ListFormat, PolicyCommand, Scope, Selection};
use crate::catalogue;
use crate::failure::Failure;
use crate::inputs::{self, Extra};
use crate::output;

pub(crate) fn run(command: PolicyCommand) -> Result<u8, Failure> {
    match command {
        PolicyCommand::Show { policy, env, why, format } => {
            show(policy, env.as_deref(), why.as_deref(), format)
        }
        PolicyCommand::Env { selection } => environments(&selection),
        PolicyCommand::Diff { old, new, scope } => diff(old, new, scope),
        #[cfg(feature = "bundles")]
        PolicyCommand::Update { policy, locked } => crate::bundles::update(&policy, locked),
        PolicyCommand::Schema { tests: true } => {
            output::print(&test_schema())?;
            Ok(0)
        }
        PolicyCommand::Schema { tests: false } => {
            output::print(&policy_schema(&*catalogue::load(Reading::WithoutExamples)?))?;
            Ok(0)
        }
    }
}

/// Prints what a policy asks, in an environment or where none is known.
fn show(
    policy: Vec<String>,
    env: Option<&str>,
    why: Option<&str>,
    format: ListFormat,
) -> Result<u8, Failure> {
    let set = inputs::policies_here(policy)?;
    let all = &set.policy;
    let chosen: &Policy = match env {
        None => all,
        Some(name) => {
            let found = all.environments.iter().find(|environment| environment.name == name);
            &found.ok_or_else(|| undeclared(all, name))?.policy
        }
    };
    let names = || all.environments.iter().map(|environment| environment.name.as_str()).collect::<Vec<_>>();
    let environment = match (env, names().as_slice()) {
        (Some(name), _) => format!(" in {name}"),
        (None, []) => String::new(),
        (None, names) => format!(", the strictest of {}", names.join(", ")),
    };
    let text = match format {
        ListFormat::Json => policy_json(chosen, env),
        ListFormat::Text => {
            policy_text(chosen, &format!("{}{environment}", chosen.id), why).map_err(|names| {
                let path = why.unwrap_or_default();
                let failure = Failure::new(format!("the policy says nothing of {path}"));
                match nearest(path, names.iter().map(String::as_str)) {
                    Some(near) => failure.hint(format!("did you mean `{near}`?")),
                    None => failure.hint("`auditlint policy show` prints all that it says"),
                }
            })?
        }
    };
    output::print(&text)?;
    Ok(0)
}

fn undeclared(policy: &Policy, name: &str) -> Failure {
    let names: Vec<&str> = policy.environments.iter().map(|one| one.name.as_str()).collect();
    let failure = Failure::new(format!("the policy has no environment {name}"));
    match (nearest(name, names.iter().copied()), names.as_slice()) {
        (Some(near), _) => failure.hint(format!("did you mean `{near}`?")),
        (None, []) => failure.hint("declare it under `environments` of the policy"),
        (None, names) => failure.hint(format!("the environments are {}", names.join(", "))),
    }
}

fn checked(selection: &Selection) -> Result<Report, Failure> {
    let settings = Settings { today: Some(auditlint_analysis::today()), ..Settings::default() };
    let inputs = inputs::read(selection, Extra { settings, ..Extra::default() })?;
    if let Some((path, reason)) = inputs.broken.first() {
        return Err(Failure::new(format!("{path}: {reason}")));
    }
    let analysis = inputs.host.analysis();
    let roots = analysis.roots();
    if roots.is_empty() {
        let paths: Vec<&str> = selection.scope.paths.iter().map(|path| path.as_str()).collect();
        return Err(Failure::new(format!("no Terraform files in {}", paths.join(", "))));
    }
    analysis.check(&roots).map_err(|_| Failure::new("the files changed during the run"))
}

/// Prints which environment each root is, and why.
fn environments(selection: &Selection) -> Result<u8, Failure> {
    let report = checked(selection)?;
    let mut out = String::new();
    for root in &report.roots {
        let path = if root.path.as_str().is_empty() { "." } else { root.path.as_str() };
        let (name, why) = match &root.environment {
            Some((name, why)) => (name.as_str(), why.as_str()),
            None => ("none", "the policy has no environments"),
        };
        out.push_str(&auditlint_report::plain(&format!("{path} → {name}: {why}")));
        out.push('\n');
    }
    output::print(&out)?;
    Ok(0)
}

/// Prints which findings another policy brings and takes.
fn diff(old: String, new: String, scope: Scope) -> Result<u8, Failure> {
    let mut selection = Selection { scope, policy: vec![old], select: Vec::new(), ignore: Vec::new() };
    let before = checked(&selection)?;
    selection.policy = vec![new];
    let after = checked(&selection)?;
    let known = |report: &Report| -> BTreeSet<(String, Verdict)> {
        let findings =
            report.findings().filter(|(_, one)| matches!(one.verdict, Verdict::Fail | Verdict::Unknown));
        findings.map(|(_, finding)| (finding.fingerprint(), finding.verdict)).collect()
    };
    let (gone, came) = (known(&before), known(&after));
    let text = difference(&before, &after, &gone, &came);
    output::print(&text)?;
    Ok(u8::from(came.difference(&gone).next().is_some()))
}
