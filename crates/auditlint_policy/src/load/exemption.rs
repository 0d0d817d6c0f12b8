//! Exemptions, and what a repository may do.

use auditlint_syntax::Problem;
use auditlint_syntax::document::reader::{MapReader, strings, unknown, wrong};
use auditlint_syntax::document::{Node, NodeKind};

use super::document::{Reader, read_severity};
use super::values::{date, duration, word};
use crate::check::OfResources;
use crate::exemption::{Exemption, RepositoryLimits};
use crate::external::Pattern;

impl Reader<'_> {
    pub(super) fn exemptions(&self, node: &Node, problems: &mut Vec<Problem>) -> Vec<Exemption> {
        if !matches!(node.kind, NodeKind::List(_)) {
            problems.push(wrong(node, "a list of exemptions"));
        }
        node.items().iter().filter_map(|item| self.exemption(item, problems)).collect()
    }

    fn exemption(&self, node: &Node, problems: &mut Vec<Problem>) -> Option<Exemption> {
        let mut own = Vec::new();
        let mut map = MapReader::new(node, problems);
        let id = map.need("id").and_then(|node| word(node, &mut own));
        let rule = map.need("rule");
        let targets: Vec<Pattern> = map
            .need("targets")
            .map(|node| strings(node, &mut own))
            .unwrap_or_default()
            .into_iter()
            .map(Pattern::new)
            .collect();
        let owner = map.need("owner").and_then(|node| word(node, &mut own));
        let reason = map.need("reason").and_then(|node| word(node, &mut own));
        let expires = map.need("expires").and_then(|node| date(node, &mut own));
        let created = map.take("created").and_then(|node| date(node, &mut own));
        let approved_by = map.string("approved_by").map(str::to_owned);
        let environments = map.strings("environments").into_iter().map(str::to_owned).collect();
        let compensating = map.strings("compensating").into_iter().map(str::to_owned).collect();
        let digest = map.string("digest").map(str::to_owned);
        map.finish();
        let rules: Vec<Pattern> = rule
            .map(|node| strings(node, &mut own))
            .unwrap_or_default()
            .into_iter()
            .map(Pattern::new)
            .collect();
        for pattern in &rules {
            let known = || {
                let checks = OfResources::all().map(|one| one.check().id);
                self.catalogue.rules().iter().map(|rule| &*rule.id).chain(checks)
            };
            if !known().any(|id| pattern.matches(id)) {
                let known = known();
                own.push(unknown("rule", pattern.as_str(), rule.map_or(node.span, |node| node.span), known));
            }
        }
        problems.append(&mut own);
        let at = self.place(node.span);
        Some(Exemption {
            id: id?,
            rules,
            targets,
            environments,
            owner: owner?,
            approved_by,
            reason: reason?,
            created,
            expires: expires?,
            compensating,
            digest,
            at,
        })
    }

    pub(super) fn limits(&self, node: &Node, problems: &mut Vec<Problem>) -> RepositoryLimits {
        let mut own = Vec::new();
        let mut map = MapReader::new(node, problems);
        let exempt = map.take("may_exempt");
        let longest = map.take("max_exemption").and_then(|node| duration(node, &mut own));
        let approvers = map.strings("approvers").into_iter().map(Pattern::new).collect();
        let may_baseline = map.bool("may_baseline") == Some(true);
        let suppress = map.take("suppress");
        map.finish();
        let may_exempt = match exempt.map(|node| (&node.kind, node)) {
            None | Some((NodeKind::Bool(false), _)) => Vec::new(),
            Some((NodeKind::Bool(true), _)) => vec![Pattern::new("*")],
            Some((_, node)) => strings(node, &mut own).into_iter().map(Pattern::new).collect(),
        };
        let mut out = RepositoryLimits {
            may_exempt,
            max_exemption: longest,
            approvers,
            may_baseline,
            ..RepositoryLimits::none()
        };
        match suppress.map(|node| (&node.kind, node)) {
            None | Some((NodeKind::Bool(false), _)) => {}
            Some((NodeKind::Bool(true), _)) => out.may_suppress = true,
            Some((_, node)) => {
                let mut map = MapReader::new(node, &mut own);
                out.may_suppress = true;
                out.not_suppressed = map.strings("not").into_iter().map(Pattern::new).collect();
                let (max, below) = (map.take("max"), map.take("severity_below"));
                map.finish();
                out.max_suppression = max.and_then(|node| duration(node, &mut own));
                out.severity_below = below.and_then(|node| read_severity(node, &mut own));
            }
        }
        problems.append(&mut own);
        out
    }
}
