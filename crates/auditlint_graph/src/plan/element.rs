//! One resource of a plan or state: its address, what is done with it, and the attributes that are wanted.

use std::borrow::Cow;

use auditlint_syntax::Name;

use super::layout::place_among_deferred;
use super::scan::{Halt, Scan, members, text};
use crate::address::Names;
use crate::{Action, Address, Attributes, Interest, Mode, PlanSection};

/// A resource before it is joined with the configuration, which comes last.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) address: Address,
    pub(super) action: Option<Action>,
    pub(super) section: PlanSection,
    pub(super) index: u32,
    /// What is wanted of `after`, `after_unknown` and `after_sensitive`, one after the other, as it is written.
    wanted: Box<str>,
}

/// An attribute with its masks, as they are written: a plan's trees are large, its texts are not, and each is
/// needed for a moment only.
#[derive(Debug, Default)]
pub(super) struct Raw<'e> {
    pub(super) name: Name,
    pub(super) value: Option<&'e str>,
    /// `true`, or a tree in which `true` marks what is known after apply.
    pub(super) unknown: Option<&'e str>,
    /// `true`, or a tree in which `true` marks what is sensitive.
    pub(super) sensitive: Option<&'e str>,
}

/// What was read of one element: none for a deposed object, which is on its way out; a text that says why it is no
/// resource.
pub(super) type Found = Result<Option<Element>, String>;

/// Reads one element.
pub(super) struct Reader<'a> {
    pub(super) interest: &'a Interest,
    pub(super) names: &'a mut Names,
    pub(super) section: PlanSection,
    /// Its place in the section.
    pub(super) index: u32,
}

impl Reader<'_> {
    /// An element of `resource_changes`, or a resource of a state's `values`.
    pub(super) fn read(&mut self, scan: &mut Scan<'_>) -> Result<Found, Halt> {
        let mut parts = Parts::default();
        // The type says what is wanted, so values that are written before the address wait for it.
        let mut waiting = Vec::new();
        members(scan, |key, scan| {
            match key {
                "address" => parts.address = Some(self.address(scan.take()?)),
                "deposed" | "deposed_key" => parts.deposed = scan.take()? != "null",
                "mode" => parts.ephemeral = scan.take()? == "\"ephemeral\"",
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

    fn address(&mut self, written: &str) -> Result<Address, String> {
        let address = text(written).ok_or("a resource without an address")?;
        let read = Address::parse_among(&address, self.names).map_err(|error| error.to_string());
        // Of a deferred change the instances may not be known yet: `[*]` stands for all of them.
        match read {
            Err(_) if address.contains("[*]") => {
                let all = address.replace("[*]", "");
                Address::parse_among(&all, self.names).map_err(|error| error.to_string())
            }
            read => read,
        }
    }
}

/// What stands in an element.
#[derive(Default)]
struct Parts<'b> {
    address: Option<Result<Address, String>>,
    deposed: bool,
    /// Whether it lives for the time of a run only, and stands in no state.
    ephemeral: bool,
    action: Option<Action>,
    after: Section<'b>,
    unknown: Section<'b>,
    sensitive: Section<'b>,
}

/// The attributes of an object that are wanted; or `true` in its place.
#[derive(Default)]
pub(super) struct Section<'b> {
    is_true: bool,
    pub(super) attributes: Vec<(Name, &'b str)>,
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
        if self.deposed || self.ephemeral {
            return Ok(None);
        }
        let address = self.address.unwrap_or_else(|| Err("a resource without an address".to_owned()))?;
        if section == PlanSection::ResourceChanges && self.action.is_none() {
            return Err(format!("{address} without actions that are known"));
        }
        let sections = match self.action {
            Some(action) if action.removes() => [const { &Section::EMPTY }; 3],
            _ => [&self.after, &self.unknown, &self.sensitive],
        };
        Ok(Some(Element::new(address, self.action, (section, index), sections)))
    }
}

impl<'b> Section<'b> {
    pub(super) const EMPTY: Self = Self { is_true: false, attributes: Vec::new() };

    pub(super) fn read(scan: &mut Scan<'b>, wanted: Option<&Attributes>) -> Result<Self, Halt> {
        let Some(wanted) = wanted else { return scan.skip().map(|()| Self::EMPTY) };
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

    /// Most bytes that are written of it, but for names with escapes.
    fn length(&self) -> usize {
        let members = self.attributes.iter().map(|(name, value)| name.len() + value.len() + 4);
        members.sum::<usize>() + 4
    }

    fn write(&self, out: &mut String) {
        if self.is_true {
            return out.push_str("true ");
        }
        out.push('{');
        for (n, (name, value)) in self.attributes.iter().enumerate() {
            if n > 0 {
                out.push(',');
            }
            if name.contains(['"', '\\']) || name.contains(char::is_control) {
                out.push_str(&serde_json::Value::from(name.as_str()).to_string());
            } else {
                out.extend(["\"", name, "\""]);
            }
            out.push(':');
            out.push_str(value);
        }
        out.push('}');
    }
}

impl Element {
    /// An element of which `after`, `after_unknown` and `after_sensitive` are kept.
    pub(super) fn new(
        address: Address,
        action: Option<Action>,
        (section, index): (PlanSection, u32),
        sections: [&Section<'_>; 3],
    ) -> Self {
        let mut wanted = String::with_capacity(sections.iter().map(|section| section.length()).sum());
        sections.iter().for_each(|section| section.write(&mut wanted));
        Self { address, action, section, index, wanted: wanted.into() }
    }

    /// Whether it is one of `deferred_changes`.
    pub(super) fn is_deferred(&self) -> bool {
        place_among_deferred(self.index).is_some()
    }

    /// Whether the resource is gone after the apply.
    pub(super) fn is_removed(&self) -> bool {
        self.action.is_some_and(Action::removes)
    }

    /// The attributes that are wanted, and whether nothing of the resource is known before apply.
    pub(super) fn attributes(&self, interest: &Interest) -> (Vec<Raw<'_>>, bool) {
        let wanted = interest.of(&self.address.kind);
        let mut scan = Scan::new(self.wanted.as_bytes());
        let mut section = || Section::read(&mut scan, wanted).unwrap_or_default();
        let (after, unknown, sensitive) = (section(), section(), section());
        let whole = sensitive.is_true.then_some("true");
        let mut out: Vec<Raw<'_>> = after
            .attributes
            .into_iter()
            .map(|(name, value)| Raw { name, value: Some(value), unknown: None, sensitive: whole })
            .collect();
        for (name, mask) in unknown.attributes {
            if marks(mask) {
                slot(&mut out, name).unknown = Some(mask);
            }
        }
        for (name, mask) in sensitive.attributes {
            if marks(mask) {
                slot(&mut out, name).sensitive = Some(mask);
            }
        }
        (out, unknown.is_true)
    }
}

fn slot<'r, 'e>(all: &'r mut Vec<Raw<'e>>, name: Name) -> &'r mut Raw<'e> {
    let at = all.iter().position(|raw| raw.name == name).unwrap_or_else(|| {
        all.push(Raw { name, ..Raw::default() });
        all.len() - 1
    });
    #[expect(clippy::indexing_slicing, reason = "the position was just found or made")]
    &mut all[at]
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
