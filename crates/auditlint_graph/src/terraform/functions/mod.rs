//! Terraform's functions. One that is not here is unknown with its name as the cause, never a wrong value.

mod collection;
mod encoding;
mod number;
mod policy;
mod text;

use auditlint_syntax::{Location, Name};

pub(crate) use encoding::write_json;
pub(super) use policy::policy_document;

use super::convert::{boolean, number as as_number, text as as_text};
use super::expression::first_cause;
use super::limits::LONGEST_TEXT;
use super::world::World;
use crate::{Cause, CauseKind, Number, Origin, Tracked, Unknown, Value};

/// The result of a function: a value, `None` where terraform would refuse the arguments.
type Answer = Option<Value>;

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
    if let Some(value) = collection::partial(world, plain, arguments, at) {
        return value;
    }
    match plain {
        "sensitive" => return arguments.first().cloned().unwrap_or_default().marked(true),
        "nonsensitive" => {
            let value = arguments.first().cloned().unwrap_or_default();
            return Tracked { sensitive: false, ..value };
        }
        "file" | "templatefile" | "fileexists" | "filebase64" => {
            return file(world, id, plain, arguments, at);
        }
        _ => {}
    }
    if !known(plain) {
        return world
            .unknown(CauseKind::Function, &format!("{plain}()"), "", at)
            .with_references(Tracked::derive(at, &inputs, Value::Null).references);
    }
    if arguments.iter().any(|argument| first_cause(argument).is_some()) {
        let unknown = world.unknown_of(&inputs, at);
        match number::bounds(plain, arguments) {
            Some([low, high]) if low == high => {
                return Tracked::derive(at, &inputs, Value::Number(Number(low)));
            }
            Some(range) => return unknown.between(range),
            None => {}
        }
        return match (plain, arguments) {
            ("jsonencode", [whole]) if whole.unknown().is_none() => unknown.encoding(whole.value().clone()),
            _ => unknown,
        };
    }
    let values: Vec<&Value> = arguments.iter().map(Tracked::value).collect();
    let answer = text::call(plain, &values)
        .or_else(|| number::call(plain, &values))
        .or_else(|| encoding::call(plain, &values))
        .or_else(|| collection::call(plain, arguments));
    world.computed(answer.flatten(), &inputs, at)
}

/// The functions that [`call`] computes from known arguments.
fn known(name: &str) -> bool {
    text::NAMES.contains(&name)
        || number::NAMES.contains(&name)
        || encoding::NAMES.contains(&name)
        || collection::NAMES.contains(&name)
}

/// Reads a file of the module; only inside the workspace, and only when the name is known.
fn file(world: &World<'_>, id: usize, name: &str, arguments: &[Tracked], at: Location) -> Tracked {
    let inputs: Vec<&Tracked> = arguments.iter().collect();
    let Some(path) = arguments.first().and_then(|first| as_text(first.value())) else {
        return world.unknown_of(&inputs, at);
    };
    // Terraform resolves a relative name against the folder it runs in, which is the root module's.
    let root = super::join_source(&world.inputs.folder, "").unwrap_or_default();
    let module = world.module(id);
    let inside =
        path.strip_prefix(module.folder_path.as_str()).is_some() && !module.folder_path.as_str().is_empty();
    let joined = if inside { super::join_source("".into(), &path) } else { super::join_source(&root, &path) };
    match (name, joined.map(|path| world.files.read(&path))) {
        ("file", Some(Ok(source))) if source.first_invalid().is_none() => {
            Tracked::derive(at, &inputs, Value::text(source.text()))
        }
        _ => world.unknown(CauseKind::Function, &format!("{name}()"), "", at),
    }
}

fn int(value: &Value) -> Option<i64> {
    let n = as_number(value)?;
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
    (n.fract() == 0.0 && n.abs() < 9e15).then_some(n as i64)
}

fn num(n: f64) -> Answer {
    n.is_finite().then_some(Value::Number(Number(n)))
}

fn string(value: impl AsRef<str>) -> Answer {
    if value.as_ref().len() > LONGEST_TEXT {
        return too_long();
    }
    Some(Value::String(Name::new(value)))
}

/// What terraform computes and this evaluator does not: unknown, and nothing that `try` may pass over.
fn not_computed(subject: &str) -> Answer {
    let cause = Cause { kind: CauseKind::Function, subject: subject.to_owned(), hint: String::new() };
    Some(Value::Unknown(Unknown::because(cause).into()))
}

fn too_long() -> Answer {
    not_computed("a text too long to be followed")
}

fn texts(values: impl IntoIterator<Item = String>) -> Answer {
    Some(Value::List(
        values
            .into_iter()
            .map(|text| Tracked::new(Value::String(Name::new(text)), Origin::Nowhere))
            .collect(),
    ))
}

fn list_of_texts(value: &Value) -> Option<Vec<Name>> {
    let Value::List(items) = value else { return None };
    items.iter().map(|item| as_text(item.value())).collect()
}

fn truth(value: &Value) -> Option<bool> {
    boolean(value)
}
