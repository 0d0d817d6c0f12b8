//! Sources outside of the run, of which the policy says that they stand for one.

use auditlint_graph::{Cause, CauseKind};
use auditlint_policy::external::Externals;
use auditlint_policy::{Category, Days, Demand, Place, Policy, Reach, Related, Verdict};
use auditlint_syntax::Name;

use super::lack::Lack;
use super::{Asking, Found, SAY_ACCOUNT};

impl Asking<'_> {
    /// What the sources outside of the run that stand for one in the root at a position come to; none where the policy
    /// names none.
    pub(super) fn provided(&self, demand: &Demand, lack: &Lack<'_>, at: usize) -> Option<Found> {
        let policy = self.policy;
        let externals = &policy.externals;
        let category = demand.category;
        let mut worst: Option<Found> = None;
        for id in &demand.provided_by {
            let source = externals.source(id)?;
            let place = Place::Source(source.at);
            let related = Related { message: format!("the policy says what {id} records"), place };
            let found = if !source.categories.contains(&category) {
                Found {
                    related: vec![related],
                    ..Found::fail(format!("{id} does not record {}", category.as_str()))
                }
            } else if let Some((store, kept, asked)) =
                too_short(policy, externals, source.into.as_deref(), category)
            {
                let message = format!(
                    "{id} records {} into {store}, which keeps it for {kept}; the policy asks for {asked}",
                    category.as_str()
                );
                Found { related: vec![related], ..Found::fail(message) }
            } else if let Some(region) = uncovered(&source.regions, lack) {
                let covered = source.regions.join(", ");
                let message = format!("{id} covers {covered}, and {region} is asked");
                Found { related: vec![related], ..Found::fail(message) }
            } else {
                Found { related: vec![related], ..self.covered(&source.accounts, id, demand, at) }
            };
            // One that stands for it is enough.
            let is_better = |known: &Found| Verdict::any([known.verdict, found.verdict]) != known.verdict;
            if worst.as_ref().is_none_or(is_better) {
                worst = Some(found);
            }
        }
        worst
    }

    /// Whether an outside source that records in `accounts` alone records in that of the root at a position.
    fn covered(&self, accounts: &[String], id: &str, demand: &Demand, at: usize) -> Found {
        let pass = || Found::of(Verdict::Pass, String::new());
        if accounts.is_empty() {
            return pass();
        }
        let covered = accounts.join(", ");
        // Of an estate as a whole nobody asks in which account it lies.
        let identity = if demand.within.is_empty() { None } else { Some((self.identity)(at)) };
        match identity {
            Some(identity) if !identity.other_accounts => {
                let beyond =
                    identity.accounts.iter().find(|own| !accounts.iter().any(|known| known == own.as_str()));
                match beyond {
                    None => pass(),
                    Some(own) => {
                        Found::fail(format!("{id} covers {covered}, and the root is applied in {own}"))
                    }
                }
            }
            _ => Found::unknown(
                format!("whether {id} covers this is not known"),
                Cause {
                    kind: CauseKind::Elsewhere,
                    subject: format!("the account of the root, of which {id} covers {covered}"),
                    hint: format!(
                        "{SAY_ACCOUNT}, or leave out `covers.accounts` of {id} where it covers every account"
                    ),
                },
            ),
        }
    }
}

/// The first region that is missing and of which a source outside of the run that covers `regions` does not say that it
/// records there; one that names none records in all.
fn uncovered<'d>(regions: &[String], lack: &Lack<'d>) -> Option<&'d Name> {
    let covered = Reach { regions: regions.iter().map(Name::new).collect(), ..Reach::default() };
    let mut missing = lack.regions.iter().copied();
    missing.find(|region| !regions.is_empty() && !covered.missing(std::slice::from_ref(*region)).is_empty())
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
    let asked = policy
        .days
        .retention
        .iter()
        .filter(|(known, ..)| *known == category)
        .map(|(_, days, _)| *days)
        .max()?;
    (kept < Days::Count(asked)).then_some((store, kept, Days::Count(asked)))
}
