//! What was asked of a configuration, the answers, and who asked.
//!
//! An answer is kept until a text that it was made from changes: then it is dropped, with every answer that was
//! made from it. The readers of an answer are written down only where a root is going to be edited
//! ([`Memo::following`]); a single check pays for no bookkeeping.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::expand::Instances;
use super::folder::Declared;
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
    ids: FxHashMap<Question, EntryId>,
    entries: Vec<Entry>,
    /// The answers with gaps: few, so that nobody looks through all answers for them.
    with_gaps: BTreeSet<EntryId>,
    /// The questions that are being answered, each asked by the one before it.
    active: Vec<Active>,
}

struct Entry {
    question: Question,
    state: State,
    /// The questions that its answer was made from.
    reads: Box<[EntryId]>,
    /// The questions whose answers were made from this one.
    readers: FxHashSet<EntryId>,
    /// What could not be analysed on the way to the answer.
    gaps: Vec<Gap>,
}

enum State {
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
        if let Some(id) = self.ids.get(&question) {
            return *id;
        }
        let id = EntryId::try_from(self.entries.len()).unwrap_or(EntryId::MAX);
        self.ids.insert(question.clone(), id);
        self.entries.push(Entry {
            question,
            state: State::Open,
            reads: Box::default(),
            readers: FxHashSet::default(),
            gaps: Vec::new(),
        });
        id
    }

    fn at(&mut self, id: EntryId) -> Option<&mut Entry> {
        self.entries.get_mut(id as usize)
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

    /// Keeps the answer to the active question.
    pub(super) fn answered(&mut self, id: EntryId, answer: Answer) {
        let Some(active) = self.active.pop() else { return };
        debug_assert_eq!(active.entry, id, "questions are answered in the reverse order of asking");
        #[expect(
            clippy::iter_over_hash_type,
            reason = "their order is not seen: each has an index of its own"
        )]
        for read in &active.reads {
            if let Some(read) = self.at(*read) {
                read.readers.insert(id);
            }
        }
        if let Some(entry) = self.at(id) {
            entry.state = State::Known(answer);
            entry.reads = active.reads.into_iter().collect();
            entry.gaps = active.gaps;
            if !entry.gaps.is_empty() {
                self.with_gaps.insert(id);
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
        let ids: Vec<EntryId> =
            changed.into_iter().filter_map(|question| self.ids.get(&question).copied()).collect();
        self.drop_entries(ids)
    }

    /// Drops every answer about these module instances, and all that were made from them.
    pub(super) fn drop_modules(&mut self, modules: &[ModuleId]) -> Vec<Question> {
        if modules.is_empty() {
            return Vec::new();
        }
        let modules: FxHashSet<ModuleId> = modules.iter().copied().collect();
        let entries = (0..).zip(&self.entries);
        let ids =
            entries.filter(|(_, entry)| modules.contains(&entry.question.module)).map(|(id, _)| id).collect();
        self.drop_entries(ids)
    }

    fn drop_entries(&mut self, mut open: Vec<EntryId>) -> Vec<Question> {
        let mut dropped = Vec::new();
        while let Some(id) = open.pop() {
            let Some(entry) = self.at(id) else { continue };
            open.extend(std::mem::take(&mut entry.readers));
            let reads = std::mem::take(&mut entry.reads);
            if !std::mem::take(&mut entry.gaps).is_empty() {
                self.with_gaps.remove(&id);
            }
            let Some(entry) = self.at(id) else { continue };
            if matches!(std::mem::replace(&mut entry.state, State::Open), State::Known(_)) {
                dropped.push(entry.question.clone());
            }
            for read in reads {
                if let Some(read) = self.at(read) {
                    read.readers.remove(&id);
                }
            }
        }
        dropped
    }

    /// The gaps on the way to every answer that is still of use: a resource or a module call was made from it.
    pub(super) fn gaps(&self) -> Vec<Gap> {
        let with_gaps = self.with_gaps.iter().filter_map(|id| self.entries.get(*id as usize));
        with_gaps.filter(|entry| self.is_used(entry)).flat_map(|entry| entry.gaps.iter().cloned()).collect()
    }

    /// The calls of which nothing could be said.
    pub(super) fn missing(&self) -> impl Iterator<Item = (ModuleId, Declared)> {
        self.entries.iter().filter_map(|entry| match &entry.state {
            State::Known(Answer::Children(children)) if matches!(**children, Children::Missing(_)) => {
                Some((entry.question.module, entry.question.declared.clone()))
            }
            _ => None,
        })
    }

    fn is_used(&self, entry: &Entry) -> bool {
        let mut open = vec![entry];
        let mut seen = FxHashSet::default();
        while let Some(entry) = open.pop() {
            if !self.follows || matches!(entry.question.aspect, Aspect::Resources | Aspect::Children) {
                return true;
            }
            let readers = entry.readers.iter().filter(|reader| seen.insert(**reader));
            open.extend(readers.filter_map(|reader| self.entries.get(*reader as usize)));
        }
        false
    }
}
