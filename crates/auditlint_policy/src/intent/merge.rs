//! Several statements as one: side by side the strictest of each value counts, and a document may only tighten what
//! those say that it extends.

use std::collections::BTreeMap;

use auditlint_syntax::{FileId, Location};

use super::field::{FIELDS, Field};
use super::setting::{Setting, Stated};
use super::statement::{Asked, Statement};
use crate::condition::Operand;
use crate::external::Pattern;
use crate::policy::Level;
use crate::{Catalogue, Category};

/// A value that asks for less than one that it stands below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weakening {
    /// What it is about: `access_logs.retention.min`.
    pub what: String,
    /// The weaker value and its line.
    pub value: (String, Location),
    /// The value that it would replace, and its line.
    pub over: (String, Location),
}

/// Which weaker values are legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// None.
    Tighten,
    /// Those in place of values that this document says itself.
    Owner(FileId),
}

impl Statement {
    /// What both ask for: the strictest of each value.
    #[must_use]
    pub fn beside(&self, other: &Self) -> Self {
        if self.says_nothing() {
            return other.clone();
        }
        if other.says_nothing() {
            return self.clone();
        }
        let mut out = self.clone();
        for category in self.categories.keys().chain(other.categories.keys()) {
            let asked = match (self.categories.get(category), other.categories.get(category)) {
                (Some(one), Some(other)) => Asked {
                    at: first(one.at, other.at),
                    fields: BTreeMap::new(),
                    is_closed: true,
                    controls: one.controls.union(&other.controls).cloned().collect(),
                },
                (Some(one), None) | (None, Some(one)) => {
                    Asked { fields: BTreeMap::new(), is_closed: true, ..one.clone() }
                }
                (None, None) => continue,
            };
            out.categories.insert(*category, asked);
        }
        for spec in &FIELDS {
            let field = spec.field;
            for category in out.categories.keys().copied().collect::<Vec<_>>() {
                // What one does not ask about this category, it does not say of it either.
                let says = |statement: &Self| {
                    let is_named = statement.categories.contains_key(&category);
                    is_named.then(|| statement.asked(category, field)).flatten()
                };
                let both = match (says(self), says(other)) {
                    // To name no kinds means all of them.
                    _ if field == Field::Sources => sources(self, other, category),
                    (Some(one), Some(other)) => Some(one.stricter(&other, spec.kind)),
                    (one, other) => one.or(other),
                };
                if let (Some(stated), Some(asked)) = (both, out.categories.get_mut(&category)) {
                    asked.fields.insert(field, stated);
                }
            }
            let both = match (self.asked_by_default(field), other.asked_by_default(field)) {
                (Some(one), Some(other)) => Some(one.stricter(&other, spec.kind)),
                (one, other) => one.or(other),
            };
            if let Some(stated) = both {
                out.defaults.insert(field, stated);
            }
        }
        out.add_rest(other);
        out.enforcement = self.enforcement.beside(&other.enforcement);
        out.scope = self.scope.beside(&other.scope);
        out
    }

    /// What `own` makes of this, which it extends; what would ask for less is named, and left as it was.
    #[must_use]
    pub fn tightened(
        &self,
        own: &Self,
        catalogue: &Catalogue,
        permission: Permission,
    ) -> (Self, Vec<Weakening>) {
        let mut found = Vec::new();
        let mut out = self.clone();
        let is_permitted = |stated: &Location| match permission {
            Permission::Tighten => false,
            Permission::Owner(file) => stated.file == file,
        };
        let mut weigh = |what: String, field: Field, base: Option<&Stated>, own: &Stated| {
            let (stated, weaker) = weighed(field, base, own, &is_permitted);
            let is_weaker = weaker.is_some();
            found.extend(weaker.map(|over| Weakening {
                what,
                value: (own.setting.show(field), own.at),
                over: (over.setting.show(field), over.at),
            }));
            (stated, is_weaker)
        };
        for (category, asked) in &own.categories {
            let known = out.categories.entry(*category).or_insert_with(|| Asked {
                at: asked.at,
                fields: BTreeMap::new(),
                is_closed: false,
                controls: asked.controls.clone(),
            });
            known.controls.extend(asked.controls.iter().cloned());
            for (field, stated) in &asked.fields {
                let all = Stated {
                    setting: Setting::Kinds(None),
                    at: self.categories.get(category).map_or(asked.at, |asked| asked.at),
                };
                let is_asked = self.categories.contains_key(category);
                let base = self.asked(*category, *field);
                let base = base.or(Some(all).filter(|_| *field == Field::Sources && is_asked));
                let what = format!("{}.{}", category.as_str(), field.name());
                let (stated, _) = weigh(what, *field, base.as_ref(), stated);
                known.fields.insert(*field, stated);
            }
        }
        for (field, stated) in &own.defaults {
            let base = self.asked_by_default(*field);
            let what = format!("defaults.{}", field.name());
            let (stated, is_weaker) = weigh(what, *field, base.as_ref(), stated);
            out.defaults.insert(*field, stated.clone());
            if is_weaker {
                continue;
            }
            // What this document says of all categories holds for those, too, of which only its ancestors speak, as far
            // as it asks for more than they do.
            for (category, asked) in &self.categories {
                if own.categories.get(category).is_some_and(|own| own.fields.contains_key(field)) {
                    continue;
                }
                let all = || Stated { setting: Setting::Kinds(None), at: asked.at };
                let base = self.asked(*category, *field);
                let both = match (base, *field) {
                    // A choice of sources means the categories that this document names.
                    (base, Field::Sources) => Some(base.unwrap_or_else(all)),
                    (Some(base), _) => Some(base.stricter(&stated, field.spec().kind)),
                    (None, _) => asked.is_closed.then(|| stated.clone()),
                };
                if let (Some(both), Some(asked)) = (both, out.categories.get_mut(category)) {
                    asked.fields.insert(*field, both);
                }
            }
        }
        let (enforcement, weaker) = self.enforced(own, catalogue, &is_permitted);
        found.extend(weaker);
        out.enforcement = enforcement;
        found.extend(self.rules_weakened(own, &is_permitted));
        out.add_rest(own);
        let (scope, weaker) =
            if self.is_empty() { (own.scope.clone(), Vec::new()) } else { self.scope.widened(&own.scope) };
        out.scope = scope;
        found.extend(weaker);
        (out, found)
    }

    /// Whether it is the statement of nobody.
    fn says_nothing(&self) -> bool {
        *self == Self::default()
    }

    fn add_rest(&mut self, other: &Self) {
        self.rules.extend(
            other.rules.iter().filter(|rule| !self.rules.contains(rule)).cloned().collect::<Vec<_>>(),
        );
        let new: Vec<_> =
            other.demands.iter().filter(|demand| !self.demands.contains(demand)).cloned().collect();
        self.demands.extend(new);
        let new: Vec<_> =
            other.may_live_in.iter().filter(|one| !self.may_live_in.contains(one)).cloned().collect();
        self.may_live_in.extend(new);
        for (event, at) in &other.alerts {
            self.alerts.entry(event.clone()).and_modify(|known| *known = first(*known, *at)).or_insert(*at);
        }
        for (change, at) in &other.changes {
            self.changes.entry(*change).and_modify(|known| *known = first(*known, *at)).or_insert(*at);
        }
    }

    /// Rules that `own` names with less than this asks of them.
    fn rules_weakened(&self, own: &Self, is_permitted: &dyn Fn(&Location) -> bool) -> Vec<Weakening> {
        let mut found = Vec::new();
        for rule in &own.rules {
            for base in self.rules.iter().filter(|base| base.id == rule.id && !is_permitted(&base.at)) {
                let id = rule.id.as_deref().unwrap_or("all");
                for (name, value) in &rule.parameters {
                    let known = base.parameters.iter().find(|(known, _)| known == name);
                    let Some((_, known)) = known.filter(|(_, known)| is_less(name, value, known)) else {
                        continue;
                    };
                    found.push(Weakening {
                        what: format!("rules.{id}.{name}"),
                        value: (value.to_string(), rule.at),
                        over: (known.to_string(), base.at),
                    });
                }
                if rule.level.unwrap_or_default() < base.level.unwrap_or_default() {
                    let level = |level: Option<Level>| level.unwrap_or_default().as_str().to_owned();
                    let (value, over) = ((level(rule.level), rule.at), (level(base.level), base.at));
                    found.push(Weakening { what: format!("rules.{id}.level"), value, over });
                }
            }
        }
        found
    }
}

/// Whether a parameter asks for less than another value of it.
pub(super) fn is_less(name: &str, value: &Operand, known: &Operand) -> bool {
    match (value, known) {
        (Operand::Number(value), Operand::Number(known)) if name == "maximum" => value > known,
        (Operand::Number(value), Operand::Number(known)) => value < known,
        (Operand::Text(value), Operand::Text(known)) if name == "level" => rank(value) < rank(known),
        (Operand::List(value), Operand::List(known)) if name == "accounts" => {
            let lies_within = |one: &Operand| {
                known.iter().any(|look| Pattern::new(&look.to_string()).matches(&one.to_string()))
            };
            !value.iter().all(lies_within)
        }
        _ => false,
    }
}

/// How much a level of audit policies records; nothing, where it is none.
fn rank(level: &str) -> Option<usize> {
    ["None", "Metadata", "Request", "RequestResponse"].iter().position(|known| *known == level)
}

/// What `own` makes of `base`, and the value that it may not replace where it asks for less.
fn weighed<'b>(
    field: Field,
    base: Option<&'b Stated>,
    own: &Stated,
    is_permitted: &dyn Fn(&Location) -> bool,
) -> (Stated, Option<&'b Stated>) {
    let kind = field.spec().kind;
    match base {
        Some(base) if own.setting.is_weaker_than(&base.setting, kind) && !is_permitted(&base.at) => {
            (base.stricter(own, kind), Some(base))
        }
        Some(base) if base.setting == own.setting => (base.clone(), None),
        _ => (own.clone(), None),
    }
}

/// The kinds of sources that both ask for, where at least one names some.
fn sources(one: &Statement, other: &Statement, category: Category) -> Option<Stated> {
    let says = |statement: &Statement| {
        let asked = statement.categories.get(&category)?;
        let all = Stated { setting: Setting::Kinds(None), at: asked.at };
        Some(statement.effective(category, Field::Sources).cloned().unwrap_or(all))
    };
    match (says(one), says(other)) {
        (Some(one), Some(other)) => Some(one.stricter(&other, Field::Sources.spec().kind)),
        (one, other) => one.or(other),
    }
}

fn first(one: Location, other: Location) -> Location {
    if (other.file, other.span.start) < (one.file, one.span.start) { other } else { one }
}
