//! HCL to resources: the files of a root module and of the modules that it calls, evaluated lazily.

mod attributes;
mod backend;
mod blocks;
mod calls;
mod conversion;
mod convert;
mod data;
mod declared;
mod estate;
mod expand;
mod expression;
mod files;
mod folder;
mod functions;
mod identity;
mod iteration;
mod lifecycle;
mod limits;
mod live;
mod lookup;
mod memo;
mod modules;
mod names;
mod neighbours;
mod operators;
mod provider;
mod remote;
mod resources;
mod tags;
mod templates;
mod traversal;
mod types;
mod unify;
mod validation;
mod variables;
mod world;

use std::sync::Arc;

use auditlint_syntax::hcl::BlockCache;
use auditlint_syntax::{Access, Files, Name};
use camino::{Utf8Path, Utf8PathBuf};

pub(crate) use data::account_of_role;
pub use estate::{Estate, Member, Standing};
pub use files::{ParsedFiles, is_terraform};
pub use folder::Folder;
use functions::read_json;
pub(crate) use functions::write_json;
pub use identity::{RootIdentity, identity, root_variable};
pub use live::Live;
pub use provider::{PROVIDER_ACCOUNT, PROVIDER_REGION};
pub(crate) use types::Type;

use crate::plan::PlannedValue;
use crate::{ResourceGraph, Tables};

/// What makes a root: a folder with one set of values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RootInputs {
    /// The folder of the root module, relative to the workspace.
    pub folder: Utf8PathBuf,
    /// Variable files given by `--var-file` or the config, relative to the workspace, in order. Those that
    /// Terraform loads by itself (`terraform.tfvars`, `*.auto.tfvars`) are found without being named.
    pub var_files: Vec<Utf8PathBuf>,
    /// Variables of the environment (`TF_VAR_NAME`), without their prefix; every file wins over them.
    pub environment: Vec<(Name, String)>,
    /// The values that a plan beside the folder was made with: they win over the environment and the files that
    /// Terraform loads by itself, of which it was made.
    pub planned: Vec<(Name, PlannedValue)>,
    /// `--var NAME=VALUE`, in order; they win over every file. The text is read as Terraform reads it: as a
    /// string, or as an expression where the variable's type asks for one.
    pub vars: Vec<(Name, String)>,
    /// The value of `terraform.workspace`; `default` where nothing says otherwise.
    pub workspace: Option<Name>,
    /// The account that it is applied in, where somebody said so: it wins over what the providers tell.
    pub account: Option<Name>,
}

/// What is shared between the roots of a run: blocks by content and files by revision.
#[derive(Debug, Default)]
pub struct Caches {
    /// Parsed blocks.
    pub blocks: BlockCache,
    /// Parsed files.
    pub files: ParsedFiles,
}

/// An evaluated root.
#[derive(Debug, Default)]
pub struct Configuration {
    /// The resources. Shared, so that whoever looks at them does not hold up the next edit.
    pub graph: Arc<ResourceGraph>,
    /// Every file and folder that was asked for, whether it was there or not, sorted.
    pub accesses: Arc<[Access]>,
    /// The folders of the modules that the root reaches, itself first. The same ones stay the same list.
    pub folders: Arc<[Utf8PathBuf]>,
    /// Number of Terraform files in them, those included that could not be read.
    pub files: usize,
    /// What was asked for on behalf of other roots, sorted; a part of [`Self::accesses`].
    pub elsewhere: Arc<[Access]>,
    /// What was seen of other roots, where one was looked for.
    seen: Option<neighbours::Seen>,
}

impl Configuration {
    /// Reads and evaluates a root, alone or among the other roots of a run.
    #[must_use]
    pub fn load(
        inputs: &RootInputs,
        standing: Option<Standing<'_>>,
        files: &dyn Files,
        caches: &Caches,
        tables: &Tables,
    ) -> Self {
        live::load_once(inputs, standing, files, caches, tables)
    }

    /// Whether what it saw of other roots is still so: the same roots keep the same states, and have resources of
    /// the same names.
    #[must_use]
    pub fn sees_the_same(
        &self,
        standing: Option<Standing<'_>>,
        files: &dyn Files,
        caches: &Caches,
        tables: &Tables,
    ) -> bool {
        match (&self.seen, standing) {
            (Some(seen), Some(standing)) => seen.is_current(standing, files, caches, tables),
            (seen, _) => seen.is_none(),
        }
    }
}

/// Joins a relative `source` to `folder` and resolves `.` and `..`; none when it leaves the workspace.
#[must_use]
pub fn join_source(folder: &Utf8Path, source: &str) -> Option<Utf8PathBuf> {
    let mut parts: Vec<&str> = folder.as_str().split('/').filter(|part| !part.is_empty()).collect();
    for part in source.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(Utf8PathBuf::from(parts.join("/")))
}
