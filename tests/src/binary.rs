//! The `auditlint` command, built from this workspace, and what one run of it gave.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::repository;

/// What a run gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The exit code; -1 when a signal ended it.
    pub exit: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// The command's path: that in `AUDITLINT_BIN`, else the one that `cargo build` makes.
///
/// # Panics
/// When it cannot be built: no test of the command line means anything then.
#[must_use]
pub fn auditlint() -> &'static Utf8Path {
    static PATH: OnceLock<Utf8PathBuf> = OnceLock::new();
    PATH.get_or_init(|| build().unwrap_or_else(|error| panic!("{error:#}")))
}

fn build() -> anyhow::Result<Utf8PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "tests are told by the environment what to test")]
    let (given, cargo) = (std::env::var("AUDITLINT_BIN"), std::env::var("CARGO"));
    if let Ok(path) = given {
        return Ok(path.into());
    }
    let built = Command::new(cargo.as_deref().unwrap_or("cargo"))
        .args(["build", "-q", "-p", "auditlint", "--bin", "auditlint", "--message-format=json"])
        .current_dir(repository())
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be run")?;
    let text = String::from_utf8(built.stdout)?;
    for line in text.lines() {
        let message: serde_json::Value = serde_json::from_str(line)?;
        if let Some(path) = message.get("executable").and_then(|path| path.as_str()) {
            return Ok(path.into());
        }
    }
    bail!("`cargo build -p auditlint` gave no executable")
}

/// Runs the command in `folder`.
///
/// # Errors
/// When it cannot be started.
pub fn run(folder: &Utf8Path, arguments: &[&str]) -> anyhow::Result<Run> {
    run_with(folder, arguments, b"", &[])
}

/// Runs the command in `folder` with that standard input and those variables of the environment.
///
/// # Errors
/// When it cannot be started.
pub fn run_with(
    folder: &Utf8Path,
    arguments: &[&str],
    input: &[u8],
    environment: &[(&str, &str)],
) -> anyhow::Result<Run> {
    let mut child = Command::new(auditlint())
        .args(arguments)
        .current_dir(folder)
        .env_remove("TF_WORKSPACE")
        .env_remove("AUDITLINT_POLICIES_DIR")
        .env("NO_COLOR", "1")
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let input = input.to_vec();
    // From a thread of its own: the command may write before it has read everything.
    let writer = std::thread::spawn(move || {
        // A command that needs no input closes it early.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output()?;
    let _ = writer.join();
    Ok(Run {
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout)?,
        stderr: String::from_utf8(output.stderr)?,
    })
}
