//! A mantissa and an exponent, rounded as Go's `math/big` rounds them.

use num_bigint::{BigInt, BigUint};
use num_traits::{One, Signed, Zero};

use super::LARGEST_EXPONENT;

/// `mantissa × 2^exponent`; the mantissa is odd, or zero.
#[derive(Clone, Debug)]
pub(super) struct Big {
    pub(super) mantissa: BigInt,
    pub(super) exponent: i64,
    /// Bits to which the mantissa was rounded.
    pub(super) precision: u64,
}

impl Big {
    /// `mantissa × 2^exponent` rounded to the precision; `rest` says whether something smaller than the last bit
    /// was cut off before.
    pub(super) fn rounded(mantissa: BigInt, exponent: i64, rest: bool, precision: u64) -> Self {
        let (sign, mut bits) = mantissa.into_parts();
        let mut exponent = exponent;
        let excess = bits.bits().saturating_sub(precision);
        if excess > 0 {
            let half = bits.bit(excess - 1);
            let below = rest || bits.trailing_zeros().is_some_and(|zeros| zeros < excess - 1);
            bits >>= excess;
            exponent += i64::try_from(excess).unwrap_or(i64::MAX);
            if half && (below || bits.bit(0)) {
                bits += BigUint::one();
            }
        }
        let zeros = bits.trailing_zeros().unwrap_or(0);
        bits >>= zeros;
        let exponent = if bits.is_zero() { 0 } else { exponent + i64::try_from(zeros).unwrap_or(i64::MAX) };
        Self { mantissa: BigInt::from_biguint(sign, bits), exponent, precision }
    }

    /// The quotient of two whole numbers.
    pub(super) fn quotient(dividend: &BigInt, divisor: &BigInt, precision: u64) -> Self {
        let shift = (precision + 2 + divisor.bits()).saturating_sub(dividend.bits());
        let (quotient, rest) = num_integer::Integer::div_rem(&(dividend.abs() << shift), &divisor.abs());
        // The bit below the last one stands for whatever is left.
        let sticky: BigInt = (quotient << 1) + i32::from(!rest.is_zero());
        let sign = if dividend.is_negative() == divisor.is_negative() { 1 } else { -1 };
        Self::rounded(sticky * sign, -i64::try_from(shift).unwrap_or(i64::MAX) - 1, false, precision)
    }

    /// Both mantissas at the smaller of the exponents.
    pub(super) fn aligned(&self, other: &Self) -> (BigInt, BigInt, i64) {
        let exponent = self.exponent.min(other.exponent);
        let at = |big: &Self| &big.mantissa << u64::try_from(big.exponent - exponent).unwrap_or(0);
        (at(self), at(other), exponent)
    }

    pub(super) fn is_in_range(&self) -> bool {
        self.exponent.abs() <= LARGEST_EXPONENT * 4
    }

    /// The whole part, towards zero, where it is not absurdly large.
    pub(super) fn truncated(&self) -> BigInt {
        match u64::try_from(self.exponent) {
            Ok(shift) => &self.mantissa << shift,
            Err(_) => {
                let (sign, bits) = self.mantissa.clone().into_parts();
                BigInt::from_biguint(sign, bits >> self.exponent.unsigned_abs())
            }
        }
    }
}
