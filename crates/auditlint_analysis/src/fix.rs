//! Remedies as text edits that leave every other byte alone.

use std::sync::Arc;

use auditlint_policy::{Finding, Safety};
use auditlint_syntax::{FileId, Span, TextEdit};

use crate::{Analysis, RootId};

/// A remedy, bound to the texts.
#[derive(Clone, Debug)]
pub struct Fix {
    /// What it does, as a menu says it.
    pub title: String,
    /// Whether it may be applied without asking.
    pub safety: Safety,
    /// The finding that it removes.
    pub finding: Arc<Finding>,
    /// The edits, file by file.
    pub edits: Vec<FileEdits>,
    /// Where something must be filled in, in the text after the edits.
    pub placeholders: Vec<(FileId, Span)>,
}

/// The edits of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEdits {
    /// The file.
    pub file: FileId,
    /// The edits, sorted, none overlapping.
    pub edits: Vec<TextEdit>,
}

pub(crate) fn fixes(_analysis: &Analysis, _root: RootId, _finding: &Arc<Finding>) -> Vec<Fix> {
    Vec::new()
}

/// Those of `fixes` that do not write where an earlier one writes.
pub(crate) fn compatible(fixes: Vec<Fix>) -> Vec<Fix> {
    fixes
}
