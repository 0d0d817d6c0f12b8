//! The examples of a rule of somebody's own: each is a configuration whose resources are marked with their verdicts
//! (`#! pass`, `fail`, `unknown`, `not_applicable`), and a rule that says what becomes of it shows the fixed text.

use std::collections::BTreeMap;
use std::sync::Arc;

use auditlint_graph::terraform::RootInputs;
use auditlint_policy::rule::Example;
use auditlint_policy::{Catalogue, LocatedProblem, Reading, Verdict};
use auditlint_syntax::{MemoryFiles, Source, Span, TextEdit, apply_edits, document};
use camino::Utf8Path;

use super::{ScenarioResult, TestBed, TestReport};
use crate::{AnalysisHost, Change, NamedPolicy, PolicySet, RootSpec, Settings, custom, load_policies};

/// Rounds of fixes; a text that is not right after them will not be.
const ROUNDS: usize = 20;

/// The folder of rules that holds `path`, and the id of the rule.
fn place(path: &Utf8Path) -> Option<(&Utf8Path, &str)> {
    let (folder, id) =
        path.as_str().rsplit_once("/rules/").or_else(|| Some(("", path.as_str().strip_prefix("rules/")?)))?;
    Some((Utf8Path::new(folder), id.strip_suffix(".yaml")?))
}

/// Whether a text is a rule with examples, in a folder of rules.
#[must_use]
pub fn is_rule(source: &Source) -> bool {
    let root = document::parse(source.text()).root;
    place(source.path()).is_some() && root.get("requires").is_some() && root.get("examples").is_some()
}

/// Runs the examples of a rule.
#[must_use]
pub fn run_examples(source: &Arc<Source>, bed: &TestBed<'_>) -> TestReport {
    let path = source.path().to_string();
    let failed = |message: String| TestReport {
        problems: vec![LocatedProblem::new(source, Span::default(), message)],
        path: path.clone(),
        ..TestReport::default()
    };
    let Some((folder, id)) = place(source.path()) else {
        return failed("it lies in no folder of rules".to_owned());
    };
    let catalogue = match custom::of_folder(bed.catalogue, folder, bed.files, Reading::Whole) {
        Ok(catalogue) => Arc::new(catalogue),
        Err(problems) => return TestReport { path, problems, ..TestReport::default() },
    };
    let Some(rule) = catalogue.rule(id).cloned() else { return failed(format!("there is no rule {id}")) };
    let scenarios = rule.examples.iter().map(|example| {
        let failures = judged(&catalogue, &rule.id, example).unwrap_or_else(|problem| vec![problem]);
        ScenarioResult { name: format!("{id}: {}", example.name), line: example.line, failures }
    });
    TestReport { scenarios: scenarios.collect(), path, ..TestReport::default() }
}

/// What of an example is not as it says.
fn judged(catalogue: &Arc<Catalogue>, id: &str, example: &Example) -> Result<Vec<String>, String> {
    let (text, marks) = marks(&example.hcl)?;
    if marks.is_empty() {
        return Err("no resource is marked".to_owned());
    }
    let own = format!("rules:\n  - {id}\n");
    let policy = example.policy.as_deref().unwrap_or(&own);
    let mut host = host(catalogue, policy, &text)?;
    let found = verdicts(&host, id)?;
    let mut out = Vec::new();
    let speaks = |mark: &&Mark| mark.rule.as_deref().is_none_or(|rule| rule == id);
    for Mark { resource, verdict: expected, .. } in marks.iter().filter(speaks) {
        let verdict = found.get(resource).copied().unwrap_or(Verdict::NotApplicable);
        if verdict != *expected {
            out.push(format!("{resource} is {}, and marked {}", verdict.as_str(), expected.as_str()));
        }
    }
    let Some(expected) = &example.fixed else { return Ok(out) };
    let fixed = fixed(&mut host, id, text)?;
    if fixed != *expected {
        let found = fixed.lines().zip(expected.lines()).find(|(one, other)| one != other);
        let line = found.map_or_else(
            || "its length".to_owned(),
            |(one, other)| format!("`{one}` where `{other}` is shown"),
        );
        out.push(format!("the fixed text is another one: {line}"));
    }
    Ok(out)
}

fn host(catalogue: &Arc<Catalogue>, policy: &str, text: &str) -> Result<AnalysisHost, String> {
    let files = MemoryFiles::of([("main.tf", text), ("policy.yaml", policy)]);
    let set = set(catalogue, &files)?;
    let mut host =
        AnalysisHost::new(Arc::new(files), set, Settings { keep_passes: true, ..Settings::default() });
    host.apply_change(Change::Roots(vec![RootSpec::Folder {
        inputs: RootInputs::default(),
        environment: None,
    }]));
    Ok(host)
}

fn set(catalogue: &Arc<Catalogue>, files: &MemoryFiles) -> Result<PolicySet, String> {
    use auditlint_syntax::Files as _;
    let policy = files.read(Utf8Path::new("policy.yaml")).map_err(|reason| reason.to_string())?;
    let named = [NamedPolicy::Text(policy)];
    load_policies(catalogue, files, Utf8Path::new(""), &named).map_err(|error| error.to_string())
}

/// The verdicts of a rule by resource, the worst of its instances.
fn verdicts(host: &AnalysisHost, id: &str) -> Result<BTreeMap<String, Verdict>, String> {
    let analysis = host.analysis();
    let report = analysis.check(&analysis.roots()).map_err(|_| "it was given up".to_owned())?;
    if let Some(gap) = report.roots.iter().flat_map(|root| &root.gaps).next() {
        return Err(format!("the example has a gap: {}", gap.reason));
    }
    let mut all: BTreeMap<String, Vec<Verdict>> = BTreeMap::new();
    for (_, finding) in report.findings().filter(|(_, finding)| *finding.rule == *id) {
        let address = &finding.address;
        all.entry(format!("{}.{}", address.kind, address.name)).or_default().push(finding.verdict);
    }
    Ok(all.into_iter().map(|(name, verdicts)| (name, Verdict::all(verdicts))).collect())
}

/// The text after the first fix of every failure.
fn fixed(host: &mut AnalysisHost, id: &str, mut text: String) -> Result<String, String> {
    for _ in 0..ROUNDS {
        let analysis = host.analysis();
        let roots = analysis.roots();
        let report = analysis.check(&roots).map_err(|_| "it was given up".to_owned())?;
        let mut failing =
            report.findings().filter(|(_, finding)| *finding.rule == *id && finding.verdict == Verdict::Fail);
        let fix =
            failing.find_map(|(_, finding)| analysis.fixes_of(*roots.first()?, finding).into_iter().next());
        let Some(fix) = fix else { return Ok(text) };
        let edits: Vec<TextEdit> = fix.edits.iter().flat_map(|file| file.edits.clone()).collect();
        let after = apply_edits(text.as_bytes(), &edits).map_err(|error| error.to_string())?;
        text = String::from_utf8(after).map_err(|error| error.to_string())?;
        host.apply_change(Change::Overlay("main.tf".into(), text.as_str().into()));
    }
    Err("the fixes come to no end".to_owned())
}

/// A mark on the header line of a resource: `resource "T" "N" { #! fail`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// `T.N`, or `module.N` for the call of a module.
    pub resource: String,
    /// What is expected; `rule` where the mark names one.
    pub rule: Option<String>,
    /// The verdict; `not_applicable` where no verdict may be given.
    pub verdict: Verdict,
}

/// Takes the marks out of a text.
///
/// # Errors
/// When one is not understood.
pub fn marks(text: &str) -> Result<(String, Vec<Mark>), String> {
    let mut clean = String::with_capacity(text.len());
    let mut marks = Vec::new();
    for line in text.split_inclusive('\n') {
        let Some((code, mark)) = line.split_once("#!") else {
            clean.push_str(line);
            continue;
        };
        let mut labels = code.split('"').skip(1).step_by(2);
        let resource = match (labels.next(), labels.next()) {
            (Some(kind), Some(name)) => format!("{kind}.{name}"),
            (Some(name), None) if code.trim_start().starts_with("module ") => format!("module.{name}"),
            _ => return Err(format!("a mark stands on the header of a resource: {line}")),
        };
        for one in mark.trim().split(',') {
            let mut words = one.split_whitespace();
            let verdict = match words.next() {
                Some("pass") => Verdict::Pass,
                Some("fail") => Verdict::Fail,
                Some("unknown") => Verdict::Unknown,
                Some("not_applicable") => Verdict::NotApplicable,
                Some("exempt") => Verdict::Exempt,
                other => return Err(format!("{other:?} is no verdict: {line}")),
            };
            marks.push(Mark { resource: resource.clone(), rule: words.next().map(str::to_owned), verdict });
        }
        clean.push_str(code.trim_end());
        clean.push('\n');
    }
    Ok((clean, marks))
}
