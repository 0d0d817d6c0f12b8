//! Templates: quoted strings and heredocs.

use super::{Cover, Kind, Next, Reader, Result};
use crate::ProblemKind;

const NEWLINE: &str = "invalid multi-line string: a quoted string may not contain a newline; use a heredoc";

impl Reader<'_> {
    /// The heredoc that begins here: the bounds of its word, and where its first line begins.
    pub(super) fn heredoc(&self) -> Option<((usize, usize), usize)> {
        if !self.looks_at("<<") {
            return None;
        }
        let start = self.at + 2 + usize::from(self.byte(self.at + 2) == Some(b'-'));
        let end = self.name_end(start);
        let width = self.newline(end).filter(|_| start < end)?;
        Some(((start, end), end + width))
    }

    /// What follows in a string or a heredoc, up to its end or to something that holds an expression.
    pub(super) fn template(&mut self) -> Result<Next> {
        let base = self.stack.last().map_or(0, |frame| frame.base);
        match self.stack.get(base).map(|frame| frame.kind) {
            Some(Kind::Heredoc { word }) => self.heredoc_text(base, word),
            Some(Kind::Bare) => self.bare_text(base),
            _ => self.quoted_text(base),
        }
    }

    fn quoted_text(&mut self, base: usize) -> Result<Next> {
        loop {
            match self.byte(self.at) {
                Some(b'"') => return self.end_template(base, self.at + 1),
                Some(b'\\') => self.escape()?,
                Some(b'$' | b'%') => {
                    if self.template_sign() {
                        return self.sequence();
                    }
                }
                Some(b'\n' | b'\r') => {
                    return self.refuse(NEWLINE);
                }
                Some(_) => self.at += 1,
                None => return self.unterminated(base),
            }
        }
    }

    fn bare_text(&mut self, base: usize) -> Result<Next> {
        loop {
            match self.byte(self.at) {
                Some(b'$' | b'%') => {
                    if self.template_sign() {
                        return self.sequence();
                    }
                }
                Some(_) => self.at += 1,
                None => {
                    self.end_template(base, self.at)?;
                    return Ok(Next::Nothing);
                }
            }
        }
    }

    fn heredoc_text(&mut self, base: usize, word: (usize, usize)) -> Result<Next> {
        let start = self.at;
        loop {
            if self.line_start {
                if let Some(end) = self.terminator(word) {
                    self.cover(start..self.at, Cover::Blank);
                    self.cover(self.at..end, Cover::Closing);
                    return self.end_template(base, end);
                }
                self.line_start = false;
            }
            match self.byte(self.at) {
                Some(b'\n') => {
                    self.line_start = true;
                    self.at += 1;
                }
                Some(b'\r') if self.byte(self.at + 1) != Some(b'\n') => {
                    return self.refuse("invalid character: a carriage return alone is no newline");
                }
                Some(b'$' | b'%') => {
                    let end = self.at;
                    if self.template_sign() {
                        self.cover(start..end, Cover::Blank);
                        return self.sequence();
                    }
                    // A sign takes the byte after it along, where it is the last one of its line.
                    if self.looks_at("\r\r\n") {
                        self.at += 1;
                    }
                }
                Some(_) => self.at += 1,
                None => return self.unterminated(base),
            }
        }
    }

    /// Before the newline of the line that begins here, where that line ends the heredoc of `word`.
    pub(super) fn terminator(&mut self, word: (usize, usize)) -> Option<usize> {
        let name = self.text.get(word.0..word.1)?;
        let first = self.byte(self.at)?;
        // Most lines differ at once.
        if first.is_ascii_graphic() && Some(first) != self.byte(word.0) {
            return None;
        }
        let rest = self.text.get(self.at..)?.trim_start_matches(|c: char| c.is_whitespace() && c != '\n');
        let start = self.bytes.len() - rest.len();
        let after = rest.strip_prefix(name)?;
        let line = self.line_end(start)?;
        let tail = self.text.get(start + name.len()..line)?;
        let is_end = tail.trim().is_empty();
        let is_plain = |text: &str| text.bytes().all(|byte| matches!(byte, b' ' | b'\t'));
        let before = self.text.get(self.at..start)?;
        // The tree's parser knows its word by what follows, and other white space not at all.
        let seen = is_plain(before) && !after.chars().next().is_some_and(super::names::continues);
        let plain_end = is_plain(before) && is_plain(tail.strip_suffix('\r').unwrap_or(tail));
        if (is_end && !plain_end) || (!is_end && seen) {
            self.outline.misread.push(start);
        }
        is_end.then(|| line - usize::from(tail.ends_with('\r')))
    }

    /// Whether an interpolation or a directive begins with the sign that stands here; goes past the signs where
    /// not. Two of them before the brace stand for one that begins nothing.
    pub(super) fn template_sign(&mut self) -> bool {
        let sign = self.byte(self.at);
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let signs = rest.iter().take_while(|&&byte| Some(byte) == sign).count();
        if signs == 1 && rest.get(1) == Some(&b'{') {
            return true;
        }
        self.at += signs;
        false
    }

    /// `${ … }` or `%{ … }`
    fn sequence(&mut self) -> Result<Next> {
        let open = self.at;
        let is_directive = self.looks_at("%");
        self.at += 2;
        self.at += usize::from(self.looks_at("~"));
        if !is_directive {
            self.push(Kind::Interpolation, open, false);
            return Ok(Next::Operand);
        }
        self.trivia(false);
        let keyword = self.at;
        match self.name("invalid template directive: a keyword is required here")? {
            b"if" => {
                self.push(Kind::Condition, open, false);
                return Ok(Next::Operand);
            }
            b"for" => {
                self.for_names()?;
                self.push(Kind::Collection, open, false);
                return Ok(Next::Operand);
            }
            b"else" if self.top() == Kind::If => self.set_top(Kind::Else),
            b"endif" if matches!(self.top(), Kind::If | Kind::Else) => {
                self.stack.pop();
            }
            b"endfor" if self.top() == Kind::Loop => {
                self.stack.pop();
            }
            b"else" | b"endif" | b"endfor" => {
                self.at = keyword;
                return self.refuse("unexpected template directive: nothing that it belongs to is open");
            }
            _ => {
                self.at = keyword;
                return self.refuse("invalid template control keyword");
            }
        }
        self.end_marker()
    }

    /// Past the brace of a sequence, whose expression has been read.
    pub(super) fn end_sequence(&mut self) -> Result<Next> {
        match self.top() {
            Kind::Condition => self.set_top(Kind::If),
            Kind::Collection => self.set_top(Kind::Loop),
            _ => {
                self.stack.pop();
            }
        }
        self.end_marker()
    }

    fn end_marker(&mut self) -> Result<Next> {
        self.trivia(false);
        self.at += usize::from(self.looks_at("~}"));
        if !self.looks_at("}") {
            return self.refuse("extra characters after interpolation expression: expected `}`");
        }
        self.at += 1;
        self.line_start = false;
        Ok(Next::Template)
    }

    fn end_template(&mut self, base: usize, end: usize) -> Result<Next> {
        if base + 1 != self.stack.len() {
            let open = self.stack.last().map_or(self.at, |frame| frame.open);
            let message = "unexpected end of template: this directive is not ended".to_owned();
            return self.refuse_span(ProblemKind::Syntax, open..open + 2, message);
        }
        self.at = end;
        self.stack.pop();
        Ok(Next::Operator)
    }

    fn unterminated<T>(&self, base: usize) -> Result<T> {
        let open = self.stack.get(base).map_or(self.at, |frame| frame.open);
        let message = "unterminated template string: no closing marker was found".to_owned();
        self.refuse_span(ProblemKind::Syntax, open..open + 1, message)
    }
}
