//! Functions on lists, sets and maps. Those of [`partial`] look into values that are known only in part.

use std::sync::Arc;

use auditlint_syntax::{Location, Name};

use super::super::convert::set;
use super::super::expression::{first_cause, is_many, is_whole_resource};
use super::super::operators::equal;
use super::super::world::World;
use super::{Answer, as_text, int, list_of_texts, not_computed, num, texts, truth};
use crate::{CauseKind, Map, Number, Origin, Tracked, Unknown, Value};

pub(super) const NAMES: &[&str] = &[
    "alltrue",
    "anytrue",
    "chunklist",
    "compact",
    "index",
    "matchkeys",
    "range",
    "reverse",
    "setintersection",
    "setproduct",
    "setsubtract",
    "slice",
    "sort",
    "sum",
    "transpose",
    "zipmap",
];

fn nowhere(value: Value) -> Tracked {
    Tracked::new(value, Origin::Nowhere)
}

fn list(items: Vec<Tracked>) -> Value {
    Value::List(items.into())
}

fn items(value: &Tracked) -> Option<Vec<Tracked>> {
    match value.value() {
        Value::List(items) if !items.iter().any(is_many) => Some(items.to_vec()),
        _ => None,
    }
}

/// Functions whose result may be known although an argument is not, or that pass an element through.
pub(super) fn partial(world: &World<'_>, name: &str, arguments: &[Tracked], at: Location) -> Option<Tracked> {
    let inputs: Vec<&Tracked> = arguments.iter().collect();
    let derived = |value: Value| Tracked::derive(at, &inputs, value);
    let unknown = || world.unknown_of(&inputs, at);
    let refused = || world.unknown_of(&[], at);
    let first = arguments.first();
    Some(match name {
        "merge" => {
            let mut out = Map::default();
            for argument in arguments {
                match argument.value() {
                    Value::Map(map) => out.extend(map.iter().map(|(key, item)| (key.clone(), item.clone()))),
                    Value::Null => {}
                    _ => return Some(unknown()),
                }
            }
            derived(Value::Map(Arc::new(out)))
        }
        "concat" => {
            let mut out = Vec::new();
            for argument in arguments {
                match argument.value() {
                    Value::List(items) => out.extend(items.iter().cloned()),
                    // The rest of the list is still there.
                    Value::Unknown(inner) => {
                        let many = Unknown { many: true, ..Unknown::because(inner.cause.clone()) };
                        out.push(argument.clone().with_value(Value::Unknown(Arc::new(many))));
                    }
                    _ => return Some(refused()),
                }
            }
            derived(list(out))
        }
        "flatten" => {
            let mut out = Vec::new();
            flatten(first?, &mut out);
            derived(list(out))
        }
        "tolist" | "toset" | "tomap" | "distinct" | "setunion" => {
            if name == "setunion" || name == "toset" || name == "distinct" {
                let mut all = Vec::new();
                for argument in arguments {
                    match argument.value() {
                        Value::List(items) => all.extend(items.iter().cloned()),
                        _ => return Some(unknown()),
                    }
                }
                // Elements that are not known cannot be compared, and keep their place.
                let undecided = all.iter().any(|item| first_cause(item).is_some());
                let out = match (name, undecided) {
                    (_, true) => all,
                    ("distinct", _) => all
                        .iter()
                        .enumerate()
                        .filter(|(n, item)| {
                            !all.iter().take(*n).any(|other| equal(other, item) == Some(true))
                        })
                        .map(|(_, item)| item.clone())
                        .collect(),
                    _ => set(all),
                };
                return Some(derived(list(out)));
            }
            world.passed(first?.clone(), &[], at)
        }
        "length" => match first?.value() {
            Value::List(items) if !items.iter().any(is_many) => {
                derived(Value::Number(Number(count(items.len()))))
            }
            Value::Map(map) => derived(Value::Number(Number(count(map.len())))),
            Value::String(text) => derived(Value::Number(Number(count(text.chars().count())))),
            _ => unknown(),
        },
        "keys" => match first?.value() {
            Value::Map(map) => {
                let mut keys: Vec<Name> = map.keys().cloned().collect();
                keys.sort();
                derived(list(keys.into_iter().map(|key| nowhere(Value::String(key))).collect()))
            }
            _ => unknown(),
        },
        "values" => match first?.value() {
            Value::Map(map) => {
                let mut map = (**map).clone();
                map.sort_keys();
                derived(list(map.into_values().collect()))
            }
            _ => unknown(),
        },
        "lookup" => match (first?.value(), arguments.get(1).and_then(|key| as_text(key.value()))) {
            (Value::Map(map), Some(key)) => match (map.get(&key), arguments.get(2)) {
                (Some(item), _) => world.passed(item.clone(), &[], at),
                (None, Some(default)) => world.passed(default.clone(), &[], at),
                (None, None) => refused(),
            },
            _ => unknown(),
        },
        "element" => match (items(first?), arguments.get(1).and_then(|index| int(index.value()))) {
            (Some(items), Some(index)) if !items.is_empty() => {
                let wrapped = index.rem_euclid(i64::try_from(items.len()).unwrap_or(1));
                let item = usize::try_from(wrapped).ok().and_then(|index| items.get(index)).cloned();
                world.passed(item.unwrap_or_default(), &[], at)
            }
            (Some(_), Some(_)) => refused(),
            _ => unknown(),
        },
        "one" => match first?.value() {
            Value::List(items) => match &**items {
                [] => derived(Value::Null),
                [item] if !is_many(item) => world.passed(item.clone(), &[], at),
                // At most one element: what is unknown about it is the element itself.
                [item] => world.passed(item.clone(), &[], at),
                _ => refused(),
            },
            Value::Null => derived(Value::Null),
            _ => unknown(),
        },
        "coalesce" | "coalescelist" => {
            for argument in arguments {
                match argument.value() {
                    Value::Null => {}
                    Value::String(text) if text.is_empty() => {}
                    Value::List(items) if items.is_empty() => {}
                    Value::Unknown(inner) if !inner.not_null && !is_whole_resource(argument) => {
                        let one_of: Box<[Tracked]> = arguments.iter().cloned().collect();
                        let not_null = arguments.iter().any(|other| {
                            other.unknown().is_none_or(|inner| inner.not_null) && !other.is_null()
                        });
                        let inner = Unknown { not_null, ..Unknown::one_of(inner.cause.clone(), one_of) };
                        return Some(derived(Value::Unknown(Arc::new(inner))));
                    }
                    _ => return Some(world.passed(argument.clone(), &[], at)),
                }
            }
            refused()
        }
        "contains" => match (first?.value(), arguments.get(1)) {
            (Value::List(items), Some(wanted)) => {
                let answers: Vec<Option<bool>> =
                    items.iter().map(|item| if is_many(item) { None } else { equal(item, wanted) }).collect();
                if answers.contains(&Some(true)) {
                    derived(Value::Bool(true))
                } else if answers.contains(&None) {
                    unknown()
                } else {
                    derived(Value::Bool(false))
                }
            }
            _ => unknown(),
        },
        "zipmap" => match (items(first?), arguments.get(1).and_then(items)) {
            (Some(keys), Some(values)) if keys.len() == values.len() => {
                let keys: Option<Vec<Name>> = keys.iter().map(|key| as_text(key.value())).collect();
                match keys {
                    Some(keys) => derived(Value::Map(Arc::new(keys.into_iter().zip(values).collect()))),
                    None => unknown(),
                }
            }
            _ => unknown(),
        },
        "formatlist" | "timestamp" | "plantimestamp" | "uuid" | "bcrypt" => {
            world.unknown(CauseKind::Function, &format!("{name}()"), "", at)
        }
        _ => return None,
    })
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

fn flatten(value: &Tracked, out: &mut Vec<Tracked>) {
    match value.value() {
        Value::List(items) => items.iter().for_each(|item| flatten(item, out)),
        _ => out.push(value.clone()),
    }
}

/// Functions of known arguments.
pub(super) fn call(name: &str, arguments: &[Tracked]) -> Option<Answer> {
    NAMES.contains(&name).then(|| compute(name, arguments))
}

fn compute(name: &str, arguments: &[Tracked]) -> Answer {
    let first = arguments.first()?;
    let second = arguments.get(1);
    match name {
        "alltrue" => Some(Value::Bool(items(first)?.iter().all(|item| truth(item.value()) == Some(true)))),
        "anytrue" => Some(Value::Bool(items(first)?.iter().any(|item| truth(item.value()) == Some(true)))),
        "compact" => texts(
            list_of_maybe(first)?
                .into_iter()
                .flatten()
                .filter(|text| !text.is_empty())
                .map(|text| text.to_string()),
        ),
        "reverse" => Some(list(items(first)?.into_iter().rev().collect())),
        "sort" => {
            let mut all = list_of_texts(first.value())?;
            all.sort();
            texts(all.into_iter().map(|text| text.to_string()))
        }
        "sum" => num(items(first)?.iter().map(|item| super::as_number(item.value())).sum::<Option<f64>>()?),
        "index" => {
            let at = items(first)?
                .iter()
                .position(|item| second.is_some_and(|wanted| equal(item, wanted) == Some(true)))?;
            num(count(at))
        }
        "slice" => {
            let at = |n: usize| {
                arguments.get(n).and_then(|value| int(value.value())).and_then(|n| usize::try_from(n).ok())
            };
            Some(list(items(first)?.get(at(1)?..at(2)?)?.to_vec()))
        }
        "chunklist" => {
            let size = usize::try_from(int(second?.value())?).ok().filter(|size| *size > 0)?;
            Some(list(items(first)?.chunks(size).map(|chunk| nowhere(list(chunk.to_vec()))).collect()))
        }
        "range" => {
            let at = |n: usize| arguments.get(n).and_then(|value| int(value.value()));
            let (start, end, step) = match arguments.len() {
                1 => (0, at(0)?, 1),
                2 => (at(0)?, at(1)?, 1),
                _ => (at(0)?, at(1)?, at(2)?),
            };
            let step = if arguments.len() < 3 && end < start { -1 } else { step };
            let mut out = Vec::new();
            let mut n = start;
            while (step > 0 && n < end) || (step < 0 && n > end) {
                #[expect(clippy::cast_precision_loss, reason = "terraform's own limit is 1,024 elements")]
                out.push(nowhere(Value::Number(Number(n as f64))));
                n += step;
                if out.len() > 1024 {
                    return None;
                }
            }
            (step != 0).then(|| list(out))
        }
        "setintersection" | "setsubtract" => {
            let other = items(second?)?;
            let keep = name == "setintersection";
            let has = |item: &Tracked| other.iter().any(|other| equal(item, other) == Some(true));
            Some(list(set(items(first)?.into_iter().filter(|item| has(item) == keep).collect())))
        }
        "setproduct" => {
            let mut rows: Vec<Vec<Tracked>> = vec![Vec::new()];
            for argument in arguments {
                let choices = items(argument)?;
                if rows.len().saturating_mul(choices.len()) > 10_000 {
                    return not_computed("setproduct()");
                }
                rows = rows
                    .iter()
                    .flat_map(|row| {
                        choices
                            .iter()
                            .map(move |choice| row.iter().cloned().chain([choice.clone()]).collect())
                    })
                    .collect();
            }
            Some(list(rows.into_iter().map(|row| nowhere(list(row))).collect()))
        }
        _ => None,
    }
}

fn list_of_maybe(value: &Tracked) -> Option<Vec<Option<Name>>> {
    items(value)?
        .iter()
        .map(|item| if item.is_null() { Some(None) } else { as_text(item.value()).map(Some) })
        .collect()
}
