//! The estates below `fixtures/estates`: what is found in them and where their logs go is recorded beside them, so that
//! a change of either is seen and looked at. `AUDITLINT_OVERWRITE=1` records it anew.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use auditlint_tests::binary::run;
use auditlint_tests::fixtures::estates;
use auditlint_tests::{overwrites, repository};
use camino::Utf8Path;
use serde_json::Value;

#[expect(clippy::disallowed_methods, reason = "tests read and record what lies in the repository")]
fn is_as_recorded(estate: &Utf8Path, file: &str, words: &[&str]) -> anyhow::Result<()> {
    let found = run(estate, words)?.stdout;
    let path = estate.join(file);
    if overwrites() {
        std::fs::write(&path, &found)?;
    }
    let recorded = std::fs::read_to_string(&path).unwrap_or_default();
    ensure!(found == recorded, "{path} is not what `auditlint {}` prints:\n{found}", words.join(" "));
    Ok(())
}

#[test]
fn findings_and_pictures_are_those_that_were_looked_at() -> anyhow::Result<()> {
    for estate in estates()? {
        is_as_recorded(&estate, "findings.txt", &["check", ".", "--format", "concise"])?;
        let organisation = repository().join("policies/examples/organisation/organisation.yaml");
        let words = ["check", ".", "--format", "concise", "--policy", organisation.as_str()];
        is_as_recorded(&estate, "organisation.txt", &words)?;
        is_as_recorded(&estate, "flow.txt", &["flow", "."])?;
        is_as_recorded(&estate, "flow.svg", &["flow", ".", "--format", "svg"])?;
    }
    Ok(())
}

/// What a root comes to: the places of its findings, and the causes of what is not known.
#[derive(Default)]
struct Root {
    places: BTreeSet<(String, u64, String)>,
    causes: BTreeSet<String>,
}

#[test]
fn a_root_in_the_middle_has_few_findings_and_fewer_causes() -> anyhow::Result<()> {
    let (mut places, mut causes) = (Vec::new(), Vec::new());
    let all = estates()?;
    ensure!(all.len() >= 4, "{all:?}");
    for estate in all {
        let report: Value = serde_json::from_str(&run(&estate, &["check", ".", "--format", "json"])?.stdout)?;
        let resources = report["summary"]["resources"].as_u64().context("resources")?;
        ensure!((100..=300).contains(&resources), "{estate} has {resources} resources");
        ensure!(report["summary"]["gaps"] == 0, "{estate}: {}", report["gaps"]);
        let mut roots: BTreeMap<String, Root> = BTreeMap::new();
        for entry in estate.read_dir_utf8()? {
            let path = entry?.into_path();
            if path.is_dir() {
                roots.insert(path.file_name().unwrap_or_default().to_owned(), Root::default());
            }
        }
        ensure!(roots.len() == 3, "{estate} has the roots {:?}", roots.keys());
        for finding in report["findings"].as_array().context("findings")? {
            let name = Utf8Path::new(finding["root"].as_str().context("root")?).file_name();
            let root = name.and_then(|name| roots.get_mut(name)).context("a root")?;
            let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
            let line = finding["span"]["start"]["line"].as_u64().unwrap_or_default();
            root.places.insert((text("path"), line, text("rule")));
            if let Some(cause) = finding["cause"]["subject"].as_str() {
                root.causes.insert(cause.to_owned());
            }
        }
        places.extend(roots.values().map(|root| root.places.len()));
        causes.extend(roots.values().map(|root| root.causes.len()));
    }
    for (what, mut numbers, most) in [("places", places, 10), ("causes", causes, 3)] {
        numbers.sort_unstable();
        let median = numbers[numbers.len() / 2];
        ensure!(median <= most, "the median root has {median} {what}: {numbers:?}");
    }
    Ok(())
}
