//! Audit logs of databases: exports by engine, and parameters of their parameter groups.

use auditlint_graph::{Cause, CauseKind, Tracked, Value};
use auditlint_syntax::Name;

use super::{Context, text, texts};
use crate::Verdict;
use crate::condition::{AttributePath, Operand, Test};
use crate::evaluate::{Judged, Look, Subject};

/// The exports that hold authentication and audit events, by the beginning of the engine's name; one of them
/// must be on. From the RDS documentation of `EnableCloudwatchLogsExports`.
const EXPORTS: &[(&str, &[&str])] = &[
    ("aurora-mysql", &["audit", "error", "general", "slowquery"]),
    ("aurora-postgresql", &["postgresql"]),
    ("aurora", &["audit", "error", "general", "slowquery"]),
    ("mysql", &["audit", "error", "general", "slowquery"]),
    ("mariadb", &["audit", "error", "general", "slowquery"]),
    ("postgres", &["postgresql", "upgrade"]),
    ("oracle", &["audit", "alert", "listener", "trace"]),
    ("sqlserver", &["error", "agent"]),
    ("db2", &["diag.log", "notify.log"]),
];

fn attribute(context: &Context<'_>, name: &str) -> Look {
    context.look(&Subject::resource(context.resource), &AttributePath::parse(name))
}

/// The engine; none when nothing is written (a replica or a restored instance takes that of its source).
fn engine(context: &Context<'_>) -> Result<Option<String>, Cause> {
    match attribute(context, "engine") {
        Look::Set(value) | Look::Default(value) => match (value.value().as_str(), value.unknown()) {
            (Some(text), _) => Ok(Some(text.to_owned())),
            (None, Some(unknown)) => Err(unknown.cause.clone()),
            (None, None) => Ok(None),
        },
        Look::Absent => Ok(None),
        Look::Unknown(cause) => Err(cause),
    }
}

/// The exports of the engine are on; with `audit: true` the one that holds audit events.
pub(super) fn log_exports(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    const PATH: &str = "enabled_cloudwatch_logs_exports";
    let exports = match attribute(context, PATH) {
        Look::Absent => return Judged::holds(false).looking(PATH, None),
        Look::Unknown(cause) => return Judged::unknown(cause).looking(PATH, None),
        Look::Set(value) | Look::Default(value) => value,
    };
    let any = || context.test(&exports, &Test::Present(true), false);
    let wanted = text(context, with, "export").map(|export| vec![export.to_owned()]);
    let (verdict, cause) = match (wanted, engine(context)) {
        (Some(wanted), _) => contains_any(context, &exports, &wanted),
        (None, Ok(Some(engine))) => {
            match EXPORTS.iter().find(|(prefix, _)| engine.to_ascii_lowercase().starts_with(prefix)) {
                Some((_, known)) => {
                    let known: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
                    contains_any(context, &exports, &known)
                }
                None => any(),
            }
        }
        (None, Ok(None) | Err(_)) => any(),
    };
    Judged { cause, ..Judged::of(verdict) }.looking(PATH, Some(exports))
}

fn contains_any(context: &Context<'_>, value: &Tracked, wanted: &[String]) -> (Verdict, Option<Cause>) {
    let wanted = wanted.iter().map(|text| Operand::Text(Name::new(text))).collect();
    context.test(value, &Test::ContainsAny(wanted), false)
}

/// A parameter of the parameter group of a database has one of `values`, is `at_least` that number, lists all of
/// `lists`, or is set to `none_of` these. It speaks of databases whose engine has `engine` in its name
/// (PostgreSQL where nothing is said); on a parameter group it is looked for in the group itself.
pub(super) fn group_parameter(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    let name = text(context, with, "name").unwrap_or_default().to_owned();
    let wanted_engine = text(context, with, "engine").unwrap_or("postgres");
    let values = Wanted::of(context, with);
    let family = match attribute(context, "family") {
        Look::Set(value) => value.value().as_str().map(str::to_owned),
        _ => None,
    };
    if let Some(family) = family {
        if !family.contains(wanted_engine) {
            return Judged::of(Verdict::NotApplicable);
        }
        return parameter(context, &name, &values);
    }
    match engine(context) {
        Ok(Some(engine)) if !engine.contains(wanted_engine) => return Judged::of(Verdict::NotApplicable),
        Ok(None) => return Judged::of(Verdict::NotApplicable),
        Ok(Some(_)) => {}
        Err(cause) => return Judged::unknown(cause).looking("engine", None),
    }
    let path = match context.resource.kind().as_str() {
        "aws_rds_cluster" => "db_cluster_parameter_group_name",
        _ => "parameter_group_name",
    };
    let types =
        [Name::new_static("aws_db_parameter_group"), Name::new_static("aws_rds_cluster_parameter_group")];
    match attribute(context, path) {
        // The default groups log as little as they can.
        Look::Absent => Judged::holds(false).looking(path, None),
        Look::Unknown(cause) => Judged::unknown(cause).looking(path, None),
        Look::Set(value) | Look::Default(value) => {
            let found = context.named(&value, &types);
            let parts: Vec<Judged> = found
                .into_iter()
                .filter_map(|(slot, _)| {
                    let resource = context.get(slot)?;
                    let mut judged = parameter(&context.at(slot, resource), &name, &values);
                    judged.looked = None;
                    Some(judged.with_related(
                        context.related(resource, format!("{} is its parameter group", resource.address)),
                    ))
                })
                .collect();
            if parts.is_empty() {
                let default = value.value().as_str().is_some_and(|name| name.starts_with("default."));
                let elsewhere = || Cause {
                    kind: CauseKind::Elsewhere,
                    subject: format!("parameter group {}", value.show()),
                    hint: "it is not managed in this configuration".to_owned(),
                };
                let cause = value.unknown().map_or_else(elsewhere, |unknown| unknown.cause.clone());
                let judged = if default { Judged::holds(false) } else { Judged::unknown(cause) };
                return judged.looking(path, Some(value));
            }
            Judged::all(parts, Verdict::Fail).looking(path, Some(value))
        }
    }
}

/// What a parameter must be.
enum Wanted {
    OneOf(Vec<String>),
    /// A number with or without a unit behind it (`250ms`).
    AtLeast(f64),
    /// A list with commas that has all of these.
    Lists(Vec<String>),
    /// Anything but nothing and these.
    NoneOf(Vec<String>),
}

impl Wanted {
    fn of(context: &Context<'_>, with: &[(Name, Operand)]) -> Self {
        if let Some(least) = text(context, with, "at_least") {
            return Self::AtLeast(least.parse().unwrap_or_default());
        }
        match (texts(context, with, "lists"), texts(context, with, "none_of")) {
            (lists, _) if !lists.is_empty() => Self::Lists(lists),
            (_, none_of) if !none_of.is_empty() => Self::NoneOf(none_of),
            _ => Self::OneOf(texts(context, with, "values")),
        }
    }

    /// Whether a known value is as wanted.
    fn is(&self, value: &Value) -> bool {
        let listed = crate::evaluate::text(value).unwrap_or_default().to_ascii_lowercase();
        let has = |word: &String| listed.split(',').any(|item| item.trim() == word.to_ascii_lowercase());
        match self {
            Self::OneOf(values) => values.iter().any(|known| listed == known.to_ascii_lowercase()),
            Self::AtLeast(least) => number(value).is_some_and(|number| number >= *least),
            Self::Lists(words) => words.iter().all(has),
            Self::NoneOf(words) => !listed.is_empty() && !words.iter().any(has),
        }
    }
}

fn parameter(context: &Context<'_>, name: &str, wanted: &Wanted) -> Judged {
    let parameters = match attribute(context, "parameter") {
        Look::Set(value) | Look::Default(value) => value,
        Look::Absent => return Judged::holds(false).looking("parameter", None),
        Look::Unknown(cause) => return Judged::unknown(cause).looking("parameter", None),
    };
    let Value::List(items) = parameters.value() else {
        let cause = parameters.unknown().map(|unknown| unknown.cause.clone());
        return Judged { cause, ..Judged::of(Verdict::Unknown) }.looking("parameter", Some(parameters));
    };
    let mut open = None;
    for item in items.iter() {
        let Value::Map(map) = item.value() else {
            open = item.unknown().map(|unknown| unknown.cause.clone());
            continue;
        };
        match map.get("name").map(Tracked::value) {
            Some(Value::String(known)) if known == name => {
                let value = map.get("value").cloned().unwrap_or_default();
                let (verdict, cause) = decided(&value, wanted);
                return Judged { cause, ..Judged::of(verdict) }.looking("parameter", Some(value));
            }
            Some(Value::Unknown(unknown)) => open = Some(unknown.cause.clone()),
            _ => {}
        }
    }
    match open {
        Some(cause) => Judged::unknown(cause).looking("parameter", None),
        None => Judged::holds(false).looking("parameter", None),
    }
}

/// Whether a value is as wanted; one that is not known is where every alternative agrees.
fn decided(value: &Tracked, wanted: &Wanted) -> (Verdict, Option<Cause>) {
    let Some(unknown) = value.unknown() else {
        return (if wanted.is(value.value()) { Verdict::Pass } else { Verdict::Fail }, None);
    };
    let mut arms = unknown.one_of.iter().flat_map(|arms| arms.iter()).map(|arm| decided(arm, wanted).0);
    match arms.next() {
        Some(first) if first != Verdict::Unknown && arms.all(|arm| arm == first) => (first, None),
        _ => (Verdict::Unknown, Some(unknown.cause.clone())),
    }
}

/// The number at the beginning of a parameter's value.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(number.to_f64()),
        Value::String(text) => {
            let end = text.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(text.len());
            text.get(..end)?.parse().ok()
        }
        _ => None,
    }
}
