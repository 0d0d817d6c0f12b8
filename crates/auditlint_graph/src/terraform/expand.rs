//! `count`, `for_each` and `dynamic`: one block to its instances.

use auditlint_syntax::{Location, Name};

use super::declared::BlockRef;
use super::modules::Scope;
use super::world::World;
use crate::{Cause, Number, Origin, Tracked, Unknown, Value};

/// Most instances of one block; Terraform itself becomes unusable before.
const MOST: u32 = 10_000;

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

impl Instances {
    /// Whether nothing in the block asks for other than one instance.
    pub(super) fn is_plain(block: &BlockRef) -> bool {
        let body = &block.block().body;
        !["count", "for_each", "lifecycle"].iter().any(|name| body.may_hold(name))
    }
}

impl World<'_> {
    /// The instances that `count` or `for_each` of `block`, in module `id`, ask for.
    pub(super) fn expand(&self, id: usize, block: &BlockRef, scope: &Scope) -> Instances {
        if Instances::is_plain(block) {
            return Instances::One;
        }
        let body = &block.block().body;
        let at = block.place(block.block().header);
        // `enabled` is an argument of OpenTofu 1.11: what is not enabled is not there.
        let lifecycle = body.blocks_named("lifecycle").next();
        if let Some(enabled) = lifecycle.and_then(|lifecycle| lifecycle.body.attribute("enabled")) {
            let value = self.bounded(at, || self.eval(id, block, &enabled.value, scope));
            match (super::convert::boolean(value.value()), value.unknown()) {
                (Some(true), _) => {}
                (Some(false), _) => return Instances::Count(0),
                (None, Some(unknown)) => return Instances::Undecided(unknown.cause.clone()),
                (None, None) => return Instances::Undecided(odd("lifecycle.enabled")),
            }
        }
        if let Some(count) = body.attribute("count") {
            let value = self.bounded(at, || self.eval(id, block, &count.value, scope));
            return match value.value() {
                Value::Unknown(unknown) => Instances::Undecided(unknown.cause.clone()),
                other => match super::convert::number(other) {
                    Some(n) if n > Number::whole(i64::from(MOST)) && n.is_whole() => {
                        self.too_many(at, "count", n)
                    }
                    Some(n) if let Some(count) = n.to_i64().and_then(|n| u64::try_from(n).ok()) => {
                        Instances::Count(count)
                    }
                    _ => Instances::Undecided(odd("count")),
                },
            };
        }
        if let Some(each) = body.attribute("for_each") {
            let value = self.bounded(at, || self.eval(id, block, &each.value, scope));
            return match elements(&value) {
                Ok(each) if each.len() > MOST as usize => self.too_many(at, "for_each", each.len()),
                Ok(each) => Instances::Each(each),
                Err(cause) => Instances::Undecided(cause),
            };
        }
        Instances::One
    }

    /// More instances than are followed: a gap, and one that stands for all of them.
    fn too_many(&self, at: Location, what: &str, n: impl std::fmt::Display) -> Instances {
        self.past_limit(at, format!("{what} asks for {n} instances; at most {MOST} are judged one by one"));
        Instances::Undecided(more_instances())
    }

    pub(super) fn indexed(&self, scope: &Scope, index: u64, at: Location) -> Scope {
        let number = Value::Number(Number::count(usize::try_from(index).unwrap_or(usize::MAX)));
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

/// The cause of what stands for more instances than are judged one by one.
pub(super) fn more_instances() -> Cause {
    Cause {
        kind: crate::CauseKind::Function,
        subject: "more instances than are followed".to_owned(),
        hint: String::new(),
    }
}

fn odd(what: &str) -> Cause {
    Cause { kind: crate::CauseKind::Function, subject: format!("an invalid {what}"), hint: String::new() }
}
