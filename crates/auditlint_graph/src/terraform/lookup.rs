//! Data sources that look for a resource by its name: where exactly one root of the run makes a resource of that
//! name, what they give is what stands there.

use auditlint_syntax::{Location, Name};

use super::modules::Scope;
use super::remote::Passage;
use super::world::World;
use crate::{CauseKind, Mode, Reference, References, RootKey, Tracked, is_sensitive_name};

/// What a look-up comes to.
enum Found {
    One(RootKey, Reference),
    Several(Vec<String>),
    Nothing,
}

impl World<'_> {
    /// Attribute `name` of the data source that `data` refers to, from the resource that it finds; none where it
    /// looks for nothing that is known by its name.
    pub(super) fn looked_up(&self, data: &Reference, name: &Name, at: Location) -> Option<Tracked> {
        let lookups = self.tables.facts.lookups(&data.kind);
        let (own, neighbours) = self.neighbours.as_ref().filter(|_| !lookups.is_empty())?;
        let (id, module) = self.module_of(data)?;
        let block = module.folder.resource(Mode::Data, &data.kind, &data.name)?;
        let scope: Scope = self.instance_scope(id, Mode::Data, &data.kind, &data.name, &data.key)?;
        let written = |name: &Name| {
            let written = block.block().body.attribute(name)?;
            Some(self.eval(id, block, &written.value, &scope)).filter(|value| !value.is_null())
        };
        let (lookup, value) = lookups.iter().find_map(|lookup| Some((lookup, written(&lookup.argument)?)))?;
        let text = self.naming(&value)?;
        let argument = written(name);
        match self.of_name(&(lookup.kind.clone(), lookup.attribute.clone()), &text) {
            Found::One(root, reference) => {
                let world = neighbours.world(root)?;
                world.reach(&reference.module)?;
                let there = match lookup.gives.get(name) {
                    // What was written there comes out here, and with it what that was made of.
                    Some(attributes) => attributes.iter().find_map(|attribute| {
                        let value = world.written_attribute(&reference, attribute)?;
                        let facts = self.tables.facts.of(&lookup.kind);
                        let sensitive = facts.sensitive.contains(attribute) || is_sensitive_name(attribute);
                        Some(value).filter(|value| !value.is_null()).map(|value| value.marked(sensitive))
                    })?,
                    None => world.attribute_of_one(&reference, name),
                };
                let there = match neighbours.member(root).filter(|_| root != *own) {
                    Some(from) => Passage { from, to: *own }.take(&there, name),
                    None => there,
                };
                // What the look-up itself says is known here, and leads there all the same.
                let references = there.references.clone();
                Some(argument.unwrap_or(there).with_references(references))
            }
            Found::Several(roots) => {
                let hint = format!(
                    "{} each make an {} with {} = {text:?}; which of them is meant is not known",
                    roots.join(", "),
                    lookup.kind,
                    lookup.attribute
                );
                argument.is_none().then(|| self.elsewhere(data, name, &hint, at))
            }
            Found::Nothing => {
                let hint = format!(
                    "no root in this run makes an {} with {} = {text:?}: check the roots together, or check a plan",
                    lookup.kind, lookup.attribute
                );
                argument.is_none().then(|| self.elsewhere(data, name, &hint, at))
            }
        }
    }

    fn elsewhere(&self, data: &Reference, name: &Name, hint: &str, at: Location) -> Tracked {
        let exact = Reference { attribute: name.clone(), ..data.clone() };
        let subject = self.cause_of(&exact).subject;
        self.unknown(CauseKind::Elsewhere, &subject, hint, at)
            .with_references(Some(References::shared([exact])))
    }

    /// The resource of that name: of this root, else of the only other one; of several, the only one of the same
    /// environment.
    fn of_name(&self, sought: &super::names::Sought, text: &str) -> Found {
        let Some((own, neighbours)) = &self.neighbours else { return Found::Nothing };
        let mut found: Vec<(RootKey, Reference)> = neighbours.named(sought, text);
        for is_near in [true, false] {
            let near = |root: RootKey| match is_near {
                true => root == *own,
                false => neighbours.is_of_same_environment(root, *own),
            };
            if found.len() > 1 && found.iter().any(|(root, _)| near(*root)) {
                found.retain(|(root, _)| near(*root));
            }
        }
        match found.as_slice() {
            [] => Found::Nothing,
            [(root, reference)] => Found::One(*root, reference.clone()),
            several => {
                let mut roots: Vec<String> =
                    several.iter().filter_map(|(root, _)| Some(neighbours.member(*root)?.name())).collect();
                roots.dedup();
                Found::Several(roots)
            }
        }
    }
}
