//! `auditlint flow`

use auditlint_analysis::{FlowRoot, Flows, InputMode, Settings};
use auditlint_graph::{Gap, GapKind};
use auditlint_report::{FlowFormat, FlowOptions as Options, flow};
use auditlint_syntax::document::reader::nearest;

use crate::arguments::{self, FlowOptions, Selection};
use crate::failure::Failure;
use crate::inputs::{self, Extra};
use crate::output;

pub(crate) fn run(options: FlowOptions) -> Result<u8, Failure> {
    let FlowOptions { scope, source, format, around, output: file } = options;
    let paths = scope.paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    // Whether a service logs at all, and how a store is encrypted, is what rules know: all of them are asked.
    let policy = vec!["auditlint:everything".to_owned()];
    let selection = Selection { scope, policy, select: Vec::new(), ignore: Vec::new() };
    let settings = Settings { today: Some(auditlint_analysis::today()), ..Settings::default() };
    let extra =
        Extra { source: source.as_deref(), settings, with_stores_of_config: true, ..Extra::default() };
    let inputs = inputs::read(&selection, extra)?;
    let analysis = inputs.host.analysis();
    let mut flows = analysis.flows().map_err(|_| Failure::new("the files changed during the run"))?;
    let is_read = |root: &FlowRoot| root.mode != InputMode::Hcl || root.files > 0;
    if !flows.roots.iter().any(is_read) {
        let reasons = inputs.broken.iter().map(|(path, reason)| format!("{path}: {reason}"));
        let reasons: Vec<String> = reasons
            .chain(inputs.left_out.iter().map(|one| format!("{}: {}", one.folder, one.reason)))
            .collect();
        let message =
            if reasons.is_empty() { format!("no Terraform files in {paths}") } else { reasons.join("\n") };
        return Err(Failure::new(message)
            .hint("name a folder with .tf files, or a plan made by `terraform show -json`"));
    }
    flows.left_out = inputs.left_out;
    for (path, reason) in inputs.broken {
        let gap = Gap {
            kind: GapKind::Unreadable,
            path: path.clone(),
            at: None,
            reason,
            hint: String::new(),
            count: 1,
            module: None,
        };
        let root = FlowRoot {
            name: path.into(),
            account: None,
            mode: InputMode::Plan,
            gaps: vec![gap],
            files: 0,
            stores: Vec::new(),
        };
        flows.roots.push(root);
    }
    if let Some(address) = &around {
        flows = narrowed(&flows, address)?;
    }
    let colour = file.is_none() && format == arguments::FlowFormat::Tree && output::colours();
    let text = flow(&flows, shown(format), &Options { colour });
    match &file {
        Some(path) => output::replace(path, text.as_bytes())
            .map_err(|error| Failure::from(error).hint("name a file in a folder that can be written to"))?,
        None => output::print(&text)?,
    }
    Ok(if flows.is_complete() { 0 } else { 2 })
}

/// What is up- and downstream of the resource at `address`.
fn narrowed(flows: &Flows, address: &str) -> Result<Flows, Failure> {
    let stations = flows.find(address);
    if stations.is_empty() {
        let names = flows.map.stations.iter().map(|station| station.id.name.as_str());
        let failure = Failure::new(format!("{address} neither emits, passes on nor keeps logs here"));
        return Err(match nearest(address, names) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("`auditlint flow` shows all that do"),
        });
    }
    Ok(flows.around(&stations))
}

const fn shown(format: arguments::FlowFormat) -> FlowFormat {
    match format {
        arguments::FlowFormat::Tree => FlowFormat::Tree,
        arguments::FlowFormat::Mermaid => FlowFormat::Mermaid,
        arguments::FlowFormat::Dot => FlowFormat::Dot,
        arguments::FlowFormat::Json => FlowFormat::Json,
        arguments::FlowFormat::Svg => FlowFormat::Svg,
    }
}
