//! What an editor shows and offers in the files of a policy: what is asked there of the whole workspace, and is missing.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use auditlint_graph::Target;
use auditlint_policy::check::REQUIRED_SOURCE;
use auditlint_policy::{Category, Finding, Place, Verdict};
use auditlint_syntax::{FileId, Location};

use crate::{Analysis, Cancelled, Fix, fix};

/// One of the roots is chosen in a menu: more of them are no menu any more.
const MOST_ROOTS: usize = 8;

impl Analysis {
    /// Whether `file` is one of those that the policy in force was read from.
    #[must_use]
    pub fn is_of_policy(&self, file: FileId) -> bool {
        self.policy_set().sources.iter().any(|source| source.file() == file)
    }

    /// Where a resource is declared, in the first root that holds it.
    #[must_use]
    pub fn resource(&self, target: &Target) -> Option<Location> {
        self.roots().into_iter().find_map(|id| {
            let judged = self.judged(id).ok()?;
            let slots = judged.graph.instances(target);
            slots.iter().find_map(|slot| Some(judged.graph.get(*slot)?.declared?.header))
        })
    }

    /// How many resources of the workspace rules of a category speak of.
    ///
    /// # Errors
    /// When the host has moved on.
    pub fn bound(&self, category: Category) -> Result<usize, Cancelled> {
        let bindings = self.policy_set().policy.bindings.iter();
        let own = bindings.filter(|binding| binding.categories.contains(&category));
        let kinds: BTreeSet<&str> =
            own.flat_map(|binding| &binding.rule.selects).map(|kind| kind.as_str()).collect();
        let mut resources = 0;
        for id in self.roots() {
            let judged = self.judged(id)?;
            resources += kinds.iter().map(|kind| judged.graph.of_kind(kind).len()).sum::<usize>();
        }
        Ok(resources)
    }

    /// The findings that sit in a file of the policy, over all roots of the workspace, sorted by place: a source that is
    /// missing altogether, an exemption that has expired. None for other files.
    ///
    /// # Errors
    /// When the host has moved on.
    pub fn policy_findings(&self, file: FileId) -> Result<Vec<Arc<Finding>>, Cancelled> {
        if !self.is_of_policy(file) {
            return Ok(Vec::new());
        }
        let report = self.check(&self.roots())?;
        let mut found: Vec<(u32, Arc<Finding>)> = report
            .findings()
            .filter(|(_, finding)| matches!(finding.verdict, Verdict::Fail | Verdict::Unknown))
            .filter_map(|(_, finding)| match finding.place {
                Place::Source(at) if at.file == file => Some((at.span.start, Arc::clone(finding))),
                _ => None,
            })
            .collect();
        found.sort_by(|(a, one), (b, other)| {
            (a, &one.rule, &one.message).cmp(&(b, &other.rule, &other.message))
        });
        found.dedup_by(|(a, one), (b, other)| {
            a == b && one.rule == other.rule && one.message == other.message
        });
        Ok(found.into_iter().map(|(_, finding)| finding).collect())
    }

    /// The fixes for the findings that touch the bytes `range` of a file of the policy: an exemption that excuses nothing
    /// goes, and the minimal set for what is missing is written into the root that lacks it, or into one of those of which
    /// any will do.
    ///
    /// # Errors
    /// When the host has moved on.
    pub fn policy_fixes(&self, file: FileId, range: Range<u32>) -> Result<Vec<Fix>, Cancelled> {
        let findings = self.policy_findings(file)?;
        let touched = findings.iter().filter(|finding| match finding.place {
            Place::Source(at) => at.span.start <= range.end && range.start <= at.span.end,
            Place::Plan(_) | Place::Nowhere => false,
        });
        let roots = self.roots();
        let mut fixes: Vec<Fix> = Vec::new();
        for finding in touched {
            fixes.extend(fix::exception(self, finding));
            if *finding.rule != *REQUIRED_SOURCE.id {
                continue;
            }
            let before = fixes.len();
            for id in &roots {
                let Some(folder) = self.root(*id).map(|root| root.name()) else { continue };
                let is_any = finding.root.is_empty();
                if !is_any && finding.root != folder || fixes.len() - before >= MOST_ROOTS {
                    continue;
                }
                for mut fix in fix::missing(self, *id, std::iter::once(finding)) {
                    if is_any && roots.len() > 1 {
                        let name = if folder.is_empty() { "." } else { &*folder };
                        fix.title.push_str(&format!(", to root {name}"));
                    }
                    // A folder under several environments is one folder.
                    if !fixes.iter().any(|known| known.edits == fix.edits) {
                        fixes.push(fix);
                    }
                }
            }
        }
        Ok(fixes)
    }
}
