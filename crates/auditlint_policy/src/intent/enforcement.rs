//! What findings count for: by default, by category and by the id of a rule or check, and how documents say it together.

use std::collections::BTreeMap;

use auditlint_syntax::Location;

use super::bind::{Bound, bind};
use super::merge::Weakening;
use super::statement::Statement;
use crate::check::{Check, OfResources};
use crate::policy::Level;
use crate::{Binding, Catalogue, Category, Severity};

/// What a finding counts for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Enforcement {
    /// All findings.
    pub level: Option<(Level, Location)>,
    /// Those of a category.
    pub categories: BTreeMap<Category, (Level, Location)>,
    /// Those of a rule.
    pub rules: BTreeMap<String, (Level, Location)>,
    /// How severe they are at least.
    pub severity: Option<(Severity, Location)>,
    /// What is undecided in a configuration, a plan, a state.
    pub on_unknown: [Option<(OnUnknown, Location)>; 3],
}

/// What becomes of an undecided finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnUnknown {
    /// It is shown and counted.
    Warn,
    /// The run is incomplete.
    Block,
}

impl OnUnknown {
    /// The word of policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Block => "block",
        }
    }
}

/// A level, and the line that says so; none where nobody says it.
type Said = (Level, Option<Location>);

/// The higher of two; what somebody says before what nobody does.
fn higher_of(one: Said, other: Said) -> Said {
    if (other.0, other.1.is_some()) > (one.0, one.1.is_some()) { other } else { one }
}

impl Enforcement {
    /// What everything counts for of which no more is said.
    #[must_use]
    pub fn of_all(&self) -> Level {
        self.said_of_all().0
    }

    /// What findings of a category count for.
    #[must_use]
    pub fn of_category(&self, category: Category) -> Level {
        self.said_of_category(category).0
    }

    /// What a finding of a check counts for that is about logs of these categories: what is said of the check, else as
    /// much as everything does, or one of the categories where that is more.
    #[must_use]
    pub fn of_check(&self, check: Check, categories: impl IntoIterator<Item = Category>) -> Level {
        match self.rules.get(check.id) {
            Some((level, _)) => *level,
            None => categories.into_iter().map(|one| self.of_category(one)).fold(self.of_all(), Level::max),
        }
    }

    fn said_of_all(&self) -> Said {
        self.level.map_or((Level::default(), None), |(level, at)| (level, Some(at)))
    }

    fn said_of_category(&self, category: Category) -> Said {
        let own = self.categories.get(&category).map(|(level, at)| (*level, Some(*at)));
        own.unwrap_or_else(|| self.said_of_all())
    }
}

impl Statement {
    /// What findings of a rule count for that this statement turns on, and the line that decides it.
    fn said_of_rule(&self, binding: &Binding) -> Said {
        let enforcement = &self.enforcement;
        let own = enforcement.rules.get(&*binding.rule.id).into_iter();
        let categories =
            binding.categories.iter().filter_map(|category| enforcement.categories.get(category));
        let mut said = own.chain(categories).chain(&enforcement.level);
        let at = said.find(|(level, _)| *level == binding.level).map_or(binding.at, |(_, at)| *at);
        (binding.level, Some(at))
    }

    /// Whether anything is asked that the check finds.
    fn asks_check(&self, check: Check) -> bool {
        match OfResources::of_id(check.id) {
            Some(OfResources::Change(change)) => self.changes.contains_key(&change),
            Some(OfResources::Place(part)) => self.says(part.field()),
            None => false,
        }
    }

    /// The most that a finding of a check counts for, whatever logs it is about.
    fn said_of_check(&self, check: Check) -> Option<Said> {
        if !self.asks_check(check) {
            return None;
        }
        let enforcement = &self.enforcement;
        let own = enforcement.rules.get(check.id).map(|(level, at)| (*level, Some(*at)));
        let categories = enforcement.categories.values().map(|(level, at)| (*level, Some(*at)));
        Some(own.unwrap_or_else(|| categories.fold(enforcement.said_of_all(), higher_of)))
    }

    /// The line that stands for the whole of it.
    fn head(&self) -> Option<Location> {
        let categories = self.categories.values().map(|asked| asked.at);
        let rules = self.rules.iter().map(|rule| rule.at);
        let plain = self.changes.values().chain(self.alerts.values()).copied();
        categories.chain(rules).chain(self.demands.iter().map(|demand| demand.at)).chain(plain).next()
    }

    /// What `own` makes of what findings count for, and what would count for less.
    pub(super) fn enforced(
        &self,
        own: &Self,
        catalogue: &Catalogue,
        is_permitted: &dyn Fn(&Location) -> bool,
    ) -> (Enforcement, Vec<Weakening>) {
        let mut found = Vec::new();
        let mut out = self.enforcement.clone();
        let head = self.head();
        let mut weigh = |what: String, base: (Level, Option<Location>), own: (Level, Location)| {
            // What nobody said is mandatory where something is asked.
            let line = base.1.or(head);
            let Some(line) = line.filter(|_| own.0 < base.0) else { return Some(own) };
            if is_permitted(&line) {
                return Some(own);
            }
            let value = (own.0.as_str().to_owned(), own.1);
            found.push(Weakening { what, value, over: (base.0.as_str().to_owned(), line) });
            None
        };
        if let Some(stated) = own.enforcement.level {
            let base = if self.is_empty() { (Level::Off, None) } else { self.enforcement.said_of_all() };
            out.level = weigh("enforcement.level".to_owned(), base, stated).or(out.level);
            if let (Some(stated), true) = (out.level.filter(|level| *level == stated), !self.is_empty()) {
                // What holds for all holds at least for the categories and rules of the ancestors.
                let raise = |known: &mut (Level, Location)| {
                    if known.0 < stated.0 {
                        *known = stated;
                    }
                };
                out.categories.values_mut().for_each(raise);
                out.rules.values_mut().for_each(raise);
            }
        }
        for (category, stated) in &own.enforcement.categories {
            let is_asked = self.categories.contains_key(category);
            let base =
                if is_asked { self.enforcement.said_of_category(*category) } else { (Level::Off, None) };
            let what = format!("enforcement.categories.{}", category.as_str());
            if let Some(stated) = weigh(what, base, *stated) {
                out.categories.insert(*category, stated);
            }
        }
        // Which rules are asked, and about which categories, is known once they are bound.
        let bound = if own.enforcement.rules.is_empty() { Bound::default() } else { bind(self, catalogue) };
        for (id, stated) in &own.enforcement.rules {
            let of_check = OfResources::of_id(id).and_then(|one| self.said_of_check(one.check()));
            let of_rule = || {
                let binding = bound.bindings.iter().find(|binding| *binding.rule.id == **id)?;
                Some(self.said_of_rule(binding))
            };
            let base = of_check.or_else(of_rule).unwrap_or((Level::Off, None));
            if let Some(stated) = weigh(format!("enforcement.rules.{id}"), base, *stated) {
                out.rules.insert(id.clone(), stated);
            }
        }
        let mut ordered = |what: &str,
                           base: Option<(usize, &str, Location)>,
                           own: Option<(usize, &str, Location)>| match (base, own) {
            (Some(base), Some(own)) if own.0 < base.0 && !is_permitted(&base.2) => {
                found.push(Weakening {
                    what: what.to_owned(),
                    value: (own.1.to_owned(), own.2),
                    over: (base.1.to_owned(), base.2),
                });
                false
            }
            (_, Some(_)) => true,
            (_, None) => false,
        };
        let severity =
            |of: &Enforcement| of.severity.map(|(severity, at)| (severity as usize, severity.as_str(), at));
        if ordered("enforcement.severity", severity(&self.enforcement), severity(&own.enforcement)) {
            out.severity = own.enforcement.severity;
        }
        for ((kind, out), (base, own)) in ["hcl", "plan", "state"]
            .into_iter()
            .zip(&mut out.on_unknown)
            .zip(self.enforcement.on_unknown.iter().zip(&own.enforcement.on_unknown))
        {
            let seen =
                |of: &Option<(OnUnknown, Location)>| of.map(|(what, at)| (what as usize, what.as_str(), at));
            if ordered(&format!("enforcement.on_unknown.{kind}"), seen(base), seen(own)) {
                *out = *own;
            }
        }
        (out, found)
    }
}

impl Enforcement {
    /// The strictest of both.
    pub(super) fn beside(&self, other: &Self) -> Self {
        fn higher<T: Copy + PartialOrd>(
            one: Option<(T, Location)>,
            other: Option<(T, Location)>,
        ) -> Option<(T, Location)> {
            match (one, other) {
                (Some(one), Some(other)) => Some(if other.0 > one.0 { other } else { one }),
                (one, other) => one.or(other),
            }
        }
        fn all<K: Ord + Clone>(
            one: &BTreeMap<K, (Level, Location)>,
            other: &BTreeMap<K, (Level, Location)>,
        ) -> BTreeMap<K, (Level, Location)> {
            let keys = one.keys().chain(other.keys());
            keys.filter_map(|key| {
                Some((key.clone(), higher(one.get(key).copied(), other.get(key).copied())?))
            })
            .collect()
        }
        let [hcl, plan, state] = self.on_unknown;
        let [other_hcl, other_plan, other_state] = other.on_unknown;
        Self {
            level: higher(self.level, other.level),
            categories: all(&self.categories, &other.categories),
            rules: all(&self.rules, &other.rules),
            severity: higher(self.severity, other.severity),
            on_unknown: [higher(hcl, other_hcl), higher(plan, other_plan), higher(state, other_state)],
        }
    }
}
