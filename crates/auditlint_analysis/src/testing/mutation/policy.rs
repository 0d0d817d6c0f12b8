//! Policies that ask for less: at least one scenario has to notice each of them.

use std::cell::RefCell;
use std::sync::Arc;

use auditlint_policy::Level;
use auditlint_policy::intent::{FieldKind, Setting, Statement};
use auditlint_syntax::Source;
use rayon::prelude::*;

use super::{Mutant, Mutation, Survivor};
use crate::SetupError;
use crate::testing::reading::Scenarios;
use crate::testing::{Coverage, TestBed, scenario};

/// Makes the mutants of the policy and runs the scenarios against each.
pub(super) fn run(
    scenarios: &Scenarios,
    (source, bed): (&Arc<Source>, &TestBed<'_>),
    out: &mut Mutation,
) -> Result<(), SetupError> {
    let statement = scenario::statement(scenarios, source, bed)?;
    let mutants = mutants(&statement);
    out.mutants += mutants.len();
    let mutants = super::sampled(mutants, bed.mutants, bed.seed);
    out.tried += mutants.len();
    let survivors: Vec<Option<Mutant>> = mutants
        .into_par_iter()
        .map(|(mutant, weaker)| {
            let loaded = RefCell::default();
            let judging = scenario::Judging { statement: Some(&weaker), loaded: &loaded };
            let results = scenario::run_with(scenarios, source, bed, &mut Coverage::default(), judging)?;
            Ok(results.iter().all(|result| result.failures.is_empty()).then_some(mutant))
        })
        .collect::<Result<_, SetupError>>()?;
    out.survivors.extend(survivors.into_iter().flatten().map(|mutant| Survivor { mutant, allowed: None }));
    Ok(())
}

/// The statement with one thing less, in every way.
fn mutants(statement: &Statement) -> Vec<(Mutant, Statement)> {
    let mut out = Vec::new();
    let mut add = |operator: &str, on: String, diff: String, weaker: Statement| {
        out.push((Mutant { operator: operator.to_owned(), on, diff }, weaker));
    };
    for (category, asked) in &statement.categories {
        let name = category.as_str();
        let mut weaker = statement.clone();
        weaker.categories.remove(category);
        add("drop_category", name.to_owned(), format!("-{name}\n"), weaker);
        for spec in &auditlint_policy::intent::FIELDS {
            let Some(stated) = statement.effective(*category, spec.field) else { continue };
            let Some(less) = less(&stated.setting, spec.kind) else { continue };
            let on = format!("{name}.{}", spec.field.name());
            let diff =
                format!("-{on}: {}\n+{on}: {}\n", stated.setting.show(spec.field), less.show(spec.field));
            let mut weaker = statement.clone();
            let mut asked = asked.clone();
            let stated = auditlint_policy::intent::Stated { setting: less, at: stated.at };
            asked.fields.insert(spec.field, stated);
            weaker.categories.insert(*category, asked);
            add("loosen", on, diff, weaker);
        }
    }
    for (at, rule) in statement.rules.iter().enumerate() {
        let Some(id) = &rule.id else { continue };
        let mut weaker = statement.clone();
        weaker.rules.remove(at);
        add("drop_rule", id.clone(), format!("-{id}\n"), weaker);
    }
    for event in statement.alerts.keys() {
        let mut weaker = statement.clone();
        weaker.alerts.remove(event);
        add("drop_alert", format!("alerting.events.{event}"), format!("-{event}\n"), weaker);
    }
    for change in statement.changes.keys() {
        let mut weaker = statement.clone();
        weaker.changes.remove(change);
        let on = format!("changes.forbid.{}", change.as_str());
        let diff = format!("-{}\n", change.as_str());
        add("permit_change", on, diff, weaker);
    }
    let mut weaker = statement.clone();
    let at = statement
        .categories
        .values()
        .map(|asked| asked.at)
        .chain(statement.rules.iter().map(|rule| rule.at))
        .next();
    if let Some(at) = at {
        weaker.enforcement.level = Some((Level::Advisory, at));
        weaker.enforcement.categories.clear();
        weaker.enforcement.rules.clear();
        let diff = "-enforcement.level\n+enforcement.level: advisory\n".to_owned();
        add("lower_enforcement", "enforcement.level".to_owned(), diff, weaker);
    }
    out
}

/// A value that asks for less; none where there is none.
fn less(setting: &Setting, kind: FieldKind) -> Option<Setting> {
    match (setting, kind) {
        (Setting::Days(days), FieldKind::AtMost) => Some(Setting::Days(days.saturating_add(365).min(36_500))),
        (Setting::Days(days), _) => (*days > 0).then(|| Setting::Days(days / 2)),
        (Setting::Word(at), _) => at.checked_sub(1).map(Setting::Word),
        (Setting::Flag(true), _) => Some(Setting::Flag(false)),
        (Setting::Kinds(Some(kinds)), _) if kinds.len() > 1 => {
            Some(Setting::Kinds(Some(kinds.iter().skip(1).cloned().collect())))
        }
        (Setting::Within(_), _) => Some(Setting::within(["*".to_owned()])),
        _ => None,
    }
}
