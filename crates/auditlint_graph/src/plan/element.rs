//! One resource of a plan or state: its address, what is done with it, and the attributes that are wanted.

use std::borrow::Cow;

use auditlint_syntax::Name;

use super::scan::{Halt, Scan, members, text};
use crate::{Action, Address, Attributes, Interest, Mode, PlanSection};

/// A resource before it is joined with the configuration.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) address: Address,
    pub(super) action: Option<Action>,
    pub(super) section: PlanSection,
    pub(super) index: u32,
    pub(super) attributes: Vec<Raw>,
    /// Whether nothing about it is known before apply.
    pub(super) unknown: bool,
}

/// An attribute with its masks, as they are written: a plan's trees are large, its texts are not, and each is
/// needed for a moment only.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) name: Name,
    pub(super) value: Option<Box<str>>,
    /// `true`, or a tree in which `true` marks what is known after apply.
    pub(super) unknown: Option<Box<str>>,
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
    Tree(Box<str>),
}

/// What was read of one element: none for a deposed object, which is on its way out; a text that says why it is no
/// resource.
pub(super) type Found = Result<Option<Element>, String>;

/// Reads one element.
pub(super) struct Reader<'a> {
    interest: &'a Interest,
    section: PlanSection,
    index: u32,
    before: Option<&'a Address>,
}

impl<'a> Reader<'a> {
    /// A reader of the element at `index` of `section`, which follows `before`.
    pub(super) fn new(
        interest: &'a Interest,
        section: PlanSection,
        index: u32,
        before: Option<&'a Element>,
    ) -> Self {
        Self { interest, section, index, before: before.map(|before| &before.address) }
    }

    /// An element of `resource_changes`, or a resource of a state's `values`.
    pub(super) fn read(&self, scan: &mut Scan<'_>) -> Result<Found, Halt> {
        let mut parts = Parts::default();
        // The type says what is wanted, so values that are written before the address wait for it.
        let mut waiting = Vec::new();
        members(scan, |key, scan| {
            match key {
                "address" => parts.address = Some(self.address(scan.take()?)),
                "deposed" | "deposed_key" => parts.deposed = scan.take()? != "null",
                "change" | "values" | "sensitive_values" if parts.address.is_none() => {
                    waiting.push((key.to_owned(), scan.clone()));
                    scan.skip()?;
                }
                _ => parts.read(key, scan, self.interest)?,
            }
            Ok(())
        })?;
        for (key, mut scan) in waiting {
            parts.read(&key, &mut scan, self.interest)?;
        }
        Ok(parts.element(self.section, self.index))
    }

    fn address(&self, written: &str) -> Result<Address, String> {
        let address = text(written).ok_or("a resource without an address")?;
        Address::parse_beside(&address, self.before).map_err(|error| error.to_string())
    }
}

/// What stands in an element.
#[derive(Default)]
struct Parts<'b> {
    address: Option<Result<Address, String>>,
    deposed: bool,
    action: Option<Action>,
    after: Section<'b>,
    unknown: Section<'b>,
    sensitive: Section<'b>,
}

/// The attributes of an object that are wanted; or `true` in its place.
#[derive(Default)]
struct Section<'b> {
    is_true: bool,
    attributes: Vec<(Name, &'b str)>,
}

impl<'b> Parts<'b> {
    fn read(&mut self, key: &str, scan: &mut Scan<'b>, interest: &Interest) -> Result<(), Halt> {
        let managed = match &self.address {
            Some(Ok(address)) if address.mode == Mode::Managed => Some(address),
            _ => None,
        };
        let wanted = managed.and_then(|address| interest.of(&address.kind));
        match key {
            "change" => members(scan, |key, scan| {
                match key {
                    "actions" => self.action = action(scan.take()?),
                    "after" => self.after = Section::read(scan, wanted)?,
                    "after_unknown" => self.unknown = Section::read(scan, wanted)?,
                    "after_sensitive" => self.sensitive = Section::read(scan, wanted)?,
                    _ => scan.skip()?,
                }
                Ok(())
            }),
            "values" => Section::read(scan, wanted).map(|after| self.after = after),
            "sensitive_values" => Section::read(scan, wanted).map(|sensitive| self.sensitive = sensitive),
            _ => scan.skip(),
        }
    }

    fn element(self, section: PlanSection, index: u32) -> Found {
        if self.deposed {
            return Ok(None);
        }
        let address = self.address.unwrap_or_else(|| Err("a resource without an address".to_owned()))?;
        if section == PlanSection::ResourceChanges && self.action.is_none() {
            return Err(format!("{address} without actions that are known"));
        }
        let mut element =
            Element { address, action: self.action, section, index, attributes: Vec::new(), unknown: false };
        if !self.action.is_some_and(Action::removes) {
            element.unknown = self.unknown.is_true;
            element.fill(self.after, self.unknown, self.sensitive);
        }
        Ok(Some(element))
    }
}

impl<'b> Section<'b> {
    fn read(scan: &mut Scan<'b>, wanted: Option<&Attributes>) -> Result<Self, Halt> {
        let Some(wanted) = wanted else { return scan.skip().map(|()| Self::default()) };
        let mut section = Self { is_true: scan.is_true(), attributes: Vec::new() };
        members(scan, |name, scan| {
            match wanted.named(name) {
                Some(name) => section.attributes.push((name, scan.take()?)),
                None => scan.skip()?,
            }
            Ok(())
        })?;
        Ok(section)
    }
}

impl Element {
    fn fill(&mut self, after: Section<'_>, unknown: Section<'_>, sensitive: Section<'_>) {
        self.attributes = after
            .attributes
            .into_iter()
            .map(|(name, value)| Raw { name, value: Some(value.into()), ..Raw::default() })
            .collect();
        for (name, mask) in unknown.attributes {
            if marks(mask) {
                self.slot(name).unknown = Some(mask.into());
            }
        }
        if sensitive.is_true {
            self.attributes.iter_mut().for_each(|raw| raw.sensitive = Mask::All);
        }
        for (name, mask) in sensitive.attributes {
            if marks(mask) {
                self.slot(name).sensitive = Mask::Tree(mask.into());
            }
        }
    }

    fn slot(&mut self, name: Name) -> &mut Raw {
        let at = self.attributes.iter().position(|raw| raw.name == name).unwrap_or_else(|| {
            self.attributes.push(Raw { name, ..Raw::default() });
            self.attributes.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the position was just found or made")]
        &mut self.attributes[at]
    }
}

/// Whether a mask may mark anything. Most of them are trees of empty objects, which say what no mask says.
fn marks(mask: &str) -> bool {
    mask.contains("true")
}

fn action(written: &str) -> Option<Action> {
    let words: Vec<Cow<'_, str>> = serde_json::from_str(written).ok()?;
    let words: Vec<&str> = words.iter().map(|word| &**word).collect();
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
