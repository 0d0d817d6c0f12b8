//! The stores that a root could tell other repositories of, by names that mean the same everywhere.

use std::collections::BTreeSet;

use auditlint_graph::{Address, ResourceGraph, Slot};
use auditlint_syntax::Name;
use rustc_hash::FxHashMap;

use super::archive::rest;
use super::drawing::encryption;
use super::{Encryption, Flow, Neighbours};
use crate::crossing::Found;
use crate::evaluate::{Context, Joins, Matter, is_judged};
use crate::{Binding, Days, probes};

/// A store of the root, whether logs of the root itself reach it or not: those of others may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptStore {
    /// The resource.
    pub address: Address,
    /// Its names, ids and ARNs that are known and not sensitive, sorted.
    pub names: BTreeSet<String>,
    /// How long it keeps what it gets; none where that is not known.
    pub retention: Option<Days>,
    /// Whether it is encrypted with a key that is named; none where that is not known or no rule asks.
    pub encrypted: Option<bool>,
}

/// The resource at `slot`, for other roots that send logs there; `whole` are the ways that everything takes.
pub(crate) fn found(
    flow: &Flow,
    joins: &Joins,
    graph: &ResourceGraph,
    matter: Matter<'_>,
    (slot, whole): (Slot, &Neighbours),
) -> Option<Found> {
    let resource = graph.get(slot)?;
    let catalogue = matter.catalogue;
    let context = Context {
        graph,
        catalogue,
        flow,
        joins,
        parameters: &[],
        slot,
        resource,
        elsewhere: None,
        reads: None,
    };
    Some(Found {
        address: resource.address.clone(),
        at: resource.declared.map(|declared| declared.header),
        kept: rest(&context, flow, whole),
    })
}

/// The stores of a root, sorted by address. Whether one exists at all may not be known: nobody can rely on it then.
pub(crate) fn kept(
    flow: &Flow,
    joins: &Joins,
    graph: &ResourceGraph,
    matter: Matter<'_>,
    bindings: &FxHashMap<&Name, Vec<&Binding>>,
) -> Vec<KeptStore> {
    let mut stores = Vec::new();
    let mut slots: Vec<Slot> = graph.iter().map(|(slot, _)| slot).collect();
    slots.sort_by_key(|slot| graph.get(*slot).map(|resource| &resource.address));
    for slot in slots {
        let Some(resource) = graph.get(slot).filter(|resource| is_judged(resource)) else { continue };
        let Some(facts) = matter.catalogue.facts(resource.kind()) else { continue };
        if facts.keeps.is_none() || resource.undecided.is_some() {
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
        let names = facts.identity.iter().filter_map(|name| resource.attribute(name));
        let names = names.filter(|value| !value.sensitive).filter_map(|value| value.value().as_str());
        let bindings = bindings.get(resource.kind()).map(Vec::as_slice).unwrap_or_default();
        stores.push(KeptStore {
            address: resource.address.clone(),
            names: names.map(str::to_owned).collect(),
            retention: probes::effective_retention(&context).ok().map(|(days, _)| days),
            encrypted: match encryption(&context, bindings) {
                Some(Encryption::OwnKey) => Some(true),
                Some(Encryption::ServiceKey) => Some(false),
                Some(Encryption::Unknown(_)) | None => None,
            },
        });
    }
    stores
}
