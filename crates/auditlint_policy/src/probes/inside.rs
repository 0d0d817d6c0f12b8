//! What stands inside of a JSON or YAML text that an attribute holds: container definitions, session documents,
//! settings of a task.

use auditlint_graph::kubernetes::tracked;
use auditlint_graph::{Origin, Tracked, Value};
use auditlint_syntax::{Name, document};

use super::{Context, text, texts};
use crate::Verdict;
use crate::condition::{AttributePath, Operand, Test};
use crate::evaluate::{Judged, Look, Subject};

/// The text at `path` has at `at` one of `values`, or anything where none are asked for. In `at` dots stand between
/// names, `*` for every element of a list, and `a|b` for the first of these names that is there.
pub(super) fn holds(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    let path = AttributePath::parse(text(context, with, "path").unwrap_or_default());
    let steps: Vec<&str> = text(context, with, "at").unwrap_or_default().split('.').collect();
    let values = texts(context, with, "values");
    let test = if values.is_empty() {
        Test::Present(true)
    } else {
        Test::In(values.iter().map(|value| Operand::Text(Name::new(value))).collect())
    };
    match context.look(&Subject::resource(context.resource), &path) {
        Look::Absent | Look::Default(_) => Judged::holds(false).looking(path.to_string(), None),
        Look::Unknown(cause) => Judged::unknown(cause).looking(path.to_string(), None),
        Look::Set(value) => {
            let judged = match (value.value(), value.unknown().and_then(|unknown| unknown.encoded.as_ref())) {
                (Value::String(text), _) => at(context, &parsed(text), &steps, &test),
                (_, Some(encoded)) => {
                    at(context, &Tracked::new(encoded.clone(), Origin::Nowhere), &steps, &test)
                }
                (Value::Unknown(unknown), None) => Judged::unknown(unknown.cause.clone()),
                _ => Judged::holds(false),
            };
            judged.looking(path.to_string(), Some(value))
        }
    }
}

fn at(context: &Context<'_>, value: &Tracked, steps: &[&str], test: &Test) -> Judged {
    let Some((step, rest)) = steps.split_first() else {
        let (verdict, cause) = context.test(value, test, true);
        return Judged { cause, ..Judged::of(verdict) };
    };
    match value.value() {
        Value::Unknown(unknown) => Judged::unknown(unknown.cause.clone()),
        Value::List(items) if *step == "*" => {
            let parts = items.iter().map(|item| at(context, item, rest, test)).collect();
            Judged::all(parts, Verdict::NotApplicable)
        }
        Value::Map(map) => {
            // The services read the names whatever their case is.
            let mut names = step.split('|');
            let found = names.find_map(|step| map.iter().find(|(name, _)| name.eq_ignore_ascii_case(step)));
            found.map_or(Judged::holds(false), |(_, inner)| at(context, inner, rest, test))
        }
        _ => Judged::holds(false),
    }
}

/// The value of a JSON text, or of a YAML text.
fn parsed(text: &str) -> Tracked {
    tracked(&document::parse(text).root, &|_| Origin::Nowhere)
}
