//! What the team of another repository proved: the file that `auditlint export` writes there and `from:` reads here.

use auditlint_syntax::document::reader::{MapReader, wrong};
use auditlint_syntax::document::{self, Node, NodeKind};
use auditlint_syntax::{Problem, Source};

use super::Pattern;
use crate::{Category, Days};

/// The `kind` of such a file.
pub(crate) const KIND: &str = "auditlint_export";

/// The stores and sources of a root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Export {
    /// The stores that have a name.
    pub stores: Vec<ExportedStore>,
    /// The sources.
    pub sources: Vec<ExportedSource>,
}

/// A store of that root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedStore {
    /// Its address there.
    pub address: String,
    /// Its ARNs, ids and names, as far as they are known before apply.
    pub names: Vec<Pattern>,
    /// How long it keeps what it gets; none where that is not known.
    pub retention: Option<Days>,
    /// Whether nobody can delete from it before that.
    pub immutable: Option<bool>,
    /// Whether it is encrypted with a key of its owner.
    pub encrypted: Option<bool>,
}

/// A source of that root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedSource {
    /// Its address there.
    pub address: String,
    /// What it records.
    pub categories: Vec<Category>,
}

impl Export {
    /// Reads such a file. Keys that a later version adds are passed over.
    ///
    /// # Errors
    /// With what is wrong with it.
    pub fn read(source: &Source) -> Result<Self, Vec<Problem>> {
        let document = document::parse(source.text());
        let mut problems = document.problems;
        let mut map = MapReader::new(&document.root, &mut problems);
        let (kind, version) = (map.take("kind"), map.take("schema_version"));
        let (stores, sources) = (map.take("stores"), map.take("sources"));
        let is_export = kind.and_then(Node::as_str) == Some(KIND);
        let is_known =
            version.is_some_and(|node| matches!(node.kind, NodeKind::Number(version, _) if version == 1.0));
        if !(is_export && is_known) && problems.is_empty() {
            problems.push(wrong(&document.root, "a file that `auditlint export` wrote (schema_version 1)"));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let items = |node: Option<&Node>| node.map(Node::items).unwrap_or_default().to_vec();
        let stores = items(stores).iter().filter_map(|node| store(node, &mut problems)).collect();
        let sources = items(sources).iter().filter_map(|node| exported_source(node, &mut problems)).collect();
        if problems.is_empty() { Ok(Self { stores, sources }) } else { Err(problems) }
    }
}

fn store(node: &Node, problems: &mut Vec<Problem>) -> Option<ExportedStore> {
    let mut map = MapReader::new(node, problems);
    let address = map.need("address").and_then(Node::as_str).map(str::to_owned);
    let names = map.strings("names").into_iter().map(Pattern::new).collect();
    let days = map.take("retention_days");
    let never = map.bool("never_expires") == Some(true);
    let mut known = |key| match map.take(key).map(|node| &node.kind) {
        Some(NodeKind::Bool(value)) => Some(*value),
        _ => None,
    };
    let (immutable, encrypted) = (known("immutable"), known("encrypted"));
    let retention = match days.map(|node| (node, &node.kind)) {
        _ if never => Some(Days::Never),
        None | Some((_, NodeKind::Null)) => None,
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be whole and small"
        )]
        Some((_, NodeKind::Number(days, _))) if days.fract() == 0.0 && (0.0..=36_500.0).contains(days) => {
            Some(Days::Count(*days as u32))
        }
        Some((node, _)) => {
            problems.push(wrong(node, "a number of days"));
            None
        }
    };
    Some(ExportedStore { address: address?, names, retention, immutable, encrypted })
}

fn exported_source(node: &Node, problems: &mut Vec<Problem>) -> Option<ExportedSource> {
    let mut map = MapReader::new(node, problems);
    let address = map.need("address").and_then(Node::as_str).map(str::to_owned);
    let categories = map.strings("categories").into_iter().filter_map(Category::parse).collect();
    Some(ExportedSource { address: address?, categories })
}
