//! The `configuration` of a plan: what each resource sets, and where references lead through modules.

use std::io::Read;

use auditlint_syntax::Name;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value as Json;

use super::provider::Providers;
use super::scan::{Halt, Scan, members, text};
use super::tokens::Tokens;
use super::window::{Stop, Window};
use crate::{Attributes, Interest, ModulePath};

/// Modules nested deeper than this are not read.
const MAX_DEPTH: usize = 64;

/// What a plan's configuration says, by module path without keys.
#[derive(Debug, Default)]
pub(super) struct Configured {
    modules: FxHashMap<ModulePath, Module>,
    /// The variables of the root that are declared as sensitive.
    pub(super) sensitive: FxHashSet<Name>,
    /// Where the providers work.
    pub(super) providers: Providers,
}

/// One module of the configuration.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// By type and name.
    pub(super) resources: FxHashMap<Name, FxHashMap<Name, Block>>,
    /// By call.
    pub(super) calls: FxHashMap<Name, Block>,
    /// By output.
    pub(super) outputs: FxHashMap<Name, Expression>,
}

/// The block of a resource, or of the call of a module.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// The attributes and blocks that are set, or the arguments.
    pub(super) own: Vec<(Name, Expression)>,
    /// Whether it has `count` or `for_each`.
    pub(super) is_repeated: bool,
    /// What its `for_each` goes over.
    pub(super) each: Expression,
    /// The key of its provider configuration.
    pub(super) provider: Option<Name>,
}

/// How an attribute is written.
#[derive(Debug, Default)]
pub(super) enum Expression {
    /// Without a reference.
    #[default]
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

    /// The first words of its references: each type that is referred to is among them.
    pub(super) fn referenced(&self) -> FxHashSet<&str> {
        let references = self.modules.values().flat_map(Module::all).flat_map(Expression::references);
        references.filter_map(|text| first_word(text)).collect()
    }

    /// All modules, in no order.
    pub(super) fn modules(&self) -> impl Iterator<Item = (&ModulePath, &Module)> {
        self.modules.iter()
    }

    /// Reads the value of the key `configuration`.
    pub(super) fn read<R: Read>(&mut self, window: &mut Window<R>, interest: &Interest) -> Result<(), Stop> {
        if !window.enter(b'{')? {
            return Ok(());
        }
        while let Some(key) = window.next_key()? {
            match key.as_str() {
                "root_module" => self.read_module(window, interest, &ModulePath::root(), 0)?,
                "provider_config" => self.providers = window.read(Providers::read)?,
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
                                if let Some((kind, name, block)) = found {
                                    module.resources.entry(kind).or_default().insert(name, block);
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
                    "variables" if depth == 0 => self.sensitive = window.read(sensitive)?,
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
        let mut call = Block::default();
        while let Some(key) = window.next_key()? {
            match key.as_str() {
                "expressions" => call.own = window.read(|scan| Ok(object(&json(scan.take()?))))?,
                "count_expression" | "for_each_expression" => {
                    call.is_repeated = true;
                    window.skip()?;
                }
                "module" => self.read_module(window, interest, &path.child(name, None), depth + 1)?,
                _ => window.skip()?,
            }
        }
        module.calls.insert(Name::new(name), call);
        Ok(())
    }
}

/// The type and the name of a resource, and its block.
type Resource = (Name, Name, Block);

impl Module {
    /// What its resources, its calls and its outputs are made from.
    fn all(&self) -> impl Iterator<Item = &Expression> {
        let blocks = self.resources.values().flat_map(FxHashMap::values).chain(self.calls.values());
        let own = blocks.flat_map(|block| block.own.iter().map(|(_, one)| one).chain([&block.each]));
        own.chain(self.outputs.values())
    }

    /// A managed resource of which something is wanted.
    fn resource(scan: &mut Scan<'_, '_>, interest: &Interest) -> Result<Option<Resource>, Halt> {
        let (mut kind, mut name, mut managed) = (None, None, true);
        let mut block = Block::default();
        // The type says what is wanted, so expressions that are written before it wait for it.
        let mut waiting = None;
        members(scan, |key, scan| {
            match (key, &kind) {
                (b"mode", _) => managed = text(scan.take()?).is_some_and(|mode| mode == "managed"),
                (b"type", _) => kind = text(scan.take()?),
                (b"name", _) => name = text(scan.take()?),
                (b"provider_config_key", _) => block.provider = text(scan.take()?).map(Name::new),
                (b"expressions", Some(kind)) => block.own = Self::expressions(scan, interest.of(kind))?,
                (b"expressions", None) => waiting = Some(scan.take()?),
                (b"count_expression", _) => {
                    block.is_repeated = true;
                    scan.skip()?;
                }
                (b"for_each_expression", _) => {
                    block.is_repeated = true;
                    block.each = Expression::of(&json(scan.take()?));
                }
                _ => scan.skip()?,
            }
            Ok(())
        })?;
        let (Some(kind), Some(name)) = (kind, name) else { return Ok(None) };
        let Some(wanted) = interest.of(&kind).filter(|_| managed) else { return Ok(None) };
        if let Some(written) = waiting {
            let mut tokens = Tokens::default();
            let mut scan = Scan::new(written.as_bytes(), true, &mut tokens);
            block.own = Self::expressions(&mut scan, Some(wanted))?;
        }
        Ok(Some((Name::new(kind), Name::new(name), block)))
    }

    /// What a resource sets of what is wanted.
    fn expressions(
        scan: &mut Scan<'_, '_>,
        wanted: Option<&Attributes>,
    ) -> Result<Vec<(Name, Expression)>, Halt> {
        let mut own = Vec::new();
        let Some(wanted) = wanted else { return scan.skip().map(|()| own) };
        members(scan, |attribute, scan| {
            match wanted.named(attribute) {
                Some(attribute) => own.push((attribute, Expression::of(&json(scan.take()?)))),
                None => scan.skip()?,
            }
            Ok(())
        })?;
        Ok(own)
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

/// The names of the variables that are declared as sensitive.
fn sensitive(scan: &mut Scan<'_, '_>) -> Result<FxHashSet<Name>, Halt> {
    let mut names = FxHashSet::default();
    members(scan, |name, scan| {
        members(scan, |key, scan| {
            if key == b"sensitive" && scan.is_true() {
                names.insert(Name::new(String::from_utf8_lossy(name)));
            }
            scan.skip()
        })
    })?;
    Ok(names)
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

/// The first word of a reference, or the type of a data source.
fn first_word(reference: &str) -> Option<&str> {
    reference.strip_prefix("data.").unwrap_or(reference).split(['.', '[']).next()
}

fn object(value: &Json) -> Vec<(Name, Expression)> {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(key, value)| (Name::new(key), Expression::of(value))).collect()
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_default()
}
