//! What one document says, or what several say together.

use std::collections::{BTreeMap, BTreeSet};

use auditlint_syntax::{Location, Name};

use super::enforcement::Enforcement;
use super::field::{Field, FieldKind};
use super::scope::Scope;
use super::setting::{Setting, Stated};
use crate::condition::Operand;
use crate::policy::Level;
use crate::{Category, Change, Demand, Severity};

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statement {
    /// What holds for every category that says nothing else.
    pub defaults: BTreeMap<Field, Stated>,
    /// What is asked of each category that is named.
    pub categories: BTreeMap<Category, Asked>,
    /// Rules that are named one by one.
    pub rules: Vec<NamedRule>,
    /// Where a category must have a source.
    pub demands: Vec<Demand>,
    /// What a plan must not do to logs, with the word of each.
    pub changes: BTreeMap<Change, Location>,
    /// The events of which somebody must be told, with the word of each.
    pub alerts: BTreeMap<String, Location>,
    /// The categories of which what turns the logs on may live elsewhere, and where.
    pub may_live_in: Vec<(Category, Vec<String>)>,
    /// What a finding counts for.
    pub enforcement: Enforcement,
    /// Which resources are meant.
    pub scope: Scope,
}

/// What is asked of one category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The line that names it.
    pub at: Location,
    /// Its own values.
    pub fields: BTreeMap<Field, Stated>,
    /// Whether these are all: what holds for other categories by default says nothing of it.
    pub is_closed: bool,
    /// The identifiers of standards that it is evidence for.
    pub controls: BTreeSet<String>,
}

/// A rule that is named by its id, or all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedRule {
    /// Its id; none for every rule that judges a resource.
    pub id: Option<String>,
    /// The values that it is given.
    pub parameters: Vec<(Name, Operand)>,
    /// Its severity here.
    pub severity: Option<Severity>,
    /// What its findings count for here.
    pub level: Option<Level>,
    /// The line that names it.
    pub at: Location,
}

impl Statement {
    /// What holds for a category: what it says itself, else what all say.
    #[must_use]
    pub fn effective(&self, category: Category, field: Field) -> Option<&Stated> {
        let spec = field.spec();
        if spec.only.is_some_and(|only| only != category) {
            return None;
        }
        let asked = self.categories.get(&category);
        let own = asked.and_then(|asked| asked.fields.get(&field));
        let is_open = asked.is_none_or(|asked| !asked.is_closed);
        own.or_else(|| self.defaults.get(&field).filter(|_| is_open))
    }

    /// The same with what follows from other values: where a minimum is set, somebody has to have decided.
    #[must_use]
    pub fn asked(&self, category: Category, field: Field) -> Option<Stated> {
        let implied = || implied(field, self.effective(category, Field::RetentionMin));
        self.effective(category, field).cloned().or_else(implied)
    }

    /// What is asked of every category that says nothing else, with what follows from other values.
    #[must_use]
    pub fn asked_by_default(&self, field: Field) -> Option<Stated> {
        self.defaults.get(&field).cloned().or_else(|| implied(field, self.defaults.get(&Field::RetentionMin)))
    }

    /// Whether it says anything about a field, of any category or of all of them.
    #[must_use]
    pub fn says(&self, field: Field) -> bool {
        self.defaults.contains_key(&field)
            || self.categories.values().any(|asked| asked.fields.contains_key(&field))
    }

    /// Whether it asks for anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.categories.is_empty()
            && self.rules.is_empty()
            && self.demands.is_empty()
            && self.changes.is_empty()
            && self.alerts.is_empty()
    }

    /// The kinds of sources that are asked of a category; none for all.
    #[must_use]
    pub fn kinds(&self, category: Category) -> Option<&BTreeSet<String>> {
        match &self.effective(category, Field::Sources)?.setting {
            Setting::Kinds(kinds) => kinds.as_ref(),
            Setting::Days(_) | Setting::Word(_) | Setting::Flag(_) | Setting::Within(_) => None,
        }
    }
}

/// What a minimum implies for `field`.
fn implied(field: Field, minimum: Option<&Stated>) -> Option<Stated> {
    let FieldKind::Words(words) = field.spec().kind else { return None };
    let minimum = minimum.filter(|_| field == Field::NeverExpire)?;
    Some(Stated { setting: Setting::Word(words.len() - 1), at: minimum.at })
}
