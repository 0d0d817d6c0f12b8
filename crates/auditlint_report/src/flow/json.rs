//! The stable JSON format; readers must accept new keys and words.

use auditlint_analysis::{FlowRoot, Flows};
use auditlint_graph::{Cause, Gap};
use auditlint_policy::{
    Category, Days, Effective, Encryption, Immutability, Keeps, Station, StationId, StorePlace, Way, Ways,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::wording::Counts;
use crate::plain::plain_json;

#[derive(Serialize)]
struct Output<'a> {
    schema_version: u32,
    tool: Value,
    status: &'a str,
    summary: Value,
    roots: Vec<Value>,
    stations: Vec<Value>,
    ways: Vec<Value>,
    left_out: Vec<Value>,
}

pub(super) fn render(flows: &Flows) -> String {
    let counts = Counts::of(flows);
    let ways = Ways::of(&flows.map);
    let output = Output {
        schema_version: 1,
        tool: json!({"name": "auditlint", "version": env!("CARGO_PKG_VERSION")}),
        status: if flows.is_complete() { "complete" } else { "incomplete" },
        summary: json!({
            "roots": flows.roots.len(), "sources": counts.sources, "silent": counts.silent,
            "forwarders": counts.forwarders, "stores": counts.stores, "unknown": counts.unknown,
            "gaps": counts.gaps, "left_out": flows.left_out.len(),
        }),
        roots: flows.roots.iter().map(root).collect(),
        stations: flows.map.stations.iter().map(|one| station(one, &ways)).collect(),
        ways: flows.map.ways.iter().map(way).collect(),
        left_out: flows.left_out.iter().map(|one| {
            json!({"kind": one.kind.as_str(), "path": one.folder.as_str(), "reason": one.reason, "hint": one.hint})
        }).collect(),
    };
    let mut out = plain_json(&serde_json::to_string_pretty(&output).unwrap_or_default());
    out.push('\n');
    out
}

fn root(root: &FlowRoot) -> Value {
    json!({
        "name": &*root.name,
        "account": root.account.as_deref(),
        "mode": root.mode.as_str(),
        "gaps": root.gaps.iter().map(gap).collect::<Vec<_>>(),
    })
}

fn gap(gap: &Gap) -> Value {
    json!({
        "kind": gap.kind.as_str(), "path": gap.path, "reason": gap.reason, "hint": gap.hint, "count": gap.count,
        "fingerprint": auditlint_analysis::gap_fingerprint(gap),
    })
}

fn station(station: &Station, ways: &Ways<'_>) -> Value {
    let is_resource = station.id.made.is_none();
    json!({
        "id": id(&station.id),
        "root": if station.id.root.is_empty() { None } else { Some(&*station.id.root) },
        "address": is_resource.then_some(&station.id.name),
        "name": (!is_resource).then_some(&station.id.name),
        "type": station.kind.as_ref().map(|kind| kind.as_str()),
        "role": station.role.as_str(),
        "emits": categories(&station.emits),
        "silent": station.silent.iter().map(|silence| {
            json!({"categories": categories(&silence.categories), "cause": silence.cause.as_ref().map(cause)})
        }).collect::<Vec<_>>(),
        "covered": categories(&station.covered),
        "doubted": categories(&station.doubted),
        "carries": categories(&station.carries),
        "retention": station.keeps.as_ref().map(retention),
        "encryption": station.encryption.as_ref().map(encryption),
        "searchable": station.is_searchable,
        "immutable": station.immutable.as_ref().map(immutable),
        "place": station.location.as_ref().map(place),
        "effective": station.emits.iter().map(|category| {
            effective(*category, &ways.effective(station, *category))
        }).collect::<Vec<_>>(),
        "cause": station.cause.as_ref().map(cause),
    })
}

/// What becomes of the events of one category of a source.
fn effective(category: Category, effective: &Effective) -> Value {
    json!({
        "category": category.as_str(),
        "retention": effective.retention.as_ref().map(retention),
        "hot": effective.hot.as_ref().map(retention),
        "encryption": effective.encryption.as_ref().map(encryption),
        "immutable": effective.immutable.as_ref().map(immutable),
        "places": effective.places.iter().map(place).collect::<Vec<_>>(),
    })
}

fn immutable(immutable: &Immutability) -> Value {
    match immutable {
        Immutability::Locked => json!({"locked": true, "cause": null}),
        Immutability::Open => json!({"locked": false, "cause": null}),
        Immutability::Unknown(why) => json!({"locked": null, "cause": cause(why)}),
    }
}

fn place(place: &StorePlace) -> Value {
    json!({"account": place.account.as_deref(), "region": place.region.as_deref()})
}

fn way(way: &Way) -> Value {
    json!({
        "from": id(&way.from), "to": id(&way.to), "categories": categories(&way.categories),
        "certainty": way.certainty.as_str(),
    })
}

/// The root, and the address or the role and the name.
fn id(id: &StationId) -> String {
    match id.made {
        None => format!("{}#{}", id.root, id.name),
        Some(role) => format!("{}#{}:{}", id.root, role.as_str(), id.name),
    }
}

fn categories<'c>(categories: impl IntoIterator<Item = &'c Category>) -> Vec<&'static str> {
    categories.into_iter().map(|category| category.as_str()).collect()
}

fn cause(cause: &Cause) -> Value {
    json!({"kind": cause.kind.as_str(), "ref": cause.subject, "hint": cause.hint})
}

fn retention(keeps: &Keeps) -> Value {
    match keeps {
        Keeps::For(Days::Never) => json!({"days": null, "never_expires": true, "cause": null}),
        Keeps::For(Days::Count(days)) => json!({"days": days, "never_expires": false, "cause": null}),
        Keeps::Unknown(why) => json!({"days": null, "never_expires": false, "cause": cause(why)}),
    }
}

fn encryption(encryption: &Encryption) -> Value {
    match encryption {
        Encryption::OwnKey => json!({"key": "own", "cause": null}),
        Encryption::ServiceKey => json!({"key": "service", "cause": null}),
        Encryption::Unknown(why) => json!({"key": null, "cause": cause(why)}),
    }
}
