//! Parsed files, and the names of a folder that Terraform reads.

use std::sync::Arc;

use auditlint_syntax::hcl::{self, BlockCache, HclFile};
use auditlint_syntax::{EntryKind, FileId, Files, Location, ProblemKind, ReadError, Source};
use camino::{Utf8Path, Utf8PathBuf};
use dashmap::DashMap;

use super::declared::Part;
use super::folder::Folder;
use crate::{Gap, GapKind};

/// Parsed files by path; a file is parsed again when its source is another one.
#[derive(Debug, Default)]
pub struct ParsedFiles {
    files: DashMap<Utf8PathBuf, (Arc<Source>, Arc<HclFile>)>,
    folders: DashMap<Utf8PathBuf, Arc<Folder>>,
}

impl ParsedFiles {
    /// Parses `source`, or gives what was parsed of it before.
    pub fn file(&self, source: &Arc<Source>, blocks: &BlockCache) -> Arc<HclFile> {
        if let Some(known) = self.files.get(source.path())
            && Arc::ptr_eq(&known.0, source)
        {
            return Arc::clone(&known.1);
        }
        let name = source.path().as_str();
        let is_json = name.ends_with(".json");
        let parsed = if !is_json {
            hcl::parse(source, blocks)
        } else if source.is_binary() {
            HclFile { items: Vec::new(), problems: hcl::encoding_problem(source).into_iter().collect() }
        } else if name.ends_with(".tfvars.json") {
            hcl::parse_variables_json(source)
        } else {
            hcl::parse_json(source, blocks)
        };
        let parsed = Arc::new(parsed);
        self.files.insert(source.path().to_owned(), (Arc::clone(source), Arc::clone(&parsed)));
        parsed
    }

    /// The parsed text of the configuration file at `path`; none where there is none to be read.
    pub(super) fn read(
        &self,
        path: &Utf8Path,
        files: &dyn Files,
        blocks: &BlockCache,
    ) -> Option<Arc<HclFile>> {
        let source = files.read(path).ok().filter(|_| path.file_name().is_some_and(is_terraform))?;
        Some(self.file(&source, blocks))
    }

    /// The module in `path`; an empty one when no Terraform file is there.
    pub fn folder(&self, path: &Utf8Path, files: &dyn Files, blocks: &BlockCache) -> Arc<Folder> {
        let mut unread = Vec::new();
        let mut sources = Vec::new();
        for name in terraform_files(&files.list(path)) {
            let path = path.join(&name);
            match files.read(&path) {
                Ok(source) => sources.push((source, is_override(&name))),
                Err(ReadError::Missing) => {}
                Err(error) => unread.push(unreadable(&path, &error)),
            }
        }
        let known = self.folders.get(path).map(|known| Arc::clone(&known)).unwrap_or_default();
        if known.unread == unread
            && known.parts.len() == sources.len()
            && known
                .parts
                .iter()
                .zip(&sources)
                .all(|(part, (source, overrides))| part.is_of(source, *overrides))
        {
            return known;
        }
        let parts = sources.iter().map(|(source, overrides)| {
            let same = known.parts.iter().find(|part| part.is_of(source, *overrides));
            same.map_or_else(|| self.part(source, *overrides, blocks), Arc::clone)
        });
        self.keep(path, known.with(parts.collect(), unread))
    }

    /// The module in `path`, of which nothing changed since `known` but the texts of `changed`. None when that
    /// cannot be: a file came or went.
    pub(super) fn edited(
        &self,
        path: &Utf8Path,
        known: &Arc<Folder>,
        changed: &[Utf8PathBuf],
        files: &dyn Files,
        blocks: &BlockCache,
    ) -> Option<Arc<Folder>> {
        let mut parts = None;
        for file in changed {
            // A link leads to a text of another folder.
            let is_of = |part: &Arc<Part>| part.source.path().as_str() == file.as_str();
            if !known.parts.iter().any(is_of) {
                let is_here = file.parent() == Some(path) && file.file_name().is_some_and(is_terraform);
                if is_here {
                    return None;
                }
                continue;
            }
            let source = files.read(file).ok()?;
            let parts = parts.get_or_insert_with(|| known.parts.clone());
            for part in parts.iter_mut().filter(|part| is_of(part)) {
                *part = self.part(&source, part.overrides, blocks);
            }
        }
        Some(match parts {
            Some(parts) => self.keep(path, known.with(parts, known.unread.clone())),
            None => Arc::clone(known),
        })
    }

    fn keep(&self, path: &Utf8Path, folder: Folder) -> Arc<Folder> {
        let folder = Arc::new(folder);
        self.folders.insert(path.to_owned(), Arc::clone(&folder));
        folder
    }

    fn part(&self, source: &Arc<Source>, overrides: bool, blocks: &BlockCache) -> Arc<Part> {
        Arc::new(Part::of(&self.file(source, blocks), source, overrides))
    }
}

/// Whether Terraform (or OpenTofu) reads a file of that name as configuration.
#[must_use]
pub fn is_terraform(name: &str) -> bool {
    [".tf", ".tf.json", ".tofu", ".tofu.json"].iter().any(|end| name.ends_with(end)) && !name.starts_with('.')
}

/// The names of a folder that Terraform reads, overrides last; `.tofu` hides `.tf` of the same stem.
#[must_use]
pub(super) fn terraform_files(entries: &[auditlint_syntax::Entry]) -> Vec<String> {
    let is_hidden = |name: &str| {
        let hider = name.replace(".tf", ".tofu");
        !name.contains(".tofu") && entries.binary_search_by(|other| other.name.as_str().cmp(&hider)).is_ok()
    };
    let mut names: Vec<String> = entries
        .iter()
        // A link that leads outside, or a pipe, is meant to be read: that it is not is a gap.
        .filter(|entry| entry.kind != EntryKind::Folder && is_terraform(&entry.name))
        .filter(|entry| !is_hidden(&entry.name))
        .map(|entry| entry.name.clone())
        .collect();
    names.sort_by_key(|name| (is_override(name), name.clone()));
    names
}

pub(super) fn is_override(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    stem == "override" || stem.ends_with("_override")
}

pub(crate) fn unreadable(path: &Utf8Path, error: &ReadError) -> Gap {
    let kind =
        if matches!(error, ReadError::TooLarge { .. }) { GapKind::TooLarge } else { GapKind::Unreadable };
    Gap {
        kind,
        path: path.to_string(),
        at: None,
        reason: error.to_string(),
        hint: String::new(),
        count: 1,
        module: None,
    }
}

/// The gap of a problem in a text.
#[must_use]
pub(super) fn syntax_gap(path: &Utf8Path, file: FileId, problem: &auditlint_syntax::Problem) -> Gap {
    let kind = match problem.kind {
        ProblemKind::Syntax | ProblemKind::Duplicate => GapKind::Syntax,
        ProblemKind::Unsupported => GapKind::Unsupported,
        ProblemKind::Encoding => GapKind::Unreadable,
        ProblemKind::TooLarge => GapKind::TooLarge,
    };
    Gap {
        kind,
        path: path.to_string(),
        at: Some(Location { file, span: problem.span }),
        reason: problem.message.clone(),
        hint: String::new(),
        count: 1,
        module: None,
    }
}
