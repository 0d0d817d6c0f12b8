//! Whether requests of a kind are recorded at the level that is asked for.

use auditlint_syntax::Name;

use super::rule::{Level, Request, Rule};
use super::{Context, each_policy, wrong};
use crate::condition::Operand;
use crate::evaluate::Judged;
use crate::probes::{text, texts};

/// Every request of `requests` is recorded at `level` or above, whoever makes it. A request is written
/// `VERB|VERB GROUP RESOURCE|RESOURCE`, the core group as `core`.
pub(in crate::probes) fn at_least(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    judged(context, with, |found, asked| found < asked)
}

/// No request of `requests` is recorded above `level`.
pub(in crate::probes) fn at_most(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    judged(context, with, |found, asked| found > asked)
}

fn judged(
    context: &Context<'_>,
    with: &[(Name, Operand)],
    is_wrong: impl Fn(Level, Level) -> bool,
) -> Judged {
    let asked = text(context, with, "level").and_then(Level::read).unwrap_or(Level::Metadata);
    let requests = texts(context, with, "requests");
    each_policy(context, |policy| {
        let wrong_one = requests.iter().flat_map(|line| expanded(line)).find_map(|request| {
            let mut levels = policy.levels(request).into_iter();
            levels.find(|(level, _)| is_wrong(*level, asked)).map(|found| (request, found))
        });
        match wrong_one {
            None => Judged::holds(true),
            Some((request, (level, rule))) => {
                wrong(said(request, level, rule), rule.map_or(&policy.at, |rule| &rule.at))
            }
        }
    })
}

fn said(request: Request<'_>, level: Level, rule: Option<&Rule>) -> String {
    let Request { verb, group, resource, subresource } = request;
    let sub = subresource.map(|sub| format!("/{sub}")).unwrap_or_default();
    let of = if group.is_empty() { String::new() } else { format!(" of {group}") };
    match (rule, level) {
        (None, _) => format!("no rule matches `{verb}` on {resource}{sub}{of}, so that it is not recorded"),
        (Some(_), Level::None) => format!("`{verb}` on {resource}{sub}{of} is not recorded"),
        (Some(_), level) => format!("`{verb}` on {resource}{sub}{of} is recorded at {}", level.as_str()),
    }
}

/// The requests that a line names.
fn expanded(line: &str) -> Vec<Request<'_>> {
    let mut words = line.split(' ');
    let (verbs, group, resources) = (words.next(), words.next(), words.next());
    let group = group.filter(|group| *group != "core").unwrap_or_default();
    let verbs = verbs.unwrap_or_default().split('|');
    let each = |verb| {
        resources.unwrap_or_default().split('|').map(move |name| {
            let (resource, subresource) = match name.split_once('/') {
                Some((resource, sub)) => (resource, Some(sub)),
                None => (name, None),
            };
            Request { verb, group, resource, subresource }
        })
    };
    verbs.flat_map(each).collect()
}
