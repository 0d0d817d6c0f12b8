//! What is looked at before a policy in Rego runs: every function that it calls exists and does what it says, none calls
//! itself, and nothing small makes something huge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use auditlint_syntax::{LineColumn, Source, Span};
use regex::Regex;
use regorus::Engine;
use serde_json::Value;

use super::LARGEST;
use crate::LocatedProblem;

/// Brackets in one another; the parser descends into each.
const DEEPEST: usize = 64;
/// Most elements of a range, and most characters of a field of a format.
const LONGEST_RANGE: f64 = 100_000.0;
const WIDEST: usize = 1_000;
/// Functions whose answer is another one each time: two runs would not say the same.
const BY_CHANCE: [&str; 2] = ["rand.intn", "uuid.rfc4122"];

/// A file as the interpreter read it.
pub(super) struct Module {
    source: Arc<Source>,
    /// `main`, `terraform.logging`
    package: String,
    /// By the name under which they are known here: what they stand for.
    imports: BTreeMap<String, String>,
    rules: Vec<Rule>,
}

struct Rule {
    name: String,
    is_function: bool,
    span: Span,
    calls: Vec<Call>,
    /// The names that it reads and does not declare itself.
    uses: BTreeSet<String>,
}

struct Call {
    name: String,
    span: Span,
    parameters: Vec<Value>,
}

/// A rule that is asked.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) package: String,
    pub(super) rule: String,
    pub(super) source: Arc<Source>,
    pub(super) span: Span,
}

/// A file that is larger, or deeper, than any that a person wrote.
pub(super) fn too_large(source: &Arc<Source>) -> Option<LocatedProblem> {
    let text = source.text();
    if text.len() > LARGEST {
        let message = format!("the file is larger than {} MiB", LARGEST >> 20);
        return Some(LocatedProblem::new(source, Span::default(), message));
    }
    let (mut depth, mut quoted, mut escaped, mut comment) = (0_usize, None, false, false);
    for (at, c) in text.char_indices() {
        match (quoted, c) {
            _ if comment => comment = c != '\n',
            (Some('"'), '\\') if !escaped => {
                escaped = true;
                continue;
            }
            (Some(quote), c) if c == quote && !escaped => quoted = None,
            (Some(_), _) => {}
            (None, '"' | '`') => quoted = Some(c),
            (None, '#') => comment = true,
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        escaped = false;
        if depth > DEEPEST {
            let start = u32::try_from(at).unwrap_or(u32::MAX);
            let message = format!("brackets stand more than {DEEPEST} deep in one another");
            return Some(LocatedProblem::new(source, Span::new(start, start + 1), message));
        }
    }
    None
}

/// An error of the interpreter, with the line that it names.
pub(super) fn located(source: &Source, error: &str) -> LocatedProblem {
    static PLACE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"-->.*:(\d+):(\d+)").ok());
    let found = PLACE.as_ref().and_then(|place| place.captures(error));
    let number = |at: usize| found.as_ref()?.get(at)?.as_str().parse().ok();
    let at = LineColumn { line: number(1).unwrap_or(1), column: number(2).unwrap_or(1) };
    let message = error.lines().rev().find_map(|line| line.trim().strip_prefix("error: "));
    let message = message.unwrap_or_else(|| error.trim().lines().last().unwrap_or("it cannot be read"));
    LocatedProblem { path: source.path().to_string(), at, message: message.to_owned() }
}

/// The files as the interpreter read them.
pub(super) fn modules(engine: &mut Engine, sources: &[Arc<Source>]) -> Option<Vec<Module>> {
    let tree: Value = serde_json::from_str(&engine.get_ast_as_json().ok()?).ok()?;
    tree.as_array()?.iter().map(|module| self::module(module, sources)).collect()
}

fn module(node: &Value, sources: &[Arc<Source>]) -> Option<Module> {
    let file = node.pointer("/source/file")?.as_str()?;
    let source = sources.iter().find(|source| source.path() == file)?;
    let tree = node.get("ast")?;
    let mut imports = BTreeMap::new();
    for import in tree["imports"].as_array().into_iter().flatten() {
        let Some(meant) = path(&import["refr"]) else { continue };
        let own = import.get("as").and_then(|span| {
            let span = span_of(span)?;
            source.text().get(span.start as usize..span.end as usize)
        });
        let own = own.or_else(|| meant.rsplit('.').next()).unwrap_or_default().to_owned();
        imports.insert(own, meant);
    }
    let mut rules = Vec::new();
    for rule in tree["rules"].as_array().into_iter().flatten() {
        let Some((kind, rule)) = rule.as_object().and_then(|rule| rule.iter().next()) else { continue };
        let head = rule.get("head").and_then(Value::as_object).and_then(|head| head.iter().next());
        let (is_function, named) = match head {
            Some((kind, head)) => (kind == "Func", &head["refr"]),
            None => (kind == "Default" && !rule["args"].as_array().is_none_or(Vec::is_empty), &rule["refr"]),
        };
        let mut calls = Vec::new();
        self::calls(rule, &mut calls);
        let name = name(named).unwrap_or_default();
        let uses = super::names::free(rule, source);
        rules.push(Rule { name, is_function, span: span_of(&rule["span"])?, calls, uses });
    }
    Some(Module {
        source: Arc::clone(source),
        package: path(tree.pointer("/package/refr")?)?.trim_start_matches("data.").to_owned(),
        imports,
        rules,
    })
}

/// What is wrong with them.
pub(super) fn problems(modules: &[Module]) -> Vec<LocatedProblem> {
    let functions: BTreeSet<String> = modules
        .iter()
        .flat_map(|module| {
            let own = module.rules.iter().filter(|rule| rule.is_function);
            own.map(|rule| format!("data.{}.{}", module.package, rule.name))
        })
        .collect();
    let mut known: BTreeMap<String, bool> = BTreeMap::new();
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut out = Vec::new();
    for module in modules {
        for rule in &module.rules {
            for call in &rule.calls {
                let meant = module.meant(&call.name);
                if functions.contains(&meant) {
                    if rule.is_function {
                        let own = format!("data.{}.{}", module.package, rule.name);
                        edges.entry(own).or_default().insert(meant);
                    }
                    continue;
                }
                let wrong = wrong(call, &mut known);
                out.extend(wrong.map(|message| LocatedProblem::new(&module.source, call.span, message)));
            }
        }
    }
    add_reads(modules, &mut edges);
    for module in modules {
        let mut told = BTreeSet::new();
        for rule in &module.rules {
            let own = format!("data.{}.{}", module.package, rule.name);
            if told.insert(own.clone()) && reaches(&own, &edges) {
                let what = if rule.is_function { "function" } else { "rule" };
                let does = if rule.is_function { "calls" } else { "depends on" };
                let message = format!("the {what} {} {does} itself, and Rego knows no recursion", rule.name);
                out.push(LocatedProblem::new(&module.source, rule.span, message));
            }
        }
    }
    out
}

/// Adds to the calls what each rule reads of other rules.
fn add_reads(modules: &[Module], edges: &mut BTreeMap<String, BTreeSet<String>>) {
    let own = |module: &Module, rule: &Rule| format!("data.{}.{}", module.package, rule.name);
    let all: BTreeSet<String> =
        modules.iter().flat_map(|module| module.rules.iter().map(|rule| own(module, rule))).collect();
    for module in modules {
        for rule in &module.rules {
            for name in &rule.uses {
                let meant = module.meant(name);
                // `data.main.rule.field` reads the rule, however deep the field lies.
                let ends = meant.match_indices('.').map(|(at, _)| at).chain([meant.len()]);
                let read = ends.filter_map(|end| meant.get(..end)).find(|part| all.contains(*part));
                if let Some(read) = read {
                    edges.entry(own(module, rule)).or_default().insert(read.to_owned());
                }
            }
        }
    }
}

/// Whether a rule or function comes back to itself.
fn reaches(own: &str, edges: &BTreeMap<String, BTreeSet<String>>) -> bool {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut open = vec![own];
    while let Some(next) = open.pop() {
        for called in edges.get(next).into_iter().flatten() {
            if called == own {
                return true;
            }
            if seen.insert(called) {
                open.push(called);
            }
        }
    }
    false
}

/// What is wrong with the call of a function that the interpreter has to have.
fn wrong(call: &Call, known: &mut BTreeMap<String, bool>) -> Option<String> {
    let name = call.name.as_str();
    if BY_CHANCE.contains(&name) {
        return Some(format!("`{name}` gives another answer each time: two runs would not say the same"));
    }
    if !*known.entry(name.to_owned()).or_insert_with(|| is_built_in(name)) {
        return Some(format!(
            "`{name}` is no function that policies can call here: the rule would silently never hold"
        ));
    }
    let is_range = matches!(name, "numbers.range" | "numbers.range_step");
    if is_range && !call.parameters.iter().all(is_bounded) {
        return Some(format!(
            "the bounds of `{name}` must be written out, {LONGEST_RANGE} at most, or be a `count(…)`"
        ));
    }
    if name == "sprintf" {
        let format = call.parameters.first().and_then(|first| first.get("String")?.get("value")?.as_str());
        return match format {
            None => Some("the format of `sprintf` must be written out where it is used".to_owned()),
            Some(format) if is_wide(format) => Some(format!(
                "a field of the format is wider than {WIDEST} characters, or as wide as a value says"
            )),
            Some(_) => None,
        };
    }
    None
}

/// Whether the interpreter has a function of that name: without its parameters it says what it lacks.
fn is_built_in(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    if matches!(name, "print" | "walk") {
        return true;
    }
    let mut engine = Engine::new();
    let text = format!("package probe\nanswer := {name}()\n");
    if !name.chars().all(is_plain) || engine.add_policy("probe.rego".to_owned(), text).is_err() {
        return false;
    }
    match engine.eval_rule("data.probe.answer".to_owned()) {
        Ok(_) => true,
        Err(error) => !error.to_string().contains("could not find function"),
    }
}

fn is_bounded(parameter: &Value) -> bool {
    let Some((kind, node)) = parameter.as_object().and_then(|node| node.iter().next()) else { return false };
    match kind.as_str() {
        "Number" => {
            let written = &node["value"];
            let number = written.as_f64().or_else(|| written.as_str()?.parse().ok());
            number.is_some_and(|number| number.abs() <= LONGEST_RANGE)
        }
        "Call" => path(&node["fcn"]).as_deref() == Some("count"),
        "ArithExpr" => {
            matches!(node["op"].as_str(), Some("Add" | "Sub"))
                && is_bounded(&node["lhs"])
                && is_bounded(&node["rhs"])
        }
        _ => false,
    }
}

/// Whether a format asks for a field that is wider than any that is read.
fn is_wide(format: &str) -> bool {
    static FIELD: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"%[-+# 0]*(\*|\d+)?(?:\.(\*|\d+))?").ok());
    let Some(field) = FIELD.as_ref() else { return true };
    field.captures_iter(format).any(|found| {
        let parts = [found.get(1), found.get(2)].into_iter().flatten();
        parts.map(|part| part.as_str()).any(|part| part.parse().map_or(true, |width: usize| width > WIDEST))
    })
}

/// The rules that are asked: those that conftest asks, and `unknown`.
pub(super) fn entries(modules: &[Module], packages: &[String]) -> Vec<Entry> {
    named(modules, |module, name| {
        let first = name.split('_').next().unwrap_or_default();
        let is_asked = matches!(first, "deny" | "violation" | "warn") || name == "unknown";
        is_asked && (packages.is_empty() || packages.contains(&module.package))
    })
}

/// The tests of a file, by the name that OPA and conftest know them by.
pub(super) fn tests(modules: &[Module], file: &Source) -> Vec<Entry> {
    named(modules, |module, name| module.source.file() == file.file() && name.starts_with("test_"))
}

/// The rules whose name is meant, each once.
fn named(modules: &[Module], is_meant: impl Fn(&Module, &str) -> bool) -> Vec<Entry> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for module in modules {
        for rule in module.rules.iter().filter(|rule| is_meant(module, &rule.name)) {
            if !rule.is_function && seen.insert((module.package.clone(), rule.name.clone())) {
                out.push(Entry {
                    package: module.package.clone(),
                    rule: rule.name.clone(),
                    source: Arc::clone(&module.source),
                    span: rule.span,
                });
            }
        }
    }
    out.sort_by(|a, b| (&a.package, &a.rule).cmp(&(&b.package, &b.rule)));
    out
}

impl Module {
    /// What a name in this file stands for.
    fn meant(&self, name: &str) -> String {
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        match self.imports.get(first) {
            Some(meant) if rest.is_empty() => meant.clone(),
            Some(meant) => format!("{meant}.{rest}"),
            None if first == "data" => name.to_owned(),
            None => format!("data.{}.{name}", self.package),
        }
    }
}

/// The calls in a part of the tree.
fn calls(node: &Value, out: &mut Vec<Call>) {
    match node {
        Value::Array(items) => items.iter().for_each(|item| calls(item, out)),
        Value::Object(map) => {
            if let Some(call) = map.get("Call") {
                let parameters = call["params"].as_array().cloned().unwrap_or_default();
                if let (Some(name), Some(span)) = (path(&call["fcn"]), span_of(&call["span"])) {
                    out.push(Call { name, span, parameters });
                }
            }
            map.values().for_each(|value| calls(value, out));
        }
        _ => {}
    }
}

/// A name with its dots.
pub(super) fn path(node: &Value) -> Option<String> {
    let (kind, inner) = node.as_object()?.iter().next()?;
    match kind.as_str() {
        "Var" => Some(inner["value"].as_str()?.to_owned()),
        "RefDot" => Some(format!("{}.{}", path(&inner["refr"])?, inner["field"].get(1)?.as_str()?)),
        "RefBrack" => Some(format!(
            "{}.{}",
            path(&inner["refr"])?,
            inner["index"].get("String")?.get("value")?.as_str()?
        )),
        _ => None,
    }
}

/// The name of a rule: the first part of what its head names.
fn name(node: &Value) -> Option<String> {
    let (kind, inner) = node.as_object()?.iter().next()?;
    match kind.as_str() {
        "Var" => Some(inner["value"].as_str()?.to_owned()),
        "RefDot" | "RefBrack" => name(&inner["refr"]),
        _ => None,
    }
}

pub(super) fn span_of(node: &Value) -> Option<Span> {
    let number = |name: &str| u32::try_from(node.get(name)?.as_u64()?).ok();
    Some(Span::new(number("start")?, number("end")?))
}
