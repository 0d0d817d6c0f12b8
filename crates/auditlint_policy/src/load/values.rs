//! The values of a policy's fields.

use auditlint_syntax::document::reader::{MapReader, strings, unknown, wrong};
use auditlint_syntax::document::{Entry, Node, NodeKind};
use auditlint_syntax::{Location, Problem, Source};
use std::collections::BTreeMap;

use crate::catalogue::parameter_value;
use crate::condition::Operand;
use crate::intent::{FIELDS, Field, FieldKind, FieldSpec, Setting, Stated};
use crate::rule::ParameterKind;
use crate::{Catalogue, Category, Days};

/// The fields that `map` says of a category, or of all of them.
pub(super) fn fields(
    map: &mut MapReader<'_, '_>,
    category: Option<Category>,
    (catalogue, source): (&Catalogue, &Source),
) -> BTreeMap<Field, Stated> {
    let mut out = BTreeMap::new();
    let mut own = Vec::new();
    let heads: Vec<&'static str> = heads(category);
    for head in heads {
        let Some(entry) = map.entry(head) else { continue };
        for (spec, node) in below(head, entry, category, &mut own) {
            let at = Location { file: source.file(), span: place(spec, entry, node) };
            if let Some(setting) = setting((spec, category), node, catalogue, &mut own) {
                out.insert(spec.field, Stated { setting, at });
            }
        }
    }
    // The short form of the introductions.
    if let Some(node) = map.take("retention_period") {
        for (field, days, span) in period(node, &mut own) {
            out.insert(
                field,
                Stated { setting: Setting::Days(days), at: Location { file: source.file(), span } },
            );
        }
    }
    map.problems().append(&mut own);
    out
}

fn is_of(spec: &FieldSpec, category: Option<Category>) -> bool {
    spec.only.is_none_or(|only| category == Some(only))
}

/// The keys directly below a category.
fn heads(category: Option<Category>) -> Vec<&'static str> {
    let mut heads: Vec<&'static str> = Vec::new();
    for head in
        FIELDS.iter().filter(|spec| is_of(spec, category)).filter_map(|spec| spec.path.first().copied())
    {
        if !heads.contains(&head) {
            heads.push(head);
        }
    }
    heads
}

/// The fields that are said under `head`.
fn below<'n>(
    head: &str,
    entry: &'n Entry,
    category: Option<Category>,
    problems: &mut Vec<Problem>,
) -> Vec<(&'static FieldSpec, &'n Node)> {
    let specs: Vec<&FieldSpec> =
        FIELDS.iter().filter(|spec| spec.path.first() == Some(&head) && is_of(spec, category)).collect();
    if let [only] = specs.as_slice()
        && only.path.len() == 1
    {
        return vec![(only, &entry.value)];
    }
    let mut map = MapReader::new(&entry.value, problems);
    let found = specs.into_iter().filter_map(|spec| Some((spec, map.take(spec.path.get(1)?)?))).collect();
    map.finish();
    found
}

/// A flag is asked for by its whole line, anything else by its value.
fn place(spec: &FieldSpec, entry: &Entry, node: &Node) -> auditlint_syntax::Span {
    match spec.kind {
        FieldKind::Flag => auditlint_syntax::Span::new(entry.key_span.start, entry.value.span.end),
        _ => node.span,
    }
}

fn setting(
    (spec, category): (&FieldSpec, Option<Category>),
    node: &Node,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) -> Option<Setting> {
    match spec.kind {
        FieldKind::AtLeast | FieldKind::AtMost => duration(node, problems).map(Setting::Days),
        FieldKind::Flag => match node.kind {
            NodeKind::Bool(value) => Some(Setting::Flag(value)),
            _ => {
                problems.push(wrong(node, "`true` or `false`"));
                None
            }
        },
        FieldKind::Words(words) => {
            let found = node.as_str().and_then(|word| {
                // The key of a customer is called so by AWS in older texts.
                let word = if word == "cmk" { "customer_managed" } else { word };
                words.iter().position(|known| *known == word)
            });
            if found.is_none() {
                problems.push(wrong(node, &spec.kind.to_string()));
            }
            found.map(Setting::Word)
        }
        FieldKind::Kinds => {
            let named = strings(node, problems);
            for word in named.iter().filter(|word| !catalogue.kinds().any(|kind| kind == **word)) {
                problems.push(unknown("kind of sources", word, node.span, catalogue.kinds()));
            }
            Some(Setting::Kinds(Some(named.into_iter().map(str::to_owned).collect())))
        }
        FieldKind::Within => {
            let mut own = Vec::new();
            let named: Vec<String> = super::external::words(node, &mut own);
            if named.is_empty() && own.is_empty() {
                own.push(wrong(node, "at least one place"));
            }
            problems.append(&mut own);
            (!named.is_empty()).then(|| Setting::within(named))
        }
        FieldKind::Events => {
            let named = strings(node, problems);
            let known: Vec<&str> = catalogue.events(spec.only.or(category));
            for word in named.iter().filter(|word| !known.contains(word)) {
                problems.push(unknown("event", word, node.span, known.iter().copied()));
            }
            Some(Setting::Kinds(Some(named.into_iter().map(str::to_owned).collect())))
        }
    }
}

/// How long at least and at most: a duration alone is the least.
fn period(node: &Node, problems: &mut Vec<Problem>) -> Vec<(Field, u32, auditlint_syntax::Span)> {
    if !matches!(node.kind, NodeKind::Map(_)) {
        return duration(node, problems)
            .map(|days| (Field::RetentionMin, days, node.span))
            .into_iter()
            .collect();
    }
    let mut map = MapReader::new(node, problems);
    let both = [(Field::RetentionMin, map.take("min")), (Field::RetentionMax, map.take("max"))];
    map.finish();
    let read = |(field, node): (Field, Option<&Node>)| {
        let node = node?;
        Some((field, duration(node, problems)?, node.span))
    };
    both.into_iter().filter_map(read).collect()
}

/// A text; digits and `true` are texts too.
pub(super) fn word(node: &Node, problems: &mut Vec<Problem>) -> Option<String> {
    match &node.kind {
        NodeKind::String(text) | NodeKind::Number(_, text) => Some(text.clone()),
        NodeKind::Bool(value) => Some(value.to_string()),
        NodeKind::Null | NodeKind::List(_) | NodeKind::Map(_) => {
            problems.push(wrong(node, "a text"));
            None
        }
    }
}

pub(super) fn duration(node: &Node, problems: &mut Vec<Problem>) -> Option<u32> {
    match parameter_value(ParameterKind::Duration, node, problems)? {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a duration is a whole number of days, at most a hundred years"
        )]
        Operand::Number(days) if days <= 36_500.0 => Some(days as u32),
        _ => {
            problems.push(wrong(node, &format!("at most {} of retention", Days::Count(36_500))));
            None
        }
    }
}

/// A date.
pub(super) fn date(node: &Node, problems: &mut Vec<Problem>) -> Option<jiff::civil::Date> {
    let date = node.as_str().and_then(|text| text.parse().ok());
    if date.is_none() {
        problems.push(wrong(node, "a date (YYYY-MM-DD)"));
    }
    date
}
