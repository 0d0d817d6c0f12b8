//! Files for the texts that were compiled in, so that an editor can open the rule or policy that a word means.

use std::path::{Path, PathBuf};

use auditlint_policy::Catalogue;

/// The file of the built-in rule or policy of that name below `folder`, written where it is not there as it should be;
/// none where nothing is built in by that name, or where it cannot be written.
#[expect(clippy::disallowed_methods, reason = "the file is none of a workspace")]
pub(crate) fn file(name: &str, folder: &Path) -> Option<PathBuf> {
    let (path, text) = Catalogue::built_in_text(name)?;
    // Another version of the program has other rules.
    let path = folder.join(env!("CARGO_PKG_VERSION")).join(path);
    match std::fs::read(&path) {
        Ok(known) if known == text.as_bytes() => {}
        _ => write(&path, text).ok()?,
    }
    Some(path)
}

/// Writes a file as a whole: an editor never sees a part of it. Nobody is meant to change it.
#[expect(clippy::disallowed_methods, reason = "the file is none of a workspace")]
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)?;
    let new = path.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&new, text)?;
    let mut permissions = std::fs::metadata(&new)?.permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&new, permissions)?;
    std::fs::rename(&new, path)
}
