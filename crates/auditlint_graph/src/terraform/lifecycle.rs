//! What a resource's `lifecycle` says of later changes.

use std::sync::Arc;

use auditlint_syntax::hcl::{Expr, ExprKind, ObjectKey};
use auditlint_syntax::{Location, Name};

use super::declared::BlockRef;
use crate::{Ignored, IgnoredPath};

/// What is named by `ignore_changes`; none where nothing is ignored.
pub(super) fn ignored(block: &BlockRef) -> Option<Arc<Ignored>> {
    let mut out = Ignored::default();
    let body = &block.block().body;
    let mut read = |value: &Expr| {
        let place = |expression: &Expr| block.place(expression.span);
        match &value.kind {
            ExprKind::Tuple(items) => {
                out.paths.extend(items.iter().filter_map(|item| path(item, place(item))));
            }
            _ if names(value).is_some_and(|names| names == ["all"]) => out.everything = Some(place(value)),
            _ => {}
        }
    };
    for inner in body.blocks_named("lifecycle") {
        if let Some(attribute) = inner.body.attribute("ignore_changes") {
            read(&attribute.value);
        }
    }
    // In JSON syntax a block is an attribute, and a reference a text.
    let object = body.attribute("lifecycle").filter(|_| body.json);
    if let Some(ExprKind::Object(items)) = object.map(|attribute| &attribute.value.kind) {
        for item in items {
            let is_meant = match &item.key {
                ObjectKey::Name(name) => name == "ignore_changes",
                ObjectKey::Expr(key) => names(key).is_some_and(|names| names == ["ignore_changes"]),
            };
            if is_meant {
                read(&item.value);
            }
        }
    }
    (out.everything.is_some() || !out.paths.is_empty()).then(|| Arc::new(out))
}

fn path(expression: &Expr, at: Location) -> Option<IgnoredPath> {
    let names = names(expression).filter(|names| !names.is_empty())?;
    Some(IgnoredPath { names, at })
}

/// The names of a path into a resource: `settings[0].disk_size` leads to `disk_size` of every `settings`.
fn names(expression: &Expr) -> Option<Vec<Name>> {
    match &expression.kind {
        ExprKind::Variable(name) => Some(vec![name.clone()]),
        ExprKind::String(text) => {
            let is_name = |step: &&str| !step.is_empty() && !step.starts_with(|c: char| c.is_ascii_digit());
            Some(text.split(['.', '[', ']']).filter(is_name).map(Name::new).collect())
        }
        ExprKind::GetAttr(access) => {
            let mut names = names(&access.base)?;
            names.push(access.name.clone());
            Some(names)
        }
        ExprKind::Index(base, _)
        | ExprKind::AttrSplat(base, _)
        | ExprKind::FullSplat(base, _)
        | ExprKind::Paren(base) => names(base),
        _ => None,
    }
}
