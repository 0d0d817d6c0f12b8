//! Policies of another repository: what names them, what they were when they were fetched, and the files that were.
//!
//! Nothing is fetched here. `auditlint policy update` writes the files below [`CACHE`] and [`LOCK_NAME`] beside it; from
//! then on a file counts only as long as it is what the lock says that it is.

mod lock;
mod reference;

use std::sync::Arc;

use auditlint_policy::Extended;
use auditlint_syntax::{Files, Source};
use camino::{Utf8Path, Utf8PathBuf};

pub use lock::{Lock, Locked, digest_of_file};
pub use reference::{Reference, ReferenceError};

/// The name of the file that says which bundles are in force.
pub const LOCK_NAME: &str = "auditlint.lock";
/// The file that is meant where a folder is named.
pub const POLICY_NAME: &str = "policy.yaml";
/// The folder beside the lock that holds their files.
pub const CACHE: &str = ".auditlint/bundles";

/// The file that `path` names in a policy: a folder stands for the policy in it.
#[must_use]
pub fn policy_at(path: Utf8PathBuf, files: &dyn Files) -> Utf8PathBuf {
    let inner = path.join(POLICY_NAME);
    if path.extension().is_none() && files.read(&inner).is_ok() { inner } else { path }
}

/// The policy that `name` stands for in a policy of the folder `base`, as it was fetched.
///
/// # Errors
/// Where it was not fetched, or is not what the lock says that it is.
pub fn read(name: &Extended, base: &Utf8Path, files: &dyn Files) -> Result<Arc<Source>, String> {
    let reference = Reference::parse(&name.name).map_err(|error| error.to_string())?;
    let (top, lock) = nearest(base, files)?;
    let locked = lock.bundle(reference.text()).ok_or_else(|| {
        format!("{} does not say what it is: run `auditlint policy update`", top.join(LOCK_NAME))
    })?;
    if let Some(digest) = name.digest.as_ref().filter(|digest| **digest != locked.digest) {
        return Err(format!(
            "its digest is to be {digest}, and {} has {}",
            top.join(LOCK_NAME),
            locked.digest
        ));
    }
    let path = top.join(locked.folder()).join(&locked.policy);
    whole(locked, &path, &locked.policy, files)
}

/// The file at `path`, where it may be one of a bundle: then it has to be what the lock says. `from` is the policy that
/// names it: what is in a bundle names files of its own bundle alone.
pub(crate) fn checked(path: &Utf8Path, from: &Utf8Path, files: &dyn Files) -> Result<Arc<Source>, String> {
    let own = inside(from);
    if inside(path).map(|(bundle, _)| bundle) != own.as_ref().map(|(bundle, _)| *bundle) {
        return Err(match own {
            Some(_) => "it lies outside of the bundle; name the folder that holds both after `//`".to_owned(),
            None => "files of a bundle are named by its reference".to_owned(),
        });
    }
    let Some((bundle, rest)) = inside(path) else {
        return files.read(path).map_err(|reason| reason.to_string());
    };
    let (_, lock) = nearest(from.parent().unwrap_or(from), files)?;
    let locked = lock.bundles.iter().find(|locked| locked.folder().file_name() == Some(bundle));
    whole(locked.ok_or("the lock does not have its bundle")?, path, rest, files)
}

/// A file of a bundle, where it is what was fetched.
fn whole(
    locked: &Locked,
    path: &Utf8Path,
    rest: &Utf8Path,
    files: &dyn Files,
) -> Result<Arc<Source>, String> {
    let known = locked.files.get(rest).ok_or_else(|| format!("the bundle has no file {rest}"))?;
    let source = files
        .read(path)
        .map_err(|_| format!("{path} is not there: run `auditlint policy update --locked`"))?;
    if digest_of_file(source.bytes()) != *known {
        return Err(format!(
            "{path} is not what was fetched: its digest differs from that of {LOCK_NAME}; \
             run `auditlint policy update --locked`"
        ));
    }
    Ok(source)
}

/// The lock that counts for a folder: the nearest one upwards, with the folder that holds it.
fn nearest(folder: &Utf8Path, files: &dyn Files) -> Result<(Utf8PathBuf, Lock), String> {
    for top in folder.ancestors() {
        // A file that stands in a bundle says nothing of bundles.
        if inside(&top.join(LOCK_NAME)).is_some() {
            continue;
        }
        if let Ok(source) = files.read(&top.join(LOCK_NAME)) {
            let lock = Lock::read(&source).map_err(|problem| problem.to_string())?;
            return Ok((top.to_owned(), lock));
        }
    }
    Err(format!("there is no {LOCK_NAME}: run `auditlint policy update`"))
}

/// The bundle that holds `path`, and the path in it.
fn inside(path: &Utf8Path) -> Option<(&str, &Utf8Path)> {
    let text = path.as_str();
    let at = text.find(CACHE).filter(|at| *at == 0 || text.as_bytes().get(at - 1) == Some(&b'/'))?;
    let (bundle, rest) = text.get(at + CACHE.len()..)?.strip_prefix('/')?.split_once('/')?;
    Some((bundle, Utf8Path::new(rest)))
}
