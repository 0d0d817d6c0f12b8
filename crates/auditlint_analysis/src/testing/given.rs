//! What a scenario looks at, as files and roots.

use std::io::Cursor;
use std::sync::Arc;

use auditlint_graph::terraform::RootInputs;
use auditlint_policy::Catalogue;
use auditlint_syntax::{EntryKind, Files, MemoryFiles, Source};
use camino::{Utf8Path, Utf8PathBuf};

use super::plan;
use super::reading::{Given, Scenarios};
use crate::{
    AnalysisHost, Change, NamedPolicy, PolicySet, RootSpec, Settings, SetupError, discover, load_policies,
};
use auditlint_syntax::document::{Node, NodeKind};

/// Most files of a folder, and how deep it is read.
const MOST: usize = 500;
const DEEPEST: usize = 8;

/// The files of a scenario, or why there are none.
pub(super) fn files(given: &Given, base: &Utf8Path, all: &dyn Files) -> Result<MemoryFiles, String> {
    match given {
        Given::Files(files) => {
            Ok(MemoryFiles::of(files.iter().map(|(path, text)| (path.as_str(), text.as_str()))))
        }
        Given::File(name) => {
            let text = read(base, name, all)?;
            Ok(MemoryFiles::of([("main.tf", &**text.text())]))
        }
        Given::Folder(name) => folder(base, name, all),
        Given::Objects(text) => Ok(MemoryFiles::of([("objects.yaml", text.as_str())])),
        Given::Plan(_) | Given::PlanFile(_) | Given::Nothing => Ok(MemoryFiles::new()),
    }
}

/// The files of a folder beside the test.
pub(super) fn folder(base: &Utf8Path, name: &str, all: &dyn Files) -> Result<MemoryFiles, String> {
    let top = inside(base, name)?;
    let mut out = MemoryFiles::new();
    let mut open = vec![(top.clone(), 0)];
    let mut count = 0;
    while let Some((folder, depth)) = open.pop() {
        for entry in all.list(&folder).iter() {
            let path = folder.join(&entry.name);
            match entry.kind {
                EntryKind::Folder | EntryKind::FolderLink if depth < DEEPEST => open.push((path, depth + 1)),
                EntryKind::File if count < MOST => {
                    let source = all.read(&path).map_err(|reason| format!("{path}: {reason}"))?;
                    out.put(path.strip_prefix(&top).unwrap_or(&path), source.bytes());
                    count += 1;
                }
                _ => return Err(format!("{name} holds more than a scenario reads")),
            }
        }
    }
    if count == 0 { Err(format!("{name}: no such folder, or nothing in it")) } else { Ok(out) }
}

fn inside(base: &Utf8Path, name: &str) -> Result<Utf8PathBuf, String> {
    auditlint_graph::terraform::join_source(base, name)
        .ok_or_else(|| format!("{name} leads outside of the workspace"))
}

fn read(base: &Utf8Path, name: &str, all: &dyn Files) -> Result<Arc<Source>, String> {
    let path = inside(base, name)?;
    all.read(&path).map_err(|reason| format!("{path}: {reason}"))
}

/// The policies of a file of tests, with parameters set, as a scenario with these files sees them.
pub(super) fn policies(
    scenarios: &Scenarios,
    parameters: &[(String, Node)],
    source: &Source,
    (catalogue, all, own): (&Arc<Catalogue>, &dyn Files, &MemoryFiles),
) -> Result<PolicySet, SetupError> {
    let set: Vec<&(String, Node)> = scenarios.parameters.iter().chain(parameters).collect();
    // A policy that extends those that are tested and sets their parameters: what a user would write.
    let mut text = String::from("extends:\n");
    for name in &scenarios.policies {
        text.push_str(&format!("  - {}\n", serde_json::Value::from(name.as_str())));
    }
    if !set.is_empty() {
        text.push_str("parameters:\n");
        for (name, value) in set {
            text.push_str(&format!("  {}: {}\n", serde_json::Value::from(name.as_str()), yaml(value)));
        }
    }
    let path = source.path().with_extension("tested.yaml");
    let file = own.paths().id(&path);
    let wrapper = Arc::new(Source::new(file, path, Arc::from(text.as_bytes())));
    let around: Arc<dyn Files> = Arc::new(texts(scenarios, source, all));
    let path = wrapper.path().to_owned();
    load_policies(catalogue, own, Utf8Path::new(""), &[NamedPolicy::Elsewhere(wrapper, around, path)])
}

/// The policies and what they extend, read ahead: a scenario has files of its own.
fn texts(scenarios: &Scenarios, source: &Source, all: &dyn Files) -> MemoryFiles {
    let base = source.path().parent().unwrap_or_else(|| Utf8Path::new(""));
    let mut out = MemoryFiles::new();
    let mut open: Vec<(Utf8PathBuf, String)> =
        scenarios.policies.iter().map(|name| (base.to_owned(), name.clone())).collect();
    let mut seen = 0;
    while let Some((folder, name)) = open.pop() {
        seen += 1;
        if name.starts_with("auditlint:") || seen > MOST {
            continue;
        }
        let Some(path) = auditlint_graph::terraform::join_source(&folder, &name) else { continue };
        let Ok(text) = all.read(&path) else { continue };
        out.put(&path, text.bytes());
        let document = auditlint_syntax::document::parse(text.text());
        let folder = path.parent().unwrap_or_else(|| Utf8Path::new("")).to_owned();
        named(&document.root, &mut |name| open.push((folder.clone(), name.to_owned())));
    }
    out
}

/// Hands on every file that a policy may name.
fn named(root: &Node, take: &mut dyn FnMut(&str)) {
    let mut add = |node: &Node| match &node.kind {
        NodeKind::String(name) => take(name),
        NodeKind::Map(_) => node.get("ref").and_then(Node::as_str).into_iter().for_each(&mut *take),
        _ => {}
    };
    if let Some(node) = root.get("extends") {
        match &node.kind {
            NodeKind::List(items) => items.iter().for_each(&mut add),
            _ => add(node),
        }
    }
    for key in ["external_stores", "external_sources", "modules"] {
        for entry in root.get(key).map(Node::entries).unwrap_or_default() {
            entry.value.get("from").and_then(Node::as_str).into_iter().for_each(&mut *take);
        }
    }
}

/// A value as YAML reads it.
fn yaml(node: &Node) -> String {
    match &node.kind {
        NodeKind::Null => "null".to_owned(),
        NodeKind::Bool(value) => value.to_string(),
        NodeKind::Number(_, written) => written.clone(),
        NodeKind::String(text) => serde_json::Value::from(text.as_str()).to_string(),
        NodeKind::List(items) => format!("[{}]", items.iter().map(yaml).collect::<Vec<_>>().join(", ")),
        NodeKind::Map(entries) => {
            let entries = entries.iter().map(|entry| {
                format!("{}: {}", serde_json::Value::from(entry.key.as_str()), yaml(&entry.value))
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A host over the files of a scenario, judged by `set`.
pub(super) fn host(
    given: &Given,
    files: Arc<MemoryFiles>,
    set: PolicySet,
    settings: Settings,
    (base, all): (&Utf8Path, &dyn Files),
) -> Result<AnalysisHost, String> {
    let environments = Arc::clone(&set.environments);
    let mut host = AnalysisHost::new(files, set, settings);
    let mut specs = Vec::new();
    match given {
        Given::Files(_) | Given::File(_) | Given::Folder(_) => {
            let nothing = globset::GlobSet::empty();
            let found = discover(Utf8Path::new(""), host.files(), host.caches(), &nothing);
            for folder in found.roots {
                let inputs = RootInputs { folder, ..RootInputs::default() };
                specs.extend(environments.specs(&inputs, None));
            }
        }
        Given::Nothing => {
            specs.push(RootSpec::Folder { inputs: RootInputs::default(), environment: None });
        }
        Given::Plan(_) | Given::PlanFile(_) | Given::Objects(_) => {}
    }
    host.apply_change(Change::Roots(specs));
    match given {
        Given::Plan(changes) => {
            let text = plan::json(changes);
            host.add_plan(Utf8Path::new("plan.json"), None, &mut Cursor::new(text.into_bytes()))
                .map_err(|error| error.to_string())?;
        }
        Given::PlanFile(name) => {
            let source = read(base, name, all)?;
            host.add_plan(Utf8Path::new("plan.json"), None, &mut Cursor::new(source.bytes().to_vec()))
                .map_err(|error| error.to_string())?;
        }
        Given::Objects(_) => {
            host.add_objects(Utf8Path::new("objects.yaml")).map_err(|error| error.to_string())?;
        }
        _ => {}
    }
    Ok(host)
}
