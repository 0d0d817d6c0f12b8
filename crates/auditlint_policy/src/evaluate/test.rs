//! Tests of one value. A value that is not known is decided all the same where every alternative agrees.

use auditlint_graph::{Cause, Origin, Tracked, Unknown, Value};

use super::Context;
use crate::Verdict;
use crate::condition::{Operand, Test};

type Answer = (Verdict, Option<Cause>);

fn yes(holds: bool) -> Answer {
    (if holds { Verdict::Pass } else { Verdict::Fail }, None)
}

impl Context<'_> {
    pub(crate) fn test(&self, value: &Tracked, test: &Test, ignore_case: bool) -> Answer {
        if let Test::References(types) = test {
            let refers = value.references().iter().any(|reference| types.contains(&reference.kind));
            return match (refers, value.unknown()) {
                (true, _) => yes(true),
                (false, Some(unknown)) => (Verdict::Unknown, Some(unknown.cause.clone())),
                (false, None) => yes(false),
            };
        }
        if let Some(unknown) = value.unknown() {
            return self.test_unknown(unknown, test, ignore_case);
        }
        let operand = |operand: &Operand| -> Operand { self.operand(operand).clone() };
        let same = |other: &Operand| same(value.value(), &operand(other), ignore_case);
        match test {
            Test::Equals(other) => yes(same(other)),
            Test::NotEquals(other) => yes(!same(other)),
            Test::In(others) => yes(flat(self, others).iter().any(same)),
            Test::NotIn(others) => yes(!flat(self, others).iter().any(same)),
            Test::AtLeast(limit) | Test::AtMost(limit) => match (number(value.value()), operand(limit)) {
                (Some(n), Operand::Number(limit)) => {
                    yes(if matches!(test, Test::AtLeast(_)) { n >= limit } else { n <= limit })
                }
                _ => yes(false),
            },
            Test::Present(wanted) => match value.value() {
                Value::List(items)
                    if !items.is_empty()
                        && items.iter().all(|item| item.unknown().is_some_and(|u| u.many)) =>
                {
                    let cause =
                        items.first().and_then(|item| item.unknown()).map(|unknown| unknown.cause.clone());
                    (Verdict::Unknown, cause)
                }
                other => yes(is_present(other) == *wanted),
            },
            Test::Contains(others) => {
                let all = flat(self, others);
                list(value.value(), |items| {
                    all.iter().map(|other| holds(items, other, ignore_case)).fold(yes(true), and)
                })
            }
            Test::ContainsAny(others) => {
                let all = flat(self, others);
                list(value.value(), |items| {
                    all.iter().map(|other| holds(items, other, ignore_case)).fold(yes(false), or)
                })
            }
            Test::Matches(pattern) => yes(text(value.value()).is_some_and(|text| pattern.is_match(&text))),
            Test::References(_) => yes(false),
        }
    }

    fn test_unknown(&self, unknown: &Unknown, test: &Test, ignore_case: bool) -> Answer {
        let open = || (Verdict::Unknown, Some(unknown.cause.clone()));
        if let Some(arms) = &unknown.one_of {
            let mut verdicts = arms.iter().map(|arm| match arm.value() {
                // A null arm is an attribute that is not set.
                Value::Null => match test {
                    Test::Present(wanted) => yes(!wanted).0,
                    Test::NotEquals(_) | Test::NotIn(_) => Verdict::Pass,
                    _ => Verdict::Fail,
                },
                _ => self.test(arm, test, ignore_case).0,
            });
            let first = verdicts.next().unwrap_or(Verdict::Unknown);
            if first != Verdict::Unknown && verdicts.all(|verdict| verdict == first) {
                return (first, None);
            }
        }
        if let (Test::AtLeast(limit) | Test::AtMost(limit), Some([low, high])) = (test, unknown.range)
            && let Operand::Number(limit) = *self.operand(limit)
        {
            let at_least = matches!(test, Test::AtLeast(_));
            let (all, none) =
                if at_least { (low >= limit, high < limit) } else { (high <= limit, low > limit) };
            return if all || none { yes(all) } else { open() };
        }
        match test {
            Test::Present(wanted) if unknown.not_null => yes(*wanted),
            Test::Equals(other) => match (&unknown.prefix, self.operand(other)) {
                (Some(prefix), Operand::Text(text)) if !text.starts_with(prefix.as_str()) => yes(false),
                _ => open(),
            },
            Test::Matches(pattern) => match &unknown.prefix {
                // What matches at the known beginning matches the whole, whatever follows.
                Some(prefix)
                    if pattern.as_str().starts_with('^')
                        && !pattern.as_str().ends_with('$')
                        && pattern.is_match(prefix) =>
                {
                    yes(true)
                }
                _ => open(),
            },
            _ => open(),
        }
    }
}

fn flat(context: &Context<'_>, operands: &[Operand]) -> Vec<Operand> {
    operands
        .iter()
        .flat_map(|operand| match context.operand(operand) {
            Operand::List(items) => items.clone(),
            other => vec![other.clone()],
        })
        .collect()
}

fn list(value: &Value, test: impl FnOnce(&[Tracked]) -> Answer) -> Answer {
    match value {
        Value::List(items) => test(items),
        // What stands alone where a list is expected is a list of one.
        Value::String(text) => test(&[Tracked::new(Value::String(text.clone()), Origin::Nowhere)]),
        _ => yes(false),
    }
}

/// Whether a list holds `other`; an element that is not known may be it.
fn holds(items: &[Tracked], other: &Operand, ignore_case: bool) -> Answer {
    if items.iter().any(|item| same(item.value(), other, ignore_case)) {
        return yes(true);
    }
    match items.iter().find_map(Tracked::unknown) {
        Some(unknown) => (Verdict::Unknown, Some(unknown.cause.clone())),
        None => yes(false),
    }
}

fn and(a: Answer, b: Answer) -> Answer {
    let verdict = Verdict::all([a.0, b.0]);
    (verdict, a.1.or(b.1).filter(|_| verdict == Verdict::Unknown))
}

fn or(a: Answer, b: Answer) -> Answer {
    let verdict = Verdict::any([a.0, b.0]);
    (verdict, a.1.or(b.1).filter(|_| verdict == Verdict::Unknown))
}

/// `null`, `""`, `[]` and `{}` count as not set.
pub(crate) fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Map(map) => !map.is_empty(),
        _ => true,
    }
}

pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(number.to_f64()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Equality as Terraform converts: `"true"` is true, `"7"` is 7.
fn same(value: &Value, other: &Operand, ignore_case: bool) -> bool {
    let Some(text) = text(value) else {
        return match (value, other) {
            (Value::List(items), Operand::List(others)) => {
                items.len() == others.len()
                    && items.iter().zip(others).all(|(a, b)| same(a.value(), b, ignore_case))
            }
            _ => false,
        };
    };
    let other = match other {
        Operand::Text(other) => other.to_string(),
        // Terraform before 0.12 wrote truth values as 1 and 0.
        Operand::Bool(other) if matches!(value, Value::Number(_)) => {
            return number(value) == Some(f64::from(u8::from(*other)));
        }
        Operand::Bool(other) => other.to_string(),
        Operand::Number(other) => return number(value) == Some(*other),
        Operand::List(_) | Operand::Parameter(_) => return false,
    };
    if ignore_case { text.eq_ignore_ascii_case(&other) } else { text == other }
}
