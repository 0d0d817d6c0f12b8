//! The roots that one run sees together, and which of them keeps a state.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use auditlint_syntax::{Access, FileId, Files, Name, Recorder};
use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashMap;

use super::backend::{State, beside};
use super::declared::backend_in;
use super::names::{Names, Sought, adds, may_look_around};
use super::{Caches, RootInputs, is_terraform};
use crate::{RootKey, Tables};

/// A root among others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub key: RootKey,
    /// What makes it.
    pub inputs: RootInputs,
    /// The name of its environment.
    pub environment: Option<Name>,
}

/// All roots of a run. Which states they keep is found out when it is first asked for, and kept up to date where
/// texts change.
#[derive(Debug, Default)]
pub struct Estate {
    members: Vec<Member>,
    known: Mutex<Known>,
    names: Mutex<Asked<(RootKey, Sought), Arc<Names>>>,
    lookers: Mutex<Lookers>,
}

/// Whether each root may look at others.
#[derive(Clone, Debug, Default)]
struct Lookers {
    known: Asked<RootKey, bool>,
    /// The files that changed since.
    touched: BTreeSet<Utf8PathBuf>,
}

/// Answers, with what was asked of the files to find them.
type Asked<K, V> = FxHashMap<K, (V, Arc<[Access]>)>;

/// A root, as it sees the others.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// All roots, itself among them.
    pub estate: &'a Estate,
    /// Its number.
    pub root: RootKey,
}

#[derive(Clone, Debug, Default)]
struct Known {
    states: Option<Arc<States>>,
    /// The files that changed since.
    touched: BTreeSet<Utf8PathBuf>,
}

/// The states that the roots of an estate keep. Two revisions of an estate share it where nothing of it changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct States {
    /// By root, with the file that says so: none for a kind of backend that is not known, and where no file says it.
    all: Vec<(Option<State>, Option<FileId>)>,
    whole: FxHashMap<State, Vec<usize>>,
    /// The roots whose backend is written in part.
    open: Vec<usize>,
}

/// The roots that keep a state.
pub(super) struct Keepers<'e> {
    /// Those that are known to keep it.
    pub(super) sure: Vec<&'e Member>,
    /// Those that may keep it: a part of their backend is given elsewhere.
    pub(super) possible: Vec<&'e Member>,
}

impl Member {
    /// What reports call it: its folder, and its environment where it has one.
    #[must_use]
    pub fn name(&self) -> String {
        let folder = if self.inputs.folder.as_str().is_empty() { "." } else { self.inputs.folder.as_str() };
        match &self.environment {
            Some(environment) => format!("{folder} ({environment})"),
            None => folder.to_owned(),
        }
    }
}

impl Estate {
    /// These roots.
    #[must_use]
    pub fn new(members: Vec<Member>) -> Self {
        let mut members = members;
        members.sort_by_key(|member| member.key);
        Self { members, ..Self::default() }
    }

    /// The same roots over texts of which some may be changed, without a trace here.
    #[must_use]
    pub fn fork(&self) -> Self {
        fn copy<T: Clone>(of: &Mutex<T>) -> Mutex<T> {
            Mutex::new(lock(of).clone())
        }
        Self {
            members: self.members.clone(),
            known: copy(&self.known),
            names: copy(&self.names),
            lookers: copy(&self.lookers),
        }
    }

    /// The roots, by number.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The root of that number.
    #[must_use]
    pub fn member(&self, key: RootKey) -> Option<&Member> {
        let at = self.members.binary_search_by_key(&key, |member| member.key).ok()?;
        self.members.get(at)
    }

    /// Takes note that the text at `path` changed, came or went.
    pub fn touch(&self, path: &Utf8Path) {
        lock(&self.names).retain(|_, (_, accesses)| !depends(accesses, path));
        let mut lookers = lock(&self.lookers);
        if !lookers.known.is_empty() {
            lookers.touched.insert(path.to_owned());
        }
        let mut known = lock(&self.known);
        if known.states.is_some() && path.file_name().is_some_and(is_terraform) {
            known.touched.insert(path.to_owned());
        }
    }

    /// The states of now. The same as before unless the backend of a root changed.
    pub(super) fn states(&self, files: &dyn Files, caches: &Caches) -> Arc<States> {
        let mut known = lock(&self.known);
        let touched = std::mem::take(&mut known.touched);
        let state = |member: &Member| {
            let (folder, workspace) = (&member.inputs.folder, member.inputs.workspace.as_ref());
            let module = caches.files.folder(folder, files, &caches.blocks);
            match module.backend() {
                Some((file, backend)) => (backend.state(folder, workspace), Some(file)),
                None => (beside(folder, workspace), None),
            }
        };
        let all = match &known.states {
            Some(states) if touched.is_empty() => return Arc::clone(states),
            Some(states) => {
                // A file without a backend, now and before, says nothing about it.
                let speaks: Vec<(&Utf8Path, FileId, bool)> = touched
                    .iter()
                    .filter_map(|path| {
                        let says = caches
                            .files
                            .read(path, files, &caches.blocks)
                            .is_some_and(|file| backend_in(&file));
                        Some((path.parent()?, files.paths().id(path), says))
                    })
                    .collect();
                let old = states.all.iter().zip(&self.members);
                old.map(|(old, member)| {
                    let is_new = speaks.iter().any(|(folder, file, says)| {
                        *folder == member.inputs.folder && (*says || old.1 == Some(*file))
                    });
                    if is_new { state(member) } else { old.clone() }
                })
                .collect()
            }
            None => self.members.iter().map(state).collect(),
        };
        match &known.states {
            Some(states) if states.all == all => Arc::clone(states),
            _ => Arc::clone(known.states.insert(Arc::new(States::of(all)))),
        }
    }

    /// Whether a root may look at others; found out without evaluating anything. One that did before still may.
    pub fn may_look_around(&self, key: RootKey, files: &dyn Files, caches: &Caches, tables: &Tables) -> bool {
        let mut lookers = lock(&self.lookers);
        for path in std::mem::take(&mut lookers.touched) {
            let file = caches.files.read(&path, files, &caches.blocks);
            // Of what is no configuration only the list of installed modules leads to others.
            let leads = path.file_name() == Some("modules.json");
            let adds =
                |accesses: &[Access]| file.as_ref().is_some_and(|file| adds(file, &path, accesses, tables));
            lookers.known.retain(|_, (looks, accesses)| {
                *looks || !depends(accesses, &path) || !(leads || adds(accesses))
            });
        }
        if let Some((known, _)) = lookers.known.get(&key) {
            return *known;
        }
        drop(lookers);
        let Some(member) = self.member(key) else { return false };
        let recorder = Recorder::new(files);
        let looks = may_look_around(&member.inputs, &recorder, caches, tables);
        lock(&self.lookers).known.insert(key, (looks, recorder.accesses().into()));
        looks
    }

    /// The names of a root as they are now.
    pub(super) fn names(
        &self,
        member: &Member,
        sought: &Sought,
        files: &dyn Files,
        caches: &Caches,
        tables: &Tables,
    ) -> Arc<Names> {
        let key = (member.key, sought.clone());
        if let Some((known, _)) = lock(&self.names).get(&key) {
            return Arc::clone(known);
        }
        let (names, accesses) = Names::find(sought, &member.inputs, files, caches, tables);
        let names = Arc::new(names);
        lock(&self.names).insert(key, (Arc::clone(&names), accesses));
        names
    }

    /// The roots that keep `state`; where several do, those of the environment of `reader` alone, if there are any.
    pub(super) fn keepers(&self, states: &States, state: &State, reader: Option<&Name>) -> Keepers<'_> {
        let may_be = |at: &&usize| {
            states.all.get(**at).is_some_and(|(own, _)| own.as_ref().is_some_and(|own| own.may_be(state)))
        };
        let possible: Vec<usize> = states.open.iter().filter(may_be).copied().collect();
        let sure = states.whole.get(state).map(Vec::as_slice).unwrap_or_default();
        Keepers { sure: self.preferred(sure, reader), possible: self.preferred(&possible, reader) }
    }

    /// Of these roots those of that environment; all where none is.
    fn preferred(&self, all: &[usize], environment: Option<&Name>) -> Vec<&Member> {
        let all: Vec<&Member> = all.iter().filter_map(|at| self.members.get(*at)).collect();
        let alike: Vec<&Member> = all
            .iter()
            .filter(|member| environment.is_some() && member.environment.as_ref() == environment)
            .copied()
            .collect();
        if alike.is_empty() { all } else { alike }
    }
}

/// Whether an answer that was found by these questions may be another one when `path` changes.
fn depends(accesses: &[Access], path: &Utf8Path) -> bool {
    let has = |access: Access| accesses.binary_search(&access).is_ok();
    has(Access::Read(path.to_owned()))
        || path.parent().is_some_and(|parent| has(Access::List(parent.to_owned())))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl States {
    fn of(all: Vec<(Option<State>, Option<FileId>)>) -> Self {
        let mut states = Self { all, ..Self::default() };
        for (at, (state, _)) in states.all.iter().enumerate() {
            match state {
                Some(state) if state.is_whole() => states.whole.entry(state.clone()).or_default().push(at),
                Some(_) => states.open.push(at),
                None => {}
            }
        }
        states
    }
}
