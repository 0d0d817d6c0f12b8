//! Who logs what and where to, over all roots of a snapshot.

use std::sync::Arc;

use auditlint_graph::Gap;
use auditlint_policy::crossing::Crossings;
use auditlint_policy::{FlowMap, KeptStore, StationId};
use auditlint_syntax::Name;
use rayon::prelude::*;

use crate::root::Root;
use crate::snapshot::Cancelled;
use crate::world::World;
use crate::{Analysis, InputMode, LeftOut};

/// The log flows of an estate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flows {
    /// The roots, in the order of reports.
    pub roots: Vec<FlowRoot>,
    /// The stations and ways of all of them.
    pub map: FlowMap,
    /// Folders that were found and not read, sorted.
    pub left_out: Vec<LeftOut>,
}

/// A root of the estate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRoot {
    /// What stations call it: its folder (and environment), or the path of its plan.
    pub name: Arc<str>,
    /// The account, project or subscription in which it is applied, where that is known.
    pub account: Option<Name>,
    /// What was read.
    pub mode: InputMode,
    /// What could not be read: logs may take ways that are not here.
    pub gaps: Vec<Gap>,
    /// Number of Terraform files of a configuration.
    pub files: usize,
    /// Its stores, for other repositories.
    pub stores: Vec<KeptStore>,
}

impl Analysis {
    /// The log flows of all roots, which are read in parallel.
    ///
    /// # Errors
    /// When the host has moved on.
    pub fn flows(&self) -> Result<Flows, Cancelled> {
        let roots = &self.state.roots;
        // What crosses is settled once, before anybody waits for it.
        roots.first().map(|root| self.crossings(root)).transpose()?;
        let drawn: Vec<(FlowRoot, FlowMap)> = roots
            .par_iter()
            .map(|root| {
                let crossings: Arc<Crossings> = self.crossings(root)?;
                let (mut flow_root, mut map) =
                    self.ask(root, |root: &Root, world: &World<'_>| root.flows(world, &crossings))?;
                let identity = self.identity(root);
                map.locate(identity.account(), identity.region());
                flow_root.account = identity.account().cloned();
                Ok((flow_root, map))
            })
            .collect::<Result<_, Cancelled>>()?;
        let (mut roots, maps): (Vec<FlowRoot>, Vec<FlowMap>) = drawn.into_iter().unzip();
        // Roots of one account stand together; those of which it is not known come last.
        roots.sort_by(|a, b| {
            let account = |root: &FlowRoot| (root.account.is_none(), root.account.clone());
            account(a).cmp(&account(b))
        });
        Ok(Flows { roots, map: FlowMap::united(maps), left_out: Vec::new() })
    }
}

impl Flows {
    /// Whether everything was read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.roots.iter().all(|root| root.gaps.is_empty())
    }

    /// The stations with that address, or all instances of it.
    #[must_use]
    pub fn find(&self, address: &str) -> Vec<StationId> {
        let is_it = |name: &str| {
            name == address || name.strip_prefix(address).is_some_and(|rest| rest.starts_with('['))
        };
        let found = self.map.stations.iter().filter(|station| is_it(&station.id.name));
        found.map(|station| station.id.clone()).collect()
    }

    /// What is up- and downstream of `stations`, and they themselves. The roots and their gaps stay.
    #[must_use]
    pub fn around(&self, stations: &[StationId]) -> Self {
        Self { map: self.map.around(stations), ..self.clone() }
    }
}
