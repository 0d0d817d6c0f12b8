//! Findings by place and unknowns by cause: one entry for each rule, place and verdict, listing the addresses.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use auditlint_analysis::{Report, RootReport};
use auditlint_graph::{Cause, Gap};
use auditlint_policy::{Finding, Verdict};

use crate::Options;

/// The findings of one rule at one place with one verdict.
pub(crate) struct Group<'a> {
    pub(crate) root: &'a RootReport,
    pub(crate) first: &'a Arc<Finding>,
    pub(crate) addresses: Vec<String>,
}

/// Whether a format shows the finding at all.
pub(crate) fn wanted(finding: &Finding, options: &Options) -> bool {
    match finding.verdict {
        Verdict::Fail | Verdict::Unknown => true,
        Verdict::Pass => options.show_pass,
        Verdict::Exempt => options.show_exempt,
        Verdict::NotApplicable => false,
    }
}

/// Groups in the order of the report: failures first by severity, then unknowns, then the rest.
pub(crate) fn groups<'a>(report: &'a Report, options: &Options) -> Vec<Group<'a>> {
    let mut out: Vec<Group<'a>> = Vec::new();
    let mut seen: BTreeMap<_, usize> = BTreeMap::new();
    for (root, finding) in report.findings().filter(|(_, finding)| wanted(finding, options)) {
        // Two roots that reach one shared line show it once; a plan's pointers differ by themselves.
        let key = (&*finding.rule, finding.verdict, &finding.place, &*finding.message);
        let address = finding.address.to_string();
        match seen.get(&key).and_then(|&at| out.get_mut(at)) {
            Some(group) if !group.addresses.contains(&address) || group.root.path != root.path => {
                group.addresses.push(address);
            }
            Some(_) => {}
            None => {
                seen.insert(key, out.len());
                out.push(Group { root, first: finding, addresses: vec![address] });
            }
        }
    }
    out.sort_by_key(|group| (order(group.first.verdict), std::cmp::Reverse(group.first.severity)));
    out
}

/// The order in which verdicts are shown, the worst first.
pub(crate) const fn order(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Fail => 0,
        Verdict::Unknown => 1,
        Verdict::Exempt => 2,
        Verdict::Pass => 3,
        Verdict::NotApplicable => 4,
    }
}

/// The causes of unknowns with how many verdicts each leaves open, the most costly first.
pub(crate) fn causes(report: &Report) -> Vec<(&Cause, u32)> {
    let mut counts: BTreeMap<&Cause, u32> = BTreeMap::new();
    for (_, finding) in report.findings().filter(|(_, finding)| finding.verdict == Verdict::Unknown) {
        if let Some(cause) = &finding.cause {
            *counts.entry(cause).or_default() += 1;
        }
    }
    let mut out: Vec<_> = counts.into_iter().collect();
    out.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    out
}

/// The gaps of all roots, each once, with how many places share it.
pub(crate) fn gaps(report: &Report) -> Vec<(&RootReport, &Gap)> {
    let mut seen: HashSet<&Gap> = HashSet::new();
    let all = report.roots.iter().flat_map(|root| root.gaps.iter().map(move |gap| (root, gap)));
    all.filter(|(_, gap)| seen.insert(gap)).collect()
}
