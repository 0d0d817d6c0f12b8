//! Values that Terraform reads and the tree's parser does not: each is left out of its statement, which keeps
//! everything else.

use std::ops::Range;

use hcl_edit::parser::{Error, parse_body};

use super::disguise::Disguise;
use super::grammar::Outline;
use super::lower::Lowering;
use super::piece::{offset, statement};
use super::tree::{Attribute, Block, Expr, ExprKind, ItemKind};
use crate::{Problem, ProblemKind, Span};

/// In how many blocks a value is tried: what stands around it counts towards the parser's limits as well.
const AROUND: usize = 8;

/// The problem of a legal text that has no tree.
pub(super) fn problem(span: Span, error: Option<&Error>) -> Problem {
    let message = error.map(Error::message).unwrap_or_default();
    let message = if error.is_none() {
        "this is legal, and takes more than the 1000 steps in a row that are read here".to_owned()
    } else if message.contains("nesting depth") {
        "this is legal, and nested deeper than the 64 levels that are read here".to_owned()
    } else if message.contains("operator") {
        "this is legal, and has more than the 128 operators in a row that are read here".to_owned()
    } else {
        "this is legal, and written in a way that is not read here".to_owned()
    };
    Problem { kind: ProblemKind::Unsupported, span, message }
}

/// The statement `text`, which Terraform accepts, without the values that have no tree: they are
/// [`ExprKind::Broken`], and a problem each. None where something else than a value has none.
pub(super) fn isolated(
    text: &str,
    disguise: &Disguise,
    outline: &Outline,
    base: u32,
) -> Option<(ItemKind, Vec<Problem>)> {
    let mut masked = disguise.text.clone().into_bytes();
    let mut lost: Vec<(Range<usize>, Problem)> = Vec::new();
    for range in &outline.values {
        let error = match tree(disguise.text.get(range.clone())?) {
            _ if outline.is_deep(range) => None,
            Ok(()) => continue,
            Err(error) => Some(error),
        };
        let first = text.get(range.clone())?.lines().next().unwrap_or_default();
        let span = Span::new(offset(range.start), offset(range.start + first.len())).shifted(base);
        lost.push((range.clone(), problem(span, error.as_ref())));
        let value = masked.get_mut(range.clone())?;
        value.fill(b' ');
        *value.first_mut()? = b'0';
    }
    let masked = String::from_utf8(masked).ok()?;
    let body = parse_body(&masked).ok()?;
    let mut kind = statement(&body, &Lowering::disguised(text, disguise, base)).ok()?;
    // Values are noted where they end, and none is inside of another one.
    lost.sort_by_key(|(range, _)| range.start);
    let breaks = Breaks { lost: &lost, base };
    match &mut kind {
        ItemKind::Block(block) => breaks.block(block),
        ItemKind::Attribute(attribute) => breaks.attribute(attribute),
        ItemKind::Unreadable(_) => {}
    }
    Some((kind, lost.into_iter().map(|(_, problem)| problem).collect()))
}

/// Whether the value has a tree; why not, where it has none.
fn tree(value: &str) -> Result<(), Error> {
    let around = ["a {\n".repeat(AROUND), "}\n".repeat(AROUND)];
    let [before, after] = &around;
    parse_body(&format!("{before}a = {value}\n{after}")).map(drop)
}

struct Breaks<'a> {
    lost: &'a [(Range<usize>, Problem)],
    base: u32,
}

impl Breaks<'_> {
    fn block(&self, block: &mut Block) {
        let mut body = std::mem::take(&mut block.body).into_body();
        body.attributes.iter_mut().for_each(|attribute| self.attribute(attribute));
        body.blocks.iter_mut().for_each(|block| self.block(block));
        block.body = body.into();
    }

    fn attribute(&self, attribute: &mut Attribute) {
        let start = attribute.value.span.start;
        let at = self.lost.partition_point(|(range, _)| offset(range.start) + self.base < start);
        let found = self.lost.get(at).filter(|(range, _)| offset(range.start) + self.base == start);
        let Some((range, _)) = found else { return };
        let span = Span::new(start, offset(range.end) + self.base);
        attribute.value = Expr { span, kind: ExprKind::Broken };
        attribute.span.end = span.end;
    }
}
