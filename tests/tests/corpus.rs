//! The plans and configurations of other tools' suites, where they lie beside the repository: every one is read,
//! and what it lacks is a gap with a name. Without them these tests are left out.

use anyhow::{Context as _, ensure};
use auditlint_tests::binary::run;
use auditlint_tests::{files_below, repository, shared};
use camino::Utf8PathBuf;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

fn main() {
    let arguments = Arguments::from_args();
    let trials = trials().unwrap_or_else(|error| {
        let message = format!("{error:#}");
        vec![Trial::test("corpus", move || Err(Failed::from(message)))]
    });
    libtest_mimic::run(&arguments, trials).exit();
}

fn trials() -> anyhow::Result<Vec<Trial>> {
    let Some(corpus) = shared().map(|shared| shared.join("corpus")).filter(|corpus| corpus.is_dir()) else {
        return Ok(vec![Trial::test("the corpus", || Ok(())).with_ignored_flag(true)]);
    };
    let mut trials = Vec::new();
    for plan in files_below(&corpus.join("plans"), "json")? {
        let name = plan.file_stem().unwrap_or_default().to_owned();
        trials.push(Trial::test(format!("plan {name}"), move || {
            is_read(&plan, "plan").map_err(|error| Failed::from(format!("{error:#}")))
        }));
    }
    ensure!(trials.len() >= 39, "only {} plans", trials.len());
    let mut folders: Vec<Utf8PathBuf> = Vec::new();
    for file in files_below(&corpus.join("open/cases"), "tf")? {
        folders.extend(file.parent().map(Into::into));
    }
    folders.dedup();
    trials.push(Trial::test("every folder is read", move || {
        folders
            .iter()
            .try_for_each(|folder| is_read(folder, "hcl").map_err(|error| Failed::from(format!("{error:#}"))))
    }));
    Ok(trials)
}

fn is_read(target: &Utf8PathBuf, mode: &str) -> anyhow::Result<()> {
    let words =
        ["check", target.as_str(), "--policy", "auditlint:everything", "--format", "json", "--no-recurse"];
    let run = run(&repository(), &words)?;
    ensure!((0..=2).contains(&run.exit), "{target}: exit {}: {}", run.exit, run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).with_context(|| target.to_string())?;
    let told = report.pointer("/run/mode").and_then(Value::as_str);
    ensure!(told == Some(mode), "{target} was read as {told:?}");
    for gap in report.get("gaps").and_then(Value::as_array).into_iter().flatten() {
        let reason = gap.get("reason").and_then(Value::as_str).unwrap_or_default();
        ensure!(!reason.is_empty(), "{target}: a gap without a reason");
    }
    ensure!(!run.stderr.contains("panicked"), "{target}: {}", run.stderr);
    Ok(())
}
