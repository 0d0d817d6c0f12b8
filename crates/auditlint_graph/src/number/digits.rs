//! The digits of a number: the shortest decimal that is this number and no other at its precision.
//!
//! Source: `Text('f', -1)` of Go's `math/big`, with which Terraform writes numbers.

use std::fmt;

use num_bigint::{BigUint, Sign};
use num_traits::One;

use super::{Number, Repr};

/// The shortest decimal that is this number and no other at the precision, without an exponent.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let big = match &self.0 {
            Repr::Whole(whole) | Repr::Count(whole) => return write!(f, "{whole}"),
            Repr::MinusZero => return f.write_str("-0"),
            Repr::Big(big) => big,
        };
        let (sign, bits) = big.mantissa.clone().into_parts();
        if sign == Sign::Minus {
            f.write_str("-")?;
        }
        // With one bit more than the precision the last bit is half of the distance to the next number.
        let shift = (big.precision + 1).saturating_sub(bits.bits());
        let middle = bits << shift;
        let exponent = big.exponent - i64::try_from(shift).unwrap_or(0);
        let one = BigUint::one();
        let (low, high) = (Decimal::new(&middle - &one, exponent), Decimal::new(&middle + &one, exponent));
        let even = !middle.bit(1);
        let shortest = Decimal::new(middle, exponent).shortest(&low, &high, even);
        f.write_str(&shortest.to_string())
    }
}

/// `0.d₁d₂d₃… × 10^point`
struct Decimal {
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    /// `mantissa × 2^exponent`, exactly: a power of two is a power of ten over a power of five.
    fn new(mantissa: BigUint, exponent: i64) -> Self {
        let (whole, shift) = match u32::try_from(exponent) {
            Ok(up) => (mantissa << up, 0),
            Err(_) => {
                let down = u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX);
                (mantissa * BigUint::from(5_u8).pow(down), i64::from(down))
            }
        };
        let mut digits = whole.to_radix_be(10);
        let point = i64::try_from(digits.len()).unwrap_or(i64::MAX) - shift;
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Self { digits, point }
    }

    /// The digit `places` after the point of `self`, whose own first digit may stand elsewhere.
    fn digit(&self, at: usize, point: i64) -> u8 {
        let own = i64::try_from(at).unwrap_or(i64::MAX) + self.point - point;
        usize::try_from(own).ok().and_then(|own| self.digits.get(own)).copied().unwrap_or(0)
    }

    /// The shortest decimal between `low` and `high`, which lie as far below and above; the bounds themselves
    /// count where `inclusive`.
    fn shortest(self, low: &Self, high: &Self, inclusive: bool) -> Self {
        let point = self.point.max(high.point);
        let length = usize::try_from(point - self.point).unwrap_or(0) + self.digits.len();
        let ends = |bound: &Self, at: usize| {
            usize::try_from(i64::try_from(at + 1).unwrap_or(0) + bound.point - point)
                .is_ok_and(|own| own >= bound.digits.len())
        };
        for at in 0..length {
            let (l, m, h) = (low.digit(at, point), self.digit(at, point), high.digit(at, point));
            let down = l != m || inclusive && ends(low, at);
            let up = m != h && (inclusive || m + 1 < h || !ends(high, at));
            let cut = |round_up: bool| {
                let digits: Vec<u8> = (0..=at).map(|at| self.digit(at, point)).collect();
                let mut whole = BigUint::from_radix_be(&digits, 10).unwrap_or_default();
                if round_up {
                    whole += BigUint::one();
                }
                let mut digits = whole.to_radix_be(10);
                let point =
                    point + i64::try_from(digits.len()).unwrap_or(0) - i64::try_from(at + 1).unwrap_or(0);
                while digits.last() == Some(&0) {
                    digits.pop();
                }
                Self { digits, point }
            };
            match (down, up) {
                (true, true) => {
                    let next = self.digit(at + 1, point);
                    let exact_half = next == 5 && (at + 2..=length).all(|at| self.digit(at, point) == 0);
                    let up = if exact_half { m % 2 == 1 } else { next >= 5 };
                    return cut(up);
                }
                (true, false) => return cut(false),
                (false, true) => return cut(true),
                (false, false) => {}
            }
        }
        self
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digit = |digit: Option<&u8>| char::from(b'0' + digit.copied().unwrap_or(0));
        if self.point <= 0 {
            f.write_str("0")?;
        }
        for at in 0..usize::try_from(self.point).unwrap_or(0) {
            write!(f, "{}", digit(self.digits.get(at)))?;
        }
        let fraction = self.digits.iter().skip(usize::try_from(self.point).unwrap_or(0));
        if fraction.len() > 0 {
            f.write_str(".")?;
            for _ in self.point..0 {
                f.write_str("0")?;
            }
            fraction.map(|one| digit(Some(one))).try_for_each(|digit| write!(f, "{digit}"))?;
        }
        Ok(())
    }
}
