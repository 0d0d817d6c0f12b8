//! The log flow: from the resources that emit events, through forwarders, to the stores where they rest.
//!
//! Edges follow what is proved: a reference, a companion, or a literal that exactly one store has.

mod archive;
mod border;
mod drawing;
mod effective;
mod ending;
mod kept;
mod map;
mod outside;
mod part;
mod path;
mod service_store;

use std::collections::BTreeSet;
use std::sync::Arc;

use auditlint_graph::{Address, ResourceGraph, Slot, Target};
use rustc_hash::FxHashMap;

pub(crate) use archive::{archive, keeper_behind, original};
pub(crate) use drawing::draw;
pub use effective::{Effective, Ways};
pub use kept::KeptStore;
pub(crate) use kept::{found, kept};
pub use map::{
    Certainty, Encryption, FlowMap, Immutability, Keeps, Role, Silence, Station, StationId, StorePlace, Way,
};
pub(crate) use outside::{Exit, exits};
pub(crate) use part::{Lost, Part};
pub(crate) use service_store::{managed as managed_service_stores, undecided as undecided_service_store};

use crate::Category;
use crate::crossing::{Arrival, Crossings, Elsewhere};
use crate::evaluate::is_judged;
use crate::external::Externals;

/// Longest path that is followed; a longer one is a loop or a mistake.
const LONGEST: usize = 16;
/// Paths that a finding shows.
const SHOWN: usize = 5;

/// Where logs come from and where they go.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// What each resource has to do with logs; of most it is little or nothing.
    parts: FxHashMap<Slot, Box<Part>>,
    /// The next stations of a resource.
    next: Neighbours,
    /// The part of it that passes on what reaches a station.
    onward: Neighbours,
    /// The part of that which passes on everything, for certain.
    whole: Arc<Neighbours>,
    /// The same as the parts are now; none where nobody asked since one of them changed.
    whole_now: Option<Arc<Neighbours>>,
    /// The stations before a resource.
    before: Neighbours,
    /// What reaches a station.
    reached: FxHashMap<Slot, BTreeSet<Category>>,
    /// The resources whose logs go on into other roots.
    leaving: BTreeSet<Slot>,
    /// What the policy says of stores outside of the run.
    externals: Arc<Externals>,
    /// What crosses the border of the root.
    crossings: Arc<Crossings>,
    /// What comes in from other roots at a station.
    arrivals: FxHashMap<Slot, Vec<Arrival>>,
    /// Where the logs of a resource go in other roots.
    destinations: FxHashMap<Slot, Vec<Elsewhere>>,
}

impl Flow {
    /// An empty flow under a policy that says this of stores outside of the run.
    pub(crate) fn under(externals: &Arc<Externals>) -> Self {
        Self { externals: Arc::clone(externals), ..Self::default() }
    }

    /// What the policy says of stores outside of the run.
    pub(crate) fn externals(&self) -> &Externals {
        &self.externals
    }

    /// Puts a part in the place of the one before. True when it is another one.
    pub(crate) fn set(&mut self, slot: Slot, part: Part) -> bool {
        if part.leaves.is_empty() && part.passes.is_empty() {
            self.leaving.remove(&slot);
        } else {
            self.leaving.insert(slot);
        }
        let old = if part == Part::default() {
            self.parts.remove(&slot)
        } else {
            self.parts.insert(slot, Box::new(part))
        };
        let differs = old.as_ref() != self.parts.get(&slot);
        if differs {
            self.whole_now = None;
        }
        differs
    }

    /// The ways that everything takes, as the parts are now.
    pub(crate) fn whole_now(&mut self) -> Arc<Neighbours> {
        if self.whole_now.is_none() {
            self.whole_now = Some(Arc::new(self.of_everything()));
        }
        self.whole_now.clone().unwrap_or_default()
    }

    /// Follows the logs of every source anew. Gives the stations and sources for which that made a difference.
    pub(crate) fn assemble(&mut self, graph: &ResourceGraph) -> Vec<Slot> {
        let mut order: Vec<Slot> = self.parts.keys().copied().collect();
        order.sort_unstable();
        let (parts, leaving) = (std::mem::take(&mut self.parts), std::mem::take(&mut self.leaving));
        let (externals, crossings) = (Arc::clone(&self.externals), Arc::clone(&self.crossings));
        let whole_now = std::mem::take(&mut self.whole_now);
        let kept = Self { parts, leaving, externals, crossings, whole_now, ..Self::default() };
        let old = std::mem::replace(self, kept);
        self.whole = self.whole_now();
        let all = || order.iter().filter_map(|slot| Some((*slot, self.parts.get(slot)?)));
        let (mut next, mut before) = (Neighbours::default(), Neighbours::default());
        let mut link = |from: Slot, to: Slot| {
            let stations = next.entry(from).or_default();
            if !stations.contains(&to) {
                stations.push(to);
                before.entry(to).or_default().push(from);
            }
        };
        for (slot, part) in all() {
            part.links.iter().for_each(|hop| link(hop.from, hop.to));
            part.direct.iter().for_each(|direct| link(slot, direct.to));
        }
        let address = |slot: &Slot| graph.get(*slot).map(|resource| &resource.address);
        for stations in next.values_mut().chain(before.values_mut()).filter(|stations| stations.len() > 1) {
            stations.sort_by(|a, b| address(a).cmp(&address(b)));
        }
        // What a station emits itself goes other ways than what it passes on.
        let mut onward = Neighbours::default();
        for hop in all().flat_map(|(_, part)| &part.links) {
            onward.entry(hop.from).or_default().push(hop.to);
        }
        onward.values_mut().for_each(|stations| {
            stations.sort_by(|a, b| address(a).cmp(&address(b)));
            stations.dedup();
        });
        let mut reached = FxHashMap::default();
        for (_, part) in all() {
            part.direct.iter().for_each(|direct| {
                spread(&onward, &mut reached, direct.to, direct.categories.iter().copied());
            });
        }
        let (mut arrivals, mut destinations) = (FxHashMap::default(), FxHashMap::default());
        for arrival in &self.crossings.arrivals {
            for slot in at(graph, &arrival.to) {
                spread(&onward, &mut reached, slot, arrival.categories.iter().copied());
                arrivals.entry(slot).or_insert_with(Vec::new).push(arrival.clone());
            }
        }
        for (from, to) in &self.crossings.destinations {
            at(graph, from)
                .for_each(|slot| destinations.entry(slot).or_insert_with(Vec::new).push(to.clone()));
        }
        (self.next, self.onward, self.before, self.reached) = (next, onward, before, reached);
        (self.arrivals, self.destinations) = (arrivals, destinations);
        self.differences(&old)
    }

    /// Takes in what crosses the border. True when that is something else than before.
    pub(crate) fn receive(&mut self, crossings: &Arc<Crossings>) -> bool {
        let differs = self.crossings != *crossings;
        self.crossings = Arc::clone(crossings);
        differs
    }

    /// What crosses the border of the root.
    pub(crate) fn crossings(&self) -> &Arc<Crossings> {
        &self.crossings
    }

    /// The logs of one of `categories` of which nobody knows where they come to rest.
    pub(crate) fn lost(&self, slot: Slot, categories: &[Category]) -> Option<&Lost> {
        let lost = self.parts.get(&slot).into_iter().flat_map(|part| &part.lost);
        let asked = |lost: &&Lost| lost.categories.iter().any(|category| categories.contains(category));
        lost.filter(asked).min_by(|a, b| a.cause.cmp(&b.cause))
    }

    /// What comes in from other roots at a station.
    pub(crate) fn arrivals(&self, slot: Slot) -> &[Arrival] {
        self.arrivals.get(&slot).map_or(&[], Vec::as_slice)
    }

    fn differences(&self, old: &Self) -> Vec<Slot> {
        fn differ<T: PartialEq>(new: &FxHashMap<Slot, T>, old: &FxHashMap<Slot, T>, out: &mut Vec<Slot>) {
            out.extend(new.iter().filter(|(slot, one)| old.get(slot) != Some(one)).map(|(slot, _)| *slot));
            out.extend(old.keys().filter(|slot| !new.contains_key(slot)));
        }
        let mut out = Vec::new();
        differ(&self.next, &old.next, &mut out);
        differ(&self.whole, &old.whole, &mut out);
        differ(&self.before, &old.before, &mut out);
        differ(&self.reached, &old.reached, &mut out);
        differ(&self.arrivals, &old.arrivals, &mut out);
        differ(&self.destinations, &old.destinations, &mut out);
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
}

/// The slot of the resource at `address`, where it is judged.
fn at(graph: &ResourceGraph, address: &Address) -> impl Iterator<Item = Slot> {
    let same = |slot: &Slot| {
        graph.get(*slot).is_some_and(|resource| resource.address.key == address.key && is_judged(resource))
    };
    graph.instances(&Target::at(address)).iter().copied().filter(same)
}

pub(crate) type Neighbours = FxHashMap<Slot, Vec<Slot>>;

impl Flow {
    /// The stations behind `slot` on a way that begins at a source: what a station emits itself goes other ways than
    /// what it passes on.
    fn behind(&self, slot: Slot, is_source: bool) -> &[Slot] {
        let next = if is_source { &self.next } else { &self.onward };
        next.get(&slot).map_or(&[], Vec::as_slice)
    }
}

/// Marks `station`, and whatever it forwards to, as reached.
fn spread(
    onward: &Neighbours,
    reached: &mut FxHashMap<Slot, BTreeSet<Category>>,
    station: Slot,
    categories: impl IntoIterator<Item = Category> + Clone,
) {
    let mut queue = vec![(station, 0)];
    while let Some((slot, depth)) = queue.pop() {
        let found = reached.entry(slot).or_default();
        let known = found.len();
        found.extend(categories.clone());
        // A station that gained nothing was followed before: this also ends loops.
        if found.len() > known && depth < LONGEST {
            queue.extend(onward.get(&slot).into_iter().flatten().map(|next| (*next, depth + 1)));
        }
    }
}
