//! `auditlint report`

use auditlint_analysis::Settings;
use auditlint_policy::Reading;
use auditlint_report::{standard_json, standard_text};
use auditlint_syntax::document::reader::nearest;

use crate::arguments::{ListFormat, ReportOptions, Selection};
use crate::catalogue;
use crate::failure::Failure;
use crate::inputs::{self, Extra};
use crate::output;

pub(crate) fn run(options: ReportOptions) -> Result<u8, Failure> {
    let ReportOptions { scope, source, standard: name, policy, format, output: file } = options;
    let catalogue = catalogue::load(Reading::WithoutExamples)?;
    let standards = catalogue.standards();
    let Some(standard) = standards.iter().find(|standard| standard.policy == name) else {
        let names: Vec<&str> = standards.iter().map(|standard| standard.policy.as_str()).collect();
        let failure = Failure::new(format!("the controls of `{name}` are not known"));
        return Err(match nearest(&name, names.iter().copied()) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint(format!("known are {}", names.join(", "))),
        });
    };
    let policy = if policy.is_empty() { vec![format!("auditlint:{name}")] } else { policy };
    let selection = Selection { scope, policy, select: Vec::new(), ignore: Vec::new() };
    let settings =
        Settings { keep_passes: true, today: Some(auditlint_analysis::today()), ..Settings::default() };
    let inputs = inputs::read(&selection, Extra { source: source.as_deref(), settings, ..Extra::default() })?;
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
    let text = match format {
        ListFormat::Text => standard_text(&report, standard),
        ListFormat::Json => standard_json(&report, standard),
    };
    match &file {
        Some(path) => output::replace(path, text.as_bytes())
            .map_err(|error| Failure::from(error).hint("name a file in a folder that can be written to"))?,
        None => output::print(&text)?,
    }
    let is_whole = report.roots.iter().all(|root| root.gaps.is_empty());
    Ok(if is_whole { 0 } else { 2 })
}
