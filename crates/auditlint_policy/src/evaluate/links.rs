//! Links between resources: by reference, by key, through modules, or by a literal that exactly one has.

use auditlint_graph::{Cause, CauseKind, GapKind, Key, RefKey, Reference, Slot, Target, Tracked, Value};
use auditlint_syntax::Name;

use super::joins::names_in;
use super::look::{Look, Subject};
use super::{Context, Judged, Read, is_judged};
use crate::Verdict;
use crate::condition::{AttributePath, Condition};

/// How sure a link is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Proved,
    Possible,
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
            for (slot, reference) in index.naming(&own) {
                if let Some(link) = instance_link(reference, self.resource.address.key.as_ref()) {
                    add(&mut found, *slot, link);
                }
            }
            for (text, unique) in self.identities(to) {
                self.note(|| Read::Text(id, text.clone()));
                for slot in index.writing(&text) {
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
        own.or(self.elsewhere).cloned().or_else(|| self.left_out(could)).or_else(|| {
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
        for reference in value.references().iter().filter(|reference| types.contains(&reference.kind)) {
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
