//! The resources of one root and the references between them.
//!
//! A resource lives in a slot that it keeps while its address exists, so that what was computed about it
//! can be kept beside it when something else changes.

use std::sync::Arc;

use auditlint_syntax::Name;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::plan::Layout;
use crate::{
    Address, FactsTable, Gap, Key, Map, Mode, ModulePath, Partial, RefKey, Reference, Resource, RootKey,
    Tracked, Value,
};

/// Where a resource lives in its graph; stable while its address exists, reused afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u32);

/// A resource block in one module instance, without its instance keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// The other root that holds it; none for the root of the graph.
    pub root: Option<RootKey>,
    /// The module instance.
    pub module: ModulePath,
    /// Managed resource or data source.
    pub mode: Mode,
    /// The resource type.
    pub kind: Name,
    /// The name.
    pub name: Name,
}

impl Target {
    /// The block that `reference` points to.
    #[must_use]
    pub fn of(reference: &Reference) -> Self {
        Self {
            root: reference.root,
            module: reference.module.clone(),
            mode: reference.mode,
            kind: reference.kind.clone(),
            name: reference.name.clone(),
        }
    }

    /// The block of the instance at `address`.
    #[must_use]
    pub fn at(address: &Address) -> Self {
        Self {
            root: None,
            module: address.module.clone(),
            mode: address.mode,
            kind: address.kind.clone(),
            name: address.name.clone(),
        }
    }
}

/// What changed between two revisions of a graph.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    /// Slots whose resource is new or different.
    pub changed: Vec<Slot>,
    /// Resources that are gone, with the slot that they had.
    pub removed: Vec<(Slot, Arc<Resource>)>,
    /// What stood in `changed` slots before.
    pub previous: Vec<(Slot, Arc<Resource>)>,
    /// Whether the gaps are different.
    pub gaps: bool,
}

impl Delta {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty() && !self.gaps
    }
}

/// Slots that are sorted and distinct: most lists hold one or two, and stand in the index itself.
type Slots = SmallVec<[Slot; 4]>;

/// The resources of one root.
#[derive(Clone, Debug, Default)]
pub struct ResourceGraph {
    slots: Vec<Option<Arc<Resource>>>,
    free: Vec<Slot>,
    by_kind: FxHashMap<Name, Slots>,
    by_target: FxHashMap<Target, Slots>,
    referrers: FxHashMap<Target, Slots>,
    /// By type, identity attribute and text.
    by_literal: FxHashMap<Name, FxHashMap<Name, FxHashMap<Name, Slots>>>,
    /// How many managed resources there are besides, of types that nobody wants anything of.
    pub passed: u32,
    /// What could not be analysed.
    pub gaps: Vec<Gap>,
    /// How the plan or state that the resources come from is laid out.
    pub layout: Option<Arc<Layout>>,
    /// That a resource which is not here may exist all the same: a plan of a part of its configuration.
    pub partial: Option<Partial>,
    /// Whether terraform says that the plan holds every change that the configuration asks for.
    pub complete: bool,
}

impl ResourceGraph {
    /// Puts a resource in: over the one with its address, else into a new slot. Gives what stood there.
    pub fn put(&mut self, resource: Arc<Resource>, facts: &FactsTable) -> (Slot, Option<Arc<Resource>>) {
        let slots = &self.slots;
        let at = |slot: Slot| slots.get(slot.0 as usize).and_then(Option::as_ref);
        // The index holds the new slot before the resource does: most addresses are new, and are hashed once.
        let instances = self.by_target.entry(Target::at(&resource.address)).or_default();
        let same = instances
            .iter()
            .copied()
            .find(|&slot| at(slot).is_some_and(|old| old.address.key == resource.address.key));
        let slot = same.or_else(|| self.free.pop()).unwrap_or_else(|| {
            self.slots.push(None);
            Slot(u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX))
        });
        include(instances, slot);
        let old = self.take(slot, facts);
        self.index(slot, &resource, facts, include);
        if let Some(place) = self.slots.get_mut(slot.0 as usize) {
            *place = Some(resource);
        }
        (slot, old)
    }

    /// Takes the resource at `slot` out; the slot may be reused.
    pub fn remove(&mut self, slot: Slot, facts: &FactsTable) -> Option<Arc<Resource>> {
        let old = self.take(slot, facts)?;
        exclude(self.by_target.entry(Target::at(&old.address)).or_default(), slot);
        self.free.push(slot);
        Some(old)
    }

    fn take(&mut self, slot: Slot, facts: &FactsTable) -> Option<Arc<Resource>> {
        let old = self.slots.get_mut(slot.0 as usize)?.take()?;
        self.index(slot, &old, facts, exclude);
        Some(old)
    }

    /// Changes every index that tells of what `resource` holds.
    fn index(&mut self, slot: Slot, resource: &Resource, facts: &FactsTable, change: fn(&mut Slots, Slot)) {
        change(self.by_kind.entry(resource.kind().clone()).or_default(), slot);
        each_reference(&resource.attributes, &mut |reference| {
            change(self.referrers.entry(Target::of(reference)).or_default(), slot);
        });
        for name in &facts.of(resource.kind()).identity {
            if let Some(Value::String(text)) = resource.attribute(name).map(Tracked::value) {
                let of_kind = self.by_literal.entry(resource.kind().clone()).or_default();
                let index = of_kind.entry(name.clone()).or_default();
                change(index.entry(text.clone()).or_default(), slot);
            }
        }
    }

    /// The resource at `slot`.
    #[must_use]
    pub fn get(&self, slot: Slot) -> Option<&Arc<Resource>> {
        self.slots.get(slot.0 as usize)?.as_ref()
    }

    /// All resources, data sources included.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &Arc<Resource>)> {
        (0..).map(Slot).zip(&self.slots).filter_map(|(slot, resource)| Some((slot, resource.as_ref()?)))
    }

    /// Number of resources and data sources.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The slots of the managed resources and data sources of type `kind`.
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> &[Slot] {
        self.by_kind.get(kind).map_or(&[], SmallVec::as_slice)
    }

    /// The instances of one block.
    #[must_use]
    pub fn instances(&self, target: &Target) -> &[Slot] {
        self.by_target.get(target).map_or(&[], SmallVec::as_slice)
    }

    /// The instances that `reference` may mean: exactly one where its key is known.
    #[must_use]
    pub fn resolve(&self, reference: &Reference) -> Vec<Slot> {
        let all = self.instances(&Target::of(reference));
        let has = |slot: &Slot, key: Option<&Key>| {
            self.get(*slot).is_some_and(|resource| resource.address.key.as_ref() == key)
        };
        match &reference.key {
            RefKey::Known(key) => {
                let one: Vec<Slot> = all.iter().copied().filter(|slot| has(slot, Some(key))).collect();
                // A block whose instances are not known has one stand-in without a key.
                if one.is_empty() {
                    all.iter().copied().filter(|slot| has(slot, None)).collect()
                } else {
                    one
                }
            }
            RefKey::None | RefKey::Unknown | RefKey::All => all.to_vec(),
        }
    }

    /// The resources with a reference to any instance of `target`.
    #[must_use]
    pub fn referrers(&self, target: &Target) -> &[Slot] {
        self.referrers.get(target).map_or(&[], SmallVec::as_slice)
    }

    /// The resources of `kind` whose identity attribute `name` is literally `text`.
    #[must_use]
    pub fn by_literal(&self, kind: &str, name: &str, text: &str) -> &[Slot] {
        let found = self.by_literal.get(kind).and_then(|of_kind| of_kind.get(name)?.get(text));
        found.map_or(&[], SmallVec::as_slice)
    }
}

/// Puts `slot` in its place among slots that are sorted and distinct.
fn include(slots: &mut Slots, slot: Slot) {
    match slots.last() {
        Some(last) if *last >= slot => {
            if let Err(at) = slots.binary_search(&slot) {
                slots.insert(at, slot);
            }
        }
        _ => slots.push(slot),
    }
}

fn exclude(slots: &mut Slots, slot: Slot) {
    if let Ok(at) = slots.binary_search(&slot) {
        slots.remove(at);
    }
}

/// Calls `visit` for every reference in the values of `map`, nested ones included.
pub(crate) fn each_reference(map: &Map, visit: &mut dyn FnMut(&Reference)) {
    map.values().for_each(|value| walk(value, visit));
}

fn walk(value: &Tracked, visit: &mut dyn FnMut(&Reference)) {
    value.references().iter().for_each(&mut *visit);
    match value.value() {
        Value::List(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Map(map) => map.values().for_each(|item| walk(item, visit)),
        Value::Unknown(unknown) => unknown.one_of.iter().flatten().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Origin, References};

    fn resource(address: &str, refers: Option<&str>) -> Arc<Resource> {
        let mut attributes = Map::default();
        if let Some(target) = refers {
            let to = Address::parse(target).unwrap();
            let reference = Reference {
                root: None,
                module: to.module,
                mode: to.mode,
                kind: to.kind,
                name: to.name,
                key: to.key.map_or(RefKey::None, RefKey::Known),
                attribute: "id".into(),
                exact: true,
            };
            let value = Tracked::new(Value::Null, Origin::Nowhere)
                .with_references(Some(References::shared([reference])));
            attributes.insert("bucket".into(), value);
        }
        Arc::new(Resource {
            address: Address::parse(address).unwrap(),
            attributes,
            declared: None,
            planned: None,
            action: None,
            undecided: None,
            incomplete: None,
            nearest_call: None,
            ignored: None,
        })
    }

    #[test]
    fn references_find_their_instance_and_their_referrers() {
        let facts = FactsTable::default();
        let mut graph = ResourceGraph::default();
        let (a, _) = graph.put(resource("aws_s3_bucket.b[\"a\"]", None), &facts);
        graph.put(resource("aws_s3_bucket.b[\"z\"]", None), &facts);
        let (log, _) = graph.put(resource("aws_s3_bucket_logging.l", Some("aws_s3_bucket.b[\"a\"]")), &facts);
        let bucket = graph.get(a).unwrap().clone();
        assert_eq!(graph.referrers(&Target::at(&bucket.address)), [log]);
        let logging = graph.get(log).unwrap().clone();
        let reference = &logging.attribute("bucket").unwrap().references()[0];
        assert_eq!(graph.resolve(reference), [a]);
    }

    #[test]
    fn a_replaced_resource_keeps_its_slot_and_loses_its_old_edges() {
        let facts = FactsTable::default();
        let mut graph = ResourceGraph::default();
        let (slot, _) = graph.put(resource("aws_s3_bucket_logging.l", Some("aws_s3_bucket.b")), &facts);
        let (again, old) = graph.put(resource("aws_s3_bucket_logging.l", Some("aws_s3_bucket.c")), &facts);
        assert_eq!((slot, old.is_some()), (again, true));
        let b = Target::at(&Address::parse("aws_s3_bucket.b").unwrap());
        assert!(graph.referrers(&b).is_empty());
        graph.remove(slot, &facts);
        assert!(graph.is_empty() && graph.of_kind("aws_s3_bucket_logging").is_empty());
    }
}
