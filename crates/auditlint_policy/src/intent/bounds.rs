//! What the owner of a parameter lets others make of it.

use auditlint_syntax::Location;

use crate::external::Pattern;

/// The values that a parameter may be given: durations in days.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    /// The least.
    pub min: Option<f64>,
    /// The most.
    pub max: Option<f64>,
    /// How they look; empty for any.
    pub one_of: Vec<Pattern>,
    /// The line that declares it.
    pub at: Location,
}

impl Bounds {
    /// Whether they allow a value that `other` does not.
    #[must_use]
    pub fn allow_more_than(&self, other: &Self) -> bool {
        let less = other.min.is_some_and(|least| self.min.is_none_or(|min| min < least));
        let more = other.max.is_some_and(|most| self.max.is_none_or(|max| max > most));
        let is_known = |look: &Pattern| other.one_of.iter().any(|known| known.matches(look.as_str()));
        let others =
            !other.one_of.is_empty() && (self.one_of.is_empty() || !self.one_of.iter().all(is_known));
        less || more || others
    }
}
