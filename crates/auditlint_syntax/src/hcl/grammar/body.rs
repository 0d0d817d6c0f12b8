//! Bodies: arguments and blocks.

use std::collections::HashSet;

use super::{Kind, Next, Reader, Result};
use crate::ProblemKind;

/// Up to this number of names a search is faster than a hash.
const FEW: usize = 32;

impl<'a> Reader<'a> {
    /// The next statement of a body, or its end.
    pub(super) fn item(&mut self) -> Result<Next> {
        self.skip(false);
        let Some(byte) = self.byte(self.at) else {
            return match self.stack.as_slice() {
                [_] => Ok(Next::Nothing),
                [.., body] => {
                    let open = body.open..body.open + 1;
                    self.refuse_span(ProblemKind::Syntax, open, "unclosed configuration block".to_owned())
                }
                [] => Ok(Next::Nothing),
            };
        };
        if byte == b'}'
            && self.stack.len() > 1
            && let Kind::Body { outside } = self.top()
        {
            self.at += 1;
            self.arguments.truncate(outside);
            while self.many.last().is_some_and(|(known, _)| *known >= outside) {
                self.many.pop();
            }
            self.stack.pop();
            return self.after_block();
        }
        let start = self.at;
        if self.stack.len() == 1 {
            self.item = start;
        }
        self.name(if byte == b'"' {
            "invalid argument name: argument names must not be quoted"
        } else {
            "an argument or block definition is required here"
        })?;
        let name_end = self.at;
        self.trivia(true);
        match self.byte(self.at) {
            Some(b'=') if !matches!(self.byte(self.at + 1), Some(b'=' | b'>')) => {
                self.argument(start, name_end)?;
                Ok(self.value())
            }
            Some(byte) if matches!(byte, b'"' | b'{') || self.name_end(self.at) > self.at => self.block(),
            _ => self.refuse("an argument or block definition is required here"),
        }
    }

    fn value(&mut self) -> Next {
        self.at += 1;
        self.trivia(true);
        self.push(Kind::Argument, self.at, true);
        Next::Operand
    }

    /// Notes the name of an argument; a body has each once.
    fn argument(&mut self, start: usize, end: usize) -> Result<()> {
        let Kind::Body { outside } = self.top() else { return Ok(()) };
        let name: &'a [u8] = self.bytes.get(start..end).unwrap_or_default();
        let is_new = match self.many.last_mut() {
            Some((known, names)) if *known == outside => names.insert(name),
            _ => {
                let here = self.arguments.get(outside..).unwrap_or_default();
                let is_new = !here.contains(&name);
                if here.len() >= FEW {
                    let names: HashSet<&[u8]> = here.iter().copied().chain([name]).collect();
                    self.many.push((outside, names));
                }
                self.arguments.push(name);
                is_new
            }
        };
        if is_new {
            return Ok(());
        }
        let name = self.text.get(start..end).unwrap_or_default();
        let message = format!("the argument `{name}` was already set in this block");
        self.refuse_span(ProblemKind::Duplicate, start..end, message)
    }

    /// The labels of a block and its opening brace.
    fn block(&mut self) -> Result<Next> {
        loop {
            self.trivia(true);
            match self.byte(self.at) {
                Some(b'{') => break,
                Some(b'"') => self.label()?,
                _ => {
                    self.name(
                        "invalid block definition: a block has labels and an opening brace on its first line",
                    )?;
                }
            }
        }
        let open = self.at;
        self.at += 1;
        self.trivia(true);
        if self.newline(self.at).is_some() || matches!(self.byte(self.at), Some(b'}') | None) {
            let outside = self.arguments.len();
            self.push(Kind::Body { outside }, open, true);
            return Ok(Next::Item);
        }
        self.push(Kind::Line, open, true);
        self.name("an argument or block definition is required here")?;
        self.trivia(true);
        if self.byte(self.at) != Some(b'=') || matches!(self.byte(self.at + 1), Some(b'=' | b'>')) {
            return self.refuse("a block on one line can hold a single argument and nothing else");
        }
        Ok(self.value())
    }

    /// A quoted label: no templates.
    fn label(&mut self) -> Result<()> {
        self.at += 1;
        loop {
            match self.byte(self.at) {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(b'$' | b'%') => {
                    if self.template_sign() {
                        return self.refuse("invalid string literal: templates are not allowed in a label");
                    }
                }
                Some(b'\n' | b'\r') => {
                    return self.refuse("invalid multi-line string: a label ends on its line");
                }
                Some(_) => self.at += 1,
                None => return self.refuse("unterminated string literal"),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Past the end of an argument's value.
    pub(super) fn end_argument(&mut self, value_end: usize) -> Result<Next> {
        let is_end = self.newline(self.at).is_some() || self.at >= self.bytes.len();
        let start = self.stack.pop().map_or(0, |frame| frame.open);
        self.outline.values.push(start..value_end);
        match self.top() {
            Kind::Line if self.byte(self.at) == Some(b'}') => {
                self.stack.pop();
                self.at += 1;
                self.after_block()
            }
            Kind::Line => self.refuse("a block on one line can hold a single argument and nothing else"),
            _ if is_end => {
                self.end_item();
                Ok(Next::Item)
            }
            _ if self.byte(self.at) == Some(b',') => {
                self.refuse("unexpected comma after argument: arguments are separated by newlines")
            }
            _ => self.refuse("missing newline after argument"),
        }
    }

    fn after_block(&mut self) -> Result<Next> {
        self.trivia(true);
        if self.newline(self.at).is_none() && self.at < self.bytes.len() {
            return self.refuse("missing newline after block definition");
        }
        self.end_item();
        Ok(Next::Item)
    }

    fn end_item(&mut self) {
        if self.stack.len() == 1 {
            let text = self.bytes.get(self.item..self.at).unwrap_or_default();
            self.outline.items.push(self.item..self.item + text.trim_ascii_end().len());
        }
    }
}
