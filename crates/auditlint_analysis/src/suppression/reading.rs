//! Comments as suppressions: what they say, and what they speak of.

use std::sync::Arc;

use auditlint_policy::exemption::ForeignComments;
use auditlint_syntax::hcl::{self, Block, Body, Item, ItemKind};
use auditlint_syntax::{FileId, Location, Source, Span};

use super::foreign::{self, Reach};
use super::{Content, Scope, Suppression, WORD};
use crate::world::World;

/// Reads the comments of a text that excuse something.
pub(super) fn read(source: &Arc<Source>, in_root: bool, world: &World<'_>, out: &mut Vec<Suppression>) {
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
