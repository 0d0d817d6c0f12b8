//! What comes to rest behind a station: a log group that keeps its events for a month and passes all of them on to a
//! bucket that keeps them for years is a buffer, and the bucket is its archive.

use std::collections::BTreeSet;

use auditlint_graph::Slot;

use super::outside::written_forwards;
use super::{Certainty, Flow, LONGEST, Neighbours};
use crate::crossing::Elsewhere;
use crate::evaluate::{Context, Read};
use crate::{Days, Place, Related, probes};

/// The store behind a station that keeps longest what comes in there.
pub(crate) struct Archive {
    /// How long.
    pub(crate) days: Days,
    /// Which one.
    pub(crate) related: Related,
}

/// The archive of what comes in at the resource of `context`: only stores count that get all of it for certain.
pub(crate) fn archive(context: &Context<'_>, flow: &Flow) -> Option<Archive> {
    let elsewhere = |slot: Slot| flow.destinations.get(&slot).map_or(&[][..], Vec::as_slice);
    along(context, flow, &flow.whole, elsewhere)
}

/// What keeps all that reaches the resource of `context` for `asked`: itself, or a store behind it.
pub(crate) fn keeper_behind(context: &Context<'_>, flow: &Flow, asked: Days) -> Option<Related> {
    if let Some(days) = own(context).filter(|days| *days >= asked) {
        let message = format!("{} keeps all of it {}", context.resource.address, kept(days));
        return Some(Related { message, ..context.related(context.resource, String::new()) });
    }
    archive(context, flow).filter(|archive| archive.days >= asked).map(|archive| archive.related)
}

/// The archive along the ways of `whole`; `elsewhere` are the stations of other roots behind one of here.
fn along<'e>(
    context: &Context<'_>,
    flow: &Flow,
    whole: &Neighbours,
    elsewhere: impl Fn(Slot) -> &'e [Elsewhere],
) -> Option<Archive> {
    let mut best: Option<Archive> = None;
    let mut offer = |days: Days, name: &str, place: Place| {
        if best.as_ref().is_none_or(|best| days > best.days) {
            let message = format!("all of it goes on to {name}, which keeps it {}", kept(days));
            best = Some(Archive { days, related: Related { message, place } });
        }
    };
    let mut seen = BTreeSet::from([context.slot]);
    let mut open: Vec<(Slot, usize)> = vec![(context.slot, 0)];
    while let Some((slot, depth)) = open.pop() {
        context.note(|| Read::Flow(slot));
        let onward = whole.get(&slot).into_iter().flatten();
        open.extend(
            onward.filter(|next| depth < LONGEST && seen.insert(**next)).map(|next| (*next, depth + 1)),
        );
        let Some(resource) = context.get(slot) else { continue };
        let station = context.at(slot, resource);
        if slot != context.slot
            && let Some(days) = own(&station)
        {
            let place = context.related(resource, String::new()).place;
            offer(days, &resource.address.to_string(), place);
        }
        if flow.keeps_a_part_back(slot) {
            continue;
        }
        for there in elsewhere(slot) {
            if let Some(days) = there.kept {
                let place = there.at.map_or(Place::Nowhere, Place::Source);
                offer(days, &format!("{} in root {}", there.address, there.root), place);
            }
        }
        for exit in written_forwards(&station, flow) {
            let Some(store) = flow.externals.named_by(&exit.value) else { continue };
            if let Some(days) = store.retention {
                offer(days, &format!("external store {}", store.id), Place::Source(store.at));
            }
        }
    }
    best
}

/// A store before the resource of `context` that keeps all of what comes in here for `asked`, where everything comes
/// from such stores: a copy may go earlier than what it was made of.
pub(crate) fn original(context: &Context<'_>, flow: &Flow, asked: Days) -> Option<Related> {
    keeper(context, flow, asked, 0)
}

fn keeper(context: &Context<'_>, flow: &Flow, asked: Days, depth: usize) -> Option<Related> {
    context.note(|| Read::Flow(context.slot));
    if depth > LONGEST || flow.arrivals.contains_key(&context.slot) {
        return None;
    }
    let mut found = None;
    for before in flow.before(context.slot) {
        let emits_it =
            flow.parts.get(before).is_some_and(|part| part.direct.iter().any(|d| d.to == context.slot));
        let resource = context.get(*before).filter(|_| !emits_it)?;
        let station = context.at(*before, resource);
        found = Some(match own(&station).filter(|days| *days >= asked) {
            Some(days) => {
                let message = format!("it is a copy of what {} keeps {}", resource.address, kept(days));
                Related { message, ..context.related(resource, String::new()) }
            }
            None => keeper(&station, flow, asked, depth + 1)?,
        });
    }
    found
}

/// How long what comes in at the resource of `context` is kept, there or behind it.
/// What that means in other roots is not asked: they ask in turn.
pub(super) fn rest(context: &Context<'_>, flow: &Flow, whole: &Neighbours) -> Option<Days> {
    own(context).max(along(context, flow, whole, |_| &[]).map(|archive| archive.days))
}

/// How long the resource of `context` keeps logs itself; none where it keeps none, or nobody says.
fn own(context: &Context<'_>) -> Option<Days> {
    let facts = context.catalogue.facts(context.resource.kind())?;
    facts.keeps.as_ref()?;
    probes::effective_retention(context).ok().map(|(days, _)| days)
}

fn kept(days: Days) -> String {
    match days {
        Days::Never => "for ever".to_owned(),
        days @ Days::Count(_) => format!("for {days}"),
    }
}

impl Flow {
    /// Whether the resource may pass on less than what comes in.
    pub(super) fn keeps_a_part_back(&self, slot: Slot) -> bool {
        self.parts.get(&slot).is_some_and(|part| part.is_partial)
    }

    /// The stations that get all of what comes in at each, for certain.
    pub(super) fn of_everything(&self) -> Neighbours {
        let mut whole = Neighbours::default();
        for part in self.parts.values().filter(|part| !part.is_partial) {
            for hop in part.links.iter().filter(|hop| hop.certainty != Certainty::Open) {
                whole.entry(hop.from).or_default().push(hop.to);
            }
        }
        whole.values_mut().for_each(|stations| {
            stations.sort_unstable();
            stations.dedup();
        });
        whole
    }
}
