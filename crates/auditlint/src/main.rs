//! The `auditlint` command: arguments, files, exit codes. Whatever it shows is computed by `auditlint_analysis`
//! and written by `auditlint_report`.

mod arguments;
mod baseline;
#[cfg(feature = "bundles")]
mod bundles;
mod catalogue;
mod check;
mod export;
mod failure;
mod fix;
mod flow;
mod init;
mod inputs;
mod output;
mod policies;
mod policy;
mod report;
mod revision;
mod server;
mod test;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use arguments::{Arguments, Command};
use failure::Failure;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let exit = if error.use_stderr() { 3 } else { 0 };
            // Nothing can be done where even standard error is closed.
            let _ = error.print();
            return ExitCode::from(exit);
        }
    };
    let json = arguments.command.wants_json();
    match run(arguments.command) {
        Ok(exit) => ExitCode::from(exit),
        Err(failure) => {
            failure.show(json);
            ExitCode::from(3)
        }
    }
}

fn run(command: Command) -> Result<u8, Failure> {
    match command {
        Command::Check(options) => check::run(&options),
        Command::Fix(options) => fix::run(&options),
        Command::Flow(options) => flow::run(options),
        Command::Export(options) => export::run(options),
        Command::Explain { rule } => catalogue::explain(&rule),
        Command::Rules { format } => catalogue::rules(format),
        Command::Test(options) => test::run(&options),
        Command::Baseline(command) => baseline::run(command),
        Command::Report(options) => report::run(options),
        Command::Policy(command) => policy::run(command),
        Command::Init { folder, from } => init::run(&folder, from),
        Command::Lsp { policy, .. } => server::run(policy),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "auditlint", &mut script);
            output::print(&String::from_utf8_lossy(&script))?;
            Ok(0)
        }
    }
}
