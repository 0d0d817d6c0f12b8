//! Links between resources: by reference, by key, through modules, or by a literal that exactly one has.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use auditlint_graph::{
    Cause, CauseKind, GapKind, Key, RefKey, Reference, Resource, Slot, Target, Tracked, Value,
};
use auditlint_syntax::Name;
use rustc_hash::FxHashMap;

use super::look::{Look, Subject};
use super::{Context, Judged, Read, is_judged};
use crate::Verdict;
use crate::condition::{AttributePath, Condition};
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

/// How sure a link is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Proved,
    Possible,
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

    fn of(&self, context: &Context<'_>, kind: &Name, path: &AttributePath) -> (JoinId, Arc<Join>) {
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

    /// Why a resource other than that at `slot` may name anything: the least cause. There may be very many.
    fn open_beside(&self, slot: Slot) -> Option<Cause> {
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

/// A literal, and the name inside of it when it is the ARN of a bucket, a log group or a stream.
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
    }
    out
}

/// Whether `reference` means the instance `key`, or may mean it.
pub(crate) fn instance_link(reference: &Reference, key: Option<&Key>) -> Option<Link> {
    match (&reference.key, key) {
        (RefKey::Known(wanted), Some(key)) => (wanted == key).then_some(Link::Proved),
        // A block whose instances are not known has one stand-in without a key.
        (RefKey::Known(_), None) | (RefKey::None | RefKey::All, _) => Some(Link::Proved),
        (RefKey::Unknown, None) => Some(Link::Proved),
        (RefKey::Unknown, Some(_)) => Some(Link::Possible),
    }
}

impl Context<'_> {
    /// The resources of `types` whose `join` names this one, and for each type the least cause for which there may be
    /// more.
    pub(crate) fn companions(
        &self,
        types: &[Name],
        join: &AttributePath,
        to: &[Name],
    ) -> (Vec<(Slot, Link)>, Vec<Cause>) {
        let mut found: Vec<(Slot, Link)> = Vec::new();
        let mut open = Vec::new();
        let own = Target::at(&self.resource.address);
        for kind in types {
            let (id, index) = self.joins.of(self, kind, join);
            self.note(|| Read::Named(id, own.clone()));
            self.note(|| Read::Open(id));
            for (slot, reference) in index.by_target.get(&own).into_iter().flatten() {
                if let Some(link) = instance_link(reference, self.resource.address.key.as_ref()) {
                    add(&mut found, *slot, link);
                }
            }
            for (text, unique) in self.identities(to) {
                self.note(|| Read::Text(id, text.clone()));
                for slot in index.by_literal.get(&text).into_iter().flatten() {
                    add(&mut found, *slot, if unique { Link::Proved } else { Link::Possible });
                }
            }
            open.extend(index.open_beside(self.slot));
        }
        self.in_order(&mut found);
        (found, open)
    }

    /// Sorts by address: slots say nothing about the configuration.
    fn in_order(&self, found: &mut [(Slot, Link)]) {
        if found.len() > 1 {
            let address = |slot: Slot| self.graph.get(slot).map(|resource| &resource.address);
            found.sort_by(|(a, _), (b, _)| address(*a).cmp(&address(*b)));
        }
    }

    /// The resources of `kind` whose identity attribute `name` is literally `text`.
    pub(crate) fn by_literal(&self, kind: &Name, name: &Name, text: &Name) -> &[Slot] {
        self.note(|| Read::Literal(kind.clone(), name.clone(), text.clone()));
        self.graph.by_literal(kind, name, text)
    }

    /// The literals that name this resource, and whether it alone has each.
    fn identities(&self, to: &[Name]) -> Vec<(Name, bool)> {
        let facts = self.catalogue.facts(self.resource.kind());
        let names =
            if to.is_empty() { facts.map(|facts| facts.identity.as_slice()).unwrap_or_default() } else { to };
        names
            .iter()
            .filter_map(|name| {
                let Value::String(text) = self.resource.attribute(name)?.value().clone() else { return None };
                let unique = self.by_literal(self.resource.kind(), name, &text).len() == 1;
                Some((text, unique))
            })
            .collect()
    }

    pub(super) fn companion(
        &self,
        types: &[Name],
        join: &AttributePath,
        to: &[Name],
        holds: Option<&Condition>,
    ) -> Judged {
        let (found, mut open) = self.companions(types, join, to);
        let mut parts = Vec::new();
        for (slot, link) in found {
            let Some(resource) = self.get(slot) else { continue };
            let context = self.at(slot, resource);
            let subject = Subject::resource(resource);
            let mut judged = holds.map_or(Judged::holds(true), |holds| context.condition(holds, &subject));
            if link == Link::Possible || resource.undecided.is_some() {
                judged.verdict = judged.verdict.at_most_unknown();
                judged.cause = resource
                    .undecided
                    .as_deref()
                    .cloned()
                    .or(judged.cause)
                    .or(Some(computed(&resource.address.to_string())));
            }
            // What decided stands in the companion, not in the judged resource.
            let value =
                judged.looked.take().and_then(|looked| looked.value.map(|value| (looked.path, value)));
            let message = value.map_or_else(
                || format!("{} is here", resource.address),
                |(path, value)| format!("{path} is {}", value.show()),
            );
            let related = self.related(resource, message);
            parts.push(judged.with_related(related));
        }
        let judged = Judged::any(parts, Verdict::Fail);
        if judged.verdict != Verdict::Fail {
            return judged;
        }
        open.extend(self.unread(|kind| types.iter().any(|known| known == kind)));
        match open.into_iter().min() {
            Some(cause) => Judged { related: judged.related, ..Judged::unknown(cause) },
            None => judged,
        }
    }

    /// Why a resource of a type that `could` matter is not here and may still exist: a module that was not read, a
    /// plan without its configuration or of a part of it.
    pub(crate) fn unread(&self, could: impl Fn(&str) -> bool) -> Option<Cause> {
        let own = self.resource.incomplete.as_deref().filter(|cause| cause.kind == CauseKind::Elsewhere);
        own.cloned().or_else(|| self.left_out(could)).or_else(|| {
            self.note(|| Read::Gaps);
            // What the module makes that this call stands for is known.
            let own = self.resource.address.called_module().map(|source| format!("{source}\""));
            let gap = self.graph.gaps.iter().find(|gap| {
                gap.kind == GapKind::MissingModule
                    && own.as_ref().is_none_or(|own| !gap.reason.contains(own.as_str()))
            })?;
            Some(Cause { kind: CauseKind::Module, subject: gap.reason.clone(), hint: gap.hint.clone() })
        })
    }

    /// The resources that `value` names, and whether it may name one that is not here.
    pub(crate) fn named(&self, value: &Tracked, types: &[Name]) -> Vec<(Slot, Link)> {
        let mut found = Vec::new();
        for reference in value
            .references
            .iter()
            .flat_map(|all| all.iter())
            .filter(|reference| types.contains(&reference.kind))
        {
            self.note(|| Read::Instances(Target::of(reference)));
            let instances = self.graph.resolve(reference);
            let several = instances.len() > 1 && reference.key == RefKey::Unknown;
            for slot in instances {
                add(&mut found, slot, if several { Link::Possible } else { Link::Proved });
            }
        }
        if found.is_empty()
            && let Value::String(text) = value.value()
        {
            found.extend(self.by_name(types, text).map(|slot| (slot, Link::Proved)));
        }
        found.retain(|(slot, _)| self.get(*slot).is_some_and(|resource| is_judged(resource)));
        self.in_order(&mut found);
        found
    }

    pub(super) fn linked(
        &self,
        subject: &Subject<'_>,
        path: &AttributePath,
        types: &[Name],
        holds: Option<&Condition>,
        elsewhere: Verdict,
    ) -> Judged {
        let full = subject.full(path);
        let value = match self.look(subject, path) {
            Look::Set(value) | Look::Default(value) => value,
            Look::Absent => return Judged::holds(false).looking(full, None),
            Look::Unknown(cause) => return Judged::unknown(cause).looking(full, None),
        };
        let found = self.named(&value, types);
        if found.is_empty() {
            let judged = match (elsewhere, value.unknown()) {
                (Verdict::Unknown, Some(unknown)) => Judged::unknown(unknown.cause.clone()),
                (Verdict::Unknown, None) => Judged::unknown(Cause {
                    kind: CauseKind::Elsewhere,
                    subject: value.show(),
                    hint: "it is not managed in this configuration".to_owned(),
                }),
                (_, Some(unknown)) if value.references.is_none() => Judged::unknown(unknown.cause.clone()),
                (verdict, _) => match self.left_out(|kind| types.iter().any(|known| known == kind)) {
                    Some(cause) => Judged::unknown(cause),
                    None => Judged::of(verdict),
                },
            };
            return judged.looking(full, Some(value));
        }
        let parts = found
            .into_iter()
            .filter_map(|(slot, link)| {
                let resource = self.get(slot)?;
                let context = self.at(slot, resource);
                let mut judged = holds.map_or(Judged::holds(true), |holds| {
                    context.condition(holds, &Subject::resource(resource))
                });
                if link == Link::Possible {
                    judged.verdict = judged.verdict.at_most_unknown();
                }
                judged.looked = None;
                let message = format!("{} is meant", resource.address);
                Some(judged.with_related(self.related(resource, message)))
            })
            .collect();
        Judged::all(parts, Verdict::Fail).looking(full, Some(value))
    }
}

impl Context<'_> {
    /// The one resource of `types` whose identity is literally `text`, or the name inside of it.
    fn by_name(&self, types: &[Name], text: &str) -> Option<Slot> {
        let mut found: Vec<Slot> = Vec::new();
        for kind in types {
            let facts = self.catalogue.facts(kind);
            for identity in facts.map(|facts| facts.identity.as_slice()).unwrap_or_default() {
                for name in names_in(text) {
                    found.extend(self.by_literal(kind, identity, &name));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        match found.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }
}

fn add(found: &mut Vec<(Slot, Link)>, slot: Slot, link: Link) {
    match found.iter_mut().find(|(known, _)| *known == slot) {
        Some((_, known)) if link == Link::Proved => *known = link,
        Some(_) => {}
        None => found.push((slot, link)),
    }
}

/// What only the provider knows.
pub(crate) fn computed(subject: &str) -> Cause {
    Cause { kind: CauseKind::Computed, subject: subject.to_owned(), hint: String::new() }
}
