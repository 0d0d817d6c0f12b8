//! Module instances: the root module, and what the module calls make.

use std::sync::Arc;

use auditlint_syntax::Name;
use camino::Utf8PathBuf;
use rustc_hash::FxHashMap;

use super::declared::{BlockRef, Declared};
use super::folder::Folder;
use crate::{Cause, ModulePath, Tracked};

/// A module instance by number; 0 is the root module. A number is never given to another one.
pub(super) type ModuleId = usize;

/// The root module, which a world adds first.
pub(super) const ROOT: ModuleId = 0;

/// A module instance.
#[derive(Clone)]
pub(super) struct Module {
    pub(super) path: ModulePath,
    pub(super) folder: Arc<Folder>,
    /// The folder as it is called: what is named from inside of it begins here.
    pub(super) folder_path: Utf8PathBuf,
    /// The same folder with its links followed: its texts have these paths.
    pub(super) real_path: Utf8PathBuf,
    /// The call that made it, and the module in which that call stands.
    pub(super) parent: Option<(ModuleId, BlockRef)>,
    /// The name of that call.
    pub(super) call: Name,
    pub(super) scope: Scope,
    pub(super) depth: usize,
    /// Whether its existence is undecided, and why.
    pub(super) undecided: Option<Cause>,
    /// The call of ours through which a module that is not ours was reached.
    pub(super) nearest_call: Option<Arc<crate::Declared>>,
}

/// What a call makes.
pub(super) enum Children {
    /// Nothing can be said: the source was not read.
    Missing(Cause),
    /// One instance, or the stand-in for instances that are not known.
    One(ModuleId),
    /// By `count`.
    Indexed(Vec<ModuleId>),
    /// By `for_each`.
    Keyed(Vec<(Name, ModuleId)>),
    /// The instances are not known; one stand-in.
    Undecided(ModuleId, Cause),
}

/// The names that an expression sees beside those of its module.
#[derive(Clone, Default)]
pub(super) struct Scope {
    pub(super) each: Option<(Tracked, Tracked)>,
    pub(super) index: Option<Tracked>,
    pub(super) names: Vec<(Name, Tracked)>,
    pub(super) item: Option<Tracked>,
}

/// The module instances of a root.
#[derive(Default)]
pub(super) struct Modules {
    all: Vec<Option<Arc<Module>>>,
    by_path: FxHashMap<ModulePath, ModuleId>,
}

impl Modules {
    pub(super) fn add(&mut self, module: Module) -> ModuleId {
        let id = self.all.len();
        self.by_path.entry(module.path.clone()).or_insert(id);
        self.all.push(Some(Arc::new(module)));
        id
    }

    /// The module instance; the root where it is gone.
    pub(super) fn get(&self, id: ModuleId) -> Arc<Module> {
        let found = self.all.get(id).into_iter().chain(self.all.first()).flatten().next();
        found.map(Arc::clone).unwrap_or_else(|| unreachable!("the root is always there"))
    }

    pub(super) fn by_path(&self, path: &ModulePath) -> Option<ModuleId> {
        self.by_path.get(path).copied()
    }

    pub(super) fn is_there(&self, id: ModuleId) -> bool {
        self.all.get(id).is_some_and(Option::is_some)
    }

    /// Those that are there, the root first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ModuleId, &Arc<Module>)> {
        self.all.iter().enumerate().filter_map(|(id, module)| Some((id, module.as_ref()?)))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_path.len()
    }

    /// The number that the next one gets.
    pub(super) fn next(&self) -> ModuleId {
        self.all.len()
    }

    /// The texts of the folder of `id` are these.
    pub(super) fn set_folder(&mut self, id: ModuleId, folder: Arc<Folder>) {
        if let Some(Some(module)) = self.all.get_mut(id) {
            Arc::make_mut(module).folder = folder;
        }
    }

    /// Takes out what call `name` of module `parent` made, and everything below. Gives their numbers.
    pub(super) fn remove_children(&mut self, parent: ModuleId, name: &Name) -> Vec<ModuleId> {
        let mut gone: Vec<ModuleId> = Vec::new();
        for (id, module) in self.iter() {
            // A module comes after the one that calls it.
            let is_gone = module
                .parent
                .as_ref()
                .is_some_and(|(above, _)| (*above == parent && module.call == *name) || gone.contains(above));
            if is_gone {
                gone.push(id);
            }
        }
        for id in &gone {
            if let Some(module) = self.all.get_mut(*id).and_then(Option::take) {
                self.by_path.remove(&module.path);
            }
        }
        gone
    }
}

impl Module {
    /// The question about the call that made it.
    pub(super) fn call_of(&self) -> Option<(ModuleId, Declared)> {
        self.parent.as_ref().map(|(parent, _)| (*parent, Declared::Call(self.call.clone())))
    }
}
