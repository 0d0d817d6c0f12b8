//! The expressions below `tests/differential`, and those that are made of them.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};

use crate::{files_below, generator, heredocs, repository};

/// An expression, and the name under which it is listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expression {
    /// The function that it calls first, or the name of its file.
    pub subject: String,
    /// Its text.
    pub text: String,
}

/// What stands in for each argument of a call in turn: of every type, converting and not, empty and null.
const ARGUMENTS: [&str; 17] = [
    "null",
    "\"\"",
    "\"b\"",
    "\"12\"",
    "\"true\"",
    "\"é😀\"",
    "0",
    "3",
    "-1",
    "1.5",
    "true",
    "[]",
    "[\"b\", 1]",
    "{}",
    "{ b = 1 }",
    "toset([\"b\"])",
    "tomap({ b = \"c\" })",
];

/// What meets in [`combined`], besides [`ARGUMENTS`].
const MORE: [&str; 11] = [
    "tolist([1])",
    "[[1]]",
    "{ b = \"x\", c = null }",
    "tomap({})",
    "toset([2, 1])",
    "false",
    // What does not show its type.
    "tostring(null)",
    "tolist([])",
    "var.empty",
    "var.empty_map",
    "[var.empty]",
];

/// Values that are secret, or that hold what is.
const SECRETS: [&str; 8] = [
    "sensitive(\"b\")",
    "sensitive(3)",
    "sensitive(true)",
    "sensitive([\"b\"])",
    "sensitive({ b = 1 })",
    "[sensitive(\"b\"), 1]",
    "{ b = sensitive(1), c = 2 }",
    "toset([sensitive(\"b\"), \"a\"])",
];

/// What meets them.
const BESIDE_SECRETS: [&str; 9] =
    ["null", "\"b\"", "0", "3", "false", "[]", "[\"b\", 1]", "{ b = 1 }", "tomap({ b = \"c\" })"];

/// What is written of one value, `A`.
const OF_ONE: [&str; 30] = [
    "-A",
    "!A",
    "\"${A}\"",
    "\"x${A}\"",
    "A[*]",
    "A[*].b",
    "A.*",
    "A.*.b",
    "A.b",
    "A[0]",
    "A[\"b\"]",
    "A == null",
    "A ? 1 : 2",
    "true ? A : null",
    "false ? A : null",
    "[for v in A : v]",
    "[for k, v in A : k]",
    "{ for k, v in A : k => v }",
    "{ for v in A : v => 1... }",
    "{ (A) = 1 }",
    "\"%{ if A }y%{ else }n%{ endif }\"",
    "\"%{ for k, v in A }${k},%{ endfor }\"",
    "max(A...)",
    "coalesce(A, \"c\")",
    "coalesce(null, A)",
    "try(A == tolist(A), \"no list\")",
    "try(A == toset(A), \"no set\")",
    "try(A == tomap(A), \"no map\")",
    "[A, 1]",
    "tolist([A])",
];

/// What is written of two, `A` and `B`.
const OF_TWO: [&str; 10] = [
    "true ? A : B",
    "false ? A : B",
    "A == B",
    "A != B",
    "A[B]",
    "tolist([A, B])",
    "toset([A, B])",
    "tomap({ x = A, y = B })",
    "contains([A], B)",
    "try(concat(A, B), merge(A, B))",
];

/// The operators of two numbers or two truth values.
const OPERATORS: [&str; 11] = ["+", "-", "*", "/", "%", "<", "<=", ">", ">=", "&&", "||"];

/// What is written of the result of a function, `A`, so that its type shows.
const OF_RESULT: [&str; 5] = [
    "can(A[0])",
    "try(\"x${A}\", \"no text\")",
    "try([for k, v in A : k], \"no collection\")",
    "try(A == tolist(A), \"no list\")",
    "try(true ? A : [\"x\"], \"another type\")",
];

fn top() -> Utf8PathBuf {
    repository().join("tests/differential")
}

fn read(path: &Utf8Path) -> anyhow::Result<String> {
    #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
    std::fs::read_to_string(path).with_context(|| path.to_string())
}

/// The files that the expressions may read, and the one that declares their names, by their paths in the folder that terraform runs in.
///
/// # Errors
/// When one cannot be read.
pub fn files() -> anyhow::Result<Vec<(Utf8PathBuf, Vec<u8>)>> {
    let top = top().join("files");
    let mut out = Vec::new();
    for extension in ["txt", "bin", "tftpl", "json", "csv", "yaml"] {
        for path in files_below(&top, extension)? {
            #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
            let bytes = std::fs::read(&path)?;
            out.push((path.strip_prefix(&top)?.to_owned(), bytes));
        }
    }
    // The names that they may use.
    let declared = Utf8Path::new("declared.tf");
    out.push((declared.to_owned(), read(&self::top().join(declared))?.into_bytes()));
    out.sort();
    Ok(out)
}

/// The written ones: every line of the text files that is not a comment, and every case of several lines.
///
/// # Errors
/// When a file cannot be read.
pub fn written() -> anyhow::Result<Vec<Expression>> {
    let top = top();
    let mut out = Vec::new();
    for path in files_below(&top, "txt")? {
        if path.starts_with(top.join("files")) || path.ends_with("calls.txt") {
            continue;
        }
        let stem = path.file_stem().unwrap_or_default().to_owned();
        for line in lines(&read(&path)?) {
            out.push(Expression { subject: subject(line, &stem), text: line.to_owned() });
        }
    }
    for path in files_below(&top.join("multiline"), "hcl")? {
        out.push(Expression { subject: "multiline".to_owned(), text: read(&path)?.trim_end().to_owned() });
    }
    Ok(distinct(out))
}

/// Calls of every function: one with usual arguments, each of those replaced by arguments of other types, and one
/// argument too few and too many, and each argument in turn as a secret; then what shows the type of its result.
///
/// # Errors
/// When the file of the usual calls cannot be read.
pub fn calls() -> anyhow::Result<Vec<Expression>> {
    let path = top().join("functions/calls.txt");
    let (mut out, mut shown) = (Vec::new(), Vec::new());
    for line in lines(&read(&path)?) {
        let mut parts = line.split(" | ").map(str::trim);
        let name = parts.next().unwrap_or_default().trim_end_matches(" |");
        ensure!(is_name(name), "{path}: {line} begins with no function");
        let usual: Vec<&str> = parts.collect();
        let mut call = |arguments: &[&str]| {
            let text = format!("{name}({})", arguments.join(", "));
            out.push(Expression { subject: name.to_owned(), text });
        };
        call(&usual);
        let text = format!("{name}({})", usual.join(", "));
        for form in OF_RESULT {
            shown.push(Expression { subject: name.to_owned(), text: form.replace('A', &text) });
        }
        for at in 0..usual.len() {
            for other in ARGUMENTS {
                let mut arguments = usual.clone();
                if let Some(argument) = arguments.get_mut(at) {
                    *argument = other;
                }
                call(&arguments);
            }
            let mut arguments = usual.clone();
            let secret = usual.get(at).map(|argument| format!("sensitive({argument})")).unwrap_or_default();
            if let Some(argument) = arguments.get_mut(at) {
                *argument = &secret;
            }
            call(&arguments);
        }
        if let Some((_, fewer)) = usual.split_last() {
            call(fewer);
        }
        call(&[&usual[..], &["\"b\""]].concat());
    }
    out.append(&mut shown);
    Ok(distinct(out))
}

/// Values of every type in every construct of the language, and each with each other; secrets with some.
#[must_use]
pub fn combined() -> Vec<Expression> {
    let values: Vec<&str> = ARGUMENTS.into_iter().chain(MORE).collect();
    let mut out = Vec::new();
    for value in values.iter().copied().chain(SECRETS) {
        let of_one =
            OF_ONE.map(|form| Expression { subject: form.to_owned(), text: form.replace('A', value) });
        out.extend(of_one);
    }
    for first in &values {
        values.iter().for_each(|second| pair(first, second, &mut out));
    }
    for secret in SECRETS {
        for value in BESIDE_SECRETS {
            pair(secret, value, &mut out);
            pair(value, secret, &mut out);
        }
    }
    distinct(out)
}

/// Two values in every construct of two.
fn pair(first: &str, second: &str, out: &mut Vec<Expression>) {
    for form in OF_TWO {
        // The values hold neither of the capital letters.
        let text = form.replace('A', first).replace('B', second);
        out.push(Expression { subject: form.to_owned(), text });
    }
    for operator in OPERATORS {
        let (subject, text) = (format!("A {operator} B"), format!("{first} {operator} {second}"));
        out.push(Expression { subject, text });
    }
}

/// Expressions that are put together at random, and as many heredocs; the same ones every time.
#[must_use]
pub fn generated(count: usize) -> Vec<Expression> {
    let named = |subject: &'static str| move |text| Expression { subject: subject.to_owned(), text };
    let expressions = generator::expressions(count).into_iter().map(named("generated"));
    distinct(expressions.chain(heredocs::heredocs(count).into_iter().map(named("heredoc"))).collect())
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn subject(line: &str, stem: &str) -> String {
    let called = line.split_once('(').map(|(name, _)| name).filter(|name| is_name(name));
    called.unwrap_or(stem).to_owned()
}

/// Each text once.
fn distinct(all: Vec<Expression>) -> Vec<Expression> {
    let mut seen = BTreeSet::new();
    all.into_iter().filter(|expression| seen.insert(expression.text.clone())).collect()
}
