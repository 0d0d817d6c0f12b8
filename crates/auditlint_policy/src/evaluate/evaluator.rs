//! The verdicts on a root, kept so that an edit judges again only what it may change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use auditlint_graph::{Address, Delta, Resource, ResourceGraph, Slot, Target};
use auditlint_syntax::Name;
use rustc_hash::{FxHashMap, FxHashSet};

use super::judge::Judge;
use super::reads::{Read, Readers, Reads, Stage};
use super::{Context, Evaluation, Joins, RootContext, is_judged, remedy};
use crate::crossing::{Beyond, Crossings, Exports, Found};
use crate::flow::{self, Flow, FlowMap, KeptStore, Part};
use crate::rule::RuleKind;
use crate::{Binding, Catalogue, Category, Finding, Policy, Verdict};

/// What a root is judged by. It stays the same as long as the evaluator does.
#[derive(Clone, Copy)]
pub struct Matter<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The facts and rules.
    pub catalogue: &'a Catalogue,
    /// The root.
    pub root: &'a RootContext,
}

/// The verdicts on the resources of a root.
#[derive(Default)]
pub struct Evaluator {
    joins: Joins,
    flow: Flow,
    outcomes: FxHashMap<Slot, Outcome>,
    /// Who read what; none where nothing will be judged again.
    readers: Option<Readers>,
    /// What changed since the resources were judged.
    pending: Pending,
}

/// Changes that no verdict takes in yet.
#[derive(Default)]
struct Pending {
    reads: FxHashSet<Read>,
    slots: BTreeSet<Slot>,
    /// Whether logs take another way.
    flows: bool,
}

/// The verdicts on one resource of which a rule speaks.
#[derive(Default)]
struct Outcome {
    findings: Vec<Arc<Finding>>,
    passes: u32,
    /// The worst verdict over the source rules.
    source: Option<Verdict>,
}

/// The findings on one resource, before and after.
#[derive(Clone, Debug, Default)]
pub struct Rejudged {
    /// Those that are gone.
    pub old: Vec<Arc<Finding>>,
    /// Those that took their place.
    pub new: Vec<Arc<Finding>>,
}

impl Evaluator {
    /// Finds out where the logs of every resource go; nothing is judged yet.
    #[must_use]
    pub fn survey(graph: &ResourceGraph, matter: Matter<'_>) -> Self {
        let flow = Flow::under(&matter.policy.externals);
        Self { flow, ..Self::default() }.surveyed(graph, matter)
    }

    /// The same, and remembers from now on what everything was made from.
    #[must_use]
    pub fn following(graph: &ResourceGraph, matter: Matter<'_>) -> Self {
        let flow = Flow::under(&matter.policy.externals);
        Self { flow, readers: Some(Readers::default()), ..Self::default() }.surveyed(graph, matter)
    }

    fn surveyed(mut self, graph: &ResourceGraph, matter: Matter<'_>) -> Self {
        let nothing = Flow::default();
        for (slot, _) in graph.iter() {
            self.follow_logs(graph, matter, slot, &nothing);
        }
        self
    }

    /// What of the root has to do with other roots.
    #[must_use]
    pub fn exports(&self, graph: &ResourceGraph) -> Exports {
        self.flow.exports(graph)
    }

    /// The resources of the root that `beyond` names, and how long what comes in there is kept.
    pub fn found(&mut self, graph: &ResourceGraph, matter: Matter<'_>, beyond: &Beyond) -> Vec<Found> {
        let whole = self.flow.whole_now();
        let slots = beyond.resources(graph, matter.catalogue).into_iter();
        slots.filter_map(|slot| flow::found(&self.flow, &self.joins, graph, matter, (slot, &whole))).collect()
    }

    /// Takes in what crosses the border of the root, so that its flow can be drawn without judging anything.
    pub fn settle(&mut self, graph: &ResourceGraph, crossings: &Arc<Crossings>) {
        self.flow.receive(crossings);
        self.flow.assemble(graph);
    }

    /// Who logs what and where to, in the root that reports call `root`. What the rules of the policy do not ask is
    /// not known: whether a service logs that no other resource tells of, and how stores are encrypted.
    #[must_use]
    pub fn flow_map(&self, graph: &ResourceGraph, matter: Matter<'_>, root: &Arc<str>) -> FlowMap {
        flow::draw(&self.flow, &self.joins, graph, matter, &by_kind(matter.policy), root)
    }

    /// The stores of the root, for other repositories.
    #[must_use]
    pub fn stores(&self, graph: &ResourceGraph, matter: Matter<'_>) -> Vec<KeptStore> {
        flow::kept(&self.flow, &self.joins, graph, matter, &by_kind(matter.policy))
    }

    /// Judges every resource; `crossings` is what crosses the border of the root.
    pub fn judge_all(&mut self, graph: &ResourceGraph, matter: Matter<'_>, crossings: &Arc<Crossings>) {
        self.pending = Pending::default();
        self.outcomes.clear();
        self.flow.receive(crossings);
        self.flow.assemble(graph);
        let bindings = by_kind(matter.policy);
        graph.iter().for_each(|(slot, _)| self.judge(graph, matter, &bindings, slot));
    }

    /// The verdicts on `graph`, another state of the same root, under the same crossings.
    pub(crate) fn otherwise(&self, graph: &ResourceGraph, matter: Matter<'_>) -> Self {
        let mut other = Self::survey(graph, matter);
        other.judge_all(graph, matter, self.flow.crossings());
        other
    }

    /// Takes in where logs go after `delta`; `graph` is the one after it. The verdicts stay until [`Self::rejudge`].
    pub fn follow(&mut self, graph: &ResourceGraph, delta: &Delta, matter: Matter<'_>) {
        let reads = self.changed(graph, delta, matter.catalogue);
        let own: BTreeSet<Slot> =
            delta.changed.iter().copied().chain(delta.removed.iter().map(|(slot, _)| *slot)).collect();
        let mut flows = own.clone();
        flows.extend(self.readers.iter().flat_map(|readers| readers.of(&reads, Stage::Flow)));
        let nothing = Flow::default();
        for slot in flows {
            self.pending.flows |= self.follow_logs(graph, matter, slot, &nothing);
        }
        self.pending.reads.extend(reads);
        self.pending.slots.extend(own);
    }

    /// Judges again what may have changed since the last time. Gives the findings that came and went.
    pub fn rejudge(
        &mut self,
        graph: &ResourceGraph,
        matter: Matter<'_>,
        crossings: &Arc<Crossings>,
    ) -> Vec<Rejudged> {
        let Pending { mut reads, slots: mut verdicts, flows } = std::mem::take(&mut self.pending);
        if self.flow.receive(crossings) || flows {
            reads.extend(self.flow.assemble(graph).into_iter().map(Read::Flow));
        }
        verdicts.extend(self.readers.iter().flat_map(|readers| readers.of(&reads, Stage::Verdict)));
        let bindings = by_kind(matter.policy);
        verdicts
            .into_iter()
            .map(|slot| {
                let old = self.outcomes.remove(&slot).map(|outcome| outcome.findings).unwrap_or_default();
                self.judge(graph, matter, &bindings, slot);
                let new =
                    self.outcomes.get(&slot).map(|outcome| outcome.findings.clone()).unwrap_or_default();
                Rejudged { old, new }
            })
            .filter(|rejudged| !rejudged.old.is_empty() || !rejudged.new.is_empty())
            .collect()
    }

    /// The verdicts of now.
    #[must_use]
    pub fn evaluation(&self, graph: &ResourceGraph, policy: &Policy) -> Evaluation {
        let mut out = Evaluation::default();
        let mut counts: BTreeMap<Category, u32> = BTreeMap::new();
        for (slot, _) in graph.iter().filter(|(_, resource)| is_judged(resource)) {
            self.flow.emitted(slot).for_each(|category| *counts.entry(category).or_default() += 1);
            let Some(outcome) = self.outcomes.get(&slot) else { continue };
            out.applicable += 1;
            out.passes += outcome.passes;
            out.findings.extend(outcome.findings.iter().cloned());
            if let Some(verdict) = outcome.source {
                out.sources.insert(slot, verdict);
            }
        }
        let count = |category: &Category| counts.get(category).copied().unwrap_or(0);
        out.by_category =
            policy.categories.iter().map(|(category, _)| (*category, count(category))).collect();
        out
    }

    /// The resources of these types that a remedy of the resource in `slot` may refer to, the best first, at most `most`.
    #[must_use]
    pub fn choices(
        &self,
        graph: &ResourceGraph,
        matter: Matter<'_>,
        slot: Slot,
        types: &[Name],
        most: usize,
    ) -> Vec<Address> {
        let Some(resource) = graph.get(slot) else { return Vec::new() };
        remedy::choices(&self.context(graph, matter, (slot, resource)), matter.policy, types, most)
    }

    /// What conditions see of a resource, as the last verdicts have it.
    pub(super) fn context<'c>(
        &'c self,
        graph: &'c ResourceGraph,
        matter: Matter<'c>,
        (slot, resource): (Slot, &'c Resource),
    ) -> Context<'c> {
        Context {
            graph,
            catalogue: matter.catalogue,
            flow: &self.flow,
            joins: &self.joins,
            parameters: &[],
            slot,
            resource,
            elsewhere: None,
            reads: None,
        }
    }

    /// Every finding of now, in no particular order.
    pub fn findings(&self) -> impl Iterator<Item = &Arc<Finding>> {
        self.outcomes.values().flat_map(|outcome| &outcome.findings)
    }

    /// Where the logs of one resource go; `nothing` is a flow that is empty. True when that is different now.
    fn follow_logs(&mut self, graph: &ResourceGraph, matter: Matter<'_>, slot: Slot, nothing: &Flow) -> bool {
        let resource = graph.get(slot).filter(|resource| is_judged(resource));
        let known = resource.filter(|resource| matter.catalogue.facts(resource.kind()).is_some());
        let Some(resource) = known else {
            if let Some(readers) = &mut self.readers {
                readers.forget((slot, Stage::Flow));
            }
            return self.flow.set(slot, Part::default());
        };
        let reads = self.readers.is_some().then(Reads::default);
        let part = Part::of(&Context {
            graph,
            catalogue: matter.catalogue,
            flow: nothing,
            joins: &self.joins,
            parameters: &[],
            slot,
            resource,
            elsewhere: None,
            reads: reads.as_ref(),
        });
        if let (Some(readers), Some(reads)) = (&mut self.readers, reads) {
            readers.set((slot, Stage::Flow), reads);
        }
        self.flow.set(slot, part)
    }

    /// The verdicts on one resource.
    fn judge(
        &mut self,
        graph: &ResourceGraph,
        matter: Matter<'_>,
        bindings: &FxHashMap<&Name, Vec<&Binding>>,
        slot: Slot,
    ) {
        let resource = graph.get(slot).filter(|resource| is_judged(resource));
        let bound = resource.and_then(|resource| Some((resource, bindings.get(resource.kind())?)));
        let Some((resource, bindings)) = bound else {
            if let Some(readers) = &mut self.readers {
                readers.forget((slot, Stage::Verdict));
            }
            return;
        };
        let Matter { policy, catalogue, root } = matter;
        let reads = self.readers.is_some().then(Reads::default);
        let (flow, joins, reads_of) = (&self.flow, &self.joins, reads.as_ref());
        let mut outcome: Option<Outcome> = None;
        for binding in bindings {
            let judge = Judge {
                graph,
                policy,
                catalogue,
                flow,
                joins,
                root,
                binding,
                slot,
                resource,
                reads: reads_of,
            };
            let Some((verdict, finding)) = judge.judge() else { continue };
            let outcome = outcome.get_or_insert_default();
            if binding.rule.kind == RuleKind::Source {
                outcome.source = Some(Verdict::all(outcome.source.into_iter().chain([verdict])));
            }
            outcome.passes += u32::from(verdict == Verdict::Pass);
            outcome.findings.extend(finding.map(Arc::new));
        }
        if let (Some(readers), Some(reads)) = (&mut self.readers, reads) {
            readers.set((slot, Stage::Verdict), reads);
        }
        if let Some(outcome) = outcome {
            self.outcomes.insert(slot, outcome);
        }
    }

    /// The looks whose results `delta` changed; the indexes are up to date afterwards.
    fn changed(&mut self, graph: &ResourceGraph, delta: &Delta, catalogue: &Catalogue) -> FxHashSet<Read> {
        let mut reads = FxHashSet::default();
        if delta.gaps {
            reads.insert(Read::Gaps);
        }
        let before: FxHashMap<Slot, &Arc<Resource>> =
            delta.previous.iter().chain(&delta.removed).map(|(slot, old)| (*slot, old)).collect();
        for slot in &delta.changed {
            if let Some(resource) = graph.get(*slot) {
                self.compare(graph, catalogue, *slot, before.get(slot).copied(), Some(resource), &mut reads);
            }
        }
        for (slot, old) in &delta.removed {
            self.compare(graph, catalogue, *slot, Some(old), None, &mut reads);
        }
        reads
    }

    fn compare(
        &mut self,
        graph: &ResourceGraph,
        catalogue: &Catalogue,
        slot: Slot,
        old: Option<&Arc<Resource>>,
        new: Option<&Arc<Resource>>,
        reads: &mut FxHashSet<Read>,
    ) {
        reads.insert(Read::Resource(slot));
        if let (Some(before), Some(now)) = (old, new)
            && before.address != now.address
        {
            // The slot was given to another resource.
            self.compare(graph, catalogue, slot, old, None, reads);
            self.compare(graph, catalogue, slot, None, new, reads);
            return;
        }
        let Some(resource) = new.or(old) else { return };
        reads.insert(Read::Contents(resource.kind().clone()));
        if old.is_none() || new.is_none() {
            reads.insert(Read::Kind(resource.kind().clone()));
            reads.insert(Read::Instances(Target::at(&resource.address)));
        }
        for name in
            catalogue.facts(resource.kind()).map(|facts| facts.identity.as_slice()).unwrap_or_default()
        {
            let text = |resource: Option<&Arc<Resource>>| {
                resource.and_then(|resource| resource.attribute(name)?.value().as_str().map(Name::new))
            };
            let (before, now) = (text(old), text(new));
            if before != now {
                let literal = |text: Name| Read::Literal(resource.kind().clone(), name.clone(), text);
                reads.extend(before.into_iter().chain(now).map(literal));
            }
        }
        let flow = Flow::default();
        let joins = Joins::default();
        let context = Context {
            graph,
            catalogue,
            flow: &flow,
            joins: &joins,
            parameters: &[],
            slot,
            resource,
            elsewhere: None,
            reads: None,
        };
        reads.extend(self.joins.update(&context, old.map(|old| &**old), new.is_some()));
    }
}

fn by_kind(policy: &Policy) -> FxHashMap<&Name, Vec<&Binding>> {
    let mut out: FxHashMap<&Name, Vec<&Binding>> = FxHashMap::default();
    for binding in &policy.bindings {
        binding.rule.selects.iter().for_each(|kind| out.entry(kind).or_default().push(binding));
    }
    out
}
