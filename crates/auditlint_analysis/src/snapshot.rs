//! A snapshot: whatever is shown to a user is asked of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use auditlint_graph::terraform::{RootIdentity, identity};
use auditlint_graph::{Address, Slot};
use auditlint_policy::{Finding, Place, Verdict};
use auditlint_syntax::{FileId, Files, Location, Name, Source};
use camino::Utf8Path;
use rayon::prelude::*;

use crate::host::{Settings, State};
use crate::judged::Judged;
use crate::root::Root;
use crate::world::World;
use crate::{Fix, Report, RootId, RootReport, RootSpec, Summary, demands, exemption, fix, hover, weaker};

/// The snapshot is older than the host: its answer would be about a text that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

/// What an editor shows for a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// The place that it speaks of.
    pub at: Location,
    /// Markdown: what, why, controls, the policy's line.
    pub markdown: String,
}

/// A snapshot of one revision. Cheap to clone, may be sent to other threads.
#[derive(Clone)]
pub struct Analysis {
    pub(crate) state: Arc<State>,
    newest: Arc<AtomicU64>,
    /// Whether what crosses between roots may be that of an older revision.
    pub(crate) hurries: bool,
}

impl Analysis {
    pub(crate) fn new(state: Arc<State>, newest: Arc<AtomicU64>) -> Self {
        Self { state, newest, hurries: false }
    }

    /// The same snapshot for whoever cannot wait: what crosses between roots, and what takes all of a root to say, is
    /// that of the last revision for which it was found out. What is asked of it is asked of the snapshot itself afterwards.
    #[must_use]
    pub fn hurried(&self) -> Self {
        Self { hurries: true, ..self.clone() }
    }

    /// What the snapshot would say if the file at `path` had that text.
    pub(crate) fn trial(&self, path: &Utf8Path, text: &str) -> Self {
        let mut state = State::clone(&self.state);
        Arc::make_mut(&mut state.files).put(path, text);
        let estate = state.estate.fork();
        estate.touch(path);
        state.estate = Arc::new(estate);
        (state.settled, state.last_settled) = (Arc::default(), Arc::default());
        state.settings = Arc::new(Settings {
            follow_edits: false,
            keep_passes: false,
            ..Settings::clone(&state.settings)
        });
        let roots = state.roots.iter();
        let anew = |root: &Arc<Root>| Arc::new(Root::new(root.key, root.spec.clone(), None, state.revision));
        state.roots = roots.map(anew).collect();
        Self::new(Arc::new(state), Arc::clone(&self.newest))
    }

    /// Whether the host has not moved on.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.newest.load(Ordering::SeqCst) == self.state.revision
    }

    /// The texts of this revision.
    #[must_use]
    pub fn files(&self) -> &dyn Files {
        &*self.state.files
    }

    /// The policy of this revision.
    #[must_use]
    pub fn policy_set(&self) -> &crate::PolicySet {
        &self.state.set
    }

    /// The roots, in the order of reports.
    #[must_use]
    pub fn roots(&self) -> Vec<RootId> {
        (0..self.state.roots.len()).map(|at| RootId(u32::try_from(at).unwrap_or(u32::MAX))).collect()
    }

    /// The roots whose verdicts depend on `file`. A root that was never judged may depend on anything.
    #[must_use]
    pub fn roots_of(&self, file: FileId) -> Vec<RootId> {
        let path = self.files().paths().path(file);
        self.roots()
            .into_iter()
            .filter(|id| self.root(*id).is_some_and(|root| root.depends_on(&path)))
            .collect()
    }

    pub(crate) fn spec(&self, id: RootId) -> Option<&RootSpec> {
        self.root(id).map(|root| &root.spec)
    }

    /// The roots that are judged first for an editor: those of the file's own folder, and those that were found
    /// to read the file when they were judged before. Others follow in the background.
    #[must_use]
    pub fn roots_near(&self, file: FileId) -> Vec<RootId> {
        let path = self.files().paths().path(file);
        let is_near =
            |root: &Arc<Root>| root.is_at(path.parent()) || root.was_judged() && root.depends_on(&path);
        self.roots().into_iter().filter(|id| self.root(*id).is_some_and(is_near)).collect()
    }

    /// The roots below `folder`, found anew.
    #[must_use]
    pub fn discover(&self, folder: &Utf8Path, exclude: &globset::GlobSet) -> crate::Discovery {
        crate::discover(folder, self.files(), &self.state.caches, exclude)
    }

    /// The gaps in `file`, over the roots that were judged.
    ///
    /// # Errors
    /// When the host has moved on.
    pub fn gaps(&self, file: FileId, roots: &[RootId]) -> Result<Vec<auditlint_graph::Gap>, Cancelled> {
        let mut found = Vec::new();
        for id in roots {
            let judged = self.judged(*id)?;
            let own = judged.gaps().iter().filter(|gap| gap.at.is_some_and(|at| at.file == file));
            found.extend(own.cloned());
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// The parsed text of `file`.
    #[must_use]
    pub fn parsed(&self, file: FileId) -> Option<Arc<auditlint_syntax::hcl::HclFile>> {
        let source = self.files().read(&self.files().paths().path(file)).ok()?;
        Some(self.state.caches.files.file(&source, &self.state.caches.blocks))
    }

    pub(crate) fn root(&self, id: RootId) -> Option<&Arc<Root>> {
        self.state.roots.get(id.0 as usize)
    }

    pub(crate) fn judged(&self, id: RootId) -> Result<Arc<Judged>, Cancelled> {
        let root = self.root(id).ok_or(Cancelled)?;
        let crossings = self.crossings(root)?;
        self.ask(root, |root, world| root.judge(world, &crossings))
    }

    pub(crate) fn ask<T>(
        &self,
        root: &Root,
        ask: impl FnOnce(&Root, &World<'_>) -> Option<T>,
    ) -> Result<T, Cancelled> {
        let is_current = || self.is_current();
        let world = World {
            files: self.files(),
            caches: &self.state.caches,
            set: &self.state.set,
            estate: &self.state.estate,
            revision: self.state.revision,
            settings: &self.state.settings,
            is_current: &is_current,
            hurries: self.hurries,
        };
        ask(root, &world).ok_or(Cancelled)
    }

    /// The resources of these types that a remedy of the resource in `slot` may refer to, the best first, at most `most`.
    pub(crate) fn choices(
        &self,
        id: RootId,
        slot: Slot,
        types: &[Name],
        most: usize,
    ) -> Result<Vec<Address>, Cancelled> {
        let root = self.root(id).ok_or(Cancelled)?;
        let crossings = self.crossings(root)?;
        self.ask(root, |root, world| root.choices(world, &crossings, (slot, types, most)))
    }

    /// Where a root is applied, and how its providers mark what it makes. Of a plan that is not known.
    pub(crate) fn identity(&self, root: &Root) -> RootIdentity {
        match &root.spec {
            RootSpec::Folder { inputs, .. } => {
                identity(inputs, self.files(), &self.state.caches, &self.state.set.tables)
            }
            _ => RootIdentity { other_accounts: true, other_tags: true, ..RootIdentity::default() },
        }
    }

    fn report(&self, id: RootId) -> Result<RootReport, Cancelled> {
        let root = self.root(id).ok_or(Cancelled)?;
        let crossings = self.crossings(root)?;
        self.ask(root, |root, world| root.report(world, &crossings))
    }

    /// The report over `roots`, which are judged in parallel.
    ///
    /// # Errors
    /// When the host has moved on.
    pub fn check(&self, roots: &[RootId]) -> Result<Report, Cancelled> {
        self.state.roots.first().map(|root| self.crossings(root)).transpose()?;
        let ids = roots;
        let mut roots: Vec<RootReport> = match ids {
            // Whoever read a root uses again what reading it took.
            [only] => vec![self.report(*only)?],
            many => many.par_iter().map(|id| self.report(*id)).collect::<Result<_, Cancelled>>()?,
        };
        let identity = |at: usize| {
            let root = ids.get(at).and_then(|id| self.root(*id));
            root.map(|root| self.identity(root)).unwrap_or_default()
        };
        demands::add(&mut roots, &self.state.set, self.state.settings.today, &identity);
        weaker::add(&mut roots, &self.state.set.policy);
        exemption::add(&mut roots, &self.state.set, self.state.settings.today);
        let mut report = Report {
            policy: Arc::clone(&self.state.set.policy),
            summary: Summary::over(roots.iter()),
            roots,
            left_out: Vec::new(),
            sources: Vec::new(),
        };
        report.sources = self.sources(&report);
        Ok(report)
    }

    /// The findings that sit in `file`, over all roots that reach it: one for each rule, place and verdict
    /// (the strictest), sorted by place.
    ///
    /// # Errors
    /// When the host has moved on.
    pub fn findings(&self, file: FileId) -> Result<Vec<Arc<Finding>>, Cancelled> {
        self.findings_in(file, &self.roots_of(file))
    }

    /// The same over `roots` alone.
    ///
    /// # Errors
    /// When the host has moved on.
    pub fn findings_in(&self, file: FileId, roots: &[RootId]) -> Result<Vec<Arc<Finding>>, Cancelled> {
        // Each with the environments that have its verdict.
        let mut found: Vec<(Arc<Finding>, Vec<&str>)> = Vec::new();
        for id in roots {
            let judged = self.judged(*id)?;
            let own = self.root(*id).and_then(|root| root.environment());
            for finding in judged.in_file(file) {
                if !matches!(finding.verdict, Verdict::Fail | Verdict::Unknown) {
                    continue;
                }
                let same = |known: &&mut (Arc<Finding>, Vec<&str>)| {
                    known.0.rule == finding.rule && known.0.place == finding.place
                };
                match found.iter_mut().find(same) {
                    Some(known) if known.0.verdict == finding.verdict => {
                        known.1.extend(own.filter(|name| !known.1.contains(name)));
                    }
                    Some(known) if finding.verdict == Verdict::Fail => {
                        *known = (Arc::clone(finding), own.into_iter().collect());
                    }
                    Some(_) => {}
                    None => found.push((Arc::clone(finding), own.into_iter().collect())),
                }
            }
        }
        let mut found: Vec<Arc<Finding>> =
            found.into_iter().map(|(finding, names)| named(finding, &names)).collect();
        found.sort_by_key(|finding| match finding.place {
            Place::Source(at) => (at.span.start, at.span.end, Arc::clone(&finding.rule)),
            Place::Plan(_) | Place::Nowhere => (0, 0, Arc::clone(&finding.rule)),
        });
        Ok(found)
    }

    /// The fixes for the findings that touch the bytes `range` of `file`, the best first.
    ///
    /// # Errors
    /// When the host has moved on.
    pub fn fixes(&self, file: FileId, range: std::ops::Range<u32>) -> Result<Vec<Fix>, Cancelled> {
        let touched = self.touched(file, range)?;
        let mut fixes: Vec<Fix> =
            touched.iter().flat_map(|(root, finding)| fix::fixes(self, *root, finding)).collect();
        fixes.sort_by_key(|fix| fix.safety);
        Ok(fixes)
    }

    /// The fixes of one finding of `root`, in the order of its rule.
    #[must_use]
    pub fn fixes_of(&self, root: RootId, finding: &Arc<Finding>) -> Vec<Fix> {
        fix::fixes(self, root, finding)
    }

    /// The fixes that may be applied without asking, for every failing finding of `roots`: the first safe one
    /// of each, without those that would write to the same place twice.
    ///
    /// # Errors
    /// When the host has moved on.
    pub fn safe_fixes(&self, roots: &[RootId]) -> Result<Vec<Fix>, Cancelled> {
        let mut all = Vec::new();
        for id in roots {
            let judged = self.judged(*id)?;
            let mut failing: Vec<_> =
                judged.findings().filter(|finding| finding.verdict == Verdict::Fail).cloned().collect();
            crate::judged::sort(&mut failing, self.files());
            for finding in &failing {
                all.extend(fix::safe(self, *id, finding));
            }
        }
        Ok(fix::compatible(all))
    }

    /// What writes the minimal set for what `report` over `roots` says is missing altogether, into each root where
    /// it is missing. Where one of several roots would do, none is chosen.
    #[must_use]
    pub fn missing_fixes(&self, report: &Report, roots: &[RootId]) -> Vec<Fix> {
        let is_alone = report.roots.len() == 1;
        let pairs = roots.iter().zip(&report.roots);
        pairs
            .flat_map(|(id, root)| {
                let own =
                    root.findings.iter().filter(|finding| is_alone || *finding.root == *root.path.as_str());
                fix::missing(self, *id, own)
            })
            .collect()
    }

    /// What is to be said of the place at `offset` of `file`.
    ///
    /// # Errors
    /// When the host has moved on.
    pub fn hover(&self, file: FileId, offset: u32) -> Result<Option<Hover>, Cancelled> {
        let touched = self.touched(file, offset..offset)?;
        Ok(hover::of(self, &touched))
    }

    fn touched(
        &self,
        file: FileId,
        range: std::ops::Range<u32>,
    ) -> Result<Vec<(RootId, Arc<Finding>)>, Cancelled> {
        let mut out: Vec<(RootId, Arc<Finding>)> = Vec::new();
        for id in self.roots_of(file) {
            let judged = self.judged(id)?;
            for finding in judged.in_file(file) {
                let Place::Source(at) = finding.place else { continue };
                let touches = at.span.start <= range.end && range.start <= at.span.end;
                let seen =
                    out.iter().any(|(_, known)| known.rule == finding.rule && known.place == finding.place);
                if touches && !seen && matches!(finding.verdict, Verdict::Fail | Verdict::Unknown) {
                    out.push((id, Arc::clone(finding)));
                }
            }
        }
        Ok(out)
    }

    /// The text of `file`, be it one of the workspace or one of the policy.
    #[must_use]
    pub fn source(&self, file: FileId) -> Option<Arc<Source>> {
        let policies = self.state.set.sources.iter();
        policies
            .clone()
            .find(|source| source.file() == file)
            .cloned()
            .or_else(|| self.files().read(&self.files().paths().path(file)).ok())
    }

    /// The texts that a report points into.
    fn sources(&self, report: &Report) -> Vec<Arc<Source>> {
        let mut files: BTreeSet<FileId> = BTreeSet::new();
        let mut place = |place: &Place| {
            if let Place::Source(at) = place {
                files.insert(at.file);
            }
        };
        for (_, finding) in report.findings() {
            place(&finding.place);
            finding.related.iter().for_each(|related| place(&related.place));
            finding.evidence.iter().for_each(|evidence| place(&evidence.place));
            place(&Place::Source(finding.policy.at));
        }
        let gaps = report.roots.iter().flat_map(|root| root.gaps.iter().filter_map(|gap| gap.at));
        files.extend(gaps.map(|at| at.file));
        files.extend(report.policy.categories.iter().map(|(_, at)| at.file));
        files.into_iter().filter_map(|file| self.source(file)).collect()
    }
}

/// The finding, with the environments that it speaks of.
fn named(finding: Arc<Finding>, environments: &[&str]) -> Arc<Finding> {
    if environments.is_empty() {
        return finding;
    }
    let message = format!("{} (in {})", finding.message, environments.join(", "));
    Arc::new(Finding { message, ..Finding::clone(&finding) })
}
