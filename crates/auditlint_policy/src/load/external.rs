//! `external_stores`, `external_sources`, `modules`, and what a category says of them.

use std::sync::Arc;

use auditlint_syntax::document::reader::{MapReader, string, unknown, wrong};
use auditlint_syntax::document::{Entry, Node, NodeKind};
use auditlint_syntax::{Location, Problem, ProblemKind, Source, Span};
use jiff::civil::Date;

use super::extended::Extended;
use super::values::word;
use super::{LocatedProblem, duration, locate};
use crate::external::{AttestedModule, Export, ExternalSource, ExternalStore, Externals, Pattern, Review};
use crate::{Category, Days};

/// Reads the file that a policy names by `from:`, relative to the policy.
pub type ReadFrom<'f> = &'f dyn Fn(&Source, &Extended) -> Result<Arc<Source>, String>;

/// Reads what one policy says of stores and sources outside of the run.
pub(super) struct Outside<'a> {
    pub(super) source: &'a Source,
    pub(super) from: ReadFrom<'a>,
    /// Problems in files that the policy names.
    pub(super) elsewhere: &'a mut Vec<LocatedProblem>,
}

impl Outside<'_> {
    fn place(&self, span: Span) -> Location {
        Location { file: self.source.file(), span }
    }

    pub(super) fn stores(&mut self, node: &Node, out: &mut Externals, problems: &mut Vec<Problem>) {
        out.names_stores = true;
        for entry in named(node, "external stores by their name", problems) {
            if out.store(&entry.key).is_some() {
                problems.push(twice("external store", entry));
                continue;
            }
            let mut map = MapReader::new(&entry.value, problems);
            let (matches, from, retention) = (map.strings("match"), map.take("from"), map.take("retention"));
            let (immutable, encrypted) = (map.bool("immutable"), map.bool("encrypted"));
            let place = ["account", "region"].map(|key| map.take(key));
            let review = self.review(&mut map);
            map.finish();
            let [account, region] = place.map(|node| node.and_then(|node| word(node, problems)));
            let retention = retention.and_then(|node| kept(node, problems));
            let matches: Vec<Pattern> = matches.into_iter().map(Pattern::new).collect();
            let at = self.place(entry.key_span);
            let store = |matches| ExternalStore {
                id: entry.key.clone(),
                matches,
                retention,
                immutable,
                encrypted,
                account: account.clone(),
                region: region.clone(),
                at,
                review: review.clone(),
            };
            match (from, matches.is_empty()) {
                (None, true) => {
                    let message =
                        "an external store needs `match:` (its ARNs or names, `*` for any text) or `from:`";
                    problems.push(Problem {
                        kind: ProblemKind::Syntax,
                        span: entry.key_span,
                        message: message.to_owned(),
                    });
                }
                (None, false) => out.stores.push(store(matches)),
                (Some(node), _) => {
                    let Some(export) = self.export(node, problems) else { continue };
                    // What was proved there wins over what is said here; a store that has no name yet is nobody's.
                    let proved = export.stores.into_iter().filter(|proved| !proved.names.is_empty());
                    let is_meant = |names: &[Pattern]| {
                        matches.is_empty()
                            || names.iter().any(|name| matches.iter().any(|one| one.matches(name.as_str())))
                    };
                    out.stores.extend(proved.filter(|proved| is_meant(&proved.names)).map(|proved| {
                        ExternalStore {
                            retention: proved.retention.or(retention),
                            immutable: proved.immutable.or(immutable),
                            encrypted: proved.encrypted.or(encrypted),
                            ..store(proved.names)
                        }
                    }));
                }
            }
        }
    }

    pub(super) fn sources(&mut self, node: &Node, out: &mut Externals, problems: &mut Vec<Problem>) {
        for entry in named(node, "external sources by their name", problems) {
            if out.source(&entry.key).is_some() {
                problems.push(twice("external source", entry));
                continue;
            }
            let mut map = MapReader::new(&entry.value, problems);
            let (categories, from, covers) = (map.take("categories"), map.take("from"), map.take("covers"));
            let into = map.string("into").map(str::to_owned);
            let attested = map.string("attested_by").map(str::to_owned);
            let mut review = self.review(&mut map);
            map.finish();
            review.owner = review.owner.or(attested.clone());
            let (mut accounts, mut regions) = (Vec::new(), Vec::new());
            if let Some(node) = covers {
                let mut map = MapReader::new(node, problems);
                accounts = map.take("accounts").map(|node| words(node, map.problems())).unwrap_or_default();
                regions = map.take("regions").map(|node| words(node, map.problems())).unwrap_or_default();
                map.finish();
            }
            let mut known: Vec<Category> = Vec::new();
            for item in categories.map(Node::items).unwrap_or_default() {
                known.extend(category(item, problems));
            }
            match from {
                Some(node) => {
                    let Some(export) = self.export(node, problems) else { continue };
                    let proved: Vec<Category> =
                        export.sources.into_iter().flat_map(|source| source.categories).collect();
                    known.retain(|category| proved.contains(category));
                    if categories.is_none() {
                        known = proved;
                        known.sort();
                        known.dedup();
                    }
                }
                None if attested.is_none() => problems.push(Problem {
                    kind: ProblemKind::Syntax,
                    span: entry.key_span,
                    message: "an external source needs `attested_by:` (who answers for it) or `from:`"
                        .to_owned(),
                }),
                None => {}
            }
            let at = self.place(entry.key_span);
            let id = entry.key.clone();
            out.sources.push(ExternalSource { id, categories: known, accounts, regions, into, at, review });
        }
    }

    /// Modules that are not here: nobody reads them, so that each needs a name and a day.
    pub(super) fn modules(&self, node: &Node, out: &mut Externals, problems: &mut Vec<Problem>) {
        if !matches!(node.kind, NodeKind::List(_) | NodeKind::Null) {
            problems.push(wrong(node, "a list of modules, each with its source"));
        }
        for item in node.items() {
            let mut map = MapReader::new(item, problems);
            let [source, provides, attested_by, review_by] =
                ["source", "provides", "attested_by", "review_by"].map(|key| map.need(key));
            let version = map.string("version").map(Pattern::new);
            map.finish();
            let text = |node: Option<&Node>, problems: &mut Vec<Problem>| {
                node.and_then(|node| string(node, problems)).map(str::to_owned)
            };
            let source = text(source, problems);
            let attested_by = text(attested_by, problems);
            let review_by = review_by.and_then(|node| date(node, problems));
            let known = provides.map(Node::items).unwrap_or_default();
            let known: Vec<Category> = known.iter().filter_map(|item| category(item, problems)).collect();
            let said = source.zip(attested_by).zip(review_by);
            out.modules.extend(said.map(|((source, attested_by), review_by)| AttestedModule {
                source: Pattern::new(&source),
                version,
                provides: known,
                attested_by,
                review_by,
                at: self.place(item.span),
            }));
        }
    }

    fn review(&self, map: &mut MapReader<'_, '_>) -> Review {
        let owner = map.string("owner").map(str::to_owned);
        let by = map.take("review_by");
        let by = by.and_then(|node| Some((date(node, map.problems())?, self.place(node.span))));
        Review { owner, by }
    }

    fn export(&mut self, node: &Node, problems: &mut Vec<Problem>) -> Option<Export> {
        let name = string(node, problems)?;
        let source = match (self.from)(self.source, &Extended::file(name)) {
            Ok(source) => source,
            Err(reason) => {
                let message =
                    format!("`{name}`: {reason}; `auditlint export` of the other repository writes it");
                problems.push(Problem { kind: ProblemKind::Syntax, span: node.span, message });
                return None;
            }
        };
        Export::read(&source)
            .map_err(|own| self.elsewhere.extend(locate(source.path().as_str(), source.text(), own)))
            .ok()
    }
}

/// The stores that sources name and no policy says.
pub(super) fn unresolved(externals: &Externals) -> Vec<(Location, Problem)> {
    let mut found = Vec::new();
    for source in &externals.sources {
        if let Some(into) = source.into.as_ref().filter(|into| externals.store(into).is_none()) {
            let known = externals.stores.iter().map(|store| store.id.as_str());
            found.push((source.at, unknown("external store", into, source.at.span, known)));
        }
    }
    found
}

fn named<'n>(node: &'n Node, what: &str, problems: &mut Vec<Problem>) -> &'n [Entry] {
    if !matches!(node.kind, NodeKind::Map(_) | NodeKind::Null) {
        problems.push(wrong(node, what));
    }
    node.entries()
}

fn twice(what: &str, entry: &Entry) -> Problem {
    let message = format!("{what} `{}` is named twice", entry.key);
    Problem { kind: ProblemKind::Duplicate, span: entry.key_span, message }
}

fn date(node: &Node, problems: &mut Vec<Problem>) -> Option<Date> {
    let date = node.as_str().and_then(|text| text.parse().ok());
    if date.is_none() {
        problems.push(wrong(node, "a date (YYYY-MM-DD)"));
    }
    date
}

/// A duration, or `never_expires`.
fn kept(node: &Node, problems: &mut Vec<Problem>) -> Option<Days> {
    if node.as_str() == Some("never_expires") {
        return Some(Days::Never);
    }
    duration(node, problems).map(Days::Count)
}

/// The category of that name.
pub(super) fn category(node: &Node, problems: &mut Vec<Problem>) -> Option<Category> {
    let word = string(node, problems)?;
    let found = Category::parse(word);
    if found.is_none() {
        let known = Category::ALL.iter().map(|category| category.as_str());
        problems.push(unknown("category", word, node.span, known));
    }
    found
}

/// Texts, and numbers as they are written: an account is a number only by its looks.
pub(super) fn words(node: &Node, problems: &mut Vec<Problem>) -> Vec<String> {
    let word = |node: &Node, problems: &mut Vec<Problem>| match &node.kind {
        NodeKind::Number(_, written) => Some(written.clone()),
        _ => string(node, problems).map(str::to_owned),
    };
    match &node.kind {
        NodeKind::List(items) => items.iter().filter_map(|item| word(item, problems)).collect(),
        _ => word(node, problems).into_iter().collect(),
    }
}
