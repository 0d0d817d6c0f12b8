//! Policies in Rego: what the operators and probes of rules do not say.
//!
//! They are looked at before they run: a call of a function that the interpreter lacks or only pretends to have would make
//! a rule silently never hold. They run without files, network, clock or chance of their own, for a bounded time and in
//! bounded memory, and never see a sensitive value.

mod answer;
mod guard;
mod input;
mod names;
mod plan;
mod test;

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use auditlint_syntax::{Location, Source};
use regorus::Engine;
use regorus::utils::limits::ExecutionTimerConfig;

use crate::LocatedProblem;
pub use answer::RegoWorld;
use guard::Entry;
pub use test::{RegoTest, run_tests};

/// Longest time that the policies of one entry take for a root.
const LONGEST: Duration = Duration::from_secs(2);
/// So many steps of the interpreter pass between two looks at the clock.
const STEPS: NonZeroU32 = NonZeroU32::new(256).unwrap();
/// Most bytes that the program may hold while a policy in Rego runs.
const MOST_MEMORY: u64 = 2 << 30;
/// Most bytes of a file.
const LARGEST: usize = 1 << 20;
/// Most files of one entry.
const MOST_FILES: usize = 512;

/// An entry of `rego:` in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegoSpec {
    /// A file, or a folder whose `.rego` files are meant, from the policy that names it.
    pub path: String,
    /// What the policies are given.
    pub input: RegoInput,
    /// The packages that are asked; all that have something to ask where none is named.
    pub packages: Vec<String>,
    /// Where it stands.
    pub at: Location,
}

/// What policies in Rego are given as `input`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RegoInput {
    /// Resources, edges, the log flow and the policy.
    #[default]
    Graph,
    /// The plan as `terraform show -json` prints it, sensitive values replaced.
    Plan,
}

/// The policies of an entry, ready to run.
pub struct RegoSet {
    /// The entry.
    pub spec: RegoSpec,
    /// Its files.
    pub sources: Vec<Arc<Source>>,
    entries: Vec<Entry>,
    engine: Mutex<Engine>,
}

impl std::fmt::Debug for RegoSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegoSet").field("spec", &self.spec).finish_non_exhaustive()
    }
}

impl RegoSet {
    /// Reads the files of an entry, tests left out. The syntax is that of Rego 1, or of the versions before for all of them.
    ///
    /// # Errors
    /// With every problem of the files, or what is wrong with the entry as a whole.
    pub fn load(spec: RegoSpec, sources: Vec<Arc<Source>>) -> Result<Self, RegoError> {
        let (engine, modules) = ready(&spec.path, &sources)?;
        let entries = guard::entries(&modules, &spec.packages);
        if entries.is_empty() {
            let of = match spec.packages.as_slice() {
                [] => String::new(),
                packages => format!(" in {}", packages.join(", ")),
            };
            return Err(RegoError::Entry(format!(
                "`{}` asks nothing{of}: no rule is called deny, violation, warn or unknown",
                spec.path
            )));
        }
        Ok(Self { spec, sources, entries, engine: Mutex::new(engine) })
    }

    /// An interpreter of one's own.
    fn engine(&self) -> Engine {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An interpreter that has read the files, and what they hold; none where they hold what must not run.
fn ready(path: &str, sources: &[Arc<Source>]) -> Result<(Engine, Vec<guard::Module>), RegoError> {
    static LIMIT: Once = Once::new();
    if sources.is_empty() {
        return Err(RegoError::Entry(format!("`{path}` holds no .rego file")));
    }
    if sources.len() > MOST_FILES {
        return Err(RegoError::Entry(format!("`{path}` holds more than {MOST_FILES} files")));
    }
    let large: Vec<LocatedProblem> = sources.iter().filter_map(guard::too_large).collect();
    if !large.is_empty() {
        return Err(RegoError::Files(large));
    }
    let mut engine = match parsed(sources, false) {
        Ok(engine) => engine,
        Err(problems) => parsed(sources, true).map_err(|_| RegoError::Files(problems))?,
    };
    let modules = guard::modules(&mut engine, sources)
        .ok_or_else(|| RegoError::Entry("the files cannot be looked at".to_owned()))?;
    let problems = guard::problems(&modules);
    if !problems.is_empty() {
        return Err(RegoError::Files(problems));
    }
    // As OPA and conftest: what a function cannot make sense of is not defined.
    engine.set_strict_builtin_errors(false);
    engine.set_execution_timer_config(ExecutionTimerConfig { limit: LONGEST, check_interval: STEPS });
    LIMIT.call_once(|| regorus::set_global_memory_limit(Some(MOST_MEMORY)));
    Ok((engine, modules))
}

/// Why an entry cannot run.
#[derive(Clone, Debug)]
pub enum RegoError {
    /// The entry as a whole.
    Entry(String),
    /// Lines of its files.
    Files(Vec<LocatedProblem>),
}

/// An engine with the files, in the syntax of Rego 1 or before.
fn parsed(sources: &[Arc<Source>], is_old: bool) -> Result<Engine, Vec<LocatedProblem>> {
    let mut engine = Engine::new();
    engine.set_rego_v0(is_old);
    let mut problems = Vec::new();
    for source in sources {
        if let Err(error) = engine.add_policy(source.path().to_string(), source.text().to_string()) {
            problems.push(guard::located(source, &error.to_string()));
        }
    }
    if problems.is_empty() { Ok(engine) } else { Err(problems) }
}
