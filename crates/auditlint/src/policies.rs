//! From the names of the command line, or the config file, to the policies of a run.

use std::sync::Arc;

use auditlint_analysis::{
    DiskFiles, NamedPolicy, PolicySet, SetupError, load_policies, load_policies_before,
};
use auditlint_policy::{Catalogue, Reading};
use auditlint_syntax::{Files as _, Source};
use camino::{Utf8Path, Utf8PathBuf};

use crate::arguments::Selection;
use crate::catalogue;
use crate::failure::Failure;
use crate::revision::RevisionFiles;

/// The policies of a selection, narrowed to the rules that it names.
pub(crate) fn policies(
    selection: &Selection,
    files: &DiskFiles,
    folder: &Utf8Path,
    base_ref: Option<&str>,
) -> Result<PolicySet, Failure> {
    let catalogue = catalogue::load(Reading::WithoutExamples)?;
    let mut set = policies_named(&catalogue, &selection.policy, files, folder, base_ref)?;
    if !selection.select.is_empty() || !selection.ignore.is_empty() {
        let policy = auditlint_policy::Policy::clone(&set.policy);
        let narrowed = policy
            .narrow(&set.catalogue, &selection.select, &selection.ignore)
            .map_err(|error| Failure::new(error).hint("`auditlint rules` lists them all"))?;
        set.policy = Arc::new(narrowed);
    }
    Ok(set)
}

/// The policies of these names; without any those of the config file, else the recommended one.
pub(crate) fn policies_named(
    catalogue: &Arc<Catalogue>,
    names: &[String],
    files: &DiskFiles,
    folder: &Utf8Path,
    base_ref: Option<&str>,
) -> Result<PolicySet, Failure> {
    let mut named = Vec::new();
    for name in names {
        if name.starts_with("auditlint:") {
            named.push(NamedPolicy::BuiltIn(name.clone()));
            continue;
        }
        #[expect(clippy::disallowed_methods, reason = "this is the edge: a named policy may lie anywhere")]
        let bytes = std::fs::read(name).map_err(|error| {
            let reason = match error.kind() {
                std::io::ErrorKind::NotFound => "no such file".to_owned(),
                kind => kind.to_string(),
            };
            Failure::new(format!("the policy {name} cannot be read: {reason}"))
                .hint("name a file, or a built-in policy such as auditlint:recommended")
        })?;
        // A policy of the workspace is shown under its path there.
        let real = Utf8Path::new(name).canonicalize_utf8().ok();
        let beside = real.as_ref().and_then(|path| {
            let around = DiskFiles::new(DiskFiles::workspace_of(std::slice::from_ref(path)));
            let inside = path.strip_prefix(around.root()).map(Utf8Path::to_owned).ok()?;
            Some((around, inside))
        });
        let shown = real
            .and_then(|path| path.strip_prefix(files.root()).map(Utf8Path::to_owned).ok())
            .unwrap_or_else(|| Utf8PathBuf::from(name));
        let file = files.paths().id(&shown);
        let source = Arc::new(Source::new(file, shown, Arc::from(bytes)));
        named.push(match beside {
            Some((files, path)) => NamedPolicy::Elsewhere(source, Arc::new(files), path),
            None => NamedPolicy::Text(source),
        });
    }
    match base_ref {
        None => load_policies(catalogue, files, folder, &named).map_err(setup_failure),
        Some(revision) => {
            let before = Arc::new(RevisionFiles::open(files.root(), revision, files.paths())?);
            load_policies_before(catalogue, (files, before), folder, &named).map_err(setup_failure)
        }
    }
}

fn setup_failure(error: SetupError) -> Failure {
    let failure = Failure::new(&error);
    match error {
        SetupError::Unreadable { .. } => {
            failure.hint("correct the path in the config file or after --policy")
        }
        SetupError::NoSuchPolicy { near: Some(near), .. } => failure.hint(format!("did you mean `{near}`?")),
        SetupError::NoSuchPolicy { .. } => failure.hint("name one of these, or a file"),
        SetupError::Config(_) | SetupError::Policy(_) => failure.hint("correct the lines above"),
    }
}
