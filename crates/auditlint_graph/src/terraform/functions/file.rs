//! Functions on files and their names.
//!
//! Files are read through the workspace's one door. What lies outside, is no regular file or is too large is not
//! known; only what is certainly missing is refused, as terraform refuses it.

use auditlint_syntax::{EntryKind, Location, Name, ReadError, Source};
use base64::Engine as _;
use camino::{Utf8Path, Utf8PathBuf};
use globset::GlobBuilder;
use std::sync::Arc;

use super::super::limits::LONGEST_TEXT;
use super::super::{join_source, world::World};
use super::{Answer, hash, not_computed, nowhere, string, template, text_of, truth};
use crate::{Shape, Tracked, Value};

/// Names that `fileset` looks at, at most.
const MOST_NAMES: usize = 20_000;

/// Some answer when `name` is one of these functions and its arguments are known.
pub(super) fn call(
    world: &World<'_>,
    id: usize,
    name: &str,
    arguments: &[Tracked],
    at: Location,
) -> Option<Answer> {
    // Only the variables of a template may hold something that is not known.
    if arguments.iter().any(|argument| argument.unknown().is_some()) {
        return None;
    }
    let first = || arguments.first().and_then(text_of);
    let answer = match name {
        "basename" => string(base(first()?)),
        "dirname" => string(folder(first()?)),
        "abspath" if first()?.starts_with('/') => string(clean(first()?)),
        "abspath" => not_computed("abspath()"),
        "pathexpand" => match first()?.strip_prefix('~') {
            None => string(first()?),
            Some(rest) if rest.is_empty() || rest.starts_with('/') => not_computed("pathexpand()"),
            Some(_) => None,
        },
        "fileset" => {
            let pattern = clean(arguments.get(1).and_then(text_of)?.trim_start_matches('/'));
            let (above, pattern) = ascended(&pattern);
            let folder =
                located(world, id, first()?).and_then(|folder| join_source(&folder, &"../".repeat(above)));
            match folder {
                Some(folder) => matching(world, &folder, pattern, &clean(first()?), above),
                None => outside(name),
            }
        }
        "templatestring" => template::render(world, id, first()?, at.file, arguments.get(1)?),
        "file" | "fileexists" | "filebase64" | "filemd5" | "filesha1" | "filesha256" | "filesha512"
        | "filebase64sha256" | "filebase64sha512" | "templatefile" => {
            match located(world, id, first()?).map(|path| (read(world, &path), path)) {
                None
                | Some((
                    Err(ReadError::Outside | ReadError::Unreadable(_) | ReadError::TooLarge { .. }),
                    _,
                )) => outside(name),
                // A folder is refused by all of them.
                Some((Err(ReadError::Missing), path))
                    if name == "fileexists" && world.files.list(&path).is_empty() =>
                {
                    truth(false)
                }
                Some((Err(ReadError::Missing), _)) => None,
                Some((Ok(source), _)) if name == "templatefile" => {
                    let text = std::str::from_utf8(source.bytes()).ok();
                    text.and_then(|text| template::render(world, id, text, source.file(), arguments.get(1)?))
                }
                Some((Ok(source), _)) => of_source(name, &source),
            }
        }
        _ => return None,
    };
    Some(answer)
}

fn read(world: &World<'_>, path: &Utf8Path) -> Result<Arc<Source>, ReadError> {
    world.data.borrow_mut().insert(path.to_owned());
    world.files.read(path)
}

fn outside(name: &str) -> Answer {
    not_computed(&format!("{name}()"))
}

fn of_source(name: &str, source: &Arc<Source>) -> Answer {
    let bytes: &[u8] = source.bytes();
    match name {
        "fileexists" => truth(true),
        "file" if bytes.len() <= LONGEST_TEXT => string(std::str::from_utf8(bytes).ok()?),
        "filebase64" if bytes.len() <= LONGEST_TEXT => {
            string(base64::engine::general_purpose::STANDARD.encode(bytes))
        }
        "file" | "filebase64" => outside(name),
        _ => string(hash::digest(name.strip_prefix("file")?, bytes)?),
    }
}

/// Where terraform looks for `path`; none outside of the workspace.
///
/// A relative name is resolved against the folder that terraform runs in, which is the root module's. A name that
/// begins with the folder of a module on the way to this one was made of `path.module` there: such a folder is
/// relative to the workspace here.
pub(in super::super) fn located(world: &World<'_>, id: usize, path: &str) -> Option<Utf8PathBuf> {
    if path.starts_with(['/', '~']) || path.contains('\\') {
        return None;
    }
    let root = join_source(&world.inputs.folder, "")?;
    let below = |folder: &Utf8Path| {
        let rest = path.strip_prefix(folder.as_str()).filter(|_| !folder.as_str().is_empty());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mut module = world.module(id);
    loop {
        if below(&module.folder_path) {
            return join_source("".into(), path);
        }
        // The folder of a module that lies at the top has no name that tells it from the root's.
        if module.folder_path.as_str().is_empty() && !root.as_str().is_empty() && path.starts_with('.') {
            return None;
        }
        let Some((parent, _)) = module.parent.as_ref() else { break };
        module = world.module(*parent);
    }
    if below(&root) { join_source("".into(), path) } else { join_source(&root, path) }
}

/// A path in its shortest form, as Go's `path/filepath` cleans it.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    match path.trim_end_matches('/') {
        "" => "/",
        path => path.rsplit('/').next().unwrap_or(path),
    }
}

fn folder(path: &str) -> String {
    clean(path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or_default())
}

/// How many folders up a clean pattern begins, and the rest of it.
fn ascended(pattern: &str) -> (usize, &str) {
    match pattern.strip_prefix("..") {
        Some("") => (1, "."),
        Some(rest) if rest.starts_with('/') => {
            let (above, rest) = ascended(rest.get(1..).unwrap_or_default());
            (above + 1, rest)
        }
        _ => (0, pattern),
    }
}

/// The name of the file `path`, which lies in a folder `above` levels over `base`, relative to `base`.
fn relative(path: &str, base: &str, above: usize) -> String {
    let names: Vec<&str> = base.split('/').filter(|name| !matches!(*name, "." | "..")).collect();
    // Of what lies over the first name that is written nobody knows how it is called.
    let Some(below) = names.len().checked_sub(above).and_then(|first| names.get(first..)) else {
        return format!("{}{path}", "../".repeat(above));
    };
    let mut rest = path;
    let mut up = above;
    for name in below {
        match rest.strip_prefix(name).and_then(|rest| rest.strip_prefix('/')) {
            Some(inner) => (rest, up) = (inner, up - 1),
            None => break,
        }
    }
    format!("{}{rest}", "../".repeat(up))
}

/// The regular files below `folder` whose names match `pattern`, a clean glob of doublestar. The folder lies
/// `above` levels over `base`, to which their names are relative.
fn matching(world: &World<'_>, folder: &Utf8Path, pattern: &str, base: &str, above: usize) -> Answer {
    if pattern == "." {
        return set(Vec::new());
    }
    // Alternatives do not reach over a separator.
    let mut depth = 0_u32;
    for c in pattern.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '/' if depth > 0 => return None,
            _ => {}
        }
    }
    // A folder with everything below is all that is below it.
    let glob = GlobBuilder::new(pattern).literal_separator(true).backslash_escape(true).build().ok()?;
    let glob = glob.compile_matcher();
    let deepest = if pattern.contains("**") { usize::MAX } else { pattern.matches('/').count() };
    let (mut open, mut out, mut seen) = (vec![(String::new(), 0_usize)], Vec::new(), 0_usize);
    while let Some((inner, depth)) = open.pop() {
        let listed = join_source(folder, &inner)?;
        world.data.borrow_mut().insert(listed.clone());
        for entry in world.files.list(&listed) {
            seen += 1;
            if seen > MOST_NAMES {
                return outside("fileset");
            }
            let path = if inner.is_empty() { entry.name } else { format!("{inner}/{}", entry.name) };
            match entry.kind {
                EntryKind::Folder if depth < deepest => open.push((path, depth + 1)),
                EntryKind::File if glob.is_match(&path) => out.push(path),
                // What a link leads to is not listed.
                EntryKind::Other | EntryKind::FolderLink | EntryKind::FolderOutside
                    if glob.is_match(&path) =>
                {
                    return outside("fileset");
                }
                _ => {}
            }
        }
    }
    let mut out: Vec<String> = out.iter().map(|path| relative(path, base, above)).collect();
    out.sort();
    set(out)
}

fn set(paths: Vec<String>) -> Answer {
    let paths = paths.into_iter().map(|path| nowhere(Value::String(Name::new(path)))).collect();
    Some(nowhere(Value::List(paths)).shaped(Shape::Set))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_as_go_does() {
        for (path, expected) in
            [("foo/bar/baz.txt", "baz.txt"), ("", "."), ("/", "/"), ("a/b/", "b"), ("..", "..")]
        {
            assert_eq!(base(path), expected, "{path}");
        }
        for (path, expected) in [
            ("foo/bar/baz.txt", "foo/bar"),
            ("", "."),
            ("/", "/"),
            ("a/b/", "a/b"),
            ("a//b", "a"),
            ("./a/../b/c", "b"),
            ("a", "."),
            ("/a", "/"),
            ("../../a/b", "../../a"),
        ] {
            assert_eq!(folder(path), expected, "{path}");
        }
        assert_eq!(clean("/a/../../b/."), "/b");
    }
}
