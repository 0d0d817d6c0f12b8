//! Who a resource policy lets in.

use auditlint_graph::Unknown;
use auditlint_syntax::Name;
use auditlint_syntax::document::{self, Node, NodeKind};

use super::{Context, text};
use crate::condition::{AttributePath, Operand};
use crate::evaluate::{Judged, Look, Subject};

/// Conditions that bind a wildcard principal to accounts, organisations, networks or sources that are named.
const BINDING: &[&str] = &[
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceip",
    "aws:userid",
];

/// Whether the policy at `path` lets anyone in: an `Allow` for `*` that no condition binds.
pub(super) fn public(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    let path = AttributePath::parse(text(context, with, "path").unwrap_or("policy"));
    match context.look(&Subject::resource(context.resource), &path) {
        Look::Absent | Look::Default(_) => Judged::holds(false).looking(path.to_string(), None),
        Look::Unknown(cause) => Judged::unknown(cause).looking(path.to_string(), None),
        Look::Set(value) => {
            let judged = match (value.value().as_str(), value.unknown()) {
                (Some(policy), _) => Judged::holds(is_public(policy) == Some(true)),
                (None, Some(unknown)) => match every_filling(unknown) {
                    Some(public) => Judged::holds(public),
                    None => Judged::unknown(unknown.cause.clone()),
                },
                (None, None) => Judged::holds(false),
            };
            judged.looking(path.to_string(), Some(value))
        }
    }
}

/// The answer of a policy of which parts are not known, where it is the same whatever those parts are.
fn every_filling(unknown: &Unknown) -> Option<bool> {
    let answers = ["(known after apply)", "*", "Allow"].map(|fill| is_public(&unknown.filled(fill)?));
    let [first, rest @ ..] = answers;
    first.filter(|_| rest.iter().all(|answer| *answer == first))
}

/// Whether a policy lets anyone in; none where a whole statement or condition is not an object.
fn is_public(policy: &str) -> Option<bool> {
    let document = document::parse_json(policy);
    let Some(statements) = document.root.get("Statement") else { return Some(false) };
    let single = std::slice::from_ref(statements);
    let statements = if let NodeKind::List(items) = &statements.kind { items.as_slice() } else { single };
    let mut public = false;
    for statement in statements {
        if !matches!(statement.kind, NodeKind::Map(_)) {
            return None;
        }
        let allows = statement.get("Effect").and_then(Node::as_str) == Some("Allow");
        if allows && statement.get("Principal").is_some_and(anyone) {
            match statement.get("Condition") {
                Some(condition) if !matches!(condition.kind, NodeKind::Map(_)) => return None,
                condition => public |= !condition.is_some_and(binds),
            }
        }
    }
    Some(public)
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
        let public = |policy: &str| is_public(policy) == Some(true);
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
