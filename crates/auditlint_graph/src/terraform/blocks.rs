//! Nested blocks to lists of maps: those that are written out, and those that a `dynamic` block makes.

use std::sync::Arc;

use auditlint_syntax::hcl::{Block, Body, Expr, ExprKind, ObjectItem};
use auditlint_syntax::{Location, Name};

use super::declared::BlockRef;
use super::iteration::dynamic_elements;
use super::modules::Scope;
use super::world::World;
use crate::{CauseKind, Map, Origin, Tracked, Unknown, Value, is_sensitive_name};

/// What is to blame where `dynamic` is written in JSON in a way that is not read here.
pub(super) const JSON_DYNAMIC: &str = "a dynamic block in JSON syntax";

impl World<'_> {
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
    pub(super) fn json_dynamic(
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
            let Some(name) = item.key.literal() else { return false };
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
                one.iter()
                    .find(|item| item.key.literal().is_some_and(|key| *key == *name))
                    .map(|item| &item.value)
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
        let mut map = Map::with_capacity(body.attributes.len() + body.blocks.len());
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
pub(super) fn block_name(block: &Block) -> &str {
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

/// Whether a `dynamic` block may stand in this object, at any depth.
pub(super) fn generates(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Object(items) => items
            .iter()
            .any(|item| item.key.literal().is_none_or(|key| key == "dynamic") || generates(&item.value)),
        ExprKind::Tuple(all) => all.iter().any(generates),
        _ => false,
    }
}

/// A block written as an attribute (in JSON syntax, or by an old habit) has the same shape as a block.
pub(super) fn as_blocks(value: Tracked) -> Tracked {
    match value.value() {
        Value::Map(_) => {
            let origin = value.origin.clone();
            Tracked::new(Value::List(Arc::from([value])), origin)
        }
        _ => value,
    }
}
