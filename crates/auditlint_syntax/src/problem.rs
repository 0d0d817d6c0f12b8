//! What is wrong with a text, as data.

use crate::Span;

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemKind {
    /// The text breaks the language's grammar.
    Syntax,
    /// The text is legal, but past a limit of this parser (nesting depth, operators in a row).
    Unsupported,
    /// The text holds bytes that are not UTF-8, or is not text at all.
    Encoding,
    /// A key or an argument stands twice.
    Duplicate,
    /// A limit that protects against hostile input was reached (size, depth, alias expansion).
    TooLarge,
}

/// One problem at one place; the rest of the text is still in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its kind.
    pub kind: ProblemKind,
    /// Where, absolute in the file (relative in a cached block).
    pub span: Span,
    /// One phrase, lower case, without a final full stop.
    pub message: String,
}
