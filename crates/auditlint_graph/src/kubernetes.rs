//! The Kubernetes objects of a YAML or JSON text as resources: an audit policy and the manifest of an API server are
//! files of a node, and no resource of Terraform.

use std::collections::BTreeMap;
use std::sync::Arc;

use auditlint_syntax::document::{Document, Node, NodeKind, parse_stream};
use auditlint_syntax::{Location, Name, Source, Span};
use thiserror::Error;

use crate::plan::{Content, Plan};
use crate::{
    Address, Cause, CauseKind, Declared, FactsTable, Gap, GapKind, Key, Map, Mode, ModulePath, Number,
    Origin, Resource, ResourceGraph, Tracked, Value,
};

/// The type of the resource that stands for an object of a file. Its attribute [`MANIFEST`] holds the object, as that
/// of Terraform's `kubernetes_manifest` does.
pub const DOCUMENT: &str = "kubernetes_document";
/// The attribute with the object.
pub const MANIFEST: &str = "manifest";

/// Why a text holds no Kubernetes object.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("nothing in it has the `apiVersion` and `kind` of a Kubernetes object")]
pub struct NoObject;

/// Whether a text begins as Kubernetes objects do and plans do not. `head` may be a part of it.
#[must_use]
pub fn looks_like_objects(head: &str) -> bool {
    let is_key = |line: &str| {
        let line = line.trim_start_matches(['{', ' ', '\t', '"']);
        line.strip_prefix("apiVersion").is_some_and(|rest| rest.trim_start_matches('"').starts_with(':'))
    };
    let lines = || head.split(['\n', ',']);
    lines().any(is_key) && !lines().any(|line| line.contains("\"format_version\""))
}

/// Reads the objects of a text. What cannot be parsed is a gap.
///
/// # Errors
/// When no document of the text is an object.
pub fn read_objects(source: &Source, facts: &FactsTable) -> Result<Plan, NoObject> {
    let mut graph = ResourceGraph::default();
    let mut unnamed = BTreeMap::new();
    for document in parse_stream(source.text()) {
        gap(&document, source, &mut graph);
        for node in objects(&document.root) {
            if let Some(mut resource) = resource(node, source, &mut unnamed) {
                // What the lost lines say is not known.
                resource.undecided = (!document.problems.is_empty()).then(|| Box::new(lost()));
                graph.put(Arc::new(resource), facts);
            }
        }
    }
    if graph.iter().next().is_none() && graph.gaps.is_empty() {
        return Err(NoObject);
    }
    Ok(Plan { graph: Arc::new(graph), content: Content::Kubernetes, ..Plan::default() })
}

/// The value of a node; `origin` tells where a part of it stands.
#[must_use]
pub fn tracked(node: &Node, origin: &impl Fn(Span) -> Origin) -> Tracked {
    let value = match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Bool(value) => Value::Bool(*value),
        NodeKind::Number(number, written) => {
            Number::parse(written).or_else(|| Number::from_f64(*number)).map_or(Value::Null, Value::Number)
        }
        NodeKind::String(text) => Value::String(Name::new(text)),
        NodeKind::List(items) => Value::List(items.iter().map(|item| tracked(item, origin)).collect()),
        NodeKind::Map(entries) => {
            let entries = entries.iter().map(|entry| (Name::new(&entry.key), tracked(&entry.value, origin)));
            Value::Map(Arc::new(entries.collect::<Map>()))
        }
    };
    Tracked::new(value, origin(node.span))
}

fn lost() -> Cause {
    Cause {
        kind: CauseKind::Function,
        subject: "a document that cannot be parsed as a whole".to_owned(),
        hint: "correct its lines".to_owned(),
    }
}

fn gap(document: &Document, source: &Source, graph: &mut ResourceGraph) {
    let Some(first) = document.problems.first() else { return };
    graph.gaps.push(Gap {
        kind: GapKind::Syntax,
        path: source.path().to_string(),
        at: Some(Location { file: source.file(), span: first.span }),
        reason: first.message.clone(),
        hint: "correct the line".to_owned(),
        count: u32::try_from(document.problems.len()).unwrap_or(u32::MAX),
        module: None,
    });
}

/// The object, or those of a `List` as `kubectl get` prints it.
fn objects(root: &Node) -> Vec<&Node> {
    match root.get("kind").and_then(Node::as_str) {
        Some("List") => root.get("items").map(|items| items.items().iter().collect()).unwrap_or_default(),
        _ => vec![root],
    }
}

fn resource(node: &Node, source: &Source, unnamed: &mut BTreeMap<String, u64>) -> Option<Resource> {
    let kind = node.get("kind")?.as_str()?;
    node.get("apiVersion")?.as_str()?;
    let written = |span| Location { file: source.file(), span };
    let metadata = |name: &str| node.get("metadata")?.get(name)?.as_str();
    let key = match (metadata("namespace"), metadata("name")) {
        (Some(namespace), Some(name)) => Key::Text(Name::new(format!("{namespace}/{name}"))),
        (None, Some(name)) => Key::Text(Name::new(name)),
        (_, None) => {
            let next = unnamed.entry(kind.to_owned()).or_default();
            *next += 1;
            Key::Index(*next - 1)
        }
    };
    let manifest = tracked(node, &|span| Origin::Written(written(span)));
    let header = node
        .entries()
        .iter()
        .find(|entry| entry.key == "kind")
        .map_or(node.span, |entry| Span::new(entry.key_span.start, entry.value.span.end));
    Some(Resource {
        address: Address {
            module: ModulePath::root(),
            mode: Mode::Managed,
            kind: Name::new_static(DOCUMENT),
            name: Name::new(identifier(kind)),
            key: Some(key),
        },
        attributes: [(Name::new_static(MANIFEST), manifest)].into_iter().collect(),
        declared: Some(Declared { header: written(header), block: written(node.span) }),
        planned: None,
        action: None,
        undecided: None,
        incomplete: None,
        nearest_call: None,
        ignored: None,
    })
}

/// A kind as the name of a resource: it comes from a text that anybody may have written.
fn identifier(kind: &str) -> String {
    let name: String = kind.chars().filter(char::is_ascii_alphanumeric).take(63).collect();
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) { name } else { format!("object{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_told_from_plans_by_how_they_begin() {
        for text in [
            "apiVersion: v1\nkind: Pod\n",
            "# a comment\n---\nkind: Policy\napiVersion: audit.k8s.io/v1\n",
            "{\"apiVersion\": \"v1\", \"kind\": \"List\"}",
            "{\n  \"kind\": \"Policy\",\n  \"apiVersion\": \"audit.k8s.io/v1\"",
        ] {
            assert!(looks_like_objects(text), "{text}");
        }
        for text in [
            "{\"format_version\":\"1.2\",\"terraform_version\":\"1.9\",\"x\":{\"apiVersion\":\"v1\"}}",
            "logging_policy: {}\n",
            "# apiVersion: v1\n",
            "",
        ] {
            assert!(!looks_like_objects(text), "{text}");
        }
    }
}
