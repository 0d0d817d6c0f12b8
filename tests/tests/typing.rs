//! The states that a text goes through while somebody types into one of its blocks: each block of the fixtures in
//! each of them. The block is found all the same, no neighbour is lost, and nothing else fails that did not fail
//! before.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use auditlint_analysis::{AnalysisHost, Change};
use auditlint_policy::Verdict;
use auditlint_syntax::hcl::{self, BlockCache, HclFile, Item, ItemKind};
use auditlint_syntax::{Files as _, MemoryFiles, Source, Span};
use auditlint_tests::fixtures::fixtures;
use auditlint_tests::{catalogue, files_below, host};
use camino::{Utf8Path, Utf8PathBuf};

fn parse(text: &str) -> anyhow::Result<HclFile> {
    let files = MemoryFiles::of([("a.tf", text)]);
    let source: Arc<Source> = files.read(Utf8Path::new("a.tf"))?;
    Ok(hcl::parse(&source, &BlockCache::default()))
}

/// The configuration of a fixture: its paths and texts.
fn texts(folder: &Utf8Path) -> anyhow::Result<Vec<(Utf8PathBuf, String)>> {
    let mut out = Vec::new();
    for ending in ["tf", "tfvars", "json"] {
        for path in files_below(folder, ending)? {
            if ending == "json" && !path.as_str().ends_with(".tf.json") {
                continue;
            }
            #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
            let text = std::fs::read_to_string(&path)?;
            out.push((path.strip_prefix(folder)?.to_owned(), text));
        }
    }
    Ok(out)
}

/// A top-level block of a text: its header and its bytes.
fn blocks(text: &str, file: &HclFile) -> Vec<(String, Span)> {
    let of = |item: &Item| match &item.piece.kind {
        ItemKind::Block(block) => {
            let header = item.place(block.header).span;
            Some((text[header.range()].to_owned(), item.place(block.span).span))
        }
        _ => None,
    };
    file.items.iter().filter_map(of).collect()
}

/// Statements that are typed at the beginning of a body.
const TYPED: &[&str] = &[
    "foo = ",
    "foo",
    "x = \"abc",
    "x = \"${var.",
    "x = aws_s3_bucket.",
    "blk {",
    "x = [",
    "x = merge(",
    "x = <<EOT",
    "}",
];

/// The text in each half-typed state of the block at `at`, with the name of the state. The last two states are
/// those of a text that ends inside of the block, and of one of whose characters is missing.
fn states(text: &str, at: Span) -> Vec<(String, String)> {
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let block = &text[at.range()];
    let mut out = Vec::new();
    if let Some(open) = block.find('{') {
        let inside = at.start as usize + open + 1;
        for typed in TYPED {
            let (before, after) = text.split_at(inside);
            out.push((format!("`{typed}`"), format!("{before}{line_end}  {typed}{after}")));
        }
        let middle = inside + block[open..].len() / 2;
        let middle = (inside..=middle).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(inside);
        let next = text[middle..].chars().next().map_or(middle, |c| middle + c.len_utf8());
        out.push(("a character deleted".to_owned(), format!("{}{}", &text[..middle], &text[next..])));
        out.push(("truncated".to_owned(), text[..middle].to_owned()));
    }
    let (before, from) = text.split_at(at.start as usize);
    out.push((
        "a header before it".to_owned(),
        format!("{before}resource \"aws_s3_bucket\"{line_end}{from}"),
    ));
    let end = at.end as usize - 1;
    out.push(("its closing brace deleted".to_owned(), format!("{}{}", &text[..end], &text[end + 1..])));
    out
}

#[test]
fn a_half_typed_block_takes_no_neighbour_with_it() -> anyhow::Result<()> {
    let mut tried = 0;
    for folder in fixtures()? {
        for (path, text) in texts(&folder)? {
            let file = parse(&text)?;
            if path.extension() != Some("tf") || !file.problems.is_empty() {
                continue;
            }
            let all = blocks(&text, &file);
            for (n, (header, at)) in all.iter().enumerate() {
                for (state, typed) in states(&text, *at) {
                    tried += 1;
                    let found = blocks(&typed, &parse(&typed)?);
                    let kept = |header: &str, written: &str| {
                        found.iter().any(|(found, span)| found == header && typed[span.range()] == *written)
                    };
                    let others =
                        all.iter().enumerate().filter(|(m, _)| *m < n || *m > n && state != "truncated");
                    for (_, (other, span)) in others {
                        ensure!(
                            kept(other, &text[span.range()]),
                            "{folder}/{path}: {state} in `{header}` loses `{other}`\n{typed}"
                        );
                    }
                    ensure!(
                        // Without the character the header itself may be another one.
                        state == "a character deleted" || found.iter().any(|(found, _)| found == header),
                        "{folder}/{path}: {state} loses `{header}` itself\n{typed}"
                    );
                }
            }
        }
    }
    ensure!(tried > 1_000, "only {tried} states");
    Ok(())
}

/// What fails, as `rule address`.
fn failing(host: &AnalysisHost) -> anyhow::Result<BTreeSet<(String, String)>> {
    let analysis = host.analysis();
    let report = analysis.check(&analysis.roots()).map_err(|_| anyhow::anyhow!("cancelled"))?;
    let failing = report.findings().filter(|(_, finding)| finding.verdict == Verdict::Fail);
    Ok(failing.map(|(_, finding)| (finding.rule.to_string(), finding.address.to_string())).collect())
}

/// Whether a block with that header declares the resource at `address`, or calls the module that holds it.
fn is_of(header: &str, address: &str) -> bool {
    let mut words = header.split_whitespace().map(|word| word.trim_matches('"'));
    match (words.next(), words.next(), words.next()) {
        (Some("resource"), Some(kind), Some(name)) => address.contains(&format!("{kind}.{name}")),
        (Some("module"), Some(name), None) => address.contains(&format!("module.{name}")),
        _ => false,
    }
}

#[test]
fn a_half_typed_block_adds_no_finding_to_another() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    let mut tried = 0;
    for folder in fixtures()? {
        let texts = texts(&folder)?;
        let pairs = texts.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        let mut live = host(MemoryFiles::of(pairs), &catalogue, "auditlint:everything")?;
        let before = failing(&live)?;
        for (path, text) in texts.iter().filter(|(path, _)| path.extension() == Some("tf")) {
            for (header, at) in blocks(text, &parse(text)?) {
                for (state, typed) in states(text, at) {
                    // These say something else without a mistake: what follows is gone, or a number is another.
                    if state == "truncated" || state == "a character deleted" {
                        continue;
                    }
                    tried += 1;
                    live.apply_change(Change::Overlay(path.clone(), typed.as_str().into()));
                    let after = failing(&live).with_context(|| format!("{folder}/{path}: {state}"))?;
                    let new: Vec<_> =
                        after.difference(&before).filter(|(_, address)| !is_of(&header, address)).collect();
                    ensure!(new.is_empty(), "{folder}/{path}: {state} in `{header}` adds {new:?}\n{typed}");
                }
            }
            live.apply_change(Change::Close(path.clone()));
        }
    }
    ensure!(tried > 1_000, "only {tried} states");
    Ok(())
}
