//! What is said of a root as a whole, and what becomes of it while the root is edited.

use std::sync::Arc;

use auditlint_graph::{Address, Gap, Resource, ResourceGraph, Target};

use crate::evaluate::place;
use crate::{Finding, Place, Related};

/// What is said of a root as a whole: where its logs may rest, what may not become of them, what policies in Rego find.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// What was found.
    pub findings: Vec<Finding>,
    /// Policies that came to no end.
    pub gaps: Vec<Gap>,
}

impl Answer {
    /// A finding where its resource stands in `graph`, a later state of the same root; none where the resource is gone.
    /// What would mend it may speak of places that have moved, and is left out until it is asked for again.
    #[must_use]
    pub fn followed(finding: &Arc<Finding>, graph: &ResourceGraph) -> Option<Arc<Finding>> {
        if finding.address.is_nobody() {
            return Some(Arc::clone(finding));
        }
        let (place, _) = placed(graph, instance(graph, &finding.address)?, finding.attribute.as_deref());
        Some(Arc::new(Finding { place, remedies: Vec::new(), ..Finding::clone(finding) }))
    }
}

/// Where a resource, or what stands at `path` in it, is written.
pub(crate) fn placed(
    graph: &ResourceGraph,
    resource: &Resource,
    path: Option<&str>,
) -> (Place, Vec<Related>) {
    let value = path.and_then(|path| resource.attribute(path.split(['.', '[']).next().unwrap_or(path)));
    place::of(graph, resource, path, value)
}

/// The resource instance at an address; of a block that is named without a key, its first.
pub(crate) fn instance<'g>(graph: &'g ResourceGraph, address: &Address) -> Option<&'g Resource> {
    let slots = graph.instances(&Target::at(address));
    let resources = || slots.iter().filter_map(|slot| graph.get(*slot)).map(|resource| &**resource);
    resources().find(|resource| resource.address == *address).or_else(|| resources().next())
}
