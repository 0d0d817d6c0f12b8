//! Resource blocks to resource instances, as far as anybody asked for them.

use std::sync::Arc;

use auditlint_syntax::Name;
use auditlint_syntax::hcl::Body;

use super::blocks::{JSON_DYNAMIC, as_blocks, block_name, generates};
use super::declared::BlockRef;
use super::expand::{Instances, more_instances};
use super::folder::Folder;
use super::lifecycle::ignored;
use super::modules::{Module, ModuleId, Scope};
use super::tags::TAGS_ALL;
use super::world::World;
use crate::{
    Address, Attributes, Cause, CauseKind, Declared, Key, Map, Mode, RefKey, Reference, Resource,
    is_sensitive_name, module_kind,
};

/// Arguments that Terraform itself reads.
const META: &[&str] =
    &["count", "for_each", "provider", "providers", "depends_on", "lifecycle", "provisioner", "connection"];

impl World<'_> {
    /// A resource of module `id`, instance by instance.
    pub(super) fn evaluate_resource(
        &self,
        id: ModuleId,
        module: &Module,
        mode: Mode,
        kind: &Name,
        name: &Name,
    ) -> Vec<Arc<Resource>> {
        let Some(block) = module.folder.resource(mode, kind, name) else { return Vec::new() };
        let tree = block.block();
        let wanted = mode == Mode::Managed && self.tables.interest.wants_type(kind);
        let declared = Declared { header: block.place(tree.header), block: block.place(tree.span) };
        let (mut incomplete, mut ignores) = (None, None);
        // Of a block that nobody asks about the body is not even parsed.
        if wanted {
            incomplete = unparsed(&tree.body);
            let overrides = module.folder.overrides(mode, kind, name);
            ignores = overrides.filter_map(ignored).next_back();
            ignores = ignores.or_else(|| ignored(block));
        }
        let make = |key: Option<Key>, undecided: Option<Cause>| {
            let mut attributes = Map::default();
            if wanted {
                let reference = key.clone().map_or(RefKey::None, RefKey::Known);
                let scope = self.instance_scope(id, mode, kind, name, &reference).unwrap_or_default();
                attributes = self.attributes(id, block, kind, &scope);
                for over in module.folder.overrides(mode, kind, name) {
                    attributes.extend(self.attributes(id, over, kind, &scope));
                }
                if mode == Mode::Managed && self.tables.interest.wants(kind, TAGS_ALL) {
                    let whole = Reference {
                        root: None,
                        module: module.path.clone(),
                        mode,
                        kind: kind.clone(),
                        name: name.clone(),
                        key: reference,
                        attribute: Name::new(TAGS_ALL),
                        exact: true,
                    };
                    let all = self.written_attribute(&whole, &whole.attribute);
                    attributes.extend(all.map(|all| (whole.attribute.clone(), all)));
                }
                if mode == Mode::Managed {
                    attributes.extend(self.provider_place(id, kind, block));
                }
            }
            Arc::new(Resource {
                address: Address {
                    module: module.path.clone(),
                    mode,
                    kind: kind.clone(),
                    name: name.clone(),
                    key,
                },
                attributes,
                declared: Some(declared),
                planned: None,
                action: None,
                undecided: undecided.or_else(|| module.undecided.clone()).map(Box::new),
                incomplete: incomplete.clone().map(Box::new),
                nearest_call: module.nearest_call.clone(),
                ignored: ignores.clone(),
            })
        };
        let instances = self.instances(id, mode, kind, name);
        let count = match &*instances {
            Instances::Count(count) => *count,
            Instances::Each(each) => each.len() as u64,
            Instances::One | Instances::Undecided(_) => 1,
        };
        if count > 1 && !self.has_room_for(count) {
            self.past_limit(declared.header, "too many instances of all resources together".to_owned());
            return vec![make(None, Some(more_instances()))];
        }
        match &*instances {
            Instances::One => vec![make(None, None)],
            Instances::Count(count) => (0..*count).map(|n| make(Some(Key::Index(n)), None)).collect(),
            Instances::Each(each) => {
                each.iter().map(|(key, _)| make(Some(Key::Text(key.clone())), None)).collect()
            }
            Instances::Undecided(cause) => vec![make(None, Some(cause.clone()))],
        }
    }

    /// A module of the registry that is not here, where somebody knows what its arguments mean: its calls stand
    /// for what they make. The gap stays.
    pub(super) fn evaluate_stand_ins(
        &self,
        id: ModuleId,
        module: &Module,
        name: &Name,
    ) -> Vec<Arc<Resource>> {
        let Some(call) = module.folder.call(name) else { return Vec::new() };
        let source = Folder::source_of(call).unwrap_or_default();
        let kind = Name::new(module_kind(source));
        if !self.tables.interest.types.contains_key(&kind) {
            return Vec::new();
        }
        let tree = call.block();
        let declared = Declared { header: call.place(tree.header), block: call.place(tree.span) };
        let at = declared.header;
        let make = |key: Option<Key>, scope: &Scope, undecided: Option<Cause>| {
            Arc::new(Resource {
                address: Address {
                    module: module.path.clone(),
                    mode: Mode::Managed,
                    kind: kind.clone(),
                    name: name.clone(),
                    key,
                },
                attributes: self.attributes(id, call, &kind, scope),
                declared: Some(declared),
                planned: None,
                action: None,
                undecided: undecided.or_else(|| module.undecided.clone()).map(Box::new),
                incomplete: unparsed(&tree.body).map(Box::new),
                nearest_call: module.nearest_call.clone(),
                ignored: None,
            })
        };
        match self.expand(id, call, &module.scope) {
            Instances::One => vec![make(None, &module.scope, None)],
            Instances::Count(count) => (0..count)
                .map(|n| make(Some(Key::Index(n)), &self.indexed(&module.scope, n, at), None))
                .collect(),
            Instances::Each(each) => each
                .iter()
                .map(|(key, value)| {
                    make(Some(Key::Text(key.clone())), &self.keyed(&module.scope, key, value, at), None)
                })
                .collect(),
            Instances::Undecided(cause) => {
                vec![make(None, &self.undecided_scope(&module.scope, &cause, at), Some(cause.clone()))]
            }
        }
    }

    /// The attributes and blocks that are set and wanted.
    fn attributes(&self, id: usize, block: &BlockRef, kind: &Name, scope: &Scope) -> Map {
        let body = &block.block().body;
        let interest = &self.tables.interest;
        let all = interest.everything || matches!(interest.types.get(kind), Some(Attributes::All));
        let wants = |name: &str| (all || interest.wants(kind, name)) && !META.contains(&name);
        let facts = self.tables.facts.of(kind);
        let mut out = Map::default();
        for attribute in body.attributes.iter().filter(|attribute| wants(&attribute.name)) {
            let sensitive = is_sensitive_name(&attribute.name) || facts.sensitive.contains(&attribute.name);
            let value = self
                .bounded(block.place(attribute.span), || self.eval(id, block, &attribute.value, scope))
                .marked(sensitive);
            let value = match facts.blocks.contains(&attribute.name) {
                true if body.json && generates(&attribute.value) => {
                    self.unknown(CauseKind::Function, JSON_DYNAMIC, "", block.place(attribute.span))
                }
                true => as_blocks(value),
                false => value,
            };
            if !value.is_null() {
                out.insert(attribute.name.clone(), value);
            }
        }
        let mut seen: Vec<&str> = Vec::new();
        for inner in &body.blocks {
            let name = block_name(inner);
            if wants(name) && !seen.contains(&name) {
                seen.push(name);
                let at = block.place(inner.header);
                let name = Name::new(name);
                let value =
                    self.bounded(at, || self.blocks_value(id, block, body, &name, scope).unwrap_or_default());
                if !value.is_null() {
                    out.insert(name, value);
                }
            }
        }
        if body.json
            && let Some(dynamic) = body.attribute("dynamic")
        {
            let at = block.place(dynamic.span);
            if !self.json_dynamic(id, block, &dynamic.value, scope, &wants, &mut out) {
                for name in facts.blocks.iter().filter(|name| wants(name)) {
                    out.insert(name.clone(), self.unknown(CauseKind::Function, JSON_DYNAMIC, "", at));
                }
            }
        }
        // Of most resources little is wanted, and a map makes room for more.
        out.shrink_to_fit();
        out
    }
}

fn unparsed(body: &Body) -> Option<Cause> {
    body.incomplete.then(|| Cause {
        kind: CauseKind::Function,
        subject: "statements that could not be parsed".to_owned(),
        hint: "correct the syntax problem in this block".to_owned(),
    })
}
