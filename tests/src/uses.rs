//! What the catalogue says of resource types: every type, path and value that its facts, conditions, remedies and
//! probes name.
//!
//! The catalogue is taken apart as it was read and no field is left out, so that what is new in its language must be
//! decided here as well.

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};

use auditlint_policy::Catalogue;
use auditlint_policy::condition::{AttributePath, Condition, Operand, Test};
use auditlint_policy::facts::{
    Emission, Facts, Forwarding, Keeping, LookedUp, Regions, Retention, ServiceStore,
};
use auditlint_policy::probes;
use auditlint_policy::rule::{BlockTemplate, ChangeTemplate, Rule, ValueTemplate};
use auditlint_syntax::Name;

/// One thing that a file says.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    /// The file, below `policies`; empty for what stands in the code of the probes.
    pub(crate) file: String,
    /// The types of which it says so.
    pub(crate) kinds: Vec<String>,
    /// The path in them, from the top; empty for the types themselves.
    pub(crate) path: Vec<String>,
    /// The top-level key of the file under which it stands.
    pub(crate) under: &'static str,
    /// The word there.
    pub(crate) word: String,
    /// What must stand at the path.
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// Anything, in one of the types at least: a rule may speak of what only some of them have.
    Read,
    /// An attribute that a value like this is compared with.
    Compared(Operand),
    /// Anything, in each of the types.
    Had,
    /// A nested block, in each of the types.
    Nested,
    /// Something that the configuration may set, in each of the types.
    Written(Option<Operand>),
    /// A new block or resource with these names in it, in each of the types.
    Made(Vec<String>),
}

/// What walks along the catalogue: the file, and where paths begin.
#[derive(Clone, Copy)]
struct Scope<'a> {
    file: &'a str,
    under: &'static str,
    kinds: &'a [Name],
    prefix: &'a [String],
}

/// Every type that the catalogue names, data sources with `data ` before it.
#[must_use]
pub fn kinds(catalogue: &Catalogue, texts: &[(String, String)]) -> BTreeSet<String> {
    uses(catalogue, texts).into_iter().flat_map(|used| used.kinds).collect()
}

/// All of it, in the order of the files.
pub(crate) fn uses(catalogue: &Catalogue, texts: &[(String, String)]) -> Vec<Use> {
    let mut out = Vec::new();
    for (file, _) in texts {
        let stem = file.strip_suffix(".yaml").unwrap_or(file);
        if let Some(rule) = stem.strip_prefix("rules/").and_then(|id| catalogue.rule(id)) {
            of_rule(file, rule, &mut out);
        } else if let Some(facts) = stem
            .strip_prefix("resources/")
            .and_then(|path| path.rsplit_once('/').and_then(|(_, kind)| catalogue.facts(kind)))
        {
            of_facts(file, facts, &mut out);
        }
    }
    merge_probes(&mut out);
    for (kind, attribute) in probes::INTEREST {
        let kinds = [Name::new(*kind)];
        let scope = Scope { file: "", under: "", kinds: &kinds, prefix: &[] };
        scope.says(&AttributePath::parse(attribute), What::Had, &mut out);
    }
    out
}

/// A probe looks at an attribute where the judged type has it; one that no type has is wrong. So what the rules say
/// of each of a probe's attributes is said once, of all types.
fn merge_probes(uses: &mut Vec<Use>) {
    let (of_probes, mut rest): (Vec<Use>, Vec<Use>) = uses.drain(..).partition(|used| used.file.is_empty());
    let mut merged: BTreeMap<(String, Vec<String>), Use> = BTreeMap::new();
    for used in of_probes {
        let key = (used.word.clone(), used.path.clone());
        match merged.entry(key) {
            Slot::Vacant(slot) => drop(slot.insert(used)),
            Slot::Occupied(mut slot) => slot.get_mut().kinds.extend(used.kinds),
        }
    }
    rest.extend(merged.into_values());
    *uses = rest;
}

impl Scope<'_> {
    fn says(&self, path: &AttributePath, what: What, out: &mut Vec<Use>) {
        // The empty path is the element itself.
        let own = path.0.iter().filter(|step| !step.is_empty()).map(ToString::to_string);
        out.push(Use {
            file: self.file.to_owned(),
            under: self.under,
            kinds: self.kinds.iter().map(ToString::to_string).collect(),
            path: self.prefix.iter().cloned().chain(own).collect(),
            word: path.to_string(),
            what,
        });
    }

    fn say_all<'n>(&self, names: impl IntoIterator<Item = &'n Name>, what: &What, out: &mut Vec<Use>) {
        for name in names {
            self.says(&AttributePath::parse(name), what.clone(), out);
        }
    }

    /// That there are such types.
    fn names<'n>(&self, kinds: impl IntoIterator<Item = &'n Name>, out: &mut Vec<Use>) {
        for kind in kinds {
            out.push(Use {
                file: self.file.to_owned(),
                under: self.under,
                kinds: vec![kind.to_string()],
                path: Vec::new(),
                word: kind.to_string(),
                what: What::Read,
            });
        }
    }

    fn below(&self, path: &AttributePath) -> Vec<String> {
        self.prefix.iter().cloned().chain(path.0.iter().map(ToString::to_string)).collect()
    }
}

fn of_facts(file: &str, facts: &Facts, out: &mut Vec<Use>) {
    let Facts {
        kind,
        also,
        source: _,
        records: _,
        defaults,
        allowed,
        always_set,
        sensitive,
        identity,
        blocks,
        only_written,
        emits,
        keeps,
        forwards,
        service_stores,
        looked_up,
    } = facts;
    let kinds: Vec<Name> = also.iter().chain([kind]).cloned().collect();
    let scope = |under| Scope { file, under, kinds: &kinds, prefix: &[] };
    scope("type").names([kind], out);
    scope("also").names(also, out);
    for (path, value) in defaults {
        scope("defaults").says(path, What::Had, out);
        scope("defaults").says(path, What::Compared(value.clone()), out);
    }
    for (path, values) in allowed {
        scope("allowed").says(path, What::Had, out);
        values.iter().for_each(|value| scope("allowed").says(path, What::Compared(value.clone()), out));
    }
    for (under, names) in [("always_set", always_set), ("sensitive", sensitive), ("identity", identity)] {
        scope(under).say_all(names, &What::Had, out);
    }
    scope("blocks").say_all(blocks, &What::Nested, out);
    scope("only_written").say_all(only_written, &What::Nested, out);
    for Emission { categories: _, on, regions, to } in emits {
        let scope = scope("emits");
        if let Some(Regions::AllWhere(condition)) = regions {
            of_condition(&scope, condition, out);
        }
        on.iter().for_each(|on| of_condition(&scope, on, out));
        for sink in to {
            scope.names(&sink.types, out);
            match &sink.companion {
                Some((companion, join)) => {
                    let scope = Scope { kinds: std::slice::from_ref(companion), ..scope };
                    scope.says(join, What::Had, out);
                    scope.says(&sink.path, What::Had, out);
                }
                None => scope.says(&sink.path, What::Had, out),
            }
        }
    }
    if let Some(Keeping { retention, searchable: _, immutable, place }) = keeps {
        let scope = scope("keeps");
        if let Retention::Attribute { path, .. } = retention {
            scope.says(path, What::Had, out);
        }
        place.iter().for_each(|place| scope.says(place, What::Had, out));
        immutable.iter().for_each(|immutable| of_condition(&scope, immutable, out));
    }
    for Forwarding { from, path, types, all } in forwards {
        let scope = scope("forwards");
        all.iter().for_each(|all| of_condition(&scope, all, out));
        scope.names(types.iter().chain(from.iter().flat_map(|(_, types)| types)), out);
        from.iter().map(|(from, _)| from).chain([path]).for_each(|path| scope.says(path, What::Had, out));
    }
    for ServiceStore { kind, name, retention: _, categories: _ } in service_stores {
        let scope = scope("service_stores");
        scope.names([kind], out);
        let placeholders = name.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0));
        placeholders.for_each(|path| scope.says(&AttributePath::parse(path), What::Had, out));
    }
    for LookedUp { data, by, attribute, gives } in looked_up {
        let scope = scope("looked_up");
        let kinds = [Name::new(format!("data {data}"))];
        let source = Scope { kinds: &kinds, ..scope };
        source.say_all([by].into_iter().chain(gives.iter().map(|(name, _)| name)), &What::Had, out);
        scope.say_all(
            [attribute].into_iter().chain(gives.iter().flat_map(|(_, names)| names)),
            &What::Had,
            out,
        );
    }
}

fn of_rule(file: &str, rule: &Rule, out: &mut Vec<Use>) {
    let scope = |under| Scope { file, under, kinds: &rule.selects, prefix: &[] };
    scope("selects").names(&rule.selects, out);
    rule.when.iter().for_each(|condition| of_condition(&scope("where"), condition, out));
    of_condition(&scope("requires"), &rule.requires, out);
    rule.satisfied_by.iter().for_each(|condition| of_condition(&scope("satisfied_by"), condition, out));
    let scope = scope("remedy");
    for change in rule.remedies.iter().flat_map(|remedy| &remedy.changes) {
        match change {
            ChangeTemplate::Set(path, value) => {
                let literal =
                    if let ValueTemplate::Operand(value) = value { Some(value.clone()) } else { None };
                scope.says(path, What::Written(literal), out);
                of_value(&scope, value, out);
            }
            ChangeTemplate::Append(path, values) => {
                scope.says(path, What::Written(Some(Operand::List(values.clone()))), out);
            }
            ChangeTemplate::Remove(path) => scope.says(path, What::Written(None), out),
            // They change what is written inside of a value.
            ChangeTemplate::Flag(..)
            | ChangeTemplate::AuditLevel(_)
            | ChangeTemplate::AuditRule(_)
            | ChangeTemplate::Drop => {}
            ChangeTemplate::AddBlock(block) => of_block(&scope, &scope, block, out),
            ChangeTemplate::AddResource { kind, body, blocks } => {
                let made = Scope { kinds: std::slice::from_ref(kind), ..scope };
                scope.names([kind], out);
                of_body(&scope, &made, body, blocks, kind, out);
            }
        }
    }
}

/// A block that a remedy writes into what `made` says; `@` names attributes of the judged resource.
fn of_block(judged: &Scope<'_>, made: &Scope<'_>, block: &BlockTemplate, out: &mut Vec<Use>) {
    let path = AttributePath::parse(&block.name);
    made.says(&path, What::Nested, out);
    let prefix = made.below(&path);
    of_body(judged, &Scope { prefix: &prefix, ..*made }, &block.body, &block.blocks, &block.name, out);
}

fn of_body(
    judged: &Scope<'_>,
    made: &Scope<'_>,
    body: &[(Name, ValueTemplate)],
    blocks: &[BlockTemplate],
    word: &str,
    out: &mut Vec<Use>,
) {
    for (name, value) in body {
        let literal = if let ValueTemplate::Operand(value) = value { Some(value.clone()) } else { None };
        made.says(&AttributePath::parse(name), What::Written(literal), out);
        of_value(judged, value, out);
    }
    blocks.iter().for_each(|block| of_block(judged, made, block, out));
    let names = body.iter().map(|(name, _)| name).chain(blocks.iter().map(|block| &block.name));
    let names = names.map(ToString::to_string).collect();
    let place = AttributePath([].into());
    made.says(&place, What::Made(names), out);
    // The place of what is missing is the name of what lacks it.
    if let Some(last) = out.last_mut() {
        word.clone_into(&mut last.word);
    }
}

fn of_value(judged: &Scope<'_>, value: &ValueTemplate, out: &mut Vec<Use>) {
    match value {
        ValueTemplate::Operand(_) => {}
        ValueTemplate::SubjectAttribute(name) => {
            let top = Scope { prefix: &[], ..*judged };
            top.says(&AttributePath::parse(name), What::Had, out);
            if let Some(last) = out.last_mut() {
                last.word = format!("@{name}");
            }
        }
        ValueTemplate::Choose { types, attribute, placeholder: _ } => {
            judged.names(types, out);
            let chosen = Scope { kinds: types, prefix: &[], ..*judged };
            chosen.says(&AttributePath::parse(attribute), What::Had, out);
        }
    }
}

fn of_condition(scope: &Scope<'_>, condition: &Condition, out: &mut Vec<Use>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| of_condition(scope, part, out));
        }
        Condition::Not(inner) => of_condition(scope, inner, out),
        Condition::Test { path, test, absent: _, ignore_case: _ } => {
            scope.says(path, What::Read, out);
            let mut compared = |value: &Operand| scope.says(path, What::Compared(value.clone()), out);
            match test {
                Test::Equals(value) | Test::NotEquals(value) | Test::AtLeast(value) | Test::AtMost(value) => {
                    compared(value);
                }
                Test::In(values) | Test::NotIn(values) => values.iter().for_each(compared),
                Test::References(types) => scope.names(types, out),
                Test::Present(_) | Test::Contains(_) | Test::ContainsAny(_) | Test::Matches(_) => {}
            }
        }
        Condition::Every { path, holds, none: _ } | Condition::Some { path, holds } => {
            scope.says(path, What::Read, out);
            let prefix = scope.below(path);
            of_condition(&Scope { prefix: &prefix, ..*scope }, holds, out);
        }
        Condition::Companion { types, join, to, holds } => {
            // What others name of a module's call are its outputs, which no table holds.
            let judged: Vec<Name> = scope.kinds.iter().filter(|kind| !is_module(kind)).cloned().collect();
            Scope { prefix: &[], kinds: &judged, ..*scope }.say_all(to, &What::Read, out);
            scope.names(types, out);
            let companion = Scope { kinds: types, prefix: &[], ..*scope };
            companion.says(join, What::Had, out);
            holds.iter().for_each(|holds| of_condition(&companion, holds, out));
        }
        Condition::Linked { path, types, holds, elsewhere: _ } => {
            scope.says(path, What::Read, out);
            scope.names(types, out);
            let linked = Scope { kinds: types, prefix: &[], ..*scope };
            holds.iter().for_each(|holds| of_condition(&linked, holds, out));
        }
        Condition::Probe { name, with } => of_probe(scope, name, with, out),
    }
}

fn is_module(kind: &str) -> bool {
    kind.starts_with("module:")
}

/// A probe is told paths by `path`, in the types of `types` where there are any, and looks at some of its own.
fn of_probe(scope: &Scope<'_>, name: &str, with: &[(Name, Operand)], out: &mut Vec<Use>) {
    let told = |word: &str| with.iter().find(|(name, _)| name == word).map(|(_, value)| value);
    let types: Vec<Name> = match told("types") {
        Some(Operand::List(items)) => items.iter().map(|item| Name::new(item.to_string())).collect(),
        _ => Vec::new(),
    };
    scope.names(&types, out);
    if let Some(Operand::Text(path)) = told("path") {
        let kinds = if types.is_empty() { scope.kinds } else { types.as_slice() };
        Scope { kinds, ..*scope }.says(&AttributePath::parse(path), What::Read, out);
    }
    for attribute in probes::own_attributes(name) {
        out.push(Use {
            file: String::new(),
            under: "",
            kinds: scope.kinds.iter().map(ToString::to_string).collect(),
            path: vec![(*attribute).to_owned()],
            // Probes that look at the same are told apart by nothing here.
            word: probes::own_attributes(name).join(" "),
            what: What::Read,
        });
    }
}
