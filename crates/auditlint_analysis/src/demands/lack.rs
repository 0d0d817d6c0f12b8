//! What roots do not have of what a demand asks.

use std::sync::Arc;

use auditlint_graph::{Cause, CauseKind};
use auditlint_policy::check::ATTESTED_MODULE;
use auditlint_policy::{Category, Demand, Finding, Reach};
use auditlint_syntax::Name;

use crate::RootReport;

/// A category that roots do not record, or not in every region that is asked.
pub(super) struct Lack<'d> {
    /// Whether they record the category at all.
    pub(super) is_recorded: bool,
    /// The regions in which it is not known to be recorded.
    pub(super) regions: Vec<&'d Name>,
    /// Why it may be recorded there all the same.
    pub(super) cause: Option<Cause>,
}

impl<'d> Lack<'d> {
    /// Nothing where the roots have it all.
    pub(super) fn of(roots: &[RootReport], demand: &'d Demand) -> Option<Self> {
        let is_recorded = roots.iter().any(|root| holds_source(root, demand.category));
        let mut reach = Reach::default();
        let known = roots.iter().filter_map(|root| root.reach.get(&demand.category));
        known.cloned().for_each(|known| reach.join(known));
        if let Some(attested) = roots.iter().find_map(|root| attested(root, demand.category)) {
            let subject = format!("in which regions a module records ({})", attested.message);
            let hint = "say by `external_sources` which regions it covers".to_owned();
            let cause = Cause { kind: CauseKind::Module, subject, hint };
            reach.join(Reach { unknown: Some(cause), ..Reach::default() });
        }
        let regions = reach.missing(&demand.regions);
        let is_met = is_recorded && regions.is_empty();
        (!is_met).then_some(Self { is_recorded, regions, cause: reach.unknown })
    }

    /// ` in eu-west-1, us-east-1`
    pub(super) fn places(&self) -> String {
        let regions: Vec<&str> = self.regions.iter().map(|region| region.as_str()).collect();
        if regions.is_empty() { String::new() } else { format!(" in {}", regions.join(", ")) }
    }
}

/// Whether a root holds a source of the category, be it in a module of which somebody says so.
fn holds_source(root: &RootReport, category: Category) -> bool {
    root.summary.by_category.iter().any(|(known, count)| *known == category && *count > 0)
        || attested(root, category).is_some()
}

/// The module of which somebody says that it holds a source of the category.
fn attested(root: &RootReport, category: Category) -> Option<&Arc<Finding>> {
    let is_meant = |finding: &&Arc<Finding>| {
        *finding.rule == *ATTESTED_MODULE.id && finding.categories.contains(&category)
    };
    root.findings.iter().find(is_meant)
}
