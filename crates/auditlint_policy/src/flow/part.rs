//! What one resource has to do with logs: what it emits, where that goes, and what it passes on.

use std::collections::BTreeSet;

use auditlint_graph::{Cause, CauseKind, Map, Mode, Reference, Slot, Tracked, Value};
use auditlint_syntax::Name;

use super::service_store;
use crate::condition::AttributePath;
use crate::crossing::{Beyond, StationName};
use crate::evaluate::{Context, Subject};
use crate::facts::Sink;
use crate::{Category, Verdict};

/// What one resource has to do with logs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    /// What it emits (unless it is certain that it does not).
    pub(super) emits: BTreeSet<Category>,
    /// Where that goes.
    pub(super) direct: Vec<(Slot, Vec<Category>)>,
    /// What it passes on: from whom, to whom.
    pub(super) links: Vec<(Slot, Slot)>,
    /// Where what it emits goes in other roots.
    pub(super) leaves: Vec<(Beyond, Vec<Category>)>,
    /// What it passes on to other roots: from whom, to whom.
    pub(super) passes: Vec<(Slot, Beyond)>,
    /// What it emits to where another root decides, and nobody knows how.
    pub(super) lost: Vec<Lost>,
}

/// Logs of which nobody knows where they come to rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Why.
    pub(crate) cause: Cause,
    /// What they are.
    pub(super) categories: Vec<Category>,
    /// The attribute of the source that says where they go, where it says so itself.
    pub(crate) path: Option<AttributePath>,
}

/// The stations that a value names.
#[derive(Default)]
struct Stations {
    here: Vec<Slot>,
    beyond: Vec<Beyond>,
    lost: Vec<Cause>,
}

impl Part {
    /// The part of the resource of `context`, which sees an empty flow.
    pub(crate) fn of(context: &Context<'_>) -> Self {
        let mut part = Self::default();
        let Some(facts) = context.catalogue.facts(context.resource.kind()) else { return part };
        let subject = Subject::resource(context.resource);
        for emission in &facts.emits {
            let on = emission.on.as_ref().map_or(Verdict::Pass, |on| context.condition(on, &subject).verdict);
            if on == Verdict::Fail || on == Verdict::NotApplicable {
                continue;
            }
            part.emits.extend(&emission.categories);
            let to = |sink: &Sink| stations(context, sink.companion.as_ref(), &sink.path, &sink.types);
            for sink in &emission.to {
                let stations = to(sink);
                let categories = || emission.categories.clone();
                part.direct.extend(stations.here.into_iter().map(|store| (store, categories())));
                part.leaves.extend(stations.beyond.into_iter().map(|store| (store, categories())));
                let path = sink.companion.is_none().then(|| sink.path.clone());
                part.lost.extend(stations.lost.into_iter().map(|cause| Lost {
                    cause,
                    categories: categories(),
                    path: path.clone(),
                }));
            }
        }
        for (store, keeps) in service_store::written(context) {
            let kept: Vec<Category> =
                keeps.iter().copied().filter(|category| part.emits.contains(category)).collect();
            if !kept.is_empty() {
                part.direct.push((store, kept));
            }
        }
        for forward in &facts.forwards {
            let to = stations(context, None, &forward.path, &forward.types);
            part.links.extend(to.here.into_iter().map(|station| (context.slot, station)));
            part.passes.extend(to.beyond.into_iter().map(|station| (context.slot, station)));
            if let Some((from, types)) = &forward.from {
                let from = stations(context, None, from, types);
                part.links.extend(from.here.into_iter().map(|station| (station, context.slot)));
            }
        }
        part
    }
}

/// The resources that the values at `path` lead to: of the resource itself, or of its companions of a type.
fn stations(
    context: &Context<'_>,
    companion: Option<&(Name, AttributePath)>,
    path: &AttributePath,
    types: &[Name],
) -> Stations {
    let mut out = Stations::default();
    let mut add = |context: &Context<'_>| {
        for value in written(&context.resource.attributes, &path.0) {
            // A list names several stations.
            match value.value() {
                Value::List(items) => items.iter().for_each(|item| out.add(context, item, types)),
                _ => out.add(context, value, types),
            }
        }
    };
    match companion {
        None => add(context),
        Some((kind, join)) => {
            let (companions, _) = context.companions(std::slice::from_ref(kind), join, &[]);
            for (slot, _) in companions {
                if let Some(resource) = context.get(slot) {
                    add(&context.at(slot, resource));
                }
            }
        }
    }
    out
}

/// What is written at a path, in each of the blocks on the way.
fn written<'m>(map: &'m Map, path: &[Name]) -> Vec<&'m Tracked> {
    let Some((first, rest)) = path.split_first() else { return Vec::new() };
    let Some(value) = map.get(first).filter(|value| !value.is_null()) else { return Vec::new() };
    if rest.is_empty() {
        return vec![value];
    }
    let blocks = if let Value::List(items) = value.value() { &**items } else { std::slice::from_ref(value) };
    let maps = blocks.iter().filter_map(|block| match block.value() {
        Value::Map(map) => Some(map),
        _ => None,
    });
    maps.flat_map(|map| written(map, rest)).collect()
}

impl Stations {
    fn add(&mut self, context: &Context<'_>, value: &Tracked, types: &[Name]) {
        let named = context.named(value, types);
        let here = named.iter().map(|(slot, _)| *slot).filter(|slot| *slot != context.slot);
        self.here.extend(here);
        let known = self.beyond.len();
        self.beyond.extend(beyond(value, types));
        // Another root decides, and what it says leads nowhere.
        if let (true, true, Some(unknown)) = (named.is_empty(), known == self.beyond.len(), value.unknown())
            && unknown.cause.kind == CauseKind::Elsewhere
        {
            self.lost.push(unknown.cause.clone());
        }
    }
}

/// The stations of other roots that a value names.
fn beyond(value: &Tracked, types: &[Name]) -> Vec<Beyond> {
    let name = |reference: &Reference| {
        if types.contains(&reference.kind) && reference.mode == Mode::Managed {
            return Some(StationName::Reference(Reference { root: None, ..reference.clone() }));
        }
        let text = value.value().as_str().filter(|_| reference.kind == Reference::OUTPUT)?;
        Some(StationName::Text(Name::new(text)))
    };
    let references = value.references().iter();
    references
        .filter_map(|reference| {
            Some(Beyond { root: reference.root?, name: name(reference)?, types: types.into() })
        })
        .collect()
}
