//! One rule over one resource, to a verdict and its finding.

use auditlint_graph::{Cause, CauseKind, Resource, ResourceGraph, Slot, Value};
use auditlint_syntax::{Location, Name};

use super::reads::Reads;
use super::{Context, Joins, Judged, Look, RootContext, Subject, place, remedy};
use crate::condition::Operand;
use crate::external::StoreRole;
use crate::flow::{self, Flow, Lost};
use crate::intent::bind::list;
use crate::intent::within_both;
use crate::rule::{Intent, ParameterKind, RuleKind};
use crate::{
    Binding, Catalogue, Category, Days, Evidence, Finding, Place, Policy, PolicyRef, Related, Verdict,
};
use std::sync::Arc;

/// One rule, and the resource that it judges.
pub(super) struct Judge<'a> {
    pub(super) graph: &'a ResourceGraph,
    pub(super) policy: &'a Policy,
    pub(super) catalogue: &'a Catalogue,
    pub(super) flow: &'a Flow,
    pub(super) joins: &'a Joins,
    pub(super) root: &'a RootContext,
    pub(super) binding: &'a Binding,
    pub(super) slot: Slot,
    pub(super) resource: &'a Resource,
    pub(super) reads: Option<&'a Reads>,
}

impl Judge<'_> {
    /// The verdict and, where it is to be kept, the finding; none when the rule does not speak of the resource.
    pub(super) fn judge(&self) -> Option<(Verdict, Option<Finding>)> {
        if !self.policy.scope.holds(self.resource) {
            return None;
        }
        let rule = &self.binding.rule;
        let mut parameters = self.binding.parameters.clone();
        let mut at = self.binding.at;
        let mut categories = self.binding.categories.clone();
        let elsewhere = self.elsewhere();
        let world = Context {
            graph: self.graph,
            catalogue: self.catalogue,
            flow: self.flow,
            joins: self.joins,
            parameters: &[],
            slot: self.slot,
            resource: self.resource,
            elsewhere: elsewhere.as_ref(),
            reads: self.reads,
        };
        let limits = rule.asks.contains(&Intent::RetentionMaximum);
        let keeps =
            rule.asks.iter().any(|intent| matches!(intent, Intent::Retention | Intent::RetentionUnset));
        let mut stricter: Option<Cause> = None;
        let mut is_buffer = false;
        if rule.kind == RuleKind::Store {
            match world.declared_role().map(|declared| declared.role) {
                Some(StoreRole::Ignore) => return None,
                Some(StoreRole::Buffer) if keeps && !rule.asks.contains(&Intent::Retention) => return None,
                role => is_buffer = role == Some(StoreRole::Buffer),
            }
            let reaching: Vec<Category> = world.categories();
            // A store is asked on behalf of the flows that reach it; one that no source reaches on behalf of all.
            let asked_for = |category: &Category| self.binding.categories.contains(category);
            if self.binding.by_flow && !reaching.is_empty() && !reaching.iter().any(asked_for) {
                return None;
            }
            if self.binding.by_flow && limits {
                // The shortest limit of the flows that reach it; a store that no source reaches has none.
                let asked =
                    self.policy.days.maxima.iter().filter(|(category, ..)| reaching.contains(category));
                let (_, days, line) = asked.min_by_key(|(_, days, _)| *days)?;
                at = *line;
                categories = reaching;
                set(&mut parameters, "maximum", *days);
            } else if self.binding.by_flow && keeps {
                // A store takes the strictest demand of the flows that reach it; one that no source reaches
                // takes the strictest of all.
                let asked = self
                    .policy
                    .days
                    .retention
                    .iter()
                    .filter(|(category, ..)| reaching.is_empty() || reaching.contains(category));
                let (category, days, line) = asked.max_by_key(|(_, days, _)| *days)?;
                // Of a part of a plan, a flow with a stricter demand may be left out.
                let is_least = rule.asks.iter().any(|intent| matches!(intent, Intent::Retention));
                if is_least && self.policy.days.retention.iter().any(|(_, other, _)| other > days) {
                    stricter = world.left_out(|kind| self.catalogue.carries_logs(kind));
                }
                at = *line;
                categories = if reaching.is_empty() { vec![*category] } else { reaching };
                set(&mut parameters, "retention", *days);
            } else if let Some(days) = self.days_by_flow() {
                let asked =
                    days.iter().filter(|(category, ..)| reaching.is_empty() || reaching.contains(category));
                let (category, days, line) = asked.max_by_key(|(_, days, _)| *days)?;
                at = *line;
                categories = if reaching.is_empty() { vec![*category] } else { reaching };
                set(&mut parameters, "retention", *days);
            } else if !reaching.is_empty() {
                categories = reaching;
            }
            if self.binding.by_flow && rule.asks.contains(&Intent::Access) {
                let (accounts, line) = self.readers(&categories)?;
                at = line;
                give(&mut parameters, "accounts", accounts);
            }
        }
        let context = Context { parameters: &parameters, ..world };
        let subject = Subject::resource(self.resource);
        let when = rule.when.as_ref().map(|when| context.condition(when, &subject));
        let selected = when.as_ref().map_or(Verdict::Pass, |when| when.verdict);
        if !matches!(selected, Verdict::Pass | Verdict::Unknown) {
            return None;
        }
        let mut judged = context.condition(&rule.requires, &subject);
        if judged.verdict != Verdict::Pass && !rule.satisfied_by.is_empty() {
            let others = rule.satisfied_by.iter().map(|condition| context.condition(condition, &subject));
            judged = Judged::any([judged].into_iter().chain(others).collect(), Verdict::Fail);
        }
        if judged.verdict == Verdict::NotApplicable {
            return None;
        }
        if rule.kind == RuleKind::Store
            && rule.asks.contains(&Intent::Retention)
            && judged.verdict != Verdict::Pass
            && let Some(asked) = crate::probes::asked_retention(&context)
        {
            // The longest that any store keeps the same logs counts: a buffer is judged together with its archive, and
            // a copy with what it was made of.
            let archive = flow::archive(&context, self.flow).filter(|archive| archive.days >= asked);
            let other =
                archive.map(|archive| archive.related).or_else(|| flow::original(&context, self.flow, asked));
            match other {
                Some(other) => judged = Judged::holds(true).with_related(other),
                None if is_buffer && judged.verdict == Verdict::Fail => {
                    judged.says =
                        Some(format!("is a buffer, and nothing behind it keeps all of its logs for {asked}"));
                }
                None => {}
            }
        }
        if let (Verdict::Pass, Some(cause)) = (judged.verdict, stricter) {
            // What is asked is not known; the value is.
            judged = Judged { related: judged.related, ..Judged::unknown(cause) };
        }
        let undecided =
            self.resource.undecided.as_deref().cloned().or_else(|| {
                (selected == Verdict::Unknown).then(|| when.and_then(|when| when.cause)).flatten()
            });
        if undecided.is_some() || selected == Verdict::Unknown {
            judged.verdict = judged.verdict.at_most_unknown();
            judged.cause = undecided.or(judged.cause);
        }
        if let Some((outside, line)) = self.outside(&judged, &context, &categories) {
            if outside.verdict == Verdict::Pass {
                judged.related.extend(outside.related);
            } else {
                (judged, at) = (outside, line);
            }
        } else if let Some(lost) = self.lost(&judged, &context, &categories) {
            let undecided = Judged { related: judged.related, ..Judged::unknown(lost.cause.clone()) };
            judged = match lost.path.as_ref().map(|path| (path, context.look(&subject, path))) {
                Some((path, Look::Set(value))) => undecided.looking(path.to_string(), Some(value)),
                _ => undecided,
            };
        }
        let keep = judged.verdict != Verdict::Pass || self.root.keep_passes;
        let verdict = judged.verdict;
        Some((verdict, keep.then(|| self.finding(&context, judged, &parameters, at, categories))))
    }

    /// What the policy asks of a store for as long as each of the flows needs it, other than to keep.
    fn days_by_flow(&self) -> Option<&[(Category, u32, Location)]> {
        let asks = |intent: Intent| self.binding.by_flow && self.binding.rule.asks.contains(&intent);
        let days = &self.policy.days;
        let found = [(Intent::RetentionHot, &days.hot), (Intent::Immutability, &days.immutable)];
        found.into_iter().find(|(intent, _)| asks(*intent)).map(|(_, days)| days.as_slice())
    }

    /// From where a store of these categories may be read: only what all of them allow.
    fn readers(&self, categories: &[Category]) -> Option<(Operand, Location)> {
        let mut asked = self.policy.readers.iter().filter(|(category, ..)| categories.contains(category));
        let (_, first, line) = asked.next()?;
        let all = asked.fold(first.clone(), |known, (_, other, _)| within_both(&known, other));
        Some((list(&all), *line))
    }

    /// Why what turns the logs of a source on may live in another root, where the policy says so of a category that
    /// asks.
    fn elsewhere(&self) -> Option<Cause> {
        if self.binding.rule.kind != RuleKind::Source {
            return None;
        }
        let said =
            self.policy.may_live_in.iter().find(|(category, _)| self.binding.categories.contains(category));
        said.map(|(_, roots)| Cause {
            kind: CauseKind::Elsewhere,
            subject: format!("what {} holds", roots.join(" or ")),
            hint: "the policy says by `may_live_in` that it may be there: look for it in that root"
                .to_owned(),
        })
    }

    /// The logs of a source in order of which nobody knows how long they are kept, where the policy says how long:
    /// another root decides where they rest.
    fn lost<'c>(&self, judged: &Judged, context: &Context<'c>, categories: &[Category]) -> Option<&'c Lost> {
        let rule = &self.binding.rule;
        let emits = rule.kind == RuleKind::Source && rule.asks.contains(&Intent::Emit);
        let asked =
            |category: &&Category| self.policy.days.retention.iter().any(|(asked, ..)| asked == *category);
        let asked: Vec<Category> = categories.iter().filter(asked).copied().collect();
        if !emits || judged.verdict != Verdict::Pass || asked.is_empty() {
            return None;
        }
        context.lost(&asked)
    }

    fn finding(
        &self,
        context: &Context<'_>,
        judged: Judged,
        parameters: &[(Name, Operand)],
        at: Location,
        categories: Vec<Category>,
    ) -> Finding {
        let rule = &self.binding.rule;
        let attribute =
            judged.looked.as_ref().map(|looked| looked.path.clone()).filter(|path| !path.is_empty());
        let value = judged.looked.as_ref().and_then(|looked| looked.value.as_ref());
        let (place, mut related) = place::of(self.graph, self.resource, attribute.as_deref(), value);
        related.extend(judged.related.iter().cloned());
        related.extend(self.flow.arrivals(self.slot).iter().map(|arrival| Related {
            message: format!("{} in root {} sends its logs here", arrival.from.address, arrival.from.root),
            place: arrival.from.at.map_or(Place::Nowhere, Place::Source),
        }));
        let mut message = match judged.verdict {
            Verdict::Unknown => self.undecided(&judged, attribute.as_deref()),
            Verdict::Pass => rule.title.clone(),
            _ => match &judged.says {
                Some(says) => says.clone(),
                None => self.message(&rule.message, value, parameters),
            },
        };
        if judged.verdict == Verdict::Fail && value.is_some_and(|value| value.origin.is_assumed()) {
            message.push_str(", by the default of a variable");
        }
        let remedies = if judged.verdict == Verdict::Fail {
            remedy::bind(context, rule, parameters, &judged)
        } else {
            Vec::new()
        };
        let origin = value.map_or("absent", |value| place::origin_word(value.origin.decisive()));
        let evidence = attribute.iter().map(|path| Evidence {
            subject: path.clone(),
            value: value.map_or("not set".to_owned(), auditlint_graph::Tracked::show),
            origin,
            place: value.map_or(Place::Nowhere, |value| place::decisive(&value.origin)),
        });
        Finding {
            rule: Arc::clone(&rule.id),
            verdict: judged.verdict,
            severity: self.binding.severity,
            level: self.binding.level,
            categories,
            address: self.resource.address.clone(),
            message,
            place,
            related,
            policy: PolicyRef { id: Arc::clone(&self.policy.id), at },
            cause: if judged.verdict == Verdict::Unknown { judged.cause } else { None },
            evidence: evidence.collect(),
            flows: self.flow.paths(self.slot, context),
            remedies,
            exemption: None,
            attribute,
            root: Arc::clone(&self.root.folder),
        }
    }

    /// What is not known, and what decides it.
    fn undecided(&self, judged: &Judged, attribute: Option<&str>) -> String {
        if let Some(cause) = &self.resource.undecided {
            return format!("whether it exists is not known: {}", subject(cause));
        }
        let what =
            attribute.map_or_else(|| self.binding.rule.title.clone(), |path| format!("{path} is not known"));
        match &judged.cause {
            Some(cause) if !cause.subject.is_empty() => format!("{what}: {}", subject(cause)),
            _ => what,
        }
    }

    fn message(
        &self,
        template: &str,
        value: Option<&auditlint_graph::Tracked>,
        parameters: &[(Name, Operand)],
    ) -> String {
        let mut out = String::with_capacity(template.len() + 16);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('}') else { break };
            let parameter = parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value);
            let is_days = self.is_days(name);
            match (name, parameter) {
                ("value", _) => out.push_str(&shown(
                    value,
                    self.binding.rule.parameters.iter().any(|p| p.kind == ParameterKind::Duration),
                )),
                (_, Some(Operand::Number(days))) if is_days => out.push_str(&days_text(*days)),
                (_, Some(value)) => out.push_str(&value.to_string()),
                (_, None) => out.push_str(name),
            }
            rest = tail;
        }
        out.push_str(rest);
        out
    }

    fn is_days(&self, name: &str) -> bool {
        let parameter = self.binding.rule.parameters.iter().find(|parameter| parameter.name == name);
        parameter.is_some_and(|parameter| parameter.kind == ParameterKind::Duration)
    }
}

/// Gives a parameter another number of days.
fn set(parameters: &mut [(Name, Operand)], name: &str, days: u32) {
    give(parameters, name, Operand::Number(f64::from(days)));
}

/// Gives a parameter another value.
fn give(parameters: &mut [(Name, Operand)], name: &str, given: Operand) {
    let wanted = parameters.iter_mut().find(|(known, _)| known == name);
    wanted.into_iter().for_each(|(_, value)| *value = given.clone());
}

/// What decides, as the end of a sentence.
fn subject(cause: &Cause) -> String {
    let verb = if cause.subject.starts_with("statements ") { "decide" } else { "decides" };
    format!("{} {verb}", cause.subject)
}

pub(super) fn days_text(days: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "parameters of type duration are whole and small"
    )]
    Days::Count(days as u32).to_string()
}

fn shown(value: Option<&auditlint_graph::Tracked>, is_days: bool) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(value) if value.sensitive => value.show(),
        Some(value) => match value.value() {
            Value::Number(number) if is_days && !number.is_negative() && !number.is_zero() => {
                days_text(number.to_f64())
            }
            _ => value.show(),
        },
    }
}
