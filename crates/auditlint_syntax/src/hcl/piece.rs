//! One statement to one piece: parsed as a whole where that works, statement by statement where not.

use hcl_edit::parser::parse_body;
use hcl_edit::structure::Structure;

use super::lower::Lowering;
use super::recovery::Recovery;
use super::scan::{Scanner, is_comment};
use super::tree::{ItemKind, Piece};
use super::{grammar, limits};
use crate::{Problem, ProblemKind, Span};

/// What is known of a statement before it is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Terraform accepts it, and the tree's parser reads it as Terraform does.
    Sound,
    Nothing,
    /// Its brackets are wrong.
    Broken,
}

/// Parses the text of one statement.
pub(super) fn parse(text: &str, hash: u64, known: Known) -> Piece {
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

/// One statement that must parse as a whole; spans are moved by `offset`. What Terraform refuses in a statement
/// that has a tree all the same, and what is past a limit of the tree's parser, are the problems beside it.
pub(super) fn whole(text: &str, offset: u32, known: Known) -> Result<(ItemKind, Vec<Problem>), Problem> {
    let read = match known {
        Known::Sound => None,
        Known::Nothing | Known::Broken => Some(grammar::statements(text)),
    };
    let misread = matches!(&read, Some(Ok(outline)) if !outline.misread.is_empty());
    let joined;
    let (text, body) = match parse_body(text) {
        Ok(body) if !misread => (text, body),
        parsed => {
            // Terraform ignores newlines inside of all brackets; hcl-edit does not beside `?` and `:`.
            joined = if misread { None } else { join_conditionals(text) };
            match joined.as_deref().map(parse_body) {
                Some(Ok(body)) => (joined.as_deref().unwrap_or(text), body),
                _ => {
                    let outline = read.unwrap_or_else(|| grammar::statements(text));
                    let outline = outline.map_err(|refused| shifted(refused, offset))?;
                    return limits::isolated(text, &outline, offset).ok_or_else(|| {
                        limits::problem(Span::new(offset, offset + len(text)), parsed.err().as_ref())
                    });
                }
            }
        }
    };
    let mut lowering = Lowering { text, offset, quoted: false };
    let mut structures = body.iter();
    let kind = match structures.next() {
        Some(Structure::Block(block)) => ItemKind::Block(lowering.block(block)),
        Some(Structure::Attribute(attribute)) => ItemKind::Attribute(lowering.attribute(attribute)),
        None => ItemKind::Unreadable(Span::new(offset, offset + len(text))),
    };
    if structures.next().is_some() {
        return Err(Problem {
            kind: ProblemKind::Syntax,
            span: Span::new(offset, offset + len(text)),
            message: "expected a newline after this statement".to_owned(),
        });
    }
    let refused = read.and_then(Result::err).map(|refused| shifted(refused, offset));
    Ok((kind, refused.into_iter().collect()))
}

fn shifted(problem: Problem, offset: u32) -> Problem {
    Problem { span: problem.span.shifted(offset), ..problem }
}

/// The text with each newline beside a `?` or `:` inside of brackets as a space; none where there is none.
pub(super) fn join_conditionals(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let scanner = Scanner::new(bytes);
    let mut out = bytes.to_vec();
    let mut depth = 0_usize;
    let mut changed = false;
    let mut at = 0;
    // The last byte that was no white space and no comment.
    let mut before = b' ';
    while at < bytes.len() {
        let Some(&byte) = bytes.get(at) else { break };
        match byte {
            b'\n' => {
                let next = scanner.skip_trivia(at, bytes.len());
                let after = bytes.get(next).copied().unwrap_or(b' ');
                if depth > 0 && (matches!(before, b'?' | b':') || matches!(after, b'?' | b':')) {
                    for (n, byte) in bytes.iter().enumerate().take(next).skip(at) {
                        if let Some(place) = out.get_mut(n)
                            && (*byte == b'\n' || *byte == b'\r')
                        {
                            *place = b' ';
                            changed = true;
                        }
                    }
                }
                at = next;
                continue;
            }
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !byte.is_ascii_whitespace() && !is_comment(bytes, at) {
            before = byte;
        }
        at = scanner.token_end(at, bytes.len());
    }
    // A comment between the newlines would swallow what follows on the joined line.
    changed.then(|| String::from_utf8(out).unwrap_or_default())
}

pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

pub(super) fn len(text: &str) -> u32 {
    offset(text.len())
}
