//! What takes all of a root to say: where its logs may rest, what may not become of them, and what policies in Rego find.
//! An editor asks it after it has shown what an edit changed.

use std::cell::LazyCell;

use auditlint_graph::ResourceGraph;
use auditlint_policy::{Answer, Evaluator, change, destination};

use crate::chosen::Chosen;
use crate::rego;
use crate::root::Root;
use crate::world::{Prepared, World};

/// Whether the policy asks anything of that kind.
pub(crate) fn is_asked(chosen: &Chosen, set: &Prepared) -> bool {
    !set.rego.is_empty() || !chosen.policy.destinations.is_empty() || !chosen.policy.changes.is_empty()
}

/// The answer for a root whose resources `evaluator` judged.
pub(crate) fn answer(
    root: &Root,
    (graph, evaluator): (&ResourceGraph, &Evaluator),
    chosen: &Chosen,
    world: &World<'_>,
) -> Answer {
    let (matter, name) = (chosen.matter(world.set), root.name());
    let flow = LazyCell::new(|| evaluator.flow_map(graph, matter, &name));
    let mut answer = Answer::default();
    if !world.set.rego.is_empty() {
        answer = rego::answer(root, (graph, &flow), chosen, world);
    }
    if !chosen.policy.destinations.is_empty() {
        answer.findings.extend(destination::outside(graph, &flow, matter, &name));
    }
    if !chosen.policy.changes.is_empty() {
        answer.findings.extend(change::ignored(graph, evaluator, matter, &world.set.tables.facts));
        if let Some(before) = root.plan.as_ref().and_then(|plan| plan.before.as_ref()) {
            answer.findings.extend(change::forbidden(before, (graph, &flow), matter, &name));
        }
    }
    answer
}
