//! The texts of open editors, laid over the files of a workspace.

use std::collections::BTreeMap;
use std::sync::Arc;

use auditlint_syntax::{Entry, EntryKind, Files, Paths, ReadError, Source};
use camino::{Utf8Path, Utf8PathBuf};

/// A workspace with the texts that editors hold: these win over the disk.
#[derive(Clone)]
pub(crate) struct Overlay {
    base: Arc<dyn Files>,
    texts: BTreeMap<Utf8PathBuf, Arc<Source>>,
}

impl Overlay {
    pub(crate) fn new(base: Arc<dyn Files>) -> Self {
        Self { base, texts: BTreeMap::new() }
    }

    /// Lays `text` over `path`.
    pub(crate) fn put(&mut self, path: &Utf8Path, text: &str) {
        let file = self.base.paths().id(path);
        let source = Source::new(file, path.to_owned(), Arc::from(text.as_bytes()));
        self.texts.insert(path.to_owned(), Arc::new(source));
    }

    /// Lets the disk count again.
    pub(crate) fn close(&mut self, path: &Utf8Path) {
        self.texts.remove(path);
        self.base.forget(path);
    }

    /// Whether an editor holds `path`.
    pub(crate) fn holds(&self, path: &Utf8Path) -> bool {
        self.texts.contains_key(path)
    }
}

impl Files for Overlay {
    fn paths(&self) -> &Arc<Paths> {
        self.base.paths()
    }

    fn read(&self, path: &Utf8Path) -> Result<Arc<Source>, ReadError> {
        let held = |path: &Utf8Path| self.texts.get(path).map(|text| Ok(Arc::clone(text)));
        held(path).unwrap_or_else(|| {
            let read = self.base.read(path);
            // What a link leads to may be open.
            read.as_ref().ok().and_then(|source| held(source.path())).unwrap_or(read)
        })
    }

    fn real_folder(&self, folder: &Utf8Path) -> Utf8PathBuf {
        self.base.real_folder(folder)
    }

    fn list(&self, folder: &Utf8Path) -> Vec<Entry> {
        let mut entries = self.base.list(folder);
        for path in self.texts.keys().filter(|path| path.parent() == Some(folder)) {
            let name = path.file_name().unwrap_or_default().to_owned();
            let entry = Entry { name, kind: EntryKind::File };
            if let Err(at) = entries.binary_search_by(|known| known.name.cmp(&entry.name)) {
                entries.insert(at, entry);
            }
        }
        entries
    }

    fn forget(&self, path: &Utf8Path) {
        self.base.forget(path);
    }
}
