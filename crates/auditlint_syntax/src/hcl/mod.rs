//! Resilient HCL: any text becomes a tree of items and a list of problems.
//!
//! A file is split into top-level items, each is parsed alone, lowered into the compact tree of [`tree`] and
//! cached by content, so that a keystroke parses one block. What is accepted is decided by [`grammar`], as
//! Terraform decides it; hcl-edit makes the trees, and its types never leave this folder.

mod comments;
mod disguise;
mod grammar;
mod json;
mod later;
mod limits;
mod literals;
mod lower;
mod piece;
mod recovery;
mod scan;
mod split;
mod tree;

use std::hash::{BuildHasher, Hash, RandomState};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

pub use comments::comments;
pub use json::{parse_json, parse_variables_json};
pub use later::BlockBody;
pub use tree::{
    Attribute, BinaryOp, Block, Body, Call, Expr, ExprKind, ForExpr, GetAttr, Item, ItemKind, Label,
    ObjectItem, ObjectKey, Piece, TemplateFor, TemplateIf, TemplatePart, UnaryOp,
};

use crate::{Problem, ProblemKind, Source};
use later::Text;
use piece::Known;
use scan::Scanner;
use split::Cut;

/// One parsed file: its items in source order and everything that is wrong with it (absolute spans).
#[derive(Clone, Debug, Default)]
pub struct HclFile {
    /// Top-level blocks, and top-level attributes (as in a variable file).
    pub items: Vec<Item>,
    /// One problem for each broken item, absolute, and one where the text is not UTF-8.
    pub problems: Vec<Problem>,
}

/// Parsed blocks by content, shared by threads and revisions. The key is a keyed hash: nobody who writes a
/// block can make it collide with another.
#[derive(Debug)]
pub struct BlockCache {
    keys: RandomState,
    pieces: DashMap<u64, Arc<Piece>, FxBuildHasher>,
    /// How many more are taken before those that nobody uses any more are dropped.
    room: AtomicUsize,
}

/// How many pieces a cache takes before it first looks which of them are still used.
const ROOM: usize = 100_000;

impl Default for BlockCache {
    fn default() -> Self {
        Self { keys: RandomState::new(), pieces: DashMap::default(), room: AtomicUsize::new(ROOM) }
    }
}

impl BlockCache {
    fn piece(&self, text: &str, known: Known, kept: impl FnOnce(&str) -> Text) -> Arc<Piece> {
        self.remembered(Self::key(text, known), |hash| piece::parse(text, hash, known, kept))
    }

    /// What is sound parses alike whether that is known or not.
    fn key(text: &str, known: Known) -> (&str, bool) {
        (text, known == Known::Broken)
    }

    fn holds(&self, text: &str) -> bool {
        self.pieces.contains_key(&self.keys.hash_one(Self::key(text, Known::Sound)))
    }

    fn remembered(&self, key: impl Hash, parse: impl FnOnce(u64) -> Piece) -> Arc<Piece> {
        let hash = self.keys.hash_one(key);
        if let Some(piece) = self.pieces.get(&hash) {
            return Arc::clone(&piece);
        }
        let piece = Arc::new(parse(hash));
        if self.room.fetch_update(Relaxed, Relaxed, |room| room.checked_sub(1)).is_err() {
            self.pieces.retain(|_, piece| Arc::strong_count(piece) > 1);
            // A look at all costs nothing where as many must come again before the next one.
            self.room.store(ROOM.max(self.pieces.len()), Relaxed);
        }
        self.pieces.insert(hash, Arc::clone(&piece));
        piece
    }
}

/// Parses native HCL syntax (`.tf`, `.tofu`, `.tfvars`).
#[must_use]
pub fn parse(source: &Source, cache: &BlockCache) -> HclFile {
    let text: &str = source.text();
    let mut file = HclFile::default();
    match grammar::file(text) {
        Ok(outline) => {
            let text_of = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
            // The blocks of a text that is seen for the first time share it. One that an edit made is not shared, or
            // each edited block would keep a whole text; an edit leaves one end of a file as it was.
            let is_new = match outline.items.as_slice() {
                [first, .., last] => !cache.holds(text_of(first)) && !cache.holds(text_of(last)),
                _ => false,
            };
            for range in &outline.items {
                let known = if outline.is_misread(range) { Known::Nothing } else { Known::Sound };
                let kept =
                    |part: &str| if is_new { Text::part(source.text(), range) } else { Text::own(part) };
                add(&mut file, source, range.start, cache.piece(text_of(range), known, kept));
            }
        }
        Err(refused) => {
            if let Some(problem) = encoding_problem(source) {
                file.problems.push(problem);
                return file;
            }
            broken(&mut file, source, cache);
            // A mistake that no statement has by itself.
            if file.problems.iter().all(|problem| problem.kind == ProblemKind::Unsupported) {
                file.problems.push(refused);
            }
        }
    }
    if source.first_invalid().is_some() {
        file.problems.extend(invalid_outside_of_comments(source));
    }
    file.items.shrink_to_fit();
    file
}

/// Parses a text that is one template: a single item, an attribute without a name whose value it is.
#[must_use]
pub fn parse_template(source: &Source, cache: &BlockCache) -> HclFile {
    let text: &str = source.text();
    let mut file = HclFile::default();
    add(&mut file, source, 0, cache.remembered((text, "template"), |hash| piece::template(text, hash)));
    file
}

/// Parses a text that Terraform refuses: as much of it as can be told apart.
fn broken(file: &mut HclFile, source: &Source, cache: &BlockCache) {
    let text: &str = source.text();
    let scanner = Scanner::new(text.as_bytes());
    let known = |cut: Cut| if cut.broken { Known::Broken } else { Known::Nothing };
    for cut in split::statements(&scanner, 0, text.len()) {
        let piece = cache.piece(text.get(cut.start..cut.end).unwrap_or_default(), known(cut), Text::own);
        if !piece.is_broken() {
            add(file, source, cut.start, piece);
            continue;
        }
        for part in parts(&scanner, cut) {
            let whole = part.start == cut.start && part.end == cut.end && part.broken == cut.broken;
            let piece = if whole {
                Arc::clone(&piece)
            } else {
                cache.piece(text.get(part.start..part.end).unwrap_or_default(), known(part), Text::own)
            };
            add(file, source, part.start, piece);
        }
    }
}

/// The first byte that is not UTF-8 and that Terraform would refuse: in comments it takes any.
fn invalid_outside_of_comments(source: &Source) -> Option<Problem> {
    let comments = comments(source.text());
    let mut at = 0_u32;
    for chunk in source.bytes().utf8_chunks() {
        at += u32::try_from(chunk.valid().len()).ok()?;
        let width = u32::try_from(chunk.invalid().len()).ok()?;
        let after = comments.partition_point(|comment| comment.start <= at);
        let in_comment =
            after.checked_sub(1).and_then(|n| comments.get(n)).is_some_and(|comment| at < comment.end);
        if width > 0 && !in_comment {
            return Some(Problem {
                kind: ProblemKind::Encoding,
                span: crate::Span::new(at, at + width),
                message: "this is not UTF-8".to_owned(),
            });
        }
        at += width;
    }
    None
}

/// The statements of a cut that does not parse: it may have swallowed its neighbours.
fn parts(scanner: &Scanner<'_>, cut: Cut) -> Vec<Cut> {
    let found = split::resynchronised(scanner.text(), cut);
    let [first, rest @ ..] = found.as_slice() else { return vec![cut] };
    if rest.is_empty() {
        return vec![cut];
    }
    // The first one is the broken one; each of the others begins with a header and is cut anew.
    let mut out = vec![Cut { broken: false, ..*first }];
    for part in rest {
        out.extend(split::statements(scanner, part.start, part.end));
    }
    out
}

fn add(file: &mut HclFile, source: &Source, start: usize, piece: Arc<Piece>) {
    let base = u32::try_from(start).unwrap_or(u32::MAX);
    let absolute = |problem: &Problem| Problem { span: problem.span.shifted(base), ..problem.clone() };
    file.problems.extend(piece.problems.iter().map(absolute));
    file.items.push(Item { file: source.file(), base, piece });
}

/// Refuses what is no text. A NUL byte alone says little: Terraform takes it in strings and comments.
#[must_use]
pub fn encoding_problem(source: &Source) -> Option<Problem> {
    source.is_binary().then(|| Problem {
        kind: ProblemKind::Encoding,
        span: crate::Span::default(),
        message: "this is not a text file".to_owned(),
    })
}
