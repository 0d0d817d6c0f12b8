//! One statement to one piece: parsed as a whole where that works, statement by statement where not.

use hcl_edit::parser::{parse_body, parse_template};
use hcl_edit::structure::{Body, Structure};

use super::disguise::Disguise;
use super::later::{self, Text};
use super::lower::Lowering;
use super::recovery::Recovery;
use super::tree::{Attribute, Expr, ExprKind, ItemKind, Piece, TemplatePart};
use super::{grammar, limits};
use crate::{Name, Problem, ProblemKind, Span};

/// What is known of a statement before it is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Terraform accepts it, and the tree's parser reads it as Terraform does.
    Sound,
    Nothing,
    /// Its brackets are wrong.
    Broken,
}

/// Parses the text of one statement; `kept` gives what is kept of it where its body is parsed later.
pub(super) fn parse(text: &str, hash: u64, known: Known, kept: impl FnOnce(&str) -> Text) -> Piece {
    if known == Known::Sound
        && let Some(block) = later::block(text, kept)
    {
        return Piece { hash, kind: ItemKind::Block(block), problems: Vec::new() };
    }
    let failure = match whole(text, 0, known) {
        Ok((kind, problems)) if known != Known::Broken => return Piece { hash, kind, problems },
        Ok(_) => Problem {
            kind: ProblemKind::Syntax,
            span: Span::new(len(text).saturating_sub(1), len(text)),
            message: "this brace closes nothing".to_owned(),
        },
        Err(problem) => problem,
    };
    let recovered = Recovery::of(text);
    // A text past a limit may be legal as a whole, whatever its parts look like.
    let first = match recovered.lost {
        Some(lost) if failure.kind != ProblemKind::Unsupported => lost,
        _ => failure,
    };
    let limits = recovered.limits.into_iter().filter(|limit| limit.span != first.span).collect::<Vec<_>>();
    let problems = std::iter::once(first).chain(limits).collect();
    let kind = recovered.kind.unwrap_or(ItemKind::Unreadable(Span::new(0, len(text))));
    Piece { hash, kind, problems }
}

/// One statement that must parse as a whole; spans are moved by `offset`. What is past a limit of the tree's parser
/// are the problems beside it.
pub(super) fn whole(text: &str, offset: u32, known: Known) -> Result<(ItemKind, Vec<Problem>), Problem> {
    let read = || grammar::statements(text).map_err(|refused| shifted(refused, offset));
    let outline = match known {
        Known::Sound => None,
        Known::Nothing | Known::Broken => Some(read()?),
    };
    let is_misread =
        outline.as_ref().is_some_and(|outline| !outline.misread.is_empty() || !outline.deep.is_empty());
    if !is_misread && let Ok(body) = parse_body(text) {
        return Ok((statement(&body, &Lowering::of(text, offset))?, Vec::new()));
    }
    let outline = outline.map_or_else(read, Ok)?;
    let disguise = Disguise::of(text, &outline.covered);
    match parse_body(&disguise.text) {
        Ok(body) if outline.deep.is_empty() => {
            Ok((statement(&body, &Lowering::disguised(text, &disguise, offset))?, Vec::new()))
        }
        parsed => limits::isolated(text, &disguise, &outline, offset)
            .ok_or_else(|| limits::problem(Span::new(offset, offset + len(text)), parsed.err().as_ref())),
    }
}

/// The only statement of `body`.
pub(super) fn statement(body: &Body, lowering: &Lowering<'_>) -> Result<ItemKind, Problem> {
    let mut structures = body.iter();
    let span = Span::new(lowering.offset, lowering.offset + len(lowering.text));
    let kind = match structures.next() {
        Some(Structure::Block(block)) => ItemKind::Block(lowering.block(block)),
        Some(Structure::Attribute(attribute)) => ItemKind::Attribute(lowering.attribute(attribute)),
        None => ItemKind::Unreadable(span),
    };
    if structures.next().is_some() {
        let message = "expected a newline after this statement".to_owned();
        return Err(Problem { kind: ProblemKind::Syntax, span, message });
    }
    Ok(kind)
}

/// A text that is one template: an attribute without a name.
pub(super) fn template(text: &str, hash: u64) -> Piece {
    let (kind, problems) = match parts(text) {
        Ok(parts) => (ExprKind::Template(parts.into()), Vec::new()),
        Err(problem) => (ExprKind::Broken, vec![problem]),
    };
    let span = Span::new(0, len(text));
    let value = Expr { span, kind };
    let name_span = Span::default();
    Piece {
        hash,
        kind: ItemKind::Attribute(Attribute { name: Name::default(), name_span, span, value }),
        problems,
    }
}

/// The parts of a text that is one template, without quotes around it.
pub(super) fn parts(text: &str) -> Result<Vec<TemplatePart>, Problem> {
    let outline = grammar::template(text)?;
    if !outline.deep.is_empty() {
        return Err(limits::problem(Span::new(0, len(text)), None));
    }
    if outline.misread.is_empty()
        && let Ok(template) = parse_template(text)
    {
        return Ok(Lowering::of(text, 0).bare(&template));
    }
    let disguise = Disguise::of(text, &outline.covered);
    let template = parse_template(&disguise.text)
        .map_err(|error| limits::problem(Span::new(0, len(text)), Some(&error)))?;
    Ok(Lowering::disguised(text, &disguise, 0).bare(&template))
}

fn shifted(problem: Problem, offset: u32) -> Problem {
    Problem { span: problem.span.shifted(offset), ..problem }
}

pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

pub(super) fn len(text: &str) -> u32 {
    offset(text.len())
}
