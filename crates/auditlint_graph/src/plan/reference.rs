//! The references of a plan's configuration, followed through module variables and outputs to resources.

use auditlint_syntax::Name;
use rustc_hash::FxHashMap;

use super::configuration::{Configured, Expression};
use crate::address::{Step, steps};
use crate::{Address, Key, Mode, ModulePath, RefKey, Reference, Target};

/// Variables and outputs are followed so far.
const MAX_HOPS: usize = 32;

/// Resolves the references of one resource.
pub(super) struct Resolver<'a> {
    configured: Option<&'a Configured>,
    /// By block: the keys of its instances.
    instances: &'a FxHashMap<Target, Vec<Option<Key>>>,
    module: ModulePath,
    own: Option<Key>,
    /// What the `for_each` of the resource goes over.
    each: Option<&'a Expression>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        configured: Option<&'a Configured>,
        instances: &'a FxHashMap<Target, Vec<Option<Key>>>,
        of: &Address,
        each: Option<&'a Expression>,
    ) -> Self {
        Self { configured, instances, module: of.module.clone(), own: of.key.clone(), each }
    }

    /// The attributes of resources that `texts` (most specific first) lead to.
    pub(super) fn resolve(&self, texts: &[Name]) -> Vec<Reference> {
        let mut out = Vec::new();
        self.follow(texts, &self.module, self.own.as_ref(), 0, &mut out);
        let alone = out.len() == 1;
        for reference in &mut out {
            reference.exact &= alone;
        }
        out
    }

    fn follow(
        &self,
        texts: &[Name],
        module: &ModulePath,
        own: Option<&Key>,
        hops: usize,
        out: &mut Vec<Reference>,
    ) {
        if hops > MAX_HOPS {
            return;
        }
        let by_each = texts.iter().any(|text| text.starts_with("each.") || text == "count.index");
        let instance = own.filter(|_| by_each);
        for (n, text) in texts.iter().enumerate() {
            let is_prefix = texts.iter().take(n).any(|longer| {
                longer.strip_prefix(text.as_str()).is_some_and(|rest| rest.starts_with(['.', '[']))
            });
            if is_prefix {
                continue;
            }
            let Ok(steps) = steps(text) else { continue };
            match steps.as_slice() {
                [word, name, ..] if word.text == "var" => self.variable(&name.text, module, hops, out),
                [word, call, rest @ ..] if word.text == "module" => {
                    self.output(call, rest.first().map(|step| &step.text), module, instance, hops, out);
                }
                [word, value, rest @ ..] if hops == 0 && word.text == "each" && value.text == "value" => {
                    out.extend(self.element(rest));
                }
                [word, ..]
                    if ["each", "count", "local", "path", "terraform", "self"]
                        .contains(&word.text.as_str()) => {}
                [data, kind, name, rest @ ..] if data.text == "data" => {
                    out.push(self.reference(Mode::Data, kind, name, rest, module, instance));
                }
                [kind, name, rest @ ..] => {
                    out.push(self.reference(Mode::Managed, kind, name, rest, module, instance));
                }
                _ => {}
            }
        }
    }

    /// The attribute `rest` of the element that the resource is made for, where its `for_each` goes over the instances
    /// of one other resource.
    fn element(&self, rest: &[Step]) -> Option<Reference> {
        let [whole] = *self.each?.references() else { return None };
        let steps = steps(whole).ok()?;
        let [kind, name] = steps.as_slice() else { return None };
        let is_resource = !["var", "local", "module", "data", "each"].contains(&kind.text.as_str());
        (is_resource && name.key.is_none())
            .then(|| self.reference(Mode::Managed, kind, name, rest, &self.module, self.own.as_ref()))
    }

    fn variable(&self, name: &Name, module: &ModulePath, hops: usize, out: &mut Vec<Reference>) {
        let Some((parent, call, key)) = module.split_last() else { return };
        let arguments = self.configured.and_then(|configured| configured.module(&parent)?.calls.get(&call));
        let argument = arguments.into_iter().flat_map(|call| &call.own).find(|(known, _)| known == name);
        if let Some((_, expression)) = argument {
            self.expression(expression, &parent, key.as_ref(), hops, out);
        }
    }

    fn output(
        &self,
        call: &Step,
        name: Option<&Name>,
        module: &ModulePath,
        own: Option<&Key>,
        hops: usize,
        out: &mut Vec<Reference>,
    ) {
        let key = call.key.as_ref().or(own);
        let child = module.child(&call.text, key);
        let Some(found) = self.configured.and_then(|configured| configured.module(&child)) else { return };
        match name {
            Some(name) => {
                if let Some(expression) = found.outputs.get(name) {
                    self.expression(expression, &child, None, hops, out);
                }
            }
            // The whole module: the argument may rest on any output.
            None => {
                let mut names: Vec<&Name> = found.outputs.keys().collect();
                names.sort();
                for name in names {
                    if let Some(expression) = found.outputs.get(name) {
                        self.expression(expression, &child, None, hops, out);
                    }
                }
            }
        }
    }

    fn expression(
        &self,
        expression: &Expression,
        module: &ModulePath,
        own: Option<&Key>,
        hops: usize,
        out: &mut Vec<Reference>,
    ) {
        let texts: Vec<Name> = expression.references().into_iter().cloned().collect();
        self.follow(&texts, module, own, hops + 1, out);
    }

    fn reference(
        &self,
        mode: Mode,
        kind: &Step,
        name: &Step,
        rest: &[Step],
        module: &ModulePath,
        own: Option<&Key>,
    ) -> Reference {
        let block = Address {
            module: module.clone(),
            mode,
            kind: kind.text.clone(),
            name: name.text.clone(),
            key: None,
        };
        let keys = self.instances.get(&Target::at(&block)).map(Vec::as_slice).unwrap_or_default();
        let attribute = rest.iter().map(|step| step.text.as_str()).collect::<Vec<_>>().join(".");
        let key = match (&name.key, keys) {
            (Some(key), _) => RefKey::Known(key.clone()),
            (None, [] | [None]) => RefKey::None,
            (None, _) => match own {
                Some(own) if keys.iter().any(|key| key.as_ref() == Some(own)) => RefKey::Known(own.clone()),
                // `this[0].id` loses its key where only one instance exists, and means it.
                _ => match keys {
                    [Some(only)] => RefKey::Known(only.clone()),
                    _ => RefKey::Unknown,
                },
            },
        };
        Reference {
            root: None,
            module: module.clone(),
            mode,
            kind: kind.text.clone(),
            name: name.text.clone(),
            key,
            attribute: Name::new(attribute),
            exact: true,
        }
    }
}
