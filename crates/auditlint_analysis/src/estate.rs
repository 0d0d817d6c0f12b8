//! What crosses between the roots of a revision, found out once and before any root is judged.

use std::collections::BTreeMap;
use std::sync::Arc;

use auditlint_graph::RootKey;
use auditlint_policy::crossing::{Beyond, Crossings, Exports, Party, settle};
use rayon::prelude::*;

use crate::Analysis;
use crate::root::{Root, lock};
use crate::snapshot::Cancelled;

/// What crosses between the roots.
pub(crate) type Settled = BTreeMap<RootKey, Arc<Crossings>>;

impl Analysis {
    /// What crosses the border of a root.
    pub(crate) fn crossings(&self, root: &Root) -> Result<Arc<Crossings>, Cancelled> {
        let of = |settled: &Settled| settled.get(&root.key).cloned().unwrap_or_default();
        if let Some(settled) = self.state.settled.get() {
            return Ok(of(settled));
        }
        if let (true, Some(last)) = (self.hurries, &*lock(&self.state.last_settled)) {
            return Ok(of(last));
        }
        let settled = Arc::new(self.settle()?);
        *lock(&self.state.last_settled) = Some(Arc::clone(&settled));
        Ok(of(self.state.settled.get_or_init(|| settled)))
    }

    fn settle(&self) -> Result<Settled, Cancelled> {
        let roots = &self.state.roots;
        // Nothing crosses the border of a root that is alone; whoever reads it uses again what reading it took.
        if roots.len() < 2 {
            return Ok(Settled::new());
        }
        // Logs leave a root only where it looks at another one.
        let looks = |root: &&Arc<Root>| {
            let (caches, tables) = (&self.state.caches, &self.state.set.tables);
            self.state.estate.may_look_around(root.key, self.files(), caches, tables)
        };
        let exports: BTreeMap<RootKey, Arc<Exports>> = roots
            .par_iter()
            .filter(looks)
            .map(|root| Ok((root.key, self.ask(root, Root::exports)?)))
            .collect::<Result<_, Cancelled>>()?;
        if exports.values().all(|exports| exports.departures.is_empty()) {
            return Ok(Settled::new());
        }
        let nothing = Exports::default();
        let parties: Vec<Party<'_>> = roots
            .iter()
            .map(|root| {
                let exports = exports.get(&root.key).map_or(&nothing, |exports| exports);
                Party { key: root.key, name: root.name(), exports }
            })
            .collect();
        let by_key: BTreeMap<RootKey, &Arc<Root>> = roots.iter().map(|root| (root.key, root)).collect();
        let mut cancelled = false;
        let found = |beyond: &Beyond| {
            let Some(root) = by_key.get(&beyond.root) else { return Vec::new() };
            self.ask(root, |root, world| root.find(beyond, world)).unwrap_or_else(|Cancelled| {
                cancelled = true;
                Vec::new()
            })
        };
        let settled = settle(&parties, found);
        if cancelled {
            return Err(Cancelled);
        }
        Ok(settled.into_iter().map(|(key, crossings)| (key, Arc::new(crossings))).collect())
    }
}
