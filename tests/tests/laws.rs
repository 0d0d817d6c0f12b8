//! Laws that hold for every configuration, tried on all fixtures: an edited text gives what a fresh one gives, no
//! text makes the analysis give up, a fix removes its own finding and adds none, and a plan that ends too early
//! never looks whole.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use auditlint_analysis::{AnalysisHost, Change, Fix, Report};
use auditlint_policy::{Catalogue, Place, Verdict};
use auditlint_syntax::{MemoryFiles, TextEdit, apply_edits};
use auditlint_tests::fixtures::fixtures;
use auditlint_tests::{catalogue, diff, host};
use camino::{Utf8Path, Utf8PathBuf};

/// The texts of a folder, by their path in it.
type Texts = BTreeMap<Utf8PathBuf, String>;

fn texts(folder: &Utf8Path) -> anyhow::Result<Texts> {
    let mut out = Texts::new();
    collect(folder, folder, &mut out)?;
    Ok(out)
}

fn collect(top: &Utf8Path, folder: &Utf8Path, out: &mut Texts) -> anyhow::Result<()> {
    for entry in folder.read_dir_utf8()? {
        let path = entry?.into_path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            collect(top, &path, out)?;
        } else if [".tf", ".tf.json", ".tfvars"].iter().any(|end| name.ends_with(end)) {
            #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
            let text = std::fs::read_to_string(&path)?;
            out.insert(path.strip_prefix(top)?.to_owned(), text);
        }
    }
    Ok(())
}

fn fresh(catalogue: &Arc<Catalogue>, texts: &Texts) -> anyhow::Result<AnalysisHost> {
    let files = MemoryFiles::of(texts.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    host(files, catalogue, "auditlint:everything")
}

fn report(host: &AnalysisHost) -> anyhow::Result<Report> {
    let analysis = host.analysis();
    analysis.check(&analysis.roots()).map_err(|_| anyhow::anyhow!("cancelled"))
}

/// Everything that a user could see of a report, as lines.
fn lines(report: &Report) -> String {
    let place = |place: &Place| match place {
        Place::Source(at) => {
            let path = report.source(at.file).map(|source| source.path().to_string());
            format!("{}:{}..{}", path.unwrap_or_default(), at.span.start, at.span.end)
        }
        Place::Plan(pointer) => pointer.clone(),
        Place::Nowhere => String::new(),
    };
    let mut out = String::new();
    for (_, finding) in report.findings() {
        let related: Vec<String> =
            finding.related.iter().map(|one| format!("{} {}", place(&one.place), one.message)).collect();
        out.push_str(&format!(
            "{} {} {} at {}: {} {:?} {:?}\n",
            finding.verdict.as_str(),
            finding.rule,
            finding.address,
            place(&finding.place),
            finding.message,
            related,
            finding.fingerprint(),
        ));
    }
    for gap in report.roots.iter().flat_map(|root| &root.gaps) {
        out.push_str(&format!("gap {} {} {}\n", gap.kind.as_str(), gap.path, gap.reason));
    }
    out
}

/// A small generator, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % end.max(1)
    }
}

/// What a hand may do to a text: cut it, remove or double a line, type something in the middle.
fn edited(text: &str, random: &mut Random) -> String {
    let mut at = random.below(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let (before, after) = text.split_at(at);
    let (line, rest) = after.split_once('\n').unwrap_or((after, ""));
    match random.below(7) {
        0 => before.to_owned(),
        1 => format!("{before}{rest}"),
        2 => format!("{before}{line}\n{line}\n{rest}"),
        3 => format!("{before}{{{after}"),
        4 => format!("{before}\"{after}"),
        5 => format!("{before} = 7\n{after}"),
        _ => format!("{before}${{{after}"),
    }
}

#[test]
fn an_edited_text_gives_what_a_fresh_one_gives() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    let mut random = Random(7);
    for folder in fixtures()? {
        let original = texts(&folder)?;
        if original.is_empty() {
            continue;
        }
        let mut live = fresh(&catalogue, &original)?;
        let untouched = lines(&report(&live)?);
        let paths: Vec<&Utf8PathBuf> = original.keys().collect();
        let mut now = original.clone();
        for _ in 0..25 {
            let path = paths[random.below(paths.len())];
            let text = edited(&now[path], &mut random);
            live.apply_change(Change::Overlay(path.clone(), text.as_str().into()));
            now.insert(path.clone(), text);
            let (found, expected) = (lines(&report(&live)?), lines(&report(&fresh(&catalogue, &now)?)?));
            ensure!(
                found == expected,
                "{folder}: after an edit of {path}\n{}\nthe text:\n{}",
                diff(&expected, &found),
                now[path]
            );
        }
        for path in paths {
            live.apply_change(Change::Close(path.clone()));
        }
        let again = lines(&report(&live)?);
        ensure!(again == untouched, "{folder}: after closing\n{}", diff(&untouched, &again));
    }
    Ok(())
}

#[test]
fn no_prefix_of_a_text_makes_the_analysis_give_up() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    for folder in fixtures()? {
        let original = texts(&folder)?;
        if original.is_empty() {
            continue;
        }
        let mut live = fresh(&catalogue, &original)?;
        for (path, text) in &original {
            // A step that is no divisor of a usual line meets every kind of place.
            for end in (0..text.len()).step_by(13).filter(|end| text.is_char_boundary(*end)) {
                live.apply_change(Change::Overlay(path.clone(), text[..end].into()));
                report(&live).with_context(|| format!("{folder}: {path} up to byte {end}"))?;
            }
            live.apply_change(Change::Close(path.clone()));
        }
    }
    Ok(())
}

/// What fails, as `rule address`.
fn failing(report: &Report) -> BTreeSet<String> {
    let failing = report.findings().filter(|(_, finding)| finding.verdict == Verdict::Fail);
    failing.map(|(_, finding)| format!("{} {}", finding.rule, finding.address)).collect()
}

/// The texts after the edits of `fixes`.
fn after(fixes: &[Fix], host: &AnalysisHost, texts: &Texts) -> anyhow::Result<Texts> {
    let analysis = host.analysis();
    let mut edits: BTreeMap<Utf8PathBuf, Vec<TextEdit>> = BTreeMap::new();
    for file in fixes.iter().flat_map(|fix| &fix.edits) {
        let path = analysis.files().paths().path(file.file);
        edits.entry((*path).to_owned()).or_default().extend(file.edits.iter().cloned());
    }
    let mut out = texts.clone();
    for (path, mut edits) in edits {
        edits.sort();
        edits.dedup();
        let text = apply_edits(texts[&path].as_bytes(), &edits)?;
        out.insert(path, String::from_utf8(text)?);
    }
    Ok(out)
}

#[test]
fn safe_fixes_remove_their_findings_and_add_none() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    for folder in fixtures()? {
        let original = texts(&folder)?;
        let host = fresh(&catalogue, &original)?;
        let before = failing(&report(&host)?);
        let fixes =
            host.analysis().safe_fixes(&host.analysis().roots()).map_err(|_| anyhow::anyhow!("cancelled"))?;
        let fixed = after(&fixes, &host, &original)?;
        let second = fresh(&catalogue, &fixed)?;
        let left = failing(&report(&second)?);
        for fix in &fixes {
            let finding = format!("{} {}", fix.finding.rule, fix.finding.address);
            ensure!(!left.contains(&finding), "{folder}: `{}` leaves {finding}", fix.title);
        }
        let added: Vec<&String> = left.difference(&before).collect();
        ensure!(added.is_empty(), "{folder}: the fixes add {added:?}");
        for (path, text) in &fixed {
            keeps_line_ends(&original[path], text).with_context(|| format!("{folder}: {path}"))?;
        }
        stays_formatted(&original, &fixed).with_context(|| folder.to_string())?;
    }
    Ok(())
}

#[test]
fn every_fix_alone_removes_its_finding_and_adds_none() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    for folder in fixtures()? {
        let original = texts(&folder)?;
        let host = fresh(&catalogue, &original)?;
        let whole = report(&host)?;
        let before = failing(&whole);
        let analysis = host.analysis();
        let root = *analysis.roots().first().context("no root")?;
        for (_, finding) in whole.findings().filter(|(_, finding)| finding.verdict == Verdict::Fail) {
            for (rank, fix) in analysis.fixes_of(root, finding).into_iter().enumerate() {
                let fixed = after(std::slice::from_ref(&fix), &host, &original)?;
                let left = failing(&report(&fresh(&catalogue, &fixed)?)?);
                let name = format!("{} {}", finding.rule, finding.address);
                ensure!(!left.contains(&name), "{folder}: `{}` leaves {name}", fix.title);
                let added: Vec<&String> = left.difference(&before).collect();
                // What is added to the configuration is judged as well; what was there may not get worse.
                let worse: Vec<&&String> = added.iter().filter(|added| !is_new(added, &whole)).collect();
                // Further choices are a person's: another bucket than the one for logs may have its reasons.
                ensure!(worse.is_empty() || rank > 0, "{folder}: `{}` adds {worse:?}", fix.title);
                stays_formatted(&original, &fixed).with_context(|| format!("{folder}: `{}`", fix.title))?;
            }
        }
    }
    Ok(())
}

/// Whether the line `rule address` speaks of a resource that no verdict spoke of before.
fn is_new(line: &str, before: &Report) -> bool {
    let address = line.split_once(' ').map_or("", |(_, address)| address);
    before.findings().all(|(_, finding)| finding.address.to_string() != address)
}

fn keeps_line_ends(before: &str, after: &str) -> anyhow::Result<()> {
    let windows = |text: &str| (text.matches("\r\n").count(), text.matches('\n').count());
    let ((old, all_old), (new, all_new)) = (windows(before), windows(after));
    ensure!(old != all_old || new == all_new, "{} of {all_new} lines lost their CR", all_new - new);
    ensure!(old != 0 || new == 0, "{new} lines got a CR");
    ensure!(before.ends_with('\n') == after.ends_with('\n'), "the end of the file changed");
    Ok(())
}

/// Where terraform is installed: a file that it would have left as it was must stay such a file.
fn stays_formatted(before: &Texts, after: &Texts) -> anyhow::Result<()> {
    for (path, text) in after {
        if before[path] == *text || path.extension() != Some("tf") {
            continue;
        }
        let (Some(old), Some(new)) = (formatted(&before[path])?, formatted(text)?) else { return Ok(()) };
        ensure!(old != before[path] || new == *text, "{path} is no longer formatted\n{}", diff(&new, text));
    }
    Ok(())
}

/// What `terraform fmt` makes of a text: itself where it cannot be read, nothing where there is no terraform.
fn formatted(text: &str) -> anyhow::Result<Option<String>> {
    use std::io::Write as _;
    let child = Command::new("terraform")
        .args(["fmt", "-no-color", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return Ok(None) };
    child.stdin.take().context("no standard input")?.write_all(text.as_bytes())?;
    let output = child.wait_with_output()?;
    let given = if output.status.success() { String::from_utf8(output.stdout)? } else { text.to_owned() };
    Ok(Some(given))
}

/// Bytes of recorded plans, changed at random: each is an error with a text or a plan, and judged in time.
#[test]
fn no_plan_makes_the_reader_give_up() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    let mut random = Random(11);
    for folder in fixtures()? {
        let path = folder.join("plan.json");
        if !path.is_file() {
            continue;
        }
        #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
        let plan = std::fs::read(&path)?;
        for _ in 0..40 {
            let mut bytes = plan.clone();
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len());
                let other = [b'{', b'}', b'[', b']', b'"', b',', b':', b'\\', b'0', 0, 0xFF];
                match random.below(3) {
                    0 => bytes[at] = other[random.below(other.len())],
                    1 => {
                        let end = (at + 1 + random.below(40)).min(bytes.len());
                        bytes.drain(at..end);
                    }
                    _ => bytes.insert(at, other[random.below(other.len())]),
                }
            }
            let mut host = host(MemoryFiles::new(), &catalogue, "auditlint:everything")?;
            host.apply_change(Change::Roots(Vec::new()));
            match host.add_plan(Utf8Path::new("plan.json"), None, &mut bytes.as_slice()) {
                Ok(_) => drop(report(&host)?),
                Err(error) => ensure!(!error.to_string().is_empty()),
            }
        }
    }
    Ok(())
}

#[test]
fn a_plan_that_ends_too_early_never_looks_whole() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    for folder in fixtures()? {
        let path = folder.join("plan.json");
        if !path.is_file() {
            continue;
        }
        #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
        let plan = std::fs::read(&path)?;
        let whole = plan.trim_ascii_end().len();
        for end in (0..whole).step_by(whole / 61) {
            let mut host = host(MemoryFiles::new(), &catalogue, "auditlint:everything")?;
            host.apply_change(Change::Roots(Vec::new()));
            let mut input = &plan[..end];
            if host.add_plan(Utf8Path::new("plan.json"), None, &mut input).is_err() {
                continue;
            }
            let report = report(&host)?;
            ensure!(report.summary.gaps > 0, "{path}: the first {end} bytes look like a whole plan");
        }
    }
    Ok(())
}
