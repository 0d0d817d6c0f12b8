//! What becomes of logs that no resource of the root takes: they rest where the service keeps them, leave for a store
//! that nobody here manages, get lost in a value that is not known, or are never written.

use auditlint_graph::{Cause, CauseKind, Tracked, Value};
use auditlint_syntax::Name;

use super::part::{Stations, each_written};
use super::service_store::{self, documented_name};
use super::{Certainty, Flow};
use crate::condition::AttributePath;
use crate::evaluate::{Context, Judged, Look, Subject};
use crate::facts::{Emission, ServiceStore};
use crate::rule::{Intent, RuleKind};
use crate::{Binding, Category, Days, Verdict};

/// What becomes of the logs of some categories.
pub(super) struct Ending {
    pub(super) categories: Vec<Category>,
    pub(super) what: What,
    pub(super) certainty: Certainty,
}

/// Where logs end that no resource of the root takes.
pub(super) enum What {
    /// In a store that has this name, and that no root of the run manages.
    External(String),
    /// In a store that the service makes by itself.
    Service { kind: Name, name: String, retention: Days },
    /// Nobody knows where; the cause is missing where the facts name no destination.
    Unknown(Option<Cause>),
    /// Nowhere: they are not written, or whether they are is not known for a cause.
    Silent(Option<Cause>),
    /// Nowhere, and rules that ask for them are content: another resource records the events, for example.
    Covered,
    /// Nowhere, and no rule asks for them.
    Unasked,
    /// A destination is written, and no rule that asks for them is content: what sends them may be off.
    Doubted,
}

impl Ending {
    fn new(categories: &[Category], what: What, certainty: Certainty) -> Self {
        Self { categories: categories.to_vec(), what, certainty }
    }
}

/// The endings of what the resource of `context` emits and, where it `passes` logs on, of those. `bindings` are the
/// rules that judge its type.
pub(super) fn endings(
    context: &Context<'_>,
    flow: &Flow,
    bindings: &[&Binding],
    passes: bool,
) -> Vec<Ending> {
    let mut out = Vec::new();
    let Some(facts) = context.catalogue.facts(context.resource.kind()) else { return out };
    for emission in &facts.emits {
        emitted(context, flow, emission, bindings, &mut out);
    }
    let carried = flow.categories(context.slot);
    for forward in facts.forwards.iter().filter(|_| passes) {
        written(context, flow, None, &forward.path, &forward.types, &carried, &mut out);
    }
    out
}

fn emitted(
    context: &Context<'_>,
    flow: &Flow,
    emission: &Emission,
    bindings: &[&Binding],
    out: &mut Vec<Ending>,
) {
    let categories = &emission.categories;
    let subject = Subject::resource(context.resource);
    let on = emission.on.as_ref().map(|on| context.condition(on, &subject));
    let asked = asked(context, categories, bindings);
    match on.as_ref().map(|on| on.verdict) {
        Some(Verdict::Fail | Verdict::NotApplicable | Verdict::Exempt) => {
            // A document that is no session's is no source at all.
            let what = match asked.verdict {
                Verdict::NotApplicable | Verdict::Exempt => What::Unasked,
                Verdict::Pass | Verdict::Fail | Verdict::Unknown => What::Silent(None),
            };
            return out.push(Ending::new(categories, what, Certainty::Proved));
        }
        Some(Verdict::Unknown) => {
            let cause = on.as_ref().and_then(|on| on.cause.clone());
            out.push(Ending::new(categories, What::Silent(cause), Certainty::Open));
        }
        Some(Verdict::Pass) | None => {}
    }
    let before = out.len();
    let mut is_taken = false;
    for sink in &emission.to {
        is_taken |= written(context, flow, sink.companion.as_ref(), &sink.path, &sink.types, categories, out);
    }
    let managed = service_store::managed(context);
    let keeps = |kept: &[Category]| kept.iter().any(|category| categories.contains(category));
    is_taken |= managed.iter().any(|(_, kept)| keeps(kept));
    if is_taken || out.len() > before {
        match asked.verdict {
            _ if on.is_some() => {}
            Verdict::Fail => out.push(Ending::new(categories, What::Doubted, Certainty::Open)),
            Verdict::Unknown => {
                out.push(Ending::new(categories, What::Silent(asked.cause), Certainty::Open));
            }
            Verdict::Pass | Verdict::NotApplicable | Verdict::Exempt => {}
        }
        return;
    }
    let stores = service_stores(context, emission);
    let facts = context.catalogue.facts(context.resource.kind());
    if emission.to.is_empty() && facts.is_some_and(|facts| facts.keeps.is_some()) {
        return;
    }
    // A list that holds less than a rule asks for is still a list of logs that are written.
    let is_something =
        asked.looked.as_ref().and_then(|looked| looked.value.as_ref()).is_some_and(says_something);
    match (asked.verdict, stores.as_slice()) {
        (Verdict::Fail, stores) if is_something => {
            out.push(Ending::new(categories, What::Doubted, Certainty::Open));
            out.push(match stores {
                [] => Ending::new(categories, What::Unknown(None), Certainty::Open),
                stores => service(context, categories, stores, Verdict::Unknown),
            });
        }
        // Where facts name attributes and none is written, nothing is sent; where a service store stands ready, the
        // rules say whether the service writes to it.
        (Verdict::Fail, _) => out.push(Ending::new(categories, What::Silent(None), Certainty::Proved)),
        (Verdict::Unknown, []) => {
            out.push(Ending::new(categories, What::Silent(asked.cause), Certainty::Open));
        }
        (_, []) => {
            let what = match (open(context, emission), asked.verdict) {
                (Some(cause), Verdict::Pass) => What::Unknown(Some(cause)),
                (Some(cause), _) => What::Silent(Some(cause)),
                (None, _) if emission.to.is_empty() || emission.on.is_some() => What::Unknown(None),
                (None, Verdict::Pass) => What::Covered,
                (None, _) => What::Unasked,
            };
            out.push(Ending::new(categories, what, Certainty::Proved));
        }
        (verdict, stores) => {
            if verdict == Verdict::Unknown {
                out.push(Ending::new(categories, What::Silent(asked.cause), Certainty::Open));
            }
            out.push(service(context, categories, stores, verdict));
        }
    }
}

/// The endings of what is written at `path` and is no resource of the root. True when a resource takes the logs.
fn written(
    context: &Context<'_>,
    flow: &Flow,
    companion: Option<&(Name, AttributePath)>,
    path: &AttributePath,
    types: &[Name],
    categories: &[Category],
    out: &mut Vec<Ending>,
) -> bool {
    let mut is_taken = false;
    let crosses = flow.destinations.contains_key(&context.slot);
    each_written(context, companion, path, &mut |context, value, by| {
        let mut stations = Stations::default();
        stations.add(context, value, types, by);
        if !stations.here.is_empty() || !stations.beyond.is_empty() && crosses {
            is_taken = true;
            return;
        }
        out.extend(leads_to(value).map(|what| Ending::new(categories, what, by)));
    });
    is_taken
}

/// Where a value leads that names no resource; nowhere where it is no name.
fn leads_to(value: &Tracked) -> Option<What> {
    let cause = |kind, subject: String, hint: &str| Cause { kind, subject, hint: hint.to_owned() };
    match value.value() {
        _ if value.sensitive => {
            Some(What::Unknown(Some(cause(CauseKind::Sensitive, "a sensitive value".to_owned(), ""))))
        }
        Value::String(text) if text.is_empty() => None,
        // A document of settings that names its stores somewhere inside is no name.
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => None,
        Value::String(text) => Some(What::External(text.to_string())),
        Value::Unknown(unknown) => Some(What::Unknown(Some(unknown.cause.clone()))),
        _ => None,
    }
}

/// Whether a value turns something on: it is neither false nor empty.
fn says_something(value: &Tracked) -> bool {
    match value.value() {
        Value::Null | Value::Bool(false) | Value::Unknown(_) => false,
        Value::List(items) => !items.is_empty(),
        Value::Map(map) => map.iter().next().is_some(),
        Value::String(text) => !text.is_empty() && text.as_str() != "false",
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// The service's own stores for the categories of `emission`.
fn service_stores<'c>(context: &Context<'c>, emission: &Emission) -> Vec<&'c ServiceStore> {
    let facts = context.catalogue.facts(context.resource.kind());
    let all = facts.map(|facts| facts.service_stores.as_slice()).unwrap_or_default().iter();
    all.filter(|store| store.categories.iter().any(|category| emission.categories.contains(category)))
        .collect()
}

/// The stores of one service as one: which of them it writes to is not for the facts to say.
fn service(
    context: &Context<'_>,
    categories: &[Category],
    stores: &[&ServiceStore],
    verdict: Verdict,
) -> Ending {
    let names: Vec<String> = stores.iter().map(|store| documented_name(context, &store.name)).collect();
    let name = match names.as_slice() {
        [one] => one.clone(),
        several => format!("{}*", common_start(several)),
    };
    let retention = stores.iter().map(|store| store.retention).min().unwrap_or(Days::Never);
    let kind = stores.first().map(|store| store.kind.clone()).unwrap_or_default();
    let is_sure = verdict != Verdict::Unknown && context.resource.undecided.is_none();
    let certainty = if is_sure { Certainty::Matched } else { Certainty::Open };
    Ending::new(categories, What::Service { kind, name, retention }, certainty)
}

fn common_start(names: &[String]) -> String {
    let mut start = names.first().cloned().unwrap_or_default();
    for name in names {
        while !name.starts_with(&start) {
            start.pop();
        }
    }
    start
}

/// What the rules say that ask this type for logs of these categories: one that holds is enough.
fn asked(context: &Context<'_>, categories: &[Category], bindings: &[&Binding]) -> Judged {
    let asks = |binding: &&&Binding| {
        let rule = &binding.rule;
        rule.kind == RuleKind::Source
            && rule.asks.contains(&Intent::Emit)
            && rule.categories.iter().any(|category| categories.contains(category))
    };
    let judged = bindings.iter().filter(asks).map(|binding| holds(context, binding, true)).collect();
    Judged::any(judged, Verdict::NotApplicable)
}

/// Whether what a rule requires holds, where it `selects` the resource.
pub(super) fn holds(context: &Context<'_>, binding: &Binding, selects: bool) -> Judged {
    let context = Context { parameters: &binding.parameters, ..*context };
    let subject = Subject::resource(context.resource);
    let rule = &binding.rule;
    let when = rule.when.as_ref().filter(|_| selects).map(|when| context.condition(when, &subject));
    match when {
        Some(when) if when.verdict == Verdict::Unknown => return when,
        Some(when) if when.verdict != Verdict::Pass => return Judged::of(Verdict::NotApplicable),
        _ => {}
    }
    let conditions = [&rule.requires].into_iter().chain(&rule.satisfied_by);
    Judged::any(conditions.map(|condition| context.condition(condition, &subject)).collect(), Verdict::Fail)
}

/// Why a destination that is not written here may exist all the same.
fn open(context: &Context<'_>, emission: &Emission) -> Option<Cause> {
    let hidden = |context: &Context<'_>, path: &AttributePath| match context
        .look(&Subject::resource(context.resource), path)
    {
        Look::Unknown(cause) => Some(cause),
        Look::Set(_) | Look::Default(_) | Look::Absent => None,
    };
    emission.to.iter().find_map(|sink| {
        let Some((kind, join)) = &sink.companion else { return hidden(context, &sink.path) };
        let (found, open) = context.companions(std::slice::from_ref(kind), join, &[]);
        let mut there = found.iter().filter_map(|(slot, _)| Some(context.at(*slot, context.get(*slot)?)));
        there
            .find_map(|companion| hidden(&companion, &sink.path))
            .or_else(|| open.into_iter().min())
            .or_else(|| context.unread(|other| other == kind.as_str()))
    })
}
