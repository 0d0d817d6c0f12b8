//! What was asked of a configuration, the answers, and who asked.
//!
//! An answer is kept until a text that it was made from changes: then it is dropped, with every answer that was
//! made from it. The readers of an answer are written down only where a root is going to be edited
//! ([`Memo::following`]); a single check pays for no bookkeeping.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashSet};

use super::declared::Declared;
use super::expand::Instances;
use super::modules::{Children, ModuleId};
use crate::{Gap, Resource, Tracked};

/// A question about one module instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) module: ModuleId,
    pub(super) aspect: Aspect,
    pub(super) declared: Declared,
}

/// What is asked about something that is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Aspect {
    /// What its text is. Never answered here; noted by whoever reads the text.
    Text,
    /// The value of a variable, a local value or an output.
    Value,
    /// The instances of a resource.
    Instances,
    /// The module instances of a call.
    Children,
    /// The resource with the values of its attributes, instance by instance.
    Resources,
    /// An attribute of one instance of a resource.
    Attribute,
}

#[derive(Clone)]
pub(super) enum Answer {
    Value(Tracked),
    Instances(Arc<Instances>),
    Children(Arc<Children>),
    Resources(Arc<[Arc<Resource>]>),
}

/// What is known when a question is asked.
pub(super) enum Asked {
    /// The answer of before.
    Known(Answer),
    /// It is being answered right now: a cycle.
    Circular,
    /// Nothing: whoever asked finds the answer and gives it to [`Memo::answered`].
    Open(EntryId),
}

type EntryId = u32;

/// Questions and answers.
#[derive(Default)]
pub(super) struct Memo {
    follows: bool,
    /// By question, each at the place that its id says. None is ever taken out.
    entries: IndexMap<Question, Entry, FxBuildHasher>,
    /// The answers with gaps: few, so that nobody looks through all answers for them.
    with_gaps: BTreeSet<EntryId>,
    /// The questions that are being answered, each asked by the one before it.
    active: Vec<Active>,
}

#[derive(Default)]
struct Entry {
    state: State,
    /// None for most questions of a single check.
    trail: Option<Box<Trail>>,
}

/// What an answer was made from, and what was made from it.
#[derive(Default)]
struct Trail {
    /// The questions that the answer was made from.
    reads: Box<[EntryId]>,
    /// The questions whose answers were made from this one.
    readers: FxHashSet<EntryId>,
    /// What could not be analysed on the way to the answer.
    gaps: Vec<Gap>,
}

#[derive(Default)]
enum State {
    #[default]
    Open,
    Asking,
    Known(Answer),
}

struct Active {
    entry: EntryId,
    reads: FxHashSet<EntryId>,
    gaps: Vec<Gap>,
}

impl Memo {
    /// A memo that remembers who read what, so that answers can be dropped one by one.
    pub(super) fn following() -> Self {
        Self { follows: true, ..Self::default() }
    }

    /// Number of questions that were ever asked.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn entry(&mut self, question: Question) -> EntryId {
        let entry = self.entries.entry(question);
        let id = EntryId::try_from(entry.index()).unwrap_or(EntryId::MAX);
        entry.or_default();
        id
    }

    fn at(&mut self, id: EntryId) -> Option<&mut Entry> {
        self.entries.get_index_mut(id as usize).map(|(_, entry)| entry)
    }

    /// Takes note that the answer to the active question is made from that one.
    fn read(&mut self, id: EntryId) {
        if let (true, Some(active)) = (self.follows, self.active.last_mut()) {
            active.reads.insert(id);
        }
    }

    /// Takes note that the active question reads the text of `declared`, whether it is declared or not.
    pub(super) fn note_text(&mut self, module: ModuleId, declared: Declared) {
        if self.follows && !self.active.is_empty() {
            let id = self.entry(Question { module, aspect: Aspect::Text, declared });
            self.read(id);
        }
    }

    pub(super) fn ask(&mut self, question: Question) -> Asked {
        let id = self.entry(question);
        self.read(id);
        let Some(entry) = self.at(id) else { return Asked::Circular };
        match &entry.state {
            State::Known(answer) => Asked::Known(answer.clone()),
            State::Asking => Asked::Circular,
            State::Open => {
                entry.state = State::Asking;
                self.active.push(Active { entry: id, reads: FxHashSet::default(), gaps: Vec::new() });
                Asked::Open(id)
            }
        }
    }

    /// Keeps the answer to the active question; none where it was an answer for this time only.
    pub(super) fn answered(&mut self, id: EntryId, answer: Option<Answer>) {
        let Some(active) = self.active.pop() else { return };
        debug_assert_eq!(active.entry, id, "questions are answered in the reverse order of asking");
        #[expect(
            clippy::iter_over_hash_type,
            reason = "their order is not seen: each has an index of its own"
        )]
        for read in &active.reads {
            if let Some(read) = self.at(*read) {
                read.trail().readers.insert(id);
            }
        }
        let has_gaps = !active.gaps.is_empty();
        if has_gaps {
            self.with_gaps.insert(id);
        }
        if let Some(entry) = self.at(id) {
            entry.state = answer.map_or(State::Open, State::Known);
            if has_gaps || !active.reads.is_empty() {
                let trail = entry.trail();
                trail.reads = active.reads.into_iter().collect();
                trail.gaps = active.gaps;
            }
        }
    }

    /// Keeps a gap with the question on whose way it was found; gives it back when none is being answered.
    pub(super) fn keep_gap(&mut self, gap: Gap) -> Option<Gap> {
        match self.active.last_mut() {
            Some(active) => {
                active.gaps.push(gap);
                None
            }
            None => Some(gap),
        }
    }

    /// Drops the answers of `changed`, and all that were made from them. Gives the questions that had an answer.
    pub(super) fn drop_answers(&mut self, changed: impl IntoIterator<Item = Question>) -> Vec<Question> {
        let ids: Vec<EntryId> = changed.into_iter().filter_map(|question| self.id(&question)).collect();
        self.drop_entries(ids)
    }

    /// Drops every answer about these module instances, and all that were made from them.
    pub(super) fn drop_modules(&mut self, modules: &[ModuleId]) -> Vec<Question> {
        if modules.is_empty() {
            return Vec::new();
        }
        let modules: FxHashSet<ModuleId> = modules.iter().copied().collect();
        let questions = (0..).zip(self.entries.keys());
        let ids =
            questions.filter(|(_, question)| modules.contains(&question.module)).map(|(id, _)| id).collect();
        self.drop_entries(ids)
    }

    fn id(&self, question: &Question) -> Option<EntryId> {
        EntryId::try_from(self.entries.get_index_of(question)?).ok()
    }

    fn drop_entries(&mut self, mut open: Vec<EntryId>) -> Vec<Question> {
        let mut dropped = Vec::new();
        while let Some(id) = open.pop() {
            let Some((question, entry)) = self.entries.get_index_mut(id as usize) else { continue };
            let trail = entry.trail.take().map(|trail| *trail).unwrap_or_default();
            if matches!(std::mem::take(&mut entry.state), State::Known(_)) {
                dropped.push(question.clone());
            }
            open.extend(trail.readers);
            if !trail.gaps.is_empty() {
                self.with_gaps.remove(&id);
            }
            for read in trail.reads {
                if let Some(trail) = self.at(read).and_then(|read| read.trail.as_mut()) {
                    trail.readers.remove(&id);
                }
            }
        }
        dropped
    }

    /// The gaps on the way to every answer that is still of use: a resource or a module call was made from it.
    pub(super) fn gaps(&self) -> Vec<Gap> {
        let with_gaps = self.with_gaps.iter().filter(|id| self.is_used(**id));
        let entries = with_gaps.filter_map(|id| self.entries.get_index(*id as usize));
        entries.flat_map(|(_, entry)| entry.gaps().iter().cloned()).collect()
    }

    /// The calls of which nothing could be said.
    pub(super) fn missing(&self) -> impl Iterator<Item = (ModuleId, Declared)> {
        self.entries.iter().filter_map(|(question, entry)| match &entry.state {
            State::Known(Answer::Children(children)) if matches!(**children, Children::Missing(_)) => {
                Some((question.module, question.declared.clone()))
            }
            _ => None,
        })
    }

    fn is_used(&self, id: EntryId) -> bool {
        let mut open = vec![id];
        let mut seen = FxHashSet::default();
        while let Some(id) = open.pop() {
            let Some((question, entry)) = self.entries.get_index(id as usize) else { continue };
            if !self.follows || matches!(question.aspect, Aspect::Resources | Aspect::Children) {
                return true;
            }
            let readers = entry.trail.iter().flat_map(|trail| &trail.readers);
            open.extend(readers.filter(|reader| seen.insert(**reader)));
        }
        false
    }
}

impl Entry {
    fn trail(&mut self) -> &mut Trail {
        self.trail.get_or_insert_default()
    }

    fn gaps(&self) -> &[Gap] {
        self.trail.as_ref().map(|trail| trail.gaps.as_slice()).unwrap_or_default()
    }
}
