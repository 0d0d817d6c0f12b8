//! Data sources that the configuration alone decides.

use auditlint_syntax::Name;

use super::folder::BlockRef;
use super::modules::Scope;
use super::world::World;
use crate::Tracked;

impl World<'_> {
    /// What the block of a data source says about its attribute `name`; none when only the provider knows.
    pub(super) fn data_attribute(
        &self,
        id: usize,
        kind: &Name,
        block: &BlockRef,
        name: &Name,
        scope: &Scope,
    ) -> Option<Tracked> {
        if kind == "aws_iam_policy_document" && name == "json" {
            return Some(super::functions::policy_document(self, id, block, scope));
        }
        // An argument of the look-up is an attribute of its result.
        let attribute = block.block().body.attribute(name)?;
        Some(self.eval(id, block, &attribute.value, scope))
    }
}
