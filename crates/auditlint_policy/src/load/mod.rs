//! Policies from texts: the built-in ones, and those that teams write.

mod config;
mod external;

use std::sync::Arc;

use auditlint_syntax::document::reader::{MapReader, strings, unknown, wrong};
use auditlint_syntax::document::{self, Entry, Node, NodeKind};
use auditlint_syntax::{Location, Name, Problem, ProblemKind, Source, Span};
use camino::Utf8Path;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

pub use config::{Config, ConfiguredRoot, Environment};
use external::Outside;
pub use external::ReadFrom;

use crate::catalogue::{Catalogue, LocatedProblem, locate, parameter_value};
use crate::condition::Operand;
use crate::external::{Externals, Pattern};
use crate::rule::{Intent, ParameterKind, RuleKind};
use crate::{Binding, Category, Days, Demand, Policy, RootPattern, Rule, Severity};

/// Why a policy cannot be used: every problem of every file.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct PolicyError {
    /// The problems, in the order of the files.
    pub problems: Vec<LocatedProblem>,
}

/// What a category of a `logging_policy` says.
#[derive(Default)]
struct Asked {
    retention: Option<(u32, Span)>,
    maximum: Option<(u32, Span)>,
    failed: Option<Span>,
    successful: Option<Span>,
}

impl Policy {
    /// Reads and merges policies: the union of what they turn on; where two set a parameter, the longer
    /// retention wins. `from` reads the files that they name.
    ///
    /// # Errors
    /// With all problems of all texts.
    pub fn load(
        catalogue: &Catalogue,
        sources: &[Arc<Source>],
        from: ReadFrom<'_>,
    ) -> Result<Self, PolicyError> {
        let (mut problems, mut elsewhere) = (Vec::new(), Vec::new());
        let mut externals = Externals::default();
        let mut digest = Sha256::new();
        let mut merged = Self {
            id: sources.iter().map(|source| source.path().as_str()).collect::<Vec<_>>().join(", ").into(),
            digest: String::new(),
            bindings: Vec::new(),
            retention: Vec::new(),
            categories: Vec::new(),
            maxima: Vec::new(),
            demands: Vec::new(),
            may_live_in: Vec::new(),
            externals: Arc::default(),
        };
        for source in sources {
            digest.update(source.bytes());
            let mut own = Vec::new();
            let document = document::parse(source.text());
            own.extend(not_text(source));
            own.extend(document.problems.clone());
            // Where the text itself is broken, what seems to be missing from it is noise.
            if own.is_empty() {
                let outside = Outside { source, from, elsewhere: &mut elsewhere };
                let externals = &mut externals;
                let policy = &mut merged;
                let mut reading =
                    Reading { catalogue, source, policy, externals, outside, problems: &mut own };
                reading.root(&document.root);
            }
            own.sort_by_key(|problem| problem.span.start);
            problems.extend(locate(source.path().as_str(), source.text(), own));
        }
        problems.extend(merged.unresolved(&externals, sources));
        problems.extend(elsewhere);
        if !problems.is_empty() {
            return Err(PolicyError { problems });
        }
        merged.externals = Arc::new(externals);
        merged.digest = format!("sha256:{}", crate::digest::hex(&digest.finalize()));
        merged.bindings.sort_by(|a, b| a.rule.id.cmp(&b.rule.id));
        Ok(merged)
    }

    /// What the policies name and none of them says.
    fn unresolved(&self, externals: &Externals, sources: &[Arc<Source>]) -> Vec<LocatedProblem> {
        let found = external::unresolved(externals).into_iter();
        let ids = || externals.sources.iter().map(|source| source.id.as_str());
        let demanded = self.demands.iter().flat_map(|demand| {
            let missing = demand.provided_by.iter().filter(|id| externals.source(id).is_none());
            missing.map(|id| (demand.at, unknown("external source", id, demand.at.span, ids())))
        });
        found
            .chain(demanded)
            .flat_map(|(at, problem)| {
                let source = sources.iter().find(|source| source.file() == at.file);
                source.into_iter().flat_map(move |source| {
                    locate(source.path().as_str(), source.text(), vec![problem.clone()]).collect::<Vec<_>>()
                })
            })
            .collect()
    }

    /// The text of a built-in policy as a source, so that findings can show its line.
    #[must_use]
    pub fn built_in(
        catalogue: &Catalogue,
        name: &str,
        paths: &auditlint_syntax::Paths,
    ) -> Option<Arc<Source>> {
        let text = catalogue.built_in(name)?;
        let path = format!("auditlint:{name}");
        let file = paths.id(Utf8Path::new(&path));
        Some(Arc::new(Source::new(file, path.into(), Arc::from(text.as_bytes()))))
    }

    /// Only the rules and categories of `select` (all when empty) without those of `ignore`.
    ///
    /// # Errors
    /// With a suggestion when a word is neither a rule nor a category.
    pub fn narrow(self, catalogue: &Catalogue, select: &[String], ignore: &[String]) -> Result<Self, String> {
        let categories = || Category::ALL.iter().map(|category| category.as_str());
        for word in select.iter().chain(ignore) {
            if catalogue.rule(word).is_none() && Category::parse(word).is_none() {
                let ids = catalogue.rules().iter().map(|rule| &*rule.id);
                let near = document::reader::nearest(word, ids.chain(categories()));
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                return Err(format!("`{word}` is neither a rule nor a category{hint}"));
            }
        }
        let says = |words: &[String], binding: &Binding| {
            words.iter().any(|word| {
                *word == *binding.rule.id
                    || binding.categories.iter().any(|category| category.as_str() == *word)
            })
        };
        let bindings = self
            .bindings
            .into_iter()
            .filter(|binding| (select.is_empty() || says(select, binding)) && !says(ignore, binding))
            .collect();
        Ok(Self { bindings, ..self })
    }
}

/// A policy is read by people: bytes that are no text say nothing that anybody could agree to.
pub(super) fn not_text(source: &Source) -> Option<Problem> {
    let at = source.first_invalid()?;
    let message = "this is not UTF-8; save the file in that encoding".to_owned();
    Some(Problem { kind: ProblemKind::Encoding, span: Span::new(at, at + 1), message })
}

struct Reading<'a, 'p> {
    catalogue: &'a Catalogue,
    source: &'a Source,
    policy: &'p mut Policy,
    externals: &'p mut Externals,
    outside: Outside<'p>,
    problems: &'p mut Vec<Problem>,
}

impl Reading<'_, '_> {
    fn place(&self, span: Span) -> Location {
        Location { file: self.source.file(), span }
    }

    fn root(&mut self, root: &Node) {
        if root.kind == NodeKind::Null && self.problems.is_empty() {
            self.problems.push(wrong(root, "a policy: `logging_policy:` or `rules:`"));
            return;
        }
        let mut map = MapReader::new(root, self.problems);
        for (key, expected) in [("apiVersion", "auditlint/v1"), ("kind", "LoggingPolicy")] {
            if let Some(node) = map.take(key)
                && node.as_str() != Some(expected)
            {
                let problem = wrong(node, &format!("`{expected}`"));
                map.problems().push(problem);
            }
        }
        map.take("metadata");
        // The config file may be a policy as well; its own keys are read elsewhere.
        for key in ["policy", "roots", "stores", "ignore_paths", "output"] {
            map.take(key);
        }
        let (intent, rules) = (map.entry("logging_policy"), map.take("rules"));
        let (stores, sources) = (map.take("external_stores"), map.take("external_sources"));
        map.finish();
        if let Some(node) = stores {
            self.outside.stores(node, self.externals, self.problems);
        }
        if let Some(node) = sources {
            self.outside.sources(node, self.externals, self.problems);
        }
        if let Some(entry) = intent {
            self.logging_policy(entry);
        }
        if let Some(node) = rules {
            self.rules(node);
        }
        if intent.is_none() && rules.is_none() {
            self.problems.push(wrong(root, "a policy: `logging_policy:` or `rules:`"));
        }
    }

    fn logging_policy(&mut self, entry: &Entry) {
        if entry.value.entries().is_empty() {
            self.problems.push(wrong(&entry.value, "the categories of the policy"));
        }
        for entry in entry.value.entries() {
            match Category::parse(&entry.key) {
                Some(category) => self.category(category, entry),
                None => {
                    let known = Category::ALL.iter().map(|category| category.as_str());
                    self.problems.push(unknown("category", &entry.key, entry.key_span, known));
                }
            }
        }
    }

    fn category(&mut self, category: Category, entry: &Entry) {
        let mut asked = Asked::default();
        let mut own = Vec::new();
        let mut map = MapReader::new(&entry.value, self.problems);
        let (required, within, provided) =
            (map.entry("required"), map.entry("required_in"), map.take("provided_by"));
        let is_required = map.bool("required") == Some(true);
        let elsewhere = map.strings("may_live_in");
        if let Some(node) = map.take("retention_period") {
            [asked.retention, asked.maximum] = period(node, &mut own);
        }
        if category == Category::Authentication {
            let mut flag = |key: &'static str| {
                let at = map.entry(key).map(|entry| Span::new(entry.key_span.start, entry.value.span.end));
                at.filter(|_| map.bool(key) == Some(true))
            };
            asked.failed = flag("log_failed_attempts");
            asked.successful = flag("log_successful_attempts");
        }
        map.finish();
        self.problems.append(&mut own);
        let head = self.place(entry.key_span);
        if let Some(asks) = within.or(required.filter(|_| is_required)) {
            let roots = within.map(|within| roots(&within.value, self.problems)).unwrap_or_default();
            let provided_by = provided.map(|node| strings(node, self.problems)).unwrap_or_default();
            self.policy.demands.push(Demand {
                category,
                within: roots,
                provided_by: provided_by.into_iter().map(str::to_owned).collect(),
                at: self.place(asks.key_span),
            });
        } else if let Some(node) = provided {
            let message = "`provided_by` answers `required` or `required_in`, and neither is here".to_owned();
            self.problems.push(Problem { kind: ProblemKind::Syntax, span: node.span, message });
        }
        if !elsewhere.is_empty() {
            let roots = elsewhere.into_iter().map(str::to_owned).collect();
            self.policy.may_live_in.push((category, roots));
        }
        self.policy.categories.push((category, head));
        if let Some((days, span)) = asked.retention {
            let at = self.place(span);
            self.policy.retention.push((category, days, at));
        }
        if let Some((days, span)) = asked.maximum {
            let at = self.place(span);
            self.policy.maxima.push((category, days, at));
        }
        let rules: Vec<Arc<Rule>> = self.catalogue.rules().to_vec();
        for rule in rules {
            for intent in &rule.asks {
                let (at, days) = match intent {
                    Intent::Emit if rule.categories.contains(&category) => (Some(head), None),
                    Intent::FailedAttempts => (asked.failed.map(|span| self.place(span)), None),
                    Intent::SuccessfulAttempts => (asked.successful.map(|span| self.place(span)), None),
                    // What keeps its own log is asked about the categories of that log, a store about those of the flows.
                    Intent::Retention | Intent::RetentionUnset | Intent::RetentionMaximum
                        if rule.kind != RuleKind::Store && !rule.categories.contains(&category) =>
                    {
                        (None, None)
                    }
                    Intent::Retention | Intent::RetentionUnset => match asked.retention {
                        Some((days, span)) => (Some(self.place(span)), Some(("retention", days))),
                        None => (None, None),
                    },
                    Intent::RetentionMaximum => match asked.maximum {
                        Some((days, span)) => (Some(self.place(span)), Some(("maximum", days))),
                        None => (None, None),
                    },
                    _ => (None, None),
                };
                if let Some(at) = at {
                    let given =
                        days.map(|(name, days)| (Name::new_static(name), Operand::Number(f64::from(days))));
                    self.bind(
                        &rule,
                        given.into_iter().collect(),
                        Some(category),
                        at,
                        days.is_some(),
                        None,
                        true,
                    );
                }
            }
        }
    }

    fn rules(&mut self, node: &Node) {
        if node.as_str() == Some("all") {
            let at = self.place(node.span);
            let rules: Vec<Arc<Rule>> =
                self.catalogue.rules().iter().filter(|rule| rule.in_everything).cloned().collect();
            rules.iter().for_each(|rule| self.bind(rule, Vec::new(), None, at, false, None, true));
            return;
        }
        if !matches!(node.kind, NodeKind::List(_)) {
            self.problems.push(wrong(node, "a list of rules"));
        }
        for item in node.items() {
            match &item.kind {
                NodeKind::String(id) => self.named(item, id, item, None),
                NodeKind::Map(_) => {
                    let mut map = MapReader::new(item, self.problems);
                    let rule = map.need("rule");
                    let (parameters, severity, level) =
                        (map.take("parameters"), map.take("severity"), map.take("level"));
                    map.finish();
                    if let Some((rule, id)) = rule.and_then(|rule| Some((rule, rule.as_str()?))) {
                        self.named(rule, id, item, Some((parameters, severity, level)));
                    }
                }
                _ => self.problems.push(wrong(item, "the id of a rule")),
            }
        }
    }

    fn named(
        &mut self,
        at: &Node,
        id: &str,
        _item: &Node,
        rest: Option<(Option<&Node>, Option<&Node>, Option<&Node>)>,
    ) {
        let Some(rule) = self.catalogue.rule(id).cloned() else {
            let known = self.catalogue.rules().iter().map(|rule| &*rule.id);
            self.problems.push(unknown("rule", id, at.span, known));
            return;
        };
        let (parameters, severity, level) = rest.unwrap_or_default();
        let mut given = Vec::new();
        for entry in parameters.map(Node::entries).unwrap_or_default() {
            let Some(parameter) = rule.parameters.iter().find(|parameter| parameter.name == entry.key) else {
                let known = rule.parameters.iter().map(|parameter| parameter.name.as_str());
                self.problems.push(unknown("parameter", &entry.key, entry.key_span, known));
                continue;
            };
            given.extend(
                parameter_value(parameter.kind, &entry.value, self.problems)
                    .map(|value| (parameter.name.clone(), value)),
            );
        }
        let severity = severity.and_then(|node| {
            let found = node.as_str().and_then(Severity::parse);
            if found.is_none() {
                self.problems.push(wrong(node, "`low`, `medium`, `high` or `critical`"));
            }
            found
        });
        let mandatory = match level.map(|node| (node, node.as_str())) {
            None | Some((_, Some("mandatory"))) => true,
            Some((_, Some("advisory"))) => false,
            Some((node, _)) => {
                self.problems.push(wrong(node, "`mandatory` or `advisory`"));
                true
            }
        };
        let place = self.place(at.span);
        self.bind(&rule, given, None, place, false, severity, mandatory);
    }

    /// Turns a rule on, or makes it stricter where it is on already.
    #[expect(clippy::too_many_arguments, reason = "the parts of a binding")]
    fn bind(
        &mut self,
        rule: &Arc<Rule>,
        given: Vec<(Name, Operand)>,
        category: Option<Category>,
        at: Location,
        by_flow: bool,
        severity: Option<Severity>,
        mandatory: bool,
    ) {
        if let Some(known) = self.policy.bindings.iter_mut().find(|binding| binding.rule.id == rule.id) {
            known.categories.extend(category.filter(|category| !known.categories.contains(category)));
            known.severity = known.severity.max(severity.unwrap_or(known.severity));
            known.mandatory |= mandatory;
            for (name, value) in given {
                let longer = |old: &Operand| matches!((old, &value), (Operand::Number(old), Operand::Number(new)) if old < new);
                if let Some((_, old)) =
                    known.parameters.iter_mut().find(|(known, old)| *known == name && longer(old))
                {
                    *old = value;
                    known.at = at;
                }
            }
            return;
        }
        let value = |parameter: &crate::rule::Parameter| {
            let given =
                given.iter().find(|(name, _)| *name == parameter.name).map(|(_, value)| value.clone());
            Some((parameter.name.clone(), given.or_else(|| parameter.default.clone())?))
        };
        let categories = match category {
            Some(category) => vec![category],
            None => rule.categories.clone(),
        };
        self.policy.bindings.push(Binding {
            rule: Arc::clone(rule),
            parameters: rule.parameters.iter().filter_map(value).collect(),
            categories,
            severity: severity.unwrap_or(rule.severity),
            mandatory,
            at,
            by_flow,
        });
    }
}

/// How long at least and at most: a duration alone is the least.
fn period(node: &Node, problems: &mut Vec<Problem>) -> [Option<(u32, Span)>; 2] {
    if !matches!(node.kind, NodeKind::Map(_)) {
        return [duration(node, problems).map(|days| (days, node.span)), None];
    }
    let mut map = MapReader::new(node, problems);
    let (min, max) = (map.take("min"), map.take("max"));
    map.finish();
    let mut read =
        |node: Option<&Node>| node.and_then(|node| duration(node, problems).map(|days| (days, node.span)));
    let (least, most) = (read(min), read(max));
    if let (Some((least, _)), Some((most, span))) = (least, most)
        && most < least
    {
        let (least, most) = (Days::Count(least), Days::Count(most));
        let message =
            format!("at most {most} is less than the {least} that `min` asks for: nothing can meet both");
        problems.push(Problem { kind: ProblemKind::Syntax, span, message });
    }
    [least, most]
}

/// The roots that `required_in` means.
fn roots(node: &Node, problems: &mut Vec<Problem>) -> Vec<RootPattern> {
    if !matches!(node.kind, NodeKind::List(_)) || node.items().is_empty() {
        problems.push(wrong(
            node,
            "a list of roots: `- path: GLOB`, `- root: FOLDER`, `- account: ID` or `- tags: {NAME: VALUE}`",
        ));
    }
    let read = |item: &Node, problems: &mut Vec<Problem>| {
        let mut map = MapReader::new(item, problems);
        let mut own = Vec::new();
        let tags = map.take("tags").map(Node::entries).unwrap_or_default();
        let found = RootPattern {
            path: map.string("path").map(Pattern::new),
            root: map.string("root").map(str::to_owned),
            account: map
                .take("account")
                .and_then(|node| word(node, &mut own))
                .map(|text| Pattern::new(&text)),
            tags: tags
                .iter()
                .filter_map(|entry| Some((entry.key.clone(), Pattern::new(&word(&entry.value, &mut own)?))))
                .collect(),
        };
        map.finish();
        problems.append(&mut own);
        if found == RootPattern::default() {
            problems
                .push(wrong(item, "`path: GLOB`, `root: FOLDER`, `account: ID` or `tags: {NAME: VALUE}`"));
        }
        found
    };
    node.items().iter().map(|item| read(item, problems)).collect()
}

/// A text; digits and `true` are texts too.
fn word(node: &Node, problems: &mut Vec<Problem>) -> Option<String> {
    match &node.kind {
        NodeKind::String(text) | NodeKind::Number(_, text) => Some(text.clone()),
        NodeKind::Bool(value) => Some(value.to_string()),
        NodeKind::Null | NodeKind::List(_) | NodeKind::Map(_) => {
            problems.push(wrong(node, "a text"));
            None
        }
    }
}

fn duration(node: &Node, problems: &mut Vec<Problem>) -> Option<u32> {
    match parameter_value(ParameterKind::Duration, node, problems)? {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a duration is a whole number of days, at most a hundred years"
        )]
        Operand::Number(days) if days <= 36_500.0 => Some(days as u32),
        _ => {
            problems.push(wrong(node, &format!("at most {} of retention", Days::Count(36_500))));
            None
        }
    }
}
