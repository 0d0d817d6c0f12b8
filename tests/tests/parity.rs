//! HCL and plan of the same configuration give the same verdicts (law 6): every fixture against its recorded plan,
//! under every rule; and the same with fresh plans where the material beside the repository is present.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use auditlint_analysis::{
    AnalysisHost, Change, DiskFiles, NamedPolicy, Report, RootSpec, Settings, is_terraform, load_policies,
};
use auditlint_graph::terraform::RootInputs;
use auditlint_policy::rule::Input;
use auditlint_policy::{Catalogue, Rule, Verdict};
use auditlint_tests::fixtures::{fixtures, semantics};
use auditlint_tests::{binary, catalogue, files_below, plans, repository, shared};
use camino::{Utf8Path, Utf8PathBuf};
use libtest_mimic::{Arguments, Failed, Trial};

/// The worst verdict of each rule and address (without keys).
type Verdicts = BTreeMap<(String, String), Verdict>;

fn main() {
    let arguments = Arguments::from_args();
    let trials = trials().unwrap_or_else(|error| {
        let message = format!("{error:#}");
        vec![Trial::test("parity", move || Err(Failed::from(message)))]
    });
    libtest_mimic::run(&arguments, trials).exit();
}

/// A recorded plan and what it was made of.
#[derive(Clone)]
struct Recorded {
    folder: Utf8PathBuf,
    values: Option<Utf8PathBuf>,
    plan: Utf8PathBuf,
}

fn trials() -> anyhow::Result<Vec<Trial>> {
    let catalogue = catalogue()?;
    let top = repository().join("fixtures");
    let mut trials = Vec::new();
    for one in recorded(&top)? {
        let named = one.plan.strip_prefix(&top)?.with_extension("");
        let catalogue = Arc::clone(&catalogue);
        trials.push(Trial::test(format!("{named}"), move || {
            same(&catalogue, &one).map_err(|error| Failed::from(format!("{error:#}")))
        }));
    }
    ensure!(trials.len() >= 12, "only {} recorded plans", trials.len());
    trials.push(Trial::test("what only one side knows", move || {
        few_are_softer(&catalogue).map_err(|error| Failed::from(format!("{error:#}")))
    }));
    let tool = shared().map(|shared| shared.join("tools/parity.py")).filter(|tool| tool.is_file());
    let ready = tool.is_some() && plans::terraform_and_protocol();
    trials.push(
        Trial::test("fresh plans of every fixture", move || {
            let Some(tool) = &tool else { return Ok(()) };
            fresh(tool).map_err(|error| Failed::from(format!("{error:#}")))
        })
        .with_ignored_flag(!ready),
    );
    Ok(trials)
}

/// The plans below a folder. `plan.json` was made with `plan.tfvars`, `plan.dev.json` with `dev.tfvars`.
fn recorded(top: &Utf8Path) -> anyhow::Result<Vec<Recorded>> {
    let mut all = Vec::new();
    for plan in files_below(top, "json")? {
        let name = plan.file_name().unwrap_or_default();
        if !name.starts_with("plan.") {
            continue;
        }
        let folder = plan.parent().map(Utf8Path::to_owned).unwrap_or_default();
        let stem = name.trim_end_matches(".json");
        let values = folder.join(format!("{}.tfvars", stem.strip_prefix("plan.").unwrap_or(stem)));
        all.push(Recorded { values: values.is_file().then_some(values), folder, plan });
    }
    Ok(all)
}

/// The reports on the configuration, on the plan, and on the plan with the configuration beside it.
fn reports(catalogue: &Arc<Catalogue>, one: &Recorded) -> anyhow::Result<[Report; 3]> {
    let top = repository();
    let inside = |path: &Utf8Path| path.strip_prefix(&top).map(Utf8Path::to_owned).unwrap_or_default();
    let inputs = RootInputs {
        folder: inside(&one.folder),
        var_files: one.values.as_deref().map(inside).into_iter().collect(),
        vars: Vec::new(),
        workspace: None,
        ..RootInputs::default()
    };
    let mut hcl = host(catalogue, &top)?;
    hcl.apply_change(Change::Roots(vec![RootSpec::Folder { inputs: inputs.clone(), environment: None }]));
    let mut alone = host(catalogue, &top)?;
    let mut joined = host(catalogue, &top)?;
    #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
    let text = std::fs::read(&one.plan)?;
    alone.add_plan(&inside(&one.plan), None, &mut text.as_slice())?;
    joined.add_plan(&inside(&one.plan), Some(inputs), &mut text.as_slice())?;
    Ok([report(&hcl)?, report(&alone)?, report(&joined)?])
}

/// How many resources the plan deletes: it holds them, and the configuration does not.
fn gone(one: &Recorded) -> anyhow::Result<u32> {
    #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
    let plan: serde_json::Value = serde_json::from_slice(&std::fs::read(&one.plan)?)?;
    let changes = plan.get("resource_changes").and_then(serde_json::Value::as_array);
    let goes = |change: &&serde_json::Value| {
        let actions = change.pointer("/change/actions");
        actions.is_some_and(|actions| *actions == serde_json::json!(["delete"]))
    };
    Ok(u32::try_from(changes.into_iter().flatten().filter(goes).count())?)
}

fn same(catalogue: &Arc<Catalogue>, one: &Recorded) -> anyhow::Result<()> {
    let [hcl, alone, joined] = reports(catalogue, one)?;
    let mut wrong = Vec::new();
    let gone = gone(one)?;
    for (side, planned) in [("plan", &alone), ("plan with its source", &joined)] {
        ensure!(
            hcl.summary.resources + gone == planned.summary.resources,
            "{} resources in the configuration and {gone} that go, {} in the {side}",
            hcl.summary.resources,
            planned.summary.resources
        );
        for (rule, address, a, b) in pairs(&hcl, planned) {
            // A plan may know what the configuration cannot. What the plan alone does not know (a text with a
            // part that is known after the apply), the configuration beside it still decides.
            let softer = a == Verdict::Unknown || (b == Verdict::Unknown && side == "plan");
            if a != b && !softer {
                wrong.push(format!(
                    "{rule} {address}: {} in the configuration, {} in the {side}",
                    a.as_str(),
                    b.as_str()
                ));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Rule and address (without keys), and the verdicts of two reports on them.
fn pairs(left: &Report, right: &Report) -> Vec<(String, String, Verdict, Verdict)> {
    let (left, right) = (verdicts(left), verdicts(right));
    let keys: BTreeSet<_> = left.keys().chain(right.keys()).cloned().collect();
    let of =
        |side: &Verdicts, key: &(String, String)| side.get(key).copied().unwrap_or(Verdict::NotApplicable);
    keys.into_iter()
        .map(|key| {
            let (a, b) = (of(&left, &key), of(&right, &key));
            (key.0, key.1, a, b)
        })
        .collect()
}

/// Where one side knows what the other does not, nothing contradicts; but it has to stay rare, or the comparison
/// says little. Each of these folders holds something that fails and something that passes, so none is empty talk.
fn few_are_softer(catalogue: &Arc<Catalogue>) -> anyhow::Result<()> {
    let (mut compared, mut softer, mut one_sided) = (0, Vec::new(), Vec::new());
    for folder in semantics()? {
        let mut seen = BTreeSet::new();
        for one in recorded(&folder)? {
            let [hcl, alone, _] = reports(catalogue, &one)?;
            seen.extend(hcl.findings().map(|(_, finding)| finding.verdict.as_str()));
            for (rule, address, a, b) in pairs(&hcl, &alone) {
                compared += 1;
                if a != b {
                    softer.push(format!("{}: {rule} {address}: {}, {}", one.plan, a.as_str(), b.as_str()));
                }
            }
        }
        if ![Verdict::Fail, Verdict::Pass].iter().all(|verdict| seen.contains(verdict.as_str())) {
            one_sided.push(format!("{folder}: only {seen:?}"));
        }
    }
    ensure!(one_sided.is_empty(), "{}", one_sided.join("\n"));
    ensure!(compared >= 500, "only {compared} compared");
    ensure!(softer.len() * 20 <= compared, "{} of {compared}:\n{}", softer.len(), softer.join("\n"));
    Ok(())
}

fn host(catalogue: &Arc<Catalogue>, top: &Utf8Path) -> anyhow::Result<AnalysisHost> {
    let files = Arc::new(DiskFiles::new(top.to_owned()));
    let named = [NamedPolicy::BuiltIn("auditlint:everything".to_owned())];
    let set = load_policies(catalogue, &*files, Utf8Path::new(""), &named)?;
    Ok(AnalysisHost::new(files, set, Settings { keep_passes: true, ..Settings::default() }))
}

fn report(host: &AnalysisHost) -> anyhow::Result<Report> {
    let analysis = host.analysis();
    let report = analysis.check(&analysis.roots()).map_err(|_| anyhow::anyhow!("cancelled"))?;
    let gaps: Vec<String> = report
        .roots
        .iter()
        .flat_map(|root| &root.gaps)
        .map(|gap| format!("{} {}: {}", gap.kind.as_str(), gap.path, gap.reason))
        .collect();
    ensure!(gaps.is_empty(), "gaps: {}", gaps.join("; "));
    Ok(report)
}

fn verdicts(report: &Report) -> Verdicts {
    let both = |rule: &str| {
        let rule = report.policy.bindings.iter().find(|binding| *binding.rule.id == *rule);
        rule.is_none_or(|binding| judges_both(&binding.rule))
    };
    let mut out: BTreeMap<(String, String), Vec<Verdict>> = BTreeMap::new();
    for (_, finding) in report.findings().filter(|(_, finding)| both(&finding.rule)) {
        let key = (finding.rule.to_string(), finding.address.without_keys().to_string());
        out.entry(key).or_default().push(finding.verdict);
    }
    out.into_iter().map(|(key, all)| (key, Verdict::all(all))).collect()
}

/// Whether the rule can judge configurations as well as plans.
fn judges_both(rule: &Rule) -> bool {
    rule.inputs.contains(&Input::Hcl) && rule.inputs.contains(&Input::Plan)
}

fn fresh(tool: &Utf8Path) -> anyhow::Result<()> {
    let guard = tempfile::tempdir()?;
    let schemas = Utf8Path::from_path(guard.path()).context("a path in UTF-8")?;
    plans::tool().context("what makes plans is not there")?.write_schemas(&texts()?, schemas)?;
    let folders: Vec<String> = fixtures()?
        .into_iter()
        .chain(semantics()?)
        .filter(is_root)
        .map(|folder| folder.to_string())
        .collect();
    let output = Command::new("python3")
        .arg(tool)
        .args(["--schemas", schemas.as_str(), "--bin", binary::auditlint().as_str()])
        .args(&folders)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let last = text.lines().last().unwrap_or_default();
    ensure!(last.contains("conflict 0") && last.contains("error 0"), "{text}");
    Ok(())
}

/// All that the fixtures say.
#[expect(clippy::disallowed_methods, reason = "the test looks for the types that fixtures name")]
fn texts() -> anyhow::Result<String> {
    let mut all = String::new();
    for ending in ["tf", "json", "tofu"] {
        for path in files_below(&repository().join("fixtures"), ending)? {
            all.push_str(&std::fs::read_to_string(path)?);
        }
    }
    Ok(all)
}

/// Whether a fixture is a root itself, and no folder of roots.
fn is_root(folder: &Utf8PathBuf) -> bool {
    let mut entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    entries.any(|entry| is_terraform(entry.file_name()))
}
