//! The paths that logs take, as findings show them.

use std::sync::Arc;

use auditlint_graph::Slot;

use super::outside::exits;
use super::{Flow, LONGEST, SHOWN};
use crate::crossing::Elsewhere;
use crate::evaluate::{Context, Read};
use crate::external::ExternalStore;
use crate::{Days, FlowStep, probes};

impl Flow {
    /// The paths through a resource, for its findings: from a source forwards, to a store from each source.
    pub(crate) fn paths(&self, slot: Slot, context: &Context<'_>) -> Vec<Vec<FlowStep>> {
        let mut out: Vec<Vec<FlowStep>> = Vec::new();
        context.note(|| Read::Flow(slot));
        let steps = |path: &[Slot]| -> Vec<FlowStep> {
            path.iter().filter_map(|slot| self.step(*slot, context)).collect()
        };
        if self.is_source(slot) && (self.next.contains_key(&slot) || self.destinations.contains_key(&slot)) {
            let mut paths = Vec::new();
            self.forward(slot, context, &mut vec![slot], &mut paths);
            for path in paths {
                let beyond = path.last().and_then(|last| self.destinations.get(last));
                match beyond {
                    None => out.push(steps(&path)),
                    Some(beyond) => out.extend(beyond.iter().map(|there| {
                        let facts = context.catalogue.facts(&there.address.kind);
                        let keeps = facts.is_some_and(|facts| facts.keeps.is_some());
                        let role = if keeps { "store" } else { "forwarder" };
                        let there = FlowStep::elsewhere(there, role);
                        steps(&path).into_iter().chain([there]).collect()
                    })),
                }
            }
        } else if self.is_source(slot) && self.externals.names_stores {
            out.push(steps(&[slot]));
        } else if self.is_reached(slot) {
            out.extend(self.before(slot).iter().take(SHOWN).map(|source| steps(&[*source, slot])));
            let arrivals = self.arrivals(slot).iter().take(SHOWN);
            out.extend(arrivals.map(|arrival| {
                let source = FlowStep::elsewhere(&arrival.from, "source");
                [source].into_iter().chain(steps(&[slot])).collect()
            }));
        }
        if self.is_source(slot) && self.externals.names_stores {
            self.leave(slot, context, &mut out);
        }
        out.truncate(SHOWN);
        out
    }

    /// Adds the external stores in which the paths of a source end. A path that was only the source itself goes where
    /// there is none.
    fn leave(&self, slot: Slot, context: &Context<'_>, paths: &mut Vec<Vec<FlowStep>>) {
        let emitted: Vec<_> = self.emitted(slot).collect();
        let mut left = Vec::new();
        for exit in exits(context, self, &emitted) {
            let Some(store) = self.externals.named_by(&exit.value) else { continue };
            let from = context.get(exit.station).map(|station| station.address.to_string());
            let before = paths.iter().filter_map(|path| {
                let at = path.iter().position(|step| Some(&step.address) == from.as_ref())?;
                path.get(..=at)
            });
            let Some(before) = before.min_by_key(|path| path.len()) else { continue };
            let name = exit.value.value().as_str().filter(|_| !exit.value.sensitive).unwrap_or(&store.id);
            left.push(before.iter().cloned().chain([FlowStep::outside(name, store)]).collect());
        }
        paths.retain(|path| {
            path.len() > 1 && !left.iter().any(|longer: &Vec<FlowStep>| longer.starts_with(path))
        });
        paths.append(&mut left);
    }

    fn forward(&self, slot: Slot, context: &Context<'_>, path: &mut Vec<Slot>, out: &mut Vec<Vec<Slot>>) {
        context.note(|| Read::Flow(slot));
        let next = self.behind(slot, path.len() == 1);
        let onward: Vec<Slot> = next.iter().copied().filter(|next| !path.contains(next)).collect();
        if onward.is_empty() || path.len() > LONGEST || out.len() >= SHOWN {
            out.push(path.clone());
            return;
        }
        if self.destinations.contains_key(&slot) {
            out.push(path.clone());
        }
        for next in onward {
            path.push(next);
            self.forward(next, context, path, out);
            path.pop();
        }
    }

    fn step(&self, slot: Slot, context: &Context<'_>) -> Option<FlowStep> {
        context.note(|| Read::Flow(slot));
        let resource = context.get(slot)?;
        let facts = context.catalogue.facts(resource.kind());
        let keeps = facts.is_some_and(|facts| facts.keeps.is_some());
        let role = match (self.is_source(slot) && !self.is_reached(slot), keeps) {
            (true, _) => "source",
            (false, true) => "store",
            (false, false) => "forwarder",
        };
        let retention = if role == "store" {
            probes::effective_retention(&context.at(slot, resource)).ok()
        } else {
            None
        };
        Some(FlowStep {
            address: resource.address.to_string(),
            role,
            retention_days: match retention {
                Some((Days::Count(days), _)) => Some(days),
                _ => None,
            },
            never_expires: matches!(retention, Some((Days::Never, _))),
            external: false,
            root: None,
        })
    }
}

impl FlowStep {
    /// A store that the policy speaks of.
    fn outside(name: &str, store: &ExternalStore) -> Self {
        Self {
            address: name.to_owned(),
            role: "store",
            retention_days: match store.retention {
                Some(Days::Count(days)) => Some(days),
                Some(Days::Never) | None => None,
            },
            never_expires: store.retention == Some(Days::Never),
            external: true,
            root: None,
        }
    }

    /// A station of another root. What it keeps is for that root to say.
    fn elsewhere(there: &Elsewhere, role: &'static str) -> Self {
        Self {
            address: there.address.to_string(),
            role,
            retention_days: None,
            never_expires: false,
            external: false,
            root: Some(Arc::clone(&there.root)),
        }
    }
}
