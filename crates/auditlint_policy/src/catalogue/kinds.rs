//! The kinds of sources: what people call the services that emit events.

use auditlint_syntax::Problem;
use auditlint_syntax::document::Node;
use auditlint_syntax::document::reader::strings;

/// Reads `kinds.yaml`: the services of each kind.
pub(super) fn read(root: &Node, problems: &mut Vec<Problem>) -> Vec<(String, Vec<String>)> {
    let services = |node: &Node, problems: &mut Vec<Problem>| {
        strings(node, problems).into_iter().map(str::to_owned).collect()
    };
    root.entries().iter().map(|entry| (entry.key.clone(), services(&entry.value, problems))).collect()
}
