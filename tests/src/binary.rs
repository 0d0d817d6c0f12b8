//! The `auditlint` command, built from this workspace, and what one run of it gave.

use std::io::{Read, Write as _};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::repository;

/// A run of a small input that takes longer does not end.
const LIMIT: Duration = Duration::from_secs(180);

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

/// The command's path: that in `AUDITLINT_BIN`, else the one that `cargo build` makes, in the profile of the tests.
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
    // The whole workspace decides the features of its dependencies: those that the tests were built with.
    let built = Command::new(cargo.as_deref().unwrap_or("cargo"))
        .args(["build", "-q", "--workspace", "--bin", "auditlint", "--message-format=json"])
        .args((!cfg!(debug_assertions)).then_some("--release"))
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
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut stdin = stdin.context("no standard input")?;
    let input = input.to_vec();
    // Threads of their own: the command may write before it has read everything. One that needs no input closes
    // it early, which is no error.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let stdout = read_all(stdout.context("no standard output")?);
    let stderr = read_all(stderr.context("no standard error")?);
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            bail!("`auditlint {}` has not ended after {LIMIT:?}", arguments.join(" "));
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let _ = writer.join();
    let text = |reader: JoinHandle<std::io::Result<Vec<u8>>>| -> anyhow::Result<String> {
        let bytes = reader.join().map_err(|_| anyhow::anyhow!("the reader gave up"))??;
        Ok(String::from_utf8(bytes)?)
    };
    Ok(Run { exit: status.code().unwrap_or(-1), stdout: text(stdout)?, stderr: text(stderr)? })
}

fn read_all(mut from: impl Read + Send + 'static) -> JoinHandle<std::io::Result<Vec<u8>>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).map(|_| bytes)
    })
}
