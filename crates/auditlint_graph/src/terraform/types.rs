//! Terraform's types: of values, and of constraints.

use auditlint_syntax::Name;
use auditlint_syntax::hcl::{Expr, ExprKind};

use crate::{Shape, Tracked, Value};

/// A type, or a type constraint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
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
pub(crate) enum Optional {
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
                                let name = item.key.literal()?.clone();
                                Some(Self::read_attribute(name, &item.value, default))
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

    fn read_attribute(name: Name, expr: &Expr, default: &dyn Fn(&Expr) -> Tracked) -> (Name, Self, Optional) {
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
        if let Some(kind) = &value.kind {
            return Self::clone(kind);
        }
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
    fn element<'v>(items: impl Iterator<Item = &'v Tracked>) -> Self {
        items.map(Self::of).find(|kind| *kind != Self::Any).unwrap_or(Self::Any)
    }

    /// The type of an attribute of an object of this type.
    pub(super) fn attribute(&self, wanted: &str) -> Option<&Self> {
        let Self::Object(attributes) = self else { return None };
        attributes.iter().find(|(name, ..)| name == wanted).map(|(_, kind, _)| kind)
    }

    /// The type of what a splat makes of an element of this type; none where Terraform refuses it.
    pub(super) fn after(self, each: &Expr) -> Option<Self> {
        let part = |base: &Expr, name: Option<&str>| match (self.clone().after(base)?, name) {
            (Self::Any, _) => Some(Self::Any),
            (Self::Map(inner), _) => Some(*inner),
            (Self::List(inner), None) => Some(*inner),
            (Self::Tuple(_) | Self::Object(_), None) => Some(Self::Any),
            (object, Some(name)) => object.attribute(name).cloned(),
            _ => None,
        };
        match &each.kind {
            ExprKind::GetAttr(access) => part(&access.base, Some(&access.name)),
            ExprKind::Index(base, _) => part(base, None),
            ExprKind::SplatItem => Some(self),
            _ => Some(Self::Any),
        }
    }

    /// The type of the elements of a collection of this type; any, where it has none.
    pub(super) fn inner(self) -> Self {
        match self {
            Self::List(inner) | Self::Set(inner) | Self::Map(inner) => *inner,
            _ => Self::Any,
        }
    }

    /// Whether it is not decided, or a part of it.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Any => true,
            Self::String | Self::Number | Self::Bool => false,
            Self::List(inner) | Self::Set(inner) | Self::Map(inner) => inner.is_open(),
            Self::Tuple(items) => items.iter().any(Self::is_open),
            Self::Object(attributes) => attributes.iter().any(|(_, kind, _)| kind.is_open()),
        }
    }
}
