//! HCL to resources: the files of a root module and of the modules that it calls, evaluated block by block.

use auditlint_syntax::hcl::BlockCache;
use auditlint_syntax::{Access, Files, Name};
use camino::{Utf8Path, Utf8PathBuf};

use crate::{Delta, ResourceGraph, Tables};

/// What makes a root: a folder with one set of values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RootInputs {
    /// The folder of the root module, relative to the workspace.
    pub folder: Utf8PathBuf,
    /// Variable files given by `--var-file` or the config, relative to the workspace, in order. Those that
    /// Terraform loads by itself (`terraform.tfvars`, `*.auto.tfvars`) are found without being named.
    pub var_files: Vec<Utf8PathBuf>,
    /// `--var NAME=VALUE`, in order; they win over every file. The text is read as Terraform reads it: as a
    /// string, or as an expression where the variable's type asks for one.
    pub vars: Vec<(Name, String)>,
    /// The value of `terraform.workspace`; `default` where nothing says otherwise.
    pub workspace: Option<Name>,
}

/// An evaluated root: its graph, and what is needed to bring it up to date block by block.
#[derive(Debug, Default)]
pub struct Configuration {
    graph: ResourceGraph,
}

impl Configuration {
    /// Reads and evaluates a root.
    #[must_use]
    pub fn load(_inputs: &RootInputs, _files: &dyn Files, _cache: &BlockCache, _tables: &Tables) -> Self {
        Self::default()
    }

    /// Brings it up to date after the texts of `changed` changed (or came, or went). Only blocks whose text
    /// or inputs changed are evaluated again; the result equals that of a fresh [`Self::load`].
    pub fn update(
        &mut self,
        _changed: &[Utf8PathBuf],
        _files: &dyn Files,
        _cache: &BlockCache,
        _tables: &Tables,
    ) -> Delta {
        Delta::default()
    }

    /// The resources.
    #[must_use]
    pub fn graph(&self) -> &ResourceGraph {
        &self.graph
    }

    /// Every file and folder that was asked for, whether it was there or not, sorted.
    #[must_use]
    pub fn accesses(&self) -> &[Access] {
        &[]
    }

    /// The folders of the local modules that the root reaches, itself first.
    #[must_use]
    pub fn folders(&self) -> Vec<&Utf8Path> {
        Vec::new()
    }
}
