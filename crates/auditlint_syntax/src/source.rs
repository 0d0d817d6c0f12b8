//! One revision of one text, and the interner that gives paths their ids.

use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, OnceLock, RwLock};

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::{FileId, LineIndex};

/// One immutable revision of a text. `text` has exactly the length of the bytes it was read from: a leading
/// byte order mark becomes three spaces and each byte that is not UTF-8 becomes a `?`, so that every offset
/// is an offset into the original bytes, which edits apply to.
#[derive(Debug)]
pub struct Source {
    file: FileId,
    path: Utf8PathBuf,
    /// The bytes as they were read, where the text has others.
    bytes: Option<Arc<[u8]>>,
    text: Arc<str>,
    hash: u64,
    invalid: Option<u32>,
    lines: OnceLock<LineIndex>,
}

impl Source {
    /// Takes a text in from its bytes.
    #[must_use]
    pub fn new(file: FileId, path: Utf8PathBuf, bytes: Arc<[u8]>) -> Self {
        let (text, invalid) = same_length_text(&bytes);
        let hash = content_hash(&*bytes);
        let bytes = (*text.as_bytes() != *bytes).then_some(bytes);
        Self { file, path, bytes, text, hash, invalid, lines: OnceLock::new() }
    }

    /// The file's id.
    #[must_use]
    pub fn file(&self) -> FileId {
        self.file
    }

    /// The path, relative to the workspace, with `/`.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The bytes as they were read.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or(self.text.as_bytes())
    }

    /// The text, as long as the bytes.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// A hash of the bytes, stable within a process.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Offset of the first byte that is not UTF-8.
    #[must_use]
    pub fn first_invalid(&self) -> Option<u32> {
        self.invalid
    }

    /// Whether the bytes look like no text at all (a NUL in the first 8 KiB of something not UTF-16).
    #[must_use]
    pub fn is_binary(&self) -> bool {
        self.bytes().iter().take(8192).any(|&b| b == 0)
    }

    /// The line index, made on first use.
    pub fn lines(&self) -> &LineIndex {
        self.lines.get_or_init(|| LineIndex::new(&self.text))
    }
}

/// A hash of `content`, stable within a process.
pub(crate) fn content_hash<T: Hash + ?Sized>(content: &T) -> u64 {
    FxBuildHasher.hash_one(content)
}

fn same_length_text(bytes: &Arc<[u8]>) -> (Arc<str>, Option<u32>) {
    let mark = bytes.starts_with(b"\xEF\xBB\xBF");
    if !mark && let Ok(text) = std::str::from_utf8(bytes) {
        return (Arc::from(text), None);
    }
    let mut text = String::with_capacity(bytes.len());
    let mut invalid = None;
    for (n, chunk) in bytes.utf8_chunks().enumerate() {
        let valid = chunk.valid();
        if mark && n == 0 {
            text.push_str("   ");
            text.push_str(valid.strip_prefix('\u{FEFF}').unwrap_or(valid));
        } else {
            text.push_str(valid);
        }
        if !chunk.invalid().is_empty() {
            invalid.get_or_insert(u32::try_from(text.len()).unwrap_or(u32::MAX));
            text.extend(chunk.invalid().iter().map(|_| '?'));
        }
    }
    (Arc::from(text), invalid)
}

/// Paths and their ids: append-only, shared by all snapshots of a process.
#[derive(Debug, Default)]
pub struct Paths {
    inner: RwLock<Interned>,
}

#[derive(Debug, Default)]
struct Interned {
    ids: FxHashMap<Utf8PathBuf, FileId>,
    paths: Vec<Utf8PathBuf>,
}

impl Paths {
    /// The id of `path`, the same one every time. Paths are relative to the workspace and use `/`.
    pub fn id(&self, path: &Utf8Path) -> FileId {
        if let Some(id) = self.read().ids.get(path) {
            return *id;
        }
        let mut inner = self.inner.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(id) = inner.ids.get(path) {
            return *id;
        }
        let id = FileId(u32::try_from(inner.paths.len()).unwrap_or(u32::MAX));
        inner.paths.push(path.to_owned());
        inner.ids.insert(path.to_owned(), id);
        id
    }

    /// The path of `file`; empty for an id of another interner.
    #[must_use]
    pub fn path(&self, file: FileId) -> Utf8PathBuf {
        self.read().paths.get(file.0 as usize).cloned().unwrap_or_default()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Interned> {
        self.inner.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Source {
        Source::new(FileId(0), "a.tf".into(), Arc::from(bytes))
    }

    #[test]
    fn a_byte_order_mark_keeps_its_three_bytes() {
        let source = text(b"\xEF\xBB\xBFa = 1");
        assert_eq!(&**source.text(), "   a = 1");
    }

    #[test]
    fn bytes_that_are_not_utf8_keep_their_length() {
        let source = text(b"# caf\xE9 \xFF\xFE\nb = 2");
        assert_eq!(source.text().len(), source.bytes().len());
        assert_eq!(source.first_invalid(), Some(5));
        assert!(source.text().ends_with("\nb = 2"));
    }

    #[test]
    fn one_path_has_one_id() {
        let paths = Paths::default();
        let a = paths.id("a.tf".into());
        assert_ne!(a, paths.id("b.tf".into()));
        assert_eq!(a, paths.id("a.tf".into()));
        assert_eq!(paths.path(a), "a.tf");
    }
}
