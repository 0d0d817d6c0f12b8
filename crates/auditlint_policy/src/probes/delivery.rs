//! Vended logs: a delivery source names the resource, a delivery joins the source with a destination.

use auditlint_graph::{Cause, CauseKind};
use auditlint_syntax::Name;

use super::{Context, texts};
use crate::Verdict;
use crate::condition::{AttributePath, Operand};
use crate::evaluate::Judged;

const SOURCE: &str = "aws_cloudwatch_log_delivery_source";
const DELIVERY: &str = "aws_cloudwatch_log_delivery";

/// The whole chain is there: source and delivery. `log_types` narrows the sources that count.
pub(super) fn vended_logs(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    let source = [Name::new_static(SOURCE)];
    let delivery = [Name::new_static(DELIVERY)];
    let wanted = texts(context, with, "log_types");
    let (sources, open) =
        context.companions(&source, &AttributePath::parse("resource_arn"), &["arn".into(), "id".into()]);
    let mut parts = Vec::new();
    for (slot, _) in sources {
        let Some(resource) = context.get(slot) else { continue };
        let kind = resource.attribute("log_type").and_then(|kind| kind.value().as_str());
        if !wanted.is_empty() && kind.is_some_and(|kind| !wanted.iter().any(|known| known == kind)) {
            continue;
        }
        let at_source = context.at(slot, resource);
        let (deliveries, more) =
            at_source.companions(&delivery, &AttributePath::parse("delivery_source_name"), &["name".into()]);
        let more = more.into_iter().next().or_else(|| context.left_out(|kind| kind == DELIVERY));
        let judged = match (deliveries.is_empty(), more) {
            (false, _) => Judged::holds(true),
            (true, Some(cause)) => Judged::unknown(cause),
            (true, None) => Judged::holds(false),
        };
        parts.push(
            judged.with_related(context.related(resource, format!("{} delivers its logs", resource.address))),
        );
    }
    let judged = Judged::any(parts, Verdict::Fail);
    // The provider asks for the source of a delivery: one that shows none may be of any.
    let unnamed = context.each_of(DELIVERY).find_map(|(_, resource)| {
        let named = resource.attribute("delivery_source_name").is_some_and(|name| !name.is_null());
        (!named).then(|| Cause {
            kind: CauseKind::Computed,
            subject: format!("{}.delivery_source_name", resource.address),
            hint: String::new(),
        })
    });
    let left_out = || context.left_out(|kind| kind == SOURCE || kind == DELIVERY);
    match (judged.verdict, open.into_iter().next().or(unnamed).or_else(left_out)) {
        (Verdict::Fail, Some(cause)) => Judged::unknown(cause),
        _ => judged,
    }
}
