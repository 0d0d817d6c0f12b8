//! Module instances and what was already evaluated in them.
//!
//! Everything is evaluated when it is first asked for and remembered; a question that is asked while it is
//! being answered is a cycle, and unknown.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use auditlint_syntax::{Files, Location, Name};
use camino::Utf8PathBuf;
use rustc_hash::FxHashMap;

use super::expand::Instances;
use super::folder::{BlockRef, Folder};
use super::variables::Given;
use super::{Caches, RootInputs, join_source};
use crate::{Cause, CauseKind, Gap, GapKind, Key, ModulePath, Origin, Tables, Tracked, Unknown, Value};

/// Deepest chain of module calls.
const DEEPEST_CALLS: usize = 32;
/// Deepest chain of questions; a longer one is answered with unknown.
pub(super) const DEEPEST_QUESTIONS: u32 = 120;

/// A module instance.
pub(super) struct Module {
    pub(super) path: ModulePath,
    pub(super) folder: Arc<Folder>,
    pub(super) folder_path: Utf8PathBuf,
    /// The call that made it, and the module in which that call stands.
    pub(super) parent: Option<(usize, BlockRef)>,
    pub(super) scope: Scope,
    pub(super) depth: usize,
    /// Whether its existence is undecided, and why.
    pub(super) undecided: Option<Cause>,
    /// The call of ours through which a module that is not ours was reached.
    pub(super) nearest_call: Option<Location>,
    answers: RefCell<FxHashMap<Question, Option<Tracked>>>,
    instances: RefCell<FxHashMap<usize, Option<Rc<Instances>>>>,
    children: RefCell<FxHashMap<Name, Option<Rc<Children>>>>,
}

/// What a call makes.
pub(super) enum Children {
    /// Nothing can be said: the source was not read.
    Missing(Cause),
    /// One instance, or the stand-in for instances that are not known.
    One(usize),
    /// By `count`.
    Indexed(Vec<usize>),
    /// By `for_each`.
    Keyed(Vec<(Name, usize)>),
    /// The instances are not known; one stand-in.
    Undecided(usize, Cause),
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Question {
    Variable(Name),
    Local(Name),
    Output(Name),
}

/// The names that an expression sees beside those of its module.
#[derive(Clone, Default)]
pub(super) struct Scope {
    pub(super) each: Option<(Tracked, Tracked)>,
    pub(super) index: Option<Tracked>,
    pub(super) names: Vec<(Name, Tracked)>,
    pub(super) item: Option<Tracked>,
}

pub(super) struct World<'a> {
    pub(super) inputs: &'a RootInputs,
    pub(super) files: &'a dyn Files,
    pub(super) caches: &'a Caches,
    pub(super) tables: &'a Tables,
    pub(super) given: Given,
    pub(super) gaps: RefCell<Vec<Gap>>,
    modules: RefCell<Vec<Rc<Module>>>,
    installed: FxHashMap<String, Utf8PathBuf>,
    pub(super) depth: Cell<u32>,
}

impl<'a> World<'a> {
    pub(super) fn new(
        inputs: &'a RootInputs,
        files: &'a dyn Files,
        caches: &'a Caches,
        tables: &'a Tables,
    ) -> Self {
        let mut gaps = Vec::new();
        let given = Given::read(inputs, files, caches, &mut gaps);
        let world = Self {
            inputs,
            files,
            caches,
            tables,
            given,
            gaps: RefCell::new(gaps),
            modules: RefCell::default(),
            installed: installed_modules(inputs, files),
            depth: Cell::new(0),
        };
        let folder = caches.files.folder(&inputs.folder, files, &caches.blocks);
        world.add(Module {
            path: ModulePath::root(),
            folder,
            folder_path: inputs.folder.clone(),
            parent: None,
            scope: Scope::default(),
            depth: 0,
            undecided: None,
            nearest_call: None,
            answers: RefCell::default(),
            instances: RefCell::default(),
            children: RefCell::default(),
        });
        world
    }

    fn add(&self, module: Module) -> usize {
        let mut modules = self.modules.borrow_mut();
        modules.push(Rc::new(module));
        modules.len() - 1
    }

    pub(super) fn module(&self, id: usize) -> Rc<Module> {
        let modules = self.modules.borrow();
        Rc::clone(
            modules.get(id).or(modules.first()).unwrap_or_else(|| unreachable!("the root is always there")),
        )
    }

    pub(super) fn modules(&self) -> usize {
        self.modules.borrow().len()
    }

    pub(super) fn gap(&self, gap: Gap) {
        let mut gaps = self.gaps.borrow_mut();
        let same =
            |other: &&mut Gap| other.kind == gap.kind && other.reason == gap.reason && other.path == gap.path;
        match gaps.iter_mut().find(same) {
            Some(known) if gap.kind == GapKind::MissingModule => known.count += 1,
            Some(known) if known.at == gap.at => {}
            _ => gaps.push(gap),
        }
    }

    /// The path of the file that a place lies in.
    pub(super) fn path_of(&self, at: Location) -> String {
        self.files.paths().path(at.file).to_string()
    }

    pub(super) fn unknown(&self, kind: CauseKind, subject: &str, hint: &str, at: Location) -> Tracked {
        let cause = Cause { kind, subject: subject.to_owned(), hint: hint.to_owned() };
        let origin = Origin::Derived(Arc::new(crate::Derived { at, from: Box::default() }));
        Tracked::new(Value::Unknown(Arc::new(Unknown::because(cause))), origin)
    }

    /// Answers `question` in module `id` once; a cycle is unknown.
    pub(super) fn answer(
        &self,
        id: usize,
        question: Question,
        at: Location,
        ask: impl FnOnce() -> Tracked,
    ) -> Tracked {
        let module = self.module(id);
        match module.answers.borrow().get(&question) {
            Some(Some(known)) => return known.clone(),
            Some(None) => {
                return self.unknown(
                    CauseKind::Function,
                    "a cycle",
                    "remove the cycle; terraform refuses it too",
                    at,
                );
            }
            None => {}
        }
        module.answers.borrow_mut().insert(question.clone(), None);
        let answer = ask();
        module.answers.borrow_mut().insert(question, Some(answer.clone()));
        answer
    }

    /// The instances of resource block `declaration` of module `id`.
    pub(super) fn instances(&self, id: usize, declaration: usize) -> Rc<Instances> {
        let module = self.module(id);
        match module.instances.borrow().get(&declaration) {
            Some(Some(known)) => return Rc::clone(known),
            Some(None) => {
                let cause =
                    Cause { kind: CauseKind::Function, subject: "a cycle".to_owned(), hint: String::new() };
                return Rc::new(Instances::Undecided(cause));
            }
            None => {}
        }
        module.instances.borrow_mut().insert(declaration, None);
        let instances = Rc::new(match module.folder.resources.get(declaration) {
            Some(found) => self.expand(id, &found.block, &module.scope),
            None => Instances::One,
        });
        module.instances.borrow_mut().insert(declaration, Some(Rc::clone(&instances)));
        instances
    }

    /// What the module call `name` of module `id` makes; none when there is no such call.
    pub(super) fn children(&self, id: usize, name: &Name) -> Option<Rc<Children>> {
        let module = self.module(id);
        if let Some(known) = module.children.borrow().get(name) {
            return known.clone();
        }
        let (_, call) = module.folder.calls.iter().find(|(call, _)| call == name)?;
        module.children.borrow_mut().insert(name.clone(), None);
        let children = Rc::new(self.call(id, &module, name, call));
        module.children.borrow_mut().insert(name.clone(), Some(Rc::clone(&children)));
        Some(children)
    }

    fn call(&self, id: usize, module: &Rc<Module>, name: &Name, call: &BlockRef) -> Children {
        let at = call.place(call.block().header);
        let missing = |reason: &str| {
            Children::Missing(Cause {
                kind: CauseKind::Module,
                subject: format!("module.{name}"),
                hint: reason.to_owned(),
            })
        };
        if module.depth >= DEEPEST_CALLS {
            self.source_gap(
                GapKind::Unsupported,
                at,
                format!("module.{name}: module calls nested too deeply"),
                "",
            );
            return missing("");
        }
        let source = Folder::source_of(call).unwrap_or_default().to_owned();
        let local = source.starts_with("./") || source.starts_with("../");
        let key = self.module_key(module, name);
        let path =
            if local { join_source(&module.folder_path, &source) } else { self.installed.get(&key).cloned() };
        let folder =
            path.as_ref().map(|path| self.caches.files.folder(path, self.files, &self.caches.blocks));
        let Some((path, folder)) = path.zip(folder).filter(|(_, folder)| folder.files > 0) else {
            let version = match call.block().body.attribute("version").map(|version| &version.value.kind) {
                Some(auditlint_syntax::hcl::ExprKind::String(version)) => format!(" {version}"),
                _ => String::new(),
            };
            let hint = if local { "" } else { "run 'terraform get'" };
            self.source_gap(
                GapKind::MissingModule,
                at,
                format!("module {source:?}{version} is not here"),
                hint,
            );
            return missing(hint);
        };
        let nearest_call = module.nearest_call.or((!local).then_some(at));
        let make = |key: Option<Key>, scope: Scope, undecided: Option<Cause>| {
            self.add(Module {
                path: module.path.child(name, key.as_ref()),
                folder: Arc::clone(&folder),
                folder_path: path.clone(),
                parent: Some((id, call.clone())),
                scope,
                depth: module.depth + 1,
                undecided: undecided.or_else(|| module.undecided.clone()),
                nearest_call,
                answers: RefCell::default(),
                instances: RefCell::default(),
                children: RefCell::default(),
            })
        };
        match self.expand(id, call, &module.scope) {
            Instances::One => Children::One(make(None, module.scope.clone(), None)),
            Instances::Count(count) => Children::Indexed(
                (0..count)
                    .map(|n| make(Some(Key::Index(n)), self.indexed(&module.scope, n, at), None))
                    .collect(),
            ),
            Instances::Each(each) => Children::Keyed(
                each.iter()
                    .map(|(key, value)| {
                        let scope = self.keyed(&module.scope, key, value, at);
                        (key.clone(), make(Some(Key::Text(key.clone())), scope, None))
                    })
                    .collect(),
            ),
            Instances::Undecided(cause) => {
                let scope = self.undecided_scope(&module.scope, &cause, at);
                Children::Undecided(make(None, scope, Some(cause.clone())), cause)
            }
        }
    }

    /// The key of a call in `modules.json`: the names of the calls from the root, with dots.
    fn module_key(&self, module: &Module, name: &str) -> String {
        let path = module.path.without_keys().to_string();
        let calls: Vec<&str> =
            path.split('.').filter(|part| *part != "module" && !part.is_empty()).chain([name]).collect();
        calls.join(".")
    }

    fn source_gap(&self, kind: GapKind, at: Location, reason: String, hint: &str) {
        let path = self.path_of(at);
        self.gap(Gap { kind, path, at: Some(at), reason, hint: hint.to_owned(), count: 1 });
    }
}

/// The folders of installed modules, by the key of their call.
fn installed_modules(inputs: &RootInputs, files: &dyn Files) -> FxHashMap<String, Utf8PathBuf> {
    let Ok(source) = files.read(&inputs.folder.join(".terraform/modules/modules.json")) else {
        return FxHashMap::default();
    };
    let document = auditlint_syntax::document::parse_json(source.text());
    let modules = document.root.get("Modules").map(|modules| modules.items()).unwrap_or_default();
    modules
        .iter()
        .filter_map(|module| {
            let text = |key| module.get(key).and_then(auditlint_syntax::document::Node::as_str);
            Some((text("Key")?.to_owned(), join_source(&inputs.folder, text("Dir")?)?))
        })
        .collect()
}
