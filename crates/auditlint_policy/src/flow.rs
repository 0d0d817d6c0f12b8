//! The log flow: from the resources that emit events, through forwarders, to the stores where they rest.
//!
//! Edges follow what is proved: a reference, a companion, or a literal that exactly one store has.

use std::collections::BTreeSet;

use auditlint_graph::{ResourceGraph, Slot, Value};
use auditlint_syntax::Name;
use rustc_hash::FxHashMap;

use crate::condition::AttributePath;
use crate::evaluate::{Context, Look, Read, Subject};
use crate::facts::Sink;
use crate::{Category, Days, FlowStep, Verdict, probes};

/// Longest path that is followed; a longer one is a loop or a mistake.
const LONGEST: usize = 16;
/// Paths that a finding shows.
const SHOWN: usize = 5;

/// Where logs come from and where they go.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// What each resource has to do with logs.
    parts: FxHashMap<Slot, Part>,
    /// The next stations of a resource.
    next: FxHashMap<Slot, Vec<Slot>>,
    /// The stations before a resource.
    before: FxHashMap<Slot, Vec<Slot>>,
    /// What reaches a station.
    reached: FxHashMap<Slot, BTreeSet<Category>>,
}

/// What one resource has to do with logs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    /// What it emits (unless it is certain that it does not).
    emits: BTreeSet<Category>,
    /// Where that goes.
    direct: Vec<(Slot, Vec<Category>)>,
    /// What it passes on: from whom, to whom.
    links: Vec<(Slot, Slot)>,
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
            for store in emission.to.iter().flat_map(to) {
                part.direct.push((store, emission.categories.clone()));
            }
        }
        for forward in &facts.forwards {
            let to = stations(context, None, &forward.path, &forward.types);
            part.links.extend(to.into_iter().map(|station| (context.slot, station)));
            if let Some((from, types)) = &forward.from {
                let from = stations(context, None, from, types);
                part.links.extend(from.into_iter().map(|station| (station, context.slot)));
            }
        }
        part
    }
}

impl Flow {
    /// Puts a part in the place of the one before. True when it is another one.
    pub(crate) fn set(&mut self, slot: Slot, part: Part) -> bool {
        let old =
            if part == Part::default() { self.parts.remove(&slot) } else { self.parts.insert(slot, part) };
        old.as_ref() != self.parts.get(&slot)
    }

    /// Follows the logs of every source anew. Gives the stations and sources for which that made a difference.
    pub(crate) fn assemble(&mut self, graph: &ResourceGraph) -> Vec<Slot> {
        let mut order: Vec<Slot> = self.parts.keys().copied().collect();
        order.sort_unstable();
        let parts = std::mem::take(&mut self.parts);
        let old = std::mem::take(self);
        self.parts = parts;
        let all = || order.iter().filter_map(|slot| Some((*slot, self.parts.get(slot)?)));
        let (mut next, mut before) = (Stations::default(), Stations::default());
        let mut link = |from: Slot, to: Slot| {
            let stations = next.entry(from).or_default();
            if !stations.contains(&to) {
                stations.push(to);
                before.entry(to).or_default().push(from);
            }
        };
        for (slot, part) in all() {
            part.links.iter().for_each(|(from, to)| link(*from, *to));
            part.direct.iter().for_each(|(store, _)| link(slot, *store));
        }
        let address = |slot: &Slot| graph.get(*slot).map(|resource| &resource.address);
        for stations in next.values_mut().chain(before.values_mut()).filter(|stations| stations.len() > 1) {
            stations.sort_by(|a, b| address(a).cmp(&address(b)));
        }
        let mut reached = FxHashMap::default();
        for (_, part) in all() {
            part.direct
                .iter()
                .for_each(|(store, categories)| spread(&next, &mut reached, *store, categories));
        }
        (self.next, self.before, self.reached) = (next, before, reached);
        self.differences(&old)
    }

    fn differences(&self, old: &Self) -> Vec<Slot> {
        fn differ<T: PartialEq>(new: &FxHashMap<Slot, T>, old: &FxHashMap<Slot, T>, out: &mut Vec<Slot>) {
            out.extend(new.iter().filter(|(slot, one)| old.get(slot) != Some(one)).map(|(slot, _)| *slot));
            out.extend(old.keys().filter(|slot| !new.contains_key(slot)));
        }
        let mut out = Vec::new();
        differ(&self.next, &old.next, &mut out);
        differ(&self.before, &old.before, &mut out);
        differ(&self.reached, &old.reached, &mut out);
        out.sort_unstable();
        out.dedup();
        out
    }

    /// The categories of the flows that reach a store.
    pub(crate) fn categories(&self, slot: Slot) -> Vec<Category> {
        self.reached.get(&slot).map(|categories| categories.iter().copied().collect()).unwrap_or_default()
    }

    /// What a source emits, or may emit.
    pub(crate) fn emitted(&self, slot: Slot) -> impl Iterator<Item = Category> {
        self.parts.get(&slot).into_iter().flat_map(|part| part.emits.iter().copied())
    }

    fn is_source(&self, slot: Slot) -> bool {
        self.emitted(slot).next().is_some()
    }

    /// Whether any flow ends here or passes through.
    pub(crate) fn is_reached(&self, slot: Slot) -> bool {
        self.reached.contains_key(&slot)
    }

    /// The stations and sources directly before a resource.
    pub(crate) fn before(&self, slot: Slot) -> &[Slot] {
        self.before.get(&slot).map_or(&[], Vec::as_slice)
    }

    /// The paths through a resource, for its findings: from a source forwards, to a store from each source.
    pub(crate) fn paths(&self, slot: Slot, context: &Context<'_>) -> Vec<Vec<FlowStep>> {
        let mut out = Vec::new();
        context.note(|| Read::Flow(slot));
        if self.is_source(slot) && self.next.contains_key(&slot) {
            self.forward(slot, context, &mut vec![slot], &mut out);
        } else if self.is_reached(slot) {
            for source in self.before(slot).iter().take(SHOWN) {
                out.push(vec![*source, slot]);
            }
        }
        let steps = |path: Vec<Slot>| path.into_iter().filter_map(|slot| self.step(slot, context)).collect();
        out.into_iter().take(SHOWN).map(steps).collect()
    }

    fn forward(&self, slot: Slot, context: &Context<'_>, path: &mut Vec<Slot>, out: &mut Vec<Vec<Slot>>) {
        context.note(|| Read::Flow(slot));
        let next = self.next.get(&slot).map(Vec::as_slice).unwrap_or_default();
        let onward: Vec<Slot> = next.iter().copied().filter(|next| !path.contains(next)).collect();
        if onward.is_empty() || path.len() > LONGEST || out.len() >= SHOWN {
            out.push(path.clone());
            return;
        }
        for next in onward {
            path.push(next);
            self.forward(next, context, path, out);
            path.pop();
        }
    }

    fn step(&self, slot: Slot, context: &Context<'_>) -> Option<FlowStep> {
        context.note(|| Read::Flow(slot));
        let resource = context.get(slot)?;
        let facts = context.catalogue.facts(resource.kind());
        let keeps = facts.is_some_and(|facts| facts.keeps.is_some());
        let role = match (self.is_source(slot) && !self.is_reached(slot), keeps) {
            (true, _) => "source",
            (false, true) => "store",
            (false, false) => "forwarder",
        };
        let retention = if role == "store" {
            probes::effective_retention(&context.at(slot, resource)).ok()
        } else {
            None
        };
        Some(FlowStep {
            address: resource.address.to_string(),
            role,
            retention_days: match retention {
                Some((Days::Count(days), _)) => Some(days),
                _ => None,
            },
            never_expires: matches!(retention, Some((Days::Never, _))),
            external: false,
        })
    }
}

type Stations = FxHashMap<Slot, Vec<Slot>>;

/// Marks `station`, and whatever it forwards to, as reached.
fn spread(
    next: &Stations,
    reached: &mut FxHashMap<Slot, BTreeSet<Category>>,
    station: Slot,
    categories: &[Category],
) {
    let mut queue = vec![(station, 0)];
    while let Some((slot, depth)) = queue.pop() {
        let found = reached.entry(slot).or_default();
        let known = found.len();
        found.extend(categories);
        // A station that gained nothing was followed before: this also ends loops.
        if found.len() > known && depth < LONGEST {
            queue.extend(next.get(&slot).into_iter().flatten().map(|next| (*next, depth + 1)));
        }
    }
}

/// The resources that the values at `path` lead to: of the resource itself, or of its companions of a type.
fn stations(
    context: &Context<'_>,
    companion: Option<&(Name, AttributePath)>,
    path: &AttributePath,
    types: &[Name],
) -> Vec<Slot> {
    let mut out = Vec::new();
    let mut add = |context: &Context<'_>| {
        let Look::Set(value) = context.look(&Subject::resource(context.resource), path) else { return };
        // A list names several stations.
        let named = match value.value() {
            Value::List(items) => items.iter().flat_map(|item| context.named(item, types)).collect(),
            _ => context.named(&value, types),
        };
        out.extend(named.into_iter().map(|(slot, _)| slot).filter(|slot| *slot != context.slot));
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
