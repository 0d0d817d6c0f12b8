//! The files of a workspace on disk: the implementation of `Files` that the command line and the server use.

use std::io;
use std::sync::Arc;

use auditlint_syntax::{Entry, EntryKind, Files, Paths, ReadError, Source};
use camino::{Utf8Path, Utf8PathBuf};
use dashmap::DashMap;
use ignore::gitignore::Gitignore;

/// No text that Terraform reads is larger; what is larger is a gap.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// Folders that make the folder that holds them a workspace.
const VERSION_CONTROL: [&str; 4] = [".git", ".hg", ".jj", ".svn"];

/// A workspace on disk. Reads regular files inside its root only, refuses what is larger than the limit, and
/// gives the same `Arc` for a file until [`Files::forget`] says that it changed.
#[derive(Debug)]
pub struct DiskFiles {
    root: Utf8PathBuf,
    paths: Arc<Paths>,
    texts: DashMap<Utf8PathBuf, Result<Arc<Source>, ReadError>>,
    lists: DashMap<Utf8PathBuf, Vec<Entry>>,
    /// By folder: where it really is, if that is inside.
    real: DashMap<Utf8PathBuf, Option<Utf8PathBuf>>,
    ignored: DashMap<Utf8PathBuf, Arc<Gitignore>>,
}

impl DiskFiles {
    /// The workspace at `root`, an absolute folder without symbolic links in its path.
    #[must_use]
    pub fn new(root: Utf8PathBuf) -> Self {
        Self {
            root,
            paths: Arc::default(),
            texts: DashMap::new(),
            lists: DashMap::new(),
            real: DashMap::new(),
            ignored: DashMap::new(),
        }
    }

    /// The absolute folder.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The workspace of `paths` (absolute, without symbolic links): the folder under version control that holds
    /// the first of them if it holds all, else their common parent.
    #[must_use]
    pub fn workspace_of(paths: &[Utf8PathBuf]) -> Utf8PathBuf {
        let folder = |path: &Utf8PathBuf| {
            if path.is_dir() {
                path.clone()
            } else {
                path.parent().map(Utf8Path::to_owned).unwrap_or_default()
            }
        };
        let mut common = paths.first().map(folder).unwrap_or_default();
        for path in paths {
            while !path.starts_with(&common) {
                common.pop();
            }
        }
        let controlled = common
            .ancestors()
            .find(|ancestor| VERSION_CONTROL.iter().any(|name| ancestor.join(name).exists()));
        controlled.map_or_else(|| common.clone(), Utf8Path::to_owned)
    }

    fn load(&self, path: &Utf8Path) -> Result<Arc<Source>, ReadError> {
        let absolute = self.root.join(path);
        let metadata = std::fs::symlink_metadata(&absolute).map_err(read_error)?;
        if self.real(path.parent().unwrap_or_else(|| Utf8Path::new(""))).is_none() {
            return Err(ReadError::Outside);
        }
        if metadata.is_symlink() {
            let target = absolute
                .canonicalize_utf8()
                .map_err(|_| ReadError::Unreadable("is a link that leads nowhere".to_owned()))?;
            let inside = target.strip_prefix(&self.root).map_err(|_| ReadError::Outside)?;
            if language(inside) == language(path) {
                return self.read(inside);
            }
        }
        let metadata = std::fs::metadata(&absolute).map_err(read_error)?;
        if !metadata.is_file() {
            return Err(ReadError::Unreadable("is not a regular file".to_owned()));
        }
        if metadata.len() > MAX_BYTES {
            return Err(ReadError::TooLarge { limit: MAX_BYTES });
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the edge: the one place that reads a workspace"
        )]
        let bytes = std::fs::read(&absolute).map_err(read_error)?;
        let file = self.paths.id(path);
        Ok(Arc::new(Source::new(file, path.to_owned(), Arc::from(bytes))))
    }

    /// Where a folder really is, its links followed; none outside. Asked once for each folder.
    fn real(&self, folder: &Utf8Path) -> Option<Utf8PathBuf> {
        if folder.as_str().is_empty() {
            return Some(Utf8PathBuf::new());
        }
        if let Some(known) = self.real.get(folder) {
            return known.clone();
        }
        let real = self.root.join(folder).canonicalize_utf8().ok();
        let real = real.and_then(|real| Some(real.strip_prefix(&self.root).ok()?.to_owned()));
        self.real.insert(folder.to_owned(), real.clone());
        real
    }

    /// What a link is.
    fn link(&self, absolute: &Utf8Path) -> EntryKind {
        let Ok(target) = absolute.canonicalize_utf8() else { return EntryKind::Other };
        match (target.starts_with(&self.root), target.is_dir(), target.is_file()) {
            (true, true, _) => EntryKind::FolderLink,
            (false, true, _) => EntryKind::FolderOutside,
            (true, false, true) => EntryKind::File,
            _ => EntryKind::Other,
        }
    }

    fn entries(&self, folder: &Utf8Path) -> Vec<Entry> {
        let absolute = self.root.join(folder);
        if self.real(folder).is_none() {
            return Vec::new();
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the edge: the one place that lists a workspace"
        )]
        let Ok(read) = std::fs::read_dir(&absolute) else { return Vec::new() };
        let mut out: Vec<Entry> = read
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name().into_string().ok()?;
                let kind = entry.file_type().ok()?;
                let kind = if kind.is_symlink() {
                    self.link(&absolute.join(&name))
                } else if kind.is_dir() {
                    EntryKind::Folder
                } else if kind.is_file() {
                    EntryKind::File
                } else {
                    EntryKind::Other
                };
                Some(Entry { name, kind })
            })
            .filter(|entry| !self.is_ignored(folder, entry))
            .collect();
        out.sort();
        out
    }

    /// Whether `.gitignore` files of the workspace leave the entry out. What Terraform installs under
    /// `.terraform` is usually ignored and is read all the same where a module call leads there.
    fn is_ignored(&self, folder: &Utf8Path, entry: &Entry) -> bool {
        if folder.components().any(|part| part.as_str() == ".terraform") {
            return false;
        }
        let path = self.root.join(folder).join(&entry.name);
        for ancestor in folder.ancestors() {
            let matcher = self.matcher(ancestor);
            let matched = matcher.matched(&path, entry.kind == EntryKind::Folder);
            if !matched.is_none() {
                return matched.is_ignore();
            }
        }
        false
    }

    fn matcher(&self, folder: &Utf8Path) -> Arc<Gitignore> {
        if let Some(known) = self.ignored.get(folder) {
            return Arc::clone(&known);
        }
        let matcher = Arc::new(Gitignore::new(self.root.join(folder).join(".gitignore")).0);
        self.ignored.insert(folder.to_owned(), Arc::clone(&matcher));
        matcher
    }
}

/// Today's date in UTC: what the command line and the server judge the dates of suppressions by.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the edge: the clock is read here")]
pub fn today() -> jiff::civil::Date {
    let now = jiff::Timestamp::try_from(std::time::SystemTime::now()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    now.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The end of a name by which Terraform tells what is in a file.
fn language(path: &Utf8Path) -> Option<&'static str> {
    let name = path.file_name()?;
    [".tf.json", ".tofu.json", ".tfvars.json", ".tf", ".tofu", ".tfvars"]
        .into_iter()
        .find(|ending| name.ends_with(ending))
}

fn read_error(error: io::Error) -> ReadError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ReadError::Missing,
        kind => ReadError::Unreadable(kind.to_string()),
    }
}

impl Files for DiskFiles {
    fn paths(&self) -> &Arc<Paths> {
        &self.paths
    }

    fn read(&self, path: &Utf8Path) -> Result<Arc<Source>, ReadError> {
        if let Some(known) = self.texts.get(path) {
            return known.clone();
        }
        let text = self.load(path);
        // What a link leads to is kept under its own path.
        if text.as_ref().is_ok_and(|source| source.path() != path) {
            return text;
        }
        self.texts.entry(path.to_owned()).or_insert(text).clone()
    }

    fn real_folder(&self, folder: &Utf8Path) -> Utf8PathBuf {
        self.real(folder).unwrap_or_else(|| folder.to_owned())
    }

    fn list(&self, folder: &Utf8Path) -> Vec<Entry> {
        if let Some(known) = self.lists.get(folder) {
            return known.clone();
        }
        let entries = self.entries(folder);
        self.lists.insert(folder.to_owned(), entries.clone());
        entries
    }

    fn forget(&self, path: &Utf8Path) {
        self.texts.remove(path);
        self.lists.remove(path);
        self.real.remove(path);
        if let Some(parent) = path.parent() {
            self.lists.remove(parent);
        }
        if path.file_name() == Some(".gitignore") {
            self.ignored.clear();
            self.lists.clear();
        }
    }
}
