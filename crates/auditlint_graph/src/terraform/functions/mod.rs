//! Terraform's functions. One that is not here is unknown with its name as the cause, never a wrong value.
//!
//! Each family has a module with the names that it computes; [`signature`] says how many arguments a function takes
//! and to which types they convert first. Source: the functions of Terraform 1.11 and of cty's standard library.

mod collection;
mod csv;
mod date;
mod decimal;
mod double;
mod encoding;
mod file;
mod format;
mod hash;
mod json;
mod network;
mod number;
mod partial;
mod pattern;
mod policy;
mod signature;
mod template;
#[cfg(test)]
mod testing;
mod text;
mod yaml;

use auditlint_syntax::{Location, Name};

pub(super) use file::located;
pub(crate) use json::{read_json, write_json};
pub(super) use policy::policy_document;

use super::convert::text as as_text;
use super::expression::first_cause;
use super::limits::LONGEST_TEXT;
use super::types::Type;
use super::world::World;
use crate::{Cause, CauseKind, Number, Origin, Shape, Tracked, Unknown, Value};

/// The result of a function: a value, `None` where terraform would refuse the arguments.
type Answer = Option<Tracked>;

/// A family: some answer when it has a function of that name.
type Family = fn(&str, &[Tracked]) -> Option<Answer>;

const FAMILIES: &[Family] = &[
    text::call,
    format::call,
    number::call,
    encoding::call,
    collection::call,
    date::call,
    network::call,
    hash::call,
    yaml::call,
];

/// Calls `name`.
pub(super) fn call(
    world: &World<'_>,
    id: usize,
    name: &Name,
    arguments: &[Tracked],
    at: Location,
) -> Tracked {
    let inputs: Vec<&Tracked> = arguments.iter().collect();
    let plain = name.strip_prefix("core::").unwrap_or(name);
    match plain {
        "sensitive" | "nonsensitive" if arguments.len() != 1 => return world.refused(&inputs, at),
        "sensitive" => return arguments.first().cloned().unwrap_or_default().marked(true),
        "nonsensitive" => {
            let value = arguments.first().cloned().unwrap_or_default();
            return Tracked { sensitive: false, ..value };
        }
        _ => {}
    }
    let Some(signature) = signature::of(plain) else {
        return world
            .unknown(CauseKind::Function, &format!("{plain}()"), "", at)
            .with_references(Tracked::derive(at, &inputs, Value::Null).references);
    };
    // What is sensitive anywhere in an argument is so in what is made of it.
    let sensitive = !PASSING.contains(&plain) && arguments.iter().any(is_sensitive_inside);
    // And what is picked from something that is sensitive, or by it, is so as well.
    let picked = ["element", "lookup", "one", "zipmap"].contains(&plain)
        && arguments.iter().enumerate().any(|(n, argument)| {
            argument.sensitive || plain == "zipmap" && n == 0 && is_sensitive_inside(argument)
        });
    let value = computed(world, id, plain, signature, arguments, at).marked(sensitive || picked);
    if ["jsonencode", "yamlencode"].contains(&plain) {
        // The text is made of what stands anywhere inside.
        let mut parts = Vec::new();
        arguments.iter().for_each(|argument| leaves(argument, &mut parts));
        return value.with_references(crate::value::united(&parts, false));
    }
    value
}

/// A value, and all values inside of it.
fn leaves<'v>(value: &'v Tracked, out: &mut Vec<&'v Tracked>) {
    out.push(value);
    match value.value() {
        Value::List(items) => items.iter().for_each(|item| leaves(item, out)),
        Value::Map(map) => map.values().for_each(|item| leaves(item, out)),
        _ => {}
    }
}

/// The functions that hand elements on as they are: what is sensitive about one is not so about the others.
const PASSING: &[&str] = &[
    "concat",
    "element",
    "flatten",
    "issensitive",
    "keys",
    "length",
    "lookup",
    "merge",
    "one",
    "reverse",
    "tolist",
    "tomap",
    "values",
    "zipmap",
];

/// Whether a value is sensitive, or a part of it.
pub(super) fn is_sensitive_inside(value: &Tracked) -> bool {
    value.sensitive
        || match value.value() {
            Value::List(items) => items.iter().any(is_sensitive_inside),
            Value::Map(map) => map.values().any(is_sensitive_inside),
            _ => false,
        }
}

fn computed(
    world: &World<'_>,
    id: usize,
    plain: &str,
    signature: signature::Signature,
    arguments: &[Tracked],
    at: Location,
) -> Tracked {
    let inputs: Vec<&Tracked> = arguments.iter().collect();
    let Some(converted) = signature.convert(arguments) else { return world.refused(&inputs, at) };
    if let Some(value) = partial::call(world, plain, &converted, at) {
        return value;
    }
    if let Some(answer) = file::call(world, id, plain, &converted, at) {
        return answered(world, answer, &inputs, at);
    }
    if arguments.iter().any(|argument| first_cause(argument).is_some()) {
        let unknown = world.unknown_of(&inputs, at);
        match number::bounds(plain, arguments) {
            Some([low, high]) if low == high => {
                return world.computed(Number::from_f64(low).map(Value::Number), &inputs, at);
            }
            Some(range) => return unknown.between(range),
            None => {}
        }
        return match (plain, arguments) {
            ("jsonencode", [whole]) if whole.unknown().is_none() => unknown.encoding(whole.value().clone()),
            _ => unknown,
        };
    }
    match FAMILIES.iter().find_map(|family| family(plain, &converted)) {
        Some(answer) => answered(world, answer, &inputs, at),
        None => world.unknown(CauseKind::Function, &format!("{plain}()"), "", at),
    }
}

fn answered(world: &World<'_>, answer: Answer, inputs: &[&Tracked], at: Location) -> Tracked {
    match answer {
        Some(answer) => {
            let (shape, kind, sensitive) = (answer.shape, answer.kind.clone(), answer.sensitive);
            let value = world.computed(Some(answer.into_value()), inputs, at).shaped(shape);
            Tracked { sensitive: value.sensitive || sensitive, kind, ..value }
        }
        None => world.refused(inputs, at),
    }
}

fn int(value: &Tracked) -> Option<i64> {
    if let Value::Number(number) = value.value() { number.to_i64() } else { None }
}

fn number_of(value: &Tracked) -> Option<&Number> {
    if let Value::Number(number) = value.value() { Some(number) } else { None }
}

fn text_of(value: &Tracked) -> Option<&Name> {
    if let Value::String(text) = value.value() { Some(text) } else { None }
}

fn items_of(value: &Tracked) -> Option<&[Tracked]> {
    if let Value::List(items) = value.value() { Some(items) } else { None }
}

fn nowhere(value: Value) -> Tracked {
    Tracked::new(value, Origin::Nowhere)
}

fn truth(value: bool) -> Answer {
    Some(nowhere(Value::Bool(value)))
}

fn num(number: Number) -> Answer {
    Some(nowhere(Value::Number(number)))
}

fn string(value: impl AsRef<str>) -> Answer {
    if value.as_ref().len() > LONGEST_TEXT {
        return too_long();
    }
    Some(nowhere(Value::String(super::convert::normal(value.as_ref()))))
}

/// A list, all of whose elements have one type.
fn list(items: Vec<Tracked>) -> Answer {
    Some(nowhere(Value::List(items.into())).shaped(Shape::Typed))
}

/// A tuple.
fn tuple(items: Vec<Tracked>) -> Answer {
    Some(nowhere(Value::List(items.into())))
}

fn texts(values: impl IntoIterator<Item = String>) -> Answer {
    let items: Vec<Tracked> =
        values.into_iter().map(|text| nowhere(Value::String(super::convert::normal(&text)))).collect();
    list(items).map(|list| list.of_kind(&Type::List(Box::new(Type::String))))
}

/// What terraform computes and this evaluator does not: unknown, and nothing that `try` may pass over.
fn not_computed(subject: &str) -> Answer {
    let cause = Cause { kind: CauseKind::Function, subject: subject.to_owned(), hint: String::new() };
    Some(nowhere(Value::Unknown(Unknown::because(cause).into())))
}

fn too_long() -> Answer {
    not_computed("a text too long to be followed")
}
