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
        while self.extend_by_block(text, is_end, &mut room) {}
    }

    /// Looks at the next block only; false where it waits for what follows.
    fn extend_by_block(&mut self, text: &[u8], is_end: bool, room: &mut [Token; BLOCK]) -> bool {
        let rest = text.get(self.seen..).unwrap_or_default();
        if let Some((block, behind)) = rest.split_first_chunk()
            && (is_end || behind.len() >= ESCAPE)
        {
            self.block(block, text, room);
            self.seen += BLOCK;
            return true;
        }
        if is_end && !rest.is_empty() {
            let mut block = [b' '; BLOCK];
            block.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            self.block(&block, text, room);
            self.seen = text.len();
            return true;
        }
        false
    }

    /// Passes the bytes that were not seen yet, by their brackets alone, until the `depth` containers around them
    /// are closed: the tokens are those behind. False where the bytes end before, with `depth` for what follows.
    pub(super) fn close(&mut self, text: &[u8], is_end: bool, depth: &mut usize) -> bool {
        let mut room = [Token(0); BLOCK];
        loop {
            while let Some((block, behind)) = text.get(self.seen..).and_then(<[u8]>::split_first_chunk)
                && behind.len() >= ESCAPE
            {
                let [quotes, backslashes, opening, closing] = brackets(block);
                let before = self.escaped;
                let (escaped, _) = self.escapes(backslashes, text);
                let inside = turned(quotes & !escaped) ^ self.inside;
                let closed = (closing & !inside).count_ones() as usize;
                if closed >= *depth {
                    self.escaped = before;
                    break;
                }
                *depth = *depth + (opening & !inside).count_ones() as usize - closed;
                self.inside = all_as_last(inside);
                self.goes_on = 0;
                self.seen += BLOCK;
            }
            self.all.clear();
            if !self.extend_by_block(text, is_end, &mut room) {
                return false;
            }
            for (at, token) in self.all.iter().enumerate() {
                match text.get(token.at()) {
                    Some(b'{' | b'[') => *depth += 1,
                    Some(b'}' | b']') => *depth -= 1,
                    _ => {}
                }
                if *depth == 0 {
                    self.all.drain(..=at);
                    return true;
                }
            }
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
        let (escaped, wrong) = self.escapes(sets.backslashes, text);
        let quotes = sets.quotes & !escaped;
        // A quote turns inside to outside and back, for all bytes behind it.
        let inside = turned(quotes) ^ self.inside;
        self.inside = all_as_last(inside);
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
    fn escapes(&mut self, backslashes: u64, text: &[u8]) -> (u64, u64) {
        if backslashes == 0 {
            return (std::mem::take(&mut self.escaped), 0);
        }
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
        let [quotes, backslashes, structure, control, spaces] = sets(block, |bytes| {
            let structure = folded(bytes, b'{') | folded(bytes, b'}') | is(bytes, b':') | is(bytes, b',');
            let control = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
            [is(bytes, b'"'), is(bytes, b'\\'), structure, control, is(bytes, b' ')]
        });
        Self { quotes, backslashes, structure, control, spaces }
    }
}

/// The quotes, the backslashes, and the brackets that open and close.
fn brackets(block: &[u8; BLOCK]) -> [u64; 4] {
    sets(block, |bytes| [is(bytes, b'"'), is(bytes, b'\\'), folded(bytes, b'{'), folded(bytes, b'}')])
}

/// The white space that JSON has.
fn blanks(block: &[u8; BLOCK]) -> u64 {
    let [blanks] =
        sets(block, |bytes| [is(bytes, b' ') | is(bytes, b'\n') | is(bytes, b'\r') | is(bytes, b'\t')]);
    blanks
}

/// Sets of bytes in a block, each told apart by `of` among sixteen of them.
fn sets<const N: usize>(block: &[u8; BLOCK], of: impl Fn(u8x16) -> [u8x16; N]) -> [u64; N] {
    let mut out = [0; N];
    let (lanes, _) = block.as_chunks::<16>();
    for (n, lane) in lanes.iter().enumerate() {
        for (set, found) in out.iter_mut().zip(of(u8x16::new(*lane))) {
            *set |= u64::from(found.to_bitmask()) << (n * 16);
        }
    }
    out
}

fn is(bytes: u8x16, byte: u8) -> u8x16 {
    bytes.simd_eq(u8x16::splat(byte))
}

/// Like [`is`], for a bracket of either kind: `[` and `{` differ in one bit, and so do `]` and `}`.
fn folded(bytes: u8x16, byte: u8) -> u8x16 {
    is(bytes | u8x16::splat(0x20), byte)
}

/// As many bits as there are, each like the last of `bits`.
fn all_as_last(bits: u64) -> u64 {
    0_u64.wrapping_sub(bits >> 63)
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
