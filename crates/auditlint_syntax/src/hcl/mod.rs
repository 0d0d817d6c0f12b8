//! Resilient HCL: any text becomes a tree of items and a list of problems.
//!
//! A file is split into top-level items, each is parsed alone, lowered into the compact tree of [`tree`] and
//! cached by content, so that a keystroke parses one block. hcl-edit is the expression parser; its types
//! never leave this folder.

mod tree;

use std::sync::Arc;

use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

pub use tree::{
    Attribute, BinaryOp, Block, Body, Expr, ExprKind, ForExpr, Item, ItemKind, Label, ObjectItem, ObjectKey,
    Piece, TemplatePart, UnaryOp,
};

use crate::{Problem, Source};

/// One parsed file: its items in source order and everything that is wrong with it (absolute spans).
#[derive(Clone, Debug, Default)]
pub struct HclFile {
    /// Top-level blocks, and top-level attributes (as in a variable file).
    pub items: Vec<Item>,
    /// One problem for each broken item, absolute.
    pub problems: Vec<Problem>,
}

/// Parsed blocks by content, shared by threads and revisions.
#[derive(Debug, Default)]
pub struct BlockCache {
    #[allow(dead_code, reason = "filled by the parser")]
    pieces: DashMap<u64, Arc<Piece>, FxBuildHasher>,
}

/// Parses native HCL syntax (`.tf`, `.tofu`, `.tfvars`).
#[must_use]
pub fn parse(_source: &Source, _cache: &BlockCache) -> HclFile {
    HclFile::default()
}

/// Parses Terraform's JSON syntax (`.tf.json`, `.tfvars.json`) into the same tree: nested objects under
/// `resource`, `module` and the like become blocks with labels, everything else attributes whose strings
/// are templates.
#[must_use]
pub fn parse_json(_source: &Source, _cache: &BlockCache) -> HclFile {
    HclFile::default()
}
