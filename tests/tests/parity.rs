//! HCL and plan of the same configuration give the same verdicts (law 6): every fixture against its recorded plan,
//! under every rule; and the same with fresh plans where the material beside the repository is present.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use auditlint_analysis::{
    AnalysisHost, Change, DiskFiles, NamedPolicy, Report, RootSpec, Settings, load_policies,
};
use auditlint_graph::terraform::RootInputs;
use auditlint_policy::rule::Input;
use auditlint_policy::{Catalogue, Rule, Verdict};
use auditlint_tests::fixtures::fixtures;
use auditlint_tests::{binary, catalogue, files_below, repository, shared};
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

fn trials() -> anyhow::Result<Vec<Trial>> {
    let catalogue = catalogue()?;
    let top = repository().join("fixtures");
    let mut trials = Vec::new();
    for plan in files_below(&top, "json")? {
        let name = plan.file_name().unwrap_or_default();
        if !name.starts_with("plan.") {
            continue;
        }
        let folder = plan.parent().map(Utf8Path::to_owned).unwrap_or_default();
        let named = plan.strip_prefix(&top)?.with_extension("");
        // `plan.json` was made with `plan.tfvars`, `plan.dev.json` with `dev.tfvars`.
        let stem = name.trim_end_matches(".json");
        let values = folder.join(format!("{}.tfvars", stem.strip_prefix("plan.").unwrap_or(stem)));
        let values = values.is_file().then_some(values);
        let catalogue = Arc::clone(&catalogue);
        trials.push(Trial::test(format!("{named}"), move || {
            same(&catalogue, &folder, values, &plan).map_err(|error| Failed::from(format!("{error:#}")))
        }));
    }
    ensure!(trials.len() >= 12, "only {} recorded plans", trials.len());
    let tool = shared().map(|shared| shared.join("tools/parity.py")).filter(|tool| tool.is_file());
    let ready = tool.is_some() && terraform_and_protocol();
    trials.push(
        Trial::test("fresh plans of every fixture", move || {
            let Some(tool) = &tool else { return Ok(()) };
            fresh(tool).map_err(|error| Failed::from(format!("{error:#}")))
        })
        .with_ignored_flag(!ready),
    );
    Ok(trials)
}

fn same(
    catalogue: &Arc<Catalogue>,
    folder: &Utf8Path,
    values: Option<Utf8PathBuf>,
    plan: &Utf8Path,
) -> anyhow::Result<()> {
    let top = repository();
    let inside = |path: &Utf8Path| path.strip_prefix(&top).map(Utf8Path::to_owned).unwrap_or_default();
    let inputs = RootInputs {
        folder: inside(folder),
        var_files: values.as_deref().map(inside).into_iter().collect(),
        vars: Vec::new(),
        workspace: None,
        ..RootInputs::default()
    };
    let mut hcl = host(catalogue, &top)?;
    hcl.apply_change(Change::Roots(vec![RootSpec::Folder { inputs: inputs.clone(), environment: None }]));
    let mut alone = host(catalogue, &top)?;
    let mut joined = host(catalogue, &top)?;
    #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
    let text = std::fs::read(plan)?;
    alone.add_plan(&inside(plan), None, &mut text.as_slice())?;
    joined.add_plan(&inside(plan), Some(inputs), &mut text.as_slice())?;
    let hcl = report(&hcl)?;
    let mut wrong = Vec::new();
    for (side, host) in [("plan", &alone), ("plan with its source", &joined)] {
        let planned = report(host)?;
        ensure!(
            hcl.summary.resources == planned.summary.resources,
            "{} resources in the configuration, {} in the {side}",
            hcl.summary.resources,
            planned.summary.resources
        );
        let (left, right) = (verdicts(&hcl), verdicts(&planned));
        let keys: BTreeSet<_> = left.keys().chain(right.keys()).collect();
        for key in keys {
            let of = |side: &Verdicts| side.get(key).copied().unwrap_or(Verdict::NotApplicable);
            let (a, b) = (of(&left), of(&right));
            // A plan may know what the configuration cannot. What the plan alone does not know (a text with a
            // part that is known after the apply), the configuration beside it still decides.
            let softer = a == Verdict::Unknown || (b == Verdict::Unknown && side == "plan");
            if a != b && !softer {
                wrong.push(format!(
                    "{} {}: {} in the configuration, {} in the {side}",
                    key.0,
                    key.1,
                    a.as_str(),
                    b.as_str()
                ));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
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

fn terraform_and_protocol() -> bool {
    let works = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output.is_ok_and(|output| output.status.success())
    };
    works("terraform", &["version"]) && works("python3", &["-c", "import tf, grpc, msgpack"])
}

fn fresh(tool: &Utf8Path) -> anyhow::Result<()> {
    let schemas = tool.parent().and_then(Utf8Path::parent).context("no folder")?.join("schemas");
    let folders: Vec<String> = fixtures()?.into_iter().map(|folder| folder.to_string()).collect();
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
