//! The configurations of the rules' examples: an argument that no schema has would make an example prove nothing.

use std::sync::Arc;

use auditlint_policy::{Catalogue, LocatedProblem};
use auditlint_syntax::document::reader::nearest;
use auditlint_syntax::hcl::{self, BlockCache, Body, ItemKind};
use auditlint_syntax::{Files as _, LineColumn, MemoryFiles, Source, Span};
use camino::Utf8Path;

use crate::schema::{Block, Presence, Schemas};

/// Arguments that Terraform itself reads.
const META: [&str; 7] =
    ["connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"];

/// The arguments in examples that the schemas of their types do not have, at the lines of the rules' files.
///
/// # Errors
/// When an example cannot be read.
pub fn mismatches(catalogue: &Catalogue, schemas: &Schemas) -> anyhow::Result<Vec<LocatedProblem>> {
    let mut out = Vec::new();
    for rule in catalogue.rules() {
        for example in &rule.examples {
            for (line, message) in of_text(&example.hcl, schemas)? {
                let at = LineColumn { line: example.line + line - 1, column: 1 };
                out.push(LocatedProblem { path: format!("policies/rules/{}.yaml", rule.id), at, message });
            }
        }
    }
    Ok(out)
}

/// The lines of a configuration, from 1, with what is wrong there. Types without a schema are not looked at.
fn of_text(text: &str, schemas: &Schemas) -> anyhow::Result<Vec<(u32, String)>> {
    let source: Arc<Source> = MemoryFiles::of([("main.tf", text)]).read(Utf8Path::new("main.tf"))?;
    let mut out = Vec::new();
    for item in hcl::parse(&source, &BlockCache::default()).items {
        let ItemKind::Block(block) = &item.piece.kind else { continue };
        let Some(kind) = block.labels.first().filter(|_| block.ident == "resource") else { continue };
        let Some(schema) = schemas.get(&kind.name) else { continue };
        let mut say = |span: Span, message: String| {
            let at = source.lines().line_column(source.text(), item.place(span).span.start);
            out.push((at.line, message));
        };
        of_body(&block.body, schema, &kind.name, &META, &mut say);
    }
    Ok(out)
}

fn of_body(body: &Body, schema: &Block, name: &str, also: &[&str], say: &mut impl FnMut(Span, String)) {
    let unknown = |word: &str| {
        let known = schema.attributes.keys().chain(schema.blocks.keys()).map(String::as_str);
        let hint = nearest(word, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("`{name}` has no `{word}`{hint}")
    };
    for attribute in body.attributes.iter().filter(|attribute| !also.contains(&attribute.name.as_str())) {
        match schema.attributes.get(attribute.name.as_str()) {
            Some(one) if one.presence == Presence::Computed => {
                say(
                    attribute.name_span,
                    format!("`{}` of `{name}` is set by the provider alone", attribute.name),
                );
            }
            // A list of blocks may be written as an attribute.
            None if !schema.blocks.contains_key(attribute.name.as_str()) => {
                say(attribute.name_span, unknown(&attribute.name));
            }
            _ => {}
        }
    }
    for block in body.blocks.iter().filter(|block| !also.contains(&block.ident.as_str())) {
        let generated = block.labels.first().filter(|_| block.ident == "dynamic");
        let named = generated.map_or(&block.ident, |label| &label.name);
        let Some((_, inner)) = schema.blocks.get(named.as_str()) else {
            say(block.ident_span, unknown(named));
            continue;
        };
        let contents: Vec<&Body> = match generated {
            Some(_) => block.body.blocks_named("content").map(|content| &*content.body).collect(),
            None => vec![&block.body],
        };
        contents.into_iter().for_each(|content| of_body(content, inner, named, &[], say));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_that_no_schema_has_is_found_at_its_line() -> anyhow::Result<()> {
        let mut schemas = Schemas::default();
        schemas.read("a_b\n  arn string computed\n  name string required\n  rule block list\n    days number optional\n")?;
        let text = "resource \"a_b\" \"x\" {\n  count = 1\n  nam = 1\n  arn = \"a\"\n  rule {\n    day = 1\n  }\n  \
                    dynamic \"rule\" {\n    for_each = []\n    content {\n      days = 1\n      y {}\n    }\n  }\n}\n\
                    resource \"other\" \"x\" {\n  any = 1\n}\n";
        let expected = [
            (3, "`a_b` has no `nam`; did you mean `name`?".to_owned()),
            (4, "`arn` of `a_b` is set by the provider alone".to_owned()),
            (6, "`rule` has no `day`; did you mean `days`?".to_owned()),
            (12, "`rule` has no `y`".to_owned()),
        ];
        assert_eq!(of_text(text, &schemas)?, expected);
        Ok(())
    }
}
