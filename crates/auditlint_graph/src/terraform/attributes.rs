//! The resources that references stand for, and the attributes of their instances.

use std::sync::Arc;

use auditlint_syntax::{Location, Name};

use super::declared::Declared;
use super::expand::Instances;
use super::modules::{Module, ModuleId, Scope};
use super::tags::TAGS_ALL;
use super::world::World;
use crate::{
    Cause, CauseKind, Key, Map, Mode, Origin, RefKey, Reference, References, Tracked, Unknown, Value,
    is_sensitive_name,
};

impl World<'_> {
    /// A resource as a whole: one instance, or the list or map of its instances.
    pub(super) fn resource_reference(
        &self,
        id: usize,
        mode: Mode,
        kind: &Name,
        name: &Name,
        at: Location,
    ) -> Tracked {
        let module = self.looking_for(id, Declared::Resource(mode, kind.clone(), name.clone()));
        let named = |key: RefKey| Reference {
            root: None,
            module: module.path.clone(),
            mode,
            kind: kind.clone(),
            name: name.clone(),
            key,
            attribute: Name::default(),
            exact: true,
        };
        if module.folder.resource(mode, kind, name).is_none() {
            let data = if mode == Mode::Data { "data." } else { "" };
            let unknown = self.undeclared(id, &format!("{data}{kind}.{name}"), at);
            // Whatever it is, it is no other resource than the one that is named.
            return unknown.with_references(Some(References::shared([named(RefKey::None)])));
        }
        let whole = |key: RefKey| {
            let reference = named(key);
            let cause = self.cause_of(&reference);
            let unknown = Unknown { not_null: true, ..Unknown::because(cause) };
            Tracked::new(Value::Unknown(Arc::new(unknown)), Origin::Written(at))
                .with_references(Some(References::shared([reference])))
        };
        match &*self.instances(id, mode, kind, name) {
            Instances::One => whole(RefKey::None),
            Instances::Count(count) => {
                self.spend(usize::try_from(*count / 4).unwrap_or(usize::MAX));
                let items: Vec<Tracked> = (0..*count).map(|n| whole(RefKey::Known(Key::Index(n)))).collect();
                Tracked::new(Value::List(items.into()), Origin::Written(at))
            }
            Instances::Each(each) => {
                self.spend(each.len() / 4);
                let map: Map = each
                    .iter()
                    .map(|(key, _)| (key.clone(), whole(RefKey::Known(Key::Text(key.clone())))))
                    .collect();
                Tracked::new(Value::Map(Arc::new(map)), Origin::Written(at))
            }
            Instances::Undecided(_) => whole(RefKey::Unknown),
        }
    }

    /// Instance `key` of a resource whose instances are not known: an unknown one.
    pub(super) fn instance_of(&self, whole: &Tracked, key: &Tracked, at: Location) -> Tracked {
        let known = match key.value() {
            Value::String(text) => RefKey::Known(Key::Text(text.clone())),
            Value::Number(n) if let Some(index) = n.to_i64().and_then(|n| u64::try_from(n).ok()) => {
                RefKey::Known(Key::Index(index))
            }
            _ => RefKey::Unknown,
        };
        let references = whole.references();
        let references: Vec<Reference> = references
            .iter()
            .map(|reference| match reference.key {
                RefKey::Unknown => Reference { key: known.clone(), ..reference.clone() },
                _ => reference.clone(),
            })
            .collect();
        self.passed(whole.clone(), &[key], at).with_references(Some(References::shared(references)))
    }

    /// Attribute `name` of a resource instance.
    pub(super) fn attribute_of(&self, whole: &Tracked, name: &Name, at: Location) -> Tracked {
        let [reference] = whole.references() else { return Tracked::default() };
        let exact = Reference { attribute: name.clone(), ..reference.clone() };
        if let Some(root) = reference.root {
            return self.attribute_elsewhere(root, whole, name, at);
        }
        if reference.mode == Mode::Data
            && let Some(found) = self.looked_up(reference, name, at)
        {
            let sensitive = self.tables.facts.of(&reference.kind).sensitive.contains(name);
            return self.passed(found, &[], at).marked(sensitive || is_sensitive_name(name));
        }
        let facts = self.tables.facts.of(&reference.kind);
        let sensitive = is_sensitive_name(name) || facts.sensitive.contains(name);
        let computed = || {
            // What is not declared is one cause, whichever attributes of it are asked for.
            let undeclared = whole
                .unknown()
                .map(|unknown| &unknown.cause)
                .filter(|cause| cause.kind == CauseKind::Function);
            let cause = undeclared.cloned().unwrap_or_else(|| self.cause_of(&exact));
            let always = name == "id" || name == "arn" || facts.always_set.contains(name);
            let unknown = Unknown { not_null: always, ..Unknown::because(cause) };
            Tracked::new(Value::Unknown(Arc::new(unknown)), whole.origin.clone())
        };
        let value = match self.written_attribute(reference, name) {
            Some(value) if !value.is_null() => value,
            _ => match facts
                .defaults
                .get(name)
                .filter(|_| reference.mode == Mode::Managed && self.module_of(reference).is_some())
            {
                Some(default) => default.clone(),
                None => computed(),
            },
        };
        self.passed(value, &[], at).marked(sensitive).with_references(Some(References::shared([exact])))
    }

    /// The module of the resource that `reference` names, if the resource is declared there.
    pub(super) fn module_of(&self, reference: &Reference) -> Option<(ModuleId, Arc<Module>)> {
        let id = self.modules.borrow().by_path(&reference.module)?;
        let declared = Declared::Resource(reference.mode, reference.kind.clone(), reference.name.clone());
        let module = self.looking_for(id, declared);
        module.folder.resource(reference.mode, &reference.kind, &reference.name)?;
        Some((id, module))
    }

    /// The attribute as it is written in the block that `reference` names, evaluated for its instance.
    pub(super) fn written_attribute(&self, reference: &Reference, attribute: &Name) -> Option<Tracked> {
        let (id, module) = self.module_of(reference)?;
        let Reference { mode, kind, name, .. } = reference;
        let block = module.folder.resource(*mode, kind, name)?;
        let scope = self.instance_scope(id, *mode, kind, name, &reference.key)?;
        if *mode == Mode::Data {
            return self.data_attribute(id, kind, block, attribute, &scope);
        }
        let overrides = module.folder.overrides(*mode, kind, name).rev();
        let main = block;
        let block = overrides
            .chain([block])
            .find(|block| {
                let body = &block.block().body;
                body.attribute(attribute).is_some() || body.blocks_named(attribute).next().is_some()
            })
            .unwrap_or(block);
        if let Some(written) = block.block().body.attribute(attribute) {
            if written.value.kind.is_literal() {
                return Some(self.eval(id, block, &written.value, &scope));
            }
            let one = Reference { attribute: attribute.clone(), ..reference.clone() };
            return Some(self.attribute(id, &one, block.place(written.value.span), || {
                // Asked for again, so that the answer is known to be made of the block and its instances.
                let scope = self.instance_scope(id, *mode, kind, name, &reference.key).unwrap_or_default();
                self.eval(id, block, &written.value, &scope)
            }));
        }
        if *mode == Mode::Managed && attribute == TAGS_ALL {
            let tags = Reference { attribute: Name::new("tags"), ..reference.clone() };
            return self.tags_all(id, kind, main, self.written_attribute(&tags, &tags.attribute));
        }
        self.blocks_value(id, block, &block.block().body, attribute, &scope)
    }

    /// What `each` and `count` are in one instance of a resource.
    pub(super) fn instance_scope(
        &self,
        id: ModuleId,
        mode: Mode,
        kind: &Name,
        name: &Name,
        key: &RefKey,
    ) -> Option<Scope> {
        let module = self.module(id);
        let at = {
            let block = module.folder.resource(mode, kind, name)?;
            block.place(block.block().header)
        };
        Some(match (&*self.instances(id, mode, kind, name), key) {
            (Instances::Each(each), RefKey::Known(Key::Text(key))) => {
                let (_, value) = each.iter().find(|(name, _)| name == key)?;
                self.keyed(&Scope::default(), key, value, at)
            }
            (Instances::Count(_), RefKey::Known(Key::Index(n))) => self.indexed(&Scope::default(), *n, at),
            (Instances::One, _) => Scope::default(),
            (Instances::Undecided(cause), _) => self.undecided_scope(&Scope::default(), cause, at),
            (Instances::Each(_) | Instances::Count(_), _) => {
                let cause = Cause {
                    kind: CauseKind::Computed,
                    subject: "an instance key".to_owned(),
                    hint: String::new(),
                };
                self.undecided_scope(&Scope::default(), &cause, at)
            }
        })
    }

    pub(super) fn cause_of(&self, reference: &Reference) -> Cause {
        let dot = |text: &str| if text.is_empty() { String::new() } else { format!("{text}.") };
        let attribute =
            if reference.attribute.is_empty() { String::new() } else { format!(".{}", reference.attribute) };
        let subject =
            format!("{}{}.{}{attribute}", dot(reference.module.as_str()), reference.kind, reference.name);
        match reference.mode {
            Mode::Managed => Cause { kind: CauseKind::Computed, subject, hint: String::new() },
            Mode::Data => Cause {
                kind: CauseKind::Data,
                subject: format!("data.{subject}"),
                hint: "check a plan: terraform show -json plan.bin | auditlint check -".to_owned(),
            },
        }
    }
}
