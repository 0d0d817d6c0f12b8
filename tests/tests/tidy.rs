//! What the repository holds itself to and no compiler sees: which crate may know which, where a dependency may
//! enter, how long a module gets, and that nothing in it speaks of one machine.
//!
//! Each rule is a function from texts to complaints, and the last tests hand it texts that must be complained about.

#![expect(clippy::indexing_slicing, reason = "a value of JSON that is not there is null")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context as _, ensure};
use auditlint_tests::repository;
use camino::Utf8Path;
use serde_json::Value;

/// A module longer than this has two nouns; the aim is 400.
const LONGEST_MODULE: usize = 600;

/// What each package may know of the others, in the direction of the data.
const DIRECTION: [(&str, &[&str]); 10] = [
    ("auditlint_syntax", &[]),
    ("auditlint_graph", &["auditlint_syntax"]),
    ("auditlint_policy", &["auditlint_syntax", "auditlint_graph"]),
    ("auditlint_analysis", &["auditlint_syntax", "auditlint_graph", "auditlint_policy"]),
    ("auditlint_report", CORE),
    ("auditlint_lsp", CORE),
    ("auditlint", SHIPPED),
    ("auditlint_tests", SHIPPED),
    ("auditlint_bench", CORE),
    ("xtask", &[]),
];
const CORE: &[&str] = &["auditlint_syntax", "auditlint_graph", "auditlint_policy", "auditlint_analysis"];
const SHIPPED: &[&str] = &[
    "auditlint_syntax",
    "auditlint_graph",
    "auditlint_policy",
    "auditlint_analysis",
    "auditlint_report",
    "auditlint_lsp",
];

/// Where a package of others may be a direct dependency: its types stay there.
const OWNED: [(&str, &[&str]); 5] = [
    // The yardstick measures the parser without auditlint.
    ("hcl-edit", &["auditlint_syntax", "auditlint_bench"]),
    ("saphyr-parser", &["auditlint_syntax"]),
    ("tower-lsp-server", &["auditlint_lsp"]),
    ("codespan-reporting", &["auditlint_report"]),
    ("clap", &["auditlint"]),
];

/// No `async` below the server.
const ASYNCHRONOUS: [&str; 4] = ["tokio", "async-std", "smol", "futures-executor"];
const SYNCHRONOUS: [&str; 5] =
    ["auditlint_syntax", "auditlint_graph", "auditlint_policy", "auditlint_analysis", "auditlint_report"];

/// A direct dependency of a package of the workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: String,
    to: String,
    /// Whether it is there for tests, examples and benches alone.
    development: bool,
}

fn read(path: &str) -> anyhow::Result<String> {
    #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
    std::fs::read_to_string(repository().join(path)).with_context(|| path.to_owned())
}

fn output(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let run = Command::new(program).args(arguments).current_dir(repository()).output()?;
    ensure!(
        run.status.success(),
        "{program} {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&run.stderr)
    );
    Ok(String::from_utf8(run.stdout)?)
}

/// The files under version control, or those that would be.
fn tracked() -> anyhow::Result<Vec<String>> {
    let listed = output("git", &["ls-files", "--cached", "--others", "--exclude-standard"])?;
    let present = listed.lines().filter(|path| repository().join(path).is_file());
    Ok(present.map(str::to_owned).collect())
}

/// The tracked files that are text, with it.
fn texts() -> anyhow::Result<Vec<(String, String)>> {
    let mut out = Vec::new();
    for path in tracked()? {
        #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
        let bytes = std::fs::read(repository().join(&path)).with_context(|| path.clone())?;
        if let Ok(text) = String::from_utf8(bytes) {
            out.push((path, text));
        }
    }
    ensure!(out.len() > 200, "only {} files are tracked", out.len());
    Ok(out)
}

/// The direct dependencies of the packages of this workspace.
fn edges() -> anyhow::Result<Vec<Edge>> {
    #[expect(clippy::disallowed_methods, reason = "the cargo that runs this test")]
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    // With --locked it fails where Cargo.lock is not what the manifests come to.
    let metadata = output(&cargo, &["metadata", "--format-version=1", "--no-deps", "--locked"])?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let mut edges = Vec::new();
    for package in list(&metadata, "packages") {
        for dependency in list(&package, "dependencies") {
            edges.push(Edge {
                from: text(&package, "name"),
                to: text(&dependency, "name"),
                development: dependency["kind"] == "dev",
            });
        }
    }
    ensure!(edges.len() > 50, "only {} dependencies", edges.len());
    Ok(edges)
}

/// The dependencies of every package by its name, as `Cargo.lock` has them.
fn locked(lock: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut name, mut inside) = (String::new(), false);
    for line in lock.lines() {
        if let Some(quoted) = line.strip_prefix("name = ") {
            name = quoted.trim_matches('"').to_owned();
            out.entry(name.clone()).or_default();
        } else if line == "dependencies = [" {
            inside = true;
        } else if line == "]" {
            inside = false;
        } else if inside {
            let to = line.trim().trim_end_matches(',').trim_matches('"');
            let to = to.split(' ').next().unwrap_or_default();
            out.entry(name.clone()).or_default().insert(to.to_owned());
        }
    }
    out
}

fn backward(edges: &[Edge]) -> Vec<String> {
    let direction: BTreeMap<&str, &[&str]> = DIRECTION.into_iter().collect();
    let mut wrong = Vec::new();
    for edge in edges {
        match direction.get(edge.from.as_str()) {
            None => wrong.push(format!("{} has no place in the direction of dependencies", edge.from)),
            Some(allowed) => {
                if direction.contains_key(edge.to.as_str()) && !allowed.contains(&edge.to.as_str()) {
                    wrong.push(format!("{} must not know {}", edge.from, edge.to));
                }
            }
        }
    }
    wrong
}

fn astray(edges: &[Edge]) -> Vec<String> {
    let mut wrong = Vec::new();
    for edge in edges {
        for (package, owners) in OWNED {
            if edge.to == package && !owners.contains(&edge.from.as_str()) {
                wrong.push(format!(
                    "{} must not depend on {package}: only {} may",
                    edge.from,
                    owners.join(", ")
                ));
            }
        }
    }
    wrong
}

/// The packages below the server that reach a runtime, through whichever others.
fn asynchronous(edges: &[Edge], locked: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in SYNCHRONOUS {
        let direct = edges.iter().filter(|edge| edge.from == package && !edge.development);
        let mut open: Vec<(String, String)> = direct.map(|edge| (edge.to.clone(), edge.to.clone())).collect();
        let mut seen = BTreeSet::new();
        while let Some((name, way)) = open.pop() {
            if ASYNCHRONOUS.contains(&name.as_str()) {
                wrong.push(format!("{package} reaches {name} by {way}"));
            }
            // The packages of this workspace have rows of their own, without what their tests need.
            if SHIPPED.contains(&name.as_str()) || !seen.insert(name.clone()) {
                continue;
            }
            let next = locked.get(&name).into_iter().flatten();
            open.extend(next.map(|to| (to.clone(), format!("{way} > {to}"))));
        }
    }
    wrong
}

/// The lines of a manifest's tables whose name ends so, with their numbers from 1.
fn table<'a>(manifest: &'a str, suffix: &str) -> Vec<(usize, &'a str)> {
    let mut inside = false;
    let mut out = Vec::new();
    for (n, line) in manifest.lines().enumerate() {
        if let Some(header) = line.strip_prefix('[') {
            inside = header.trim_end_matches(']').ends_with(suffix);
        } else if inside && !line.trim().is_empty() && !line.starts_with('#') {
            out.push((n + 1, line));
        }
    }
    out
}

/// Lines of `[workspace.dependencies]` that do not say why, or that no package uses.
fn unexplained(manifest: &str, members: &[String]) -> Vec<String> {
    let used: BTreeSet<&str> = members
        .iter()
        .flat_map(|text| table(text, "dependencies"))
        .filter_map(|(_, line)| line.split(['.', ' ', '=']).next())
        .collect();
    let mut wrong = Vec::new();
    for (n, line) in table(manifest, "workspace.dependencies") {
        let name = line.split(' ').next().unwrap_or_default();
        let ours = line.contains("path = ");
        let why = line.rsplit_once('#').map_or("", |(_, why)| why.trim());
        if !ours && why.split(' ').count() < 2 {
            wrong.push(format!("Cargo.toml:{n}: {name} does not say why it is there"));
        }
        if !used.contains(name) {
            wrong.push(format!("Cargo.toml:{n}: no package uses {name}"));
        }
    }
    wrong
}

/// Versions that stand elsewhere than in the workspace's table.
fn versions_elsewhere(path: &str, manifest: &str) -> Vec<String> {
    let lines = table(manifest, "dependencies").into_iter();
    let wrong = lines.filter(|(_, line)| !line.contains("workspace = true"));
    wrong.map(|(n, line)| format!("{path}:{n}: `{line}` has its version in the workspace's table")).collect()
}

fn misplaced_module(path: &str, text: &str) -> Option<String> {
    if !path.ends_with(".rs") {
        return None;
    }
    let path = Utf8Path::new(path);
    let lines = text.lines().count();
    if lines > LONGEST_MODULE {
        return Some(format!("{path} has {lines} lines, at most {LONGEST_MODULE} are readable"));
    }
    let says_nothing = ["util", "utils", "helper", "helpers", "common", "misc"];
    let stem = path.file_stem().unwrap_or_default();
    if says_nothing.contains(&stem) {
        return Some(format!("{path} is named by no noun of the domain"));
    }
    let private = path.components().any(|part| matches!(part.as_str(), "tests" | "editors"));
    (!private && !text.starts_with("//!") && !text.starts_with("#!["))
        .then(|| format!("{path} does not begin with why it exists"))
}

/// Words that no file may hold. They are put together here so that this file does not hold them.
fn forbidden() -> Vec<(String, &'static str)> {
    let word = |parts: &[&str]| parts.concat();
    vec![
        (word(&["/wo", "rk/"]), "a path of one machine"),
        (word(&["/ho", "me/"]), "a path of one machine"),
        (word(&["/ro", "ot/"]), "a path of one machine"),
        (word(&["/Us", "ers/"]), "a path of one machine"),
        (word(&["/tm", "p/"]), "a path of one machine"),
        (word(&["arti", "factory"]), "the host of a mirror"),
        (word(&["TO", "DO"]), "work that is not done"),
        (word(&["FIX", "ME"]), "work that is not done"),
        (word(&["white", "list"]), "the list is of what is allowed"),
        (word(&["black", "list"]), "the list is of what is refused"),
        (word(&["wai", "ver"]), "the word is exemption"),
    ]
}

fn improper(path: &str, text: &str, forbidden: &[(String, &'static str)]) -> Vec<String> {
    // The skeleton of a rule marks what its author decides, and the words of the schemas are those of the providers.
    if path == "xtask/src/rule.rs" || path.starts_with("policies/schemas/") {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    for (n, line) in text.lines().enumerate() {
        for (word, why) in forbidden {
            let exact = word.chars().any(|letter| letter.is_uppercase() || letter == '/');
            let holds = if exact { line.contains(word) } else { line.to_lowercase().contains(word) };
            // A path of one machine is one that begins there, not `examples/work/…`.
            let begins = !word.starts_with('/')
                || line.match_indices(word.as_str()).any(|(at, _)| {
                    let before = line.get(..at).and_then(|before| before.chars().next_back());
                    !before.is_some_and(|letter| letter.is_alphanumeric() || "._-}*".contains(letter))
                });
            if holds && begins {
                wrong.push(format!("{path}:{}: `{word}`: {why}", n + 1));
            }
        }
    }
    wrong
}

/// What is wrong with the place of a file of the catalogue.
fn misplaced_policy(path: &str, text: &str) -> Option<String> {
    let below = path.strip_prefix("policies/")?.strip_suffix(".yaml")?;
    let parts: Vec<&str> = below.split('/').collect();
    let plain = |part: &str, also: char| {
        !part.is_empty()
            && part
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == also)
    };
    match parts.as_slice() {
        ["rules", id @ ..] => {
            if id.len() != 3 || !id.iter().all(|part| plain(part, '-')) {
                return Some(format!("{path}: the id of a rule is provider/service/name"));
            }
            text.lines()
                .any(|line| line.starts_with("id:"))
                .then(|| format!("{path}: the id of a rule is its path"))
        }
        ["resources", _, kind] => {
            let says = text.lines().find_map(|line| line.strip_prefix("type:")).map(str::trim);
            (says != Some(kind)).then(|| format!("{path}: the facts of {kind} say that they are of {says:?}"))
        }
        ["resources", ..] => Some(format!("{path}: facts lie in resources/provider/type.yaml")),
        _ => None,
    }
}

fn none_of(wrong: &[String]) -> anyhow::Result<()> {
    ensure!(wrong.is_empty(), "{} complaints:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

#[test]
fn dependencies_point_in_one_direction() -> anyhow::Result<()> {
    let edges = edges()?;
    let placed: BTreeSet<&str> = edges.iter().map(|edge| edge.from.as_str()).collect();
    let missing = DIRECTION.iter().filter(|(name, _)| !placed.contains(name));
    let mut wrong: Vec<String> = missing.map(|(name, _)| format!("there is no package {name}")).collect();
    wrong.extend(backward(&edges));
    none_of(&wrong)
}

#[test]
fn types_of_others_stay_in_the_crate_that_owns_them() -> anyhow::Result<()> {
    none_of(&astray(&edges()?))
}

#[test]
fn nothing_below_the_server_is_asynchronous() -> anyhow::Result<()> {
    let locked = locked(&read("Cargo.lock")?);
    ensure!(locked.get("tower-lsp-server").is_some_and(|to| to.contains("tokio")), "Cargo.lock was not read");
    none_of(&asynchronous(&edges()?, &locked))
}

#[test]
fn every_dependency_says_why_and_has_one_version() -> anyhow::Result<()> {
    let manifests: Vec<(String, String)> = tracked()?
        .into_iter()
        // The extension for Zed is built by Zed, for its own target: it is no member of the workspace.
        .filter(|path| path.ends_with("/Cargo.toml") && !path.starts_with("editors/"))
        .map(|path| Ok((path.clone(), read(&path)?)))
        .collect::<anyhow::Result<_>>()?;
    ensure!(manifests.len() >= DIRECTION.len(), "only {} manifests", manifests.len());
    let texts: Vec<String> = manifests.iter().map(|(_, text)| text.clone()).collect();
    let mut wrong = unexplained(&read("Cargo.toml")?, &texts);
    wrong.extend(manifests.iter().flat_map(|(path, text)| versions_elsewhere(path, text)));
    none_of(&wrong)
}

#[test]
fn modules_are_short_and_named_by_a_noun() -> anyhow::Result<()> {
    let texts = texts()?;
    none_of(&texts.iter().filter_map(|(path, text)| misplaced_module(path, text)).collect::<Vec<_>>())
}

#[test]
fn no_file_speaks_of_a_machine_or_holds_work_to_do() -> anyhow::Result<()> {
    let words = forbidden();
    none_of(&texts()?.iter().flat_map(|(path, text)| improper(path, text, &words)).collect::<Vec<_>>())
}

#[test]
fn every_rule_and_every_fact_lies_where_its_name_says() -> anyhow::Result<()> {
    let texts = texts()?;
    let policies: Vec<_> = texts.iter().filter(|(path, _)| path.starts_with("policies/")).collect();
    ensure!(policies.len() > 100, "only {} files of the catalogue", policies.len());
    none_of(&policies.iter().filter_map(|(path, text)| misplaced_policy(path, text)).collect::<Vec<_>>())
}

fn edge(from: &str, to: &str) -> Edge {
    Edge { from: from.to_owned(), to: to.to_owned(), development: false }
}

#[test]
fn a_dependency_that_points_back_is_refused() {
    assert_eq!(backward(&[edge("auditlint_lsp", "auditlint_analysis")]), Vec::<String>::new());
    for (from, to) in [
        ("auditlint_syntax", "auditlint_graph"),
        ("auditlint_report", "auditlint_lsp"),
        ("auditlint_analysis", "auditlint_report"),
        ("auditlint_new", "serde"),
    ] {
        assert_eq!(backward(&[edge(from, to)]).len(), 1, "{from} -> {to}");
    }
    assert_eq!(astray(&[edge("auditlint_graph", "hcl-edit"), edge("auditlint_syntax", "hcl-edit")]).len(), 1);
}

#[test]
fn a_runtime_below_the_server_is_refused_however_far_away() {
    let locked = locked(
        "[[package]]\nname = \"far\"\nversion = \"1.0.0\"\ndependencies = [\n \"near 2.0.0\",\n]\n\n\
         [[package]]\nname = \"near\"\nversion = \"2.0.0\"\ndependencies = [\n \"tokio\",\n]\n",
    );
    let wrong = asynchronous(&[edge("auditlint_graph", "far"), edge("auditlint_lsp", "tokio")], &locked);
    assert_eq!(wrong, ["auditlint_graph reaches tokio by far > near > tokio"]);
}

#[test]
fn a_dependency_without_a_reason_a_use_or_one_version_is_refused() {
    let member = "[dev-dependencies]\nserde.workspace = true\nregex = \"1\"\n".to_owned();
    assert_eq!(versions_elsewhere("x/Cargo.toml", &member).len(), 1);
    let manifest = "[workspace.dependencies]\nserde = \"1\"  # the derive for typed reads\n";
    assert_eq!(unexplained(manifest, std::slice::from_ref(&member)), Vec::<String>::new());
    let manifest = "[workspace.dependencies]\nserde = \"1\"\ninsta = \"1\" # snapshots of renderers\n";
    assert_eq!(unexplained(manifest, &[member]).len(), 2);
}

#[test]
fn a_module_that_is_long_or_named_by_nothing_is_refused() {
    assert_eq!(misplaced_module("crates/a/src/retention.rs", "//! Retention.\n"), None);
    assert!(misplaced_module("crates/a/src/utils.rs", "//! All sorts.\n").is_some());
    assert!(misplaced_module("crates/a/src/retention.rs", "fn main() {}\n").is_some());
    assert!(misplaced_module("crates/a/src/retention.rs", &"//!\n".repeat(LONGEST_MODULE + 1)).is_some());
}

#[test]
fn a_forbidden_word_is_refused() {
    let words = forbidden();
    for (word, why) in &words {
        assert_eq!(improper("docs/a.md", &format!("see {word}x"), &words).len(), 1, "{word}: {why}");
    }
    let inside = format!("stacks{}main.tf", words[0].0);
    assert_eq!(improper("docs/a.md", &inside, &words), Vec::<String>::new());
}

#[test]
fn a_policy_in_another_place_is_refused() {
    assert_eq!(misplaced_policy("policies/rules/aws/s3/access-logs.yaml", "title: x\n"), None);
    assert_eq!(misplaced_policy("policies/resources/aws/aws_lb.yaml", "type: aws_lb\n"), None);
    for (path, text) in [
        ("policies/rules/aws/access-logs.yaml", "title: x\n"),
        ("policies/rules/aws/s3/Access_Logs.yaml", "title: x\n"),
        ("policies/rules/aws/s3/access-logs.yaml", "id: other\n"),
        ("policies/resources/aws/aws_lb.yaml", "type: aws_alb\n"),
        ("policies/resources/aws_lb.yaml", "type: aws_lb\n"),
    ] {
        assert!(misplaced_policy(path, text).is_some(), "{path}");
    }
}
