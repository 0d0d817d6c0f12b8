//! How long the compiled facts and rules take to load, and then a chain of policies, as a process that just started does
//! it: the milliseconds of each, on a line.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use auditlint_policy::{Catalogue, Extended, Policy, Reading};
use auditlint_syntax::{Files as _, MemoryFiles, Source};
use camino::Utf8Path;

/// Central, organisation, team, repository. Of the standards two cannot be met together: six years, and 400 days.
const CHAIN: [(&str, &str); 4] = [
    (
        "central.yaml",
        "extends: [auditlint:baseline, auditlint:soc2, auditlint:pci-dss, auditlint:hipaa, auditlint:iso27001, auditlint:nist-800-53, auditlint:cis-aws]\n",
    ),
    (
        "organisation.yaml",
        "extends: central.yaml
environments:
  production: {match: {account: [\"1*\"]}, at_least: staging}
  staging: {match: {account: [\"2*\"]}}
  dev: {match: {account: [\"3*\"]}}
  sandbox: {match: {account: [\"4*\"]}}
",
    ),
    (
        "team.yaml",
        "extends: organisation.yaml\nlogging_policy:\n  access_logs: {retention: {min: 7_years}}\n",
    ),
    ("repository.yaml", "extends: team.yaml\nenforcement: {severity: medium}\n"),
];

#[expect(clippy::print_stdout, reason = "the two lines that this program is for")]
fn main() -> ExitCode {
    let start = Instant::now();
    let catalogue = Catalogue::embedded(Reading::WithoutExamples);
    println!("{:.3}", start.elapsed().as_secs_f64() * 1e3);
    let files = MemoryFiles::of(CHAIN);
    let start = Instant::now();
    let read = |_: &Source, parent: &Extended| match parent.name.strip_prefix("auditlint:") {
        Some(name) => {
            Policy::built_in(&catalogue, name, files.paths()).ok_or_else(|| "no such policy".to_owned())
        }
        None => files.read(Utf8Path::new(&parent.name)).map_err(|error| error.to_string()),
    };
    let source: Result<Arc<Source>, _> = files.read(Utf8Path::new("repository.yaml"));
    let policy = source.ok().and_then(|source| Policy::load(&catalogue, &[source], &read).ok());
    println!("{:.3}", start.elapsed().as_secs_f64() * 1e3);
    match policy {
        Some(policy) if policy.environments.len() == 4 && !catalogue.rules().is_empty() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
