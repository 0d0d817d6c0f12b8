//! `count`, `for_each` and `dynamic`: one block to its instances.

use auditlint_syntax::{Location, Name};

use super::folder::BlockRef;
use super::modules::Scope;
use super::world::World;
use crate::{Cause, Origin, Tracked, Unknown, Value};

/// Most instances of one block; Terraform itself becomes unusable before.
const MOST: u64 = 10_000;

/// The instances of a block.
#[derive(Clone)]
pub(super) enum Instances {
    /// Neither `count` nor `for_each`.
    One,
    /// So many.
    Count(u64),
    /// By key, with their values.
    Each(Vec<(Name, Tracked)>),
    /// Not known.
    Undecided(Cause),
}

impl World<'_> {
    /// The instances that `count` or `for_each` of `block`, in module `id`, ask for.
    pub(super) fn expand(&self, id: usize, block: &BlockRef, scope: &Scope) -> Instances {
        let body = &block.block().body;
        if let Some(count) = body.attribute("count") {
            let value = self.eval(id, block, &count.value, scope);
            return match value.value() {
                Value::Unknown(unknown) => Instances::Undecided(unknown.cause.clone()),
                other => match super::convert::number(other) {
                    Some(n) if n >= 0.0 && n.fract() == 0.0 && n <= 1e15 =>
                    {
                        #[expect(
                            clippy::cast_possible_truncation,
                            clippy::cast_sign_loss,
                            reason = "checked just above"
                        )]
                        Instances::Count((n as u64).min(MOST))
                    }
                    _ => Instances::Undecided(odd("count")),
                },
            };
        }
        if let Some(each) = body.attribute("for_each") {
            let value = self.eval(id, block, &each.value, scope);
            return elements(&value).map_or_else(Instances::Undecided, Instances::Each);
        }
        Instances::One
    }

    pub(super) fn indexed(&self, scope: &Scope, index: u64, at: Location) -> Scope {
        #[expect(clippy::cast_precision_loss, reason = "bounded by MOST")]
        let number = Value::Number(crate::Number(index as f64));
        Scope { index: Some(Tracked::new(number, Origin::Written(at))), each: None, ..scope.clone() }
    }

    pub(super) fn keyed(&self, scope: &Scope, key: &Name, value: &Tracked, at: Location) -> Scope {
        let key = Tracked::new(Value::String(key.clone()), Origin::Written(at));
        Scope { each: Some((key, value.clone())), index: None, ..scope.clone() }
    }

    pub(super) fn undecided_scope(&self, scope: &Scope, cause: &Cause, at: Location) -> Scope {
        let unknown =
            Tracked::new(Value::Unknown(Unknown::because(cause.clone()).into()), Origin::Written(at));
        Scope { each: Some((unknown.clone(), unknown.clone())), index: Some(unknown), ..scope.clone() }
    }
}

/// The keys and values that a `for_each` gives; a cause when they are not known.
pub(super) fn elements(value: &Tracked) -> Result<Vec<(Name, Tracked)>, Cause> {
    match value.value() {
        Value::Unknown(unknown) => Err(unknown.cause.clone()),
        Value::Map(map) => Ok(map.iter().map(|(key, item)| (key.clone(), item.clone())).collect()),
        Value::List(items) => items
            .iter()
            .map(|item| match item.value() {
                Value::String(text) => Ok((text.clone(), item.clone())),
                Value::Unknown(unknown) => Err(unknown.cause.clone()),
                other => super::convert::text(other)
                    .map(|text| (text, item.clone()))
                    .ok_or_else(|| odd("for_each")),
            })
            .collect(),
        _ => Err(odd("for_each")),
    }
}

fn odd(what: &str) -> Cause {
    Cause { kind: crate::CauseKind::Function, subject: format!("an invalid {what}"), hint: String::new() }
}
