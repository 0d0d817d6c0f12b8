//! How much the catalogue holds of each provider, as `cargo xtask count` prints it and `docs/rules.md` shows it.

use std::collections::{BTreeMap, BTreeSet};

use auditlint_policy::Catalogue;

/// What the catalogue holds of a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Its rules.
    pub rules: usize,
    /// Those of them that offer a fix.
    pub fixable: usize,
    /// The fixes that they offer; some rules have several.
    pub fixes: usize,
    /// The types that its rules judge.
    pub judged: BTreeSet<String>,
    /// Types that emit events.
    pub sources: usize,
    /// Types that keep them.
    pub stores: usize,
    /// Types that pass them on.
    pub forwarders: usize,
    /// Stores that its services make by themselves.
    pub service_stores: usize,
}

/// What the catalogue holds, by the provider's folder below `policies/rules` and `policies/resources`.
#[must_use]
pub fn counts(catalogue: &Catalogue, texts: &[(String, String)]) -> BTreeMap<String, Count> {
    let mut out: BTreeMap<String, Count> = BTreeMap::new();
    for rule in catalogue.rules() {
        let folder = rule.id.split('/').next().unwrap_or_default();
        let count = out.entry(folder.to_owned()).or_default();
        count.rules += 1;
        count.fixable += usize::from(!rule.remedies.is_empty());
        count.fixes += rule.remedies.len();
        count.judged.extend(rule.selects.iter().map(ToString::to_string));
    }
    for (path, _) in texts {
        let mut parts = path.trim_end_matches(".yaml").split('/');
        let (Some("resources"), Some(folder), Some(kind)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let Some(facts) = catalogue.facts(kind) else { continue };
        let count = out.entry(folder.to_owned()).or_default();
        let types = facts.also.len() + 1;
        count.sources += if facts.emits.is_empty() { 0 } else { types };
        count.stores += if facts.keeps.is_some() { types } else { 0 };
        count.forwarders += if facts.forwards.is_empty() { 0 } else { types };
        count.service_stores += facts.service_stores.len();
    }
    out
}

/// How people name the provider whose rules are in that folder.
#[must_use]
pub fn provider(folder: &str) -> &str {
    match folder {
        "aws" => "AWS",
        "azure" | "azurerm" => "Azure",
        "gcp" | "google" => "Google Cloud",
        "kubernetes" | "k8s" => "Kubernetes",
        other => other,
    }
}

/// The counts as a table.
#[must_use]
pub fn table(counts: &BTreeMap<String, Count>) -> String {
    let mut out = String::from(
        "| provider | rules | with a fix | fixes | types judged | sources | stores | forwarders | stores that services make |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for (folder, count) in counts {
        let Count { rules, fixable, fixes, judged, sources, stores, forwarders, service_stores } = count;
        out.push_str(&format!(
            "| {} | {rules} | {fixable} | {fixes} | {} | {sources} | {stores} | {forwarders} | {service_stores} |\n",
            provider(folder),
            judged.len()
        ));
    }
    out
}
