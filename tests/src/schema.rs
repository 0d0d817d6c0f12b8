//! The providers' schemas, as far as the catalogue names their types: one text for each provider below
//! `policies/schemas`, written from the schemas beside the repository, and read without them.
//!
//! A type stands at the margin and its arguments are indented, a block's once more: `bucket string required`,
//! `access_logs block list`. Data sources are `data TYPE`, calls of modules `module:SOURCE`. What no current schema
//! has stands in files that people write, where each type is followed by the page on which it was read.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, bail};
use camino::Utf8Path;
use serde_json::Value;

use crate::{files_below, repository};

/// The types of all tables, data sources with `data ` before their name.
#[derive(Clone, Debug, Default)]
pub struct Schemas(BTreeMap<String, Block>);

/// A resource type, or a nested block of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Its attributes.
    pub attributes: BTreeMap<String, Attribute>,
    /// Its nested blocks: how they nest (`list`, `set`, `single`, `map`), and what is in them.
    pub blocks: BTreeMap<String, (String, Self)>,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its type, as Terraform writes it; `dynamic` where the schema does not tell.
    pub of: String,
    /// Who sets it.
    pub presence: Presence,
}

/// Who sets an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The configuration must.
    Required,
    /// The configuration may.
    Optional,
    /// The provider alone.
    Computed,
}

impl Presence {
    const WORDS: [(&'static str, Self); 3] =
        [("required", Self::Required), ("optional", Self::Optional), ("computed", Self::Computed)];
}

impl fmt::Display for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::WORDS.iter().find(|(_, one)| one == self).map_or("", |(word, _)| *word);
        f.write_str(word)
    }
}

/// What stands at a path.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'a> {
    /// An attribute.
    Attribute(&'a Attribute),
    /// A nested block.
    Block(&'a Block),
    /// Something inside an attribute, which the schema does not describe further.
    Inside,
}

impl Block {
    /// What stands at the path.
    ///
    /// # Errors
    /// With the step that is not there, and all that could stand in its place.
    pub fn at<'a, 'p>(&'a self, path: &'p [&'p str]) -> Result<Entry<'a>, (&'p str, Vec<&'a str>)> {
        let Some((step, rest)) = path.split_first() else { return Ok(Entry::Block(self)) };
        match (self.blocks.get(*step), self.attributes.get(*step)) {
            (Some((_, block)), _) => block.at(rest),
            (None, Some(attribute)) if rest.is_empty() => Ok(Entry::Attribute(attribute)),
            // A map has any key, and an object of an unknown type any attribute; a text has neither.
            (None, Some(attribute)) if attribute.of == "dynamic" || attribute.of.starts_with("map(") => {
                Ok(Entry::Inside)
            }
            (None, Some(_)) => Err((rest.first().copied().unwrap_or_default(), Vec::new())),
            (None, None) => {
                Err((*step, self.attributes.keys().chain(self.blocks.keys()).map(String::as_str).collect()))
            }
        }
    }

    /// The attributes that whoever writes such a block must set.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        let required = self.attributes.iter().filter(|(_, one)| one.presence == Presence::Required);
        required.map(|(name, _)| name.as_str())
    }

    fn lines(&self, depth: usize, out: &mut String) {
        let indent = "  ".repeat(depth);
        let attributes = self.attributes.iter().map(|(name, one)| (name, None, Some(one)));
        let blocks = self.blocks.iter().map(|(name, one)| (name, Some(one), None));
        let mut all: Vec<_> = attributes.chain(blocks).collect();
        all.sort_by_key(|(name, ..)| *name);
        for (name, block, attribute) in all {
            if let Some(Attribute { of, presence }) = attribute {
                out.push_str(&format!("{indent}{name} {of} {presence}\n"));
            }
            if let Some((nesting, block)) = block {
                out.push_str(&format!("{indent}{name} block {nesting}\n"));
                block.lines(depth + 1, out);
            }
        }
    }

    /// A block of the schemas beside the repository.
    fn of_json(schema: &Value) -> anyhow::Result<Self> {
        let mut block = Self::default();
        let entries = |name: &str| schema.get(name).and_then(Value::as_object).into_iter().flatten();
        for (name, attribute) in entries("attributes") {
            let [of, flags] = attribute.as_array().map(Vec::as_slice).unwrap_or_default() else {
                bail!("the attribute {name} has no type and flags");
            };
            let flags = flags.as_str().with_context(|| name.clone())?;
            let presence = match flags {
                flags if flags.contains('r') => Presence::Required,
                flags if flags.contains('o') => Presence::Optional,
                _ => Presence::Computed,
            };
            block.attributes.insert(name.clone(), Attribute { of: type_of(of)?, presence });
        }
        for (name, nested) in entries("blocks") {
            let [nesting, inner] = nested.as_array().map(Vec::as_slice).unwrap_or_default() else {
                bail!("the block {name} has no nesting and body");
            };
            let nesting = nesting.as_str().with_context(|| name.clone())?.to_owned();
            block.blocks.insert(name.clone(), (nesting, Self::of_json(inner)?));
        }
        Ok(block)
    }

    fn merge(&mut self, other: Self) {
        self.attributes.extend(other.attributes);
        for (name, (nesting, block)) in other.blocks {
            self.blocks.entry(name).or_insert_with(|| (nesting, Self::default())).1.merge(block);
        }
    }
}

/// `["list", "string"]` as `list(string)`.
fn type_of(of: &Value) -> anyhow::Result<String> {
    match of {
        Value::String(name) => Ok(name.clone()),
        Value::Array(parts) => match parts.as_slice() {
            [Value::String(name), inner] => Ok(format!("{name}({})", type_of(inner)?)),
            _ => bail!("{of} is no type"),
        },
        _ => bail!("{of} is no type"),
    }
}

impl Schemas {
    /// The tables of the repository.
    ///
    /// # Errors
    /// When a line of one is not understood.
    pub fn committed() -> anyhow::Result<Self> {
        let mut all = Self::default();
        for path in files_below(&repository().join("policies/schemas"), "txt")? {
            #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
            let text = std::fs::read_to_string(&path)?;
            all.read(&text).with_context(|| path.to_string())?;
        }
        Ok(all)
    }

    /// The schemas that lie beside the repository, by the provider's name, with its version.
    ///
    /// # Errors
    /// When one is not understood.
    pub fn beside(folder: &Utf8Path) -> anyhow::Result<Vec<(String, String, Self)>> {
        let mut all = Vec::new();
        for path in files_below(folder, "json")? {
            #[expect(clippy::disallowed_methods, reason = "tests read what lies beside the repository")]
            let schema: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
            let mut own = Self::default();
            for (part, prefix) in [("resources", ""), ("data", "data ")] {
                for (kind, block) in schema.get(part).and_then(Value::as_object).into_iter().flatten() {
                    own.0.insert(
                        format!("{prefix}{kind}"),
                        Block::of_json(block).with_context(|| kind.clone())?,
                    );
                }
            }
            let word = |name: &str| schema.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let name = path.file_stem().unwrap_or_default().to_owned();
            all.push((name, format!("{} {}", word("provider"), word("version")), own));
        }
        // Of two providers that have a type (google, google-beta) the one with the shorter name tells of it.
        all.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(all)
    }

    /// The schema of a type.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<&Block> {
        self.0.get(kind)
    }

    /// All types.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Adds a table.
    ///
    /// # Errors
    /// With the line that is not understood.
    pub fn read(&mut self, text: &str) -> anyhow::Result<()> {
        let lines: Vec<(usize, &str)> = text
            .lines()
            .enumerate()
            .map(|(n, line)| (n + 1, line))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .collect();
        let mut rest = lines.as_slice();
        while let Some(((number, header), below)) = rest.split_first() {
            anyhow::ensure!(!header.starts_with(' '), "line {number}: an argument of no type");
            let mut kind = header.trim_end();
            kind = kind.split_once(" https://").map_or(kind, |(kind, _)| kind);
            let (block, after) = body(below, 1)?;
            self.0.entry(kind.to_owned()).or_default().merge(block);
            rest = after;
        }
        Ok(())
    }

    /// The table of those types among these, as it is written.
    #[must_use]
    pub fn table<'k>(&self, kinds: impl Iterator<Item = &'k str>) -> String {
        let mut out = String::new();
        for (kind, block) in kinds.filter_map(|kind| Some((kind, self.get(kind)?))) {
            out.push_str(&format!("\n{kind}\n"));
            block.lines(1, &mut out);
        }
        out
    }
}

type Lines<'a> = &'a [(usize, &'a str)];

/// The lines of one block at that depth, and what follows them.
fn body<'a>(mut lines: Lines<'a>, depth: usize) -> anyhow::Result<(Block, Lines<'a>)> {
    let mut block = Block::default();
    while let Some(((number, line), below)) = lines.split_first() {
        let words = line.trim_start();
        if line.len() - words.len() < depth * 2 {
            break;
        }
        anyhow::ensure!(line.len() - words.len() == depth * 2, "line {number}: `{line}` is indented too far");
        let words: Vec<&str> = words.split(' ').collect();
        let [name, of, word] = words.as_slice() else { bail!("line {number}: `{line}` is no argument") };
        lines = below;
        if *of == "block" {
            let (inner, after) = body(below, depth + 1)?;
            block.blocks.insert((*name).to_owned(), ((*word).to_owned(), inner));
            lines = after;
        } else {
            let presence = Presence::WORDS.iter().find(|(known, _)| known == word);
            let presence =
                presence.with_context(|| format!("line {number}: `{word}` says not who sets it"))?.1;
            block.attributes.insert((*name).to_owned(), Attribute { of: (*of).to_owned(), presence });
        }
    }
    Ok((block, lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_as_it_is_written() -> anyhow::Result<()> {
        let text = "\na_b\n  c string required\n  d block list\n    e list(string) optional\n  f map(string) computed\n";
        let mut schemas = Schemas::default();
        schemas.read(text)?;
        assert_eq!(schemas.table(schemas.kinds()), text);
        let block = schemas.get("a_b").context("a_b")?;
        assert!(matches!(block.at(&["d", "e"]), Ok(Entry::Attribute(_))));
        assert!(matches!(block.at(&["f", "any"]), Ok(Entry::Inside)));
        assert_eq!(block.at(&["d", "x"]).err(), Some(("x", vec!["e"])));
        assert_eq!(block.at(&["c", "x"]).err(), Some(("x", Vec::new())));
        assert_eq!(block.required().collect::<Vec<_>>(), ["c"]);
        Ok(())
    }

    #[test]
    fn what_people_write_adds_to_what_is_generated() -> anyhow::Result<()> {
        let mut schemas = Schemas::default();
        schemas.read("a_b\n  c string required\n")?;
        schemas.read("# retired\na_b https://example.com/a_b\n  old block list\n    on bool optional\n")?;
        let block = schemas.get("a_b").context("a_b")?;
        assert!(block.at(&["c"]).is_ok() && block.at(&["old", "on"]).is_ok());
        for broken in
            ["  c string required\n", "a\n    c string required\n", "a\n  c string\n", "a\n  c string x\n"]
        {
            assert!(Schemas::default().read(broken).is_err(), "{broken}");
        }
        Ok(())
    }
}
