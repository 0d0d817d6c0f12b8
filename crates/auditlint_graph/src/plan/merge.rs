//! Elements and configuration to resources: what is set, what is absent, and what is known after apply.

use std::sync::Arc;

use auditlint_syntax::Name;
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use super::configuration::{Block, Configured, Expression, Module};
use super::element::{Element, Elements, Raw};
use super::layout::place_among_deferred;
use super::reference::Resolver;
use super::scan::text;
use crate::{
    Address, Cause, CauseKind, Key, ModulePath, Number, Origin, PlanSection, References, Resource, Tables,
    Target, Tracked, Unknown, Value, is_sensitive_name,
};

/// Values nested deeper than this are unknown.
const MAX_DEPTH: usize = 64;

/// The resources of a document.
pub(super) fn resources(
    elements: Elements,
    configured: Option<&Configured>,
    deferred: &[Box<str>],
    tables: &Tables,
) -> Vec<Arc<Resource>> {
    let mut instances: FxHashMap<Target, Vec<Option<Key>>> = FxHashMap::default();
    let referenced = configured.map(Configured::referenced).unwrap_or_default();
    for element in elements.iter().filter(|element| referenced.contains(&*element.address.kind)) {
        instances.entry(Target::at(&element.address)).or_default().push(element.address.key.clone());
    }
    let mut modules: FxHashMap<ModulePath, Option<&Module>> = FxHashMap::default();
    elements
        .into_iter()
        .map(|element| {
            let path = &element.address.module;
            let module = match modules.get(path) {
                Some(known) => *known,
                None => *modules
                    .entry(path.clone())
                    .or_insert_with(|| configured.and_then(|configured| configured.module(path))),
            };
            let Address { kind, name, .. } = &element.address;
            let block = module.and_then(|module| module.resources.get(kind)?.get(name));
            let each = block.map(|block| &block.each);
            let resolver = Resolver::new(configured, &instances, &element.address, each);
            let merge = Merge::new(&element, block, resolver, tables);
            let provider = block.and_then(|block| block.provider.as_ref());
            let place = configured.map(|all| all.providers.place(provider, kind, &tables.interest));
            let undecided = place_among_deferred(element.index)
                .map(|at| Box::new(put_off(deferred.get(at).map_or("unknown", |reason| &**reason))));
            let mut resource = Resource { undecided, ..merge.resource(*element) };
            resource.attributes.extend(place.into_iter().flatten());
            Arc::new(resource)
        })
        .collect()
}

struct Merge<'a> {
    tables: &'a Tables,
    own: Option<&'a [(Name, Expression)]>,
    resolver: Resolver<'a>,
    origin: Origin,
    incomplete: Option<Cause>,
}

impl<'a> Merge<'a> {
    fn new(element: &Element, block: Option<&'a Block>, resolver: Resolver<'a>, tables: &'a Tables) -> Self {
        let address = &element.address;
        let own = block.map(|block| block.own.as_slice());
        // A state holds every value, so nothing that is absent there may still be set.
        let is_state = element.action.is_none();
        let incomplete =
            (!is_state && own.is_none() && tables.interest.wants_type(&address.kind)).then(|| Cause {
                kind: CauseKind::Elsewhere,
                subject: "the plan's configuration".to_owned(),
                hint: "make the plan's JSON with `terraform show -json`, unfiltered".to_owned(),
            });
        Self { tables, own, resolver, origin: Origin::Plan(element.section, element.index), incomplete }
    }

    fn resource(&self, element: Element) -> Resource {
        let facts = self.tables.facts.of(&element.address.kind);
        let mut attributes = Vec::new();
        let incomplete = self.incomplete.clone().or_else(|| element.is_unknown().then(known_after_apply));
        for raw in element.attributes() {
            let expression = self.expression(self.own, raw.name);
            let name = Name::new(raw.name);
            let sensitive = is_sensitive_name(&name) || facts.sensitive.contains(&name);
            let mut value = self.attribute(&raw, expression, sensitive);
            if value.is_none() && raw.unknown == Some("true") && facts.only_written.contains(&name) {
                value = Some(self.unknown(None).marked(sensitive));
            }
            if let Some(found) = &value
                && facts.blocks.contains(&name)
                && matches!(found.value(), Value::Map(_))
            {
                // The document holds no list here: it has no origin.
                value = value.map(|found| Tracked::new(Value::List(Arc::from([found])), Origin::Nowhere));
            }
            if let Some(value) = value {
                attributes.push((name, value));
            }
        }
        Resource {
            address: element.address,
            attributes: attributes.into_iter().collect(),
            declared: None,
            planned: Some((element.section, element.index)),
            action: element.action,
            undecided: None,
            incomplete: incomplete.map(Box::new),
            nearest_call: None,
            ignored: None,
        }
    }

    fn expression<'e>(&self, own: Option<&'e [(Name, Expression)]>, name: &str) -> Option<&'e Expression> {
        own?.iter().find(|(known, _)| known == name).map(|(_, expression)| expression)
    }

    fn attribute(&self, raw: &Raw, expression: Option<&Expression>, sensitive: bool) -> Option<Tracked> {
        // Most values are texts, and need no tree.
        if let Raw { value: Some(value), unknown: None, sensitive: None, .. } = raw
            && let Some(text) = text(value)
        {
            let value = self.text(&text, expression)?;
            return Some(value.with_references(self.references(expression)).marked(sensitive));
        }
        let tree = |text: Option<&str>| match text {
            Some(text) => serde_json::from_str(text).ok(),
            None => Some(Json::Null),
        };
        let mask = tree(raw.sensitive).unwrap_or(Json::Bool(true));
        match (tree(raw.value), tree(raw.unknown)) {
            (Some(value), Some(unknown)) => self.value(&value, &unknown, &mask, expression, sensitive, 0),
            // It is well formed, but nested too deeply or a number too large: something stands there.
            _ => Some(self.unknown(expression).marked(true)),
        }
    }

    /// A value with its masks; none when it is absent.
    fn value(
        &self,
        value: &Json,
        unknown: &Json,
        mask: &Json,
        expression: Option<&Expression>,
        sensitive: bool,
        depth: usize,
    ) -> Option<Tracked> {
        let sensitive = sensitive || *mask == Json::Bool(true);
        let configured = expression.is_some() || self.own.is_none();
        if *unknown == Json::Bool(true) || depth > MAX_DEPTH {
            // What the configuration does not set is absent, however the plan marks it.
            return configured.then(|| self.unknown(expression).marked(sensitive));
        }
        let references = self.references(expression);
        let tracked = match value {
            Json::Null if marks(unknown) => {
                let made = self.value(&empty(unknown), unknown, mask, expression, sensitive, depth + 1);
                return made.map(|made| Tracked { origin: self.known_later(), ..made });
            }
            Json::Null => return None,
            Json::Bool(value) => self.known(Value::Bool(*value)),
            Json::Number(number) => {
                let whole = number.as_i64().map(Number::whole);
                match whole.or_else(|| Number::parse(&number.to_string())) {
                    Some(number) => self.known(Value::Number(number)),
                    None => return Some(self.unknown(expression).marked(sensitive)),
                }
            }
            Json::String(text) => self.text(text, expression)?,
            Json::Array(items) => {
                if items.is_empty() && !configured {
                    return None;
                }
                self.items(items, unknown, mask, expression, sensitive, depth)
            }
            Json::Object(map) => self.object(map, unknown, mask, expression, sensitive, depth),
        };
        Some(tracked.with_references(references).marked(sensitive))
    }

    fn text(&self, text: &str, expression: Option<&Expression>) -> Option<Tracked> {
        // A provider shows what nobody set as an empty text.
        let nobody_set = text.is_empty() && expression.is_none() && self.own.is_some();
        (!nobody_set).then(|| self.known(Value::String(Name::new(text))))
    }

    fn items(
        &self,
        items: &[Json],
        unknown: &Json,
        mask: &Json,
        expression: Option<&Expression>,
        sensitive: bool,
        depth: usize,
    ) -> Tracked {
        let mut out = Vec::new();
        for (n, item) in items.iter().enumerate() {
            let (own_unknown, own_mask) = (at(unknown, n), at(mask, n));
            let block = match expression {
                Some(Expression::Blocks(blocks)) => blocks.get(n).or(blocks.first()),
                _ => None,
            };
            let value = match (block, item) {
                (Some(block), Json::Object(map)) => {
                    Some(self.block(map, own_unknown, own_mask, block, depth))
                }
                // The parts of one expression share its references.
                _ => self.value(item, own_unknown, own_mask, expression, sensitive, depth + 1),
            };
            // An element of a list is there even where its value is null.
            out.push(value.unwrap_or_else(|| self.known(Value::Null)));
        }
        self.list(out)
    }

    /// A nested block: each of its attributes has an expression of its own.
    fn block(
        &self,
        map: &serde_json::Map<String, Json>,
        unknown: &Json,
        mask: &Json,
        own: &[(Name, Expression)],
        depth: usize,
    ) -> Tracked {
        let mut out = Vec::new();
        for name in names(map, unknown) {
            let value = map.get(name).unwrap_or(&Json::Null);
            let expression = self.expression(Some(own), name);
            let marked = *mask == Json::Bool(true) || is_sensitive_name(name);
            let value = match expression {
                None if field(unknown, name) == &Json::Bool(true) => None,
                _ => {
                    self.value(value, field(unknown, name), field(mask, name), expression, marked, depth + 1)
                }
            };
            if let Some(value) = value {
                out.push((Name::new(name), value));
            }
        }
        self.known(Value::Map(Arc::new(out.into_iter().collect())))
    }

    fn object(
        &self,
        map: &serde_json::Map<String, Json>,
        unknown: &Json,
        mask: &Json,
        expression: Option<&Expression>,
        sensitive: bool,
        depth: usize,
    ) -> Tracked {
        if let Some(Expression::Blocks(blocks)) = expression
            && let Some(block) = blocks.first()
        {
            return self.block(map, unknown, mask, block, depth);
        }
        let mut out = Vec::new();
        for name in names(map, unknown) {
            let value = map.get(name).unwrap_or(&Json::Null);
            let marked = sensitive || is_sensitive_name(name);
            let own = field(unknown, name);
            let value = if *own == Json::Bool(true) {
                // Inside of a block that a dynamic block may have made: nobody says whether it was set.
                Some(self.unknown(expression).marked(marked))
            } else {
                self.value(value, own, field(mask, name), expression, marked, depth + 1)
            };
            if let Some(value) = value {
                out.push((Name::new(name), value));
            }
        }
        self.known(Value::Map(Arc::new(out.into_iter().collect())))
    }

    fn references(&self, expression: Option<&Expression>) -> Option<Arc<References>> {
        let Some(Expression::References(texts)) = expression else { return None };
        let found = self.resolver.resolve(texts);
        (!found.is_empty()).then(|| References::shared(found))
    }

    fn unknown(&self, expression: Option<&Expression>) -> Tracked {
        let references = self.references(expression);
        let subject = match expression {
            Some(Expression::References(texts)) => texts
                .iter()
                .find(|text| !["each.", "count.", "path."].iter().any(|start| text.starts_with(start)))
                .map(ToString::to_string),
            _ => None,
        };
        let is_data = subject.as_deref().is_some_and(|subject| subject.starts_with("data."));
        let cause = match (&self.incomplete, subject) {
            (Some(cause), None) => cause.clone(),
            (_, None) => known_after_apply(),
            (_, Some(subject)) => Cause {
                kind: if is_data { CauseKind::Data } else { CauseKind::Computed },
                subject,
                hint: "known after apply".to_owned(),
            },
        };
        let not_null = references.iter().flat_map(|all| all.iter()).any(|reference| {
            reference.exact && self.tables.facts.of(&reference.kind).always_set.contains(&reference.attribute)
        });
        let unknown = Unknown { not_null, ..Unknown::because(cause) };
        Tracked::new(Value::Unknown(Arc::new(unknown)), self.known_later()).with_references(references)
    }

    /// The origin of what only the mask of unknown values holds.
    fn known_later(&self) -> Origin {
        match self.origin {
            Origin::Plan(PlanSection::ResourceChanges, index) => {
                Origin::Plan(PlanSection::AfterUnknown, index)
            }
            ref other => other.clone(),
        }
    }

    fn known(&self, value: Value) -> Tracked {
        Tracked::new(value, self.origin.clone())
    }

    fn list(&self, items: Vec<Tracked>) -> Tracked {
        self.known(Value::List(items.into()))
    }
}

/// Why a deferred change is undecided: terraform's reason, in words.
fn put_off(reason: &str) -> Cause {
    let reason = reason.replace('_', " ");
    Cause {
        kind: CauseKind::Computed,
        subject: format!("a change that is deferred ({reason})"),
        hint: "apply the plan, and plan again".to_owned(),
    }
}

fn known_after_apply() -> Cause {
    Cause {
        kind: CauseKind::Computed,
        subject: "known after apply".to_owned(),
        hint: "known after apply".to_owned(),
    }
}

fn names<'m>(map: &'m serde_json::Map<String, Json>, unknown: &'m Json) -> impl Iterator<Item = &'m str> {
    let extra = unknown.as_object().into_iter().flat_map(|mask| mask.keys());
    map.keys().chain(extra.filter(|name| !map.contains_key(*name))).map(String::as_str)
}

/// The part of a mask for an element: `true` speaks of all.
fn at(mask: &Json, n: usize) -> &Json {
    if *mask == Json::Bool(true) { mask } else { mask.get(n).unwrap_or(&Json::Null) }
}

fn field<'m>(mask: &'m Json, name: &str) -> &'m Json {
    if *mask == Json::Bool(true) { mask } else { mask.get(name).unwrap_or(&Json::Null) }
}

/// What stands for a value of which only the mask is written.
fn empty(mask: &Json) -> Json {
    match mask {
        Json::Array(items) => Json::Array(vec![Json::Null; items.len()]),
        _ => Json::Object(serde_json::Map::new()),
    }
}

fn marks(mask: &Json) -> bool {
    match mask {
        Json::Bool(mark) => *mark,
        Json::Array(items) => items.iter().any(marks),
        Json::Object(map) => map.values().any(marks),
        _ => false,
    }
}
