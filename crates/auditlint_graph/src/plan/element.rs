//! One resource of a plan or state: its address, what is done with it, and the attributes that are wanted.

use std::borrow::Cow;
use std::fmt;

use auditlint_syntax::Name;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::scan::text;
use super::window::Shape;
use crate::{Action, Address, Attributes, Interest, Mode, PlanSection};

/// A resource before it is joined with the configuration.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) address: Address,
    pub(super) action: Option<Action>,
    pub(super) section: PlanSection,
    pub(super) index: u32,
    pub(super) attributes: Vec<Raw>,
}

/// An attribute with its masks, as they are written: a plan's trees are large, its texts are not, and each is
/// needed for a moment only.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) name: Name,
    pub(super) value: Option<Box<RawValue>>,
    /// `true`, or a tree in which `true` marks what is known after apply.
    pub(super) unknown: Option<Box<RawValue>>,
    /// `true`, or a tree in which `true` marks what is sensitive.
    pub(super) sensitive: Mask,
}

/// What is sensitive of an attribute.
#[derive(Debug, Default)]
pub(super) enum Mask {
    /// Nothing.
    #[default]
    None,
    /// Everything.
    All,
    /// What the tree says.
    Tree(Box<RawValue>),
}

/// An element of `resource_changes`: what is asked of every resource, and what is read of some.
#[derive(Deserialize)]
pub(super) struct ChangedResource<'w> {
    #[serde(borrow)]
    address: Option<&'w RawValue>,
    #[serde(borrow)]
    deposed: Option<&'w RawValue>,
    #[serde(borrow)]
    change: Option<Change<'w>>,
}

#[derive(Deserialize)]
struct Change<'w> {
    #[serde(borrow)]
    actions: Option<&'w RawValue>,
    #[serde(borrow)]
    after: Option<&'w RawValue>,
    #[serde(borrow)]
    after_unknown: Option<&'w RawValue>,
    #[serde(borrow)]
    after_sensitive: Option<&'w RawValue>,
}

impl Shape for ChangedResource<'_> {
    type Of<'w> = ChangedResource<'w>;
}

/// A resource of a state's `values`.
#[derive(Deserialize)]
pub(super) struct StoredResource<'w> {
    #[serde(borrow)]
    address: Option<&'w RawValue>,
    #[serde(borrow)]
    deposed_key: Option<&'w RawValue>,
    #[serde(borrow)]
    values: Option<&'w RawValue>,
    #[serde(borrow)]
    sensitive_values: Option<&'w RawValue>,
}

impl Shape for StoredResource<'_> {
    type Of<'w> = StoredResource<'w>;
}

impl Element {
    /// An element of `resource_changes`. None for a deposed object, which is on its way out; the error is a text
    /// that is no address.
    pub(super) fn change(
        found: &ChangedResource<'_>,
        index: u32,
        interest: &Interest,
    ) -> Result<Option<Self>, String> {
        if found.deposed.is_some() {
            return Ok(None);
        }
        let address = address(found.address)?;
        let change = found.change.as_ref().ok_or_else(|| format!("{address} without a change"))?;
        let action = action(change.actions.map(RawValue::get).unwrap_or_default())
            .ok_or_else(|| format!("{address} with actions that are not known"))?;
        let mut element = Self {
            address,
            action: Some(action),
            section: PlanSection::ResourceChanges,
            index,
            attributes: Vec::new(),
        };
        if element.is_wanted(interest) && !action.removes() {
            element.read(change.after, change.after_unknown, change.after_sensitive, interest)?;
        }
        Ok(Some(element))
    }

    /// A resource of a state's `values`.
    pub(super) fn state(
        found: &StoredResource<'_>,
        index: u32,
        interest: &Interest,
    ) -> Result<Option<Self>, String> {
        if found.deposed_key.is_some() {
            return Ok(None);
        }
        let address = address(found.address)?;
        let mut element =
            Self { address, action: None, section: PlanSection::State, index, attributes: Vec::new() };
        if element.is_wanted(interest) {
            element.read(found.values, None, found.sensitive_values, interest)?;
        }
        Ok(Some(element))
    }

    fn is_wanted(&self, interest: &Interest) -> bool {
        self.address.mode == Mode::Managed && interest.wants_type(&self.address.kind)
    }

    fn read(
        &mut self,
        after: Option<&RawValue>,
        unknown: Option<&RawValue>,
        sensitive: Option<&RawValue>,
        interest: &Interest,
    ) -> Result<(), String> {
        let kind = self.address.kind.clone();
        let Some(attributes) = interest.of(&kind) else { return Ok(()) };
        let wanted = Wanted { kind: &kind, attributes };
        for (name, value) in wanted.of(after)? {
            self.attributes.push(Raw { name, value: Some(value), ..Raw::default() });
        }
        for (name, mask) in wanted.of(unknown.filter(|mask| marks(mask)))? {
            if marks(&mask) {
                self.slot(&name).unknown = Some(mask);
            }
        }
        let sensitive = sensitive.filter(|mask| marks(mask));
        if sensitive.is_some_and(|mask| mask.get() == "true") {
            self.attributes.iter_mut().for_each(|raw| raw.sensitive = Mask::All);
        }
        for (name, mask) in wanted.of(sensitive)? {
            if marks(&mask) {
                self.slot(&name).sensitive = Mask::Tree(mask);
            }
        }
        Ok(())
    }

    fn slot(&mut self, name: &str) -> &mut Raw {
        let at = self.attributes.iter().position(|raw| raw.name == name).unwrap_or_else(|| {
            self.attributes.push(Raw { name: Name::new(name), ..Raw::default() });
            self.attributes.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the position was just found or made")]
        &mut self.attributes[at]
    }
}

/// Reads the attributes of an object that are wanted of a type, and passes the others over.
struct Wanted<'i> {
    kind: &'i Name,
    attributes: &'i Attributes,
}

impl Wanted<'_> {
    fn of(&self, object: Option<&RawValue>) -> Result<Vec<(Name, Box<RawValue>)>, String> {
        // `null`, or a mask that speaks of the whole, has no attributes.
        let Some(object) = object.filter(|object| object.get().starts_with('{')) else {
            return Ok(Vec::new());
        };
        let mut reader = serde_json::Deserializer::from_str(object.get());
        self.deserialize(&mut reader).map_err(|error| format!("a {} that cannot be read: {error}", self.kind))
    }
}

impl<'de> DeserializeSeed<'de> for &Wanted<'_> {
    type Value = Vec<(Name, Box<RawValue>)>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &Wanted<'_> {
    type Value = Vec<(Name, Box<RawValue>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut out = Vec::new();
        while let Some(Key(name)) = object.next_key()? {
            if self.attributes.holds(&name) {
                out.push((Name::new(name), object.next_value()?));
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(out)
    }
}

/// Whether a mask may mark anything. Most of them are trees of empty objects, which say what no mask says.
fn marks(mask: &RawValue) -> bool {
    mask.get().contains("true")
}

/// A key, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Key<'k>(#[serde(borrow)] Cow<'k, str>);

fn address(written: Option<&RawValue>) -> Result<Address, String> {
    let address = written.and_then(|written| text(written.get().as_bytes()));
    let address = address.ok_or("a resource without an address")?;
    Address::parse(&address).map_err(|error| error.to_string())
}

fn action(written: &str) -> Option<Action> {
    let words: Vec<String> = serde_json::from_str(written).ok()?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Some(match words.as_slice() {
        ["no-op"] => Action::NoOp,
        ["create"] => Action::Create,
        ["read"] => Action::Read,
        ["update"] => Action::Update,
        ["delete"] => Action::Delete,
        ["forget"] => Action::Forget,
        ["delete", "create"] | ["create", "delete"] | ["forget", "create"] | ["create", "forget"] => {
            Action::Replace
        }
        _ => return None,
    })
}
