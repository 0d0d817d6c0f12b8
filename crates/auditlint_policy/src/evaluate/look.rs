//! Values at paths: written, by default, absent, or not known.

use std::sync::Arc;

use auditlint_graph::{Cause, Map, Resource, Tracked, Unknown, Value};
use auditlint_syntax::Name;

use super::Context;
use crate::catalogue::literal;
use crate::condition::AttributePath;

/// What a condition speaks of: a resource, or an element of one of its lists.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) resource: &'a Resource,
    /// The element, and the path of the list that holds it.
    element: Option<(&'a Tracked, &'a AttributePath)>,
}

/// What stands at a path.
pub(crate) enum Look {
    /// It is written (it may still be an unknown value).
    Set(Tracked),
    /// It is not written, and the provider's default is known.
    Default(Tracked),
    /// It is not written.
    Absent,
    /// Whether it is written is not known.
    Unknown(Cause),
}

impl<'a> Subject<'a> {
    pub(crate) const fn resource(resource: &'a Resource) -> Self {
        Self { resource, element: None }
    }

    pub(crate) const fn element(self, element: &'a Tracked, list: &'a AttributePath) -> Self {
        Self { element: Some((element, list)), ..self }
    }

    /// The path as seen from the resource.
    pub(crate) fn full(&self, path: &AttributePath) -> String {
        match self.element {
            Some((_, list)) => format!("{list}.{path}"),
            None => path.to_string(),
        }
    }

    /// The element itself, for an empty path.
    pub(crate) fn own(&self) -> Option<&'a Tracked> {
        self.element.map(|(element, _)| element)
    }
}

impl Context<'_> {
    /// The value at `path` of `subject`.
    pub(crate) fn look(&self, subject: &Subject<'_>, path: &AttributePath) -> Look {
        let root: &Map = match subject.own().map(Tracked::value) {
            None => &subject.resource.attributes,
            Some(Value::Map(map)) => map,
            Some(Value::Unknown(unknown)) => return Look::Unknown(unknown.cause.clone()),
            Some(_) => return Look::Absent,
        };
        match walk(root, &path.0) {
            Walked::Set(value) => Look::Set(self.or_default(subject, path, value)),
            Walked::Unknown(cause) => Look::Unknown(cause),
            Walked::Absent => match (&subject.resource.incomplete, self.default(subject, path)) {
                (Some(cause), _) => Look::Unknown((**cause).clone()),
                (None, Some(value)) => Look::Default(value),
                (None, None) => Look::Absent,
            },
        }
    }

    /// The value; of one that may be null, which Terraform takes for not set, that alternative is the default.
    fn or_default(&self, subject: &Subject<'_>, path: &AttributePath, value: &Tracked) -> Tracked {
        let arms = value.unknown().and_then(|unknown| Some((unknown, unknown.one_of.as_ref()?)));
        let Some((unknown, arms)) = arms.filter(|(_, arms)| arms.iter().any(Tracked::is_null)) else {
            return value.clone();
        };
        let Some(default) = self.default(subject, path) else { return value.clone() };
        let arms = arms.iter().map(|arm| if arm.is_null() { default.clone() } else { arm.clone() });
        let unknown = Unknown { one_of: Some(arms.collect()), ..Unknown::clone(unknown) };
        value.clone().with_value(Value::Unknown(Arc::new(unknown)))
    }

    /// The provider's default at `path`. A default inside of a block is one only where the block is written.
    fn default(&self, subject: &Subject<'_>, path: &AttributePath) -> Option<Tracked> {
        let facts = self.catalogue.facts(subject.resource.kind())?;
        let full: Vec<&Name> =
            subject.element.iter().flat_map(|(_, list)| list.0.iter()).chain(path.0.iter()).collect();
        let (_, value) = facts.defaults.iter().find(|(known, _)| known.0.iter().eq(full.iter().copied()))?;
        let (_, parents) = path.0.split_last()?;
        if subject.own().is_none()
            && !parents.is_empty()
            && !matches!(walk(&subject.resource.attributes, parents), Walked::Set(_))
        {
            return None;
        }
        Some(Tracked::new(literal(value), auditlint_graph::Origin::ProviderDefault))
    }
}

enum Walked<'m> {
    Set(&'m Tracked),
    Absent,
    Unknown(Cause),
}

fn walk<'m>(map: &'m Map, path: &[Name]) -> Walked<'m> {
    let Some((first, rest)) = path.split_first() else { return Walked::Absent };
    let Some(value) = map.get(first).filter(|value| !value.is_null()) else { return Walked::Absent };
    if rest.is_empty() {
        return Walked::Set(value);
    }
    let inner = match value.value() {
        Value::List(items) => match items.first() {
            Some(item) => item,
            None => return Walked::Absent,
        },
        _ => value,
    };
    match inner.value() {
        Value::Map(map) => walk(map, rest),
        Value::Unknown(unknown) => Walked::Unknown(unknown.cause.clone()),
        _ => Walked::Absent,
    }
}
