//! A byte scanner that knows strings, templates, heredocs, comments and brackets, and nothing else.
//!
//! It decides where statements end; what a statement means is the parser's business. It never fails: an
//! unclosed string ends at its line, an unclosed heredoc is an ordinary line, an unclosed bracket ends with
//! the text.

/// Deepest nesting that is followed; what lies deeper is scanned flat.
const DEEPEST: usize = 512;

/// The end of the statement that begins at `start`: past the newline-free text up to the first newline outside
/// of all brackets, or past the brace that closes a block. `end` bounds the scan.
pub(super) fn statement_end(text: &[u8], start: usize, end: usize) -> usize {
    let mut at = start;
    let mut open: Vec<u8> = Vec::new();
    while at < end {
        let Some(&byte) = text.get(at) else { break };
        match byte {
            b'\n' if open.is_empty() => return at,
            b'}' if open.is_empty() => return at,
            b'{' | b'[' | b'(' => {
                if open.len() < DEEPEST {
                    open.push(byte);
                }
                at += 1;
            }
            b'}' | b']' | b')' => {
                // A closing bracket closes everything that was left open inside of its partner.
                let partner = match byte {
                    b'}' => b'{',
                    b']' => b'[',
                    _ => b'(',
                };
                if let Some(depth) = open.iter().rposition(|&other| other == partner) {
                    open.truncate(depth);
                }
                at += 1;
            }
            _ => at = token_end(text, at, end),
        }
    }
    end.min(text.len())
}

/// Past the token at `at`: a string, a comment, a heredoc, or a single byte.
pub(super) fn token_end(text: &[u8], at: usize, end: usize) -> usize {
    match (text.get(at), text.get(at + 1)) {
        (Some(b'"'), _) => string_end(text, at, end),
        (Some(b'#'), _) | (Some(b'/'), Some(b'/')) => line_end(text, at, end),
        (Some(b'/'), Some(b'*')) => block_comment_end(text, at, end),
        (Some(b'<'), Some(b'<')) => heredoc_end(text, at, end).unwrap_or(at + 2),
        _ => at + 1,
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
            (Some(Level::Text), b'$' | b'%') if text.get(at + 1) == Some(&b'{') && levels.len() < DEEPEST => {
                levels.push(Level::Code);
                at += 2;
            }
            (Some(Level::Code), b'"') if levels.len() < DEEPEST => {
                levels.push(Level::Text);
                at += 1;
            }
            (Some(Level::Code), b'{') if levels.len() < DEEPEST => {
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

/// Past the line of the terminator of a heredoc that begins at `at`; none when it is no heredoc or has no end.
fn heredoc_end(text: &[u8], at: usize, end: usize) -> Option<usize> {
    let mut name = at + 2;
    if text.get(name) == Some(&b'-') {
        name += 1;
    }
    let line = line_end(text, name, end);
    let word = text.get(name..line)?.trim_ascii_end();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || !byte.is_ascii();
    if word.is_empty() || !word.iter().all(is_name) || word.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let mut at = line + 1;
    while at < end {
        let next = line_end(text, at, end);
        if text.get(at..next)?.trim_ascii() == word {
            // The newline after the terminator ends the statement; it is left for the caller to see.
            return Some(next);
        }
        at = next + 1;
    }
    None
}

/// Past white space, newlines and comments.
pub(super) fn skip_trivia(text: &[u8], at: usize, end: usize) -> usize {
    let mut at = at;
    while at < end {
        match text.get(at) {
            Some(byte) if byte.is_ascii_whitespace() => at += 1,
            Some(_) if is_comment(text, at) => at = token_end(text, at, end),
            _ => break,
        }
    }
    at.min(end)
}

/// The column of `at` in bytes: how far it is indented when only white space stands before it.
pub(super) fn indentation(text: &[u8], at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.iter().rev().position(|&byte| byte == b'\n').unwrap_or(before.len())
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
