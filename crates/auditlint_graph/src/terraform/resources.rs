//! The resources of all module instances, as far as anybody asked for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use auditlint_syntax::Name;
use auditlint_syntax::hcl::{Block, Body};

use super::Configuration;
use super::expand::Instances;
use super::expression::dynamic_elements;
use super::folder::BlockRef;
use super::world::{Children, Scope, World};
use crate::{
    Address, Attributes, Cause, CauseKind, Declared, Key, Map, Mode, Origin, RefKey, Resource, ResourceGraph,
    Tracked, Unknown, Value, is_sensitive_name,
};

/// Arguments that Terraform itself reads.
const META: &[&str] =
    &["count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection"];

pub(super) fn collect(world: &World<'_>) -> Configuration {
    let mut graph = ResourceGraph::default();
    let mut files = BTreeMap::new();
    visit(world, 0, &mut graph, &mut files);
    graph.gaps = world.gaps.take();
    graph.gaps.sort();
    graph.gaps.dedup();
    let folders = files.keys().cloned().collect();
    Configuration { graph, accesses: Vec::new(), folders, files: files.values().sum() }
}

fn visit(
    world: &World<'_>,
    id: usize,
    graph: &mut ResourceGraph,
    folders: &mut BTreeMap<camino::Utf8PathBuf, usize>,
) {
    let module = world.module(id);
    folders.insert(module.folder_path.clone(), module.folder.files);
    for gap in &module.folder.gaps {
        world.gap(gap.clone());
    }
    for at in 0..module.folder.resources.len() {
        world.resources(id, at, graph);
    }
    for (name, _) in &module.folder.calls {
        match world.children(id, name).as_deref() {
            Some(Children::One(child) | Children::Undecided(child, _)) => {
                visit(world, *child, graph, folders)
            }
            Some(Children::Indexed(all)) => all.iter().for_each(|child| visit(world, *child, graph, folders)),
            Some(Children::Keyed(all)) => {
                all.iter().for_each(|(_, child)| visit(world, *child, graph, folders))
            }
            Some(Children::Missing(_)) | None => {}
        }
    }
}

impl World<'_> {
    fn resources(&self, id: usize, declaration: usize, graph: &mut ResourceGraph) {
        let module = self.module(id);
        let Some(found) = module.folder.resources.get(declaration) else { return };
        let block = &found.block;
        let tree = block.block();
        let wanted = found.mode == Mode::Managed && self.tables.interest.wants_type(&found.kind);
        let declared = Declared { header: block.place(tree.header), block: block.place(tree.span) };
        let incomplete = tree.body.incomplete.then(|| Cause {
            kind: CauseKind::Function,
            subject: "statements that could not be parsed".to_owned(),
            hint: "correct the syntax problem in this block".to_owned(),
        });
        let mut put = |key: Option<Key>, undecided: Option<Cause>| {
            let reference = key.clone().map_or(RefKey::None, RefKey::Known);
            let scope = self.instance_scope(id, declaration, &reference).unwrap_or_default();
            let mut attributes =
                if wanted { self.attributes(id, block, &found.kind, &scope) } else { Map::default() };
            let target = (found.mode, found.kind.clone(), found.name.clone());
            for over in module.folder.overrides.get(&target).into_iter().flatten().filter(|_| wanted) {
                attributes.extend(self.attributes(id, over, &found.kind, &scope));
            }
            let resource = Resource {
                address: Address {
                    module: module.path.clone(),
                    mode: found.mode,
                    kind: found.kind.clone(),
                    name: found.name.clone(),
                    key,
                },
                attributes,
                declared: Some(declared),
                planned: None,
                action: None,
                undecided: undecided.or_else(|| module.undecided.clone()),
                incomplete: incomplete.clone(),
                nearest_call: module.nearest_call,
            };
            graph.put(Arc::new(resource), &self.tables.facts);
        };
        match &*self.instances(id, declaration) {
            Instances::One => put(None, None),
            Instances::Count(count) => (0..*count).for_each(|n| put(Some(Key::Index(n)), None)),
            Instances::Each(each) => each.iter().for_each(|(key, _)| put(Some(Key::Text(key.clone())), None)),
            Instances::Undecided(cause) => put(None, Some(cause.clone())),
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
            let value = self.eval(id, block, &attribute.value, scope).marked(sensitive);
            let value = if facts.blocks.contains(&attribute.name) { as_blocks(value) } else { value };
            if !value.is_null() {
                out.insert(attribute.name.clone(), value);
            }
        }
        let mut seen: Vec<&str> = Vec::new();
        for inner in &body.blocks {
            let name = block_name(inner);
            if wants(name) && !seen.contains(&name) {
                seen.push(name);
                if let Some(value) = self.blocks_value(id, block, body, &Name::new(name), scope) {
                    out.insert(Name::new(name), value);
                }
            }
        }
        if body.json
            && let Some(dynamic) = body.attribute("dynamic")
        {
            let value = self.unknown(
                CauseKind::Function,
                "a dynamic block in JSON syntax",
                "",
                block.place(dynamic.span),
            );
            for name in facts.blocks.iter().filter(|name| wants(name)) {
                out.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        out
    }

    /// The blocks called `name` in `body`, dynamic ones included, as a list of maps; none when there is none.
    pub(super) fn blocks_value(
        &self,
        id: usize,
        block: &BlockRef,
        body: &Body,
        name: &Name,
        scope: &Scope,
    ) -> Option<Tracked> {
        let mut items = Vec::new();
        let mut first = None;
        for inner in body.blocks.iter().filter(|inner| block_name(inner) == name) {
            first.get_or_insert(inner);
            if inner.ident == "dynamic" {
                self.dynamic(id, block, inner, scope, &mut items);
            } else {
                items.push(self.body_value(id, block, inner, &inner.body, scope));
            }
        }
        first.map(|first| Tracked::new(Value::List(items.into()), Origin::Written(block.place(first.header))))
    }

    fn dynamic(&self, id: usize, block: &BlockRef, inner: &Block, scope: &Scope, items: &mut Vec<Tracked>) {
        let at = block.place(inner.header);
        let body = &inner.body;
        let each = body
            .attribute("for_each")
            .map(|each| self.eval(id, block, &each.value, scope))
            .unwrap_or_default();
        let iterator = match body.attribute("iterator").map(|iterator| &iterator.value.kind) {
            Some(auditlint_syntax::hcl::ExprKind::Variable(name)) => name.clone(),
            _ => inner.labels.first().map(|label| label.name.clone()).unwrap_or_default(),
        };
        let Some(content) = body.blocks_named("content").next() else { return };
        match dynamic_elements(&each) {
            Ok(elements) => {
                for (key, value) in elements {
                    let pair: Map =
                        [(Name::new("key"), key), (Name::new("value"), value)].into_iter().collect();
                    let mut scope = scope.clone();
                    scope.names.push((
                        iterator.clone(),
                        Tracked::new(Value::Map(Arc::new(pair)), each.origin.clone()),
                    ));
                    items.push(self.body_value(id, block, inner, &content.body, &scope));
                }
            }
            Err(cause) => {
                let unknown = Unknown { many: true, ..Unknown::because(cause) };
                items.push(Tracked::new(Value::Unknown(Arc::new(unknown)), Origin::Written(at)));
            }
        }
    }

    /// The body of a nested block as a map.
    fn body_value(&self, id: usize, block: &BlockRef, head: &Block, body: &Body, scope: &Scope) -> Tracked {
        let mut map = Map::default();
        for attribute in &body.attributes {
            let value =
                self.eval(id, block, &attribute.value, scope).marked(is_sensitive_name(&attribute.name));
            if !value.is_null() {
                map.insert(attribute.name.clone(), value);
            }
        }
        let mut seen: Vec<&str> = Vec::new();
        for inner in &body.blocks {
            let name = block_name(inner);
            if !seen.contains(&name) {
                seen.push(name);
                if let Some(value) = self.blocks_value(id, block, body, &Name::new(name), scope) {
                    map.insert(Name::new(name), value);
                }
            }
        }
        if body.incomplete {
            let at = block.place(head.header);
            return self.unknown(
                CauseKind::Function,
                "statements that could not be parsed",
                "correct the syntax problem",
                at,
            );
        }
        Tracked::new(Value::Map(Arc::new(map)), Origin::Written(block.place(head.header)))
    }
}

/// The name under which a block appears: that of its label when it is dynamic.
fn block_name(block: &Block) -> &str {
    if block.ident == "dynamic" {
        block.labels.first().map_or("", |label| label.name.as_str())
    } else {
        &block.ident
    }
}

/// A block written as an attribute (in JSON syntax, or by an old habit) has the same shape as a block.
fn as_blocks(value: Tracked) -> Tracked {
    match value.value() {
        Value::Map(_) => {
            let origin = value.origin.clone();
            Tracked::new(Value::List(Arc::from([value])), origin)
        }
        _ => value,
    }
}
