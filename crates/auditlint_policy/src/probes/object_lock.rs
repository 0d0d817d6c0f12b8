//! For how long a bucket locks what it holds.

use auditlint_syntax::Name;

use super::Context;
use crate::Verdict;
use crate::condition::{AttributePath, Condition, Operand, Test};
use crate::evaluate::{Judged, Link, Subject, computed};

const BESIDE: &str = "aws_s3_bucket_object_lock_configuration";

/// New objects of the bucket are locked for at least the days of the argument `days`, by its own block or by a
/// configuration beside it.
pub(super) fn at_least(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    let days = with.iter().find(|(name, _)| name == "days").map(|(_, value)| context.operand(value));
    let Some(Operand::Number(days)) = days else { return Judged::of(Verdict::NotApplicable) };
    let own = locked(context, "object_lock_configuration.rule.default_retention", *days);
    if own.verdict == Verdict::Pass {
        return own;
    }
    let (found, open) = context.companions(&[Name::new_static(BESIDE)], &AttributePath::parse("bucket"), &[]);
    let beside = found.into_iter().filter_map(|(slot, link)| {
        let resource = context.get(slot)?;
        let judged = locked(&context.at(slot, resource), "rule.default_retention", *days);
        let undecided = resource.undecided.as_deref().cloned();
        let certain = link == Link::Proved && undecided.is_none();
        let verdict = if certain { judged.verdict } else { judged.verdict.at_most_unknown() };
        let related = context.related(resource, format!("{} locks its objects", resource.address));
        let address = || Some(computed(&resource.address.to_string()));
        let cause = undecided.or(judged.cause).or_else(address).filter(|_| verdict == Verdict::Unknown);
        Some(Judged { cause, related: judged.related, ..Judged::of(verdict) }.with_related(related))
    });
    let judged = Judged::any([own].into_iter().chain(beside).collect(), Verdict::Fail);
    match (judged.verdict, open.into_iter().chain(context.unread(|kind| kind == BESIDE)).min()) {
        (Verdict::Fail, Some(cause)) => Judged { related: judged.related, ..Judged::unknown(cause) },
        _ => judged,
    }
}

/// A default retention is written in days or in years.
fn locked(context: &Context<'_>, path: &str, days: f64) -> Judged {
    let subject = Subject::resource(context.resource);
    let parts = [("days", days), ("years", (days / 365.0).ceil())].map(|(unit, least)| {
        let condition = Condition::Test {
            path: AttributePath::parse(&format!("{path}.{unit}")),
            test: Test::AtLeast(Operand::Number(least)),
            absent: None,
            ignore_case: false,
        };
        context.condition(&condition, &subject)
    });
    Judged::any(parts.into(), Verdict::Fail)
}
