//! Folders that hold configuration and are not judged: a run says so, and counts them.

use auditlint_graph::terraform::Caches;
use auditlint_syntax::Files;
use auditlint_syntax::hcl::ItemKind;
use camino::{Utf8Path, Utf8PathBuf};

/// A folder that is left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// The folder, relative to the workspace.
    pub folder: Utf8PathBuf,
    /// Why, for machines.
    pub kind: LeftOutKind,
    /// Why, for people.
    pub reason: String,
    /// What to do to have it judged.
    pub hint: String,
}

/// Why a folder is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOutKind {
    /// It declares environments, and not the one that is asked for.
    Environment,
    /// Terragrunt makes the root of it.
    Terragrunt,
    /// It is a link that leads outside of the workspace.
    Link,
}

impl LeftOutKind {
    /// The word of the outputs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Terragrunt => "terragrunt",
            Self::Link => "link",
        }
    }
}

/// The names of the files from which Terragrunt makes a root.
const UNIT_FILES: [&str; 2] = ["terragrunt.hcl", "terragrunt.hcl.json"];

/// Whether a file of that name makes its folder one that Terragrunt reads.
pub(crate) fn is_terragrunt(name: &str) -> bool {
    UNIT_FILES.contains(&name)
}

/// A folder whose root Terragrunt makes: it names the source of a module, or takes it over from a file that it
/// includes. A file that others include is no folder of its own. One that cannot be read may be anything.
#[must_use]
pub fn terragrunt(folder: &Utf8Path, files: &dyn Files, caches: &Caches) -> Option<LeftOut> {
    let calls = |name: &str| {
        let Ok(source) = files.read(&folder.join(name)) else { return true };
        let parsed = caches.files.file(&source, &caches.blocks);
        let mut blocks = parsed.items.iter().filter_map(|item| match &item.piece.kind {
            ItemKind::Block(block) => Some(block),
            _ => None,
        });
        !parsed.problems.is_empty()
            || blocks.any(|block| match block.ident.as_str() {
                "terraform" => block.body.attribute("source").is_some(),
                kind => kind == "include",
            })
    };
    let entries = files.list(folder);
    let mut names = entries.iter().map(|entry| entry.name.as_str()).filter(|name| is_terragrunt(name));
    names.any(calls).then(|| LeftOut {
        folder: folder.to_owned(),
        kind: LeftOutKind::Terragrunt,
        reason: "Terragrunt makes the root of it, with a module and values that only Terragrunt knows"
            .to_owned(),
        hint: "`terragrunt run --all plan --json-out-dir DIR`, and check the plans".to_owned(),
    })
}

/// A link to a folder that is not read.
pub(crate) fn outside(link: &Utf8Path) -> LeftOut {
    LeftOut {
        folder: link.to_owned(),
        kind: LeftOutKind::Link,
        reason: "it is a link that leads outside of the workspace".to_owned(),
        hint: "check the folder that it leads to by itself".to_owned(),
    }
}
