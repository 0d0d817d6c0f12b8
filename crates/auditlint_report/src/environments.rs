//! The environments of a root side by side: where a finding fails, and where the same resource passes.

use std::collections::BTreeMap;

use auditlint_analysis::{Report, RootReport};
use auditlint_policy::Verdict;
use camino::Utf8Path;

use crate::group::{Group, order};

/// The verdicts of each rule on each resource, by environment.
pub(crate) struct Matrix<'a> {
    /// By folder: its environments, in the order of the report.
    environments: BTreeMap<&'a Utf8Path, Vec<&'a str>>,
    verdicts: BTreeMap<(&'a Utf8Path, &'a str, String, &'a str), Verdict>,
}

impl<'a> Matrix<'a> {
    /// That of a report; empty where no root has an environment.
    pub(crate) fn new(report: &'a Report) -> Self {
        let mut environments: BTreeMap<&Utf8Path, Vec<&str>> = BTreeMap::new();
        for (root, name) in report.roots.iter().filter_map(|root| Some((root, environment(root)?))) {
            environments.entry(&root.path).or_default().push(name);
        }
        let mut verdicts = BTreeMap::new();
        for (root, finding) in report.findings() {
            if let Some(name) = environment(root)
                && environments.contains_key(&*root.path)
            {
                let key = (&*root.path, &*finding.rule, finding.address.to_string(), name);
                let known = verdicts.entry(key).or_insert(finding.verdict);
                if order(finding.verdict) < order(*known) {
                    *known = finding.verdict;
                }
            }
        }
        Self { environments, verdicts }
    }

    /// `fails in test, passes in staging, production`; none where the root has one set of values.
    pub(crate) fn words(&self, group: &Group<'_>) -> Option<String> {
        let names = self.environments.get(&*group.root.path)?;
        if let [only] = names.as_slice() {
            return Some(format!("in {only}"));
        }
        let mut by_word: Vec<(&str, Vec<&str>)> = WORDS.iter().map(|word| (*word, Vec::new())).collect();
        for name in names {
            let verdicts = group.addresses.iter().filter_map(|address| {
                self.verdicts.get(&(&*group.root.path, &*group.first.rule, address.clone(), *name))
            });
            let at = verdicts.map(|verdict| order(*verdict)).min().unwrap_or(WORDS.len() - 1);
            if let Some((_, names)) = by_word.get_mut(at) {
                names.push(name);
            }
        }
        let words = by_word.into_iter().filter(|(_, names)| !names.is_empty());
        Some(words.map(|(word, names)| format!("{word} {}", names.join(", "))).collect::<Vec<_>>().join(", "))
    }
}

/// By [`order`]; the last is for an environment in which the resource is not there.
const WORDS: [&str; 5] = ["fails in", "undecided in", "exempt in", "passes in", "not there in"];

fn environment(root: &RootReport) -> Option<&str> {
    root.environment.as_ref().map(|(name, _)| name.as_str())
}
