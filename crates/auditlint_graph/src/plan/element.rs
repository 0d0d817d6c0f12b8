//! One resource of a plan or state: its address, what is done with it, and the attributes that are wanted.

use std::borrow::Cow;

use auditlint_syntax::Name;

use super::layout::place_among_deferred;
use super::scan::{Halt, Scan, member, members, text};
use super::tokens::Tokens;
use crate::address::Names;
use crate::{Action, Address, Attributes, Interest, Mode, PlanSection};

/// A resource before it is joined with the configuration, which comes last.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) address: Address,
    pub(super) action: Option<Action>,
    pub(super) section: PlanSection,
    pub(super) index: u32,
    /// What is wanted of it: name, value, name, value, as they are written.
    wanted: Box<str>,
    pieces: Box<[Piece]>,
    /// What a resource that is changed or goes was before, where that is wanted.
    pub(super) prior: Option<Box<Element>>,
    /// Whether nothing of the resource is known before apply.
    unknown: bool,
    /// Whether all of the resource is sensitive.
    sensitive: bool,
}

/// The elements of a document: each is freed as soon as it is a resource, and the list moves none when it grows.
pub(super) type Elements = Vec<Box<Element>>;

/// An attribute in one part of a change.
#[derive(Clone, Copy, Debug)]
struct Piece {
    of: Part,
    /// Bytes of the name.
    name: u32,
    /// Bytes of the value.
    value: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    After,
    Unknown,
    Sensitive,
}

/// An attribute with its masks, as they are written: a plan's trees are large, its texts are not, and each is
/// needed for a moment only.
#[derive(Debug)]
pub(super) struct Raw<'e> {
    pub(super) name: &'e str,
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
    pub(super) fn read(&mut self, scan: &mut Scan<'_, '_>) -> Result<Found, Halt> {
        let mut parts = Parts::default();
        // The type says what is wanted, so values that are written before the address wait for it.
        let mut waiting = Vec::new();
        members(scan, |key, scan| {
            match key {
                b"address" => parts.address = Some(self.address(scan.take()?)),
                b"deposed" | b"deposed_key" => parts.deposed = scan.take()? != "null",
                b"mode" => parts.ephemeral = scan.take()? == "\"ephemeral\"",
                b"change" | b"values" | b"sensitive_values" if parts.address.is_none() => {
                    waiting.push((key.to_owned(), scan.take()?));
                }
                _ => parts.read(key, scan, self.interest)?,
            }
            Ok(())
        })?;
        for (key, written) in waiting {
            let mut tokens = Tokens::default();
            parts.read(&key, &mut Scan::new(written.as_bytes(), true, &mut tokens), self.interest)?;
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
    /// What it was, and what of that is sensitive.
    before: [Section<'b>; 2],
}

/// The attributes of an object that are wanted; or `true` in its place.
#[derive(Default)]
pub(super) struct Section<'b> {
    is_true: bool,
    pub(super) attributes: Vec<(Name, &'b str)>,
}

impl<'b> Parts<'b> {
    fn read(&mut self, key: &[u8], scan: &mut Scan<'b, '_>, interest: &Interest) -> Result<(), Halt> {
        // Of data sources only documents count that are made of the configuration alone: a plan knows their parts where
        // the text that is made of them is known after apply.
        let is_read =
            |address: &&Address| address.mode == Mode::Managed || address.kind == "aws_iam_policy_document";
        let address = self.address.as_ref().and_then(|address| address.as_ref().ok());
        let wanted = address.filter(is_read).and_then(|address| interest.of(&address.kind));
        match key {
            b"change" if wanted.is_none() => {
                let written = member(scan, b"actions", Scan::take)?;
                self.action = written.and_then(action);
                Ok(())
            }
            b"change" => members(scan, |key, scan| {
                match key {
                    b"actions" => self.action = action(scan.take()?),
                    b"after" => self.after = Section::read(scan, wanted)?,
                    b"after_unknown" => self.unknown = Section::read(scan, wanted)?,
                    b"after_sensitive" => self.sensitive = Section::read(scan, wanted)?,
                    b"before" if interest.prior => self.before[0] = Section::read(scan, wanted)?,
                    b"before_sensitive" if interest.prior => self.before[1] = Section::read(scan, wanted)?,
                    _ => scan.skip()?,
                }
                Ok(())
            }),
            b"values" => Section::read(scan, wanted).map(|after| self.after = after),
            b"sensitive_values" => Section::read(scan, wanted).map(|sensitive| self.sensitive = sensitive),
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
        let [before, hidden] = &self.before;
        let was_there =
            matches!(self.action, Some(Action::Update | Action::Replace | Action::Delete | Action::Forget));
        let prior = (was_there && !before.attributes.is_empty()).then(|| {
            let sections = [before, const { &Section::EMPTY }, hidden];
            Box::new(Element::new(address.clone(), None, (section, index), sections))
        });
        Ok(Some(Element { prior, ..Element::new(address, self.action, (section, index), sections) }))
    }
}

impl<'b> Section<'b> {
    pub(super) const EMPTY: Self = Self { is_true: false, attributes: Vec::new() };

    pub(super) fn read(scan: &mut Scan<'b, '_>, wanted: Option<&Attributes>) -> Result<Self, Halt> {
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
}

impl Element {
    /// An element of which `after`, `after_unknown` and `after_sensitive` are kept.
    pub(super) fn new(
        address: Address,
        action: Option<Action>,
        (section, index): (PlanSection, u32),
        sections: [&Section<'_>; 3],
    ) -> Self {
        let [after, unknown, sensitive] = sections;
        let parts = [(Part::After, after), (Part::Unknown, unknown), (Part::Sensitive, sensitive)];
        let all = || {
            parts.iter().flat_map(|(of, section)| {
                // Most masks are trees of empty objects, which say what no mask says.
                let says = |value: &str| *of == Part::After || value.contains("true");
                let said = section.attributes.iter().filter(move |(_, value)| says(value));
                said.map(|(name, value)| (*of, name.as_str(), *value))
            })
        };
        let length = |text: &str| u32::try_from(text.len()).unwrap_or_default();
        let mut wanted = String::with_capacity(all().map(|(_, name, value)| name.len() + value.len()).sum());
        all().for_each(|(_, name, value)| wanted.extend([name, value]));
        let pieces = all().map(|(of, name, value)| Piece { of, name: length(name), value: length(value) });
        let pieces = pieces.collect();
        let (unknown, sensitive) = (unknown.is_true, sensitive.is_true);
        let wanted = wanted.into();
        Self { address, action, section, index, wanted, pieces, prior: None, unknown, sensitive }
    }

    /// Whether it is one of `deferred_changes`.
    pub(super) fn is_deferred(&self) -> bool {
        place_among_deferred(self.index).is_some()
    }

    /// Whether the resource is gone after the apply.
    pub(super) fn is_removed(&self) -> bool {
        self.action.is_some_and(Action::removes)
    }

    /// Whether nothing of the resource is known before apply.
    pub(super) fn is_unknown(&self) -> bool {
        self.unknown
    }

    /// The attributes that are wanted.
    pub(super) fn attributes(&self) -> Vec<Raw<'_>> {
        let mut out: Vec<Raw<'_>> = Vec::with_capacity(self.pieces.len());
        let mut rest = &*self.wanted;
        for piece in &self.pieces {
            let Some((name, after)) = rest.split_at_checked(piece.name as usize) else { break };
            let Some((value, after)) = after.split_at_checked(piece.value as usize) else { break };
            rest = after;
            let at = match piece.of {
                Part::After => None,
                _ => out.iter().position(|raw| raw.name == name),
            };
            let at = at.unwrap_or_else(|| {
                out.push(Raw { name, value: None, unknown: None, sensitive: None });
                out.len() - 1
            });
            let Some(raw) = out.get_mut(at) else { continue };
            match piece.of {
                Part::After => raw.value = Some(value),
                Part::Unknown => raw.unknown = Some(value),
                Part::Sensitive => raw.sensitive = Some(value),
            }
        }
        if self.sensitive {
            out.iter_mut().for_each(|raw| raw.sensitive = Some("true"));
        }
        out
    }
}

fn action(written: &str) -> Option<Action> {
    // As Terraform writes them, nearly all of a plan's actions need no list.
    match written {
        r#"["no-op"]"# => return Some(Action::NoOp),
        r#"["create"]"# => return Some(Action::Create),
        _ => {}
    }
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
