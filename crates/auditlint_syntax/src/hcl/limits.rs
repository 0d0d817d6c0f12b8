//! Values that Terraform reads and the tree's parser does not: each is left out of its statement, which keeps
//! everything else.

use std::ops::Range;

use hcl_edit::parser::{Error, parse_body};
use hcl_edit::structure::Structure;

use super::grammar::Outline;
use super::lower::Lowering;
use super::piece::{join_conditionals, offset};
use super::tree::{Attribute, Block, Expr, ExprKind, ItemKind};
use crate::{Name, Problem, ProblemKind, Span};

/// In how many blocks a value is tried: what stands around it counts towards the parser's limits as well.
const AROUND: usize = 8;

/// The problem of a legal text that has no tree.
pub(super) fn problem(span: Span, error: Option<&Error>) -> Problem {
    let message = error.map(Error::message).unwrap_or_default();
    let message = if message.contains("nesting depth") {
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
pub(super) fn isolated(text: &str, outline: &Outline, base: u32) -> Option<(ItemKind, Vec<Problem>)> {
    let mut masked = text.as_bytes().to_vec();
    let mut lost: Vec<(Range<usize>, Option<Problem>)> = Vec::new();
    for range in &outline.values {
        let value = text.get(range.clone())?;
        let replacement = match tree(value, outline.is_misread(range)) {
            Ok(None) => continue,
            Ok(Some(joined)) => joined.into_bytes(),
            Err(error) => {
                let first = value.lines().next().unwrap_or_default();
                let span = Span::new(offset(range.start), offset(range.start + first.len())).shifted(base);
                let limit = (!is_plain_number(value)).then(|| problem(span, error.as_ref()));
                lost.push((range.clone(), limit));
                let mut blank = vec![b' '; value.len()];
                *blank.first_mut()? = b'0';
                blank
            }
        };
        masked.get_mut(range.clone())?.copy_from_slice(&replacement);
    }
    let masked = String::from_utf8(masked).ok()?;
    let body = parse_body(&masked).ok()?;
    let mut lowering = Lowering { text: &masked, offset: base, quoted: false };
    let mut structures = body.iter();
    let mut kind = match structures.next()? {
        Structure::Block(block) => ItemKind::Block(lowering.block(block)),
        Structure::Attribute(attribute) => ItemKind::Attribute(lowering.attribute(attribute)),
    };
    if structures.next().is_some() {
        return None;
    }
    // Values are noted where they end, and none is inside of another one.
    lost.sort_by_key(|(range, _)| range.start);
    let breaks = Breaks { text, lost: &lost, base };
    match &mut kind {
        ItemKind::Block(block) => breaks.block(block),
        ItemKind::Attribute(attribute) => breaks.attribute(attribute),
        ItemKind::Unreadable(_) => {}
    }
    Some((kind, lost.into_iter().filter_map(|(_, problem)| problem).collect()))
}

/// Whether the value has a tree as it stands (nothing), or with other white space; why not, where it has none.
fn tree(value: &str, is_misread: bool) -> Result<Option<String>, Option<Error>> {
    if is_misread {
        return Err(None);
    }
    let within = |value: &str| format!("{}a = {value}\n{}", "a {\n".repeat(AROUND), "}\n".repeat(AROUND));
    let Err(error) = parse_body(&within(value)) else { return Ok(None) };
    match join_conditionals(value) {
        Some(joined) if parse_body(&within(&joined)).is_ok() => Ok(Some(joined)),
        _ => Err(Some(error)),
    }
}

/// Whether the value is a number and nothing else, which is kept as it is written however long it is.
fn is_plain_number(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit())
}

struct Breaks<'a> {
    text: &'a str,
    lost: &'a [(Range<usize>, Option<Problem>)],
    base: u32,
}

impl Breaks<'_> {
    fn block(&self, block: &mut Block) {
        block.body.attributes.iter_mut().for_each(|attribute| self.attribute(attribute));
        block.body.blocks.iter_mut().for_each(|block| self.block(block));
    }

    fn attribute(&self, attribute: &mut Attribute) {
        let start = attribute.value.span.start;
        let at = self.lost.partition_point(|(range, _)| offset(range.start) + self.base < start);
        let found = self.lost.get(at).filter(|(range, _)| offset(range.start) + self.base == start);
        let Some((range, problem)) = found else { return };
        let span = Span::new(start, offset(range.end) + self.base);
        let kind = match problem {
            Some(_) => ExprKind::Broken,
            None => ExprKind::Number(Name::new(self.text.get(range.clone()).unwrap_or_default())),
        };
        attribute.value = Expr { span, kind };
        attribute.span.end = span.end;
    }
}
