//! A root between reading and judging: what it says to other roots is known, what they say to it is asked afterwards.

use std::sync::Arc;

use auditlint_graph::terraform::Configuration;
use auditlint_graph::{Address, ResourceGraph, Slot, join};
use auditlint_policy::crossing::{Beyond, Crossings, Exports, Found};
use auditlint_policy::{Evaluator, Finding, FlowMap, KeptStore, Place};
use auditlint_syntax::{FileId, Name};
use rustc_hash::FxHashMap;

use crate::attested;
use crate::following::Following;
use crate::judged::{Judged, filled};
use crate::root::Root;
use crate::suppression::Suppressions;
use crate::whole;
use crate::world::{Prepared, World};
use crate::{RootReport, RootSpec};

/// A root that was read: what it says to other roots is known, what they say to it is not asked yet.
pub(crate) struct Surveyed {
    /// That of the root when it was read.
    pub(crate) stamp: u64,
    pub(crate) work: Work,
    /// What it says to other roots.
    pub(crate) exports: Arc<Exports>,
}

/// How it goes on from there.
pub(crate) enum Work {
    Following(Box<Following>),
    Once(Box<Once>),
}

/// A root that is judged once.
pub(crate) struct Once {
    set: Arc<Prepared>,
    configuration: Configuration,
    graph: Arc<ResourceGraph>,
    /// None once the verdicts are there: what they were made from is large.
    evaluator: Option<Evaluator>,
}

impl Surveyed {
    pub(crate) fn configuration(&self) -> &Configuration {
        match &self.work {
            Work::Following(following) => following.configuration(),
            Work::Once(once) => &once.configuration,
        }
    }

    pub(crate) fn graph(&self) -> &Arc<ResourceGraph> {
        match &self.work {
            Work::Following(following) => &following.configuration().graph,
            Work::Once(once) => &once.graph,
        }
    }

    /// Whether it was read for that policy.
    pub(crate) fn is_by(&self, set: &Arc<Prepared>) -> bool {
        match &self.work {
            Work::Following(following) => following.is_by(set),
            Work::Once(once) => Arc::ptr_eq(&once.set, set),
        }
    }

    /// What was read up to `stamp`.
    pub(crate) fn new(stamp: u64, work: Work) -> Self {
        let exports = match &work {
            Work::Following(following) => following.exports(),
            Work::Once(once) => {
                once.evaluator.as_ref().map(|evaluator| evaluator.exports(&once.graph)).unwrap_or_default()
            }
        };
        Self { stamp, work, exports: Arc::new(exports) }
    }
}

impl Once {
    /// Reads the root, to judge it once.
    pub(crate) fn read(root: &Root, world: &World<'_>) -> Self {
        let tables = &world.set.tables;
        let load =
            |inputs, standing| Configuration::load(inputs, standing, world.files, world.caches, tables);
        let configuration = match &root.spec {
            RootSpec::Folder { inputs, .. } => load(inputs, root.standing(world)),
            RootSpec::Plan { source, .. } => {
                source.as_ref().map(|inputs| load(inputs, None)).unwrap_or_default()
            }
        };
        let graph = match (&root.spec, &root.plan) {
            (RootSpec::Plan { path, source: Some(_) }, Some(plan)) => {
                Arc::new(join(&plan.graph, &configuration.graph, tables, path.as_str()))
            }
            (RootSpec::Plan { source: None, .. }, Some(plan)) => Arc::clone(&plan.graph),
            _ => Arc::clone(&configuration.graph),
        };
        let evaluator = Some(Evaluator::survey(&graph, root.chosen(world).matter(world.set)));
        Self { set: Arc::clone(world.set), configuration, graph, evaluator }
    }

    /// Who logs what and where to, and its stores; `crossings` is what crosses the border of the root.
    pub(crate) fn flow_map(
        &mut self,
        root: &Root,
        crossings: &Arc<Crossings>,
        world: &World<'_>,
        name: &Arc<str>,
    ) -> Option<(FlowMap, Vec<KeptStore>)> {
        let evaluator = self.evaluator.as_mut()?;
        evaluator.settle(&self.graph, crossings);
        let chosen = root.chosen(world);
        let matter = chosen.matter(world.set);
        Some((evaluator.flow_map(&self.graph, matter, name), evaluator.stores(&self.graph, matter)))
    }

    /// The resources that `beyond` names here, and how long what comes in there is kept.
    pub(crate) fn found(&mut self, root: &Root, beyond: &Beyond, world: &World<'_>) -> Option<Vec<Found>> {
        let chosen = root.chosen(world);
        let evaluator = self.evaluator.as_mut()?;
        Some(evaluator.found(&self.graph, chosen.matter(world.set), beyond))
    }

    /// What a remedy of the resource in `slot` may refer to; `crossings` is what crosses the border of the root.
    pub(crate) fn choices(
        &mut self,
        root: &Root,
        crossings: &Arc<Crossings>,
        world: &World<'_>,
        (slot, types, most): (Slot, &[Name], usize),
    ) -> Option<Vec<Address>> {
        let evaluator = self.evaluator.as_mut()?;
        evaluator.settle(&self.graph, crossings);
        Some(evaluator.choices(&self.graph, root.chosen(world).matter(world.set), slot, types, most))
    }

    /// Whether what the verdicts are made from is gone.
    pub(crate) fn is_spent(&self) -> bool {
        self.evaluator.is_none()
    }

    /// The verdicts, once; `crossings` is what crosses the border of the root.
    pub(crate) fn judge(
        &mut self,
        root: &Root,
        crossings: &Arc<Crossings>,
        world: &World<'_>,
    ) -> Option<Judged> {
        let Self { configuration, graph, evaluator, .. } = self;
        let chosen = root.chosen(world);
        let mut evaluator = evaluator.take()?;
        evaluator.judge_all(graph, chosen.matter(world.set), crossings);
        let mut evaluation = evaluator.evaluation(graph, &chosen.policy);
        let answer = whole::answer(root, (graph, &evaluator), &chosen, world);
        evaluation.findings.extend(answer.findings.into_iter().map(Arc::new));
        let reach = evaluator.reach(graph, chosen.matter(world.set));
        drop(evaluator);
        let empty = root.empty_report();
        let today = world.settings.today;
        evaluation.findings.extend(attested::findings(graph, &chosen.policy, empty.path.as_str(), today));
        let suppressions = Suppressions::read(&empty.path, &configuration.folders, world);
        let excused = |finding| chosen.excused(finding, &suppressions, world);
        let environment = chosen.environment.clone();
        let empty = RootReport {
            gaps: [world.open_gaps(graph), answer.gaps].concat(),
            files: configuration.files,
            environment,
            reach,
            ..empty
        };
        let empty = RootReport { blocks_unknown: chosen.blocks_unknown(empty.mode), ..empty };
        let mut report = filled(empty, graph, evaluation, excused, world.files);
        suppressions.tell(&mut report, world);
        let mut by_file: FxHashMap<FileId, Vec<Arc<Finding>>> = FxHashMap::default();
        for finding in &report.findings {
            if let Place::Source(at) = finding.place {
                by_file.entry(at.file).or_default().push(Arc::clone(finding));
            }
        }
        let by_file = by_file.into_iter().map(|(file, findings)| (file, findings.into())).collect();
        Some(Judged::once(report, Arc::clone(graph), by_file))
    }
}
