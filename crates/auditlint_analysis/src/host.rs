//! The host holds the current texts and policy; a snapshot answers questions about one revision.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use auditlint_graph::RootKey;
use auditlint_graph::kubernetes::{NoObject, read_objects};
use auditlint_graph::plan::{Keep, Plan, PlanError, read_plan};
use auditlint_graph::terraform::{Caches, Estate, RootInputs};
use auditlint_policy::rego::RegoInput;
use auditlint_syntax::{Files, ReadError};
use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::PolicySet;
use crate::estate::Settled;
use crate::overlay::Overlay;
use crate::root::Root;
use crate::snapshot::Analysis;
use crate::world::Prepared;

/// A root of this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RootId(pub u32);

/// What makes a root.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RootSpec {
    /// A folder with one set of values, in an environment.
    Folder {
        /// The folder and the values.
        inputs: RootInputs,
        /// The environment's name and why it is that one.
        environment: Option<(String, String)>,
    },
    /// A plan, a state or Kubernetes objects that were read, under the path that reports show.
    Plan {
        /// `-` for standard input.
        path: Utf8PathBuf,
        /// The folder whose HCL refines and places it (`--source`).
        source: Option<RootInputs>,
    },
}

/// Why a file gives no Kubernetes objects.
#[derive(Debug, Error)]
pub enum ObjectsError {
    /// It cannot be read.
    #[error(transparent)]
    Unread(#[from] ReadError),
    /// It holds none.
    #[error(transparent)]
    None(#[from] NoObject),
}

/// A change of the world.
#[derive(Clone, Debug)]
pub enum Change {
    /// An editor opened or edited a file: its text is now this one, whatever the disk says.
    Overlay(Utf8PathBuf, Arc<str>),
    /// An editor closed a file: the disk counts again.
    Close(Utf8PathBuf),
    /// These files changed, came or went on disk.
    Disk(Vec<Utf8PathBuf>),
    /// The policy is another one.
    Policy(Box<PolicySet>),
    /// The roots are these. Those that were there before keep what they computed.
    Roots(Vec<RootSpec>),
}

/// What a run may choose beside the policy.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Whether passing verdicts become findings too, rather than numbers alone.
    pub keep_passes: bool,
    /// Whether texts are going to change: then a root remembers what each verdict was made from, and an edit
    /// judges again only what it may change. A single check does without.
    pub follow_edits: bool,
    /// The day on which suppressions are judged, `YYYY-MM-DD`: the clock is an input. None: none has expired.
    pub today: Option<jiff::civil::Date>,
    /// The environment of plans, and of roots that declare none, by whose word; none where the policy finds it.
    pub environment: Option<(String, String)>,
}

/// The current texts, policy and roots.
pub struct AnalysisHost {
    state: Arc<State>,
    newest: Arc<AtomicU64>,
}

/// One revision.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) revision: u64,
    pub(crate) files: Arc<Overlay>,
    pub(crate) caches: Arc<Caches>,
    pub(crate) set: Arc<Prepared>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) roots: Vec<Arc<Root>>,
    /// The roots as they see each other.
    pub(crate) estate: Arc<Estate>,
    /// What crosses between them in this revision.
    pub(crate) settled: Arc<OnceLock<Arc<Settled>>>,
    /// What crossed when it was last found out.
    pub(crate) last_settled: Arc<Mutex<Option<Arc<Settled>>>>,
    next: RootKey,
}

impl State {
    fn new_key(&mut self) -> RootKey {
        let key = self.next;
        self.next = RootKey(key.0 + 1);
        key
    }
}

/// Most bytes of a plan that policies in Rego are given as a whole.
const LONGEST_PLAN: u64 = 256 << 20;

impl AnalysisHost {
    /// A host without roots.
    #[must_use]
    pub fn new(files: Arc<dyn Files>, set: PolicySet, settings: Settings) -> Self {
        Self {
            state: Arc::new(State {
                revision: 0,
                files: Arc::new(Overlay::new(files)),
                caches: Arc::default(),
                set: Arc::new(Prepared::new(set)),
                settings: Arc::new(settings),
                roots: Vec::new(),
                estate: Arc::default(),
                settled: Arc::default(),
                last_settled: Arc::default(),
                next: RootKey(0),
            }),
            newest: Arc::default(),
        }
    }

    /// The only mutator. Does no work beyond taking the change in: what depends on it is computed when a
    /// snapshot is asked.
    pub fn apply_change(&mut self, change: Change) {
        let revision = self.state.revision + 1;
        // Snapshots of older revisions give up from here on.
        self.newest.store(revision, Ordering::SeqCst);
        let state = Arc::make_mut(&mut self.state);
        state.revision = revision;
        state.settled = Arc::default();
        let touch = |state: &State, path: &Utf8Path| {
            state.estate.touch(path);
            state.roots.iter().for_each(|root| root.touch(path, revision));
        };
        match change {
            Change::Overlay(path, text) => {
                Arc::make_mut(&mut state.files).put(&path, &text);
                touch(state, &path);
            }
            Change::Close(path) => {
                Arc::make_mut(&mut state.files).close(&path);
                touch(state, &path);
            }
            Change::Disk(paths) => {
                for path in paths.iter().filter(|path| !state.files.holds(path)) {
                    state.files.forget(path);
                    touch(state, path);
                }
            }
            Change::Policy(set) => {
                state.set = Arc::new(Prepared::new(*set));
                state.roots.iter().for_each(|root| root.expire(revision));
            }
            Change::Roots(specs) => {
                let old = std::mem::take(&mut state.roots);
                let unique: BTreeSet<usize> = (0..specs.len())
                    .filter(|at| !specs.iter().take(*at).any(|s| Some(s) == specs.get(*at)))
                    .collect();
                let mut specs: Vec<RootSpec> = specs
                    .into_iter()
                    .enumerate()
                    .filter_map(|(at, spec)| unique.contains(&at).then_some(spec))
                    .collect();
                specs.sort_by(|a, b| place(a).cmp(place(b)));
                for spec in specs {
                    let known = old.iter().find(|root| root.spec == spec).map(Arc::clone);
                    let root =
                        known.unwrap_or_else(|| Arc::new(Root::new(state.new_key(), spec, None, revision)));
                    state.roots.push(root);
                }
                let members = state.roots.iter().filter_map(|root| root.member()).collect();
                state.estate = Arc::new(Estate::new(members));
            }
        }
    }

    /// Reads a plan or state and adds it as a root.
    ///
    /// # Errors
    /// When the text is no plan.
    pub fn add_plan(
        &mut self,
        path: &Utf8Path,
        source: Option<RootInputs>,
        input: &mut dyn Read,
    ) -> Result<RootId, PlanError> {
        let set = &self.state.set;
        let asks_all = source.is_some() || !set.rego.is_empty();
        let keep = if asks_all { Keep::All } else { Keep::Wanted };
        let mut plan = if set.rego.iter().any(|rego| rego.spec.input == RegoInput::Plan) {
            // Policies that were written for plans see all of one; what is longer than they are given is no input.
            let mut text = Vec::new();
            input.take(LONGEST_PLAN).read_to_end(&mut text).map_err(PlanError::Io)?;
            let mut whole = std::io::Cursor::new(&text).chain(&mut *input);
            let plan = read_plan(&mut whole, path.as_str(), &set.tables, keep)?;
            let is_whole = u64::try_from(text.len()).is_ok_and(|length| length < LONGEST_PLAN);
            Plan { text: is_whole.then(|| text.into()), ..plan }
        } else {
            read_plan(input, path.as_str(), &set.tables, keep)?
        };
        let planned = std::mem::take(&mut plan.variables);
        let source = source.map(|inputs| RootInputs { planned, ..inputs });
        Ok(self.add_document(path, source, plan))
    }

    /// Reads the Kubernetes objects of a file of the workspace and adds them as a root.
    ///
    /// # Errors
    /// When the text holds none, or cannot be read.
    pub fn add_objects(&mut self, path: &Utf8Path) -> Result<RootId, ObjectsError> {
        let text = self.state.files.read(path)?;
        let objects = read_objects(&text, &self.state.set.tables.facts)?;
        Ok(self.add_document(path, None, objects))
    }

    fn add_document(&mut self, path: &Utf8Path, source: Option<RootInputs>, document: Plan) -> RootId {
        let revision = self.state.revision + 1;
        self.newest.store(revision, Ordering::SeqCst);
        let state = Arc::make_mut(&mut self.state);
        state.revision = revision;
        state.settled = Arc::default();
        let key = state.new_key();
        let spec = RootSpec::Plan { path: path.to_owned(), source };
        state.roots.push(Arc::new(Root::new(key, spec, Some(document), revision)));
        RootId(u32::try_from(state.roots.len() - 1).unwrap_or(u32::MAX))
    }

    /// The texts, with those of editors over them.
    #[must_use]
    pub fn files(&self) -> &dyn Files {
        &*self.state.files
    }

    /// What is parsed already, for whoever looks for roots.
    #[must_use]
    pub fn caches(&self) -> &Caches {
        &self.state.caches
    }

    /// A snapshot of the present.
    #[must_use]
    pub fn analysis(&self) -> Analysis {
        Analysis::new(Arc::clone(&self.state), Arc::clone(&self.newest))
    }
}

/// The order of reports; the environments of a folder keep the order in which they are declared.
fn place(spec: &RootSpec) -> &Utf8Path {
    match spec {
        RootSpec::Folder { inputs, .. } => &inputs.folder,
        RootSpec::Plan { path, .. } => path,
    }
}
