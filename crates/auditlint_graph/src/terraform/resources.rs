//! Resource blocks to resource instances, as far as anybody asked for them.

use std::sync::Arc;

use auditlint_syntax::hcl::{Block, Body, Expr, ExprKind, ObjectItem, ObjectKey};
use auditlint_syntax::{Location, Name};

use super::expand::{Instances, more_instances};
use super::folder::{BlockRef, Folder};
use super::iteration::dynamic_elements;
use super::lifecycle::ignored;
use super::modules::{Module, ModuleId, Scope};
use super::tags::TAGS_ALL;
use super::world::World;
use crate::{
    Address, Attributes, Cause, CauseKind, Declared, Key, Map, Mode, Origin, RefKey, Reference, Resource,
    Tracked, Unknown, Value, is_sensitive_name, module_kind,
};

/// Arguments that Terraform itself reads.
const META: &[&str] =
    &["count", "for_each", "provider", "providers", "depends_on", "lifecycle", "provisioner", "connection"];

/// What is to blame where `dynamic` is written in JSON in a way that is not read here.
const JSON_DYNAMIC: &str = "a dynamic block in JSON syntax";

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
            ignores = overrides.filter_map(|over| ignored(&over.block().body)).next_back();
            ignores = ignores.or_else(|| ignored(&tree.body));
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
                nearest_call: module.nearest_call,
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
                nearest_call: module.nearest_call,
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
            Some(ExprKind::Variable(name)) => name.clone(),
            _ => inner.labels.first().map(|label| label.name.clone()).unwrap_or_default(),
        };
        let Some(content) = body.blocks_named("content").next() else { return };
        items.extend(self.generated(&each, &iterator, at, scope, |scope| {
            self.body_value(id, block, inner, &content.body, scope)
        }));
    }

    /// Adds what `dynamic` makes in JSON to the blocks that are written out. A name whose blocks are not read here is
    /// unknown as a whole.
    fn json_dynamic(
        &self,
        id: usize,
        block: &BlockRef,
        dynamic: &Expr,
        scope: &Scope,
        wants: &dyn Fn(&str) -> bool,
        out: &mut Map,
    ) -> bool {
        let Some(labelled) = objects(dynamic) else { return false };
        for item in labelled.into_iter().flatten() {
            let Some(name) = key_of(item) else { return false };
            if !wants(name) {
                continue;
            }
            let at = block.place(item.key_span);
            let before = match out.get(name).map(Tracked::value) {
                Some(Value::List(before)) => Some(before.to_vec()),
                Some(_) => None,
                None => Some(Vec::new()),
            };
            let value = match (before, self.json_blocks(id, block, name, item, scope)) {
                (Some(before), Some(made)) => {
                    let all = before.into_iter().chain(made).collect();
                    Tracked::new(Value::List(all), Origin::Written(at))
                }
                _ => self.unknown(CauseKind::Function, JSON_DYNAMIC, "", at),
            };
            out.insert(name.clone(), value);
        }
        true
    }

    /// The blocks that one label of `dynamic` makes. None where it is written as something else than objects, or with
    /// one more `dynamic` inside of its content.
    fn json_blocks(
        &self,
        id: usize,
        block: &BlockRef,
        name: &Name,
        item: &ObjectItem,
        scope: &Scope,
    ) -> Option<Vec<Tracked>> {
        let mut made = Vec::new();
        for one in objects(&item.value)? {
            let argument = |name: &str| {
                one.iter().find(|item| key_of(item).is_some_and(|key| *key == *name)).map(|item| &item.value)
            };
            let content = match argument("content")? {
                Expr { kind: ExprKind::Tuple(all), .. } => all.first().filter(|_| all.len() == 1)?,
                content => content,
            };
            if !matches!(content.kind, ExprKind::Object(_)) || generates(content) {
                return None;
            }
            let iterator = match argument("iterator").map(|iterator| &iterator.kind) {
                Some(ExprKind::String(iterator)) => iterator,
                Some(_) => return None,
                None => name,
            };
            let each = self.eval(id, block, argument("for_each")?, scope);
            let at = block.place(item.key_span);
            made.extend(
                self.generated(&each, iterator, at, scope, |scope| self.eval(id, block, content, scope)),
            );
        }
        Some(made)
    }

    /// One block for each element, or an unknown number of them.
    fn generated(
        &self,
        each: &Tracked,
        iterator: &Name,
        at: Location,
        scope: &Scope,
        make: impl Fn(&Scope) -> Tracked,
    ) -> Vec<Tracked> {
        match dynamic_elements(each) {
            Ok(elements) => elements
                .into_iter()
                .map(|(key, value)| {
                    let pair: Map =
                        [(Name::new("key"), key), (Name::new("value"), value)].into_iter().collect();
                    let mut scope = scope.clone();
                    scope.names.push((
                        iterator.clone(),
                        Tracked::new(Value::Map(Arc::new(pair)), each.origin.clone()),
                    ));
                    make(&scope)
                })
                .collect(),
            Err(cause) => {
                let unknown = Unknown { many: true, ..Unknown::because(cause) };
                vec![Tracked::new(Value::Unknown(Arc::new(unknown)), Origin::Written(at))]
            }
        }
    }

    /// The body of a nested block as a map.
    fn body_value(&self, id: usize, block: &BlockRef, head: &Block, body: &Body, scope: &Scope) -> Tracked {
        let length = body.attributes.len() + body.blocks.len();
        let mut map = Map::with_capacity(length);
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

fn unparsed(body: &Body) -> Option<Cause> {
    body.incomplete.then(|| Cause {
        kind: CauseKind::Function,
        subject: "statements that could not be parsed".to_owned(),
        hint: "correct the syntax problem in this block".to_owned(),
    })
}

/// The name under which a block appears: that of its label when it is dynamic.
fn block_name(block: &Block) -> &str {
    if block.ident == "dynamic" {
        block.labels.first().map_or("", |label| label.name.as_str())
    } else {
        &block.ident
    }
}

/// The objects that an expression in JSON writes out: one, or a list of them.
fn objects(expr: &Expr) -> Option<Vec<&[ObjectItem]>> {
    match &expr.kind {
        ExprKind::Object(items) => Some(vec![items]),
        ExprKind::Tuple(all) => all
            .iter()
            .map(|one| match &one.kind {
                ExprKind::Object(items) => Some(&**items),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

fn key_of(item: &ObjectItem) -> Option<&Name> {
    match &item.key {
        ObjectKey::Name(name) | ObjectKey::Expr(Expr { kind: ExprKind::String(name), .. }) => Some(name),
        ObjectKey::Expr(_) => None,
    }
}

/// Whether a `dynamic` block may stand in this object, at any depth.
fn generates(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Object(items) => {
            items.iter().any(|item| key_of(item).is_none_or(|key| key == "dynamic") || generates(&item.value))
        }
        ExprKind::Tuple(all) => all.iter().any(generates),
        _ => false,
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
