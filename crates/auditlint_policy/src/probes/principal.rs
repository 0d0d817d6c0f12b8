//! Whom a resource policy lets in, and what it lets them do.

use auditlint_graph::Unknown;
use auditlint_syntax::Name;
use auditlint_syntax::document::{self, Node, NodeKind};

use super::{Context, text, texts};
use crate::condition::{AttributePath, Operand};
use crate::evaluate::{Judged, Look, Subject};
use crate::external::Pattern;

/// Conditions that bind a wildcard principal to accounts, organisations, networks or sources that are named.
const BINDING: &[&str] = &[
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceip",
    "aws:userid",
];

/// Those of them whose values are ids of accounts or organisations.
const ACCOUNT_KEYS: &[&str] = &[
    "aws:principalorgid",
    "aws:principalaccount",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceowner",
];

/// What stands for a part of a policy that is not known.
const NOT_KNOWN: &str = "(known after apply)";

/// Whether the policy at `path` lets anyone in: an `Allow` for `*` that no condition binds.
pub(super) fn public(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    allowed(context, with, lets_anyone_in)
}

/// Whether the policy at `path` lets anyone from outside of `accounts` do one of `actions`: of accounts and of
/// organisations, by their ids. Who a service works for is another question.
pub(super) fn foreign_reader(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    let accounts: Vec<Pattern> =
        texts(context, with, "accounts").iter().map(|account| Pattern::new(account)).collect();
    let actions = texts(context, with, "actions");
    allowed(context, with, |statement| {
        let does = match (statement.get("Action"), statement.get("NotAction")) {
            (Some(action), _) => names(action).any(|look| actions.iter().any(|action| covers(look, action))),
            (None, Some(others)) => {
                !actions.iter().all(|action| names(others).any(|look| covers(look, action)))
            }
            (None, None) => false,
        };
        Some(does && is_foreign(statement, &accounts))
    })
}

/// Whether a statement is for anyone from outside of `accounts`.
fn is_foreign(statement: &Node, accounts: &[Pattern]) -> bool {
    let permitted = |id: &str| accounts.iter().any(|look| look.matches(id));
    // Whom a condition binds a principal to, where it names accounts or organisations.
    let bound = || {
        let tests = statement.get("Condition").map(Node::entries).unwrap_or_default();
        let positive = tests.iter().filter(|test| !test.key.to_ascii_lowercase().contains("not"));
        let mut named = positive
            .flat_map(|test| test.value.entries())
            .filter(|entry| ACCOUNT_KEYS.contains(&entry.key.to_ascii_lowercase().as_str()));
        named.any(|entry| names(&entry.value).next().is_some() && names(&entry.value).all(permitted))
    };
    let Some(principal) = statement.get("Principal") else {
        return statement.get("NotPrincipal").is_some();
    };
    let kinds = principal.entries().iter();
    let of_kinds = kinds.filter(|kind| kind.key != "Service").flat_map(|kind| names(&kind.value));
    let mut all = names(principal).chain(of_kinds);
    all.any(|who| {
        let account = who.split(':').nth(4).unwrap_or(who);
        // What is not known yet is asked with other fillings.
        !account.contains(NOT_KNOWN) && !permitted(account) && !bound()
    })
}

/// The text, or the texts of a list.
fn names(node: &Node) -> impl Iterator<Item = &str> {
    node.as_str().into_iter().chain(node.items().iter().filter_map(Node::as_str))
}

/// Whether an action of a policy, with `*` for any text, is that action as well.
fn covers(look: &str, action: &str) -> bool {
    Pattern::new(&look.to_ascii_lowercase()).matches(&action.to_ascii_lowercase())
}

fn lets_anyone_in(statement: &Node) -> Option<bool> {
    if !statement.get("Principal").is_some_and(anyone) {
        return Some(false);
    }
    match statement.get("Condition") {
        Some(condition) if !matches!(condition.kind, NodeKind::Map(_)) => None,
        condition => Some(!condition.is_some_and(binds)),
    }
}

/// Whether the policy at `path` allows every action, or every action of a service.
pub(super) fn wildcard_action(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    let every = |node: &Node| node.as_str().is_some_and(|action| action == "*" || action.ends_with(":*"));
    allowed(context, with, |statement| {
        let action = statement.get("Action");
        let wide = action.is_some_and(|action| every(action) || action.items().iter().any(every));
        // `Allow` with `NotAction` allows all others.
        Some(wide || statement.get("NotAction").is_some())
    })
}

/// Whether the policy at `path` lets one of `services` in without a condition on the account, organisation or
/// resource that it acts for: anybody could let the service act here then.
pub(super) fn unbound_service(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    let services = texts(context, with, "services");
    allowed(context, with, |statement| {
        let named = statement.get("Principal").and_then(|principal| principal.get("Service"));
        let asked =
            |node: &Node| node.as_str().is_some_and(|name| services.iter().any(|known| known == name));
        if !named.is_some_and(|named| asked(named) || named.items().iter().any(asked)) {
            return Some(false);
        }
        match statement.get("Condition") {
            Some(condition) if !matches!(condition.kind, NodeKind::Map(_)) => None,
            condition => Some(!condition.is_some_and(binds)),
        }
    })
}

/// Whether the policy at `path` lets one of `services` put objects, or any account where `accounts` is given: load
/// balancers of older regions write as an account of the service.
pub(super) fn lets_write(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    const PUTS: [&str; 5] = ["s3:PutObject", "s3:PutObject*", "s3:Put*", "s3:*", "*"];
    let services = texts(context, with, "services");
    let accounts = text(context, with, "accounts").is_some();
    let is_one = |node: &Node, asked: &dyn Fn(&str) -> bool| {
        let asked = |node: &Node| node.as_str().is_some_and(asked);
        asked(node) || node.items().iter().any(asked)
    };
    allowed(context, with, |statement| {
        let puts = |name: &str| PUTS.iter().any(|known| known.eq_ignore_ascii_case(name));
        let acts = statement.get("Action").is_some_and(|action| is_one(action, &puts));
        let by = |kind: &str| statement.get("Principal").and_then(|principal| principal.get(kind));
        let asked = |name: &str| services.iter().any(|service| service == name);
        let is_let = statement.get("Principal").is_some_and(anyone)
            || by("Service").is_some_and(|named| is_one(named, &asked))
            || accounts && by("AWS").is_some();
        Some((acts || statement.get("NotAction").is_some()) && is_let)
    })
}

/// Whether an `Allow` statement of the policy at `path` is as asked for; the question answers none where a part
/// of the statement is not known.
fn allowed(context: &Context<'_>, with: &[(Name, Operand)], asked: impl Fn(&Node) -> Option<bool>) -> Judged {
    let path = AttributePath::parse(text(context, with, "path").unwrap_or("policy"));
    match context.look(&Subject::resource(context.resource), &path) {
        Look::Absent | Look::Default(_) => Judged::holds(false).looking(path.to_string(), None),
        Look::Unknown(cause) => Judged::unknown(cause).looking(path.to_string(), None),
        Look::Set(value) => {
            let judged = match (value.value().as_str(), value.unknown()) {
                (Some(policy), _) => Judged::holds(allows(policy, &asked) == Some(true)),
                (None, Some(unknown)) => match every_filling(unknown, &asked) {
                    Some(answer) => Judged::holds(answer),
                    None => Judged::unknown(unknown.cause.clone()),
                },
                (None, None) => Judged::holds(false),
            };
            judged.looking(path.to_string(), Some(value))
        }
    }
}

/// The answer of a policy of which parts are not known, where it is the same whatever those parts are.
fn every_filling(unknown: &Unknown, asked: &impl Fn(&Node) -> Option<bool>) -> Option<bool> {
    let answers = [NOT_KNOWN, "*", "Allow"].map(|fill| allows(&unknown.filled(fill)?, asked));
    let [first, rest @ ..] = answers;
    first.filter(|_| rest.iter().all(|answer| *answer == first))
}

/// Whether an `Allow` statement of the policy is as asked for; none where a whole statement is not an object.
fn allows(policy: &str, asked: &impl Fn(&Node) -> Option<bool>) -> Option<bool> {
    let document = document::parse_json(policy);
    let Some(statements) = document.root.get("Statement") else { return Some(false) };
    let single = std::slice::from_ref(statements);
    let statements = if let NodeKind::List(items) = &statements.kind { items.as_slice() } else { single };
    let mut found = false;
    for statement in statements {
        if !matches!(statement.kind, NodeKind::Map(_)) {
            return None;
        }
        if statement.get("Effect").and_then(Node::as_str) == Some("Allow") {
            found |= asked(statement)?;
        }
    }
    Some(found)
}

fn anyone(principal: &Node) -> bool {
    let star = |node: &Node| {
        node.as_str() == Some("*") || node.items().iter().any(|item| item.as_str() == Some("*"))
    };
    star(principal) || principal.get("AWS").is_some_and(star)
}

fn binds(condition: &Node) -> bool {
    condition.entries().iter().any(|test| {
        // A negative test excludes some and lets the rest of the world in.
        let positive = !test.key.to_ascii_lowercase().contains("not");
        positive
            && test.value.entries().iter().any(|entry| {
                let open = entry.value.as_str() == Some("*") || entry.value.as_str() == Some("0.0.0.0/0");
                BINDING.contains(&entry.key.to_ascii_lowercase().as_str()) && !open
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_wildcard_is_not_public() {
        let public = |policy: &str| allows(policy, &lets_anyone_in) == Some(true);
        let policy = |principal: &str, condition: &str| {
            format!(r#"{{"Statement": [{{"Effect": "Allow", "Principal": {principal}{condition}}}]}}"#)
        };
        assert!(public(&policy("\"*\"", "")));
        assert!(public(&policy("{\"AWS\": [\"*\"]}", "")));
        assert!(!public(&policy(
            "\"*\"",
            r#", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}"#
        )));
        assert!(public(&policy(
            "\"*\"",
            r#", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}"#
        )));
        assert!(public(&policy("\"*\"", r#", "Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}"#)));
        assert!(!public(&policy("{\"Service\": \"logs.amazonaws.com\"}", "")));
        assert!(!public(&policy("\"*\"", "").replace("Allow", "Deny")));
    }
}
