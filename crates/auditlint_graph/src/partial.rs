//! What a plan of a part of its configuration does not hold.

use auditlint_syntax::Name;
use rustc_hash::FxHashSet;

use crate::Cause;

/// That resources which are not here may exist all the same.
#[derive(Clone, Debug)]
pub struct Partial {
    /// Why.
    pub cause: Cause,
    /// The types that they can have; none where they can have any.
    pub kinds: Option<FxHashSet<Name>>,
}

impl Partial {
    /// Why a resource of a type that `could` matter may exist all the same.
    pub fn of(&self, could: impl Fn(&str) -> bool) -> Option<&Cause> {
        let may = self.kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| could(kind)));
        may.then_some(&self.cause)
    }
}
