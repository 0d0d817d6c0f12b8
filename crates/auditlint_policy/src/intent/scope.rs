//! Which resources a policy means.

use auditlint_graph::{Resource, Value};
use auditlint_syntax::Location;

use super::merge::Weakening;
use crate::Verdict;
use crate::destination::{self, Part};
use crate::external::Pattern;

/// What is meant: everything that is included (all, where nothing is) and not excluded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// What is meant; empty for everything.
    pub include: Vec<ScopePattern>,
    /// What is not.
    pub exclude: Vec<ScopePattern>,
}

/// How a resource looks: all that is given must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopePattern {
    /// Its address without the keys of instances.
    pub address: Option<Pattern>,
    /// The module instance that holds it, `module.a.module.b`.
    pub module: Option<Pattern>,
    /// Its type.
    pub kind: Option<Pattern>,
    /// Its provider, by the beginning of its type.
    pub provider: Option<String>,
    /// Its tags or labels, by name.
    pub tags: Vec<(String, Vec<Pattern>)>,
    /// How the regions or locations look in which they stand.
    pub regions: Vec<Pattern>,
    /// The line that says so.
    pub at: Location,
}

/// The attributes in which providers keep the tags of a resource.
pub const TAG_ATTRIBUTES: [&str; 3] = ["tags_all", "tags", "labels"];

impl Scope {
    /// Whether tags decide, which have to be read then.
    #[must_use]
    pub fn asks_tags(&self) -> bool {
        self.include.iter().chain(&self.exclude).any(|pattern| !pattern.tags.is_empty())
    }

    /// Whether regions decide, which have to be read then.
    #[must_use]
    pub fn asks_regions(&self) -> bool {
        self.include.iter().chain(&self.exclude).any(|pattern| !pattern.regions.is_empty())
    }

    /// Whether a resource is meant. What is not known is meant: nothing falls out of a policy by being unknown.
    #[must_use]
    pub fn holds(&self, resource: &Resource) -> bool {
        let included = self.include.is_empty()
            || self.include.iter().any(|pattern| pattern.matches(resource) != Verdict::Fail);
        included && !self.exclude.iter().any(|pattern| pattern.matches(resource) == Verdict::Pass)
    }

    /// Whether it means everything.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// What one of both means.
    pub(super) fn beside(&self, other: &Self) -> Self {
        let include = if self.include.is_empty() || other.include.is_empty() {
            Vec::new()
        } else {
            self.include
                .iter()
                .chain(other.include.iter().filter(|one| !contains(&self.include, one)))
                .cloned()
                .collect()
        };
        let exclude = self.exclude.iter().filter(|one| contains(&other.exclude, one)).cloned().collect();
        Self { include, exclude }
    }

    /// What `own` makes of this, which it extends: it may include more, and exclude less.
    pub(super) fn widened(&self, own: &Self) -> (Self, Vec<Weakening>) {
        let mut found = Vec::new();
        let mut weaker = |what: &str, pattern: &ScopePattern| {
            found.push(Weakening {
                what: what.to_owned(),
                value: (pattern.show(), pattern.at),
                over: ("everything".to_owned(), self.exclude.first().map_or(pattern.at, |first| first.at)),
            });
        };
        if self.include.is_empty() {
            own.include.iter().for_each(|pattern| weaker("scope.include", pattern));
        }
        own.exclude
            .iter()
            .filter(|one| !contains(&self.exclude, one))
            .for_each(|one| weaker("scope.exclude", one));
        let include = match (self.include.is_empty(), own.include.is_empty()) {
            (true, _) => Vec::new(),
            (false, true) => self.include.clone(),
            (false, false) => self
                .include
                .iter()
                .chain(own.include.iter().filter(|one| !contains(&self.include, one)))
                .cloned()
                .collect(),
        };
        (Self { include, exclude: self.exclude.clone() }, found)
    }
}

fn contains(patterns: &[ScopePattern], one: &ScopePattern) -> bool {
    patterns.iter().any(|known| ScopePattern { at: one.at, ..known.clone() } == *one)
}

impl ScopePattern {
    fn matches(&self, resource: &Resource) -> Verdict {
        let holds = |is_so: bool| if is_so { Verdict::Pass } else { Verdict::Fail };
        let address = resource.address.without_keys();
        let kind = resource.kind();
        let module = resource.address.module.without_keys();
        let provider = kind.split('_').next().unwrap_or_default();
        let parts = [
            self.address.as_ref().map(|pattern| holds(pattern.matches(&address.to_string()))),
            self.module.as_ref().map(|pattern| holds(pattern.matches(module.as_str()))),
            self.kind.as_ref().map(|pattern| holds(pattern.matches(kind))),
            self.provider.as_ref().map(|name| holds(name == provider)),
        ];
        let tags = self.tags.iter().map(|(name, looks)| tagged(resource, name, looks));
        let region = (!self.regions.is_empty()).then(|| located(resource, &self.regions));
        Verdict::all(parts.into_iter().flatten().chain(tags).chain(region))
    }

    fn show(&self) -> String {
        let text = |name: &str, pattern: &Option<Pattern>| {
            pattern.as_ref().map(|one| format!("{name} {}", one.as_str()))
        };
        let parts = [text("address", &self.address), text("module", &self.module), text("type", &self.kind)];
        let provider = self.provider.as_ref().map(|name| format!("provider {name}"));
        let tags = self.tags.iter().map(|(name, looks)| {
            format!("tag {name}={}", looks.iter().map(Pattern::as_str).collect::<Vec<_>>().join("|"))
        });
        let regions = self.regions.iter().map(|one| format!("region {}", one.as_str()));
        parts.into_iter().flatten().chain(provider).chain(tags).chain(regions).collect::<Vec<_>>().join(", ")
    }
}

fn located(resource: &Resource, looks: &[Pattern]) -> Verdict {
    match destination::standing(resource, Part::Region) {
        Ok(region) if looks.iter().any(|look| destination::fits(look, &region)) => Verdict::Pass,
        Ok(_) => Verdict::Fail,
        Err(_) => Verdict::Unknown,
    }
}

fn tagged(resource: &Resource, name: &str, looks: &[Pattern]) -> Verdict {
    let mut verdicts = Vec::new();
    for attribute in TAG_ATTRIBUTES {
        let Some(tags) = resource.attribute(attribute) else { continue };
        verdicts.push(match tags.value() {
            Value::Map(map) => match map.get(name).map(|tag| (tag.value(), tag.sensitive)) {
                Some((Value::String(text), false)) if looks.iter().any(|look| look.matches(text)) => {
                    Verdict::Pass
                }
                Some((Value::Unknown(_), _) | (_, true)) => Verdict::Unknown,
                _ => Verdict::Fail,
            },
            Value::Unknown(_) => Verdict::Unknown,
            _ => Verdict::Fail,
        });
    }
    if verdicts.is_empty() { Verdict::Fail } else { Verdict::any(verdicts) }
}
