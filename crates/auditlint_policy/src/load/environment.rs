//! Environments, and which roots and resources are meant.

use std::collections::BTreeMap;

use auditlint_syntax::document::reader::{MapReader, string, wrong};
use auditlint_syntax::document::{Entry, Node, NodeKind};
use auditlint_syntax::{Location, Problem, Span};

use super::document::Reader;
use super::external::words;
use super::values::word;
use crate::RootPattern;
use crate::external::Pattern;
use crate::intent::{EnvironmentPattern, Scope, ScopePattern, Statement};

/// An environment as a document declares it.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) matches: Option<EnvironmentPattern>,
    pub(super) overlay: Statement,
    /// Whether the owner of a value approved that this environment asks for less.
    pub(super) weakens: bool,
    pub(super) at_least: Option<(String, Span)>,
    pub(super) at: Location,
}

impl Reader<'_> {
    pub(super) fn environments(
        &self,
        node: &Node,
        units: &[Unit],
        problems: &mut Vec<Problem>,
    ) -> Vec<Declared> {
        if !matches!(node.kind, NodeKind::Map(_)) {
            problems.push(wrong(node, "environments by their name"));
        }
        node.entries().iter().map(|entry| self.environment(entry, units, problems)).collect()
    }

    fn environment(&self, entry: &Entry, units: &[Unit], problems: &mut Vec<Problem>) -> Declared {
        let mut out = Declared {
            name: entry.key.clone(),
            matches: None,
            overlay: Statement::default(),
            weakens: false,
            at_least: None,
            at: self.place(entry.key_span),
        };
        if entry.value.kind == NodeKind::Null {
            return out;
        }
        let mut map = MapReader::new(&entry.value, problems);
        let (matches, overlay, weaken) = (map.take("match"), map.take("overlay"), map.take("weaken"));
        let at_least = map.take("at_least");
        map.finish();
        out.at_least = at_least.and_then(|node| Some((string(node, problems)?.to_owned(), node.span)));
        match weaken.map(|node| (node, node.as_str())) {
            None => {}
            Some((_, Some("approved"))) => out.weakens = true,
            Some((node, _)) => problems.push(wrong(node, "`approved`")),
        }
        out.matches = matches.map(|node| environment_pattern(node, units, problems));
        if let Some(node) = overlay {
            let mut map = MapReader::new(node, problems);
            map.take("parameters");
            let (intent, rules, enforcement) =
                (map.entry("logging_policy"), map.take("rules"), map.take("enforcement"));
            map.finish();
            self.asked(intent, rules, enforcement, &mut out.overlay, problems);
        }
        out
    }

    pub(super) fn scope(&self, node: &Node, problems: &mut Vec<Problem>) -> Scope {
        let mut map = MapReader::new(node, problems);
        let (include, exclude) = (map.take("include"), map.take("exclude"));
        map.finish();
        let mut read = |node: Option<&Node>| -> Vec<ScopePattern> {
            let items = node.map(Node::items).unwrap_or_default().iter();
            items.filter_map(|item| self.scope_pattern(item, problems)).collect()
        };
        Scope { include: read(include), exclude: read(exclude) }
    }

    fn scope_pattern(&self, node: &Node, problems: &mut Vec<Problem>) -> Option<ScopePattern> {
        let mut map = MapReader::new(node, problems);
        let mut own = Vec::new();
        let mut pattern = |key: &'static str| map.string(key).map(Pattern::new);
        let (address, module, kind) = (pattern("address"), pattern("module"), pattern("type"));
        let provider = map.string("provider").map(str::to_owned);
        let tags = looks(map.take("tags"), &mut own);
        let regions = map.take("region").map(|node| words(node, &mut own)).unwrap_or_default();
        let regions: Vec<Pattern> = regions.iter().map(|region| Pattern::new(region)).collect();
        map.finish();
        problems.append(&mut own);
        let found =
            ScopePattern { address, module, kind, provider, tags, regions, at: self.place(node.span) };
        let says = [&found.address, &found.module, &found.kind].iter().any(|one| one.is_some());
        if !says && found.provider.is_none() && found.tags.is_empty() && found.regions.is_empty() {
            problems.push(wrong(node, "`address`, `module`, `type`, `provider`, `region` or `tags`"));
            return None;
        }
        Some(found)
    }
}

/// An account, and the organisational unit that it is in, as `Workloads/Production`.
pub(super) struct Unit {
    account: String,
    path: String,
}

/// The accounts of an organisation by their number.
pub(super) fn units(node: &Node, problems: &mut Vec<Problem>) -> Vec<Unit> {
    if !matches!(node.kind, NodeKind::Map(_)) {
        problems.push(wrong(node, "organisational units by the number of the account"));
    }
    let entries = node.entries().iter();
    let unit = |entry: &Entry, path: String| Unit { account: entry.key.clone(), path };
    entries.filter_map(|entry| Some(unit(entry, word(&entry.value, problems)?))).collect()
}

/// The accounts in a unit that looks like one of `node`, or in one below it.
fn accounts_in(node: &Node, units: &[Unit], problems: &mut Vec<Problem>) -> Vec<Pattern> {
    let mut out = Vec::new();
    for look in words(node, problems) {
        let looks = [Pattern::new(&look), Pattern::new(&format!("{look}/*"))];
        let is_meant = |unit: &&Unit| looks.iter().any(|look| look.matches(&unit.path));
        let before = out.len();
        out.extend(units.iter().filter(is_meant).map(|unit| Pattern::new(&unit.account)));
        if out.len() == before {
            problems.push(wrong(node, "a unit that an account of `accounts` is in"));
        }
    }
    out
}

fn environment_pattern(node: &Node, units: &[Unit], problems: &mut Vec<Problem>) -> EnvironmentPattern {
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let unit = map.take("organizational_unit");
    let mut patterns = |key: &'static str| -> Vec<Pattern> {
        let found = map.take(key).map(|node| words(node, &mut own)).unwrap_or_default();
        found.iter().map(|text| Pattern::new(text)).collect()
    };
    let mut accounts: Vec<Pattern> =
        ["account", "project", "subscription"].into_iter().flat_map(&mut patterns).collect();
    let (paths, workspaces) = (patterns("path"), patterns("workspace"));
    let tags = looks(map.take("tags"), &mut own);
    let variables = looks(map.take("variable"), &mut own);
    map.finish();
    accounts.extend(unit.map(|node| accounts_in(node, units, &mut own)).unwrap_or_default());
    problems.append(&mut own);
    EnvironmentPattern { accounts, paths, workspaces, tags, variables }
}

/// Patterns by name: `env: prod` or `env: [prod, production]`.
fn looks(node: Option<&Node>, problems: &mut Vec<Problem>) -> Vec<(String, Vec<Pattern>)> {
    let entries = node.map(Node::entries).unwrap_or_default().iter();
    entries
        .map(|entry| {
            let texts = match &entry.value.kind {
                NodeKind::List(items) => items.iter().filter_map(|item| word(item, problems)).collect(),
                _ => word(&entry.value, problems).into_iter().collect::<Vec<_>>(),
            };
            (entry.key.clone(), texts.iter().map(|text| Pattern::new(text)).collect())
        })
        .collect()
}

/// The roots that `required_in` means.
pub(super) fn roots(node: &Node, problems: &mut Vec<Problem>) -> Vec<RootPattern> {
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

/// The parameters that an overlay of an environment sets, by its name.
pub(super) fn overlay_parameters(root: &Node) -> BTreeMap<String, &Node> {
    let environments = root.get("environments").map(Node::entries).unwrap_or_default().iter();
    environments
        .filter_map(|entry| Some((entry.key.clone(), entry.value.get("overlay")?.get("parameters")?)))
        .collect()
}
