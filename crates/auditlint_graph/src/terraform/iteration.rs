//! What is done with each element of a collection: splats, `for`, and the rounds of both templates and blocks.

use std::sync::Arc;

use auditlint_syntax::hcl::{Expr, ForExpr};
use auditlint_syntax::{Location, Name};

use super::convert::{boolean, text};
use super::declared::BlockRef;
use super::expand;
use super::expression::{REFUSED, first_cause, is_many, is_whole_resource, refuses};
use super::modules::Scope;
use super::types::Type;
use super::world::World;
use crate::{Cause, CauseKind, Map, Number, Shape, Tracked, Unknown, Value};

impl World<'_> {
    pub(super) fn splat(
        &self,
        id: usize,
        block: &BlockRef,
        base: &Tracked,
        each: &Expr,
        scope: &Scope,
        at: Location,
    ) -> Tracked {
        let apply = |item: &Tracked| {
            let scope = Scope { item: Some(item.clone()), ..scope.clone() };
            self.eval(id, block, each, &scope)
        };
        match base.value() {
            Value::Null => Tracked::derive(at, &[base], Value::List(Arc::from([]))),
            Value::List(items) => {
                let items: Vec<Tracked> = items.iter().map(apply).collect();
                if let Some(refused) = items.iter().find(|item| refuses(item)) {
                    return self.passed(refused.clone(), &[base], at);
                }
                let shape = if base.shape == Shape::Loose { Shape::Loose } else { Shape::Typed };
                // What is asked of no element is refused all the same, where no element could have it.
                let kind = match (items.is_empty(), shape) {
                    (true, Shape::Typed) => Type::of(base).inner().after(each),
                    _ => Some(Type::Any),
                };
                let Some(kind) = kind else { return self.refused(&[base], at) };
                let list = Tracked::derive(at, &[base], Value::List(items.into())).shaped(shape);
                list.of_kind(&Type::List(Box::new(kind)))
            }
            // A value that is no list counts as a list of one; an unknown one is a list of unknown length
            // whose elements are like it.
            Value::Unknown(unknown) if !is_whole_resource(base) => {
                let item = apply(base);
                let many = Unknown { many: true, ..Unknown::because(unknown.cause.clone()) };
                let item = match item.value() {
                    Value::Unknown(inner) => {
                        let inner = Unknown { many: true, ..(**inner).clone() };
                        item.clone().with_value(Value::Unknown(Arc::new(inner)))
                    }
                    _ => item.clone().with_value(Value::Unknown(Arc::new(many))),
                };
                Tracked::derive(at, &[base], Value::List(Arc::from([item])))
            }
            _ => {
                let item = apply(base);
                Tracked::derive(at, &[base], Value::List(Arc::from([item])))
            }
        }
    }

    pub(super) fn for_expr(
        &self,
        id: usize,
        block: &BlockRef,
        each: &ForExpr,
        scope: &Scope,
        at: Location,
    ) -> Tracked {
        let collection = self.eval(id, block, &each.collection, scope);
        let rounds = match rounds(&collection) {
            Ok(rounds) => rounds,
            Err(cause) => return self.unknown_from(cause, &[&collection], at),
        };
        let mut sensitive = false;
        let mut map = Map::default();
        let mut list = Vec::new();
        let mut groups: indexmap::IndexMap<Name, Vec<Tracked>> = indexmap::IndexMap::new();
        for (name, item) in rounds {
            let scope = bind(scope, each.key.as_ref().map(|key| (key, name)), &each.value, item);
            if let Some(condition) = &each.condition {
                let condition = self.eval(id, block, condition, &scope);
                sensitive |= condition.sensitive;
                match boolean(condition.value()) {
                    Some(false) => continue,
                    Some(true) => {}
                    None => return self.unknown_of(&[&condition, &collection], at),
                }
            }
            let value = self.eval(id, block, &each.value_expr, &scope);
            if refuses(&value) {
                return self.passed(value, &[&collection], at);
            }
            let Some(key) = &each.key_expr else {
                list.push(value);
                continue;
            };
            let key = self.eval(id, block, key, &scope);
            sensitive |= key.sensitive;
            match text(key.value()) {
                Some(key) if each.grouping => groups.entry(key).or_default().push(value),
                Some(key) if map.contains_key(&key) => return self.refused(&[&collection], at),
                Some(key) => drop(map.insert(key, value)),
                None => return self.unknown_of(&[&key, &collection], at),
            }
        }
        for (key, items) in groups {
            map.insert(key, Tracked::derive(at, &[], Value::List(items.into())));
        }
        if each.key_expr.is_some() {
            map.sort_keys();
            Tracked::derive(at, &[&collection], Value::Map(Arc::new(map))).marked(sensitive)
        } else {
            Tracked::derive(at, &[&collection], Value::List(list.into())).marked(sensitive)
        }
    }
}

/// Keys and values of what a `for` iterates; a cause when that is not known.
pub(super) fn rounds(collection: &Tracked) -> Result<Vec<(Tracked, Tracked)>, Cause> {
    let key = |value: Value| Tracked::new(value, collection.origin.clone());
    match collection.value() {
        Value::List(items) if !items.iter().any(is_many) => Ok(items
            .iter()
            .enumerate()
            .map(|(n, item)| {
                // The elements of a set are its keys.
                let number = || key(Value::Number(Number::count(n)));
                (if collection.shape == Shape::Set { item.clone() } else { number() }, item.clone())
            })
            .collect()),
        Value::Map(map) => {
            let mut entries: Vec<(&Name, &Tracked)> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            let entry = |(name, item): (&Name, &Tracked)| (key(Value::String(name.clone())), item.clone());
            Ok(entries.into_iter().map(entry).collect())
        }
        _ => Err(first_cause(collection).unwrap_or(Cause {
            kind: CauseKind::Function,
            subject: REFUSED.to_owned(),
            hint: String::new(),
        })),
    }
}

pub(super) fn bind(scope: &Scope, key: Option<(&Name, Tracked)>, name: &Name, item: Tracked) -> Scope {
    let mut scope = scope.clone();
    scope.names.extend(key.map(|(name, value)| (name.clone(), value)));
    scope.names.push((name.clone(), item));
    scope
}

/// The keys and values of a `for_each`, for `dynamic` blocks.
pub(super) fn dynamic_elements(value: &Tracked) -> Result<Vec<(Tracked, Tracked)>, Cause> {
    match value.value() {
        Value::List(items) if items.iter().any(is_many) => Err(items
            .iter()
            .find_map(first_cause)
            .unwrap_or(Cause { kind: CauseKind::Function, subject: String::new(), hint: String::new() })),
        Value::List(_) => rounds(value),
        Value::Null => Ok(Vec::new()),
        _ => expand::elements(value).map(|items| {
            items
                .into_iter()
                .map(|(key, item)| (Tracked::new(Value::String(key), value.origin.clone()), item))
                .collect()
        }),
    }
}
