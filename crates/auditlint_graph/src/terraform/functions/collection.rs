//! Functions on lists, sets and maps whose elements are all known.

use std::collections::BTreeMap;
use std::sync::Arc;

use auditlint_syntax::Name;

use super::super::convert::{boolean, set};
use super::super::operators::equal;
use super::super::types::Type;
use super::{Answer, int, items_of, list, not_computed, nowhere, num, text_of, texts, truth, tuple};
use crate::{Map, Number, Shape, Tracked, Value};

/// Combinations that `setproduct` gives at most.
const MOST_COMBINATIONS: usize = 10_000;

/// Some answer when `name` is one of these functions.
pub(super) fn call(name: &str, arguments: &[Tracked]) -> Option<Answer> {
    Some(match name {
        "alltrue" => all(arguments, |truth| truth == Some(true)),
        "anytrue" => all(arguments, |truth| truth != Some(true)).and_then(|none| match none.value() {
            Value::Bool(none) => truth(!none),
            _ => None,
        }),
        "compact" => compact(arguments),
        "reverse" => reverse(arguments),
        "sort" => sort(arguments),
        "index" => index(arguments),
        "slice" => slice(arguments),
        "chunklist" => chunks(arguments),
        "matchkeys" => match_keys(arguments),
        "setintersection" => combined(arguments, true),
        "setsubtract" => combined(arguments, false),
        "setproduct" => product(arguments),
        "transpose" => transpose(arguments),
        _ => return None,
    })
}

/// A list of some of the elements of `first`.
fn like(first: &Tracked, items: Vec<Tracked>) -> Answer {
    list(items).map(|list| list.of_kind(&Type::List(Box::new(Type::of(first).inner()))))
}

fn all(arguments: &[Tracked], holds: fn(Option<bool>) -> bool) -> Answer {
    let items = items_of(arguments.first()?)?;
    truth(items.iter().all(|item| holds(boolean(item.value()))))
}

fn compact(arguments: &[Tracked]) -> Answer {
    let items = items_of(arguments.first()?)?;
    let kept = items.iter().filter_map(text_of).filter(|text| !text.is_empty());
    texts(kept.map(ToString::to_string))
}

fn reverse(arguments: &[Tracked]) -> Answer {
    let first = arguments.first()?;
    let reversed: Vec<Tracked> = items_of(first)?.iter().rev().cloned().collect();
    if first.shape == Shape::Loose { tuple(reversed) } else { like(first, reversed) }
}

fn sort(arguments: &[Tracked]) -> Answer {
    let texts: Option<Vec<&Name>> = items_of(arguments.first()?)?.iter().map(text_of).collect();
    let mut all = texts?;
    all.sort();
    super::texts(all.into_iter().map(ToString::to_string))
}

fn index(arguments: &[Tracked]) -> Answer {
    let (first, wanted) = (arguments.first()?, arguments.get(1)?);
    if first.shape == Shape::Set {
        return None;
    }
    let at = items_of(first)?.iter().position(|item| equal(item, wanted) == Some(true))?;
    num(Number::count(at))
}

fn slice(arguments: &[Tracked]) -> Answer {
    let first = arguments.first()?;
    if first.shape == Shape::Set {
        return None;
    }
    let at = |n: usize| arguments.get(n).and_then(int).and_then(|at| usize::try_from(at).ok());
    let part = items_of(first)?.get(at(1)?..at(2)?)?.to_vec();
    if first.shape == Shape::Loose { tuple(part) } else { like(first, part) }
}

fn chunks(arguments: &[Tracked]) -> Answer {
    let items = items_of(arguments.first()?)?;
    let kind = Type::of(arguments.first()?);
    let typed = |chunk: &[Tracked]| nowhere(Value::List(chunk.to_vec().into())).shaped(Shape::Typed);
    let chunks: Vec<Tracked> = match usize::try_from(int(arguments.get(1)?)?).ok()? {
        0 if items.is_empty() => Vec::new(),
        0 => vec![typed(items)],
        size => items.chunks(size).map(typed).collect(),
    };
    list(chunks).map(|list| list.of_kind(&Type::List(Box::new(kind))))
}

fn match_keys(arguments: &[Tracked]) -> Answer {
    let part = |n: usize| items_of(arguments.get(n)?);
    let (values, keys, wanted) = (part(0)?, part(1)?, part(2)?);
    if values.len() != keys.len() {
        return None;
    }
    // The keys and what is looked for in them are compared as one type.
    let types = [1, 2].map(|n| arguments.get(n).map_or(Type::Any, |list| Type::of(list).inner()));
    let kind = Type::unified(&types)?;
    let (keys, wanted) = (kind.all_converted(keys)?, kind.all_converted(wanted)?);
    let matches = |key: &Tracked| wanted.iter().any(|other| equal(key, other) == Some(true));
    let found = values.iter().zip(&keys).filter(|(_, key)| matches(key)).map(|(value, _)| value.clone());
    like(arguments.first()?, found.collect())
}

fn combined(arguments: &[Tracked], keep: bool) -> Answer {
    let types: Vec<Type> = arguments.iter().map(|argument| Type::of(argument).inner()).collect();
    let kind = Type::unified(&types)?;
    let mut sets = arguments.iter().map(|argument| kind.all_converted(items_of(argument)?));
    let mut out = sets.next()??;
    for other in sets {
        let other = other?;
        out.retain(|item| other.iter().any(|other| equal(item, other) == Some(true)) == keep);
    }
    let all = nowhere(Value::List(set(out).into())).shaped(Shape::Set);
    Some(all.of_kind(&Type::Set(Box::new(kind))))
}

fn product(arguments: &[Tracked]) -> Answer {
    if arguments.len() < 2 {
        return None;
    }
    let mut rows: Vec<Vec<Tracked>> = vec![Vec::new()];
    let mut kinds = Vec::new();
    for argument in arguments {
        // A tuple is a list here.
        let choices = match argument.shape {
            Shape::Loose => Type::List(Box::new(Type::Any)).converted(argument)?,
            _ => argument.clone(),
        };
        kinds.push(Type::of(&choices).inner());
        let choices = items_of(&choices)?;
        if rows.len().saturating_mul(choices.len()) > MOST_COMBINATIONS {
            return not_computed("setproduct()");
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                choices.iter().map(move |choice| row.iter().cloned().chain([choice.clone()]).collect())
            })
            .collect();
    }
    let rows: Vec<Tracked> = rows.into_iter().map(|row| nowhere(Value::List(row.into()))).collect();
    let row = Box::new(Type::Tuple(kinds));
    if arguments.iter().any(|argument| argument.shape == Shape::Set) {
        let rows = nowhere(Value::List(set(rows).into())).shaped(Shape::Set);
        return Some(rows.of_kind(&Type::Set(row)));
    }
    list(rows).map(|rows| rows.of_kind(&Type::List(row)))
}

fn transpose(arguments: &[Tracked]) -> Answer {
    let Value::Map(map) = arguments.first()?.value() else { return None };
    let mut out: BTreeMap<Name, Vec<Name>> = BTreeMap::new();
    for (key, items) in map.iter() {
        for item in items_of(items)? {
            out.entry(text_of(item)?.clone()).or_default().push(key.clone());
        }
    }
    let typed = |mut keys: Vec<Name>| {
        keys.sort();
        texts(keys.into_iter().map(|key| key.to_string())).unwrap_or_default()
    };
    let map: Map = out.into_iter().map(|(key, keys)| (key, typed(keys))).collect();
    let kind = Type::Map(Box::new(Type::List(Box::new(Type::String))));
    Some(nowhere(Value::Map(Arc::new(map))).shaped(Shape::Typed).of_kind(&kind))
}
