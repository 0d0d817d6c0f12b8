//! Alarms on events of a trail: a metric filter counts them, and an alarm watches the metric.
//!
//! What a filter counts is found by trying its pattern on events, not by comparing texts: order, spaces,
//! parentheses and quotes make no difference.

use std::sync::Arc;

use auditlint_graph::{Cause, CauseKind, Resource, Slot, Target, Tracked, Value};
use auditlint_syntax::Name;

use super::pattern::{Event, Pattern};
use super::{Context, texts};
use crate::Verdict;
use crate::condition::Operand;
use crate::evaluate::{Judged, Link, Read, instance_link};

/// The type that surveys are made of.
pub(crate) const SURVEYED: &str = FILTER;

const FILTER: &str = "aws_cloudwatch_log_metric_filter";
const ALARM: &str = "aws_cloudwatch_metric_alarm";

/// What the metric filters of a root do about one kind of event; the same for each of them, so made once.
pub(crate) struct Survey {
    /// Filters that count every event that they should and none that they should not.
    counting: Vec<Slot>,
    /// Where none counts: the filter that comes nearest, which speaks for all of them.
    nearest: Option<Nearest>,
    /// Why a filter may count them all the same.
    open: Option<Cause>,
}

struct Nearest {
    slot: Slot,
    counted: usize,
    missed: Vec<String>,
}

/// A filter counts the events `counts`, but none of `ignores`, and an alarm watches its metric. It is asked of
/// roots that have a filter for events of a trail, and the one that counts them (else the nearest) is judged.
pub(super) fn watched_events(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    let (counts, ignores) = (texts(context, with, "counts"), texts(context, with, "ignores"));
    context.note(|| Read::Contents(Name::new_static(FILTER)));
    // Made for all of its filters: what it looks at is not what this one looks at.
    let unnoted = Context { reads: None, ..*context };
    let survey =
        context.joins.survey(&format!("{counts:?} {ignores:?}"), || survey(&unnoted, &counts, &ignores));
    if survey.counting.contains(&context.slot) {
        let own = watched(context);
        // Another one that is watched is enough.
        let elsewhere = own.verdict != Verdict::Pass
            && survey.counting.iter().any(|slot| {
                let other = context.graph.get(*slot).filter(|_| *slot != context.slot);
                other.is_some_and(|other| {
                    other.undecided.is_none() && watched(&context.at(*slot, other)).verdict == Verdict::Pass
                })
            });
        return if elsewhere { Judged::of(Verdict::NotApplicable) } else { own };
    }
    let speaks = survey.nearest.as_ref().filter(|nearest| nearest.slot == context.slot);
    let Some(nearest) = speaks else { return Judged::of(Verdict::NotApplicable) };
    if let Some(cause) = survey.open.clone().or_else(|| context.unread(|kind| kind == FILTER)) {
        return Judged::unknown(cause).looking("pattern", None);
    }
    let judged = Judged::holds(false);
    if nearest.counted == 0 {
        return judged;
    }
    let what = match nearest.missed.as_slice() {
        [] => "counts other events too".to_owned(),
        missed => format!("does not count {}", missed.join("; ")),
    };
    judged
        .looking("pattern", context.resource.attribute("pattern").cloned())
        .with_related(context.related(context.resource, what))
}

fn survey(context: &Context<'_>, counts: &[String], ignores: &[String]) -> Survey {
    let wanted: Vec<(String, Event)> = counts.iter().flat_map(|text| Event::all(text)).collect();
    let others: Vec<(String, Event)> = ignores.iter().flat_map(|text| Event::all(text)).collect();
    let mut survey = Survey { counting: Vec::new(), nearest: None, open: None };
    let mut best: Option<(usize, &Resource)> = None;
    for (slot, filter) in context.of_kind(FILTER) {
        let pattern = filter.attribute("pattern");
        let counted = match pattern.map(read) {
            Some(Ok(Some(pattern))) => {
                let missed: Vec<String> = wanted
                    .iter()
                    .filter(|(_, event)| !pattern.counts(event))
                    .map(|(text, _)| text.clone())
                    .collect();
                let wide = others.iter().any(|(_, event)| pattern.counts(event));
                if missed.is_empty() && !wide {
                    survey.counting.push(slot);
                    continue;
                }
                if !pattern.is_of_a_trail() {
                    continue;
                }
                (wanted.len() - missed.len(), missed)
            }
            // A pattern of terms or columns is for other logs.
            Some(Ok(None)) | None => continue,
            Some(Err(cause)) => {
                survey.open.get_or_insert(cause);
                (0, Vec::new())
            }
        };
        // The order of the graph is not that of the plan's, the order of addresses is.
        let better = best.is_none_or(|(most, known)| {
            counted.0 > most || (counted.0 == most && filter.address < known.address)
        });
        if better {
            best = Some((counted.0, filter));
            survey.nearest = Some(Nearest { slot, counted: counted.0, missed: counted.1 });
        }
    }
    if !survey.counting.is_empty() {
        survey.nearest = None;
    }
    survey
}

/// The pattern in JSON syntax; none when it is of another kind, a cause when it is not known.
fn read(value: &Tracked) -> Result<Option<Pattern>, Cause> {
    match (value.value(), value.unknown()) {
        (Value::String(text), _) if text.trim_start().starts_with('{') => match Pattern::parse(text) {
            Some(pattern) => Ok(Some(pattern)),
            None => Err(Cause {
                kind: CauseKind::Function,
                subject: "a filter pattern that is not understood".to_owned(),
                hint: String::new(),
            }),
        },
        (_, Some(unknown)) => Err(unknown.cause.clone()),
        _ => Ok(None),
    }
}

/// Whether an alarm watches the metric of this filter: by reference, or by the name and namespace of the metric.
fn watched(context: &Context<'_>) -> Judged {
    let filter = context.resource;
    let metrics = blocks(filter.attribute("metric_transformation"));
    let mut possible = None;
    let mut found = None;
    for (_, alarm) in context.each_of(ALARM) {
        for (name, namespace) in watches(alarm) {
            let link = named(context, name).or_else(|| {
                let same = |item: &&Tracked| {
                    text(get(item, "name")).is_some_and(|known| Some(known) == text(Some(name)))
                        && match (text(get(item, "namespace")), text(namespace)) {
                            (Some(left), Some(right)) => left == right,
                            _ => true,
                        }
                };
                metrics.iter().any(|item| same(&item)).then_some(Link::Proved)
            });
            let unnamed = name.references().is_empty();
            match (link, name.unknown()) {
                (Some(Link::Proved), _) if alarm.undecided.is_none() => found = Some(alarm),
                (Some(_), _) => possible = possible.or_else(|| alarm.undecided.as_deref().cloned()),
                (None, Some(unknown)) if unnamed => possible = possible.or(Some(unknown.cause.clone())),
                (None, _) => {}
            }
        }
    }
    let open = metrics.iter().find_map(|item| get(item, "name").and_then(Tracked::unknown));
    let open = || open.map(|unknown| unknown.cause.clone());
    let judged = match found {
        Some(alarm) => Judged::holds(true)
            .with_related(context.related(alarm, format!("{} watches its metric", alarm.address))),
        None => match possible.or_else(open).or_else(|| context.unread(|kind| kind == ALARM)) {
            Some(cause) => Judged::unknown(cause),
            None => Judged::holds(false),
        },
    };
    judged.looking("metric_transformation", filter.attribute("metric_transformation").cloned())
}

/// Whether the name of a metric is taken from this filter.
fn named(context: &Context<'_>, name: &Tracked) -> Option<Link> {
    let own = Target::at(&context.resource.address);
    let references = name.references();
    let to_us = references.iter().filter(|reference| Target::of(reference) == own);
    to_us.filter_map(|reference| instance_link(reference, context.resource.address.key.as_ref())).next()
}

/// The metrics that an alarm watches: names and namespaces.
fn watches(alarm: &Resource) -> Vec<(&Tracked, Option<&Tracked>)> {
    let own = alarm.attribute("metric_name").map(|name| (name, alarm.attribute("namespace")));
    let queries = blocks(alarm.attribute("metric_query"));
    let metrics = queries.iter().flat_map(|query| blocks(get(query, "metric")));
    own.into_iter()
        .chain(metrics.filter_map(|metric| Some((get(metric, "metric_name")?, get(metric, "namespace")))))
        .collect()
}

fn blocks(value: Option<&Tracked>) -> &[Tracked] {
    match value.map(Tracked::value) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

fn get<'a>(item: &'a Tracked, name: &str) -> Option<&'a Tracked> {
    if let Value::Map(map) = item.value() { map.get(name) } else { None }
}

fn text(value: Option<&Tracked>) -> Option<&str> {
    value.and_then(|value| value.value().as_str())
}

/// The surveys that were made, by what they ask for.
pub(crate) type Surveys = rustc_hash::FxHashMap<String, Arc<Survey>>;
