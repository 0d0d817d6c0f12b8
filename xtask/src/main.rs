//! Tasks of the workspace: `cargo xtask`.
//!
//! It is built anew by whoever works here, so it rests on little: what is heavy (criterion, hcl-edit) lives in
//! `benches/`, and the tests do their own work.

#![expect(clippy::disallowed_methods, reason = "tasks are an edge: they read and write files")]

mod bench;
mod generated;
mod rule;
mod step;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask TASK

  test [--fast]            install what is missing, then check everything (--fast: without the real editors)
  test rules [FILTER]      the examples of the rules, as policies/ stands now
  bench [NAME…] [--quick]  measure against the goals; `bench --help` lists the measures
  gen                      write generated parts of pages and recorded outputs anew
  count                    how many rules, fixes, sources and stores the catalogue has of each provider
  rule ID                  begin a rule: provider/service/name";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test", "rules"] => test::rules(None),
        ["test", "rules", filter] => test::rules(Some(filter)),
        ["test"] => test::everything(test::Editors::Driven),
        ["test", "--fast"] => test::everything(test::Editors::LeftOut),
        ["bench", "--help" | "-h"] => {
            step::say(bench::USAGE);
            return ExitCode::SUCCESS;
        }
        ["bench", arguments @ ..] => bench::run(arguments),
        ["gen"] => generated::run(),
        ["count"] => {
            step::cargo("count", &["run", "--quiet", "--package", "auditlint_tests", "--example", "count"])
        }
        ["rule", id] => rule::begin(id),
        ["--help" | "-h"] => {
            step::say(USAGE);
            return ExitCode::SUCCESS;
        }
        _ => {
            step::say(USAGE);
            return ExitCode::from(3);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            step::say(&format!("\nerror: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
