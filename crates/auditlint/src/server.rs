//! The language server of this program.

use std::path::PathBuf;

use anyhow::Context as _;
use auditlint_policy::Reading;

use crate::catalogue;
use crate::failure::Failure;

/// Runs the language server until the editor leaves.
pub(crate) fn run(policies: Vec<String>) -> Result<u8, Failure> {
    let catalogue = catalogue::load(Reading::WithoutExamples)?;
    let library = cache_folder().map(|folder| folder.join("auditlint"));
    let options =
        auditlint_lsp::Options { catalogue, policies, schema: auditlint_report::policy_schema, library };
    Ok(auditlint_lsp::serve(options).context("the language server")?)
}

/// Where programs of this user keep what they can make again: as the XDG base directory specification has it, on Windows
/// the folder of local application data.
fn cache_folder() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    named("XDG_CACHE_HOME").or_else(|| named("LOCALAPPDATA")).or_else(|| Some(named("HOME")?.join(".cache")))
}
