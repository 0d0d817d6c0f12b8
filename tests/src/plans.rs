//! Real plans of small configurations, where terraform and the material beside the repository are present.

use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::shared;

/// Makes plans without a cloud account.
#[derive(Clone, Debug)]
pub struct Tool {
    script: Utf8PathBuf,
    schemas: Utf8PathBuf,
}

/// The tool, where it lies beside the repository. It needs [terraform and its protocol](terraform_and_protocol) as well.
#[must_use]
pub fn tool() -> Option<Tool> {
    let shared = shared()?;
    let (script, schemas) = (shared.join("tools/real_plan.py"), shared.join("schemas"));
    (script.is_file() && schemas.is_dir()).then_some(Tool { script, schemas })
}

/// Whether terraform and the messages of its plugin protocol are there.
#[must_use]
pub fn terraform_and_protocol() -> bool {
    let works = |program: &str, arguments: &[&str]| {
        let run = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        run.is_ok_and(|status| status.success())
    };
    works("terraform", &["version"]) && works("python3", &["-c", "import grpc, msgpack, tf"])
}

impl Tool {
    /// Whether the provider of resources of that type is among those that stand in for it.
    #[must_use]
    pub fn has_provider_of(&self, kind: &str) -> bool {
        let provider = kind.split('_').next().unwrap_or(kind);
        self.schemas.join(format!("{provider}.json")).is_file()
    }

    /// What `terraform show -json` says of the plan of a configuration of one file. Required arguments that are not
    /// given, and variables without a value, are no obstacle.
    ///
    /// # Errors
    /// With what terraform says.
    pub fn plan(&self, text: &str) -> anyhow::Result<Vec<u8>> {
        let guard = tempfile::tempdir()?;
        let top = Utf8Path::from_path(guard.path()).context("a path in UTF-8")?;
        let (folder, out) = (top.join("configuration"), top.join("plan.json"));
        let schemas = top.join("schemas");
        #[expect(clippy::disallowed_methods, reason = "the test makes a configuration")]
        {
            std::fs::create_dir(&folder)?;
            std::fs::write(folder.join("main.tf"), text)?;
            std::fs::create_dir(&schemas)?;
        }
        self.write_schemas(text, &schemas)?;
        let done = Command::new("python3")
            .arg(&self.script)
            .args(["--schemas", schemas.as_str(), "--lenient", "--fill-variables"])
            .args([&folder, &out])
            .stdin(Stdio::null())
            .output()?;
        ensure!(done.status.success(), "terraform: {}", String::from_utf8_lossy(&done.stderr));
        #[expect(clippy::disallowed_methods, reason = "the test reads the plan")]
        Ok(std::fs::read(&out)?)
    }

    /// Writes the schemas of the types that the text names into a folder: a provider with all of its types takes terraform
    /// seconds.
    ///
    /// # Errors
    /// Where a schema cannot be read or written.
    #[expect(clippy::disallowed_methods, reason = "the test makes a configuration")]
    pub fn write_schemas(&self, text: &str, folder: &Utf8Path) -> anyhow::Result<()> {
        for entry in self.schemas.read_dir_utf8()? {
            let entry = entry?;
            let provider = entry.path().file_stem().unwrap_or_default();
            if !text.contains(provider.split('-').next().unwrap_or(provider)) {
                continue;
            }
            let mut schema: Value = serde_json::from_slice(&std::fs::read(entry.path())?)?;
            for of in ["resources", "data"] {
                if let Some(types) = schema.get_mut(of).and_then(Value::as_object_mut) {
                    types.retain(|kind, _| text.contains(kind.as_str()));
                }
            }
            std::fs::write(folder.join(entry.file_name()), schema.to_string())?;
        }
        Ok(())
    }
}
