//! What is missing altogether, over all roots of a run: a category that the policy requires and nobody records, and
//! what the policy says of the outside without anybody having looked again.

mod lack;
mod provided;

use std::sync::Arc;

use auditlint_graph::terraform::RootIdentity;
use auditlint_graph::{Address, Cause, CauseKind};
use auditlint_policy::check::{REQUIRED_SOURCE, REVIEW_DUE};
use auditlint_policy::external::AttestedModule;
use auditlint_policy::{
    Catalogue, Demand, Finding, Level, MinimalSet, Policy, Related, Remedy, RemedyKind, RootPattern, Safety,
    Verdict,
};
use jiff::civil::Date;

use lack::Lack;

use crate::{InputMode, PolicySet, RootReport};

/// What is asked, and who can be asked.
struct Asking<'a> {
    policy: &'a Policy,
    catalogue: &'a Catalogue,
    /// Where the root at that position is applied, and how its providers mark what it makes.
    identity: &'a dyn Fn(usize) -> RootIdentity,
}

/// Adds to the reports what is missing: to that of the root that lacks it, or to the first where the estate does.
/// `identity` tells of the root at a position; it is asked only where something depends on it.
pub(crate) fn add(
    roots: &mut [RootReport],
    set: &PolicySet,
    today: Option<Date>,
    identity: &dyn Fn(usize) -> RootIdentity,
) {
    let policy = &set.policy;
    let asking = Asking { policy, catalogue: &set.catalogue, identity };
    for demand in &policy.demands {
        if demand.within.is_empty() {
            asking.estate(roots, demand);
        } else {
            roots.iter_mut().enumerate().for_each(|(at, root)| asking.within(root, at, demand));
        }
    }
    if let (Some(today), Some(first)) = (today, roots.first_mut()) {
        let due: Vec<Finding> = reviews(policy, today).collect();
        put(first, due);
    }
}

impl Asking<'_> {
    /// One source in the whole estate is enough, for each region that is asked.
    fn estate(&self, roots: &mut [RootReport], demand: &Demand) {
        let Some(lack) = Lack::of(roots, demand) else { return };
        let number = roots.len();
        let is_whole = roots.iter().all(|root| root.gaps.is_empty());
        let Some(first) = roots.first_mut() else { return };
        let category = demand.category.as_str();
        let found = self.provided(demand, &lack, 0).unwrap_or_else(|| {
            let places = lack.places();
            let nothing = match number {
                1 => format!("this root holds no source for {category}{places}"),
                _ => format!("no root of {number} holds a source for {category}{places}"),
            };
            match (is_whole, &lack.cause, number) {
                (false, ..) => Found::unknown(nothing, unread()),
                (true, Some(cause), _) => Found::unknown(nothing, cause.clone()),
                (true, None, 1) => Found::unknown(nothing, other_roots(category)),
                (true, None, _) => Found::fail(nothing),
            }
            .with_remedies(self.remedies(&lack, demand, (number == 1).then_some(0)))
        });
        put(first, found.finding(self.policy, demand, ""));
    }

    /// Each root that is meant needs one.
    fn within(&self, root: &mut RootReport, at: usize, demand: &Demand) {
        let Some(lack) = Lack::of(std::slice::from_ref(root), demand) else { return };
        let asks_identity = demand.within.iter().any(RootPattern::asks_identity);
        let identity = if asks_identity { (self.identity)(at) } else { RootIdentity::default() };
        let is_meant =
            Verdict::any(demand.within.iter().map(|pattern| pattern.matches(folder(root), &identity)));
        if is_meant == Verdict::Fail {
            return;
        }
        let name = if folder(root).is_empty() { "." } else { folder(root) };
        let found = self.provided(demand, &lack, at).unwrap_or_else(|| {
            let nothing =
                format!("root {name} holds no source for {}{}", demand.category.as_str(), lack.places());
            match (is_meant, root.gaps.is_empty(), &lack.cause) {
                (Verdict::Pass, true, None) => Found::fail(nothing),
                (Verdict::Pass, true, Some(cause)) => Found::unknown(nothing, cause.clone()),
                (Verdict::Pass, false, _) => Found::unknown(nothing, unread()),
                _ => Found::unknown(nothing, unidentified(demand)),
            }
            .with_remedies(self.remedies(&lack, demand, Some(at)))
        });
        let finding = found.finding(self.policy_of(root), demand, root.path.as_str());
        put(root, finding);
    }

    /// What holds for the environment that a root is.
    fn policy_of(&self, root: &RootReport) -> &Policy {
        let own = root.environment.as_ref().map(|(name, _)| name);
        let own = self.policy.environments.iter().find(|known| Some(&known.name) == own);
        own.map_or(self.policy, |own| &own.policy)
    }

    /// What would record the category, written into the root at a position, or into one of several: of the providers
    /// that the root has, or of all where it does not say which. Where a region is missing alone it is not known which
    /// provider configuration works there.
    fn remedies(&self, lack: &Lack<'_>, demand: &Demand, at: Option<usize>) -> Vec<Remedy> {
        if lack.is_recorded {
            return Vec::new();
        }
        let category = demand.category;
        let providers = at.map(|at| (self.identity)(at).providers).unwrap_or_default();
        let asked = self.policy.days.retention.iter().filter(|(known, ..)| *known == category);
        let asked = asked.map(|(_, days, _)| *days).max();
        let sets = self.catalogue.sets().iter().filter(|set| {
            set.categories.contains(&category) && (providers.is_empty() || providers.contains(&set.provider))
        });
        let remedy = |set: &Arc<MinimalSet>| Remedy {
            title: format!("add {}{}", set.title, if at.is_none() { ", to one of the roots" } else { "" }),
            safety: if at.is_none() { Safety::NeedsInput } else { Safety::ChangesBehaviour },
            subject: Address::nobody(),
            changes: vec![RemedyKind::AddSet { set: Arc::clone(set), days: asked.unwrap_or(set.retention) }],
        };
        sets.map(remedy).collect()
    }
}

/// What came of a demand.
struct Found {
    verdict: Verdict,
    message: String,
    cause: Option<Cause>,
    related: Vec<Related>,
    remedies: Vec<Remedy>,
}

impl Found {
    fn of(verdict: Verdict, message: String) -> Self {
        Self { verdict, message, cause: None, related: Vec::new(), remedies: Vec::new() }
    }

    fn fail(message: String) -> Self {
        Self::of(Verdict::Fail, message)
    }

    fn unknown(message: String, cause: Cause) -> Self {
        Self { cause: Some(cause), ..Self::of(Verdict::Unknown, message) }
    }

    fn with_remedies(self, remedies: Vec<Remedy>) -> Self {
        Self { remedies, ..self }
    }

    /// The finding on the line that asks; none where a source outside of the run stands for one.
    fn finding(self, policy: &Policy, demand: &Demand, root: &str) -> Option<Finding> {
        if self.verdict == Verdict::Pass {
            return None;
        }
        let finding = REQUIRED_SOURCE.finding(policy, demand.at, vec![demand.category], self.message);
        Some(Finding {
            verdict: self.verdict,
            level: policy.statement.enforcement.of_category(demand.category),
            cause: self.cause,
            related: self.related,
            remedies: self.remedies,
            root: root.into(),
            ..finding
        })
    }
}

/// How the account of a root is told.
const SAY_ACCOUNT: &str =
    "say its `account` in `roots` of .auditlint.yaml, or `allowed_account_ids` in its provider";

/// Why it is not known whether a root is meant.
fn unidentified(demand: &Demand) -> Cause {
    let by_account = demand.within.iter().any(|pattern| pattern.account.is_some());
    let (subject, hint) = if by_account {
        ("in which account the root is applied", SAY_ACCOUNT)
    } else {
        ("how the providers of the root tag what it makes", "give `default_tags` a value that is known")
    };
    Cause { kind: CauseKind::Elsewhere, subject: subject.to_owned(), hint: hint.to_owned() }
}

/// What should have been looked at by `today`.
fn reviews(policy: &Policy, today: Date) -> impl Iterator<Item = Finding> {
    let stores = policy.externals.stores.iter().map(|store| ("store", &store.id, &store.review));
    let sources = policy.externals.sources.iter().map(|source| ("source", &source.id, &source.review));
    let modules = policy.externals.modules.iter().filter(move |module| module.review_by < today);
    let modules = modules.map(move |module| {
        let AttestedModule { source, attested_by, review_by, at, .. } = module;
        let message = format!(
            "module {} had to be looked at again by {attested_by} until {review_by}",
            source.as_str()
        );
        REVIEW_DUE.finding(policy, *at, Vec::new(), message)
    });
    // Stores of one exported file share a name, an owner and a day.
    let mut seen = Vec::new();
    let outside = stores.chain(sources).filter_map(move |(what, id, review)| {
        let (by, at) = review.by.filter(|(by, at)| *by < today && !seen.contains(at))?;
        seen.push(at);
        let owner = review.owner.as_ref().map(|owner| format!(" by {owner}")).unwrap_or_default();
        let message = format!("external {what} {id} had to be looked at again{owner} until {by}");
        Some(REVIEW_DUE.finding(policy, at, Vec::new(), message))
    });
    outside.chain(modules)
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
    // What is switched off is counted and not shown.
    let (off, on): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| finding.level == Level::Off);
    root.summary.off += u32::try_from(off.len()).unwrap_or(u32::MAX);
    if !on.is_empty() {
        root.findings.extend(on.into_iter().map(Arc::new));
        root.recount();
    }
}
