//! The roots of a folder: every root module in it or below, by the module calls between its folders.

use std::collections::{BTreeMap, BTreeSet};

use auditlint_graph::terraform::{Caches, Folder, is_terraform, join_source};
use auditlint_syntax::{EntryKind, Files};
use camino::{Utf8Path, Utf8PathBuf};
use globset::GlobSet;
use rayon::prelude::*;

use crate::left_out::{LeftOut, is_terragrunt, outside, terragrunt};

/// Folders nested deeper than this are not looked at.
const MAX_DEPTH: usize = 32;

/// What a folder holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// The folders that are roots, sorted.
    pub roots: Vec<Utf8PathBuf>,
    /// Every folder with Terraform files, sorted.
    pub folders: Vec<Utf8PathBuf>,
    /// Folders that are not judged, sorted.
    pub left_out: Vec<LeftOut>,
}

/// Finds the roots in `folder` and below: the folders with Terraform files that no module call of another one
/// reaches. Folders that `exclude` matches are not entered, nor are hidden ones; links to folders are followed.
#[must_use]
pub fn discover(folder: &Utf8Path, files: &dyn Files, caches: &Caches, exclude: &GlobSet) -> Discovery {
    let mut walked = Walked::default();
    walk(folder, files, exclude, 0, &mut walked);
    let Walked { folders: mut all, units, outside: links, .. } = walked;
    all.sort();
    let calls: Vec<(Utf8PathBuf, BTreeSet<Utf8PathBuf>)> = all
        .par_iter()
        .map(|path| {
            let module = caches.files.folder(path, files, &caches.blocks);
            let sources = module.calls().filter_map(|(_, call)| Folder::source_of(call));
            let local = sources.filter(|source| source.starts_with("./") || source.starts_with("../"));
            (
                path.clone(),
                local
                    .filter_map(|source| join_source(path, source))
                    .map(|called| files.real_folder(&called))
                    .collect(),
            )
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
    let units = units.iter().filter_map(|unit| terragrunt(unit, files, caches));
    let mut left_out: Vec<LeftOut> = units.chain(links.iter().map(|link| outside(link))).collect();
    left_out.sort();
    Discovery { roots, folders: all, left_out }
}

/// The folders that a walk came by.
#[derive(Default)]
struct Walked {
    /// Those with Terraform files.
    folders: Vec<Utf8PathBuf>,
    /// Those with files of Terragrunt.
    units: Vec<Utf8PathBuf>,
    /// Links that lead to folders outside of the workspace.
    outside: Vec<Utf8PathBuf>,
    /// All, under the paths that they really have: each is walked once, however many links lead to it.
    seen: BTreeSet<Utf8PathBuf>,
}

fn walk(folder: &Utf8Path, files: &dyn Files, exclude: &GlobSet, depth: usize, out: &mut Walked) {
    if depth > MAX_DEPTH || exclude.is_match(folder.as_str()) || !out.seen.insert(folder.to_owned()) {
        return;
    }
    let entries = files.list(folder);
    let holds = |wanted: fn(&str) -> bool| {
        entries.iter().any(|entry| entry.kind != EntryKind::Folder && wanted(&entry.name))
    };
    if holds(is_terraform) {
        out.folders.push(folder.to_owned());
    }
    if holds(is_terragrunt) {
        out.units.push(folder.to_owned());
    }
    for entry in entries.iter().filter(|entry| !entry.name.starts_with('.')) {
        let path = folder.join(&entry.name);
        match entry.kind {
            EntryKind::Folder => walk(&path, files, exclude, depth + 1, out),
            EntryKind::FolderLink if !exclude.is_match(path.as_str()) => {
                // One that leads upwards leads to more than was asked for.
                let real = files.real_folder(&path);
                if !folder.starts_with(&real) {
                    walk(&real, files, exclude, depth + 1, out);
                }
            }
            EntryKind::FolderOutside if !exclude.is_match(path.as_str()) => out.outside.push(path),
            _ => {}
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

    #[test]
    fn folders_of_terragrunt_are_told_once_each() {
        let files = MemoryFiles::of([
            ("terragrunt.hcl", "remote_state {\n  backend = \"s3\"\n}\n"),
            ("live/app/terragrunt.hcl", "terraform {\n  source = \"../../modules/app\"\n}\n"),
            ("live/net/terragrunt.hcl", "include \"root\" {\n  path = find_in_parent_folders()\n}\n"),
            ("live/odd/terragrunt.hcl", "terraform {\n"),
            ("live/own/terragrunt.hcl", "include \"root\" {\n  path = \"x\"\n}\n"),
            ("live/own/main.tf", ""),
            ("live/app/.terragrunt-cache/x/terragrunt.hcl", "terraform {\n  source = \"a\"\n}\n"),
            ("modules/app/main.tf", ""),
        ]);
        let found = discover(Utf8Path::new(""), &files, &Caches::default(), &GlobSet::empty());
        let folders: Vec<&str> = found.left_out.iter().map(|one| one.folder.as_str()).collect();
        assert_eq!(folders, ["live/app", "live/net", "live/odd", "live/own"]);
        assert_eq!(found.roots, ["live/own", "modules/app"]);
    }
}
