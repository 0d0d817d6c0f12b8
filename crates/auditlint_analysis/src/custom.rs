//! Rules and facts of a repository's own, in the formats of those that are built in.

use std::sync::Arc;

use auditlint_policy::{Catalogue, Config, LocatedProblem, Reading};
use auditlint_syntax::{EntryKind, Files, LineColumn, Source};
use camino::{Utf8Path, Utf8PathBuf};

use crate::policies::relative;
use crate::{Analysis, SetupError};

/// Most files, and how deep folders lie in one another.
const MOST: usize = 4_096;
const DEEPEST: usize = 8;

impl Analysis {
    /// The file of a rule of the repository's own; none of one that is built in.
    #[must_use]
    pub fn rule_file(&self, id: &str) -> Option<Utf8PathBuf> {
        let (config, said) = self.policy_set().config.as_ref()?;
        let (name, _) = said.custom.as_ref()?;
        let folder = relative(config.parent().unwrap_or_else(|| Utf8Path::new("")), name)?;
        let path = folder.join("rules").join(format!("{id}.yaml"));
        self.files().read(&path).ok().map(|_| path)
    }
}

/// The catalogue with what the folder that the config names adds to it; none where it names none.
pub(crate) fn catalogue(
    built_in: &Catalogue,
    (path, config, source): (&Utf8Path, &Config, &Source),
    files: &dyn Files,
) -> Result<Option<Arc<Catalogue>>, SetupError> {
    let Some((name, span)) = &config.custom else { return Ok(None) };
    let wrong = |message: String| SetupError::Config(vec![LocatedProblem::new(source, *span, message)]);
    let base = path.parent().unwrap_or_else(|| Utf8Path::new(""));
    let folder =
        relative(base, name).ok_or_else(|| wrong(format!("`{name}` lies outside of the workspace")))?;
    match of_folder(built_in, &folder, files, Reading::WithoutExamples) {
        Ok(found) => Ok(Some(Arc::new(found))),
        // What is wrong with the folder as a whole is told where it is named.
        Err(problems) => Err(match problems.as_slice() {
            [only] if only.path.is_empty() => wrong(format!("`{name}` {}", only.message)),
            _ => SetupError::Config(problems),
        }),
    }
}

/// The catalogue with the rules and facts of a folder.
pub(crate) fn of_folder(
    built_in: &Catalogue,
    folder: &Utf8Path,
    files: &dyn Files,
    reading: Reading,
) -> Result<Catalogue, Vec<LocatedProblem>> {
    let whole = |message: String| {
        vec![LocatedProblem { path: String::new(), at: LineColumn { line: 1, column: 1 }, message }]
    };
    let mut paths = Vec::new();
    below(folder, files, 0, &mut paths);
    if paths.is_empty() {
        return Err(whole("holds no rules: they stand in `rules` there, facts in `resources`".to_owned()));
    }
    if paths.len() > MOST {
        return Err(whole(format!("holds more than {MOST} files")));
    }
    let mut texts: Vec<(String, Arc<Source>)> = Vec::new();
    for path in paths {
        let text = files
            .read(&path)
            .map_err(|reason| whole(format!("holds {path}, which cannot be read: {reason}")))?;
        texts.push((path.strip_prefix(folder).unwrap_or(&path).to_string(), text));
    }
    let pairs = texts.iter().map(|(path, text)| (path.as_str(), text.text().as_ref()));
    built_in.with(pairs, reading).map_err(|problems| {
        let named = |problem: LocatedProblem| LocatedProblem {
            path: folder.join(&problem.path).to_string(),
            ..problem
        };
        problems.into_iter().map(named).collect()
    })
}

/// The YAML files of `rules` and `resources`.
fn below(folder: &Utf8Path, files: &dyn Files, depth: usize, out: &mut Vec<Utf8PathBuf>) {
    for entry in files.list(folder) {
        let path = folder.join(&entry.name);
        match entry.kind {
            EntryKind::Folder
                if depth < DEEPEST && (depth > 0 || matches!(entry.name.as_str(), "rules" | "resources")) =>
            {
                below(&path, files, depth + 1, out);
            }
            EntryKind::File if depth > 0 && entry.name.ends_with(".yaml") => out.push(path),
            _ => {}
        }
    }
}
