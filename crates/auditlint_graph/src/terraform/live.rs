//! A root that is evaluated again and again: after an edit, only what was made from the edited blocks.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use auditlint_syntax::{Access, Files, Name, Recorder};
use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::{FxHashMap, FxHashSet};

use super::calls::installed_modules;
use super::declared::Declared;
use super::estate::Standing;
use super::memo::{Aspect, Memo, Question};
use super::modules::{Children, ModuleId};
use super::neighbours::{Neighbours, Seen};
use super::variables::Given;
use super::world::{Kept, World};
use super::{Caches, Configuration, RootInputs};
use crate::{Delta, Resource, ResourceGraph, Slot, Tables};

/// How many questions may lie unused before everything is evaluated anew.
const UNUSED: usize = 50_000;

/// An evaluated root that follows the edits of its texts.
pub struct Live {
    /// The root as it is now.
    pub configuration: Configuration,
    tables: Tables,
    kept: Option<Kept>,
    placed: Placed,
    /// Number of questions after the first evaluation.
    asked: usize,
}

/// The slots of each resource block in each module instance.
type Placed = FxHashMap<(ModuleId, Declared), Vec<Slot>>;

/// Reads and evaluates a root that nobody edits.
pub(super) fn load_once(
    inputs: &RootInputs,
    standing: Option<Standing<'_>>,
    files: &dyn Files,
    caches: &Caches,
    tables: &Tables,
) -> Configuration {
    load(inputs, standing, files, caches, tables, Memo::default(), None).0
}

/// Evaluates a root from nothing.
fn load(
    inputs: &RootInputs,
    standing: Option<Standing<'_>>,
    files: &dyn Files,
    caches: &Caches,
    tables: &Tables,
    memo: Memo,
    placed: Option<&mut Placed>,
) -> (Configuration, Option<Kept>) {
    let (own, others) = (Recorder::new(files), Recorder::new(files));
    let mut configuration = Configuration::default();
    let (kept, seen) = {
        let world = World::new(inputs, &own, caches, tables, memo);
        let neighbours = standing.map(|standing| Neighbours::new(standing, files, &others, caches, tables));
        let world = entered(world, neighbours.as_ref());
        let graph = Arc::make_mut(&mut configuration.graph);
        Placer { world: &world, graph, placed, delta: None, visited: 0 }.visit_new();
        finish(&world, &mut configuration);
        left(world, neighbours.as_ref())
    };
    configuration.seen = seen;
    record(&mut configuration, own.accesses(), others.accesses());
    (configuration, kept)
}

/// The world among its neighbours, which know it.
fn entered<'a>(world: World<'a>, neighbours: Option<&Rc<Neighbours<'a>>>) -> Rc<World<'a>> {
    let Some(neighbours) = neighbours else { return Rc::new(world) };
    let world = world.among(neighbours.own(), neighbours);
    neighbours.enter(&world);
    world
}

/// What stays of a world, and what was seen of its neighbours.
fn left(world: Rc<World<'_>>, neighbours: Option<&Rc<Neighbours<'_>>>) -> (Option<Kept>, Option<Seen>) {
    let seen = neighbours.and_then(|neighbours| neighbours.leave());
    (Rc::try_unwrap(world).ok().map(World::keep), seen)
}

/// Adds what was asked for. A root goes on depending on what it read before; one dependency too many only costs a
/// look.
fn record(configuration: &mut Configuration, own: Vec<Access>, others: Vec<Access>) {
    let add = |known: &mut Arc<[Access]>, mut new: Vec<Access>| {
        new.retain(|access| known.binary_search(access).is_err());
        if !new.is_empty() {
            new.extend(known.iter().cloned());
            new.sort();
            new.dedup();
            *known = new.into();
        }
    };
    add(&mut configuration.elsewhere, others.clone());
    add(&mut configuration.accesses, own);
    add(&mut configuration.accesses, others);
}

impl Live {
    /// Reads and evaluates a root, alone or among the other roots of a run.
    #[must_use]
    pub fn load(
        inputs: &RootInputs,
        standing: Option<Standing<'_>>,
        files: &dyn Files,
        caches: &Caches,
        tables: &Tables,
    ) -> Self {
        let mut placed = Placed::default();
        let (configuration, kept) =
            load(inputs, standing, files, caches, tables, Memo::following(), Some(&mut placed));
        let asked = kept.as_ref().map_or(0, |kept| kept.memo.len());
        Self { configuration, tables: tables.clone(), kept, placed, asked }
    }

    /// Whether a text that was read of other roots is among `changed`; any may be, where that is not known.
    fn reads_elsewhere(&self, changed: Option<&[Utf8PathBuf]>) -> bool {
        let elsewhere = &self.configuration.elsewhere;
        let has = |access: Access| elsewhere.binary_search(&access).is_ok();
        let is_read = |path: &Utf8Path| {
            has(Access::Read(path.to_owned()))
                || path.parent().is_some_and(|parent| has(Access::List(parent.to_owned())))
        };
        match changed {
            Some(changed) => !elsewhere.is_empty() && changed.iter().any(|path| is_read(path)),
            None => !elsewhere.is_empty(),
        }
    }

    /// Takes in that texts changed: those of `changed` alone, where that is known, and no file came or went.
    /// Gives what is different; none when everything was evaluated anew.
    pub fn update(
        &mut self,
        inputs: &RootInputs,
        standing: Option<Standing<'_>>,
        files: &dyn Files,
        caches: &Caches,
        changed: Option<&[Utf8PathBuf]>,
    ) -> Option<Delta> {
        let tables = self.tables.clone();
        let kept = self.kept.take();
        let kept = kept.filter(|kept| kept.memo.len() < 2 * self.asked + UNUSED);
        let is_installed_alike =
            |kept: &Kept| changed.is_some() || kept.installed == installed_modules(inputs, files);
        // What functions made of a file that is no part of the configuration is found anew with everything else.
        let is_data_alike = |kept: &Kept| match changed {
            Some(changed) => !changed.iter().any(|path| kept.data.contains(path)),
            None => kept.data.is_empty(),
        };
        // Of a circle of roots the answers depend on where the evaluation came in.
        let is_circle = self.configuration.seen.as_ref().is_some_and(|seen| seen.circular);
        let is_seen_alike = |_: &Kept| {
            !is_circle
                && !self.reads_elsewhere(changed)
                && self.configuration.sees_the_same(standing, files, caches, &tables)
        };
        let Some(kept) = kept.filter(is_installed_alike).filter(is_data_alike).filter(is_seen_alike) else {
            *self = Self::load(inputs, standing, files, caches, &tables);
            return None;
        };
        let (own, others) = (Recorder::new(files), Recorder::new(files));
        let mut delta = Delta::default();
        {
            let mut world = World::resume(inputs, &own, caches, &tables, kept);
            let texts = changed_texts(&mut world, changed);
            let neighbours =
                standing.map(|standing| Neighbours::new(standing, files, &others, caches, &tables));
            let world = entered(world, neighbours.as_ref());
            let mut placer = Placer {
                visited: world.modules.borrow().next(),
                world: &world,
                graph: Arc::make_mut(&mut self.configuration.graph),
                placed: Some(&mut self.placed),
                delta: Some(&mut delta),
            };
            placer.follow(texts);
            delta.gaps = finish(&world, &mut self.configuration);
            let (kept, seen) = left(world, neighbours.as_ref());
            self.kept = kept;
            let before = self.configuration.seen.take();
            self.configuration.seen = match seen {
                Some(seen) => Some(seen.and(before)),
                None => before,
            };
        }
        if self.configuration.seen.as_ref().is_some_and(|seen| seen.circular) {
            *self = Self::load(inputs, standing, files, caches, &tables);
            return None;
        }
        record(&mut self.configuration, own.accesses(), others.accesses());
        Some(delta)
    }
}

/// Brings the texts of `world` up to date. Gives the questions about texts whose answers are others now.
fn changed_texts(world: &mut World<'_>, changed: Option<&[Utf8PathBuf]>) -> Vec<Question> {
    let mut out = Vec::new();
    let about = |module, declared| Question { module, aspect: Aspect::Text, declared };
    if changed.is_none_or(|paths| paths.iter().any(|path| Given::reads(world.inputs, path))) {
        let given = Given::read(world.inputs, world.files, world.caches);
        let names = given.changes(&world.given).unwrap_or_else(|| world.module(0).folder.variables());
        out.extend(names.into_iter().map(|name| about(0, Declared::Variable(name))));
        world.given = given;
    }
    let modules: Vec<ModuleId> = world.modules.borrow().iter().map(|(id, _)| id).collect();
    let mut folders: BTreeMap<Utf8PathBuf, (Arc<super::Folder>, Vec<Declared>)> = BTreeMap::new();
    for id in modules {
        let module = world.module(id);
        let (folder, names) = folders.entry(module.real_path.clone()).or_insert_with(|| {
            let (path, old, blocks) = (&module.real_path, &module.folder, &world.caches.blocks);
            let parsed = &world.caches.files;
            let edited = changed.and_then(|changed| parsed.edited(path, old, changed, world.files, blocks));
            let new = edited.unwrap_or_else(|| parsed.folder(path, world.files, blocks));
            let names = if Arc::ptr_eq(&new, old) { Vec::new() } else { new.changes(old) };
            (new, names)
        });
        out.extend(names.iter().map(|declared| about(id, declared.clone())));
        if folder.files() == 0
            && let Some((parent, declared)) = module.call_of()
        {
            out.push(about(parent, declared));
        }
        if !Arc::ptr_eq(folder, &module.folder) {
            world.modules.borrow_mut().set_folder(id, Arc::clone(folder));
        }
    }
    // What a call could not find may have come.
    if changed.is_none() {
        out.extend(world.memo.borrow().missing().map(|(module, declared)| about(module, declared)));
    }
    out
}

/// Counts and collects what is not about one resource. True when the gaps are others than before.
fn finish(world: &World<'_>, configuration: &mut Configuration) -> bool {
    let gaps = world.gaps();
    let differs = configuration.graph.gaps != gaps;
    if differs {
        Arc::make_mut(&mut configuration.graph).gaps = gaps;
    }
    let modules = world.modules.borrow();
    let folders: BTreeMap<&Utf8PathBuf, usize> =
        modules.iter().map(|(_, module)| (&module.real_path, module.folder.files())).collect();
    configuration.files = folders.values().sum();
    if !configuration.folders.iter().eq(folders.keys().copied()) {
        configuration.folders = folders.into_keys().cloned().collect();
    }
    differs
}

/// Puts resources into the graph.
struct Placer<'p, 'w> {
    world: &'p World<'w>,
    graph: &'p mut ResourceGraph,
    placed: Option<&'p mut Placed>,
    delta: Option<&'p mut Delta>,
    /// Module instances below this number are in the graph already.
    visited: ModuleId,
}

impl Placer<'_, '_> {
    /// Puts in the resources of the module instances that are new, and of those that they call.
    fn visit_new(&mut self) {
        while self.visited < self.world.modules.borrow().next() {
            let id = self.visited;
            self.visited += 1;
            if !self.world.modules.borrow().is_there(id) {
                continue;
            }
            let module = self.world.module(id);
            for found in module.folder.resources() {
                let resources = self.world.resources(id, found.mode, found.kind, found.name);
                let declared = || Declared::Resource(found.mode, found.kind.clone(), found.name.clone());
                self.place(id, declared, &resources);
            }
            for (name, _) in module.folder.calls() {
                self.call(id, name);
            }
        }
    }

    /// Makes the module instances of a call, which are then visited, or puts in what stands for them.
    fn call(&mut self, id: ModuleId, name: &Name) {
        let stand_ins = match self.world.children(id, name).as_deref() {
            Some(Children::Missing(_)) => self.world.stand_ins(id, name),
            _ => Arc::from([]),
        };
        self.place(id, || Declared::Call(name.clone()), &stand_ins);
    }

    fn place(&mut self, id: ModuleId, declared: impl FnOnce() -> Declared, resources: &[Arc<Resource>]) {
        let facts = &self.world.tables.facts;
        let mut slots = Vec::new();
        for resource in resources {
            let (slot, old) = self.graph.put(Arc::clone(resource), facts);
            slots.push(slot);
            if let Some(delta) = &mut self.delta {
                delta.changed.push(slot);
                delta.previous.extend(old.map(|old| (slot, old)));
            }
        }
        let Some(placed) = &mut self.placed else { return };
        let before = placed.insert((id, declared()), slots.clone()).unwrap_or_default();
        self.take_out(before.into_iter().filter(|slot| !slots.contains(slot)));
    }

    fn take_out(&mut self, slots: impl Iterator<Item = Slot>) {
        for slot in slots {
            if let (Some(old), Some(delta)) =
                (self.graph.remove(slot, &self.world.tables.facts), &mut self.delta)
            {
                delta.removed.push((slot, old));
            }
        }
    }

    /// Evaluates anew what was made from `texts`.
    fn follow(&mut self, texts: Vec<Question>) {
        let mut todo: BTreeMap<(ModuleId, String), Question> = BTreeMap::new();
        let mut add = |question: Question| {
            if matches!(question.declared, Declared::Resource(..) | Declared::Call(_)) {
                todo.insert((question.module, format!("{:?}", question.declared)), question);
            }
        };
        let mut calls: Vec<Question> = texts.clone();
        let dropped = self.world.memo.borrow_mut().drop_answers(texts.iter().cloned());
        calls.extend(dropped.iter().filter(|question| question.aspect == Aspect::Children).cloned());
        texts.into_iter().chain(dropped).for_each(&mut add);
        // What a call made is gone with the answer, before anybody can ask for it again.
        while let Some(Question { module, declared, .. }) = calls.pop() {
            let Declared::Call(name) = &declared else { continue };
            let gone = self.world.modules.borrow_mut().remove_children(module, name);
            let dropped = self.world.memo.borrow_mut().drop_modules(&gone);
            calls.extend(dropped.iter().filter(|question| question.aspect == Aspect::Children).cloned());
            dropped.into_iter().for_each(&mut add);
        }
        for (_, Question { module: id, declared, .. }) in todo {
            let is_there = self.world.modules.borrow().is_there(id);
            match &declared {
                Declared::Resource(mode, kind, name) => {
                    let resources =
                        if is_there { self.world.resources(id, *mode, kind, name) } else { Arc::from([]) };
                    self.place(id, || declared.clone(), &resources);
                }
                Declared::Call(name) if is_there => self.call(id, name),
                _ => self.place(id, || declared.clone(), &[]),
            }
        }
        self.visit_new();
        if let Some(delta) = &mut self.delta {
            // A slot that was given up and used again has only changed.
            let changed: FxHashSet<Slot> = delta.changed.iter().copied().collect();
            let removed = std::mem::take(&mut delta.removed);
            let (again, gone): (Vec<_>, Vec<_>) =
                removed.into_iter().partition(|(slot, _)| changed.contains(slot));
            delta.removed = gone;
            delta.previous.extend(again);
            delta.changed.sort_unstable();
            delta.changed.dedup();
        }
    }
}
