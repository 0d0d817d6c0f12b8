//! What the catalogue says of resource types and the schemas do not: a type, a path or a value that is not there, a
//! remedy that Terraform would refuse.

use auditlint_policy::condition::Operand;
use auditlint_policy::{Catalogue, LocatedProblem};
use auditlint_syntax::document::reader::nearest;
use auditlint_syntax::document::{self, Node};
use auditlint_syntax::{LineIndex, Span};

use crate::schema::{Attribute, Block, Entry, Presence, Schemas};
use crate::uses::{Use, What, uses};

/// Where stands what probes look at.
const PROBES: &str = "crates/auditlint_policy/src/probes/mod.rs";

/// What the catalogue says and the schemas do not.
#[must_use]
pub fn mismatches(
    catalogue: &Catalogue,
    texts: &[(String, String)],
    schemas: &Schemas,
) -> Vec<LocatedProblem> {
    let mut out: Vec<LocatedProblem> = Vec::new();
    for used in uses(catalogue, texts) {
        let Some(message) = complaint(&used, schemas).or_else(|| unlisted(&used, catalogue, schemas)) else {
            continue;
        };
        let (path, text) = match texts.iter().find(|(path, _)| *path == used.file) {
            Some((path, text)) => (format!("policies/{path}"), text.as_str()),
            None => (PROBES.to_owned(), ""),
        };
        let root = document::parse_yaml(text).root;
        let span = root.get(used.under).and_then(|part| place(part, &used.word)).unwrap_or_default();
        let at = LineIndex::new(text).line_column(text, span.start);
        let problem = LocatedProblem { path, at, message };
        if !out.contains(&problem) {
            out.push(problem);
        }
    }
    out
}

/// Where the word first stands as a whole value or key.
fn place(node: &Node, word: &str) -> Option<Span> {
    if node.as_str() == Some(word) {
        return Some(node.span);
    }
    let entries = node
        .entries()
        .iter()
        .find_map(|entry| if entry.key == word { Some(entry.key_span) } else { place(&entry.value, word) });
    entries.or_else(|| node.items().iter().find_map(|item| place(item, word)))
}

/// Why what is said is not so.
fn complaint(used: &Use, schemas: &Schemas) -> Option<String> {
    let mut refused = Vec::new();
    for kind in &used.kinds {
        let Some(schema) = schemas.get(kind) else {
            let hint = hint(kind, schemas.kinds());
            return Some(format!("no schema has the type `{kind}`{hint}"));
        };
        refused.push(refusal(used, kind, schema));
    }
    match used.what {
        What::Read | What::Compared(_) if refused.iter().any(Option::is_none) => None,
        _ => refused.into_iter().flatten().next(),
    }
}

/// A nested block that the facts of its type do not list: in JSON it would not become a list of blocks.
fn unlisted(used: &Use, catalogue: &Catalogue, schemas: &Schemas) -> Option<String> {
    let head = used.path.first()?;
    used.kinds.iter().find_map(|kind| {
        let facts = catalogue.facts(kind)?;
        let is_block = schemas.get(kind).is_some_and(|schema| schema.blocks.contains_key(head));
        let listed = facts.blocks.iter().any(|block| *block == **head);
        (is_block && !listed)
            .then(|| format!("`{head}` is a nested block, which the facts of `{kind}` do not list"))
    })
}

fn hint<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(word, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

fn refusal(used: &Use, kind: &str, schema: &Block) -> Option<String> {
    let path: Vec<&str> = used.path.iter().map(String::as_str).collect();
    let shown = path.join(".");
    let entry = match schema.at(&path) {
        Ok(entry) => entry,
        Err((step, known)) => {
            let hint = hint(step, known.into_iter());
            return Some(if step == shown {
                format!("`{kind}` has no `{step}`{hint}")
            } else {
                format!("`{kind}` has no `{step}` in `{shown}`{hint}")
            });
        }
    };
    match (&used.what, entry) {
        (What::Nested, Entry::Attribute(_) | Entry::Inside) => {
            Some(format!("`{shown}` of `{kind}` is no nested block"))
        }
        (What::Compared(value), Entry::Attribute(attribute)) => misfit(value, attribute, kind, &shown),
        (What::Written(value), Entry::Attribute(attribute)) => {
            if attribute.presence == Presence::Computed {
                return Some(format!("`{shown}` of `{kind}` is set by the provider alone"));
            }
            misfit(value.as_ref()?, attribute, kind, &shown)
        }
        (What::Made(names), Entry::Block(block)) => {
            let missing = block.required().find(|required| !names.iter().any(|name| name == required))?;
            let inside =
                if shown.is_empty() { format!("`{kind}`") } else { format!("`{shown}` of `{kind}`") };
            Some(format!("{inside} needs `{missing}`"))
        }
        _ => None,
    }
}

/// Why Terraform would not convert the value to the attribute's type.
fn misfit(value: &Operand, attribute: &Attribute, kind: &str, shown: &str) -> Option<String> {
    let fits = match (attribute.of.as_str(), value) {
        // What a parameter holds is checked where it is given.
        (_, Operand::Parameter(_)) | ("dynamic", _) => true,
        ("bool", Operand::Bool(_)) | ("number", Operand::Number(_)) => true,
        ("bool", Operand::Text(text)) => matches!(text.as_str(), "true" | "false"),
        ("number", Operand::Text(text)) => text.parse::<f64>().is_ok(),
        ("string", value) => !matches!(value, Operand::List(_)),
        ("bool" | "number", _) => false,
        (of, Operand::List(_)) => of.starts_with("list(") || of.starts_with("set("),
        // A test of a list may be one of its elements.
        _ => true,
    };
    (!fits).then(|| format!("`{shown}` of `{kind}` is a {}, not `{value}`", attribute.of))
}
