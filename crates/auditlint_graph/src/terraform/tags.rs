//! `tags_all`: what the AWS provider makes of a resource's tags and of its own `default_tags`.
//!
//! Source: the provider's documentation of `default_tags` and `ignore_tags`.

use std::sync::Arc;

use auditlint_syntax::{Location, Name};

use super::declared::BlockRef;
use super::modules::{ModuleId, Scope};
use super::types::Type;
use super::world::World;
use crate::{CauseKind, Map, Shape, Tracked, Value};

/// The attribute.
pub(super) const TAGS_ALL: &str = "tags_all";

impl World<'_> {
    /// All tags of a resource of `block`, whose own are `tags`; none where the provider block that decides is not
    /// here, or the type is another provider's.
    pub(super) fn tags_all(
        &self,
        id: ModuleId,
        kind: &Name,
        block: &BlockRef,
        tags: Option<Tracked>,
    ) -> Option<Tracked> {
        if !kind.starts_with("aws_") {
            return None;
        }
        let (module, provider) = self.provider_of(id, kind, block)?;
        let at = block.place(block.block().header);
        let defaults = self.nested(module, &provider, "default_tags");
        let ignored = self.nested(module, &provider, "ignore_tags");
        let defaults = defaults.map(|block| attribute(&block, "tags"));
        let all = [defaults.flatten(), tags];
        let inputs: Vec<&Tracked> = all.iter().flatten().collect();
        let mut out = Map::default();
        for tags in &inputs {
            let tags = Type::Map(Box::new(Type::String)).convert((*tags).clone());
            match tags.value() {
                Value::Null => {}
                // What the provider makes of a tag without a value depends on the resource.
                Value::Map(map) if !map.values().any(Tracked::is_null) => {
                    out.extend(map.iter().map(|(name, tag)| (name.clone(), tag.clone())));
                }
                _ if tags.unknown().is_some() => return Some(self.unknown_of(&[&tags], at)),
                _ => return Some(self.unmade(at)),
            }
        }
        for ignored in ignored.iter() {
            let texts = |name: &str| texts(attribute(ignored, name).as_ref());
            let (Some(names), Some(prefixes)) = (texts("keys"), texts("key_prefixes")) else {
                return Some(self.unmade(at));
            };
            out.retain(|name, _| {
                !names.contains(name) && !prefixes.iter().any(|prefix| name.starts_with(&**prefix))
            });
        }
        out.sort_keys();
        let kind = Type::Map(Box::new(Type::String));
        Some(Tracked::derive(at, &inputs, Value::Map(Arc::new(out))).shaped(Shape::Typed).of_kind(&kind))
    }

    fn unmade(&self, at: Location) -> Tracked {
        self.unknown(CauseKind::Computed, TAGS_ALL, "", at)
    }

    /// The only block of that name in a provider block.
    pub(super) fn nested(&self, id: ModuleId, provider: &BlockRef, name: &str) -> Option<Tracked> {
        let (body, scope) = (&provider.block().body, Scope::default());
        let written = match body.attribute(name) {
            Some(attribute) => self.eval(id, provider, &attribute.value, &scope),
            None => self.blocks_value(id, provider, body, &Name::new(name), &scope)?,
        };
        match written.value() {
            Value::List(items) => items.first().cloned(),
            Value::Null => None,
            _ => Some(written),
        }
    }
}

/// An attribute of a block; of one that is not known, the unknown itself.
pub(super) fn attribute(block: &Tracked, name: &str) -> Option<Tracked> {
    match block.value() {
        Value::Map(map) => map.get(name).cloned(),
        _ => Some(block.clone()),
    }
}

/// A list of texts, all of them known; empty where it is not set.
fn texts(list: Option<&Tracked>) -> Option<Vec<Name>> {
    match list.map(Tracked::value) {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::List(items)) => items.iter().map(|item| item.value().as_str().map(Name::new)).collect(),
        Some(_) => None,
    }
}
