//! Variables: their defaults, variable files, `--var`, and the arguments of module calls.

use std::sync::Arc;

use auditlint_syntax::hcl::{Expr, HclFile, Item, ItemKind};
use auditlint_syntax::{
    EntryKind, FileId, Files, Location, Name, Problem, ProblemKind, ReadError, Source, Span,
};
use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashMap;

use super::convert::boolean;
use super::declared::{BlockRef, Declared};
use super::files::{syntax_gap, unreadable};
use super::modules::{ModuleId, Scope};
use super::operators::equal;
use super::types::Type;
use super::world::World;
use super::{Caches, RootInputs, read_json};
use crate::plan::PlannedValue;
use crate::{Cause, CauseKind, Gap, GapKind, Origin, Tracked, Unknown, Value};

/// What was given for the root's variables, later ones winning.
#[derive(Default)]
pub(super) struct Given {
    items: Vec<(Name, From)>,
    /// A variable file with statements that could not be read: what it sets is not known.
    broken: Option<Utf8PathBuf>,
    /// What could not be read.
    pub(super) gaps: Vec<Gap>,
}

enum From {
    /// An attribute of a variable file.
    File(Item),
    /// `--var`
    Flag(String),
    /// What a plan was made with.
    Plan(PlannedValue),
}

impl Given {
    pub(super) fn read(inputs: &RootInputs, files: &dyn Files, caches: &Caches) -> Self {
        let mut given = Self::default();
        let flags = |all: &[(Name, String)]| -> Vec<(Name, From)> {
            all.iter().map(|(name, text)| (name.clone(), From::Flag(text.clone()))).collect()
        };
        given.items.extend(flags(&inputs.environment));
        for path in automatic(&inputs.folder, files) {
            given.file(&path, files, caches, false);
        }
        let planned = inputs.planned.iter();
        given.items.extend(planned.map(|(name, value)| (name.clone(), From::Plan(value.clone()))));
        for path in &inputs.var_files {
            given.file(path, files, caches, true);
        }
        given.items.extend(flags(&inputs.vars));
        given
    }

    /// Whether a text at `path` may say something.
    pub(super) fn reads(inputs: &RootInputs, path: &Utf8Path) -> bool {
        inputs.var_files.iter().any(|file| file == path)
            || path.parent() == Some(&inputs.folder)
                && [".tfvars", ".tfvars.json"].iter().any(|end| path.as_str().ends_with(end))
    }

    /// The variables that get another value than in `old`, or the same from another place. None: any may.
    pub(super) fn changes(&self, old: &Self) -> Option<Vec<Name>> {
        if self.broken != old.broken {
            return None;
        }
        let last = |given: &Self| -> FxHashMap<Name, usize> {
            given.items.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)).collect()
        };
        let (new_places, old_places) = (last(self), last(old));
        let item = |given: &Self, place: Option<&usize>| -> Option<Item> {
            match &given.items.get(*place?)?.1 {
                From::File(item) => Some(item.clone()),
                From::Flag(_) | From::Plan(_) => None,
            }
        };
        let mut names: Vec<&Name> = new_places.keys().chain(old_places.keys()).collect();
        names.sort();
        names.dedup();
        let changed = names.into_iter().filter(|name| {
            match (item(self, new_places.get(*name)), item(old, old_places.get(*name))) {
                (Some(new), Some(old)) => !BlockRef::of(&new).is_same(&BlockRef::of(&old)),
                (None, None) => false,
                _ => true,
            }
        });
        Some(changed.cloned().collect())
    }

    fn file(&mut self, path: &Utf8Path, files: &dyn Files, caches: &Caches, named: bool) {
        let source = match files.read(path) {
            Ok(source) => source,
            Err(ReadError::Missing) if !named => return,
            Err(error) => return self.gaps.push(unreadable(path, &error)),
        };
        let parsed: Arc<HclFile> = caches.files.file(&source, &caches.blocks);
        self.gaps.extend(parsed.problems.iter().map(|problem| syntax_gap(path, source.file(), problem)));
        // A value that is past a limit of the parser is unknown, and every other value of the file is what it is.
        let is_named = |item: &Item| !matches!(item.piece.kind, ItemKind::Unreadable(_));
        let is_limit = |problem: &Problem| problem.kind == ProblemKind::Unsupported;
        if !(parsed.problems.iter().all(is_limit) && parsed.items.iter().all(is_named)) {
            self.broken = Some(path.to_owned());
        }
        for item in &parsed.items {
            if let ItemKind::Attribute(attribute) = &item.piece.kind {
                self.items.push((attribute.name.clone(), From::File(item.clone())));
            }
        }
    }
}

/// The variable files that Terraform loads by itself, in its order.
fn automatic(folder: &Utf8Path, files: &dyn Files) -> Vec<Utf8PathBuf> {
    let mut names = vec!["terraform.tfvars".to_owned(), "terraform.tfvars.json".to_owned()];
    let is_auto = |name: &str| name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json");
    names.extend(
        files
            .list(folder)
            .into_iter()
            .filter(|entry| entry.kind != EntryKind::Folder && is_auto(&entry.name))
            .map(|entry| entry.name),
    );
    names.into_iter().map(|name| folder.join(name)).collect()
}

impl World<'_> {
    pub(super) fn evaluate_variable(&self, id: ModuleId, name: &Name) -> Tracked {
        let module = self.looking_for(id, Declared::Variable(name.clone()));
        let Some(block) = module.folder.variable(name) else { return Tracked::default() };
        let body = &block.block().body;
        let plain = |expr: &Expr| self.eval(id, block, expr, &Scope::default());
        let kind = body.attribute("type").map_or(Type::Any, |kind| Type::read(&kind.value, &plain));
        let flag = |name: &str| {
            body.attribute(name).map(|mark| plain(&mark.value)).and_then(|mark| boolean(mark.value()))
        };
        let sensitive =
            flag("sensitive") == Some(true) || crate::is_sensitive_name(name) && !is_known_pointer(name);
        let default = || {
            body.attribute("default").map(|default| {
                let value = plain(&default.value);
                // A root's default may still be replaced by a variable file or a plan.
                let assumed = |origin: Origin| match origin {
                    Origin::Written(at) if module.parent.is_none() => Origin::AssumedDefault(at),
                    other => other,
                };
                Tracked { origin: assumed(value.origin.clone()), ..value }
            })
        };
        let given = match &module.parent {
            Some((parent, call)) => call
                .block()
                .body
                .attribute(name)
                .map(|argument| self.eval(*parent, call, &argument.value, &self.call_scope(id))),
            // Of an ephemeral variable a plan shows the default, whatever was given.
            None => self.given_value(name, &kind, flag("ephemeral") != Some(true), &default),
        };
        let nullable = flag("nullable") != Some(false);
        let missing = |hint: &str| {
            let place = block.place(block.block().header);
            self.unknown(CauseKind::Variable, &format!("var.{name}"), hint, place)
        };
        let value = match given {
            Some(value) if !value.is_null() || nullable => kind.convert(value),
            None if module.parent.is_none()
                && let Some(broken) = &self.given.broken =>
            {
                missing(&format!("correct the syntax problem in {broken}"))
            }
            _ => match default() {
                Some(value) => kind.convert(value),
                None => missing(&format!("set {name} in a .tfvars file or with --var")),
            },
        };
        self.validated(id, block, name, &kind, value).marked(sensitive)
    }

    /// The scope in which the arguments of the call that made module `id` are evaluated.
    fn call_scope(&self, id: usize) -> Scope {
        self.module(id).scope.clone()
    }

    /// What was given for a variable of the root; `by_plan` says whether that of a plan counts.
    fn given_value(
        &self,
        name: &Name,
        kind: &Type,
        by_plan: bool,
        default: &dyn Fn() -> Option<Tracked>,
    ) -> Option<Tracked> {
        let counts = |from: &&From| by_plan || !matches!(from, From::Plan(_));
        let all = self.given.items.iter().rev().filter(|(given, _)| given == name).map(|(_, from)| from);
        let mut all = all.filter(counts);
        let from = all.next()?;
        let value = self.value_from(name, kind, from)?;
        let From::Plan(planned) = from else { return Some(value) };
        // The literal that the plan took the value from says where it stands, and a plan settles a default.
        let written = match all.next() {
            Some(from) => self.value_from(name, kind, from),
            None => default().map(|value| Tracked { origin: value.origin.settled(), ..value }),
        };
        let is_same = |written: &Tracked| {
            equal(&kind.convert(written.clone()), &kind.convert(value.clone())) == Some(true)
        };
        Some(written.filter(is_same).unwrap_or(value).marked(planned.sensitive))
    }

    fn value_from(&self, name: &Name, kind: &Type, from: &From) -> Option<Tracked> {
        Some(match from {
            From::File(item) => self.literal_item(item)?.1,
            From::Flag(text) => match kind {
                Type::Any | Type::String | Type::Number | Type::Bool => {
                    Tracked::new(Value::text(text), Origin::Given(Box::new(name.clone())))
                }
                _ => self.flag_expression(name, text),
            },
            From::Plan(planned) => {
                let value = read_json(&planned.json).unwrap_or_else(|| {
                    let cause = Cause {
                        kind: CauseKind::Variable,
                        subject: format!("var.{name}"),
                        hint: format!("set {name} in a .tfvars file or with --var"),
                    };
                    Value::Unknown(Arc::new(Unknown::because(cause)))
                });
                Tracked::new(value, Origin::Given(Box::new(name.clone())))
            }
        })
    }

    /// `--var 'list=["a"]'`: terraform reads the text as an expression where the type is a collection.
    fn flag_expression(&self, name: &Name, text: &str) -> Tracked {
        let text = format!("value = {text}\n");
        let path = Utf8PathBuf::from(format!("--var {name}"));
        let file: FileId = self.files.paths().id(&path);
        let source = Source::new(file, path, Arc::from(text.as_bytes()));
        let parsed = auditlint_syntax::hcl::parse(&source, &self.caches.blocks);
        let value = parsed.items.first().and_then(|item| self.literal_item(item)).map(|(_, value)| value);
        match value {
            Some(value) if parsed.problems.is_empty() => {
                Tracked { origin: Origin::Given(Box::new(name.clone())), ..value }
            }
            _ => {
                let reason = format!("--var {name}: the text is no valid expression for the variable's type");
                self.gap(Gap {
                    kind: GapKind::Unreadable,
                    path: "--var".to_owned(),
                    at: None,
                    reason,
                    hint: String::new(),
                    count: 1,
                    module: None,
                });
                self.unknown(
                    CauseKind::Variable,
                    &format!("var.{name}"),
                    "",
                    Location { file, span: Span::default() },
                )
            }
        }
    }
}

/// Variables that hold the *name* of a secret are common; their names say so.
fn is_known_pointer(name: &str) -> bool {
    ["kms", "policy", "rotation", "manage"].iter().any(|part| name.contains(part))
}
