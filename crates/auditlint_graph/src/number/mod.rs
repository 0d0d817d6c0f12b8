//! Numbers as Terraform computes them: binary floating point of 512 bits, rounded to the nearest, ties to even.
//!
//! Whole numbers of a machine word are kept as such; they are nearly all that a configuration holds. Source: cty
//! (`cty.Number` is a `big.Float` that is parsed with 512 bits of precision) and Go's `math/big`.

mod big;
mod digits;

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use big::Big;
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{Signed, ToPrimitive, Zero};

/// Bits of a mantissa.
const PRECISION: u64 = 512;

/// Exponents of ten, and of two, that are followed; a number beyond them is not computed.
const LARGEST_EXPONENT: i64 = 20_000;

/// A number.
#[derive(Clone, Debug)]
pub struct Number(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Whole(i64),
    /// A whole number that a function counted: Terraform keeps it with 64 bits of precision, which shows when two
    /// of them are divided.
    Count(i64),
    /// Zero below zero, which is written `-0`.
    MinusZero,
    /// What is no whole number of a machine word.
    Big(Arc<Big>),
}

impl Number {
    /// Zero.
    pub const ZERO: Self = Self(Repr::Whole(0));

    /// A whole number.
    #[must_use]
    pub const fn whole(number: i64) -> Self {
        Self(Repr::Whole(number))
    }

    /// A count.
    #[must_use]
    pub fn count(number: usize) -> Self {
        Self(Repr::Count(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    /// The number that is written `text` in decimal; none for what is no number, or out of every range.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(whole) = text.parse::<i64>()
            && !text.starts_with(['+', '-'])
        {
            return Some(Self::whole(whole));
        }
        let (negative, unsigned) = match (text.strip_prefix('-'), text.strip_prefix('+')) {
            (Some(rest), _) => (true, rest),
            (None, rest) => (false, rest.unwrap_or(text)),
        };
        let (digits, power) = match unsigned.split_once(['e', 'E']) {
            Some((digits, power)) => (digits, power.parse::<i64>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() && fraction.is_empty()
            || !is_digits(whole)
            || !is_digits(fraction)
            || digits.len() > 20_000
        {
            return None;
        }
        let mantissa = BigUint::parse_bytes(format!("{whole}{fraction}").as_bytes(), 10)?;
        if mantissa.is_zero() {
            return Some(if negative { Self(Repr::MinusZero) } else { Self::ZERO });
        }
        let mantissa = BigInt::from_biguint(if negative { Sign::Minus } else { Sign::Plus }, mantissa);
        let power = power.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        if power.abs() > LARGEST_EXPONENT {
            return mantissa.is_zero().then_some(Self::ZERO);
        }
        let ten = BigInt::from(10).pow(u32::try_from(power.unsigned_abs()).ok()?);
        Self::of(if power >= 0 {
            Big::rounded(mantissa * ten, 0, false, PRECISION)
        } else {
            Big::quotient(&mantissa, &ten, PRECISION)
        })
    }

    /// The number of that double, exactly; none where it is not finite.
    #[must_use]
    pub fn from_f64(number: f64) -> Option<Self> {
        if number == 0.0 && number.is_sign_negative() {
            return Some(Self(Repr::MinusZero));
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole and within the range, so exact")]
        if number.fract() == 0.0 && number.abs() < 9e15 {
            return Some(Self::whole(number as i64));
        }
        if !number.is_finite() {
            return None;
        }
        let bits = number.to_bits();
        let exponent = i64::try_from(bits >> 52 & 0x7FF).ok()?;
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, exponent) =
            if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
        let mantissa = BigInt::from(mantissa) * if number.is_sign_negative() { -1 } else { 1 };
        Self::of(Big::rounded(mantissa, exponent, false, PRECISION))
    }

    /// The number of that double as Terraform keeps the result of a function that computes with doubles: with the
    /// precision of one.
    #[must_use]
    pub fn double(number: f64) -> Option<Self> {
        match Self::from_f64(number)? {
            Self(Repr::Big(big)) => Self::of(Big { precision: 53, ..Big::clone(&big) }),
            whole => Some(whole),
        }
    }

    fn of(big: Big) -> Option<Self> {
        if big.exponent >= 0
            && big.exponent < 64
            && let Some(whole) = big.truncated().to_i64()
        {
            return Some(Self(if big.precision < PRECISION {
                Repr::Count(whole)
            } else {
                Repr::Whole(whole)
            }));
        }
        big.is_in_range().then(|| Self(Repr::Big(Arc::new(big))))
    }

    fn big(&self) -> Big {
        match &self.0 {
            Repr::Whole(whole) | Repr::Count(whole) => {
                Big::rounded(BigInt::from(*whole), 0, false, self.precision())
            }
            Repr::MinusZero => Big { mantissa: BigInt::zero(), exponent: 0, precision: PRECISION },
            Repr::Big(big) => Big::clone(big),
        }
    }

    fn precision(&self) -> u64 {
        match &self.0 {
            Repr::Count(_) => 64,
            Repr::Whole(_) | Repr::MinusZero => PRECISION,
            Repr::Big(big) => big.precision,
        }
    }

    /// The whole number of a machine word that it is.
    fn word(&self) -> Option<i64> {
        match &self.0 {
            Repr::Whole(whole) | Repr::Count(whole) => Some(*whole),
            Repr::MinusZero => Some(0),
            Repr::Big(_) => None,
        }
    }

    /// `whole` as the result of an operation on `self` and `other`.
    fn like(&self, other: &Self, whole: i64) -> Self {
        let counted = matches!((&self.0, &other.0), (Repr::Count(_), Repr::Count(_)));
        Self(if counted { Repr::Count(whole) } else { Repr::Whole(whole) })
    }

    /// The number without its sign.
    #[must_use]
    pub fn absolute(&self) -> Self {
        if self.has_minus() { self.negated() } else { self.clone() }
    }

    /// Whether its sign is that of a number below zero.
    fn has_minus(&self) -> bool {
        matches!(self.0, Repr::MinusZero) || self.is_negative()
    }

    /// The nearest double.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            #[expect(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
            Repr::Whole(whole) | Repr::Count(whole) => *whole as f64,
            Repr::MinusZero => 0.0,
            // The decimal that is shortest at 512 bits lies nearer to the number than any other double.
            Repr::Big(_) => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// The whole number that it is; none where it is none, or larger than a machine word.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        self.word()
    }

    /// Whether it has no fraction.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        match &self.0 {
            Repr::Whole(_) | Repr::Count(_) | Repr::MinusZero => true,
            Repr::Big(big) => big.exponent >= 0,
        }
    }

    /// The whole number that it is, of any size.
    #[must_use]
    pub fn to_integer(&self) -> Option<BigInt> {
        self.is_whole().then(|| self.big().truncated())
    }

    /// The number of that integer, rounded to the precision.
    #[must_use]
    pub fn from_integer(integer: BigInt) -> Option<Self> {
        Self::of(Big::rounded(integer, 0, false, PRECISION))
    }

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Whole(whole) | Repr::Count(whole) => *whole < 0,
            Repr::MinusZero => false,
            Repr::Big(big) => big.mantissa.is_negative(),
        }
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.word() == Some(0)
    }

    /// The sum; none out of range.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Option<Self> {
        if matches!((&self.0, &other.0), (Repr::MinusZero, Repr::MinusZero)) {
            return Some(self.clone());
        }
        if let (Some(a), Some(b)) = (self.word(), other.word())
            && let Some(sum) = a.checked_add(b)
        {
            return Some(self.like(other, sum));
        }
        let (a, b, exponent) = self.big().aligned(&other.big());
        Self::of(Big::rounded(a + b, exponent, false, self.precision().max(other.precision())))
    }

    /// The difference; none out of range.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Option<Self> {
        self.plus(&other.negated())
    }

    /// The product; none out of range.
    #[must_use]
    pub fn times(&self, other: &Self) -> Option<Self> {
        if (self.is_zero() || other.is_zero()) && self.has_minus() != other.has_minus() {
            return Some(Self(Repr::MinusZero));
        }
        if let (Some(a), Some(b)) = (self.word(), other.word())
            && let Some(product) = a.checked_mul(b)
        {
            return Some(self.like(other, product));
        }
        let (a, b) = (self.big(), other.big());
        let product = Big::rounded(a.mantissa * b.mantissa, a.exponent + b.exponent, false, PRECISION);
        // A product keeps as many bits as it needs.
        let precision = self.precision().max(other.precision()).max(product.mantissa.bits());
        Self::of(Big { precision, ..product })
    }

    /// The quotient; none by zero, and out of range.
    #[must_use]
    pub fn divided_by(&self, other: &Self) -> Option<Self> {
        let (a, b) = (self.big(), other.big());
        if b.mantissa.is_zero() {
            return None;
        }
        if self.is_zero() {
            return Some(if self.has_minus() == other.has_minus() {
                Self::ZERO
            } else {
                Self(Repr::MinusZero)
            });
        }
        let precision = self.precision().max(other.precision());
        let quotient = Big::quotient(&a.mantissa, &b.mantissa, precision);
        Self::of(Big { exponent: quotient.exponent + a.exponent - b.exponent, ..quotient })
    }

    /// What is left of a division towards zero; the number itself for a division by zero.
    #[must_use]
    pub fn modulo(&self, other: &Self) -> Option<Self> {
        match self.divided_by(other) {
            Some(quotient) => self.minus(&other.times(&quotient.truncated())?),
            None => Some(self.clone()),
        }
    }

    /// The number with the other sign.
    #[must_use]
    pub fn negated(&self) -> Self {
        match &self.0 {
            Repr::Whole(0) | Repr::Count(0) => Self(Repr::MinusZero),
            Repr::MinusZero => Self::ZERO,
            Repr::Whole(whole) if *whole != i64::MIN => Self::whole(-whole),
            Repr::Count(whole) if *whole != i64::MIN => Self(Repr::Count(-whole)),
            _ => {
                let big = self.big();
                Self::of(Big { mantissa: -big.mantissa, ..big }).unwrap_or(Self::ZERO)
            }
        }
    }

    /// The number without its fraction.
    #[must_use]
    pub fn truncated(&self) -> Self {
        match &self.0 {
            Repr::Whole(_) | Repr::Count(_) => self.clone(),
            Repr::MinusZero => Self::ZERO,
            Repr::Big(big) => {
                Self::of(Big::rounded(big.truncated(), 0, false, PRECISION)).unwrap_or(Self::ZERO)
            }
        }
    }

    /// The largest whole number that is not larger.
    #[must_use]
    pub fn floor(&self) -> Self {
        let whole = self.truncated();
        if self.is_negative() && whole != *self {
            whole.minus(&Self::whole(1)).unwrap_or(whole)
        } else {
            whole
        }
    }

    /// The smallest whole number that is not smaller.
    #[must_use]
    pub fn ceil(&self) -> Self {
        let whole = self.truncated();
        if !self.is_negative() && whole != *self {
            whole.plus(&Self::whole(1)).unwrap_or(whole)
        } else {
            whole
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Repr::Big(a), Repr::Big(b)) => a.mantissa == b.mantissa && a.exponent == b.exponent,
            // What fits into a machine word is never kept as anything larger.
            _ => self.word().is_some() && self.word() == other.word(),
        }
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Repr::Whole(whole) | Repr::Count(whole) => whole.hash(state),
            Repr::MinusZero => 0_i64.hash(state),
            Repr::Big(big) => (&big.mantissa, big.exponent).hash(state),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.word(), other.word()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => {
                let (a, b, _) = self.big().aligned(&other.big());
                a.cmp(&b)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn decimals_are_exact_as_far_as_people_write_them() {
        for text in
            ["0.1", "-12.5", "9007199254740993", "340282366920938463463374607431768211456", "0.000001"]
        {
            assert_eq!(n(text).to_string(), text);
        }
        assert_eq!(n("0.1").plus(&n("0.2")).unwrap().to_string(), "0.3");
        assert_eq!(n("1e3"), Number::whole(1000));
        assert_eq!((n("+1"), n(".5"), n("5.")), (n("1"), n("0.5"), n("5")));
        assert_eq!(Number::double(18_446_744_073_709_551_616.0).unwrap().to_string(), "18446744073709550000");
        assert_eq!(n("1.5e1"), Number::whole(15));
        assert_eq!(n("1e30").to_string(), format!("1{}", "0".repeat(30)));
        assert_eq!(n("9223372036854775807").plus(&n("1")).unwrap().to_string(), "9223372036854775808");
        assert_eq!(n("9223372036854775808").minus(&n("1")).unwrap().to_i64(), Some(i64::MAX));
    }

    /// The digits are those that terraform 1.11 prints.
    #[test]
    fn a_third_has_the_digits_of_512_bits() {
        let third = n("1").divided_by(&n("3")).unwrap().to_string();
        assert!(third.starts_with("0.333333333333333333333333"), "{third}");
        assert_eq!(third.len(), 157, "{third}");
        assert_eq!(n("2").divided_by(&n("4")).unwrap().to_string(), "0.5");
        assert!(n("1").divided_by(&Number::ZERO).is_none());
        let counted = Number::count(1).divided_by(&Number::count(3)).unwrap();
        assert_eq!(counted.to_string(), "0.33333333333333333334");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", ".", "--1", "1e", "0x10", "1_000", "1.2.3", "NaN", "1e999999"] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn whole_parts_and_order() {
        assert_eq!(n("0").negated().to_string(), "-0");
        assert_eq!(n("0").negated(), Number::ZERO);
        assert_eq!(n("-0.5").ceil().to_string(), "0");
        assert_eq!(n("-1.5").floor(), Number::whole(-2));
        assert_eq!(n("-1.5").ceil(), Number::whole(-1));
        assert_eq!(n("1.5").ceil(), Number::whole(2));
        assert_eq!(n("-7").modulo(&n("3")).unwrap(), Number::whole(-1));
        assert!(n("0.1") < n("0.2") && n("-1e30") < Number::ZERO && n("1e30") > Number::whole(i64::MAX));
        assert_eq!(Number::from_f64(0.5), Some(n("0.5")));
        assert_eq!(n("0.1").to_f64(), 0.1);
        assert_eq!(n("1").divided_by(&n("3")).unwrap().to_f64(), 1.0 / 3.0);
    }
}
