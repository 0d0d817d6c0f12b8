//! Values for the tests of the functions.

use super::nowhere;
use crate::{Number, Tracked, Value};

pub(super) fn t(text: &str) -> Tracked {
    nowhere(Value::text(text))
}

pub(super) fn n(number: &str) -> Tracked {
    nowhere(Value::Number(Number::parse(number).unwrap_or(Number::ZERO)))
}

pub(super) fn l(items: &[Tracked]) -> Tracked {
    nowhere(Value::List(items.to_vec().into()))
}

/// What the family `call` answers, as JSON; none where it refuses.
pub(super) fn json(answer: super::Answer) -> Option<String> {
    let mut out = String::new();
    super::encoding::write_json(answer?.value(), Some("?"), &mut out)?;
    Some(out)
}
