//! The pages below `tests/semantics`: one test for each case.

use anyhow::Context as _;
use auditlint_tests::case::cases;
use auditlint_tests::{catalogue, files_below, repository};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let trials = trials().unwrap_or_else(|error| {
        let message = format!("{error:#}");
        vec![Trial::test("semantics", move || Err(Failed::from(message)))]
    });
    libtest_mimic::run(&arguments, trials).exit();
}

fn trials() -> anyhow::Result<Vec<Trial>> {
    let catalogue = catalogue()?;
    let top = repository().join("tests/semantics");
    let mut trials = Vec::new();
    for path in files_below(&top, "md")? {
        #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
        let page = std::fs::read_to_string(&path)?;
        let name = path.strip_prefix(&top)?.with_extension("");
        for case in cases(&page).with_context(|| path.to_string())? {
            let catalogue = catalogue.clone();
            trials.push(Trial::test(format!("{name} :: {}", case.name), move || {
                case.judge(&catalogue).map_err(|error| Failed::from(format!("{error:#}")))
            }));
        }
    }
    Ok(trials)
}
