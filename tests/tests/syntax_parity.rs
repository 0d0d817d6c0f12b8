//! What `terraform fmt` takes, the parser takes, and what it refuses is a problem: over the configurations of other
//! tools' suites where they lie beside the repository, and over generated texts. Without a Terraform on the path
//! these tests are left out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use auditlint_syntax::hcl::{self, BlockCache, HclFile};
use auditlint_syntax::{Files as _, MemoryFiles, Problem, ProblemKind};
use auditlint_tests::torture::{generated, unescaped};
use auditlint_tests::{files_below, repository, shared};
use camino::Utf8Path;
use libtest_mimic::{Arguments, Failed, Trial};

/// How many texts are generated.
const GENERATED: usize = 3_000;

fn main() {
    let arguments = Arguments::from_args();
    let terraform = Command::new("terraform").arg("version").output().is_ok_and(|run| run.status.success());
    let corpus = shared().map(|shared| shared.join("corpus")).filter(|corpus| corpus.is_dir());
    let lacking = |what: &str, has: bool| if has { String::new() } else { format!(" (left out: no {what})") };
    let corpus_name = format!(
        "every file of other suites{}{}",
        lacking("terraform", terraform),
        lacking("suites beside the repository", corpus.is_some())
    );
    let has_corpus = corpus.is_some();
    let trials = vec![
        Trial::test("recorded cases", || failed(of_recorded())),
        Trial::test(corpus_name, move || {
            let folder = corpus.ok_or("no suites")?;
            failed(of_suites(&folder))
        })
        .with_ignored_flag(!terraform || !has_corpus),
        Trial::test(format!("generated files{}", lacking("terraform", terraform)), || failed(of_generated()))
            .with_ignored_flag(!terraform),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

fn failed(result: anyhow::Result<()>) -> Result<(), Failed> {
    result.map_err(|error| Failed::from(format!("{error:#}")))
}

fn of_suites(folder: &Utf8Path) -> anyhow::Result<()> {
    let mut texts = Vec::new();
    for path in files_below(folder, "tf")? {
        #[expect(clippy::disallowed_methods, reason = "a test reads files")]
        texts.push((path.to_string(), std::fs::read(&path)?));
    }
    ensure!(texts.len() >= 400, "only {} files", texts.len());
    let tally = compare(&texts)?;
    ensure!(tally.unsupported == 0, "{} of {} files are past a limit", tally.unsupported, texts.len());
    Ok(())
}

fn of_generated() -> anyhow::Result<()> {
    let mut texts = recorded("accepted")?;
    texts.extend(recorded("refused")?);
    texts.extend(generated(GENERATED).enumerate().map(|(n, text)| (format!("text {n}"), text)));
    ensure!(texts.len() > GENERATED + 500, "only {} texts", texts.len());
    let tally = compare(&texts)?;
    // Neither side may be rare, or the comparison says little.
    ensure!(
        tally.refused * 4 > texts.len() && tally.refused * 4 < texts.len() * 3,
        "{} refused",
        tally.refused
    );
    ensure!(tally.unsupported * 5 < texts.len(), "{} are past a limit", tally.unsupported);
    Ok(())
}

/// The cases of a page below tests/syntax: one a line, its bytes as escapes.
fn recorded(page: &str) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
    let text = std::fs::read_to_string(repository().join("tests/syntax").join(page).with_extension("txt"))?;
    text.lines().map(|line| Ok((format!("{page}: {line}"), unescaped(line)?))).collect()
}

/// The recorded cases need no Terraform: each page says what it would say.
fn of_recorded() -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    for (page, is_refused) in [("accepted", false), ("refused", true)] {
        let cases = recorded(page)?;
        ensure!(cases.len() > 200, "only {} cases in {page}", cases.len());
        for (name, text) in cases {
            let file = parsed(&text)?;
            if file.problems.iter().any(is_mistake) != is_refused {
                wrong.push(format!("{name}: {:?}", file.problems));
            }
        }
    }
    ensure!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

fn parsed(text: &[u8]) -> anyhow::Result<HclFile> {
    let mut files = MemoryFiles::new();
    files.put(Utf8Path::new("a.tf"), text);
    let source: Arc<_> = files.read(Utf8Path::new("a.tf"))?;
    Ok(hcl::parse(&source, &BlockCache::default()))
}

/// Whether the text is wrong: what is merely past a limit is not.
fn is_mistake(problem: &Problem) -> bool {
    problem.kind != ProblemKind::Unsupported
}

/// How many of the texts Terraform refuses, and how many of the others have a value past a limit.
struct Tally {
    refused: usize,
    unsupported: usize,
}

/// Holds what the parser says of each text against what Terraform says.
fn compare(texts: &[(String, Vec<u8>)]) -> anyhow::Result<Tally> {
    let mut refused = refused_by_terraform(texts)?;
    ensure!(refused.remove(&texts.len()).is_some(), "Terraform did not read all texts");
    let mut wrong = Vec::new();
    let mut unsupported = 0;
    for (n, (name, text)) in texts.iter().enumerate() {
        let file = parsed(text)?;
        let mistake = file.problems.iter().find(|problem| is_mistake(problem));
        unsupported += usize::from(mistake.is_none() && !file.problems.is_empty());
        for problem in &file.problems {
            let inside = problem.span.start <= problem.span.end && problem.span.end as usize <= text.len();
            ensure!(inside && !problem.message.is_empty(), "{name}: {problem:?}\n{}", text.escape_ascii());
        }
        let theirs = refused.get(&n);
        // Terraform's scanner takes some bytes in names and strings that are no UTF-8; here they are refused.
        let is_not_utf8 = file.problems.iter().any(|problem| problem.kind == ProblemKind::Encoding);
        if theirs.is_some() != mistake.is_some() && !(theirs.is_none() && is_not_utf8) {
            let ours = mistake.map_or("no problem", |problem| problem.message.as_str());
            let theirs = theirs.map_or("accepted", String::as_str);
            wrong.push(format!("{name}: Terraform: {theirs}; here: {ours}\n{}", text.escape_ascii()));
        }
    }
    let mut out = format!("{} of {} texts differ\n", wrong.len(), texts.len());
    for one in wrong.iter().take(20) {
        writeln!(out, "{}", one.chars().take(1_500).collect::<String>())?;
    }
    ensure!(wrong.is_empty(), "{out}");
    Ok(Tally { refused: refused.len(), unsupported })
}

/// The numbers of the texts that `terraform fmt` refuses, and its first reason.
fn refused_by_terraform(texts: &[(String, Vec<u8>)]) -> anyhow::Result<BTreeMap<usize, String>> {
    let folder = tempfile::tempdir()?;
    // The last one is wrong in any case, and says that Terraform read them all.
    for (n, text) in texts.iter().map(|(_, text)| text.as_slice()).chain([b"}".as_slice()]).enumerate() {
        #[expect(clippy::disallowed_methods, reason = "a test writes the files that Terraform reads")]
        std::fs::write(folder.path().join(format!("t{n:06}.tf")), text)?;
    }
    let run = Command::new("terraform")
        .args(["fmt", "-check", "-recursive", "-no-color", "."])
        .current_dir(folder.path())
        .output()
        .context("terraform")?;
    let mut refused = BTreeMap::new();
    let told = String::from_utf8_lossy(&run.stderr);
    for error in told.split("Error: ").skip(1) {
        let reason = error.lines().next().unwrap_or_default();
        let place = error
            .lines()
            .find_map(|line| line.trim_start().strip_prefix("on t"))
            .with_context(|| error.to_owned())?;
        let number =
            place.get(..6).and_then(|number| number.parse().ok()).with_context(|| place.to_owned())?;
        refused.entry(number).or_insert_with(|| reason.to_owned());
    }
    Ok(refused)
}
