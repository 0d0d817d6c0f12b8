//! What one resource has to do with logs: what it emits, where that goes, and what it passes on.

use std::collections::BTreeSet;

use auditlint_graph::{Address, Cause, CauseKind, Map, Mode, Reference, Slot, Target, Tracked, Value};
use auditlint_syntax::Name;

use super::map::Certainty;
use super::service_store;
use crate::condition::AttributePath;
use crate::crossing::{Beyond, StationName};
use crate::evaluate::{Context, Link, Subject};
use crate::facts::Sink;
use crate::{Category, Verdict};

/// What one resource has to do with logs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    /// What it emits (unless it is certain that it does not).
    pub(super) emits: BTreeSet<Category>,
    /// Where that goes.
    pub(super) direct: Vec<Direct>,
    /// What it passes on: from whom, to whom.
    pub(super) links: Vec<Hop>,
    /// Where what it emits goes in other roots.
    pub(super) leaves: Vec<(Beyond, Vec<Category>)>,
    /// What it passes on to other roots: from whom, to whom.
    pub(super) passes: Vec<(Slot, Beyond)>,
    /// Whether it may keep a part of what comes in back.
    pub(super) is_partial: bool,
    /// What it emits to where another root decides, and nobody knows how.
    pub(super) lost: Vec<Lost>,
}

/// Where a source sends its logs itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Direct {
    pub(super) to: Slot,
    pub(super) categories: Vec<Category>,
    pub(super) certainty: Certainty,
}

/// From one station to the next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) from: Slot,
    pub(super) to: Slot,
    pub(super) certainty: Certainty,
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
pub(super) struct Stations {
    pub(super) here: Vec<(Slot, Certainty)>,
    pub(super) beyond: Vec<Beyond>,
    lost: Vec<Cause>,
    /// Whether any value is there, wherever it leads.
    is_written: bool,
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
                part.direct.extend(stations.here.into_iter().map(|(to, certainty)| {
                    let certainty = if on == Verdict::Unknown { Certainty::Open } else { certainty };
                    Direct { to, categories: categories(), certainty }
                }));
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
                part.direct.push(Direct { to: store, categories: kept, certainty: Certainty::Matched });
            }
        }
        for forward in &facts.forwards {
            let to = stations(context, None, &forward.path, &forward.types);
            // A store passes on what it is told to; a forwarder is there for nothing else.
            part.is_partial |= to.is_written
                && match &forward.all {
                    Some(all) => context.condition(all, &subject).verdict != Verdict::Pass,
                    None => facts.keeps.is_some(),
                };
            let onward = |(to, certainty)| Hop { from: context.slot, to, certainty };
            part.links.extend(to.here.into_iter().map(onward));
            part.passes.extend(to.beyond.into_iter().map(|station| (context.slot, station)));
            if let Some((from, types)) = &forward.from {
                let from = stations(context, None, from, types);
                let inward = |(from, certainty)| Hop { from, to: context.slot, certainty };
                part.links.extend(from.here.into_iter().map(inward));
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
    each_written(context, companion, path, &mut |context, value, link| {
        out.add(context, value, types, link);
    });
    out
}

/// Hands each value at `path` to `take`, with how sure it is that it speaks of the resource: the values of the
/// resource itself, or of its companions of a type. A list names several stations.
pub(super) fn each_written(
    context: &Context<'_>,
    companion: Option<&(Name, AttributePath)>,
    path: &AttributePath,
    take: &mut dyn FnMut(&Context<'_>, &Tracked, Certainty),
) {
    let mut each = |context: &Context<'_>, link: Certainty| {
        for value in written(&context.resource.attributes, &path.0) {
            match value.value() {
                Value::List(items) => items.iter().for_each(|item| take(context, item, link)),
                _ => take(context, value, link),
            }
        }
    };
    let Some((kind, join)) = companion else { return each(context, Certainty::Proved) };
    let (companions, _) = context.companions(std::slice::from_ref(kind), join, &[]);
    for (slot, link) in companions {
        if let Some(resource) = context.get(slot) {
            let names = written(&resource.attributes, &join.0);
            let by = names.iter().map(|value| certainty(value, &context.resource.address, link));
            each(&context.at(slot, resource), by.min().unwrap_or(Certainty::Matched));
        }
    }
}

/// How sure it is that `value` names the resource at `address`.
fn certainty(value: &Tracked, address: &Address, link: Link) -> Certainty {
    let own = Target::at(address);
    let refers = || value.references().iter().any(|reference| Target::of(reference) == own);
    match link {
        Link::Possible => Certainty::Open,
        Link::Proved if refers() => Certainty::Proved,
        Link::Proved => Certainty::Matched,
    }
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
    pub(super) fn add(&mut self, context: &Context<'_>, value: &Tracked, types: &[Name], by: Certainty) {
        self.is_written = true;
        let named = context.named(value, types);
        let here = named.iter().filter(|(slot, _)| *slot != context.slot).filter_map(|(slot, link)| {
            let address = &context.graph.get(*slot)?.address;
            Some((*slot, certainty(value, address, *link).max(by)))
        });
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
