//! The roots of a folder: every root module in it or below, by the module calls between its folders.

use std::collections::{BTreeMap, BTreeSet};

use auditlint_graph::terraform::{Caches, Folder, is_terraform, join_source};
use auditlint_syntax::{EntryKind, Files};
use camino::{Utf8Path, Utf8PathBuf};
use globset::GlobSet;
use rayon::prelude::*;

/// Folders nested deeper than this are not looked at.
const MAX_DEPTH: usize = 32;

/// What a folder holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// The folders that are roots, sorted.
    pub roots: Vec<Utf8PathBuf>,
    /// Every folder with Terraform files, sorted.
    pub folders: Vec<Utf8PathBuf>,
}

/// Finds the roots in `folder` and below: the folders with Terraform files that no module call of another one
/// reaches. Folders that `exclude` matches are not entered, nor are hidden ones.
#[must_use]
pub fn discover(folder: &Utf8Path, files: &dyn Files, caches: &Caches, exclude: &GlobSet) -> Discovery {
    let mut all = Vec::new();
    walk(folder, files, exclude, 0, &mut all);
    all.sort();
    let calls: Vec<(Utf8PathBuf, BTreeSet<Utf8PathBuf>)> = all
        .par_iter()
        .map(|path| {
            let module = caches.files.folder(path, files, &caches.blocks);
            let sources = module.calls().filter_map(|(_, call)| Folder::source_of(call));
            let local = sources.filter(|source| source.starts_with("./") || source.starts_with("../"));
            (path.clone(), local.filter_map(|source| join_source(path, source)).collect())
        })
        .collect();
    let targets: BTreeMap<&Utf8PathBuf, &BTreeSet<Utf8PathBuf>> =
        calls.iter().map(|(from, to)| (from, to)).collect();
    let called: BTreeSet<&Utf8PathBuf> = calls
        .iter()
        .flat_map(|(caller, targets)| targets.iter().filter(move |target| *target != caller))
        .collect();
    let mut roots: Vec<Utf8PathBuf> = Vec::new();
    let mut reached: BTreeSet<&Utf8PathBuf> = BTreeSet::new();
    // Modules that only call each other are reached by no root: the first of them stands for the circle, which
    // the evaluation then reports.
    let (tops, others): (Vec<_>, Vec<_>) = all.iter().partition(|path| !called.contains(path));
    for path in tops.into_iter().chain(others) {
        if reached.contains(path) {
            continue;
        }
        roots.push(path.clone());
        let mut open = vec![path];
        while let Some(at) = open.pop() {
            if reached.insert(at) {
                open.extend(targets.get(at).into_iter().flat_map(|targets| targets.iter()));
            }
        }
    }
    roots.sort();
    Discovery { roots, folders: all }
}

fn walk(folder: &Utf8Path, files: &dyn Files, exclude: &GlobSet, depth: usize, out: &mut Vec<Utf8PathBuf>) {
    if depth > MAX_DEPTH || exclude.is_match(folder.as_str()) {
        return;
    }
    let entries = files.list(folder);
    if entries.iter().any(|entry| entry.kind != EntryKind::Folder && is_terraform(&entry.name)) {
        out.push(folder.to_owned());
    }
    for entry in entries {
        if entry.kind == EntryKind::Folder && !entry.name.starts_with('.') {
            walk(&folder.join(&entry.name), files, exclude, depth + 1, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use auditlint_syntax::MemoryFiles;

    use super::*;

    #[test]
    fn folders_that_others_call_are_no_roots() {
        let files = MemoryFiles::of([
            ("live/prod/main.tf", "module \"a\" {\n  source = \"../../modules/a\"\n}\n"),
            ("modules/a/main.tf", "module \"b\" {\n  source = \"./b\"\n}\n"),
            ("modules/a/b/main.tf", ""),
            ("modules/c/main.tf", ""),
            ("circle/x/main.tf", "module \"y\" {\n  source = \"../y\"\n}\n"),
            ("circle/y/main.tf", "module \"x\" {\n  source = \"../x\"\n}\n"),
            ("docs/readme.md", ""),
            (".terraform/modules/x/main.tf", ""),
        ]);
        let found = discover(Utf8Path::new(""), &files, &Caches::default(), &GlobSet::empty());
        assert_eq!(found.roots, ["circle/x", "live/prod", "modules/c"]);
        assert_eq!(found.folders.len(), 6);
    }
}
