//! `cargo xtask test`: everything that a change must pass, in one command, here and in CI.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, ensure};

use crate::step::{self, run};

/// Whether the real editors take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Editors {
    Driven,
    LeftOut,
}

/// Runs every step, also after one has failed, and says at the end which did.
///
/// # Errors
/// When a step failed; when something that the steps need cannot be installed, no other step is run.
pub(crate) fn everything(editors: Editors) -> anyhow::Result<()> {
    let fast = editors == Editors::LeftOut;
    let mut setup = Command::new(step::repository().join("tests/setup"));
    run("setup", setup.args(fast.then_some("--fast")))?;

    let cargo = |name: &str, arguments: &[&str]| step::cargo(name, arguments);
    let binary = step::target().join("release/auditlint");
    let mut failed = Vec::new();
    let mut take = |done: anyhow::Result<()>| {
        if let Err(error) = &done {
            step::say(&format!("error: {error:#}"));
            failed.push(format!("{error:#}"));
        }
        done.is_ok()
    };
    take(cargo("format", &["fmt", "--all", "--check"]));
    // Where nothing is compiled yet, what the binary is built with serves the lints, the tests and the pages as well.
    let profile: &[&str] = if is_ci() { &["--release"] } else { &[] };
    let lints = [&["clippy", "--workspace", "--all-targets"], profile, &["--", "-D", "warnings"]].concat();
    take(cargo("lints", &lints));
    // Those of other systems are looked at too, which no build fetches.
    take(cargo("packages", &["fetch", "--locked"]));
    take(cargo("dependencies", &["deny", "--offline", "check", "bans", "licenses", "sources"]));
    // The binary that users get is the one that the tests of the command line and the editors run.
    let built = take(cargo("build", &["build", "--release", "--package", "auditlint"]));
    if built {
        let mut tests = Command::new(step::cargo_path());
        tests.args(["nextest", "run", "--workspace", "--no-fail-fast"]).args(profile);
        tests.env("AUDITLINT_BIN", &binary);
        // A process for each of their thousands of cases would read the catalogue as often.
        let apart = EXAMPLES.map(|name| format!("not binary({name})")).join(" and ");
        take(run("tests", tests.args(["-E", &apart])));
        for name in EXAMPLES {
            // With the workspace's features, as the others were built.
            take(cargo(name, &[&["test", "--quiet", "--workspace", "--test", name], profile].concat()));
        }
        if !fast {
            take(run("editors", Command::new(step::repository().join("tests/editors/run")).arg(&binary)));
        }
    }
    let mut pages = Command::new(step::cargo_path());
    pages.args(["doc", "--workspace", "--no-deps", "--document-private-items"]).args(profile);
    take(run("documentation", pages.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links")));
    ensure!(failed.is_empty(), "{} of the steps failed:\n  {}", failed.len(), failed.join("\n  "));
    step::say("\nall steps passed");
    Ok(())
}

/// Whether this runs on a clean checkout, as `.ci/run` says.
fn is_ci() -> bool {
    std::env::var_os("CI").is_some()
}

/// The tests whose cases are examples of the catalogue and of pages, each binary in one process.
const EXAMPLES: [&str; 3] = ["rules", "semantics", "flow_scenarios"];

/// Runs the examples of the rules whose name holds `filter`.
///
/// The harness reads `policies/` when it runs; cargo would build it anew for every change there, because the
/// binary embeds the catalogue. So one that is newer than the sources is run as it is.
pub(crate) fn rules(filter: Option<&str>) -> anyhow::Result<()> {
    let harness = match built_harness()? {
        Some(path) => path,
        None => {
            step::cargo("harness", &["test", "--package", "auditlint_tests", "--test", "rules", "--no-run"])?;
            built_harness()?.context("cargo has built no harness")?
        }
    };
    let mut command = Command::new(harness);
    command.args(filter).arg("--quiet").current_dir(step::repository());
    let status = command.status()?;
    ensure!(status.success(), "examples failed");
    Ok(())
}

/// The newest harness, if nothing that it is made of is newer.
fn built_harness() -> anyhow::Result<Option<PathBuf>> {
    let mut newest: Option<(SystemTime, PathBuf)> = None;
    for profile in ["debug", "release"] {
        let Ok(entries) = fs::read_dir(step::target().join(profile).join("deps")) else { continue };
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with("rules-") && !name.contains('.') {
                let made = path.metadata()?.modified()?;
                if newest.as_ref().is_none_or(|(time, _)| *time < made) {
                    newest = Some((made, path));
                }
            }
        }
    }
    let Some((made, path)) = newest else { return Ok(None) };
    for folder in ["crates", "tests"] {
        if changed_since(&step::repository().join(folder), made)? {
            return Ok(None);
        }
    }
    let lock = step::repository().join("Cargo.lock").metadata()?.modified()?;
    Ok((lock <= made).then_some(path))
}

/// Whether a source below the folder was written later.
fn changed_since(folder: &Path, time: SystemTime) -> anyhow::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if changed_since(&path, time)? {
                return Ok(true);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "toml")
            && entry.metadata()?.modified()? > time
        {
            return Ok(true);
        }
    }
    Ok(false)
}
