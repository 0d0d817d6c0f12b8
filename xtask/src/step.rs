//! One step of a task: what is run is printed, and a failure is named.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail};

/// The top of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from)
}

/// Tells the caller something on standard error, where the output of the steps does not mix with it.
#[expect(clippy::print_stderr, reason = "tasks speak to the one who runs them")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}

/// Runs cargo with those arguments.
pub(crate) fn cargo(name: &str, arguments: &[&str]) -> anyhow::Result<()> {
    run(name, Command::new(cargo_path()).args(arguments))
}

/// The cargo that runs this task.
pub(crate) fn cargo_path() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Runs the command at the top of the repository.
///
/// # Errors
/// When it cannot be started, or ends with anything but 0.
pub(crate) fn run(name: &str, command: &mut Command) -> anyhow::Result<()> {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_owned();
    let words = std::iter::once(program.as_os_str()).chain(command.get_args());
    let line: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let line = line.join(" ");
    say(&format!("\n\u{25b6} {name}: {line}"));
    let started = Instant::now();
    let status = command
        .current_dir(repository())
        .status()
        .with_context(|| format!("step `{name}`: `{line}` cannot be started"))?;
    if !status.success() {
        bail!("step `{name}` failed: `{line}` ended with {status}");
    }
    say(&format!("  {name}: {:.1} s", started.elapsed().as_secs_f64()));
    Ok(())
}
