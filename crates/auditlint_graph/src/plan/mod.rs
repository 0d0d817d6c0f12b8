//! Plan JSON to resources: read from a window, element by element, never as a whole.

mod configuration;
mod element;
mod merge;
mod reference;
mod scan;
mod text;
mod window;

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use thiserror::Error;

use crate::address::Names;
use crate::{Gap, GapKind, PlanSection, ResourceGraph, Tables};
use configuration::Configured;
use element::{Element, Reader};
use text::Utf8;
use window::{Stop, Window};

/// A plan, as far as anybody asked for it. What it lacks is a gap in the graph.
#[derive(Debug, Default)]
pub struct Plan {
    /// The resources after the apply, and what could not be read.
    pub graph: Arc<ResourceGraph>,
    /// `format_version` as written, where there is one.
    pub format_version: Option<String>,
    /// Whether the document was a state (`terraform show -json` without a plan) rather than a plan.
    pub is_state: bool,
}

/// Why a text is no plan at all.
#[derive(Debug, Error)]
pub enum PlanError {
    /// The bytes are a plan as `terraform plan -out` writes it.
    #[error(
        "this is a plan file in Terraform's own format; run `terraform show -json FILE` and check its output"
    )]
    Binary,
    /// The format's major version is not ours.
    #[error("plan format version {0} is not supported; auditlint reads every version below 2")]
    Version(String),
    /// It is not JSON, or not a plan.
    #[error("{reason}, at byte {at}")]
    Malformed {
        /// What is wrong.
        reason: String,
        /// Offset in the (decoded) text.
        at: u64,
    },
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Reads a plan or state in Terraform's JSON format. `name` is the path that gaps show.
///
/// # Errors
/// When the text is no plan; a plan that merely ends too early gives what was read and a gap.
pub fn read_plan(input: &mut dyn Read, name: &str, tables: &Tables) -> Result<Plan, PlanError> {
    let (text, first) = Utf8::new(input)?;
    match first {
        // The magic of the archive that `terraform plan -out` writes.
        [b'P', b'K', ..] => return Err(PlanError::Binary),
        [0x1F, 0x8B, ..] => {
            return Err(malformed("the file is compressed; unpack it first (`gunzip -c FILE`)"));
        }
        [0, 0, 0, 0] => return Err(malformed("the file is empty")),
        _ => {}
    }
    let mut reading = Reading {
        window: Window::new(text),
        name,
        tables,
        names: Names::default(),
        document: Document::default(),
    };
    match reading.document() {
        Ok(()) => {}
        Err(Stop::Io(error)) => return Err(PlanError::Io(error)),
        Err(Stop::Malformed { reason, at }) => return Err(PlanError::Malformed { reason, at }),
        Err(Stop::Truncated) if reading.document.is_plan() || reading.document.version.is_some() => {
            reading.gap(GapKind::Truncated, "the document ends too early: the rest of it was not read");
            reading.document.configured = None;
        }
        Err(Stop::Truncated) => return Err(malformed("the document ends before it says what it is")),
    }
    reading.finish()
}

fn malformed(reason: &str) -> PlanError {
    PlanError::Malformed { reason: reason.to_owned(), at: 0 }
}

/// What was found in a document.
#[derive(Default)]
struct Document {
    version: Option<String>,
    elements: Vec<Element>,
    configured: Option<Configured>,
    has_changes: bool,
    has_planned: bool,
    is_state: bool,
    is_state_file: bool,
    gaps: Vec<Gap>,
}

impl Document {
    fn is_plan(&self) -> bool {
        self.has_changes || self.has_planned || self.is_state || self.configured.is_some()
    }
}

struct Reading<'a, R> {
    window: Window<R>,
    name: &'a str,
    tables: &'a Tables,
    names: Names,
    document: Document,
}

impl<R: Read> Reading<'_, R> {
    fn gap(&mut self, kind: GapKind, reason: &str) {
        let hint = match kind {
            GapKind::Truncated => "make the JSON anew with `terraform show -json`",
            _ => "",
        };
        self.document.gaps.push(Gap {
            kind,
            path: self.name.to_owned(),
            at: None,
            reason: reason.to_owned(),
            hint: hint.to_owned(),
            count: 1,
        });
    }

    fn document(&mut self) -> Result<(), Stop> {
        if self.window.peek()? != Some(b'{') {
            return self.window.malformed("this is not the JSON of a plan: expected `{`");
        }
        self.window.enter(b'{')?;
        while let Some(key) = self.window.next_key()? {
            match key.as_str() {
                "format_version" => self.version()?,
                "resource_changes" => self.changes()?,
                "values" => {
                    self.document.is_state = true;
                    self.values()?;
                }
                "planned_values" => {
                    // `{"root_module":{}}` and the like hold no resource.
                    let mut seen = Seen::default();
                    seen.value(&mut self.window)?;
                    self.document.has_planned = seen.resources;
                }
                "configuration" => {
                    let mut configured = Configured::default();
                    let read = configured.read(&mut self.window, &self.tables.interest);
                    self.document.configured = Some(configured);
                    read?;
                }
                "errored" if self.window.read(|scan| Ok(scan.take()? == "true"))? => {
                    self.gap(
                        GapKind::Truncated,
                        "the plan is incomplete: terraform ended with an error (`errored`)",
                    );
                }
                "errored" => {}
                "deferred_changes" => {
                    if self.window.enter(b'[')? {
                        let mut count = 0;
                        while self.window.next_item()? {
                            self.window.skip()?;
                            count += 1;
                        }
                        if count > 0 {
                            self.gap(GapKind::Unsupported, "the plan defers changes (`deferred_changes`)");
                        }
                    }
                }
                "serial" | "lineage" => {
                    self.document.is_state_file = true;
                    self.window.skip()?;
                }
                _ => self.window.skip()?,
            }
        }
        match self.window.peek()? {
            None => Ok(()),
            Some(_) => self.window.malformed("text follows after the end of the plan"),
        }
    }

    fn version(&mut self) -> Result<(), Stop> {
        self.document.version = self.window.read(|scan| Ok(scan::text(scan.take()?).map(Cow::into_owned)))?;
        Ok(())
    }

    fn changes(&mut self) -> Result<(), Stop> {
        self.document.has_changes = true;
        if !self.window.enter(b'[')? {
            return Ok(());
        }
        let mut index = 0;
        while self.window.next_item()? {
            self.element(PlanSection::ResourceChanges, index)?;
            index += 1;
        }
        Ok(())
    }

    fn element(&mut self, section: PlanSection, index: u32) -> Result<(), Stop> {
        let interest = &self.tables.interest;
        let mut reader = Reader { interest, names: &mut self.names, section, index };
        match self.window.read(|scan| reader.read(scan))? {
            Ok(element) => self.document.elements.extend(element),
            Err(reason) => self.gap(GapKind::Unreadable, &reason),
        }
        Ok(())
    }

    /// The `values` of a state.
    fn values(&mut self) -> Result<(), Stop> {
        if self.window.enter(b'{')? {
            while let Some(key) = self.window.next_key()? {
                if key == "root_module" { self.state_module(0)? } else { self.window.skip()? }
            }
        }
        Ok(())
    }

    fn state_module(&mut self, depth: usize) -> Result<(), Stop> {
        if depth > 64 {
            return self.window.malformed("modules are nested too deeply");
        }
        if !self.window.enter(b'{')? {
            return Ok(());
        }
        while let Some(key) = self.window.next_key()? {
            match key.as_str() {
                "resources" => {
                    if self.window.enter(b'[')? {
                        while self.window.next_item()? {
                            let index = u32::try_from(self.document.elements.len()).unwrap_or(u32::MAX);
                            self.element(PlanSection::State, index)?;
                        }
                    }
                }
                "child_modules" => {
                    if self.window.enter(b'[')? {
                        while self.window.next_item()? {
                            self.state_module(depth + 1)?;
                        }
                    }
                }
                _ => self.window.skip()?,
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Plan, PlanError> {
        let major = |version: &str| version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        match &self.document.version {
            Some(version) if major(version).is_none_or(|major| major >= 2) => {
                return Err(PlanError::Version(version.clone()));
            }
            Some(_) => {}
            None if self.document.is_state_file => {
                return Err(malformed(
                    "this is a state file in Terraform's own format; run `terraform show -json` and check its output",
                ));
            }
            None if !self.document.is_plan() => {
                return Err(malformed("this is JSON, but not that of a plan: it has no `format_version`"));
            }
            None => self.gap(GapKind::Unsupported, "the plan has no `format_version`"),
        }
        let is_state = self.document.is_state && !self.document.has_changes;
        if !is_state && !self.document.has_changes && self.document.has_planned {
            self.gap(GapKind::Unsupported, "the plan has no `resource_changes` (a refresh-only plan)");
        }
        let truncated = self.document.gaps.iter().any(|gap| gap.kind == GapKind::Truncated);
        if !is_state && !truncated && self.document.configured.is_none() && !self.document.elements.is_empty()
        {
            self.gap(
                GapKind::Truncated,
                "the plan has no `configuration`: what it does not set cannot be told",
            );
        }
        let mut graph = ResourceGraph::default();
        let elements = std::mem::take(&mut self.document.elements);
        for resource in merge::resources(elements, self.document.configured.as_ref(), self.tables) {
            graph.put(resource, &self.tables.facts);
        }
        graph.gaps = self.document.gaps;
        graph.gaps.sort();
        graph.gaps.dedup();
        Ok(Plan { graph: Arc::new(graph), format_version: self.document.version, is_state })
    }
}

/// Whether any resource stands in `planned_values`, without keeping one.
#[derive(Default)]
struct Seen {
    resources: bool,
}

impl Seen {
    fn value<R: Read>(&mut self, window: &mut Window<R>) -> Result<(), Stop> {
        if !window.enter(b'{')? {
            return Ok(());
        }
        while let Some(key) = window.next_key()? {
            if key != "root_module" || !window.enter(b'{')? {
                if key != "root_module" {
                    window.skip()?;
                }
                continue;
            }
            while let Some(key) = window.next_key()? {
                self.resources |= key == "resources" || key == "child_modules";
                window.skip()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
