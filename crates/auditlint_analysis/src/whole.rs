//! What takes all of a root to say: where its logs may rest, and what policies in Rego find. An editor asks it after it
//! has shown what an edit changed.

use auditlint_graph::ResourceGraph;
use auditlint_policy::rego::Answer;
use auditlint_policy::{Evaluator, destination};

use crate::chosen::Chosen;
use crate::rego;
use crate::root::{Prepared, Root, World};

/// Whether the policy asks anything of that kind.
pub(crate) fn is_asked(chosen: &Chosen, set: &Prepared) -> bool {
    !set.rego.is_empty() || !chosen.policy.destinations.is_empty()
}

/// The answer for a root whose resources `evaluator` judged.
pub(crate) fn answer(
    root: &Root,
    (graph, evaluator): (&ResourceGraph, &Evaluator),
    chosen: &Chosen,
    world: &World<'_>,
) -> Answer {
    let mut answer = rego::answer(root, (graph, evaluator), chosen, world);
    answer.findings.extend(destination::outside(graph, evaluator, chosen.matter(world.set), &root.name()));
    answer
}
