//! The compact tree. Spans inside a [`Piece`] are relative to the piece's first byte; [`Item::place`] is the
//! only function that makes them absolute.

use std::sync::Arc;

use super::later::BlockBody;
use crate::{FileId, Location, Name, Problem, ProblemKind, Span};

/// One top-level block or attribute of a file: a shared piece and where it begins in this revision.
#[derive(Clone, Debug)]
pub struct Item {
    /// The file.
    pub file: FileId,
    /// Offset of the piece's first byte.
    pub base: u32,
    /// The parsed piece.
    pub piece: Arc<Piece>,
}

impl Item {
    /// An absolute place from a span of the piece.
    #[must_use]
    pub fn place(&self, span: Span) -> Location {
        Location { file: self.file, span: span.shifted(self.base) }
    }
}

/// A parsed top-level item, shared by all places and revisions with the same text.
#[derive(Debug)]
pub struct Piece {
    /// Hash of its text: equal pieces have equal hashes within a process.
    pub hash: u64,
    /// What it is.
    pub kind: ItemKind,
    /// What is wrong with it, relative: at most one mistake, and each value that is past a limit.
    pub problems: Vec<Problem>,
}

impl Piece {
    /// Whether a mistake is in it. What is merely past a limit of the parser is none: everything else of the
    /// piece is known.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.problems.iter().any(|problem| problem.kind != ProblemKind::Unsupported)
    }
}

/// What a top-level item is.
#[derive(Debug)]
pub enum ItemKind {
    /// `ident "label" { … }`
    Block(Block),
    /// `name = value`
    Attribute(Attribute),
    /// Text of which not even a header could be read; its problem says why.
    Unreadable(Span),
}

/// A block with its labels and body.
#[derive(Debug)]
pub struct Block {
    /// `resource`, `access_logs`, …
    pub ident: Name,
    /// Where the ident stands.
    pub ident_span: Span,
    /// The labels, without quotes.
    pub labels: Box<[Label]>,
    /// From the ident to before the opening brace (trailing white space left out).
    pub header: Span,
    /// From the ident to the closing brace.
    pub span: Span,
    /// What is inside.
    pub body: BlockBody,
}

/// A label of a block.
#[derive(Debug)]
pub struct Label {
    /// Its text.
    pub name: Name,
    /// Where it stands, with its quotes.
    pub span: Span,
}

/// The statements of a block.
#[derive(Debug, Default)]
pub struct Body {
    /// Attributes in source order.
    pub attributes: Box<[Attribute]>,
    /// Nested blocks in source order.
    pub blocks: Box<[Block]>,
    /// From after the opening brace to the closing brace.
    pub span: Span,
    /// Whether statements were lost to a syntax problem: what is not here may still be meant.
    pub incomplete: bool,
    /// Whether it was written in JSON, where a nested block looks like an attribute with an object or a list
    /// of objects.
    pub json: bool,
}

impl Body {
    /// The attribute of that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The nested blocks of that name.
    pub fn blocks_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| block.ident == name)
    }
}

/// `name = value`
#[derive(Debug)]
pub struct Attribute {
    /// The name.
    pub name: Name,
    /// Where the name stands.
    pub name_span: Span,
    /// From the name to the end of the value.
    pub span: Span,
    /// The value.
    pub value: Expr,
}

/// An expression and where it stands.
#[derive(Debug)]
pub struct Expr {
    /// Its bytes, without surrounding white space.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// The kinds of expression of HCL's native syntax.
#[derive(Debug)]
pub enum ExprKind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number as it was written, without sign (`12`, `1.5`, `1e3`), so that no digit is lost here.
    Number(Name),
    /// A string without interpolation, escapes resolved (a heredoc's indentation too).
    String(Name),
    /// A string with interpolations or directives.
    Template(Box<[TemplatePart]>),
    /// `[a, b]`
    Tuple(Box<[Expr]>),
    /// `{ a = b }`
    Object(Box<[ObjectItem]>),
    /// A root name of a traversal: `var`, `local`, `aws_s3_bucket`, `each`, …
    Variable(Name),
    /// `base.name`
    GetAttr(Box<GetAttr>),
    /// `base[key]`, and the legacy `base.0`
    Index(Box<Expr>, Box<Expr>),
    /// `base.*` followed by what applies to each element: the body is built over [`ExprKind::SplatItem`].
    AttrSplat(Box<Expr>, Box<Expr>),
    /// `base[*]` followed by what applies to each element, as above.
    FullSplat(Box<Expr>, Box<Expr>),
    /// The element that a splat is at.
    SplatItem,
    /// `name(args…)`
    Call(Box<Call>),
    /// `!a`, `-a`
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `condition ? yes : no`
    Conditional(Box<[Expr; 3]>),
    /// `[for …]` and `{for …}`
    For(Box<ForExpr>),
    /// `(a)`
    Paren(Box<Expr>),
    /// What could not be parsed; the piece's problem says why.
    Broken,
}

impl ExprKind {
    /// Whether it is a scalar that is written out.
    #[must_use]
    pub const fn is_literal(&self) -> bool {
        matches!(self, Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_))
    }
}

/// `base.name`
#[derive(Debug)]
pub struct GetAttr {
    /// What the attribute is taken of.
    pub base: Expr,
    /// The attribute.
    pub name: Name,
    /// Where its name stands.
    pub name_span: Span,
}

/// A call of a function.
#[derive(Debug)]
pub struct Call {
    /// The function; one that a provider defines keeps its full name (`provider::aws::arn_parse`).
    pub name: Name,
    /// What it is called with.
    pub arguments: Box<[Expr]>,
    /// Whether the last argument is expanded with `...`.
    pub expands: bool,
}

/// A part of a template.
#[derive(Debug)]
pub enum TemplatePart {
    /// Text, escapes resolved and strip markers applied.
    Text(Name),
    /// `${value}`
    Value(Expr),
    /// `%{ if condition } yes %{ else } no %{ endif }`
    If(Box<TemplateIf>),
    /// `%{ for key, value in collection } body %{ endfor }`
    For(Box<TemplateFor>),
}

/// `%{ if condition } yes %{ else } no %{ endif }`
#[derive(Debug)]
pub struct TemplateIf {
    /// The condition.
    pub condition: Expr,
    /// Its parts when true.
    pub yes: Box<[TemplatePart]>,
    /// Its parts when false.
    pub no: Box<[TemplatePart]>,
}

/// `%{ for key, value in collection } body %{ endfor }`
#[derive(Debug)]
pub struct TemplateFor {
    /// The name of the key, where one is given.
    pub key: Option<Name>,
    /// The name of the element.
    pub value: Name,
    /// What is iterated.
    pub collection: Expr,
    /// The parts of each round.
    pub body: Box<[TemplatePart]>,
}

/// One `key = value` of an object.
#[derive(Debug)]
pub struct ObjectItem {
    /// The key.
    pub key: ObjectKey,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Expr,
}

/// The key of an object's item.
#[derive(Debug)]
pub enum ObjectKey {
    /// A bare name: its own text, never a reference.
    Name(Name),
    /// Any other expression.
    Expr(Box<Expr>),
}

impl ObjectKey {
    /// The key, where it is written as a name or as a text.
    #[must_use]
    pub fn literal(&self) -> Option<&Name> {
        match self {
            Self::Name(name) => Some(name),
            Self::Expr(key) => match &key.kind {
                ExprKind::String(text) => Some(text),
                _ => None,
            },
        }
    }
}

/// `for key, value in collection : …`
#[derive(Debug)]
pub struct ForExpr {
    /// The name of the key or index, where one is given.
    pub key: Option<Name>,
    /// The name of the element.
    pub value: Name,
    /// What is iterated.
    pub collection: Expr,
    /// The key of each result, in an object.
    pub key_expr: Option<Expr>,
    /// The value of each result.
    pub value_expr: Expr,
    /// `...` after the value: results with equal keys are grouped into a list.
    pub grouping: bool,
    /// `if condition`
    pub condition: Option<Expr>,
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `!`
    Not,
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is its symbol")]
pub enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}
