//! What a plan does to logs that are there: a change can be wrong although everything that is left meets the policy.
//!
//! The flow before the apply is compared with the one after it, so that a companion that goes, a lifecycle rule that
//! gets shorter and a destination that moves are seen where the logs are, whichever resource brings it about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use auditlint_graph::{Action, Address, Cause, Resource, ResourceGraph, Target};

use super::Change;
use crate::evaluate::place;
use crate::flow::{Certainty, FlowMap, Keeps, Role, Station, StationId, Ways};
use crate::{Category, Days, Evaluator, Evidence, Finding, Matter, Related, Verdict};

/// The forbidden changes of a plan, sorted by address; `before` are the resources before the apply, and `is` is
/// the flow after it.
#[must_use]
pub fn forbidden(
    before: &ResourceGraph,
    (after, is): (&ResourceGraph, &FlowMap),
    matter: Matter<'_>,
    root: &Arc<str>,
) -> Vec<Finding> {
    let mut earlier = Evaluator::survey(before, matter);
    earlier.settle(before, &Arc::default());
    let was = earlier.flow_map(before, matter, root);
    let comparison = Comparison {
        matter,
        before,
        after,
        by_name: after.iter().map(|(_, resource)| (resource.address.to_string(), resource)).collect(),
        was: Ways::of(&was),
        is: Ways::of(is),
    };
    let of_stations = was.stations.iter().flat_map(|station| comparison.of(station, &was));
    let mut found: Vec<Finding> = of_stations.chain(comparison.recorders()).collect();
    found.sort_by(|a, b| a.address.cmp(&b.address).then_with(|| a.rule.cmp(&b.rule)));
    found
}

/// The flow before and after.
struct Comparison<'a> {
    matter: Matter<'a>,
    before: &'a ResourceGraph,
    after: &'a ResourceGraph,
    by_name: BTreeMap<String, &'a Arc<Resource>>,
    was: Ways<'a>,
    is: Ways<'a>,
}

/// What came of a station.
struct Found {
    change: Change,
    verdict: Verdict,
    message: String,
    categories: BTreeSet<Category>,
    cause: Option<Cause>,
    /// What it was, and what it is.
    values: Option<[String; 2]>,
}

impl Found {
    fn fail(change: Change, message: String, categories: BTreeSet<Category>) -> Self {
        Self { change, verdict: Verdict::Fail, message, categories, cause: None, values: None }
    }

    fn unknown(
        change: Change,
        message: String,
        categories: BTreeSet<Category>,
        cause: Option<Cause>,
    ) -> Self {
        Self { verdict: Verdict::Unknown, cause, ..Self::fail(change, message, categories) }
    }
}

impl Comparison<'_> {
    /// What the plan does to a station.
    fn of(&self, station: &Station, was: &FlowMap) -> Vec<Finding> {
        let Some(resource) = self.by_name.get(&station.id.name).copied() else { return Vec::new() };
        // What nobody changes is looked at as well: a companion may change what becomes of its logs.
        if station.id.made.is_some() || !self.is_meant(resource) {
            return Vec::new();
        }
        let mut found = Vec::new();
        found.extend(self.deleted(station, resource));
        if !resource.action.is_some_and(Action::removes) {
            found.extend(self.disabled(station));
            found.extend(self.shortened(station));
            found.extend(self.retargeted(station, was));
        }
        found.into_iter().filter_map(|found| self.finding(found, resource)).collect()
    }

    /// Whether the policy means a resource as it was or as it is: what goes has no tags any more.
    fn is_meant(&self, resource: &Resource) -> bool {
        let scope = &self.matter.policy.scope;
        let was = self.before.instances(&Target::at(&resource.address)).iter();
        let mut was = was.filter_map(|slot| self.before.get(*slot));
        scope.holds(resource) || was.any(|was| was.address.key == resource.address.key && scope.holds(was))
    }

    /// What is there for nothing but to record, and goes: what is logged about is not missed where it goes.
    fn recorders(&self) -> impl Iterator<Item = Finding> {
        let goes = |resource: &&Arc<Resource>| {
            let facts = self.matter.catalogue.facts(resource.kind());
            resource.action.is_some_and(Action::removes)
                && facts.is_some_and(|facts| facts.records)
                && self.is_meant(resource)
        };
        self.by_name.values().copied().filter(goes).filter_map(|resource| {
            let facts = self.matter.catalogue.facts(resource.kind());
            let emits = facts.into_iter().flat_map(|facts| &facts.emits);
            let logs: BTreeSet<Category> = emits.flat_map(|emission| &emission.categories).copied().collect();
            let does = if resource.action == Some(Action::Forget) { "forgets" } else { "deletes" };
            let of = if logs.is_empty() { String::new() } else { format!(" of {}", words(&logs)) };
            let message = format!("the plan {does} this recorder{of}");
            self.finding(Found::fail(Change::Delete, message, logs), resource)
        })
    }

    fn deleted(&self, station: &Station, resource: &Resource) -> Option<Found> {
        let what = match station.role {
            Role::Store => "store",
            Role::Forwarder => "forwarder",
            _ => return None,
        };
        let logs = if station.carries.is_empty() { &station.emits } else { &station.carries };
        let of = if logs.is_empty() { "logs".to_owned() } else { words(logs) };
        let message = match resource.action {
            Some(Action::Delete) => format!("the plan deletes this {what} of {of}"),
            Some(Action::Forget) => {
                format!("the plan forgets this {what} of {of}: it stays, and nobody manages it")
            }
            // What passes logs on, or records them, keeps nothing that could be lost.
            Some(Action::Replace) if station.role == Role::Store => {
                format!("the plan replaces this {what} of {of}: what it keeps is deleted")
            }
            _ => return None,
        };
        Some(Found::fail(Change::Delete, message, logs.clone()))
    }

    fn disabled(&self, station: &Station) -> Option<Found> {
        let was = certain(station);
        let now = self.is.station(&station.id);
        let emits = now.map(|now| &now.emits).cloned().unwrap_or_default();
        let covered = now.map(|now| &now.covered).cloned().unwrap_or_default();
        let lost: BTreeSet<Category> =
            was.into_iter().filter(|one| !emits.contains(one) && !covered.contains(one)).collect();
        if lost.is_empty() {
            return None;
        }
        let open = now.into_iter().flat_map(|now| &now.silent).find(|silence| {
            silence.cause.is_some() && silence.categories.iter().any(|one| lost.contains(one))
        });
        let is_doubted = now.is_some_and(|now| lost.iter().all(|one| now.doubted.contains(one)));
        if open.is_some() || is_doubted {
            let message = format!("whether {} are still recorded is not known", words(&lost));
            let cause = open.and_then(|silence| silence.cause.clone());
            return Some(Found::unknown(Change::Disable, message, lost, cause));
        }
        let message = format!("the plan turns {} off", words(&lost));
        Some(Found::fail(Change::Disable, message, lost))
    }

    fn shortened(&self, station: &Station) -> Option<Found> {
        let Some(Keeps::For(was)) = station.keeps else { return None };
        let now = self.is.station(&station.id)?;
        let logs = station.carries.clone();
        match now.keeps.as_ref()? {
            Keeps::For(now) if *now < was => {
                let message = format!("the plan shortens how long logs are kept from {was} to {now}");
                let values = Some([was, *now].map(|days: Days| days.to_string()));
                Some(Found { values, ..Found::fail(Change::ShortenRetention, message, logs) })
            }
            Keeps::Unknown(cause) => {
                let message = format!("whether logs are still kept for {was} is not known");
                Some(Found::unknown(Change::ShortenRetention, message, logs, Some(cause.clone())))
            }
            Keeps::For(_) => None,
        }
    }

    fn retargeted(&self, station: &Station, was: &FlowMap) -> Option<Found> {
        let now = self.is.station(&station.id)?;
        let mut moved: BTreeMap<&StationId, BTreeSet<Category>> = BTreeMap::new();
        let (mut new, mut open): (BTreeSet<String>, _) = (BTreeSet::new(), None);
        for category in certain(station).into_iter().filter(|category| now.emits.contains(category)) {
            let (before, _) = stores(&self.was, &station.id, category);
            let (after, unknown) = stores(&self.is, &station.id, category);
            for store in before.difference(&after).filter(|store| !self.is_deleted(store, was)) {
                moved.entry(store).or_default().insert(category);
                new.extend(after.difference(&before).map(|store| store.name.clone()));
                open = open.or_else(|| unknown.clone());
            }
        }
        let (store, _) = moved.first_key_value()?;
        let store = store.name.clone();
        let categories: BTreeSet<Category> = moved.into_values().flatten().collect();
        let logs = words(&categories);
        if new.is_empty()
            && let Some(cause) = open
        {
            let message = format!("whether {logs} still go to {store} is not known");
            return Some(Found::unknown(Change::Retarget, message, categories, cause));
        }
        let new: Vec<String> = new.into_iter().collect();
        let whereto =
            if new.is_empty() { String::new() } else { format!(", and go to {} instead", new.join(", ")) };
        let message = format!("{logs} no longer go to {store}{whereto}");
        let values = Some([store, new.join(", ")]);
        Some(Found { values, ..Found::fail(Change::Retarget, message, categories) })
    }

    /// Whether a store is found as one that is deleted: where its logs go instead is the lesser thing.
    fn is_deleted(&self, store: &StationId, was: &FlowMap) -> bool {
        let resource = self.by_name.get(&store.name).copied();
        let station = || was.stations.iter().find(|station| station.id == *store);
        self.matter.policy.changes.contains_key(&Change::Delete)
            && resource.is_some_and(|resource| {
                station().is_some_and(|station| self.deleted(station, resource).is_some())
            })
    }

    /// The finding on the resource as it is after the apply; none where the policy permits the change.
    fn finding(&self, found: Found, resource: &Resource) -> Option<Finding> {
        let policy = self.matter.policy;
        let at = *policy.changes.get(&found.change)?;
        let categories: Vec<Category> = found.categories.into_iter().collect();
        let (place, related): (_, Vec<Related>) = place::of(self.after, resource, None, None);
        let evidence = |(subject, value): (&str, String)| Evidence {
            subject: subject.to_owned(),
            value,
            origin: "plan",
            place: place.clone(),
        };
        let values = found.values.into_iter().flat_map(|values| ["before", "after"].into_iter().zip(values));
        let finding = found.change.check().finding(policy, at, categories, found.message);
        Some(Finding {
            verdict: found.verdict,
            address: Address::clone(&resource.address),
            evidence: values.map(evidence).collect(),
            place,
            related,
            cause: found.cause,
            root: Arc::clone(&self.matter.root.folder),
            ..finding
        })
    }
}

/// What a station emitted for certain.
fn certain(station: &Station) -> BTreeSet<Category> {
    let open = station.silent.iter().flat_map(|silence| &silence.categories);
    let doubted: BTreeSet<Category> = open.chain(&station.doubted).copied().collect();
    station.emits.difference(&doubted).copied().collect()
}

/// The stores that logs of `category` reach from `source`, and why there may be others. What a service makes by itself
/// is none: it has the same name where somebody manages it.
fn stores<'m>(
    ways: &Ways<'m>,
    source: &StationId,
    category: Category,
) -> (BTreeSet<&'m StationId>, Option<Option<Cause>>) {
    let (mut found, mut unknown) = (BTreeSet::new(), None);
    let mut seen: BTreeSet<&StationId> = BTreeSet::new();
    let mut open: Vec<&StationId> = vec![source];
    while let Some(id) = open.pop() {
        for way in ways.from(id).iter().filter(|way| way.categories.contains(&category)) {
            let Some(station) = ways.station(&way.to) else { continue };
            if way.certainty == Certainty::Open || station.role == Role::Unknown {
                unknown = unknown.or_else(|| Some(station.cause.clone()));
                continue;
            }
            if matches!(station.role, Role::Store | Role::External) {
                found.insert(&station.id);
            }
            if seen.insert(&station.id) {
                open.push(&station.id);
            }
        }
    }
    (found, unknown)
}

/// `access_logs and data_access`
fn words(categories: &BTreeSet<Category>) -> String {
    let all: Vec<&str> = categories.iter().map(|category| category.as_str()).collect();
    match all.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => all.concat(),
    }
}
