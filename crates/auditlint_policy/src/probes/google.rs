//! How long a Google storage bucket keeps what it holds.

use auditlint_graph::{Cause, Tracked, Value};

use super::Context;
use super::bucket::collect;
use crate::Days;
use crate::condition::AttributePath;
use crate::evaluate::{Look, Looked, Subject};

/// Attributes of a lifecycle condition that pick some of the objects, or other versions than the live one.
const PICKS: [&str; 6] = [
    "matches_prefix",
    "matches_suffix",
    "matches_storage_class",
    "num_newer_versions",
    "days_since_noncurrent_time",
    "noncurrent_time_before",
];

/// The shortest age at which live objects of the whole bucket are deleted, and not before its retention policy lets
/// them. A rule that picks some objects does not speak for the bucket; `with_state = ARCHIVED` leaves live ones alone.
pub(super) fn lifecycle(context: &Context<'_>) -> Result<(Days, Looked), (Cause, Looked)> {
    let nothing = || Looked { path: "lifecycle_rule".to_owned(), value: None };
    let look = |path: &str| context.look(&Subject::resource(context.resource), &AttributePath::parse(path));
    let (mut rules, mut open) = (Vec::new(), None);
    match look("lifecycle_rule") {
        Look::Set(value) => collect(&value, &mut rules, &mut open),
        Look::Unknown(cause) => open = Some(cause),
        Look::Default(_) | Look::Absent => {}
    }
    let mut shortest = (Days::Never, nothing());
    for rule in &rules {
        let deletes = first(rule, "action").and_then(|action| get(action, "type"));
        match deletes.map(Tracked::value) {
            Some(Value::String(kind)) if kind == "Delete" => {}
            Some(Value::Unknown(unknown)) => {
                open = open.or_else(|| Some(unknown.cause.clone()));
                continue;
            }
            _ => continue,
        }
        let Some(condition) = first(rule, "condition") else { continue };
        if PICKS.iter().any(|name| get(condition, name).is_some_and(says_something)) {
            continue;
        }
        match get(condition, "with_state").map(Tracked::value) {
            Some(Value::String(state)) if state == "ARCHIVED" => continue,
            Some(Value::Unknown(unknown)) => open = open.or_else(|| Some(unknown.cause.clone())),
            _ => {}
        }
        let Some(age) = get(condition, "age") else { continue };
        match (days(age, 1.0), age.value()) {
            (Some(found), _) if found < shortest.0 => {
                shortest = (found, Looked { path: "lifecycle_rule".to_owned(), value: Some(age.clone()) });
            }
            (None, Value::Unknown(unknown)) => open = open.or_else(|| Some(unknown.cause.clone())),
            _ => {}
        }
    }
    match look("retention_policy.retention_period") {
        // Seconds; what the policy holds on to no lifecycle rule deletes.
        Look::Set(period) => match (days(&period, 86_400.0), period.value()) {
            (Some(held), _) if held > shortest.0 => {
                shortest = (
                    held,
                    Looked { path: "retention_policy.retention_period".to_owned(), value: Some(period) },
                );
            }
            (None, Value::Unknown(unknown)) if shortest.0 != Days::Never => {
                open = open.or_else(|| Some(unknown.cause.clone()));
            }
            _ => {}
        },
        Look::Unknown(cause) if shortest.0 != Days::Never => open = open.or(Some(cause)),
        Look::Unknown(_) | Look::Default(_) | Look::Absent => {}
    }
    match open {
        Some(cause) => Err((cause, nothing())),
        None => Ok(shortest),
    }
}

fn get<'a>(map: &'a Tracked, name: &str) -> Option<&'a Tracked> {
    if let Value::Map(map) = map.value() { map.get(name).filter(|value| !value.is_null()) } else { None }
}

/// The first block of that name.
fn first<'a>(map: &'a Tracked, name: &str) -> Option<&'a Tracked> {
    match get(map, name)?.value() {
        Value::List(items) => items.first(),
        _ => None,
    }
}

fn says_something(value: &Tracked) -> bool {
    match value.value() {
        Value::List(items) => !items.is_empty(),
        Value::Number(number) => !number.is_zero(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

/// A number of `unit`s, in seconds or days, as whole days.
fn days(value: &Tracked, unit: f64) -> Option<Days> {
    let number = match value.value() {
        Value::Number(number) => number.to_f64(),
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    let days = (number / unit).floor();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a small number"
    )]
    (0.0..1e6).contains(&days).then_some(Days::Count(days as u32))
}
