//! What a plan with `-target` leaves out: the resources of its configuration that it says nothing of.
//!
//! Its `configuration` is always that of the whole root, so a block without a change is one that was left out. Of a
//! block with `count` or `for_each` nobody says how many instances it has: some may be left out although others
//! are here.

use auditlint_syntax::Name;
use rustc_hash::FxHashSet;

use super::configuration::{Block, Configured, Module};
use crate::{Mode, ModulePath, ResourceGraph, Target};

/// The types of the resources that may be left out. A plan that does not say whether it is `complete` is of a
/// version that does not know, and most of them are: only what such a plan would hold for sure was left out of it.
pub(super) fn kinds(
    configured: &Configured,
    graph: &ResourceGraph,
    complete: Option<bool>,
) -> FxHashSet<Name> {
    let of_module = |(path, module): (&ModulePath, &Module)| {
        let module_is_repeated = is_repeated(configured, path);
        let is_left_out = |kind: &Name, name: &Name, block: &Block| {
            if module_is_repeated || block.is_repeated {
                return complete == Some(false);
            }
            let (module, kind, name) = (path.clone(), kind.clone(), name.clone());
            graph.instances(&Target { root: None, module, mode: Mode::Managed, kind, name }).is_empty()
        };
        let blocks = module.resources.iter();
        blocks
            .filter(|(kind, blocks)| blocks.iter().any(|(name, block)| is_left_out(kind, name, block)))
            .map(|(kind, _)| kind.clone())
            .collect::<Vec<Name>>()
    };
    configured.modules().flat_map(of_module).collect()
}

/// Whether the module or one around it is called with `count` or `for_each`.
fn is_repeated(configured: &Configured, path: &ModulePath) -> bool {
    let mut path = path.clone();
    while let Some((parent, call, _)) = path.split_last() {
        let block = configured.module(&parent).and_then(|module| module.calls.get(&call));
        if block.is_none_or(|block| block.is_repeated) {
            return true;
        }
        path = parent;
    }
    false
}
