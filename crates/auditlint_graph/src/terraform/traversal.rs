//! References: `var.x`, `local.y`, `module.m.out`, `aws_s3_bucket.b[0].id`, and what may follow them.

use std::sync::Arc;

use auditlint_syntax::hcl::{Expr, ExprKind, ItemKind};
use auditlint_syntax::{Location, Name};

use super::declared::{BlockRef, Declared};
use super::expression::is_whole_resource;
use super::modules::{Children, ModuleId, Scope};
use super::world::World;
use crate::{CauseKind, Gap, GapKind, Map, Mode, Origin, Tracked, Unknown, Value};

enum Step<'e> {
    Name(&'e Name),
    Index(&'e Expr),
}

impl<'e> Step<'e> {
    /// The name, where it is written out.
    fn written(&self) -> Option<&'e Name> {
        match self {
            Self::Name(name) => Some(name),
            Self::Index(Expr { kind: ExprKind::String(name), .. }) => Some(name),
            Self::Index(_) => None,
        }
    }
}

impl World<'_> {
    pub(super) fn traversal(
        &self,
        id: usize,
        block: &BlockRef,
        expr: &Expr,
        scope: &Scope,
        at: Location,
    ) -> Tracked {
        let mut steps = Vec::new();
        let mut base = expr;
        loop {
            match &base.kind {
                ExprKind::GetAttr(access) => {
                    steps.push(Step::Name(&access.name));
                    base = &access.base;
                }
                ExprKind::Index(inner, key) => {
                    steps.push(Step::Index(key));
                    base = inner;
                }
                _ => break,
            }
        }
        steps.reverse();
        let ExprKind::Variable(root) = &base.kind else {
            let value = self.eval(id, block, base, scope);
            return self.walk(id, block, value, &steps, scope, at);
        };
        if let Some((_, value)) = scope.names.iter().rev().find(|(name, _)| name == root) {
            let value = self.passed(value.clone(), &[], at);
            return self.walk(id, block, value, &steps, scope, at);
        }
        let (value, used) = self.root(id, root, &steps, scope, at);
        self.walk(id, block, value, steps.get(used..).unwrap_or_default(), scope, at)
    }

    /// The value that a root name and its first steps stand for, and how many steps were used.
    fn root(
        &self,
        id: usize,
        root: &Name,
        steps: &[Step<'_>],
        scope: &Scope,
        at: Location,
    ) -> (Tracked, usize) {
        let name = |n: usize| match steps.get(n) {
            Some(Step::Name(name)) => Some(*name),
            _ => None,
        };
        let passed = |value: Tracked| self.passed(value, &[], at);
        match (root.as_str(), name(0)) {
            ("var", Some(name)) => (passed(self.variable(id, name, at)), 1),
            ("local", Some(name)) => (passed(self.local(id, name, at)), 1),
            ("each", Some(part)) => {
                let value = scope
                    .each
                    .as_ref()
                    .map(|(key, value)| if part == "key" { key.clone() } else { value.clone() });
                (passed(value.unwrap_or_else(|| self.undeclared(id, "each", at))), 1)
            }
            ("count", Some(_)) => {
                (passed(scope.index.clone().unwrap_or_else(|| self.undeclared(id, "count", at))), 1)
            }
            // Nobody says where terraform runs.
            ("path", Some(part)) if part == "cwd" => {
                (self.unknown(CauseKind::Computed, "path.cwd", "", at), 1)
            }
            ("path", Some(part)) if part != "module" && part != "root" => (self.refused(&[], at), 1),
            ("path", Some(part)) => {
                let module = self.module(id);
                let folder = match part.as_str() {
                    "module" => module.folder_path.as_str(),
                    _ => self.inputs.folder.as_str(),
                };
                let folder = if folder.is_empty() { "." } else { folder };
                (Tracked::new(Value::text(folder), Origin::Written(at)), 1)
            }
            ("terraform", Some(part)) if part != "workspace" => (self.refused(&[], at), 1),
            ("terraform", Some(_)) => {
                let workspace = self.inputs.workspace.clone().unwrap_or_else(|| Name::new("default"));
                (
                    Tracked::new(
                        Value::String(workspace),
                        Origin::Given(Box::new("terraform.workspace".into())),
                    ),
                    1,
                )
            }
            ("self", _) => (self.unknown(CauseKind::Computed, "self", "", at), steps.len()),
            ("module", Some(call)) => self.module_reference(id, call, steps, at),
            ("data", Some(kind)) => match name(1) {
                Some(name) => (self.resource_reference(id, Mode::Data, kind, name, at), 2),
                None => (self.undeclared(id, "data", at), steps.len()),
            },
            (_, Some(name)) => (self.resource_reference(id, Mode::Managed, root, name, at), 1),
            (_, None) => (self.undeclared(id, root, at), steps.len()),
        }
    }

    fn walk(
        &self,
        id: usize,
        block: &BlockRef,
        value: Tracked,
        steps: &[Step<'_>],
        scope: &Scope,
        at: Location,
    ) -> Tracked {
        let mut value = value;
        let mut steps = steps;
        while let Some((step, rest)) = steps.split_first() {
            steps = rest;
            value = match step {
                Step::Name(name) if is_whole_resource(&value) && self.is_outputs(&value, name) => {
                    // Only the output that is asked for: another one may rest on this root.
                    let one = rest.first().and_then(Step::written);
                    steps = rest.get(usize::from(one.is_some())..).unwrap_or_default();
                    self.remote(&value, name, one, at)
                }
                Step::Name(name) if is_whole_resource(&value) => self.attribute_of(&value, name, at),
                Step::Name(name) => {
                    let key = Tracked::new(Value::String((*name).clone()), Origin::Written(at));
                    self.element(&value, &key, at)
                }
                Step::Index(key) => {
                    let key = self.eval(id, block, key, scope);
                    if is_whole_resource(&value) {
                        self.instance_of(&value, &key, at)
                    } else {
                        self.element(&value, &key, at)
                    }
                }
            };
        }
        value
    }

    /// A variable of module `id`.
    pub(super) fn variable(&self, id: ModuleId, name: &Name, at: Location) -> Tracked {
        let declared = Declared::Variable(name.clone());
        let module = self.looking_for(id, declared.clone());
        let Some(block) = module.folder.variable(name) else {
            return self.undeclared(id, &format!("var.{name}"), at);
        };
        let own = block.place(block.block().header);
        self.value(id, declared, at, || self.bounded(own, || self.evaluate_variable(id, name)))
    }

    fn local(&self, id: ModuleId, name: &Name, at: Location) -> Tracked {
        let declared = Declared::Local(name.clone());
        let module = self.looking_for(id, declared.clone());
        let Some((block, local)) = module.folder.local(name) else {
            return self.undeclared(id, &format!("local.{name}"), at);
        };
        self.value(id, declared.clone(), at, || {
            self.memo.borrow_mut().note_text(id, declared);
            let own = block.place(local.span);
            self.bounded(own, || self.eval(id, block, &local.value, &Scope::default()))
        })
    }

    pub(super) fn output(&self, id: ModuleId, name: &Name, at: Location) -> Tracked {
        let declared = Declared::Output(name.clone());
        let module = self.looking_for(id, declared.clone());
        let Some(block) = module.folder.output(name) else {
            return self.undeclared(id, &format!("output {name:?} of {}", module.path), at);
        };
        self.value(id, declared.clone(), at, || {
            self.memo.borrow_mut().note_text(id, declared);
            let body = &block.block().body;
            let Some(value) = body.attribute("value") else { return Tracked::default() };
            let sensitive =
                body.attribute("sensitive").map(|mark| self.eval(id, block, &mark.value, &Scope::default()));
            let sensitive =
                sensitive.is_some_and(|mark| super::convert::boolean(mark.value()) != Some(false));
            let own = block.place(value.span);
            self.bounded(own, || self.eval(id, block, &value.value, &Scope::default())).marked(sensitive)
        })
    }

    /// `module.call[key].output`, and how many steps after `module` that took.
    fn module_reference(&self, id: usize, call: &Name, steps: &[Step<'_>], at: Location) -> (Tracked, usize) {
        let Some(children) = self.children(id, call) else {
            return (self.undeclared(id, &format!("module.{call}"), at), steps.len());
        };
        let output = |n: usize| match steps.get(n) {
            Some(Step::Name(name)) => Some(*name),
            _ => None,
        };
        let whole = |child: usize| {
            let module = self.looking_for(child, Declared::any_output());
            let outputs = module.folder.outputs().into_iter();
            let outputs: Map = outputs.map(|name| (name.clone(), self.output(child, name, at))).collect();
            Tracked::derive(at, &[], Value::Map(Arc::new(outputs)))
        };
        match &*children {
            Children::Missing(cause) => {
                let unknown = Tracked::new(
                    Value::Unknown(Arc::new(Unknown::because(cause.clone()))),
                    Origin::Written(at),
                );
                (unknown, steps.len())
            }
            Children::One(child) => match output(1) {
                Some(name) => (self.passed(self.output(*child, name, at), &[], at), 2),
                None => (whole(*child), 1),
            },
            Children::Undecided(child, cause) => {
                // Whatever the key: any instance would give this.
                let position = (1..steps.len()).find(|&n| output(n).is_some());
                match position.and_then(|n| Some((n, output(n)?))) {
                    Some((n, name)) => {
                        let value = self.output(*child, name, at);
                        let unknown = Unknown::because(cause.clone());
                        let value = match value.value() {
                            Value::Unknown(_) => value,
                            _ => value.clone().with_value(Value::Unknown(Arc::new(unknown))),
                        };
                        (self.passed(value, &[], at), n + 1)
                    }
                    None => (
                        Tracked::new(
                            Value::Unknown(Arc::new(Unknown::because(cause.clone()))),
                            Origin::Written(at),
                        ),
                        steps.len(),
                    ),
                }
            }
            Children::Indexed(all) => {
                self.spend(all.len());
                let items: Vec<Tracked> = all.iter().map(|child| whole(*child)).collect();
                (Tracked::derive(at, &[], Value::List(items.into())), 1)
            }
            Children::Keyed(all) => {
                self.spend(all.len());
                let map: Map = all.iter().map(|(key, child)| (key.clone(), whole(*child))).collect();
                (Tracked::derive(at, &[], Value::Map(Arc::new(map))), 1)
            }
        }
    }

    /// A reference to nothing: a gap, and unknown; it never stops the rest.
    pub(super) fn undeclared(&self, id: usize, what: &str, at: Location) -> Tracked {
        let module = self.module(id);
        let place =
            if module.path.is_root() { "the root module".to_owned() } else { module.path.to_string() };
        self.gap(Gap {
            kind: GapKind::Reference,
            path: self.path_of(at),
            at: Some(at),
            reason: format!("{what} is not declared in {place}"),
            hint: "run 'terraform validate'".to_owned(),
            count: 1,
            module: None,
        });
        self.unknown(CauseKind::Function, what, "it is not declared", at)
    }

    /// The literals of a variable file's attributes.
    pub(super) fn literal_item(&self, item: &auditlint_syntax::hcl::Item) -> Option<(Name, Tracked)> {
        let ItemKind::Attribute(attribute) = &item.piece.kind else { return None };
        let block = BlockRef::of(item);
        Some((attribute.name.clone(), self.eval(0, &block, &attribute.value, &Scope::default())))
    }
}
