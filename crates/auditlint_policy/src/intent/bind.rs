//! From what is asked to the rules that ask it.

use std::collections::BTreeSet;
use std::sync::Arc;

use auditlint_syntax::{Location, Name};

use super::field::{Field, FieldKind};
use super::setting::{Setting, Stated};
use super::statement::{NamedRule, Statement};
use crate::condition::Operand;
use crate::destination::{Destination, Part};
use crate::external::Pattern;
use crate::policy::{AskedDays, Level};
use crate::rule::{Intent, RuleKind};
use crate::{Binding, Catalogue, Category, Rule, Severity};

/// The rules that a statement turns on, and the days that it asks for.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    pub(crate) bindings: Vec<Binding>,
    pub(crate) days: AskedDays,
    pub(crate) destinations: Vec<Destination>,
    pub(crate) readers: Vec<(Category, BTreeSet<String>, Location)>,
    /// The categories in the order in which they are written.
    pub(crate) categories: Vec<(Category, Location)>,
}

/// Binds `statement` to the rules of `catalogue`.
pub(crate) fn bind(statement: &Statement, catalogue: &Catalogue) -> Bound {
    let mut binder = Binder { statement, catalogue, out: Bound::default() };
    let mut categories: Vec<(Category, Location)> =
        statement.categories.iter().map(|(category, asked)| (*category, asked.at)).collect();
    categories.sort_by_key(|(_, at)| (at.file, at.span.start));
    binder.out.categories = categories;
    for (category, at) in binder.out.categories.clone() {
        binder.category(category, at);
    }
    binder.alerts();
    for named in &statement.rules {
        binder.named(named);
    }
    binder.levels();
    binder.out.bindings.sort_by(|a, b| a.rule.id.cmp(&b.rule.id));
    binder.out
}

struct Binder<'a> {
    statement: &'a Statement,
    catalogue: &'a Catalogue,
    out: Bound,
}

/// What turns a rule on.
struct Use {
    given: Option<(Name, Operand)>,
    category: Category,
    at: Location,
    by_flow: bool,
}

impl Binder<'_> {
    fn category(&mut self, category: Category, head: Location) {
        let days = |field| match self.statement.effective(category, field) {
            Some(Stated { setting: Setting::Days(days), at }) => Some((category, *days, *at)),
            _ => None,
        };
        self.out.days.retention.extend(days(Field::RetentionMin));
        self.out.days.maxima.extend(days(Field::RetentionMax));
        self.out.days.hot.extend(days(Field::RetentionHot));
        self.out.days.immutable.extend(days(Field::Immutability));
        if let Some(Stated { setting: Setting::Within(accounts), at }) =
            self.statement.effective(category, Field::Readers)
        {
            self.out.readers.push((category, accounts.clone(), *at));
        }
        for part in Part::ALL {
            let stated = self.statement.effective(category, part.field());
            if let Some(Stated { setting: Setting::Within(places), at }) = stated {
                let permitted = places.iter().map(|place| Pattern::new(place)).collect();
                self.out.destinations.push(Destination { part, category, permitted, at: *at });
            }
        }
        for rule in self.catalogue.rules() {
            for intent in &rule.asks {
                if let Some(on) = self.turned_on(category, head, rule, *intent) {
                    self.bind(rule, on);
                }
            }
        }
        for field in [Field::Events, Field::Traffic] {
            let Some(Stated { setting: Setting::Kinds(Some(events)), at }) =
                self.statement.effective(category, field)
            else {
                continue;
            };
            let records = |rule: &&Arc<Rule>| {
                !rule.alerts()
                    && rule.categories.contains(&category)
                    && rule.events.iter().any(|event| events.contains(event))
                    && (rule.kind != RuleKind::Source || self.is_asked_kind(category, rule))
            };
            let rules: Vec<&Arc<Rule>> = self.catalogue.rules().iter().filter(records).collect();
            for rule in rules {
                self.bind(rule, Use { given: None, category, at: *at, by_flow: false });
            }
        }
    }

    /// Whether the sources that a rule speaks of are of a kind that is asked of the category.
    fn is_asked_kind(&self, category: Category, rule: &Rule) -> bool {
        let kinds = self.statement.kinds(category);
        kinds.is_none_or(|kinds| kinds.iter().any(|kind| self.catalogue.is_of_kind(rule.service(), kind)))
    }

    /// Somebody is told of these events.
    fn alerts(&mut self) {
        for (event, at) in &self.statement.alerts {
            let tells = |rule: &&Arc<Rule>| rule.alerts() && rule.events.contains(event);
            for rule in self.catalogue.rules().iter().filter(tells) {
                for category in &rule.categories {
                    self.bind(rule, Use { given: None, category: *category, at: *at, by_flow: false });
                }
            }
        }
    }

    /// What of a category turns a rule on, if anything does.
    fn turned_on(&self, category: Category, head: Location, rule: &Rule, intent: Intent) -> Option<Use> {
        let is_asked_kind = || rule.kind != RuleKind::Source || self.is_asked_kind(category, rule);
        let speaks = rule.categories.contains(&category);
        if intent == Intent::Emit {
            let on = Use { given: None, category, at: head, by_flow: false };
            return (speaks && is_asked_kind()).then_some(on);
        }
        let field = Field::asking(intent)?;
        let stated = match self.statement.effective(category, field) {
            // Where a minimum is set, somebody has to have decided.
            None if field == Field::NeverExpire => {
                self.statement.effective(category, Field::RetentionMin).cloned()
            }
            stated => stated.cloned(),
        }?;
        let is_on = match (&stated.setting, field.spec().kind) {
            (Setting::Days(_), _) => true,
            // Each of its words asks for something.
            _ if field == Field::Level => true,
            (Setting::Word(at), FieldKind::Words(words)) => at + 1 == words.len(),
            (Setting::Flag(on), _) => *on,
            (Setting::Within(_), _) => true,
            _ => false,
        };
        // What keeps its own log is asked about the categories of that log, a store about those of the flows.
        let is_meant = field.spec().only.is_some() || rule.kind == RuleKind::Store || speaks;
        if !is_on || !is_meant || !is_asked_kind() {
            return None;
        }
        let days = match (&stated.setting, field) {
            (Setting::Days(days), _) => Some(*days),
            (_, Field::NeverExpire) => {
                match self.statement.effective(category, Field::RetentionMin).map(|stated| &stated.setting) {
                    Some(Setting::Days(days)) => Some(*days),
                    _ => None,
                }
            }
            _ => None,
        };
        let name = if field == Field::RetentionMax { "maximum" } else { "retention" };
        let given = days.map(|days| (Name::new_static(name), Operand::Number(f64::from(days))));
        let level = (field == Field::Level).then(|| Operand::Text(Name::new(stated.setting.show(field))));
        let given = given.or_else(|| Some((Name::new_static("level"), level?)));
        let accounts = || match &stated.setting {
            Setting::Within(accounts) => Some((Name::new_static("accounts"), list(accounts))),
            _ => None,
        };
        let given = given.or_else(accounts);
        Some(Use { given, category, at: stated.at, by_flow: rule.kind == RuleKind::Store || days.is_some() })
    }

    fn bind(&mut self, rule: &Arc<Rule>, on: Use) {
        let given: Vec<(Name, Operand)> = on.given.into_iter().collect();
        if let Some(known) = self.known(rule) {
            if !known.categories.contains(&on.category) {
                known.categories.push(on.category);
            }
            raise(known, given, on.at);
            return;
        }
        self.out.bindings.push(Binding {
            rule: Arc::clone(rule),
            parameters: parameters(rule, &given),
            categories: vec![on.category],
            severity: rule.severity,
            level: Level::Off,
            at: on.at,
            by_flow: on.by_flow,
        });
    }

    fn known(&mut self, rule: &Rule) -> Option<&mut Binding> {
        self.out.bindings.iter_mut().find(|binding| binding.rule.id == rule.id)
    }

    fn named(&mut self, named: &NamedRule) {
        let rules: Vec<Arc<Rule>> = match &named.id {
            Some(id) => self.catalogue.rule(id).into_iter().cloned().collect(),
            None => self.catalogue.rules().iter().filter(|rule| rule.in_everything).cloned().collect(),
        };
        for rule in rules {
            let given = named.parameters.clone();
            let level = self.named_level(named);
            if let Some(known) = self.known(&rule) {
                known.severity = known.severity.max(named.severity.unwrap_or(Severity::Low));
                known.level = known.level.max(level);
                raise(known, given, named.at);
                continue;
            }
            self.out.bindings.push(Binding {
                parameters: parameters(&rule, &given),
                categories: rule.categories.clone(),
                severity: named.severity.unwrap_or(rule.severity),
                level,
                at: named.at,
                by_flow: false,
                rule,
            });
        }
    }

    fn named_level(&self, named: &NamedRule) -> Level {
        named.level.unwrap_or_else(|| self.statement.enforcement.of_all())
    }

    /// What the findings of each rule count for, and how severe they are at least.
    fn levels(&mut self) {
        let enforcement = &self.statement.enforcement;
        let named: Vec<Option<&str>> = self.statement.rules.iter().map(|named| named.id.as_deref()).collect();
        for binding in &mut self.out.bindings {
            let asked = binding.categories.iter().filter(|one| self.statement.categories.contains_key(one));
            let by_category = asked.map(|category| enforcement.of_category(*category)).max();
            let is_named = named.iter().any(|id| id.is_none_or(|id| id == &*binding.rule.id));
            let by_name = is_named.then_some(binding.level);
            binding.level = match enforcement.rules.get(&*binding.rule.id) {
                Some((level, _)) => *level,
                None => by_category.max(by_name).unwrap_or_else(|| enforcement.of_all()),
            };
            if let Some((severity, _)) = enforcement.severity {
                binding.severity = binding.severity.max(severity);
            }
        }
    }
}

/// Texts as the value of a parameter.
pub(crate) fn list(texts: &BTreeSet<String>) -> Operand {
    Operand::List(texts.iter().map(|text| Operand::Text(Name::new(text))).collect())
}

fn parameters(rule: &Rule, given: &[(Name, Operand)]) -> Vec<(Name, Operand)> {
    let value = |parameter: &crate::rule::Parameter| {
        let given = given.iter().find(|(name, _)| *name == parameter.name).map(|(_, value)| value.clone());
        Some((parameter.name.clone(), given.or_else(|| parameter.default.clone())?))
    };
    rule.parameters.iter().filter_map(value).collect()
}

/// Takes the stricter of two values of each parameter.
fn raise(binding: &mut Binding, given: Vec<(Name, Operand)>, at: Location) {
    for (name, value) in given {
        let known = binding.parameters.iter_mut().find(|(known, _)| *known == name);
        if let Some((_, known)) = known.filter(|(name, known)| super::merge::is_less(name, known, &value)) {
            *known = value;
            binding.at = at;
        }
    }
}
