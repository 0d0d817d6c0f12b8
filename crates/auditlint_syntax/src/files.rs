//! The one door through which texts come in: synchronous, read-only, relative to the workspace.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashSet;
use thiserror::Error;

use crate::{Paths, Source};

/// Why a file gives no text.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ReadError {
    /// There is no such file. Not a defect in itself: a variable file may well be absent.
    #[error("no such file")]
    Missing,
    /// It is there and cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// It is, or leads, outside of the workspace.
    #[error("lies outside of the workspace")]
    Outside,
    /// It is larger than the limit that protects against hostile input.
    #[error("is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name, without the folder.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What a name in a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file, or a link to one inside the workspace.
    File,
    /// A folder.
    Folder,
    /// A link to a folder inside the workspace.
    FolderLink,
    /// A link to a folder outside of the workspace.
    FolderOutside,
    /// Something that is not read: a socket, or a link that leads to a file outside or nowhere.
    Other,
}

/// Where texts come from. Paths are relative to the workspace, use `/`, and are already normalised (no `.`
/// or `..` inside); the empty path is the workspace itself. An implementation gives the *same* `Arc` for
/// an unchanged file, so that whoever memoises by revision can compare cheaply.
pub trait Files: Send + Sync {
    /// The ids of the paths.
    fn paths(&self) -> &Arc<Paths>;

    /// The text of `path`; that of a link has the path of the file that it leads to, where both are of one
    /// language.
    ///
    /// # Errors
    /// When there is none to give; the reason becomes a gap, never silence.
    fn read(&self, path: &Utf8Path) -> Result<Arc<Source>, ReadError>;

    /// The folder that `folder` is, its links followed: what is read there has the paths of the files themselves,
    /// however they are reached. The same where nothing is to be followed, or where that leads outside.
    fn real_folder(&self, folder: &Utf8Path) -> Utf8PathBuf {
        folder.to_owned()
    }

    /// The names in `folder`, sorted; empty when it is missing. Ignored names (`.gitignore`) are left out.
    fn list(&self, folder: &Utf8Path) -> Vec<Entry>;

    /// Drops what is remembered of `path`: it changed, came or went. Nothing to do where nothing is remembered.
    fn forget(&self, _path: &Utf8Path) {}
}

/// Files that live in memory: the tests' workspace, and the texts of examples.
#[derive(Debug, Default)]
pub struct MemoryFiles {
    paths: Arc<Paths>,
    texts: BTreeMap<Utf8PathBuf, Arc<Source>>,
}

impl MemoryFiles {
    /// An empty workspace.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A workspace of `(path, text)` pairs.
    #[must_use]
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut all = Self::new();
        for (path, text) in files {
            all.put(path.into(), text.as_bytes());
        }
        all
    }

    /// Adds or replaces a file.
    pub fn put(&mut self, path: &Utf8Path, bytes: &[u8]) {
        let file = self.paths.id(path);
        self.texts.insert(path.to_owned(), Arc::new(Source::new(file, path.to_owned(), Arc::from(bytes))));
    }

    /// Removes a file.
    pub fn remove(&mut self, path: &Utf8Path) {
        self.texts.remove(path);
    }
}

impl Files for MemoryFiles {
    fn paths(&self) -> &Arc<Paths> {
        &self.paths
    }

    fn read(&self, path: &Utf8Path) -> Result<Arc<Source>, ReadError> {
        self.texts.get(path).cloned().ok_or(ReadError::Missing)
    }

    fn list(&self, folder: &Utf8Path) -> Vec<Entry> {
        let mut out: Vec<Entry> = Vec::new();
        for path in self.texts.keys() {
            let inside = if folder.as_str().is_empty() {
                Some(path.as_path())
            } else {
                path.strip_prefix(folder).ok()
            };
            let mut parts = inside.into_iter().flat_map(Utf8Path::iter);
            let Some(name) = parts.next() else { continue };
            let kind = if parts.next().is_some() { EntryKind::Folder } else { EntryKind::File };
            out.push(Entry { name: name.to_owned(), kind });
        }
        out.sort();
        out.dedup();
        out
    }
}

/// One question that was asked of the files: a root depends on the answer, whether there was one or not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// A file was read, or found missing.
    Read(Utf8PathBuf),
    /// A folder was listed.
    List(Utf8PathBuf),
}

/// Passes every question on and writes it down.
pub struct Recorder<'a> {
    inner: &'a dyn Files,
    seen: Mutex<FxHashSet<Access>>,
}

impl<'a> Recorder<'a> {
    /// Records what is asked of `inner`.
    #[must_use]
    pub fn new(inner: &'a dyn Files) -> Self {
        Self { inner, seen: Mutex::default() }
    }

    /// What was asked, sorted.
    #[must_use]
    pub fn accesses(self) -> Vec<Access> {
        let seen = self.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Access> = seen.into_iter().collect();
        all.sort();
        all
    }

    fn note(&self, access: Access) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(access);
    }
}

impl Files for Recorder<'_> {
    fn paths(&self) -> &Arc<Paths> {
        self.inner.paths()
    }

    fn read(&self, path: &Utf8Path) -> Result<Arc<Source>, ReadError> {
        self.note(Access::Read(path.to_owned()));
        let read = self.inner.read(path);
        if let Ok(source) = &read
            && source.path() != path
        {
            self.note(Access::Read(source.path().to_owned()));
        }
        read
    }

    fn real_folder(&self, folder: &Utf8Path) -> Utf8PathBuf {
        self.inner.real_folder(folder)
    }

    fn list(&self, folder: &Utf8Path) -> Vec<Entry> {
        self.note(Access::List(folder.to_owned()));
        self.inner.list(folder)
    }
}
