//! Policies from texts: the built-in ones, and those that teams write.

mod chain;
mod config;
mod document;
mod environment;
mod exemption;
mod extended;
mod external;
mod parameters;
mod rego;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use auditlint_syntax::document::reader::{nearest, unknown};
use auditlint_syntax::{Location, Problem, ProblemKind, Source, Span};
use camino::Utf8Path;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use chain::{Chain, Variant};
pub use config::{Config, ConfiguredRoot, Environment, FORMATS, Output};
pub use extended::Extended;
use external::Outside;
pub use external::ReadFrom;
use values::duration;

use crate::catalogue::{Catalogue, LocatedProblem, locate};
use crate::check::{Check, OfResources};
use crate::exemption::{Exemption, ForeignComments, RepositoryLimits};
use crate::external::Externals;
use crate::intent::bind::{Bound, bind};
use crate::intent::{Bounds, OnUnknown, Permission, PolicyEnvironment, Statement};
use crate::rego::RegoSpec;
use crate::{Binding, Category, Policy};

/// Why a policy cannot be used: every problem of every file.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct PolicyError {
    /// The problems, in the order of the files.
    pub problems: Vec<LocatedProblem>,
}

impl Policy {
    /// Reads and merges policies. Side by side the strictest of each value counts; a policy that extends others may
    /// only ask for more than they do. `from` reads the files that they name, `auditlint:NAME` among them.
    ///
    /// # Errors
    /// With all problems of all texts.
    pub fn load(
        catalogue: &Catalogue,
        sources: &[Arc<Source>],
        from: ReadFrom<'_>,
    ) -> Result<Self, PolicyError> {
        let mut chain = Chain::read(catalogue, sources, from);
        let base = chain.variant(None);
        let (externals, mut elsewhere) = externals(&mut chain, from);
        let externals = Arc::new(externals);
        let limits = repository_limits(&base);
        // What all documents that speak of it allow.
        let foreign = base.documents.iter().filter_map(|document| document.foreign).min().unwrap_or_default();
        let exemptions = exemptions(&mut chain, &base);
        let rego: Vec<RegoSpec> =
            base.documents.iter().flat_map(|document| document.rego.iter().cloned()).collect();
        let named = environments(&base);
        let variants: Vec<(Named, Variant)> = named
            .into_iter()
            .map(|named| {
                let variant = chain.variant(Some(&named.name));
                (named, variant)
            })
            .collect();
        ordered(&mut chain, catalogue, &variants);
        let strictest =
            variants.iter().fold(base.statement.clone(), |all, (_, variant)| all.beside(&variant.statement));
        let unmatched = unmatched(&mut chain, &base, &variants);
        elsewhere.extend(unresolved(&strictest, &externals, &chain));
        let problems: Vec<LocatedProblem> = chain.problems().into_iter().chain(elsewhere).collect();
        if !problems.is_empty() {
            return Err(PolicyError { problems });
        }
        let mut digest = Sha256::new();
        chain.texts.iter().for_each(|text| digest.update(text.source.bytes()));
        let whole = Whole {
            id: sources.iter().map(|source| source.path().as_str()).collect::<Vec<_>>().join(", ").into(),
            digest: format!("sha256:{}", crate::digest::hex(&digest.finalize())),
            externals,
            exemptions: exemptions.into(),
            rego: rego.into(),
            limits,
            foreign,
            bounds: Arc::new(chain.bounds()),
            texts: chain.texts.iter().map(|text| Arc::clone(&text.source)).collect(),
        };
        let environments = variants
            .into_iter()
            .map(|(named, variant)| PolicyEnvironment {
                policy: Arc::new(whole.policy(variant.statement, catalogue)),
                name: named.name,
                matches: named.matches,
                at: named.at,
                at_least: named.at_least.map(|(name, _)| name),
            })
            .collect();
        Ok(Self { environments, unmatched, ..whole.policy(strictest, catalogue) })
    }

    /// This policy with another statement in place of its own, and without environments.
    #[must_use]
    pub fn asking(&self, statement: Statement, catalogue: &Catalogue) -> Self {
        let whole = Whole {
            id: Arc::clone(&self.id),
            digest: self.digest.clone(),
            externals: Arc::clone(&self.externals),
            exemptions: Arc::clone(&self.exemptions),
            rego: Arc::clone(&self.rego),
            limits: self.limits.clone(),
            foreign: self.foreign,
            bounds: Arc::clone(&self.bounds),
            texts: self.texts.clone(),
        };
        whole.policy(statement, catalogue)
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
            let is_known = catalogue.rule(word).is_some()
                || Category::parse(word).is_some()
                || OfResources::of_id(word).is_some();
            if !is_known {
                let ids = catalogue.rules().iter().map(|rule| &*rule.id);
                let near = nearest(word, ids.chain(categories()));
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
        let is_chosen = |check: Check| {
            let named = |words: &[String]| words.iter().any(|word| word == check.id);
            (select.is_empty() || named(select)) && !named(ignore)
        };
        let (mut changes, mut destinations) = (self.changes, self.destinations);
        changes.retain(|change, _| is_chosen(change.check()));
        destinations.retain(|destination| is_chosen(destination.part.check()));
        Ok(Self { bindings, changes, destinations, ..self })
    }
}

/// A policy is read by people: bytes that are no text say nothing that anybody could agree to.
pub(super) fn not_text(source: &Source) -> Option<Problem> {
    let at = source.first_invalid()?;
    let message = "this is not UTF-8; save the file in that encoding".to_owned();
    Some(Problem { kind: ProblemKind::Encoding, span: Span::new(at, at + 1), message })
}

/// An environment with all that is said of it.
struct Named {
    name: String,
    matches: Option<crate::intent::EnvironmentPattern>,
    at: Location,
    at_least: Option<(String, Location)>,
}

/// What all variants of a policy share.
struct Whole {
    id: Arc<str>,
    digest: String,
    externals: Arc<Externals>,
    exemptions: Arc<[Exemption]>,
    rego: Arc<[RegoSpec]>,
    limits: RepositoryLimits,
    foreign: ForeignComments,
    bounds: Arc<BTreeMap<String, Bounds>>,
    texts: Vec<Arc<Source>>,
}

impl Whole {
    fn policy(&self, statement: Statement, catalogue: &Catalogue) -> Policy {
        let Bound { bindings, days, destinations, readers, categories } = bind(&statement, catalogue);
        let [hcl, plan, state] = statement.enforcement.on_unknown;
        let said = |said: Option<(OnUnknown, Location)>, default| said.map_or(default, |(what, _)| what);
        Policy {
            id: Arc::clone(&self.id),
            digest: self.digest.clone(),
            bindings,
            days,
            categories,
            demands: statement.demands.clone(),
            changes: statement.changes.clone(),
            destinations,
            readers,
            bounds: Arc::clone(&self.bounds),
            may_live_in: statement.may_live_in.clone(),
            externals: Arc::clone(&self.externals),
            scope: statement.scope.clone(),
            on_unknown: [
                said(hcl, OnUnknown::Warn),
                said(plan, OnUnknown::Warn),
                said(state, OnUnknown::Block),
            ],
            exemptions: Arc::clone(&self.exemptions),
            rego: Arc::clone(&self.rego),
            limits: self.limits.clone(),
            foreign: self.foreign,
            environments: Vec::new(),
            unmatched: None,
            texts: self.texts.clone(),
            statement: Arc::new(statement),
        }
    }
}

/// What the documents say of stores, sources and modules outside of the run, and what is wrong in the files that they name.
fn externals(chain: &mut Chain<'_>, from: ReadFrom<'_>) -> (Externals, Vec<LocatedProblem>) {
    let (mut out, mut elsewhere, mut found) = (Externals::default(), Vec::new(), Vec::new());
    for text in chain.texts.iter().filter(|text| text.is_whole) {
        let mut own = Vec::new();
        let mut outside = Outside { source: &text.source, from, elsewhere: &mut elsewhere };
        if let Some(node) = text.root.get("external_stores") {
            outside.stores(node, &mut out, &mut own);
        }
        if let Some(node) = text.root.get("external_sources") {
            outside.sources(node, &mut out, &mut own);
        }
        if let Some(node) = text.root.get("modules") {
            outside.modules(node, &mut out, &mut own);
        }
        let file = text.source.file();
        found.extend(own.into_iter().map(|problem| (Location { file, span: problem.span }, problem.message)));
    }
    found.into_iter().for_each(|(at, message)| chain.problem(at, message));
    (out, elsewhere)
}

/// What a repository may do to these documents: what all of them allow.
fn repository_limits(variant: &Variant) -> RepositoryLimits {
    let limits = variant.documents.iter().map(|document| document.limits.clone());
    let limits = limits.map(|limits| limits.unwrap_or_else(RepositoryLimits::none));
    limits.reduce(|all, one| all.both(&one)).unwrap_or_else(RepositoryLimits::own)
}

/// The exemptions, which those documents must allow that are extended.
fn exemptions(chain: &mut Chain<'_>, variant: &Variant) -> Vec<Exemption> {
    let mut refused = Vec::new();
    for (text, document) in chain.texts.iter().zip(&variant.documents) {
        let mut above = text.parents.clone();
        let mut limits = RepositoryLimits::own();
        while let Some(at) = above.pop() {
            let said = variant.documents.get(at).and_then(|document| document.limits.clone());
            limits = limits.both(&said.unwrap_or_else(RepositoryLimits::none));
            above.extend(chain.texts.get(at).map(|text| text.parents.as_slice()).unwrap_or_default());
        }
        for exemption in &document.exemptions {
            let why = limits.refuse(exemption);
            refused.extend(why.map(|why| {
                (
                    exemption.at,
                    format!("exemption {} is not allowed by what this policy extends: {why}", exemption.id),
                )
            }));
        }
    }
    refused.into_iter().for_each(|(at, message)| chain.problem(at, message));
    let mut all: Vec<Exemption> = Vec::new();
    for exemption in variant.documents.iter().flat_map(|document| &document.exemptions) {
        if all.iter().any(|known| known.id == exemption.id) {
            chain.problem(exemption.at, format!("exemption `{}` is there twice", exemption.id));
        } else {
            all.push(exemption.clone());
        }
    }
    all
}

/// The environments that any document declares, each once, those of ancestors first.
fn environments(variant: &Variant) -> Vec<Named> {
    let mut out: Vec<Named> = Vec::new();
    for declared in variant.documents.iter().flat_map(|document| &document.environments) {
        let at_least = declared
            .at_least
            .as_ref()
            .map(|(name, span)| (name.clone(), Location { file: declared.at.file, span: *span }));
        match out.iter_mut().find(|known| known.name == declared.name) {
            Some(known) => {
                // Which roots are meant is for the first who says so: anything else would loosen what it asks of them.
                known.matches = known.matches.take().or_else(|| declared.matches.clone());
                known.at_least = known.at_least.take().or(at_least);
            }
            None => out.push(Named {
                name: declared.name.clone(),
                matches: declared.matches.clone(),
                at: declared.at,
                at_least,
            }),
        }
    }
    out
}

/// Whether each environment asks for as much as the one that it must not fall behind.
fn ordered(chain: &mut Chain<'_>, catalogue: &Catalogue, variants: &[(Named, Variant)]) {
    for (named, variant) in variants {
        let Some((other, at)) = &named.at_least else { continue };
        let Some((_, lower)) = variants.iter().find(|(known, _)| known.name == *other) else {
            let known = variants.iter().map(|(known, _)| known.name.as_str());
            let problem = unknown("environment", other, at.span, known);
            chain.problem(*at, problem.message);
            continue;
        };
        let (_, weaker) = lower.statement.tightened(&variant.statement, catalogue, Permission::Tighten);
        for found in weaker {
            let (value, over) = (&found.value.0, &found.over.0);
            let message = format!(
                "{} is weaker than {other}: `{}` is {value} ({}), and {over} in {other} ({})",
                named.name,
                found.what,
                chain.line(found.value.1, at.file),
                chain.line(found.over.1, at.file),
            );
            chain.problem(*at, message);
        }
    }
}

/// The environment of roots that none of them means.
fn unmatched(chain: &mut Chain<'_>, base: &Variant, variants: &[(Named, Variant)]) -> Option<String> {
    let mut found = None;
    for (text, document) in chain.texts.iter().zip(&base.documents) {
        let Some((name, span)) = &document.unmatched else { continue };
        found = found.or_else(|| Some((name.clone(), Location { file: text.source.file(), span: *span })));
    }
    let (name, at) = found?;
    if name == "strictest" {
        return None;
    }
    if !variants.iter().any(|(named, _)| named.name == name) {
        let known = variants.iter().map(|(named, _)| named.name.as_str()).chain(["strictest"]);
        let problem = unknown("environment", &name, at.span, known);
        chain.problem(at, problem.message);
    }
    Some(name)
}

/// What the policies name and none of them says.
fn unresolved(statement: &Statement, externals: &Externals, chain: &Chain<'_>) -> Vec<LocatedProblem> {
    let found = external::unresolved(externals).into_iter();
    let ids = || externals.sources.iter().map(|source| source.id.as_str());
    let demanded = statement.demands.iter().flat_map(|demand| {
        let missing = demand.provided_by.iter().filter(|id| externals.source(id).is_none());
        missing.map(|id| (demand.at, unknown("external source", id, demand.at.span, ids())))
    });
    found
        .chain(demanded)
        .flat_map(|(at, problem)| {
            let text = chain.texts.iter().find(|text| text.source.file() == at.file);
            text.into_iter().flat_map(move |text| {
                let source = &text.source;
                locate(source.path().as_str(), source.text(), vec![problem.clone()]).collect::<Vec<_>>()
            })
        })
        .collect()
}
