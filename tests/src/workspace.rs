//! A folder of its own, for what only the whole program does.

use std::process::Command;

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};

use crate::binary::{Run, run};

/// A folder with files; it goes when this does.
pub struct Workspace {
    _guard: tempfile::TempDir,
    top: Utf8PathBuf,
}

impl Workspace {
    /// A folder with one configuration, `main.tf`.
    ///
    /// # Errors
    /// Where the disk says so.
    pub fn of(text: &str) -> anyhow::Result<Self> {
        Self::with(&[("main.tf", text)])
    }

    /// A folder with these files.
    ///
    /// # Errors
    /// Where the disk says so.
    pub fn with(files: &[(&str, &str)]) -> anyhow::Result<Self> {
        let guard = tempfile::tempdir()?;
        let top = Utf8Path::from_path(guard.path()).context("a path in UTF-8")?.canonicalize_utf8()?;
        let workspace = Self { _guard: guard, top };
        for (path, text) in files {
            workspace.write(path, text)?;
        }
        Ok(workspace)
    }

    /// Writes a file.
    ///
    /// # Errors
    /// Where the disk says so.
    #[expect(clippy::disallowed_methods, reason = "the test makes a workspace")]
    pub fn write(&self, path: &str, text: &str) -> anyhow::Result<()> {
        let path = self.top.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(path, text)?)
    }

    /// The text of a file.
    ///
    /// # Errors
    /// Where the disk says so.
    #[expect(clippy::disallowed_methods, reason = "the test looks at what was written")]
    pub fn read(&self, path: &str) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.top.join(path))?)
    }

    /// The folder.
    #[must_use]
    pub fn top(&self) -> &Utf8Path {
        &self.top
    }

    /// Runs git there.
    ///
    /// # Errors
    /// Where it fails.
    pub fn git(&self, words: &[&str]) -> anyhow::Result<()> {
        let run = Command::new("git").current_dir(&self.top).args(words).output()?;
        ensure!(run.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&run.stderr));
        Ok(())
    }

    /// Commits all that is there.
    ///
    /// # Errors
    /// Where git fails.
    pub fn commit(&self) -> anyhow::Result<()> {
        self.git(&["add", "--all"])?;
        let names = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];
        self.git(&[&names[..], &["commit", "--quiet", "--allow-empty", "-m", "change"]].concat())
    }

    /// What the program does there.
    ///
    /// # Errors
    /// Where it cannot be run.
    pub fn run(&self, words: &[&str]) -> anyhow::Result<Run> {
        run(&self.top, words)
    }
}
