//! What a policy asks, value by value, for people and for tests.

use auditlint_syntax::Location;

use super::field::FIELDS;
use super::setting::Setting;
use super::statement::Statement;
use crate::rego::RegoInput;
use crate::{Category, Policy};

/// One value of a policy.
#[derive(Clone, Debug)]
pub struct PolicyLine {
    /// Its name: `access_logs.retention.min`.
    pub what: String,
    /// The value.
    pub value: String,
    /// The line that says so; none for what nobody said.
    pub at: Option<Location>,
}

impl Policy {
    /// Everything that is asked, value by value.
    #[must_use]
    pub fn lines(&self) -> Vec<PolicyLine> {
        lines(self)
    }

    /// The value of that name, where anything is asked by it.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<String> {
        self.lines().into_iter().find(|line| line.what == name).map(|line| line.value)
    }
}

fn lines(policy: &Policy) -> Vec<PolicyLine> {
    let statement: &Statement = &policy.statement;
    let mut out = Vec::new();
    for category in Category::ALL {
        let Some(asked) = statement.categories.get(&category) else { continue };
        let name = category.as_str();
        out.push(PolicyLine { what: name.to_owned(), value: "asked".to_owned(), at: Some(asked.at) });
        for spec in &FIELDS {
            let Some(stated) = statement.effective(category, spec.field) else { continue };
            if stated.setting == Setting::Kinds(None) {
                continue;
            }
            let what = format!("{name}.{}", spec.field.name());
            out.push(PolicyLine { what, value: stated.setting.show(spec.field), at: Some(stated.at) });
        }
        for demand in statement.demands.iter().filter(|demand| demand.category == category) {
            let place = if demand.within.is_empty() { "in the estate" } else { "in each root that is meant" };
            let regions: Vec<&str> = demand.regions.iter().map(|region| region.as_str()).collect();
            let value = match regions.as_slice() {
                [] => place.to_owned(),
                regions => format!("{place}, in {}", regions.join(", ")),
            };
            out.push(PolicyLine { what: format!("{name}.required"), value, at: Some(demand.at) });
        }
    }
    for (event, at) in &statement.alerts {
        let what = format!("alerting.events.{event}");
        out.push(PolicyLine { what, value: "asked".to_owned(), at: Some(*at) });
    }
    for (change, at) in &statement.changes {
        let what = format!("changes.forbid.{}", change.as_str());
        out.push(PolicyLine { what, value: "forbidden".to_owned(), at: Some(*at) });
    }
    for spec in policy.rego.iter() {
        let value = match spec.input {
            RegoInput::Graph => "asked, of the graph",
            RegoInput::Plan => "asked, of the plan",
        };
        out.push(PolicyLine {
            what: format!("rego.{}", spec.path),
            value: value.to_owned(),
            at: Some(spec.at),
        });
    }
    for rule in &statement.rules {
        let what = format!("rules.{}", rule.id.as_deref().unwrap_or("all"));
        let parameters = rule.parameters.iter().map(|(name, value)| format!("{name} {value}"));
        let value = parameters.collect::<Vec<_>>().join(", ");
        let value = if value.is_empty() { "asked".to_owned() } else { value };
        out.push(PolicyLine { what, value, at: Some(rule.at) });
    }
    let enforcement = &statement.enforcement;
    let (level, at) = match enforcement.level {
        Some((level, at)) => (level.as_str(), Some(at)),
        None => ("mandatory", None),
    };
    out.push(PolicyLine { what: "enforcement.level".to_owned(), value: level.to_owned(), at });
    for (category, (level, at)) in &enforcement.categories {
        let what = format!("enforcement.categories.{}", category.as_str());
        out.push(PolicyLine { what, value: level.as_str().to_owned(), at: Some(*at) });
    }
    for (rule, (level, at)) in &enforcement.rules {
        let what = format!("enforcement.rules.{rule}");
        out.push(PolicyLine { what, value: level.as_str().to_owned(), at: Some(*at) });
    }
    if let Some((severity, at)) = enforcement.severity {
        let what = "enforcement.severity".to_owned();
        out.push(PolicyLine { what, value: format!("at least {}", severity.as_str()), at: Some(at) });
    }
    for ((kind, said), effective) in
        ["hcl", "plan", "state"].into_iter().zip(enforcement.on_unknown).zip(policy.on_unknown)
    {
        let what = format!("enforcement.on_unknown.{kind}");
        out.push(PolicyLine { what, value: effective.as_str().to_owned(), at: said.map(|(_, at)| at) });
    }
    out
}
