//! Effective retention of a store: how long it keeps what it gets, wherever that is written.

use auditlint_graph::{Cause, CauseKind, Tracked, Value};
use auditlint_syntax::Name;

use super::Context;
use crate::condition::{AttributePath, Operand};
use crate::evaluate::{Judged, Look, Looked, Subject};
use crate::facts::{Lifecycle, Retention};
use crate::{Days, Verdict};

/// The effective retention and the value that says so; a cause when it is not known.
pub(crate) fn effective(context: &Context<'_>) -> Result<(Days, Looked), (Cause, Looked)> {
    let facts = context.catalogue.facts(context.resource.kind());
    let keeping = facts.and_then(|facts| facts.keeps.as_ref()).map(|keeps| &keeps.retention);
    match keeping {
        Some(Retention::Attribute { path, unit_days, never, absent }) => {
            let subject = Subject::resource(context.resource);
            let looked = |value: Option<Tracked>| Looked { path: path.to_string(), value };
            match context.look(&subject, path) {
                Look::Absent => Ok((*absent, looked(None))),
                Look::Unknown(cause) => Err((cause, looked(None))),
                Look::Set(value) | Look::Default(value) => {
                    let written = !matches!(value.origin, auditlint_graph::Origin::ProviderDefault);
                    let shown = looked(written.then(|| value.clone()));
                    match days(&value, *unit_days, never) {
                        Ok(days) => Ok((days, shown)),
                        Err(cause) => Err((cause, shown)),
                    }
                }
            }
        }
        Some(Retention::Lifecycle(Lifecycle::Bucket)) => super::bucket::lifecycle(context),
        Some(Retention::Lifecycle(Lifecycle::StorageBucket)) => super::google::lifecycle(context),
        Some(Retention::Lifecycle(Lifecycle::StorageAccount)) => super::azure::lifecycle(context),
        None => Ok((Days::Never, Looked { path: String::new(), value: None })),
    }
}

/// A number of days, or `never`; of an undecided choice the shorter one, when both are known.
fn days(value: &Tracked, unit_days: f64, never: &[f64]) -> Result<Days, Cause> {
    match value.value() {
        Value::Unknown(unknown) => match &unknown.one_of {
            Some(arms) => {
                let known: Option<Vec<Days>> =
                    arms.iter().map(|arm| days(arm, unit_days, never).ok()).collect();
                let known = known.ok_or_else(|| unknown.cause.clone())?;
                let (first, same) =
                    (known.first().copied(), known.windows(2).all(|pair| pair.first() == pair.last()));
                first.filter(|_| same).ok_or_else(|| unknown.cause.clone())
            }
            None => Err(unknown.cause.clone()),
        },
        Value::Null => Ok(Days::Never),
        other => {
            let number = match other {
                Value::Number(number) => Some(number.to_f64()),
                Value::String(text) => text.parse().ok(),
                _ => None,
            };
            match number {
                Some(n) if never.contains(&n) => Ok(Days::Never),
                Some(n) if (0.0..1e6).contains(&(n * unit_days)) => Ok(days_of(n, unit_days)),
                _ => Err(Cause {
                    kind: CauseKind::Function,
                    subject: "an invalid retention".to_owned(),
                    hint: String::new(),
                }),
            }
        }
    }
}

fn required(context: &Context<'_>, parameter: &'static str) -> u32 {
    match context.operand(&Operand::Parameter(Name::new_static(parameter))) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the reader made it a whole number of days"
        )]
        Operand::Number(days) => *days as u32,
        _ => 0,
    }
}

/// How long the rule asks a store to keep what it gets; none where it has no such parameter, which no store can meet.
pub(crate) fn asked(context: &Context<'_>) -> Option<Days> {
    context.parameters.iter().any(|(name, _)| name == "retention").then(|| minimum(context))
}

fn minimum(context: &Context<'_>) -> Days {
    Days::Count(required(context, "retention"))
}

/// The minimum: `never` meets it.
pub(super) fn at_least(context: &Context<'_>) -> Judged {
    match effective(context) {
        Ok((days, looked)) => Judged { looked: Some(looked), ..Judged::holds(days >= minimum(context)) },
        Err((cause, looked)) => {
            let needed = minimum(context);
            Judged { looked: Some(looked), ..undecided(context, cause, |days| days >= needed) }
        }
    }
}

/// The maximum: `never` is above every one.
pub(super) fn at_most(context: &Context<'_>) -> Judged {
    let most = Days::Count(required(context, "maximum"));
    match effective(context) {
        Ok((days, looked)) => Judged { looked: Some(looked), ..Judged::holds(days <= most) },
        Err((cause, looked)) => {
            Judged { looked: Some(looked), ..undecided(context, cause, |days| days <= most) }
        }
    }
}

/// Every number that the retention may be can still meet the rule, although nobody knows which it is. What
/// meets it at both ends of a range meets it between them.
fn undecided(context: &Context<'_>, cause: Cause, meets: impl Fn(Days) -> bool) -> Judged {
    let facts = context.catalogue.facts(context.resource.kind());
    let Some(Retention::Attribute { path, unit_days, never, .. }) =
        facts.and_then(|facts| facts.keeps.as_ref()).map(|keeps| &keeps.retention)
    else {
        return Judged::unknown(cause);
    };
    let Look::Set(value) = context.look(&Subject::resource(context.resource), path) else {
        return Judged::unknown(cause);
    };
    let ends = ends(&value, *unit_days, never);
    match ends {
        Some(ends) if ends.iter().all(|days| meets(*days)) => Judged::of(Verdict::Pass),
        Some(ends) if ends.iter().all(|days| !meets(*days)) => Judged::of(Verdict::Fail),
        _ => Judged::unknown(cause),
    }
}

/// What a value can be, as far as it matters: each alternative, and both ends of a range. None where one of them is
/// not known.
fn ends(value: &Tracked, unit_days: f64, never: &[f64]) -> Option<Vec<Days>> {
    match value.unknown().map(|unknown| (&unknown.one_of, unknown.range)) {
        None => days(value, unit_days, never).ok().map(|days| vec![days]),
        Some((Some(arms), _)) => {
            let arms: Option<Vec<Vec<Days>>> = arms.iter().map(|arm| ends(arm, unit_days, never)).collect();
            arms.map(|arms| arms.concat())
        }
        Some((None, Some([low, high]))) => {
            // What is less than a day is refused by every provider, unless it means `never`.
            let count = |n: f64| {
                if n * unit_days < 1e6 { days_of(n.max(0.0), unit_days) } else { Days::Count(u32::MAX) }
            };
            let forever = never.iter().any(|never| (low..=high).contains(never));
            Some([count(low), count(high)].into_iter().chain(forever.then_some(Days::Never)).collect())
        }
        Some((None, None)) => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whoever calls it checked that the number is small and not negative"
)]
fn days_of(n: f64, unit_days: f64) -> Days {
    Days::Count((n * unit_days).floor() as u32)
}

/// Somebody decided how long: `never` fails.
pub(super) fn decided(context: &Context<'_>) -> Judged {
    match effective(context) {
        Ok((days, looked)) => Judged { looked: Some(looked), ..Judged::holds(days != Days::Never) },
        Err((cause, looked)) => {
            Judged { looked: Some(looked), ..undecided(context, cause, |days| days != Days::Never) }
        }
    }
}

/// The number is one that the provider takes.
pub(super) fn allowed(context: &Context<'_>) -> Judged {
    let Some((path, values)) =
        context.catalogue.facts(context.resource.kind()).and_then(|facts| facts.allowed.first())
    else {
        return Judged::of(Verdict::NotApplicable);
    };
    let path: &AttributePath = path;
    match context.look(&Subject::resource(context.resource), path) {
        Look::Absent | Look::Default(_) => Judged::holds(true).looking(path.to_string(), None),
        Look::Unknown(cause) => Judged::unknown(cause).looking(path.to_string(), None),
        Look::Set(value) => {
            let (verdict, cause) = context.test(&value, &crate::condition::Test::In(values.clone()), false);
            Judged { cause, ..Judged::of(verdict) }.looking(path.to_string(), Some(value))
        }
    }
}
