//! What the tests that span the crates share: the repository's folders, small workspaces, marks, diffs.

pub mod binary;
pub mod case;
pub mod console;
pub mod count;
pub mod coverage;
pub mod daemon;
pub mod dice;
pub mod example;
pub mod expressions;
pub mod fixtures;
pub mod generator;
pub mod heredocs;
pub mod https;
pub mod json;
pub mod markdown;
pub mod mismatch;
pub mod plans;
pub mod rule_page;
pub mod schema;
pub mod torture;
pub mod uses;
pub mod workspace;

use std::sync::Arc;

use anyhow::{Context as _, bail};
use auditlint_analysis::{AnalysisHost, Change, NamedPolicy, RootSpec, Settings, load_policies};
use auditlint_graph::terraform::RootInputs;
use auditlint_policy::{Catalogue, Reading};
use auditlint_syntax::{Files as _, MemoryFiles, Source};
use camino::{Utf8Path, Utf8PathBuf};

/// The top of the repository.
#[must_use]
pub fn repository() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Utf8Path::to_owned).unwrap_or_default()
}

/// The material beside the repository that some tests use where it is present.
#[must_use]
pub fn shared() -> Option<Utf8PathBuf> {
    let folder = repository().parent()?.join("shared");
    folder.is_dir().then_some(folder)
}

/// Every file below `folder` with that extension, sorted.
///
/// # Errors
/// When a folder cannot be listed.
pub fn files_below(folder: &Utf8Path, extension: &str) -> anyhow::Result<Vec<Utf8PathBuf>> {
    let mut out = Vec::new();
    for entry in folder.read_dir_utf8().with_context(|| folder.to_string())? {
        let path = entry?.into_path();
        if path.is_dir() {
            out.extend(files_below(&path, extension)?);
        } else if path.extension() == Some(extension) {
            out.push(path);
        }
    }
    out.sort();
    Ok(out)
}

/// Whether what is generated is written rather than compared.
#[must_use]
pub fn overwrites() -> bool {
    #[expect(clippy::disallowed_methods, reason = "tests are told by the environment what to do")]
    std::env::var("AUDITLINT_OVERWRITE").is_ok_and(|value| value == "1")
}

/// The texts of `policies/` as they stand now, with their paths there.
///
/// # Errors
/// When one cannot be read.
pub fn policy_texts() -> anyhow::Result<Vec<(String, String)>> {
    let top = repository().join("policies");
    let mut texts = Vec::new();
    for path in files_below(&top, "yaml")? {
        #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
        let text = std::fs::read_to_string(&path).with_context(|| path.to_string())?;
        texts.push((path.strip_prefix(&top)?.to_string(), text));
    }
    Ok(texts)
}

/// The catalogue as it stands in `policies/` now, without a build.
///
/// # Errors
/// With every problem of its files.
pub fn catalogue() -> anyhow::Result<Arc<Catalogue>> {
    Ok(Arc::new(catalogue_of(&policy_texts()?)?))
}

/// The catalogue of such texts.
///
/// # Errors
/// With every problem of them.
pub fn catalogue_of(texts: &[(String, String)]) -> anyhow::Result<Catalogue> {
    let pairs = texts.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let (catalogue, problems) = Catalogue::from_texts(pairs, Reading::Whole);
    if !problems.is_empty() {
        bail!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    }
    Ok(catalogue)
}

/// A host over files in memory whose root is the top folder.
///
/// # Errors
/// When the policy has problems.
pub fn host(files: MemoryFiles, catalogue: &Arc<Catalogue>, policy: &str) -> anyhow::Result<AnalysisHost> {
    let files = Arc::new(files);
    let named = match policy.strip_prefix("auditlint:") {
        Some(_) => NamedPolicy::BuiltIn(policy.to_owned()),
        None => {
            let path = Utf8PathBuf::from("policy.yaml");
            let file = files.paths().id(&path);
            NamedPolicy::Text(Arc::new(Source::new(file, path, Arc::from(policy.as_bytes()))))
        }
    };
    let set = load_policies(catalogue, &*files, Utf8Path::new(""), &[named])?;
    let mut host = AnalysisHost::new(files, set, Settings { keep_passes: true, ..Settings::default() });
    host.apply_change(Change::Roots(vec![RootSpec::Folder {
        inputs: RootInputs::default(),
        environment: None,
    }]));
    Ok(host)
}

pub use auditlint_analysis::testing::Mark;

/// Takes the marks out of a text.
///
/// # Errors
/// When one is not understood.
pub fn marks(text: &str) -> anyhow::Result<(String, Vec<Mark>)> {
    auditlint_analysis::testing::marks(text).map_err(anyhow::Error::msg)
}

/// A diff for people.
#[must_use]
pub fn diff(expected: &str, found: &str) -> String {
    similar::TextDiff::from_lines(expected, found)
        .unified_diff()
        .context_radius(3)
        .header("expected", "found")
        .to_string()
}
