//! Flow logs of a network: on the whole, or on each of its parts.

use auditlint_syntax::Name;

use super::Context;
use crate::Verdict;
use crate::condition::AttributePath;
use crate::evaluate::{Judged, Link, computed};

const FLOW_LOG: &str = "aws_flow_log";

/// A kind of network: how flow logs name it, and the parts of it that can have flow logs of their own.
struct Network {
    kind: &'static str,
    /// The attribute by which a flow log names the whole.
    whole: &'static str,
    part: &'static str,
    /// The attribute by which a part names the whole.
    belongs: &'static str,
    /// The attribute by which a flow log names a part.
    of_part: &'static str,
}

const NETWORKS: &[Network] = &[
    Network { kind: "aws_vpc", whole: "vpc_id", part: "aws_subnet", belongs: "vpc_id", of_part: "subnet_id" },
    Network {
        kind: "aws_ec2_transit_gateway",
        whole: "transit_gateway_id",
        part: "aws_ec2_transit_gateway_vpc_attachment",
        belongs: "transit_gateway_id",
        of_part: "transit_gateway_attachment_id",
    },
];

/// A flow log on the network, or on every one of its parts.
pub(super) fn flow_logs(context: &Context<'_>) -> Judged {
    let Some(network) = NETWORKS.iter().find(|network| context.resource.kind() == network.kind) else {
        return Judged::of(Verdict::NotApplicable);
    };
    let own = named_by_flow_log(context, network.whole);
    if own.verdict == Verdict::Pass {
        return own;
    }
    let kind = [Name::new_static(network.part)];
    let (found, _) = context.companions(&kind, &AttributePath::parse(network.belongs), &[]);
    let mut parts: Vec<Judged> = found
        .into_iter()
        .filter_map(|(slot, _)| {
            let resource = context.get(slot)?;
            let judged = named_by_flow_log(&context.at(slot, resource), network.of_part);
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
    // Of a part of a plan, another part of the network may have no flow log.
    parts.extend(context.left_out(|kind| kind == network.part).map(Judged::unknown));
    Judged::any(vec![own, Judged::all(parts, Verdict::Fail)], Verdict::Fail)
}

fn named_by_flow_log(context: &Context<'_>, join: &str) -> Judged {
    let (found, open) = context.companions(&[Name::new_static(FLOW_LOG)], &AttributePath::parse(join), &[]);
    let parts: Vec<Judged> = found
        .into_iter()
        .filter_map(|(slot, link)| {
            let resource = context.get(slot)?;
            let certain = link == Link::Proved && resource.undecided.is_none();
            let cause = || resource.undecided.as_deref().cloned();
            let judged = if certain {
                Judged::holds(true)
            } else {
                Judged::unknown(cause().unwrap_or_else(|| computed(&resource.address.to_string())))
            };
            let related = context.related(resource, format!("{} is here", resource.address));
            Some(judged.with_related(related))
        })
        .collect();
    let judged = Judged::any(parts, Verdict::Fail);
    match (judged.verdict, open.into_iter().chain(context.unread(|kind| kind == FLOW_LOG)).min()) {
        (Verdict::Fail, Some(cause)) => Judged::unknown(cause),
        _ => judged,
    }
}
