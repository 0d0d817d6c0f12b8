//! Every fixed text of the rules' examples, planned by terraform: what the fix was for is gone from the plan, and
//! nothing else is wrong there that was right before. Where terraform or the material beside the repository is
//! missing, these tests are left out.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use auditlint_analysis::{AnalysisHost, Change, NamedPolicy, RootSpec, Settings, load_policies};
use auditlint_graph::terraform::RootInputs;
use auditlint_policy::rule::Example;
use auditlint_policy::{Catalogue, Rule, Verdict};
use auditlint_syntax::{Files as _, MemoryFiles, Source};
use auditlint_tests::{catalogue, marks, plans};
use camino::{Utf8Path, Utf8PathBuf};
use libtest_mimic::{Arguments, Failed, Trial};

/// What fails: rule and address, without keys.
type Failing = BTreeSet<(String, String)>;

fn main() {
    let arguments = Arguments::from_args();
    let trials = trials().unwrap_or_else(|error| {
        let message = format!("{error:#}");
        vec![Trial::test("fixed plans", move || Err(Failed::from(message)))]
    });
    libtest_mimic::run(&arguments, trials).exit();
}

fn trials() -> anyhow::Result<Vec<Trial>> {
    let catalogue = catalogue()?;
    let tool = plans::tool();
    let mut trials = Vec::new();
    for rule in catalogue.rules().iter().filter(|rule| rule.examples.iter().any(is_planned)) {
        let (catalogue, own, tool) = (Arc::clone(&catalogue), Arc::clone(rule), tool.clone());
        let is_there = tool.is_some();
        let trial = Trial::test(rule.id.to_string(), move || {
            let Some(tool) = tool.as_ref().filter(|_| plans::terraform_and_protocol()) else {
                let left_out = "left out: terraform, or the messages of its protocol, are not there";
                return writeln!(std::io::stderr().lock(), "{left_out}").map_err(Failed::from);
            };
            if let Some(kind) =
                own.selects.iter().find(|kind| !kind.contains(':') && !tool.has_provider_of(kind))
            {
                let left_out = format!("left out: no schema of the provider of {kind} is there");
                return writeln!(std::io::stderr().lock(), "{left_out}").map_err(Failed::from);
            }
            let mut examples = own.examples.iter().filter(|example| is_planned(example));
            examples.try_for_each(|example| {
                proven(&catalogue, &own, example, tool)
                    .map_err(|error| Failed::from(format!("line {}: {error:#}", example.line)))
            })
        });
        trials.push(trial.with_ignored_flag(!is_there));
    }
    ensure!(trials.len() >= 100, "only {} rules have a fix", trials.len());
    Ok(trials)
}

/// Terraform plans no call of a module that is not installed, and no manifest of Kubernetes without a cluster that knows its
/// kind.
fn is_planned(example: &Example) -> bool {
    let is_other =
        |line: &str| line.starts_with("module ") || line.starts_with("resource \"kubernetes_manifest\"");
    example.fixed.as_deref().is_some_and(|fixed| !fixed.lines().any(is_other))
}

fn proven(
    catalogue: &Arc<Catalogue>,
    rule: &Rule,
    example: &Example,
    tool: &plans::Tool,
) -> anyhow::Result<()> {
    let fixed = example.fixed.as_deref().context("a fixed text")?;
    let (before, _) = marks(&example.hcl)?;
    let plan = tool.plan(fixed)?;
    let own = format!("rules:\n  - {}\n", rule.id);
    let policy = example.policy.as_deref().unwrap_or(&own);
    let left: Failing = failing(catalogue, policy, Input::Text(fixed))?;
    let gone: Failing =
        failing(catalogue, policy, Input::Text(&before))?.difference(&left).cloned().collect();
    let still: Vec<_> =
        failing(catalogue, policy, Input::Plan(&plan))?.intersection(&gone).cloned().collect();
    if !still.is_empty() {
        bail!("the plan of the fixed text still has {still:?}");
    }
    let known = failing(catalogue, "auditlint:everything", Input::Text(&before))?;
    let added: Vec<_> =
        failing(catalogue, "auditlint:everything", Input::Plan(&plan))?.difference(&known).cloned().collect();
    ensure!(added.is_empty(), "the plan of the fixed text has more: {added:?}");
    Ok(())
}

#[derive(Clone, Copy)]
enum Input<'a> {
    Text(&'a str),
    Plan(&'a [u8]),
}

fn failing(catalogue: &Arc<Catalogue>, policy: &str, input: Input<'_>) -> anyhow::Result<Failing> {
    let files = match input {
        Input::Text(text) => MemoryFiles::of([("main.tf", text)]),
        Input::Plan(_) => MemoryFiles::default(),
    };
    let files = Arc::new(files);
    let named = if policy.starts_with("auditlint:") {
        NamedPolicy::BuiltIn(policy.to_owned())
    } else {
        let path = Utf8PathBuf::from("policy.yaml");
        let file = files.paths().id(&path);
        NamedPolicy::Text(Arc::new(Source::new(file, path, Arc::from(policy.as_bytes()))))
    };
    let set = load_policies(catalogue, &*files, Utf8Path::new(""), &[named])?;
    let mut host = AnalysisHost::new(files, set, Settings::default());
    match input {
        Input::Text(_) => {
            let inputs = RootInputs::default();
            host.apply_change(Change::Roots(vec![RootSpec::Folder { inputs, environment: None }]));
        }
        Input::Plan(mut bytes) => drop(host.add_plan("plan.json".into(), None, &mut bytes)?),
    }
    let analysis = host.analysis();
    let report = analysis.check(&analysis.roots()).map_err(|_| anyhow::anyhow!("cancelled"))?;
    let found = report.findings().filter(|(_, finding)| finding.verdict == Verdict::Fail);
    Ok(found
        .map(|(_, finding)| (finding.rule.to_string(), finding.address.without_keys().to_string()))
        .collect())
}
