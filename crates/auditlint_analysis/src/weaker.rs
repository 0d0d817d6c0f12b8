//! Environments of one root beside one another: what the policy says must not fall behind another one keeps its logs at
//! least as long as that one does.

use std::collections::BTreeMap;
use std::sync::Arc;

use auditlint_policy::check::ENVIRONMENT_ORDER;
use auditlint_policy::{Days, Finding, Place, Policy, PolicyRef, Related, Verdict};

use crate::RootReport;

/// What a store keeps, by rule and address.
type Kept<'r> = BTreeMap<(&'r str, String), (Days, &'r Arc<Finding>)>;

/// Adds to the reports where an environment keeps logs for less than the one that it must not fall behind.
pub(crate) fn add(roots: &mut [RootReport], policy: &Policy) {
    let mut found: Vec<(usize, Arc<Finding>)> = Vec::new();
    for environment in &policy.environments {
        let Some(lower) = &environment.at_least else { continue };
        for (at, root) in roots.iter().enumerate().filter(|(_, root)| is(root, &environment.name)) {
            let Some(other) = roots.iter().find(|other| other.path == root.path && is(other, lower)) else {
                continue;
            };
            let (own, least) = (kept(root, policy), kept(other, policy));
            for (key, (days, finding)) in &own {
                let Some((least, there)) = least.get(key).filter(|(least, _)| least > days) else { continue };
                let message =
                    format!("keeps logs for {days} in {}, and for {least} in {lower}", environment.name);
                let related = Related {
                    message: format!("{lower} keeps them for {least}"),
                    place: there.place.clone(),
                };
                let finding = Finding {
                    rule: ENVIRONMENT_ORDER.id.into(),
                    verdict: Verdict::Fail,
                    severity: ENVIRONMENT_ORDER.severity,
                    message,
                    related: vec![related],
                    policy: PolicyRef { id: Arc::clone(&policy.id), at: environment.at },
                    remedies: Vec::new(),
                    cause: None,
                    ..Finding::clone(finding)
                };
                found.push((at, Arc::new(finding)));
            }
        }
    }
    for (at, finding) in found {
        let Some(root) = roots.get_mut(at) else { continue };
        let known = |one: &Arc<Finding>| {
            one.rule == finding.rule && one.address == finding.address && one.message == finding.message
        };
        if !root.findings.iter().any(known) {
            root.findings.push(finding);
            root.recount();
        }
    }
}

fn is(root: &RootReport, name: &str) -> bool {
    root.environment.as_ref().is_some_and(|(known, _)| known == name)
}

/// How long each store keeps, as far as the verdicts on its retention tell.
fn kept<'r>(root: &'r RootReport, policy: &Policy) -> Kept<'r> {
    let about_days = |finding: &&Arc<Finding>| {
        let at = policy.bindings.binary_search_by(|binding| (*binding.rule.id).cmp(&*finding.rule));
        let binding = at.ok().and_then(|at| policy.bindings.get(at));
        matches!(finding.verdict, Verdict::Pass | Verdict::Fail)
            && matches!(finding.place, Place::Source(_))
            && binding.is_some_and(|binding| binding.rule.asks.iter().any(|intent| intent.is_about_days()))
    };
    let days = |finding: &Arc<Finding>| {
        let evidence = finding.evidence.first()?;
        match evidence.value.as_str() {
            "not set" | "0" => Some(Days::Never),
            text => text.parse().ok().map(Days::Count),
        }
    };
    let found = root.findings.iter().filter(about_days);
    found
        .filter_map(|finding| {
            Some(((&*finding.rule, finding.address.to_string()), (days(finding)?, finding)))
        })
        .collect()
}
