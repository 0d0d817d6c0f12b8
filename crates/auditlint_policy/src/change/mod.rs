//! What may not become of logs that are there, although everything that is written meets the policy.

mod lifecycle;
mod plan;

pub use lifecycle::ignored;
pub use plan::forbidden;

use crate::check::{
    CHANGE_DELETED, CHANGE_DISABLED, CHANGE_IGNORED, CHANGE_RETARGETED, CHANGE_SHORTENED, Check,
};

/// A kind of change that a policy can forbid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// A source stops emitting.
    Disable,
    /// A store or forwarder of logs goes, or is made anew without what it kept.
    Delete,
    /// A store keeps for less long.
    ShortenRetention,
    /// Logs no longer rest where they did.
    Retarget,
    /// Terraform leaves alone what somebody else makes of a setting.
    IgnoreChanges,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Disable, Self::Delete, Self::ShortenRetention, Self::Retarget, Self::IgnoreChanges];

    /// The word of policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Delete => "delete",
            Self::ShortenRetention => "shorten_retention",
            Self::Retarget => "retarget",
            Self::IgnoreChanges => "ignore_changes",
        }
    }

    /// The change of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.as_str() == word)
    }

    /// The check that finds it.
    #[must_use]
    pub const fn check(self) -> Check {
        match self {
            Self::Disable => CHANGE_DISABLED,
            Self::Delete => CHANGE_DELETED,
            Self::ShortenRetention => CHANGE_SHORTENED,
            Self::Retarget => CHANGE_RETARGETED,
            Self::IgnoreChanges => CHANGE_IGNORED,
        }
    }
}
