//! A root that follows edits: its configuration, its verdicts and its suppressions, each brought up to date by
//! what an edit changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use auditlint_graph::terraform::{Configuration, Live, RootInputs, Standing, is_terraform};
use auditlint_graph::{Address, Gap, Slot};
use auditlint_policy::crossing::{Beyond, Crossings, Exports, Found};
use auditlint_policy::{Answer, Evaluator, Finding, FlowMap, KeptStore, Level, Place};
use auditlint_syntax::{FileId, Name};
use camino::Utf8PathBuf;
use rustc_hash::FxHashMap;

use crate::attested;
use crate::chosen::Chosen;
use crate::judged::{ByFile, Judged, filled, sort};
use crate::root::Root;
use crate::suppression::{Suppressions, Touched};
use crate::world::{Prepared, World};
use crate::{RootReport, RootSpec, whole};

pub(crate) struct Following {
    set: Arc<Prepared>,
    inputs: RootInputs,
    spec: RootSpec,
    chosen: Chosen,
    live: Live,
    evaluator: Evaluator,
    suppressions: Suppressions,
    /// The texts that changed since the resources were judged; none where all of them have to be judged anew.
    pending: Option<Pending>,
    /// What was last said of the root as a whole, where the resources stand now: it takes all of the root, so that no
    /// keystroke waits for it.
    answered: FxHashMap<FileId, Vec<Arc<Finding>>>,
    /// The same of what stands in no text.
    answered_elsewhere: Vec<Arc<Finding>>,
    /// What came to no end meanwhile.
    unanswered: Vec<Gap>,
    /// Whether that was said of something that has changed since.
    is_answer_old: bool,
    /// The findings of each file before suppressions speak.
    raw: FxHashMap<FileId, Vec<Arc<Finding>>>,
    /// The same once suppressions have spoken.
    excused: FxHashMap<FileId, Vec<Arc<Finding>>>,
    /// What is said of comments that excuse nothing.
    idle: FxHashMap<FileId, Vec<Arc<Finding>>>,
    /// What is said of each file.
    by_file: ByFile,
}

/// What the verdicts do not take in yet.
#[derive(Default)]
struct Pending {
    texts: Vec<Utf8PathBuf>,
    /// Whether any other text may have changed as well.
    any: bool,
}

impl Following {
    pub(crate) fn new(
        spec: &RootSpec,
        inputs: &RootInputs,
        standing: Option<Standing<'_>>,
        world: &World<'_>,
    ) -> Self {
        let chosen = Chosen::of(spec, world);
        let live = Live::load(inputs, standing, world.files, world.caches, &world.set.tables);
        let evaluator = Evaluator::following(&live.configuration.graph, chosen.matter(world.set));
        Self {
            set: Arc::clone(world.set),
            inputs: inputs.clone(),
            spec: spec.clone(),
            chosen,
            live,
            evaluator,
            suppressions: Suppressions::default(),
            pending: None,
            answered: FxHashMap::default(),
            answered_elsewhere: Vec::new(),
            unanswered: Vec::new(),
            is_answer_old: true,
            raw: FxHashMap::default(),
            excused: FxHashMap::default(),
            idle: FxHashMap::default(),
            by_file: ByFile::default(),
        }
    }

    /// Whether it was judged by that policy.
    pub(crate) fn is_by(&self, set: &Arc<Prepared>) -> bool {
        Arc::ptr_eq(&self.set, set)
    }

    pub(crate) fn configuration(&self) -> &Configuration {
        &self.live.configuration
    }

    pub(crate) fn exports(&self) -> Exports {
        self.evaluator.exports(&self.live.configuration.graph)
    }

    /// Who logs what and where to, and its stores, as the last verdicts have it.
    pub(crate) fn flow_map(&self, name: &Arc<str>) -> (FlowMap, Vec<KeptStore>) {
        let (graph, matter) = (&self.live.configuration.graph, self.chosen.matter(&self.set));
        (self.evaluator.flow_map(graph, matter, name), self.evaluator.stores(graph, matter))
    }

    pub(crate) fn judged(&self, world: &World<'_>) -> Judged {
        let graph = Arc::clone(&self.live.configuration.graph);
        Judged::following(graph, self.by_file.clone(), self.open_gaps(world))
    }

    /// What a remedy of the resource in `slot` may refer to, as the last verdicts have it.
    pub(crate) fn choices(&self, (slot, types, most): (Slot, &[Name], usize)) -> Vec<Address> {
        let graph = &self.live.configuration.graph;
        self.evaluator.choices(graph, self.chosen.matter(&self.set), slot, types, most)
    }

    /// The resources that `beyond` names here, and how long what comes in there is kept.
    pub(crate) fn found(&mut self, beyond: &Beyond) -> Vec<Found> {
        let graph = &self.live.configuration.graph;
        self.evaluator.found(graph, self.chosen.matter(&self.set), beyond)
    }

    /// What could not be read or decided, and nobody answers for.
    fn open_gaps(&self, world: &World<'_>) -> Vec<Gap> {
        [world.open_gaps(&self.live.configuration.graph), self.unanswered.clone()].concat()
    }

    pub(crate) fn report(&self, empty: RootReport, world: &World<'_>) -> RootReport {
        let graph = &self.live.configuration.graph;
        let mut evaluation = self.evaluator.evaluation(graph, &self.chosen.policy);
        let answered = self.answered.values().flatten().chain(&self.answered_elsewhere);
        evaluation.findings.extend(answered.cloned());
        let today = world.settings.today;
        evaluation.findings.extend(attested::findings(
            graph,
            &self.chosen.policy,
            empty.path.as_str(),
            today,
        ));
        let excused = |finding| self.excused(finding, world);
        let environment = self.chosen.environment.clone();
        let files = self.live.configuration.files;
        let blocks_unknown = self.chosen.blocks_unknown(empty.mode);
        let gaps = self.open_gaps(world);
        let reach = self.evaluator.reach(graph, self.chosen.matter(&self.set));
        let empty = RootReport { gaps, files, environment, blocks_unknown, reach, ..empty };
        let mut report = filled(empty, graph, evaluation, excused, world.files);
        self.suppressions.tell(&mut report, world);
        report
    }

    /// Takes in that the texts at `touched` changed, came or went. The verdicts stay until [`Self::judge`].
    pub(crate) fn update(
        &mut self,
        inputs: &RootInputs,
        standing: Option<Standing<'_>>,
        touched: &[Utf8PathBuf],
        world: &World<'_>,
    ) {
        let is_text = |path: &Utf8PathBuf| {
            let name = path.file_name().unwrap_or_default();
            is_terraform(name) || name.ends_with(".tfvars") || name.ends_with(".tfvars.json")
        };
        // A folder of which nothing was read yet may be the module that a call could not find.
        let folders = &self.live.configuration.folders;
        let is_known = |path: &Utf8PathBuf| {
            path.parent().is_some_and(|parent| folders.iter().any(|folder| folder == parent)) && is_text(path)
        };
        let told = touched.iter().all(is_known).then_some(touched);
        let known_folders = Arc::clone(folders);
        let delta = self.live.update(inputs, standing, world.files, world.caches, told);
        let Configuration { graph, folders, .. } = &self.live.configuration;
        // Another account or workspace may make it another environment.
        let is_other = !self.set.policy.environments.is_empty() && {
            let chosen = Chosen::of(&self.spec, world);
            let is_other = !Arc::ptr_eq(&chosen.policy, &self.chosen.policy);
            self.chosen = chosen;
            is_other
        };
        let delta = delta.filter(|_| !is_other);
        let matter = self.chosen.matter(&self.set);
        match (delta, &mut self.pending) {
            (Some(delta), Some(pending)) => {
                self.evaluator.follow(graph, &delta, matter);
                pending.texts.extend(touched.iter().cloned());
                // A module that came has suppressions of its own.
                pending.any |= told.is_none() || !Arc::ptr_eq(folders, &known_folders);
            }
            (Some(delta), None) => self.evaluator.follow(graph, &delta, matter),
            (None, pending) => {
                self.evaluator = Evaluator::following(graph, matter);
                *pending = None;
            }
        }
    }

    /// Brings the verdicts up to date; `crossings` is what crosses the border of the root.
    pub(crate) fn judge(&mut self, crossings: &Arc<Crossings>, world: &World<'_>) {
        self.is_answer_old = whole::is_asked(&self.chosen, &self.set);
        let matter = self.chosen.matter(&self.set);
        let graph = &self.live.configuration.graph;
        let Some(pending) = self.pending.replace(Pending::default()) else {
            self.evaluator.judge_all(graph, matter, crossings);
            return self.collect(world);
        };
        let rejudged = self.evaluator.rejudge(graph, matter, crossings);
        let mut dirty = if pending.any {
            self.place_answer(self.answered.keys().copied().collect())
        } else {
            let paths = world.files.paths();
            self.place_answer(pending.texts.iter().map(|path| paths.id(path)).collect())
        };
        for change in rejudged {
            for finding in &change.old {
                let Some(file) = file_of(finding) else { continue };
                dirty.insert(file);
                if let Some(findings) = self.raw.get_mut(&file) {
                    findings.retain(|known| !Arc::ptr_eq(known, finding));
                }
            }
            for finding in change.new {
                let Some(file) = file_of(&finding) else { continue };
                dirty.insert(file);
                self.raw.entry(file).or_default().push(finding);
            }
        }
        if pending.any {
            self.read_suppressions(world);
            dirty.extend(
                self.raw.keys().chain(self.answered.keys()).copied().chain(self.suppressions.files()),
            );
        } else {
            for path in &pending.texts {
                match self.suppressions.read_file(&self.inputs.folder, path, world) {
                    Touched::Nothing => {}
                    Touched::File(file) => drop(dirty.insert(file)),
                    Touched::Everything => dirty.extend(self.raw.keys().chain(self.answered.keys())),
                }
            }
        }
        self.excuse(dirty, world);
    }

    /// Whether what takes all of the root has yet to be said of what changed.
    pub(crate) fn is_answer_old(&self) -> bool {
        self.is_answer_old
    }

    /// Says what takes all of the root, of the verdicts as they are.
    pub(crate) fn look_at_whole(&mut self, root: &Root, world: &World<'_>) {
        let graph = &self.live.configuration.graph;
        let Answer { findings, gaps } = whole::answer(root, (graph, &self.evaluator), &self.chosen, world);
        self.is_answer_old = false;
        self.unanswered = gaps;
        self.answered_elsewhere.clear();
        let mut dirty: BTreeSet<FileId> = self.answered.drain().map(|(file, _)| file).collect();
        for finding in findings.into_iter().map(Arc::new) {
            dirty.extend(self.put_answer(finding));
        }
        self.excuse(dirty, world);
    }

    /// Puts what was said of the root as a whole to where it stands; the file.
    fn put_answer(&mut self, finding: Arc<Finding>) -> Option<FileId> {
        let file = file_of(&finding);
        match file {
            Some(file) => self.answered.entry(file).or_default().push(finding),
            None => self.answered_elsewhere.push(finding),
        }
        file
    }

    /// Takes what was said of the root as a whole and stands in the texts of `moved` to where its resources stand now; the
    /// files of which that changes anything.
    fn place_answer(&mut self, moved: BTreeSet<FileId>) -> BTreeSet<FileId> {
        let mut dirty = BTreeSet::new();
        let there: Vec<Vec<Arc<Finding>>> =
            moved.iter().filter_map(|file| self.answered.remove(file)).collect();
        for finding in there.iter().flatten() {
            dirty.extend(file_of(finding));
            if let Some(followed) = Answer::followed(finding, &self.live.configuration.graph) {
                dirty.extend(self.put_answer(followed));
            }
        }
        dirty
    }

    /// Collects every finding anew.
    fn collect(&mut self, world: &World<'_>) {
        self.raw.clear();
        self.place_answer(self.answered.keys().copied().collect());
        for finding in self.evaluator.findings() {
            if let Some(file) = file_of(finding) {
                self.raw.entry(file).or_default().push(Arc::clone(finding));
            }
        }
        self.read_suppressions(world);
        self.excused.clear();
        self.idle.clear();
        self.by_file.clear();
        let files = self.raw.keys().chain(self.answered.keys()).copied();
        self.excuse(files.chain(self.suppressions.files()).collect(), world);
    }

    fn read_suppressions(&mut self, world: &World<'_>) {
        let folders = &self.live.configuration.folders;
        self.suppressions = Suppressions::read(&self.inputs.folder, folders, world);
    }

    /// The finding as exemptions of the policy and comments leave it.
    fn excused(&self, finding: Arc<Finding>, world: &World<'_>) -> Arc<Finding> {
        self.chosen.excused(finding, &self.suppressions, world)
    }

    /// What suppressions leave of the findings of `files`.
    fn excuse(&mut self, files: BTreeSet<FileId>, world: &World<'_>) {
        for file in &files {
            let raw = self.raw.get(file).into_iter().chain(self.answered.get(file)).flatten();
            let apply = |finding: &Arc<Finding>| self.excused(Arc::clone(finding), world);
            let mut findings: Vec<Arc<Finding>> =
                raw.filter(|finding| finding.level != Level::Off).map(apply).collect();
            findings.extend(self.suppressions.wrong_in(*file, world));
            if self.raw.get(file).is_none_or(Vec::is_empty) {
                self.raw.remove(file);
            }
            if findings.is_empty() {
                self.excused.remove(file);
            } else {
                self.excused.insert(*file, findings);
            }
        }
        self.publish(files, world);
    }

    /// Puts together what is said of each of `files`, and of those whose comments excuse something else than before.
    fn publish(&mut self, mut files: BTreeSet<FileId>, world: &World<'_>) {
        let mut idle: FxHashMap<FileId, Vec<Arc<Finding>>> = FxHashMap::default();
        if self.suppressions.files().next().is_some() {
            let all: Vec<Arc<Finding>> = self.excused.values().flatten().cloned().collect();
            for finding in self.suppressions.idle(&all, world) {
                if let Some(file) = file_of(&finding) {
                    idle.entry(file).or_default().push(finding);
                }
            }
        }
        files.extend(idle.keys().chain(self.idle.keys()));
        self.idle = idle;
        for file in files {
            let own = self.excused.get(&file).into_iter().chain(self.idle.get(&file)).flatten();
            let mut findings: Vec<Arc<Finding>> = own.cloned().collect();
            if findings.is_empty() {
                self.by_file.remove(&file);
            } else {
                sort(&mut findings, world.files);
                self.by_file.insert(file, findings.into());
            }
        }
    }
}

fn file_of(finding: &Finding) -> Option<FileId> {
    if let Place::Source(at) = finding.place { Some(at.file) } else { None }
}
