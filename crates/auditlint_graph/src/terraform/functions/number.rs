//! Functions on numbers, and conversions to single types.

use super::{Answer, as_number, as_text, int, num, string, truth};
use crate::{Tracked, Value};

pub(super) const NAMES: &[&str] = &[
    "abs", "ceil", "floor", "max", "min", "parseint", "pow", "signum", "tobool", "tonumber", "tostring",
    "log",
];

pub(super) fn call(name: &str, values: &[&Value]) -> Option<Answer> {
    NAMES.contains(&name).then(|| compute(name, values))
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
        known => as_number(known).map(|n| [n, n]),
    });
    let all: Option<Vec<[f64; 2]>> = ranges.collect();
    let [low, high] = all?.into_iter().reduce(|[a, b], [c, d]| [pick(a, c), pick(b, d)])?;
    (low.is_finite() || high.is_finite()).then_some([low, high])
}

fn compute(name: &str, values: &[&Value]) -> Answer {
    let first = values.first()?;
    let all = || values.iter().map(|value| as_number(value)).collect::<Option<Vec<f64>>>();
    match name {
        "tobool" | "tonumber" | "tostring" if matches!(first, Value::Null) => Some(Value::Null),
        "tobool" => truth(first).map(Value::Bool),
        "tonumber" => num(as_number(first)?),
        "tostring" => string(as_text(first)?),
        "abs" => num(as_number(first)?.abs()),
        "ceil" => num(as_number(first)?.ceil()),
        "floor" => num(as_number(first)?.floor()),
        "signum" => num(as_number(first).map(|n| if n == 0.0 { 0.0 } else { n.signum() })?),
        "max" => num(all()?.into_iter().reduce(f64::max)?),
        "min" => num(all()?.into_iter().reduce(f64::min)?),
        "pow" => num(as_number(first)?.powf(as_number(values.get(1)?)?)),
        "log" => num(as_number(first)?.log(as_number(values.get(1)?)?)),
        "parseint" => {
            let base = u32::try_from(int(values.get(1)?)?).ok().filter(|base| (2..=36).contains(base))?;
            #[expect(
                clippy::cast_precision_loss,
                reason = "numbers are doubles here; larger ones are refused"
            )]
            i64::from_str_radix(&as_text(first)?, base)
                .ok()
                .filter(|n| n.abs() < (1 << 53))
                .and_then(|n| num(n as f64))
        }
        _ => None,
    }
}
