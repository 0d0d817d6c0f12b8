//! One resource of a plan or state: its address, what is done with it, and the attributes that are wanted.

use auditlint_syntax::Name;
use serde_json::Value as Json;

use super::scan::{members, text};
use crate::{Action, Address, Interest, Mode, PlanSection};

/// A resource before it is joined with the configuration.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) address: Address,
    pub(super) action: Option<Action>,
    pub(super) section: PlanSection,
    pub(super) index: u32,
    pub(super) attributes: Vec<Raw>,
}

/// An attribute with its masks.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) name: Name,
    pub(super) value: Json,
    /// `true`, or a tree in which `true` marks what is known after apply.
    pub(super) unknown: Json,
    /// `true`, or a tree in which `true` marks what is sensitive.
    pub(super) sensitive: Json,
}

impl Element {
    /// An element of `resource_changes`. None for a deposed object, which is on its way out; the error is a text
    /// that is no address.
    pub(super) fn change(slice: &[u8], index: u32, interest: &Interest) -> Result<Option<Self>, String> {
        let (mut address, mut change, mut deposed) = (None, None, false);
        for (key, value) in members(slice) {
            match &*key {
                "address" => address = text(value),
                "deposed" => deposed = true,
                "change" => change = Some(value),
                _ => {}
            }
        }
        if deposed {
            return Ok(None);
        }
        let address = address.ok_or("a resource without an address")?;
        let address = Address::parse(&address).map_err(|error| error.to_string())?;
        let change = change.ok_or_else(|| format!("{address} without a change"))?;
        let (mut actions, mut after, mut unknown, mut sensitive) = (None, None, None, None);
        for (key, value) in members(change) {
            match &*key {
                "actions" => actions = Some(value),
                "after" => after = Some(value),
                "after_unknown" => unknown = Some(value),
                "after_sensitive" => sensitive = Some(value),
                _ => {}
            }
        }
        let action = action(actions.unwrap_or_default())
            .ok_or_else(|| format!("{address} with actions that are not known"))?;
        let mut element = Self {
            address,
            action: Some(action),
            section: PlanSection::ResourceChanges,
            index,
            attributes: Vec::new(),
        };
        if element.is_wanted(interest) && !action.removes() {
            element.read(after.unwrap_or_default(), unknown, sensitive, interest);
        }
        Ok(Some(element))
    }

    /// A resource of a state's `values`.
    pub(super) fn state(slice: &[u8], index: u32, interest: &Interest) -> Result<Option<Self>, String> {
        let (mut address, mut values, mut sensitive, mut deposed) = (None, None, None, false);
        for (key, value) in members(slice) {
            match &*key {
                "address" => address = text(value),
                "values" => values = Some(value),
                "sensitive_values" => sensitive = Some(value),
                "deposed_key" => deposed = true,
                _ => {}
            }
        }
        if deposed {
            return Ok(None);
        }
        let address = address.ok_or("a resource without an address")?;
        let address = Address::parse(&address).map_err(|error| error.to_string())?;
        let mut element =
            Self { address, action: None, section: PlanSection::State, index, attributes: Vec::new() };
        if element.is_wanted(interest) {
            element.read(values.unwrap_or_default(), None, sensitive, interest);
        }
        Ok(Some(element))
    }

    fn is_wanted(&self, interest: &Interest) -> bool {
        self.address.mode == Mode::Managed && interest.wants_type(&self.address.kind)
    }

    fn read(&mut self, after: &[u8], unknown: Option<&[u8]>, sensitive: Option<&[u8]>, interest: &Interest) {
        let kind = self.address.kind.clone();
        let wants = |name: &str| interest.wants(&kind, name);
        let json = |slice: &[u8]| serde_json::from_slice::<Json>(slice).unwrap_or_default();
        for (name, value) in members(after).filter(|(name, _)| wants(name)) {
            self.attributes.push(Raw { name: Name::new(&name), value: json(value), ..Raw::default() });
        }
        for (name, mask) in unknown.into_iter().flat_map(members).filter(|(name, _)| wants(name)) {
            self.slot(&name).unknown = json(mask);
        }
        let mask = sensitive.unwrap_or_default();
        if mask.trim_ascii() == b"true" {
            self.attributes.iter_mut().for_each(|raw| raw.sensitive = Json::Bool(true));
        }
        for (name, mask) in members(mask).filter(|(name, _)| wants(name)) {
            self.slot(&name).sensitive = json(mask);
        }
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

fn action(slice: &[u8]) -> Option<Action> {
    let words: Vec<String> = serde_json::from_slice(slice).ok()?;
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
