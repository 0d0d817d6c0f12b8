//! Where logs leave a root, and which ways lead through it.

use std::collections::BTreeSet;

use auditlint_graph::{Address, ResourceGraph, Slot};
use rustc_hash::FxHashMap;

use super::{Flow, LONGEST, Neighbours, spread};
use crate::Category;
use crate::crossing::{Beyond, Departure, Exports, Pass};

impl Flow {
    /// What of the flow has to do with other roots, whatever comes in from there.
    pub(crate) fn exports(&self, graph: &ResourceGraph) -> Exports {
        let mut exports = Exports::default();
        if self.leaving.is_empty() {
            return exports;
        }
        let mut order: Vec<Slot> = self.parts.keys().copied().collect();
        order.sort_by_key(|slot| graph.get(*slot).map(|resource| &resource.address));
        let all = || order.iter().filter_map(|slot| Some((*slot, self.parts.get(slot)?)));
        let departure = |slot: Slot, categories: BTreeSet<Category>, to: &Beyond| {
            let resource = graph.get(slot)?;
            let at = resource.declared.map(|declared| declared.header);
            Some(Departure { from: resource.address.clone(), at, categories, to: to.clone() })
        };
        for (slot, part) in all() {
            let leaves = part.leaves.iter();
            exports
                .departures
                .extend(leaves.filter_map(|(to, categories)| {
                    departure(slot, categories.iter().copied().collect(), to)
                }));
        }
        if all().all(|(_, part)| part.passes.is_empty()) {
            return exports;
        }
        let (mut next, mut before) = (Neighbours::default(), Neighbours::default());
        for hop in all().flat_map(|(_, part)| &part.links) {
            next.entry(hop.from).or_default().push(hop.to);
            before.entry(hop.to).or_default().push(hop.from);
        }
        let mut reached = FxHashMap::default();
        for direct in all().flat_map(|(_, part)| &part.direct) {
            spread(&next, &mut reached, direct.to, direct.categories.iter().copied());
        }
        for (slot, to) in all().flat_map(|(_, part)| &part.passes) {
            if let Some(categories) = reached.get(slot) {
                exports.departures.extend(departure(*slot, categories.clone(), to));
            }
            // What comes in at any station before this one goes on as well.
            let mut addresses: Vec<&Address> = upstream(&before, *slot)
                .into_iter()
                .filter_map(|slot| Some(&graph.get(slot)?.address))
                .collect();
            addresses.sort();
            let Some(last) = departure(*slot, BTreeSet::new(), to) else { continue };
            exports.passes.extend(addresses.into_iter().map(|entry| Pass {
                entry: entry.clone(),
                from: last.from.clone(),
                at: last.at,
                to: to.clone(),
            }));
        }
        exports
    }
}

/// `station`, and whatever forwards to it.
fn upstream(before: &Neighbours, station: Slot) -> BTreeSet<Slot> {
    let mut found = BTreeSet::from([station]);
    let mut queue = vec![(station, 0)];
    while let Some((slot, depth)) = queue.pop() {
        let new =
            before.get(&slot).into_iter().flatten().filter(|slot| depth < LONGEST && found.insert(**slot));
        queue.extend(new.map(|slot| (*slot, depth + 1)));
    }
    found
}
