//! Semantics as Markdown: what a configuration and a policy come to, written down as a reader would.
//!
//! Each `## heading` is a case. Its fenced blocks are files (`hcl`, with a path unless it is `main.tf`; `json` and
//! `tfvars` with a path), the policy (`yaml`), `options` and `expect`. Blocks above the first heading belong to every
//! case of the page. The world is closed: a failure, an unknown or a gap that a case does not name fails it.
//!
//! * `#! VERDICT RULE` on the header of a block speaks of all instances of the block; on any other line, of a finding
//!   that sits on this line. RULE may be left out where the policy turns on a single rule.
//! * `expect` holds lines `VERDICT RULE ADDRESS`, optionally ` because TEXT` (in the message or the cause), and
//!   `gap KIND PATH`, and `path STATION -> STATION … = RETENTION`: a way that the logs of the first station take, and how
//!   long the last one keeps them (`400 days`, `ever`, `unknown`, `?` where that is nobody's to say). `~>` stands for a way
//!   that is not certain. All paths of a station are named, or none; `silent STATION` says that there is none.
//! * `options` holds lines `var NAME=VALUE`, `var-file PATH`, `workspace NAME`, `root FOLDER`, `today DATE`,
//!   `plan PATH` (a file of the case, instead of the folder), `source FOLDER` (for that plan), `objects PATH` (a file of
//!   Kubernetes objects, instead of the folder). Behind the folder of a
//!   root may stand `env NAME`, `var-file PATH` and `workspace NAME`, which hold for it alone.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use auditlint_analysis::{
    AnalysisHost, Change, Flows, NamedPolicy, Report, RootSpec, Settings, load_policies,
};
use auditlint_graph::Gap;
use auditlint_graph::terraform::RootInputs;
use auditlint_policy::{Catalogue, Certainty, Finding, FlowMap, Keeps, Place, Station, StationId, Verdict};
use auditlint_syntax::{Files as _, MemoryFiles, Name, Source};
use camino::{Utf8Path, Utf8PathBuf};

/// A case of a page.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// The heading.
    pub name: String,
    /// The line of the heading, from 1.
    pub line: usize,
    /// Path and text, marks taken out.
    pub files: Vec<(String, String)>,
    policy: String,
    marks: Vec<PlacedMark>,
    expected: Vec<Expected>,
    options: Vec<(String, String)>,
}

/// A mark with its place.
#[derive(Clone, Debug)]
struct PlacedMark {
    path: String,
    /// The line that it stands on, from 1, and the last line of the block when that is a header.
    lines: (usize, Option<usize>),
    verdict: Verdict,
    rule: Option<String>,
}

/// A line of an `expect` block.
#[derive(Clone, Debug)]
enum Expected {
    Verdict { verdict: Verdict, rule: String, address: String, because: Option<String> },
    Gap { kind: String, path: String },
    Path(String),
    Silent(String),
}

/// The cases of a page.
///
/// # Errors
/// When the page is not understood.
pub fn cases(page: &str) -> anyhow::Result<Vec<Case>> {
    let mut shared = Case::default();
    let mut cases: Vec<Case> = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if let Some(name) = line.strip_prefix("## ") {
            cases.push(Case { name: name.trim().to_owned(), line: at + 1, ..shared.clone() });
        }
        let Some(info) = line.strip_prefix("```") else { continue };
        let mut text = String::new();
        loop {
            let (_, line) = lines.next().with_context(|| format!("line {}: an open fence", at + 1))?;
            if line.starts_with("```") {
                break;
            }
            text.push_str(line);
            text.push('\n');
        }
        let case = cases.last_mut().unwrap_or(&mut shared);
        case.block(info.trim(), &text).with_context(|| format!("the block on line {}", at + 1))?;
    }
    ensure!(!cases.is_empty(), "the page has no `## case`");
    Ok(cases)
}

impl Case {
    fn block(&mut self, info: &str, text: &str) -> anyhow::Result<()> {
        let (kind, path) = info.split_once(' ').unwrap_or((info, ""));
        match (kind, path) {
            ("hcl", "") => self.file("main.tf", text),
            ("hcl" | "json" | "tfvars" | "yaml", path) if !path.is_empty() => self.file(path, text),
            ("yaml", "") => {
                text.clone_into(&mut self.policy);
                Ok(())
            }
            ("options", "") => {
                for line in text.lines() {
                    let (key, value) = line.split_once(' ').with_context(|| format!("no value: {line}"))?;
                    self.options.push((key.to_owned(), value.to_owned()));
                }
                Ok(())
            }
            ("expect", "") => {
                for line in text.lines() {
                    self.expected.push(expected(line)?);
                }
                Ok(())
            }
            _ => bail!("`{info}` is no kind of block"),
        }
    }

    fn file(&mut self, path: &str, text: &str) -> anyhow::Result<()> {
        let lines: Vec<&str> = text.lines().collect();
        let mut clean = String::with_capacity(text.len());
        for (at, line) in lines.iter().enumerate() {
            let Some((code, mark)) = line.split_once("#!") else {
                clean.push_str(line);
                clean.push('\n');
                continue;
            };
            let code = code.trim_end();
            let header = !code.starts_with(' ') && code.contains('{');
            let one_line = code.ends_with('}');
            let last = if one_line {
                Some(at)
            } else {
                lines.iter().skip(at).position(|line| line.trim_end() == "}").map(|more| at + more)
            };
            for one in mark.trim().split(',') {
                let mut words = one.split_whitespace();
                self.marks.push(PlacedMark {
                    path: path.to_owned(),
                    lines: (at + 1, last.filter(|_| header).map(|last| last + 1)),
                    verdict: verdict(words.next().unwrap_or_default())?,
                    rule: words.next().map(str::to_owned),
                });
            }
            clean.push_str(code);
            clean.push('\n');
        }
        self.files.retain(|(known, _)| known != path);
        self.files.push((path.to_owned(), clean));
        Ok(())
    }

    fn option(&self, wanted: &str) -> impl Iterator<Item = &str> {
        self.options.iter().filter(move |(key, _)| key == wanted).map(|(_, value)| value.as_str())
    }

    /// Judges the case.
    ///
    /// # Errors
    /// With everything that differs.
    pub fn judge(&self, catalogue: &Arc<Catalogue>) -> anyhow::Result<()> {
        self.judge_as(catalogue, None)
    }

    /// Judges a plan of the case's configuration, without the configuration beside it.
    ///
    /// # Errors
    /// With everything that differs.
    pub fn judge_plan(&self, catalogue: &Arc<Catalogue>, plan: &[u8]) -> anyhow::Result<()> {
        self.judge_as(catalogue, Some(plan))
    }

    /// The configuration of the case, where it is one root without variables that somebody gives.
    #[must_use]
    pub fn plannable(&self) -> Option<&str> {
        let [(path, text)] =
            self.files.iter().filter(|(path, _)| path.ends_with(".tf")).collect::<Vec<_>>()[..]
        else {
            return None;
        };
        let is_plain = |(key, _): &(String, String)| key == "today";
        (path == "main.tf" && self.options.iter().all(is_plain)).then_some(text)
    }

    fn judge_as(&self, catalogue: &Arc<Catalogue>, plan: Option<&[u8]>) -> anyhow::Result<()> {
        let files = MemoryFiles::of(self.files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
        let files = Arc::new(files);
        let named = match self.policy.trim() {
            "" => bail!("the case has no policy"),
            name if name.starts_with("auditlint:") => NamedPolicy::BuiltIn(name.to_owned()),
            text => {
                let path = Utf8PathBuf::from("policy.yaml");
                let file = files.paths().id(&path);
                NamedPolicy::Text(Arc::new(Source::new(file, path, Arc::from(text.as_bytes()))))
            }
        };
        let set = load_policies(catalogue, &*files, Utf8Path::new(""), &[named])?;
        let only = match set.policy.bindings.as_slice() {
            [one] => Some(one.rule.id.to_string()),
            _ => None,
        };
        let today = self.option("today").next().map(str::parse).transpose()?;
        let mut host = AnalysisHost::new(
            Arc::clone(&files) as Arc<_>,
            set,
            Settings { keep_passes: true, today, ..Settings::default() },
        );
        let pairs = |option: &'static str| {
            let pairs = self.option(option).filter_map(|text| text.split_once('='));
            pairs.map(|(name, value)| (Name::new(name), value.to_owned())).collect()
        };
        let inputs = |folder: &str| RootInputs {
            // The top folder of the case is written `.` and has the empty path.
            folder: folder.trim_start_matches('.').into(),
            var_files: self.option("var-file").map(Utf8PathBuf::from).collect(),
            environment: pairs("env"),
            vars: pairs("var"),
            workspace: self.option("workspace").next().map(Name::new),
            ..RootInputs::default()
        };
        if let Some(path) = self.option("objects").next() {
            host.add_objects(path.into())?;
        }
        match self.option("plan").next() {
            None if self.option("objects").next().is_some() => {}
            None if plan.is_some() => {
                host.add_plan("plan.json".into(), None, &mut plan.unwrap_or_default())?;
            }
            Some(path) => {
                let source = self.option("source").next().map(inputs);
                let text = files.read(path.into()).map_err(|_| anyhow::anyhow!("the case has no {path}"))?;
                let mut bytes: &[u8] = text.bytes();
                host.add_plan(path.into(), source, &mut bytes)?;
            }
            None => {
                let mut roots: Vec<&str> = self.option("root").collect();
                if roots.is_empty() {
                    roots.push("");
                }
                let specs =
                    roots.into_iter().map(|root| spec(root, inputs)).collect::<anyhow::Result<_>>()?;
                host.apply_change(Change::Roots(specs));
            }
        }
        let analysis = host.analysis();
        let report = analysis.check(&analysis.roots()).map_err(|_| anyhow::anyhow!("cancelled"))?;
        let flows = analysis.flows().map_err(|_| anyhow::anyhow!("cancelled"))?;
        self.compare(&report, &flows, only.as_deref(), plan.is_none())
    }

    fn compare(
        &self,
        report: &Report,
        flows: &Flows,
        only: Option<&str>,
        has_lines: bool,
    ) -> anyhow::Result<()> {
        let found: Vec<Judged> = report.findings().map(|(_, finding)| Judged::of(report, finding)).collect();
        let mut wrong: Vec<String> = Vec::new();
        // A plan has no lines.
        for mark in self.marks.iter().filter(|_| has_lines) {
            let rule = mark.rule.as_deref().or(only);
            let rule = rule.context("a mark without a rule, and the policy turns on several")?;
            let (first, last) = (mark.lines.0, mark.lines.1.unwrap_or(mark.lines.0));
            let here = found.iter().filter(|one| one.rule == rule && one.path == mark.path);
            let worst = worst(here.filter(|one| (first..=last).contains(&one.line)));
            if worst != mark.verdict {
                wrong.push(format!("-{}:{first}: {} {rule}", mark.path, mark.verdict.as_str()));
                wrong.push(format!("+{}:{first}: {} {rule}", mark.path, worst.as_str()));
            }
        }
        let mut gaps: Vec<&Gap> = report.roots.iter().flat_map(|root| &root.gaps).collect();
        for expected in &self.expected {
            match expected {
                Expected::Gap { kind, path } => {
                    let before = gaps.len();
                    gaps.retain(|gap| !(gap.kind.as_str() == kind && gap.path == *path));
                    if gaps.len() == before {
                        wrong.push(format!("-gap {kind} {path}"));
                    }
                }
                Expected::Path(_) | Expected::Silent(_) => {}
                Expected::Verdict { verdict, rule, address, because } => {
                    let same = || found.iter().filter(|one| one.rule == *rule && one.address == *address);
                    let said =
                        because.as_deref().is_none_or(|text| same().any(|one| one.said.contains(text)));
                    if worst(same()) != *verdict || !said {
                        let because = because.as_deref().map(|text| format!(" because {text}"));
                        let because = because.unwrap_or_default();
                        wrong.push(format!("-{} {rule} {address}{because}", verdict.as_str()));
                        match same().next() {
                            Some(one) => wrong.push(format!("+{one}")),
                            None => wrong.push(format!("+not_applicable {rule} {address}")),
                        }
                    }
                }
            }
        }
        self.compare_paths(flows, &mut wrong);
        let broken = |one: &&Judged| matches!(one.verdict, Verdict::Fail | Verdict::Unknown);
        let stray = found.iter().filter(|one| !one.expected.get()).filter(broken);
        wrong.extend(stray.map(|one| format!("+{one}")));
        let stray =
            gaps.iter().map(|gap| format!("+gap {} {} ({})", gap.kind.as_str(), gap.path, gap.reason));
        wrong.extend(stray);
        if wrong.is_empty() {
            return Ok(());
        }
        let all: Vec<String> = found.iter().map(|one| format!("  {one}")).collect();
        let (wrong, all) = (wrong.join("\n"), all.join("\n"));
        bail!("line {}: - expected, + found\n{wrong}\nall verdicts:\n{all}", self.line)
    }
}

impl Case {
    fn compare_paths(&self, flows: &Flows, wrong: &mut Vec<String>) {
        let expected: BTreeSet<&str> = self
            .expected
            .iter()
            .filter_map(|one| if let Expected::Path(path) = one { Some(path.as_str()) } else { None })
            .collect();
        let first = |path: &str| {
            let end = [" -> ", " ~> ", " = "].iter().filter_map(|arrow| path.find(arrow)).min();
            path.get(..end.unwrap_or(path.len())).unwrap_or_default().to_owned()
        };
        let starts: BTreeSet<String> = expected.iter().map(|path| first(path)).collect();
        let mut found: BTreeSet<String> = BTreeSet::new();
        for start in &starts {
            for station in flows.map.stations.iter().filter(|station| station.id.name == *start) {
                walk(&flows.map, station, station.id.name.clone(), &mut vec![&station.id], &mut found);
            }
        }
        for one in &self.expected {
            let Expected::Silent(name) = one else { continue };
            let begins = flows.map.ways.iter().filter(|way| way.from.name == *name);
            wrong.extend(begins.map(|way| format!("+path {name} -> {}", way.to.name)));
        }
        let missing = expected.iter().filter(|path| !found.contains(**path));
        wrong.extend(missing.map(|path| format!("-path {path}")));
        let stray = found.iter().filter(|path| !expected.contains(path.as_str()));
        wrong.extend(stray.map(|path| format!("+path {path}")));
    }
}

/// Follows the ways on from `station`; what it passed already ends a loop.
fn walk<'m>(
    map: &'m FlowMap,
    station: &Station,
    path: String,
    passed: &mut Vec<&'m StationId>,
    out: &mut BTreeSet<String>,
) {
    let mut ends = true;
    for way in map.ways.iter().filter(|way| way.from == station.id) {
        let Some(next) = map.stations.iter().find(|next| next.id == way.to) else { continue };
        ends = false;
        let arrow = if way.certainty == Certainty::Open { "~>" } else { "->" };
        let path = format!("{path} {arrow} {}", next.id.name);
        if passed.contains(&&next.id) {
            out.insert(format!("{path} = loop"));
            continue;
        }
        passed.push(&next.id);
        walk(map, next, path, passed, out);
        passed.pop();
    }
    if ends {
        let keeps = match &station.keeps {
            Some(Keeps::For(days)) => days.to_string(),
            Some(Keeps::Unknown(_)) => "unknown".to_owned(),
            None => "?".to_owned(),
        };
        out.insert(format!("{path} = {keeps}"));
    }
}

/// The root that a line of `options` describes.
fn spec(root: &str, inputs: impl Fn(&str) -> RootInputs) -> anyhow::Result<RootSpec> {
    let mut words = root.split_whitespace();
    let mut inputs = inputs(words.next().unwrap_or_default());
    let mut environment = None;
    while let Some(word) = words.next() {
        let value = words.next().with_context(|| format!("no value for `{word}` of the root"))?;
        match word {
            "env" => environment = Some((value.to_owned(), "the case".to_owned())),
            "var-file" => inputs.var_files.push(value.into()),
            "workspace" => inputs.workspace = Some(Name::new(value)),
            _ => bail!("`{word}` is nothing that a root has"),
        }
    }
    Ok(RootSpec::Folder { inputs, environment })
}

/// The worst verdict, which the case speaks of from now on.
fn worst<'a>(found: impl Iterator<Item = &'a Judged>) -> Verdict {
    Verdict::all(found.map(|one| {
        one.expected.set(true);
        one.verdict
    }))
}

/// A verdict in words.
struct Judged {
    rule: String,
    verdict: Verdict,
    address: String,
    path: String,
    line: usize,
    said: String,
    /// Whether a mark or a line of the case speaks of it.
    expected: Cell<bool>,
}

impl Judged {
    fn of(report: &Report, finding: &Finding) -> Self {
        let (path, line) = match &finding.place {
            Place::Source(at) => report.source(at.file).map_or((String::new(), 0), |source| {
                let before = source.bytes().get(..at.span.start as usize).unwrap_or_default();
                (source.path().to_string(), before.iter().filter(|byte| **byte == b'\n').count() + 1)
            }),
            Place::Plan(pointer) => (pointer.clone(), 0),
            Place::Nowhere => (String::new(), 0),
        };
        let cause = finding
            .cause
            .as_ref()
            .map(|cause| format!(" [{}: {}] {}", cause.kind.as_str(), cause.subject, cause.hint));
        let exemption = finding.exemption.as_ref().map(|reason| format!(" [exempt: {reason}]"));
        let related: String =
            finding.related.iter().map(|related| format!(" ({})", related.message)).collect();
        Self {
            expected: Cell::new(false),
            rule: finding.rule.to_string(),
            verdict: finding.verdict,
            address: finding.address.to_string(),
            path,
            line,
            said: format!(
                "{}{}{}{related}",
                finding.message,
                cause.unwrap_or_default(),
                exemption.unwrap_or_default()
            ),
        }
    }
}

impl std::fmt::Display for Judged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {} {} at {}:{}: {}",
            self.verdict.as_str(),
            self.rule,
            self.address,
            self.path,
            self.line,
            self.said
        )
    }
}

fn expected(line: &str) -> anyhow::Result<Expected> {
    let (line, because) = match line.split_once(" because ") {
        Some((line, text)) => (line, Some(text.trim().to_owned())),
        None => (line, None),
    };
    if let Some(name) = line.strip_prefix("silent ") {
        return Ok(Expected::Silent(name.trim().to_owned()));
    }
    let mut words = line.splitn(3, ' ');
    let (Some(first), Some(second), Some(third)) = (words.next(), words.next(), words.next()) else {
        bail!("write VERDICT RULE ADDRESS or gap KIND PATH: {line}")
    };
    Ok(match first {
        "path" => Expected::Path(line.strip_prefix("path ").unwrap_or_default().trim().to_owned()),
        "gap" => Expected::Gap { kind: second.to_owned(), path: third.trim().to_owned() },
        word => Expected::Verdict {
            verdict: verdict(word)?,
            rule: second.to_owned(),
            address: third.trim().to_owned(),
            because,
        },
    })
}

fn verdict(word: &str) -> anyhow::Result<Verdict> {
    Ok(match word {
        "pass" => Verdict::Pass,
        "fail" => Verdict::Fail,
        "unknown" => Verdict::Unknown,
        "not_applicable" => Verdict::NotApplicable,
        "exempt" => Verdict::Exempt,
        other => bail!("`{other}` is no verdict"),
    })
}
