//! What a resource's `lifecycle` says of later changes.

use std::sync::Arc;

use auditlint_syntax::Name;
use auditlint_syntax::hcl::{Body, Expr, ExprKind, ObjectKey};

use crate::Ignored;

/// The attributes in `ignore_changes`; none where nothing is ignored.
pub(super) fn ignored(body: &Body) -> Option<Arc<Ignored>> {
    let mut out = Ignored::default();
    for block in body.blocks_named("lifecycle") {
        if let Some(attribute) = block.body.attribute("ignore_changes") {
            read(&attribute.value, &mut out);
        }
    }
    // In JSON syntax a block is an attribute, and a reference a text.
    let object = body.attribute("lifecycle").filter(|_| body.json);
    if let Some(ExprKind::Object(items)) = object.map(|attribute| &attribute.value.kind) {
        for item in items {
            let key = match &item.key {
                ObjectKey::Name(name) => Some(name.clone()),
                ObjectKey::Expr(key) => name(key),
            };
            if key.as_deref() == Some("ignore_changes") {
                read(&item.value, &mut out);
            }
        }
    }
    (out.everything || !out.attributes.is_empty()).then(|| Arc::new(out))
}

fn read(value: &Expr, out: &mut Ignored) {
    match &value.kind {
        ExprKind::Tuple(items) => out.attributes.extend(items.iter().filter_map(name)),
        _ => out.everything |= name(value).as_deref() == Some("all"),
    }
}

/// The first name of a path into a resource: changes below an attribute are taken for changes of it.
fn name(expression: &Expr) -> Option<Name> {
    match &expression.kind {
        ExprKind::Variable(name) => Some(name.clone()),
        ExprKind::String(text) => text.split(['.', '[']).next().map(Name::new),
        ExprKind::GetAttr(access) => name(&access.base),
        ExprKind::Index(base, _)
        | ExprKind::AttrSplat(base, _)
        | ExprKind::FullSplat(base, _)
        | ExprKind::Paren(base) => name(base),
        _ => None,
    }
}
