//! From the flow of a root to its map.
//!
//! The ways are those of the flow that verdicts rest on, and how long a store keeps is what its rules compute. Only
//! what the flow has no resource for is added here: stores of services, stores that nobody manages, lost logs.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use auditlint_graph::{ResourceGraph, Slot};
use auditlint_syntax::Name;
use rustc_hash::FxHashMap;

use super::ending::{self, What};
use super::map::{
    Certainty, Encryption, FlowMap, Immutability, Keeps, Role, Silence, Station, StationId, StorePlace, Way,
};
use super::{Flow, service_store};
use crate::destination::{self, Part};
use crate::evaluate::{Context, Joins, Look, Matter, Subject, is_judged};
use crate::facts::Keeping;
use crate::rule::{Intent, RuleKind};
use crate::{Binding, Category, Verdict, probes};

/// Draws the flow of one root, which other reports call `root`.
pub(crate) fn draw(
    flow: &Flow,
    joins: &Joins,
    graph: &ResourceGraph,
    matter: Matter<'_>,
    bindings: &FxHashMap<&Name, Vec<&Binding>>,
    root: &Arc<str>,
) -> FlowMap {
    let mut drawing =
        Drawing { flow, graph, root, stations: Vec::new(), made: BTreeMap::new(), ways: BTreeMap::new() };
    let mut slots: Vec<Slot> = graph.iter().map(|(slot, _)| slot).collect();
    slots.sort_by_key(|slot| graph.get(*slot).map(|resource| &resource.address));
    for slot in slots {
        let Some(resource) = graph.get(slot).filter(|resource| is_judged(resource)) else { continue };
        if matter.catalogue.facts(resource.kind()).is_none() && !flow.is_reached(slot) {
            continue;
        }
        let context = Context {
            graph,
            catalogue: matter.catalogue,
            flow,
            joins,
            parameters: &[],
            slot,
            resource,
            elsewhere: None,
            reads: None,
        };
        drawing.add(&context, bindings.get(resource.kind()).map(Vec::as_slice).unwrap_or_default());
    }
    let Drawing { mut stations, made, ways, .. } = drawing;
    stations.extend(made.into_values());
    FlowMap { stations, ways: ways.into_values().collect() }
}

struct Drawing<'a> {
    flow: &'a Flow,
    graph: &'a ResourceGraph,
    root: &'a Arc<str>,
    stations: Vec<Station>,
    /// The stations that are no resources.
    made: BTreeMap<StationId, Station>,
    ways: BTreeMap<(StationId, StationId), Way>,
}

impl Drawing<'_> {
    fn id(&self, slot: Slot) -> Option<StationId> {
        let name = self.graph.get(slot)?.address.to_string();
        Some(StationId { root: Arc::clone(self.root), made: None, name })
    }

    /// What is no resource.
    fn made(&self, role: Role, name: String) -> StationId {
        let root = if role == Role::External { Arc::from("") } else { Arc::clone(self.root) };
        StationId { root, made: Some(role), name }
    }

    /// Adds a resource, where it has to do with logs, and the ways that begin there.
    fn add(&mut self, context: &Context<'_>, bindings: &[&Binding]) {
        let slot = context.slot;
        let facts = context.catalogue.facts(context.resource.kind());
        let keeps = facts.is_some_and(|facts| facts.keeps.is_some());
        let emits: BTreeSet<Category> = self.flow.emitted(slot).collect();
        let could_emit = facts.is_some_and(|facts| !facts.emits.is_empty());
        let rests = facts.is_some_and(|facts| facts.emits.iter().any(|emission| emission.to.is_empty()));
        let is_reached = self.flow.is_reached(slot);
        let role = match (is_reached, keeps) {
            (true, true) => Role::Store,
            (false, true) if !could_emit || rests => Role::Store,
            (true, false) => Role::Forwarder,
            (false, _) if could_emit => Role::Source,
            (false, _) => Role::Forwarder,
        };
        let Some(id) = self.id(slot) else { return };
        let mut station = Station { kind: Some(context.resource.kind().clone()), ..Station::new(id, role) };
        station.carries = self.flow.categories(slot).into_iter().collect();
        if role == Role::Store {
            station.keeps = Some(match probes::effective_retention(context) {
                Ok((days, _)) => Keeps::For(days),
                Err((cause, _)) => Keeps::Unknown(cause),
            });
            station.encryption = encryption(context, bindings);
            let keeping = facts.and_then(|facts| facts.keeps.as_ref());
            station.is_searchable = keeping.is_some_and(|keeping| keeping.searchable);
            station.immutable = keeping.and_then(|keeping| immutability(context, keeping));
            station.location = Some(location(context, keeping));
        }
        let ways = self.ways.len();
        let passes = !self.is_idle(context);
        let mut unsent: BTreeSet<Category> = BTreeSet::new();
        for ending in ending::endings(context, self.flow, bindings, passes) {
            let (role, name) = match &ending.what {
                What::Silent(cause) => {
                    if cause.is_none() {
                        unsent.extend(&ending.categories);
                    }
                    // A store that gets logs is not asked for logs of its own.
                    let silence = Silence { categories: ending.categories, cause: cause.clone() };
                    if role != Role::Store && !station.silent.contains(&silence) {
                        station.silent.push(silence);
                    }
                    continue;
                }
                What::Covered => {
                    unsent.extend(&ending.categories);
                    station.covered.extend(&ending.categories);
                    continue;
                }
                What::Doubted => {
                    station.doubted.extend(&ending.categories);
                    continue;
                }
                What::Unasked => {
                    unsent.extend(&ending.categories);
                    continue;
                }
                What::External(name) => (Role::External, name.clone()),
                What::Service { name, .. } => (Role::ServiceStore, name.clone()),
                What::Unknown(Some(cause)) => (Role::Unknown, cause.subject.clone()),
                What::Unknown(None) => (Role::Unknown, format!("destination of {}", context.resource.kind())),
            };
            let to = self.made(role, name);
            let made = self.made.entry(to.clone()).or_insert_with(|| Station::new(to.clone(), role));
            made.carries.extend(&ending.categories);
            match ending.what {
                What::Service { kind, retention, .. } => {
                    made.kind = Some(kind);
                    made.keeps = Some(Keeps::For(retention));
                }
                What::Unknown(cause) => made.cause = cause,
                What::External(_) => {
                    let store = self.flow.externals.of_text(&made.id.name);
                    made.keeps = store.and_then(|store| store.retention).map(Keeps::For);
                    made.encryption = store
                        .and_then(|store| store.encrypted)
                        .map(|own| if own { Encryption::OwnKey } else { Encryption::ServiceKey });
                }
                What::Silent(_) | What::Covered | What::Unasked | What::Doubted => {}
            }
            let categories = ending.categories.into_iter().collect();
            self.way(Way { from: station.id.clone(), to, categories, certainty: ending.certainty });
        }
        station.emits = emits.into_iter().filter(|category| !unsent.contains(category)).collect();
        self.onward(context, &station, passes);
        let is_known = match role {
            Role::Source => {
                !(station.emits.is_empty() && station.silent.is_empty() && station.covered.is_empty())
            }
            Role::Forwarder => is_reached || self.ways.len() > ways,
            _ => true,
        };
        if is_known {
            self.stations.push(station);
        }
    }

    /// Whether it passes on what is no log: the objects of a bucket that no log reaches are data.
    fn is_idle(&self, context: &Context<'_>) -> bool {
        let holds_data = |slot: Slot| {
            let facts = self.graph.get(slot).and_then(|resource| context.catalogue.facts(resource.kind()));
            !self.flow.is_reached(slot) && facts.is_some_and(|facts| !facts.emits.is_empty())
        };
        let part = self.flow.parts.get(&context.slot);
        holds_data(context.slot) || part.is_some_and(|part| part.links.iter().any(|hop| holds_data(hop.from)))
    }

    /// The ways from a resource to other resources of the root, and those that come in from other roots.
    fn onward(&mut self, context: &Context<'_>, station: &Station, passes: bool) {
        let slot = context.slot;
        let doubt = context.resource.undecided.is_some();
        let undecided = station.silent.iter().filter(|silence| silence.cause.is_some());
        let mut doubted: BTreeSet<Category> = station.doubted.clone();
        doubted.extend(undecided.flat_map(|silence| silence.categories.iter().copied()));
        let doubts = |categories: &[Category]| doubt || categories.iter().all(|one| doubted.contains(one));
        let from = &station.id;
        let part = self.flow.parts.get(&slot);
        for direct in part.into_iter().flat_map(|part| &part.direct) {
            let Some(to) = self.id(direct.to) else { continue };
            let certainty = if doubts(&direct.categories) { Certainty::Open } else { direct.certainty };
            let categories = direct.categories.iter().copied().collect();
            self.way(Way { from: from.clone(), to, categories, certainty });
        }
        for hop in part.into_iter().filter(|_| passes).flat_map(|part| &part.links) {
            let (Some(from), Some(to)) = (self.id(hop.from), self.id(hop.to)) else { continue };
            let certainty = if doubt { Certainty::Open } else { hop.certainty };
            let categories = self.flow.categories(hop.from).into_iter().collect();
            self.way(Way { from, to, categories, certainty });
        }
        for (store, kept) in service_store::managed(context) {
            let Some(to) = self.id(store) else { continue };
            let categories: BTreeSet<Category> =
                kept.iter().copied().filter(|category| station.emits.contains(category)).collect();
            if !categories.is_empty() {
                let certainty = if doubts(kept) { Certainty::Open } else { Certainty::Matched };
                self.way(Way { from: from.clone(), to, categories, certainty });
            }
        }
        for arrival in self.flow.arrivals(slot) {
            let there = StationId {
                root: Arc::clone(&arrival.from.root),
                made: None,
                name: arrival.from.address.to_string(),
            };
            let categories = arrival.categories.clone();
            self.way(Way { from: there, to: from.clone(), categories, certainty: Certainty::Matched });
        }
    }

    /// Adds a way, or what it adds to one that is there.
    fn way(&mut self, way: Way) {
        match self.ways.entry((way.from.clone(), way.to.clone())) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.categories.extend(way.categories);
                known.certainty = known.certainty.min(way.certainty);
            }
            Entry::Vacant(place) => drop(place.insert(way)),
        }
    }
}

/// Whether anybody can change what a store keeps, as the facts of its type find.
fn immutability(context: &Context<'_>, keeping: &Keeping) -> Option<Immutability> {
    let judged = context.condition(keeping.immutable.as_ref()?, &Subject::resource(context.resource));
    match (judged.verdict, judged.cause) {
        (Verdict::Pass, _) => Some(Immutability::Locked),
        (Verdict::Unknown, Some(cause)) => Some(Immutability::Unknown(cause)),
        (Verdict::Unknown, None) => None,
        _ => Some(Immutability::Open),
    }
}

/// Where the resource itself says that it stands.
fn location(context: &Context<'_>, keeping: Option<&Keeping>) -> StorePlace {
    let place = keeping.and_then(|keeping| keeping.place.as_ref());
    let written = place.map(|place| context.look(&Subject::resource(context.resource), place));
    let region = match &written {
        Some(Look::Set(value) | Look::Default(value)) if !value.sensitive => value.value().as_str(),
        _ => None,
    };
    let own = |part| destination::standing(context.resource, part).ok();
    StorePlace { account: own(Part::Account), region: region.map(Name::new).or_else(|| own(Part::Region)) }
}

/// By whose key a store is encrypted, as the rules of its type that ask for encryption find.
pub(super) fn encryption(context: &Context<'_>, bindings: &[&Binding]) -> Option<Encryption> {
    let asks = |binding: &&&Binding| {
        binding.rule.kind == RuleKind::Store && binding.rule.asks.contains(&Intent::Encryption)
    };
    // Which stores a rule wants encrypted is not asked: targets of access logs may stay without a key of their own.
    let judged = ending::holds(context, bindings.iter().find(asks)?, false);
    match (judged.verdict, judged.cause) {
        (Verdict::Pass, _) => Some(Encryption::OwnKey),
        (Verdict::Fail, _) => Some(Encryption::ServiceKey),
        (Verdict::Unknown, Some(cause)) => Some(Encryption::Unknown(cause)),
        _ => None,
    }
}
