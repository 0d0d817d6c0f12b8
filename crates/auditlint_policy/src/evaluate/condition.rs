//! Conditions to verdicts.

use auditlint_graph::{Cause, CauseKind, Tracked, Value};

use super::look::{Look, Subject};
use super::{Context, Judged};
use crate::condition::{AttributePath, Condition, Test};
use crate::{Verdict, probes};

impl Context<'_> {
    /// Whether `condition` holds of `subject`.
    pub(crate) fn condition(&self, condition: &Condition, subject: &Subject<'_>) -> Judged {
        match condition {
            Condition::All(parts) => Judged::all(
                parts.iter().map(|part| self.condition(part, subject)).collect(),
                Verdict::NotApplicable,
            ),
            Condition::Any(parts) => {
                Judged::any(parts.iter().map(|part| self.condition(part, subject)).collect(), Verdict::Fail)
            }
            Condition::Not(inner) => self.condition(inner, subject).negated(),
            Condition::Test { path, test, absent, ignore_case } => {
                self.test_at(subject, path, test, *absent, *ignore_case)
            }
            Condition::Every { path, holds, none } => self.elements(
                subject,
                path,
                |parts, open| {
                    let open = open.map(Judged::unknown);
                    Judged::all(parts.into_iter().chain(open).collect(), *none)
                },
                holds,
            ),
            Condition::Some { path, holds } => self.elements(
                subject,
                path,
                |parts, open| {
                    let open = open.map(Judged::unknown);
                    Judged::any(parts.into_iter().chain(open).collect(), Verdict::Fail)
                },
                holds,
            ),
            Condition::Companion { types, join, to, holds } => {
                self.companion(types, join, to, holds.as_deref())
            }
            Condition::Linked { path, types, holds, elsewhere } => {
                self.linked(subject, path, types, holds.as_deref(), *elsewhere)
            }
            Condition::Probe { name, with } => probes::run(name, self, with),
        }
    }

    fn test_at(
        &self,
        subject: &Subject<'_>,
        path: &AttributePath,
        test: &Test,
        absent: Option<Verdict>,
        ignore_case: bool,
    ) -> Judged {
        let full = subject.full(path);
        match self.look(subject, path) {
            Look::Set(value) | Look::Default(value) => {
                let (verdict, cause) = self.test(&value, test, ignore_case);
                Judged { cause, ..Judged::of(verdict) }.looking(full, Some(value))
            }
            Look::Absent => {
                let negative = matches!(test, Test::Present(false) | Test::NotEquals(_) | Test::NotIn(_));
                let judged = match absent.unwrap_or(if negative { Verdict::Pass } else { Verdict::Fail }) {
                    Verdict::Unknown => Judged::unknown(provider_decides(&full)),
                    verdict => Judged::of(verdict),
                };
                judged.looking(full, None)
            }
            Look::Unknown(cause) => Judged::unknown(cause).looking(full, None),
        }
    }

    /// Applies `holds` to the elements at `path`; `decide` gets the verdicts and the cause of elements that
    /// may be there besides.
    fn elements(
        &self,
        subject: &Subject<'_>,
        path: &AttributePath,
        decide: impl FnOnce(Vec<Judged>, Option<Cause>) -> Judged,
        holds: &Condition,
    ) -> Judged {
        let full = subject.full(path);
        match self.look(subject, path) {
            Look::Set(value) | Look::Default(value) => {
                let single;
                let items: &[Tracked] = match value.value() {
                    Value::List(items) => items,
                    Value::Map(_) => {
                        single = [value.clone()];
                        &single
                    }
                    Value::Unknown(unknown) => {
                        return decide(Vec::new(), Some(unknown.cause.clone()))
                            .looking(full, Some(value.clone()));
                    }
                    _ => &[],
                };
                let open = items
                    .iter()
                    .find_map(|item| item.unknown().filter(|unknown| unknown.many))
                    .map(|unknown| unknown.cause.clone());
                let known = items.iter().filter(|item| !item.unknown().is_some_and(|unknown| unknown.many));
                let parts: Vec<Judged> =
                    known.map(|item| self.condition(holds, &subject.element(item, path))).collect();
                let judged = decide(parts, open);
                if judged.looked.is_some() { judged } else { judged.looking(full, Some(value.clone())) }
            }
            Look::Absent => decide(Vec::new(), None).looking(full, None),
            Look::Unknown(cause) => decide(Vec::new(), Some(cause)).looking(full, None),
        }
    }
}

/// Why nobody knows the value of an attribute that is not written and has no known default.
fn provider_decides(path: &str) -> Cause {
    Cause {
        kind: CauseKind::Computed,
        subject: format!("the provider's value of {path}"),
        hint: format!("write {path}"),
    }
}
