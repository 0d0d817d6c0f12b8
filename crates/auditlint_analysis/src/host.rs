//! The host holds the current texts and policy; a snapshot answers questions about one revision.

use std::io::Read;
use std::sync::Arc;

use auditlint_graph::terraform::RootInputs;
use auditlint_policy::{Finding, Policy};
use auditlint_syntax::{FileId, Files, Location};
use camino::{Utf8Path, Utf8PathBuf};

use crate::{Fix, Report};

/// A root of this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RootId(pub u32);

/// What makes a root.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RootSpec {
    /// A folder with one set of values, in an environment.
    Folder {
        /// The folder and the values.
        inputs: RootInputs,
        /// The environment's name and why it is that one.
        environment: Option<(String, String)>,
    },
    /// A plan or state that was read, under the path that reports show.
    Plan {
        /// `-` for standard input.
        path: Utf8PathBuf,
        /// The folder whose HCL refines and places it (`--source`).
        source: Option<RootInputs>,
    },
}

/// A change of the world.
#[derive(Clone, Debug)]
pub enum Change {
    /// An editor opened or edited a file: its text is now this one, whatever the disk says.
    Overlay(Utf8PathBuf, Arc<str>),
    /// An editor closed a file: the disk counts again.
    Close(Utf8PathBuf),
    /// These files changed, came or went on disk.
    Disk(Vec<Utf8PathBuf>),
    /// The policy is another one.
    Policy(Arc<Policy>),
    /// The roots are these.
    Roots(Vec<RootSpec>),
}

/// The snapshot is older than the host: its answer would be about a text that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

/// What an editor shows for a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// The place that it speaks of.
    pub at: Location,
    /// Markdown: what, why, controls, the policy's line.
    pub markdown: String,
}

/// The current texts, policy and roots.
pub struct AnalysisHost {
    files: Arc<dyn Files>,
}

/// A snapshot of one revision. Cheap to clone, may be sent to other threads.
#[derive(Clone)]
pub struct Analysis {
    _files: Arc<dyn Files>,
}

impl AnalysisHost {
    /// A host without roots.
    #[must_use]
    pub fn new(files: Arc<dyn Files>, _policy: Arc<Policy>) -> Self {
        Self { files }
    }

    /// The only mutator. Does no work beyond taking the change in.
    pub fn apply_change(&mut self, _change: Change) {}

    /// Reads a plan or state and adds it as a root.
    ///
    /// # Errors
    /// When the text is no plan.
    pub fn add_plan(
        &mut self,
        _path: &Utf8Path,
        _source: Option<RootInputs>,
        _input: &mut dyn Read,
    ) -> Result<RootId, auditlint_graph::plan::PlanError> {
        Ok(RootId(0))
    }

    /// A snapshot of the present.
    #[must_use]
    pub fn analysis(&self) -> Analysis {
        Analysis { _files: Arc::clone(&self.files) }
    }
}

impl Analysis {
    /// The roots, in the order of reports.
    #[must_use]
    pub fn roots(&self) -> Vec<RootId> {
        Vec::new()
    }

    /// The roots whose verdicts depend on `file`.
    #[must_use]
    pub fn roots_of(&self, _file: FileId) -> Vec<RootId> {
        Vec::new()
    }

    /// The report over `roots`.
    ///
    /// # Errors
    /// When the host has moved on.
    pub fn check(&self, _roots: &[RootId]) -> Result<Report, Cancelled> {
        Err(Cancelled)
    }

    /// The findings that sit in `file`, over all roots that reach it: one for each rule, place and verdict
    /// (the strictest), sorted by place.
    ///
    /// # Errors
    /// When the host has moved on.
    pub fn findings(&self, _file: FileId) -> Result<Vec<Arc<Finding>>, Cancelled> {
        Err(Cancelled)
    }

    /// The fixes for the findings that touch the bytes `range` of `file`, the best first.
    ///
    /// # Errors
    /// When the host has moved on.
    pub fn fixes(&self, _file: FileId, _range: std::ops::Range<u32>) -> Result<Vec<Fix>, Cancelled> {
        Err(Cancelled)
    }

    /// What is to be said of the place at `offset` of `file`.
    ///
    /// # Errors
    /// When the host has moved on.
    pub fn hover(&self, _file: FileId, _offset: u32) -> Result<Option<Hover>, Cancelled> {
        Err(Cancelled)
    }
}
