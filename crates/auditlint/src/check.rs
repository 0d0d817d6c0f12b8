//! `auditlint check`

use auditlint_analysis::{Gate, InputMode, LeftOut, Report, RootId, Settings, outcome};
use auditlint_graph::{Gap, GapKind};
use auditlint_policy::{Place, Severity};
use auditlint_report::{Format, Options, render};
use auditlint_syntax::FileId;
use camino::Utf8Path;
use clap::ValueEnum as _;

use crate::arguments::{CheckOptions, FailOn, OutputFormat, Show};
use crate::failure::Failure;
use crate::inputs::{self, Extra};
use crate::output;

pub(crate) fn run(options: &CheckOptions) -> Result<u8, Failure> {
    let written =
        options.output.iter().map(|text| output_option(text)).collect::<Result<Vec<_>, Failure>>()?;
    let settings = Settings {
        keep_passes: options.show.contains(&Show::Pass),
        today: Some(auditlint_analysis::today()),
        ..Settings::default()
    };
    let extra = Extra {
        source: options.source.as_deref(),
        stdin_filename: options.stdin_filename.as_deref(),
        settings,
        base_ref: options.base_ref.as_deref(),
        ..Extra::default()
    };
    let inputs = inputs::read(&options.selection, extra)?;
    let analysis = inputs.host.analysis();
    let roots: Vec<RootId> = analysis.roots();
    if roots.is_empty() {
        return Err(nothing(options, &inputs.broken, &inputs.left_out));
    }
    let mut report =
        analysis.check(&roots).map_err(|_| Failure::new("the files changed during the check"))?;
    report.left_out.clone_from(&inputs.left_out);
    for (path, reason) in inputs.broken {
        unread(&mut report, path, reason);
    }
    if !inputs.only.is_empty() {
        keep_files(&mut report, &inputs.only);
    }
    if report.roots.iter().all(|root| root.mode == InputMode::Hcl && root.files == 0) {
        return Err(nothing(options, &[], &inputs.left_out));
    }
    let gate = gate(options)?;
    let outcome = outcome(&report, &gate);
    // What the config file says holds where the command line says nothing.
    let said = analysis.policy_set().config.as_ref().map(|(_, config)| config.output.clone());
    let said = said.unwrap_or_default();
    let shown = |colour: bool| Options {
        show_pass: options.show.contains(&Show::Pass),
        show_exempt: options.show.contains(&Show::Exempt) || said.shows_exempt,
        colour,
        full: options.full || said.full,
        quiet: options.quiet,
        statistics: options.statistics || said.statistics,
        target: target(options),
    };
    for (format, path) in written {
        output::replace(path, render(&report, &outcome, format, &shown(false)).as_bytes())
            .map_err(|error| Failure::from(error).hint("name a file in a folder that can be written to"))?;
    }
    if let Some(path) = &options.obligations {
        output::replace(path, auditlint_report::obligations(&report).as_bytes())
            .map_err(|error| Failure::from(error).hint("name a file in a folder that can be written to"))?;
    }
    let said = said.format.as_deref().and_then(|word| OutputFormat::from_str(word, false).ok());
    let format = format(options.format.or(said).unwrap_or(OutputFormat::Pretty));
    let colour = format == Format::Pretty && output::colours();
    output::print(&render(&report, &outcome, format, &shown(colour)))?;
    // The process ends here; taking tens of thousands of resources apart first would only cost time.
    std::mem::forget((analysis, inputs.host, report));
    Ok(outcome.exit)
}

fn nothing(options: &CheckOptions, broken: &[(String, String)], left_out: &[LeftOut]) -> Failure {
    match (broken, left_out) {
        ([], [first, rest @ ..]) => {
            let more = if rest.is_empty() { String::new() } else { format!(" (and {} more)", rest.len()) };
            let folder = if first.folder.as_str().is_empty() { "." } else { first.folder.as_str() };
            Failure::new(format!("nothing to judge: {folder}{more}: {}", first.reason))
                .hint(first.hint.clone())
        }
        ([], []) => {
            let paths: Vec<&str> = options.selection.scope.paths.iter().map(|path| path.as_str()).collect();
            Failure::new(format!("no Terraform files in {}", paths.join(", ")))
                .hint("name a folder with .tf files, or a plan made by `terraform show -json`")
        }
        (broken, _) => {
            let lines: Vec<String> =
                broken.iter().map(|(path, reason)| format!("{path}: {reason}")).collect();
            Failure::new(lines.join("\n")).hint(
                "check the JSON of a plan: `terraform plan -out=plan.bin && terraform show -json plan.bin | auditlint check -`",
            )
        }
    }
}

/// A plan that is none, beside roots that were read: a gap of the run.
fn unread(report: &mut Report, path: String, reason: String) {
    let gap = Gap {
        kind: GapKind::Unreadable,
        path,
        at: None,
        reason,
        hint: String::new(),
        count: 1,
        module: None,
    };
    if let Some(root) = report.roots.first_mut() {
        root.gaps.push(gap);
        root.summary.gaps += 1;
        report.summary.gaps += 1;
    }
}

/// Only what sits in `files`: the module is judged as a whole, one file of it is shown.
fn keep_files(report: &mut Report, files: &[FileId]) {
    for root in report.roots.iter_mut().filter(|root| root.mode == InputMode::Hcl) {
        root.findings
            .retain(|finding| matches!(finding.place, Place::Source(at) if files.contains(&at.file)));
        root.gaps.retain(|gap| gap.at.is_none_or(|at| files.contains(&at.file)));
        root.recount();
    }
    report.summary = auditlint_analysis::Summary::over(report.roots.iter());
}

fn gate(options: &CheckOptions) -> Result<Gate, Failure> {
    let fail_on = match options.fail_on {
        FailOn::Low => Severity::Low,
        FailOn::Medium => Severity::Medium,
        FailOn::High => Severity::High,
        FailOn::Critical => Severity::Critical,
    };
    let mut gate = Gate {
        fail_on,
        excused: Default::default(),
        defers: options.obligations.is_some(),
        overridden: options.overrides.clone(),
    };
    for word in options.allow_incomplete.iter().flatten() {
        if word.is_empty() {
            gate.excused.extend(Gate::EXCUSABLE);
            continue;
        }
        let kind = GapKind::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| {
            let known: Vec<&str> = GapKind::ALL.iter().map(|kind| kind.as_str()).collect();
            Failure::new(format!("--allow-incomplete={word} is no kind of gap"))
                .hint(format!("the kinds are {}", known.join(", ")))
        })?;
        gate.excused.insert(kind);
    }
    Ok(gate)
}

const fn format(format: OutputFormat) -> Format {
    match format {
        OutputFormat::Pretty => Format::Pretty,
        OutputFormat::Concise => Format::Concise,
        OutputFormat::Json => Format::Json,
        OutputFormat::Sarif => Format::Sarif,
        OutputFormat::Github => Format::Github,
    }
}

fn output_option(text: &str) -> Result<(Format, &Utf8Path), Failure> {
    let known = || Format::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let failure = |message: String| {
        Failure::new(message).hint(format!("write FORMAT=FILE; the formats are {}", known()))
    };
    let (name, path) =
        text.split_once('=').ok_or_else(|| failure(format!("--output {text} names no file")))?;
    let (_, format) = Format::ALL
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| failure(format!("--output {text}: there is no format `{name}`")))?;
    Ok((*format, Utf8Path::new(path)))
}

/// The words after `auditlint check` that name what is checked, for the commands that are suggested.
fn target(options: &CheckOptions) -> String {
    let selection = &options.selection;
    let mut words: Vec<String> = selection.scope.paths.iter().map(ToString::to_string).collect();
    words.extend(selection.policy.iter().map(|policy| format!("--policy {policy}")));
    words.extend(selection.scope.var_files.iter().map(|path| format!("--var-file {path}")));
    words.join(" ")
}
