//! The `configuration` of a plan: what each resource sets, and where references lead through modules.

use std::io::Read;

use auditlint_syntax::Name;
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use super::scan::{members, text};
use super::window::{Stop, Window};
use crate::{Interest, ModulePath};

/// Modules nested deeper than this are not read.
const MAX_DEPTH: usize = 64;

/// What a plan's configuration says, by module path without keys.
#[derive(Debug, Default)]
pub(super) struct Configured {
    modules: FxHashMap<ModulePath, Module>,
}

/// One module of the configuration.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// By `TYPE.NAME`: the attributes and blocks that are set.
    pub(super) resources: FxHashMap<Name, Vec<(Name, Expression)>>,
    /// By call: its arguments.
    pub(super) calls: FxHashMap<Name, Vec<(Name, Expression)>>,
    /// By output.
    pub(super) outputs: FxHashMap<Name, Expression>,
}

/// How an attribute is written.
#[derive(Debug)]
pub(super) enum Expression {
    /// Without a reference.
    Constant,
    /// With these, the most specific first.
    References(Vec<Name>),
    /// As nested blocks.
    Blocks(Vec<Vec<(Name, Expression)>>),
}

impl Configured {
    pub(super) fn module(&self, path: &ModulePath) -> Option<&Module> {
        self.modules.get(&path.without_keys())
    }

    /// Reads the value of the key `configuration`.
    pub(super) fn read<R: Read>(&mut self, window: &mut Window<R>, interest: &Interest) -> Result<(), Stop> {
        if !window.enter(b'{')? {
            return Ok(());
        }
        while let Some(key) = window.next_key()? {
            match key.as_str() {
                "root_module" => self.read_module(window, interest, &ModulePath::root(), 0)?,
                _ => window.skip()?,
            }
        }
        Ok(())
    }

    fn read_module<R: Read>(
        &mut self,
        window: &mut Window<R>,
        interest: &Interest,
        path: &ModulePath,
        depth: usize,
    ) -> Result<(), Stop> {
        if depth > MAX_DEPTH {
            return window.malformed("modules are nested too deeply");
        }
        let mut module = Module::default();
        if window.enter(b'{')? {
            while let Some(key) = window.next_key()? {
                match key.as_str() {
                    "resources" => {
                        if window.enter(b'[')? {
                            while window.next_item()? {
                                module.resource(window.take()?, interest);
                            }
                        }
                    }
                    "module_calls" => {
                        if window.enter(b'{')? {
                            while let Some(name) = window.next_key()? {
                                self.read_call(window, interest, path, depth, &name, &mut module)?;
                            }
                        }
                    }
                    "outputs" => module.outputs(window.take()?),
                    _ => window.skip()?,
                }
            }
        }
        self.modules.insert(path.clone(), module);
        Ok(())
    }

    fn read_call<R: Read>(
        &mut self,
        window: &mut Window<R>,
        interest: &Interest,
        path: &ModulePath,
        depth: usize,
        name: &str,
        module: &mut Module,
    ) -> Result<(), Stop> {
        if !window.enter(b'{')? {
            return Ok(());
        }
        while let Some(key) = window.next_key()? {
            match key.as_str() {
                "expressions" => {
                    let arguments = object(&json(window.take()?));
                    module.calls.insert(Name::new(name), arguments);
                }
                "module" => self.read_module(window, interest, &path.child(name, None), depth + 1)?,
                _ => window.skip()?,
            }
        }
        Ok(())
    }
}

impl Module {
    fn resource(&mut self, slice: &[u8], interest: &Interest) {
        let (mut kind, mut name, mut managed, mut expressions) = (None, None, true, None);
        for (key, value) in members(slice) {
            match &*key {
                "mode" => managed = text(value).is_some_and(|mode| mode == "managed"),
                "type" => kind = text(value),
                "name" => name = text(value),
                "expressions" => expressions = Some(value),
                _ => {}
            }
        }
        let (Some(kind), Some(name)) = (kind, name) else { return };
        if !managed || !interest.wants_type(&kind) {
            return;
        }
        let own = expressions
            .into_iter()
            .flat_map(members)
            .filter(|(attribute, _)| interest.wants(&kind, attribute))
            .map(|(attribute, value)| (Name::new(&attribute), Expression::of(&json(value))))
            .collect();
        self.resources.insert(Name::new(format!("{kind}.{name}")), own);
    }

    fn outputs(&mut self, slice: &[u8]) {
        for (name, value) in members(slice) {
            if let Some((_, expression)) = members(value).find(|(key, _)| key == "expression") {
                self.outputs.insert(Name::new(&name), Expression::of(&json(expression)));
            }
        }
    }
}

impl Expression {
    fn of(value: &Json) -> Self {
        match value {
            Json::Array(blocks) => Self::Blocks(blocks.iter().map(object).collect()),
            Json::Object(map) => match map.get("references") {
                Some(Json::Array(texts)) => {
                    Self::References(texts.iter().filter_map(Json::as_str).map(Name::new).collect())
                }
                _ if map.is_empty() || map.contains_key("constant_value") => Self::Constant,
                _ => Self::Blocks(vec![object(value)]),
            },
            _ => Self::Constant,
        }
    }

    /// The references, those of nested blocks included.
    pub(super) fn references(&self) -> Vec<&Name> {
        match self {
            Self::Constant => Vec::new(),
            Self::References(texts) => texts.iter().collect(),
            Self::Blocks(blocks) => {
                blocks.iter().flatten().flat_map(|(_, expression)| expression.references()).collect()
            }
        }
    }
}

fn object(value: &Json) -> Vec<(Name, Expression)> {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(key, value)| (Name::new(key), Expression::of(value))).collect()
}

fn json(slice: &[u8]) -> Json {
    serde_json::from_slice(slice).unwrap_or_default()
}
