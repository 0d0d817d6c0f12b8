//! Terraform's conversions between types, and type constraints of variables.

use std::sync::Arc;

use auditlint_syntax::Name;
use auditlint_syntax::hcl::{Expr, ExprKind, ObjectKey};

use crate::{Map, Number, Tracked, Value};

/// A value as text: numbers and truth values convert.
pub(crate) fn text(value: &Value) -> Option<Name> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(Name::new(number.to_string())),
        Value::Bool(value) => Some(Name::new(if *value { "true" } else { "false" })),
        _ => None,
    }
}

/// A value as number: texts that are numbers convert.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(number.0),
        Value::String(text) => text.parse().ok().filter(|n: &f64| n.is_finite()),
        _ => None,
    }
}

/// A value as truth value: the texts `true` and `false` convert.
pub(crate) fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) if text == "true" => Some(true),
        Value::String(text) if text == "false" => Some(false),
        _ => None,
    }
}

/// The order and distinctness of a set.
pub(super) fn set(items: Vec<Tracked>) -> Vec<Tracked> {
    let mut items = items;
    items.sort_by_key(|item| text(item.value()));
    items.dedup_by(|a, b| super::operators::equal(a, b) == Some(true));
    items
}

/// A type constraint.
pub(super) enum Type {
    Any,
    String,
    Number,
    Bool,
    List(Box<Self>),
    Set(Box<Self>),
    Map(Box<Self>),
    Object(Vec<(Name, Self, Optional)>),
}

/// Whether an attribute of an object type may be left out, and what it is then.
pub(super) enum Optional {
    Required,
    Default(Option<Tracked>),
}

impl Type {
    /// Reads a type constraint; what is none is `any`.
    pub(super) fn read(expr: &Expr, default: &dyn Fn(&Expr) -> Tracked) -> Self {
        match &expr.kind {
            ExprKind::Variable(name) => match name.as_str() {
                "string" => Self::String,
                "number" => Self::Number,
                "bool" => Self::Bool,
                _ => Self::Any,
            },
            ExprKind::Paren(inner) => Self::read(inner, default),
            ExprKind::Call(name, arguments, _) => {
                let inner =
                    || Box::new(arguments.first().map_or(Self::Any, |first| Self::read(first, default)));
                match (name.as_str(), arguments.first().map(|first| &first.kind)) {
                    ("list", _) => Self::List(inner()),
                    ("set", _) => Self::Set(inner()),
                    ("map", _) => Self::Map(inner()),
                    ("object", Some(ExprKind::Object(items))) => Self::Object(
                        items
                            .iter()
                            .filter_map(|item| {
                                let name = match &item.key {
                                    ObjectKey::Name(name) => name.clone(),
                                    ObjectKey::Expr(Expr { kind: ExprKind::String(name), .. }) => {
                                        name.clone()
                                    }
                                    ObjectKey::Expr(_) => return None,
                                };
                                Some(match &item.value.kind {
                                    ExprKind::Call(call, parts, _) if call == "optional" => {
                                        let kind =
                                            parts.first().map_or(Self::Any, |part| Self::read(part, default));
                                        (name, kind, Optional::Default(parts.get(1).map(default)))
                                    }
                                    _ => (name, Self::read(&item.value, default), Optional::Required),
                                })
                            })
                            .collect(),
                    ),
                    _ => Self::Any,
                }
            }
            _ => Self::Any,
        }
    }

    /// Converts `value`; what does not convert stays as it is (terraform refuses it, and it is judged as written).
    pub(super) fn convert(&self, value: Tracked) -> Tracked {
        if matches!(value.value(), Value::Unknown(_) | Value::Null) {
            return value;
        }
        let shell = Tracked {
            origin: value.origin.clone(),
            sensitive: value.sensitive,
            references: value.references.clone(),
            ..Tracked::default()
        };
        let with =
            |new: Option<Value>| new.map_or_else(|| value.clone(), |new| shell.clone().with_value(new));
        match (self, value.value()) {
            (Self::String, other) => with(text(other).map(Value::String)),
            (Self::Number, other) => with(number(other).map(|n| Value::Number(Number(n)))),
            (Self::Bool, other) => with(boolean(other).map(Value::Bool)),
            (Self::List(inner), Value::List(items)) => {
                with(Some(Value::List(items.iter().map(|item| inner.convert(item.clone())).collect())))
            }
            (Self::Set(inner), Value::List(items)) => with(Some(Value::List(
                set(items.iter().map(|item| inner.convert(item.clone())).collect()).into(),
            ))),
            (Self::Map(inner), Value::Map(map)) => {
                let converted: Map =
                    map.iter().map(|(key, item)| (key.clone(), inner.convert(item.clone()))).collect();
                with(Some(Value::Map(Arc::new(converted))))
            }
            (Self::Object(attributes), Value::Map(map)) => {
                let mut out = Map::default();
                for (name, kind, optional) in attributes {
                    let given = map.get(name).filter(|item| !item.is_null());
                    let item = match (given, optional) {
                        (Some(item), _) => kind.convert(item.clone()),
                        (None, Optional::Default(Some(default))) => kind.convert(default.clone()),
                        (None, _) => Tracked { origin: value.origin.clone(), ..Tracked::default() },
                    };
                    out.insert(name.clone(), item);
                }
                with(Some(Value::Map(Arc::new(out))))
            }
            _ => value,
        }
    }
}
