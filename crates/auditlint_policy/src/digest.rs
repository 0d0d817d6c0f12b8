//! Digests: of policies, and of what stays the same of a finding.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::Finding;

/// `v1:` and the first 32 hex digits of the SHA-256 over `parts`, which no part can shift into another.
#[must_use]
pub fn fingerprint(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\0"));
    format!("v1:{}", hex(digest.get(..16).unwrap_or(&digest)))
}

impl Finding {
    /// A digest of the values that the finding rests on: it is another one as soon as any of them is.
    #[must_use]
    pub fn evidence_digest(&self) -> String {
        let mut digest = Sha256::new();
        for evidence in &self.evidence {
            for part in [evidence.subject.as_str(), "=", evidence.value.as_str(), "\n"] {
                digest.update(part);
            }
        }
        format!("sha256:{}", hex(&digest.finalize()).get(..32).unwrap_or_default())
    }
}

/// Bytes as lower-case hex digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        // Writing to a string does not fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
