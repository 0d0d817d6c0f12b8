//! The policies of a run: those that are named, else those of the config file, else the recommended ones.

use std::cell::RefCell;
use std::sync::Arc;

use auditlint_policy::external::Externals;
use auditlint_policy::{Catalogue, Config, LocatedProblem, Policy, PolicyError};
use auditlint_syntax::{FileId, Files, ReadError, Source, document};
use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::Environments;

/// The name of the config file.
pub const CONFIG_NAME: &str = ".auditlint.yaml";

/// The policy where nothing names one.
const DEFAULT: &str = "auditlint:recommended";

/// A policy with everything that it was read from.
#[derive(Clone, Debug)]
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
    let config = match find_config(folder, files) {
        Some(path) => {
            let source = files
                .read(&path)
                .map_err(|reason| SetupError::Unreadable { name: path.to_string(), reason })?;
            Some((path, Config::read(&source).map_err(SetupError::Config)?, source))
        }
        None => None,
    };
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
        for (name, _) in &config.policy {
            sources.push(match name.strip_prefix("auditlint:") {
                Some(_) => built_in(catalogue, name, files)?,
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
    let from = |policy: &Source, name: &str| {
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
        let path = relative(base, name).ok_or_else(|| ReadError::Outside.to_string())?;
        let source = there.read(&path).map_err(|reason| reason.to_string())?;
        let Some((_, there, _)) = own else { return Ok(source) };
        // The files of another folder have numbers of their own.
        let shown = policy.path().parent().map(|folder| folder.join(name)).unwrap_or_else(|| path.clone());
        let file = files.paths().id(&shown);
        folders.borrow_mut().push((file, there, path));
        Ok(Arc::new(Source::new(file, shown, Arc::from(source.bytes()))))
    };
    let mut policy = Policy::load(catalogue, &sources, &from)?;
    if let Some((_, config, _)) = config.as_ref().filter(|(_, config, _)| !config.stores.is_empty()) {
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
    let config = config.map(|(path, config, _)| (path, config));
    let environments = Arc::new(environments);
    Ok(PolicySet { catalogue: Arc::clone(catalogue), policy, sources, config, environments })
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
fn relative(base: &Utf8Path, name: &str) -> Option<Utf8PathBuf> {
    auditlint_graph::terraform::join_source(base, name).filter(|_| !Utf8Path::new(name).is_absolute())
}
