//! The pages of the rules, and the page that shows them beside other tools, are what the files of the rules come to.
//! `AUDITLINT_OVERWRITE=1 cargo test -p auditlint_tests --test rule_pages` writes them anew.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use auditlint_policy::rule::docs;
use auditlint_tests::markdown::{generated, whole};
use auditlint_tests::rule_page::pages;
use auditlint_tests::{catalogue, catalogue_of, coverage, files_below, overwrites, policy_texts, repository};

#[test]
fn every_rule_has_its_page_and_no_page_has_none() -> anyhow::Result<()> {
    let texts = policy_texts()?;
    let pages = pages(&catalogue_of(&texts)?, &texts)?;
    ensure!(pages.len() > 100, "only {} pages", pages.len());
    for (path, text) in &pages {
        whole(path.as_str().into(), text)?;
    }
    let top = repository();
    let present = files_below(&top.join("docs/rules"), "md")?;
    let expected: BTreeSet<_> = pages.keys().map(|path| top.join(path)).collect();
    for path in present.iter().filter(|path| !expected.contains(*path)) {
        ensure!(overwrites(), "{path} is the page of no rule; AUDITLINT_OVERWRITE=1 removes it");
        std::fs::remove_file(path).with_context(|| path.to_string())?;
    }
    Ok(())
}

#[test]
fn findings_point_to_the_pages() -> anyhow::Result<()> {
    let texts = policy_texts()?;
    let catalogue = catalogue_of(&texts)?;
    let pages = pages(&catalogue, &texts)?;
    for rule in catalogue.rules() {
        let link = docs(&rule.id);
        let (_, path) = link.split_once("/blob/main/").with_context(|| link.clone())?;
        ensure!(pages.contains_key(path), "{link} leads nowhere");
    }
    Ok(())
}

#[test]
fn the_tables_beside_other_tools_are_up_to_date() -> anyhow::Result<()> {
    let (counts, rows) = coverage::tables(&*catalogue()?)?;
    generated("docs/coverage.md", "tools", &counts)?;
    generated("docs/coverage.md", "rules", &rows)
}
