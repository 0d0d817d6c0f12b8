//! Modules that are not here, of which the policy says who answers for them: such a module is exempt, and no gap, until
//! the day on which somebody has to look again.

use std::sync::Arc;

use auditlint_graph::{Gap, ResourceGraph};
use auditlint_policy::check::ATTESTED_MODULE;
use auditlint_policy::external::AttestedModule;
use auditlint_policy::{Finding, Place, Policy, Verdict};
use jiff::civil::Date;

/// What is said of the module that a gap is about.
pub(crate) fn answer<'p>(gap: &Gap, policy: &'p Policy, today: Option<Date>) -> Option<&'p AttestedModule> {
    let module = policy.externals.module(gap.module.as_ref()?)?;
    today.is_none_or(|today| today <= module.review_by).then_some(module)
}

/// A finding for each module of which somebody answers, on its first call.
pub(crate) fn findings(
    graph: &ResourceGraph,
    policy: &Policy,
    root: &str,
    today: Option<Date>,
) -> Vec<Arc<Finding>> {
    let of = |gap: &Gap| {
        let module = answer(gap, policy, today)?;
        let message = format!("{}: not read, {} says what it provides", gap.reason, module.attested_by);
        let reason = format!("{} answers for it until {}", module.attested_by, module.review_by);
        let finding = ATTESTED_MODULE.finding(policy, module.at, module.provides.clone(), message);
        let place = gap.at.map_or(finding.place.clone(), Place::Source);
        let (verdict, exemption) = (Verdict::Exempt, Some(reason));
        Some(Arc::new(Finding { verdict, exemption, place, root: root.into(), ..finding }))
    };
    graph.gaps.iter().filter_map(of).collect()
}
