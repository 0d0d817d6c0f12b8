//! One root: what it is made of, what was computed of it, and when that is out of date.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use auditlint_graph::plan::{Content, Plan};
use auditlint_graph::terraform::{Member, Standing};
use auditlint_graph::{Address, RootKey, Slot};
use auditlint_policy::FlowMap;
use auditlint_policy::crossing::{Beyond, Crossings, Exports, Found};
use auditlint_syntax::{Access, Name};
use camino::{Utf8Path, Utf8PathBuf};

use crate::chosen::Chosen;
use crate::following::Following;
use crate::judged::Judged;
use crate::survey::{Once, Surveyed, Work};
use crate::world::World;
use crate::{FlowRoot, InputMode, RootReport, RootSpec, Summary};

/// A root of the host. What it computed is kept until an input of it changes.
pub(crate) struct Root {
    pub(crate) key: RootKey,
    pub(crate) spec: RootSpec,
    pub(crate) plan: Option<Plan>,
    /// The revision in which an input of the root changed last.
    stamp: AtomicU64,
    busy: AtomicBool,
    memo: Mutex<Memo>,
    accesses: Mutex<Option<Arc<[Access]>>>,
    /// The paths that changed, with the revision in which they did, as far as no computation took them in.
    touched: Mutex<Vec<(u64, Utf8PathBuf)>>,
}

/// What was computed.
#[derive(Default)]
struct Memo {
    surveyed: Option<Surveyed>,
    judged: Option<(Arc<Crossings>, Arc<Judged>)>,
}

impl Root {
    pub(crate) fn new(key: RootKey, spec: RootSpec, plan: Option<Plan>, revision: u64) -> Self {
        Self {
            key,
            spec,
            plan,
            stamp: AtomicU64::new(revision),
            busy: AtomicBool::new(false),
            memo: Mutex::default(),
            accesses: Mutex::default(),
            touched: Mutex::default(),
        }
    }

    /// Takes note that `path` changed in `revision`: cheap, and never waits for a computation.
    pub(crate) fn touch(&self, path: &Utf8Path, revision: u64) {
        if self.busy.load(Ordering::SeqCst) || self.depends_on(path) {
            lock(&self.touched).push((revision, path.to_owned()));
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

    /// The name of its environment.
    pub(crate) fn environment(&self) -> Option<&str> {
        match &self.spec {
            RootSpec::Folder { environment, .. } => environment.as_ref().map(|(name, _)| name.as_str()),
            RootSpec::Plan { .. } => None,
        }
    }

    /// Whether it was judged at least once, so that it is known what it reads.
    pub(crate) fn was_judged(&self) -> bool {
        lock(&self.accesses).is_some()
    }

    /// What reports call it.
    pub(crate) fn name(&self) -> Arc<str> {
        match (self.member(), &self.spec) {
            (None, RootSpec::Plan { path, .. }) => path.as_str().into(),
            (member, _) => member.map(|member| member.name()).unwrap_or_default().into(),
        }
    }

    /// The root among the others of a run; none for a plan.
    pub(crate) fn member(&self) -> Option<Member> {
        let RootSpec::Folder { inputs, environment } = &self.spec else { return None };
        let environment = environment.as_ref().map(|(name, _)| Name::new(name));
        Some(Member { key: self.key, inputs: inputs.clone(), environment })
    }

    /// What the root says to others, computed unless nothing changed since. None when `is_current` turns false on the
    /// way. Asks nothing of other roots.
    pub(crate) fn exports(&self, world: &World<'_>) -> Option<Arc<Exports>> {
        Some(Arc::clone(&self.survey(&mut lock(&self.memo), world)?.exports))
    }

    /// The resources that `beyond` names here.
    pub(crate) fn find(&self, beyond: &Beyond, world: &World<'_>) -> Option<Vec<Found>> {
        let mut memo = lock(&self.memo);
        self.survey_afresh(&mut memo, world)?;
        match &mut memo.surveyed.as_mut()?.work {
            Work::Following(following) => Some(following.found(beyond)),
            Work::Once(once) => once.found(self, beyond, world),
        }
    }

    /// The verdicts, computed unless nothing changed since. None when `is_current` turns false on the way.
    pub(crate) fn judge(&self, world: &World<'_>, crossings: &Arc<Crossings>) -> Option<Arc<Judged>> {
        self.judged(&mut lock(&self.memo), world, crossings)
    }

    /// The report on the verdicts.
    pub(crate) fn report(&self, world: &World<'_>, crossings: &Arc<Crossings>) -> Option<RootReport> {
        let mut memo = lock(&self.memo);
        let judged = self.judged(&mut memo, world, crossings)?;
        match (&judged.report, memo.surveyed.as_ref().map(|surveyed| &surveyed.work)) {
            (Some(report), _) => Some(report.clone()),
            (None, Some(Work::Following(following))) => Some(following.report(self.empty_report(), world)),
            (None, _) => None,
        }
    }

    /// Who logs what and where to here.
    pub(crate) fn flows(&self, world: &World<'_>, crossings: &Arc<Crossings>) -> Option<(FlowRoot, FlowMap)> {
        let mut memo = lock(&self.memo);
        self.survey_afresh(&mut memo, world)?;
        if matches!(memo.surveyed.as_ref().map(|surveyed| &surveyed.work), Some(Work::Following(_))) {
            self.judged(&mut memo, world, crossings)?;
        }
        let name = self.name();
        let surveyed = memo.surveyed.as_mut()?;
        let (map, stores) = match &mut surveyed.work {
            Work::Following(following) => following.flow_map(&name),
            Work::Once(once) => once.flow_map(self, crossings, world, &name)?,
        };
        let (gaps, files) = (surveyed.graph().gaps.clone(), surveyed.configuration().files);
        Some((FlowRoot { name, account: None, mode: self.empty_report().mode, gaps, files, stores }, map))
    }

    /// The resources of these types that a remedy of the resource in `slot` may refer to, the best first, at most so many.
    pub(crate) fn choices(
        &self,
        world: &World<'_>,
        crossings: &Arc<Crossings>,
        wanted: (Slot, &[Name], usize),
    ) -> Option<Vec<Address>> {
        let mut memo = lock(&self.memo);
        self.survey_afresh(&mut memo, world)?;
        match &mut memo.surveyed.as_mut()?.work {
            Work::Following(following) => Some(following.choices(wanted)),
            Work::Once(once) => once.choices(self, crossings, world, wanted),
        }
    }

    /// Reads the root, again where what the verdicts were made from is gone.
    fn survey_afresh(&self, memo: &mut Memo, world: &World<'_>) -> Option<()> {
        let is_spent = |surveyed: &Surveyed| matches!(&surveyed.work, Work::Once(once) if once.is_spent());
        if memo.surveyed.as_ref().is_some_and(is_spent) {
            let judged = memo.judged.take();
            memo.surveyed = None;
            self.survey(memo, world)?;
            memo.judged = judged;
        }
        self.survey(memo, world).map(|_| ())
    }

    fn judged(&self, memo: &mut Memo, world: &World<'_>, crossings: &Arc<Crossings>) -> Option<Arc<Judged>> {
        self.survey(memo, world)?;
        let is_judged = memo.judged.as_ref().is_some_and(|(known, _)| known == crossings);
        let is_open = |work: &Work| {
            !world.hurries && matches!(work, Work::Following(following) if following.is_answer_old())
        };
        if let Some((_, judged)) = memo.judged.as_ref().filter(|_| is_judged)
            && !memo.surveyed.as_ref().is_some_and(|surveyed| is_open(&surveyed.work))
        {
            return Some(Arc::clone(judged));
        }
        memo.judged = None;
        self.survey_afresh(memo, world)?;
        let surveyed = memo.surveyed.as_mut()?;
        let judged = match &mut surveyed.work {
            Work::Following(following) => {
                if !is_judged {
                    following.judge(crossings, world);
                }
                if !world.hurries && following.is_answer_old() {
                    following.look_at_whole(self, world);
                }
                following.judged(world)
            }
            Work::Once(once) => once.judge(self, crossings, world)?,
        };
        let judged = Arc::new(judged);
        // A text may have changed under the computation: then the result belongs to no revision.
        if !(world.is_current)() && self.stamp.load(Ordering::SeqCst) != surveyed.stamp {
            return None;
        }
        memo.judged = Some((Arc::clone(crossings), Arc::clone(&judged)));
        Some(judged)
    }

    /// Reads the root, or what changed of it.
    fn survey<'m>(&self, memo: &'m mut Memo, world: &World<'_>) -> Option<&'m Surveyed> {
        let stamp = self.stamp.load(Ordering::SeqCst);
        let standing = self.standing(world);
        let is_known = memo.surveyed.as_ref().is_some_and(|surveyed| {
            surveyed.stamp == stamp
                && surveyed.is_by(world.set)
                && surveyed.configuration().sees_the_same(
                    standing,
                    world.files,
                    world.caches,
                    &world.set.tables,
                )
        });
        if is_known {
            return memo.surveyed.as_ref();
        }
        if !(world.is_current)() {
            return None;
        }
        self.busy.store(true, Ordering::SeqCst);
        // Given up before the computation, so that what it shares with the next one can be changed in place.
        memo.judged = None;
        let before = memo.surveyed.take().map(|surveyed| surveyed.work);
        let work = match (&self.spec, before) {
            (RootSpec::Folder { inputs, .. }, before) if world.settings.follow_edits => {
                let touched = self.take_touched(world.revision);
                let following = match before {
                    Some(Work::Following(mut following)) if following.is_by(world.set) => {
                        following.update(inputs, standing, &touched, world);
                        following
                    }
                    _ => Box::new(Following::new(&self.spec, inputs, standing, world)),
                };
                Work::Following(following)
            }
            _ => Work::Once(Box::new(Once::read(self, world))),
        };
        let surveyed = Surveyed::new(stamp, work);
        *lock(&self.accesses) = Some(Arc::clone(&surveyed.configuration().accesses));
        self.busy.store(false, Ordering::SeqCst);
        let is_void = !(world.is_current)() && self.stamp.load(Ordering::SeqCst) != stamp;
        let surveyed = memo.surveyed.insert(surveyed);
        (!is_void).then_some(surveyed)
    }

    pub(crate) fn standing<'w>(&self, world: &World<'w>) -> Option<Standing<'w>> {
        matches!(self.spec, RootSpec::Folder { .. })
            .then_some(Standing { estate: world.estate, root: self.key })
    }

    /// The paths that changed up to `revision`; later ones belong to a later computation.
    fn take_touched(&self, revision: u64) -> Vec<Utf8PathBuf> {
        let mut touched = lock(&self.touched);
        let (now, later) = std::mem::take(&mut *touched).into_iter().partition(|(at, _)| *at <= revision);
        *touched = later;
        let mut paths: Vec<Utf8PathBuf> = now.into_iter().map(|(_, path): (u64, _)| path).collect();
        paths.sort();
        paths.dedup();
        paths
    }

    /// What it is judged by.
    pub(crate) fn chosen(&self, world: &World<'_>) -> Chosen {
        Chosen::of(&self.spec, world)
    }

    /// A report that says nothing yet.
    pub(crate) fn empty_report(&self) -> RootReport {
        let (path, mode, environment) = match &self.spec {
            RootSpec::Folder { inputs, environment } => {
                (inputs.folder.clone(), InputMode::Hcl, environment.clone())
            }
            RootSpec::Plan { path, .. } => {
                let mode = match self.plan.as_ref().map(|plan| plan.content) {
                    Some(Content::State) => InputMode::State,
                    Some(Content::Kubernetes) => InputMode::Kubernetes,
                    Some(Content::Plan) | None => InputMode::Plan,
                };
                (path.clone(), mode, None)
            }
        };
        RootReport {
            path,
            mode,
            environment,
            blocks_unknown: false,
            findings: Vec::new(),
            gaps: Vec::new(),
            files: 0,
            summary: Summary::default(),
            reach: BTreeMap::new(),
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
