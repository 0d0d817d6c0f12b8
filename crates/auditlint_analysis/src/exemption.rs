//! What is to be said of exceptions themselves: those that have expired, that excuse nothing, that nobody allows, or that
//! a change adds for itself.

use std::sync::Arc;

use auditlint_policy::check::{Check, EXEMPTION_EXPIRED, EXEMPTION_UNUSED, SELF_EXEMPTION, SUPPRESSION};
use auditlint_policy::{Finding, Level};
use auditlint_syntax::Location;
use jiff::civil::Date;

use crate::{PolicySet, RootReport};

/// Adds to the first report what is to be said of the exceptions of the policy.
pub(crate) fn add(roots: &mut [RootReport], set: &PolicySet, today: Option<Date>) {
    let policy = &set.policy;
    let mut found = Vec::new();
    for exemption in policy.exemptions.iter() {
        let id = &exemption.id;
        if let Some(today) = today.filter(|today| *today > exemption.expires) {
            let message = format!(
                "exemption {id} expired on {}: it excuses nothing any more (owner {}, today is {today})",
                exemption.expires, exemption.owner
            );
            found.push(finding(set, EXEMPTION_EXPIRED, exemption.at, message));
            continue;
        }
        let mark = format!("({id}, owner");
        let mut all = roots.iter().flat_map(|root| &root.findings);
        if !all.any(|finding| finding.exemption.as_ref().is_some_and(|why| why.contains(&mark))) {
            let message =
                format!("exemption {id} excuses nothing here: what it names is in order, gone or elsewhere");
            let unused = finding(set, EXEMPTION_UNUSED, exemption.at, message);
            // It may excuse something in another root, of which this run knows nothing.
            found.push(Finding { level: Level::Advisory, ..unused });
        }
    }
    for (at, message) in &set.refused {
        found.push(finding(set, SUPPRESSION, *at, message.clone()));
    }
    for (at, message) in &set.added {
        found.push(finding(set, SELF_EXEMPTION, *at, message.clone()));
    }
    let Some(first) = roots.first_mut().filter(|_| !found.is_empty()) else { return };
    first.findings.extend(found.into_iter().map(Arc::new));
    first.recount();
}

/// A finding about an exception itself: nothing that the policy says makes it count for less.
pub(crate) fn finding(set: &PolicySet, check: Check, at: Location, message: String) -> Finding {
    Finding { level: Level::Mandatory, ..check.finding(&set.policy, at, Vec::new(), message) }
}
