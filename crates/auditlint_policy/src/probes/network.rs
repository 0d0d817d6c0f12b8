//! Flow logs of a network.

use auditlint_syntax::Name;

use super::Context;
use crate::Verdict;
use crate::condition::AttributePath;
use crate::evaluate::Judged;

const FLOW_LOG: &str = "aws_flow_log";

/// A flow log on the VPC, or on every one of its subnets.
pub(super) fn vpc_flow_logs(context: &Context<'_>) -> Judged {
    let own = flow_logs(context, "vpc_id");
    if own.verdict == Verdict::Pass || context.resource.kind() == "aws_subnet" {
        return own;
    }
    let subnet = [Name::new_static("aws_subnet")];
    let (subnets, _) = context.companions(&subnet, &AttributePath::parse("vpc_id"), &[]);
    let mut parts: Vec<Judged> = subnets
        .into_iter()
        .filter_map(|(slot, _)| {
            let resource = context.get(slot)?;
            let judged = flow_logs(&context.at(slot, resource), "subnet_id");
            let has = if judged.verdict == Verdict::Pass { "has" } else { "has no" };
            Some(
                judged
                    .with_related(context.related(resource, format!("{} {has} flow log", resource.address))),
            )
        })
        .collect();
    if parts.is_empty() {
        return own;
    }
    // Of a part of a plan, another subnet may have no flow log.
    parts.extend(context.left_out(|kind| kind == "aws_subnet").map(Judged::unknown));
    Judged::any(vec![own, Judged::all(parts, Verdict::Fail)], Verdict::Fail)
}

fn flow_logs(context: &Context<'_>, join: &str) -> Judged {
    let (found, open) = context.companions(&[Name::new_static(FLOW_LOG)], &AttributePath::parse(join), &[]);
    let parts: Vec<Judged> = found
        .into_iter()
        .filter_map(|(slot, link)| {
            let resource = context.get(slot)?;
            let certain = link == crate::evaluate::Link::Proved && resource.undecided.is_none();
            let judged = if certain { Judged::holds(true) } else { Judged::of(Verdict::Unknown) };
            let cause = resource.undecided.as_deref().cloned();
            Some(
                Judged { cause, ..judged }
                    .with_related(context.related(resource, format!("{} is here", resource.address))),
            )
        })
        .collect();
    let judged = Judged::any(parts, Verdict::Fail);
    match (judged.verdict, open.into_iter().chain(context.unread(|kind| kind == FLOW_LOG)).min()) {
        (Verdict::Fail, Some(cause)) => Judged::unknown(cause),
        _ => judged,
    }
}
