//! A root while it is evaluated: its module instances, what was given to it, and what was already answered.
//!
//! Everything is evaluated when it is first asked for and remembered; a question that is asked while it is
//! being answered is a cycle, and unknown.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use auditlint_syntax::{Files, Location, Name};
use camino::Utf8PathBuf;
use rustc_hash::FxHashMap;

use super::calls::installed_modules;
use super::declared::Declared;
use super::expand::Instances;
use super::folder::Folder;
use super::limits::Limits;
use super::memo::{Answer, Asked, Aspect, Memo, Question};
use super::modules::{Children, Module, ModuleId, Modules, Scope};
use super::neighbours::Neighbours;
use super::variables::Given;
use super::{Caches, RootInputs};
use crate::{
    Cause, CauseKind, Gap, GapKind, Mode, ModulePath, Origin, Reference, RootKey, Tables, Tracked, Unknown,
    Value,
};

/// Deepest chain of questions; a longer one is answered with unknown.
pub(super) const DEEPEST_QUESTIONS: u32 = 120;

pub(super) struct World<'a> {
    pub(super) inputs: &'a RootInputs,
    pub(super) files: &'a dyn Files,
    pub(super) caches: &'a Caches,
    pub(super) tables: &'a Tables,
    pub(super) given: Given,
    /// Shared with the roots that this one reads.
    pub(super) limits: Rc<Limits>,
    /// The number of the root, and the other roots of the run.
    pub(super) neighbours: Option<(RootKey, Rc<Neighbours<'a>>)>,
    pub(super) modules: RefCell<Modules>,
    pub(super) memo: RefCell<Memo>,
    /// The files and folders that functions asked for: no question of the memo is about them.
    pub(super) data: RefCell<BTreeSet<Utf8PathBuf>>,
    pub(super) installed: FxHashMap<String, Utf8PathBuf>,
}

/// What stays of a world between two revisions.
pub(super) struct Kept {
    pub(super) given: Given,
    pub(super) modules: Modules,
    pub(super) memo: Memo,
    pub(super) data: BTreeSet<Utf8PathBuf>,
    pub(super) installed: FxHashMap<String, Utf8PathBuf>,
}

impl<'a> World<'a> {
    pub(super) fn new(
        inputs: &'a RootInputs,
        files: &'a dyn Files,
        caches: &'a Caches,
        tables: &'a Tables,
        memo: Memo,
    ) -> Self {
        let mut modules = Modules::default();
        let real_path = files.real_folder(&inputs.folder);
        modules.add(Module {
            path: ModulePath::root(),
            folder: caches.files.folder(&real_path, files, &caches.blocks),
            folder_path: inputs.folder.clone(),
            real_path,
            parent: None,
            call: Name::default(),
            scope: Scope::default(),
            depth: 0,
            undecided: None,
            nearest_call: None,
        });
        let given = Given::read(inputs, files, caches);
        let installed = installed_modules(inputs, files);
        Self::resume(
            inputs,
            files,
            caches,
            tables,
            Kept { given, modules, memo, data: BTreeSet::new(), installed },
        )
    }

    /// The world of before, over the files of now.
    pub(super) fn resume(
        inputs: &'a RootInputs,
        files: &'a dyn Files,
        caches: &'a Caches,
        tables: &'a Tables,
        kept: Kept,
    ) -> Self {
        let Kept { given, modules, memo, data, installed } = kept;
        let (modules, memo, data) = (RefCell::new(modules), RefCell::new(memo), RefCell::new(data));
        let (limits, neighbours) = (Rc::default(), None);
        Self { inputs, files, caches, tables, given, limits, neighbours, modules, memo, data, installed }
    }

    /// The same world as that of root `key`, which can ask the others.
    pub(super) fn among(self, key: RootKey, neighbours: &Rc<Neighbours<'a>>) -> Rc<Self> {
        let limits = Rc::clone(&neighbours.limits);
        Rc::new(Self { limits, neighbours: Some((key, Rc::clone(neighbours))), ..self })
    }

    pub(super) fn keep(self) -> Kept {
        let Self { given, modules, memo, data, installed, .. } = self;
        let (modules, memo, data) = (modules.into_inner(), memo.into_inner(), data.into_inner());
        Kept { given, modules, memo, data, installed }
    }

    pub(super) fn module(&self, id: ModuleId) -> Arc<Module> {
        self.modules.borrow().get(id)
    }

    /// The folder of module `id`, to look for what it declares as `declared`.
    pub(super) fn looking_for(&self, id: ModuleId, declared: Declared) -> Arc<Module> {
        self.memo.borrow_mut().note_text(id, declared);
        self.module(id)
    }

    /// Every gap, sorted: a module that is missing, or a name that is not declared, counts its places.
    pub(super) fn gaps(&self) -> Vec<Gap> {
        let mut gaps = self.memo.borrow().gaps();
        gaps.extend(self.given.gaps.iter().cloned());
        let mut folders: Vec<*const Folder> = Vec::new();
        for (_, module) in self.modules.borrow().iter() {
            if !folders.contains(&Arc::as_ptr(&module.folder)) {
                folders.push(Arc::as_ptr(&module.folder));
                gaps.extend(module.folder.gaps());
            }
        }
        gaps.sort();
        let counts = |gap: &Gap| matches!(gap.kind, GapKind::MissingModule | GapKind::Reference);
        let mut out: Vec<Gap> = Vec::new();
        let mut known: HashMap<(GapKind, String, String, Option<Location>), usize> = HashMap::new();
        for gap in gaps {
            let at = if counts(&gap) { None } else { gap.at };
            let place =
                known.entry((gap.kind, gap.path.clone(), gap.reason.clone(), at)).or_insert(out.len());
            match out.get_mut(*place) {
                Some(known) if gap.kind == GapKind::MissingModule || known.at != gap.at => known.count += 1,
                Some(_) => {}
                None => out.push(gap),
            }
        }
        out
    }

    pub(super) fn gap(&self, gap: Gap) {
        let loose = self.memo.borrow_mut().keep_gap(gap);
        debug_assert!(loose.is_none(), "a gap is found while something is asked");
    }

    /// The path of the file that a place lies in.
    pub(super) fn path_of(&self, at: Location) -> String {
        self.files.paths().path(at.file).to_string()
    }

    pub(super) fn unknown(&self, kind: CauseKind, subject: &str, hint: &str, at: Location) -> Tracked {
        let cause = Cause { kind, subject: subject.to_owned(), hint: hint.to_owned() };
        let origin = Origin::Derived(Arc::new(crate::Derived::new(at, Box::default())));
        Tracked::new(Value::Unknown(Arc::new(Unknown::because(cause))), origin)
    }

    /// Answers a question once, and gives the answer of then whenever it is asked again.
    fn ask(
        &self,
        question: Question,
        circular: impl FnOnce() -> Answer,
        answer: impl FnOnce() -> Answer,
    ) -> Answer {
        let aspect = question.aspect;
        let asked = self.memo.borrow_mut().ask(question);
        match asked {
            Asked::Known(answer) => answer,
            Asked::Circular => {
                self.limits.cuts.set(self.limits.cuts.get() + 1);
                self.neighbours.iter().for_each(|(_, neighbours)| neighbours.note_circle());
                circular()
            }
            Asked::Open(entry) => {
                let (is_attribute, cuts) = (aspect == Aspect::Attribute, self.limits.cuts.get());
                let answer = answer();
                let is_kept = !is_attribute || cuts == self.limits.cuts.get();
                self.memo.borrow_mut().answered(entry, is_kept.then(|| answer.clone()));
                answer
            }
        }
    }

    /// The value of a variable, a local value or an output of module `id`.
    pub(super) fn value(
        &self,
        id: ModuleId,
        declared: Declared,
        at: Location,
        evaluate: impl FnOnce() -> Tracked,
    ) -> Tracked {
        self.valued(Question { module: id, aspect: Aspect::Value, declared }, at, evaluate)
    }

    /// The value of an attribute of one instance of a resource of module `id`. What is written as a literal, and what
    /// the evaluated resource itself names, is as quickly evaluated as it is looked up; further away attributes that
    /// name others would be evaluated once for each way that leads to them.
    pub(super) fn attribute(
        &self,
        id: ModuleId,
        attribute: &Reference,
        at: Location,
        evaluate: impl FnOnce() -> Tracked,
    ) -> Tracked {
        let open = &self.limits.attributes;
        let around = open.replace(open.get() + 1);
        let value = if around == 0 {
            evaluate()
        } else {
            let declared = Declared::Attribute(Box::new(attribute.clone()));
            self.valued(Question { module: id, aspect: Aspect::Attribute, declared }, at, evaluate)
        };
        open.set(around);
        value
    }

    fn valued(&self, question: Question, at: Location, evaluate: impl FnOnce() -> Tracked) -> Tracked {
        let circular = || {
            let hint = "remove the cycle; terraform refuses it too";
            Answer::Value(self.unknown(CauseKind::Function, CYCLE, hint, at))
        };
        match self.ask(question, circular, || Answer::Value(cut(evaluate()))) {
            Answer::Value(value) => value,
            _ => Tracked::default(),
        }
    }

    /// The instances of a resource of module `id`.
    pub(super) fn instances(&self, id: ModuleId, mode: Mode, kind: &Name, name: &Name) -> Arc<Instances> {
        let declared = Declared::Resource(mode, kind.clone(), name.clone());
        // Of most resources there is one instance, as their text alone says: no answer of its own is kept.
        let module = self.looking_for(id, declared.clone());
        if module.folder.resource(mode, kind, name).is_none_or(Instances::is_plain) {
            return Arc::new(Instances::One);
        }
        let circular = || Answer::Instances(Arc::new(Instances::Undecided(circle())));
        let question = Question { module: id, aspect: Aspect::Instances, declared: declared.clone() };
        let answer = self.ask(question, circular, || {
            let module = self.looking_for(id, declared);
            let block = module.folder.resource(mode, kind, name);
            let instances = block.map_or(Instances::One, |block| self.expand(id, block, &module.scope));
            Answer::Instances(Arc::new(instances))
        });
        match answer {
            Answer::Instances(instances) => instances,
            _ => Arc::new(Instances::One),
        }
    }

    /// What the module call `name` of module `id` makes; none when there is no such call.
    pub(super) fn children(&self, id: ModuleId, name: &Name) -> Option<Arc<Children>> {
        let declared = Declared::Call(name.clone());
        let module = self.looking_for(id, declared.clone());
        let call = module.folder.call(name)?;
        let circular = || Answer::Children(Arc::new(Children::Missing(circle())));
        let question = Question { module: id, aspect: Aspect::Children, declared: declared.clone() };
        let answer = self.ask(question, circular, || {
            self.memo.borrow_mut().note_text(id, declared);
            Answer::Children(Arc::new(self.call(id, &module, name, call)))
        });
        match answer {
            Answer::Children(children) => Some(children),
            _ => None,
        }
    }

    /// A resource of module `id`, instance by instance.
    pub(super) fn resources(
        &self,
        id: ModuleId,
        mode: Mode,
        kind: &Name,
        name: &Name,
    ) -> Arc<[Arc<crate::Resource>]> {
        let declared = Declared::Resource(mode, kind.clone(), name.clone());
        self.made(id, declared, |module| self.evaluate_resource(id, module, mode, kind, name))
    }

    /// What stands for the module call `name` of module `id`, whose module is not here.
    pub(super) fn stand_ins(&self, id: ModuleId, name: &Name) -> Arc<[Arc<crate::Resource>]> {
        self.made(id, Declared::Call(name.clone()), |module| self.evaluate_stand_ins(id, module, name))
    }

    fn made(
        &self,
        id: ModuleId,
        declared: Declared,
        evaluate: impl FnOnce(&Module) -> Vec<Arc<crate::Resource>>,
    ) -> Arc<[Arc<crate::Resource>]> {
        let question = Question { module: id, aspect: Aspect::Resources, declared: declared.clone() };
        let nothing = || Answer::Resources(Arc::from([]));
        let answer = self
            .ask(question, nothing, || Answer::Resources(evaluate(&self.looking_for(id, declared)).into()));
        match answer {
            Answer::Resources(resources) => resources,
            _ => Arc::from([]),
        }
    }
}

fn circle() -> Cause {
    Cause { kind: CauseKind::Function, subject: CYCLE.to_owned(), hint: String::new() }
}

/// The cause of what rests on itself.
const CYCLE: &str = "a cycle";

/// An answer without the way around its cycle, which depends on where the evaluation came in.
fn cut(value: Tracked) -> Tracked {
    match (value.unknown(), value.origin.at()) {
        (Some(unknown), Some(at)) if unknown.cause.subject == CYCLE => {
            let origin = Origin::Derived(Arc::new(crate::Derived::new(at, Box::default())));
            Tracked { origin, ..value }.with_references(None)
        }
        _ => value,
    }
}
