//! Terraform's types: of values, of constraints, what several have in common, and conversions between them.
//!
//! Source: cty's `convert` package, which Terraform converts with.

use std::sync::Arc;

use auditlint_syntax::Name;
use auditlint_syntax::hcl::{Expr, ExprKind, ObjectKey};

use super::convert::{boolean, number, set, text};
use crate::{Map, Shape, Tracked, Value};

/// A type, or a type constraint.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    /// Not decided: of `any`, of `null`, and of what is not known.
    Any,
    String,
    Number,
    Bool,
    List(Box<Self>),
    Set(Box<Self>),
    Map(Box<Self>),
    Tuple(Vec<Self>),
    /// The attributes, sorted by name.
    Object(Vec<(Name, Self, Optional)>),
}

/// Whether an attribute of an object type may be left out, and what it is then.
#[derive(Clone, Debug)]
pub(super) enum Optional {
    Required,
    Default(Option<Tracked>),
}

/// A default is no part of the type of a value.
impl PartialEq for Optional {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Type {
    /// Reads a type constraint; what is none is `any`.
    pub(super) fn read(expr: &Expr, default: &dyn Fn(&Expr) -> Tracked) -> Self {
        match &expr.kind {
            ExprKind::Variable(name) => match name.as_str() {
                "string" => Self::String,
                "number" => Self::Number,
                "bool" => Self::Bool,
                // The short forms of old configurations.
                "list" => Self::List(Box::new(Self::Any)),
                "map" => Self::Map(Box::new(Self::Any)),
                _ => Self::Any,
            },
            // A type in quotes is one of old configurations as well.
            ExprKind::String(name) => match name.as_str() {
                "string" => Self::String,
                "list" => Self::List(Box::new(Self::Any)),
                "map" => Self::Map(Box::new(Self::Any)),
                _ => Self::Any,
            },
            ExprKind::Paren(inner) => Self::read(inner, default),
            ExprKind::Call(call) => {
                let arguments = &call.arguments;
                let inner =
                    || Box::new(arguments.first().map_or(Self::Any, |first| Self::read(first, default)));
                match (call.name.as_str(), arguments.first().map(|first| &first.kind)) {
                    ("list", _) => Self::List(inner()),
                    ("set", _) => Self::Set(inner()),
                    ("map", _) => Self::Map(inner()),
                    ("tuple", Some(ExprKind::Tuple(items))) => {
                        Self::Tuple(items.iter().map(|item| Self::read(item, default)).collect())
                    }
                    ("object", Some(ExprKind::Object(items))) => {
                        let mut attributes: Vec<(Name, Self, Optional)> = items
                            .iter()
                            .filter_map(|item| {
                                let name = match &item.key {
                                    ObjectKey::Name(name) => name.clone(),
                                    ObjectKey::Expr(Expr { kind: ExprKind::String(name), .. }) => {
                                        name.clone()
                                    }
                                    ObjectKey::Expr(_) => return None,
                                };
                                Some(Self::attribute(name, &item.value, default))
                            })
                            .collect();
                        attributes.sort_by(|(a, ..), (b, ..)| a.cmp(b));
                        Self::Object(attributes)
                    }
                    _ => Self::Any,
                }
            }
            _ => Self::Any,
        }
    }

    fn attribute(name: Name, expr: &Expr, default: &dyn Fn(&Expr) -> Tracked) -> (Name, Self, Optional) {
        match &expr.kind {
            ExprKind::Call(call) if call.name == "optional" => {
                let kind = call.arguments.first().map_or(Self::Any, |part| Self::read(part, default));
                (name, kind, Optional::Default(call.arguments.get(1).map(default)))
            }
            _ => (name, Self::read(expr, default), Optional::Required),
        }
    }

    /// The type of a value.
    pub(super) fn of(value: &Tracked) -> Self {
        match value.value() {
            Value::Null | Value::Unknown(_) => Self::Any,
            Value::Bool(_) => Self::Bool,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::List(items) => match value.shape {
                Shape::Loose => Self::Tuple(items.iter().map(Self::of).collect()),
                Shape::Typed => Self::List(Box::new(Self::element(items.iter()))),
                Shape::Set => Self::Set(Box::new(Self::element(items.iter()))),
            },
            Value::Map(map) => match value.shape {
                Shape::Typed => Self::Map(Box::new(Self::element(map.values()))),
                Shape::Loose | Shape::Set => {
                    let mut attributes: Vec<(Name, Self, Optional)> = map
                        .iter()
                        .map(|(name, item)| (name.clone(), Self::of(item), Optional::Required))
                        .collect();
                    attributes.sort_by(|(a, ..), (b, ..)| a.cmp(b));
                    Self::Object(attributes)
                }
            },
        }
    }

    /// The type that all elements of a typed collection have.
    fn element<'v>(mut items: impl Iterator<Item = &'v Tracked>) -> Self {
        items
            .find(|item| !matches!(item.value(), Value::Null | Value::Unknown(_)))
            .map_or(Self::Any, Self::of)
    }

    /// The type to which all of `types` convert without a chance to fail; none where there is none.
    pub(super) fn unified(types: &[Self]) -> Option<Self> {
        let known: Vec<&Self> = types.iter().filter(|kind| **kind != Self::Any).collect();
        let Some(first) = known.first() else { return Some(Self::Any) };
        if known.iter().all(|kind| kind == first) {
            return Some((*first).clone());
        }
        let common = Self::common(&known);
        // Beside what has any type, values that have no type in common stay as they are.
        if known.len() < types.len() {
            let primitive = matches!(common, Some(Self::String | Self::Number | Self::Bool));
            return if primitive { common } else { Some(Self::Any) };
        }
        common
    }

    fn common(known: &[&Self]) -> Option<Self> {
        let each = |inner: fn(&Self) -> Option<Vec<Self>>| {
            let all: Option<Vec<Vec<Self>>> = known.iter().map(|kind| inner(kind)).collect();
            Self::unified(&all?.concat())
        };
        if known.iter().all(|kind| matches!(kind, Self::String | Self::Number | Self::Bool)) {
            return known.iter().any(|kind| **kind == Self::String).then_some(Self::String);
        }
        if let Some(tuples) = known
            .iter()
            .map(|kind| if let Self::Tuple(items) = kind { Some(items) } else { None })
            .collect::<Option<Vec<_>>>()
            && tuples.iter().all(|items| items.len() == tuples.first().map_or(0, |first| first.len()))
        {
            let columns = (0..tuples.first()?.len())
                .map(|at| tuples.iter().filter_map(|items| items.get(at).cloned()).collect::<Vec<_>>());
            return columns.map(|column| Self::unified(&column)).collect::<Option<_>>().map(Self::Tuple);
        }
        if known.iter().all(|kind| matches!(kind, Self::Tuple(_) | Self::List(_) | Self::Set(_))) {
            let element = each(|kind| match kind {
                Self::Tuple(items) => Some(items.clone()),
                Self::List(inner) | Self::Set(inner) => Some(vec![(**inner).clone()]),
                _ => None,
            })?;
            let no_list = !known.iter().any(|kind| matches!(kind, Self::List(_)));
            let a_set = known.iter().any(|kind| matches!(kind, Self::Set(_)));
            // A set converts to a list, and a list to a set, of the very elements that it has.
            let same = |kind: &&Self| match kind {
                Self::Set(inner) => **inner == element || **inner == Self::Any,
                Self::List(inner) => !a_set || **inner == element || **inner == Self::Any,
                _ => true,
            };
            let is_mixed = a_set && !known.iter().all(|kind| matches!(kind, Self::Set(_)));
            if is_mixed && !known.iter().all(same) {
                // Of what is left the first counts to whose elements a text may convert.
                let elements = |kind: &Self| match kind {
                    Self::Set(inner) | Self::List(inner) => Some((**inner).clone()),
                    _ => None,
                };
                let wanted =
                    known.iter().filter(|kind| elements(kind).is_some_and(|inner| inner != Self::String));
                return wanted.into_iter().next().map(|kind| (*kind).clone());
            }
            return Some(if a_set && no_list {
                Self::Set(Box::new(element))
            } else {
                Self::List(Box::new(element))
            });
        }
        if let Some(objects) = known
            .iter()
            .map(|kind| if let Self::Object(attributes) = kind { Some(attributes) } else { None })
            .collect::<Option<Vec<_>>>()
            && let Some(names) = objects.first().map(|first| first.iter().map(|(name, ..)| name))
            && objects.iter().all(|other| other.iter().map(|(name, ..)| name).eq(names.clone()))
        {
            let attribute = |at: usize, name: &Name| {
                let column: Vec<Self> =
                    objects.iter().filter_map(|all| all.get(at)).map(|(_, kind, _)| kind.clone()).collect();
                Some((name.clone(), Self::unified(&column)?, Optional::Required))
            };
            return names
                .enumerate()
                .map(|(at, name)| attribute(at, name))
                .collect::<Option<_>>()
                .map(Self::Object);
        }
        if known.iter().all(|kind| matches!(kind, Self::Object(_) | Self::Map(_))) {
            let element = each(|kind| match kind {
                Self::Object(all) => Some(all.iter().map(|(_, kind, _)| kind.clone()).collect()),
                Self::Map(inner) => Some(vec![(**inner).clone()]),
                _ => None,
            })?;
            return Some(Self::Map(Box::new(element)));
        }
        None
    }

    /// `value` as one of this type; none where terraform refuses it.
    pub(super) fn converted(&self, value: &Tracked) -> Option<Tracked> {
        if matches!(value.value(), Value::Unknown(_) | Value::Null) {
            return Some(value.clone());
        }
        let with = |new: Value, shape: Shape| Tracked { shape, ..value.clone().with_value(new) };
        match (self, value.value()) {
            (Self::Any, _) => Some(value.clone()),
            (Self::String, other) => text(other).map(|text| with(Value::String(text), Shape::Loose)),
            (Self::Number, other) => number(other).map(|number| with(Value::Number(number), Shape::Loose)),
            (Self::Bool, other) => boolean(other).map(|truth| with(Value::Bool(truth), Shape::Loose)),
            (Self::List(inner), Value::List(items)) => {
                Some(with(Value::List(inner.elements(items.iter(), true)?.into()), Shape::Typed))
            }
            (Self::Set(inner), Value::List(items)) => {
                Some(with(Value::List(set(inner.elements(items.iter(), true)?).into()), Shape::Set))
            }
            (Self::Map(inner), Value::Map(map)) => {
                let items = inner.elements(map.values(), false)?;
                let mut converted: Map = map.keys().cloned().zip(items).collect();
                converted.sort_keys();
                Some(with(Value::Map(Arc::new(converted)), Shape::Typed))
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
                            Tracked { origin: value.origin.clone(), ..Tracked::default() }
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

    /// The elements of a collection, all of one type.
    fn elements<'v>(
        &self,
        items: impl Iterator<Item = &'v Tracked> + Clone,
        in_list: bool,
    ) -> Option<Vec<Tracked>> {
        if *self == Self::Any {
            let types: Vec<Self> = items.clone().map(Self::of).collect();
            let common = Self::unified(&types)?;
            let primitive =
                |kind: &Self| matches!(kind, Self::Any | Self::String | Self::Number | Self::Bool);
            // A null has no type, and only a primitive type is found beside it.
            if in_list && items.clone().any(Tracked::is_null) && !types.iter().all(primitive) {
                return None;
            }
            return items.map(|item| common.converted(item)).collect();
        }
        items.map(|item| self.converted(item)).collect()
    }

    /// `value` as one of this type; what does not convert stays as it is (terraform refuses it, and it is judged as
    /// written).
    pub(super) fn convert(&self, value: Tracked) -> Tracked {
        self.converted(&value).unwrap_or(value)
    }
}

/// All of `values` as one type, where they have one in common; as they are where they have none.
pub(super) fn unify(values: Vec<Tracked>) -> Option<Vec<Tracked>> {
    let common = Type::unified(&values.iter().map(Type::of).collect::<Vec<_>>())?;
    values.iter().map(|value| common.converted(value)).collect()
}
