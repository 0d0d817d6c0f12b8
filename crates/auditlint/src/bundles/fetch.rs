//! The files of a bundle, fetched from its repository. The one place that talks to the network.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use auditlint_analysis::bundle::Reference;
use camino::{Utf8Path, Utf8PathBuf};
use gix::objs::tree::EntryKind;

/// Longest time for one repository.
const LONGEST: Duration = Duration::from_secs(120);
/// Most bytes of a repository as it arrives.
const LARGEST_REPOSITORY: u64 = 512 << 20;
/// Most bytes of a file of a bundle, and of all of them.
const LARGEST_FILE: usize = 4 << 20;
const LARGEST_BUNDLE: usize = 32 << 20;
/// Most entries of a bundle's folders, and how deep these may lie in one another.
const MOST_ENTRIES: usize = 4_096;
const DEEPEST: usize = 16;
/// Files with these ends belong to a bundle; others stay where they are.
const POLICIES: [&str; 4] = [".yaml", ".yml", ".json", ".rego"];

/// What a repository holds for a reference.
pub(super) struct Fetched {
    /// The commit that was asked for.
    pub(super) commit: String,
    /// Whether a tag names it: tags do not move.
    pub(super) is_tag: bool,
    /// Whether the commit that is known already is that one, or comes before it.
    pub(super) continues: bool,
    /// The policy among the files.
    pub(super) policy: Utf8PathBuf,
    pub(super) files: BTreeMap<Utf8PathBuf, Vec<u8>>,
}

/// What is known of a reference, and whether exactly that is wanted.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) commit: String,
    pub(super) is_wanted: bool,
}

/// Fetches into a folder that is gone afterwards.
pub(super) fn fetch(reference: &Reference, known: Option<Known>) -> Result<Fetched, String> {
    let folder =
        tempfile::tempdir().map_err(|error| format!("no folder for what arrives: {}", error.kind()))?;
    let stop = Arc::new(AtomicBool::new(false));
    let (answer, answered) = mpsc::channel();
    let (path, own, at) = (folder.path().to_owned(), Arc::clone(&stop), reference.clone());
    std::thread::Builder::new()
        .name("fetch".to_owned())
        .spawn(move || answer.send(received(&path, &at, known.as_ref(), &own)))
        .map_err(|error| error.to_string())?;
    // A repository that never ends is one that is too large.
    let start = Instant::now();
    loop {
        match answered.recv_timeout(Duration::from_millis(50)) {
            Ok(answer) => return answer,
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err("the connection was lost".to_owned()),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        let reason = if start.elapsed() > LONGEST {
            format!("it did not answer in full within {} seconds", LONGEST.as_secs())
        } else if size(folder.path()) > LARGEST_REPOSITORY {
            format!("it is larger than {} MiB", LARGEST_REPOSITORY >> 20)
        } else {
            continue;
        };
        stop.store(true, Ordering::SeqCst);
        return Err(reason);
    }
}

fn received(
    folder: &Path,
    reference: &Reference,
    known: Option<&Known>,
    stop: &AtomicBool,
) -> Result<Fetched, String> {
    let repository = gix::ThreadSafeRepository::init_opts(
        folder,
        gix::create::Kind::Bare,
        gix::create::Options::default(),
        // What whoever runs it has configured, credential helpers among it, has nothing to do with a bundle.
        gix::open::Options::isolated(),
    )
    .map_err(|error| said(&error))?
    .to_thread_local();
    let revision = &reference.revision;
    let names: Vec<String> = if reference.is_commit() {
        vec!["heads/*".to_owned(), "tags/*".to_owned()]
    } else {
        vec![format!("heads/{revision}"), format!("tags/{revision}")]
    };
    let specs = names.iter().map(|name| format!("+refs/{name}:refs/{name}"));
    let remote = repository
        .remote_at(reference.url.as_str())
        .and_then(|remote| {
            remote
                .with_fetch_tags(gix::remote::fetch::Tags::None)
                .with_refspecs(specs.map(gix::bstr::BString::from), gix::remote::Direction::Fetch)
        })
        .map_err(|error| said(&error))?;
    let url = reference.url.clone();
    let connection = remote.connect(gix::remote::Direction::Fetch).map_err(|error| said(&error))?;
    let is_refused = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&is_refused);
    let connection = connection.with_credentials(move |action| {
        let found = credentials(action, &url);
        asked.store(found.is_none(), Ordering::SeqCst);
        Ok(found)
    });
    connection
        .prepare_fetch(gix::progress::Discard, gix::remote::ref_map::Options::default())
        .and_then(|prepared| prepared.receive(gix::progress::Discard, stop))
        .map_err(|error| {
            if !is_refused.load(Ordering::SeqCst) {
                return said(&error);
            }
            match host(&reference.url) {
                Some(host) => format!(
                    "the server asks for a token: AUDITLINT_GIT_TOKEN, with AUDITLINT_GIT_HOST={host}"
                ),
                // Nothing else asks for credentials: ssh has keys of its own, and was not let in with them.
                None => "ssh was not let in: see that `git ls-remote` reads the same address".to_owned(),
            }
        })?;
    let find = |name: &str| repository.rev_parse_single(name).ok();
    let (tag, branch) = (find(&format!("refs/tags/{revision}")), find(&format!("refs/heads/{revision}")));
    let is_tag = tag.is_some();
    let asked = if reference.is_commit() { find(revision) } else { tag.or(branch) };
    let asked = asked.ok_or_else(|| format!("it has no branch, tag or commit {revision}"))?;
    let newest = commit(asked, revision)?;
    let old = known.and_then(|known| gix::ObjectId::from_hex(known.commit.as_bytes()).ok());
    let continues = match old {
        Some(old) => {
            old == newest.id
                || newest.ancestors().all().is_ok_and(|walk| walk.flatten().any(|commit| commit.id == old))
        }
        None => true,
    };
    let wanted = match (known, old) {
        (Some(known), Some(old)) if known.is_wanted => {
            let missing = || format!("it no longer has the commit {} of the lock", known.commit);
            commit(repository.find_object(old).map_err(|_| missing())?.id(), revision)?
        }
        _ => newest,
    };
    let (policy, files) = files(&wanted, reference)?;
    Ok(Fetched { commit: wanted.id.to_string(), is_tag, continues, policy, files })
}

fn commit<'r>(id: gix::Id<'r>, revision: &str) -> Result<gix::Commit<'r>, String> {
    let object = id.object().ok().and_then(|object| object.peel_to_commit().ok());
    object.ok_or_else(|| format!("{revision} is no commit, or one that cannot be read"))
}

/// The policies of a commit in the folder that the reference names, and which of them is meant.
fn files(
    commit: &gix::Commit<'_>,
    reference: &Reference,
) -> Result<(Utf8PathBuf, BTreeMap<Utf8PathBuf, Vec<u8>>), String> {
    let unreadable = || "its objects cannot be read, or are not what their names say".to_owned();
    let top = commit.tree().map_err(|_| unreadable())?;
    let places = reference.places();
    let mut meant = None;
    for (folder, policy) in places {
        let path = folder.join(&policy);
        let entry = top.lookup_entry_by_path(&path).map_err(|_| unreadable())?;
        if entry.is_some_and(|entry| entry.mode().is_blob()) {
            meant = Some((folder, policy));
            break;
        }
    }
    let (folder, policy) =
        meant.ok_or_else(|| format!("it has no policy `{}`, nor `policy.yaml` there", reference.path))?;
    let tree = if folder.as_str().is_empty() {
        top
    } else {
        let entry = top.lookup_entry_by_path(&folder).map_err(|_| unreadable())?;
        entry
            .and_then(|entry| entry.object().ok())
            .and_then(|object| object.try_into_tree().ok())
            .ok_or_else(unreadable)?
    };
    let mut bundle = Bundle::default();
    bundle.take(&tree, Utf8Path::new(""), 0)?;
    Ok((policy, bundle.files))
}

#[derive(Default)]
struct Bundle {
    files: BTreeMap<Utf8PathBuf, Vec<u8>>,
    entries: usize,
    bytes: usize,
}

impl Bundle {
    fn take(&mut self, tree: &gix::Tree<'_>, at: &Utf8Path, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(format!("its folders lie more than {DEEPEST} deep in one another"));
        }
        for entry in tree.iter() {
            let entry = entry.map_err(|_| "a folder of it cannot be read".to_owned())?;
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                return Err(format!("it has more than {MOST_ENTRIES} entries"));
            }
            let Ok(name) = std::str::from_utf8(entry.filename()) else { continue };
            // Whoever made the tree by hand may have named it as no file can be: the path would lead out.
            let is_plain = |c: char| !c.is_control() && !matches!(c, '/' | '\\' | ':');
            if matches!(name, "" | "." | "..") || !name.chars().all(is_plain) {
                return Err(format!("an entry in `{at}` has a name that no file may have"));
            }
            let path = at.join(name);
            let is_policy = POLICIES.iter().any(|end| name.ends_with(end));
            match entry.mode().kind() {
                EntryKind::Tree => {
                    let inner = entry.object().ok().and_then(|object| object.try_into_tree().ok());
                    self.take(&inner.ok_or_else(|| format!("{path} cannot be read"))?, &path, depth + 1)?;
                }
                EntryKind::Blob | EntryKind::BlobExecutable if is_policy => {
                    let object = entry.object().map_err(|_| format!("{path} cannot be read"))?;
                    self.bytes += object.data.len();
                    if object.data.len() > LARGEST_FILE || self.bytes > LARGEST_BUNDLE {
                        return Err(format!(
                            "{path} is too large: a file may have {} MiB, and all of them {}",
                            LARGEST_FILE >> 20,
                            LARGEST_BUNDLE >> 20
                        ));
                    }
                    self.files.insert(path, object.data.clone());
                }
                EntryKind::Link if is_policy => {
                    return Err(format!("{path} is a link, and none is followed"));
                }
                EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link | EntryKind::Commit => {}
            }
        }
        Ok(())
    }
}

/// The host of an address that a token may be sent to, with its port where it names one.
fn host(url: &str) -> Option<&str> {
    url.strip_prefix("https://")?.split('/').next()
}

/// The token of the environment, for the host that it is meant for: a policy of a pull request may name any other.
fn credentials(
    action: gix::credentials::helper::Action,
    url: &str,
) -> Option<gix::credentials::protocol::Outcome> {
    let gix::credentials::helper::Action::Get(context) = action else { return None };
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge: a token is asked for when a server wants one"
    )]
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if variable("AUDITLINT_GIT_HOST")? != host(url)? {
        return None;
    }
    Some(gix::credentials::protocol::Outcome {
        identity: gix::sec::identity::Account {
            username: variable("AUDITLINT_GIT_USER").unwrap_or_else(|| "x-access-token".to_owned()),
            password: variable("AUDITLINT_GIT_TOKEN")?,
            oauth_refresh_token: None,
        },
        next: context.into(),
    })
}

/// An error with what caused it, in one line.
fn said(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !out.contains(&text) {
            out.push_str(": ");
            out.push_str(&text);
        }
        next = cause.source();
    }
    out.replace('\n', " ")
}

/// Bytes of the files of a folder.
fn size(folder: &Path) -> u64 {
    let mut open: Vec<PathBuf> = vec![folder.to_owned()];
    let mut bytes = 0;
    while let Some(folder) = open.pop() {
        #[expect(clippy::disallowed_methods, reason = "the folder is one of this program's own")]
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => open.push(entry.path()),
                Ok(metadata) => bytes += metadata.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}
