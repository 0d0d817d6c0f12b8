//! One scenario after the other: what is given, judged, and held against what is expected.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use auditlint_policy::intent::Statement;
use auditlint_policy::{Certainty, Days, Finding, FlowMap, Keeps, Place, Policy, Severity, Verdict};
use auditlint_syntax::document::Node;
use auditlint_syntax::{Files as _, MemoryFiles, Source, apply_edits};
use camino::Utf8Path;

use super::expectation::{Expected, ExpectedFinding};
use super::reading::{Case, Scenarios};
use super::{TestBed, given};
use crate::{
    Analysis, CONFIG_NAME, Change, Gate, InputMode, PolicySet, Report, RootReport, Settings, SetupError,
    outcome,
};

/// What became of a scenario.
#[derive(Clone, Debug)]
pub struct ScenarioResult {
    /// Its name, with the values of its matrix.
    pub name: String,
    /// The line of the file where it stands.
    pub line: u32,
    /// What is not as expected; empty where all is.
    pub failures: Vec<String>,
}

/// Which verdicts of which rules were seen, of those that the policy turns on.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// By rule: whether a pass, a failure and an unknown were seen.
    pub rules: BTreeMap<String, [bool; 3]>,
}

impl Coverage {
    /// The rules that nothing ever failed: a scenario in which they do would show that they can.
    pub fn vacuous(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter(|(_, [_, failed, _])| !failed).map(|(rule, _)| rule.as_str())
    }

    fn see(&mut self, policy: &Policy, report: &Report) {
        for binding in &policy.bindings {
            self.rules.entry(binding.rule.id.to_string()).or_default();
        }
        for (_, finding) in report.findings() {
            let Some([pass, fail, unknown]) = self.rules.get_mut(&*finding.rule) else { continue };
            match finding.verdict {
                Verdict::Pass => *pass = true,
                Verdict::Fail | Verdict::Exempt => *fail = true,
                Verdict::Unknown => *unknown = true,
                Verdict::NotApplicable => {}
            }
        }
    }
}

/// What is judged in place of what the policies say, and the policies that were loaded already.
#[derive(Clone, Copy)]
pub(super) struct Judging<'s> {
    /// What is asked; none for what the policies say.
    pub(super) statement: Option<&'s Statement>,
    /// The policies of scenarios without a config of their own, by the parameters that are set.
    pub(super) loaded: &'s RefCell<BTreeMap<String, PolicySet>>,
}

/// What the policies of a file ask where no environment is known.
pub(super) fn statement(
    scenarios: &Scenarios,
    source: &Source,
    bed: &TestBed<'_>,
) -> Result<Statement, SetupError> {
    let set = given::policies(scenarios, &[], source, (bed.catalogue, bed.files, &MemoryFiles::new()))?;
    Ok(Statement::clone(&set.policy.statement))
}

/// Runs all scenarios of a file.
pub(super) fn run_all(
    scenarios: &Scenarios,
    source: &Arc<Source>,
    bed: &TestBed<'_>,
    coverage: &mut Coverage,
) -> Result<Vec<ScenarioResult>, SetupError> {
    let loaded = RefCell::default();
    run_with(scenarios, source, bed, coverage, Judging { statement: None, loaded: &loaded })
}

/// Runs all scenarios of a file against something else than its policies.
pub(super) fn run_with(
    scenarios: &Scenarios,
    source: &Arc<Source>,
    bed: &TestBed<'_>,
    coverage: &mut Coverage,
    judging: Judging<'_>,
) -> Result<Vec<ScenarioResult>, SetupError> {
    let mut out = Vec::new();
    for case in &scenarios.cases {
        let environments: Vec<Option<&str>> = match case.environments.as_slice() {
            [] => vec![None],
            some => some.iter().map(|name| Some(name.as_str())).collect(),
        };
        let none = vec![Vec::new()];
        let parameters = if case.parameters.is_empty() { &none } else { &case.parameters };
        for environment in environments {
            for parameters in parameters {
                let line = source.lines().line_column(source.text(), case.at.start).line;
                let with = environment.map(|name| format!(" [{name}]")).unwrap_or_default();
                let mut result =
                    ScenarioResult { name: format!("{}{with}", case.name), line, failures: Vec::new() };
                let scenario = Scenario { scenarios, case, source, bed, environment, parameters, judging };
                scenario.run(&mut result.failures, coverage)?;
                out.push(result);
            }
        }
    }
    Ok(out)
}

struct Scenario<'a> {
    scenarios: &'a Scenarios,
    case: &'a Case,
    source: &'a Arc<Source>,
    bed: &'a TestBed<'a>,
    environment: Option<&'a str>,
    parameters: &'a [(String, Node)],
    judging: Judging<'a>,
}

impl Scenario<'_> {
    fn run(&self, failures: &mut Vec<String>, coverage: &mut Coverage) -> Result<(), SetupError> {
        let base = self.source.path().parent().unwrap_or_else(|| Utf8Path::new(""));
        let files = match given::files(&self.case.given, base, self.bed.files) {
            Ok(files) => Arc::new(files),
            Err(reason) => {
                failures.push(reason);
                return Ok(());
            }
        };
        let set = self.policies(&files);
        let expected = &self.case.expected;
        let set = match (set, &expected.refused) {
            (Ok(_), Some(part)) => {
                failures.push(format!("the policy is not refused; expected `{part}`"));
                return Ok(());
            }
            (Err(error), Some(part)) => {
                if !error.to_string().contains(part.as_str()) {
                    failures.push(format!("the policy is refused, and not with `{part}`: {error}"));
                }
                return Ok(());
            }
            (set, None) => set?,
        };
        let policy = Arc::clone(&set.policy);
        let settings = Settings {
            keep_passes: true,
            today: Some(self.scenarios.clock.unwrap_or(self.bed.today)),
            environment: self.environment.map(|name| (name.to_owned(), "the test".to_owned())),
            ..Settings::default()
        };
        let host =
            match given::host(&self.case.given, Arc::clone(&files), set, settings, (base, self.bed.files)) {
                Ok(host) => host,
                Err(reason) => {
                    failures.push(reason);
                    return Ok(());
                }
            };
        let analysis = host.analysis();
        let Ok(report) = analysis.check(&analysis.roots()) else {
            failures.push("the check was given up".to_owned());
            return Ok(());
        };
        coverage.see(&policy, &report);
        let looked = Looked { analysis: &analysis, report: &report, environment: self.environment };
        looked.findings(expected, failures);
        looked.numbers(expected, failures);
        self.policy(&policy, failures);
        if !expected.flow.is_empty() {
            looked.flows(expected, failures);
        }
        for finding in expected.findings.iter().flatten().chain(&expected.also) {
            if let Some(verdict) = finding.fix_makes {
                let mut host = given::host(
                    &self.case.given,
                    Arc::clone(&files),
                    analysis.policy_set().clone(),
                    Settings { keep_passes: true, ..Settings::default() },
                    (base, self.bed.files),
                )
                .ok();
                failures.extend(host.as_mut().and_then(|host| fixed(host, &looked, finding, verdict)));
            }
        }
        Ok(())
    }

    /// The policies, loaded once for all scenarios that see the same of them.
    fn policies(&self, files: &MemoryFiles) -> Result<PolicySet, SetupError> {
        let has_config = files.read(Utf8Path::new(CONFIG_NAME)).is_ok();
        let key = format!("{:?}", self.parameters);
        if let Some(set) = self.judging.loaded.borrow().get(&key).filter(|_| !has_config) {
            return Ok(set.clone());
        }
        let from = (self.bed.catalogue, self.bed.files, files);
        let set = given::policies(self.scenarios, self.parameters, self.source, from)?;
        let set = match self.judging.statement {
            Some(statement) => {
                let policy = Arc::new(set.policy.asking(statement.clone(), self.bed.catalogue));
                PolicySet { policy, ..set }
            }
            None => set,
        };
        if !has_config {
            self.judging.loaded.borrow_mut().insert(key, set.clone());
        }
        Ok(set)
    }

    /// What the policy asks, as `auditlint policy show` prints it.
    fn policy(&self, policy: &Policy, failures: &mut Vec<String>) {
        let expected = &self.case.expected.policy;
        if expected.is_empty() {
            return;
        }
        let of = |environment: &&auditlint_policy::intent::PolicyEnvironment| {
            Some(environment.name.as_str()) == self.environment
        };
        let policy: &Policy = policy.environments.iter().find(of).map_or(policy, |one| &one.policy);
        for (name, value) in expected {
            let found = policy.value(name).unwrap_or_else(|| "nothing".to_owned());
            if found != *value {
                failures.push(format!("the policy asks {found} by {name}, expected {value}"));
            }
        }
    }
}

/// What a scenario came to.
struct Looked<'a> {
    analysis: &'a Analysis,
    report: &'a Report,
    environment: Option<&'a str>,
}

impl Looked<'_> {
    fn place(&self, finding: &Finding) -> String {
        let Place::Source(at) = finding.place else { return String::new() };
        let Some(source) = self.analysis.source(at.file) else { return String::new() };
        let start = source.lines().line_column(source.text(), at.span.start);
        format!("{}:{}:{}", source.path(), start.line, start.column)
    }

    fn all(&self) -> impl Iterator<Item = (&RootReport, &Arc<Finding>)> {
        self.report.findings()
    }

    fn findings(&self, expected: &Expected, failures: &mut Vec<String>) {
        let said = |finding: &Finding| {
            format!(
                "{} {} of {} at {}: {}",
                finding.verdict.as_str(),
                finding.rule,
                finding.address,
                self.place(finding),
                finding.message
            )
        };
        let holds =
            |one: &ExpectedFinding| self.all().any(|(_, finding)| one.is(finding, &self.place(finding)));
        for one in expected.findings.iter().flatten().chain(&expected.also).filter(|one| !holds(one)) {
            let near: Vec<String> = self
                .all()
                .filter(|(_, finding)| *finding.rule == *one.rule)
                .map(|(_, finding)| said(finding))
                .collect();
            let near = if near.is_empty() { "the rule says nothing".to_owned() } else { near.join("; ") };
            failures.push(format!("expected {}: {near}", one.show()));
        }
        let Some(exact) = expected.findings.as_ref().filter(|_| !expected.allow_extra) else { return };
        for (_, finding) in self.all() {
            let is_open = matches!(finding.verdict, Verdict::Fail | Verdict::Unknown);
            let is_expected = || {
                let place = self.place(finding);
                exact.iter().chain(&expected.also).any(|one| one.is(finding, &place))
            };
            if is_open && !is_expected() {
                failures.push(format!("not expected: {}", said(finding)));
            }
        }
    }

    /// What is left for a look at the state after the apply.
    fn obligations(&self, wanted: &[String], failures: &mut Vec<String>) {
        let open = self
            .all()
            .filter(|(root, finding)| finding.verdict == Verdict::Unknown && root.mode == InputMode::Plan);
        let mut found: Vec<&str> = open.map(|(_, finding)| &*finding.rule).collect();
        let mut wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        found.sort_unstable();
        wanted.sort_unstable();
        if found != wanted {
            let shown = |rules: &[&str]| if rules.is_empty() { "none".to_owned() } else { rules.join(", ") };
            failures.push(format!("obligations: {}, expected {}", shown(&found), shown(&wanted)));
        }
    }

    fn numbers(&self, expected: &Expected, failures: &mut Vec<String>) {
        let gaps: u32 = self.report.roots.iter().map(|root| root.summary.gaps).sum();
        if let Some(number) = expected.gaps.filter(|number| *number != gaps) {
            let reasons: Vec<&str> =
                self.report.roots.iter().flat_map(|root| &root.gaps).map(|gap| gap.reason.as_str()).collect();
            failures.push(format!("{gaps} gaps, expected {number}: {}", reasons.join("; ")));
        }
        let defers = expected.obligations.is_some();
        if let Some(wanted) = &expected.obligations {
            self.obligations(wanted, failures);
        }
        let gate = Gate { fail_on: Severity::Low, defers, excused: BTreeSet::new(), overridden: None };
        let exit = u32::from(outcome(self.report, &gate).exit);
        let wanted = expected.exit.as_ref().and_then(|wanted| wanted.in_environment(self.environment));
        if let Some(wanted) = wanted.filter(|wanted| *wanted != exit) {
            failures.push(format!("exit code {exit}, expected {wanted}"));
        }
        if let Some(name) = &expected.environment {
            let found = self.report.roots.first().and_then(|root| root.environment.as_ref());
            if found.is_none_or(|(found, _)| found != name) {
                let found = found.map_or("none".to_owned(), |(name, why)| format!("{name} ({why})"));
                failures.push(format!("the environment is {found}, expected {name}"));
            }
        }
        for (category, number) in &expected.sources {
            let own = |root: &RootReport| {
                root.summary
                    .by_category
                    .iter()
                    .filter(|(known, _)| known == category)
                    .map(|(_, n)| *n)
                    .sum::<u32>()
            };
            let found: u32 = self.report.roots.iter().map(own).sum();
            if found != *number {
                failures.push(format!("{found} sources of {}, expected {number}", category.as_str()));
            }
        }
    }

    fn flows(&self, expected: &Expected, failures: &mut Vec<String>) {
        let Ok(flows) = self.analysis.flows() else { return };
        let found = ways(&flows.map);
        for way in expected.flow.iter().filter(|way| !found.contains(*way)) {
            let all: Vec<&str> = found.iter().map(String::as_str).collect();
            failures.push(format!("no logs go `{way}`; they go {}", all.join("; ")));
        }
    }
}

/// Each way from a source to where it ends: `A -> B = 365 days`.
fn ways(map: &FlowMap) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let reached: BTreeSet<_> = map.ways.iter().map(|way| &way.to).collect();
    for station in map.stations.iter().filter(|station| !reached.contains(&station.id)) {
        follow(map, &station.id, station.id.name.clone(), &mut vec![&station.id], &mut out);
    }
    out
}

fn follow<'m>(
    map: &'m FlowMap,
    at: &'m auditlint_policy::StationId,
    path: String,
    seen: &mut Vec<&'m auditlint_policy::StationId>,
    out: &mut BTreeSet<String>,
) {
    let mut is_end = true;
    for way in map.ways.iter().filter(|way| way.from == *at) {
        if seen.contains(&&way.to) {
            continue;
        }
        is_end = false;
        let arrow = if way.certainty == Certainty::Open { "~>" } else { "->" };
        seen.push(&way.to);
        follow(map, &way.to, format!("{path} {arrow} {}", way.to.name), seen, out);
        seen.pop();
    }
    if is_end {
        let station = map.stations.iter().find(|station| station.id == *at);
        let kept = match station.and_then(|station| station.keeps.as_ref()) {
            Some(Keeps::For(Days::Never)) => " = ever".to_owned(),
            Some(Keeps::For(days)) => format!(" = {days}"),
            Some(Keeps::Unknown(_)) => " = unknown".to_owned(),
            None => String::new(),
        };
        out.insert(format!("{path}{kept}"));
    }
}

/// Applies the first fix of a finding that is expected; says what is wrong with what comes of it.
fn fixed(
    host: &mut crate::AnalysisHost,
    looked: &Looked<'_>,
    expected: &ExpectedFinding,
    verdict: Verdict,
) -> Option<String> {
    let analysis = host.analysis();
    let roots = analysis.roots();
    let report = analysis.check(&roots).ok()?;
    let found = report.roots.iter().zip(&roots).find_map(|(root, id)| {
        let is_it = |finding: &&Arc<Finding>| expected.is(finding, &looked.place(finding));
        Some((*id, root.findings.iter().find(is_it)?))
    });
    let (root, finding) = found?;
    let fixes = analysis.fixes_of(root, finding);
    let Some(fix) = fixes.first() else { return Some(format!("{} has no fix", expected.show())) };
    let mut changes = Vec::new();
    for file in &fix.edits {
        let path = analysis.files().paths().path(file.file);
        let original = analysis.files().read(&path).map(|source| source.bytes().to_vec()).unwrap_or_default();
        let Ok(bytes) = apply_edits(&original, &file.edits) else {
            return Some(format!("the fix of {} cannot be applied", expected.show()));
        };
        changes.push((path, String::from_utf8_lossy(&bytes).into_owned()));
    }
    drop(analysis);
    for (path, text) in changes {
        host.apply_change(Change::Overlay(path, text.into()));
    }
    let analysis = host.analysis();
    let report = analysis.check(&analysis.roots()).ok()?;
    let after =
        report.findings().find(|(_, after)| after.rule == finding.rule && after.address == finding.address);
    let after = after.map(|(_, finding)| finding.verdict);
    (after != Some(verdict)).then(|| {
        let after = after.map_or("nothing", Verdict::as_str);
        format!("after its fix {} says {after}, expected {}", expected.rule, verdict.as_str())
    })
}
