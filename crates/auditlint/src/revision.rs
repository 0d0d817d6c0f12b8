//! The files of a repository as they were in an earlier revision, read from its objects: nothing is checked out and no
//! process is started.

use std::sync::Arc;

use auditlint_syntax::{Entry, EntryKind, Files, Paths, ReadError, Source};
use camino::{Utf8Path, Utf8PathBuf};

use crate::failure::Failure;

/// Largest text that is read.
const LARGEST: usize = 16 << 20;

/// The files of a revision. Their paths begin with its name, so that they are not taken for those of today.
pub(crate) struct RevisionFiles {
    repository: gix::ThreadSafeRepository,
    tree: gix::ObjectId,
    /// `main:`
    prefix: String,
    paths: Arc<Paths>,
}

impl RevisionFiles {
    /// The files of `revision` in the repository at `top`; `paths` numbers them.
    pub(crate) fn open(top: &Utf8Path, revision: &str, paths: &Arc<Paths>) -> Result<Self, Failure> {
        let failed = |what: String| {
            Failure::new(what).hint("name a branch, a tag or a commit of the repository that is there (a shallow clone lacks most of them)")
        };
        // The configuration of whoever runs it, and programs that it names, have nothing to do with what is read.
        let repository = gix::open_opts(top, gix::open::Options::isolated()).map_err(|_| {
            failed(format!("{top} is no git repository: --base-ref {revision} cannot be read"))
        })?;
        let tree = repository
            .rev_parse_single(revision)
            .ok()
            .and_then(|id| id.object().ok())
            .and_then(|object| object.peel_to_tree().ok())
            .map(|tree| tree.id)
            .ok_or_else(|| failed(format!("there is no revision {revision} in {top}")))?;
        Ok(Self {
            repository: repository.into_sync(),
            tree,
            prefix: format!("{revision}:"),
            paths: Arc::clone(paths),
        })
    }

    /// The path in the revision, whether it carries its name or not.
    fn inside<'p>(&self, path: &'p Utf8Path) -> &'p Utf8Path {
        path.as_str().strip_prefix(&self.prefix).map_or(path, Utf8Path::new)
    }

    fn named(&self, path: &Utf8Path) -> Utf8PathBuf {
        Utf8PathBuf::from(format!("{}{path}", self.prefix))
    }
}

impl Files for RevisionFiles {
    fn paths(&self) -> &Arc<Paths> {
        &self.paths
    }

    fn read(&self, path: &Utf8Path) -> Result<Arc<Source>, ReadError> {
        let path = self.inside(path);
        let repository = self.repository.to_thread_local();
        let unreadable = |_| ReadError::Unreadable("its object cannot be read".to_owned());
        let tree = repository.find_tree(self.tree).map_err(|_| unreadable(()))?;
        let entry = tree.lookup_entry_by_path(path).map_err(|_| unreadable(()))?.ok_or(ReadError::Missing)?;
        // A link is followed nowhere: what it led to then is not what lies there now.
        if !entry.mode().is_blob() {
            return Err(ReadError::Missing);
        }
        let object = entry.object().map_err(|_| unreadable(()))?;
        if object.data.len() > LARGEST {
            return Err(ReadError::TooLarge { limit: LARGEST as u64 });
        }
        let named = self.named(path);
        let file = self.paths.id(&named);
        Ok(Arc::new(Source::new(file, named, Arc::from(object.data.as_slice()))))
    }

    fn list(&self, folder: &Utf8Path) -> Vec<Entry> {
        let folder = self.inside(folder);
        let repository = self.repository.to_thread_local();
        let Ok(tree) = repository.find_tree(self.tree) else { return Vec::new() };
        let tree = if folder.as_str().is_empty() {
            Some(tree)
        } else {
            let entry = tree.lookup_entry_by_path(folder).ok().flatten();
            entry.and_then(|entry| entry.object().ok()).and_then(|object| object.try_into_tree().ok())
        };
        let Some(tree) = tree else { return Vec::new() };
        let mut out: Vec<Entry> = tree
            .iter()
            .filter_map(Result::ok)
            .filter_map(|entry| {
                let name = std::str::from_utf8(entry.filename()).ok()?.to_owned();
                let mode = entry.mode();
                let kind = if mode.is_tree() {
                    EntryKind::Folder
                } else if mode.is_blob() {
                    EntryKind::File
                } else {
                    return None;
                };
                Some(Entry { name, kind })
            })
            .collect();
        out.sort();
        out
    }
}
