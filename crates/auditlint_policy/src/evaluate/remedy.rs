//! Remedies of a rule, bound to the resource that broke it.

use auditlint_graph::{Address, Resource, Slot};
use auditlint_syntax::{Location, Name};

use super::{Context, Judged, Subject, days_text};
use crate::condition::{AttributePath, Operand};
use crate::probes::kubernetes::change::{self, written};
use crate::rule::{BlockTemplate, ChangeTemplate, ParameterKind, Rule, RuleKind, ValueTemplate};
use crate::{LiteralValue, NewBlock, NewValue, Policy, Remedy, RemedyKind, Safety, Verdict};

/// The remedies of what `judged` found wrong. Of what is wrong outside of the resource none is written here, but for
/// elements, which say themselves where they stand.
pub(super) fn bind(
    context: &Context<'_>,
    rule: &Rule,
    parameters: &[(Name, Operand)],
    judged: &Judged,
) -> Vec<Remedy> {
    let wrong = judged.looked.as_ref().and_then(|looked| looked.value.as_ref()).and_then(written);
    let binder = Binder { context, rule, parameters, wrong };
    let templates = rule
        .remedies
        .iter()
        .filter(|template| judged.says.is_none() || template.changes.iter().all(ChangeTemplate::is_element));
    templates
        .filter(|template| !template.changes.iter().any(|change| is_there(context, change)))
        .filter_map(|template| {
            let changes: Option<Vec<RemedyKind>> =
                template.changes.iter().map(|change| binder.change(change)).collect();
            let changes = changes?;
            let choice = changes.iter().any(has_choice);
            Some(Remedy {
                title: binder.title(&template.title, &template.changes),
                safety: if choice { Safety::NeedsInput } else { template.safety },
                subject: context.resource.address.clone(),
                changes,
            })
        })
        .collect()
}

/// Whether a companion that a remedy would add is there already: a second one would contradict it, and the one that
/// is there is for its author to change.
fn is_there(context: &Context<'_>, change: &ChangeTemplate) -> bool {
    let ChangeTemplate::AddResource { kind, body, .. } = change else { return false };
    let joins = body.iter().filter(|(_, value)| matches!(value, ValueTemplate::SubjectAttribute(_)));
    joins
        .map(|(name, _)| AttributePath::parse(name))
        .any(|join| !context.companions(std::slice::from_ref(kind), &join, &[]).0.is_empty())
}

/// The resources of these types that a remedy of the resource of `context` may refer to, the best first, at most `most`.
///
/// What keeps logs already comes first. Another one becomes a store of logs when it is chosen, and is offered only where it
/// has what the policy asks of stores: a fix adds no finding.
pub(super) fn choices(context: &Context<'_>, policy: &Policy, types: &[Name], most: usize) -> Vec<Address> {
    let module = &context.resource.address.module;
    let others = types
        .iter()
        .flat_map(|kind| context.of_kind(kind))
        .filter(|(slot, resource)| *slot != context.slot && resource.address.module == *module);
    let (mut stores, mut others): (Vec<_>, Vec<_>) =
        others.partition(|(slot, resource)| context.at(*slot, resource).is_reached());
    stores.sort_by_key(|(_, resource)| &resource.address);
    others.sort_by_key(|(_, resource)| &resource.address);
    let fit = others.into_iter().filter(|(slot, resource)| may_keep_logs(context, policy, *slot, resource));
    stores.into_iter().chain(fit).take(most).map(|(_, resource)| resource.address.clone()).collect()
}

/// Whether no rule of the policy would fail on a resource once logs reach it.
fn may_keep_logs(context: &Context<'_>, policy: &Policy, slot: Slot, resource: &Resource) -> bool {
    let mut stores = policy.bindings.iter().filter(|binding| {
        let rule = &binding.rule;
        rule.kind == RuleKind::Store && rule.when.is_some() && rule.selects.contains(resource.kind())
    });
    stores.all(|binding| {
        let context = Context { parameters: &binding.parameters, ..context.at(slot, resource) };
        let subject = Subject::resource(resource);
        let holds = |condition| context.condition(condition, &subject).verdict != Verdict::Fail;
        holds(&binding.rule.requires) || binding.rule.satisfied_by.iter().any(holds)
    })
}

struct Binder<'a> {
    context: &'a Context<'a>,
    rule: &'a Rule,
    parameters: &'a [(Name, Operand)],
    /// Where what is wrong is written.
    wrong: Option<Location>,
}

impl Binder<'_> {
    fn change(&self, change: &ChangeTemplate) -> Option<RemedyKind> {
        Some(match change {
            ChangeTemplate::Set(path, value) => {
                RemedyKind::Set { path: path.to_string(), value: self.value(Some(path), value) }
            }
            ChangeTemplate::Append(path, values) => {
                let values = values.iter().flat_map(|value| match self.context.operand(value) {
                    Operand::List(items) => items.clone(),
                    other => vec![other.clone()],
                });
                RemedyKind::Append {
                    path: path.to_string(),
                    values: values.map(|value| literal(&value)).collect(),
                }
            }
            ChangeTemplate::Remove(path) => RemedyKind::Remove { path: path.to_string() },
            ChangeTemplate::Flag(name, value) => {
                let value = self.context.operand(value).to_string();
                RemedyKind::Element(change::flag(self.context, name, &value)?)
            }
            ChangeTemplate::AuditLevel(level) => {
                let level = self.context.operand(level).to_string();
                RemedyKind::Element(change::audit_level(self.context, &level, self.wrong)?)
            }
            ChangeTemplate::AuditRule(rule) => {
                RemedyKind::Element(change::audit_rule(self.context, &self.filled(rule), self.wrong)?)
            }
            ChangeTemplate::Drop => RemedyKind::Element(change::without(self.context, self.wrong)?),
            ChangeTemplate::AddBlock(block) => RemedyKind::AddBlock(self.block(block)),
            ChangeTemplate::AddResource { kind, body, blocks } => RemedyKind::AddResource {
                kind: kind.clone(),
                body: self.body(body),
                blocks: blocks.iter().map(|block| self.block(block)).collect(),
            },
        })
    }

    /// A value with the parameters that it names.
    fn filled(&self, value: &LiteralValue) -> LiteralValue {
        match value {
            LiteralValue::String(text) => {
                let named = text.strip_prefix('$');
                let own = named.and_then(|named| self.parameters.iter().find(|(name, _)| name == named));
                own.map_or_else(|| value.clone(), |(_, value)| literal(value))
            }
            LiteralValue::List(items) => {
                LiteralValue::List(items.iter().map(|item| self.filled(item)).collect())
            }
            LiteralValue::Map(entries) => {
                let entries = entries.iter().map(|(name, value)| (name.clone(), self.filled(value)));
                LiteralValue::Map(entries.collect())
            }
            LiteralValue::Bool(_) | LiteralValue::Int(_) => value.clone(),
        }
    }

    fn block(&self, block: &BlockTemplate) -> NewBlock {
        NewBlock {
            name: block.name.clone(),
            body: self.body(&block.body),
            blocks: block.blocks.iter().map(|block| self.block(block)).collect(),
        }
    }

    fn body(&self, body: &[(Name, ValueTemplate)]) -> Vec<(Name, NewValue)> {
        body.iter().map(|(name, value)| (name.clone(), self.value(None, value))).collect()
    }

    fn value(&self, path: Option<&AttributePath>, value: &ValueTemplate) -> NewValue {
        match value {
            ValueTemplate::Operand(operand) => {
                let value = self.context.operand(operand).clone();
                NewValue::Literal(literal(&self.snapped(path, value)))
            }
            ValueTemplate::SubjectAttribute(name) => NewValue::SubjectAttribute(name.clone()),
            ValueTemplate::Choose { types, attribute, placeholder } => NewValue::Choice {
                types: types.clone(),
                attribute: attribute.clone(),
                placeholder: placeholder.clone(),
            },
        }
    }

    /// A number raised to the next one that the provider takes.
    fn snapped(&self, path: Option<&AttributePath>, value: Operand) -> Operand {
        let (Some(path), Operand::Number(wanted)) = (path, &value) else { return value };
        let Some(facts) = self.context.catalogue.facts(self.context.resource.kind()) else { return value };
        let allowed = facts.allowed.iter().filter(|(known, _)| known == path).flat_map(|(_, values)| values);
        let numbers =
            allowed.filter_map(|value| if let Operand::Number(n) = value { Some(*n) } else { None });
        numbers.filter(|n| n >= wanted).min_by(f64::total_cmp).map_or(value, Operand::Number)
    }

    fn title(&self, template: &str, changes: &[ChangeTemplate]) -> String {
        let mut out = template.to_owned();
        for (name, value) in self.parameters {
            let kind = self
                .rule
                .parameters
                .iter()
                .find(|parameter| parameter.name == *name)
                .map(|parameter| parameter.kind);
            // The title says what is written, which may be more than what was asked.
            let path = changes.iter().find_map(|change| match change {
                ChangeTemplate::Set(path, ValueTemplate::Operand(Operand::Parameter(used)))
                    if used == name =>
                {
                    Some(path)
                }
                _ => None,
            });
            let text = match (kind, self.snapped(path, value.clone())) {
                (Some(ParameterKind::Duration), Operand::Number(days)) if path.is_none() => days_text(days),
                (_, value) => value.to_string(),
            };
            out = out.replace(&format!("{{{name}}}"), &text);
        }
        out
    }
}

fn literal(operand: &Operand) -> LiteralValue {
    match operand {
        Operand::Bool(value) => LiteralValue::Bool(*value),
        #[expect(clippy::cast_possible_truncation, reason = "numbers of the catalogue are whole and small")]
        Operand::Number(value) => LiteralValue::Int(*value as i64),
        Operand::Text(text) => LiteralValue::String(text.to_string()),
        Operand::Parameter(name) => LiteralValue::String(name.to_string()),
        Operand::List(items) => LiteralValue::List(items.iter().map(literal).collect()),
    }
}

fn has_choice(change: &RemedyKind) -> bool {
    let value = |value: &NewValue| matches!(value, NewValue::Choice { .. });
    fn block(new: &NewBlock, value: &dyn Fn(&NewValue) -> bool) -> bool {
        new.body.iter().any(|(_, inner)| value(inner)) || new.blocks.iter().any(|inner| block(inner, value))
    }
    match change {
        RemedyKind::Set { value: new, .. } => value(new),
        RemedyKind::AddBlock(new) => block(new, &value),
        RemedyKind::AddResource { body, blocks, .. } => {
            body.iter().any(|(_, new)| value(new)) || blocks.iter().any(|new| block(new, &value))
        }
        RemedyKind::Append { .. }
        | RemedyKind::Remove { .. }
        | RemedyKind::AddSet { .. }
        | RemedyKind::Element(_) => false,
    }
}
