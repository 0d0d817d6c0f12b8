//! What rules, facts and probes look at, for the readers of configurations and plans.

use std::sync::Arc;

use auditlint_graph::{
    FactsTable, Interest, Lookup, Map, Number, Origin, ResourceFacts, Tables, Tracked, Value,
};
use auditlint_syntax::Name;
use rustc_hash::FxHashMap;

use super::Catalogue;
use super::rules::placeholders;
use crate::condition::{AttributePath, Condition, Operand};
use crate::facts::{Facts, Regions, Retention};
use crate::{Rule, probes};

pub(super) fn tables<'r>(catalogue: &Catalogue, rules: impl Iterator<Item = &'r Arc<Rule>>) -> Tables {
    let mut interest = Interest::default();
    let mut types: FxHashMap<Name, ResourceFacts> = FxHashMap::default();
    for (kind, facts) in catalogue.all_facts() {
        types.insert(kind.clone(), resource_facts(facts));
        add_facts(kind, facts, &mut interest);
    }
    for rule in rules {
        for kind in &rule.selects {
            for condition in rule.when.iter().chain([&rule.requires]).chain(&rule.satisfied_by) {
                add_condition(kind, condition, &mut interest);
            }
            for path in rule
                .remedies
                .iter()
                .flat_map(|remedy| &remedy.changes)
                .filter_map(crate::rule::ChangeTemplate::path)
            {
                interest.add(kind, path.head());
            }
        }
    }
    for (kind, attribute) in probes::INTEREST {
        interest.add(kind, attribute);
    }
    let facts = FactsTable::new(types).with_lookups(lookups(catalogue));
    Tables { facts: Arc::new(facts), interest: Arc::new(interest) }
}

/// What data sources look for, by their type.
fn lookups(catalogue: &Catalogue) -> FxHashMap<Name, Vec<Lookup>> {
    let mut out: FxHashMap<Name, Vec<Lookup>> = FxHashMap::default();
    for (kind, facts) in catalogue.all_facts() {
        for found in &facts.looked_up {
            out.entry(found.data.clone()).or_default().push(Lookup {
                kind: kind.clone(),
                argument: found.by.clone(),
                attribute: found.attribute.clone(),
                gives: found.gives.iter().cloned().collect(),
            });
        }
    }
    out
}

fn resource_facts(facts: &Facts) -> ResourceFacts {
    let defaults = facts.defaults.iter().filter(|(path, _)| path.0.len() == 1);
    ResourceFacts {
        defaults: defaults
            .map(|(path, value)| {
                (Name::new(path.head()), Tracked::new(literal(value), Origin::ProviderDefault))
            })
            .collect(),
        always_set: facts.always_set.clone(),
        sensitive: facts.sensitive.clone(),
        identity: facts.identity.clone(),
        blocks: facts.blocks.clone(),
        only_written: facts.only_written.clone(),
    }
}

/// An operand as a value.
pub(crate) fn literal(operand: &Operand) -> Value {
    match operand {
        Operand::Bool(value) => Value::Bool(*value),
        Operand::Number(value) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
        Operand::Text(text) => Value::String(text.clone()),
        Operand::List(items) => Value::List(
            items.iter().map(|item| Tracked::new(literal(item), Origin::ProviderDefault)).collect(),
        ),
        Operand::Parameter(_) => Value::Map(Arc::new(Map::default())),
    }
}

fn add_facts(kind: &str, facts: &Facts, interest: &mut Interest) {
    let add = |interest: &mut Interest, path: &AttributePath| interest.add(kind, path.head());
    // A type that the catalogue knows is always read, if only to be counted and linked.
    interest.mention(kind);
    facts.identity.iter().for_each(|name| interest.add(kind, name));
    let stations = facts.emits.iter().flat_map(|emission| &emission.to).flat_map(|sink| &sink.types);
    let further = facts
        .forwards
        .iter()
        .flat_map(|forward| forward.types.iter().chain(forward.from.iter().flat_map(|(_, types)| types)));
    stations.chain(further).for_each(|kind| interest.mention(kind));
    for emission in &facts.emits {
        emission.on.iter().for_each(|on| add_condition(kind, on, interest));
        if let Some(Regions::AllWhere(condition)) = &emission.regions {
            add_condition(kind, condition, interest);
        }
        for sink in &emission.to {
            match &sink.companion {
                Some((companion, join)) => {
                    interest.add(companion, join.head());
                    interest.add(companion, sink.path.head());
                }
                None => add(interest, &sink.path),
            }
        }
    }
    if let Some(keeps) = &facts.keeps {
        if let Retention::Attribute { path, .. } = &keeps.retention {
            add(interest, path);
        }
        keeps.place.iter().for_each(|place| add(interest, place));
        keeps.immutable.iter().for_each(|immutable| add_condition(kind, immutable, interest));
    }
    for attribute in facts.service_stores.iter().flat_map(|store| placeholders(&store.name)) {
        interest.add(kind, AttributePath::parse(attribute).head());
    }
    for forward in &facts.forwards {
        forward.all.iter().for_each(|all| add_condition(kind, all, interest));
        add(interest, &forward.path);
        forward.from.iter().for_each(|(from, _)| add(interest, from));
    }
}

fn add_condition(kind: &str, condition: &Condition, interest: &mut Interest) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| add_condition(kind, part, interest));
        }
        Condition::Not(inner) => add_condition(kind, inner, interest),
        Condition::Test { path, .. } | Condition::Every { path, .. } | Condition::Some { path, .. } => {
            interest.add(kind, path.head());
        }
        Condition::Companion { types, join, to, holds } => {
            to.iter().for_each(|name| interest.add(kind, name));
            for companion in types {
                interest.add(companion, join.head());
                holds.iter().for_each(|holds| add_condition(companion, holds, interest));
            }
        }
        Condition::Linked { path, types, holds, .. } => {
            interest.add(kind, path.head());
            for linked in types {
                interest.mention(linked);
                holds.iter().for_each(|holds| add_condition(linked, holds, interest));
            }
        }
        Condition::Probe { name, with } => {
            probes::own_attributes(name).iter().for_each(|attribute| interest.add(kind, attribute));
            // A probe that is told an attribute looks at it, in the resources of the types that it is told as well.
            let types = with.iter().filter(|(name, _)| name == "types").flat_map(|(_, types)| match types {
                Operand::List(types) => types.as_slice(),
                _ => &[],
            });
            let kinds: Vec<String> =
                [kind.to_owned()].into_iter().chain(types.map(ToString::to_string)).collect();
            for kind in &kinds {
                interest
                    .types
                    .entry(Name::new(kind))
                    .or_insert_with(|| auditlint_graph::Attributes::Some(Default::default()));
                for (_, value) in with {
                    if let Operand::Text(text) = value {
                        interest.add(kind, AttributePath::parse(text).head());
                    }
                }
            }
        }
    }
}

/// Hands every type and path that a rule asks something of to `take`, but for what its probes find by themselves.
pub(super) fn looks(catalogue: &Catalogue, rule: &Rule, take: &mut dyn FnMut(&str, &str)) {
    let conditions = [&rule.requires].into_iter().chain(&rule.satisfied_by);
    for condition in conditions {
        for kind in &rule.selects {
            condition_looks(kind, "", condition, take);
        }
    }
    let keeps = rule.selects.iter().filter_map(|kind| Some((kind, catalogue.facts(kind)?.keeps.as_ref()?)));
    for (kind, keeps) in keeps.filter(|_| rule.asks.iter().any(|intent| intent.is_about_days())) {
        if let Retention::Attribute { path, .. } = &keeps.retention {
            take(kind, &path.to_string());
        }
    }
}

fn condition_looks(kind: &str, prefix: &str, condition: &Condition, take: &mut dyn FnMut(&str, &str)) {
    let whole =
        |path: &AttributePath| if prefix.is_empty() { path.to_string() } else { format!("{prefix}.{path}") };
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| condition_looks(kind, prefix, part, take));
        }
        Condition::Not(inner) => condition_looks(kind, prefix, inner, take),
        Condition::Test { path, .. } => take(kind, &whole(path)),
        Condition::Every { path, holds, .. } | Condition::Some { path, holds } => {
            take(kind, &whole(path));
            condition_looks(kind, &whole(path), holds, take);
        }
        Condition::Companion { types, join, holds, .. } => {
            for companion in types {
                take(companion, &join.to_string());
                holds.iter().for_each(|holds| condition_looks(companion, "", holds, take));
            }
        }
        Condition::Linked { path, types, holds, .. } => {
            take(kind, &whole(path));
            for linked in types {
                holds.iter().for_each(|holds| condition_looks(linked, "", holds, take));
            }
        }
        Condition::Probe { .. } => {}
    }
}
