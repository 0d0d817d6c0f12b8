//! Whether an audit policy says what its author believes: rules that never match, requests that fall through, stages
//! that hide the result.

use super::rule::{Level, Policy, Rule, STAGES};
use super::{Context, each_policy, wrong};
use crate::evaluate::Judged;

/// A last rule takes what no other one matches, and records it.
pub(in crate::probes) fn catch_all(context: &Context<'_>) -> Judged {
    each_policy(context, |policy| match policy.rules.iter().find(|rule| rule.matches_everything()) {
        None => wrong(
            "no last rule matches what the others do not, so that it is not recorded".to_owned(),
            &policy.at,
        ),
        Some(rule) if level(rule) == Some(Level::None) => {
            wrong("what no other rule matches is not recorded".to_owned(), &rule.at)
        }
        Some(_) => Judged::holds(true),
    })
}

/// No rule drops changes of everything in a namespace, or of everything by a verb.
pub(in crate::probes) fn nothing_dropped(context: &Context<'_>) -> Judged {
    const CHANGES: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];
    let is_broad = |rule: &&Rule| {
        let of_all = rule.resources.is_empty()
            || rule.resources.iter().any(|one| one.resources.iter().any(|name| name == "*"));
        level(rule) == Some(Level::None)
            && of_all
            && rule.urls.is_empty()
            // What is not recorded of all the rest is said of the last rule.
            && !rule.matches_everything()
            && !rule.is_of_the_platform()
            && (rule.verbs.is_empty() || rule.verbs.iter().any(|verb| CHANGES.contains(&verb.as_str())))
    };
    each_policy(context, |policy| match policy.rules.iter().find(is_broad) {
        None => Judged::holds(true),
        Some(rule) => {
            let of = match (rule.namespaces.as_slice(), rule.users.is_empty() && rule.groups.is_empty()) {
                (_, false) => "some users".to_owned(),
                ([], true) => "everybody".to_owned(),
                (names, true) => format!("everybody in {}", names.join(", ")),
            };
            wrong(format!("the changes of {of} are not recorded"), &rule.at)
        }
    })
}

/// Every rule can match something that no earlier one matches.
pub(in crate::probes) fn reachable(context: &Context<'_>) -> Judged {
    each_policy(context, |policy| {
        let earlier =
            |at: usize, rule: &Rule| policy.rules.iter().take(at).position(|before| before.covers(rule));
        let hidden =
            policy.rules.iter().enumerate().find_map(|(at, rule)| Some((at, rule, earlier(at, rule)?)));
        match hidden {
            None => Judged::holds(true),
            Some((at, rule, by)) => wrong(
                format!("rule {} never matches: rule {} takes all of its requests", at + 1, by + 1),
                &rule.at,
            ),
        }
    })
}

/// What became of a request is recorded: neither its answer nor its failure is left out.
pub(in crate::probes) fn keeps_stages(context: &Context<'_>) -> Judged {
    each_policy(context, |policy| {
        let of_rules = policy
            .rules
            .iter()
            .filter(|rule| level(rule) != Some(Level::None))
            .flat_map(|rule| &rule.omitted);
        let hidden = policy
            .omitted
            .iter()
            .chain(of_rules)
            .find(|(stage, _)| matches!(stage.as_str(), "ResponseComplete" | "Panic"));
        match hidden {
            None => Judged::holds(true),
            Some((stage, at)) => {
                wrong(format!("the stage {stage} is left out: what became of a request is not recorded"), at)
            }
        }
    })
}

/// The API server takes the policy: it starts with no other one.
pub(in crate::probes) fn valid(context: &Context<'_>) -> Judged {
    each_policy(context, |policy| defect(policy).unwrap_or(Judged::holds(true)))
}

fn defect(policy: &Policy) -> Option<Judged> {
    if policy.rules.is_empty() {
        return Some(wrong("the policy has no rules".to_owned(), &policy.at));
    }
    let of_rules = policy.rules.iter().flat_map(|rule| &rule.omitted);
    let stage = policy.omitted.iter().chain(of_rules).find(|(stage, _)| !STAGES.contains(&stage.as_str()));
    if let Some((stage, at)) = stage {
        return Some(wrong(format!("there is no stage `{stage}`"), at));
    }
    policy.rules.iter().find_map(|rule| {
        let of_resources = !rule.resources.is_empty() || !rule.namespaces.is_empty();
        let says = match &rule.level {
            None => "a rule has no level".to_owned(),
            Some(word) if Level::read(word).is_none() => format!("there is no level `{word}`"),
            Some(_) if of_resources && !rule.urls.is_empty() => {
                "a rule speaks of resources and of URLs, and may speak of one of them only".to_owned()
            }
            Some(_) if rule.resources.iter().any(|one| one.resources.is_empty() && !one.names.is_empty()) => {
                "a rule names instances and no resources".to_owned()
            }
            Some(_) => return None,
        };
        Some(wrong(says, &rule.at))
    })
}

fn level(rule: &Rule) -> Option<Level> {
    rule.level.as_deref().and_then(Level::read)
}
