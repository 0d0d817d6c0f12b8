//! Comments that excuse a finding where it stands: `# auditlint:ignore RULE until=DATE by=WHO -- REASON`.
//!
//! They stand on or above an attribute, a block or a module call (whose whole module they speak of), or at the
//! head of a file with an empty line after them. One that has expired, or that is not understood, excuses
//! nothing, and the finding says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use auditlint_graph::terraform::is_terraform;
use auditlint_policy::exemption::{ForeignComments, RepositoryLimits};
use auditlint_policy::{Finding, Place, Related, Verdict};
use auditlint_syntax::hcl::{self, Block, Body, Item, ItemKind};
use auditlint_syntax::{EntryKind, FileId, Location, Source, Span};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::civil::Date;

use crate::foreign::{self, Reach};
use crate::root::World;

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
            read(&source, path.parent() == Some(root), world, &mut found);
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

    /// The comments that a change adds, which excuse nothing yet.
    pub(crate) fn added(&self) -> impl Iterator<Item = Location> {
        let all = self.files.values().flat_map(|(_, own)| own);
        all.filter(|suppression| suppression.is_new).map(|suppression| suppression.at)
    }

    /// Those that have expired, and those that excuse nothing of `findings`, although a rule of theirs is one of
    /// `asked`; with what is to be said, and whether it is the second.
    pub(crate) fn idle(
        &self,
        findings: &[Arc<Finding>],
        asked: &dyn Fn(&str) -> bool,
        today: Option<Date>,
    ) -> Vec<(Location, String, bool)> {
        let all = self.files.values().flat_map(|(_, own)| own);
        let mut out = Vec::new();
        for suppression in all.filter(|suppression| !suppression.is_new) {
            let Ok(content) = &suppression.content else { continue };
            if !content.is_honoured {
                continue;
            }
            if let Some(until) = content.until.filter(|until| today.is_some_and(|today| today > *until)) {
                out.push((suppression.at, format!("this suppression expired on {until}"), false));
                continue;
            }
            let is_asked = content.rules.iter().any(|rule| asked(rule));
            let is_used = findings.iter().any(|finding| {
                finding.verdict == Verdict::Exempt
                    && content.rules.iter().any(|rule| *rule == *finding.rule || rule == "*")
                    && suppression.scope.holds(finding)
            });
            if is_asked && !is_used {
                out.push((suppression.at, "this suppression excuses nothing: what it speaks of is in order, or the policy does not allow it"
                    .to_owned(), true));
            }
        }
        out
    }

    /// Those that are not understood, with the reason.
    pub(crate) fn malformed(&self) -> impl Iterator<Item = (Location, &str)> {
        let all = self.files.values().flat_map(|(_, own)| own);
        let broken = all.filter(|suppression| !suppression.is_new);
        broken.filter_map(|suppression| Some((suppression.at, suppression.content.as_ref().err()?.as_str())))
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
                Ok(content) if !content.rules.iter().any(|rule| *rule == *finding.rule || rule == "*") => {}
                Ok(content) if !content.is_honoured => {
                    let told = format!("another tool passes over it: `{}`", content.exemption);
                    why_not = Some((suppression.at, told));
                }
                Ok(content) => {
                    match content.until.filter(|until| today.is_some_and(|today| today > *until)) {
                        Some(until) => {
                            why_not = Some((suppression.at, format!("this suppression expired on {until}")));
                        }
                        None if let Some(why) = forbidden(&finding, content.until, limits, today) => {
                            why_not =
                                Some((suppression.at, format!("this comment counts for nothing: {why}")));
                        }
                        None => {
                            let mut exempt = Finding::clone(&finding);
                            exempt.verdict = Verdict::Exempt;
                            exempt.exemption = Some(content.exemption.clone());
                            exempt.remedies.clear();
                            return Arc::new(exempt);
                        }
                    }
                }
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

fn read(source: &Arc<Source>, in_root: bool, world: &World<'_>, out: &mut Vec<Suppression>) {
    let text = source.text();
    let file = world.caches.files.file(source, &world.caches.blocks);
    for span in hcl::comments(text) {
        let comment = text.get(span.range()).unwrap_or_default();
        let at = Location { file: source.file(), span };
        let Some((_, rest)) = comment.split_once(WORD) else {
            if world.set.policy.foreign != ForeignComments::Ignore {
                of_others(comment, at, (text, &file.items, in_root), world, out);
            }
            continue;
        };
        let content = content(rest.trim_end_matches("*/"));
        let Some(scope) = scope(text, span, &file.items, source.file(), in_root) else { continue };
        out.push(Suppression { at, scope, content, is_new: false });
    }
}

/// What a comment of another tool excuses, where the policy honours or reports it.
fn of_others(
    comment: &str,
    at: Location,
    (text, items, in_root): (&str, &[Item], bool),
    world: &World<'_>,
    out: &mut Vec<Suppression>,
) {
    let Some(found) = foreign::read(comment, &world.set.catalogue) else { return };
    let add = |scope: Option<Scope>, content: Result<Content, String>, out: &mut Vec<Suppression>| {
        out.extend(scope.map(|scope| Suppression { at, scope, content, is_new: false }));
    };
    let next = || scope(text, at.span, items, at.file, in_root);
    match found {
        Err(problem) => add(next().or(Some(Scope::File(at.file))), Err(problem), out),
        Ok(all) => {
            for one in all {
                let reach = match one.reach {
                    Reach::Enclosing => enclosing(at, items, in_root),
                    Reach::Next => next(),
                    Reach::File => Some(Scope::File(at.file)),
                };
                let is_honoured = world.set.policy.foreign == ForeignComments::Honour;
                let content =
                    Content { rules: one.rules, until: one.until, exemption: one.said, is_honoured };
                add(reach, Ok(content), out);
            }
        }
    }
}

/// The top-level block that holds a comment.
fn enclosing(at: Location, items: &[Item], in_root: bool) -> Option<Scope> {
    let item = items.iter().rev().find(|item| item.base <= at.span.start)?;
    let ItemKind::Block(block) = &item.piece.kind else { return None };
    let whole = item.place(block.span);
    if !whole.span.covers(at.span) {
        return None;
    }
    if block.ident == "module" {
        return Some(Scope::Call { name: block.labels.first()?.name.to_string(), in_root });
    }
    Some(Scope::Statement(whole))
}

/// What follows the word: rules, `until=`, `by=`, and after ` -- ` the reason.
fn content(text: &str) -> Result<Content, String> {
    let (head, reason) = text.split_once("--").ok_or("it gives no reason (` -- REASON`)")?;
    let reason = reason.trim();
    if reason.is_empty() {
        return Err("it gives no reason (` -- REASON`)".to_owned());
    }
    let mut found =
        Content { rules: Vec::new(), until: None, exemption: reason.to_owned(), is_honoured: true };
    let mut by = None;
    for word in head.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
        match word.split_once('=') {
            Some(("until", date)) => {
                found.until = Some(date.parse().map_err(|_| format!("`{date}` is no date (YYYY-MM-DD)"))?);
            }
            Some(("by", who)) => by = Some(who),
            Some((key, _)) => return Err(format!("`{key}=` is not known")),
            None => found.rules.push(word.to_owned()),
        }
    }
    if found.rules.is_empty() {
        return Err("it names no rule".to_owned());
    }
    if let Some(who) = by {
        found.exemption.push_str(&format!(" (by {who})"));
    }
    if let Some(until) = found.until {
        found.exemption.push_str(&format!(" (until {until})"));
    }
    Ok(found)
}

/// What a comment speaks of.
fn scope(text: &str, comment: Span, items: &[Item], file: FileId, in_root: bool) -> Option<Scope> {
    let start = comment.start as usize;
    let line_start = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    let before = text.get(line_start..start)?;
    let mut target = line_start + before.len() - before.trim_start().len();
    if before.trim().is_empty() {
        let mut at = comment.end as usize;
        let mut empty_line = false;
        // The next line that is neither empty nor a comment.
        loop {
            let line_end = text.get(at..)?.find('\n').map(|end| at + end + 1);
            at = line_end?;
            let line = text.get(at..)?.lines().next().unwrap_or_default();
            let trimmed = line.trim_start();
            if trimmed.trim().is_empty() {
                empty_line = true;
                let head = text.get(..start)?.lines().all(|line| {
                    let line = line.trim();
                    line.is_empty() || line.starts_with('#') || line.starts_with("//")
                });
                if head {
                    return Some(Scope::File(file));
                }
            } else if !trimmed.starts_with('#') && !trimmed.starts_with("//") {
                target = at + line.len() - trimmed.len();
                break;
            }
        }
        if empty_line {
            return None;
        }
    }
    let target = u32::try_from(target).ok()?;
    let item = items.iter().rev().find(|item| item.base <= target)?;
    let ItemKind::Block(block) = &item.piece.kind else { return None };
    let inside = target.checked_sub(item.base)?;
    if inside == block.span.start && block.ident == "module" {
        let name = block.labels.first()?.name.to_string();
        return Some(Scope::Call { name, in_root });
    }
    let span = statement(block, inside)?;
    Some(Scope::Statement(item.place(span)))
}

/// The innermost statement that begins at `offset`.
fn statement(block: &Block, offset: u32) -> Option<Span> {
    if block.span.start == offset {
        return Some(block.span);
    }
    let within = |body: &Body| {
        let attribute = body.attributes.iter().find(|attribute| attribute.span.start == offset);
        attribute.map(|attribute| attribute.span).or_else(|| {
            let inner =
                body.blocks.iter().find(|inner| inner.span.start <= offset && offset < inner.span.end)?;
            statement(inner, offset)
        })
    };
    within(&block.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_dates_and_reasons_are_read() {
        let found = content(" aws/a/b, aws/c/d until=2027-03-31 by=ops -- waits for the new bucket").unwrap();
        assert_eq!(found.rules, ["aws/a/b", "aws/c/d"]);
        assert_eq!(found.until, Some(jiff::civil::date(2027, 3, 31)));
        assert_eq!(found.exemption, "waits for the new bucket (by ops) (until 2027-03-31)");
        for (text, problem) in [
            (" aws/a/b", "it gives no reason (` -- REASON`)"),
            (" -- why", "it names no rule"),
            (" aws/a/b until=soon -- why", "`soon` is no date (YYYY-MM-DD)"),
        ] {
            assert_eq!(content(text).unwrap_err(), problem);
        }
    }
}
