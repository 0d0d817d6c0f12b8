//! Where a root keeps its state, and what tells one state from another.
//!
//! Two descriptions mean the same state where the same parts of the same kind of backend are equal: the object in
//! the bucket, the workspace of the organization. Credentials, regions and locks are no part of that.

use auditlint_syntax::Name;
use auditlint_syntax::hcl::{Block, Body, Expr, ExprKind, ObjectItem};
use camino::Utf8Path;

use super::join_source;

/// A `backend` or `cloud` block, as far as it can be read without evaluating anything: terraform asks for literals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Backend {
    /// Its type; `cloud` is the same as `remote`.
    kind: Name,
    /// Its arguments, those of `workspaces` as `workspaces.NAME`. None: it is written and no literal.
    arguments: Vec<(Name, Option<Name>)>,
}

/// What stands at an argument of a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// This text.
    Text(Name),
    /// Nothing.
    Absent,
    /// Something that is not known.
    Open,
}

/// The parts that tell one state from all others of its kind of backend. None: a part that is not known here.
pub(super) type Parts = Vec<Option<String>>;

/// A state, as far as it is known which.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) kind: Name,
    pub(super) parts: Parts,
}

impl State {
    /// Whether every part is known.
    pub(super) fn is_whole(&self) -> bool {
        self.parts.iter().all(Option::is_some)
    }

    /// Whether the two may be one and the same.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        let mut parts = self.parts.iter().zip(&other.parts);
        self.kind == other.kind
            && self.parts.len() == other.parts.len()
            && parts.all(|pair| !matches!(pair, (Some(own), Some(other)) if own != other))
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.kind)?;
        let known = self.parts.iter().flatten().filter(|part| !part.is_empty());
        known.enumerate().try_for_each(|(n, part)| write!(f, "{}{part}", if n == 0 { " " } else { "/" }))
    }
}

/// Which state a backend of type `kind` means for a workspace; none for a type that is not known. `argument` says
/// what its arguments are, `path` completes a relative path of a local state.
///
/// Every type names its parts in one order, with the defaults of
/// <https://developer.hashicorp.com/terraform/language/backend>.
pub(super) fn state(
    kind: &str,
    argument: &dyn Fn(&str) -> Argument,
    workspace: &Argument,
    path: &dyn Fn(&str) -> Option<String>,
) -> Option<State> {
    let need = |name: &str| match argument(name) {
        Argument::Text(text) => Some(text.to_string()),
        Argument::Absent | Argument::Open => None,
    };
    let or = |name: &str, default: &str| match argument(name) {
        Argument::Text(text) => Some(text.to_string()),
        Argument::Absent => Some(default.to_owned()),
        Argument::Open => None,
    };
    let workspace = match workspace {
        Argument::Text(name) => Some(name.to_string()),
        Argument::Absent => Some("default".to_owned()),
        Argument::Open => None,
    };
    let is_default = workspace.as_deref() == Some("default");
    // The object of a workspace, made of the one of the default workspace.
    let object = |plain: Option<String>, of: &dyn Fn(&str, &str) -> Option<String>| {
        let (plain, workspace) = (plain?, workspace.clone()?);
        if is_default { Some(plain) } else { of(&plain, &workspace) }
    };
    let below_prefix = |default: &'static str, key: Option<String>| {
        object(key, &|key, workspace| {
            Some(format!("{}/{workspace}/{key}", or("workspace_key_prefix", default)?))
        })
    };
    let parts: Parts = match kind {
        "s3" => vec![need("bucket"), below_prefix("env:", need("key"))],
        "gcs" => {
            let prefix = or("prefix", "").map(|prefix| prefix.trim_matches('/').to_owned());
            vec![
                need("bucket"),
                prefix.zip(workspace).map(|(prefix, name)| format!("{prefix}/{name}.tfstate")),
            ]
        }
        "azurerm" => {
            let key = object(need("key"), &|key, workspace| Some(format!("{key}env:{workspace}")));
            vec![need("storage_account_name"), need("container_name"), key]
        }
        "local" => {
            let own = or("path", "terraform.tfstate");
            let own = object(own, &|_, workspace| {
                Some(format!("{}/{workspace}/terraform.tfstate", or("workspace_dir", "terraform.tfstate.d")?))
            });
            vec![own.and_then(|own| path(&own))]
        }
        "remote" => {
            let name = match argument("workspaces.prefix") {
                Argument::Text(prefix) => workspace.map(|name| format!("{prefix}{name}")),
                Argument::Open => None,
                Argument::Absent => need("workspaces.name"),
            };
            vec![or("hostname", "app.terraform.io"), need("organization"), name]
        }
        "http" => vec![need("address")],
        "consul" => {
            let path = object(need("path"), &|path, workspace| Some(format!("{path}-env:{workspace}")));
            vec![or("address", ""), path]
        }
        "pg" => vec![or("conn_str", ""), or("schema_name", "terraform_remote_state"), workspace],
        "kubernetes" => {
            vec![or("namespace", "default"), or("config_context", ""), need("secret_suffix"), workspace]
        }
        "oss" => {
            let prefix = or("prefix", "env:");
            let key = or("key", "terraform.tfstate");
            let object = prefix.zip(key).zip(workspace).map(|((prefix, key), workspace)| match is_default {
                true => format!("{prefix}/{key}"),
                false => format!("{prefix}/{workspace}/{key}"),
            });
            vec![need("bucket"), object]
        }
        "cos" => vec![need("bucket"), or("prefix", ""), or("key", "terraform.tfstate"), workspace],
        "oci" => {
            vec![need("namespace"), need("bucket"), below_prefix("env:", or("key", "terraform.tfstate"))]
        }
        _ => return None,
    };
    Some(State { kind: Name::new(kind), parts })
}

impl Backend {
    /// The backend of a `terraform` block, where it has one.
    pub(super) fn of(body: &Body) -> Option<Self> {
        let block = body.blocks.iter().find_map(|inner| match inner.ident.as_str() {
            "cloud" => Some(Self::read(Name::new_static("remote"), &inner.body)),
            "backend" => Some(Self::read(label(inner)?, &inner.body)),
            _ => None,
        });
        // In JSON nested blocks are objects.
        block.or_else(|| {
            let cloud = body.attribute("cloud").and_then(|cloud| object(&cloud.value));
            let cloud = cloud.map(|items| Self::read_object(Name::new_static("remote"), items));
            cloud.or_else(|| {
                let typed = object(&body.attribute("backend")?.value)?.first()?;
                Some(Self::read_object(typed.key.literal()?.clone(), object(&typed.value)?))
            })
        })
    }

    /// The state that a root in `folder` keeps there for `workspace`.
    pub(super) fn state(&self, folder: &Utf8Path, workspace: Option<&Name>) -> Option<State> {
        let argument = |name: &str| match self.arguments.iter().find(|(known, _)| known == name) {
            Some((_, Some(text))) => Argument::Text(text.clone()),
            Some((_, None)) => Argument::Open,
            None => Argument::Absent,
        };
        // A workspace whose name begins with a prefix is chosen where terraform runs; so is one by its tags.
        let workspace = match (workspace, argument("workspaces.prefix")) {
            (Some(name), _) => Argument::Text(name.clone()),
            (None, Argument::Absent) => Argument::Absent,
            (None, _) => Argument::Open,
        };
        state(&self.kind, &argument, &workspace, &|path| local_path(folder, path))
    }

    fn read(kind: Name, body: &Body) -> Self {
        let mut arguments: Vec<(Name, Option<Name>)> = Vec::new();
        for attribute in &body.attributes {
            add(&mut arguments, &attribute.name, &attribute.value);
        }
        for inner in body.blocks_named("workspaces") {
            for attribute in &inner.body.attributes {
                arguments
                    .push((Name::new(format!("workspaces.{}", attribute.name)), literal(&attribute.value)));
            }
        }
        Self { kind, arguments }
    }

    fn read_object(kind: Name, items: &[ObjectItem]) -> Self {
        let mut arguments = Vec::new();
        for item in items {
            if let Some(name) = item.key.literal() {
                add(&mut arguments, name, &item.value);
            }
        }
        Self { kind, arguments }
    }
}

/// The state of a root without any backend: beside its files.
pub(super) fn beside(folder: &Utf8Path, workspace: Option<&Name>) -> Option<State> {
    let workspace = workspace.map_or(Argument::Absent, |name| Argument::Text(name.clone()));
    state("local", &|_| Argument::Absent, &workspace, &|path| local_path(folder, path))
}

/// A path of a local state relative to the workspace; an absolute one, and one that leads outside, as it is written.
fn local_path(folder: &Utf8Path, path: &str) -> Option<String> {
    let inside = if path.starts_with('/') { None } else { join_source(folder, path) };
    Some(inside.map_or_else(|| path.to_owned(), |inside| inside.to_string()))
}

fn add(arguments: &mut Vec<(Name, Option<Name>)>, name: &Name, value: &Expr) {
    if name == "workspaces"
        && let Some(items) = object(value)
    {
        let inner = items.iter().filter_map(|item| Some((item.key.literal()?, &item.value)));
        arguments.extend(inner.map(|(key, value)| (Name::new(format!("workspaces.{key}")), literal(value))));
        return;
    }
    if !matches!(value.kind, ExprKind::Null) {
        arguments.push((name.clone(), literal(value)));
    }
}

fn literal(value: &Expr) -> Option<Name> {
    if let ExprKind::String(text) = &value.kind { Some(text.clone()) } else { None }
}

fn label(block: &Block) -> Option<Name> {
    block.labels.first().map(|label| label.name.clone())
}

/// The items of an object, or of the only object of a list.
fn object(value: &Expr) -> Option<&[ObjectItem]> {
    match &value.kind {
        ExprKind::Object(items) => Some(items),
        ExprKind::Tuple(all) => match &**all {
            [only] => object(only),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &str, arguments: &[(&str, &str)], workspace: &str) -> String {
        let argument = |name: &str| {
            let found = arguments.iter().find(|(known, _)| *known == name);
            found.map_or(Argument::Absent, |(_, text)| Argument::Text(Name::new(text)))
        };
        let workspace = Argument::Text(Name::new(workspace));
        let state = state(kind, &argument, &workspace, &|path| local_path("live/app".into(), path)).unwrap();
        assert!(state.is_whole(), "{state:?}");
        state.to_string()
    }

    /// The names of the objects are those that terraform makes.
    #[test]
    fn a_workspace_has_a_state_of_its_own() {
        let s3 = [("bucket", "states"), ("key", "net.tfstate"), ("region", "eu-central-1")];
        assert_eq!(of("s3", &s3, "default"), "s3 states/net.tfstate");
        assert_eq!(of("s3", &s3, "prod"), "s3 states/env:/prod/net.tfstate");
        let prefixed = [("bucket", "b"), ("key", "k"), ("workspace_key_prefix", "w")];
        assert_eq!(of("s3", &prefixed, "prod"), "s3 b/w/prod/k");
        assert_eq!(of("gcs", &[("bucket", "b"), ("prefix", "net/")], "default"), "gcs b/net/default.tfstate");
        let azure = [("storage_account_name", "a"), ("container_name", "c"), ("key", "k")];
        assert_eq!(of("azurerm", &azure, "prod"), "azurerm a/c/kenv:prod");
        assert_eq!(of("local", &[("path", "../net/x.tfstate")], "default"), "local live/net/x.tfstate");
        assert_eq!(of("local", &[], "prod"), "local live/app/terraform.tfstate.d/prod/terraform.tfstate");
        let remote = [("organization", "acme"), ("workspaces.prefix", "net-")];
        assert_eq!(of("remote", &remote, "prod"), "remote app.terraform.io/acme/net-prod");
    }

    #[test]
    fn what_is_given_elsewhere_may_be_any_state_that_nothing_contradicts() {
        let backend = |arguments: &[(&str, &str)]| Backend {
            kind: "s3".into(),
            arguments: arguments.iter().map(|(name, text)| ((*name).into(), Some((*text).into()))).collect(),
        };
        let state = |arguments: &[(&str, &str)]| backend(arguments).state("".into(), None).unwrap();
        let whole = state(&[("bucket", "b"), ("key", "k")]);
        assert!(whole.is_whole() && whole.may_be(&state(&[("bucket", "b")])) && whole.may_be(&state(&[])));
        assert!(!whole.may_be(&state(&[("key", "other")])));
    }
}
