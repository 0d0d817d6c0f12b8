//! The catalogue: facts and rules, read from the texts of `policies/`.

mod conditions;
mod controls;
mod facts;
mod interest;
mod kinds;
mod rules;
mod sets;

pub(crate) use interest::literal;
pub(crate) use rules::parameter_value;

use std::sync::{Arc, LazyLock};

use auditlint_graph::{Interest, Tables};
use auditlint_syntax::document::{self, Node, packed};
use auditlint_syntax::{LineColumn, LineIndex, Name, Problem, Source, Span};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::control::Standard;
use crate::destination::PLACE_ATTRIBUTES;
use crate::facts::Facts;
use crate::intent::{Scope, TAG_ATTRIBUTES};
use crate::minimal::MinimalSet;
use crate::{Category, Policy, Rule};

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));
}

/// Facts and rules.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    rules: Vec<Arc<Rule>>,
    facts: FxHashMap<Name, Arc<Facts>>,
    sets: Vec<Arc<MinimalSet>>,
    policies: Vec<(String, String)>,
    /// The kinds of sources, with the services of each.
    kinds: Vec<(String, Vec<String>)>,
    standards: Vec<Standard>,
}

/// A problem in one of the catalogue's or a policy's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatedProblem {
    /// The file.
    pub path: String,
    /// Where in it.
    pub at: LineColumn,
    /// What is wrong.
    pub message: String,
}

impl LocatedProblem {
    /// A problem of `source` at `span`.
    #[must_use]
    pub fn new(source: &Source, span: Span, message: String) -> Self {
        let at = LineIndex::new(source.text()).line_column(source.text(), span.start);
        Self { path: source.path().to_string(), at, message }
    }
}

impl std::fmt::Display for LocatedProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}: {}", self.path, self.at.line, self.at.column, self.message)
    }
}

/// What of a rule file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Everything but the examples, which a check does not need.
    WithoutExamples,
    /// Everything.
    Whole,
}

impl Catalogue {
    /// Whether a rule of that id was compiled in.
    #[must_use]
    pub fn has_built_in(id: &str) -> bool {
        static IDS: LazyLock<FxHashSet<&str>> = LazyLock::new(|| {
            let paths = embedded::TEXTS.iter().map(|(path, ..)| *path);
            paths.filter_map(|path| path.strip_prefix("rules/")?.strip_suffix(".yaml")).collect()
        });
        IDS.contains(id)
    }

    /// The path below `policies` and the text of what was compiled in by that name: the id of a rule, or
    /// `auditlint:NAME` of a policy.
    #[must_use]
    pub fn built_in_text(name: &str) -> Option<(&'static str, &'static str)> {
        let is_meant = |path: &str| match name.strip_prefix("auditlint:") {
            Some(policy) => policy_name(path) == Some(policy),
            None => path.strip_prefix("rules/").and_then(|path| path.strip_suffix(".yaml")) == Some(name),
        };
        embedded::TEXTS.iter().find(|(path, ..)| is_meant(path)).map(|(path, text, _)| (*path, *text))
    }

    /// The catalogue that was compiled in.
    #[must_use]
    pub fn embedded(reading: Reading) -> Self {
        let mut catalogue = Self::default();
        for (path, text, packed) in embedded::TEXTS {
            // A policy is read where somebody names it.
            if let Some(name) = policy_name(path) {
                catalogue.policies.push((name.to_owned(), (*text).to_owned()));
                continue;
            }
            // The examples were not packed: they are most of a rule, and most runs do without.
            let packed = match reading {
                Reading::WithoutExamples => packed::unpack(packed, text),
                Reading::Whole => None,
            };
            let root = packed.unwrap_or_else(|| document::parse_yaml(relevant(text, reading)).root);
            catalogue.add(path, text, &root, reading, &mut Vec::new());
        }
        catalogue.sorted()
    }

    /// A catalogue of `(path, text)`, the path relative to a folder like `policies/`.
    pub fn from_texts<'t>(
        texts: impl IntoIterator<Item = (&'t str, &'t str)>,
        reading: Reading,
    ) -> (Self, Vec<LocatedProblem>) {
        let mut catalogue = Self::default();
        let mut problems = Vec::new();
        for (path, text) in texts {
            let document = document::parse_yaml(relevant(text, reading));
            let mut own = document.problems;
            catalogue.add(path, text, &document.root, reading, &mut own);
            problems.extend(locate(path, text, own));
        }
        (catalogue.sorted(), problems)
    }

    /// This catalogue with rules and facts of somebody's own: `(path, text)`, the path relative to their folder.
    ///
    /// # Errors
    /// With every problem of the texts. What is built in is not replaced.
    pub fn with<'t>(
        &self,
        texts: impl IntoIterator<Item = (&'t str, &'t str)>,
        reading: Reading,
    ) -> Result<Self, Vec<LocatedProblem>> {
        let mut all = self.clone();
        let mut problems = Vec::new();
        for (path, text) in texts {
            let document = document::parse_yaml(relevant(text, reading));
            let mut own = document.problems;
            let top = |message: String| Problem {
                kind: auditlint_syntax::ProblemKind::Syntax,
                span: Span::default(),
                message,
            };
            let id = path.strip_prefix("rules/").and_then(|path| path.strip_suffix(".yaml"));
            match id {
                Some(id) if self.rule(id).is_some() => {
                    own.push(top(format!(
                        "{id} is the id of a rule that is built in: give the file another name"
                    )));
                }
                None if !path.starts_with("resources/") => {
                    own.push(top(
                        "rules stand below rules/, facts below resources/: nothing else is read".to_owned()
                    ));
                }
                _ => all.add(path, text, &document.root, reading, &mut own),
            }
            let kind = id.is_none().then(|| document.root.get("type")?.as_str()).flatten();
            if let Some(kind) = kind.filter(|kind| self.facts(kind).is_some()) {
                own.push(top(format!("there are facts on {kind} already: what is built in is not replaced")));
            }
            problems.extend(locate(path, text, own));
        }
        if problems.is_empty() { Ok(all.sorted()) } else { Err(problems) }
    }

    fn add(&mut self, path: &str, text: &str, root: &Node, reading: Reading, problems: &mut Vec<Problem>) {
        if let Some(id) = path.strip_prefix("rules/").and_then(|path| path.strip_suffix(".yaml")) {
            self.rules.extend(rules::read(id, root, text, reading, problems).map(Arc::new));
        } else if path.starts_with("resources/") {
            if let Some(facts) = facts::read(path, root, problems) {
                let facts = Arc::new(facts);
                for kind in facts.also.iter().chain([&facts.kind]) {
                    self.facts.insert(kind.clone(), Arc::clone(&facts));
                }
            }
        } else if path.starts_with("sets/") {
            self.sets.extend(sets::read(root, problems).map(Arc::new));
        } else if let Some(name) = path.strip_prefix("controls/").and_then(|path| path.strip_suffix(".yaml"))
        {
            self.standards.extend(controls::read(name, root, problems));
        } else if path == "kinds.yaml" {
            self.kinds = kinds::read(root, problems);
        } else if let Some(name) = policy_name(path) {
            // What is wrong with a policy is said where it is loaded.
            problems.clear();
            self.policies.push((name.to_owned(), text.to_owned()));
        }
    }

    fn sorted(mut self) -> Self {
        self.rules.sort_by(|a, b| a.id.cmp(&b.id));
        self
    }

    /// All rules, sorted by id.
    #[must_use]
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// The rule with that id.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Arc<Rule>> {
        let at = self.rules.binary_search_by(|rule| (*rule.id).cmp(id)).ok()?;
        self.rules.get(at)
    }

    /// The rules that judge the same as check `id` of another tool.
    pub fn by_alias<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Arc<Rule>> {
        self.rules.iter().filter(move |rule| rule.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(id)))
    }

    /// The facts of a resource type.
    #[must_use]
    pub fn facts(&self, kind: &str) -> Option<&Arc<Facts>> {
        self.facts.get(kind)
    }

    /// Whether a resource of that type can be a part of a flow other than its end: a source, a forwarder, or what
    /// says of a source where its logs go.
    #[must_use]
    pub fn carries_logs(&self, kind: &str) -> bool {
        let own = self.facts(kind).is_some_and(|facts| !facts.emits.is_empty() || !facts.forwards.is_empty());
        let sinks = || self.facts.values().flat_map(|facts| &facts.emits).flat_map(|emission| &emission.to);
        own || sinks().any(|sink| sink.companion.as_ref().is_some_and(|(companion, _)| companion == kind))
    }

    /// The facts of all types, sorted.
    #[must_use]
    pub fn all_facts(&self) -> Vec<(&Name, &Arc<Facts>)> {
        let mut all: Vec<_> = self.facts.iter().collect();
        all.sort_by_key(|(kind, _)| *kind);
        all
    }

    /// What to write where nothing records a category, in the order of their files.
    #[must_use]
    pub fn sets(&self) -> &[Arc<MinimalSet>] {
        &self.sets
    }

    /// Hands every resource type and path that a rule asks something of to `take`, but for what its probes find by themselves.
    pub fn looks(&self, rule: &Rule, take: &mut dyn FnMut(&str, &str)) {
        interest::looks(self, rule, take);
    }

    /// The standards of which the controls are known.
    #[must_use]
    pub fn standards(&self) -> &[Standard] {
        &self.standards
    }

    /// The kinds of sources, as policies name them by `sources`.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.iter().map(|(kind, _)| kind.as_str())
    }

    /// The events of a category, or of all of them, that rules record: sorted. What somebody is told of is none.
    #[must_use]
    pub fn events(&self, category: Option<Category>) -> Vec<&str> {
        let records = |rule: &&Arc<Rule>| {
            !rule.alerts() && category.is_none_or(|category| rule.categories.contains(&category))
        };
        words(self.rules().iter().filter(records))
    }

    /// The events of which alarms tell: sorted.
    #[must_use]
    pub fn alerts(&self) -> Vec<&str> {
        words(self.rules().iter().filter(|rule| rule.alerts()))
    }

    /// Whether a service, `aws/elb`, is of that kind.
    #[must_use]
    pub fn is_of_kind(&self, service: &str, kind: &str) -> bool {
        let of = |services: &[String]| services.iter().any(|one| one == service);
        self.kinds.iter().any(|(name, services)| name == kind && of(services))
    }

    /// The text of a built-in policy, by its name after `auditlint:`.
    #[must_use]
    pub fn built_in(&self, name: &str) -> Option<&str> {
        self.policies.iter().find(|(policy, _)| policy == name).map(|(_, text)| text.as_str())
    }

    /// The names of the built-in policies.
    pub fn built_in_names(&self) -> impl Iterator<Item = &str> {
        self.policies.iter().map(|(name, _)| name.as_str())
    }

    /// What the readers of configurations and plans need: the facts, and what facts, probes and the rules of
    /// `policy` look at. What no other rule asks is not read.
    #[must_use]
    pub fn tables(&self, policy: &Policy) -> Tables {
        let mut tables = interest::tables(self, policy.bindings.iter().map(|binding| &binding.rule));
        // What a policy in Rego looks at is not known before it runs.
        if !policy.rego.is_empty() {
            let everything = Interest { everything: true, ..Interest::clone(&tables.interest) };
            tables.interest = Arc::new(everything);
        }
        let scopes = policy.environments.iter().map(|environment| &environment.policy.scope);
        if scopes.chain([&policy.scope]).any(Scope::asks_tags) {
            let mut interest = Interest::clone(&tables.interest);
            interest.add_to_all(TAG_ATTRIBUTES);
            tables.interest = Arc::new(interest);
        }
        let asks_places = |policy: &Policy| {
            let asks_sources = policy.demands.iter().any(|demand| !demand.regions.is_empty());
            asks_sources || !policy.destinations.is_empty() || policy.scope.asks_regions()
        };
        if asks_places(policy) || policy.environments.iter().any(|one| asks_places(&one.policy)) {
            let mut interest = Interest::clone(&tables.interest);
            interest.add_to_all(PLACE_ATTRIBUTES);
            tables.interest = Arc::new(interest);
        }
        if !policy.changes.is_empty() {
            tables.interest = Arc::new(Interest { prior: true, ..Interest::clone(&tables.interest) });
        }
        tables
    }
}

/// The events of rules, sorted.
fn words<'r>(rules: impl Iterator<Item = &'r Arc<Rule>>) -> Vec<&'r str> {
    let mut words: Vec<&str> = rules.flat_map(|rule| &rule.events).map(String::as_str).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// The name of the built-in policy that is written at `path`; none where another kind of file is.
fn policy_name(path: &str) -> Option<&str> {
    let name = path.strip_suffix(".yaml")?;
    match name.strip_prefix("standards/") {
        Some(standard) => Some(standard),
        None => (!name.contains('/') && name != "kinds").then_some(name),
    }
}

/// The text of a rule up to its examples, which are most of it.
fn relevant(text: &str, reading: Reading) -> &str {
    match reading {
        Reading::WithoutExamples => document::before_key(text, "examples"),
        Reading::Whole => text,
    }
}

/// Problems with their lines.
pub(crate) fn locate(path: &str, text: &str, problems: Vec<Problem>) -> impl Iterator<Item = LocatedProblem> {
    let lines = (!problems.is_empty()).then(|| LineIndex::new(text));
    let located: Vec<LocatedProblem> = problems
        .into_iter()
        .filter_map(|problem| {
            let at = lines.as_ref()?.line_column(text, problem.span.start);
            Some(LocatedProblem { path: path.to_owned(), at, message: problem.message })
        })
        .collect();
    located.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_catalogue_has_no_problem() {
        let (catalogue, problems) = Catalogue::from_texts(
            embedded::TEXTS.iter().map(|(path, text, _)| (*path, *text)),
            Reading::Whole,
        );
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(problems.is_empty(), "{problems:#?}");
        assert!(!catalogue.rules().is_empty());
    }

    #[test]
    fn every_tree_was_packed() {
        for (path, text, packed) in embedded::TEXTS {
            let parsed = document::parse_yaml(relevant(text, Reading::WithoutExamples)).root;
            assert_eq!(packed::unpack(packed, text), Some(parsed), "{path}");
        }
    }

    #[test]
    fn every_problem_of_a_rule_has_its_place_and_a_suggestion() {
        let text = "title: T\nwhy: W\nseverty: high\nkind: store\nasks: [retension]\nselects: [aws_x]\nmessage: m\nrequires: {path: a, equls: 1}\n";
        let (_, problems) = Catalogue::from_texts([("rules/aws/x/y.yaml", text)], Reading::WithoutExamples);
        let found: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "rules/aws/x/y.yaml:5:8: unknown intent `retension`; did you mean `retention`?",
                "rules/aws/x/y.yaml:8:21: unknown test `equls`; did you mean `equals`?",
                "rules/aws/x/y.yaml:1:1: `severity` is missing",
                "rules/aws/x/y.yaml:3:1: unknown key `severty`; did you mean `severity`?",
            ]
        );
    }
}
