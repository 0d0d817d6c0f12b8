//! A legal text as the tree's parser takes it: of the same length, and with a tree of the same form.
//!
//! That parser refuses some of what Terraform takes, and reads some of it as something else: newlines beside `?`,
//! numbers such as `1.e3` and `1e1000`, keys that stand twice in an object, the ends of some heredocs. Nothing of
//! these is needed for the form of the tree. What they say is read from the text itself.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// A part of a text that the tree's parser need not see.
#[derive(Clone, Debug)]
pub(super) struct Covered {
    pub(super) range: Range<usize>,
    pub(super) cover: Cover,
}

/// What stands in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cover {
    /// Spaces: for white space and comments that mean nothing, and for the texts of heredocs.
    Blank,
    /// Another number.
    Number,
    /// A quote, in place of the first line of a heredoc.
    Opening,
    /// A quote, in place of its last line.
    Closing,
    /// A name that no other key of the object has, which begins at `object`.
    Key { object: usize },
}

/// The text that the tree's parser reads.
pub(super) struct Disguise {
    pub(super) text: String,
    /// The keys that have another name there, in order.
    pub(super) keys: Vec<Range<usize>>,
}

impl Disguise {
    /// `text`, whose parts `covered` are covered.
    pub(super) fn of(text: &str, covered: &[Covered]) -> Self {
        let mut bytes = text.as_bytes().to_vec();
        let mut objects: HashMap<usize, Vec<Range<usize>>> = HashMap::new();
        for Covered { range, cover } in covered {
            let Some(part) = bytes.get_mut(range.clone()) else { continue };
            match cover {
                Cover::Blank => part.fill(b' '),
                // Few digits are an index as well, and many zeros no number too great.
                Cover::Number => part.fill(if part.len() < 20 { b'1' } else { b'0' }),
                Cover::Opening => {
                    part.fill(b' ');
                    part.first_mut().into_iter().for_each(|byte| *byte = b'"');
                }
                Cover::Closing => {
                    part.fill(b' ');
                    part.last_mut().into_iter().for_each(|byte| *byte = b'"');
                }
                Cover::Key { object } => objects.entry(*object).or_default().push(range.clone()),
            }
        }
        let mut keys = Vec::new();
        for ranges in objects.into_values() {
            rename(text, ranges, &mut bytes, &mut keys);
        }
        keys.sort_by_key(|range| range.start);
        Self { text: String::from_utf8(bytes).unwrap_or_default(), keys }
    }
}

/// Gives those keys of an object a name of their own that are no names, or that stand twice.
fn rename(text: &str, ranges: Vec<Range<usize>>, bytes: &mut [u8], keys: &mut Vec<Range<usize>>) {
    let mut taken: HashSet<String> = HashSet::new();
    let is_name = |key: &str| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let renamed = ranges.into_iter().filter(|range| {
        let key = text.get(range.clone()).unwrap_or_default();
        !is_name(key) || !taken.insert(key.to_owned())
    });
    let renamed: Vec<Range<usize>> = renamed.collect();
    let mut numbers: HashMap<usize, usize> = HashMap::new();
    for range in renamed {
        let number = numbers.entry(range.len()).or_default();
        let names = std::iter::from_fn(|| {
            *number += 1;
            name(*number, range.len())
        });
        // Where no name of its length is left the key stays as it is, and is past a limit of the parser.
        let Some(name) = names.into_iter().find(|name| !taken.contains(name)) else { continue };
        if let Some(part) = bytes.get_mut(range.clone()) {
            part.copy_from_slice(name.as_bytes());
            keys.push(range);
        }
    }
}

/// The name of that number and length; none where there are fewer of them.
fn name(number: usize, length: usize) -> Option<String> {
    const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
    let mut name = vec![b'_'; length];
    let mut rest = number;
    // A word that means something is no name; none of those begins with a line.
    let first = usize::from(length > 1);
    for place in name.get_mut(first..)?.iter_mut().rev() {
        *place = *LETTERS.get(rest % LETTERS.len())?;
        rest /= LETTERS.len();
    }
    if rest == 0 { String::from_utf8(name).ok() } else { None }
}
