//! Facts from nodes.

use auditlint_syntax::document::reader::{MapReader, string, unknown, wrong};
use auditlint_syntax::document::{Node, NodeKind};
use auditlint_syntax::{Name, Problem, ProblemKind};

use super::conditions::{condition, operand, path};
use super::rules::read_categories;
use crate::Days;
use crate::condition::AttributePath;
use crate::facts::{
    Emission, Facts, Forwarding, Keeping, Lifecycle, LookedUp, Regions, Retention, ServiceStore, Sink,
};

/// Reads the facts of the file at `file`.
pub(super) fn read(file: &str, root: &Node, problems: &mut Vec<Problem>) -> Option<Facts> {
    let mut own = Vec::new();
    let mut map = MapReader::new(root, problems);
    let names = |list: Vec<&str>| list.into_iter().map(Name::new).collect::<Vec<Name>>();
    let kind = map.need("type").and_then(|node| string(node, &mut own)).map(Name::new);
    let also = names(map.strings("also"));
    let source = map.string("source").unwrap_or_default().to_owned();
    let defaults = map.take("defaults").map(Node::entries).unwrap_or_default().iter();
    let defaults = defaults
        .filter_map(|entry| Some((AttributePath::parse(&entry.key), operand(&entry.value, &mut own)?)))
        .collect();
    let allowed = map.take("allowed").map(Node::entries).unwrap_or_default().iter();
    let allowed = allowed
        .map(|entry| {
            let values = entry.value.items().iter().filter_map(|item| operand(item, &mut own)).collect();
            (AttributePath::parse(&entry.key), values)
        })
        .collect();
    let always_set = names(map.strings("always_set"));
    let sensitive = names(map.strings("sensitive"));
    let identity = names(map.strings("identity"));
    let blocks = names(map.strings("blocks"));
    let only_written = names(map.strings("only_written"));
    let emits = map
        .take("emits")
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .map(|node| emission(node, &mut own))
        .collect();
    let records = map.bool("records") == Some(true);
    let keeps = map.take("keeps").and_then(|node| keeping(node, &mut own));
    let forwards = map
        .take("forwards")
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|node| forwarding(node, &mut own))
        .collect();
    let service_stores = map
        .take("service_stores")
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|node| service_store(node, &mut own))
        .collect();
    let looked_up = map
        .take("looked_up")
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|node| look_up(node, &mut own))
        .collect();
    map.finish();
    problems.append(&mut own);
    let kind = kind?;
    if !file.ends_with(&format!("/{kind}.yaml")) {
        let message = format!("the file must be called `{kind}.yaml`");
        problems.push(Problem {
            kind: ProblemKind::Syntax,
            span: root.get("type").map(|node| node.span).unwrap_or_default(),
            message,
        });
    }
    Some(Facts {
        kind,
        also,
        source,
        defaults,
        allowed,
        always_set,
        sensitive,
        identity,
        blocks,
        only_written,
        emits,
        records,
        keeps,
        forwards,
        service_stores,
        looked_up,
    })
}

fn look_up(node: &Node, problems: &mut Vec<Problem>) -> Option<LookedUp> {
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let data = map.need("data").and_then(|node| string(node, &mut own)).map(Name::new);
    let by = map.need("by").and_then(|node| string(node, &mut own)).map(Name::new);
    let attribute = map.string("attribute").map(Name::new);
    let gives = map.take("gives").map(Node::entries).unwrap_or_default().iter();
    let gives = gives
        .map(|entry| {
            let names = entry.value.items().iter().filter_map(|item| string(item, &mut own));
            (Name::new(&entry.key), names.map(Name::new).collect())
        })
        .collect();
    map.finish();
    problems.append(&mut own);
    let by = by?;
    Some(LookedUp { data: data?, attribute: attribute.unwrap_or_else(|| by.clone()), by, gives })
}

fn emission(node: &Node, problems: &mut Vec<Problem>) -> Emission {
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let categories = read_categories(map.need("categories"), &mut own);
    let on = map.take("on").and_then(|node| condition(node, &mut own));
    let regions = map.take("regions").and_then(|node| match node.as_str() {
        Some("all") => Some(Regions::All),
        Some("none") => Some(Regions::None),
        _ => condition(node, &mut own).map(Regions::AllWhere),
    });
    let to = map
        .take("to")
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|node| sink(node, &mut own))
        .collect();
    map.finish();
    problems.append(&mut own);
    Emission { categories, on, regions, to }
}

fn sink(node: &Node, problems: &mut Vec<Problem>) -> Option<Sink> {
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let companion = map.string("companion").map(Name::new);
    let join = map.take("join").and_then(|node| path(node, &mut own));
    let to = map.need("path").and_then(|node| path(node, &mut own));
    let types = map.strings("types").into_iter().map(Name::new).collect();
    map.finish();
    problems.append(&mut own);
    Some(Sink { companion: companion.zip(join), path: to?, types })
}

/// `never`, or a number of days.
fn days(node: &Node, problems: &mut Vec<Problem>) -> Option<Days> {
    match &node.kind {
        NodeKind::String(text) if text == "never" => Some(Days::Never),
        NodeKind::String(text) => Days::parse(text).ok().map(Days::Count),
        NodeKind::Number(_, written) => Days::parse(written).ok().map(Days::Count),
        _ => None,
    }
    .or_else(|| {
        problems.push(wrong(node, "`never` or a number of days"));
        None
    })
}

fn lifecycle(node: &Node, problems: &mut Vec<Problem>) -> Option<Lifecycle> {
    let word = string(node, problems)?;
    let found = Lifecycle::ALL.iter().find(|(name, _)| *name == word).map(|(_, lifecycle)| *lifecycle);
    if found.is_none() {
        let known = Lifecycle::ALL.iter().map(|(name, _)| *name);
        problems.push(unknown("probe of a retention", word, node.span, known));
    }
    found
}

fn keeping(node: &Node, problems: &mut Vec<Problem>) -> Option<Keeping> {
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let retention = map.need("retention");
    let searchable = map.take("searchable").is_some_and(|node| node.kind == NodeKind::Bool(true));
    let immutable = map.take("immutable").and_then(|node| condition(node, &mut own));
    let place = map.take("place").and_then(|node| path(node, &mut own));
    map.finish();
    problems.append(&mut own);
    Some(Keeping { retention: kept(retention?, problems)?, searchable, immutable, place })
}

fn kept(retention: &Node, problems: &mut Vec<Problem>) -> Option<Retention> {
    let mut own = Vec::new();
    let mut map = MapReader::new(retention, problems);
    let probe = map.take("probe").and_then(|node| lifecycle(node, &mut own));
    let at = map.take("path").and_then(|node| path(node, &mut own));
    let unit_days = match map.string("unit") {
        Some("years") => 365.0,
        Some("months") => 30.0,
        Some("milliseconds") => 1.0 / 86_400_000.0,
        _ => 1.0,
    };
    let never = map.take("never").map(Node::items).unwrap_or_default().iter();
    let never = never
        .filter_map(|item| if let NodeKind::Number(n, _) = item.kind { Some(n) } else { None })
        .collect();
    let absent = map.take("absent").and_then(|node| days(node, &mut own)).unwrap_or(Days::Never);
    map.finish();
    problems.append(&mut own);
    match (probe, at) {
        (Some(lifecycle), _) => Some(Retention::Lifecycle(lifecycle)),
        (None, at) => Some(Retention::Attribute { path: at?, unit_days, never, absent }),
    }
}

fn forwarding(node: &Node, problems: &mut Vec<Problem>) -> Option<Forwarding> {
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let from = map.take("from").and_then(|node| path(node, &mut own));
    let from_types: Vec<Name> = map.strings("from_types").into_iter().map(Name::new).collect();
    let to = map.need("path").and_then(|node| path(node, &mut own));
    let types = map.strings("types").into_iter().map(Name::new).collect();
    let all = map.take("all").and_then(|node| condition(node, &mut own));
    map.finish();
    problems.append(&mut own);
    Some(Forwarding { from: from.map(|from| (from, from_types)), path: to?, types, all })
}

fn service_store(node: &Node, problems: &mut Vec<Problem>) -> Option<ServiceStore> {
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let kind = map.string("type").map(Name::new);
    let name = map.string("name").map(str::to_owned);
    let retention = map.take("retention").and_then(|node| days(node, &mut own));
    let categories = read_categories(map.take("categories"), &mut own);
    map.finish();
    problems.append(&mut own);
    Some(ServiceStore { kind: kind?, name: name?, retention: retention?, categories })
}
