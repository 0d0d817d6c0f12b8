//! Where the tokens of a JSON text begin. Sixty-four bytes are looked at together, each set of bytes as the bits of
//! one number, so that a text's inside is passed over without a look at any single byte of it.

use wide::u8x16;

const BLOCK: usize = 64;
/// Bytes of the longest escape, `\u` and four digits.
const ESCAPE: usize = 6;
/// Marks the beginning of a text that holds an escape. No offset is that large.
const ESCAPED: u32 = 1 << 31;

/// The tokens of the part of a text that was looked at: its brackets, colons and commas, and the first byte of each
/// text, number and word. What no JSON has (a control character, an unknown escape) is a token of its own, which no
/// grammar takes.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    all: Vec<Token>,
    /// Bytes that were looked at.
    seen: usize,
    /// Every bit is set where the next byte lies inside of a text.
    inside: u64,
    /// The lowest bit is set where the next byte is escaped.
    escaped: u64,
    /// The lowest bit is set where the next byte goes on with a number or word.
    goes_on: u64,
}

/// One token, by its offset.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token(u32);

impl Token {
    pub(super) fn at(self) -> usize {
        (self.0 & !ESCAPED) as usize
    }

    /// Whether it is a text with an escape.
    pub(super) fn is_escaped(self) -> bool {
        self.0 & ESCAPED != 0
    }
}

/// Each byte of a block that belongs to a set, as a bit.
#[derive(Default)]
struct Sets {
    quotes: u64,
    backslashes: u64,
    /// Brackets, colons and commas.
    structure: u64,
    /// Control characters, those that are white space included.
    control: u64,
    spaces: u64,
}

impl Tokens {
    /// The tokens of a text that lies in memory, of at most 2 GB.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut tokens = Self::default();
        tokens.extend(text, true);
        tokens
    }

    pub(super) fn all(&self) -> &[Token] {
        &self.all
    }

    /// How many bytes were looked at.
    pub(super) fn seen(&self) -> usize {
        self.seen
    }

    /// Looks at the bytes that were not seen yet. A few at the end wait for what follows, unless it is the end.
    pub(super) fn extend(&mut self, text: &[u8], is_end: bool) {
        let mut room = [Token(0); BLOCK];
        while let Some((block, rest)) = text.get(self.seen..).and_then(<[u8]>::split_first_chunk)
            && (is_end || rest.len() >= ESCAPE)
        {
            self.block(block, text, &mut room);
            self.seen += BLOCK;
        }
        let rest = text.get(self.seen..).unwrap_or_default();
        if is_end && !rest.is_empty() {
            let mut block = [b' '; BLOCK];
            block.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            self.block(&block, text, &mut room);
            self.seen = text.len();
        }
    }

    /// Forgets the first tokens, and that the text had so many bytes before what it has now.
    pub(super) fn shift(&mut self, tokens: usize, bytes: usize) {
        self.all.drain(..tokens);
        self.seen -= bytes;
        for token in &mut self.all {
            token.0 -= u32::try_from(bytes).unwrap_or_default();
        }
    }

    fn block(&mut self, block: &[u8; BLOCK], text: &[u8], room: &mut [Token; BLOCK]) {
        let sets = Sets::of(block);
        let (escaped, wrong) = if sets.backslashes == 0 {
            (std::mem::take(&mut self.escaped), 0)
        } else {
            self.escapes(sets.backslashes, text)
        };
        let quotes = sets.quotes & !escaped;
        // A quote turns inside to outside and back, for all bytes behind it.
        let inside = turned(quotes) ^ self.inside;
        self.inside = 0_u64.wrapping_sub(inside >> 63);
        let opening = quotes & inside;
        let outside = !(inside | quotes);
        let blank = if sets.control & outside == 0 { sets.spaces } else { blanks(block) };
        let plain = outside & !(sets.structure | blank);
        let first = plain & !(plain << 1 | self.goes_on);
        self.goes_on = plain >> 63;
        let mut starts = (sets.structure & outside) | opening | first | (sets.control & inside) | wrong;

        let base = u32::try_from(self.seen).unwrap_or_default();
        let mut count = 0;
        for token in room.iter_mut() {
            if starts == 0 {
                break;
            }
            *token = Token(base + starts.trailing_zeros());
            starts &= starts.wrapping_sub(1);
            count += 1;
        }
        self.all.extend_from_slice(room.get(..count).unwrap_or_default());
        let mut rest = escaped;
        while rest != 0 {
            let at = base + rest.trailing_zeros();
            rest &= rest.wrapping_sub(1);
            if let Some(text) = self.all.iter_mut().rev().find(|token| (token.0 & !ESCAPED) < at) {
                text.0 |= ESCAPED;
            }
        }
    }

    /// Which bytes are escaped, and which backslashes begin no escape that JSON has.
    #[cold]
    fn escapes(&mut self, backslashes: u64, text: &[u8]) -> (u64, u64) {
        let (mut escaped, mut wrong) = (self.escaped, 0);
        self.escaped = 0;
        let mut rest = backslashes & !escaped;
        while rest != 0 {
            let at = rest.trailing_zeros();
            let bit = 1 << at;
            let behind = text.get(self.seen + at as usize + 1..).unwrap_or_default();
            if !is_escape(behind) {
                wrong |= bit;
            }
            escaped |= bit << 1;
            self.escaped = bit >> 63;
            rest &= !(bit | bit << 1);
        }
        (escaped, wrong)
    }
}

impl Sets {
    fn of(block: &[u8; BLOCK]) -> Self {
        let mut sets = Self::default();
        let (lanes, _) = block.as_chunks::<16>();
        for (n, lane) in lanes.iter().enumerate() {
            let bytes = u8x16::new(*lane);
            let is = |byte: u8| bytes.simd_eq(u8x16::splat(byte));
            // `[` and `{` differ in one bit, and so do `]` and `}`.
            let folded = bytes | u8x16::splat(0x20);
            let folded_is = |byte: u8| folded.simd_eq(u8x16::splat(byte));
            let structure = folded_is(b'{') | folded_is(b'}') | is(b':') | is(b',');
            let control = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
            let bits = |set: u8x16| u64::from(set.to_bitmask()) << (n * 16);
            sets.quotes |= bits(is(b'"'));
            sets.backslashes |= bits(is(b'\\'));
            sets.structure |= bits(structure);
            sets.control |= bits(control);
            sets.spaces |= bits(is(b' '));
        }
        sets
    }
}

/// The white space that JSON has.
fn blanks(block: &[u8; BLOCK]) -> u64 {
    let mut found = 0;
    let (lanes, _) = block.as_chunks::<16>();
    for (n, lane) in lanes.iter().enumerate() {
        let bytes = u8x16::new(*lane);
        let is = |byte: u8| bytes.simd_eq(u8x16::splat(byte));
        let blank = is(b' ') | is(b'\n') | is(b'\r') | is(b'\t');
        found |= u64::from(blank.to_bitmask()) << (n * 16);
    }
    found
}

/// Each bit is the parity of the bits up to it.
fn turned(bits: u64) -> u64 {
    [1, 2, 4, 8, 16, 32].iter().fold(bits, |bits, by| bits ^ bits << by)
}

/// Whether an escape goes on with these bytes, as far as there are any.
fn is_escape(behind: &[u8]) -> bool {
    match behind.split_first() {
        Some((b'u', digits)) => digits.iter().take(4).all(u8::is_ascii_hexdigit),
        Some((next, _)) => br#""\/bfnrt"#.contains(next),
        None => true,
    }
}
