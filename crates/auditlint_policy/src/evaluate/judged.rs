//! A verdict and what decided it.

use auditlint_graph::{Cause, Tracked};

use crate::{Related, Verdict};

/// A verdict with its reason.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    /// Why it is unknown.
    pub(crate) cause: Option<Cause>,
    /// The value of the judged resource that decided.
    pub(crate) looked: Option<Looked>,
    /// Other places that explain it.
    pub(crate) related: Vec<Related>,
    /// What is wrong, where that is something else than the rule says.
    pub(crate) says: Option<String>,
}

/// A value that was looked at.
#[derive(Clone, Debug)]
pub(crate) struct Looked {
    /// Its path in the judged resource.
    pub(crate) path: String,
    /// The value; none when nothing is written.
    pub(crate) value: Option<Tracked>,
}

impl Judged {
    pub(crate) const fn of(verdict: Verdict) -> Self {
        Self { verdict, cause: None, looked: None, related: Vec::new(), says: None }
    }

    pub(crate) fn unknown(cause: Cause) -> Self {
        Self { cause: Some(cause), ..Self::of(Verdict::Unknown) }
    }

    /// Two-valued facts of this program, never of an audit value.
    pub(crate) const fn holds(holds: bool) -> Self {
        Self::of(if holds { Verdict::Pass } else { Verdict::Fail })
    }

    pub(crate) fn looking(self, path: impl Into<String>, value: Option<Tracked>) -> Self {
        Self { looked: Some(Looked { path: path.into(), value }), ..self }
    }

    pub(crate) fn with_related(mut self, related: Related) -> Self {
        self.related.push(related);
        self
    }

    pub(crate) fn negated(self) -> Self {
        Self { verdict: self.verdict.not(), ..self }
    }

    /// All must hold; the first that decides gives the reason. Of nothing: `none`.
    pub(crate) fn all(parts: Vec<Self>, none: Verdict) -> Self {
        let verdict = Verdict::all(parts.iter().map(|part| part.verdict));
        Self::decided(parts, verdict, none)
    }

    /// One must hold.
    pub(crate) fn any(parts: Vec<Self>, none: Verdict) -> Self {
        let verdict = Verdict::any(parts.iter().map(|part| part.verdict));
        Self::decided(parts, verdict, none)
    }

    fn decided(parts: Vec<Self>, verdict: Verdict, none: Verdict) -> Self {
        if parts.is_empty() {
            return Self::of(none);
        }
        parts.into_iter().find(|part| part.verdict == verdict).unwrap_or(Self::of(verdict))
    }
}
