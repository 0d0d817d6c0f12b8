//! What is missing altogether, over all roots of a run: a category that the policy requires and nobody records, and
//! what the policy says of the outside without anybody having looked again.

use std::sync::Arc;

use auditlint_graph::{Address, Cause, CauseKind, Mode};
use auditlint_policy::check::{Check, REQUIRED_SOURCE, REVIEW_DUE};
use auditlint_policy::external::Externals;
use auditlint_policy::{Category, Days, Demand, Finding, Place, Policy, PolicyRef, Related, Verdict};
use auditlint_syntax::{Location, Name};
use jiff::civil::Date;

use crate::{InputMode, RootReport};

/// Adds to the reports what is missing: to that of the root that lacks it, or to the first where the estate does.
pub(crate) fn add(roots: &mut [RootReport], policy: &Arc<Policy>, today: Option<Date>) {
    for demand in &policy.demands {
        if demand.within.is_empty() {
            estate(roots, policy, demand);
        } else {
            roots.iter_mut().for_each(|root| within(root, policy, demand));
        }
    }
    if let (Some(today), Some(first)) = (today, roots.first_mut()) {
        let due: Vec<Finding> = reviews(policy, today).collect();
        put(first, due);
    }
}

/// One source in the whole estate is enough.
fn estate(roots: &mut [RootReport], policy: &Policy, demand: &Demand) {
    if roots.iter().any(|root| sources(root, demand.category) > 0) {
        return;
    }
    let number = roots.len();
    let is_whole = roots.iter().all(|root| root.gaps.is_empty());
    let Some(first) = roots.first_mut() else { return };
    let category = demand.category.as_str();
    let found = provided(policy, demand).unwrap_or_else(|| {
        let nothing = match number {
            1 => format!("this root holds no source for {category}"),
            _ => format!("no root of {number} holds a source for {category}"),
        };
        match (is_whole, number) {
            (false, _) => Found::unknown(nothing, unread()),
            (true, 1) => Found::unknown(nothing, other_roots(category)),
            (true, _) => Found { verdict: Verdict::Fail, message: nothing, cause: None, related: Vec::new() },
        }
    });
    put(first, found.finding(policy, demand, ""));
}

/// Each root that is meant needs one.
fn within(root: &mut RootReport, policy: &Policy, demand: &Demand) {
    let is_meant = demand.within.iter().any(|pattern| pattern.matches(folder(root)));
    if !is_meant || sources(root, demand.category) > 0 {
        return;
    }
    let name = if folder(root).is_empty() { "." } else { folder(root) };
    let found = provided(policy, demand).unwrap_or_else(|| {
        let nothing = format!("root {name} holds no source for {}", demand.category.as_str());
        if root.gaps.is_empty() {
            Found { verdict: Verdict::Fail, message: nothing, cause: None, related: Vec::new() }
        } else {
            Found::unknown(nothing, unread())
        }
    });
    let finding = found.finding(policy, demand, root.path.as_str());
    put(root, finding);
}

/// What came of a demand.
struct Found {
    verdict: Verdict,
    message: String,
    cause: Option<Cause>,
    related: Vec<Related>,
}

impl Found {
    fn unknown(message: String, cause: Cause) -> Self {
        Self { verdict: Verdict::Unknown, message, cause: Some(cause), related: Vec::new() }
    }

    /// The finding on the line that asks; none where a source outside of the run stands for one.
    fn finding(self, policy: &Policy, demand: &Demand, root: &str) -> Option<Finding> {
        if self.verdict == Verdict::Pass {
            return None;
        }
        let categories = vec![demand.category];
        let finding = finding(policy, REQUIRED_SOURCE, demand.at, self.message, (root, &categories));
        Some(Finding {
            verdict: self.verdict,
            cause: self.cause,
            related: self.related,
            categories,
            ..finding
        })
    }
}

/// What the sources outside of the run that stand for one come to; none where the policy names none.
fn provided(policy: &Policy, demand: &Demand) -> Option<Found> {
    let externals = &policy.externals;
    let category = demand.category;
    let mut worst: Option<Found> = None;
    for id in &demand.provided_by {
        let source = externals.source(id)?;
        let place = Place::Source(source.at);
        let related = Related { message: format!("the policy says what {id} records"), place };
        let found = if !source.categories.contains(&category) {
            Found {
                verdict: Verdict::Fail,
                message: format!("{id} does not record {}", category.as_str()),
                cause: None,
                related: vec![related],
            }
        } else if let Some((store, kept, asked)) =
            too_short(policy, externals, source.into.as_deref(), category)
        {
            Found {
                verdict: Verdict::Fail,
                message: format!(
                    "{id} records {} into {store}, which keeps it for {kept}; the policy asks for {asked}",
                    category.as_str()
                ),
                cause: None,
                related: vec![related],
            }
        } else if source.accounts.is_empty() {
            Found { verdict: Verdict::Pass, message: String::new(), cause: None, related: vec![related] }
        } else {
            let accounts = source.accounts.join(", ");
            let cause = Cause {
                kind: CauseKind::Elsewhere,
                subject: format!("the account of the root, of which {id} covers {accounts}"),
                hint: format!("leave out `covers.accounts` of {id} where it covers every account"),
            };
            Found {
                related: vec![related],
                ..Found::unknown(format!("whether {id} covers this is not known"), cause)
            }
        };
        // One that stands for it is enough.
        let is_better = |known: &Found| Verdict::any([known.verdict, found.verdict]) != known.verdict;
        if worst.as_ref().is_none_or(is_better) {
            worst = Some(found);
        }
    }
    worst
}

/// The store into which a source outside of the run writes, and how long it keeps, where that is less than is asked.
fn too_short<'p>(
    policy: &Policy,
    externals: &'p Externals,
    into: Option<&'p str>,
    category: Category,
) -> Option<(&'p str, Days, Days)> {
    let store = into?;
    let kept = externals.store(store)?.retention?;
    let asked =
        policy.retention.iter().filter(|(known, ..)| *known == category).map(|(_, days, _)| *days).max()?;
    (kept < Days::Count(asked)).then_some((store, kept, Days::Count(asked)))
}

/// What should have been looked at by `today`.
fn reviews(policy: &Policy, today: Date) -> impl Iterator<Item = Finding> {
    let stores = policy.externals.stores.iter().map(|store| ("store", &store.id, &store.review));
    let sources = policy.externals.sources.iter().map(|source| ("source", &source.id, &source.review));
    // Stores of one exported file share a name, an owner and a day.
    let mut seen = Vec::new();
    stores.chain(sources).filter_map(move |(what, id, review)| {
        let (by, at) = review.by.filter(|(by, at)| *by < today && !seen.contains(at))?;
        seen.push(at);
        let owner = review.owner.as_ref().map(|owner| format!(" by {owner}")).unwrap_or_default();
        let message = format!("external {what} {id} had to be looked at again{owner} until {by}");
        let categories: &[Category] = &[];
        Some(finding(policy, REVIEW_DUE, at, message, ("", categories)))
    })
}

fn finding(
    policy: &Policy,
    check: Check,
    at: Location,
    message: String,
    (root, categories): (&str, &[Category]),
) -> Finding {
    Finding {
        rule: check.id.into(),
        verdict: Verdict::Fail,
        severity: check.severity,
        categories: categories.to_vec(),
        address: Address {
            module: auditlint_graph::ModulePath::default(),
            mode: Mode::Managed,
            kind: Name::default(),
            name: Name::default(),
            key: None,
        },
        attribute: None,
        message,
        place: Place::Source(at),
        related: Vec::new(),
        policy: PolicyRef { id: Arc::clone(&policy.id), at },
        cause: None,
        evidence: Vec::new(),
        flows: Vec::new(),
        remedies: Vec::new(),
        exemption: None,
        root: root.into(),
    }
}

/// The folder of a root; a plan lies in that of the root that it was made of.
fn folder(root: &RootReport) -> &str {
    match root.mode {
        InputMode::Hcl => root.path.as_str(),
        InputMode::Plan | InputMode::State | InputMode::Kubernetes => {
            root.path.parent().map_or("", |folder| folder.as_str())
        }
    }
}

fn sources(root: &RootReport, category: Category) -> u32 {
    let counted = root.summary.by_category.iter().find(|(known, _)| *known == category);
    counted.map_or(0, |(_, count)| *count)
}

fn unread() -> Cause {
    Cause {
        kind: CauseKind::Elsewhere,
        subject: "what could not be read".to_owned(),
        hint: "see the gaps: one of them may hold a source".to_owned(),
    }
}

fn other_roots(category: &str) -> Cause {
    Cause {
        kind: CauseKind::Elsewhere,
        subject: "the other roots of the estate".to_owned(),
        hint: format!("check all roots together, or say by `required_in` which of them must hold {category}"),
    }
}

fn put(root: &mut RootReport, findings: impl IntoIterator<Item = Finding>) {
    let before = root.findings.len();
    root.findings.extend(findings.into_iter().map(Arc::new));
    if root.findings.len() > before {
        root.recount();
    }
}
