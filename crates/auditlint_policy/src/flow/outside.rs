//! Logs that leave the run for a store of which a policy says what it keeps.

use std::collections::BTreeMap;

use auditlint_graph::{CauseKind, Slot, Tracked, Value};
use auditlint_syntax::Name;

use super::part::{Stations, each_written};
use super::{Flow, LONGEST};
use crate::Category;
use crate::condition::AttributePath;
use crate::evaluate::{Context, Read};

/// A place where logs leave the run.
pub(crate) struct Exit {
    /// The resource that sends them out: the source itself, or the last forwarder.
    pub(crate) station: Slot,
    /// The attribute that says where to, of the source or forwarder itself; none where a companion says it.
    pub(crate) path: Option<AttributePath>,
    /// What it says.
    pub(crate) value: Tracked,
    /// The station to which the source sends them first; none where it sends them out itself.
    pub(crate) first: Option<Slot>,
    /// Whether everything that reaches that station leaves here, for certain.
    pub(crate) is_whole: bool,
}

/// Where the logs of some categories leave that the resource of `context` emits.
pub(crate) fn exits(context: &Context<'_>, flow: &Flow, categories: &[Category]) -> Vec<Exit> {
    let mut out = Vec::new();
    let Some(facts) = context.catalogue.facts(context.resource.kind()) else { return out };
    let asked = |own: &[Category]| own.iter().any(|category| categories.contains(category));
    for emission in facts.emits.iter().filter(|emission| asked(&emission.categories)) {
        for sink in &emission.to {
            written(context, flow, sink.companion.as_ref(), &sink.path, &sink.types, &mut out);
        }
    }
    context.note(|| Read::Flow(context.slot));
    for first in flow.behind(context.slot, true) {
        behind(context, flow, *first, &mut out);
    }
    out
}

/// Where what reaches `first` leaves. A station that gets all of it on one way and a part on another gets all of it.
fn behind(context: &Context<'_>, flow: &Flow, first: Slot, out: &mut Vec<Exit>) {
    let mut seen: BTreeMap<Slot, bool> = BTreeMap::from([(context.slot, true), (first, true)]);
    let mut open: Vec<(Slot, usize)> = vec![(first, 1)];
    while let Some((slot, depth)) = open.pop() {
        context.note(|| Read::Flow(slot));
        let is_whole = seen.get(&slot) == Some(&true);
        let whole = flow.whole.get(&slot).map_or(&[][..], Vec::as_slice);
        for next in flow.behind(slot, false).iter().filter(|_| depth < LONGEST) {
            let gets_all = is_whole && whole.contains(next);
            if seen.get(next).is_none_or(|known| gets_all && !known) {
                seen.insert(*next, gets_all);
                open.push((*next, depth + 1));
            }
        }
    }
    for (slot, is_whole) in seen.into_iter().filter(|(slot, _)| *slot != context.slot) {
        let Some(forwarder) = context.get(slot) else { continue };
        let is_whole = is_whole && !flow.keeps_a_part_back(slot);
        let exits = written_forwards(&context.at(slot, forwarder), flow).into_iter();
        out.extend(exits.map(|exit| Exit { first: Some(first), is_whole, ..exit }));
    }
}

/// Where what comes in at the resource of `context` leaves.
pub(super) fn written_forwards(context: &Context<'_>, flow: &Flow) -> Vec<Exit> {
    let mut out = Vec::new();
    let facts = context.catalogue.facts(context.resource.kind());
    for forward in facts.map(|facts| facts.forwards.as_slice()).unwrap_or_default() {
        written(context, flow, None, &forward.path, &forward.types, &mut out);
    }
    out
}

fn written(
    context: &Context<'_>,
    flow: &Flow,
    companion: Option<&(Name, AttributePath)>,
    path: &AttributePath,
    types: &[Name],
    out: &mut Vec<Exit>,
) {
    let crosses = flow.destinations.contains_key(&context.slot);
    each_written(context, companion, path, &mut |context, value, by| {
        let mut stations = Stations::default();
        stations.add(context, value, types, by);
        let is_here = !stations.here.is_empty() || !stations.beyond.is_empty() && crosses;
        if !is_here && leaves(value) {
            let path = companion.is_none().then(|| path.clone());
            out.push(Exit {
                station: context.slot,
                path,
                value: value.clone(),
                first: None,
                is_whole: false,
            });
        }
    });
}

/// Whether a value that names nothing here names something elsewhere. What is made in the same apply lies here.
fn leaves(value: &Tracked) -> bool {
    match value.value() {
        // A document of settings that names its stores somewhere inside is no name.
        Value::String(text) => !text.is_empty() && !text.trim_start().starts_with(['{', '[']),
        Value::Unknown(unknown) => unknown.cause.kind != CauseKind::Computed,
        _ => false,
    }
}
