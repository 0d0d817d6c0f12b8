//! What to write where a server lacks a flag, or an audit policy a rule: elements of lists that are written already.

use auditlint_graph::{Origin, Tracked, Value};
use auditlint_syntax::{Location, Name};

use super::objects::{self, Object};
use super::rule::{Level, Policy, Rule};
use super::server::kops_setting;
use crate::evaluate::Context;
use crate::finding::{Element, LiteralValue, Where};

/// The change that gives the server a flag, in the first object that starts one.
pub(crate) fn flag(context: &Context<'_>, name: &str, value: &str) -> Option<Element> {
    let found = objects::of(context);
    found.objects.iter().find_map(|object| {
        let (Object::Policy(whole)
        | Object::Pod(whole, _)
        | Object::Kubeadm(whole, _)
        | Object::Kops(whole, _)) = object;
        flag_of(object, name, value).and_then(|element| inside(whole, element))
    })
}

/// The change, unless it stands where the whole object does: a part of a text that is a value itself has no place of its
/// own, and what is written there would take the place of all of it.
fn inside(whole: &Tracked, element: Element) -> Option<Element> {
    (written(whole) != Some(element.at)).then_some(element)
}

fn flag_of(object: &Object, name: &str, value: &str) -> Option<Element> {
    match object {
        Object::Policy(_) => None,
        Object::Pod(_, words) => {
            let word = LiteralValue::String(format!("--{name}={value}"));
            let begins = format!("--{name}=");
            let old = words
                .iter()
                .find(|word| matches!(word.value(), Value::String(text) if text.starts_with(&begins)));
            match old {
                Some(old) => Element::at(old, Where::Instead, word),
                // `--flag value` is two words.
                None if words.iter().any(|word| is_text(word, &format!("--{name}"))) => None,
                None => Element::at(words.last()?, Where::After, word),
            }
        }
        Object::Kubeadm(_, arguments) => {
            setting(arguments.as_ref()?, name, LiteralValue::String(value.to_owned()))
        }
        Object::Kops(_, server) => {
            let number = value.parse().map(LiteralValue::Int);
            setting(
                server.as_ref()?,
                kops_setting(name)?,
                number.unwrap_or(LiteralValue::String(value.to_owned())),
            )
        }
    }
}

/// An entry of a map, or of a list of names and values.
fn setting(settings: &Tracked, name: &str, value: LiteralValue) -> Option<Element> {
    match settings.value() {
        Value::Map(map) => match map.get(name) {
            Some(old) => Element::at(old, Where::Instead, value),
            None => {
                let last = map
                    .iter()
                    .map(|(_, value)| value)
                    .max_by_key(|value| written(value).map(|at| at.span.start))?;
                Element::at(last, Where::Entry(Name::new(name)), value)
            }
        },
        Value::List(items) => {
            let own = items.iter().find_map(|item| match item.value() {
                Value::Map(item) if item.get("name").is_some_and(|own| is_text(own, name)) => {
                    item.get("value")
                }
                _ => None,
            });
            match own {
                Some(old) => Element::at(old, Where::Instead, value),
                None => {
                    let name = LiteralValue::String(name.to_owned());
                    let entry = [(Name::new_static("name"), name), (Name::new_static("value"), value)];
                    Element::at(items.last()?, Where::After, LiteralValue::Map(entry.into()))
                }
            }
        }
        _ => None,
    }
}

/// The change after which `new` speaks for what the rule at `wrong` does not record as it should: it comes before that rule,
/// or last where no rule speaks for it. A rule that it would leave nothing to gets its level instead.
pub(crate) fn audit_rule(
    context: &Context<'_>,
    new: &LiteralValue,
    wrong: Option<Location>,
) -> Option<Element> {
    let policy = the_policy(context)?;
    let rule = Rule::read(&read(new)).ok()?;
    let level = rule.level.as_deref().and_then(Level::read)?;
    let is_wrong = |rule: &Rule| wrong.is_some() && written(&rule.at) == wrong;
    let Some(at) = policy.rules.iter().position(is_wrong) else {
        let last = Element::at(&policy.rules.last()?.at, Where::After, new.clone())?;
        return inside(&policy.at, last);
    };
    let (first, behind) = policy.rules.get(at..)?.split_first()?;
    if rule.covers(first) {
        return inside(&policy.at, leveled(first, level)?);
    }
    // What would match nothing any more is for its author to change.
    let is_free = !behind.iter().any(|other| rule.covers(other));
    let element = is_free.then(|| Element::at(&first.at, Where::Before, new.clone())).flatten()?;
    inside(&policy.at, element)
}

/// The change that gives the rule at `wrong` that level.
pub(crate) fn audit_level(context: &Context<'_>, level: &str, wrong: Option<Location>) -> Option<Element> {
    let policy = the_policy(context)?;
    let rule = policy.rules.iter().find(|rule| wrong.is_some() && written(&rule.at) == wrong)?;
    inside(&policy.at, leveled(rule, Level::read(level)?)?)
}

/// The change that takes the element at `wrong` out of its list.
pub(crate) fn without(context: &Context<'_>, wrong: Option<Location>) -> Option<Element> {
    let gone = Element { at: wrong?, place: Where::Gone, value: LiteralValue::List(Vec::new()) };
    inside(&the_policy(context)?.at, gone)
}

fn leveled(rule: &Rule, level: Level) -> Option<Element> {
    let Value::Map(map) = rule.at.value() else { return None };
    Element::at(map.get("level")?, Where::Instead, LiteralValue::String(level.as_str().to_owned()))
}

/// The one audit policy of the resource.
fn the_policy(context: &Context<'_>) -> Option<Policy> {
    let found = objects::of(context);
    let mut policies = found.objects.iter().filter_map(|object| match object {
        Object::Policy(written) => Some(written),
        _ => None,
    });
    let only = policies.next()?;
    policies.next().is_none().then(|| Policy::read(only).ok()).flatten()
}

fn is_text(value: &Tracked, word: &str) -> bool {
    matches!(value.value(), Value::String(text) if text == word)
}

/// What is to be written, as if it were.
fn read(value: &LiteralValue) -> Tracked {
    let value = match value {
        LiteralValue::Bool(value) => Value::Bool(*value),
        LiteralValue::Int(value) => Value::String(Name::new(value.to_string())),
        LiteralValue::String(text) => Value::String(Name::new(text)),
        LiteralValue::List(items) => Value::List(items.iter().map(read).collect()),
        LiteralValue::Map(entries) => {
            let entries = entries.iter().map(|(name, value)| (name.clone(), read(value)));
            Value::Map(std::sync::Arc::new(entries.collect()))
        }
    };
    Tracked::new(value, Origin::Nowhere)
}

/// Where a value is written as a literal.
pub(crate) fn written(value: &Tracked) -> Option<Location> {
    if let Origin::Written(at) = value.origin { Some(at) } else { None }
}

impl Element {
    fn at(beside: &Tracked, place: Where, value: LiteralValue) -> Option<Self> {
        Some(Self { at: written(beside)?, place, value })
    }
}
