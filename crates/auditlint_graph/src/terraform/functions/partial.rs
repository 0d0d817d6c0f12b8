//! Functions whose result may be known although an argument is not, or that pass an element through.

use std::sync::Arc;

use auditlint_syntax::{Location, Name};
use unicode_segmentation::UnicodeSegmentation;

use super::super::convert::set;
use super::super::expression::{first_cause, is_many, is_whole_resource};
use super::super::operators::equal;
use super::super::types::Type;
use super::super::world::World;
use super::{items_of, nowhere, text_of};
use crate::{CauseKind, Map, Number, Shape, Tracked, Unknown, Value};

/// The answer of `name`, where it is one of these functions.
pub(super) fn call(world: &World<'_>, name: &str, arguments: &[Tracked], at: Location) -> Option<Tracked> {
    let inputs: Vec<&Tracked> = arguments.iter().collect();
    let derived = |value: Value| Tracked::derive(at, &inputs, value);
    let shaped = |value: Value, shape: Shape| derived(value).shaped(shape);
    let unknown = || world.unknown_of(&inputs, at);
    let refused = || world.refused(&inputs, at);
    let first = arguments.first();
    Some(match name {
        "timestamp" | "plantimestamp" | "uuid" | "bcrypt" | "base64gzip" => {
            world.unknown(CauseKind::Function, &format!("{name}()"), "", at)
        }
        // A null that has no type prints nothing before apply.
        "format" if arguments.iter().skip(1).any(|value| value.is_null() && value.kind.is_none()) => {
            world.unknown(CauseKind::Computed, "a null without a type", "known after apply", at)
        }
        "merge" => match merged(arguments) {
            Some(map) => map,
            None if arguments.iter().any(is_unknown) => return Some(unknown()),
            None => return Some(refused()),
        }
        .at(at, &inputs),
        "concat" => match concatenated(arguments) {
            Some(list) => list.at(at, &inputs),
            None => refused(),
        },
        "flatten" => {
            let mut out = Vec::new();
            match first?.value() {
                Value::List(_) => flatten(first?, &mut out),
                Value::Unknown(_) => return Some(unknown()),
                _ => return Some(refused()),
            }
            derived(Value::List(out.into()))
        }
        "tolist" | "toset" | "tomap" => {
            let kind = match name {
                "tolist" => Type::List(Box::new(Type::Any)),
                "toset" => Type::Set(Box::new(Type::Any)),
                _ => Type::Map(Box::new(Type::Any)),
            };
            match kind.converted(first?) {
                // Elements that are not known cannot be compared, and keep their place.
                Some(_) if name == "toset" && first_cause(first?).is_some() => {
                    world.passed(first?.clone(), &[], at)
                }
                Some(value) => world.passed(value, &[], at),
                None => refused(),
            }
        }
        "distinct" => {
            let Some(items) = items_of(first?) else { return Some(unknown()) };
            let undecided = first_cause(first?).is_some();
            let is_new = |(n, item): &(usize, &Tracked)| {
                undecided || !items.iter().take(*n).any(|other| equal(other, item) == Some(true))
            };
            let items: Vec<Tracked> =
                items.iter().enumerate().filter(is_new).map(|(_, item)| item.clone()).collect();
            shaped(Value::List(items.into()), Shape::Typed).of_kind(&Type::of(first?))
        }
        "setunion" => {
            let mut all = Vec::new();
            for argument in arguments {
                match items_of(argument) {
                    Some(items) => all.extend(items.iter().cloned()),
                    None => return Some(unknown()),
                }
            }
            let undecided = all.iter().any(|item| first_cause(item).is_some());
            let types: Vec<Type> = arguments.iter().map(|argument| Type::of(argument).inner()).collect();
            match Type::unified(&types).and_then(|kind| Some((kind.all_converted(&all)?, kind))) {
                Some((all, kind)) => {
                    let all = if undecided { all } else { set(all) };
                    shaped(Value::List(all.into()), Shape::Set).of_kind(&Type::Set(Box::new(kind)))
                }
                None => refused(),
            }
        }
        "length" => match first?.value() {
            Value::List(items) if !items.iter().any(is_many) => {
                // Elements of a set that are not known may be the same.
                if first?.shape == Shape::Set && items.len() > 1 && first_cause(first?).is_some() {
                    return Some(unknown());
                }
                derived(Value::Number(Number::count(items.len())))
            }
            Value::Map(map) => derived(Value::Number(Number::count(map.len()))),
            Value::String(text) => derived(Value::Number(Number::count(text.graphemes(true).count()))),
            Value::List(_) | Value::Unknown(_) => unknown(),
            _ => refused(),
        },
        "keys" => match first?.value() {
            Value::Map(map) => {
                let mut keys: Vec<Name> = map.keys().cloned().collect();
                keys.sort();
                let keys = keys.into_iter().map(|key| nowhere(Value::String(key))).collect();
                shaped(Value::List(keys), first?.shape).of_kind(&Type::List(Box::new(Type::String)))
            }
            Value::Unknown(_) => unknown(),
            _ => refused(),
        },
        "values" => match first?.value() {
            Value::Map(map) => {
                let mut map = Map::clone(map);
                map.sort_keys();
                let kind = Type::List(Box::new(Type::of(first?).inner()));
                shaped(Value::List(map.into_iter().map(|(_, value)| value).collect()), first?.shape)
                    .of_kind(&kind)
            }
            Value::Unknown(_) => unknown(),
            _ => refused(),
        },
        "lookup" => lookup(arguments).map_or_else(
            |undecided| if undecided { unknown() } else { refused() },
            |item| world.passed(item, &[], at).marked(first.is_some_and(|map| map.sensitive)),
        ),
        "element" => match (first?.value(), arguments.get(1)?.value()) {
            (Value::List(_), _) if first?.shape == Shape::Set => refused(),
            (Value::List(items), Value::Number(index)) if !items.iter().any(is_many) => {
                let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
                let index = index.to_i64().filter(|index| *index >= 0 && count > 0);
                let item = index.and_then(|index| items.get(usize::try_from(index % count).ok()?));
                item.map_or_else(refused, |item| world.passed(item.clone(), &[], at))
            }
            (Value::List(_) | Value::Unknown(_), _) => unknown(),
            _ => refused(),
        },
        "one" => match first?.value() {
            Value::List(items) => match &**items {
                [] => derived(Value::Null).of_kind(&Type::of(first?).inner()),
                // Of an element that stands for any number there is at most one: what is unknown about it is the
                // element itself.
                [item] => world.passed(item.clone(), &[], at),
                _ if items.iter().any(is_many) => unknown(),
                _ => refused(),
            },
            Value::Unknown(_) => unknown(),
            _ => refused(),
        },
        "coalesce" | "coalescelist" => coalesced(world, name, arguments, at),
        "contains" => match first?.value() {
            Value::List(items) => {
                let wanted = arguments.get(1)?;
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
            Value::Unknown(_) => unknown(),
            _ => refused(),
        },
        "zipmap" if arguments.get(1).is_some_and(|values| values.shape == Shape::Set) => refused(),
        "zipmap" => match (items_of(first?), items_of(arguments.get(1)?)) {
            (Some(keys), Some(values)) if keys.len() == values.len() => {
                let names: Option<Vec<Name>> = keys.iter().map(|key| text_of(key).cloned()).collect();
                match names {
                    Some(names) => {
                        let map: Map = names.into_iter().zip(values.iter().cloned()).collect();
                        shaped(Value::Map(Arc::new(map)), arguments.get(1)?.shape)
                    }
                    None => unknown(),
                }
            }
            (Some(keys), Some(values)) if !keys.iter().chain(values).any(is_many) => refused(),
            _ => unknown(),
        },
        "tostring" | "tonumber" | "tobool" => {
            let kind = match name {
                "tostring" => Type::String,
                "tonumber" => Type::Number,
                _ => Type::Bool,
            };
            match kind.converted(first?) {
                Some(value) => world.passed(value, &[], at),
                None => refused(),
            }
        }
        "issensitive" => match first?.value() {
            Value::Unknown(_) => unknown(),
            _ => Tracked { sensitive: false, ..derived(Value::Bool(first?.sensitive)) },
        },
        // Nothing that is ephemeral is known before apply.
        "ephemeralasnull" => world.passed(first?.clone(), &[], at),
        _ => return None,
    })
}

fn is_unknown(value: &Tracked) -> bool {
    value.unknown().is_some()
}

/// A value that is made of others' parts.
struct Made(Value, Shape, Type);

impl Made {
    fn at(self, at: Location, inputs: &[&Tracked]) -> Tracked {
        let Self(value, shape, kind) = self;
        Tracked::derive(at, inputs, value).shaped(shape).of_kind(&kind)
    }
}

/// One list of several, or a tuple where one of them is one; none where one is no list.
fn concatenated(arguments: &[Tracked]) -> Option<Made> {
    let mut out = Vec::new();
    for argument in arguments {
        match argument.value() {
            Value::List(items) if argument.shape != Shape::Set => out.extend(items.iter().cloned()),
            // The rest of the list is still there.
            Value::Unknown(inner) => {
                let many = Unknown { many: true, ..Unknown::because(inner.cause.clone()) };
                out.push(argument.clone().with_value(Value::Unknown(Arc::new(many))));
            }
            _ => return None,
        }
    }
    let types: Vec<Type> = arguments.iter().filter(|list| !is_unknown(list)).map(Type::of).collect();
    let is_list = types.iter().all(|kind| matches!(kind, Type::List(_))) && !arguments.is_empty();
    let inner = Type::unified(&types.into_iter().map(Type::inner).collect::<Vec<_>>());
    if let (true, Some(inner)) = (is_list, inner)
        && let Some(items) = inner.all_converted(&out)
    {
        return Some(Made(Value::List(items.into()), Shape::Typed, Type::List(Box::new(inner))));
    }
    (!arguments.is_empty()).then(|| Made(Value::List(out.into()), Shape::Loose, Type::Any))
}

fn flatten(value: &Tracked, out: &mut Vec<Tracked>) {
    match value.value() {
        Value::List(items) => items.iter().for_each(|item| flatten(item, out)),
        _ => out.push(value.clone()),
    }
}

/// One map of several, later ones winning; none where one is no map. After a null without a type nothing is said
/// about the others, and a set of texts, or a list without elements, counts as a map.
fn merged(arguments: &[Tracked]) -> Option<Made> {
    let types: Vec<Type> = arguments.iter().map(Type::of).collect();
    let checked = types.iter().position(|kind| *kind == Type::Any).unwrap_or(types.len());
    if !types.iter().take(checked).all(|kind| matches!(kind, Type::Map(_) | Type::Object(_))) {
        return None;
    }
    let mut out = Map::default();
    for argument in arguments {
        match argument.value() {
            Value::Null => {}
            Value::Map(map) => out.extend(map.iter().map(|(key, item)| (key.clone(), item.clone()))),
            Value::List(items) if argument.shape == Shape::Set || items.is_empty() => {
                for item in items.iter() {
                    out.insert(text_of(item)?.clone(), item.clone());
                }
            }
            _ => return None,
        }
    }
    let first = types.first().cloned().unwrap_or(Type::Object(Vec::new()));
    let are_same = types.iter().all(|kind| *kind == first);
    // One object type is promised, and its attributes are missing.
    if are_same && matches!(&first, Type::Object(attributes) if attributes.len() != out.len()) {
        return None;
    }
    let is_map = matches!(first, Type::Map(_)) && are_same;
    Some(Made(Value::Map(Arc::new(out)), if is_map { Shape::Typed } else { Shape::Loose }, first))
}

/// The error says whether it is merely not known.
fn lookup(arguments: &[Tracked]) -> Result<Tracked, bool> {
    if arguments.len() > 3 {
        return Err(false);
    }
    let (Some(map), Some(key)) = (arguments.first(), arguments.get(1)) else { return Err(false) };
    let default = arguments.get(2);
    let element = Type::of(map).inner();
    match (map.value(), text_of(key)) {
        // A default that could not be an element is refused, whether it is used or not.
        (Value::Map(_), _)
            if map.shape == Shape::Typed
                && default.is_some_and(|default| element.converted(default).is_none()) =>
        {
            Err(false)
        }
        (Value::Map(items), Some(key)) => match (items.get(key), default) {
            (Some(item), _) => Ok(item.clone()),
            (None, Some(default)) if map.shape == Shape::Typed => element.converted(default).ok_or(false),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => Err(false),
        },
        (Value::Map(_) | Value::Unknown(_), _) => Err(true),
        _ => Err(false),
    }
}

/// The first argument that is something.
fn coalesced(world: &World<'_>, name: &str, arguments: &[Tracked], at: Location) -> Tracked {
    let inputs: Vec<&Tracked> = arguments.iter().collect();
    let types: Vec<Type> = arguments.iter().map(Type::of).collect();
    let common = if name == "coalesce" { Type::unified(&types) } else { Some(Type::Any) };
    let Some(common) = common else { return world.refused(&inputs, at) };
    let is_list = |value: &Tracked| {
        is_unknown(value) || matches!(value.value(), Value::List(_)) && value.shape != Shape::Set
    };
    if name == "coalescelist" && !arguments.iter().all(is_list) {
        return world.refused(&inputs, at);
    }
    for argument in arguments {
        match argument.value() {
            Value::Null => {}
            Value::String(text) if text.is_empty() && name == "coalesce" => {}
            Value::List(items) if items.is_empty() && name == "coalescelist" => {}
            Value::Unknown(inner) if !inner.not_null && !is_whole_resource(argument) => {
                let one_of: Box<[Tracked]> = arguments.iter().cloned().collect();
                let not_null = arguments
                    .iter()
                    .any(|other| other.unknown().is_none_or(|inner| inner.not_null) && !other.is_null());
                let inner = Unknown { not_null, ..Unknown::one_of(inner.cause.clone(), one_of) };
                return Tracked::derive(at, &inputs, Value::Unknown(Arc::new(inner)));
            }
            _ => {
                return match common.converted(argument) {
                    Some(value) => world.passed(value, &[], at),
                    None => world.refused(&inputs, at),
                };
            }
        }
    }
    world.refused(&inputs, at)
}
