//! A file of tests, as it is written.

use auditlint_policy::{Category, LocatedProblem, Verdict};
use auditlint_syntax::document::reader::{MapReader, string, strings, wrong};
use auditlint_syntax::document::{self, Node, NodeKind};
use auditlint_syntax::{Problem, Source, Span};
use jiff::civil::Date;

use super::KIND;
use super::expectation::{Exit, Expected, ExpectedFinding};
use super::mutation::{Allowed, Mutate};

/// The scenarios of a file.
#[derive(Clone, Debug)]
pub struct Scenarios {
    /// The policies that are tested.
    pub(super) policies: Vec<String>,
    /// What parameters are set to.
    pub(super) parameters: Vec<(String, Node)>,
    /// The day.
    pub(super) clock: Option<Date>,
    /// The scenarios.
    pub(super) cases: Vec<Case>,
    /// What to mutate.
    pub(super) mutate: Option<Mutate>,
}

/// One scenario.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) at: Span,
    pub(super) environments: Vec<String>,
    pub(super) parameters: Vec<Vec<(String, Node)>>,
    pub(super) given: Given,
    pub(super) expected: Expected,
}

/// What a scenario looks at.
#[derive(Clone, Debug)]
pub(super) enum Given {
    /// Texts by their paths.
    Files(Vec<(String, String)>),
    /// A file beside the test, as `main.tf`.
    File(String),
    /// All texts of a folder.
    Folder(String),
    /// A plan in a few words: what changes.
    Plan(Vec<PlannedChange>),
    /// A plan or a state beside the test.
    PlanFile(String),
    /// Kubernetes objects.
    Objects(String),
    /// Nothing: what the policy asks is looked at alone.
    Nothing,
}

/// A change of a plan in a few words.
#[derive(Clone, Debug)]
pub(super) struct PlannedChange {
    pub(super) address: String,
    pub(super) actions: Vec<String>,
    pub(super) before: Node,
    pub(super) after: Node,
    pub(super) after_unknown: Node,
}

impl Scenarios {
    /// Reads a file.
    ///
    /// # Errors
    /// With all its problems.
    pub fn read(source: &Source) -> Result<Self, Vec<LocatedProblem>> {
        let document = document::parse(source.text());
        let mut problems = document.problems;
        let found = read(&document.root, &mut problems);
        match found {
            Some(found) if problems.is_empty() => Ok(found),
            _ => {
                problems.sort_by_key(|problem| problem.span.start);
                Err(problems
                    .into_iter()
                    .map(|problem| LocatedProblem::new(source, problem.span, problem.message))
                    .collect())
            }
        }
    }
}

fn read(root: &Node, problems: &mut Vec<Problem>) -> Option<Scenarios> {
    let mut own = Vec::new();
    let mut map = MapReader::new(root, problems);
    map.take("apiVersion");
    if map.need("kind").and_then(Node::as_str) != Some(KIND) {
        own.push(wrong(root, "`kind: PolicyTest`"));
    }
    let policies = map.need("policy").map(|node| strings(node, &mut own)).unwrap_or_default();
    let policies: Vec<String> = policies.into_iter().map(str::to_owned).collect();
    let defaults = map.take("defaults");
    let (cases, mutate) = (map.take("cases"), map.take("mutate"));
    map.finish();
    let (mut parameters, mut clock) = (Vec::new(), None);
    if let Some(node) = defaults {
        let mut map = MapReader::new(node, &mut own);
        parameters = map.take("parameters").map(named).unwrap_or_default();
        let date = map.take("clock");
        map.finish();
        clock = date.and_then(|node| read_date(node, &mut own));
    }
    let cases = cases.map(Node::items).unwrap_or_default().iter().enumerate();
    let cases = cases.filter_map(|(at, node)| case(at, node, &mut own)).collect();
    let mutate = mutate.and_then(|node| read_mutate(node, &mut own));
    let cases: Vec<Case> = cases;
    if cases.is_empty() && mutate.is_none() && own.is_empty() {
        own.push(wrong(root, "`cases` or `mutate`: without either nothing is tested"));
    }
    problems.append(&mut own);
    Some(Scenarios { policies, parameters, clock, cases, mutate })
}

/// A day, or the beginning of a moment.
fn read_date(node: &Node, problems: &mut Vec<Problem>) -> Option<Date> {
    let date = node.as_str().and_then(|text| text.get(..10)?.parse().ok());
    if date.is_none() {
        problems.push(wrong(node, "a day (YYYY-MM-DD)"));
    }
    date
}

fn named(node: &Node) -> Vec<(String, Node)> {
    node.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect()
}

fn case(at: usize, node: &Node, problems: &mut Vec<Problem>) -> Option<Case> {
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let name = map.string("name").map_or_else(|| format!("case {}", at + 1), str::to_owned);
    let matrix = map.take("matrix");
    let (given, expect) = (map.take("given"), map.need("expect"));
    map.finish();
    let (mut environments, mut parameters) = (Vec::new(), Vec::new());
    if let Some(node) = matrix {
        let mut map = MapReader::new(node, &mut own);
        environments = map.strings("environment").into_iter().map(str::to_owned).collect();
        parameters = map.take("parameters").map(Node::items).unwrap_or_default().iter().map(named).collect();
        map.finish();
    }
    let given = given.map_or(Some(Given::Nothing), |node| read_given(node, &mut own));
    let expected = expect.map(|node| read_expected(node, &mut own));
    problems.append(&mut own);
    Some(Case { name, at: node.span, environments, parameters, given: given?, expected: expected? })
}

fn read_given(node: &Node, problems: &mut Vec<Problem>) -> Option<Given> {
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let text = |node: Option<&Node>, own: &mut Vec<Problem>| {
        node.and_then(|node| string(node, own).map(str::to_owned))
    };
    let hcl = map.take("hcl").and_then(|node| string(node, &mut own));
    let hcl_file = text(map.take("hcl_file"), &mut own);
    let files = map.take("files");
    let folder = text(map.take("folder"), &mut own);
    let plan = map.take("plan");
    let plan_file = text(map.take("plan_file").or(map.take("state_file")), &mut own);
    let objects = text(map.take("k8s_audit_policy").or(map.take("kubernetes")), &mut own);
    map.finish();
    let mut found = Vec::new();
    found.extend(hcl.map(|text| Given::Files(vec![("main.tf".to_owned(), text.to_owned())])));
    found.extend(hcl_file.map(Given::File));
    if let Some(node) = files {
        let all = node.entries().iter();
        let all =
            all.filter_map(|entry| Some((entry.key.clone(), string(&entry.value, &mut own)?.to_owned())));
        found.push(Given::Files(all.collect()));
    }
    found.extend(folder.map(Given::Folder));
    if let Some(node) = plan {
        let items =
            if matches!(node.kind, NodeKind::List(_)) { node.items() } else { std::slice::from_ref(node) };
        found.push(Given::Plan(items.iter().filter_map(|item| change(item, &mut own)).collect()));
    }
    found.extend(plan_file.map(Given::PlanFile));
    found.extend(objects.map(Given::Objects));
    problems.append(&mut own);
    if found.len() != 1 {
        problems.push(wrong(
            node,
            "one of `hcl`, `hcl_file`, `files`, `folder`, `plan`, `plan_file`, `state_file`, `k8s_audit_policy`",
        ));
    }
    found.pop()
}

fn change(node: &Node, problems: &mut Vec<Problem>) -> Option<PlannedChange> {
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let address = map.need("resource").and_then(|node| string(node, &mut own)).map(str::to_owned);
    let actions: Vec<String> = map.strings("actions").into_iter().map(str::to_owned).collect();
    let none = Node { kind: NodeKind::Null, ..node.clone() };
    let mut value = |key: &'static str| map.take(key).cloned().unwrap_or_else(|| none.clone());
    let (before, after, after_unknown) = (value("before"), value("after"), value("after_unknown"));
    map.finish();
    problems.append(&mut own);
    let actions = if actions.is_empty() { vec!["create".to_owned()] } else { actions };
    Some(PlannedChange { address: address?, actions, before, after, after_unknown })
}

fn read_expected(node: &Node, problems: &mut Vec<Problem>) -> Expected {
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let mut rules = |key: &'static str, verdict: Verdict| -> Option<Vec<ExpectedFinding>> {
        let node = map.take(key)?;
        let named = strings(node, &mut own).into_iter();
        Some(named.map(|rule| ExpectedFinding::of(rule, verdict)).collect())
    };
    let (fail, unknown) = (rules("fail", Verdict::Fail), rules("unknown", Verdict::Unknown));
    let (pass, exempt) = (rules("pass", Verdict::Pass), rules("exempt", Verdict::Exempt));
    let clean = map.bool("clean") == Some(true);
    let (findings, also) = (map.take("findings"), map.take("also"));
    let allow_extra = map.bool("allow_extra") == Some(true);
    let (gaps, exit, policy) = (map.take("gaps"), map.take("exit"), map.take("policy"));
    let obligations = map.take("obligations");
    let environment = map.string("environment").map(str::to_owned);
    let (flow, sources) = (map.take("flow"), map.take("sources"));
    let refused = map.string("refused").map(str::to_owned);
    map.finish();
    let mut out = Expected { allow_extra, environment, refused, ..Expected::default() };
    if clean || fail.is_some() || unknown.is_some() || findings.is_some() {
        let mut exact = Vec::new();
        exact.extend(fail.into_iter().flatten().chain(unknown.into_iter().flatten()));
        for node in findings.map(Node::items).unwrap_or_default() {
            exact.extend(finding(node, &mut own));
        }
        out.findings = Some(exact);
    }
    out.also.extend(pass.into_iter().flatten().chain(exempt.into_iter().flatten()));
    for node in also.map(Node::items).unwrap_or_default() {
        out.also.extend(finding(node, &mut own));
    }
    out.gaps = gaps.and_then(|node| number(node, &mut own));
    out.obligations =
        obligations.map(|node| strings(node, &mut own).into_iter().map(str::to_owned).collect());
    out.exit = exit.map(|node| match &node.kind {
        NodeKind::Map(entries) => Exit::By(
            entries
                .iter()
                .filter_map(|entry| Some((entry.key.clone(), number(&entry.value, &mut own)?)))
                .collect(),
        ),
        _ => number(node, &mut own).map_or(Exit::By(Vec::new()), Exit::All),
    });
    for entry in policy.map(Node::entries).unwrap_or_default() {
        let text = match &entry.value.kind {
            NodeKind::Number(_, text) | NodeKind::String(text) => text.clone(),
            NodeKind::Bool(value) => value.to_string(),
            _ => {
                own.push(wrong(&entry.value, "a value as `auditlint policy show` prints it"));
                continue;
            }
        };
        out.policy.push((entry.key.clone(), text));
    }
    out.flow =
        flow.map(|node| strings(node, &mut own)).unwrap_or_default().into_iter().map(str::to_owned).collect();
    for entry in sources.map(Node::entries).unwrap_or_default() {
        if let (Some(category), Some(count)) = (Category::parse(&entry.key), number(&entry.value, &mut own)) {
            out.sources.push((category, count));
        } else {
            own.push(wrong(&entry.value, "a category and the number of its sources"));
        }
    }
    problems.append(&mut own);
    out
}

fn finding(node: &Node, problems: &mut Vec<Problem>) -> Option<ExpectedFinding> {
    if let Some(rule) = node.as_str() {
        return Some(ExpectedFinding::of(rule, Verdict::Fail));
    }
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let rule = map.need("rule").and_then(|node| string(node, &mut own)).map(str::to_owned);
    let verdict = map.take("verdict");
    let mut text = |key: &'static str| map.string(key).map(str::to_owned);
    let (address, at, severity) = (text("address"), text("at"), text("severity"));
    let (level, message, fix) = (text("enforcement"), text("message"), text("fix_makes"));
    map.finish();
    let known = [Verdict::Pass, Verdict::Fail, Verdict::Unknown, Verdict::Exempt];
    let mut parse = |node: &Node, word: Option<&str>| {
        let found = known.into_iter().find(|verdict| Some(verdict.as_str()) == word);
        if found.is_none() {
            own.push(wrong(node, "`pass`, `fail`, `unknown` or `exempt`"));
        }
        found
    };
    let said = verdict.map(|node| parse(node, node.as_str()));
    let fix_makes = fix.map(|word| parse(node, Some(&word)));
    problems.append(&mut own);
    Some(ExpectedFinding {
        rule: rule?,
        verdict: said.unwrap_or(Some(Verdict::Fail))?,
        address,
        at,
        severity,
        level,
        message,
        fix_makes: fix_makes.flatten(),
    })
}

fn number(node: &Node, problems: &mut Vec<Problem>) -> Option<u32> {
    match node.kind {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be whole and small"
        )]
        NodeKind::Number(value, _) if value.fract() == 0.0 && (0.0..1e6).contains(&value) => {
            Some(value as u32)
        }
        _ => {
            problems.push(wrong(node, "a number"));
            None
        }
    }
}

fn read_mutate(node: &Node, problems: &mut Vec<Problem>) -> Option<Mutate> {
    let mut own = Vec::new();
    let mut map = MapReader::new(node, problems);
    let from = map.strings("from").into_iter().map(str::to_owned).collect::<Vec<_>>();
    let operators: Vec<String> = map.strings("operators").into_iter().map(str::to_owned).collect();
    let require = map.take("require");
    let policy_mutants = map.bool("policy_mutants");
    map.finish();
    let (mut score, mut allowed) = (1.0, Vec::new());
    if let Some(node) = require {
        let mut map = MapReader::new(node, &mut own);
        let (least, survivors) = (map.take("score"), map.take("allow_survivors"));
        map.finish();
        match least.map(|node| &node.kind) {
            Some(NodeKind::Number(value, _)) => score = *value,
            Some(_) => own.push(wrong(node, "a score from 0 to 1")),
            None => {}
        }
        for item in survivors.map(Node::items).unwrap_or_default() {
            let mut map = MapReader::new(item, &mut own);
            let (operator, on) =
                (map.string("operator").map(str::to_owned), map.string("on").map(str::to_owned));
            let reason = map.need("reason").and_then(Node::as_str).map(str::to_owned);
            map.finish();
            allowed.push(Allowed::new(operator, on, reason.unwrap_or_default()));
        }
    }
    let operators = super::mutation::operators(&operators, node, &mut own);
    problems.append(&mut own);
    Some(Mutate { from, operators, score, allowed, policy: policy_mutants.unwrap_or(true) })
}
