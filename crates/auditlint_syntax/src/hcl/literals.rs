//! The texts between the sequences of a template, as Terraform reads them: escapes, strip markers, and the
//! indentation that `<<-` takes away.
//!
//! All of that is decided over the template as one flat row, however its directives are nested: a marker strips its
//! neighbour in the row, and a line counts for the indentation whatever it stands in.

use std::borrow::Cow;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::template::{Directive, Element, Strip};

/// What a template is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Quotes: escapes mean something, and there are no lines.
    Quoted,
    /// A heredoc.
    Heredoc,
    /// A heredoc with `<<-`.
    Flush,
    /// A file, or a string of JSON.
    Bare,
}

/// The row: texts, each of one line where there are lines, and the sequences between them.
pub(super) struct Literals<'a>(std::iter::Peekable<std::vec::IntoIter<Token<'a>>>);

enum Token<'a> {
    Text(Cow<'a, str>),
    Sequence(Strip),
}

impl<'a> Literals<'a> {
    /// Those of `elements`, whose texts stand within the range `content` of `source`.
    pub(super) fn of(source: &'a str, content: Range<usize>, form: Form, elements: &[&Element]) -> Self {
        let mut row = Row { source, content: content.clone(), form, tokens: Vec::new() };
        if elements.is_empty() {
            row.text(content);
        }
        elements.iter().for_each(|element| row.element(element));
        let mut tokens = row.tokens;
        strip(&mut tokens);
        if form == Form::Flush {
            flush(&mut tokens);
        }
        Self(tokens.into_iter().peekable())
    }

    /// The text up to the next sequence, which markers may have left empty; none where there was none. A value with
    /// an empty text beside it is a text, and no longer the value itself.
    pub(super) fn text(&mut self) -> Option<Cow<'a, str>> {
        let mut out: Option<Cow<'a, str>> = None;
        while let Some(Token::Text(text)) = self.0.next_if(|token| matches!(token, Token::Text(_))) {
            match &mut out {
                Some(out) => out.to_mut().push_str(&text),
                None => out = Some(text),
            }
        }
        out
    }

    /// Goes past a sequence.
    pub(super) fn sequence(&mut self) {
        self.0.next_if(|token| matches!(token, Token::Sequence(_)));
    }
}

struct Row<'a> {
    source: &'a str,
    content: Range<usize>,
    form: Form,
    tokens: Vec<Token<'a>>,
}

impl Row<'_> {
    fn element(&mut self, element: &Element) {
        match element {
            Element::Literal(literal) => literal.span().into_iter().for_each(|range| self.text(range)),
            Element::Interpolation(interpolation) => self.sequence(interpolation.strip),
            Element::Directive(directive) => match &**directive {
                Directive::If(branch) => {
                    self.sequence(branch.if_expr.strip);
                    branch.if_expr.template.iter().for_each(|element| self.element(element));
                    if let Some(other) = &branch.else_expr {
                        self.sequence(other.strip);
                        other.template.iter().for_each(|element| self.element(element));
                    }
                    self.sequence(branch.endif_expr.strip);
                }
                Directive::For(each) => {
                    self.sequence(each.for_expr.strip);
                    each.for_expr.template.iter().for_each(|element| self.element(element));
                    self.sequence(each.endfor_expr.strip);
                }
            },
        }
    }

    fn sequence(&mut self, strip: Strip) {
        self.tokens.push(Token::Sequence(strip));
    }

    fn text(&mut self, range: Range<usize>) {
        let range = range.start.max(self.content.start)..range.end.min(self.content.end);
        let text = self.source.get(range).unwrap_or_default();
        match self.form {
            Form::Quoted => self.tokens.push(Token::Text(decoded(text, true))),
            Form::Heredoc | Form::Flush | Form::Bare => {
                let lines = text.split_inclusive('\n').flat_map(|line| <[&str; 2]>::from(cut(line)));
                let lines = lines.filter(|line| !line.is_empty());
                self.tokens.extend(lines.map(|line| Token::Text(decoded(line, false))));
            }
        }
    }
}

/// A line and nothing, or a line and its newline. Terraform's scanner takes a sign and the byte after it as one word,
/// and where that is the last byte of the line, the newline is a word of its own: what is stripped of it is not
/// stripped of the white space before.
fn cut(line: &str) -> (&str, &str) {
    let without = line.strip_suffix("\r\n").or_else(|| line.strip_suffix('\n')).unwrap_or(line);
    let is_signed = |text: &str| matches!(text.as_bytes(), [.., b'$' | b'%', last] if last.is_ascii_whitespace() || *last == 0x0B);
    if without.len() < line.len() && is_signed(without) {
        return line.split_at(without.len());
    }
    // So is the first half of a newline of two bytes.
    match line.strip_suffix("\r\n") {
        Some(text) if text.ends_with(['$', '%']) => line.split_at(text.len() + 1),
        _ => (line, ""),
    }
}

/// `text` without escapes: two signs before a brace stand for one, and in quotes a backslash begins another
/// character.
fn decoded(text: &str, quoted: bool) -> Cow<'_, str> {
    if !(quoted && text.contains('\\') || text.contains("$${") || text.contains("%%{")) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("$${") || rest.starts_with("%%{") {
            out.extend([c, '{']);
            rest = rest.get(3..).unwrap_or_default();
        } else if quoted && c == '\\' {
            let width = escaped(rest, &mut out);
            rest = rest.get(width..).unwrap_or_default();
        } else {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    Cow::Owned(out)
}

/// The character for which the escape at the beginning of `text` stands, and the width of the escape.
fn escaped(text: &str, out: &mut String) -> usize {
    let code = |digits: usize| {
        let written = text.get(2..2 + digits)?;
        char::from_u32(u32::from_str_radix(written, 16).ok()?)
    };
    let (c, width) = match text.as_bytes().get(1) {
        Some(b'n') => (Some('\n'), 2),
        Some(b'r') => (Some('\r'), 2),
        Some(b't') => (Some('\t'), 2),
        Some(b'u') => (code(4), 6),
        Some(b'U') => (code(8), 10),
        Some(&byte) => (Some(char::from(byte)), 2),
        None => (Some('\\'), 1),
    };
    out.extend(c);
    width
}

/// Each marker strips the white space of the text beside it, up to the end of its line.
fn strip(tokens: &mut [Token<'_>]) {
    for at in 0..tokens.len() {
        let Some(Token::Sequence(strip)) = tokens.get(at) else { continue };
        let strip = *strip;
        if matches!(strip, Strip::Start | Strip::Both)
            && let Some(Token::Text(text)) = at.checked_sub(1).and_then(|before| tokens.get_mut(before))
        {
            let kept = text.trim_end().len();
            *text = part(text, 0..kept);
        }
        if matches!(strip, Strip::End | Strip::Both)
            && let Some(Token::Text(text)) = tokens.get_mut(at + 1)
        {
            let start = text.len() - text.trim_start().len();
            *text = part(text, start..text.len());
        }
    }
}

/// Takes away the indentation that all lines have in common. A line is what follows a text that ends with a newline:
/// none begins where a marker stripped it. One that is blank does not count and stays as it is.
fn flush(tokens: &mut [Token<'_>]) {
    let mut least = usize::MAX;
    let mut starts: Vec<usize> = Vec::new();
    let mut is_start = true;
    for (at, token) in tokens.iter().enumerate() {
        let text = match token {
            Token::Text(text) => text,
            Token::Sequence(_) => "",
        };
        let unindented = text.trim_start();
        if is_start && !(unindented.is_empty() && text.ends_with('\n')) {
            let indentation = text.get(..text.len() - unindented.len()).unwrap_or_default();
            least = least.min(indentation.chars().count());
            starts.push(at);
        }
        is_start = text.ends_with('\n');
    }
    for at in starts {
        if let Some(Token::Text(text)) = tokens.get_mut(at) {
            let start = text.char_indices().nth(least).map_or(text.len(), |(start, _)| start);
            *text = part(text, start..text.len());
        }
    }
}

fn part<'a>(text: &Cow<'a, str>, range: Range<usize>) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(range).unwrap_or_default()),
        Cow::Owned(text) => Cow::Owned(text.get(range).unwrap_or_default().to_owned()),
    }
}
