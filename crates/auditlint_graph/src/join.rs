//! A plan together with its configuration.
//!
//! The plan decides which instances exist, what is done with them, and the values that it knows; the
//! configuration decides places and references, and the values that the plan does not know yet. Where a literal
//! of the configuration says otherwise than the plan, the plan is stale and the configuration counts for that
//! resource. What the plan does not contain stays as the configuration has it: a plan never removes a finding.

use std::sync::Arc;

use crate::{
    Address, Gap, GapKind, Map, Mode, Origin, Resource, ResourceGraph, Tables, Target, Tracked, Value,
};

/// Joins the resources of a plan with those of its configuration. `name` is the plan's path for gaps.
#[must_use]
pub fn join(
    plan: &ResourceGraph,
    configuration: &ResourceGraph,
    tables: &Tables,
    name: &str,
) -> ResourceGraph {
    let mut graph = ResourceGraph::default();
    graph.gaps.extend(configuration.gaps.iter().cloned());
    graph.gaps.extend(plan.gaps.iter().cloned());
    let mut stale = 0;
    let mut first = None;
    for (_, planned) in plan.iter() {
        let joined = match written(configuration, &planned.address) {
            None => Arc::clone(planned),
            Some(written) if is_stale(planned, written) => {
                stale += 1;
                first.get_or_insert_with(|| planned.address.to_string());
                let own = Resource {
                    address: planned.address.clone(),
                    action: planned.action,
                    ..Resource::clone(written)
                };
                Arc::new(own)
            }
            Some(written) => Arc::new(joined(planned, written)),
        };
        graph.put(joined, &tables.facts);
    }
    for (_, written) in configuration.iter() {
        // The plan holds what the call makes, and no stand-in for it is needed.
        let call = written.address.called_module().map(|_| written.address.without_keys().to_string());
        if call.is_some_and(|call| plan.iter().any(|(_, one)| is_below(&one.address, &call))) {
            continue;
        }
        if plan.instances(&Target::at(&written.address)).is_empty() {
            graph.put(Arc::clone(written), &tables.facts);
        }
    }
    if let Some(first) = first {
        graph.gaps.push(Gap {
            kind: GapKind::StalePlan,
            path: name.to_owned(),
            at: None,
            reason: format!("the plan and its configuration disagree, first on {first}"),
            hint: "make the plan anew".to_owned(),
            count: stale,
        });
    }
    graph.gaps.sort();
    graph.gaps.dedup();
    graph
}

/// Whether a resource stands in the module that `call` makes, or in one below it.
fn is_below(address: &Address, call: &str) -> bool {
    let module = address.module.without_keys();
    module.as_str().strip_prefix(call).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The resource of the configuration at `address`: its instance, else the stand-in for all of them.
fn written<'a>(configuration: &'a ResourceGraph, address: &Address) -> Option<&'a Arc<Resource>> {
    let exact = configuration.instances(&Target::at(address));
    let bare = Target { module: address.module.without_keys(), ..Target::at(address) };
    let all = if exact.is_empty() { configuration.instances(&bare) } else { exact };
    let resources = || all.iter().filter_map(|slot| configuration.get(*slot));
    resources()
        .find(|one| one.address.key == address.key)
        .or_else(|| resources().find(|one| one.address.key.is_none()))
}

/// Whether a literal in the resource's own block says otherwise than the plan.
fn is_stale(planned: &Resource, written: &Resource) -> bool {
    if planned.address.mode == Mode::Data || planned.action.is_some_and(crate::Action::removes) {
        return false;
    }
    written.attributes.iter().any(|(name, value)| {
        matches!(value.origin, Origin::Written(_))
            && planned.attribute(name).is_some_and(|other| differs(other.value(), value.value()))
    })
}

/// Whether two scalars are known and not the same. Providers write texts, numbers and truth values alike.
fn differs(planned: &Value, written: &Value) -> bool {
    match (scalar(planned), scalar(written)) {
        (Some(planned), Some(written)) => planned != written,
        _ => false,
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        // A document is compared by nobody: providers reorder and reformat it.
        Value::String(text) if !text.trim_start().starts_with(['{', '[']) => Some(text.to_string()),
        _ => None,
    }
}

fn joined(planned: &Resource, written: &Resource) -> Resource {
    let mut attributes = Map::default();
    for (name, own) in &written.attributes {
        let value = match planned.attribute(name) {
            Some(other) => merged(other, own),
            None => own.clone(),
        };
        attributes.insert(name.clone(), value);
    }
    for (name, other) in &planned.attributes {
        if !attributes.contains_key(name) {
            attributes.insert(name.clone(), other.clone());
        }
    }
    Resource {
        address: planned.address.clone(),
        attributes,
        declared: written.declared,
        planned: planned.planned,
        action: planned.action,
        undecided: None,
        // The configuration says what is set, whatever the plan lacks.
        incomplete: written.incomplete.clone(),
        nearest_call: written.nearest_call,
    }
}

/// The plan's value where it is known, at the place and with the references of the configuration.
fn merged(planned: &Tracked, written: &Tracked) -> Tracked {
    let sensitive = planned.sensitive || written.sensitive;
    let value = match (planned.value(), written.value()) {
        (Value::Unknown(_), _) => return written.clone().marked(sensitive),
        (Value::List(theirs), Value::List(ours)) if theirs.len() == ours.len() => {
            let items: Vec<Tracked> = theirs.iter().zip(ours.iter()).map(|(a, b)| merged(a, b)).collect();
            Value::List(items.into())
        }
        (Value::Map(theirs), Value::Map(ours)) => {
            let mut map = Map::default();
            for (name, own) in ours.iter() {
                map.insert(
                    name.clone(),
                    theirs.get(name).map_or_else(|| own.clone(), |other| merged(other, own)),
                );
            }
            for (name, other) in theirs.iter() {
                map.entry(name.clone()).or_insert_with(|| other.clone());
            }
            Value::Map(Arc::new(map))
        }
        (known, _) => known.clone(),
    };
    written.clone().with_value(value).marked(sensitive)
}
