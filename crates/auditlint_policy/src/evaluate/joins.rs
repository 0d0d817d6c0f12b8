//! Who names whom: for each type and joining attribute that was asked for, an index that follows edits.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use auditlint_graph::{Cause, Reference, Resource, Slot, Target, Tracked, Value};
use auditlint_syntax::Name;
use rustc_hash::FxHashMap;

use super::look::{Look, Subject};
use super::{Context, Read, is_judged};
use crate::condition::AttributePath;
use crate::probes::{SURVEYED, Survey, Surveys};

/// A type and a joining attribute that was asked for.
pub(crate) type JoinId = u32;

/// For each type and joining attribute that was asked for: who names whom.
#[derive(Default)]
pub(crate) struct Joins {
    known: RefCell<Known>,
    surveys: RefCell<Surveys>,
}

#[derive(Default)]
struct Known {
    ids: FxHashMap<(Name, AttributePath), JoinId>,
    all: Vec<Arc<Join>>,
}

/// The resources of one type by what their joining attribute names.
#[derive(Clone)]
pub(crate) struct Join {
    kind: Name,
    path: AttributePath,
    by_target: FxHashMap<Target, Vec<(Slot, Reference)>>,
    by_literal: FxHashMap<Name, Vec<Slot>>,
    /// Those of which nobody knows yet whom they name.
    open: Vec<(Slot, Cause)>,
    /// The least cause of those, and the least one of another resource.
    least: OnceLock<[Option<(Slot, Cause)>; 2]>,
}

/// Whom one resource names by its joining attribute.
#[derive(Default, PartialEq)]
struct Names {
    references: Vec<Reference>,
    texts: Vec<Name>,
    open: Vec<Cause>,
}

impl Joins {
    /// What the resources of type [`SURVEYED`] do about `what`, found out once.
    pub(crate) fn survey(&self, what: &str, make: impl FnOnce() -> Survey) -> Arc<Survey> {
        if let Some(known) = self.surveys.borrow().get(what) {
            return Arc::clone(known);
        }
        let survey = Arc::new(make());
        self.surveys.borrow_mut().insert(what.to_owned(), Arc::clone(&survey));
        survey
    }

    /// The index of the resources of type `kind` by what they name at `path`.
    pub(super) fn of(&self, context: &Context<'_>, kind: &Name, path: &AttributePath) -> (JoinId, Arc<Join>) {
        let key = (kind.clone(), path.clone());
        {
            let known = self.known.borrow();
            let found = known.ids.get(&key).and_then(|id| Some((*id, known.all.get(*id as usize)?)));
            if let Some((id, join)) = found {
                return (id, Arc::clone(join));
            }
        }
        let mut join = Join {
            kind: kind.clone(),
            path: path.clone(),
            by_target: FxHashMap::default(),
            by_literal: FxHashMap::default(),
            open: Vec::new(),
            least: OnceLock::new(),
        };
        // Whoever asks the index notes what of it they look at.
        let unnoted = Context { reads: None, ..*context };
        for (slot, resource) in unnoted.of_kind(kind) {
            join.put(slot, Names::of(&unnoted.at(slot, resource), path));
        }
        let join = Arc::new(join);
        let mut known = self.known.borrow_mut();
        let id = JoinId::try_from(known.all.len()).unwrap_or(JoinId::MAX);
        known.ids.insert(key, id);
        known.all.push(Arc::clone(&join));
        (id, join)
    }

    /// Takes in that the resource of `context` was `old` before, or is gone now. Gives the looks at the index
    /// whose results are others now.
    pub(crate) fn update(&mut self, context: &Context<'_>, old: Option<&Resource>, new: bool) -> Vec<Read> {
        let mut changed = Vec::new();
        if *context.resource.kind() == SURVEYED {
            self.surveys.get_mut().clear();
        }
        for (id, join) in (0..).zip(&mut self.known.get_mut().all) {
            if join.kind != *context.resource.kind() {
                continue;
            }
            let names = |context: &Context<'_>| {
                if is_judged(context.resource) { Names::of(context, &join.path) } else { Names::default() }
            };
            let before = old.map(|old| names(&context.at(context.slot, old))).unwrap_or_default();
            let now = if new { names(context) } else { Names::default() };
            if before == now {
                continue;
            }
            for names in [&before, &now] {
                changed.extend(names.references.iter().map(|to| Read::Named(id, Target::of(to))));
                changed.extend(names.texts.iter().map(|text| Read::Text(id, text.clone())));
                changed.extend((!names.open.is_empty()).then_some(Read::Open(id)));
            }
            let join = Arc::make_mut(join);
            join.remove(context.slot, &before);
            join.put(context.slot, now);
        }
        changed
    }
}

impl Join {
    fn put(&mut self, slot: Slot, names: Names) {
        for reference in names.references {
            self.by_target.entry(Target::of(&reference)).or_default().push((slot, reference));
        }
        for text in names.texts {
            self.by_literal.entry(text).or_default().push(slot);
        }
        self.open.extend(names.open.into_iter().map(|cause| (slot, cause)));
        self.least = OnceLock::new();
    }

    /// The resources that name an instance of `target` by reference.
    pub(super) fn naming(&self, target: &Target) -> &[(Slot, Reference)] {
        self.by_target.get(target).map_or(&[], Vec::as_slice)
    }

    /// The resources that write `text`.
    pub(super) fn writing(&self, text: &Name) -> &[Slot] {
        self.by_literal.get(text).map_or(&[], Vec::as_slice)
    }

    /// Why a resource other than that at `slot` may name anything: the least cause. There may be very many.
    pub(super) fn open_beside(&self, slot: Slot) -> Option<Cause> {
        let least = self.least.get_or_init(|| {
            let least = |open: &mut dyn Iterator<Item = &(Slot, Cause)>| {
                open.min_by(|(_, a), (_, b)| a.cmp(b)).cloned()
            };
            let first = least(&mut self.open.iter());
            let own = first.as_ref().map(|(slot, _)| *slot);
            let second = least(&mut self.open.iter().filter(|(slot, _)| Some(*slot) != own));
            [first, second]
        });
        least.iter().flatten().find(|(other, _)| *other != slot).map(|(_, cause)| cause.clone())
    }

    fn remove(&mut self, slot: Slot, names: &Names) {
        for reference in &names.references {
            if let Some(all) = self.by_target.get_mut(&Target::of(reference)) {
                all.retain(|(known, _)| *known != slot);
            }
        }
        for text in &names.texts {
            if let Some(all) = self.by_literal.get_mut(text) {
                all.retain(|known| *known != slot);
            }
        }
        if !names.open.is_empty() {
            self.open.retain(|(known, _)| *known != slot);
            self.least = OnceLock::new();
        }
    }
}

impl Names {
    fn of(context: &Context<'_>, path: &AttributePath) -> Self {
        let mut names = Self::default();
        match context.look(&Subject::resource(context.resource), path) {
            Look::Set(value) => names.add(&value),
            Look::Unknown(cause) => names.open.push(cause),
            Look::Default(_) | Look::Absent => {}
        }
        names
    }

    fn add(&mut self, value: &Tracked) {
        if let Value::List(items) = value.value() {
            items.iter().for_each(|item| self.add(item));
            return;
        }
        let references = value.references();
        self.references.extend(references.iter().cloned());
        match value.value() {
            Value::String(text) => self.texts.extend(names_in(text)),
            Value::Unknown(unknown) => {
                let resolved = references
                    .iter()
                    .any(|reference| reference.exact && reference.mode == auditlint_graph::Mode::Managed);
                if !resolved && references.is_empty()
                    || references.iter().any(|reference| reference.mode == auditlint_graph::Mode::Data)
                {
                    self.open.push(unknown.cause.clone());
                }
            }
            _ => {}
        }
    }
}

/// A literal, and the name inside of it when it is the ARN of a bucket, a log group or a stream, or where a Google sink
/// writes to.
pub(crate) fn names_in(text: &str) -> Vec<Name> {
    let mut out = vec![Name::new(text)];
    let mut parts = text.splitn(6, ':');
    if parts.next() == Some("arn") {
        let (service, rest) = (parts.nth(1), parts.nth(2));
        let name = match (service, rest) {
            (Some("s3"), Some(rest)) => rest.split('/').next(),
            (Some("logs"), Some(rest)) => {
                rest.strip_prefix("log-group:").map(|rest| rest.trim_end_matches(":*"))
            }
            (Some("firehose"), Some(rest)) => rest.strip_prefix("deliverystream/"),
            (Some("kinesis"), Some(rest)) => rest.strip_prefix("stream/"),
            _ => None,
        };
        out.extend(name.map(Name::new));
    } else if let Some(bucket) = text.strip_suffix(".s3.amazonaws.com") {
        out.push(Name::new(bucket));
    } else if let Some((service, rest)) = text.split_once(".googleapis.com/") {
        // Destinations of Google log sinks: the name of a bucket, or what else is called by its whole path.
        let name = match service {
            "storage" => rest.split('/').next(),
            "pubsub" | "bigquery" | "logging" => Some(rest),
            _ => None,
        };
        out.extend(name.map(Name::new));
    }
    out
}
