//! What a bucket is for, and how long its lifecycle rules let it keep what it holds.

use std::sync::LazyLock;

use auditlint_graph::{Cause, CauseKind, Mode, Reference, Slot, Tracked, Value};
use auditlint_syntax::Name;

use super::Context;
use crate::condition::AttributePath;
use crate::evaluate::{Judged, Look, Looked, Subject};
use crate::external::StoreRole;
use crate::{Category, Days, Verdict};

/// Services that write logs into a bucket and ask for a grant to do so.
const WRITERS: &[&str] = &[
    "logging.s3.amazonaws.com",
    "delivery.logs.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "logdelivery.elasticloadbalancing.amazonaws.com",
    "config.amazonaws.com",
];

static BUCKET: LazyLock<AttributePath> = LazyLock::new(|| AttributePath::parse("bucket"));

const LIFECYCLE: &str = "aws_s3_bucket_lifecycle_configuration";

/// Whether logs rest here: the end of a flow, or a grant to a service that delivers logs.
pub(super) fn is_log_store(context: &Context<'_>) -> Judged {
    let declared = context.declared_role().map(|declared| declared.role);
    if context.is_reached() || declared == Some(StoreRole::Archive) {
        return Judged::holds(true);
    }
    let granted = |kind: &'static str, attribute: &str, grants: &dyn Fn(&str) -> bool| {
        let (found, _) = context.companions(&[Name::new_static(kind)], &BUCKET, &[]);
        found.iter().any(|(slot, _)| {
            let value = context.get(*slot).and_then(|resource| resource.attribute(attribute));
            value.is_some_and(|value| match text(value) {
                Some(text) => grants(&text),
                None => documents(context, value).any(|statement| says(statement, grants)),
            })
        })
    };
    let own = |attribute: &str| context.resource.attribute(attribute).and_then(text);
    let writes = |policy: &str| WRITERS.iter().any(|writer| policy.contains(writer));
    let delivers = |acl: &str| acl == "log-delivery-write";
    context.found(
        own("acl").is_some_and(|acl| delivers(&acl))
            || own("policy").is_some_and(|policy| writes(&policy))
            || granted("aws_s3_bucket_acl", "acl", &delivers)
            || granted("aws_s3_bucket_policy", "policy", &writes),
        &["aws_s3_bucket_acl", "aws_s3_bucket_policy"],
    )
}

/// A text, or what is known of a JSON text: the services that it names are.
fn text(value: &Tracked) -> Option<String> {
    let filled = || value.unknown().and_then(|unknown| unknown.filled("(known after apply)"));
    value.value().as_str().map(str::to_owned).or_else(filled)
}

/// The statements of the policy documents of which a value is made: a plan knows them where the text that the data
/// source makes of them is known after apply.
fn documents<'a>(context: &Context<'a>, value: &Tracked) -> impl Iterator<Item = &'a Tracked> {
    let of_documents =
        |reference: &&Reference| reference.mode == Mode::Data && reference.kind == "aws_iam_policy_document";
    let slots: Vec<Slot> =
        value.references().iter().filter(of_documents).flat_map(|one| context.graph.resolve(one)).collect();
    slots.into_iter().filter_map(|slot| context.get(slot)?.attribute("statement"))
}

/// Whether a text somewhere in `value` is as asked for.
fn says(value: &Tracked, asked: &dyn Fn(&str) -> bool) -> bool {
    match value.value() {
        Value::String(text) => asked(text),
        Value::List(items) => items.iter().any(|item| says(item, asked)),
        Value::Map(map) => map.values().any(|item| says(item, asked)),
        _ => false,
    }
}

/// Whether logs of that category rest here.
pub(super) fn is_reached_by(context: &Context<'_>, category: Category) -> Judged {
    context.found(context.categories().contains(&category), &[])
}

/// Whether a source of that type writes here directly.
pub(super) fn is_fed_by(context: &Context<'_>, kind: &str) -> Judged {
    context.found(context.before().any(|resource| resource.kind() == kind), &[])
}

/// The access logs of the judged bucket, or of the one that the judged logging configuration names, go into that
/// bucket itself.
pub(super) fn logs_to_itself(context: &Context<'_>) -> Judged {
    let look = |path: &str| context.look(&Subject::resource(context.resource), &AttributePath::parse(path));
    let is_bucket = context.resource.kind() == "aws_s3_bucket";
    let path = if is_bucket { "logging.target_bucket" } else { "target_bucket" };
    let target = match look(path) {
        Look::Set(target) | Look::Default(target) => target,
        Look::Absent => return Judged::of(Verdict::NotApplicable),
        Look::Unknown(cause) => return Judged::unknown(cause).looking(path, None),
    };
    let source = if is_bucket { None } else { Some(look("bucket")) };
    let buckets = [Name::new_static("aws_s3_bucket")];
    let slots = |value: &Tracked| -> Vec<_> {
        context.named(value, &buckets).into_iter().map(|(slot, _)| slot).collect()
    };
    let from = match &source {
        None => vec![context.slot],
        Some(Look::Set(value)) => slots(value),
        Some(_) => Vec::new(),
    };
    let to = slots(&target);
    let own_name = match &source {
        None => context.resource.attribute("bucket"),
        Some(Look::Set(value)) => Some(value),
        Some(_) => None,
    };
    let judged = match (from.as_slice(), to.as_slice()) {
        ([from], [to]) => Judged::holds(from == to),
        _ => match (own_name.map(Tracked::value), target.value()) {
            (Some(Value::String(own)), Value::String(name)) => Judged::holds(own == name),
            (own, name) => {
                let open = |value: &Value| match value {
                    Value::Unknown(unknown) => Some(unknown.cause.clone()),
                    _ => None,
                };
                match open(name).or_else(|| own.and_then(open)) {
                    Some(cause) => Judged::unknown(cause),
                    None => Judged::holds(false),
                }
            }
        },
    };
    judged.looking(path, Some(target))
}

/// The shortest expiration of current objects that applies to the whole bucket. A rule with a prefix, tag or
/// size filter does not speak for the whole bucket; one that is disabled does not speak at all.
pub(super) fn lifecycle(context: &Context<'_>) -> Result<(Days, Looked), (Cause, Looked)> {
    let mut shortest = (Days::Never, Looked { path: String::new(), value: None });
    let mut rules: Vec<Tracked> = Vec::new();
    let mut open: Option<Cause> = None;
    if let Look::Set(value) =
        context.look(&Subject::resource(context.resource), &AttributePath::parse("lifecycle_rule"))
    {
        collect(&value, &mut rules, &mut open);
    }
    let (found, more) =
        context.companions(&[Name::new_static(LIFECYCLE)], &AttributePath::parse("bucket"), &[]);
    open = open.or_else(|| more.into_iter().min()).or_else(|| context.left_out(|kind| kind == LIFECYCLE));
    for (slot, _) in found {
        if let Some(value) = context.get(slot).and_then(|resource| resource.attribute("rule")) {
            collect(value, &mut rules, &mut open);
        }
    }
    for rule in &rules {
        let Value::Map(map) = rule.value() else { continue };
        let enabled = match (map.get("enabled").map(Tracked::value), map.get("status").map(Tracked::value)) {
            (Some(Value::Bool(enabled)), _) => *enabled,
            (_, Some(Value::String(status))) => status == "Enabled",
            (Some(Value::Unknown(unknown)), _) | (_, Some(Value::Unknown(unknown))) => {
                open = open.or_else(|| Some(unknown.cause.clone()));
                continue;
            }
            _ => false,
        };
        if !enabled || is_filtered(map) {
            continue;
        }
        let Some(Value::List(expirations)) = map.get("expiration").map(Tracked::value) else { continue };
        for expiration in expirations.iter() {
            let Value::Map(expiration) = expiration.value() else { continue };
            let Some(days) = expiration.get("days") else { continue };
            match days.value() {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "checked to be a small number"
                )]
                Value::Number(n) if (1.0..1e6).contains(&n.to_f64()) => {
                    let found = Days::Count(n.to_f64() as u32);
                    if found < shortest.0 {
                        shortest =
                            (found, Looked { path: "lifecycle".to_owned(), value: Some(days.clone()) });
                    }
                }
                Value::Unknown(unknown) => open = open.or_else(|| Some(unknown.cause.clone())),
                _ => {}
            }
        }
    }
    match open {
        Some(cause) => Err((cause, Looked { path: "lifecycle".to_owned(), value: None })),
        None => Ok(shortest),
    }
}

/// Adds the blocks of a list to `rules`, and what is not known of them to `open`.
pub(super) fn collect(value: &Tracked, rules: &mut Vec<Tracked>, open: &mut Option<Cause>) {
    match value.value() {
        Value::List(items) => {
            for item in items.iter() {
                match item.value() {
                    Value::Unknown(unknown) => *open = open.take().or_else(|| Some(unknown.cause.clone())),
                    _ => rules.push(item.clone()),
                }
            }
        }
        Value::Unknown(unknown) => *open = open.take().or_else(|| Some(unknown.cause.clone())),
        _ => {
            *open = open.take().or(Some(Cause {
                kind: CauseKind::Function,
                subject: "lifecycle rules".to_owned(),
                hint: String::new(),
            }));
        }
    }
}

/// Whether a rule speaks of a part of the bucket only.
fn is_filtered(rule: &auditlint_graph::Map) -> bool {
    let given = |value: Option<&Tracked>| {
        value.is_some_and(|value| match value.value() {
            Value::String(text) => !text.is_empty(),
            Value::Null => false,
            Value::List(items) => !items.is_empty(),
            Value::Map(map) => !map.is_empty(),
            _ => true,
        })
    };
    if given(rule.get("prefix")) || given(rule.get("tags")) {
        return true;
    }
    let Some(Value::List(filters)) = rule.get("filter").map(Tracked::value) else { return false };
    filters.iter().any(|filter| match filter.value() {
        Value::Map(filter) => filter.iter().any(|(_, value)| given(Some(value))),
        _ => true,
    })
}
