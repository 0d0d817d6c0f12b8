//! The fixtures as the tests that go over all of them see them.

use camino::{Utf8Path, Utf8PathBuf};

use crate::repository;

/// The folder of the fixtures that [`semantics`] lists.
const SEMANTICS: &str = "semantics";

/// The folder of the fixtures that [`estates`] lists.
const ESTATES: &str = "estates";

/// The folders below `fixtures` that are projects, sorted: all but those of [`semantics`] and [`estates`].
///
/// # Errors
/// When they cannot be listed.
pub fn fixtures() -> anyhow::Result<Vec<Utf8PathBuf>> {
    let mut folders = folders(&repository().join("fixtures"))?;
    folders.retain(|folder| !matches!(folder.file_name(), Some(SEMANTICS | ESTATES)));
    Ok(folders)
}

/// The folders below `fixtures/semantics`, sorted: one small configuration for each way in which values reach the
/// settings of resources. The tests that edit texts leave them out, since those take time for every block.
///
/// # Errors
/// When they cannot be listed.
pub fn semantics() -> anyhow::Result<Vec<Utf8PathBuf>> {
    folders(&repository().join("fixtures").join(SEMANTICS))
}

/// The folders below `fixtures/estates`, sorted: the roots of an organisation each, with what was found in them.
///
/// # Errors
/// When they cannot be listed.
pub fn estates() -> anyhow::Result<Vec<Utf8PathBuf>> {
    folders(&repository().join("fixtures").join(ESTATES))
}

fn folders(top: &Utf8Path) -> anyhow::Result<Vec<Utf8PathBuf>> {
    let mut folders = Vec::new();
    for entry in top.read_dir_utf8()? {
        let path = entry?.into_path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}
