//! What `terraform console` makes of expressions.
//!
//! A process is asked for many at once: each is a local of a file of its own, as `try(jsonencode(…), null)`, where
//! null is an expression that terraform refuses. What `try` does not catch (a text that does not parse, a name that
//! is not declared) is an error that names the file; terraform is asked again without it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{ErrorKind, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

/// How many expressions a process is asked for.
const BATCH: usize = 200;
/// How many processes run at a time.
const PROCESSES: usize = 2;

/// What terraform says to one expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its value, as JSON.
    Value(String),
    /// Its value, as JSON, and some of it is sensitive.
    Sensitive(String),
    /// It is known after apply.
    KnownAfterApply,
    /// It is an error.
    Refused,
}

/// Terraform, the files that its expressions may read, and what it said before.
#[derive(Debug)]
pub struct Console {
    files: Vec<(Utf8PathBuf, Vec<u8>)>,
    remembered: BTreeMap<String, Answer>,
    cache: Option<Utf8PathBuf>,
}

impl Console {
    /// A console in a folder of these files. With a `cache`, answers are kept in that folder.
    ///
    /// # Errors
    /// When the answers that are kept there cannot be read.
    pub fn new(files: Vec<(Utf8PathBuf, Vec<u8>)>, cache: Option<&Utf8Path>) -> anyhow::Result<Self> {
        let mut hasher = DefaultHasher::new();
        files.hash(&mut hasher);
        let cache = cache.map(|folder| folder.join(format!("answers-{:016x}.json", hasher.finish())));
        let mut remembered = BTreeMap::new();
        if let Some(path) = cache.as_ref().filter(|path| path.exists()) {
            #[expect(clippy::disallowed_methods, reason = "a test keeps its answers in a file")]
            let text = std::fs::read_to_string(path)?;
            let all: BTreeMap<String, Value> = serde_json::from_str(&text)?;
            for (expression, answer) in all {
                let answer = match answer {
                    Value::String(value) => Answer::Value(value),
                    Value::Array(values) => match &values[..] {
                        [Value::String(value)] => Answer::Sensitive(value.clone()),
                        _ => bail!("{path}: no answer to {expression}"),
                    },
                    Value::Null => Answer::KnownAfterApply,
                    Value::Bool(false) => Answer::Refused,
                    _ => bail!("{path}: no answer to {expression}"),
                };
                remembered.insert(expression, answer);
            }
        }
        Ok(Self { files, remembered, cache })
    }

    /// The answer to each of `expressions`; none where it is not remembered and terraform is not on the PATH.
    ///
    /// # Errors
    /// When terraform says what is not understood.
    pub fn ask(&mut self, expressions: &[String]) -> anyhow::Result<Vec<Option<Answer>>> {
        let new: BTreeSet<&str> = expressions.iter().map(String::as_str).collect();
        let new: Vec<&str> = new.into_iter().filter(|new| !self.remembered.contains_key(*new)).collect();
        if !new.is_empty() && is_installed()? {
            let batches: Vec<&[&str]> = new.chunks(BATCH).collect();
            let lanes: Vec<Vec<&[&str]>> = (0..PROCESSES)
                .map(|lane| batches.iter().skip(lane).step_by(PROCESSES).copied().collect())
                .collect();
            let files = &self.files;
            let answers: Vec<anyhow::Result<Vec<(String, Answer)>>> = std::thread::scope(|scope| {
                let threads: Vec<_> = lanes
                    .into_iter()
                    .map(|lane| {
                        scope.spawn(move || {
                            let mut out = Vec::new();
                            for batch in lane {
                                ask_all(files, batch, &mut out)?;
                            }
                            Ok(out)
                        })
                    })
                    .collect();
                threads
                    .into_iter()
                    .map(|thread| thread.join().unwrap_or_else(|_| bail!("a thread panicked")))
                    .collect()
            });
            for lane in answers {
                self.remembered.extend(lane?);
            }
            self.keep()?;
        }
        Ok(expressions.iter().map(|expression| self.remembered.get(expression).cloned()).collect())
    }

    fn keep(&self) -> anyhow::Result<()> {
        let Some(path) = &self.cache else { return Ok(()) };
        let all: BTreeMap<&str, Value> = self
            .remembered
            .iter()
            .map(|(expression, answer)| {
                let answer = match answer {
                    Answer::Value(value) => Value::String(value.clone()),
                    Answer::Sensitive(value) => Value::Array(vec![Value::String(value.clone())]),
                    Answer::KnownAfterApply => Value::Null,
                    Answer::Refused => Value::Bool(false),
                };
                (expression.as_str(), answer)
            })
            .collect();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        write(path, serde_json::to_string_pretty(&all)?.as_bytes())
    }
}

/// The names of terraform's functions; none where it is not on the PATH.
///
/// # Errors
/// When terraform says what is not understood.
pub fn functions() -> anyhow::Result<Vec<String>> {
    if !is_installed()? {
        return Ok(Vec::new());
    }
    let output = terraform().args(["metadata", "functions", "-json"]).output()?;
    let said: Value = serde_json::from_slice(&output.stdout)?;
    let all = said.get("function_signatures").and_then(Value::as_object).context("no functions")?;
    Ok(all.keys().filter(|name| !name.contains("::")).cloned().collect())
}

/// Terraform without the settings of whoever runs the test.
fn terraform() -> Command {
    let mut command = Command::new("terraform");
    command.env("TF_CLI_CONFIG_FILE", "/dev/null").env("CHECKPOINT_DISABLE", "1");
    command
}

fn write(path: &Utf8Path, bytes: &[u8]) -> anyhow::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "a test writes the folder that terraform runs in")]
    std::fs::write(path, bytes).with_context(|| path.to_string())
}

fn is_installed() -> anyhow::Result<bool> {
    match terraform().arg("-help").stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Asks for all of `batch`, and again for those of it that are not errors.
fn ask_all(
    files: &[(Utf8PathBuf, Vec<u8>)],
    batch: &[&str],
    out: &mut Vec<(String, Answer)>,
) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let top = Utf8Path::from_path(folder.path()).context("a folder whose name is no text")?;
    for (path, bytes) in files {
        let path = top.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        write(&path, bytes)?;
    }
    let mut left: Vec<(String, &str)> =
        batch.iter().enumerate().map(|(n, expression)| (format!("e{n:03}"), *expression)).collect();
    for (name, expression) in &left {
        // A text of terraform's may hold anything; its base64 is one line without escapes.
        let line = "\"${issensitive(j) ? \"sensitive\" : \"plain\"} ${base64encode(j)}\"";
        let text = format!(
            "locals {{\n  {name} = nonsensitive([for j in [try(jsonencode(\n{expression}\n), null)] : \
             j == null ? null : {line}][0])\n}}\n"
        );
        write(&top.join(format!("{name}.tf")), text.as_bytes())?;
    }
    while !left.is_empty() {
        match run(top, &left)? {
            Said::Answers(answers) => {
                ensure!(answers.len() == left.len(), "{} answers to {}", answers.len(), left.len());
                out.extend(left.iter().map(|(_, expression)| (*expression).to_owned()).zip(answers));
                break;
            }
            Said::Error(text) => {
                let (wrong, right): (Vec<_>, Vec<_>) =
                    left.into_iter().partition(|(name, _)| text.contains(&format!(" {name}.tf line ")));
                ensure!(!wrong.is_empty(), "an error of no expression\n{text}");
                for (name, expression) in wrong {
                    std::fs::remove_file(top.join(format!("{name}.tf")))?;
                    out.push((expression.to_owned(), Answer::Refused));
                }
                left = right;
            }
        }
    }
    Ok(())
}

/// What one process says.
enum Said {
    /// The answer to each question.
    Answers(Vec<Answer>),
    /// Errors that name the files of some.
    Error(String),
}

/// Asks a process that runs in `folder` for these locals.
fn run(folder: &Utf8Path, names: &[(String, &str)]) -> anyhow::Result<Said> {
    let mut console = terraform()
        .args(["console", "-no-color"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut question = String::new();
    for (name, _) in names {
        write!(question, "{}local.{name}", if question.is_empty() { "[" } else { ", " })?;
    }
    question.push_str("]\n");
    if let Some(mut input) = console.stdin.take() {
        input.write_all(question.as_bytes())?;
    }
    let output = console.wait_with_output()?;
    let said = String::from_utf8(output.stdout)?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if errors.contains("Error: ") {
        return Ok(Said::Error(errors.into_owned()));
    }
    ensure!(output.status.success(), "terraform says {said}\n{errors}");
    let lines = said.trim().lines().map(str::trim);
    let answers = lines.filter(|line| !matches!(*line, "[" | "]")).map(|line| {
        let quoted = line.strip_prefix('"').and_then(|line| line.strip_suffix("\","));
        match (line, quoted.and_then(|quoted| quoted.split_once(' '))) {
            ("null," | "tostring(null),", _) => Ok(Answer::Refused),
            ("(known after apply),", _) => Ok(Answer::KnownAfterApply),
            (_, Some((marked, encoded))) => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(encoded)?;
                let json = String::from_utf8(bytes)?;
                Ok(if marked == "plain" { Answer::Value(json) } else { Answer::Sensitive(json) })
            }
            _ => bail!("terraform says {line}"),
        }
    });
    Ok(Said::Answers(answers.collect::<anyhow::Result<_>>()?))
}
