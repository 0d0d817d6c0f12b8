//! What Terraform's parser accepts, and nothing else: a reader of the whole grammar that builds no tree.
//!
//! It is the judge of a text. The tree comes from another parser, which takes some texts that Terraform refuses
//! and refuses some that Terraform takes; where the two differ, this one says who is right. It keeps its place on
//! a stack of its own, so that no text is too deep for it, and stops at the first thing that Terraform refuses.

mod body;
mod expression;
mod lexis;
mod names;
mod template;

use std::collections::HashSet;
use std::ops::Range;

use super::disguise::{Cover, Covered};
use crate::{Problem, ProblemKind, Span};

/// The result of reading on.
type Result<T> = std::result::Result<T, Problem>;

/// A text that Terraform accepts.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// The top-level statements, each up to the end of its last line, without trailing white space.
    pub(super) items: Vec<Range<usize>>,
    /// The value of each argument at every depth, in the order in which they end.
    pub(super) values: Vec<Range<usize>>,
    /// Places that the tree's parser reads as something else, in order.
    pub(super) misread: Vec<usize>,
    /// Places where a tree would become too deep, in order.
    pub(super) deep: Vec<usize>,
    /// What the tree's parser need not see; of a whole file it is left out.
    pub(super) covered: Vec<Covered>,
}

impl Outline {
    /// Whether the tree's parser would read a part of `range` as something else.
    pub(super) fn is_misread(&self, range: &Range<usize>) -> bool {
        holds(&self.misread, range) || self.is_deep(range)
    }

    /// Whether the tree of a part of `range` would become too deep.
    pub(super) fn is_deep(&self, range: &Range<usize>) -> bool {
        holds(&self.deep, range)
    }
}

/// Whether one of the places, which are in order, lies in `range`.
fn holds(places: &[usize], range: &Range<usize>) -> bool {
    let first = places.partition_point(|&at| at < range.start);
    places.get(first).is_some_and(|&at| at < range.end)
}

/// Reads a whole file.
///
/// # Errors
/// With what Terraform refuses first; spans are those of `text`.
pub(super) fn file(text: &str) -> Result<Outline> {
    Reader::new(text, false).read(Kind::Body { outside: 0 })
}

/// Reads statements that were cut out of a file without the newline after them.
///
/// # Errors
/// With what Terraform refuses first; spans are those of `text`.
pub(super) fn statements(text: &str) -> Result<Outline> {
    Reader::new(text, true).read(Kind::Body { outside: 0 })
}

/// Reads a text that is one template, without quotes around it.
///
/// # Errors
/// With what Terraform refuses first; spans are those of `text`.
pub(super) fn template(text: &str) -> Result<Outline> {
    Reader::new(text, true).read(Kind::Bare)
}

/// What is open at some place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A body, and how many argument names were known outside of it.
    Body {
        outside: usize,
    },
    /// A block on one line: one argument and no more.
    Line,
    /// The value of an argument.
    Argument,
    Paren,
    Tuple,
    Call,
    /// An index: how many steps led to what it is taken of.
    Index {
        steps: u32,
    },
    /// An object: a key that begins somewhere, and what follows the sign after it.
    Key {
        start: usize,
    },
    Value,
    /// Between `?` and `:`.
    Choice,
    /// A `for` expression: in braces or not, and what of it is being read.
    For {
        object: bool,
        stage: Stage,
    },
    /// `${ … }`
    Interpolation,
    /// `%{ if … }` and `%{ for … }`, before their closing brace.
    Condition,
    Collection,
    /// What stands between two directives.
    If,
    Else,
    Loop,
    Quote,
    /// A heredoc: where its word begins and ends.
    Heredoc {
        word: (usize, usize),
    },
    /// A template that is the whole text.
    Bare,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Collection,
    /// The key of an object, the value of a list.
    First,
    Second,
    Grouped,
    Condition,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    kind: Kind,
    /// Where it was opened.
    open: usize,
    /// Whether a newline inside of it means something.
    newlines: bool,
    /// In a template: where on the stack its string or heredoc is.
    base: usize,
}

/// What is expected next.
#[derive(Clone, Copy, Debug)]
enum Next {
    Item,
    Operand,
    Operator,
    Template,
    Nothing,
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Whether the newline after the text was left out. Such a text is read for its tree, and what the tree's
    /// parser need not see is noted.
    is_cut: bool,
    stack: Vec<Frame>,
    /// Where the top-level statement that is being read begins.
    item: usize,
    /// The names of the arguments of all open bodies, outermost first.
    arguments: Vec<&'a [u8]>,
    /// The same for a body that has many: by how many were known outside of it, and its names.
    many: Vec<(usize, HashSet<&'a [u8]>)>,
    /// Whether a heredoc is read from the beginning of a line.
    line_start: bool,
    /// How many steps were taken from the last operand.
    steps: u32,
    outline: Outline,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, is_cut: bool) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            is_cut,
            stack: Vec::new(),
            item: 0,
            arguments: Vec::new(),
            many: Vec::new(),
            line_start: false,
            steps: 0,
            outline: Outline::default(),
        }
    }

    fn read(mut self, whole: Kind) -> Result<Outline> {
        self.push(whole, 0, true);
        let mut next = if whole == Kind::Bare { Next::Template } else { Next::Item };
        loop {
            next = match next {
                Next::Item => self.item()?,
                Next::Operand => self.operand()?,
                Next::Operator => self.operator()?,
                Next::Template => self.template()?,
                Next::Nothing => break,
            };
        }
        self.outline.misread.sort_unstable();
        Ok(self.outline)
    }

    fn push(&mut self, kind: Kind, open: usize, newlines: bool) {
        let base = match kind {
            Kind::Quote | Kind::Heredoc { .. } | Kind::Bare => self.stack.len(),
            _ => self.stack.last().map_or(0, |frame| frame.base),
        };
        self.stack.push(Frame { kind, open, newlines, base });
    }

    fn top(&self) -> Kind {
        self.stack.last().map_or(Kind::Line, |frame| frame.kind)
    }

    fn set_top(&mut self, kind: Kind) {
        if let Some(frame) = self.stack.last_mut() {
            frame.kind = kind;
        }
    }

    fn newlines(&self) -> bool {
        self.stack.last().is_none_or(|frame| frame.newlines)
    }

    /// Notes what the tree's parser need not see.
    fn cover(&mut self, range: Range<usize>, cover: Cover) {
        if self.is_cut && !range.is_empty() {
            self.outline.covered.push(Covered { range, cover });
        }
    }

    /// Refuses what stands here.
    fn refuse<T>(&self, message: &str) -> Result<T> {
        let width = self.text.get(self.at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let end = self.at + width;
        self.refuse_span(ProblemKind::Syntax, self.at..end, message.to_owned())
    }

    fn refuse_span<T>(&self, kind: ProblemKind, span: Range<usize>, message: String) -> Result<T> {
        let offset = |at: usize| u32::try_from(at.min(self.bytes.len())).unwrap_or(u32::MAX);
        Err(Problem { kind, span: Span::new(offset(span.start), offset(span.end)), message })
    }
}
