//! Where the tokens of a JSON text begin. Sixty-four bytes are looked at together, each set of bytes as the bits of
//! one number, so that a text's inside is passed over without a look at any single byte of it.

use fearless_simd::{Level, Simd, SimdBase, SimdMask, dispatch, u8x64};

const BLOCK: usize = 64;
/// Bytes of the longest escape, `\u` and four digits.
const ESCAPE: usize = 6;
/// Marks the beginning of a text that holds an escape. No offset is that large.
const ESCAPED: u32 = 1 << 31;
/// Every other bit, without the lowest.
const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
/// How many blocks are looked at together: what is passed over by its brackets is not worth more.
const AHEAD: usize = 4;
/// How many tokens are written without a look at how many there are.
const ROUND: usize = 8;
/// The tokens of the blocks, the one that was passed last, and the end of a round.
const ROOM: usize = AHEAD * BLOCK + 1 + ROUND;

/// The tokens of a text, found a few blocks ahead of whoever takes them: its brackets, colons and commas, and the first
/// byte of each text, number and word. What no JSON has (a control character, an unknown escape) is a token of its
/// own, which no grammar takes.
#[derive(Debug)]
pub(super) struct Tokens {
    /// The instructions that the machine has.
    level: Level,
    /// Those at `next..found` are ahead. The one before `next` was passed last, and stays.
    room: [Token; ROOM],
    next: usize,
    found: usize,
    /// Bytes that were looked at.
    seen: usize,
    /// Every bit is set where the next byte lies inside of a text.
    inside: u64,
    /// The lowest bit is set where the next byte is escaped.
    escaped: u64,
    /// The lowest bit is set where the next byte goes on with a number or word.
    goes_on: u64,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            level: Level::new(),
            room: [Token(0); ROOM],
            next: 0,
            found: 0,
            seen: 0,
            inside: 0,
            escaped: 0,
            goes_on: 0,
        }
    }
}

/// One token, by its offset.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token(u32);

impl Token {
    pub(super) fn at(self) -> usize {
        (self.0 & !ESCAPED) as usize
    }

    /// Whether it is a text with an escape; known as soon as the token behind it is.
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
    /// The next token of a text of at most 2 GB that lies in memory; none at its end, or where more of it must be
    /// read first. A few bytes at the end wait for what follows, unless it `is_end`.
    pub(super) fn peek(&mut self, text: &[u8], is_end: bool) -> Option<Token> {
        if self.next == self.found {
            dispatch!(self.level, simd => self.refill(simd, text, is_end));
        }
        if self.next == self.found {
            return None;
        }
        self.room.get(self.next).copied()
    }

    /// Passes the token that was seen.
    pub(super) fn pass(&mut self) {
        self.next += 1;
    }

    /// The token that was passed last.
    pub(super) fn passed(&self) -> Option<Token> {
        self.room.get(self.next.checked_sub(1)?).copied()
    }

    /// The offset of the next token, or of what was not looked at.
    pub(super) fn start(&self) -> usize {
        match self.room.get(self.next) {
            Some(token) if self.next < self.found => token.at(),
            _ => self.seen,
        }
    }

    /// Begins anew at the token at `start`.
    pub(super) fn restart(&mut self, start: usize) {
        (self.next, self.found, self.seen) = (0, 0, start);
        (self.inside, self.escaped, self.goes_on) = (0, 0, 0);
    }

    /// Forgets so many bytes, all of them before the next token.
    pub(super) fn shift(&mut self, bytes: usize) {
        self.room.copy_within(self.next..self.found, 0);
        (self.next, self.found, self.seen) = (0, self.found - self.next, self.seen - bytes);
        for token in self.room.iter_mut().take(self.found) {
            token.0 -= u32::try_from(bytes).unwrap_or_default();
        }
    }

    /// Passes everything until the `depth` containers around the next token are closed, by the brackets alone. False
    /// where the bytes end before, with `depth` for what follows.
    pub(super) fn close(&mut self, text: &[u8], is_end: bool, depth: &mut usize) -> bool {
        loop {
            while let Some(token) = self.room.get(self.next).filter(|_| self.next < self.found) {
                self.next += 1;
                match text.get(token.at()) {
                    Some(b'{' | b'[') => *depth += 1,
                    Some(b'}' | b']') => *depth -= 1,
                    _ => {}
                }
                if *depth == 0 {
                    return true;
                }
            }
            if !dispatch!(self.level, simd => self.refill_where_closed(simd, text, is_end, depth)) {
                return false;
            }
        }
    }

    /// Finds the tokens of the block in which the last of the `depth` containers may be closed, and passes those
    /// before; false where the bytes end first.
    #[inline(always)]
    fn refill_where_closed<S: Simd>(
        &mut self,
        simd: S,
        text: &[u8],
        is_end: bool,
        depth: &mut usize,
    ) -> bool {
        while let Some((block, behind)) = text.get(self.seen..).and_then(<[u8]>::split_first_chunk)
            && behind.len() >= ESCAPE
        {
            let [quotes, backslashes, opening, closing] = brackets(simd, block);
            let before = self.escaped;
            let (escaped, _) = self.escapes(backslashes);
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
        (self.next, self.found) = (0, 0);
        self.extend(simd, text, is_end)
    }

    /// Finds tokens once all are passed.
    #[inline(always)]
    fn refill<S: Simd>(&mut self, simd: S, text: &[u8], is_end: bool) {
        // The last one may be a text that is still open, of which escapes are to be noted.
        let kept = self.passed();
        (self.next, self.found) = (0, 0);
        if let (Some(kept), Some(first)) = (kept, self.room.first_mut()) {
            *first = kept;
            (self.next, self.found) = (1, 1);
        }
        let mut blocks = 0;
        while (blocks < AHEAD || self.next == self.found) && self.extend(simd, text, is_end) {
            blocks += 1;
        }
    }

    /// Looks at the next block; false where it waits for what follows.
    #[inline(always)]
    fn extend<S: Simd>(&mut self, simd: S, text: &[u8], is_end: bool) -> bool {
        let rest = text.get(self.seen..).unwrap_or_default();
        if let Some((block, behind)) = rest.split_first_chunk()
            && (is_end || behind.len() >= ESCAPE)
        {
            self.block(simd, block, text);
            self.seen += BLOCK;
            return true;
        }
        if is_end && !rest.is_empty() {
            let mut block = [b' '; BLOCK];
            block.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            self.block(simd, &block, text);
            self.seen = text.len();
            return true;
        }
        false
    }

    #[inline(always)]
    fn block<S: Simd>(&mut self, simd: S, block: &[u8; BLOCK], text: &[u8]) {
        let sets = Sets::of(simd, block);
        let (escaped, escaping) = self.escapes(sets.backslashes);
        let wrong = if escaping == 0 { 0 } else { self.wrong(escaping, text) };
        let quotes = sets.quotes & !escaped;
        // A quote turns inside to outside and back, for all bytes behind it.
        let inside = turned(quotes) ^ self.inside;
        self.inside = all_as_last(inside);
        let opening = quotes & inside;
        let outside = !(inside | quotes);
        let blank = if sets.control & outside == 0 { sets.spaces } else { blanks(simd, block) };
        let plain = outside & !(sets.structure | blank);
        let first = plain & !(plain << 1 | self.goes_on);
        self.goes_on = plain >> 63;
        self.put((sets.structure & outside) | opening | first | (sets.control & inside) | wrong);
        if escaped != 0 {
            self.mark(escaped);
        }
    }

    /// Puts the tokens of a block behind the others.
    #[inline(always)]
    fn put(&mut self, mut starts: u64) {
        let base = u32::try_from(self.seen).unwrap_or_default();
        let count = starts.count_ones() as usize;
        let (free, _) = self.room.get_mut(self.found..).unwrap_or_default().as_chunks_mut::<ROUND>();
        // Whole rounds without a branch in them: what is written behind the last token is nothing.
        for round in free.iter_mut().take(count.div_ceil(ROUND)) {
            for token in round {
                *token = Token(base + starts.trailing_zeros());
                starts &= starts.wrapping_sub(1);
            }
        }
        self.found += count;
    }

    /// Notes the escapes of a block in the texts that they stand in.
    #[cold]
    fn mark(&mut self, mut escaped: u64) {
        let base = u32::try_from(self.seen).unwrap_or_default();
        while escaped != 0 {
            let at = base + escaped.trailing_zeros();
            escaped &= escaped.wrapping_sub(1);
            let known = self.room.get_mut(..self.found).unwrap_or_default();
            if let Some(text) = known.iter_mut().rev().find(|token| (token.0 & !ESCAPED) < at) {
                text.0 |= ESCAPED;
            }
        }
    }

    /// Which bytes are escaped, and which backslashes escape them.
    #[inline(always)]
    fn escapes(&mut self, backslashes: u64) -> (u64, u64) {
        if backslashes == 0 {
            return (std::mem::take(&mut self.escaped), 0);
        }
        // In a row of backslashes every other one escapes, from the first on that is not escaped itself: a subtraction
        // carries that through the row, whether it begins at an even byte or at an odd one.
        let first = backslashes & !self.escaped;
        let turns = ((first << 1) | ODD).wrapping_sub(first) ^ ODD;
        let escaped = turns ^ (backslashes | self.escaped);
        let escaping = turns & backslashes;
        self.escaped = escaping >> 63;
        (escaped, escaping)
    }

    /// Which of those backslashes begin no escape that JSON has.
    #[cold]
    fn wrong(&self, mut escaping: u64, text: &[u8]) -> u64 {
        let mut wrong = 0;
        while escaping != 0 {
            let at = escaping.trailing_zeros();
            escaping &= escaping.wrapping_sub(1);
            if !is_escape(text.get(self.seen + at as usize + 1..).unwrap_or_default()) {
                wrong |= 1 << at;
            }
        }
        wrong
    }
}

impl Sets {
    #[inline(always)]
    fn of<S: Simd>(simd: S, block: &[u8; BLOCK]) -> Self {
        let bytes = u8x64::from_slice(simd, block);
        // A bracket of either kind: `[` and `{` differ in one bit, and so do `]` and `}`.
        let folded = bytes | 0x20;
        let brackets = folded.simd_eq(b'{') | folded.simd_eq(b'}');
        Self {
            quotes: bytes.simd_eq(b'"').to_bitmask(),
            backslashes: bytes.simd_eq(b'\\').to_bitmask(),
            structure: (brackets | bytes.simd_eq(b':') | bytes.simd_eq(b',')).to_bitmask(),
            control: bytes.simd_lt(b' ').to_bitmask(),
            spaces: bytes.simd_eq(b' ').to_bitmask(),
        }
    }
}

/// The quotes, the backslashes, and the brackets that open and close.
#[inline(always)]
fn brackets<S: Simd>(simd: S, block: &[u8; BLOCK]) -> [u64; 4] {
    let bytes = u8x64::from_slice(simd, block);
    let folded = bytes | 0x20;
    [bytes.simd_eq(b'"'), bytes.simd_eq(b'\\'), folded.simd_eq(b'{'), folded.simd_eq(b'}')]
        .map(|set| set.to_bitmask())
}

/// The white space that JSON has.
#[inline(always)]
fn blanks<S: Simd>(simd: S, block: &[u8; BLOCK]) -> u64 {
    let bytes = u8x64::from_slice(simd, block);
    let lines = bytes.simd_eq(b'\n') | bytes.simd_eq(b'\r');
    (lines | bytes.simd_eq(b' ') | bytes.simd_eq(b'\t')).to_bitmask()
}

/// As many bits as there are, each like the last of `bits`.
#[inline(always)]
fn all_as_last(bits: u64) -> u64 {
    0_u64.wrapping_sub(bits >> 63)
}

/// Each bit is the parity of the bits up to it.
#[inline(always)]
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
