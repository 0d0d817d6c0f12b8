//! A byte scanner that knows strings, templates, heredocs, comments and brackets, and nothing else.
//!
//! It decides where statements end; what a statement means is the parser's business. It never fails: an
//! unclosed string ends at its line, an unclosed heredoc is an ordinary line, an unclosed bracket ends with
//! the text.

use std::cell::OnceCell;
use std::collections::HashMap;

/// A text, and where its heredocs may end.
pub(super) struct Scanner<'a> {
    text: &'a [u8],
    /// The lines that hold one word and nothing else, by that word, in their order. Looked up instead of
    /// searched for: a text of unclosed heredocs would be searched to its end for each of them.
    terminators: OnceCell<HashMap<&'a [u8], Vec<Terminator>>>,
}

struct Terminator {
    /// Where its word ends.
    word_end: usize,
    /// Its newline, or the end of the text.
    line_end: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, terminators: OnceCell::new() }
    }

    pub(super) fn text(&self) -> &'a [u8] {
        self.text
    }

    /// The end of the statement that begins at `start`: past the newline-free text up to the first newline
    /// outside of all brackets, or past the brace that closes a block. `end` bounds the scan.
    pub(super) fn statement_end(&self, start: usize, end: usize) -> usize {
        let text = self.text;
        let mut at = start;
        let mut open = Open::default();
        while at < end {
            let Some(&byte) = text.get(at) else { break };
            match byte {
                b'\n' | b'}' if open.stack.is_empty() => return at,
                b'{' | b'[' | b'(' => {
                    open.open(byte);
                    at += 1;
                }
                b'}' | b']' | b')' => {
                    open.close(byte);
                    at += 1;
                }
                _ => at = self.token_end(at, end),
            }
        }
        end.min(text.len())
    }

    /// Past the token at `at`: a string, a comment, a heredoc, or a single byte.
    pub(super) fn token_end(&self, at: usize, end: usize) -> usize {
        let text = self.text;
        match (text.get(at), text.get(at + 1)) {
            (Some(b'"'), _) => string_end(text, at, end),
            (Some(b'#'), _) | (Some(b'/'), Some(b'/')) => line_end(text, at, end),
            (Some(b'/'), Some(b'*')) => block_comment_end(text, at, end),
            (Some(b'<'), Some(b'<')) => self.heredoc_end(at, end).unwrap_or(at + 2),
            _ => at + 1,
        }
    }

    /// Past white space, newlines and comments.
    pub(super) fn skip_trivia(&self, at: usize, end: usize) -> usize {
        let mut at = at;
        while at < end {
            match self.text.get(at) {
                Some(byte) if byte.is_ascii_whitespace() => at += 1,
                Some(_) if is_comment(self.text, at) => at = self.token_end(at, end),
                _ => break,
            }
        }
        at.min(end)
    }

    /// Past the line of the terminator of a heredoc that begins at `at`; none when it is no heredoc or has no
    /// end. The newline after the terminator ends the statement; it is left for the caller to see.
    fn heredoc_end(&self, at: usize, end: usize) -> Option<usize> {
        let mut name = at + 2;
        if self.text.get(name) == Some(&b'-') {
            name += 1;
        }
        let line = line_end(self.text, name, end);
        let word = self.text.get(name..line)?.trim_ascii_end();
        if !is_heredoc_name(word) {
            return None;
        }
        let all = self.terminators.get_or_init(|| terminators(self.text)).get(word)?;
        let next = all.partition_point(|terminator| terminator.line_end <= line);
        all.get(next)
            .filter(|terminator| terminator.word_end <= end)
            .map(|terminator| terminator.line_end.min(end))
    }
}

fn is_heredoc_name(word: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || !byte.is_ascii();
    !word.is_empty() && word.iter().all(is_name) && !word.first().is_some_and(u8::is_ascii_digit)
}

fn terminators(text: &[u8]) -> HashMap<&[u8], Vec<Terminator>> {
    let mut out: HashMap<&[u8], Vec<Terminator>> = HashMap::new();
    let mut start = 0;
    while start < text.len() {
        let end = line_end(text, start, text.len());
        let line = text.get(start..end).unwrap_or_default().trim_ascii_end();
        let word = line.trim_ascii_start();
        if is_heredoc_name(word) {
            out.entry(word).or_default().push(Terminator { word_end: start + line.len(), line_end: end });
        }
        start = end + 1;
    }
    out
}

/// The brackets that are open.
#[derive(Default)]
struct Open {
    stack: Vec<u8>,
    /// How many of each kind, so that a bracket without a partner is known without a search.
    counts: [usize; 3],
}

impl Open {
    const fn kind(byte: u8) -> usize {
        match byte {
            b'{' | b'}' => 0,
            b'[' | b']' => 1,
            _ => 2,
        }
    }

    fn count(&mut self, byte: u8) -> Option<&mut usize> {
        self.counts.get_mut(Self::kind(byte))
    }

    fn open(&mut self, byte: u8) {
        self.stack.push(byte);
        self.count(byte).into_iter().for_each(|count| *count += 1);
    }

    /// A closing bracket closes everything that was left open inside of its partner.
    fn close(&mut self, byte: u8) {
        if self.count(byte).is_none_or(|count| *count == 0) {
            return;
        }
        while let Some(other) = self.stack.pop() {
            self.count(other).into_iter().for_each(|count| *count -= 1);
            if Self::kind(other) == Self::kind(byte) {
                break;
            }
        }
    }
}

/// Whether a comment begins at `at`.
pub(super) fn is_comment(text: &[u8], at: usize) -> bool {
    matches!((text.get(at), text.get(at + 1)), (Some(b'#'), _) | (Some(b'/'), Some(b'/' | b'*')))
}

/// The newline at or after `at`.
pub(super) fn line_end(text: &[u8], at: usize, end: usize) -> usize {
    let rest = text.get(at..end.min(text.len())).unwrap_or_default();
    rest.iter().position(|&byte| byte == b'\n').map_or(end.min(text.len()), |n| at + n)
}

fn block_comment_end(text: &[u8], at: usize, end: usize) -> usize {
    let rest = text.get(at + 2..end.min(text.len())).unwrap_or_default();
    rest.windows(2).position(|pair| pair == b"*/").map_or(end.min(text.len()), |n| at + 2 + n + 2)
}

/// Past the closing quote. A newline outside of an interpolation ends an unclosed string before it.
fn string_end(text: &[u8], at: usize, end: usize) -> usize {
    // The braces of the interpolations that are open, innermost last; a nested string is an interpolation's
    // content and is scanned by the same loop with a level of its own.
    let mut levels: Vec<Level> = vec![Level::Text];
    let mut at = at + 1;
    while at < end {
        let Some(&byte) = text.get(at) else { break };
        match (levels.last(), byte) {
            (Some(Level::Text), b'\\') => at += 2,
            (Some(Level::Text), b'"') => {
                levels.pop();
                at += 1;
                if levels.is_empty() {
                    return at;
                }
            }
            (Some(Level::Text), b'\n') => return at,
            (Some(Level::Text), b'$' | b'%')
                if text.get(at + 1) == Some(&byte) && text.get(at + 2) == Some(&b'{') =>
            {
                at += 3;
            }
            (Some(Level::Text), b'$' | b'%') if text.get(at + 1) == Some(&b'{') => {
                levels.push(Level::Code);
                at += 2;
            }
            (Some(Level::Code), b'"') => {
                levels.push(Level::Text);
                at += 1;
            }
            (Some(Level::Code), b'{') => {
                levels.push(Level::Code);
                at += 1;
            }
            (Some(Level::Code), b'}') => {
                levels.pop();
                at += 1;
            }
            (Some(Level::Code), b'/') if text.get(at + 1) == Some(&b'*') => {
                at = block_comment_end(text, at, end);
            }
            _ => at += 1,
        }
    }
    end.min(text.len())
}

#[derive(Clone, Copy)]
enum Level {
    Text,
    Code,
}

/// The column of `at` in bytes: how far it is indented when only white space stands before it.
pub(super) fn indentation(text: &[u8], at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.iter().rev().position(|&byte| byte == b'\n').unwrap_or(before.len())
}

/// How far the line that holds `at` is indented.
pub(super) fn line_indentation(text: &[u8], at: usize) -> usize {
    let line = text.get(at - indentation(text, at)..).unwrap_or_default();
    line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Whether an identifier can begin with this byte.
pub(super) fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

/// Past the identifier at `at`.
pub(super) fn name_end(text: &[u8], at: usize, end: usize) -> usize {
    let rest = text.get(at..end.min(text.len())).unwrap_or_default();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || !byte.is_ascii();
    at + rest.iter().position(|byte| !is_name(byte)).unwrap_or(rest.len())
}
