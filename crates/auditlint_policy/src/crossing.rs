//! Logs that cross from one root of a run into another.
//!
//! A root says where its logs leave it, and which of its stations pass on what comes in ([`Exports`]); over all
//! roots that settles what arrives where ([`settle`]), and each root is judged with what crosses its own border
//! ([`Crossings`]). Nobody looks into the graph of another root.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use auditlint_graph::{Address, Reference, ResourceGraph, RootKey, Slot};
use auditlint_syntax::{Location, Name};

use crate::evaluate::{is_judged, names_in};
use crate::{Catalogue, Category, Days};

/// Longest way through other roots that is followed.
const LONGEST: usize = 16;

/// A station of another root, as it is named from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beyond {
    /// The root that holds it.
    pub root: RootKey,
    /// What names it there.
    pub name: StationName,
    /// The types that it may have.
    pub types: Arc<[Name]>,
}

/// What names a station in its own root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StationName {
    /// A reference, as that root would write it.
    Reference(Reference),
    /// A text that one of its resources has as its name.
    Text(Name),
}

/// What of a root has to do with other roots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exports {
    /// Where logs leave the root.
    pub departures: Vec<Departure>,
    /// The stations whose logs go on into another root.
    pub passes: Vec<Pass>,
}

/// A way through a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// The station at which logs may come in.
    pub entry: Address,
    /// The last station before the border.
    pub from: Address,
    /// Its block.
    pub at: Option<Location>,
    /// Where they go.
    pub to: Beyond,
}

/// Logs that leave a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// The last station before the border.
    pub from: Address,
    /// Its block.
    pub at: Option<Location>,
    /// What they are.
    pub categories: BTreeSet<Category>,
    /// Where they go.
    pub to: Beyond,
}

/// What crosses the border of one root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crossings {
    /// What comes in, in the order of the roots that it comes from.
    pub arrivals: Vec<Arrival>,
    /// What leaves: the last station here, and the first one there.
    pub destinations: Vec<(Address, Elsewhere)>,
}

/// Logs that come into a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The first station here.
    pub to: Address,
    /// The last station there.
    pub from: Elsewhere,
    /// What they are.
    pub categories: BTreeSet<Category>,
}

/// A resource of another root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The root, as reports call it.
    pub root: Arc<str>,
    /// The resource.
    pub address: Address,
    /// Its block, where it is known.
    pub at: Option<Location>,
    /// How long what comes in there is kept, there or behind it; none where that is not known, or nobody asked.
    pub kept: Option<Days>,
}

/// A resource of a root that a name means, for those who send logs there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The resource.
    pub address: Address,
    /// Its block.
    pub at: Option<Location>,
    /// How long what comes in there is kept.
    pub kept: Option<Days>,
}

/// A root that [`settle`] is asked about.
pub struct Party<'p> {
    /// Its number.
    pub key: RootKey,
    /// What reports call it.
    pub name: Arc<str>,
    /// What it says.
    pub exports: &'p Exports,
}

/// What crosses the border of each root. `found` gives the resources of a root that a name means there.
#[must_use]
pub fn settle(
    parties: &[Party<'_>],
    mut found: impl FnMut(&Beyond) -> Vec<Found>,
) -> BTreeMap<RootKey, Crossings> {
    let by_key: BTreeMap<RootKey, &Party<'_>> = parties.iter().map(|party| (party.key, party)).collect();
    let mut borders: BTreeMap<RootKey, Border> = BTreeMap::new();
    for start in parties {
        for departure in &start.exports.departures {
            // A station that saw these logs before ends a loop.
            let mut seen: BTreeSet<(RootKey, Address)> = BTreeSet::new();
            let mut open = VecDeque::from([(start, &departure.from, departure.at, &departure.to)]);
            while let Some((own, from, at, to)) = open.pop_front() {
                let Some(there) = by_key.get(&to.root).copied() else { continue };
                for Found { address, at: header, kept } in found(to) {
                    let from =
                        Elsewhere { root: Arc::clone(&own.name), address: from.clone(), at, kept: None };
                    let root = Arc::clone(&there.name);
                    let to_there = Elsewhere { root, address: address.clone(), at: header, kept };
                    borders.entry(own.key).or_default().leave(&from.address, to_there);
                    borders.entry(there.key).or_default().arrive(&address, from, &departure.categories);
                    if seen.len() < LONGEST && seen.insert((there.key, address.clone())) {
                        let passes = there.exports.passes.iter().filter(|pass| pass.entry == address);
                        open.extend(passes.map(|pass| (there, &pass.from, pass.at, &pass.to)));
                    }
                }
            }
        }
    }
    borders.into_iter().map(|(key, border)| (key, border.crossings())).collect()
}

/// What crosses a border, each way once: by the station here, the root there and the station there.
#[derive(Default)]
struct Border {
    arrivals: BTreeMap<(Address, Arc<str>, Address), Arrival>,
    destinations: BTreeMap<(Address, Arc<str>, Address), Elsewhere>,
}

impl Beyond {
    /// The resources of its root, whose graph this is, that it names; sorted. A text names one only if it is the only
    /// one of that name.
    #[must_use]
    pub fn resources(&self, graph: &ResourceGraph, catalogue: &Catalogue) -> Vec<Slot> {
        let slots = match &self.name {
            StationName::Reference(reference) => graph.resolve(reference),
            StationName::Text(text) => by_name(graph, catalogue, &self.types, text).into_iter().collect(),
        };
        let address = |slot: &Slot| graph.get(*slot).map(|resource| &resource.address);
        let mut found: Vec<Slot> = slots
            .into_iter()
            .filter(|slot| graph.get(*slot).is_some_and(|resource| is_judged(resource)))
            .collect();
        found.sort_by(|a, b| address(a).cmp(&address(b)));
        found
    }
}

/// The one resource of `types` whose identity is literally `text`, or the name inside of it.
fn by_name(graph: &ResourceGraph, catalogue: &Catalogue, types: &[Name], text: &str) -> Option<Slot> {
    let mut found: BTreeSet<Slot> = BTreeSet::new();
    for kind in types {
        let facts = catalogue.facts(kind);
        for identity in facts.map(|facts| facts.identity.as_slice()).unwrap_or_default() {
            found.extend(
                names_in(text).iter().flat_map(|name| graph.by_literal(kind, identity, name)).copied(),
            );
        }
    }
    let only = found.pop_first();
    only.filter(|_| found.is_empty())
}

impl Border {
    fn arrive(&mut self, to: &Address, from: Elsewhere, categories: &BTreeSet<Category>) {
        let key = (to.clone(), Arc::clone(&from.root), from.address.clone());
        let new = || Arrival { to: to.clone(), from, categories: BTreeSet::new() };
        self.arrivals.entry(key).or_insert_with(new).categories.extend(categories);
    }

    fn leave(&mut self, from: &Address, to: Elsewhere) {
        self.destinations.insert((from.clone(), Arc::clone(&to.root), to.address.clone()), to);
    }

    fn crossings(self) -> Crossings {
        Crossings {
            arrivals: self.arrivals.into_values().collect(),
            destinations: self.destinations.into_iter().map(|((from, ..), to)| (from, to)).collect(),
        }
    }
}
