//! In which regions the sources of a root record.

use std::collections::{BTreeMap, BTreeSet};

use auditlint_graph::{Cause, ResourceGraph};
use auditlint_syntax::Name;

use super::evaluator::{Evaluator, Matter};
use super::{Context, Subject, is_judged};
use crate::destination::{Part, folded, standing};
use crate::facts::Regions;
use crate::{Category, Verdict};

/// The regions in which something records a category.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Those that are known.
    pub regions: BTreeSet<Name>,
    /// Whether it is recorded in every region.
    pub everywhere: bool,
    /// Why it may be recorded in others as well.
    pub unknown: Option<Cause>,
}

impl Reach {
    /// Takes in what another source or root reaches.
    pub fn join(&mut self, other: Self) {
        self.regions.extend(other.regions);
        self.everywhere |= other.everywhere;
        self.unknown = self.unknown.take().or(other.unknown);
    }

    /// Those of `asked` in which nothing is known to record.
    #[must_use]
    pub fn missing<'a>(&self, asked: &'a [Name]) -> Vec<&'a Name> {
        let is_reached = |region: &Name| self.regions.iter().any(|known| folded(known) == folded(region));
        asked.iter().filter(|region| !self.everywhere && !is_reached(region)).collect()
    }
}

impl Evaluator {
    /// In which regions each category is recorded of which the policy asks that, as the last verdicts have it.
    #[must_use]
    pub fn reach(&self, graph: &ResourceGraph, matter: Matter<'_>) -> BTreeMap<Category, Reach> {
        let asked = matter.policy.demands.iter().filter(|demand| !demand.regions.is_empty());
        let mut out: BTreeMap<Category, Reach> =
            asked.map(|demand| (demand.category, Reach::default())).collect();
        if out.is_empty() {
            return out;
        }
        for (slot, resource) in graph.iter().filter(|(_, resource)| is_judged(resource)) {
            let context = self.context(graph, matter, (slot, resource));
            for category in context.flow.emitted(slot) {
                if let Some(known) = out.get_mut(&category) {
                    known.join(reach_of(&context, category));
                }
            }
        }
        out
    }
}

/// In which regions a source records a category.
fn reach_of(context: &Context<'_>, category: Category) -> Reach {
    let resource = context.resource;
    if let Some(cause) = resource.undecided.as_deref() {
        return Reach { unknown: Some(cause.clone()), ..Reach::default() };
    }
    let facts = context.catalogue.facts(resource.kind()).into_iter();
    let emissions =
        facts.flat_map(|facts| &facts.emits).filter(|emission| emission.categories.contains(&category));
    let mut reach = Reach::default();
    for regions in emissions.filter_map(|emission| emission.regions.as_ref()) {
        match regions {
            Regions::All => reach.everywhere = true,
            Regions::None => return Reach::default(),
            Regions::AllWhere(condition) => {
                let judged = context.condition(condition, &Subject::resource(resource));
                reach.everywhere |= judged.verdict == Verdict::Pass;
                if judged.verdict == Verdict::Unknown {
                    reach.unknown = judged.cause;
                }
            }
        }
    }
    match standing(resource, Part::Region) {
        Ok(region) => drop(reach.regions.insert(region)),
        Err(cause) => reach.unknown = reach.unknown.or(Some(cause)),
    }
    reach
}
