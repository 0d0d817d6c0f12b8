//! The parts of a plan, in the order in which they stand in the document.

use std::borrow::Cow;
use std::io::Read;

use auditlint_syntax::Name;

use super::configuration::Configured;
use super::element::{Element, Elements, Found, Reader};
use super::layout::{Layout, deferred};
use super::scan::{self, members};
use super::variables::PlannedValue;
use super::window::{Stop, Window};
use super::{Keep, MAKE_ANEW, PlanError, malformed};
use crate::address::Names;
use crate::{Gap, GapKind, Mode, PlanSection, Tables};

/// A plan stands alone, in an object, or in an object in an object.
const MAX_WRAPPERS: usize = 2;

/// What was found in a document.
#[derive(Default)]
pub(super) struct Document {
    pub(super) version: Option<String>,
    pub(super) elements: Elements,
    /// How many managed resources of types that nobody wants anything of were passed.
    pub(super) passed: u32,
    /// Why each of the deferred changes is deferred.
    pub(super) deferred: Vec<Box<str>>,
    pub(super) configured: Option<Configured>,
    pub(super) layout: Layout,
    pub(super) variables: Vec<(Name, PlannedValue)>,
    pub(super) has_changes: bool,
    pub(super) has_planned: bool,
    /// Whether the resources are those of `prior_state`.
    pub(super) has_prior: bool,
    pub(super) is_state: bool,
    /// `version` of a state file.
    pub(super) state_version: Option<String>,
    /// What terraform says of the plan as a whole (`complete`).
    pub(super) complete: Option<bool>,
    /// That a resource which is not here may exist all the same, and what to do about it.
    pub(super) partial: Option<&'static str>,
    pub(super) gaps: Vec<Gap>,
    /// How many resources of a state were passed.
    pub(super) count: u32,
    is_state_file: bool,
    /// Whether the `resources` of a state file were read.
    pub(super) has_blocks: bool,
    is_encrypted: bool,
    /// Whether something stands in it that no plan or state has.
    is_other: bool,
}

impl Document {
    /// Whether it is a plan or a state for sure.
    pub(super) fn is_recognised(&self) -> bool {
        self.is_plan() || self.version.is_some() || self.state_version.is_some()
    }

    /// Whether it holds a resource, or more of them.
    pub(super) fn holds_any(&self) -> bool {
        !self.elements.is_empty() || self.passed > 0
    }

    fn is_plan(&self) -> bool {
        self.has_changes || self.has_planned || self.is_state || self.has_prior || self.configured.is_some()
    }

    /// Whether it is a document of a kind and version that is read.
    pub(super) fn check(&mut self) -> Result<(), PlanError> {
        let major = |version: &str| version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        match (&self.version, &self.state_version) {
            _ if self.is_encrypted => return Err(PlanError::Encrypted),
            (Some(version), _) if major(version).is_none_or(|major| major >= 2) => {
                return Err(PlanError::Version(version.clone()));
            }
            (Some(_), _) if !self.is_plan() && self.is_other => {
                return Err(malformed(
                    "this is JSON with a `format_version`, but neither a plan nor a state; run `terraform show -json` and check its output",
                ));
            }
            // Where there is no state yet, `terraform show -json` writes its version and nothing else.
            (Some(_), _) => self.is_state |= !self.is_plan(),
            (None, Some(version)) if version == "4" && self.has_blocks => self.is_state = true,
            (None, Some(version)) if self.is_state_file && version != "4" => {
                return Err(PlanError::StateVersion(version.clone()));
            }
            (None, _) if self.is_state_file => {
                return Err(malformed(
                    "this is a state file without `version` or `resources`; run `terraform show -json` and check its output",
                ));
            }
            (None, _) if !self.is_plan() => {
                return Err(malformed("this is JSON, but not that of a plan: it has no `format_version`"));
            }
            (None, _) => {}
        }
        Ok(())
    }

    pub(super) fn gap(&mut self, name: &str, kind: GapKind, reason: &str) {
        let hint = if kind == GapKind::Truncated { MAKE_ANEW } else { "" };
        self.gaps.push(Gap {
            kind,
            path: name.to_owned(),
            at: None,
            reason: reason.to_owned(),
            hint: hint.to_owned(),
            count: 1,
            module: None,
        });
    }
}

/// A document that is read.
pub(super) struct Reading<'a, R> {
    pub(super) window: Window<R>,
    pub(super) name: &'a str,
    pub(super) tables: &'a Tables,
    keep: Keep,
    pub(super) names: Names,
    pub(super) document: Document,
}

impl<'a, R: Read> Reading<'a, R> {
    pub(super) fn new(text: R, name: &'a str, (tables, keep): (&'a Tables, Keep)) -> Self {
        Self {
            window: Window::new(text),
            name,
            tables,
            keep,
            names: Names::default(),
            document: Document::default(),
        }
    }

    pub(super) fn gap(&mut self, kind: GapKind, reason: &str) {
        self.document.gap(self.name, kind, reason);
    }

    /// Reads the document to its end.
    pub(super) fn document(&mut self) -> Result<(), Stop> {
        if self.window.peek()? != Some(b'{') {
            return self.window.malformed("this is not the JSON of a plan: expected `{`");
        }
        self.members(0)?;
        match self.window.peek()? {
            None => Ok(()),
            Some(_) => self.window.malformed("text follows after the end of the plan"),
        }
    }

    fn members(&mut self, wrappers: usize) -> Result<(), Stop> {
        self.window.enter(b'{')?;
        let mut is_wrapper = false;
        while let Some(key) = self.window.next_key()? {
            if is_wrapper {
                // What wraps a plan says nothing of it, and two plans are none.
                if matches!(&*key, "format_version" | "resource_changes" | "values") {
                    return self.window.malformed("a second plan stands beside the first");
                }
                self.window.skip()?;
            } else if matches!(&*key, "plan" | "input")
                && wrappers < MAX_WRAPPERS
                && !self.document.is_recognised()
                && self.window.peek()? == Some(b'{')
            {
                self.document.layout.enter(&key);
                self.members(wrappers + 1)?;
                is_wrapper = self.document.is_recognised();
                if !is_wrapper {
                    self.document.layout.leave();
                }
            } else {
                self.member(&key)?;
            }
        }
        Ok(())
    }

    fn member(&mut self, key: &str) -> Result<(), Stop> {
        match key {
            "format_version" => {
                let version = self.window.read(|scan| Ok(scan::text(scan.take()?).map(Cow::into_owned)))?;
                self.document.version = version;
            }
            "resource_changes" => self.changes()?,
            "values" => {
                self.document.is_state = true;
                self.values("/values")?;
            }
            "planned_values" => self.document.has_planned = self.holds_resources()?,
            "prior_state" if !self.document.has_changes => self.prior_state()?,
            "configuration" => {
                let mut configured = Configured::default();
                let read = configured.read(&mut self.window, &self.tables.interest);
                self.document.configured = Some(configured);
                read?;
            }
            "errored" => {
                if self.is_true()? {
                    self.gap(
                        GapKind::Truncated,
                        "the plan is incomplete: terraform ended with an error (`errored`)",
                    );
                    self.document.partial =
                        Some("correct the error that `terraform plan` shows, and plan again");
                }
            }
            "complete" => self.document.complete = Some(self.is_true()?),
            "deferred_changes" => self.deferred_changes()?,
            "version" => {
                self.document.state_version = Some(self.window.read(|scan| Ok(scan.take()?.to_owned()))?);
            }
            "resources" => self.state_resources()?,
            "serial" | "lineage" => {
                self.document.is_state_file = true;
                self.window.skip()?;
            }
            "encrypted_data" => {
                self.document.is_encrypted = true;
                self.window.skip()?;
            }
            "variables" => self.variables()?,
            "terraform_version" | "timestamp" | "checks" | "prior_state" => self.window.skip()?,
            _ => {
                self.document.is_other = true;
                self.window.skip()?;
            }
        }
        Ok(())
    }

    fn is_true(&mut self) -> Result<bool, Stop> {
        self.window.read(|scan| Ok(scan.take()? == "true"))
    }

    fn changes(&mut self) -> Result<(), Stop> {
        if !self.window.enter(b'[')? {
            return Ok(());
        }
        self.document.has_changes = true;
        if self.document.has_prior {
            // Members in another order than terraform's: the changes say what there is.
            self.document.has_prior = false;
            self.document.elements.retain(|element| element.is_deferred());
            self.document.passed = 0;
            self.document.layout.without_lists();
        }
        let mut index = 0;
        while self.window.next_item()? {
            self.element(PlanSection::ResourceChanges, index)?;
            index += 1;
        }
        Ok(())
    }

    /// Changes that terraform puts off to a later plan: whether and how they come is undecided.
    fn deferred_changes(&mut self) -> Result<(), Stop> {
        if !self.window.enter(b'[')? {
            return Ok(());
        }
        let mut unread = 0_u32;
        while self.window.next_item()? {
            let at = u32::try_from(self.document.deferred.len()).unwrap_or(u32::MAX);
            let interest = &self.tables.interest;
            let names = &mut self.names;
            let (reason, found) = self.window.read(|scan| {
                let (mut reason, mut found) = (None, None);
                members(scan, |key, scan| {
                    match key {
                        b"reason" => reason = scan::text(scan.take()?).map(Box::from),
                        b"resource_change" => {
                            let section = PlanSection::ResourceChanges;
                            let mut reader = Reader { interest, names, section, index: deferred(at) };
                            found = Some(reader.read(scan)?);
                        }
                        _ => scan.skip()?,
                    }
                    Ok(())
                })?;
                Ok((reason, found))
            })?;
            self.document.deferred.push(reason.unwrap_or_else(|| "unknown".into()));
            match found {
                Some(Ok(Some(element))) if !element.is_removed() => {
                    self.document.elements.push(Box::new(element));
                }
                Some(Ok(None)) => {}
                _ => unread += 1,
            }
        }
        if !self.document.deferred.is_empty() {
            self.document.partial.get_or_insert("apply the plan, and plan again");
        }
        if unread > 0 {
            let reason = format!("{unread} deferred changes were not understood (`deferred_changes`)");
            self.gap(GapKind::Unsupported, &reason);
        }
        Ok(())
    }

    pub(super) fn element(&mut self, section: PlanSection, index: u32) -> Result<(), Stop> {
        let interest = &self.tables.interest;
        let mut reader = Reader { interest, names: &mut self.names, section, index };
        let found = self.window.read(|scan| reader.read(scan))?;
        self.found(found);
        Ok(())
    }

    pub(super) fn found(&mut self, found: Found) {
        match found {
            Ok(Some(element)) if self.keep == Keep::Wanted && !self.wants(&element) => {
                self.document.passed += u32::from(element.address.mode == Mode::Managed);
            }
            Ok(element) => self.document.elements.extend(element.map(Box::new)),
            Err(reason) => self.gap(GapKind::Unreadable, &reason),
        }
    }

    fn wants(&self, element: &Element) -> bool {
        self.tables.interest.wants_type(&element.address.kind)
    }

    /// Whether any resource stands in `planned_values`; none is kept.
    fn holds_resources(&mut self) -> Result<bool, Stop> {
        let mut resources = false;
        if !self.window.enter(b'{')? {
            return Ok(false);
        }
        while let Some(key) = self.window.next_key()? {
            if key != "root_module" {
                self.window.skip()?;
            } else if self.window.enter(b'{')? {
                while let Some(key) = self.window.next_key()? {
                    resources |= key == "resources" || key == "child_modules";
                    self.window.skip()?;
                }
            }
        }
        Ok(resources)
    }
}
