//! `auditlint.lock`: what each bundle was when it was fetched.

use std::collections::BTreeMap;

use auditlint_policy::LocatedProblem;
use auditlint_syntax::{LineColumn, Source};
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::CACHE;

/// The format that is written and read.
const VERSION: u32 = 1;
/// So many digits of the digest name the folder; what counts are the digests of the files.
const FOLDER_DIGITS: usize = 16;
/// Most bundles of a lock, and most files of a bundle.
const MOST: usize = 4_096;

/// The bundles in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    version: u32,
    /// Each once, sorted by its source.
    pub bundles: Vec<Locked>,
}

/// A bundle as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// The reference, as policies write it.
    pub source: String,
    /// The commit, in hexadecimal digits.
    pub commit: String,
    /// `sha256:` and the digest of [`Locked::files`].
    pub digest: String,
    /// The policy among the files.
    pub policy: Utf8PathBuf,
    /// The files by path, each with the SHA-256 of its bytes in hexadecimal digits.
    pub files: BTreeMap<Utf8PathBuf, String>,
}

impl Default for Lock {
    fn default() -> Self {
        Self { version: VERSION, bundles: Vec::new() }
    }
}

impl Lock {
    /// Reads a lock.
    ///
    /// # Errors
    /// With the line that is wrong.
    pub fn read(source: &Source) -> Result<Self, LocatedProblem> {
        let problem = |line: usize, column: usize, message: String| {
            let number = |number: usize| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
            let at = LineColumn { line: number(line), column: number(column) };
            LocatedProblem { path: source.path().to_string(), at, message }
        };
        let next = "restore it from version control, or delete it and run `auditlint policy update`";
        let lock: Self = serde_json::from_slice(source.bytes()).map_err(|error| {
            problem(error.line(), error.column(), format!("this is no lock: {error}; {next}"))
        })?;
        if lock.version != VERSION {
            let message =
                format!("version {} is not known; this program reads version {VERSION}", lock.version);
            return Err(problem(1, 1, message));
        }
        if lock.bundles.len() > MOST {
            return Err(problem(1, 1, format!("it has more than {MOST} bundles")));
        }
        let wrong = lock.bundles.iter().find(|locked| !locked.is_whole());
        match wrong {
            Some(locked) => {
                let message = format!("the digest of {} is not that of its files; {next}", locked.source);
                Err(problem(1, 1, message))
            }
            None => Ok(lock),
        }
    }

    /// The bundle of a reference.
    #[must_use]
    pub fn bundle(&self, source: &str) -> Option<&Locked> {
        self.bundles.iter().find(|locked| locked.source == source)
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut sorted = self.clone();
        sorted.bundles.sort_by(|one, other| one.source.cmp(&other.source));
        let mut text = serde_json::to_string_pretty(&sorted).unwrap_or_default();
        text.push('\n');
        text
    }
}

impl Locked {
    /// A bundle of these files.
    #[must_use]
    pub fn new(
        source: String,
        commit: String,
        policy: Utf8PathBuf,
        files: BTreeMap<Utf8PathBuf, String>,
    ) -> Self {
        Self { source, commit, digest: digest(&files), policy, files }
    }

    /// The folder that holds the files, from that of the lock: one for each digest, so that none is ever changed.
    #[must_use]
    pub fn folder(&self) -> Utf8PathBuf {
        let digest = self.digest.trim_start_matches("sha256:");
        Utf8PathBuf::from(CACHE).join(digest.get(..FOLDER_DIGITS).unwrap_or(digest))
    }

    fn is_whole(&self) -> bool {
        let is_plain = |path: &Utf8PathBuf| {
            path.components().all(|part| matches!(part, camino::Utf8Component::Normal(_)))
        };
        self.files.len() <= MOST
            && self.files.keys().all(is_plain)
            && self.files.contains_key(&self.policy)
            && self.digest == digest(&self.files)
    }
}

/// The digest of a file of a bundle.
#[must_use]
pub fn digest_of_file(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// The digest over paths and the digests of their files: a line for each, sorted.
fn digest(files: &BTreeMap<Utf8PathBuf, String>) -> String {
    let mut hash = Sha256::new();
    for (path, file) in files {
        hash.update(file.as_bytes());
        hash.update(b"  ");
        hash.update(path.as_str().as_bytes());
        hash.update(b"\n");
    }
    format!("sha256:{}", hexadecimal(&hash.finalize()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
