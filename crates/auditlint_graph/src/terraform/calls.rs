//! Module calls to module instances.

use std::sync::Arc;

use auditlint_syntax::{Files, Location, Name};
use camino::Utf8PathBuf;
use rustc_hash::FxHashMap;

use super::declared::BlockRef;
use super::expand::Instances;
use super::folder::Folder;
use super::modules::{Children, Module, ModuleId, Scope};
use super::world::World;
use super::{RootInputs, join_source, limits};
use crate::{Cause, CauseKind, Gap, GapKind, Key, ModuleSource};

/// Deepest chain of module calls.
const DEEPEST_CALLS: usize = 32;

impl World<'_> {
    /// What the call `name` of a module makes.
    pub(super) fn call(&self, id: ModuleId, module: &Module, name: &Name, call: &BlockRef) -> Children {
        let at = call.place(call.block().header);
        let missing = |reason: &str| {
            Children::Missing(Cause {
                kind: CauseKind::Module,
                subject: format!("module.{name}"),
                hint: reason.to_owned(),
            })
        };
        if self.modules.borrow().len() >= limits::MODULES {
            self.past_limit(at, format!("module.{name}: more than {} module instances", limits::MODULES));
            return missing("");
        }
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
        let real_path = path.as_ref().map(|path| self.files.real_folder(path)).unwrap_or_default();
        let folder =
            path.as_ref().map(|_| self.caches.files.folder(&real_path, self.files, &self.caches.blocks));
        let Some((path, folder)) = path.zip(folder).filter(|(_, folder)| folder.files() > 0) else {
            let version = match call.block().body.attribute("version").map(|version| &version.value.kind) {
                Some(auditlint_syntax::hcl::ExprKind::String(version)) => Some(Name::new(version)),
                _ => None,
            };
            let hint = if local { "" } else { "run 'terraform get'" };
            let shown = version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
            self.gap(Gap {
                kind: GapKind::MissingModule,
                path: self.path_of(at),
                at: Some(at),
                reason: format!("module {source:?}{shown} is not here"),
                hint: hint.to_owned(),
                count: 1,
                module: Some(ModuleSource { source: Name::new(&source), version }),
            });
            return missing(hint);
        };
        let own = || Arc::new(crate::Declared { header: at, block: call.place(call.block().span) });
        let nearest_call = module.nearest_call.clone().or_else(|| (!local).then(own));
        let make = |key: Option<Key>, scope: Scope, undecided: Option<Cause>| {
            self.modules.borrow_mut().add(Module {
                path: module.path.child(name, key.as_ref()),
                folder: Arc::clone(&folder),
                folder_path: path.clone(),
                real_path: real_path.clone(),
                parent: Some((id, call.clone())),
                call: name.clone(),
                scope,
                depth: module.depth + 1,
                undecided: undecided.or_else(|| module.undecided.clone()),
                nearest_call: nearest_call.clone(),
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
        self.gap(Gap { kind, path, at: Some(at), reason, hint: hint.to_owned(), count: 1, module: None });
    }
}

/// The folders of installed modules, by the key of their call.
pub(super) fn installed_modules(inputs: &RootInputs, files: &dyn Files) -> FxHashMap<String, Utf8PathBuf> {
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
