//! `auditlint policy update`: fetches the policies of other repositories and writes down what they were.

mod fetch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;
use auditlint_analysis::bundle::{CACHE, LOCK_NAME, Lock, Locked, Reference, digest_of_file, policy_at};
use auditlint_analysis::{DiskFiles, NamedPolicy, find_config, load_policies, relative};
use auditlint_policy::{Config, Extended, Reading};
use auditlint_syntax::{Entry, Files, MemoryFiles, Paths, ReadError, Source};
use camino::{Utf8Path, Utf8PathBuf};

use crate::failure::Failure;
use crate::{catalogue, output};
use fetch::{Known, fetch};

/// Most policies that are followed.
const MOST: usize = 256;

/// Fetches what the policies of the folder, or those that are named, extend. With `locked` exactly what the lock says.
pub(crate) fn update(named: &[Utf8PathBuf], locked: bool) -> Result<u8, Failure> {
    let here = Utf8Path::new(".")
        .canonicalize_utf8()
        .map_err(|error| Failure::new(format!("this folder cannot be read: {}", error.kind())))?;
    let files = Arc::new(DiskFiles::new(DiskFiles::workspace_of(std::slice::from_ref(&here))));
    let folder = here.strip_prefix(files.root()).unwrap_or(Utf8Path::new("")).to_owned();
    let (tops, base) = tops(named, &files, &folder)?;
    let top =
        base.ancestors().find(|above| files.read(&above.join(LOCK_NAME)).is_ok()).unwrap_or(&base).to_owned();
    let place = Place { files: Arc::clone(&files), top };
    let old = place.lock()?;
    if locked && old.bundles.is_empty() {
        return Err(Failure::new(format!("there is no {LOCK_NAME} with bundles"))
            .hint("run `auditlint policy update`, and keep the file under version control"));
    }
    let mut walk = Walk { place: &place, old: &old, locked, found: BTreeMap::new(), seen: BTreeSet::new() };
    let around: Arc<dyn Files> = Arc::clone(&files) as Arc<dyn Files>;
    for source in &tops {
        match source {
            Top::Policy(source) => walk.follow("", &around, source)?,
            Top::Reference(extended) => walk.extended("", &around, &base, extended)?,
        }
    }
    let found = walk.found;
    for bundle in found.values() {
        place.put(bundle)?;
    }
    if locked {
        output::print(&format!("{} as locked\n", bundles(found.len())))?;
        return Ok(0);
    }
    let mut lock = Lock::default();
    lock.bundles.extend(found.values().map(|bundle| bundle.locked.clone()));
    if !named.is_empty() {
        // What only other policies extend stays as it was.
        let others = old.bundles.iter().filter(|known| lock.bundle(&known.source).is_none()).cloned();
        lock.bundles.extend(others.collect::<Vec<_>>());
    }
    place.try_out(&lock, named, &folder)?;
    output::replace(&files.root().join(place.top.join(LOCK_NAME)), lock.text().as_bytes())?;
    place.clean(&lock);
    output::print(&told(&old, &lock))?;
    Ok(0)
}

/// Where the walk begins.
enum Top {
    Policy(Arc<Source>),
    /// The config file names it itself.
    Reference(Extended),
}

/// The policies to begin with, and the folder for which the lock is.
fn tops(
    named: &[Utf8PathBuf],
    files: &DiskFiles,
    folder: &Utf8Path,
) -> Result<(Vec<Top>, Utf8PathBuf), Failure> {
    let read = |path: &Utf8Path| {
        files.read(path).map_err(|error| {
            Failure::new(format!("{path}: {error}")).hint("name policies of this repository")
        })
    };
    if !named.is_empty() {
        let paths: Vec<Utf8PathBuf> = named.iter().map(|path| folder.join(path)).collect();
        let base = paths.first().and_then(|path| path.parent()).unwrap_or(folder).to_owned();
        let sources = paths.iter().map(|path| read(path).map(Top::Policy)).collect::<Result<_, _>>()?;
        return Ok((sources, base));
    }
    let config = find_config(folder, files).ok_or_else(|| {
        Failure::new("there is no .auditlint.yaml here or above").hint("name the policies by --policy")
    })?;
    let source = read(&config)?;
    let base = config.parent().unwrap_or(Utf8Path::new("")).to_owned();
    let settings = Config::read(&source).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Failure::new(lines.join("\n")).hint("correct the lines above")
    })?;
    let mut out = Vec::new();
    for (name, span) in &settings.policy {
        if Reference::is_meant(name) {
            out.push(Top::Reference(Extended { name: name.clone(), digest: None, span: *span }));
        } else if !name.starts_with("auditlint:")
            && let Some(path) = relative(&base, name)
        {
            out.push(Top::Policy(read(&policy_at(path, files))?));
        }
    }
    if settings.is_policy {
        out.push(Top::Policy(source));
    }
    Ok((out, base))
}

/// A bundle that was fetched, or is there already.
struct Bundle {
    locked: Locked,
    files: BTreeMap<Utf8PathBuf, Vec<u8>>,
}

/// The policies that extend one another, as far as they are followed.
struct Walk<'a> {
    place: &'a Place,
    old: &'a Lock,
    locked: bool,
    found: BTreeMap<String, Bundle>,
    /// Policies by the bundle that holds them, none for the workspace.
    seen: BTreeSet<(String, Utf8PathBuf)>,
}

impl Walk<'_> {
    fn follow(&mut self, within: &str, files: &Arc<dyn Files>, source: &Source) -> Result<(), Failure> {
        let base = source.path().parent().unwrap_or(Utf8Path::new("")).to_owned();
        for extended in Extended::by(source) {
            self.extended(within, files, &base, &extended)?;
        }
        Ok(())
    }

    fn extended(
        &mut self,
        within: &str,
        files: &Arc<dyn Files>,
        base: &Utf8Path,
        extended: &Extended,
    ) -> Result<(), Failure> {
        let name = &extended.name;
        if name.starts_with("auditlint:") {
            return Ok(());
        }
        if !Reference::is_meant(name) {
            // What cannot be read here is told when the policy is loaded.
            let Some(path) = relative(base, name) else {
                return Ok(());
            };
            let path = policy_at(path, &**files);
            if self.seen.len() >= MOST || !self.seen.insert((within.to_owned(), path.clone())) {
                return Ok(());
            }
            return match files.read(&path) {
                Ok(source) => self.follow(within, files, &source),
                Err(_) => Ok(()),
            };
        }
        let is_new = !self.found.contains_key(name);
        if is_new {
            if self.found.len() >= MOST {
                return Err(Failure::new(format!("policies extend more than {MOST} bundles")));
            }
            let failed = |reason: String| Failure::new(format!("{name}: {reason}; nothing was changed"));
            let reference = Reference::parse(name).map_err(|error| failed(error.to_string()))?;
            let bundle = self.bundle(&reference).map_err(failed)?;
            self.found.insert(name.clone(), bundle);
        }
        let Some(bundle) = self.found.get(name) else { return Ok(()) };
        if let Some(digest) = extended.digest.as_ref().filter(|digest| **digest != bundle.locked.digest) {
            return Err(Failure::new(format!(
                "{name}: its digest is to be {digest}, and is {}; nothing was changed",
                bundle.locked.digest
            ))
            .hint("look at what changed, then correct the digest in the policy"));
        }
        if !is_new {
            return Ok(());
        }
        let mut inside = MemoryFiles::new();
        bundle.files.iter().for_each(|(path, bytes)| inside.put(path, bytes));
        let policy = bundle.locked.policy.clone();
        let inside: Arc<dyn Files> = Arc::new(inside);
        match inside.read(&policy) {
            Ok(source) => self.follow(name, &inside, &source),
            Err(_) => Ok(()),
        }
    }

    fn bundle(&self, reference: &Reference) -> Result<Bundle, String> {
        let old = self.old.bundle(reference.text());
        if self.locked {
            let old =
                old.ok_or_else(|| format!("{LOCK_NAME} does not have it: run `auditlint policy update`"))?;
            if let Some(files) = self.place.whole(old) {
                return Ok(Bundle { locked: old.clone(), files });
            }
        }
        let known = old.map(|old| Known { commit: old.commit.clone(), is_wanted: self.locked });
        let fetched = fetch(reference, known)?;
        let digests = fetched.files.iter().map(|(path, bytes)| (path.clone(), digest_of_file(bytes)));
        let locked = Locked::new(
            reference.text().to_owned(),
            fetched.commit.clone(),
            fetched.policy.clone(),
            digests.collect(),
        );
        if let Some(old) = old {
            let (from, to) = (short(&old.commit), short(&fetched.commit));
            let next = format!(
                "if that is meant, remove its entry from {LOCK_NAME}, and let the change be reviewed"
            );
            if self.locked && locked.digest != old.digest {
                return Err(format!("commit {to} is not what was locked: its digest is {}", locked.digest));
            }
            if fetched.is_tag && old.commit != fetched.commit {
                return Err(format!("the tag {} was moved, from {from} to {to}; {next}", reference.revision));
            }
            if !fetched.continues {
                return Err(format!("{to} is older than {from}, or of another history; {next}"));
            }
        }
        Ok(Bundle { locked, files: fetched.files })
    }
}

/// Where the lock is, and the files of bundles beside it.
struct Place {
    files: Arc<DiskFiles>,
    /// The folder, in the workspace.
    top: Utf8PathBuf,
}

impl Place {
    fn lock(&self) -> Result<Lock, Failure> {
        match self.files.read(&self.top.join(LOCK_NAME)) {
            Ok(source) => Lock::read(&source).map_err(|problem| Failure::new(problem.to_string())),
            Err(ReadError::Missing) => Ok(Lock::default()),
            Err(error) => Err(Failure::new(format!("{}: {error}", self.top.join(LOCK_NAME)))),
        }
    }

    fn absolute(&self, path: &Utf8Path) -> Utf8PathBuf {
        self.files.root().join(&self.top).join(path)
    }

    /// The files of a bundle, where all of them are there and are what was fetched.
    fn whole(&self, locked: &Locked) -> Option<BTreeMap<Utf8PathBuf, Vec<u8>>> {
        let read = |(path, digest): (&Utf8PathBuf, &String)| {
            let source = self.files.read(&self.top.join(locked.folder()).join(path)).ok()?;
            (digest_of_file(source.bytes()) == *digest).then(|| (path.clone(), source.bytes().to_vec()))
        };
        locked.files.iter().map(read).collect()
    }

    /// Writes the files of a bundle: into a new folder, which takes its name when all of them are there.
    #[expect(clippy::disallowed_methods, reason = "this is the edge: the files of bundles are written here")]
    fn put(&self, bundle: &Bundle) -> Result<(), Failure> {
        if self.whole(&bundle.locked).is_some() {
            return Ok(());
        }
        let cache = self.absolute(Utf8Path::new(CACHE));
        // A link that the repository brought would lead elsewhere.
        let parts = [cache.parent(), Some(cache.as_path())].into_iter().flatten();
        for part in parts.chain([self.absolute(&bundle.locked.folder()).as_path()]) {
            if std::fs::symlink_metadata(part).is_ok_and(|metadata| !metadata.is_dir()) {
                return Err(Failure::new(format!("{part} is no folder")).hint("remove it"));
            }
        }
        let write = || -> std::io::Result<()> {
            std::fs::create_dir_all(&cache)?;
            std::fs::write(cache.join(".gitignore"), "*\n")?;
            let folder = tempfile::Builder::new().prefix("new-").tempdir_in(&cache)?;
            for (path, bytes) in &bundle.files {
                let path = folder.path().join(path);
                path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
                std::fs::write(path, bytes)?;
            }
            let target = self.absolute(&bundle.locked.folder());
            if target.exists() {
                std::fs::remove_dir_all(&target)?;
            }
            std::fs::rename(folder.keep(), target)
        };
        write().with_context(|| format!("{cache} cannot be written")).map_err(Failure::from)?;
        bundle
            .files
            .keys()
            .for_each(|path| self.files.forget(&self.top.join(bundle.locked.folder()).join(path)));
        Ok(())
    }

    /// Loads the policies as they would be: a lock under which they do not load is not written.
    fn try_out(&self, lock: &Lock, named: &[Utf8PathBuf], folder: &Utf8Path) -> Result<(), Failure> {
        let catalogue = catalogue::load(Reading::WithoutExamples)?;
        let path = self.top.join(LOCK_NAME);
        let text = lock.text();
        let source = Source::new(self.files.paths().id(&path), path.clone(), Arc::from(text.as_bytes()));
        let files = Locking { base: Arc::clone(&self.files), path, lock: Arc::new(source) };
        let read = |path: &Utf8PathBuf| files.read(&folder.join(path)).ok().map(NamedPolicy::Text);
        let named: Vec<NamedPolicy> = named.iter().filter_map(read).collect();
        load_policies(&catalogue, &files, folder, &named).map_err(|error| {
            Failure::new(format!("the policies do not load with what was fetched:\n{error}")).hint(format!(
                "{LOCK_NAME} was left as it is; correct the lines above, or name another revision"
            ))
        })?;
        Ok(())
    }

    /// Removes bundles that the lock does not have.
    fn clean(&self, lock: &Lock) {
        let kept: BTreeSet<Utf8PathBuf> =
            lock.bundles.iter().map(|locked| self.absolute(&locked.folder())).collect();
        let is_digest = |name: &str| name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let cache = self.absolute(Utf8Path::new(CACHE));
        for entry in cache.read_dir_utf8().into_iter().flatten().flatten() {
            if is_digest(entry.file_name()) && !kept.contains(entry.path()) {
                // One that stays costs some bytes.
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// The workspace with another lock.
struct Locking {
    base: Arc<DiskFiles>,
    path: Utf8PathBuf,
    lock: Arc<Source>,
}

impl Files for Locking {
    fn paths(&self) -> &Arc<Paths> {
        self.base.paths()
    }

    fn read(&self, path: &Utf8Path) -> Result<Arc<Source>, ReadError> {
        if path == self.path { Ok(Arc::clone(&self.lock)) } else { self.base.read(path) }
    }

    fn list(&self, folder: &Utf8Path) -> Vec<Entry> {
        self.base.list(folder)
    }
}

/// What changed, a line for each bundle.
fn told(old: &Lock, new: &Lock) -> String {
    let mut out = String::new();
    for locked in &new.bundles {
        let number = locked.files.len();
        let files = if number == 1 { "1 file".to_owned() } else { format!("{number} files") };
        let to = short(&locked.commit);
        out.push_str(&match old.bundle(&locked.source) {
            None => format!("{}: new, {to}, {files}\n", locked.source),
            Some(known) if known.digest == locked.digest => format!("{}: as before, {to}\n", locked.source),
            Some(known) => format!("{}: {} → {to}, {files}\n", locked.source, short(&known.commit)),
        });
    }
    for gone in old.bundles.iter().filter(|known| new.bundle(&known.source).is_none()) {
        out.push_str(&format!("{}: gone\n", gone.source));
    }
    if out.is_empty() {
        out.push_str("no policy extends one of another repository\n");
    }
    out
}

fn bundles(number: usize) -> String {
    if number == 1 { "1 bundle".to_owned() } else { format!("{number} bundles") }
}

fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}
