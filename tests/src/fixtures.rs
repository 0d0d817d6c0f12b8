//! The fixtures as the tests that go over all of them see them.

use camino::Utf8PathBuf;

use crate::repository;

/// The folders below `fixtures`, sorted.
///
/// # Errors
/// When they cannot be listed.
pub fn fixtures() -> anyhow::Result<Vec<Utf8PathBuf>> {
    let mut folders = Vec::new();
    for entry in repository().join("fixtures").read_dir_utf8()? {
        let path = entry?.into_path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}
