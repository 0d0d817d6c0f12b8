//! Settings that Terraform leaves alone: a rule that holds of what `ignore_changes` names holds of what is written, and
//! nobody keeps it so.
//!
//! A root is judged once more as if nothing were known of what is ignored. What held before and is open now rests on it,
//! whichever resource it is about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use auditlint_graph::{
    Action, Address, Cause, CauseKind, FactsTable, Ignored, IgnoredPath, Map, Mode, Origin, Resource,
    ResourceGraph, Tracked, Unknown, Value,
};
use auditlint_syntax::{Location, Name};

use super::Change;
use crate::condition::AttributePath;
use crate::evaluate::place;
use crate::{
    Catalogue, Category, Element, Evaluator, Finding, LiteralValue, Matter, Remedy, RemedyKind, Safety,
    Verdict, Where,
};

/// Most rules that a message names.
const NAMED: usize = 3;

/// The elements of `ignore_changes` on which a verdict rests, sorted by address; `evaluator` judged the root.
#[must_use]
pub fn ignored(
    graph: &ResourceGraph,
    evaluator: &Evaluator,
    matter: Matter<'_>,
    facts: &FactsTable,
) -> Vec<Finding> {
    let Some(at) = matter.policy.changes.get(&Change::IgnoreChanges) else { return Vec::new() };
    let (mut left, mut open) = (BTreeMap::new(), None);
    let stays = |resource: &Resource| {
        resource.address.mode == Mode::Managed && !resource.action.is_some_and(Action::removes)
    };
    for (_, resource) in graph.iter().filter(|(_, resource)| stays(resource)) {
        let Some(ignored) = &resource.ignored else { continue };
        let Some(opened) = opened(resource, ignored, matter.catalogue, &mut left) else { continue };
        open.get_or_insert_with(|| graph.clone()).put(Arc::new(opened), facts);
    }
    let Some(open) = open else { return Vec::new() };
    let otherwise = evaluator.otherwise(&open, matter);
    let is_open = |finding: &&Arc<Finding>| matches!(finding.verdict, Verdict::Fail | Verdict::Unknown);
    let key = |finding: &Arc<Finding>| (Arc::clone(&finding.rule), finding.address.clone());
    let before: BTreeSet<_> = evaluator.findings().filter(is_open).map(key).collect();
    let mut resting: BTreeMap<&str, Resting> = BTreeMap::new();
    for finding in otherwise.findings().filter(is_open).filter(|finding| !before.contains(&key(finding))) {
        let cause = finding.cause.as_ref().map(|cause| cause.subject.as_str());
        let named = cause.and_then(|cause| left.get_key_value(cause)).map(|(subject, _)| subject.as_str());
        // Where the verdict does not say which of them it is, it is what its own resource leaves, or any.
        let own = |left: &Left<'_>| left.resource.address == finding.address;
        let has_own = left.values().any(own);
        let may_be = left.iter().filter(|(_, left)| named.is_none() && (!has_own || own(left)));
        for subject in named.into_iter().chain(may_be.map(|(subject, _)| subject.as_str())) {
            let known = resting.entry(subject).or_default();
            known.rules.insert(Arc::clone(&finding.rule));
            known.categories.extend(finding.categories.iter().copied());
        }
    }
    let found = resting
        .into_iter()
        .filter_map(|(subject, resting)| Some(left.get(subject)?.finding(graph, resting, matter, *at)));
    let mut found: Vec<Finding> = found.collect();
    found.sort_by(|a, b| a.address.cmp(&b.address).then_with(|| a.attribute.cmp(&b.attribute)));
    found
}

/// What rests on something that is ignored.
#[derive(Default)]
struct Resting {
    rules: BTreeSet<Arc<str>>,
    categories: BTreeSet<Category>,
}

/// What a resource leaves to others.
struct Left<'g> {
    resource: &'g Resource,
    /// `all`, or the path.
    what: String,
    /// Where `ignore_changes` says so.
    at: Location,
}

impl Left<'_> {
    fn finding(
        &self,
        graph: &ResourceGraph,
        resting: Resting,
        matter: Matter<'_>,
        line: Location,
    ) -> Finding {
        let Self { resource, what, at } = self;
        let rules: Vec<&str> = resting.rules.iter().map(|rule| &**rule).collect();
        let (named, rest) = rules.split_at(rules.len().min(NAMED));
        let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        let of = if what == "all" { "everything".to_owned() } else { what.clone() };
        let message = format!("lifecycle ignores changes of {of}, on which {}{more} rests", named.join(", "));
        let written = Tracked::new(Value::Null, Origin::Written(*at));
        let (place, related) = place::of(graph, resource, Some("lifecycle"), Some(&written));
        let gone = Element { at: *at, place: Where::Gone, value: LiteralValue::List(Vec::new()) };
        let remedy = Remedy {
            title: format!("let Terraform keep {what} as it is written"),
            // The next apply changes what is there.
            safety: Safety::ChangesBehaviour,
            subject: Address::clone(&resource.address),
            changes: vec![RemedyKind::Element(gone)],
        };
        let check = Change::IgnoreChanges.check();
        let finding = check.finding(matter.policy, line, resting.categories.into_iter().collect(), message);
        Finding {
            address: Address::clone(&resource.address),
            attribute: Some(format!("lifecycle.ignore_changes.{what}")),
            place,
            related,
            remedies: if what == "all" { Vec::new() } else { vec![remedy] },
            root: Arc::clone(&matter.root.folder),
            ..finding
        }
    }
}

/// The resource with nothing known of what it ignores; none where that is nothing that anybody looks at. What it is
/// called stays: whoever changes that makes another one.
fn opened<'g>(
    resource: &'g Resource,
    ignored: &Ignored,
    catalogue: &Catalogue,
    left: &mut BTreeMap<String, Left<'g>>,
) -> Option<Resource> {
    let facts = catalogue.facts(resource.kind());
    let defaults = facts.map(|facts| facts.defaults.as_slice()).unwrap_or_default();
    let is_own_name = |name: &Name| facts.is_some_and(|facts| facts.identity.contains(name));
    let is_computed = |name: &Name| facts.is_some_and(|facts| facts.always_set.contains(name));
    let all = ignored.everything.into_iter().flat_map(|at| {
        let written =
            resource.attributes.keys().filter(|name| !is_computed(name)).map(|name| vec![name.clone()]);
        let default = defaults.iter().map(|(path, _)| path.0.to_vec());
        written.chain(default).map(move |names| ("all".to_owned(), names, at))
    });
    let named = ignored.paths.iter().map(|IgnoredPath { names, at }| (names.join("."), names.clone(), *at));
    let mut out: Option<Resource> = None;
    for (what, names, at) in all.chain(named) {
        if names.first().is_none_or(is_own_name) {
            continue;
        }
        let subject = format!("{}, of which lifecycle ignores changes of {what}", resource.address);
        let cause = Cause { kind: CauseKind::Elsewhere, subject: subject.clone(), hint: String::new() };
        let unknown = Tracked::new(Value::Unknown(Arc::new(Unknown::because(cause))), Origin::Nowhere);
        let is_default = defaults.iter().any(|(AttributePath(path), _)| **path == *names);
        let attributes = &out.as_ref().unwrap_or(resource).attributes;
        let Some(attributes) = replaced(attributes, &names, &unknown, is_default) else { continue };
        out.get_or_insert_with(|| resource.clone()).attributes = attributes;
        left.insert(subject, Left { resource, what, at });
    }
    out
}

/// The attributes with `value` at a path of names, in each element of the lists on the way; none where nothing stands
/// there, and nothing `is_default` either.
fn replaced(attributes: &Map, names: &[Name], value: &Tracked, is_default: bool) -> Option<Map> {
    let (name, rest) = names.split_first()?;
    let old = attributes.get(name);
    let new = match (old.map(Tracked::value), rest) {
        (None, []) if is_default => value.clone(),
        (None, _) => return None,
        (Some(_), []) => value.clone(),
        (Some(Value::Map(inner)), rest) => {
            let inner = replaced(inner, rest, value, is_default)?;
            old?.clone().with_value(Value::Map(Arc::new(inner)))
        }
        (Some(Value::List(items)), rest) => {
            let mut is_any = false;
            let items = items.iter().map(|item| {
                let Value::Map(inner) = item.value() else { return item.clone() };
                let Some(inner) = replaced(inner, rest, value, is_default) else { return item.clone() };
                is_any = true;
                item.clone().with_value(Value::Map(Arc::new(inner)))
            });
            let items: Vec<Tracked> = items.collect();
            if !is_any {
                return None;
            }
            old?.clone().with_value(Value::List(items.into()))
        }
        (Some(_), _) => return None,
    };
    let mut out = attributes.clone();
    out.insert(name.clone(), new);
    Some(out)
}
