//! What a policy extends: the names of other policies.

use auditlint_syntax::document::reader::{MapReader, wrong};
use auditlint_syntax::document::{self, Node, NodeKind};
use auditlint_syntax::{Problem, Source, Span};

/// A policy that another one extends, or a file that it reads, as it is named there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extended {
    /// A path from the policy that names it, `auditlint:NAME`, or `git::URL//PATH?ref=REVISION`.
    pub name: String,
    /// The digest that a policy of another repository has to have, `sha256:` before it.
    pub digest: Option<String>,
    /// Where it is named.
    pub span: Span,
}

impl Extended {
    /// A file that is named by its path.
    pub(super) fn file(name: &str) -> Self {
        Self { name: name.to_owned(), digest: None, span: Span::default() }
    }

    /// What the policy `source` extends, as far as it can be read.
    #[must_use]
    pub fn by(source: &Source) -> Vec<Self> {
        extended(&document::parse(source.text()).root, &mut Vec::new())
    }
}

pub(super) fn extended(root: &Node, problems: &mut Vec<Problem>) -> Vec<Extended> {
    let Some(node) = root.get("extends") else { return Vec::new() };
    let items =
        if matches!(node.kind, NodeKind::List(_)) { node.items() } else { std::slice::from_ref(node) };
    let mut out = Vec::new();
    for item in items {
        match &item.kind {
            NodeKind::String(name) => {
                out.push(Extended { name: name.clone(), digest: None, span: item.span });
            }
            NodeKind::Map(_) => {
                let mut map = MapReader::new(item, problems);
                let name = map.need("ref");
                let digest = map.string("digest").map(str::to_owned);
                map.finish();
                let name = name.and_then(|node| Some((node.as_str()?.to_owned(), node.span)));
                out.extend(name.map(|(name, span)| Extended { name, digest, span }));
            }
            _ => problems.push(wrong(item, "the name of a policy")),
        }
    }
    out
}
