//! Which resources of a root have a name that a data source may look for.
//!
//! The names of a root are found by the root alone: one that is made of what another root says is not followed, so
//! that nobody who looks for a name comes back to where they began.

use std::sync::Arc;

use auditlint_syntax::hcl::{HclFile, ItemKind};
use auditlint_syntax::{Access, Files, Name, Recorder};
use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::{FxHashMap, FxHashSet};

use super::declared::BlockRef;
use super::expand::Instances;
use super::folder::Folder;
use super::memo::Memo;
use super::modules::{Children, ModuleId};
use super::remote::is_remote;
use super::world::World;
use super::{Caches, RootInputs, join_source};
use crate::{Key, Mode, ModulePath, Origin, RefKey, Reference, References, Tables, Tracked, Unknown, Value};

/// What is looked for: resources of a type by an attribute.
pub(super) type Sought = (Name, Name);

/// The resources of a type by the text of an attribute, each as its own root refers to it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    by_text: FxHashMap<Name, Vec<Reference>>,
}

impl Names {
    /// The resources of that name.
    pub(super) fn of(&self, text: &str) -> &[Reference] {
        self.by_text.get(text).map_or(&[], Vec::as_slice)
    }

    /// The names in a root, and what was asked for to find them.
    pub(super) fn find(
        sought: &Sought,
        inputs: &RootInputs,
        files: &dyn Files,
        caches: &Caches,
        tables: &Tables,
    ) -> (Self, Arc<[Access]>) {
        let recorder = Recorder::new(files);
        let mut names = Self::default();
        if is_declared(&sought.0, inputs, &recorder, caches) {
            let world = World::new(inputs, &recorder, caches, tables, Memo::default());
            for reference in world.every(&sought.0) {
                let written = world.written_attribute(&reference, &sought.1);
                if let Some(text) = written.and_then(|written| world.naming(&written)) {
                    names.by_text.entry(text).or_default().push(reference);
                }
            }
        }
        (names, recorder.accesses().into())
    }
}

/// Whether a module that a root may call has a resource of type `kind`: nothing is evaluated for that.
fn is_declared(kind: &Name, inputs: &RootInputs, files: &dyn Files, caches: &Caches) -> bool {
    may_declare(inputs, files, caches, &|mode, declared| mode == Mode::Managed && declared == kind)
}

/// Whether a root may look at others: a module that it may call has a data source that does.
pub(super) fn may_look_around(
    inputs: &RootInputs,
    files: &dyn Files,
    caches: &Caches,
    tables: &Tables,
) -> bool {
    may_declare(inputs, files, caches, &|mode, declared| mode == Mode::Data && looks(declared, tables))
}

fn looks(kind: &Name, tables: &Tables) -> bool {
    is_remote(kind) || !tables.facts.lookups(kind).is_empty()
}

/// Whether the file at `path` may make a root look at others that did not before: by a data source of its own, or by
/// a module that was not looked through.
pub(super) fn adds(file: &HclFile, path: &Utf8Path, accesses: &[Access], tables: &Tables) -> bool {
    let blocks = file.items.iter().filter_map(|item| match &item.piece.kind {
        ItemKind::Block(block) => Some((block, BlockRef::of(item))),
        _ => None,
    });
    let is_known = |folder: Utf8PathBuf| accesses.binary_search(&Access::List(folder)).is_ok();
    let folder = path.parent().unwrap_or_else(|| Utf8Path::new(""));
    blocks.into_iter().any(|(block, reference)| match block.ident.as_str() {
        "data" => block.labels.first().is_some_and(|label| looks(&label.name, tables)),
        "module" => Folder::source_of(&reference)
            .filter(|source| source.starts_with("./") || source.starts_with("../"))
            .and_then(|source| join_source(folder, source))
            .is_some_and(|called| !is_known(called)),
        _ => false,
    })
}

/// Whether one of the modules that a root may call declares what `wanted` says.
fn may_declare(
    inputs: &RootInputs,
    files: &dyn Files,
    caches: &Caches,
    wanted: &dyn Fn(Mode, &Name) -> bool,
) -> bool {
    let installed = super::calls::installed_modules(inputs, files);
    let mut open: Vec<Utf8PathBuf> = installed.into_values().chain([inputs.folder.clone()]).collect();
    let mut seen: FxHashSet<Utf8PathBuf> = FxHashSet::default();
    while let Some(path) = open.pop() {
        let real = files.real_folder(&path);
        let folder = caches.files.folder(&real, files, &caches.blocks);
        if !seen.insert(real) {
            continue;
        }
        if folder.resources().any(|found| wanted(found.mode, found.kind)) {
            return true;
        }
        let sources = folder.calls().filter_map(|(_, call)| Folder::source_of(call));
        let local = sources.filter(|source| source.starts_with("./") || source.starts_with("../"));
        open.extend(local.filter_map(|source| join_source(&path, source)));
    }
    false
}

impl World<'_> {
    /// References to all resources of type `kind`, in every module instance.
    fn every(&self, kind: &Name) -> Vec<Reference> {
        let mut out = Vec::new();
        let mut open: Vec<ModuleId> = vec![0];
        while let Some(id) = open.pop() {
            let module = self.module(id);
            for found in
                module.folder.resources().filter(|found| found.mode == Mode::Managed && found.kind == kind)
            {
                let reference = |key| Reference {
                    root: None,
                    module: module.path.clone(),
                    mode: Mode::Managed,
                    kind: kind.clone(),
                    name: found.name.clone(),
                    key,
                    attribute: Name::default(),
                    exact: true,
                };
                match &*self.instances(id, Mode::Managed, kind, found.name) {
                    Instances::One => out.push(reference(RefKey::None)),
                    Instances::Count(count) => {
                        out.extend((0..*count).map(|n| reference(RefKey::Known(Key::Index(n)))));
                    }
                    Instances::Each(each) => {
                        out.extend(
                            each.iter().map(|(key, _)| reference(RefKey::Known(Key::Text(key.clone())))),
                        );
                    }
                    Instances::Undecided(_) => out.push(reference(RefKey::Unknown)),
                }
            }
            for (name, _) in module.folder.calls() {
                match self.children(id, name).as_deref() {
                    Some(Children::One(child) | Children::Undecided(child, _)) => open.push(*child),
                    Some(Children::Indexed(all)) => open.extend(all),
                    Some(Children::Keyed(all)) => open.extend(all.iter().map(|(_, child)| child)),
                    Some(Children::Missing(_)) | None => {}
                }
            }
        }
        out
    }

    /// Makes the module instance at `path`, and those above it: nobody may have asked for them in this world.
    pub(super) fn reach(&self, path: &ModulePath) -> Option<ModuleId> {
        let known = self.modules.borrow().by_path(path);
        known.or_else(|| {
            let (above, call, _) = path.split_last()?;
            self.children(self.reach(&above)?, &call)?;
            self.modules.borrow().by_path(path)
        })
    }

    /// Attribute `name` of the one resource that `reference` means.
    pub(super) fn attribute_of_one(&self, reference: &Reference, name: &Name) -> Tracked {
        let at = self.module_of(reference).and_then(|(_, module)| {
            let block = module.folder.resource(reference.mode, &reference.kind, &reference.name)?;
            Some(block.place(block.block().header))
        });
        let Some(at) = at else { return Tracked::default() };
        let unknown = Unknown::because(self.cause_of(reference));
        let whole = Tracked::new(Value::Unknown(Arc::new(unknown)), Origin::Written(at))
            .with_references(Some(References::shared([reference.clone()])));
        self.attribute_of(&whole, name, at)
    }

    /// The text that a value is, or the name of the resource that it is an attribute of: whoever has the id of a
    /// secret knows its name.
    pub(super) fn naming(&self, value: &Tracked) -> Option<Name> {
        if let Value::String(text) = value.value() {
            return Some(text.clone());
        }
        let [reference] = value.references() else { return None };
        if !reference.exact {
            return None;
        }
        let whole = Reference { root: None, attribute: Name::default(), ..reference.clone() };
        let identity = &self.tables.facts.of(&reference.kind).identity;
        let attribute = |name: &Name| match (reference.root, &self.neighbours) {
            (None, _) => Some(self.attribute_of_one(&whole, name)),
            (Some(root), Some((_, neighbours))) => {
                Some(neighbours.world(root)?.attribute_of_one(&whole, name))
            }
            (Some(_), None) => None,
        };
        identity.iter().find_map(|name| attribute(name)?.value().as_str().map(Name::new))
    }
}
