//! Where a finding sits, and the walk to the literal that decides.

use auditlint_graph::{Origin, Resource, ResourceGraph, Tracked};
use auditlint_syntax::Location;

use crate::{Place, Related};

/// The place of a finding on `resource`, and the related places of the value that decided.
pub(crate) fn of(
    graph: &ResourceGraph,
    resource: &Resource,
    attribute: Option<&str>,
    value: Option<&Tracked>,
) -> (Place, Vec<Related>) {
    let mut related = Vec::new();
    if let Some(value) = value {
        trail(&value.origin, &mut related);
    }
    // A module that is not ours is judged at our call: on its argument that decides, else on its header.
    if let Some(call) = &resource.nearest_call {
        let argument = value.and_then(|value| argument_of(&value.origin, call.block));
        let place = Place::Source(argument.unwrap_or(call.header));
        related.retain(|related| related.place != place);
        return (place, related);
    }
    let written = value.and_then(|value| value.origin.at()).filter(|at| {
        resource
            .declared
            .is_some_and(|declared| declared.block.file == at.file && declared.block.span.covers(at.span))
    });
    let place = match (written, resource.declared, resource.planned) {
        (Some(at), ..) => Place::Source(at),
        (None, Some(declared), _) => Place::Source(declared.header),
        (None, None, Some((section, index))) => {
            let path = attribute.unwrap_or_default();
            Place::Plan(match &graph.layout {
                Some(layout) => layout.pointer(section, index, &resource.attributes, path),
                None => section.pointer(index, &resource.attributes, path),
            })
        }
        (None, None, None) => Place::Nowhere,
    };
    if let Place::Source(at) = place {
        related.retain(|related| related.place != Place::Source(at));
    }
    (place, related)
}

/// The first place in the history of a value that lies in the block of `call`.
fn argument_of(origin: &Origin, call: Location) -> Option<Location> {
    let inside = |at: &Location| at.file == call.file && call.span.covers(at.span);
    match origin {
        Origin::Derived(derived) => Some(derived.at)
            .filter(inside)
            .or_else(|| derived.from.iter().find_map(|from| argument_of(from, call))),
        other => other.at().filter(inside),
    }
}

/// The literals behind a derived value, the decisive ones first, at most three.
fn trail(origin: &Origin, out: &mut Vec<Related>) {
    let Origin::Derived(derived) = origin else { return };
    for from in &derived.from {
        if out.len() >= 3 {
            return;
        }
        match from {
            Origin::Written(at) => {
                out.push(Related { message: "this value decides".to_owned(), place: Place::Source(*at) });
            }
            Origin::AssumedDefault(at) => {
                out.push(Related {
                    message: "the default of the variable decides".to_owned(),
                    place: Place::Source(*at),
                });
            }
            inner => trail(inner, out),
        }
    }
}

/// The place of the literal that decides.
pub(crate) fn decisive(origin: &Origin) -> Place {
    origin.decisive().at().map_or(Place::Nowhere, Place::Source)
}

/// The word of evidence for an origin.
pub(crate) const fn origin_word(origin: &Origin) -> &'static str {
    match origin {
        Origin::Nowhere => "computed",
        Origin::Written(_) => "written",
        Origin::AssumedDefault(_) => "assumed_default",
        Origin::Given(_) => "given",
        Origin::ProviderDefault => "provider_default",
        Origin::Plan(..) => "plan",
        Origin::Derived(_) => "derived",
    }
}
