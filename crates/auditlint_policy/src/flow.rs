//! The log flow: from the resources that emit events, through forwarders, to the stores where they rest.
//!
//! Edges follow what is proved: a reference, a companion, or a literal that exactly one store has.

use std::collections::BTreeSet;

use auditlint_graph::{Resource, ResourceGraph, Slot};
use rustc_hash::FxHashMap;

use crate::catalogue::Catalogue;
use crate::evaluate::{Context, Joins, Look, Subject, is_judged};
use crate::facts::{Facts, Sink};
use crate::{Category, Days, FlowStep, Verdict, probes};

/// Longest path that is followed; a longer one is a loop or a mistake.
const LONGEST: usize = 16;
/// Paths that a finding shows.
const SHOWN: usize = 5;

/// Where logs come from and where they go.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// The next stations of a resource.
    next: FxHashMap<Slot, Vec<Slot>>,
    /// The stations before a resource.
    before: FxHashMap<Slot, Vec<Slot>>,
    /// What a source emits (unless it is certain that it does not).
    emits: FxHashMap<Slot, BTreeSet<Category>>,
    /// What reaches a station.
    reached: FxHashMap<Slot, BTreeSet<Category>>,
}

impl Flow {
    /// Follows the logs of every source.
    pub(crate) fn build(graph: &ResourceGraph, catalogue: &Catalogue, joins: &Joins) -> Self {
        let empty = Self::default();
        let mut flow = Self::default();
        let mut direct: Vec<(Slot, Slot, Vec<Category>)> = Vec::new();
        for (slot, resource) in graph.iter().filter(|(_, resource)| is_judged(resource)) {
            let Some(facts) = catalogue.facts(resource.kind()) else { continue };
            let context = Context { graph, catalogue, flow: &empty, joins, parameters: &[], slot, resource };
            for emission in &facts.emits {
                let on = emission
                    .on
                    .as_ref()
                    .map_or(Verdict::Pass, |on| context.condition(on, &Subject::resource(resource)).verdict);
                if on == Verdict::Fail || on == Verdict::NotApplicable {
                    continue;
                }
                flow.emits.entry(slot).or_default().extend(&emission.categories);
                for store in emission.to.iter().flat_map(|sink| stations(&context, sink)) {
                    direct.push((slot, store, emission.categories.clone()));
                }
            }
            flow.forwards(&context, facts);
        }
        for (source, store, categories) in direct {
            flow.link(source, store);
            flow.spread(store, &categories);
        }
        flow
    }

    fn forwards(&mut self, context: &Context<'_>, facts: &Facts) {
        for forward in &facts.forwards {
            let sink = Sink { companion: None, path: forward.path.clone(), types: forward.types.clone() };
            for station in stations(context, &sink) {
                self.link(context.slot, station);
            }
            if let Some((from, types)) = &forward.from {
                let sink = Sink { companion: None, path: from.clone(), types: types.clone() };
                for station in stations(context, &sink) {
                    self.link(station, context.slot);
                }
            }
        }
    }

    fn link(&mut self, from: Slot, to: Slot) {
        let next = self.next.entry(from).or_default();
        if !next.contains(&to) {
            next.push(to);
            self.before.entry(to).or_default().push(from);
        }
    }

    /// Marks `station`, and whatever it forwards to, as reached.
    fn spread(&mut self, station: Slot, categories: &[Category]) {
        let mut queue = vec![(station, 0)];
        while let Some((slot, depth)) = queue.pop() {
            let reached = self.reached.entry(slot).or_default();
            let known = reached.len();
            reached.extend(categories);
            // A station that gained nothing was followed before: this also ends loops.
            if reached.len() > known && depth < LONGEST {
                queue.extend(self.next.get(&slot).into_iter().flatten().map(|next| (*next, depth + 1)));
            }
        }
    }

    /// The categories of the flows that reach a store.
    pub(crate) fn categories(&self, slot: Slot) -> Vec<Category> {
        self.reached.get(&slot).map(|categories| categories.iter().copied().collect()).unwrap_or_default()
    }

    /// What a source emits, or may emit.
    pub(crate) fn emitted(&self, slot: Slot) -> impl Iterator<Item = Category> {
        self.emits.get(&slot).into_iter().flatten().copied()
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
        if self.emits.contains_key(&slot) && self.next.contains_key(&slot) {
            self.forward(slot, &mut vec![slot], &mut out);
        } else if self.is_reached(slot) {
            for source in self.before(slot).iter().take(SHOWN) {
                out.push(vec![*source, slot]);
            }
        }
        let steps = |path: Vec<Slot>| path.into_iter().filter_map(|slot| self.step(slot, context)).collect();
        out.into_iter().take(SHOWN).map(steps).collect()
    }

    fn forward(&self, slot: Slot, path: &mut Vec<Slot>, out: &mut Vec<Vec<Slot>>) {
        let next = self.next.get(&slot).map(Vec::as_slice).unwrap_or_default();
        let onward: Vec<Slot> = next.iter().copied().filter(|next| !path.contains(next)).collect();
        if onward.is_empty() || path.len() > LONGEST || out.len() >= SHOWN {
            out.push(path.clone());
            return;
        }
        for next in onward {
            path.push(next);
            self.forward(next, path, out);
            path.pop();
        }
    }

    fn step(&self, slot: Slot, context: &Context<'_>) -> Option<FlowStep> {
        let resource = context.graph.get(slot)?;
        let facts = context.catalogue.facts(resource.kind());
        let keeps = facts.is_some_and(|facts| facts.keeps.is_some());
        let role = match (self.emits.contains_key(&slot) && !self.is_reached(slot), keeps) {
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

/// The resources that a sink leads to.
fn stations(context: &Context<'_>, sink: &Sink) -> Vec<Slot> {
    let at = |context: &Context<'_>, resource: &Resource| -> Vec<Slot> {
        values(context, resource, sink)
            .iter()
            .flat_map(|value| context.named(value, &sink.types))
            .map(|(slot, _)| slot)
            .filter(|slot| *slot != context.slot)
            .collect()
    };
    match &sink.companion {
        None => at(context, context.resource),
        Some((kind, join)) => {
            let (companions, _) = context.companions(std::slice::from_ref(kind), join, &[]);
            let found = companions.into_iter().filter_map(|(slot, _)| Some((slot, context.graph.get(slot)?)));
            found.flat_map(|(slot, resource)| at(&context.at(slot, resource), resource)).collect()
        }
    }
}

/// The values at a sink's path; a list names several stations.
fn values(context: &Context<'_>, resource: &Resource, sink: &Sink) -> Vec<auditlint_graph::Tracked> {
    match context.look(&Subject::resource(resource), &sink.path) {
        Look::Set(value) => match value.value() {
            auditlint_graph::Value::List(items) => items.to_vec(),
            _ => vec![value],
        },
        Look::Default(_) | Look::Absent | Look::Unknown(_) => Vec::new(),
    }
}
