//! The pages below `tests/flow`: where the logs of a configuration go, how long they are kept there and what that comes
//! to, for the configuration and for the plan that terraform makes of it.
//!
//! The plans lie in `tests/flow/plans`. `AUDITLINT_OVERWRITE=1` records them anew, and those whose configuration changed
//! are missed without it; that takes terraform and the material beside the repository.

use std::io::Write as _;

use anyhow::{Context as _, ensure};
use auditlint_tests::case::{Case, cases};
use auditlint_tests::{catalogue, files_below, overwrites, plans, repository};
use camino::{Utf8Path, Utf8PathBuf};
use flate2::Compression;
use flate2::write::GzEncoder;
use libtest_mimic::{Arguments, Failed, Trial};
use sha2::{Digest as _, Sha256};

fn main() {
    let arguments = Arguments::from_args();
    let trials = trials().unwrap_or_else(|error| {
        let message = format!("{error:#}");
        vec![Trial::test("flow scenarios", move || Err(Failed::from(message)))]
    });
    libtest_mimic::run(&arguments, trials).exit();
}

fn trials() -> anyhow::Result<Vec<Trial>> {
    let catalogue = catalogue()?;
    let top = repository().join("tests/flow");
    let (mut trials, mut scenarios) = (Vec::new(), 0);
    let mut used: Vec<Utf8PathBuf> = Vec::new();
    for path in files_below(&top, "md")? {
        #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
        let page = std::fs::read_to_string(&path)?;
        let name = path.strip_prefix(&top)?.with_extension("");
        for case in cases(&page).with_context(|| path.to_string())? {
            scenarios += 1;
            if let Some(text) = case.plannable() {
                let plan = recorded(&top, text);
                used.push(plan.clone());
                let (catalogue, case, text) = (catalogue.clone(), case.clone(), text.to_owned());
                trials.push(Trial::test(format!("{name} :: {} (plan)", case.name), move || {
                    planned(&case, &text, &plan)
                        .and_then(|plan| case.judge_plan(&catalogue, &plan))
                        .map_err(|error| Failed::from(format!("{error:#}")))
                }));
            }
            let catalogue = catalogue.clone();
            trials.push(Trial::test(format!("{name} :: {}", case.name), move || {
                case.judge(&catalogue).map_err(|error| Failed::from(format!("{error:#}")))
            }));
        }
    }
    ensure!(scenarios >= 60, "only {scenarios} scenarios");
    trials.push(Trial::test("no plan is left behind", move || {
        let left: Vec<Utf8PathBuf> = files_below(&top.join("plans"), "gz")
            .map_err(|error| Failed::from(error.to_string()))?
            .into_iter()
            .filter(|plan| !used.contains(plan))
            .collect();
        if left.is_empty() { Ok(()) } else { Err(Failed::from(format!("of no scenario: {left:?}"))) }
    }));
    Ok(trials)
}

/// Where the plan of a configuration lies: one that changed has none.
fn recorded(top: &Utf8Path, text: &str) -> Utf8PathBuf {
    let digest = Sha256::digest(text);
    let name = digest.iter().take(8).fold(String::new(), |out, byte| out + &format!("{byte:02x}"));
    top.join("plans").join(format!("{name}.json.gz"))
}

fn planned(case: &Case, text: &str, path: &Utf8Path) -> anyhow::Result<Vec<u8>> {
    if overwrites() && !path.is_file() {
        let tool = plans::tool().context("the material beside the repository is not there")?;
        let plan = tool.plan(text)?;
        let mut gz = GzEncoder::new(Vec::new(), Compression::best());
        gz.write_all(&plan)?;
        #[expect(clippy::disallowed_methods, reason = "the test writes what it is held against")]
        std::fs::write(path, gz.finish()?)?;
    }
    #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
    std::fs::read(path).with_context(|| {
        format!("`{}` has no plan; AUDITLINT_OVERWRITE=1 records it where terraform is", case.name)
    })
}
