//! What a policy in Rego is given of a root: resources, what refers to what, the log flow, and what the policy asks.

use std::collections::BTreeSet;

use auditlint_graph::{Action, Mode, Resource, ResourceGraph, Slot, Tracked, Value};
use serde_json::{Map, Value as Json, json};

use super::answer::RegoWorld;
use crate::flow::{Certainty, FlowMap, Keeps, Role};
use crate::{Days, Policy};

/// Deeper values are named in `unknown`.
const DEEPEST: usize = 64;

/// The whole input.
pub(super) fn of(world: &RegoWorld<'_>) -> Json {
    let mut resources = Map::new();
    let mut edges: BTreeSet<(String, String, String)> = BTreeSet::new();
    for (slot, resource) in world.graph.iter() {
        let address = resource.address.to_string();
        references(world.graph, (slot, resource), &address, &mut edges);
        resources.insert(address, self::resource(world, resource));
    }
    let edges = edges.into_iter().map(|(from, path, to)| json!({"from": from, "path": path, "to": to}));
    json!({
        "mode": world.mode,
        "root": world.root,
        "environment": world.environment,
        "resources": resources,
        "edges": edges.collect::<Vec<_>>(),
        "flow": flow(world.flow),
        "policy": policy(world.policy),
    })
}

fn resource(world: &RegoWorld<'_>, resource: &Resource) -> Json {
    let address = &resource.address;
    let mut parts = Parts::default();
    let mut values = Map::new();
    for (name, value) in resource.attributes.iter() {
        if let Some(value) = parts.value(value, name, 0) {
            values.insert(name.to_string(), value);
        }
    }
    let source = resource.declared.as_ref().and_then(|declared| (world.line)(declared.header));
    json!({
        "address": address.to_string(),
        "type": address.kind.as_str(),
        "name": address.name.as_str(),
        "module": address.module.as_str(),
        "mode": match address.mode { Mode::Managed => "managed", Mode::Data => "data" },
        "actions": resource.action.map(actions),
        "values": values,
        "unknown": parts.unknown,
        "sensitive": parts.sensitive,
        "source": source.map(|(path, line)| json!({"path": path, "line": line})),
    })
}

/// As plans write them.
const fn actions(action: Action) -> &'static [&'static str] {
    match action {
        Action::NoOp => &["no-op"],
        Action::Create => &["create"],
        Action::Read => &["read"],
        Action::Update => &["update"],
        Action::Replace => &["delete", "create"],
        Action::Delete => &["delete"],
        Action::Forget => &["forget"],
    }
}

/// The values of a resource, without what is not known and what nobody may see: their paths are named.
#[derive(Default)]
struct Parts {
    unknown: Vec<String>,
    sensitive: Vec<String>,
}

impl Parts {
    fn value(&mut self, value: &Tracked, path: &str, depth: usize) -> Option<Json> {
        if value.sensitive {
            self.sensitive.push(path.to_owned());
            return None;
        }
        Some(match value.value() {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(number) => {
                serde_json::from_str(&number.to_string()).unwrap_or_else(|_| json!(number.to_f64()))
            }
            Value::String(text) => Json::String(text.to_string()),
            _ if depth > DEEPEST => {
                self.unknown.push(path.to_owned());
                return None;
            }
            Value::List(items) => {
                let items = items.iter().enumerate();
                // What is missing from a list would move what comes after it.
                Json::Array(
                    items
                        .map(|(n, item)| {
                            self.value(item, &format!("{path}.{n}"), depth + 1).unwrap_or(Json::Null)
                        })
                        .collect(),
                )
            }
            Value::Map(map) => {
                let mut out = Map::new();
                for (name, value) in map.iter() {
                    if let Some(value) = self.value(value, &format!("{path}.{name}"), depth + 1) {
                        out.insert(name.to_string(), value);
                    }
                }
                Json::Object(out)
            }
            Value::Unknown(_) => {
                self.unknown.push(path.to_owned());
                return None;
            }
        })
    }
}

/// What the attributes of a resource refer to, and is there.
fn references(
    graph: &ResourceGraph,
    (slot, resource): (Slot, &Resource),
    address: &str,
    out: &mut BTreeSet<(String, String, String)>,
) {
    for (name, value) in resource.attributes.iter() {
        for reference in all_references(value, 0) {
            for to in graph.resolve(&reference).into_iter().filter(|to| *to != slot) {
                if let Some(to) = graph.get(to) {
                    out.insert((address.to_owned(), name.to_string(), to.address.to_string()));
                }
            }
        }
    }
}

fn all_references(value: &Tracked, depth: usize) -> Vec<auditlint_graph::Reference> {
    let mut out = value.references().to_vec();
    if depth > DEEPEST {
        return out;
    }
    match value.value() {
        Value::List(items) => out.extend(items.iter().flat_map(|item| all_references(item, depth + 1))),
        Value::Map(map) => out.extend(map.iter().flat_map(|(_, value)| all_references(value, depth + 1))),
        _ => {}
    }
    out
}

fn flow(map: &FlowMap) -> Json {
    let stations = map.stations.iter().map(|station| {
        let (days, is_known) = match &station.keeps {
            Some(Keeps::For(Days::Count(days))) => (json!(days), true),
            Some(Keeps::For(Days::Never)) => (json!("never_expires"), true),
            Some(Keeps::Unknown(_)) => (Json::Null, false),
            None => (Json::Null, true),
        };
        json!({
            "name": station.id.name,
            "root": &*station.id.root,
            "role": role(station.role),
            "type": station.kind.as_ref().map(|kind| kind.as_str()),
            "emits": station.emits.iter().map(|category| category.as_str()).collect::<Vec<_>>(),
            "carries": station.carries.iter().map(|category| category.as_str()).collect::<Vec<_>>(),
            "retention_days": days,
            "retention_known": is_known,
        })
    });
    let ways = map.ways.iter().map(|way| {
        json!({
            "from": way.from.name,
            "to": way.to.name,
            "categories": way.categories.iter().map(|category| category.as_str()).collect::<Vec<_>>(),
            "certain": way.certainty != Certainty::Open,
        })
    });
    json!({"stations": stations.collect::<Vec<_>>(), "ways": ways.collect::<Vec<_>>()})
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Source => "source",
        Role::Forwarder => "forwarder",
        Role::Store => "store",
        Role::ServiceStore => "service_store",
        Role::External => "external",
        Role::Unknown => "unknown",
    }
}

/// What is asked, by the names that `auditlint policy show` prints.
fn policy(policy: &Policy) -> Json {
    let lines = policy.lines().into_iter().map(|line| (line.what, Json::String(line.value)));
    json!({"id": &*policy.id, "asks": lines.collect::<Map<String, Json>>()})
}
