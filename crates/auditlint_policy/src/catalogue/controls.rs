//! The controls of standards, each with what of a policy is evidence for it.

use auditlint_syntax::Problem;
use auditlint_syntax::document::Node;
use auditlint_syntax::document::reader::{MapReader, string};

use super::rules::{read_categories, read_intents, word};
use crate::control::{Basis, Control, KeptFor, Standard};

const BASES: [(&str, Basis); 4] = [
    ("text", Basis::Text),
    ("interpretation", Basis::Interpretation),
    ("vendor", Basis::Vendor),
    ("choice", Basis::Choice),
];

/// Reads a file of `policies/controls`; `name` is its name without the ending.
pub(super) fn read(name: &str, root: &Node, problems: &mut Vec<Problem>) -> Option<Standard> {
    let mut own = Vec::new();
    let mut map = MapReader::new(root, problems);
    let mut text =
        |key: &'static str| map.need(key).and_then(|node| string(node, &mut own)).map(str::to_owned);
    let (standard, title, version, source) =
        (text("standard"), text("title"), text("version"), text("source"));
    let (controls, retention) = (map.need("controls"), map.take("retention"));
    let superseded = map.take("superseded_by").map(Node::entries).unwrap_or_default().iter();
    let superseded_by =
        superseded.filter_map(|entry| Some((entry.key.clone(), entry.value.as_str()?.to_owned()))).collect();
    map.finish();
    let version = version?;
    let controls = controls.map(Node::items).unwrap_or_default().iter();
    let controls = controls.filter_map(|node| control(node, &version, &mut own)).collect();
    let retention = retention.and_then(|node| kept_for(node, &mut own));
    problems.append(&mut own);
    Some(Standard {
        policy: name.to_owned(),
        id: standard?,
        title: title?,
        version,
        source: source?,
        controls,
        retention,
        superseded_by,
    })
}

fn control(node: &Node, version: &str, problems: &mut Vec<Problem>) -> Option<Control> {
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let id = map.need("id").and_then(|node| string(node, &mut own)).map(str::to_owned);
    let title = map.need("title").and_then(|node| string(node, &mut own)).map(str::to_owned);
    let basis = map.need("basis").and_then(|node| word("basis", node, &BASES, &mut own));
    let asks = read_intents(map.take("asks"), &mut own);
    let categories = read_categories(map.take("categories"), &mut own);
    let version = map.string("version").unwrap_or(version).to_owned();
    map.finish();
    problems.append(&mut own);
    Some(Control { id: id?, title: title?, version, basis: basis?, asks, categories })
}

fn kept_for(node: &Node, problems: &mut Vec<Problem>) -> Option<KeptFor> {
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let mut text = |key: &'static str| map.string(key).map(str::to_owned);
    let (value, hot, control, note) = (text("value"), text("hot"), text("control"), text("note"));
    let basis = map.need("basis").and_then(|node| word("basis", node, &BASES, &mut own));
    map.finish();
    problems.append(&mut own);
    Some(KeptFor { value: value?, hot, control, basis: basis?, note: note.unwrap_or_default() })
}
