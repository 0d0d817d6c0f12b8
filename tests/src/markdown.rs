//! The pages that people read, as tests see them: fenced blocks, links, headings, and generated parts.

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};

use crate::{diff, files_below, overwrites, repository};

/// A page of the repository.
#[derive(Clone, Debug)]
pub struct Page {
    /// Relative to the top of the repository.
    pub path: Utf8PathBuf,
    /// Its text.
    pub text: String,
}

/// A fenced block of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The line of its opening fence, from 1.
    pub line: usize,
    /// The words after the fence.
    pub info: String,
    /// What stands between the fences.
    pub text: String,
}

/// Every page for people: at the top, and below `docs`, `editors`, `fixtures` and `policies`.
///
/// # Errors
/// When one cannot be read.
pub fn pages() -> anyhow::Result<Vec<Page>> {
    let top = repository();
    let mut paths = Vec::new();
    for entry in top.read_dir_utf8()? {
        let path = entry?.into_path();
        if path.extension() == Some("md") && path.is_file() {
            paths.push(path);
        }
    }
    for folder in ["docs", "editors", "fixtures", "policies"] {
        paths.extend(files_below(&top.join(folder), "md")?);
    }
    paths.sort();
    let inside = paths.iter().map(|path| Ok(path.strip_prefix(&top)?.to_owned()));
    let inside: Vec<Utf8PathBuf> = inside.collect::<anyhow::Result<_>>()?;
    // What an editor's build tools install is not ours.
    let ours = inside.into_iter().filter(|path| !path.as_str().contains("node_modules"));
    ours.map(|path| Page::read(&path)).collect()
}

impl Page {
    /// Reads a page.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(path: &Utf8Path) -> anyhow::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
        let text = std::fs::read_to_string(repository().join(path)).with_context(|| path.to_string())?;
        Ok(Self { path: path.to_owned(), text })
    }

    /// The lines outside of fenced blocks, with their numbers from 1.
    pub fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut fenced = false;
        self.text.lines().enumerate().filter_map(move |(at, line)| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            (!fenced && !fence).then_some((at + 1, line))
        })
    }

    /// The fenced blocks.
    ///
    /// # Errors
    /// When a fence stays open.
    pub fn blocks(&self) -> anyhow::Result<Vec<Block>> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            let Some(info) = line.strip_prefix("```") else { continue };
            let mut block = Block { line: at + 1, info: info.trim().to_owned(), text: String::new() };
            loop {
                let (_, line) =
                    lines.next().with_context(|| format!("{}:{}: an open fence", self.path, block.line))?;
                if line == "```" {
                    break;
                }
                block.text.push_str(line);
                block.text.push('\n');
            }
            blocks.push(block);
        }
        Ok(blocks)
    }

    /// The targets of its links, with their lines.
    #[must_use]
    pub fn links(&self) -> Vec<(usize, &str)> {
        let mut links = Vec::new();
        for (line, text) in self.prose() {
            for part in text.split("](").skip(1) {
                links.extend(part.split_once(')').map(|(target, _)| (line, target)));
            }
        }
        links
    }

    /// The code spans of the prose, with their lines.
    #[must_use]
    pub fn code_spans(&self) -> Vec<(usize, &str)> {
        let spans = self
            .prose()
            .flat_map(|(line, text)| text.split('`').skip(1).step_by(2).map(move |span| (line, span)));
        spans.collect()
    }

    /// The anchors of its headings, as hosts of repositories make them.
    #[must_use]
    pub fn anchors(&self) -> Vec<String> {
        let headings = self.prose().filter_map(|(_, line)| line.strip_prefix('#'));
        let anchor = |heading: &str| {
            let heading = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
            heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
        };
        headings.map(anchor).collect()
    }

    /// The page with `text` as the part between `<!-- generated: NAME -->` and `<!-- end -->`.
    ///
    /// # Errors
    /// When the page has no such part.
    pub fn with_generated(&self, name: &str, text: &str) -> anyhow::Result<String> {
        let open = format!("<!-- generated: {name} -->\n");
        let no_part = || format!("{} has no part `{}`", self.path, open.trim_end());
        let (before, rest) = self.text.split_once(&open).with_context(no_part)?;
        let (_, after) = rest.split_once("<!-- end -->").with_context(no_part)?;
        ensure!(text.ends_with('\n'), "a generated part ends with its line");
        Ok(format!("{before}{open}{text}<!-- end -->{after}"))
    }
}

/// Holds the part `name` of a page to `text`, or writes it.
///
/// # Errors
/// When it is another, or the page has no such part.
pub fn generated(page: &str, name: &str, text: &str) -> anyhow::Result<()> {
    let page = Page::read(page.into())?;
    let expected = page.with_generated(name, text)?;
    whole(&page.path, &expected).with_context(|| format!("the part `{name}`"))
}

/// Holds a page to `text`, or writes it.
///
/// # Errors
/// When it is another.
pub fn whole(path: &Utf8Path, text: &str) -> anyhow::Result<()> {
    let full = repository().join(path);
    #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
    let found = std::fs::read_to_string(&full).unwrap_or_default();
    if overwrites() && found != text {
        #[expect(clippy::disallowed_methods, reason = "the test was asked to write the page")]
        return full
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&full, text))
            .with_context(|| full.to_string());
    }
    ensure!(
        found == text,
        "{path} is out of date; AUDITLINT_OVERWRITE=1 writes it anew\n{}",
        diff(text, &found)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_taken_apart() -> anyhow::Result<()> {
        let text = "# The `top`, of all\n[a](b.md#c) and [d](e)\n```console\n$ x\n[no](link)\n```\n<!-- generated: t -->\nold\n<!-- end -->\nrest\n";
        let page = Page { path: "p.md".into(), text: text.to_owned() };
        assert_eq!(page.links(), [(2, "b.md#c"), (2, "e")]);
        assert_eq!(page.code_spans(), [(1, "top")]);
        assert_eq!(page.anchors(), ["the-top-of-all"]);
        let block = Block { line: 3, info: "console".to_owned(), text: "$ x\n[no](link)\n".to_owned() };
        assert_eq!(page.blocks()?, [block]);
        assert!(page.with_generated("t", "new\n")?.ends_with("t -->\nnew\n<!-- end -->\nrest\n"));
        assert!(page.with_generated("other", "new\n").is_err());
        Ok(())
    }
}
