//! One root: what it is made of, what was computed of it, and when that is out of date.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use auditlint_graph::plan::Plan;
use auditlint_graph::terraform::{Caches, Configuration};
use auditlint_graph::{ResourceGraph, join};
use auditlint_policy::{Evaluation, Finding, Place, RootContext, Verdict, evaluate};
use auditlint_syntax::{Access, FileId, Files};
use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashMap;

use crate::host::Settings;
use crate::suppression::Suppressions;
use crate::{InputMode, PolicySet, RootReport, RootSpec, Summary};

/// A root of the host. What it computed is kept until an input of it changes.
pub(crate) struct Root {
    pub(crate) spec: RootSpec,
    pub(crate) plan: Option<Plan>,
    /// The revision in which an input of the root changed last.
    stamp: AtomicU64,
    busy: AtomicBool,
    memo: Mutex<Option<(u64, Arc<Judged>)>>,
    accesses: Mutex<Option<Arc<[Access]>>>,
}

/// What a root comes to.
pub(crate) struct Judged {
    pub(crate) report: RootReport,
    pub(crate) graph: ResourceGraph,
    pub(crate) by_file: FxHashMap<FileId, Vec<Arc<Finding>>>,
}

impl Root {
    pub(crate) fn new(spec: RootSpec, plan: Option<Plan>, revision: u64) -> Self {
        Self {
            spec,
            plan,
            stamp: AtomicU64::new(revision),
            busy: AtomicBool::new(false),
            memo: Mutex::default(),
            accesses: Mutex::default(),
        }
    }

    /// Takes note that `path` changed in `revision`: cheap, and never waits for a computation.
    pub(crate) fn touch(&self, path: &Utf8Path, revision: u64) {
        if self.busy.load(Ordering::SeqCst) || self.depends_on(path) {
            self.stamp.store(revision, Ordering::SeqCst);
        }
    }

    /// Takes note that everything may be different.
    pub(crate) fn expire(&self, revision: u64) {
        self.stamp.store(revision, Ordering::SeqCst);
    }

    /// Whether the last computation asked for `path` or listed its folder; true before the first one.
    pub(crate) fn depends_on(&self, path: &Utf8Path) -> bool {
        let accesses = lock(&self.accesses).clone();
        let Some(accesses) = accesses else { return true };
        let has = |access: Access| accesses.binary_search(&access).is_ok();
        has(Access::Read(path.to_owned()))
            || path.parent().is_some_and(|parent| has(Access::List(parent.to_owned())))
    }

    /// Whether it is the root module of `folder`.
    pub(crate) fn is_at(&self, folder: Option<&Utf8Path>) -> bool {
        matches!(&self.spec, RootSpec::Folder { inputs, .. } if Some(inputs.folder.as_path()) == folder)
    }

    /// Whether it was judged at least once, so that it is known what it reads.
    pub(crate) fn was_judged(&self) -> bool {
        lock(&self.accesses).is_some()
    }

    /// The verdicts, computed unless nothing changed since. None when `is_current` turns false on the way.
    pub(crate) fn judge(&self, world: &World<'_>) -> Option<Arc<Judged>> {
        let mut memo = lock(&self.memo);
        let stamp = self.stamp.load(Ordering::SeqCst);
        if let Some((known, judged)) = memo.as_ref()
            && *known == stamp
        {
            return Some(Arc::clone(judged));
        }
        if !(world.is_current)() {
            return None;
        }
        self.busy.store(true, Ordering::SeqCst);
        let (judged, accesses) = self.compute(world);
        *lock(&self.accesses) = Some(accesses.into());
        self.busy.store(false, Ordering::SeqCst);
        let judged = Arc::new(judged);
        // A text may have changed under the computation: then the result belongs to no revision.
        if !(world.is_current)() && self.stamp.load(Ordering::SeqCst) != stamp {
            return None;
        }
        *memo = Some((stamp, Arc::clone(&judged)));
        Some(judged)
    }

    fn compute(&self, world: &World<'_>) -> (Judged, Vec<Access>) {
        let tables = &world.set.tables;
        let load = |inputs| Configuration::load(inputs, world.files, world.caches, tables);
        let (mode, path, environment, configuration) = match &self.spec {
            RootSpec::Folder { inputs, environment } => {
                (InputMode::Hcl, inputs.folder.clone(), environment.clone(), load(inputs))
            }
            RootSpec::Plan { path, source } => {
                let state = self.plan.as_ref().is_some_and(|plan| plan.is_state);
                let mode = if state { InputMode::State } else { InputMode::Plan };
                let mut configuration = source.as_ref().map(load).unwrap_or_default();
                if let Some(plan) = &self.plan {
                    configuration.graph = match source {
                        Some(_) => join(&plan.graph, &configuration.graph, tables, path.as_str()),
                        None => plan.graph.clone(),
                    };
                }
                (mode, path.clone(), None, configuration)
            }
        };
        let Configuration { graph, accesses, folders, files: terraform_files } = configuration;
        let context = RootContext { folder: path.to_string(), keep_passes: world.settings.keep_passes };
        let evaluation = evaluate(&graph, &world.set.policy, &world.set.catalogue, &context);
        let suppressions = Suppressions::read(&path, &folders, world.files, world.caches);
        let (report, by_file) = report(
            RootReport {
                path,
                mode,
                environment,
                findings: Vec::new(),
                gaps: graph.gaps.clone(),
                files: terraform_files,
                summary: Summary::default(),
            },
            &graph,
            evaluation,
            |finding| suppressions.apply(finding, world.settings.today),
            world.files,
        );
        (Judged { report, graph, by_file }, accesses)
    }
}

/// What a computation may look at.
pub(crate) struct World<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) caches: &'a Caches,
    pub(crate) set: &'a Prepared,
    pub(crate) settings: &'a Settings,
    pub(crate) is_current: &'a (dyn Fn() -> bool + Sync),
}

/// A policy with the tables that readers need for its catalogue.
pub(crate) struct Prepared {
    set: PolicySet,
    pub(crate) tables: auditlint_graph::Tables,
}

impl Prepared {
    pub(crate) fn new(set: PolicySet) -> Self {
        let tables = set.catalogue.tables();
        Self { set, tables }
    }
}

impl std::ops::Deref for Prepared {
    type Target = PolicySet;

    fn deref(&self) -> &PolicySet {
        &self.set
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type ByFile = FxHashMap<FileId, Vec<Arc<Finding>>>;

/// Fills `empty` with what the evaluation of `graph` gave, each finding as `excused` leaves it.
fn report(
    empty: RootReport,
    graph: &ResourceGraph,
    evaluation: Evaluation,
    excused: impl Fn(Arc<Finding>) -> Arc<Finding>,
    files: &dyn Files,
) -> (RootReport, ByFile) {
    let mut findings: Vec<Arc<Finding>> = evaluation.findings.into_iter().map(excused).collect();
    sort(&mut findings, files);
    let mut summary = Summary {
        resources: count(
            graph.iter().filter(|(_, r)| r.address.mode == auditlint_graph::Mode::Managed).count(),
        ),
        applicable: evaluation.applicable,
        pass: evaluation.passes,
        by_category: evaluation.by_category,
        ..Summary::default()
    };
    let [all, proven, broken, open] = &mut summary.sources;
    for verdict in evaluation.sources.values() {
        *all += 1;
        match verdict {
            Verdict::Fail => *broken += 1,
            Verdict::Unknown => *open += 1,
            Verdict::Pass | Verdict::Exempt | Verdict::NotApplicable => *proven += 1,
        }
    }
    let mut by_file = ByFile::default();
    for finding in &findings {
        if let Place::Source(at) = finding.place {
            by_file.entry(at.file).or_default().push(Arc::clone(finding));
        }
    }
    let mut report = RootReport { findings, summary, ..empty };
    report.recount();
    (report, by_file)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Sorts by path, place, rule and address.
fn sort(findings: &mut [Arc<Finding>], files: &dyn Files) {
    let mut names: FxHashMap<FileId, Utf8PathBuf> = FxHashMap::default();
    for finding in findings.iter() {
        if let Place::Source(at) = finding.place {
            names.entry(at.file).or_insert_with(|| files.paths().path(at.file));
        }
    }
    let place = |finding: &Finding| match &finding.place {
        Place::Source(at) => (names.get(&at.file), at.span.start, ""),
        Place::Plan(_) | Place::Nowhere => (None, 0, ""),
    };
    findings.sort_by(|a, b| {
        place(a).cmp(&place(b)).then_with(|| a.rule.cmp(&b.rule)).then_with(|| a.address.cmp(&b.address))
    });
}
