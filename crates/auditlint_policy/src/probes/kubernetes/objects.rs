//! The objects of a resource that say what an API server records, wherever they are written.

use auditlint_graph::kubernetes::{DOCUMENT, MANIFEST, tracked};
use auditlint_graph::{Cause, Map, Origin, Tracked, Value};
use auditlint_syntax::document;

use super::{Context, unreadable};
use crate::condition::AttributePath;
use crate::evaluate::{Look, Subject};

/// What a finding says it looked at.
pub(super) const PATH: &str = MANIFEST;

/// One object.
pub(super) enum Object {
    /// An audit policy (`audit.k8s.io`, kind `Policy`).
    Policy(Tracked),
    /// A static pod of the API server: the container's command line.
    Pod(Tracked, Vec<Tracked>),
    /// The settings of a cluster of kubeadm (`ClusterConfiguration`): the server's `extraArgs`, where there are any.
    Kubeadm(Tracked, Option<Tracked>),
    /// A cluster of kops: its `kubeAPIServer`, where there is one.
    Kops(Tracked, Option<Tracked>),
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) objects: Vec<Object>,
    /// Why there may be more.
    pub(super) unknown: Option<Cause>,
}

/// The objects of the judged resource.
pub(super) fn of(context: &Context<'_>) -> Found {
    let mut found = Found::default();
    match &**context.resource.kind() {
        DOCUMENT | "kubernetes_manifest" => match look(context, MANIFEST) {
            Look::Set(manifest) => object(&manifest, &mut found, 0),
            Look::Unknown(cause) => found.unknown = Some(cause),
            Look::Absent | Look::Default(_) => {}
        },
        // Terraform's own resource of a config map has the entries at the top.
        _ => match look(context, "data") {
            Look::Set(data) => entries(&data, &mut found, 0),
            Look::Unknown(cause) => found.unknown = Some(cause),
            Look::Absent | Look::Default(_) => {}
        },
    }
    found
}

fn look(context: &Context<'_>, name: &str) -> Look {
    context.look(&Subject::resource(context.resource), &AttributePath::parse(name))
}

/// A config map may hold a manifest that holds a config map; deeper ones nobody writes.
const DEEPEST: u8 = 3;

fn object(value: &Tracked, found: &mut Found, depth: u8) {
    let map = match value.value() {
        Value::Map(map) => map,
        Value::Unknown(unknown) => {
            found.unknown.get_or_insert_with(|| unknown.cause.clone());
            return;
        }
        _ => return,
    };
    if depth > DEEPEST {
        return;
    }
    let (Some(version), Some(kind)) = (text(map, "apiVersion"), text(map, "kind")) else {
        // What kind of object it is is not known.
        let parts = ["apiVersion", "kind"].into_iter().filter_map(|name| map.get(name)?.unknown());
        if let Some(unknown) = parts.into_iter().next() {
            found.unknown.get_or_insert_with(|| unknown.cause.clone());
        }
        return;
    };
    let group = version.split('/').next().unwrap_or_default();
    match (group, kind) {
        ("audit.k8s.io", "Policy") => found.objects.push(Object::Policy(value.clone())),
        ("v1", "ConfigMap") => {
            if let Some(data) = map.get("data") {
                entries(data, found, depth + 1);
            }
        }
        ("v1", "Pod") => pod(value, map, found),
        ("kubeadm.k8s.io", "ClusterConfiguration") => {
            let arguments = map_at(map, "apiServer").and_then(|server| server.get("extraArgs")).cloned();
            found.objects.push(Object::Kubeadm(value.clone(), arguments));
        }
        ("kops.k8s.io", "Cluster") => kops(value, map, found, depth),
        _ => {}
    }
}

/// The texts of a config map. A file of another program is none of ours, and a text that is not known is one of ours
/// only where its name says so.
fn entries(data: &Tracked, found: &mut Found, depth: u8) {
    match data.value() {
        Value::Map(data) => {
            for (name, value) in data.iter() {
                match value.value() {
                    Value::String(text) => embedded(text, value, found, depth),
                    Value::Unknown(unknown) if name.contains("audit") || name == "ClusterConfiguration" => {
                        found.unknown.get_or_insert_with(|| unknown.cause.clone());
                    }
                    _ => {}
                }
            }
        }
        Value::Unknown(unknown) => {
            found.unknown.get_or_insert_with(|| unknown.cause.clone());
        }
        _ => {}
    }
}

/// The objects of a text; they stand where the text does.
fn embedded(text: &str, whole: &Tracked, found: &mut Found, depth: u8) {
    let is_ours = ["audit.k8s.io", "kubeadm.k8s.io", "kops.k8s.io", "kube-apiserver"];
    if !ours_in(text, &is_ours) {
        return;
    }
    for document in document::parse_stream(text) {
        if !document.problems.is_empty() {
            found
                .unknown
                .get_or_insert_with(|| unreadable("a text of Kubernetes objects that cannot be parsed"));
        }
        let origin = |_| -> Origin { whole.origin.clone() };
        object(&tracked(&document.root, &origin), found, depth + 1);
    }
}

fn ours_in(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// The containers of a pod that run the API server.
fn pod(value: &Tracked, map: &Map, found: &mut Found) {
    let containers = map_at(map, "spec").and_then(|spec| spec.get("containers")).map(Tracked::value);
    match containers {
        Some(Value::List(containers)) => {
            for container in containers.iter() {
                let Value::Map(container) = container.value() else { continue };
                let parts = ["command", "args"].into_iter().filter_map(|name| container.get(name));
                let words = parts.flat_map(|part| match part.value() {
                    Value::List(items) => items.to_vec(),
                    _ => vec![part.clone()],
                });
                let words: Vec<Tracked> = words.collect();
                let runs = |word: &Tracked| matches!(word.value(), Value::String(text) if is_server(text));
                if words.iter().any(runs) {
                    found.objects.push(Object::Pod(value.clone(), words));
                }
            }
        }
        Some(Value::Unknown(unknown)) => {
            found.unknown.get_or_insert_with(|| unknown.cause.clone());
        }
        _ => {}
    }
}

fn is_server(word: &str) -> bool {
    word == "kube-apiserver" || word.ends_with("/kube-apiserver")
}

/// A cluster of kops: the server's settings, and the files that it puts on the nodes.
fn kops(value: &Tracked, map: &Map, found: &mut Found, depth: u8) {
    let spec = map_at(map, "spec");
    let server = spec.and_then(|spec| spec.get("kubeAPIServer")).cloned();
    found.objects.push(Object::Kops(value.clone(), server));
    let assets = spec.and_then(|spec| spec.get("fileAssets")).map(Tracked::value);
    let Some(Value::List(assets)) = assets else { return };
    for asset in assets.iter() {
        let Value::Map(asset) = asset.value() else { continue };
        if let Some(content) = asset.get("content")
            && let Value::String(text) = content.value()
        {
            embedded(text, content, found, depth);
        }
    }
}

fn text<'m>(map: &'m Map, name: &str) -> Option<&'m str> {
    match map.get(name)?.value() {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn map_at<'m>(map: &'m Map, name: &str) -> Option<&'m Map> {
    match map.get(name)?.value() {
        Value::Map(inner) => Some(inner),
        _ => None,
    }
}
