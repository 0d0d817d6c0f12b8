//! `git::https://git.example.org/policies//base?ref=v7`: a policy of another repository.

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

/// What a policy extends in another repository, as Terraform writes the source of a module: the repository, a file or
/// folder in it after `//`, and a branch, tag or commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    text: String,
    /// The repository.
    pub url: String,
    /// The policy, or the folder that holds it as `policy.yaml`; empty for the top of the repository.
    pub path: Utf8PathBuf,
    /// The branch, tag or commit.
    pub revision: String,
}

/// Why a text names no policy of another repository.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ReferenceError {
    /// It does not begin with `git::`.
    #[error("only `git::` names a policy of another repository")]
    NoGit,
    /// No revision.
    #[error("say which branch, tag or commit is meant: `?ref=v1`")]
    NoRevision,
    /// A revision that none can be.
    #[error("`{0}` is no name of a branch, tag or commit")]
    Revision(String),
    /// Something else after `?`.
    #[error("only `ref` may follow `?`, and once")]
    Query,
    /// A scheme that is not spoken.
    #[error(
        "`{0}` is not spoken: use https://, ssh:// or git://; what lies on this machine is named by its folder"
    )]
    Scheme(String),
    /// A secret in the address.
    #[error(
        "credentials do not belong into a policy: leave them out, and set AUDITLINT_GIT_TOKEN for the update"
    )]
    Secret,
    /// A path that leads out, or is none.
    #[error("`{0}` is no path in a repository")]
    Path(String),
    /// White space or what acts on a terminal.
    #[error("the name has characters that no address has")]
    Characters,
}

impl Reference {
    /// Whether a name is meant to be one.
    #[must_use]
    pub fn is_meant(name: &str) -> bool {
        name.starts_with("git::")
    }

    /// Reads a name.
    ///
    /// # Errors
    /// With the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let rest = text.strip_prefix("git::").ok_or(ReferenceError::NoGit)?;
        if rest.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(ReferenceError::Characters);
        }
        let (place, query) = rest.split_once('?').ok_or(ReferenceError::NoRevision)?;
        let revision = query.strip_prefix("ref=").ok_or(ReferenceError::Query)?;
        if revision.contains(['&', '?', '#']) {
            return Err(ReferenceError::Query);
        }
        if !is_revision(revision) {
            return Err(ReferenceError::Revision(revision.to_owned()));
        }
        let (scheme, after) = match place.split_once("://") {
            Some((scheme, after)) => (scheme, after),
            None if place.contains('@') && place.contains(':') => ("", place),
            None => return Err(ReferenceError::Scheme(place.to_owned())),
        };
        if !matches!(scheme, "https" | "ssh" | "git" | "") {
            return Err(ReferenceError::Scheme(format!("{scheme}://")));
        }
        let (address, path) = after.split_once("//").unwrap_or((after, ""));
        let host = address.split('/').next().unwrap_or_default();
        // `git@` is who logs in, and no secret; a password is one, and so is what stands before a host of https.
        if let Some((user, _)) = host.rsplit_once('@')
            && (scheme != "ssh" && !scheme.is_empty() || user.contains(':'))
        {
            return Err(ReferenceError::Secret);
        }
        if host.is_empty() || host.starts_with('-') {
            return Err(ReferenceError::Scheme(address.to_owned()));
        }
        let is_plain = |part: &str| !matches!(part, "" | "." | "..");
        if !path.is_empty() && !path.split('/').all(is_plain) {
            return Err(ReferenceError::Path(path.to_owned()));
        }
        let url = if scheme.is_empty() { address.to_owned() } else { format!("{scheme}://{address}") };
        Ok(Self { text: text.to_owned(), url, path: path.into(), revision: revision.to_owned() })
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the revision is a whole commit: that one never moves.
    #[must_use]
    pub fn is_commit(&self) -> bool {
        self.revision.len() == 40 && self.revision.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// The folder of the repository that makes up the bundle, and where in it the policy may stand.
    #[must_use]
    pub fn places(&self) -> [(Utf8PathBuf, Utf8PathBuf); 2] {
        let folder = self.path.parent().unwrap_or_else(|| Utf8Path::new("")).to_owned();
        let name = self.path.file_name().unwrap_or_default().into();
        [(folder, name), (self.path.clone(), super::POLICY_NAME.into())]
    }
}

/// A name as git allows it (<https://git-scm.com/docs/git-check-ref-format>), of plain characters alone.
fn is_revision(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '+');
    !name.is_empty()
        && name.len() <= 200
        && name.chars().all(is_plain)
        && !name.contains("..")
        && !name.contains("//")
        && !name.starts_with(['-', '/', '.'])
        && !name.ends_with(['/', '.'])
        && !name.ends_with(".lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_a_path_and_a_revision() {
        for (text, url, path, revision) in [
            (
                "git::https://git.example.org/p.git//base?ref=v7",
                "https://git.example.org/p.git",
                "base",
                "v7",
            ),
            ("git::https://git.example.org/p?ref=main", "https://git.example.org/p", "", "main"),
            (
                "git::ssh://git@git.example.org/p//a/b.yaml?ref=x/y",
                "ssh://git@git.example.org/p",
                "a/b.yaml",
                "x/y",
            ),
            (
                "git::git@git.example.org:acme/p.git//base?ref=v7",
                "git@git.example.org:acme/p.git",
                "base",
                "v7",
            ),
            ("git::git://127.0.0.1:9418/p//base?ref=main", "git://127.0.0.1:9418/p", "base", "main"),
        ] {
            let found = Reference::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(
                (found.url.as_str(), found.path.as_str(), found.revision.as_str()),
                (url, path, revision)
            );
        }
    }

    #[test]
    fn what_is_no_name_of_a_policy_is_refused() {
        for text in [
            "git::https://git.example.org/p",
            "git::https://git.example.org/p?ref=",
            "git::https://git.example.org/p?ref=-x",
            "git::https://git.example.org/p?ref=a..b",
            "git::https://git.example.org/p?ref=a&depth=1",
            "git::https://git.example.org/p?depth=1",
            "git::https://token@git.example.org/p?ref=v1",
            "git::ssh://git:secret@git.example.org/p?ref=v1",
            "git::http://git.example.org/p?ref=v1",
            "git::file:///etc/p?ref=v1",
            "git::/etc/p?ref=v1",
            "git::ext::sh -c x?ref=v1",
            "git::ssh://-oProxyCommand=x/p?ref=v1",
            "git::https://git.example.org/p//../x?ref=v1",
            "git::https://git.example.org/p//a//b?ref=v1",
            "https://git.example.org/p.tar.gz",
        ] {
            assert!(Reference::parse(text).is_err(), "{text}");
        }
    }
}
