//! Text to trees: source files, byte spans, resilient HCL, JSON and YAML node trees, and text edits.
//!
//! Nothing here fails and nothing here reads a file: broken input is data (a tree and its problems), and
//! texts come in through the [`Files`] trait, which the edge implements.
//! Nothing here knows Terraform: a block is a block, whatever its name.

pub mod document;
mod edit;
mod files;
pub mod hcl;
mod line_index;
mod problem;
mod source;
mod span;

pub use edit::{EditError, TextEdit, apply_edits};
pub use files::{Access, Entry, EntryKind, Files, MemoryFiles, ReadError, Recorder};
pub use line_index::{Encoding, LineColumn, LineIndex, Position};
pub use problem::{Problem, ProblemKind};
pub use source::{Paths, Source};
pub use span::{FileId, Location, Span};

/// Names of blocks, attributes and resource types: inline up to 23 bytes, cloned in O(1).
pub type Name = smol_str::SmolStr;
