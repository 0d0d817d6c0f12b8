//! Functions on numbers.

use num_bigint::BigInt;

use super::super::convert::number as as_number;
use super::super::types::Type;
use super::double::{logarithm, power};
use super::{Answer, items_of, list, not_computed, nowhere, num, number_of, text_of};
use crate::{Number, Tracked, Value};

/// Numbers that `range` gives at most, as in Terraform.
const LONGEST_RANGE: usize = 1024;

/// Some answer when `name` is one of these functions.
pub(super) fn call(name: &str, arguments: &[Tracked]) -> Option<Answer> {
    Some(match name {
        "abs" | "ceil" | "floor" | "signum" => one(name, arguments),
        "log" | "pow" => inexact(name, arguments),
        "max" | "min" => extreme(name, arguments),
        "sum" => sum(arguments),
        "range" => range(arguments),
        "parseint" => parse(arguments),
        _ => return None,
    })
}

/// `max` and `min` of what is known only in part: the numbers between which the result lies. A known result
/// where both are the same.
pub(super) fn bounds(name: &str, arguments: &[Tracked]) -> Option<[f64; 2]> {
    let pick = match name {
        "max" => f64::max,
        "min" => f64::min,
        _ => return None,
    };
    let ranges = arguments.iter().map(|argument| match argument.value() {
        Value::Unknown(unknown) => Some(unknown.range.unwrap_or([f64::NEG_INFINITY, f64::INFINITY])),
        known => as_number(known).map(|n| [n.to_f64(), n.to_f64()]),
    });
    let all: Option<Vec<[f64; 2]>> = ranges.collect();
    let [low, high] = all?.into_iter().reduce(|[a, b], [c, d]| [pick(a, c), pick(b, d)])?;
    (low.is_finite() || high.is_finite()).then_some([low, high])
}

fn one(name: &str, arguments: &[Tracked]) -> Answer {
    let number = number_of(arguments.first()?)?;
    num(match name {
        "abs" => number.absolute(),
        "ceil" => number.ceil(),
        "floor" => number.floor(),
        _ if number.to_i64().is_none() => return None,
        _ if number.is_zero() => Number::ZERO,
        _ => Number::whole(if number.is_negative() { -1 } else { 1 }),
    })
}

/// Terraform computes these two with doubles.
fn inexact(name: &str, arguments: &[Tracked]) -> Answer {
    let (a, b) = (number_of(arguments.first()?)?.to_f64(), number_of(arguments.get(1)?)?.to_f64());
    let result = if name == "pow" { power(a, b) } else { logarithm(a) / logarithm(b) };
    // Terraform keeps the double; its shortest decimal is what is seen of it.
    if result.is_infinite() {
        not_computed(super::super::operators::INFINITE)
    } else {
        num(Number::double(result)?)
    }
}

fn extreme(name: &str, arguments: &[Tracked]) -> Answer {
    let numbers: Option<Vec<&Number>> = arguments.iter().map(number_of).collect();
    let numbers = numbers?.into_iter();
    // Of two that are the same the first one counts.
    let pick = |a, b| if if name == "max" { b > a } else { b < a } { b } else { a };
    num(numbers.reduce(pick)?.clone())
}

fn sum(arguments: &[Tracked]) -> Answer {
    let items = items_of(arguments.first()?)?;
    let mut sum = as_number(items.first()?.value())?;
    for item in items.iter().skip(1) {
        sum = sum.plus(&as_number(item.value())?)?;
    }
    num(sum)
}

fn range(arguments: &[Tracked]) -> Answer {
    let numbers: Option<Vec<&Number>> = arguments.iter().map(number_of).collect();
    let (start, end, step) = match numbers?.as_slice() {
        [end] => (Number::ZERO, (*end).clone(), None),
        [start, end] => ((*start).clone(), (*end).clone(), None),
        [start, end, step] => ((*start).clone(), (*end).clone(), Some((*step).clone())),
        _ => return None,
    };
    let down = end < start;
    let step = step.unwrap_or(Number::whole(if down { -1 } else { 1 }));
    if step.is_zero() || step.is_negative() != down && start != end {
        return None;
    }
    let mut out = Vec::new();
    let mut at = start;
    while if down { at > end } else { at < end } {
        if out.len() >= LONGEST_RANGE {
            return None;
        }
        out.push(nowhere(Value::Number(at.clone())));
        at = at.plus(&step)?;
    }
    list(out).map(|list| list.of_kind(&Type::List(Box::new(Type::Number))))
}

fn parse(arguments: &[Tracked]) -> Answer {
    let (text, base) = (text_of(arguments.first()?)?, number_of(arguments.get(1)?)?.to_i64()?);
    let base = u32::try_from(base).ok().filter(|base| (2..=62).contains(base))?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    // Beyond base 36 small letters come before capital ones.
    let digit = |byte: u8| -> Option<u32> {
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            b'A'..=b'Z' if base <= 36 => byte - b'A' + 10,
            b'A'..=b'Z' => byte - b'A' + 36,
            _ => return None,
        };
        Some(u32::from(value)).filter(|value| *value < base)
    };
    if digits.is_empty() || digits.len() > 4096 {
        return None;
    }
    let mut value = BigInt::from(0);
    for byte in digits.bytes() {
        value = value * base + digit(byte)?;
    }
    num(Number::from_integer(if text.starts_with('-') { -value } else { value })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, arguments: &[&str]) -> Option<String> {
        let arguments: Vec<Tracked> = arguments
            .iter()
            .map(|text| nowhere(Number::parse(text).map_or_else(|| Value::text(text), Value::Number)))
            .collect();
        let answer = call(name, &arguments).unwrap()?;
        super::super::as_text(answer.value()).map(|text| text.to_string())
    }

    #[test]
    fn numbers_are_computed_as_terraform_does() {
        assert_eq!(of("pow", &["2", "10"]).as_deref(), Some("1024"));
        assert_eq!(of("signum", &["-5"]).as_deref(), Some("-1"));
        assert_eq!(of("signum", &["-0.5"]), None);
        assert_eq!(of("log", &["16", "3"]).as_deref(), Some("2.52371901428583"));
        assert_eq!(of("max", &["1", "1.5"]).as_deref(), Some("1.5"));
        assert_eq!(of("parseint", &["ff", "16"]).as_deref(), Some("255"));
        assert_eq!(of("parseint", &["12x", "10"]), None);
    }
}
