//! The three values, spelled out, and the two that stand beside them.

/// What a rule says of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// The policy is met.
    Pass,
    /// It is broken.
    Fail,
    /// It cannot be decided; the finding says why.
    Unknown,
    /// The rule does not speak of this resource.
    NotApplicable,
    /// Broken or undecided, and excepted by the policy or a comment.
    Exempt,
}

impl Verdict {
    /// The word of the JSON output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NotApplicable => "not_applicable",
            Self::Exempt => "exempt",
        }
    }

    /// All must hold: fail, then unknown, then pass; what does not apply is neutral, and of nothing at all
    /// the answer does not apply either.
    #[must_use]
    pub fn all(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().fold(Self::NotApplicable, |all, next| match (all, next) {
            (Self::Fail, _) | (_, Self::Fail) => Self::Fail,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::NotApplicable | Self::Exempt, other) => other,
            (pass, _) => pass,
        })
    }

    /// One must hold: pass, then unknown, then fail; what does not apply is neutral. Of nothing the caller
    /// knows whether the set is empty (fail) or merely not known (unknown).
    #[must_use]
    pub fn any(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().fold(Self::NotApplicable, |any, next| match (any, next) {
            (Self::Pass, _) | (_, Self::Pass) => Self::Pass,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::NotApplicable | Self::Exempt, other) => other,
            (fail, _) => fail,
        })
    }

    /// The opposite: unknown and what does not apply stay what they are.
    #[must_use]
    pub const fn not(self) -> Self {
        match self {
            Self::Pass => Self::Fail,
            Self::Fail => Self::Pass,
            other => other,
        }
    }

    /// The same, but unknown at most: for a resource that may not exist.
    #[must_use]
    pub const fn at_most_unknown(self) -> Self {
        match self {
            Self::Pass | Self::Fail => Self::Unknown,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Fail, NotApplicable, Pass, Unknown};
    use super::*;

    #[test]
    fn the_laws_of_all_any_and_not() {
        assert_eq!(Verdict::all([Pass, Unknown, NotApplicable]), Unknown);
        assert_eq!(Verdict::all([Unknown, Fail]), Fail);
        assert_eq!(Verdict::all([NotApplicable, Pass]), Pass);
        assert_eq!(Verdict::all([]), NotApplicable);
        assert_eq!(Verdict::any([Fail, Unknown, NotApplicable]), Unknown);
        assert_eq!(Verdict::any([Unknown, Pass, Fail]), Pass);
        assert_eq!(Verdict::any([NotApplicable, Fail]), Fail);
        assert_eq!(
            [Pass, Fail, Unknown, NotApplicable].map(Verdict::not),
            [Fail, Pass, Unknown, NotApplicable]
        );
    }
}
