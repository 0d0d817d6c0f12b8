//! What Kubernetes' API server records: audit policies and the flags of the server, in files of their own, in
//! manifests and in config maps.

pub(crate) mod change;
mod level;
mod objects;
mod policy;
mod rule;
mod server;

use auditlint_graph::{Cause, CauseKind, Tracked};

pub(super) use level::{at_least, at_most};
pub(super) use policy::{catch_all, keeps_stages, nothing_dropped, reachable, valid};
pub(super) use server::{flag, is_server};

use super::Context;
use crate::Verdict;
use crate::evaluate::Judged;
use objects::{Found, Object};

/// The resource holds an audit policy.
pub(super) fn is_policy(context: &Context<'_>) -> Judged {
    holds(objects::of(context), |object| matches!(object, Object::Policy(_)))
}

/// Whether one of the objects is meant; what is not known may be.
fn holds(found: Found, is_meant: impl Fn(&Object) -> bool) -> Judged {
    match (found.objects.iter().any(is_meant), found.unknown) {
        (true, _) => Judged::holds(true),
        (false, Some(cause)) => Judged::unknown(cause),
        (false, None) => Judged::holds(false),
    }
}

/// Judges every audit policy that the resource holds.
fn each_policy(context: &Context<'_>, judge: impl Fn(&rule::Policy) -> Judged) -> Judged {
    let found = objects::of(context);
    let mut parts: Vec<Judged> = Vec::new();
    for object in found.objects {
        let Object::Policy(written) = object else { continue };
        parts.push(match rule::Policy::read(&written) {
            Ok(policy) => judge(&policy),
            Err(cause) => Judged::unknown(cause).looking(objects::PATH, Some(written)),
        });
    }
    parts.extend(found.unknown.map(Judged::unknown));
    Judged::all(parts, Verdict::NotApplicable)
}

/// What is wrong, at the part of the policy that is to change.
fn wrong(says: String, at: &Tracked) -> Judged {
    Judged { says: Some(says), ..Judged::holds(false).looking(objects::PATH, Some(at.clone())) }
}

/// The cause of what is written and cannot be read.
fn unreadable(what: &str) -> Cause {
    Cause { kind: CauseKind::Function, subject: what.to_owned(), hint: String::new() }
}
