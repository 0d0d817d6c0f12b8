//! One document: what it says, with the place of each word.

use std::collections::BTreeSet;

use auditlint_syntax::document::reader::{MapReader, string, strings, unknown, wrong};
use auditlint_syntax::document::{Entry, Node, NodeKind};
use auditlint_syntax::{Location, Name, Problem, ProblemKind, Source, Span};

use super::environment::{Declared, roots, units};
use super::values::{date, fields};
use crate::catalogue::parameter_value;
use crate::check::OfResources;
use crate::exemption::{Exemption, ForeignComments, RepositoryLimits};
use crate::intent::{Asked, Enforcement, NamedRule, OnUnknown, Statement};
use crate::policy::Level;
use crate::rego::RegoSpec;
use crate::{Catalogue, Category, Change, Demand, Severity};

/// The keys of a config file, which may be a policy as well; they are read elsewhere.
const CONFIG_KEYS: [&str; 6] = ["policy", "roots", "stores", "ignore_paths", "output", "custom"];

/// The parts of a document that speak of other things than what is asked.
const OTHER_KEYS: [&str; 4] = ["external_stores", "external_sources", "modules", "parameters"];

/// The keys of a policy that make a config file one.
pub(super) const POLICY_KEYS: [&str; 7] =
    ["logging_policy", "rules", "extends", "enforcement", "exemptions", "repository", "rego"];

/// The other keys of a policy.
pub(super) const FURTHER_KEYS: [&str; 12] = [
    "apiVersion",
    "kind",
    "metadata",
    "scope",
    "environments",
    "unmatched",
    "accounts",
    "external_stores",
    "external_sources",
    "modules",
    "parameters",
    "foreign_suppressions",
];

/// What a document says.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    pub(super) statement: Statement,
    pub(super) environments: Vec<Declared>,
    pub(super) unmatched: Option<(String, Span)>,
    pub(super) exemptions: Vec<Exemption>,
    pub(super) limits: Option<RepositoryLimits>,
    pub(super) foreign: Option<ForeignComments>,
    pub(super) rego: Vec<RegoSpec>,
}

/// Reads documents.
pub(super) struct Reader<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) source: &'a Source,
}

impl Reader<'_> {
    pub(super) fn place(&self, span: Span) -> Location {
        Location { file: self.source.file(), span }
    }

    /// Reads the document at `root`.
    pub(super) fn document(&self, root: &Node, problems: &mut Vec<Problem>) -> Document {
        let mut out = Document::default();
        if root.kind == NodeKind::Null && problems.is_empty() {
            problems.push(wrong(root, "a policy: `logging_policy:` or `rules:`"));
            return out;
        }
        let mut map = MapReader::new(root, problems);
        for (key, expected) in [("apiVersion", "auditlint/v1"), ("kind", "LoggingPolicy")] {
            if let Some(node) = map.take(key)
                && node.as_str() != Some(expected)
            {
                let problem = wrong(node, &format!("`{expected}`"));
                map.problems().push(problem);
            }
        }
        for key in CONFIG_KEYS.into_iter().chain(OTHER_KEYS) {
            map.take(key);
        }
        let (intent, rules) = (map.entry("logging_policy"), map.take("rules"));
        let (metadata, extends) = (map.take("metadata"), map.take("extends"));
        let (enforcement, scope) = (map.take("enforcement"), map.take("scope"));
        let (environments, unmatched) = (map.take("environments"), map.take("unmatched"));
        let accounts = map.take("accounts");
        let (exemptions, repository) = (map.take("exemptions"), map.take("repository"));
        let (foreign, rego) = (map.take("foreign_suppressions"), map.take("rego"));
        map.finish();
        metadata.into_iter().for_each(|node| self.metadata(node, problems));
        self.asked(intent, rules, enforcement, &mut out.statement, problems);
        if let Some(node) = scope {
            out.statement.scope = self.scope(node, problems);
        }
        let units = accounts.map(|node| units(node, problems)).unwrap_or_default();
        if let Some(node) = environments {
            out.environments = self.environments(node, &units, problems);
        }
        out.unmatched = unmatched.and_then(|node| Some((string(node, problems)?.to_owned(), node.span)));
        if let Some(node) = exemptions {
            out.exemptions = self.exemptions(node, problems);
        }
        out.foreign = foreign.and_then(|node| read_foreign(node, problems));
        out.limits = repository.map(|node| self.limits(node, problems));
        out.rego = rego.map(|node| self.rego(node, problems)).unwrap_or_default();
        let says_something =
            [intent.map(|entry| &entry.value), rules, extends, exemptions, repository, enforcement, rego];
        if says_something.iter().all(Option::is_none) {
            problems.push(wrong(root, "a policy: `logging_policy:` or `rules:`"));
        }
        out
    }

    fn metadata(&self, node: &Node, problems: &mut Vec<Problem>) {
        let mut map = MapReader::new(node, problems);
        for key in ["id", "title", "version", "owner", "description", "standard"] {
            map.take(key);
        }
        let review = map.take("review_by");
        map.finish();
        review.and_then(|node| date(node, problems));
    }

    pub(super) fn asked(
        &self,
        intent: Option<&Entry>,
        rules: Option<&Node>,
        enforcement: Option<&Node>,
        out: &mut Statement,
        problems: &mut Vec<Problem>,
    ) {
        if let Some(entry) = intent {
            self.logging_policy(entry, out, problems);
        }
        if let Some(node) = rules {
            self.rules(node, out, problems);
        }
        if let Some(node) = enforcement {
            out.enforcement = self.enforcement(node, problems);
        }
    }

    fn logging_policy(&self, entry: &Entry, out: &mut Statement, problems: &mut Vec<Problem>) {
        if entry.value.entries().is_empty() {
            problems.push(wrong(&entry.value, "the categories of the policy"));
        }
        for entry in entry.value.entries() {
            match Category::parse(&entry.key) {
                Some(category) => self.category(category, entry, out, problems),
                None if entry.key == "defaults" => {
                    let mut map = MapReader::new(&entry.value, problems);
                    out.defaults = fields(&mut map, None, (self.catalogue, self.source));
                    map.finish();
                }
                None if entry.key == "alerting" => self.alerting(&entry.value, out, problems),
                None if entry.key == "changes" => self.changes(&entry.value, out, problems),
                None => {
                    let known = Category::ALL.iter().map(|category| category.as_str());
                    let known = known.chain(["defaults", "alerting", "changes"]);
                    problems.push(unknown("category", &entry.key, entry.key_span, known));
                }
            }
        }
    }

    fn alerting(&self, node: &Node, out: &mut Statement, problems: &mut Vec<Problem>) {
        let known = self.catalogue.alerts();
        for (text, span) in words(node, "events", problems) {
            if known.contains(&text) {
                out.alerts.insert(text.to_owned(), self.place(span));
            } else {
                problems.push(unknown("event", text, span, known.iter().copied()));
            }
        }
    }

    fn changes(&self, node: &Node, out: &mut Statement, problems: &mut Vec<Problem>) {
        for (text, span) in words(node, "forbid", problems) {
            match Change::parse(text) {
                Some(change) => drop(out.changes.insert(change, self.place(span))),
                None => {
                    let known = Change::ALL.iter().map(|change| change.as_str());
                    problems.push(unknown("change", text, span, known));
                }
            }
        }
    }

    fn category(&self, category: Category, entry: &Entry, out: &mut Statement, problems: &mut Vec<Problem>) {
        // `access_logs:` alone asks for the events and for nothing else.
        let empty = Node { kind: NodeKind::Map(Vec::new()), ..entry.value.clone() };
        let value = if entry.value.kind == NodeKind::Null { &empty } else { &entry.value };
        let mut map = MapReader::new(value, problems);
        let (required, within, provided) =
            (map.entry("required"), map.entry("required_in"), map.take("provided_by"));
        let regional = map.entry("regions");
        let is_required = map.bool("required") == Some(true);
        let elsewhere = map.strings("may_live_in");
        let controls: BTreeSet<String> = map.strings("controls").into_iter().map(str::to_owned).collect();
        let fields = fields(&mut map, Some(category), (self.catalogue, self.source));
        map.finish();
        let regions: Vec<Name> = regional
            .map(|entry| strings(&entry.value, problems).into_iter().map(Name::new).collect())
            .unwrap_or_default();
        if let Some(entry) = regional.filter(|entry| entry.value.items().is_empty()) {
            problems.push(wrong(&entry.value, "a list of at least one region"));
        }
        // Whoever names regions asks for a source in each of them.
        if let Some(asks) = within.or(required.filter(|_| is_required)).or(regional) {
            let roots = within.map(|within| roots(&within.value, problems)).unwrap_or_default();
            let provided_by = provided.map(|node| strings(node, problems)).unwrap_or_default();
            out.demands.push(Demand {
                category,
                within: roots,
                regions,
                provided_by: provided_by.into_iter().map(str::to_owned).collect(),
                at: self.place(asks.key_span),
            });
        } else if let Some(node) = provided {
            let message =
                "`provided_by` answers `required`, `required_in` or `regions`, and none of them is here"
                    .to_owned();
            problems.push(Problem { kind: ProblemKind::Syntax, span: node.span, message });
        }
        if !elsewhere.is_empty() {
            out.may_live_in.push((category, elsewhere.into_iter().map(str::to_owned).collect()));
        }
        out.categories
            .insert(category, Asked { at: self.place(entry.key_span), fields, is_closed: false, controls });
    }

    fn rules(&self, node: &Node, out: &mut Statement, problems: &mut Vec<Problem>) {
        if node.as_str() == Some("all") {
            let at = self.place(node.span);
            out.rules.push(NamedRule { id: None, parameters: Vec::new(), severity: None, level: None, at });
            return;
        }
        if !matches!(node.kind, NodeKind::List(_)) {
            problems.push(wrong(node, "a list of rules"));
        }
        for item in node.items() {
            match &item.kind {
                NodeKind::String(id) => out.rules.extend(self.rule(item, id, [None; 3], problems)),
                NodeKind::Map(_) => {
                    let mut map = MapReader::new(item, problems);
                    let rule = map.need("rule");
                    let rest = [map.take("parameters"), map.take("severity"), map.take("level")];
                    map.finish();
                    if let Some((rule, id)) = rule.and_then(|rule| Some((rule, rule.as_str()?))) {
                        out.rules.extend(self.rule(rule, id, rest, problems));
                    }
                }
                _ => problems.push(wrong(item, "the id of a rule")),
            }
        }
    }

    fn rule(
        &self,
        at: &Node,
        id: &str,
        [parameters, severity, level]: [Option<&Node>; 3],
        problems: &mut Vec<Problem>,
    ) -> Option<NamedRule> {
        let Some(rule) = self.catalogue.rule(id) else {
            let known = self.catalogue.rules().iter().map(|rule| &*rule.id);
            problems.push(unknown("rule", id, at.span, known));
            return None;
        };
        let mut given = Vec::new();
        for entry in parameters.map(Node::entries).unwrap_or_default() {
            let Some(parameter) = rule.parameters.iter().find(|parameter| parameter.name == entry.key) else {
                let known = rule.parameters.iter().map(|parameter| parameter.name.as_str());
                problems.push(unknown("parameter", &entry.key, entry.key_span, known));
                continue;
            };
            given.extend(
                parameter_value(parameter.kind, &entry.value, problems)
                    .map(|value| (parameter.name.clone(), value)),
            );
        }
        let severity = severity.and_then(|node| read_severity(node, problems));
        let level = level.and_then(|node| read_level(node, problems));
        Some(NamedRule {
            id: Some(id.to_owned()),
            parameters: given,
            severity,
            level,
            at: self.place(at.span),
        })
    }

    fn enforcement(&self, node: &Node, problems: &mut Vec<Problem>) -> Enforcement {
        let mut map = MapReader::new(node, problems);
        let (level, severity, on_unknown) = (map.take("level"), map.take("severity"), map.take("on_unknown"));
        let (categories, rules) = (map.take("categories"), map.take("rules"));
        map.finish();
        let mut out = Enforcement {
            level: level.and_then(|node| Some((read_level(node, problems)?, self.place(node.span)))),
            severity: severity.and_then(|node| Some((read_severity(node, problems)?, self.place(node.span)))),
            ..Enforcement::default()
        };
        for entry in categories.map(Node::entries).unwrap_or_default() {
            let Some(category) = Category::parse(&entry.key) else {
                let known = Category::ALL.iter().map(|category| category.as_str());
                problems.push(unknown("category", &entry.key, entry.key_span, known));
                continue;
            };
            if let Some(level) = read_level(&entry.value, problems) {
                out.categories.insert(category, (level, self.place(entry.value.span)));
            }
        }
        for entry in rules.map(Node::entries).unwrap_or_default() {
            if self.catalogue.rule(&entry.key).is_none() && OfResources::of_id(&entry.key).is_none() {
                let known = self.catalogue.rules().iter().map(|rule| &*rule.id);
                problems.push(unknown("rule", &entry.key, entry.key_span, known));
                continue;
            }
            if let Some(level) = read_level(&entry.value, problems) {
                out.rules.insert(entry.key.clone(), (level, self.place(entry.value.span)));
            }
        }
        if let Some(node) = on_unknown {
            out.on_unknown = self.on_unknown(node, problems);
        }
        out
    }

    /// One word for all kinds of input, or one for each.
    fn on_unknown(&self, node: &Node, problems: &mut Vec<Problem>) -> [Option<(OnUnknown, Location)>; 3] {
        let read = |node: &Node, problems: &mut Vec<Problem>| match node.as_str() {
            Some("warn") => Some((OnUnknown::Warn, self.place(node.span))),
            Some("block") => Some((OnUnknown::Block, self.place(node.span))),
            _ => {
                problems.push(wrong(node, "`warn` or `block`"));
                None
            }
        };
        if !matches!(node.kind, NodeKind::Map(_)) {
            return [read(node, problems); 3];
        }
        let mut map = MapReader::new(node, problems);
        let kinds = ["hcl", "plan", "state"].map(|kind| map.take(kind));
        map.finish();
        kinds.map(|node| node.and_then(|node| read(node, problems)))
    }
}

/// The texts below the only key of `node`, with the place of each.
fn words<'n>(node: &'n Node, key: &'static str, problems: &mut Vec<Problem>) -> Vec<(&'n str, Span)> {
    let mut map = MapReader::new(node, problems);
    let list = map.need(key);
    map.finish();
    let Some(list) = list else { return Vec::new() };
    let all = if matches!(list.kind, NodeKind::List(_)) { list.items() } else { std::slice::from_ref(list) };
    all.iter().filter_map(|node| Some((string(node, problems)?, node.span))).collect()
}

fn read_foreign(node: &Node, problems: &mut Vec<Problem>) -> Option<ForeignComments> {
    match node.as_str() {
        Some("ignore") => Some(ForeignComments::Ignore),
        Some("report") => Some(ForeignComments::Report),
        Some("honour") => Some(ForeignComments::Honour),
        _ => {
            problems.push(wrong(node, "`honour`, `report` or `ignore`"));
            None
        }
    }
}

pub(super) fn read_severity(node: &Node, problems: &mut Vec<Problem>) -> Option<Severity> {
    let found = node.as_str().and_then(Severity::parse);
    if found.is_none() {
        problems.push(wrong(node, "`low`, `medium`, `high` or `critical`"));
    }
    found
}

fn read_level(node: &Node, problems: &mut Vec<Problem>) -> Option<Level> {
    // YAML takes `off` for false.
    if node.kind == NodeKind::Bool(false) {
        return Some(Level::Off);
    }
    let found = node.as_str().and_then(Level::parse);
    if found.is_none() {
        problems.push(wrong(node, "`off`, `advisory`, `soft-mandatory` or `mandatory`"));
    }
    found
}
