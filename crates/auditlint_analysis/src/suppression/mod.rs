//! Comments that excuse a finding where it stands: `# auditlint:ignore RULE until=DATE by=WHO -- REASON`.
//!
//! They stand on or above an attribute, a block or a module call (whose whole module they speak of), or at the
//! head of a file with an empty line after them. One that has expired, or that is not understood, excuses
//! nothing, and the finding says so.

mod foreign;
mod reading;

pub(crate) use foreign::rules_of;

use std::collections::BTreeMap;
use std::sync::Arc;

use auditlint_graph::terraform::is_terraform;
use auditlint_policy::check::{SELF_EXEMPTION, SUPPRESSION};
use auditlint_policy::exemption::{ForeignComments, RepositoryLimits};
use auditlint_policy::{Finding, Level, Place, Related, Verdict};
use auditlint_syntax::hcl;
use auditlint_syntax::{EntryKind, FileId, Location, Source};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::civil::Date;

use crate::RootReport;
use crate::exemption::finding;
use crate::world::World;

const WORD: &str = "auditlint:ignore";

/// The suppressions of a root, by file.
#[derive(Debug, Default)]
pub(crate) struct Suppressions {
    files: BTreeMap<Utf8PathBuf, (FileId, Vec<Suppression>)>,
}

#[derive(Debug, PartialEq, Eq)]
struct Suppression {
    at: Location,
    scope: Scope,
    content: Result<Content, String>,
    /// Whether a change adds it.
    is_new: bool,
}

/// The findings that a change of suppressions touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touched {
    /// None.
    Nothing,
    /// Those in this file.
    File(FileId),
    /// Any: a suppression of a module call came, went or moved.
    Everything,
}

#[derive(Debug, PartialEq, Eq)]
enum Scope {
    File(FileId),
    Statement(Location),
    /// A module call by name, and whether it stands in the root module.
    Call {
        name: String,
        in_root: bool,
    },
}

#[derive(Debug, PartialEq, Eq)]
struct Content {
    rules: Vec<String>,
    until: Option<Date>,
    exemption: String,
    /// Whether it excuses anything, or is only told.
    is_honoured: bool,
}

impl Content {
    /// Whether it names that rule, or means all.
    fn speaks_of(&self, rule: &str) -> bool {
        self.rules.iter().any(|known| known == rule || known == "*")
    }

    /// The last day on which it held, where that is over.
    fn expired(&self, today: Option<Date>) -> Option<Date> {
        self.until.filter(|until| today.is_some_and(|today| today > *until))
    }
}

impl Suppressions {
    /// The suppressions in the Terraform files of `folders`, the root's own first.
    pub(crate) fn read(root: &Utf8Path, folders: &[Utf8PathBuf], world: &World<'_>) -> Self {
        let mut all = Self::default();
        for folder in folders {
            for entry in world.files.list(folder).iter().filter(|entry| entry.kind == EntryKind::File) {
                all.read_file(root, &folder.join(&entry.name), world);
            }
        }
        all
    }

    /// Reads one file anew.
    pub(crate) fn read_file(&mut self, root: &Utf8Path, path: &Utf8Path, world: &World<'_>) -> Touched {
        let files = world.files;
        let mut found = Vec::new();
        let is_read = path.file_name().is_some_and(|name| is_terraform(name) && !name.ends_with(".json"));
        let source = if is_read { files.read(path).ok() } else { None };
        let foreign = world.set.policy.foreign;
        let speaks = |source: &Arc<Source>| {
            let of_others = || foreign::MARKS.iter().any(|mark| source.text().contains(mark));
            source.text().contains(WORD) || foreign != ForeignComments::Ignore && of_others()
        };
        if let Some(source) = source.filter(speaks) {
            reading::read(&source, path.parent() == Some(root), world, &mut found);
            if let Some(before) = &world.set.before {
                let before = before.read(path).ok();
                refuse_new(&mut found, source.text(), before.as_deref().map(|before| &**before.text()));
            }
        }
        let file = files.paths().id(path);
        let none = (file, Vec::new());
        let old = self.files.get(path).unwrap_or(&none);
        if old.1 == found {
            return Touched::Nothing;
        }
        let is_call = |suppression: &Suppression| matches!(suppression.scope, Scope::Call { .. });
        let any_call = old.1.iter().chain(&found).any(is_call);
        if found.is_empty() {
            self.files.remove(path);
        } else {
            self.files.insert(path.to_owned(), (file, found));
        }
        if any_call { Touched::Everything } else { Touched::File(file) }
    }

    /// Adds to a report what is to be said of the comments themselves.
    pub(crate) fn tell(&self, report: &mut RootReport, world: &World<'_>) {
        let files = self.files.values().map(|(file, _)| *file);
        let mut found: Vec<Arc<Finding>> = files.flat_map(|file| self.wrong_in(file, world)).collect();
        found.extend(self.idle(&report.findings, world));
        if !found.is_empty() {
            report.findings.extend(found);
            report.recount();
        }
    }

    /// The files that hold comments.
    pub(crate) fn files(&self) -> impl Iterator<Item = FileId> {
        self.files.values().map(|(file, _)| *file)
    }

    /// The comments of a file that are not understood, have expired, or are added by a change.
    pub(crate) fn wrong_in(&self, file: FileId, world: &World<'_>) -> Vec<Arc<Finding>> {
        let own = self.files.values().filter(|(known, _)| *known == file).flat_map(|(_, own)| own);
        let told = own.filter_map(|suppression| {
            let (check, message) = match &suppression.content {
                Err(_) if suppression.is_new => (
                    SELF_EXEMPTION,
                    "this change adds a comment that excuses a finding: it counts once it is merged"
                        .to_owned(),
                ),
                Err(why) => (SUPPRESSION, format!("this suppression counts for nothing: {why}")),
                Ok(content) => {
                    let until = content.expired(world.settings.today)?;
                    (SUPPRESSION, format!("this suppression expired on {until}"))
                }
            };
            Some(Arc::new(finding(world.set, check, suppression.at, message)))
        });
        told.collect()
    }

    /// The comments that excuse nothing of `findings`, although the policy asks for a rule of theirs.
    pub(crate) fn idle(&self, findings: &[Arc<Finding>], world: &World<'_>) -> Vec<Arc<Finding>> {
        let bindings = &world.set.policy.bindings;
        let is_asked =
            |rule: &String| bindings.binary_search_by(|one| (*one.rule.id).cmp(rule.as_str())).is_ok();
        let all = self.files.values().flat_map(|(_, own)| own).filter(|suppression| !suppression.is_new);
        let idle = all.filter(|suppression| {
            let Ok(content) = &suppression.content else { return false };
            let counts = content.is_honoured && content.expired(world.settings.today).is_none();
            let excuses = |finding: &Arc<Finding>| {
                finding.verdict == Verdict::Exempt
                    && content.speaks_of(&finding.rule)
                    && suppression.scope.holds(finding)
            };
            counts && content.rules.iter().any(is_asked) && !findings.iter().any(excuses)
        });
        let message = "this suppression excuses nothing: what it speaks of is in order, or the policy does not allow it";
        idle.map(|suppression| {
            let told = finding(world.set, SUPPRESSION, suppression.at, message.to_owned());
            Arc::new(Finding { level: Level::Advisory, ..told })
        })
        .collect()
    }

    /// The finding, exempt where a suppression speaks of it.
    pub(crate) fn apply(
        &self,
        finding: Arc<Finding>,
        limits: &RepositoryLimits,
        today: Option<Date>,
    ) -> Arc<Finding> {
        if !matches!(finding.verdict, Verdict::Fail | Verdict::Unknown) {
            return finding;
        }
        let mut why_not = None;
        let all = self.files.values().flat_map(|(_, own)| own);
        for suppression in all.filter(|suppression| suppression.scope.holds(&finding)) {
            match &suppression.content {
                Ok(content) if !content.speaks_of(&finding.rule) => {}
                Ok(content) if !content.is_honoured => {
                    let told = format!("another tool passes over it: `{}`", content.exemption);
                    why_not = Some((suppression.at, told));
                }
                Ok(content) => match content.expired(today) {
                    Some(until) => {
                        why_not = Some((suppression.at, format!("this suppression expired on {until}")));
                    }
                    None if let Some(why) = forbidden(&finding, content.until, limits, today) => {
                        why_not = Some((suppression.at, format!("this comment counts for nothing: {why}")));
                    }
                    None => {
                        let mut exempt = Finding::clone(&finding);
                        exempt.verdict = Verdict::Exempt;
                        exempt.exemption = Some(content.exemption.clone());
                        exempt.remedies.clear();
                        return Arc::new(exempt);
                    }
                },
                Err(problem) => {
                    why_not =
                        Some((suppression.at, format!("this suppression counts for nothing: {problem}")));
                }
            }
        }
        match why_not {
            Some((at, message)) => {
                let mut told = Finding::clone(&finding);
                told.related.push(Related { message, place: Place::Source(at) });
                Arc::new(told)
            }
            None => finding,
        }
    }
}

/// Why the policy does not let a comment excuse a finding; none where it does.
fn forbidden(
    finding: &Finding,
    until: Option<Date>,
    limits: &RepositoryLimits,
    today: Option<Date>,
) -> Option<String> {
    if !limits.may_suppress {
        return Some("the policy allows no comment to excuse anything (`repository.suppress`)".to_owned());
    }
    if limits.not_suppressed.iter().any(|rule| rule.matches(&finding.rule)) {
        return Some(format!("the policy lets no comment excuse {}", finding.rule));
    }
    if let Some(below) = limits.severity_below.filter(|below| finding.severity >= *below) {
        return Some(format!("the policy lets comments excuse what is less than {}", below.as_str()));
    }
    let most = limits.max_suppression?;
    let Some(until) = until else {
        return Some(format!(
            "the policy asks for a day until which it holds (`until=`), at most {most} days from now"
        ));
    };
    let days = today.and_then(|today| today.until(until).ok()).map_or(0, |span| span.get_days());
    (i64::from(days) > i64::from(most)).then(|| format!("it holds {days} days, and the policy allows {most}"))
}

/// Comments that a change adds excuse nothing yet: as many of the same text count as there were before.
fn refuse_new(found: &mut [Suppression], text: &str, before: Option<&str>) {
    let before = before.unwrap_or_default();
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for span in hcl::comments(before) {
        let comment = before.get(span.range()).unwrap_or_default().trim();
        *known.entry(comment).or_default() += 1;
    }
    for suppression in found {
        let comment = text.get(suppression.at.span.range()).unwrap_or_default().trim();
        match known.get_mut(comment) {
            Some(left) if *left > 0 => *left -= 1,
            _ => {
                suppression.is_new = true;
                suppression.content =
                    Err("this change adds it, and a change does not excuse itself".to_owned());
            }
        }
    }
}

impl Scope {
    fn holds(&self, finding: &Finding) -> bool {
        let Place::Source(at) = finding.place else { return false };
        match self {
            Self::File(file) => at.file == *file,
            Self::Statement(scope) => scope.file == at.file && scope.span.covers(at.span),
            Self::Call { name, in_root } => {
                // `module.a.module.b`: every second part is a name.
                let path = finding.address.module.without_keys();
                let mut names = path.as_str().split('.').skip(1).step_by(2).enumerate();
                names.any(|(depth, step)| step == name && (depth == 0) == *in_root)
            }
        }
    }
}
