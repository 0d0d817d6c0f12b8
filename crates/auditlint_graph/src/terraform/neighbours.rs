//! The other roots of a run, evaluated as far as one of them is read from here.
//!
//! Each root is a world of its own, with its own variables and modules, made when it is first asked. All worlds of
//! one evaluation know each other: two roots that read each other go on until a value rests on itself, which is a
//! cycle as any other. What they may cost, they may cost together.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use auditlint_syntax::Files;
use rustc_hash::FxHashMap;

use super::Caches;
use super::backend::State;
use super::estate::{Keepers, Member, Standing, States};
use super::limits::Limits;
use super::memo::Memo;
use super::names::{Names, Sought};
use super::world::World;
use crate::{Reference, RootKey, Tables};

/// Most other roots that the evaluation of one root reads.
const MOST: usize = 256;

pub(super) struct Neighbours<'a> {
    standing: Standing<'a>,
    /// The files; what is asked of them to find a state is no dependency of the root.
    plain: &'a dyn Files,
    /// The same, with a record of what is read of other roots.
    files: &'a dyn Files,
    caches: &'a Caches,
    tables: &'a Tables,
    pub(super) limits: Rc<Limits>,
    worlds: RefCell<FxHashMap<RootKey, Rc<World<'a>>>>,
    /// The states that were looked through.
    states: RefCell<Option<Arc<States>>>,
    /// The names that were looked through.
    names: RefCell<SeenNames>,
    circular: Cell<bool>,
}

type SeenNames = FxHashMap<(RootKey, Sought), Arc<Names>>;

/// What an evaluation saw of other roots.
#[derive(Debug, Default)]
pub(super) struct Seen {
    states: Option<Arc<States>>,
    names: SeenNames,
    /// Whether a value rested on itself: what is known of the others depends on who was asked first.
    pub(super) circular: bool,
}

impl Seen {
    /// What was seen before as well.
    pub(super) fn and(mut self, before: Option<Self>) -> Self {
        if let Some(before) = before {
            self.states = self.states.or(before.states);
            self.names.extend(before.names);
            self.circular |= before.circular;
        }
        self
    }

    /// Whether the same roots keep the same states, and have resources of the same names.
    pub(super) fn is_current(
        &self,
        standing: Standing<'_>,
        files: &dyn Files,
        caches: &Caches,
        tables: &Tables,
    ) -> bool {
        let estate = standing.estate;
        self.states.as_ref().is_none_or(|states| Arc::ptr_eq(states, &estate.states(files, caches)))
            && self.names.iter().all(|((root, sought), names)| {
                let member = estate.member(*root);
                member.is_some_and(|member| estate.names(member, sought, files, caches, tables) == *names)
            })
    }
}

impl<'a> Neighbours<'a> {
    /// The roots around the one at `standing`; what is read of them goes through `files`, which records it.
    pub(super) fn new(
        standing: Standing<'a>,
        plain: &'a dyn Files,
        files: &'a dyn Files,
        caches: &'a Caches,
        tables: &'a Tables,
    ) -> Rc<Self> {
        Rc::new(Self {
            standing,
            plain,
            files,
            caches,
            tables,
            limits: Rc::default(),
            worlds: RefCell::default(),
            states: RefCell::default(),
            names: RefCell::default(),
            circular: Cell::new(false),
        })
    }

    /// The number of the root that is evaluated.
    pub(super) fn own(&self) -> RootKey {
        self.standing.root
    }

    /// The evaluated root is this world.
    pub(super) fn enter(&self, world: &Rc<World<'a>>) {
        self.worlds.borrow_mut().insert(self.own(), Rc::clone(world));
    }

    /// Lets go of all worlds, and says what was seen of them.
    pub(super) fn leave(&self) -> Option<Seen> {
        self.worlds.borrow_mut().clear();
        let (states, names) = (self.states.take(), self.names.take());
        let looked = states.is_some() || !names.is_empty();
        looked.then(|| Seen { states, names, circular: self.circular.get() })
    }

    pub(super) fn note_circle(&self) {
        if self.worlds.borrow().len() > 1 {
            self.circular.set(true);
        }
    }

    pub(super) fn member(&self, key: RootKey) -> Option<&'a Member> {
        self.standing.estate.member(key)
    }

    /// The roots that keep `state`, as the root of that number sees it.
    pub(super) fn keepers(&self, state: &State, reader: RootKey) -> Keepers<'a> {
        let estate = self.standing.estate;
        let environment = self.member(reader).and_then(|member| member.environment.as_ref());
        let mut states = self.states.borrow_mut();
        let states = states.get_or_insert_with(|| estate.states(self.plain, self.caches));
        estate.keepers(states, state, environment)
    }

    /// Whether two roots have the same environment.
    pub(super) fn is_of_same_environment(&self, one: RootKey, other: RootKey) -> bool {
        let environment = |key| self.member(key).and_then(|member| member.environment.as_ref());
        environment(one).is_some() && environment(one) == environment(other)
    }

    /// The resources of all roots that have that name, with their root.
    pub(super) fn named(&self, sought: &Sought, text: &str) -> Vec<(RootKey, Reference)> {
        let mut found = Vec::new();
        for member in self.standing.estate.members() {
            let mut names = self.names.borrow_mut();
            let names = names.entry((member.key, sought.clone())).or_insert_with(|| {
                self.standing.estate.names(member, sought, self.plain, self.caches, self.tables)
            });
            found.extend(names.of(text).iter().map(|reference| (member.key, reference.clone())));
        }
        found
    }

    /// The world of a root; none past the limit.
    pub(super) fn world(self: &Rc<Self>, key: RootKey) -> Option<Rc<World<'a>>> {
        if let Some(known) = self.worlds.borrow().get(&key) {
            return Some(Rc::clone(known));
        }
        if self.worlds.borrow().len() > MOST {
            return None;
        }
        let inputs = &self.member(key)?.inputs;
        let world = World::new(inputs, self.files, self.caches, self.tables, Memo::default());
        let world = world.among(key, self);
        self.worlds.borrow_mut().insert(key, Rc::clone(&world));
        Some(world)
    }
}
