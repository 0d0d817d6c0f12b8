//! What a change of a repository makes its policy ask less. Nothing of it counts before it is merged; whoever reviews the
//! change is told.

use auditlint_policy::intent::{FIELDS, Permission, PolicyEnvironment};
use auditlint_policy::{Catalogue, Demand, Policy};
use auditlint_syntax::{Location, Span};

/// Each thing that `after` asks less than `before`, where it says so or at the top of the policy.
pub(super) fn told(before: &Policy, after: &Policy, catalogue: &Catalogue) -> Vec<(Location, String)> {
    let head = after.texts.last().map(|text| Location { file: text.file(), span: Span::default() });
    let Some(head) = head else { return Vec::new() };
    let mut weaker = Weaker { head, catalogue, out: Vec::new() };
    weaker.policy("", before, after);
    for environment in &before.environments {
        let now = named(after, &environment.name);
        let policy = now.map_or(after, |now| &now.policy);
        weaker.policy(&format!(" in {}", environment.name), &environment.policy, policy);
    }
    weaker.environments(before, after);
    if after.limits.allow_more_than(&before.limits) {
        weaker.told(head, "this change lets repositories do more to the policy (`repository`)".to_owned());
    }
    for (name, bounds) in &*after.bounds {
        if before.bounds.get(name).is_some_and(|known| bounds.allow_more_than(known)) {
            weaker.told(bounds.at, format!("this change lets others make more of the parameter {name}"));
        }
    }
    if after.foreign > before.foreign {
        let message = "this change lets comments of other tools count for more (`foreign_suppressions`)";
        weaker.told(head, message.to_owned());
    }
    weaker.out
}

fn named<'p>(policy: &'p Policy, name: &str) -> Option<&'p PolicyEnvironment> {
    policy.environments.iter().find(|environment| environment.name == name)
}

struct Weaker<'a> {
    /// The top of the policy, where what is gone is told.
    head: Location,
    catalogue: &'a Catalogue,
    out: Vec<(Location, String)>,
}

impl Weaker<'_> {
    fn told(&mut self, at: Location, message: String) {
        self.out.push((at, message));
    }

    /// What is gone from the policy of a place.
    fn gone(&mut self, place: &str, what: &str) {
        self.told(self.head, format!("this change weakens the policy{place}: {what}"));
    }

    fn policy(&mut self, place: &str, before: &Policy, after: &Policy) {
        self.values(place, before, after);
        self.fields(place, before, after);
        self.rest(place, before, after);
    }

    fn rest(&mut self, place: &str, before: &Policy, after: &Policy) {
        self.lists(place, before, after);
        self.demands(place, before, after);
        self.rules(place, before, after);
    }

    /// What has a value, and a lesser one now.
    fn values(&mut self, place: &str, before: &Policy, after: &Policy) {
        let (_, found) = before.statement.tightened(&after.statement, self.catalogue, Permission::Tighten);
        for weakening in found {
            let (value, at) = weakening.value;
            let message = format!(
                "this change weakens the policy{place}: `{}` was {} and is {value}",
                weakening.what, weakening.over.0
            );
            if !self.out.iter().any(|(known, _)| *known == at) {
                self.told(at, message);
            }
        }
    }

    /// What is not said any more.
    fn fields(&mut self, place: &str, before: &Policy, after: &Policy) {
        for category in before.statement.categories.keys() {
            if !after.statement.categories.contains_key(category) {
                self.gone(place, &format!("{} is asked no more", category.as_str()));
                continue;
            }
            for spec in &FIELDS {
                let was = before.statement.effective(*category, spec.field);
                if let (Some(was), None) = (was, after.statement.effective(*category, spec.field)) {
                    let (category, field) = (category.as_str(), spec.field.name());
                    let was = was.setting.show(spec.field);
                    self.gone(place, &format!("`{category}.{field}` was {was} and is gone"));
                }
            }
        }
    }

    /// What is named, and is not any more.
    fn lists(&mut self, place: &str, before: &Policy, after: &Policy) {
        let (was, is) = (&before.statement, &after.statement);
        for change in was.changes.keys().filter(|one| !is.changes.contains_key(one)) {
            self.gone(place, &format!("`{}` is forbidden no more", change.as_str()));
        }
        for event in was.alerts.keys().filter(|one| !is.alerts.contains_key(*one)) {
            self.gone(place, &format!("nobody is told of `{event}` any more"));
        }
        for (category, roots) in after.may_live_in.iter().filter(|one| !before.may_live_in.contains(one)) {
            let what = format!("what {} needs may live in {} now", category.as_str(), roots.join(", "));
            self.gone(place, &what);
        }
    }

    /// Where a source must be.
    fn demands(&mut self, place: &str, before: &Policy, after: &Policy) {
        let asks_as_much = |was: &Demand| {
            after.demands.iter().any(|is| {
                is.category == was.category
                    && is.within == was.within
                    && was.regions.iter().all(|region| is.regions.contains(region))
                    && is.provided_by.iter().all(|id| was.provided_by.contains(id))
            })
        };
        for was in before.demands.iter().filter(|was| !asks_as_much(was)) {
            self.gone(place, &format!("a source for {} is required in fewer places", was.category.as_str()));
        }
    }

    fn rules(&mut self, place: &str, before: &Policy, after: &Policy) {
        for binding in before.bindings.iter().filter(|binding| binding.level.gates()) {
            let now = after.bindings.iter().find(|now| now.rule.id == binding.rule.id);
            let is_less = now.is_none_or(|now| now.level < binding.level || now.severity < binding.severity);
            // One of them is enough to look at the policy.
            if is_less && !self.out.iter().any(|(at, _)| *at == self.head) {
                self.gone(place, &format!("{} is asked less", binding.rule.id));
            }
        }
    }

    /// Which roots an environment means, and which of them must not fall behind.
    fn environments(&mut self, before: &Policy, after: &Policy) {
        for now in &after.environments {
            match named(before, &now.name) {
                // Roots that no environment meant are judged by it. What its overlay does not speak of is as it was.
                None => {
                    let place = format!(" in {}", now.name);
                    self.values(&place, before, &now.policy);
                    self.rest(&place, before, &now.policy);
                }
                Some(was) if was.matches != now.matches => self.told(
                    now.at,
                    format!(
                        "this change says anew which roots are {}: it counts once it is merged",
                        now.name
                    ),
                ),
                Some(was) if was.at_least.is_some() && was.at_least != now.at_least => {
                    let message = format!("this change lets {} fall behind another environment", now.name);
                    self.told(now.at, message);
                }
                Some(_) => {}
            }
        }
        let order = |policy: &Policy, other: &Policy| -> Vec<String> {
            let names = policy.environments.iter().map(|environment| environment.name.clone());
            names.filter(|name| named(other, name).is_some()).collect()
        };
        let is_reordered = order(before, after) != order(after, before);
        if is_reordered || before.unmatched != after.unmatched {
            let message =
                "this change says anew which environment a root is that several or none of them mean";
            self.told(self.head, message.to_owned());
        }
    }
}
