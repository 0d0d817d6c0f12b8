//! One module per output format, all of them pure functions of a report; nothing new is computed here.

mod concise;
mod difference;
mod environments;
mod export;
mod flow;
mod github;
mod group;
mod json;
mod mask;
mod obligations;
mod plain;
mod policy;
mod pretty;
mod rules;
mod sarif;
mod schema;
mod standard;
mod tests;
mod words;

use auditlint_analysis::{Outcome, Report};

pub use difference::difference;
pub use export::export;
pub use flow::{FlowFormat, FlowOptions, render as flow};
pub use json::error as json_error;
pub use obligations::render as obligations;
pub use plain::plain;
pub use policy::{policy_json, policy_text};
pub use rules::{explain, explain_check, rules_json, rules_text};
pub use schema::{policy_schema, test_schema};
pub use standard::{standard_json, standard_text};
pub use tests::{TestFormat, tests};

/// An output format of `auditlint check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// For people: frames over the Terraform line and the policy line.
    Pretty,
    /// One line a finding.
    Concise,
    /// The stable machine format.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
}

impl Format {
    /// All formats with their words.
    pub const ALL: [(&'static str, Self); 5] = [
        ("pretty", Self::Pretty),
        ("concise", Self::Concise),
        ("json", Self::Json),
        ("sarif", Self::Sarif),
        ("github", Self::Github),
    ];
}

/// What a reader wants to see.
#[derive(Clone, Debug)]
pub struct Options {
    /// Passing verdicts as well.
    pub show_pass: bool,
    /// Exempt verdicts as well.
    pub show_exempt: bool,
    /// Escape sequences for colours.
    pub colour: bool,
    /// Every frame, however many there are.
    pub full: bool,
    /// Only what decides the exit code, without frames and hints.
    pub quiet: bool,
    /// Counts by rule at the end.
    pub statistics: bool,
    /// The words after `auditlint check` that name what was checked, for the commands that are suggested.
    pub target: String,
}

/// Renders a report.
#[must_use]
pub fn render(report: &Report, outcome: &Outcome, format: Format, options: &Options) -> String {
    match format {
        Format::Pretty => pretty::render(report, outcome, options),
        Format::Concise => concise::render(report, options),
        Format::Json => json::render(report, outcome, options),
        Format::Sarif => sarif::render(report, options),
        Format::Github => github::render(report, options),
    }
}
