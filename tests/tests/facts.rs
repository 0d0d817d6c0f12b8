//! What the facts say of nested blocks, against the providers' schemas and against plans of real providers, where
//! they lie beside the repository.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use auditlint_tests::{catalogue, files_below, shared};
use serde_json::Value;

#[test]
fn what_is_only_written_is_a_nested_block() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    for (kind, facts) in catalogue.all_facts() {
        for name in &facts.only_written {
            ensure!(facts.blocks.contains(name), "{kind}: {name} is not among its blocks");
        }
    }
    let Some(schemas) = shared().map(|shared| shared.join("schemas")).filter(|folder| folder.is_dir()) else {
        return Ok(());
    };
    let mut kinds: BTreeMap<String, Value> = BTreeMap::new();
    for path in files_below(&schemas, "json")? {
        let Value::Object(mut schema) = read(&path)? else { continue };
        if let Some(Value::Object(resources)) = schema.remove("resources") {
            kinds.extend(resources);
        }
    }
    let mut held = 0;
    for (kind, facts) in catalogue.all_facts() {
        let Some(schema) = kinds.get(kind.as_str()) else { continue };
        for name in &facts.only_written {
            let is_block = schema.get("blocks").is_some_and(|blocks| blocks.get(name.as_str()).is_some());
            ensure!(is_block, "{kind}: {name} is no nested block in the schema");
            held += 1;
        }
    }
    ensure!(held >= 60, "only {held} were looked up");
    Ok(())
}

/// A provider that fills a block in by itself shows it as known after apply where nobody wrote it. The plans were
/// made of configurations without such a block.
#[test]
fn what_is_only_written_is_never_filled_in_by_a_provider() -> anyhow::Result<()> {
    let Some(plans) = shared().map(|shared| shared.join("corpus/plans")).filter(|folder| folder.is_dir())
    else {
        return Ok(());
    };
    let catalogue = catalogue()?;
    let mut held = 0;
    for path in files_below(&plans, "json")? {
        // Some are no UTF-8, and some no plan at all.
        let Ok(plan) = read(&path) else { continue };
        for change in plan.get("resource_changes").and_then(Value::as_array).into_iter().flatten() {
            let kind = change.get("type").and_then(Value::as_str).unwrap_or_default();
            let Some(facts) = catalogue.facts(kind) else { continue };
            for name in &facts.only_written {
                let of = |part: &str| change.pointer(&format!("/change/{part}/{name}"));
                let later = of("after_unknown") == Some(&Value::Bool(true));
                ensure!(!later, "{path}: {kind} shows {name} as known after apply");
                held += usize::from(of("after").is_some());
            }
        }
    }
    ensure!(held >= 10, "only {held} were seen");
    Ok(())
}

fn read(path: &camino::Utf8Path) -> anyhow::Result<Value> {
    #[expect(clippy::disallowed_methods, reason = "tests read what lies beside the repository")]
    let text = std::fs::read(path)?;
    serde_json::from_slice(&text).with_context(|| path.to_string())
}
