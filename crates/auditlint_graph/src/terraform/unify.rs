//! What types have in common, and which convert to which.
//!
//! Source: cty's `convert` package, whose steps are followed one by one: which of several types wins is seen in
//! what Terraform prints.

use std::cmp::Ordering;

use auditlint_syntax::Name;

use super::types::{Optional, Type};

/// Most different types among which one is looked for that the others convert to.
const MOST: usize = 64;

impl Type {
    /// The type that all of `types` convert to; none where there is none.
    pub(super) fn unified(types: &[Self]) -> Option<Self> {
        let known: Vec<&Self> = types.iter().filter(|kind| **kind != Self::Any).collect();
        let Some(first) = known.first() else { return Some(Self::Any) };
        let are_same = known.iter().all(|kind| kind == first);
        let common = if are_same { Some((*first).clone()) } else { Self::common(&known) };
        // Beside what has any type, a type is found for primitive values alone; others stay as they are.
        if known.len() < types.len() && !common.as_ref().is_some_and(Self::is_primitive) {
            return Some(Self::Any);
        }
        common
    }

    /// The same of types that are all decided, and not all the same.
    fn common(types: &[&Self]) -> Option<Self> {
        let all = |is: fn(&Self) -> bool| types.iter().all(|kind| is(kind));
        let any = |is: fn(&Self) -> bool| types.iter().any(|kind| is(kind));
        let inner = || Self::unified(&types.iter().map(|kind| (*kind).clone().inner()).collect::<Vec<_>>());
        if all(Self::is_primitive) {
            return any(|kind| *kind == Self::String).then_some(Self::String);
        }
        if all(Self::is_map) {
            return Some(Self::Map(Box::new(inner()?)));
        }
        if all(Self::is_list) {
            return Some(Self::List(Box::new(inner()?)));
        }
        if all(Self::is_set) {
            return Some(Self::Set(Box::new(inner()?)));
        }
        if all(Self::is_object) {
            return Self::common_object(types);
        }
        if all(Self::is_tuple) {
            return Self::common_tuple(types);
        }
        if any(Self::is_object) && any(Self::is_tuple) {
            return None;
        }
        // Objects are often maps in disguise, and tuples lists.
        let disguised = if all(|kind| kind.is_map() || kind.is_object()) {
            Self::as_collections(types, Self::is_object)
        } else if any(Self::is_list) && all(|kind| kind.is_list() || kind.is_tuple()) {
            Self::as_collections(types, Self::is_tuple)
        } else {
            None
        };
        disguised.or_else(|| Self::preferred(types))
    }

    /// What all have in common when those that are `loose`, objects or tuples, are maps or lists.
    fn as_collections(types: &[&Self], loose: fn(&Self) -> bool) -> Option<Self> {
        let (loose, typed): (Vec<&Self>, Vec<&Self>) = types.iter().copied().partition(|kind| loose(kind));
        Self::unified(&[vec![Self::collection(&loose)?], typed.into_iter().cloned().collect()].concat())
    }

    /// The map or list that all of these objects or tuples convert to.
    fn collection(types: &[&Self]) -> Option<Self> {
        let parts: Vec<Self> = types.iter().flat_map(|kind| kind.parts().into_iter().cloned()).collect();
        if parts.is_empty() {
            return None;
        }
        let inner = Box::new(Self::unified(&parts)?);
        let all =
            if types.iter().all(|kind| kind.is_object()) { Self::Map(inner) } else { Self::List(inner) };
        types.iter().all(|kind| kind.converts_to(&all)).then_some(all)
    }

    fn common_object(types: &[&Self]) -> Option<Self> {
        let names = |kind: &Self| match kind {
            Self::Object(attributes) => attributes.iter().map(|(name, ..)| name.clone()).collect(),
            _ => Vec::<Name>::new(),
        };
        let wanted = names(types.first()?);
        if !types.iter().all(|kind| names(kind) == wanted) {
            return Self::collection(types);
        }
        let columns = Self::columns(types, wanted.len())?;
        let attributes = wanted.into_iter().zip(columns).map(|(name, kind)| (name, kind, Optional::Required));
        Some(Self::Object(attributes.collect()))
    }

    fn common_tuple(types: &[&Self]) -> Option<Self> {
        let length = types.first()?.parts().len();
        if !types.iter().all(|kind| kind.parts().len() == length) {
            return Self::collection(types);
        }
        Self::columns(types, length).map(Self::Tuple)
    }

    /// What the parts of objects or tuples have in common, place by place.
    fn columns(types: &[&Self], length: usize) -> Option<Vec<Self>> {
        let rows: Vec<Vec<&Self>> = types.iter().map(|kind| kind.parts()).collect();
        let column =
            |at: usize| rows.iter().filter_map(|row| row.get(at).copied().cloned()).collect::<Vec<_>>();
        (0..length).map(|at| Self::unified(&column(at))).collect()
    }

    /// The first of `types`, the most general ones first, that all others convert to.
    fn preferred(types: &[&Self]) -> Option<Self> {
        let mut different: Vec<&Self> = Vec::new();
        for kind in types {
            if different.len() <= MOST && !different.contains(kind) {
                different.push(kind);
            }
        }
        if different.len() > MOST {
            return None;
        }
        let fits = |wanted: &&Self| different.iter().all(|kind| kind.converts_to(wanted));
        in_order(&different).into_iter().find(fits).cloned()
    }

    /// Whether a value of this type may convert to `wanted`. That its text is no number is seen in the value.
    pub(super) fn converts_to(&self, wanted: &Self) -> bool {
        let all_to = |inner: &Self| match inner {
            Self::Any => {
                let parts: Vec<Self> = self.parts().into_iter().cloned().collect();
                Self::unified(&parts)
                    .is_some_and(|common| common != Self::Any || parts.iter().all(|kind| *kind == common))
            }
            _ => self.parts().into_iter().all(|kind| kind.converts_to(inner)),
        };
        match (self, wanted) {
            (_, Self::Any) | (Self::Any, _) => true,
            (a, b) if a.is_primitive() && b.is_primitive() => {
                a == b || *a == Self::String || *b == Self::String
            }
            (Self::Object(_), Self::Object(wanted)) => {
                wanted.iter().all(|(name, kind, optional)| match self.attribute(name) {
                    Some(found) => found.converts_to(kind),
                    None => matches!(optional, Optional::Default(_)),
                })
            }
            (Self::Tuple(items), Self::Tuple(wanted)) => {
                items.len() == wanted.len()
                    && items.iter().zip(wanted).all(|(item, wanted)| item.converts_to(wanted))
            }
            (Self::List(a) | Self::Set(a), Self::List(b) | Self::Set(b)) | (Self::Map(a), Self::Map(b)) => {
                a.converts_to(b)
            }
            (Self::Tuple(_), Self::List(inner) | Self::Set(inner)) | (Self::Object(_), Self::Map(inner)) => {
                all_to(inner)
            }
            (Self::Map(inner), Self::Object(wanted)) => wanted.iter().all(|(_, kind, optional)| {
                inner.converts_to(kind) || matches!(optional, Optional::Default(_))
            }),
            _ => false,
        }
    }

    /// Which of two types is the more general one; that is the less.
    fn generality(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Any, Self::Any) => Ordering::Equal,
            (Self::Any, _) => Ordering::Greater,
            (_, Self::Any) => Ordering::Less,
            (a, b) if a.is_primitive() && b.is_primitive() => (*a != Self::String).cmp(&(*b != Self::String)),
            (Self::List(a), Self::List(b)) | (Self::Set(a), Self::Set(b)) | (Self::Map(a), Self::Map(b)) => {
                a.generality(b)
            }
            (Self::List(_), Self::Tuple(_) | Self::Set(_))
            | (Self::Tuple(_), Self::Set(_))
            | (Self::Map(_), Self::Object(_)) => Ordering::Less,
            (Self::Tuple(_) | Self::Set(_), Self::List(_))
            | (Self::Set(_), Self::Tuple(_))
            | (Self::Object(_), Self::Map(_)) => Ordering::Greater,
            (Self::Object(a), Self::Object(b))
                if !a.iter().map(|(name, ..)| name).eq(b.iter().map(|(name, ..)| name)) =>
            {
                Ordering::Equal
            }
            (Self::Object(_), Self::Object(_)) | (Self::Tuple(_), Self::Tuple(_)) => {
                let (a, b) = (self.parts(), other.parts());
                let mut orders = a.iter().zip(&b).map(|(a, b)| a.generality(b)).filter(|order| order.is_ne());
                match orders.next() {
                    Some(first) if a.len() == b.len() && orders.all(|order| order == first) => first,
                    _ => Ordering::Equal,
                }
            }
            _ => Ordering::Equal,
        }
    }

    /// The types of the attributes of an object, or of the elements of a tuple.
    fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Tuple(items) => items.iter().collect(),
            Self::Object(attributes) => attributes.iter().map(|(_, kind, _)| kind).collect(),
            _ => Vec::new(),
        }
    }

    const fn is_primitive(&self) -> bool {
        matches!(self, Self::String | Self::Number | Self::Bool)
    }

    const fn is_list(&self) -> bool {
        matches!(self, Self::List(_))
    }

    const fn is_set(&self) -> bool {
        matches!(self, Self::Set(_))
    }

    const fn is_map(&self) -> bool {
        matches!(self, Self::Map(_))
    }

    const fn is_tuple(&self) -> bool {
        matches!(self, Self::Tuple(_))
    }

    const fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }
}

/// The types with the more general ones before those that they are more general than, else in their order.
fn in_order<'t>(types: &[&'t Type]) -> Vec<&'t Type> {
    let mut left: Vec<&Type> = types.to_vec();
    let mut out = Vec::with_capacity(left.len());
    while !left.is_empty() {
        // Those that nothing left is more general than come next, all of them.
        let is_first = |kind: &&Type| left.iter().all(|other| kind.generality(other).is_le());
        let (first, rest): (Vec<&Type>, Vec<&Type>) = left.iter().copied().partition(is_first);
        if first.is_empty() {
            break;
        }
        out.extend(first);
        left = rest;
    }
    out
}
