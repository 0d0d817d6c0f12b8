//! What another root says: `data.terraform_remote_state.NAME.outputs` and `data.tfe_outputs.NAME.values` are
//! followed to the root that keeps the state, and its output is evaluated there.

use std::sync::Arc;

use auditlint_syntax::{Location, Name};

use super::backend::{Argument, State, state};
use super::convert::text;
use super::declared::BlockRef;
use super::estate::Member;
use super::functions::located;
use super::modules::{ModuleId, Scope};
use super::operators::equal;
use super::world::World;
use crate::{
    Cause, CauseKind, GapKind, Map, Mode, ModulePath, Origin, RefKey, Reference, References, RootKey,
    Tracked, Unknown, Value,
};

/// An attribute that holds the outputs of another root.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outputs {
    /// All of them.
    All,
    /// All of them, and the provider marks them as sensitive.
    Sensitive,
    /// Those that are not sensitive.
    Plain,
}

fn outputs(kind: &str, attribute: &str) -> Option<Outputs> {
    match (kind, attribute) {
        ("terraform_remote_state", "outputs") => Some(Outputs::All),
        ("tfe_outputs", "values") => Some(Outputs::Sensitive),
        ("tfe_outputs", "nonsensitive_values") => Some(Outputs::Plain),
        _ => None,
    }
}

/// Whether data sources of that type hold the outputs of other roots.
pub(super) fn is_remote(kind: &str) -> bool {
    kind == "terraform_remote_state" || kind == "tfe_outputs"
}

/// A data source that reads a state.
struct Reader<'r> {
    id: ModuleId,
    block: &'r BlockRef,
    scope: &'r Scope,
    at: Location,
    /// Its address, for causes.
    subject: String,
}

impl World<'_> {
    /// Whether `attribute` of what `whole` stands for holds the outputs of another root.
    pub(super) fn is_outputs(&self, whole: &Tracked, attribute: &Name) -> bool {
        matches!(whole.references(), [reference]
            if reference.root.is_none()
                && reference.mode == Mode::Data
                && outputs(&reference.kind, attribute).is_some())
    }

    /// `attribute` of the data source that `whole` stands for: the output `name` of the root that it reads, or all
    /// of its outputs.
    pub(super) fn remote(
        &self,
        whole: &Tracked,
        attribute: &Name,
        name: Option<&Name>,
        at: Location,
    ) -> Tracked {
        let [reference] = whole.references() else { return Tracked::default() };
        let Some(which) = outputs(&reference.kind, attribute) else { return Tracked::default() };
        let Some((id, module)) = self.module_of(reference) else { return whole.clone() };
        let Some(block) = module.folder.resource(Mode::Data, &reference.kind, &reference.name) else {
            return whole.clone();
        };
        let scope = self
            .instance_scope(id, Mode::Data, &reference.kind, &reference.name, &reference.key)
            .unwrap_or_default();
        let subject = self.cause_of(reference).subject;
        let reader = Reader { id, block, scope: &scope, at, subject };
        let value = match self.state_of(&reader, &reference.kind) {
            Ok(state) => self.outputs_of(&reader, &state, which, name),
            Err(cause) => self.unknown(cause.kind, &cause.subject, &cause.hint, at),
        };
        value.marked(which == Outputs::Sensitive)
    }

    /// The state that a data source reads.
    fn state_of(&self, reader: &Reader<'_>, kind: &str) -> Result<State, Cause> {
        let Reader { id, block, scope, .. } = *reader;
        let body = &block.block().body;
        let value =
            |name: &str| body.attribute(name).map(|written| self.eval(id, block, &written.value, scope));
        let mut open: Option<Cause> = None;
        let state = if kind == "tfe_outputs" {
            let organization = value("organization")
                .or_else(|| self.provider_argument(id, &Name::new(kind), block, "organization"));
            let (organization, workspace) = (
                argument(organization.as_ref(), &mut open),
                argument(value("workspace").as_ref(), &mut open),
            );
            let arguments = |name: &str| match name {
                "organization" => organization.clone(),
                "workspaces.name" => workspace.clone(),
                _ => Argument::Absent,
            };
            state("remote", &arguments, &Argument::Absent, &|_| None)
        } else {
            let backend = value("backend");
            let workspace = argument(value("workspace").as_ref(), &mut open);
            // Older configurations write `config` as a block.
            let config =
                value("config").or_else(|| self.blocks_value(id, block, body, &"config".into(), scope));
            if let Some(unknown) =
                [&backend, &config].into_iter().flatten().find_map(|value| first(value).unknown())
            {
                return Err(unknown.cause.clone());
            }
            let backend = backend.as_ref().and_then(|backend| text(backend.value())).unwrap_or_default();
            let backend = if backend == "cloud" { "remote" } else { backend.as_str() };
            let open = std::cell::RefCell::new(&mut open);
            let arguments = |name: &str| {
                let mut found = config.as_ref().map(first);
                for step in name.split('.') {
                    found = found.and_then(|found| map(found)?.get(step)).map(first);
                }
                argument(found, &mut open.borrow_mut())
            };
            let path = |path: &str| match located(self, id, path) {
                Some(inside) => Some(inside.to_string()),
                None => Some(path.to_owned()),
            };
            state(backend, &arguments, &workspace, &path)
        };
        let elsewhere = |hint: &str| Cause {
            kind: CauseKind::Elsewhere,
            subject: reader.subject.clone(),
            hint: hint.to_owned(),
        };
        match (state, open) {
            (Some(state), _) if state.is_whole() => Ok(state),
            (Some(_), Some(open)) => Err(open),
            (Some(state), None) => {
                Err(elsewhere(&format!("its configuration does not say which state it reads: {state}")))
            }
            (None, _) => Err(elsewhere("states in this kind of backend are not followed")),
        }
    }

    fn outputs_of(&self, reader: &Reader<'_>, state: &State, which: Outputs, name: Option<&Name>) -> Tracked {
        let elsewhere = |hint: String| self.unknown(CauseKind::Elsewhere, &reader.subject, &hint, reader.at);
        let alone =
            || elsewhere(format!("no root in this run has this state ({state}): check the roots together"));
        let Some((own, neighbours)) = &self.neighbours else { return alone() };
        let keepers = neighbours.keepers(state, *own);
        let names = |all: &[&Member]| all.iter().map(|member| member.name()).collect::<Vec<_>>().join(", ");
        match (keepers.sure.as_slice(), keepers.possible.as_slice()) {
            ([], []) => alone(),
            ([], possible) => elsewhere(format!(
                "the backend of {} is configured in part: write down in its `backend` block what -backend-config gives, so that it is known whether it keeps {state}",
                names(possible)
            )),
            ([one], _) => self.outputs_in(reader, one, which, name),
            (several, _) => {
                let values: Vec<Tracked> =
                    several.iter().map(|member| self.outputs_in(reader, member, which, name)).collect();
                let cause = Cause {
                    kind: CauseKind::Elsewhere,
                    subject: reader.subject.clone(),
                    hint: format!(
                        "{} all keep this state ({state}): give each environment a state of its own",
                        names(several)
                    ),
                };
                agreed(values, cause, reader.at)
            }
        }
    }

    /// The outputs of one root as this one sees them.
    fn outputs_in(
        &self,
        reader: &Reader<'_>,
        member: &Member,
        which: Outputs,
        name: Option<&Name>,
    ) -> Tracked {
        let elsewhere = |hint: String| self.unknown(CauseKind::Elsewhere, &reader.subject, &hint, reader.at);
        let Some((own, neighbours)) = &self.neighbours else { return Tracked::default() };
        let Some(world) = neighbours.world(member.key) else {
            return elsewhere("more roots are read together than are followed".to_owned());
        };
        let module = world.module(0);
        let is_read = module.folder.gaps().all(|gap| gap.kind == GapKind::Reference);
        let defaults = self.eval_defaults(reader);
        let one = |name: &Name| -> Option<Tracked> {
            module.folder.output(name)?;
            let value = world.output(0, name, reader.at);
            // A null output is not kept in the state.
            let is_kept = !value.is_null() && (which != Outputs::Plain || !value.sensitive);
            if !self.spend_on([&value]) {
                return Some(self.too_many_steps(reader.at));
            }
            is_kept.then(|| Passage { from: member, to: *own }.take(&value, name))
        };
        let default = |name: &Name| defaults.as_ref().and_then(|all| map(all)?.get(name)).cloned();
        if let Some(name) = name {
            return match one(name).or_else(|| default(name).filter(|_| is_read)) {
                Some(value) => self.passed(value, &[], reader.at),
                None if is_read => elsewhere(format!("{} has no output {name:?}", member.name())),
                None => elsewhere(format!("{} could not be read completely", member.name())),
            };
        }
        if !is_read {
            return elsewhere(format!("{} could not be read completely", member.name()));
        }
        let mut all: Map = defaults.as_ref().and_then(map).cloned().unwrap_or_default();
        let found = module.folder.outputs().into_iter().filter_map(|name| Some((name.clone(), one(name)?)));
        all.extend(found);
        Tracked::derive(reader.at, &[], Value::Map(Arc::new(all)))
    }

    /// Attribute `name` of a resource of another root, which an output of it gave as a whole.
    pub(super) fn attribute_elsewhere(
        &self,
        root: RootKey,
        whole: &Tracked,
        name: &Name,
        at: Location,
    ) -> Tracked {
        let around = self
            .neighbours
            .as_ref()
            .and_then(|(own, neighbours)| Some((*own, neighbours.member(root)?, neighbours.world(root)?)));
        let Some((own, member, world)) = around else { return self.passed(whole.clone(), &[], at) };
        let references = whole.references();
        for reference in references {
            world.reach(&reference.module);
        }
        let there = references.iter().map(|reference| Reference { root: None, ..reference.clone() });
        let there = whole.clone().with_references(Some(References::shared(there)));
        let value = world.attribute_of(&there, name, at);
        self.passed(Passage { from: member, to: own }.take(&value, name), &[], at)
    }

    fn eval_defaults(&self, reader: &Reader<'_>) -> Option<Tracked> {
        let Reader { id, block, scope, .. } = *reader;
        let written = block.block().body.attribute("defaults")?;
        Some(self.eval(id, block, &written.value, scope))
    }
}

/// A value on its way from one root to another.
pub(super) struct Passage<'p> {
    pub(super) from: &'p Member,
    pub(super) to: RootKey,
}

impl Passage<'_> {
    /// The value of what is called `name` there: its references lead into the root that it comes from, and its causes say so.
    pub(super) fn take(&self, value: &Tracked, name: &Name) -> Tracked {
        let references = value.references();
        let mut references: Vec<Reference> =
            references.iter().map(|reference| self.reference(reference)).collect();
        if references.is_empty() && value.value().as_str().is_some() {
            // A text that was made of no resource may be the name of one: of one of that root.
            references.push(Reference {
                root: Some(self.from.key),
                module: ModulePath::root(),
                mode: Mode::Data,
                kind: Name::new_static(Reference::OUTPUT),
                name: name.clone(),
                key: RefKey::None,
                attribute: Name::default(),
                exact: false,
            });
        }
        let references = (!references.is_empty()).then(|| References::shared(references));
        Tracked { value: self.take_value(value.value(), name), references, ..value.clone() }
    }

    fn take_value(&self, value: &Value, name: &Name) -> Value {
        let all =
            |items: &[Tracked]| -> Vec<Tracked> { items.iter().map(|item| self.take(item, name)).collect() };
        match value {
            Value::List(items) => Value::List(all(items).into()),
            Value::Map(map) => {
                let items = map.iter().map(|(key, item)| (key.clone(), self.take(item, name)));
                Value::Map(Arc::new(items.collect()))
            }
            Value::Unknown(unknown) => Value::Unknown(Arc::new(Unknown {
                cause: self.cause(&unknown.cause),
                one_of: unknown.one_of.as_deref().map(|arms| all(arms).into()),
                encoded: unknown.encoded.as_ref().map(|value| self.take_value(value, name)),
                ..Unknown::clone(unknown)
            })),
            other => other.clone(),
        }
    }

    fn reference(&self, reference: &Reference) -> Reference {
        let root = Some(reference.root.unwrap_or(self.from.key)).filter(|root| *root != self.to);
        Reference { root, ..reference.clone() }
    }

    /// Whatever decides, decides there.
    fn cause(&self, cause: &Cause) -> Cause {
        if cause.kind == CauseKind::Elsewhere {
            return cause.clone();
        }
        let subject = format!("{} in root {}", cause.subject, self.from.name());
        Cause { kind: CauseKind::Elsewhere, subject, hint: cause.hint.clone() }
    }
}

/// What several roots say alike; else one of it.
fn agreed(values: Vec<Tracked>, cause: Cause, at: Location) -> Tracked {
    let first = values.first().cloned().unwrap_or_default();
    if values.iter().all(|value| equal(&first, value) == Some(true)) {
        let inputs: Vec<&Tracked> = values.iter().collect();
        let value = first.value().clone();
        // Which of the roots is meant stays open, and with it where a name leads.
        return Tracked::derive(at, &inputs, value).shaped(first.shape).with_references(None);
    }
    let sensitive = values.iter().any(|value| value.sensitive);
    let apart = values.into_iter().map(|value| value.with_references(None)).collect();
    let origin = Origin::Derived(Arc::new(crate::Derived::new(at, Box::default())));
    Tracked::new(Value::Unknown(Arc::new(Unknown::one_of(cause, apart))), origin).marked(sensitive)
}

/// What an argument says; the cause of one that is not known is kept.
fn argument(value: Option<&Tracked>, open: &mut Option<Cause>) -> Argument {
    match value.map(|value| (value, text(value.value()))) {
        None => Argument::Absent,
        Some((value, _)) if value.is_null() => Argument::Absent,
        Some((_, Some(text))) => Argument::Text(text),
        Some((value, None)) => {
            *open = open.take().or_else(|| value.unknown().map(|unknown| unknown.cause.clone()));
            Argument::Open
        }
    }
}

fn map(value: &Tracked) -> Option<&Map> {
    if let Value::Map(map) = value.value() { Some(map) } else { None }
}

/// The only element of a list of one: a block, or an object that is written as one.
fn first(value: &Tracked) -> &Tracked {
    match value.value() {
        Value::List(items) => match &**items {
            [only] => only,
            _ => value,
        },
        _ => value,
    }
}
