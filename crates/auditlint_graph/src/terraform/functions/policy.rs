//! The `json` of `aws_iam_policy_document`, which the provider computes from the configuration alone.

use std::sync::Arc;

use auditlint_syntax::Name;

use super::super::declared::BlockRef;
use super::super::modules::Scope;
use super::super::world::World;
use super::encoding::write_json;
use crate::{Map, Origin, Tracked, Value};

/// Renders the document of `block`; where parts of it are not known the rest still is.
pub(in crate::terraform) fn policy_document(
    world: &World<'_>,
    id: usize,
    block: &BlockRef,
    scope: &Scope,
) -> Tracked {
    let body = &block.block().body;
    let at = block.place(block.block().header);
    let statements = world.blocks_value(id, block, body, &"statement".into(), scope).unwrap_or_default();
    // Documents that are merged in may add anything; only their presence is checked.
    for other in ["source_policy_documents", "override_policy_documents"] {
        if body.attribute(other).is_some() {
            return world.unknown(
                crate::CauseKind::Function,
                &format!("aws_iam_policy_document.{other}"),
                "",
                at,
            );
        }
    }
    let nowhere = |value: Value| Tracked::new(value, Origin::Nowhere);
    let rendered: Vec<Tracked> = match statements.value() {
        Value::List(items) => items
            .iter()
            .map(|item| match item.value() {
                Value::Unknown(_) => item.clone(),
                _ => nowhere(Value::Map(Arc::new(statement(item)))),
            })
            .collect(),
        _ => Vec::new(),
    };
    let document: Map = [
        (Name::new("Version"), nowhere(Value::text("2012-10-17"))),
        (Name::new("Statement"), nowhere(Value::List(rendered.into()))),
    ]
    .into_iter()
    .collect();
    let document = Value::Map(Arc::new(document));
    let mut out = String::new();
    match write_json(&document, None, &mut out) {
        Some(()) => Tracked::derive(at, &[&statements], Value::String(Name::new(out))),
        None => world.unknown_of(&[&statements], at).encoding(document),
    }
}

fn statement(item: &Tracked) -> Map {
    let Value::Map(from) = item.value() else { return Map::default() };
    let nowhere = |value: Value| Tracked::new(value, Origin::Nowhere);
    let mut out = Map::default();
    out.insert("Effect".into(), from.get("effect").cloned().unwrap_or_else(|| nowhere(Value::text("Allow"))));
    for (name, key) in [
        ("sid", "Sid"),
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ] {
        if let Some(value) = from.get(name) {
            out.insert(key.into(), value.clone());
        }
    }
    for (name, key) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
        let Some(Value::List(principals)) = from.get(name).map(Tracked::value) else { continue };
        let mut map = Map::default();
        let mut anyone = false;
        for principal in principals.iter() {
            let Value::Map(principal) = principal.value() else {
                map.insert("AWS".into(), principal.clone());
                continue;
            };
            let kind = principal.get("type").and_then(|kind| kind.value().as_str()).unwrap_or_default();
            if kind == "*" {
                anyone = true;
            } else if let Some(identifiers) = principal.get("identifiers") {
                map.insert(Name::new(kind), identifiers.clone());
            }
        }
        let value = if anyone { Value::text("*") } else { Value::Map(Arc::new(map)) };
        out.insert(key.into(), nowhere(value));
    }
    if let Some(Value::List(conditions)) = from.get("condition").map(Tracked::value) {
        let mut by_test = Map::default();
        for condition in conditions.iter() {
            let Value::Map(condition) = condition.value() else {
                by_test.insert("unknown".into(), condition.clone());
                continue;
            };
            let text =
                |name: &str| condition.get(name).and_then(|value| value.value().as_str()).map(Name::new);
            if let (Some(test), Some(variable), Some(values)) =
                (text("test"), text("variable"), condition.get("values"))
            {
                let mut inner = match by_test.get(&test).map(Tracked::value) {
                    Some(Value::Map(map)) => (**map).clone(),
                    _ => Map::default(),
                };
                inner.insert(variable, values.clone());
                by_test.insert(test, nowhere(Value::Map(Arc::new(inner))));
            }
        }
        out.insert("Condition".into(), nowhere(Value::Map(Arc::new(by_test))));
    }
    out
}
