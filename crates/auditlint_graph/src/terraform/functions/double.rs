//! Powers and logarithms of doubles, to the last digit as Go computes them: Terraform computes with these.
//!
//! Source: Go's `math.Pow`, `math.Log` and `math.Exp`.

/// A power as Go computes it: by squares of the fraction, with the exponent of two apart.
pub(super) fn power(base: f64, exponent: f64) -> f64 {
    let is_plain =
        base != 0.0 && base.is_finite() && exponent.is_finite() && exponent.abs() < f64::from(1 << 30);
    let (mut whole, mut fraction) = (exponent.abs().trunc(), exponent.abs().fract());
    if !is_plain || exponent.abs() == 0.5 || base < 0.0 && fraction != 0.0 {
        return if exponent.abs() == 0.5 { base.sqrt().powf(exponent.signum()) } else { base.powf(exponent) };
    }
    let mut result = 1.0;
    if fraction != 0.0 {
        if fraction > 0.5 {
            (fraction, whole) = (fraction - 1.0, whole + 1.0);
        }
        result = exponential(fraction * logarithm(base));
    }
    // A number that has lost its first digits is made larger, and then smaller again.
    let smaller = if base.is_subnormal() { 54 } else { 0 };
    let (mut factor, mut twos) = halves(base * 2_f64.powi(smaller));
    twos -= i64::from(smaller);
    let mut result_twos = 0_i64;
    #[expect(clippy::cast_possible_truncation, reason = "whole and bounded just above")]
    let mut left = whole as i64;
    while left != 0 && twos.abs() < 1 << 12 {
        if left & 1 == 1 {
            result *= factor;
            result_twos += twos;
        }
        (factor, twos) = (factor * factor, twos << 1);
        if factor.abs() < 0.5 {
            (factor, twos) = (factor + factor, twos - 1);
        }
        left >>= 1;
    }
    if left != 0 {
        return base.powf(exponent);
    }
    if exponent < 0.0 {
        (result, result_twos) = (1.0 / result, -result_twos);
    }
    // In two steps, so that neither power of two is out of range.
    let half = i32::try_from(result_twos / 2).unwrap_or(0);
    let rest = i32::try_from(result_twos - result_twos / 2).unwrap_or(0);
    result * 2_f64.powi(half) * 2_f64.powi(rest)
}

/// A normal number as a fraction from a half up to one, and the exponent of two.
fn halves(number: f64) -> (f64, i64) {
    let bits = number.to_bits();
    let exponent = i64::try_from(bits >> 52 & 0x7FF).unwrap_or(0) - 1022;
    (f64::from_bits(bits & !(0x7FF << 52) | 1022 << 52), exponent)
}

/// The natural logarithm as Go computes it on x86: by the polynomial of FreeBSD's `e_log.c`, and as if there were no
/// numbers below the normal ones.
#[expect(clippy::excessive_precision, reason = "the coefficients are written as their source has them")]
pub(super) fn logarithm(number: f64) -> f64 {
    if !(number > 0.0 && number.is_finite()) {
        return number.ln();
    }
    const LN2_HIGH: f64 = 6.931_471_803_691_238_164_90e-01;
    const LN2_LOW: f64 = 1.908_214_929_270_587_700_02e-10;
    const COEFFICIENTS: [f64; 7] = [
        6.666_666_666_666_735_130e-01,
        3.999_999_999_940_941_908e-01,
        2.857_142_874_366_239_149e-01,
        2.222_219_843_214_978_396e-01,
        1.818_357_216_161_805_012e-01,
        1.531_383_769_920_937_332e-01,
        1.479_819_860_511_658_591e-01,
    ];
    // The fraction lies between √½ and √2.
    let (fraction, exponent) = halves(number);
    let (fraction, exponent) = if fraction < std::f64::consts::FRAC_1_SQRT_2 {
        (fraction * 2.0, exponent - 1)
    } else {
        (fraction, exponent)
    };
    #[expect(clippy::cast_precision_loss, reason = "an exponent has eleven bits")]
    let exponent = exponent as f64;
    let f = fraction - 1.0;
    let s = f / (2.0 + f);
    let (s2, s4) = (s * s, s * s * (s * s));
    let [l1, l2, l3, l4, l5, l6, l7] = COEFFICIENTS;
    let odd = s2 * (l1 + s4 * (l3 + s4 * (l5 + s4 * l7)));
    let even = s4 * (l2 + s4 * (l4 + s4 * l6));
    let half = 0.5 * f * f;
    exponent * LN2_HIGH - ((half - (s * (half + odd + even) + exponent * LN2_LOW)) - f)
}

/// The exponential as Go computes it on x86 with fused multiplications, for an exponent far from any overflow: by a
/// polynomial for a sixteenth of it, which is squared four times.
fn exponential(exponent: f64) -> f64 {
    /// The first half of the digits of the logarithm of two, and the second.
    #[expect(clippy::excessive_precision, reason = "the digits are written as their source has them")]
    const LN2: [f64; 2] = [
        0.693_147_180_559_662_956_511_601_805_686_950_683_593_75,
        2.823_529_056_303_157_712_258_844_817_501e-13,
    ];
    const COEFFICIENTS: [f64; 8] =
        [1.0 / 40_320.0, 1.0 / 5_040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0];
    let twos = (exponent * std::f64::consts::LOG2_E).round_ties_even();
    let rest = LN2.iter().fold(exponent, |rest, part| (-part).mul_add(twos, rest)) / 16.0;
    let polynomial = COEFFICIENTS.iter().copied().reduce(|sum, next| sum.mul_add(rest, next)).unwrap_or(1.0);
    // The exponential less one, of twice, four times and eight times the rest.
    let eighth = (0..3).fold(rest * polynomial, |less_one, _| less_one * (less_one + 2.0));
    #[expect(clippy::cast_possible_truncation, reason = "a whole number that is small")]
    let twos = twos as i32;
    eighth.mul_add(eighth + 2.0, 1.0) * 2_f64.powi(twos)
}
