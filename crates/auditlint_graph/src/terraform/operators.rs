//! Terraform's operators over values that may not be known.

use auditlint_syntax::hcl::{BinaryOp, UnaryOp};

use super::convert::{boolean, number};
use super::types::Type;
use crate::{Cause, CauseKind, Number, Tracked, Unknown, Value};

/// The cause of what a division by zero gives: Terraform has a value for it, which nothing can be made of.
pub(super) const INFINITE: &str = "an infinite number";

/// Whether two values are equal; none when that is not known.
pub(crate) fn equal(a: &Tracked, b: &Tracked) -> Option<bool> {
    // Of what has no elements the types are compared.
    let are_alike = || Type::of(a) == Type::of(b);
    match (a.value(), b.value()) {
        (Value::Unknown(unknown), Value::Null) | (Value::Null, Value::Unknown(unknown))
            if unknown.not_null =>
        {
            Some(false)
        }
        (Value::Unknown(unknown), other) | (other, Value::Unknown(unknown)) => {
            if let (Some(prefix), Some(text)) = (&unknown.prefix, other.as_str())
                && !text.starts_with(prefix.as_str())
            {
                return Some(false);
            }
            if let (Some([low, high]), Some(number)) = (unknown.range, number(other))
                && !(low..=high).contains(&number.to_f64())
            {
                return Some(false);
            }
            let arms = unknown.one_of.as_deref()?;
            let other = if a.unknown().is_some() { b } else { a };
            let mut answers = arms.iter().map(|arm| equal(arm, other));
            let first = answers.next()??;
            answers.all(|answer| answer == Some(first)).then_some(first)
        }
        (Value::Null, Value::Null) => Some(true),
        (Value::Null, _) | (_, Value::Null) => Some(false),
        // Values of different types are never equal, however alike they look.
        (Value::List(_), Value::List(_)) | (Value::Map(_), Value::Map(_)) if a.shape != b.shape => {
            Some(false)
        }
        (Value::List(a), Value::List(b)) => {
            if a.iter().chain(b.iter()).any(|item| item.unknown().is_some_and(|unknown| unknown.many)) {
                return None;
            }
            if a.len() != b.len() {
                return Some(false);
            }
            if a.is_empty() {
                return Some(are_alike());
            }
            all(a.iter().zip(b.iter()).map(|(a, b)| equal(a, b)))
        }
        (Value::Map(a), Value::Map(b)) => {
            if a.len() != b.len() || a.keys().any(|key| !b.contains_key(key)) {
                return Some(false);
            }
            if a.is_empty() {
                return Some(are_alike());
            }
            all(a.iter().map(|(key, item)| b.get(key).and_then(|other| equal(item, other))))
        }
        (Value::Bool(a), Value::Bool(b)) => Some(a == b),
        (Value::Number(a), Value::Number(b)) => Some(a == b),
        (Value::String(a), Value::String(b)) => Some(a == b),
        _ => Some(false),
    }
}

fn all(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for answer in answers {
        match answer {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = false,
        }
    }
    known.then_some(true)
}

/// The result of an operator; none when it is not known (or terraform refuses it).
pub(super) fn binary(operator: BinaryOp, a: &Tracked, b: &Tracked) -> Option<Value> {
    let numbers = || Some((number(a.value())?, number(b.value())?));
    let arithmetic = |apply: fn(&Number, &Number) -> Option<Number>| {
        let (a, b) = numbers()?;
        apply(&a, &b).map(Value::Number)
    };
    let compare = |apply: fn(&Number, &Number) -> bool, within: fn([f64; 2], [f64; 2]) -> Option<bool>| {
        let decided = numbers().map(|(a, b)| apply(&a, &b));
        decided.or_else(|| within(range(a)?, range(b)?)).map(Value::Bool)
    };
    match operator {
        BinaryOp::Equal => equal(a, b).map(Value::Bool),
        BinaryOp::NotEqual => equal(a, b).map(|same| Value::Bool(!same)),
        // Neither side may be anything but a truth value, whatever the other one says.
        BinaryOp::And | BinaryOp::Or
            if [a, b].iter().any(|side| side.unknown().is_none() && boolean(side.value()).is_none()) =>
        {
            None
        }
        BinaryOp::And => match (boolean(a.value()), boolean(b.value())) {
            (Some(false), _) | (_, Some(false)) => Some(Value::Bool(false)),
            (Some(true), Some(true)) => Some(Value::Bool(true)),
            _ => None,
        },
        BinaryOp::Or => match (boolean(a.value()), boolean(b.value())) {
            (Some(true), _) | (_, Some(true)) => Some(Value::Bool(true)),
            (Some(false), Some(false)) => Some(Value::Bool(false)),
            _ => None,
        },
        BinaryOp::Add => arithmetic(Number::plus),
        BinaryOp::Subtract => arithmetic(Number::minus),
        BinaryOp::Multiply => arithmetic(Number::times),
        BinaryOp::Divide if number(b.value()).is_some_and(|divisor| divisor.is_zero()) => {
            let cause =
                Cause { kind: CauseKind::Function, subject: INFINITE.to_owned(), hint: String::new() };
            numbers().map(|_| Value::Unknown(Unknown::because(cause).into()))
        }
        BinaryOp::Divide => arithmetic(Number::divided_by),
        BinaryOp::Modulo => arithmetic(Number::modulo),
        BinaryOp::Less => compare(Number::lt, is_less),
        BinaryOp::LessOrEqual => compare(Number::le, |a, b| is_less(b, a).map(|less| !less)),
        BinaryOp::Greater => compare(Number::gt, |a, b| is_less(b, a)),
        BinaryOp::GreaterOrEqual => compare(Number::ge, |a, b| is_less(a, b).map(|less| !less)),
    }
}

/// The numbers between which a value lies.
fn range(value: &Tracked) -> Option<[f64; 2]> {
    match value.value() {
        Value::Unknown(unknown) => unknown.range,
        known => number(known).map(|number| [number.to_f64(), number.to_f64()]),
    }
}

/// Whether every number of `a` is less than every number of `b`, or none; nothing where it depends on which.
fn is_less([low, high]: [f64; 2], [other_low, other_high]: [f64; 2]) -> Option<bool> {
    if high < other_low {
        Some(true)
    } else if low >= other_high {
        Some(false)
    } else {
        None
    }
}

/// The result of an operator with one operand.
pub(super) fn unary(operator: UnaryOp, a: &Tracked) -> Option<Value> {
    match operator {
        UnaryOp::Negate => number(a.value()).map(|n| Value::Number(n.negated())),
        UnaryOp::Not => boolean(a.value()).map(|value| Value::Bool(!value)),
    }
}
