//! A value of a plan together with that of its configuration.

use std::sync::Arc;

use crate::{Map, Number, Origin, Tracked, Unknown, Value};

/// Blocks are told apart one by one up to this number of them.
const MOST_BLOCKS: usize = 64;

/// The attributes of both; each at its place in the configuration, where it has one.
pub(super) fn merged_maps(planned: &Map, written: &Map) -> Map {
    let mut out = Map::default();
    for (name, own) in written {
        let value = planned.get(name).map_or_else(|| own.clone(), |other| merged(other, own));
        out.insert(name.clone(), value);
    }
    for (name, other) in planned {
        if !out.contains_key(name) {
            out.insert(name.clone(), other.clone());
        }
    }
    out
}

/// The plan's value where it is known, at the place and with the references of the configuration.
fn merged(planned: &Tracked, written: &Tracked) -> Tracked {
    let sensitive = planned.sensitive || written.sensitive;
    let references = written.references.as_ref().or(planned.references.as_ref()).cloned();
    let value = match (planned.value(), written.value()) {
        // The configuration may know parts of what the plan holds for unknown as a whole.
        (Value::Unknown(theirs), Value::Unknown(ours)) => Value::Unknown(Arc::new(Unknown {
            not_null: ours.not_null || theirs.not_null,
            ..Unknown::clone(ours)
        })),
        (Value::Unknown(_), known) => known.clone(),
        (Value::List(theirs), Value::List(ours)) => match pairs(theirs, ours) {
            Some(pairs) => {
                let items: Vec<Tracked> = theirs
                    .iter()
                    .zip(pairs)
                    .map(|(item, at)| ours.get(at).map_or_else(|| item.clone(), |own| merged(item, own)))
                    .collect();
                Value::List(items.into())
            }
            None => planned.value().clone(),
        },
        (Value::Map(theirs), Value::Map(ours)) => Value::Map(Arc::new(merged_maps(theirs, ours))),
        (known, _) => known.clone(),
    };
    written.clone().with_value(value).with_references(references).marked(sensitive)
}

/// For each element of the plan's list its place in that of the configuration; none where that cannot be told. The
/// elements of a set come in another order than they are written in.
fn pairs(planned: &[Tracked], written: &[Tracked]) -> Option<Vec<usize>> {
    if planned.len() != written.len() {
        return None;
    }
    if planned.len() == 1 || planned.iter().zip(written).all(|(a, b)| is_compatible(a, b)) {
        return Some((0..planned.len()).collect());
    }
    let mut free: Vec<usize> = (0..written.len()).collect();
    if free.len() > MOST_BLOCKS {
        return None;
    }
    planned
        .iter()
        .map(|item| {
            let fits = |at: &usize| written.get(*at).is_some_and(|own| is_compatible(item, own));
            let mut fitting = free.iter().copied().filter(fits);
            let (Some(at), None) = (fitting.next(), fitting.next()) else { return None };
            free.retain(|one| *one != at);
            Some(at)
        })
        .collect()
}

/// Whether two values may be the same.
fn is_compatible(planned: &Tracked, written: &Tracked) -> bool {
    match (planned.value(), written.value()) {
        (Value::Map(theirs), Value::Map(ours)) => {
            ours.iter().all(|(name, own)| theirs.get(name).is_none_or(|other| is_compatible(other, own)))
        }
        (Value::List(theirs), Value::List(ours)) if theirs.len() == ours.len() => {
            theirs.iter().zip(ours.iter()).all(|(a, b)| is_compatible(a, b))
        }
        (theirs, ours) => !differs(theirs, ours),
    }
}

/// Whether a literal says otherwise than the plan. Of blocks only a single one is looked into: several may have been
/// put into another order.
pub(super) fn contradicts(planned: &Tracked, written: &Tracked) -> bool {
    match (planned.value(), written.value()) {
        (Value::Map(theirs), Value::Map(ours)) => {
            ours.iter().any(|(name, own)| theirs.get(name).is_some_and(|other| contradicts(other, own)))
        }
        (Value::List(theirs), Value::List(ours)) => match (&**theirs, &**ours) {
            ([theirs], [ours]) => contradicts(theirs, ours),
            _ => false,
        },
        (theirs, ours) => matches!(written.origin, Origin::Written(_)) && differs(theirs, ours),
    }
}

/// Whether two scalars are known and not the same. Providers write texts, numbers and truth values alike.
fn differs(planned: &Value, written: &Value) -> bool {
    let number = |text: &str| Number::parse(text.trim());
    match (scalar(planned), scalar(written)) {
        // `"030"` is thirty to a provider that asks for a number.
        (Some(planned), Some(written)) => {
            planned != written && (number(&planned).is_none() || number(&planned) != number(&written))
        }
        _ => false,
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        // A document is compared by nobody: providers reorder and reformat it.
        Value::String(text) if !text.trim_start().starts_with(['{', '[']) => Some(text.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use auditlint_syntax::Files as _;

    use super::*;
    use crate::{Cause, CauseKind, PlanSection};

    fn block(origin: Origin, members: &[(&str, Option<&str>)]) -> Tracked {
        let value = |text: Option<&str>| match text {
            Some(text) => Value::text(text),
            None => Value::Unknown(Arc::new(Unknown::because(Cause {
                kind: CauseKind::Computed,
                subject: String::new(),
                hint: String::new(),
            }))),
        };
        let map: Map = members
            .iter()
            .map(|(name, text)| ((*name).into(), Tracked::new(value(*text), origin.clone())))
            .collect();
        Tracked::new(Value::Map(Arc::new(map)), origin)
    }

    fn blocks(origin: &Origin, all: &[&[(&str, Option<&str>)]]) -> Tracked {
        let all: Vec<Tracked> = all.iter().map(|members| block(origin.clone(), members)).collect();
        Tracked::new(Value::List(all.into()), origin.clone())
    }

    fn written() -> Origin {
        Origin::Written(auditlint_syntax::Location {
            file: auditlint_syntax::MemoryFiles::default().paths().id("main.tf".into()),
            span: auditlint_syntax::Span::default(),
        })
    }

    fn planned() -> Origin {
        Origin::Plan(PlanSection::ResourceChanges, 0)
    }

    #[test]
    fn the_blocks_of_a_set_are_told_apart_by_what_they_hold() {
        let ours = blocks(
            &written(),
            &[
                &[("name", Some("log_connections")), ("value", Some("1"))],
                &[("name", Some("log_statement")), ("value", Some("all"))],
            ],
        );
        let theirs = blocks(
            &planned(),
            &[
                &[("name", Some("log_statement")), ("value", None)],
                &[("name", Some("log_connections")), ("value", Some("1"))],
            ],
        );
        let joined = merged(&theirs, &ours);
        assert_eq!(
            joined.show(),
            r#"[{ name = "log_statement", value = "all" }, { name = "log_connections", value = "1" }]"#
        );
        assert!(!contradicts(&theirs, &ours));
    }

    #[test]
    fn blocks_that_cannot_be_told_apart_stay_those_of_the_plan() {
        let ours = blocks(&written(), &[&[("a", Some("1"))], &[("a", Some("2"))]]);
        let theirs = blocks(&planned(), &[&[("a", None)], &[("a", Some("1"))]]);
        assert_eq!(merged(&theirs, &ours).show(), r#"[{ a = (not known) }, { a = "1" }]"#);
        let other = blocks(&planned(), &[&[("a", Some("3"))], &[("a", Some("4"))]]);
        assert_eq!(merged(&other, &ours).show(), r#"[{ a = "3" }, { a = "4" }]"#);
    }

    #[test]
    fn a_single_block_is_compared_with_what_is_written() {
        let ours = blocks(&written(), &[&[("enabled", Some("true"))]]);
        let theirs = blocks(&planned(), &[&[("enabled", Some("false"))]]);
        assert!(contradicts(&theirs, &ours));
        assert!(!contradicts(&ours, &theirs), "what nobody wrote contradicts nothing");
    }
}
