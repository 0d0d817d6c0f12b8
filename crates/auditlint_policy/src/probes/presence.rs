//! What is in the root at all: settings of an account or a region, which name no other resource.

use auditlint_graph::Cause;
use auditlint_syntax::Name;

use super::{Context, text, texts};
use crate::Verdict;
use crate::condition::{AttributePath, Operand, Test};
use crate::evaluate::{Judged, Look, Subject};

/// A resource of one of `types` is in this root; where `path` is asked for, one that has one of `values` there.
pub(super) fn here(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    let path = text(context, with, "path").map(AttributePath::parse);
    let values = texts(context, with, "values").iter().map(|value| Operand::Text(Name::new(value))).collect();
    let test = Test::In(values);
    let mut undecided: Option<Cause> = None;
    let types = texts(context, with, "types");
    for kind in &types {
        for (slot, resource) in context.each_of(kind) {
            let there = context.at(slot, resource);
            let holds = match path.as_ref().map(|path| there.look(&Subject::resource(resource), path)) {
                None => Judged::holds(true),
                Some(Look::Set(value) | Look::Default(value)) => {
                    let (verdict, cause) = context.test(&value, &test, false);
                    Judged { cause, ..Judged::of(verdict) }
                }
                Some(Look::Absent) => Judged::holds(false),
                Some(Look::Unknown(cause)) => Judged::unknown(cause),
            };
            match (holds.verdict, resource.undecided.as_deref()) {
                (Verdict::Pass, None) => {
                    let related = context.related(resource, format!("{} is here", resource.address));
                    return Judged::holds(true).with_related(related);
                }
                (Verdict::Pass, Some(cause)) => undecided = undecided.or_else(|| Some(cause.clone())),
                (Verdict::Unknown, _) => undecided = undecided.or(holds.cause),
                _ => {}
            }
        }
    }
    let open = undecided.or_else(|| context.unread(|kind| types.iter().any(|known| known == kind)));
    open.map_or(Judged::of(Verdict::Fail), Judged::unknown)
}

/// The log group that the service would make by itself is managed here, under its documented name.
pub(super) fn service_log_group(context: &Context<'_>) -> Judged {
    let managed = crate::flow::managed_service_stores(context);
    let found = managed.first().and_then(|(slot, _)| context.get(*slot));
    if let Some(resource) = found {
        let judged = match resource.undecided.as_deref() {
            Some(cause) => Judged::unknown(cause.clone()),
            None => Judged::holds(true),
        };
        return judged
            .with_related(context.related(resource, format!("{} is its log group", resource.address)));
    }
    let facts = context.catalogue.facts(context.resource.kind());
    let is_store =
        |kind: &str| facts.is_some_and(|facts| facts.service_stores.iter().any(|store| store.kind == kind));
    let open = crate::flow::undecided_service_store(context).or_else(|| context.unread(is_store));
    open.map_or(Judged::of(Verdict::Fail), Judged::unknown)
}
