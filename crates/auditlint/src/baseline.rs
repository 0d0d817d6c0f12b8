//! `auditlint baseline`

use auditlint_analysis::{BASELINE_NAME, Baseline, Report, Settings};
use camino::{Utf8Path, Utf8PathBuf};

use crate::arguments::{BaselineCommand, Selection};
use crate::failure::Failure;
use crate::inputs::{self, Extra};
use crate::output;

pub(crate) fn run(command: BaselineCommand) -> Result<u8, Failure> {
    match command {
        BaselineCommand::Create { selection } => create(&selection),
        BaselineCommand::Update { selection } => update(&selection),
        BaselineCommand::Diff { selection } => diff(&selection),
    }
}

/// What is there without any baseline, the one that is written, and where it is or would be.
struct Now {
    report: Report,
    written: Option<Baseline>,
    path: Utf8PathBuf,
}

fn now(selection: &Selection) -> Result<Now, Failure> {
    let settings = Settings { today: Some(auditlint_analysis::today()), ..Settings::default() };
    let extra = Extra { settings, without_baseline: true, ..Extra::default() };
    let inputs = inputs::read(selection, extra)?;
    if let Some((path, reason)) = inputs.broken.first() {
        return Err(Failure::new(format!("{path}: {reason}")));
    }
    let analysis = inputs.host.analysis();
    let roots = analysis.roots();
    if roots.is_empty() {
        let paths: Vec<&str> = selection.scope.paths.iter().map(|path| path.as_str()).collect();
        return Err(Failure::new(format!("no Terraform files in {}", paths.join(", "))));
    }
    let report = analysis.check(&roots).map_err(|_| Failure::new("the files changed during the run"))?;
    let config = analysis.policy_set().config.as_ref().and_then(|(path, _)| path.parent());
    let folder = config.unwrap_or_else(|| Utf8Path::new(""));
    let path = inputs.files.root().join(folder).join(BASELINE_NAME);
    Ok(Now { report, written: inputs.baseline, path })
}

/// Accepts everything that is open.
fn create(selection: &Selection) -> Result<u8, Failure> {
    let Now { report, written, path } = now(selection)?;
    if written.is_some() {
        return Err(Failure::new(format!("there is a baseline already: {path}"))
            .hint("`auditlint baseline update` takes out of it what was mended; it is never added to"));
    }
    let baseline = Baseline::of(&report, &auditlint_analysis::today().to_string());
    write(&path, &baseline)?;
    let (findings, gaps) = (baseline.findings.len(), baseline.gaps.len());
    output::print(&format!("{findings} findings and {gaps} gaps accepted in {BASELINE_NAME}\n"))?;
    Ok(0)
}

/// Takes out what was mended.
fn update(selection: &Selection) -> Result<u8, Failure> {
    let Now { report, written, path } = now(selection)?;
    let old = written.ok_or_else(missing)?;
    let shrunk = old.shrunk(&report);
    let gone = old.findings.len() + old.gaps.len() - shrunk.findings.len() - shrunk.gaps.len();
    if gone > 0 {
        write(&path, &shrunk)?;
    }
    output::print(&format!(
        "{gone} taken out, {} findings and {} gaps stay\n",
        shrunk.findings.len(),
        shrunk.gaps.len()
    ))?;
    Ok(0)
}

/// Prints what is new beside the baseline, and what of it was mended.
fn diff(selection: &Selection) -> Result<u8, Failure> {
    let Now { report, written, .. } = now(selection)?;
    let old = written.ok_or_else(missing)?;
    let now = Baseline::of(&report, "");
    let shrunk = old.shrunk(&report);
    let mut out = String::new();
    let mut new = 0;
    for (fingerprint, one) in
        now.findings.iter().filter(|(fingerprint, _)| !shrunk.findings.contains_key(*fingerprint))
    {
        new += 1;
        let worse = if old.findings.contains_key(fingerprint) {
            " (it was there, and is another one now)"
        } else {
            ""
        };
        out.push_str(&format!("+ {} {} of {}{worse}\n", one.verdict, one.rule, one.address));
    }
    for (_, one) in old.findings.iter().filter(|(fingerprint, _)| !now.findings.contains_key(*fingerprint)) {
        out.push_str(&format!("- {} {} of {}\n", one.verdict, one.rule, one.address));
    }
    for (_, reason) in now.gaps.iter().filter(|(fingerprint, _)| !old.gaps.contains_key(*fingerprint)) {
        new += 1;
        out.push_str(&format!("+ gap: {reason}\n"));
    }
    let text: String = out.lines().map(|line| auditlint_report::plain(line) + "\n").collect();
    output::print(&format!("{text}{new} beside the baseline\n"))?;
    Ok(u8::from(new > 0))
}

fn missing() -> Failure {
    Failure::new(format!("there is no {BASELINE_NAME}")).hint("`auditlint baseline create` writes one")
}

fn write(path: &Utf8Path, baseline: &Baseline) -> Result<(), Failure> {
    output::replace(path, baseline.text().as_bytes())
        .map_err(|error| Failure::from(error).hint("the folder must be one that can be written to"))
}
