//! `.auditlint.yaml`: which policies and roots a folder is checked with.

use auditlint_syntax::document::reader::{MapReader, string, strings, unknown, wrong};
use auditlint_syntax::document::{self, Node, NodeKind};
use auditlint_syntax::{FileId, Location, Problem, Source, Span};

use super::document::{FURTHER_KEYS, POLICY_KEYS};
use super::external::words;
use crate::catalogue::{LocatedProblem, locate};
use crate::external::{DeclaredRole, Pattern, StoreRole};

/// A config file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Paths of policies (relative to the config file) and `auditlint:NAME`, with their place.
    pub policy: Vec<(String, Span)>,
    /// The folder with rules and facts of one's own, relative to the config file, with its place.
    pub custom: Option<(String, Span)>,
    /// Globs of folders that are left out.
    pub ignore_paths: Vec<String>,
    /// Folders that are roots with environments of their own.
    pub roots: Vec<ConfiguredRoot>,
    /// What stores are for, where the configuration does not say it.
    pub stores: Vec<DeclaredRole>,
    /// How a check reports, where the command line says nothing.
    pub output: Output,
    /// Whether the file is a policy itself.
    pub is_policy: bool,
}

/// How a check reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// One of [`FORMATS`].
    pub format: Option<String>,
    /// Whether every frame is drawn.
    pub full: bool,
    /// Whether findings are counted by rule.
    pub statistics: bool,
    /// Whether excused findings are listed.
    pub shows_exempt: bool,
}

/// The formats of a check, by their names on the command line.
pub const FORMATS: [&str; 5] = ["pretty", "concise", "json", "sarif", "github"];

/// An entry of `roots`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredRoot {
    /// A glob of folders, relative to the config file.
    pub path: String,
    /// Where it is written.
    pub span: Span,
    /// The environments of each of these folders, in the order of the file; without any, a folder has one set of
    /// values as Terraform finds it.
    pub environments: Vec<Environment>,
}

/// A set of values with which a root is applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Variable files, relative to the root's folder, in order.
    pub var_files: Vec<String>,
    /// Variables, each as `--var` takes it.
    pub vars: Vec<(String, String)>,
    /// The value of `terraform.workspace`.
    pub workspace: Option<String>,
    /// The account that it is applied in.
    pub account: Option<String>,
}

impl Config {
    /// Reads a config file.
    ///
    /// # Errors
    /// With all its problems. A `logging_policy` in it is read by the policy loader.
    pub fn read(source: &Source) -> Result<Self, Vec<LocatedProblem>> {
        let document = document::parse(source.text());
        let mut problems = document.problems;
        let mut config = Self::default();
        let mut map = MapReader::new(&document.root, &mut problems);
        if let Some(node) = map.take("policy") {
            let items: Vec<&Node> =
                if node.as_str().is_some() { vec![node] } else { node.items().iter().collect() };
            let own = items.iter().filter_map(|item| Some((item.as_str()?.to_owned(), item.span)));
            config.policy = own.collect();
        }
        if let Some(node) = map.take("custom") {
            config.custom = string(node, map.problems()).map(|path| (path.to_owned(), node.span));
        }
        config.ignore_paths = map.strings("ignore_paths").into_iter().map(str::to_owned).collect();
        if let Some(node) = map.take("roots") {
            config.roots = node.items().iter().filter_map(|item| root(item, map.problems())).collect();
            if !matches!(node.kind, NodeKind::List(_)) {
                map.problems().push(wrong(node, "a list of roots"));
            }
        }
        if let Some(node) = map.take("stores") {
            let file = source.file();
            config.stores =
                node.items().iter().filter_map(|item| store(item, file, map.problems())).collect();
            if !matches!(node.kind, NodeKind::List(_)) {
                map.problems().push(wrong(node, "a list of stores"));
            }
        }
        if let Some(node) = map.take("output") {
            config.output = output(node, map.problems());
        }
        // A config file may be a policy as well; what it says as one is read elsewhere.
        let keys: Vec<bool> = POLICY_KEYS.into_iter().map(|key| map.take(key).is_some()).collect();
        config.is_policy = keys.contains(&true);
        for key in FURTHER_KEYS {
            map.take(key);
        }
        map.finish();
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(locate(source.path().as_str(), source.text(), problems).collect())
        }
    }
}

fn output(node: &Node, problems: &mut Vec<Problem>) -> Output {
    let mut map = MapReader::new(node, problems);
    let (format, show) = (map.take("format"), map.take("show"));
    let (full, statistics) = (map.bool("full"), map.bool("statistics"));
    map.finish();
    let format = format.and_then(|node| {
        let word = string(node, problems)?;
        if !FORMATS.contains(&word) {
            problems.push(unknown("format", word, node.span, FORMATS.into_iter()));
        }
        Some(word.to_owned())
    });
    let mut shows_exempt = false;
    if let Some(node) = show {
        for word in strings(node, problems) {
            match word {
                "exempt" => shows_exempt = true,
                _ => problems.push(unknown("verdict to show", word, node.span, ["exempt"].into_iter())),
            }
        }
    }
    let (full, statistics) = (full == Some(true), statistics == Some(true));
    Output { format, full, statistics, shows_exempt }
}

fn store(node: &Node, file: FileId, problems: &mut Vec<Problem>) -> Option<DeclaredRole> {
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let matches = map.need("match").map(|node| {
        let found = words(node, &mut own);
        if found.is_empty() && own.is_empty() {
            own.push(wrong(node, "an address or a name, or a list of them"));
        }
        found
    });
    let role = map.need("role").and_then(|node| {
        let known = StoreRole::ALL.into_iter().find(|role| node.as_str() == Some(role.as_str()));
        if known.is_none() {
            own.push(wrong(node, "`archive`, `buffer` or `ignore`"));
        }
        known
    });
    map.finish();
    problems.append(&mut own);
    let matches = matches.unwrap_or_default().iter().map(|text| Pattern::new(text)).collect();
    Some(DeclaredRole { matches, role: role?, at: Location { file, span: node.span } })
}

fn root(node: &Node, problems: &mut Vec<Problem>) -> Option<ConfiguredRoot> {
    let mut map = MapReader::new(node, problems);
    let path = map.need("path");
    let environments = map.take("environments");
    map.finish();
    let path = path.and_then(|path| Some((string(path, problems)?.to_owned(), path.span)));
    let named = environments.map(Node::entries).unwrap_or_default();
    if let Some(node) = environments
        && !matches!(node.kind, NodeKind::Map(_))
    {
        problems.push(wrong(node, "environments by their name"));
    }
    let environments = named.iter().map(|entry| environment(&entry.key, &entry.value, problems)).collect();
    let (path, span) = path?;
    Some(ConfiguredRoot { path, span, environments })
}

fn environment(name: &str, node: &Node, problems: &mut Vec<Problem>) -> Environment {
    let mut environment = Environment { name: name.to_owned(), ..Environment::default() };
    // `production:` alone is an environment that differs in nothing but its name.
    if node.kind == NodeKind::Null {
        return environment;
    }
    let mut map = MapReader::new(node, problems);
    environment.var_files = map.strings("var_files").into_iter().map(str::to_owned).collect();
    let vars = map.take("vars").map(Node::entries).unwrap_or_default();
    environment.vars = vars.iter().map(|entry| (entry.key.clone(), expression(&entry.value))).collect();
    environment.workspace = map.string("workspace").map(str::to_owned);
    // Twelve digits are a number in YAML.
    environment.account = map.take("account").map(expression);
    map.finish();
    environment
}

/// A value as `--var` takes it: a string as it is, everything else as an expression.
fn expression(node: &Node) -> String {
    match &node.kind {
        NodeKind::String(text) | NodeKind::Number(_, text) => text.clone(),
        _ => literal(node),
    }
}

fn literal(node: &Node) -> String {
    match &node.kind {
        NodeKind::Null => "null".to_owned(),
        NodeKind::Bool(value) => value.to_string(),
        NodeKind::Number(_, written) => written.clone(),
        NodeKind::String(text) => quoted(text),
        NodeKind::List(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        NodeKind::Map(entries) => {
            let entries =
                entries.iter().map(|entry| format!("{}: {}", quoted(&entry.key), literal(&entry.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A string of HCL that is `text` and no template.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "$${").replace("%{", "%%{");
    format!("\"{}\"", escaped.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use auditlint_syntax::Paths;

    use super::*;

    fn read(text: &str) -> Result<Config, Vec<String>> {
        let path = camino::Utf8Path::new(".auditlint.yaml");
        let source = Source::new(Paths::default().id(path), path.to_owned(), Arc::from(text.as_bytes()));
        Config::read(&source).map_err(|all| all.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn environments_are_read_with_their_values() {
        let text = "roots:\n  - path: 'stacks/*'\n    environments:\n      test:\n      production:\n        var_files: [prod.tfvars]\n        vars: {days: 365, names: [a, \"b\"], tags: {x: 1}, on: true}\n        workspace: prod\n        account: 123456789012\n";
        let config = read(text).unwrap();
        let [root] = config.roots.as_slice() else { panic!("{config:?}") };
        let [test, production] = root.environments.as_slice() else { panic!("{root:?}") };
        assert_eq!((root.path.as_str(), test.name.as_str()), ("stacks/*", "test"));
        let vars: Vec<String> =
            production.vars.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(vars, ["days=365", "names=[\"a\", \"b\"]", "tags={\"x\": 1}", "on=true"]);
        assert_eq!(production.account.as_deref(), Some("123456789012"));
        assert_eq!(production.workspace.as_deref(), Some("prod"));
    }

    #[test]
    fn what_is_wrong_with_a_root_has_its_place() {
        let problems = read("roots:\n  - pth: a\n    environments: [test]\n").unwrap_err();
        assert_eq!(
            problems,
            [
                ".auditlint.yaml:2:5: `path` is missing",
                ".auditlint.yaml:2:5: unknown key `pth`; did you mean `path`?",
                ".auditlint.yaml:3:19: expected environments by their name, found a list",
            ]
        );
    }
}
