//! `auditlint export`

use auditlint_analysis::Settings;

use crate::arguments::{ExportOptions, Selection};
use crate::failure::Failure;
use crate::inputs::{self, Extra};
use crate::output;

pub(crate) fn run(options: ExportOptions) -> Result<u8, Failure> {
    let ExportOptions { scope, source, commit, output: file } = options;
    let paths = scope.paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    // How a store is encrypted is what rules know: all of them are asked.
    let policy = vec!["auditlint:everything".to_owned()];
    let selection = Selection { scope, policy, select: Vec::new(), ignore: Vec::new() };
    let settings = Settings { today: Some(auditlint_analysis::today()), ..Settings::default() };
    let extra = Extra { source: source.as_deref(), settings, ..Extra::default() };
    let inputs = inputs::read(&selection, extra)?;
    if let Some((path, reason)) = inputs.broken.first() {
        return Err(Failure::new(format!("{path}: {reason}")));
    }
    let analysis = inputs.host.analysis();
    let flows = analysis.flows().map_err(|_| Failure::new("the files changed during the run"))?;
    let [root] = flows.roots.as_slice() else {
        let names: Vec<&str> = flows.roots.iter().map(|root| &*root.name).collect();
        return Err(match names.as_slice() {
            [] => Failure::new(format!("no Terraform files in {paths}"))
                .hint("name the folder of a root, a plan, or a state"),
            names => Failure::new(format!("{paths} holds {} roots: {}", names.len(), names.join(", ")))
                .hint("name one of them: each has a file of its own"),
        });
    };
    let digest = &analysis.policy_set().policy.digest;
    let text = auditlint_report::export(root, &flows, digest, commit.as_deref());
    match &file {
        Some(path) => output::replace(path, text.as_bytes())
            .map_err(|error| Failure::from(error).hint("name a file in a folder that can be written to"))?,
        None => output::print(&text)?,
    }
    Ok(if flows.is_complete() { 0 } else { 2 })
}
