//! Minimal sets from nodes.

use auditlint_syntax::document::Node;
use auditlint_syntax::document::reader::{MapReader, string};
use auditlint_syntax::{Name, Problem};

use super::parameter_value;
use super::rules::read_categories;
use crate::condition::Operand;
use crate::minimal::MinimalSet;
use crate::rule::ParameterKind;

/// Reads a set.
pub(super) fn read(root: &Node, problems: &mut Vec<Problem>) -> Option<MinimalSet> {
    let mut own = Vec::new();
    let mut map = MapReader::new(root, problems);
    let mut text = |key: &'static str| {
        let found = map.need(key).and_then(|node| string(node, &mut own));
        found.map(str::to_owned)
    };
    let (title, provider, source, hcl) = (text("title"), text("provider"), text("source"), text("text"));
    let categories = map.need("categories");
    let retention = map.need("retention");
    map.finish();
    let categories = read_categories(categories, &mut own);
    let retention = retention.and_then(|node| parameter_value(ParameterKind::Duration, node, &mut own));
    problems.append(&mut own);
    let Some(Operand::Number(days)) = retention else { return None };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a duration is a whole number of days"
    )]
    let days = days as u32;
    Some(MinimalSet::new(title?, Name::new(&provider?), categories, days, source?, hcl?))
}
