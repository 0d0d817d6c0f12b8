//! Templates that a function renders: they see the given variables and nothing else of the module.

use std::sync::Arc;

use auditlint_syntax::hcl::{
    self, Expr, ExprKind, ItemKind, ObjectKey, TemplateFor, TemplateIf, TemplatePart,
};
use auditlint_syntax::{FileId, Name, Source};

use super::super::declared::BlockRef;
use super::super::limits::LONGEST_TEXT;
use super::super::modules::Scope;
use super::super::world::World;
use super::{Answer, not_computed, nowhere};
use crate::{Tracked, Value};

/// Renders `text` with the variables `given`.
pub(super) fn render(world: &World<'_>, id: usize, text: &str, file: FileId, given: &Tracked) -> Answer {
    let Value::Map(variables) = given.value() else { return None };
    if !variables.keys().all(|name| is_identifier(name)) {
        return None;
    }
    if text.len() > LONGEST_TEXT {
        return not_computed("a template");
    }
    let source = Source::new(file, "template".into(), Arc::from(text.as_bytes()));
    let parsed = hcl::parse_template(&source, &world.caches.blocks);
    let [item] = parsed.items.as_slice() else { return not_computed("a template") };
    let ItemKind::Attribute(attribute) = &item.piece.kind else { return not_computed("a template") };
    if item.piece.is_broken() {
        return None;
    }
    if !parsed.problems.is_empty() {
        return not_computed("a template past a limit of the parser");
    }
    let known: Vec<&Name> = variables.keys().collect();
    if !sees(&attribute.value, &known) {
        return None;
    }
    let scope = Scope {
        names: variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        ..Scope::default()
    };
    let block = BlockRef::of(item);
    let value = world.eval(id, &block, &attribute.value, &scope);
    (!value.is_null()).then(|| kept(&value, value.value().clone()))
}

/// A value without its places: they count from a text that no file holds.
fn kept(from: &Tracked, value: Value) -> Tracked {
    nowhere(value).shaped(from.shape).marked(from.sensitive)
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

/// Whether `expr` refers to `names` alone, and calls nothing that a template may not.
fn sees(expr: &Expr, names: &[&Name]) -> bool {
    let all = |inner: &[Expr]| inner.iter().all(|expr| sees(expr, names));
    match &expr.kind {
        ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Number(_)
        | ExprKind::String(_)
        | ExprKind::SplatItem
        | ExprKind::Broken => true,
        ExprKind::Template(parts) => sees_parts(parts, names),
        ExprKind::Tuple(items) => all(items),
        ExprKind::Object(items) => items.iter().all(|item| {
            let key = match &item.key {
                ObjectKey::Name(_) => true,
                ObjectKey::Expr(key) => sees(key, names),
            };
            key && sees(&item.value, names)
        }),
        ExprKind::Variable(name) => names.contains(&name),
        ExprKind::GetAttr(access) => sees(&access.base, names),
        ExprKind::Unary(_, base) | ExprKind::Paren(base) => sees(base, names),
        ExprKind::Index(a, b)
        | ExprKind::AttrSplat(a, b)
        | ExprKind::FullSplat(a, b)
        | ExprKind::Binary(_, a, b) => sees(a, names) && sees(b, names),
        ExprKind::Call(call) => {
            let plain = call.name.strip_prefix("core::").unwrap_or(&call.name);
            !matches!(plain, "templatefile" | "templatestring") && all(&call.arguments)
        }
        ExprKind::Conditional(parts) => all(&**parts),
        ExprKind::For(each) => {
            if !sees(&each.collection, names) {
                return false;
            }
            let mut inner = names.to_vec();
            inner.extend(each.key.as_ref());
            inner.push(&each.value);
            let optional = [&each.key_expr, &each.condition];
            optional.into_iter().flatten().all(|expr| sees(expr, &inner)) && sees(&each.value_expr, &inner)
        }
    }
}

fn sees_parts(parts: &[TemplatePart], names: &[&Name]) -> bool {
    parts.iter().all(|part| match part {
        TemplatePart::Text(_) => true,
        TemplatePart::Value(value) => sees(value, names),
        TemplatePart::If(branch) => {
            let TemplateIf { condition, yes, no } = &**branch;
            sees(condition, names) && sees_parts(yes, names) && sees_parts(no, names)
        }
        TemplatePart::For(each) => {
            let TemplateFor { key, value, collection, body } = &**each;
            let mut inner = names.to_vec();
            inner.extend(key.as_ref());
            inner.push(value);
            sees(collection, names) && sees_parts(body, &inner)
        }
    })
}
