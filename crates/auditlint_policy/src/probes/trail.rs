//! What a trail records: management events, and data events of object stores.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, LazyLock};

use auditlint_graph::{Cause, Resource, Tracked, Value};
use auditlint_syntax::Name;

use super::{Context, text};
use crate::Verdict;
use crate::condition::{AttributePath, Operand};
use crate::evaluate::{Judged, Look, Subject};

static BASIC: LazyLock<AttributePath> = LazyLock::new(|| AttributePath::parse("event_selector"));
static ADVANCED: LazyLock<AttributePath> = LazyLock::new(|| AttributePath::parse("advanced_event_selector"));

/// The elements of a block list, or why they are not known.
fn blocks(context: &Context<'_>, path: &AttributePath) -> (Vec<Tracked>, Option<Cause>) {
    match context.look(&Subject::resource(context.resource), path) {
        Look::Set(value) | Look::Default(value) => match value.value() {
            Value::List(items) => {
                let open = items.iter().find_map(|item| item.unknown().map(|unknown| unknown.cause.clone()));
                (items.iter().filter(|item| item.unknown().is_none()).cloned().collect(), open)
            }
            Value::Unknown(unknown) => (Vec::new(), Some(unknown.cause.clone())),
            _ => (Vec::new(), None),
        },
        Look::Absent => (Vec::new(), None),
        Look::Unknown(cause) => (Vec::new(), Some(cause)),
    }
}

fn get<'a>(item: &'a Tracked, name: &str) -> Option<&'a Tracked> {
    if let Value::Map(map) = item.value() { map.get(name) } else { None }
}

fn list(value: Option<&Tracked>) -> &[Tracked] {
    match value.map(Tracked::value) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

fn texts(value: Option<&Tracked>) -> Vec<&str> {
    list(value).iter().filter_map(|item| item.value().as_str()).collect()
}

fn cause_of(value: Option<&Tracked>) -> Option<Cause> {
    value.and_then(Tracked::unknown).map(|unknown| unknown.cause.clone())
}

/// Whether the field of an advanced selector is fixed to one of `wanted`.
fn field_equals(selector: &Tracked, field: &str, wanted: &[&str]) -> Option<bool> {
    let fields = list(get(selector, "field_selector"));
    let found = fields
        .iter()
        .find(|item| get(item, "field").and_then(|name| name.value().as_str()) == Some(field))?;
    Some(texts(get(found, "equals")).iter().any(|value| wanted.contains(value)))
}

/// Read and write management events are recorded. A trail without any selector records them all; a basic
/// selector does unless it says otherwise; advanced ones only when one asks for `Management`.
pub(super) fn management_events(context: &Context<'_>) -> Judged {
    let (basic, open_basic) = blocks(context, &BASIC);
    let (advanced, open_advanced) = blocks(context, &ADVANCED);
    let open = open_basic.or(open_advanced);
    if basic.is_empty() && advanced.is_empty() {
        return open.map_or_else(|| Judged::holds(true), Judged::unknown);
    }
    let mut undecided = open;
    let mut reads = false;
    let mut writes = false;
    for selector in &basic {
        let include = get(selector, "include_management_events");
        match include.map(Tracked::value) {
            Some(Value::Bool(false)) => continue,
            Some(Value::Unknown(unknown)) => {
                undecided = Some(unknown.cause.clone());
                continue;
            }
            _ => {}
        }
        match get(selector, "read_write_type").map(Tracked::value) {
            None | Some(Value::Null) => (reads, writes) = (true, true),
            Some(Value::String(kind)) => {
                reads |= kind != "WriteOnly";
                writes |= kind != "ReadOnly";
            }
            _ => undecided = undecided.or_else(|| cause_of(get(selector, "read_write_type"))),
        }
    }
    for selector in &advanced {
        if field_equals(selector, "eventCategory", &["Management"]) == Some(true) {
            match field_equals(selector, "readOnly", &["true"]) {
                None => (reads, writes) = (true, true),
                Some(true) => reads = true,
                Some(false) => writes = true,
            }
        }
    }
    let path = if basic.is_empty() { "advanced_event_selector" } else { "event_selector" };
    let looked = basic.first().or(advanced.first()).cloned();
    let judged = match (reads && writes, undecided) {
        (true, _) => Judged::holds(true),
        (false, Some(cause)) => Judged::unknown(cause),
        (false, None) => Judged::holds(false),
    };
    judged.looking(path, looked)
}

/// S3 object events are recorded: `events: read` or `events: write`. On a bucket, by any trail of this root
/// whose selector covers it.
pub(super) fn data_events(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    let read = text(context, with, "events") == Some("read");
    if context.resource.kind() == "aws_cloudtrail" {
        return trail_data_events(context, read, None);
    }
    // By address, and no further than to the first one that records them: there may be many of both.
    let trails: Vec<_> = context.of_kind("aws_cloudtrail").collect();
    let mut order: BinaryHeap<_> =
        (0..).zip(&trails).map(|(n, (_, trail))| Reverse((&trail.address, n))).collect();
    let mut best: Option<(Judged, &Arc<Resource>)> = None;
    while best.as_ref().is_none_or(|(judged, _)| judged.verdict != Verdict::Pass)
        && let Some(Reverse((_, n))) = order.pop()
        && let Some((slot, trail)) = trails.get(n)
    {
        let judged = trail_data_events(&context.at(*slot, trail), read, Some(context));
        if best
            .as_ref()
            .is_none_or(|(known, _)| Verdict::any([known.verdict, judged.verdict]) != known.verdict)
        {
            best = Some((Judged { looked: None, ..judged }, trail));
        }
    }
    let judged = match best {
        Some((judged, trail)) => {
            judged.with_related(context.related(trail, format!("{} is a trail", trail.address)))
        }
        None => Judged::of(Verdict::Fail),
    };
    match (judged.verdict, context.unread(|kind| kind == "aws_cloudtrail")) {
        (Verdict::Fail, Some(cause)) => Judged::unknown(cause),
        _ => judged,
    }
}

fn trail_data_events(context: &Context<'_>, read: bool, bucket: Option<&Context<'_>>) -> Judged {
    let (basic, open_basic) = blocks(context, &BASIC);
    let (advanced, open_advanced) = blocks(context, &ADVANCED);
    let mut open = open_basic.or(open_advanced);
    let mut covered = false;
    for selector in &basic {
        let kind = get(selector, "read_write_type").and_then(|kind| kind.value().as_str()).unwrap_or("All");
        if kind == "All" || (read && kind == "ReadOnly") || (!read && kind == "WriteOnly") {
            for resource in list(get(selector, "data_resource")) {
                let is_s3 =
                    get(resource, "type").and_then(|kind| kind.value().as_str()) == Some("AWS::S3::Object");
                if is_s3 {
                    match covers(get(resource, "values"), bucket) {
                        Ok(yes) => covered |= yes,
                        Err(cause) => open = open.or(Some(cause)),
                    }
                }
            }
        }
    }
    for selector in &advanced {
        let data = field_equals(selector, "eventCategory", &["Data"]) == Some(true);
        let s3 = field_equals(selector, "resources.type", &["AWS::S3::Object"]) == Some(true);
        let direction = match field_equals(selector, "readOnly", &["true"]) {
            None => true,
            Some(reads_only) => reads_only == read,
        };
        covered |= data && s3 && direction;
    }
    let path = if advanced.is_empty() { "event_selector" } else { "advanced_event_selector" };
    let judged = match (covered, open) {
        (true, _) => Judged::holds(true),
        (false, Some(cause)) => Judged::unknown(cause),
        (false, None) => Judged::holds(false),
    };
    judged.looking(path, basic.first().or(advanced.first()).cloned())
}

/// Whether the values of a data resource cover the bucket (any S3 object, where none is asked for).
fn covers(values: Option<&Tracked>, bucket: Option<&Context<'_>>) -> Result<bool, Cause> {
    let Some(bucket) = bucket else { return Ok(!list(values).is_empty()) };
    let mut open = cause_of(values);
    for value in list(values) {
        let literal = value.value().as_str().and_then(object_store);
        if literal == Some("") {
            return Ok(true);
        }
        // Without the slash at its end the ARN is that of the bucket and of no object in it; with a prefix behind
        // the slash it is that of some objects.
        if literal.is_some_and(|path| path.find('/') != Some(path.len() - 1)) {
            continue;
        }
        let named = bucket.named(value, &[Name::new_static("aws_s3_bucket")]);
        let own_name = bucket.resource.attribute("bucket").and_then(|name| name.value().as_str());
        let literal = literal.map(|path| path.trim_end_matches('/'));
        if named.iter().any(|(slot, _)| *slot == bucket.slot) || (literal.is_some() && literal == own_name) {
            return Ok(true);
        }
        if named.is_empty() {
            open = open.or_else(|| cause_of(Some(value)));
        }
    }
    open.map_or(Ok(false), Err)
}

/// What stands behind `arn:PARTITION:s3:::`: a bucket and a prefix of keys; empty for all buckets.
fn object_store(arn: &str) -> Option<&str> {
    let rest = arn.strip_prefix("arn:")?;
    let (partition, rest) = rest.split_once(":s3")?;
    let path = rest.trim_start_matches(':').trim_start_matches('*');
    (partition.starts_with("aws") && !partition.contains(':')).then(|| if path == "/" { "" } else { path })
}
