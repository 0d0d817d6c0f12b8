//! Stores that a service makes by itself under a documented name: a managed store of that name takes their place.
//!
//! This is the one link by name that is not an attribute of the source.

use auditlint_graph::{Cause, Slot, Tracked, Value};
use auditlint_syntax::Name;

use crate::Category;
use crate::condition::AttributePath;
use crate::evaluate::{Context, Look, Subject, computed, instance_link};
use crate::facts::ServiceStore;

/// The managed stores that have the documented name of a store of this source, with what they keep. A log goes where
/// the source itself says its name: what a plan does not show either is left out there.
pub(super) fn written<'c>(context: &Context<'c>) -> Vec<(Slot, &'c [Category])> {
    found(context, Proof::Written)
}

/// The same, and those whose name is made from what the provider computes: an id of the source, or of what it
/// belongs to.
pub(crate) fn managed<'c>(context: &Context<'c>) -> Vec<(Slot, &'c [Category])> {
    found(context, Proof::Computed)
}

/// What may prove that a store has the documented name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    Written,
    Computed,
}

fn found<'c>(context: &Context<'c>, proof: Proof) -> Vec<(Slot, &'c [Category])> {
    let facts = context.catalogue.facts(context.resource.kind());
    let stores = facts.map(|facts| facts.service_stores.as_slice()).unwrap_or_default();
    let mut out: Vec<(Slot, &[Category])> = Vec::new();
    for store in stores {
        for slot in named(context, store, proof) {
            if !out.iter().any(|(known, _)| *known == slot) {
                out.push((slot, store.categories.as_slice()));
            }
        }
    }
    out
}

/// The resources whose name is that of the store, where that is certain.
fn named(context: &Context<'_>, store: &ServiceStore, proof: Proof) -> Vec<Slot> {
    let name = Name::new_static("name");
    let documented = Documented::of(context, &store.name);
    if let Documented::Known(text) = &documented {
        // Two of one name are a mistake, and nobody knows which of them is meant.
        let found = context.by_literal(&store.kind, &name, &Name::new(text));
        if let [one] = found {
            return vec![*one];
        }
    }
    let is_it = |slot: &Slot| {
        let value = context.get(*slot).and_then(|resource| resource.attribute(&name));
        value.is_some_and(|value| documented.is(context, value, proof))
    };
    let kinds = std::slice::from_ref(&store.kind);
    let (found, _) = context.companions(kinds, &AttributePath::parse("name"), std::slice::from_ref(&name));
    let slots: Vec<Slot> = found.into_iter().map(|(slot, _)| slot).filter(is_it).collect();
    // Whatever names what the source belongs to names the source by no reference: all are looked at.
    if slots.is_empty() && proof == Proof::Computed && matches!(documented, Documented::Made { .. }) {
        return context.each_of(&store.kind).map(|(slot, _)| slot).filter(is_it).collect();
    }
    slots
}

/// The documented name of a store of one source.
enum Documented {
    /// Every part of it is known.
    Known(String),
    /// It begins with `head`, and parts of it are made from attributes that are not known yet;
    /// `is_computed` when one of them is not written.
    Made { head: String, parts: Vec<Tracked>, is_computed: bool },
}

impl Documented {
    fn of(context: &Context<'_>, template: &str) -> Self {
        let (mut text, mut parts, mut rest) = (String::new(), Vec::new(), template);
        let mut is_computed = false;
        while let Some((before, (attribute, after))) =
            rest.split_once('{').and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
        {
            if parts.is_empty() {
                text.push_str(before);
            }
            let path = AttributePath::parse(attribute);
            match context.look(&Subject::resource(context.resource), &path) {
                Look::Set(value) if parts.is_empty() && value.value().as_str().is_some() => {
                    text.push_str(value.value().as_str().unwrap_or_default());
                }
                Look::Set(value) if value.value().as_str().is_some() => {}
                Look::Set(value) => parts.push(value),
                Look::Default(_) | Look::Absent | Look::Unknown(_) => {
                    is_computed = true;
                    parts.push(Tracked::default());
                }
            }
            rest = after;
        }
        if parts.is_empty() {
            text.push_str(rest);
            return Self::Known(text);
        }
        Self::Made { head: text, parts, is_computed }
    }

    /// Whether `name` is it: the same text, or one with the same beginning that is made from the source itself or
    /// from the same attributes.
    fn is(&self, context: &Context<'_>, name: &Tracked, proof: Proof) -> bool {
        let own = &context.resource.address;
        let made = name.references();
        let from_source = || {
            made.iter().any(|reference| {
                reference.kind == own.kind
                    && reference.name == own.name
                    && reference.module == own.module
                    && instance_link(reference, own.key.as_ref()).is_some()
            })
        };
        match (self, name.value()) {
            (Self::Known(text), Value::String(name)) => text == name,
            (Self::Known(text), Value::Unknown(unknown)) => {
                from_source()
                    && unknown
                        .prefix
                        .as_ref()
                        .is_some_and(|prefix| !prefix.is_empty() && text.starts_with(prefix.as_str()))
            }
            (Self::Made { head, parts, is_computed }, Value::Unknown(unknown)) => {
                let same = |part: &Tracked| {
                    let from = part.references();
                    !from.is_empty()
                        && from.iter().all(|one| {
                            made.iter().any(|other| {
                                (&other.module, &other.kind, &other.name, &other.key)
                                    == (&one.module, &one.kind, &one.name, &one.key)
                            })
                        })
                };
                unknown.prefix.as_ref().is_some_and(|prefix| prefix.starts_with(head.as_str()))
                    && match proof {
                        Proof::Written => !is_computed && from_source(),
                        Proof::Computed => from_source() || parts.iter().all(same),
                    }
            }
            _ => false,
        }
    }

    /// Whether it may begin with `prefix`.
    fn may_begin(&self, prefix: &str) -> bool {
        match self {
            Self::Known(text) => text.starts_with(prefix),
            Self::Made { head, .. } => prefix.starts_with(head.as_str()) || head.starts_with(prefix),
        }
    }
}

/// Why one of the stores that are managed here may have the documented name of a store of this source; none where it
/// is certain that none has.
pub(crate) fn undecided(context: &Context<'_>) -> Option<Cause> {
    let facts = context.catalogue.facts(context.resource.kind())?;
    facts.service_stores.iter().find_map(|store| {
        let documented = Documented::of(context, &store.name);
        context.each_of(&store.kind).find_map(|(_, resource)| {
            let name = resource.attribute("name")?;
            match (&documented, name.value()) {
                (_, Value::Unknown(unknown)) => {
                    let prefix = unknown.prefix.as_deref().unwrap_or_default();
                    documented.may_begin(prefix).then(|| unknown.cause.clone())
                }
                (Documented::Made { head, parts, .. }, Value::String(text))
                    if text.starts_with(head.as_str()) =>
                {
                    let unknown = parts.iter().find_map(|part| part.unknown());
                    let own = || computed(&context.resource.address.to_string());
                    Some(unknown.map_or_else(own, |unknown| unknown.cause.clone()))
                }
                _ => None,
            }
        })
    })
}

/// The documented name of a store of one source; what is not known of it stays in braces.
pub(super) fn documented_name(context: &Context<'_>, template: &str) -> String {
    let (mut text, mut rest) = (String::new(), template);
    while let Some((before, (attribute, after))) =
        rest.split_once('{').and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
    {
        text.push_str(before);
        match context.look(&Subject::resource(context.resource), &AttributePath::parse(attribute)) {
            Look::Set(value) if !value.sensitive && value.value().as_str().is_some() => {
                text.push_str(value.value().as_str().unwrap_or_default());
            }
            _ => text.push_str(&format!("{{{attribute}}}")),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}
