//! The files of policies in Rego, and what they say of a root.

use std::sync::Arc;

use auditlint_graph::ResourceGraph;
use auditlint_policy::rego::{RegoError, RegoSet, RegoWorld};
use auditlint_policy::{Answer, FlowMap, LocatedProblem, Policy, PolicyError};
use auditlint_syntax::{EntryKind, Files, Location, Source};
use camino::{Utf8Path, Utf8PathBuf};

use crate::bundle;
use crate::chosen::Chosen;
use crate::policies::relative;
use crate::root::Root;
use crate::world::World;

/// Folders lie no deeper in one another.
const DEEPEST: usize = 8;

/// The files around a policy of another folder, and its path among them.
type Around<'f> = &'f dyn Fn(&Source) -> Option<(Arc<dyn Files>, Utf8PathBuf)>;

/// The policies in Rego that `policy` names, each where the document lies that names it.
pub(crate) fn load(
    policy: &Policy,
    around: Around<'_>,
    files: &dyn Files,
) -> Result<Vec<Arc<RegoSet>>, PolicyError> {
    let (mut out, mut problems) = (Vec::new(), Vec::new());
    for spec in policy.rego.iter() {
        let Some(text) = policy.texts.iter().find(|text| text.file() == spec.at.file) else { continue };
        let own = around(text);
        let (there, at) = match &own {
            Some((there, at)) => (&**there, at.as_path()),
            None => (files, text.path()),
        };
        let problem = |message: String| LocatedProblem::new(text, spec.at.span, message);
        let base = at.parent().unwrap_or_else(|| Utf8Path::new(""));
        let Some(path) = relative(base, &spec.path) else {
            problems.push(problem(format!("`{}` lies outside of the workspace", spec.path)));
            continue;
        };
        let mut sources = Vec::new();
        for path in modules(&path, there, Tests::LeftOut) {
            match bundle::checked(&path, at, there) {
                // The files of another folder have numbers of their own.
                Ok(source) if own.is_some() => {
                    let file = files.paths().id(&path);
                    sources.push(Arc::new(Source::new(file, path, Arc::from(source.bytes()))));
                }
                Ok(source) => sources.push(source),
                Err(reason) => problems.push(problem(format!("{path} cannot be read: {reason}"))),
            }
        }
        match RegoSet::load(spec.clone(), sources) {
            Ok(set) => out.push(Arc::new(set)),
            Err(RegoError::Entry(message)) => problems.push(problem(message)),
            Err(RegoError::Files(own)) => problems.extend(own),
        }
    }
    if problems.is_empty() { Ok(out) } else { Err(PolicyError { problems }) }
}

/// Whether files of tests are meant as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tests {
    Taken,
    LeftOut,
}

/// Whether a file holds tests of policies in Rego.
#[must_use]
pub fn is_rego_test(path: &Utf8Path) -> bool {
    path.as_str().ends_with("_test.rego")
}

/// The file, or the `.rego` files of the folder and those below it.
pub(crate) fn modules(path: &Utf8Path, files: &dyn Files, tests: Tests) -> Vec<Utf8PathBuf> {
    if path.extension() == Some("rego") {
        return vec![path.to_owned()];
    }
    let mut out = Vec::new();
    below(path, files, tests, 0, &mut out);
    out
}

fn below(path: &Utf8Path, files: &dyn Files, tests: Tests, depth: usize, out: &mut Vec<Utf8PathBuf>) {
    for entry in files.list(path) {
        let inner = path.join(&entry.name);
        match entry.kind {
            EntryKind::Folder if depth < DEEPEST && !entry.name.starts_with('.') => {
                below(&inner, files, tests, depth + 1, out);
            }
            EntryKind::File
                if entry.name.ends_with(".rego") && (tests == Tests::Taken || !is_rego_test(&inner)) =>
            {
                out.push(inner);
            }
            _ => {}
        }
    }
}

/// What the policies in Rego say of a root.
pub(crate) fn answer(
    root: &Root,
    (graph, flow): (&ResourceGraph, &FlowMap),
    chosen: &Chosen,
    world: &World<'_>,
) -> Answer {
    let mut all = Answer::default();
    let name = root.name();
    let line = |at: Location| {
        let path = world.files.paths().path(at.file);
        let source = world.files.read(&path).ok()?;
        Some((path.to_string(), source.lines().line(at.span.start) + 1))
    };
    let told = RegoWorld {
        graph,
        flow,
        policy: &chosen.policy,
        mode: root.empty_report().mode.as_str(),
        root: &name,
        environment: chosen.environment.as_ref().map(|(name, _)| name.as_str()),
        plan: root.plan.as_ref().and_then(|plan| plan.text.as_deref()),
        line: &line,
    };
    for set in &world.set.rego {
        let answer = set.ask(&told);
        all.findings.extend(answer.findings);
        all.gaps.extend(answer.gaps);
    }
    all
}
