//! Expressions. Precedence decides nothing about what is accepted, so operands and operators simply alternate.

use super::{Cover, Kind, Next, Reader, Result, Stage};

use std::ops::Range;

const EXPRESSION: &str = "the start of an expression is required here";

/// Most steps from one operand (`.name`, `[index]`, `.*`) that become a tree, which nests as deeply.
const MOST_STEPS: u32 = 1_000;

impl Reader<'_> {
    /// The beginning of an expression.
    pub(super) fn operand(&mut self) -> Result<Next> {
        self.trivia(self.newlines());
        let open = self.at;
        self.steps = 0;
        match self.byte(self.at) {
            Some(b'"') => {
                self.at += 1;
                self.push(Kind::Quote, open, false);
                Ok(Next::Template)
            }
            Some(b'<') => {
                let Some((word, content)) = self.heredoc() else { return self.refuse(EXPRESSION) };
                self.cover(open..word.1, Cover::Opening);
                self.at = content;
                self.line_start = true;
                // The tree's parser looks for the end from the second line on.
                if self.terminator(word).is_some() {
                    self.outline.misread.push(open);
                }
                self.push(Kind::Heredoc { word }, open, false);
                Ok(Next::Template)
            }
            Some(b'0'..=b'9') => {
                self.number()?;
                Ok(Next::Operator)
            }
            Some(b'-') => {
                self.at += 1;
                Ok(Next::Operand)
            }
            Some(b'!') if self.byte(self.at + 1) != Some(b'=') => {
                self.at += 1;
                Ok(Next::Operand)
            }
            Some(b'(') => {
                self.at += 1;
                self.push(Kind::Paren, open, false);
                Ok(Next::Operand)
            }
            Some(bracket @ (b'[' | b'{')) => {
                self.at += 1;
                let inside = self.at;
                self.trivia(false);
                let object = bracket == b'{';
                if self.is_word("for") {
                    self.push(Kind::For { object, stage: Stage::Collection }, open, false);
                    self.at += 3;
                    self.for_names()?;
                    return Ok(Next::Operand);
                }
                self.at = inside;
                if object {
                    self.push(Kind::Key { start: self.at }, open, true);
                    Ok(self.key())
                } else {
                    self.push(Kind::Tuple, open, false);
                    Ok(self.element(b']'))
                }
            }
            _ if self.name_end(self.at) > self.at => {
                self.at = self.name_end(self.at);
                self.after_name()
            }
            _ => self.refuse(EXPRESSION),
        }
    }

    /// A call, where the name before was that of a function.
    fn after_name(&mut self) -> Result<Next> {
        let end = self.at;
        self.trivia(self.newlines());
        if !self.looks_at("(") && !self.looks_at("::") {
            self.at = end;
            return Ok(Next::Operator);
        }
        while self.looks_at("::") {
            self.at += 2;
            self.trivia(self.newlines());
            self.name("missing function name")?;
            self.trivia(self.newlines());
        }
        if !self.looks_at("(") {
            return self.refuse("missing open parenthesis: a name with `::` is that of a function");
        }
        self.push(Kind::Call, self.at, false);
        self.at += 1;
        Ok(self.element(b')'))
    }

    /// `a, b in`
    pub(super) fn for_names(&mut self) -> Result<()> {
        let wanted = "invalid `for` expression: the name of a variable is required here";
        self.trivia(false);
        self.name(wanted)?;
        self.trivia(false);
        if self.looks_at(",") {
            self.at += 1;
            self.trivia(false);
            self.name(wanted)?;
            self.trivia(false);
        }
        if !self.is_word("in") {
            return self.refuse("invalid `for` expression: `in` is required after the names");
        }
        self.at += 2;
        Ok(())
    }

    /// An element of a list of some kind, or its end.
    fn element(&mut self, close: u8) -> Next {
        self.trivia(false);
        if self.byte(self.at) == Some(close) { self.close() } else { Next::Operand }
    }

    /// The key of an object's next item, or the object's end.
    fn key(&mut self) -> Next {
        self.trivia(false);
        self.set_top(Kind::Key { start: self.at });
        if self.byte(self.at) == Some(b'}') { self.close() } else { Next::Operand }
    }

    fn close(&mut self) -> Next {
        self.at += 1;
        self.steps = match self.stack.pop().map(|frame| frame.kind) {
            Some(Kind::Index { steps }) => steps,
            _ => 0,
        };
        Next::Operator
    }

    /// Takes note of a step from an operand.
    fn stepped(&mut self) {
        self.steps += 1;
        if self.steps == MOST_STEPS + 1 {
            self.outline.deep.push(self.at);
        }
    }

    /// What follows an operand: steps into it, an operator, or the end of the expression.
    pub(super) fn operator(&mut self) -> Result<Next> {
        let mut is_splat = false;
        loop {
            let end = self.at;
            let newlines = self.newlines();
            self.trivia(newlines);
            let after = self.byte(self.at + 1);
            let width = match self.byte(self.at) {
                Some(b'.') if !self.looks_at("...") => {
                    self.stepped();
                    self.step(&mut is_splat)?;
                    continue;
                }
                Some(b'[') => {
                    let open = self.at;
                    self.stepped();
                    self.at += 1;
                    self.trivia(newlines);
                    if self.looks_at("*") {
                        self.at += 1;
                        self.trivia(newlines);
                        if !self.looks_at("]") {
                            return self.refuse("missing close bracket on splat index");
                        }
                        self.at += 1;
                        is_splat = false;
                        continue;
                    }
                    self.push(Kind::Index { steps: self.steps }, open, false);
                    return Ok(Next::Operand);
                }
                Some(b'?') => {
                    self.push(Kind::Choice, self.at, newlines);
                    1
                }
                Some(b':') if self.top() == Kind::Choice && after != Some(b':') => {
                    self.stack.pop();
                    1
                }
                Some(b'=' | b'!') if after == Some(b'=') => 2,
                Some(b'&') if after == Some(b'&') => 2,
                Some(b'|') if after == Some(b'|') => 2,
                Some(b'&' | b'|' | b'^' | b'~') if !self.looks_at("~}") => {
                    return self.refuse("unsupported operator: Terraform has no bitwise operators");
                }
                Some(b'<') if self.heredoc().is_some() => 0,
                Some(b'<' | b'>') => 1 + usize::from(after == Some(b'=')),
                Some(b'+' | b'-' | b'*' | b'/' | b'%') => 1,
                _ => 0,
            };
            if width == 0 {
                return self.end(end);
            }
            self.at += width;
            return Ok(Next::Operand);
        }
    }

    /// `.name`, `.0`, `.*`
    fn step(&mut self, is_splat: &mut bool) -> Result<()> {
        let dot = self.at;
        self.at += 1;
        self.trivia(self.newlines());
        match self.byte(self.at) {
            Some(b'*') if *is_splat => self.refuse("nested splat expression not allowed"),
            Some(b'*') => {
                *is_splat = true;
                self.at += 1;
                Ok(())
            }
            Some(b'0'..=b'9') => {
                let number = self.number()?;
                if number.has_point {
                    let message = "invalid legacy index syntax: write each index in brackets".to_owned();
                    return self.refuse_span(crate::ProblemKind::Syntax, dot..number.end, message);
                }
                Ok(())
            }
            _ => self.name("invalid attribute name: a name is required after a dot").map(|_| ()),
        }
    }

    /// The end of an expression, which ended at `end`: what is open says what may follow.
    fn end(&mut self, end: usize) -> Result<Next> {
        let byte = self.byte(self.at);
        match self.top() {
            Kind::Argument => self.end_argument(end),
            Kind::Choice => self.refuse("missing false expression in conditional: expected `:`"),
            Kind::Paren if byte == Some(b')') => Ok(self.close()),
            Kind::Paren => self.refuse("unbalanced parentheses: expected `)`"),
            Kind::Index { .. } if byte == Some(b']') => Ok(self.close()),
            Kind::Index { .. } => self.refuse("missing close bracket on index"),
            Kind::Tuple => match byte {
                Some(b']') => Ok(self.close()),
                Some(b',') => {
                    self.at += 1;
                    Ok(self.element(b']'))
                }
                _ => self.refuse("missing item separator: expected `,` or `]`"),
            },
            Kind::Call => match byte {
                Some(b')') => Ok(self.close()),
                Some(b',') => {
                    self.at += 1;
                    Ok(self.element(b')'))
                }
                Some(b'.') if self.looks_at("...") => {
                    self.at += 3;
                    self.trivia(false);
                    if !self.looks_at(")") {
                        return self.refuse("missing closing parenthesis: `...` ends the arguments");
                    }
                    Ok(self.close())
                }
                _ => self.refuse("missing argument separator: expected `,` or `)`"),
            },
            Kind::Key { start } => match (byte, self.byte(self.at + 1)) {
                (Some(b'='), after) if !matches!(after, Some(b'=' | b'>')) => self.object_value(start..end),
                (Some(b':'), after) if after != Some(b':') => self.object_value(start..end),
                (Some(b'\n' | b'\r' | b',' | b'}'), _) => self.refuse("missing attribute value"),
                _ => self.refuse("missing key/value separator: expected `=` or `:`"),
            },
            Kind::Value => match (byte, self.newline(self.at)) {
                (Some(b'}'), _) => Ok(self.close()),
                (Some(b','), _) => {
                    self.at += 1;
                    Ok(self.key())
                }
                (_, Some(width)) => {
                    self.at += width;
                    Ok(self.key())
                }
                _ => self.refuse("missing attribute separator: expected a newline, `,` or `}`"),
            },
            Kind::For { object, stage } => self.end_for(object, stage),
            Kind::Interpolation | Kind::Condition | Kind::Collection => self.end_sequence(),
            _ => self.refuse(EXPRESSION),
        }
    }

    fn object_value(&mut self, key: Range<usize>) -> Result<Next> {
        let object = self.stack.last().map_or(0, |frame| frame.open);
        self.cover(key, Cover::Key { object });
        self.at += 1;
        self.set_top(Kind::Value);
        Ok(Next::Operand)
    }

    fn end_for(&mut self, object: bool, stage: Stage) -> Result<Next> {
        let mut stage = stage;
        let next = match stage {
            Stage::Collection if self.looks_at(":") && !self.looks_at("::") => Some((1, Stage::First)),
            Stage::Collection => {
                return self.refuse("invalid `for` expression: a colon is required after the collection");
            }
            Stage::First if object && self.looks_at("=>") => Some((2, Stage::Second)),
            Stage::First if object => {
                return self.refuse("invalid `for` expression: an object needs a key, `=>` and a value");
            }
            _ => None,
        };
        if let Some((width, stage)) = next {
            self.at += width;
            self.set_top(Kind::For { object, stage });
            return Ok(Next::Operand);
        }
        if stage == Stage::Second && self.looks_at("...") {
            self.at += 3;
            self.trivia(false);
            stage = Stage::Grouped;
        }
        if stage != Stage::Condition && self.is_word("if") {
            self.at += 2;
            self.set_top(Kind::For { object, stage: Stage::Condition });
            return Ok(Next::Operand);
        }
        if self.byte(self.at) == Some(if object { b'}' } else { b']' }) {
            return Ok(self.close());
        }
        self.refuse("invalid `for` expression: it ends before this")
    }
}
