//! Values to types.

use std::sync::Arc;

use super::convert::{boolean, number, set, text};
use super::expression::first_cause;
use super::types::{Optional, Type};
use crate::{Map, Shape, Tracked, Value};

/// What elements become a part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Collection {
    List,
    Set,
    Map,
}

impl Type {
    /// `value` as one of this type; none where terraform refuses it.
    pub(super) fn converted(&self, value: &Tracked) -> Option<Tracked> {
        if *self == Self::Any || value.unknown().is_some() {
            return Some(value.clone());
        }
        // What shows no type may have one that does not convert.
        if let Some(kind) = &value.kind
            && !kind.converts_to(self)
        {
            return None;
        }
        let with = |new: Value, shape: Shape| Tracked { shape, ..value.clone().with_value(new) };
        match (self, value.value()) {
            (_, Value::Null) if value.kind.is_some() && self.is_open() => Some(value.clone()),
            (_, Value::Null) => Some(value.clone().of_kind(self)),
            (Self::String, other) => text(other).map(|text| with(Value::String(text), Shape::Loose)),
            (Self::Number, other) => number(other).map(|number| with(Value::Number(number), Shape::Loose)),
            (Self::Bool, other) => boolean(other).map(|truth| with(Value::Bool(truth), Shape::Loose)),
            (Self::List(inner), Value::List(items)) => {
                let items = Value::List(inner.elements(items.iter(), Collection::List)?.into());
                Some(with(items, Shape::Typed).of_kind(&Self::List(inner.beside(value))))
            }
            (Self::Set(inner), Value::List(items)) => {
                let items = Value::List(set(inner.elements(items.iter(), Collection::Set)?).into());
                Some(with(items, Shape::Set).of_kind(&Self::Set(inner.beside(value))))
            }
            (Self::Map(inner), Value::Map(map)) => {
                let items = inner.elements(map.values(), Collection::Map)?;
                let mut converted: Map = map.keys().cloned().zip(items).collect();
                converted.sort_keys();
                let map = with(Value::Map(Arc::new(converted)), Shape::Typed);
                Some(map.of_kind(&Self::Map(inner.beside(value))))
            }
            (Self::Tuple(kinds), Value::List(items)) if kinds.len() == items.len() => {
                let items: Option<Vec<Tracked>> =
                    kinds.iter().zip(items.iter()).map(|(kind, item)| kind.converted(item)).collect();
                Some(with(Value::List(items?.into()), Shape::Loose))
            }
            (Self::Object(attributes), Value::Map(map)) => {
                let mut out = Map::default();
                for (name, kind, optional) in attributes {
                    let given = map.get(name);
                    let item = match (given, optional) {
                        (Some(item), Optional::Default(Some(default))) if item.is_null() => {
                            kind.converted(default)?
                        }
                        (Some(item), _) => kind.converted(item)?,
                        (None, Optional::Default(Some(default))) => kind.converted(default)?,
                        (None, Optional::Default(None)) => {
                            Tracked { origin: value.origin.clone(), ..Tracked::default() }.of_kind(kind)
                        }
                        (None, Optional::Required) => return None,
                    };
                    out.insert(name.clone(), item);
                }
                Some(with(Value::Map(Arc::new(out)), Shape::Loose))
            }
            _ => None,
        }
    }

    /// All of `values` as ones of this type; none where terraform refuses one.
    pub(super) fn all_converted(&self, values: &[Tracked]) -> Option<Vec<Tracked>> {
        values.iter().map(|value| self.converted(value)).collect()
    }

    /// The elements of a collection as ones of this type, and all of one type.
    fn elements<'v>(
        &self,
        items: impl Iterator<Item = &'v Tracked> + Clone,
        into: Collection,
    ) -> Option<Vec<Tracked>> {
        if !self.is_open() {
            return items.map(|item| self.converted(item)).collect();
        }
        let types = |items: &[Tracked]| items.iter().map(Self::of).collect::<Vec<_>>();
        let mut items: Vec<Tracked> = items.cloned().collect();
        let wanted = if *self == Self::Any { Self::unified(&types(&items))? } else { self.clone() };
        // A null may have no type, and in a list only a primitive type is found beside it.
        let is_bare = |item: &Tracked| item.is_null() && item.kind.is_none();
        if wanted == Self::Any
            && into != Collection::Map
            && items.iter().any(is_bare)
            && !items.iter().all(is_bare)
        {
            return None;
        }
        items = wanted.all_converted(&items)?;
        if into != Collection::Set {
            items = Self::unified(&types(&items))?.all_converted(&items)?;
        }
        // What is not known yet has a type, which is not known here.
        if items.iter().all(|item| first_cause(item).is_none()) {
            let known: Vec<Self> = types(&items).into_iter().filter(|kind| *kind != Self::Any).collect();
            if known.iter().any(|kind| Some(kind) != known.first()) {
                return None;
            }
        }
        Some(items)
    }

    /// The type of the elements of a collection without any, which was `value`: where this type says nothing, they
    /// stay what they were.
    fn beside(&self, value: &Tracked) -> Box<Self> {
        Box::new(if *self == Self::Any { Self::of(value).inner() } else { self.clone() })
    }

    /// `value` as one of this type; what does not convert stays as it is (terraform refuses it, and it is judged as
    /// written).
    pub(super) fn convert(&self, value: Tracked) -> Tracked {
        self.converted(&value).unwrap_or(value)
    }
}
