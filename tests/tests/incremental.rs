//! After any edits, what a host that follows them says of each file is what a fresh host says.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on panics")]

use std::sync::Arc;

use auditlint_analysis::{Analysis, AnalysisHost, Change, NamedPolicy, RootSpec, Settings, load_policies};
use auditlint_graph::terraform::RootInputs;
use auditlint_policy::Catalogue;
use auditlint_syntax::MemoryFiles;
use auditlint_tests::dice::Dice;
use auditlint_tests::{catalogue, diff, files_below, repository};
use camino::{Utf8Path, Utf8PathBuf};
use proptest::prelude::*;

/// Fixtures whose texts are edited; between them they hold every way in which resources hang together.
const PROJECTS: &[&str] = &[
    "account-baseline",
    "aws-web",
    "bucket-each",
    "databases",
    "edge",
    "nested-modules",
    "split-companions",
    "subnet-flow-logs",
    "workflows",
];

#[derive(Clone, Debug)]
enum Edit {
    /// A line goes.
    Delete { file: usize, line: usize },
    /// A line of another place is pasted.
    Paste { file: usize, line: usize, from: usize, other: usize },
    /// The digits of a line are others.
    Number { file: usize, line: usize },
    /// Somebody begins to write a suppression.
    Comment { file: usize, line: usize },
    /// The line is taken back to what it was at the start.
    Restore { file: usize },
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let place = || (0..64usize, 0..200usize);
    let edit = prop_oneof![
        place().prop_map(|(file, line)| Edit::Delete { file, line }),
        (place(), place()).prop_map(|((file, line), (from, other))| Edit::Paste { file, line, from, other }),
        place().prop_map(|(file, line)| Edit::Number { file, line }),
        place().prop_map(|(file, line)| Edit::Comment { file, line }),
        (0..64usize).prop_map(|file| Edit::Restore { file }),
    ];
    proptest::collection::vec(edit, 1..10)
}

fn apply(texts: &mut [String], start: &[String], edit: &Edit) -> usize {
    let count = texts.len();
    let lines = |texts: &[String], file: usize| -> Vec<String> {
        texts[file % count].split('\n').map(str::to_owned).collect()
    };
    let (file, changed) = match edit {
        Edit::Delete { file, line } => {
            let mut all = lines(texts, *file);
            let at = line % all.len();
            all.remove(at);
            (*file, all)
        }
        Edit::Paste { file, line, from, other } => {
            let source = lines(texts, *from);
            let mut all = lines(texts, *file);
            let at = line % (all.len() + 1);
            all.insert(at, source[other % source.len()].clone());
            (*file, all)
        }
        Edit::Number { file, line } => {
            let mut all = lines(texts, *file);
            let at = line % all.len();
            all[at] = all[at].replace(|c: char| c.is_ascii_digit(), "7");
            (*file, all)
        }
        Edit::Comment { file, line } => {
            let mut all = lines(texts, *file);
            let at = line % (all.len() + 1);
            all.insert(
                at,
                "# auditlint:ignore aws/s3/access-logs, aws/cloudwatch/log-group-retention -- a test"
                    .to_owned(),
            );
            (*file, all)
        }
        Edit::Restore { file } => (*file, lines(start, *file)),
    };
    texts[file % count] = changed.join("\n");
    file % count
}

/// The fixture whose folders are roots that read each other.
const ESTATE: &str = "estate";

struct Project {
    roots: &'static [&'static str],
    paths: Vec<Utf8PathBuf>,
    texts: Vec<String>,
    base: Arc<MemoryFiles>,
}

fn project(name: &str) -> Project {
    let top = repository().join("fixtures").join(name);
    let roots: &[&str] = if name == ESTATE { &["application", "logging", "network"] } else { &[""] };
    let mut project = Project { roots, paths: Vec::new(), texts: Vec::new(), base: Arc::default() };
    let mut files = MemoryFiles::new();
    if name == "chain" {
        project.paths = CHAIN.iter().map(|(path, _)| (*path).into()).collect();
        project.texts = CHAIN.iter().map(|(_, text)| (*text).to_owned()).collect();
        project.base = Arc::new(MemoryFiles::of(CHAIN.iter().copied()));
        return project;
    }
    for path in files_below(&top, "tf").unwrap() {
        let inside = path.strip_prefix(&top).unwrap().to_owned();
        #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
        let text = std::fs::read_to_string(&path).unwrap();
        files.put(&inside, text.as_bytes());
        project.paths.push(inside);
        project.texts.push(text);
    }
    project.base = Arc::new(files);
    project
}

fn host(project: &Project, catalogue: &Arc<Catalogue>, follow_edits: bool) -> AnalysisHost {
    let named = [NamedPolicy::BuiltIn("auditlint:everything".to_owned())];
    let set = load_policies(catalogue, &*project.base, Utf8Path::new(""), &named).unwrap();
    let settings = Settings { follow_edits, ..Settings::default() };
    let mut host = AnalysisHost::new(Arc::clone(&project.base) as Arc<_>, set, settings);
    let inputs = |folder: &&str| RootInputs { folder: (*folder).into(), ..RootInputs::default() };
    let specs = project.roots.iter().map(|root| RootSpec::Folder { inputs: inputs(root), environment: None });
    host.apply_change(Change::Roots(specs.collect()));
    host
}

fn said(analysis: &Analysis, paths: &[Utf8PathBuf]) -> String {
    let mut out = String::new();
    let roots = analysis.roots();
    for path in paths {
        let file = analysis.files().paths().id(path);
        for finding in analysis.findings_in(file, &roots).unwrap() {
            out.push_str(&format!("{path} {finding:#?}\n"));
        }
        for gap in analysis.gaps(file, &roots).unwrap() {
            out.push_str(&format!("{path} {gap:?}\n"));
        }
    }
    let report = analysis.check(&roots).unwrap();
    out + &format!("{:#?}", report.summary)
}

/// Makes the edits one by one, and compares after each.
fn follows(name: &str, edits: Vec<Edit>) -> Result<(), TestCaseError> {
    let catalogue = catalogue().unwrap();
    let project = project(name);
    let mut texts = project.texts.clone();
    let mut follows = host(&project, &catalogue, true);
    prop_assert_eq!(
        said(&follows.analysis(), &project.paths),
        said(&host(&project, &catalogue, false).analysis(), &project.paths),
    );
    for edit in edits {
        let at = apply(&mut texts, &project.texts, &edit);
        let path: &Utf8Path = &project.paths[at];
        follows.apply_change(Change::Overlay(path.to_owned(), Arc::from(texts[at].as_str())));
        let mut fresh = host(&project, &catalogue, false);
        for (path, text) in project.paths.iter().zip(&texts) {
            fresh.apply_change(Change::Overlay(path.clone(), Arc::from(text.as_str())));
        }
        prop_assert_eq!(
            said(&follows.analysis(), &project.paths),
            said(&fresh.analysis(), &project.paths),
            "{}: {:?} in {}\n{}",
            name,
            edit,
            path,
            texts[at]
        );
    }
    Ok(())
}

/// A chain of resources that name each other's attributes, through instances and modules.
const CHAIN: &[(&str, &str)] = &[
    (
        "main.tf",
        r#"variable "days" {
  default = 90
}

resource "aws_cloudwatch_log_group" "first" {
  name              = "app-${var.days}"
  retention_in_days = var.days
}

resource "aws_cloudwatch_log_group" "second" {
  for_each          = { a = 30, b = aws_cloudwatch_log_group.first.retention_in_days }
  name              = "${aws_cloudwatch_log_group.first.name}-${each.key}"
  retention_in_days = each.value
}

resource "aws_cloudwatch_log_group" "third" {
  count             = 2
  name              = "${aws_cloudwatch_log_group.second["a"].name}-${aws_cloudwatch_log_group.second["b"].name}"
  retention_in_days = aws_cloudwatch_log_group.second["b"].retention_in_days
}

resource "aws_cloudwatch_log_group" "fourth" {
  name              = "${aws_cloudwatch_log_group.third[0].name}${aws_cloudwatch_log_group.third[1].name}"
  retention_in_days = max(aws_cloudwatch_log_group.third[0].retention_in_days, 30)
}

module "last" {
  source = "./last"
  days   = aws_cloudwatch_log_group.fourth.retention_in_days
  name   = aws_cloudwatch_log_group.fourth.name
}
"#,
    ),
    (
        "last/main.tf",
        r#"variable "days" {}

variable "name" {}

resource "aws_cloudwatch_log_group" "last" {
  name              = var.name
  retention_in_days = var.days
}

resource "aws_cloudwatch_log_group" "loop" {
  name              = aws_cloudwatch_log_group.loop.name
  retention_in_days = aws_cloudwatch_log_group.last.retention_in_days
}
"#,
    ),
];

/// The projects of the long run: small ones, so that most edits meet something.
const SMALL: &[&str] = &[
    "bucket-each",
    "databases",
    "nested-modules",
    "split-companions",
    "subnet-flow-logs",
    "workflows",
    ESTATE,
    "chain",
];

/// Edits of the long run, where the environment asks for no other number.
const EDITS: usize = 10_000;
/// After so many edits both hosts are compared.
const BETWEEN: usize = 5;

fn random(dice: &mut Dice) -> Edit {
    let (file, line) = (dice.below(64), dice.below(200));
    match dice.below(5) {
        0 => Edit::Delete { file, line },
        1 => Edit::Paste { file, line, from: dice.below(64), other: dice.below(200) },
        2 => Edit::Number { file, line },
        3 => Edit::Comment { file, line },
        _ => Edit::Restore { file },
    }
}

/// Makes `count` random edits. The root is judged after each, and compared with a fresh one after a few.
fn follows_long(name: &str, count: usize, catalogue: &Arc<Catalogue>) {
    let project = project(name);
    let mut dice = Dice(20_261_126);
    let mut texts = project.texts.clone();
    let mut follows = host(&project, catalogue, true);
    let mut last = Vec::new();
    let mut differing = 0;
    let start = said(&follows.analysis(), &project.paths);
    for number in 1..=count {
        let edit = random(&mut dice);
        let at = apply(&mut texts, &project.texts, &edit);
        last.push((edit, texts[at].clone()));
        let path: &Utf8Path = &project.paths[at];
        follows.apply_change(Change::Overlay(path.to_owned(), Arc::from(texts[at].as_str())));
        let analysis = follows.analysis();
        analysis.findings_in(analysis.files().paths().id(path), &analysis.roots()).unwrap();
        if number % BETWEEN != 0 {
            continue;
        }
        let mut fresh = host(&project, catalogue, false);
        for (path, text) in project.paths.iter().zip(&texts) {
            fresh.apply_change(Change::Overlay(path.clone(), Arc::from(text.as_str())));
        }
        let now = said(&analysis, &project.paths);
        let anew = said(&fresh.analysis(), &project.paths);
        assert!(
            now == anew,
            "{name}: after {number} edits the fresh verdicts are others:\n{}\nthe last edits were {last:#?}",
            diff(&now, &anew)
        );
        differing += usize::from(now != start);
        last.clear();
    }
    assert!(differing * 2 > count / BETWEEN, "{name}: most edits change nothing");
}

#[test]
fn ten_thousand_edits_lead_where_judging_anew_leads() {
    #[expect(clippy::disallowed_methods, reason = "tests are told by the environment what to test")]
    let count = std::env::var("AUDITLINT_EDITS").map_or(EDITS, |count| count.parse().unwrap());
    let catalogue = catalogue().unwrap();
    let each = count.div_ceil(SMALL.len());
    std::thread::scope(|scope| {
        for name in SMALL {
            scope.spawn(|| follows_long(name, each, &catalogue));
        }
    });
}

/// A call that is taken away and put back: its module is read again, whichever text of it changed in between.
#[test]
fn a_module_that_comes_back_brings_its_suppressions() {
    let catalogue = catalogue().unwrap();
    let call = "module \"m\" {\n  source = \"./m\"\n}\n";
    let module = "resource \"aws_cloudwatch_log_group\" \"app\" {\n  name = \"app\"\n  # auditlint:ignore aws/cloudwatch/log-group-retention -- short on purpose\n  retention_in_days = 7\n}\n";
    let files = [("main.tf", ""), ("m/main.tf", module)];
    let project = Project {
        roots: &[""],
        paths: files.iter().map(|(path, _)| (*path).into()).collect(),
        texts: Vec::new(),
        base: Arc::new(MemoryFiles::of(files)),
    };
    let mut follows = host(&project, &catalogue, true);
    let mut seen = vec![said(&follows.analysis(), &project.paths)];
    for text in [call, "", call] {
        follows.apply_change(Change::Overlay("main.tf".into(), text.into()));
        let mut fresh = host(&project, &catalogue, false);
        fresh.apply_change(Change::Overlay("main.tf".into(), text.into()));
        let now = said(&follows.analysis(), &project.paths);
        assert_eq!(now, said(&fresh.analysis(), &project.paths), "{text}");
        assert_ne!(Some(&now), seen.last(), "{text}");
        seen.push(now);
    }
}

/// Each step changes what one root is to another, and the last ones take it back.
#[test]
fn what_another_root_is_to_one_is_followed() {
    let catalogue = catalogue().unwrap();
    let project = project(ESTATE);
    let mut texts = project.texts.clone();
    let mut follows = host(&project, &catalogue, true);
    let mut seen = vec![said(&follows.analysis(), &project.paths)];
    let steps = [
        ("network/main.tf", "\"180\"", "\"30\""),
        ("network/main.tf", "/platform/logs/retention-days", "/platform/logs/days"),
        ("network/main.tf", "/platform/logs/days", "/platform/logs/retention-days"),
        ("logging/main.tf", "\"logging/terraform.tfstate\"", "\"logs/terraform.tfstate\""),
        ("application/main.tf", "\"logging/terraform.tfstate\"", "\"logs/terraform.tfstate\""),
        ("logging/bucket/main.tf", "= var.days", "= 400"),
        ("logging/main.tf", "module.access_logs.name", "\"another\""),
        ("logging/main.tf", "\"another\"", "module.access_logs.name"),
    ];
    for (path, from, to) in steps {
        let at = project.paths.iter().position(|known| known == path).unwrap();
        assert!(texts[at].contains(from), "{path} has no {from}");
        texts[at] = texts[at].replace(from, to);
        follows.apply_change(Change::Overlay(path.into(), Arc::from(texts[at].as_str())));
        let mut fresh = host(&project, &catalogue, false);
        for (path, text) in project.paths.iter().zip(&texts) {
            fresh.apply_change(Change::Overlay(path.clone(), Arc::from(text.as_str())));
        }
        let now = said(&follows.analysis(), &project.paths);
        assert_eq!(now, said(&fresh.analysis(), &project.paths), "{path}: {from} to {to}");
        assert_ne!(Some(&now), seen.last(), "{path}: {from} to {to} changed nothing");
        seen.push(now);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn following_edits_equals_judging_anew(which in 0..PROJECTS.len(), edits in edits()) {
        follows(PROJECTS[which], edits)?;
    }

    #[test]
    fn following_edits_of_roots_that_read_each_other_equals_judging_anew(edits in edits()) {
        follows(ESTATE, edits)?;
    }
}
