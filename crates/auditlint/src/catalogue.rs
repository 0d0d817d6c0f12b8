//! `auditlint rules` and `auditlint explain`, and where the catalogue comes from.

use std::sync::Arc;

use anyhow::Context as _;
use auditlint_policy::check::CHECKS;
use auditlint_policy::rule::docs;
use auditlint_policy::{Catalogue, Reading};
use auditlint_syntax::document::reader::nearest;
use camino::{Utf8Path, Utf8PathBuf};

use crate::arguments::ListFormat;
use crate::failure::Failure;
use crate::{inputs, output};

/// The catalogue that was compiled in, or the one in `AUDITLINT_POLICIES_DIR`.
pub(crate) fn load(reading: Reading) -> Result<Arc<Catalogue>, Failure> {
    #[expect(clippy::disallowed_methods, reason = "this is the edge: the environment is read here")]
    let Ok(folder) = std::env::var("AUDITLINT_POLICIES_DIR") else {
        return Ok(Arc::new(Catalogue::embedded(reading)));
    };
    let mut texts = Vec::new();
    let folder = Utf8PathBuf::from(folder);
    read_below(&folder, &folder, &mut texts)?;
    texts.sort();
    let pairs = texts.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let (catalogue, problems) = Catalogue::from_texts(pairs, reading);
    if problems.is_empty() {
        return Ok(Arc::new(catalogue));
    }
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Err(Failure::new(format!("the catalogue in {folder} has problems\n{}", lines.join("\n"))))
}

fn read_below(
    top: &Utf8Path,
    folder: &Utf8Path,
    out: &mut Vec<(String, String)>,
) -> Result<(), anyhow::Error> {
    for entry in folder.read_dir_utf8().with_context(|| format!("{folder} cannot be read"))? {
        let path = entry?.into_path();
        if path.is_dir() {
            read_below(top, &path, out)?;
        } else if path.extension() == Some("yaml") {
            #[expect(clippy::disallowed_methods, reason = "this is the edge")]
            let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
            out.push((path.strip_prefix(top).unwrap_or(&path).to_string(), text));
        }
    }
    Ok(())
}

/// Lists all rules.
pub(crate) fn rules(format: ListFormat) -> Result<u8, Failure> {
    let catalogue = load(Reading::WithoutExamples)?;
    let text = match format {
        ListFormat::Text => auditlint_report::rules_text(catalogue.rules()),
        ListFormat::Json => auditlint_report::rules_json(catalogue.rules()),
    };
    output::print(&text)?;
    Ok(0)
}

/// Explains a rule, found by its id or by an alias.
pub(crate) fn explain(name: &str) -> Result<u8, Failure> {
    let catalogue = load(Reading::Whole)?;
    let mut found: Vec<_> = catalogue.rule(name).into_iter().collect();
    if found.is_empty() {
        found.extend(catalogue.by_alias(name));
    }
    if let Some(check) = CHECKS.iter().find(|check| check.id == name) {
        output::print(&auditlint_report::explain_check(check))?;
        return Ok(0);
    }
    if found.is_empty() && name.starts_with("rego/") {
        output::print(&format!(
            "{name} is a rule of a policy in Rego: what it asks stands where its findings point to\nmore:  {}\n",
            docs(name)
        ))?;
        return Ok(0);
    }
    // It may be one of the repository's own.
    let here = if found.is_empty() { inputs::policies_here(Vec::new()).ok() } else { None };
    found.extend(here.as_ref().and_then(|set| set.catalogue.rule(name)));
    if found.is_empty() {
        let failure = Failure::new(format!("there is no rule `{name}`"));
        let known = catalogue
            .rules()
            .iter()
            .flat_map(|rule| std::iter::once(&*rule.id).chain(rule.aliases.iter().map(String::as_str)));
        return Err(match nearest(name, known) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("`auditlint rules` lists them all"),
        });
    }
    let texts: Vec<String> = found.into_iter().map(|rule| auditlint_report::explain(rule)).collect();
    output::print(&texts.join("\n"))?;
    Ok(0)
}
