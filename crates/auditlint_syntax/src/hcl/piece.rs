//! One statement to one piece: parsed as a whole where that works, statement by statement where not.

use hcl_edit::parser::parse_body;
use hcl_edit::structure::Structure;

use super::lower::{Lowering, Seen};
use super::scan::{Scanner, indentation, is_comment, line_end, line_indentation, name_end, starts_name};
use super::tree::{Attribute, Block, Body, Expr, ExprKind, ItemKind, Label, Piece};
use crate::{Name, Problem, ProblemKind, Span};

/// How deep broken blocks are taken apart; what lies deeper is lost as one statement.
const DEEPEST: usize = 16;

/// How often, on average, each byte of a broken piece may be parsed anew in the search for what can be saved.
const TRIES: usize = 16;

/// Parses the text of one statement. `known_broken` says that its brackets are already known to be wrong.
pub(super) fn parse(text: &str, hash: u64, known_broken: bool) -> Piece {
    let failure = match whole(text, 0) {
        Ok((kind, problem)) if !known_broken => return Piece { hash, kind, problem },
        Ok(_) => Problem {
            kind: ProblemKind::Syntax,
            span: Span::new(len(text).saturating_sub(1), len(text)),
            message: "this brace closes nothing".to_owned(),
        },
        Err(problem) => problem,
    };
    let scanner = Scanner::new(text.as_bytes());
    let budget = text.len().saturating_mul(TRIES).saturating_add(4096);
    let mut recovery = Recovery { text, scanner, lost: None, budget };
    let kind = recovery.statement(0, text.len(), 0).unwrap_or(ItemKind::Unreadable(Span::new(0, len(text))));
    // A text past a limit may be legal as a whole, whatever its parts look like.
    let problem = match recovery.lost {
        Some(lost) if failure.kind != ProblemKind::Unsupported => lost,
        _ => failure,
    };
    Piece { hash, kind, problem: Some(problem) }
}

/// One statement that must parse as a whole; spans are moved by `offset`.
fn whole(text: &str, offset: u32) -> Result<(ItemKind, Option<Problem>), Problem> {
    let joined;
    let (text, body) = match parse_body(text) {
        Ok(body) => (text, body),
        Err(error) => {
            // Terraform ignores newlines inside of all brackets; hcl-edit does not beside `?` and `:`.
            joined = join_conditionals(text);
            match joined.as_deref().map(parse_body) {
                Some(Ok(body)) => (joined.as_deref().unwrap_or(text), body),
                _ => return Err(problem(text, &error, offset)),
            }
        }
    };
    let mut lowering = Lowering { text, offset, quoted: false, problem: None };
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
    Ok((kind, lowering.problem))
}

fn problem(text: &str, error: &hcl_edit::parser::Error, offset: u32) -> Problem {
    let at = error.location().offset().min(text.len());
    let start = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let width = text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let message = error.message();
    let limit = message.contains("nesting depth") || message.contains("operator");
    let kind = if limit { ProblemKind::Unsupported } else { ProblemKind::Syntax };
    let at = |at: usize| u32::try_from(at).unwrap_or(u32::MAX).saturating_add(offset);
    Problem { kind, span: Span::new(at(start), at(start + width)), message: message.replace('\n', "; ") }
}

/// The text with each newline beside a `?` or `:` inside of brackets as a space; none where there is none.
fn join_conditionals(text: &str) -> Option<String> {
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

struct Recovery<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
    /// How many bytes may still be parsed anew; what is left after them is lost.
    budget: usize,
    /// The first statement that was lost, and why.
    lost: Option<Problem>,
}

impl Recovery<'_> {
    /// The statement in `start..end`, or what can be saved of it.
    fn statement(&mut self, start: usize, end: usize, depth: usize) -> Option<ItemKind> {
        let text = self.text.get(start..end)?;
        self.budget = self.budget.checked_sub(text.len())?;
        match whole(text, offset(start)) {
            Ok((kind, problem)) => {
                self.lose(problem);
                Some(kind)
            }
            Err(problem) => {
                if problem.kind == ProblemKind::Unsupported
                    && let Some(attribute) = self.too_deep(start, end)
                {
                    self.lose(Some(problem));
                    return Some(ItemKind::Attribute(attribute));
                }
                if depth >= DEEPEST {
                    return None;
                }
                let block = self.block(start, end, depth);
                self.lose(Some(problem));
                block.map(ItemKind::Block)
            }
        }
    }

    fn lose(&mut self, problem: Option<Problem>) {
        if self.lost.is_none() {
            self.lost = problem;
        }
    }

    /// `name = …` whose value is past the parser's limits: the attribute is there, its value is not.
    fn too_deep(&self, start: usize, end: usize) -> Option<Attribute> {
        let bytes = self.text.as_bytes();
        let name_end = name_end(bytes, start, end);
        let name = self.text.get(start..name_end).filter(|name| !name.is_empty())?;
        let equals = self.scanner.skip_trivia(name_end, end);
        (bytes.get(equals) == Some(&b'=')).then(|| {
            let value = Span::new(offset(self.scanner.skip_trivia(equals + 1, end)), offset(end));
            Attribute {
                name: Name::new(name),
                name_span: Span::new(offset(start), offset(name_end)),
                span: Span::new(offset(start), offset(end)),
                value: Expr { span: value, kind: ExprKind::Broken },
            }
        })
    }

    /// A block with a readable header, and those of its statements that parse.
    fn block(&mut self, start: usize, end: usize, depth: usize) -> Option<Block> {
        let bytes = self.text.as_bytes();
        if !bytes.get(start).copied().is_some_and(starts_name) {
            return None;
        }
        let ident_end = name_end(bytes, start, end);
        let mut labels = Vec::new();
        let mut at = ident_end;
        let mut header_end = ident_end;
        loop {
            at += bytes.get(at..end)?.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            match bytes.get(at) {
                Some(b'"') if at < end => {
                    let close = self.scanner.token_end(at, end);
                    let label = self.text.get(at..close)?;
                    let name = label.strip_prefix('"')?.strip_suffix('"').filter(|_| label.len() > 1)?;
                    labels.push(Label { name: Name::new(name), span: Span::new(offset(at), offset(close)) });
                    at = close;
                    header_end = close;
                }
                Some(&byte) if at < end && starts_name(byte) => {
                    let close = name_end(bytes, at, end);
                    let name = self.text.get(at..close)?;
                    labels.push(Label { name: Name::new(name), span: Span::new(offset(at), offset(close)) });
                    at = close;
                    header_end = close;
                }
                _ => break,
            }
        }
        let has_brace = at < end && bytes.get(at) == Some(&b'{');
        if !has_brace && labels.is_empty() {
            return None;
        }
        let inside = if has_brace { at + 1 } else { header_end };
        let mut body = if has_brace {
            self.body(inside, self.body_end(start, inside, end), indentation(bytes, start), depth + 1)
        } else {
            Body::default()
        };
        body.incomplete = true;
        body.span = Span::new(offset(inside.min(end)), offset(self.body_end(start, inside, end)));
        Some(Block {
            ident: Name::new(self.text.get(start..ident_end)?),
            ident_span: Span::new(offset(start), offset(ident_end)),
            labels: labels.into(),
            header: Span::new(offset(start), offset(header_end)),
            span: Span::new(offset(start), offset(end)),
            body,
        })
    }

    /// Before the brace that ends the block at `start`, where there is one: a brace that stands deeper than the
    /// block ends something inside of it.
    fn body_end(&self, start: usize, inside: usize, end: usize) -> usize {
        let bytes = self.text.as_bytes();
        let body = self.text.get(inside..end).unwrap_or_default();
        let Some(kept) = body.trim_end().strip_suffix('}') else { return end.max(inside) };
        let brace = inside + kept.len();
        let same_line = line_end(bytes, start, end) >= brace;
        if same_line || line_indentation(bytes, brace) <= line_indentation(bytes, start) {
            brace
        } else {
            end.max(inside)
        }
    }

    /// The statements of a broken body: each by its brackets where that parses, else by its indentation.
    fn body(&mut self, start: usize, end: usize, outer: usize, depth: usize) -> Body {
        let bytes = self.text.as_bytes();
        let mut attributes: Vec<Attribute> = Vec::new();
        let mut blocks = Vec::new();
        let mut seen = Seen::default();
        let mut at = self.scanner.skip_trivia(start, end);
        while at < end {
            if matches!(bytes.get(at), Some(b'}' | b')' | b']')) {
                at = self.scanner.skip_trivia(at + 1, end);
                continue;
            }
            let by_brackets = self.scanner.statement_end(at, end).max(at + 1);
            let Some(left) = self.budget.checked_sub(by_brackets - at) else { break };
            self.budget = left;
            let text = self.text.get(at..by_brackets).unwrap_or_default();
            let (kind, stop) = match whole(text, offset(at)) {
                Ok((kind, problem)) => {
                    self.lose(problem);
                    (Some(kind), by_brackets)
                }
                Err(problem) if problem.kind == ProblemKind::Unsupported => {
                    let kind = match self.too_deep(at, by_brackets) {
                        Some(attribute) => Some(ItemKind::Attribute(attribute)),
                        None => self.statement(at, by_brackets, depth),
                    };
                    self.lose(Some(problem));
                    (kind, by_brackets)
                }
                Err(_) => {
                    let stop = self.by_indentation(at, end, outer);
                    (self.statement(at, stop, depth), stop)
                }
            };
            match kind {
                Some(ItemKind::Attribute(attribute)) => {
                    if !seen.insert(&attribute.name) {
                        let message =
                            format!("the argument `{}` was already set in this block", attribute.name);
                        self.lose(Some(Problem {
                            kind: ProblemKind::Duplicate,
                            span: attribute.name_span,
                            message,
                        }));
                    } else {
                        attributes.push(attribute);
                    }
                }
                Some(ItemKind::Block(block)) => blocks.push(block),
                Some(ItemKind::Unreadable(_)) | None => {}
            }
            at = self.scanner.skip_trivia(stop.max(at + 1), end);
        }
        Body {
            attributes: attributes.into(),
            blocks: blocks.into(),
            span: Span::default(),
            incomplete: true,
            json: false,
        }
    }

    /// The end of the line at `at`, and of the lines after it that are indented deeper or only close it.
    fn by_indentation(&self, at: usize, end: usize, outer: usize) -> usize {
        let bytes = self.text.as_bytes();
        let own = indentation(bytes, at).max(outer);
        let mut stop = line_end(bytes, at, end);
        let opens = self.text.get(at..stop).is_some_and(|line| line.trim_end().ends_with(['{', '[', '(']));
        let mut line = stop + 1;
        while line < end {
            let next = line_end(bytes, line, end);
            let text = bytes.get(line..next).unwrap_or_default();
            let indent = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            let first = text.get(indent).copied().unwrap_or(b'\n');
            let closes = matches!(first, b'}' | b']' | b')');
            if matches!(first, b'\n' | b'\r') || own < indent {
                stop = next;
            } else if closes && indent == own && opens {
                return next;
            } else {
                break;
            }
            line = next + 1;
        }
        // Blank lines at the end belong to nobody.
        at + self.text.get(at..stop).unwrap_or_default().trim_end().len()
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn len(text: &str) -> u32 {
    offset(text.len())
}
