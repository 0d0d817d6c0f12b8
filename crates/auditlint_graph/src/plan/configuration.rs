//! The `configuration` of a plan: what each resource sets, and where references lead through modules.

use std::io::Read;

use auditlint_syntax::Name;
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use super::scan::{Halt, Scan, members, text};
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
    /// By type and name: the attributes and blocks that are set.
    pub(super) resources: FxHashMap<Name, FxHashMap<Name, Vec<(Name, Expression)>>>,
    /// By type and name: the references of what its `for_each` goes over, the most specific first.
    pub(super) for_each: FxHashMap<Name, FxHashMap<Name, Vec<Name>>>,
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
                                let found = window.read(|scan| Module::resource(scan, interest))?;
                                if let Some(Resource { kind, name, own, elements }) = found {
                                    if !elements.is_empty() {
                                        let of_kind = module.for_each.entry(kind.clone()).or_default();
                                        of_kind.insert(name.clone(), elements);
                                    }
                                    module.resources.entry(kind).or_default().insert(name, own);
                                }
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
                    "outputs" => module.outputs = window.read(Module::outputs)?,
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
                    let arguments = window.read(|scan| Ok(object(&json(scan.take()?))))?;
                    module.calls.insert(Name::new(name), arguments);
                }
                "module" => self.read_module(window, interest, &path.child(name, None), depth + 1)?,
                _ => window.skip()?,
            }
        }
        Ok(())
    }
}

/// A resource, what it sets, and the references of what its `for_each` goes over.
struct Resource {
    kind: Name,
    name: Name,
    own: Vec<(Name, Expression)>,
    elements: Vec<Name>,
}

impl Module {
    /// A managed resource of which something is wanted.
    fn resource(scan: &mut Scan<'_, '_>, interest: &Interest) -> Result<Option<Resource>, Halt> {
        let (mut kind, mut name, mut managed, mut expressions) = (None, None, true, None);
        let mut for_each = Expression::Constant;
        members(scan, |key, scan| {
            match key {
                b"mode" => managed = text(scan.take()?).is_some_and(|mode| mode == "managed"),
                b"type" => kind = text(scan.take()?),
                b"name" => name = text(scan.take()?),
                b"expressions" => {
                    expressions = Some(scan.clone());
                    scan.skip()?;
                }
                b"for_each_expression" => for_each = Expression::of(&json(scan.take()?)),
                _ => scan.skip()?,
            }
            Ok(())
        })?;
        let (Some(kind), Some(name)) = (kind, name) else { return Ok(None) };
        let Some(wanted) = interest.of(&kind).filter(|_| managed) else { return Ok(None) };
        let mut own = Vec::new();
        if let Some(mut expressions) = expressions {
            members(&mut expressions, |attribute, scan| {
                match wanted.named(attribute) {
                    Some(attribute) => own.push((attribute, Expression::of(&json(scan.take()?)))),
                    None => scan.skip()?,
                }
                Ok(())
            })?;
        }
        let elements = for_each.references().into_iter().cloned().collect();
        Ok(Some(Resource { kind: Name::new(kind), name: Name::new(name), own, elements }))
    }

    fn outputs(scan: &mut Scan<'_, '_>) -> Result<FxHashMap<Name, Expression>, Halt> {
        let mut outputs = FxHashMap::default();
        members(scan, |name, scan| {
            members(scan, |key, scan| {
                match key {
                    b"expression" => {
                        outputs.insert(
                            Name::new(String::from_utf8_lossy(name)),
                            Expression::of(&json(scan.take()?)),
                        );
                    }
                    _ => scan.skip()?,
                }
                Ok(())
            })
        })?;
        Ok(outputs)
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

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_default()
}
