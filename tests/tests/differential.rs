//! Expressions as terraform evaluates them and as auditlint does: the same value, or unknown where terraform says
//! that it is known after apply. What terraform keeps secret is sensitive to auditlint.
//!
//! It needs `terraform` on the PATH, or its answers in the folder that `AUDITLINT_DIFFERENTIAL_CACHE` names;
//! without both it says so and passes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use auditlint_graph::terraform::{Caches, Configuration, RootInputs};
use auditlint_graph::{Interest, Tables, Tracked, Value};
use auditlint_syntax::MemoryFiles;
use auditlint_tests::console::{Answer, Console, functions};
use auditlint_tests::expressions::{Expression, calls, combined, files, generated, written};
use auditlint_tests::json::Json;
use camino::Utf8PathBuf;

/// What may be unknown although the console knows it: what a part of the expression says, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("timestamp()", "a plan leaves it for apply"),
    ("uuid()", "a plan leaves it for apply"),
    ("bcrypt(", "a plan leaves it for apply"),
    ("path.cwd", "the folder that terraform runs in"),
    ("abspath(", "a path that is not absolute is one of the folder that terraform runs in"),
    ("pathexpand(\"~", "the home of whoever runs terraform"),
    ("nofunction(", "a later Terraform may have a function of any name"),
    ("base64gzip(", "the bytes are those that Go's compressor chooses among many"),
];

/// The differences that are known, as the report says them.
const OPEN: &str = "tests/differential/open.txt";

#[expect(clippy::disallowed_methods, reason = "tests read the repository")]
fn open_differences() -> anyhow::Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(auditlint_tests::repository().join(OPEN))?;
    Ok(text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect())
}

fn lines(all: &[&String]) -> String {
    all.iter().map(|line| line.as_str()).collect::<Vec<_>>().join("\n")
}

/// Whether `text` may be unknown.
fn is_excepted(text: &str) -> bool {
    let absolute = text.starts_with("abspath(\"/");
    !absolute && EXCEPTIONS.iter().any(|(part, _)| text.contains(part))
}

/// What auditlint says to an expression.
#[derive(Debug)]
enum Outcome {
    Value(Json),
    /// A value, and some of it is sensitive.
    Sensitive(Json),
    Unknown(String),
    Refused,
}

/// The causes of what is not known in a value.
fn causes<'v>(value: &'v Tracked, out: &mut Vec<&'v str>) {
    match value.value() {
        Value::Unknown(unknown) => out.push(&unknown.cause.subject),
        Value::List(items) => items.iter().for_each(|item| causes(item, out)),
        Value::Map(map) => map.values().for_each(|item| causes(item, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether anything of a value is sensitive.
fn is_sensitive(value: &Tracked) -> bool {
    value.sensitive
        || match value.value() {
            Value::List(items) => items.iter().any(is_sensitive),
            Value::Map(map) => map.values().any(is_sensitive),
            _ => false,
        }
}

fn outcome(value: &Tracked) -> anyhow::Result<Outcome> {
    if let Some(json) = Json::of(value) {
        // The value stands in a list, so that null is not an attribute that is not set.
        let Json::List(mut items) = json else { anyhow::bail!("{json} is not the list that was written") };
        ensure!(items.len() == 1, "{} values of one expression", items.len());
        let json = items.pop().context("one value")?;
        return Ok(if is_sensitive(value) { Outcome::Sensitive(json) } else { Outcome::Value(json) });
    }
    let mut all = Vec::new();
    causes(value, &mut all);
    if all.iter().any(|cause| cause.starts_with("an expression that terraform refuses")) {
        return Ok(Outcome::Refused);
    }
    Ok(Outcome::Unknown(all.first().copied().unwrap_or_default().to_owned()))
}

/// What auditlint makes of each of `expressions`, evaluated in one root.
fn evaluate(expressions: &[Expression], files: &[(Utf8PathBuf, Vec<u8>)]) -> anyhow::Result<Vec<Outcome>> {
    let mut workspace = MemoryFiles::new();
    for (path, bytes) in files {
        workspace.put(path, bytes);
    }
    // Each has a file of its own: one that does not end would take its neighbours along.
    for (n, Expression { text, .. }) in expressions.iter().enumerate() {
        let text = format!("resource \"terraform_data\" \"e{n:05}\" {{\n  input = [\n{text}\n  ]\n}}\n");
        workspace.put(&Utf8PathBuf::from(format!("e{n:05}.tf")), text.as_bytes());
    }
    let interest = Arc::new(Interest { everything: true, ..Interest::default() });
    let tables = Tables { interest, ..Tables::default() };
    let configuration =
        Configuration::load(&RootInputs::default(), None, &workspace, &Caches::default(), &tables);
    let mut found: BTreeMap<String, Outcome> = BTreeMap::new();
    for (_, resource) in configuration.graph.iter() {
        let outcome = match resource.attribute("input") {
            Some(value) => outcome(value).with_context(|| resource.address.to_string())?,
            // A text that does not parse leaves no attribute, and a gap.
            None => Outcome::Refused,
        };
        found.insert(resource.address.to_string(), outcome);
    }
    let each = (0..expressions.len()).map(|n| format!("terraform_data.e{n:05}"));
    Ok(each.map(|address| found.remove(&address).unwrap_or(Outcome::Refused)).collect())
}

/// The two sides of all expressions, counted.
#[derive(Debug, Default)]
struct Comparison {
    /// Values that are the same.
    equal: usize,
    /// Errors that are errors, or at least no values, on our side.
    refused: usize,
    /// Unknown on both sides.
    after_apply: usize,
    /// Unknown on our side, for a reason that is on the list.
    excepted: usize,
    /// Another value, or one where terraform has an error.
    wrong: Vec<(String, String)>,
    /// Unknown where terraform has a value.
    missing: Vec<(String, String)>,
    /// The same value, which terraform keeps secret and auditlint does not.
    disclosed: Vec<(String, String)>,
}

impl Comparison {
    fn add(&mut self, expression: &Expression, terraform: &Answer, ours: &Outcome) -> anyhow::Result<()> {
        let text = &expression.text;
        let said = match terraform {
            Answer::Value(json) | Answer::Sensitive(json) => {
                Json::parse(json).with_context(|| text.clone())?.to_string()
            }
            Answer::KnownAfterApply => "(known after apply)".to_owned(),
            Answer::Refused => "(error)".to_owned(),
        };
        let ours_said = match ours {
            Outcome::Value(json) | Outcome::Sensitive(json) => json.to_string(),
            Outcome::Unknown(cause) => format!("(not known: {cause})"),
            Outcome::Refused => "(error)".to_owned(),
        };
        let line = (expression.subject.clone(), format!("{text} → terraform {said}, auditlint {ours_said}"));
        match (terraform, ours) {
            // What terraform would print may be sensitive to us; never the other way round.
            (Answer::Value(_), Outcome::Value(_) | Outcome::Sensitive(_))
            | (Answer::Sensitive(_), Outcome::Sensitive(_))
                if said == ours_said =>
            {
                self.equal += 1;
            }
            (Answer::Sensitive(_), Outcome::Value(_)) if said == ours_said => {
                self.disclosed.push(line);
            }
            (Answer::Value(_) | Answer::Sensitive(_), Outcome::Unknown(_)) => {
                if is_excepted(text) {
                    self.excepted += 1;
                } else {
                    self.missing.push(line);
                }
            }
            (Answer::Refused, Outcome::Unknown(_) | Outcome::Refused) => self.refused += 1,
            (Answer::KnownAfterApply, Outcome::Unknown(_)) => self.after_apply += 1,
            _ => self.wrong.push(line),
        }
        Ok(())
    }

    /// The lines of the report that say what is not as it should be.
    fn differences(&self) -> BTreeSet<String> {
        let lists = [("disclosed", &self.disclosed), ("wrong", &self.wrong), ("missing", &self.missing)];
        let line = |title: &str, line: &str| format!("{title}: {}", line.replace('\n', "⏎"));
        lists
            .into_iter()
            .flat_map(|(title, all)| all.iter().map(move |(_, text)| line(title, text)))
            .collect()
    }

    fn compared(&self) -> usize {
        let lists = self.wrong.len() + self.missing.len() + self.disclosed.len();
        self.equal + self.refused + self.after_apply + self.excepted + lists
    }

    /// Everything that is not as it should be, one a line; and how much there is of it.
    fn report(&mut self) -> String {
        let mut out = String::new();
        let lists =
            [("disclosed", &mut self.disclosed), ("wrong", &mut self.wrong), ("missing", &mut self.missing)];
        for (title, lines) in lists {
            lines.sort();
            let mut subjects: BTreeMap<&str, usize> = BTreeMap::new();
            for (subject, line) in lines.iter() {
                let _ = writeln!(out, "{title}: {}", line.replace('\n', "⏎"));
                *subjects.entry(subject).or_default() += 1;
            }
            let counts: Vec<String> =
                subjects.iter().map(|(subject, count)| format!("{subject} {count}")).collect();
            let _ = writeln!(out, "{} {title}: {}", lines.len(), counts.join(", "));
        }
        let _ = writeln!(
            out,
            "{} compared: {} equal, {} refused, {} known after apply, {} excepted, {} wrong, {} missing, \
             {} disclosed",
            self.compared(),
            self.equal,
            self.refused,
            self.after_apply,
            self.excepted,
            self.wrong.len(),
            self.missing.len(),
            self.disclosed.len()
        );
        out
    }
}

#[test]
fn expressions_are_what_terraform_makes_of_them() -> anyhow::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the test says where its answers are kept")]
    let cache = std::env::var("AUDITLINT_DIFFERENTIAL_CACHE").ok().map(Utf8PathBuf::from);
    let files = files()?;
    let (written, calls, generated) = (written()?, calls()?, generated(800));
    ensure!(written.len() >= 1_000, "only {} written expressions", written.len());
    ensure!(calls.len() >= 1_000, "only {} calls", calls.len());
    ensure!(generated.len() >= 1_000, "only {} generated expressions", generated.len());
    let combined = combined();
    ensure!(combined.len() >= 1_000, "only {} combinations", combined.len());
    let all: Vec<Expression> = [written, calls, combined, generated].concat();
    let texts: Vec<String> = all.iter().map(|expression| expression.text.clone()).collect();

    for function in functions()? {
        let called = all.iter().any(|expression| expression.text.contains(&format!("{function}(")));
        ensure!(called, "{function}() is never called");
    }

    let answers = Console::new(files.clone(), cache.as_deref())?.ask(&texts)?;
    let unanswered = answers.iter().filter(|answer| answer.is_none()).count();
    let mut outcomes = Vec::new();
    // What a root may cost has a limit.
    for some in all.chunks(2_000) {
        outcomes.extend(evaluate(some, &files)?);
    }
    let mut comparison = Comparison::default();
    for ((expression, answer), ours) in all.iter().zip(&answers).zip(&outcomes) {
        if let Some(answer) = answer {
            comparison.add(expression, answer, ours)?;
        }
    }
    let report = comparison.report();
    if unanswered > 0 {
        let mut out = std::io::stderr().lock();
        writeln!(out, "terraform is not on the PATH: {unanswered} expressions were not compared")?;
        return Ok(());
    }
    ensure!(comparison.compared() == all.len(), "not all were compared\n{report}");
    // What is still open is written down: nothing may be added, and what was mended leaves the list.
    let listed = open_differences()?;
    let found = comparison.differences();
    let added: Vec<&String> = found.iter().filter(|line| !listed.contains(*line)).collect();
    let mended: Vec<&String> = listed.iter().filter(|line| !found.contains(*line)).collect();
    ensure!(added.is_empty(), "differences that are not in {OPEN}:\n{}\n{report}", lines(&added));
    ensure!(mended.is_empty(), "no longer differences, though they are in {OPEN}:\n{}", lines(&mended));
    // Terraform that refuses everything, for whatever reason, compares nothing.
    ensure!(comparison.equal >= 2_000, "only {} values\n{report}", comparison.equal);
    write!(std::io::stderr().lock(), "{report}")?;
    Ok(())
}

/// What comes of one expression, `equal`, `wrong` and so on.
fn judged(text: &str, terraform: &Answer) -> anyhow::Result<&'static str> {
    let expression = Expression { subject: String::new(), text: text.to_owned() };
    let ours = evaluate(std::slice::from_ref(&expression), &[])?;
    let mut comparison = Comparison::default();
    comparison.add(&expression, terraform, ours.first().context("an outcome")?)?;
    Ok(match comparison {
        Comparison { equal: 1, .. } => "equal",
        Comparison { refused: 1, .. } => "refused",
        Comparison { after_apply: 1, .. } => "after apply",
        Comparison { excepted: 1, .. } => "excepted",
        Comparison { wrong, .. } if wrong.len() == 1 => "wrong",
        Comparison { disclosed, .. } if disclosed.len() == 1 => "disclosed",
        _ => "missing",
    })
}

#[test]
fn another_value_is_wrong_and_none_is_missing() -> anyhow::Result<()> {
    let value = |json: &str| Answer::Value(json.to_owned());
    for (text, terraform, expected) in [
        ("1 + 1", value("2"), "equal"),
        ("null", value("null"), "equal"),
        ("{ b = [1], a = null }", value("{\"a\":null,\"b\":[1]}"), "equal"),
        ("1 + 1", value("3"), "wrong"),
        ("1 + 1", value("\"2\""), "wrong"),
        ("[1, 2]", value("[2,1]"), "wrong"),
        ("1 + 1", Answer::Sensitive("2".to_owned()), "disclosed"),
        ("1 + 1", Answer::Sensitive("3".to_owned()), "wrong"),
        ("sensitive(1) + 1", Answer::Sensitive("2".to_owned()), "equal"),
        ("[sensitive(1)]", Answer::Sensitive("[1]".to_owned()), "equal"),
        ("sensitive(1)", value("1"), "equal"),
        ("sensitive(1)", value("2"), "wrong"),
        ("1 + 1", Answer::Refused, "wrong"),
        ("1 + 1", Answer::KnownAfterApply, "wrong"),
        // It is no error, and `try` would go past it.
        ("tonumber(\"a\")", value("1"), "wrong"),
        ("tonumber(\"a\")", Answer::Refused, "refused"),
        ("[1, tonumber(\"a\")]", Answer::Refused, "refused"),
        ("1 +", Answer::Refused, "refused"),
        ("terraform_data.e00000.id", value("\"a\""), "missing"),
        ("[1, timestamp()]", Answer::KnownAfterApply, "after apply"),
        ("timestamp()", value("\"2020-01-01T00:00:00Z\""), "excepted"),
        ("abspath(\"a\")", value("\"/x/a\""), "excepted"),
    ] {
        assert_eq!(judged(text, &terraform)?, expected, "{text} against {terraform:?}");
    }
    Ok(())
}
