//! What can be saved of a statement that does not parse: its head, and those of its parts that do.

use std::collections::HashSet;

use super::piece::{Known, offset, whole};
use super::scan::{Scanner, indentation, line_end, line_indentation, name_end, starts_name};
use super::tree::{Attribute, Block, Body, ItemKind, Label};
use crate::{Name, Problem, ProblemKind, Span};

/// How deep broken blocks are taken apart; what lies deeper is lost as one statement.
const DEEPEST: usize = 16;

/// How often, on average, each byte of a broken piece may be parsed anew in the search for what can be saved.
const TRIES: usize = 16;

/// The search for what can be saved of a statement that does not parse.
pub(super) struct Recovery<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
    /// How many bytes may still be parsed anew; what is left after them is lost.
    budget: usize,
    /// The first statement that was lost, and why.
    lost: Option<Problem>,
    /// The values that are legal and past a limit.
    limits: Vec<Problem>,
}

/// What was saved.
pub(super) struct Recovered {
    /// The statement, where its head could be read.
    pub(super) kind: Option<ItemKind>,
    /// Why the first of its parts was lost.
    pub(super) lost: Option<Problem>,
    /// The values that are legal and past a limit.
    pub(super) limits: Vec<Problem>,
}

impl<'a> Recovery<'a> {
    /// What can be saved of `text`.
    pub(super) fn of(text: &'a str) -> Recovered {
        let scanner = Scanner::new(text.as_bytes());
        let budget = text.len().saturating_mul(TRIES).saturating_add(4096);
        let mut recovery = Self { text, scanner, budget, lost: None, limits: Vec::new() };
        let kind = recovery.statement(0, text.len(), 0);
        Recovered { kind, lost: recovery.lost, limits: recovery.limits }
    }

    /// The statement in `start..end`, or what can be saved of it.
    fn statement(&mut self, start: usize, end: usize, depth: usize) -> Option<ItemKind> {
        let text = self.text.get(start..end)?;
        self.budget = self.budget.checked_sub(text.len())?;
        match whole(text, offset(start), Known::Nothing) {
            Ok((kind, problems)) => {
                self.lose(problems);
                Some(kind)
            }
            Err(problem) => {
                let block = if depth < DEEPEST { self.block(start, end, depth) } else { None };
                self.lose([problem]);
                block.map(ItemKind::Block)
            }
        }
    }

    fn lose(&mut self, problems: impl IntoIterator<Item = Problem>) {
        for problem in problems {
            if problem.kind == ProblemKind::Unsupported {
                // Each block around a value that has no tree says so again.
                if self.limits.last() != Some(&problem) {
                    self.limits.push(problem);
                }
            } else if self.lost.is_none() {
                self.lost = Some(problem);
            }
        }
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
            body: body.into(),
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
            let (kind, stop) = match whole(text, offset(at), Known::Nothing) {
                Ok((kind, problems)) => {
                    self.lose(problems);
                    (Some(kind), by_brackets)
                }
                Err(problem) => {
                    let is_legal = problem.kind == ProblemKind::Unsupported;
                    let stop = if is_legal { by_brackets } else { self.by_indentation(at, end, outer) };
                    (self.statement(at, stop, depth), stop)
                }
            };
            match kind {
                Some(ItemKind::Attribute(attribute)) => {
                    if !seen.insert(&attribute.name) {
                        let message =
                            format!("the argument `{}` was already set in this block", attribute.name);
                        let (kind, span) = (ProblemKind::Duplicate, attribute.name_span);
                        self.lose([Problem { kind, span, message }]);
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

/// The names of the attributes of a body.
#[derive(Default)]
struct Seen {
    few: Vec<Name>,
    many: HashSet<Name>,
}

impl Seen {
    /// Up to this number a search is faster than a hash.
    const FEW: usize = 32;

    /// Whether `name` is new.
    fn insert(&mut self, name: &Name) -> bool {
        if self.few.contains(name) {
            return false;
        }
        if self.few.len() < Self::FEW {
            self.few.push(name.clone());
            return true;
        }
        self.many.insert(name.clone())
    }
}
