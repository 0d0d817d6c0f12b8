//! What a policy says of policies in Rego.

use auditlint_syntax::Problem;
use auditlint_syntax::document::reader::{MapReader, string, unknown, wrong};
use auditlint_syntax::document::{Node, NodeKind};

use super::document::Reader;
use crate::rego::{RegoInput, RegoSpec};

impl Reader<'_> {
    /// A path, or a list of paths and of `{path, input, packages}`.
    pub(super) fn rego(&self, node: &Node, problems: &mut Vec<Problem>) -> Vec<RegoSpec> {
        let items =
            if matches!(node.kind, NodeKind::List(_)) { node.items() } else { std::slice::from_ref(node) };
        items.iter().filter_map(|item| self.rego_entry(item, problems)).collect()
    }

    fn rego_entry(&self, node: &Node, problems: &mut Vec<Problem>) -> Option<RegoSpec> {
        let at = self.place(node.span);
        match &node.kind {
            NodeKind::String(path) => {
                Some(RegoSpec { path: path.clone(), input: RegoInput::default(), packages: Vec::new(), at })
            }
            NodeKind::Map(_) => {
                let mut map = MapReader::new(node, problems);
                let path = map.need("path");
                let (input, packages) = (map.take("input"), map.strings("packages"));
                let packages = packages.into_iter().map(str::to_owned).collect();
                map.finish();
                let input = input.map_or(Some(RegoInput::default()), |node| match string(node, problems)? {
                    "graph" => Some(RegoInput::Graph),
                    "plan" => Some(RegoInput::Plan),
                    other => {
                        problems.push(unknown("input", other, node.span, ["graph", "plan"].into_iter()));
                        None
                    }
                });
                let path = path.and_then(|node| string(node, problems))?.to_owned();
                Some(RegoSpec { path, input: input?, packages, at: self.place(node.span) })
            }
            _ => {
                problems.push(wrong(node, "the path of policies in Rego"));
                None
            }
        }
    }
}
