//! `auditlint test`

use auditlint_analysis::DiskFiles;
use auditlint_analysis::testing::{
    TestBed, TestReport, is_rego_test, is_rule, is_test, run_examples, run_rego_tests, run_tests,
};
use auditlint_policy::Reading;
use auditlint_report::{TestFormat as Shown, tests};
use auditlint_syntax::{EntryKind, Files as _};
use camino::{Utf8Path, Utf8PathBuf};

use crate::arguments::{TestFormat, TestOptions};
use crate::catalogue;
use crate::failure::Failure;
use crate::inputs::absolute;
use crate::output;

/// How deep folders are searched for tests.
const DEEPEST: usize = 16;

pub(crate) fn run(options: &TestOptions) -> Result<u8, Failure> {
    let tops = options.paths.iter().map(|path| absolute(path)).collect::<Result<Vec<_>, Failure>>()?;
    let files = DiskFiles::new(DiskFiles::workspace_of(&tops));
    let mut found = Vec::new();
    for top in &tops {
        let inside = top.strip_prefix(files.root()).map(Utf8Path::to_owned).unwrap_or_default();
        if top.is_dir() {
            search(&inside, &files, 0, &mut found);
        } else {
            found.push(inside);
        }
    }
    found.sort();
    found.dedup();
    let catalogue = catalogue::load(Reading::WithoutExamples)?;
    let bed = TestBed {
        catalogue: &catalogue,
        files: &files,
        today: auditlint_analysis::today(),
        mutants: options.mutants.unwrap_or(usize::MAX),
        seed: options.seed,
    };
    let mut reports: Vec<TestReport> = Vec::new();
    for path in &found {
        let source = files.read(path).map_err(|reason| {
            Failure::new(format!("{path}: {reason}")).hint("name a file of tests (`kind: PolicyTest`)")
        })?;
        reports.push(match () {
            () if is_rego_test(path) => run_rego_tests(&source, &bed),
            () if is_rule(&source) => run_examples(&source, &bed),
            () => run_tests(&source, &bed),
        });
    }
    if reports.is_empty() {
        let paths: Vec<&str> = options.paths.iter().map(|path| path.as_str()).collect();
        return Err(Failure::new(format!("no tests in {}", paths.join(", "))).hint(
            "a file of tests is YAML that begins with `kind: PolicyTest`; `policy:` and `cases:` follow. Tests in Rego stand in `NAME_test.rego`",
        ));
    }
    output::print(&tests(&reports, shown(options.format), options.coverage))?;
    let is_broken = reports.iter().any(|report| !report.problems.is_empty());
    Ok(if is_broken { 3 } else { u8::from(!reports.iter().all(TestReport::is_ok)) })
}

/// The files of tests in a folder and below.
fn search(folder: &Utf8Path, files: &DiskFiles, depth: usize, out: &mut Vec<Utf8PathBuf>) {
    for entry in files.list(folder) {
        let path = folder.join(&entry.name);
        match entry.kind {
            EntryKind::Folder if depth < DEEPEST && !entry.name.starts_with('.') => {
                search(&path, files, depth + 1, out);
            }
            EntryKind::File
                if matches!(path.extension(), Some("yaml" | "yml" | "json"))
                    && files.read(&path).is_ok_and(|source| is_test(&source) || is_rule(&source)) =>
            {
                out.push(path);
            }
            EntryKind::File if is_rego_test(&path) => out.push(path),
            _ => {}
        }
    }
}

const fn shown(format: TestFormat) -> Shown {
    match format {
        TestFormat::Text => Shown::Text,
        TestFormat::Tap => Shown::Tap,
        TestFormat::Junit => Shown::Junit,
        TestFormat::Json => Shown::Json,
    }
}
