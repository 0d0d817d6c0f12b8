//! Decimal notations of numbers, as Go's `math/big` writes them: `%e`, `%f` and `%g`.

use num_bigint::{BigInt, BigUint};

use crate::Number;

/// Most halvings of one that a number may count and still be written.
const DEEPEST_FRACTION: u32 = 1 << 17;

/// `0.d₁d₂d₃… × 10^point`, without zeros at the end.
pub(super) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    /// All digits of the binary number; none where they are too many.
    pub(super) fn exact(number: &Number) -> Option<Self> {
        let (mut whole, mut shift) = (number.clone(), 0_u32);
        // Twice the number, four times, 16 times …: the step grows until there is no fraction left.
        let (mut factor, mut step) = (Number::whole(2), 1_u32);
        while !whole.is_whole() {
            if shift > DEEPEST_FRACTION {
                return None;
            }
            whole = whole.times(&factor)?;
            shift += step;
            if step < 4096 {
                factor = factor.times(&factor)?;
                step *= 2;
            }
        }
        let integer: BigInt = whole.to_integer()?;
        // A power of two is a power of ten over a power of five.
        let digits = (integer.magnitude() * BigUint::from(5_u8).pow(shift)).to_radix_be(10);
        let point = i64::try_from(digits.len()).ok()? - i64::from(shift);
        Some(Self { negative: number.is_negative(), digits, point }.trimmed())
    }

    /// The fewest digits that are this number and no other.
    pub(super) fn shortest(number: &Number) -> Option<Self> {
        let text = number.to_string();
        let unsigned = text.strip_prefix('-').unwrap_or(&text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()?;
        let digits = digits.into_iter().skip(zeros).collect();
        Some(Self { negative: number.is_negative(), digits, point }.trimmed())
    }

    fn trimmed(mut self) -> Self {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.point = 0;
        }
        self
    }

    /// Rounds to `count` digits, ties to even.
    fn rounded(mut self, count: i64) -> Self {
        let Ok(count) = usize::try_from(count) else {
            self.digits.clear();
            return self.trimmed();
        };
        let Some(next) = self.digits.get(count).copied() else { return self };
        let is_half = next == 5 && self.digits.len() == count + 1;
        let odd =
            count.checked_sub(1).and_then(|last| self.digits.get(last)).is_some_and(|last| last % 2 == 1);
        let up = if is_half { odd } else { next >= 5 };
        self.digits.truncate(count);
        if up {
            loop {
                match self.digits.pop() {
                    Some(9) => {}
                    Some(digit) => {
                        self.digits.push(digit + 1);
                        break;
                    }
                    None => {
                        self.digits.push(1);
                        self.point += 1;
                        break;
                    }
                }
            }
        }
        self.trimmed()
    }

    fn digit(&self, at: i64) -> char {
        let digit = usize::try_from(at).ok().and_then(|at| self.digits.get(at)).copied().unwrap_or(0);
        char::from(b'0' + digit)
    }

    fn count(&self) -> i64 {
        i64::try_from(self.digits.len()).unwrap_or(i64::MAX)
    }

    /// The sign and the rest of the number with `precision` digits after the point, or in all for `g`; as few as
    /// tell it from others without one. `mode` is one of `e`, `f` and `g`.
    pub(super) fn write(number: &Number, mode: char, precision: Option<i64>) -> Option<(bool, String)> {
        let decimal = match (mode, precision) {
            (_, None) => Self::shortest(number)?,
            ('e', Some(precision)) => Self::exact(number)?.rounded(precision + 1),
            ('f', Some(precision)) => {
                let exact = Self::exact(number)?;
                let count = exact.point + precision;
                exact.rounded(count)
            }
            (_, Some(precision)) => Self::exact(number)?.rounded(precision.max(1)),
        };
        let count = decimal.count();
        let text = match mode {
            'e' => decimal.with_exponent(precision.unwrap_or(count - 1)),
            'f' => decimal.without_exponent(precision.unwrap_or((count - decimal.point).max(0))),
            _ => {
                let places = precision.map_or(count, |precision| precision.max(1));
                let limit = match precision {
                    None => 6,
                    Some(_) if places > count && count >= decimal.point => count,
                    Some(_) => places,
                };
                let exponent = decimal.point - 1;
                if exponent < -4 || exponent >= limit {
                    decimal.with_exponent(places.min(count) - 1)
                } else {
                    let places = if places > decimal.point { count } else { places };
                    decimal.without_exponent((places - decimal.point).max(0))
                }
            }
        };
        Some((decimal.negative, text))
    }

    fn with_exponent(&self, places: i64) -> String {
        let mut out = String::from(self.digit(0));
        if places > 0 {
            out.push('.');
            out.extend((1..=places).map(|at| self.digit(at)));
        }
        let exponent = if self.digits.is_empty() { 0 } else { self.point - 1 };
        let sign = if exponent < 0 { '-' } else { '+' };
        out + &format!("e{sign}{:02}", exponent.abs())
    }

    fn without_exponent(&self, places: i64) -> String {
        let mut out: String = (0..self.point).map(|at| self.digit(at)).collect();
        if out.is_empty() {
            out.push('0');
        }
        if places > 0 {
            out.push('.');
            out.extend((self.point..self.point + places).map(|at| self.digit(at)));
        }
        out
    }
}
