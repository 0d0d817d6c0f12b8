//! A plan together with its configuration.
//!
//! The plan decides which instances exist, what is done with them, and the values that it knows; the
//! configuration decides places and references, and the values that the plan does not know yet. Where a literal
//! of the configuration says otherwise than the plan, or one of them has a resource of which the other would know,
//! the plan is stale and the configuration counts for that resource. What a plan of a part of the configuration
//! does not contain stays as the configuration has it: a plan never removes a finding.

mod values;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{Action, Address, Gap, GapKind, Mode, Resource, ResourceGraph, Slot, Tables, Target};
use values::{contradicts, merged_maps};

/// Joins the resources of a plan with those of its configuration. `name` is the plan's path for gaps.
#[must_use]
pub fn join(
    plan: &ResourceGraph,
    configuration: &ResourceGraph,
    tables: &Tables,
    name: &str,
) -> ResourceGraph {
    let mut graph = ResourceGraph::default();
    graph.layout.clone_from(&plan.layout);
    graph.gaps.extend(configuration.gaps.iter().cloned());
    graph.gaps.extend(plan.gaps.iter().cloned());
    let sides = Sides::new(plan, configuration);
    let mut stale: Vec<String> = Vec::new();
    for (_, planned) in plan.iter() {
        let joined = match sides.written(&planned.address) {
            Some(written) if sides.is_deleted_by_mistake(planned) => {
                stale.push(planned.address.to_string());
                Arc::clone(written)
            }
            Some(written) if is_stale(planned, written) => {
                stale.push(planned.address.to_string());
                let own = Resource {
                    address: planned.address.clone(),
                    action: planned.action,
                    ..Resource::clone(written)
                };
                Arc::new(own)
            }
            Some(written) => Arc::new(joined(planned, written)),
            None => {
                if sides.is_written_nowhere(planned) {
                    stale.push(planned.address.to_string());
                }
                sides.placed(planned)
            }
        };
        graph.put(joined, &tables.facts);
    }
    for (_, written) in configuration.iter() {
        // The plan holds what the call makes, and no stand-in for it is needed.
        let call = written.address.called_module().map(|_| written.address.without_keys().to_string());
        if call.is_some_and(|call| plan.iter().any(|(_, one)| is_below(&one.address, &call))) {
            continue;
        }
        match sides.fate(written) {
            Fate::Joined => continue,
            Fate::Stale => stale.push(written.address.to_string()),
            Fate::Written => {}
        }
        graph.put(Arc::clone(written), &tables.facts);
    }
    stale.sort();
    if let Some(first) = stale.first() {
        graph.gaps.push(Gap {
            kind: GapKind::StalePlan,
            path: name.to_owned(),
            at: None,
            reason: format!("the plan and its configuration disagree, first on {first}"),
            hint: "make the plan anew".to_owned(),
            count: u32::try_from(stale.len()).unwrap_or(u32::MAX),
            module: None,
        });
    }
    graph.gaps.sort();
    graph.gaps.dedup();
    graph
}

/// What becomes of a resource of the configuration.
enum Fate {
    /// It is that of the plan, or the plan says that there is none.
    Joined,
    /// The plan would have it, and does not.
    Stale,
    /// The plan says nothing of it.
    Written,
}

/// The plan and the configuration, each with its resources by block.
struct Sides<'a> {
    plan: &'a ResourceGraph,
    configuration: &'a ResourceGraph,
    planned: FxHashMap<Target, Slot>,
    written: FxHashMap<Target, Slot>,
    /// Whether everything goes: then nothing that goes does so by mistake.
    is_destruction: bool,
    /// Whether the configuration was read as a whole.
    is_whole: bool,
}

impl<'a> Sides<'a> {
    fn new(plan: &'a ResourceGraph, configuration: &'a ResourceGraph) -> Self {
        let by_block = |graph: &ResourceGraph| {
            graph.iter().map(|(slot, resource)| (block(&resource.address), slot)).collect()
        };
        let mut managed = plan.iter().filter(|(_, one)| one.address.mode == Mode::Managed);
        Self {
            plan,
            configuration,
            planned: by_block(plan),
            written: by_block(configuration),
            is_destruction: managed.all(|(_, one)| one.action.is_some_and(Action::removes)),
            is_whole: configuration.gaps.iter().all(|gap| gap.kind == GapKind::Reference),
        }
    }

    /// The resource of the configuration at `address`: its instance, else the stand-in for all of them.
    fn written(&self, address: &Address) -> Option<&'a Arc<Resource>> {
        let exact = self.configuration.instances(&Target::at(address));
        let all = if exact.is_empty() { self.configuration.instances(&block(address)) } else { exact };
        let resources = || all.iter().filter_map(|slot| self.configuration.get(*slot));
        resources()
            .find(|one| one.address.key == address.key)
            .or_else(|| resources().find(|one| one.address.key.is_none()))
    }

    /// An instance that the configuration does not know of stands at the block that it is one of.
    fn placed(&self, planned: &Arc<Resource>) -> Arc<Resource> {
        let block = self.written.get(&block(&planned.address));
        match block.and_then(|slot| self.configuration.get(*slot)) {
            Some(written) => Arc::new(Resource {
                declared: written.declared,
                nearest_call: written.nearest_call.clone(),
                ..Resource::clone(planned)
            }),
            None => Arc::clone(planned),
        }
    }

    /// Whether a plan makes or keeps what the configuration has no block for. Which instances there are is for the
    /// plan to say; a block without `count` and `for_each` has one.
    fn is_written_nowhere(&self, planned: &Resource) -> bool {
        self.is_whole
            && planned.address.mode == Mode::Managed
            && planned.action.is_some_and(|action| !action.removes())
            && is_single(&planned.address)
            && !self.written.contains_key(&Target::at(&planned.address))
    }

    /// Whether a plan deletes what the configuration has a block for.
    fn is_deleted_by_mistake(&self, planned: &Resource) -> bool {
        !self.is_destruction
            && planned.address.mode == Mode::Managed
            && planned.action.is_some_and(Action::removes)
            && self.written(&planned.address).is_some_and(|written| is_certain(written))
    }

    fn fate(&self, written: &Resource) -> Fate {
        let address = &written.address;
        let same = self.plan.instances(&Target::at(address)).iter();
        if same.filter_map(|slot| self.plan.get(*slot)).any(|one| one.address.key == address.key) {
            return Fate::Joined;
        }
        let has_others = self.planned.contains_key(&block(address));
        match self.plan.complete && address.mode == Mode::Managed {
            true if is_certain(written) && !has_others => Fate::Stale,
            true => Fate::Joined,
            // What stands for all instances is needed where the plan has none of them.
            false if has_others && (address.key.is_none() || self.plan.partial.is_none()) => Fate::Joined,
            false => Fate::Written,
        }
    }
}

/// Whether a block of the configuration has this one instance, whatever the values of variables are.
fn is_certain(written: &Resource) -> bool {
    written.undecided.is_none() && is_single(&written.address) && written.address.called_module().is_none()
}

fn is_single(address: &Address) -> bool {
    address.key.is_none() && !address.module.as_str().contains('[')
}

/// The block of the resource at `address`, in whichever instance of its module.
fn block(address: &Address) -> Target {
    Target { module: address.module.without_keys(), ..Target::at(address) }
}

/// Whether a resource stands in the module that `call` makes, or in one below it.
fn is_below(address: &Address, call: &str) -> bool {
    let module = address.module.without_keys();
    module.as_str().strip_prefix(call).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a literal in the resource's own block says otherwise than the plan.
fn is_stale(planned: &Resource, written: &Resource) -> bool {
    if planned.address.mode == Mode::Data || planned.action.is_some_and(Action::removes) {
        return false;
    }
    let is_new = planned.action == Some(Action::Create);
    written.attributes.iter().any(|(name, value)| {
        (is_new || !written.ignores(name))
            && planned.attribute(name).is_some_and(|other| contradicts(other, value))
    })
}

fn joined(planned: &Resource, written: &Resource) -> Resource {
    let mut attributes = merged_maps(&planned.attributes, &written.attributes);
    // What is written now is not what is there: the plan shows that nothing stands there.
    if planned.action.is_some_and(|action| action != Action::Create) && planned.incomplete.is_none() {
        attributes.retain(|name, _| planned.attributes.contains_key(name) || !written.ignores(name));
    }
    Resource {
        address: planned.address.clone(),
        attributes,
        declared: written.declared,
        planned: planned.planned,
        action: planned.action,
        undecided: planned.undecided.clone(),
        // The configuration says what is set, whatever the plan lacks.
        incomplete: written.incomplete.clone(),
        nearest_call: written.nearest_call.clone(),
        ignored: written.ignored.clone(),
    }
}
