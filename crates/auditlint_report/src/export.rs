//! The file that `external_stores` and `external_sources` of other repositories read by `from:`.

use auditlint_analysis::{FlowRoot, Flows};
use auditlint_policy::{Days, KeptStore};
use serde_json::{Value, json};

use crate::plain::plain_json;

/// What a root keeps and records. Holds no sensitive value. A store whose name is not known before apply has no names:
/// an export of the state has them.
#[must_use]
pub fn export(root: &FlowRoot, flows: &Flows, policy_digest: &str, commit: Option<&str>) -> String {
    let emitting = flows.map.stations.iter().filter(|station| {
        station.id.made.is_none() && station.id.root == root.name && !station.emits.is_empty()
    });
    let whole = json!({
        "schema_version": 1,
        "kind": "auditlint_export",
        "tool": {"name": "auditlint", "version": env!("CARGO_PKG_VERSION")},
        "root": &*root.name,
        "mode": root.mode.as_str(),
        "complete": flows.is_complete(),
        "commit": commit,
        "policy_digest": policy_digest,
        "stores": root.stores.iter().map(store).collect::<Vec<_>>(),
        "sources": emitting.map(|station| json!({
            "address": station.id.name,
            "resource_type": station.kind.as_ref().map(|kind| kind.as_str()),
            "categories": station.emits.iter().map(|category| category.as_str()).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    });
    let mut out = plain_json(&serde_json::to_string_pretty(&whole).unwrap_or_default());
    out.push('\n');
    out
}

fn store(store: &KeptStore) -> Value {
    json!({
        "address": store.address.to_string(),
        "resource_type": store.address.kind.as_str(),
        "names": store.names,
        "retention_days": match store.retention {
            Some(Days::Count(days)) => Some(days),
            Some(Days::Never) | None => None,
        },
        "never_expires": store.retention == Some(Days::Never),
        "encrypted": store.encrypted,
    })
}
