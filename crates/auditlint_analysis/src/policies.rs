//! The policies of a run: those that are named, else those of the config file, else the recommended ones.

use std::cell::RefCell;
use std::sync::Arc;

use auditlint_policy::exemption::RepositoryLimits;
use auditlint_policy::external::Externals;
use auditlint_policy::rego::RegoSet;
use auditlint_policy::{Catalogue, Config, Extended, LocatedProblem, Policy, PolicyError};
use auditlint_syntax::{FileId, Files, Location, ReadError, Source, Span, document};
use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::baseline::Baseline;
use crate::bundle::{self, Reference};
use crate::{Environments, anchor, custom, rego};

/// The name of the config file.
pub const CONFIG_NAME: &str = ".auditlint.yaml";

/// The policy where nothing names one.
const DEFAULT: &str = "auditlint:recommended";

/// A policy with everything that it was read from.
#[derive(Clone)]
pub struct PolicySet {
    /// The facts and rules.
    pub catalogue: Arc<Catalogue>,
    /// What is asked.
    pub policy: Arc<Policy>,
    /// The texts of the policy, for the lines that findings show.
    pub sources: Vec<Arc<Source>>,
    /// The config file that was used, and what it says.
    pub config: Option<(Utf8PathBuf, Config)>,
    /// The environments that it declares.
    pub environments: Arc<Environments>,
    /// Its policies in Rego, ready to run.
    pub rego: Vec<Arc<RegoSet>>,
    /// What the repository may do to the policy.
    pub limits: RepositoryLimits,
    /// What was there on the first day, with its text.
    pub baseline: Option<(Arc<Source>, Baseline)>,
    /// Exemptions of the repository that the policy does not allow, and why.
    pub refused: Vec<(Location, String)>,
    /// What a change does to excuse itself.
    pub added: Vec<(Location, String)>,
    /// The files as they were before a change: what excuses must be there already.
    pub before: Option<Arc<dyn Files>>,
}

impl std::fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PolicySet").field("policy", &self.policy.id).finish_non_exhaustive()
    }
}

/// Why there is no policy.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SetupError {
    /// A file that is named cannot be read.
    #[error("policy {name}: {reason}")]
    Unreadable {
        /// As it was named.
        name: String,
        /// Why.
        reason: ReadError,
    },
    /// A built-in policy that does not exist.
    #[error("there is no policy `{name}`; built in are {known}")]
    NoSuchPolicy {
        /// As it was named.
        name: String,
        /// Those that exist.
        known: String,
        /// The one that was perhaps meant.
        near: Option<String>,
    },
    /// A config file with problems.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Config(Vec<LocatedProblem>),
    /// A policy with problems.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl SetupError {
    /// The problems with their places, where they have one.
    #[must_use]
    pub fn problems(&self) -> &[LocatedProblem] {
        match self {
            Self::Config(problems) => problems,
            Self::Policy(error) => &error.problems,
            Self::Unreadable { .. } | Self::NoSuchPolicy { .. } => &[],
        }
    }
}

/// The same, where a change of the repository must not excuse itself: config, policies, exemptions, baseline and comments
/// are those of `before`, and what the change adds to them is said.
///
/// # Errors
/// With every problem of the config file or of the policies before the change.
pub fn load_policies_before(
    catalogue: &Arc<Catalogue>,
    (files, before): (&dyn Files, Arc<dyn Files>),
    folder: &Utf8Path,
    named: &[NamedPolicy],
) -> Result<PolicySet, SetupError> {
    let mut set = load_policies(catalogue, &*before, folder, named)?;
    match load_policies(catalogue, files, folder, named) {
        Ok(after) => {
            let config = after.config.as_ref().and_then(|(path, _)| files.read(path).ok());
            let left_out = config.as_ref().map(|config| anchor::left_out(&set, &after, config));
            let added = anchor::added(&set, &after, catalogue);
            set.added = added.into_iter().chain(left_out.into_iter().flatten()).collect();
            // Their lines are shown.
            set.sources.extend(config);
            set.sources.extend(after.sources);
            set.sources.extend(after.baseline.map(|(source, _)| source));
        }
        Err(error) => {
            let at = Location { file: files.paths().id(Utf8Path::new(CONFIG_NAME)), span: Span::default() };
            set.added.push((at, format!("this change breaks the policy: {error}")));
        }
    }
    set.before = Some(before);
    Ok(set)
}

/// The nearest config file, from `folder` upwards to the top of the workspace.
#[must_use]
pub fn find_config(folder: &Utf8Path, files: &dyn Files) -> Option<Utf8PathBuf> {
    folder.ancestors().map(|ancestor| ancestor.join(CONFIG_NAME)).find(|path| files.read(path).is_ok())
}

/// Loads the policies in `named` (given as texts or as `auditlint:NAME`), else those of the config file that is
/// found from `folder` upwards, else [`DEFAULT`].
///
/// # Errors
/// With every problem of the config file or of the policies.
pub fn load_policies(
    catalogue: &Arc<Catalogue>,
    files: &dyn Files,
    folder: &Utf8Path,
    named: &[NamedPolicy],
) -> Result<PolicySet, SetupError> {
    let mut config = match find_config(folder, files) {
        Some(path) => {
            let source = files
                .read(&path)
                .map_err(|reason| SetupError::Unreadable { name: path.to_string(), reason })?;
            Some((path, Config::read(&source).map_err(SetupError::Config)?, source))
        }
        None => None,
    };
    let custom = match &config {
        Some((path, config, source)) => custom::catalogue(catalogue, (path, config, source), files)?,
        None => None,
    };
    let is_anchor = named.iter().any(|policy| match policy {
        NamedPolicy::BuiltIn(_) => true,
        NamedPolicy::Text(_) => false,
        NamedPolicy::Elsewhere(source, ..) => {
            files.read(source.path()).map_or(true, |own| own.bytes() != source.bytes())
        }
    });
    // A policy from elsewhere is judged by what it knows.
    let catalogue = custom.as_ref().filter(|_| !is_anchor).unwrap_or(catalogue);
    let mut sources = Vec::new();
    let mut folders: Vec<(FileId, Arc<dyn Files>, Utf8PathBuf)> = Vec::new();
    for policy in named {
        sources.push(match policy {
            NamedPolicy::Text(source) => Arc::clone(source),
            NamedPolicy::Elsewhere(source, files, path) => {
                folders.push((source.file(), Arc::clone(files), path.clone()));
                Arc::clone(source)
            }
            NamedPolicy::BuiltIn(name) => built_in(catalogue, name, files)?,
        });
    }
    if let (true, Some((path, config, source))) = (sources.is_empty(), &config) {
        let base = path.parent().unwrap_or_else(|| Utf8Path::new(""));
        for (name, span) in &config.policy {
            sources.push(match name.strip_prefix("auditlint:") {
                Some(_) => built_in(catalogue, name, files)?,
                None if Reference::is_meant(name) => {
                    let named = Extended { name: name.clone(), digest: None, span: *span };
                    bundle::read(&named, base, files).map_err(|reason| {
                        let message = format!("`{name}` cannot be read: {reason}");
                        SetupError::Config(vec![LocatedProblem::new(source, *span, message)])
                    })?
                }
                None => inside(base, name, files)?,
            });
        }
        if config.is_policy {
            sources.push(Arc::clone(source));
        }
    }
    if sources.is_empty() {
        sources.push(built_in(catalogue, DEFAULT, files)?);
    }
    // A policy of another folder, and what it extends there, is followed in the files of that folder.
    let folders = RefCell::new(folders);
    let from = |policy: &Source, parent: &Extended| {
        let name = parent.name.as_str();
        if let Some(short) = name.strip_prefix("auditlint:") {
            let known = Policy::built_in(catalogue, short, files.paths());
            return known.ok_or_else(|| {
                format!("there is no built-in policy of that name{}", near(catalogue, short))
            });
        }
        let own = folders.borrow().iter().find(|(file, ..)| *file == policy.file()).cloned();
        let (there, at) = match &own {
            Some((_, there, at)) => (&**there, at.as_path()),
            None => (files, policy.path()),
        };
        let base = at.parent().unwrap_or_else(|| Utf8Path::new(""));
        let source = if Reference::is_meant(name) {
            bundle::read(parent, base, there)?
        } else {
            let path = relative(base, name).ok_or_else(|| ReadError::Outside.to_string())?;
            bundle::checked(&bundle::policy_at(path, there), at, there)?
        };
        let Some((_, there, at)) = own else { return Ok(source) };
        // The files of another folder have numbers of their own.
        let top = policy.path().as_str().strip_suffix(at.as_str()).unwrap_or_default();
        let path = source.path().to_owned();
        let shown = Utf8PathBuf::from(format!("{top}{path}"));
        let file = files.paths().id(&shown);
        folders.borrow_mut().push((file, there, path));
        Ok(Arc::new(Source::new(file, shown, Arc::from(source.bytes()))))
    };
    let mut policy = Policy::load(catalogue, &sources, &from)?;
    let rego = rego::load(
        &policy,
        &|policy: &Source| {
            let own = folders.borrow().iter().find(|(file, ..)| *file == policy.file()).cloned();
            own.map(|(_, there, at)| (there, at))
        },
        files,
    )?;
    let limits = anchor::limits(&policy, is_anchor);
    // What is left out, and what is said to be no store, is exempt in all but name.
    if let Some((_, config, _)) = config.as_mut().filter(|_| !limits.may_exempt_all()) {
        config.ignore_paths.clear();
        config.stores.clear();
    }
    let says_stores = |config: &Config| !config.stores.is_empty();
    if let Some((_, config, _)) = config.as_ref().filter(|(_, config, _)| says_stores(config)) {
        let roles = config.stores.clone();
        policy.externals = Arc::new(Externals { roles, ..Externals::clone(&policy.externals) });
    }
    let sources = policy.texts.clone();
    let policy = Arc::new(policy);
    let environments = match &config {
        Some((path, config, source)) => Environments::new(path, config).map_err(|(span, message)| {
            SetupError::Config(vec![LocatedProblem::new(source, span, message)])
        })?,
        None => Environments::default(),
    };
    let baseline = anchor::baseline(config.as_ref().map(|(path, ..)| path), files)
        .map_err(|problem| SetupError::Config(vec![problem]))?;
    let baseline = baseline.filter(|_| limits.may_baseline);
    let config = config.map(|(path, config, _)| (path, config));
    let environments = Arc::new(environments);
    let mut set = PolicySet {
        catalogue: Arc::clone(catalogue),
        policy,
        sources,
        config,
        environments,
        rego,
        limits,
        baseline,
        refused: Vec::new(),
        added: Vec::new(),
        before: None,
    };
    if is_anchor {
        // What the repository asks of itself is not asked here; its exceptions count as far as they are allowed.
        let own = load_policies(catalogue, files, folder, &[]).ok();
        set.sources.extend(own.iter().flat_map(|own| own.sources.iter().cloned()));
        anchor::take_in(&mut set, own.as_ref().map(|own| &*own.policy));
    }
    Ok(set)
}

/// A policy that was named where there is no repository to read it from.
#[derive(Clone)]
pub enum NamedPolicy {
    /// The text of a file of the workspace.
    Text(Arc<Source>),
    /// The text of a file that may lie anywhere, the files around it and its path among them: what it names is looked
    /// for there.
    Elsewhere(Arc<Source>, Arc<dyn Files>, Utf8PathBuf),
    /// `auditlint:NAME`
    BuiltIn(String),
}

fn built_in(catalogue: &Catalogue, name: &str, files: &dyn Files) -> Result<Arc<Source>, SetupError> {
    let short = name.strip_prefix("auditlint:").unwrap_or(name);
    Policy::built_in(catalogue, short, files.paths()).ok_or_else(|| SetupError::NoSuchPolicy {
        name: name.to_owned(),
        near: document::reader::nearest(short, catalogue.built_in_names())
            .map(|near| format!("auditlint:{near}")),
        known: catalogue
            .built_in_names()
            .map(|name| format!("auditlint:{name}"))
            .collect::<Vec<_>>()
            .join(", "),
    })
}

fn near(catalogue: &Catalogue, name: &str) -> String {
    let near = document::reader::nearest(name, catalogue.built_in_names());
    near.map(|near| format!("; did you mean `auditlint:{near}`?")).unwrap_or_default()
}

fn inside(base: &Utf8Path, name: &str, files: &dyn Files) -> Result<Arc<Source>, SetupError> {
    let outside = || SetupError::Unreadable { name: name.to_owned(), reason: ReadError::Outside };
    let path = relative(base, name).ok_or_else(outside)?;
    files.read(&path).map_err(|reason| SetupError::Unreadable { name: path.to_string(), reason })
}

/// What `name` means in the folder `base`; none where that leads outside of the workspace.
#[must_use]
pub fn relative(base: &Utf8Path, name: &str) -> Option<Utf8PathBuf> {
    auditlint_graph::terraform::join_source(base, name).filter(|_| !Utf8Path::new(name).is_absolute())
}
