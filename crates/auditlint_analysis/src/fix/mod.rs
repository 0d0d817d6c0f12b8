//! Remedies as text edits that leave every other byte alone.
//!
//! A change is made where the value is decided: in the resource when a literal stands there, else at the one
//! literal behind the reference, and then only when a trial evaluation shows that the finding goes and no other
//! one comes. A reference is never replaced by a literal.

mod align;
mod block;
mod call;
mod choices;
mod element;
mod exception;
mod layout;
mod literal;
mod missing;
mod value;

use std::collections::BTreeMap;
use std::sync::Arc;

use auditlint_graph::{Resource, Slot, Target};
use auditlint_policy::{Finding, NewBlock, NewValue, Remedy, RemedyKind, Safety};
use auditlint_syntax::hcl::{self, BlockCache};
use auditlint_syntax::{FileId, Source, Span, TextEdit, apply_edits};

use crate::judged::Judged;
use crate::{Analysis, RootId};

use block::Subject;
use choices::Choices;
pub(crate) use exception::offer as exception;
pub(crate) use missing::missing;
use value::Writer;

/// A remedy, bound to the texts.
#[derive(Clone, Debug)]
pub struct Fix {
    /// What it does, as a menu says it.
    pub title: String,
    /// Whether it may be applied without asking.
    pub safety: Safety,
    /// The finding that it removes.
    pub finding: Arc<Finding>,
    /// The edits, file by file.
    pub edits: Vec<FileEdits>,
    /// Where something must be filled in, in the text after the edits.
    pub placeholders: Vec<(FileId, Span)>,
}

/// The edits of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEdits {
    /// The file.
    pub file: FileId,
    /// The edits, sorted, none overlapping.
    pub edits: Vec<TextEdit>,
}

/// The fixes of a finding, the best first.
pub(crate) fn fixes(analysis: &Analysis, root: RootId, finding: &Arc<Finding>) -> Vec<Fix> {
    offers(analysis, root, finding, &|slot, remedy| Choices::of(analysis, root, slot, remedy))
}

/// The best fix of a finding that may be applied without asking. One with something to choose may not.
pub(crate) fn safe(analysis: &Analysis, root: RootId, finding: &Arc<Finding>) -> Option<Fix> {
    let all = offers(analysis, root, finding, &|_, _| Choices::default());
    all.into_iter().find(|fix| fix.safety == Safety::Safe)
}

fn offers(
    analysis: &Analysis,
    root: RootId,
    finding: &Arc<Finding>,
    choices: &dyn Fn(Slot, &Remedy) -> Choices,
) -> Vec<Fix> {
    if let Some(fix) = exception(analysis, finding) {
        return vec![fix];
    }
    let Ok(judged) = analysis.judged(root) else { return Vec::new() };
    let slots = judged.graph.instances(&Target::at(&finding.address));
    let subject = slots
        .iter()
        .filter_map(|slot| Some((*slot, judged.graph.get(*slot)?)))
        .find(|(_, found)| found.address == finding.address);
    let Some((slot, resource)) = subject else { return Vec::new() };
    let Some(source) = resource.file().and_then(|file| analysis.source(file)) else { return Vec::new() };
    let workshop = Workshop { analysis, root, judged: &judged, resource, source, finding };
    // What is not ours is never edited; our call of it is.
    if let Some(call) = &resource.nearest_call {
        return finding.remedies.iter().filter_map(|remedy| call::offer(&workshop, remedy, **call)).collect();
    }
    if !is_editable(&workshop.source) {
        return Vec::new();
    }
    let offers = |remedy: &Remedy| match remedy.changes.as_slice() {
        [RemedyKind::Element(element)] => element::offer(&workshop, remedy, element).into_iter().collect(),
        _ => workshop.offers(remedy, &choices(slot, remedy)),
    };
    finding.remedies.iter().flat_map(offers).collect()
}

/// JSON syntax, and what a module installation brought, is left alone.
fn is_editable(source: &Source) -> bool {
    let path = source.path();
    !path.as_str().ends_with(".json") && !path.components().any(|part| part.as_str() == ".terraform")
}

/// Those of `fixes` that do not write where an earlier one writes; the same edits twice count once.
pub(crate) fn compatible(fixes: Vec<Fix>) -> Vec<Fix> {
    let mut taken: BTreeMap<FileId, Vec<TextEdit>> = BTreeMap::new();
    let mut out: Vec<Fix> = Vec::new();
    for fix in fixes {
        if out.iter().any(|known| known.edits == fix.edits) {
            continue;
        }
        let clashes = |known: &TextEdit, new: &TextEdit| {
            known.span.start <= new.span.end && new.span.start <= known.span.end
        };
        let free = fix.edits.iter().all(|edits| {
            let known = taken.get(&edits.file).into_iter().flatten();
            known.clone().all(|known| edits.edits.iter().all(|new| !clashes(known, new)))
        });
        if free {
            for edits in &fix.edits {
                taken.entry(edits.file).or_default().extend(edits.edits.iter().cloned());
            }
            out.push(fix);
        }
    }
    out
}

/// Everything that is needed to bind one finding's remedies.
struct Workshop<'a> {
    analysis: &'a Analysis,
    root: RootId,
    judged: &'a Judged,
    resource: &'a Resource,
    source: Arc<Source>,
    finding: &'a Arc<Finding>,
}

impl Workshop<'_> {
    /// The ways to apply a remedy: one, or one for each candidate of its choice.
    fn offers(&self, remedy: &Remedy, choices: &Choices) -> Vec<Fix> {
        (0..choices.len().max(1)).filter_map(|pick| self.offer(remedy, choices, pick)).collect()
    }

    fn offer(&self, remedy: &Remedy, choices: &Choices, pick: usize) -> Option<Fix> {
        let mut title = remedy.title.clone();
        let mut safety = remedy.safety;
        let mut placeholder = None;
        let mut elsewhere: Vec<FileEdits> = Vec::new();
        let mut steps: Vec<Vec<TextEdit>> = Vec::new();
        let mut text = Arc::clone(&self.source);
        let mut chosen = true;
        for change in &remedy.changes {
            let parsed = hcl::parse(&text, &BlockCache::default());
            let subject = Subject::find(&text, &parsed, self.resource)?;
            let writer = Writer { subject: &subject, resource: self.resource, choices, pick };
            let edits = match change {
                // What somebody chose already stays.
                RemedyKind::Set { path, value: NewValue::Choice { .. } } if subject.has(path) => {
                    chosen = false;
                    continue;
                }
                RemedyKind::Set { path, value } => match subject.set(path, value, &writer) {
                    block::Set::Edits(edits) => edits,
                    block::Set::Reference => {
                        let (edits, place, proven) = literal::edit(self, path, value)?;
                        title.push_str(&format!(" ({place})"));
                        if !proven {
                            safety = Safety::NeedsInput;
                        }
                        elsewhere.push(edits);
                        continue;
                    }
                    block::Set::Impossible => return None,
                },
                RemedyKind::Append { path, values } => subject.append(path, values)?,
                RemedyKind::Remove { path } => subject.remove(path)?,
                // It has no subject: see `missing`.
                RemedyKind::AddSet { .. } => return None,
                // See `element`.
                RemedyKind::Element(_) => return None,
                RemedyKind::AddBlock(block) => subject.add_block(block, &writer)?,
                RemedyKind::AddResource { kind, body, blocks } => {
                    let taken = |name: &str| self.is_taken(kind, name);
                    subject.add_resource(kind, body, blocks, &writer, &taken)?
                }
            };
            let bytes = apply_edits(text.bytes(), &edits).ok()?;
            text = Arc::new(Source::new(text.file(), text.path().to_owned(), Arc::from(bytes)));
            steps.push(edits);
        }
        if !chosen {
            safety = if pick == 0 { Safety::Safe } else { return None };
        } else if let Some((address, attribute)) = choices.first(remedy, pick) {
            title.push_str(&format!(": {address}.{attribute}"));
        } else if choices.len() == 0
            && let Some(missing) = first_placeholder(remedy)
        {
            placeholder = Some(missing);
        }
        let mut edits = Vec::new();
        if text.bytes() != self.source.bytes() {
            let own = match <[Vec<TextEdit>; 1]>::try_from(steps) {
                Ok([only]) => only,
                Err(_) => vec![difference(self.source.bytes(), text.bytes(), text.text())?],
            };
            edits.push(FileEdits { file: self.source.file(), edits: own });
        }
        for other in elsewhere {
            match edits.iter_mut().find(|known| known.file == other.file) {
                Some(known) => known.edits.extend(other.edits),
                None => edits.push(other),
            }
        }
        edits.iter_mut().for_each(|edits| edits.edits.sort());
        if edits.is_empty() {
            return None;
        }
        let at = placeholder.and_then(|missing| {
            let start = u32::try_from(text.text().find(&missing)?).ok()?;
            Some((text.file(), Span::new(start, start + u32::try_from(missing.len()).ok()?)))
        });
        Some(Fix {
            title,
            safety,
            finding: Arc::clone(self.finding),
            edits,
            placeholders: at.into_iter().collect(),
        })
    }

    fn is_taken(&self, kind: &str, name: &str) -> bool {
        self.judged.graph.of_kind(kind).iter().filter_map(|slot| self.judged.graph.get(*slot)).any(|other| {
            other.address.name == name
                && other.address.module.without_keys() == self.resource.address.module.without_keys()
        })
    }
}

/// The one range in which two texts differ.
fn difference(old: &[u8], new: &[u8], text: &str) -> Option<TextEdit> {
    let mut start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let most = old.len().min(new.len()) - start;
    let mut tail = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    while !text.is_char_boundary(new.len() - tail) {
        tail -= 1;
    }
    let span = Span::new(u32::try_from(start).ok()?, u32::try_from(old.len() - tail).ok()?);
    Some(TextEdit { span, text: text.get(start..new.len() - tail)?.to_owned() })
}

/// The values of a remedy, those of nested blocks included.
fn values(remedy: &Remedy) -> Vec<&NewValue> {
    fn block<'a>(new: &'a NewBlock, out: &mut Vec<&'a NewValue>) {
        out.extend(new.body.iter().map(|(_, value)| value));
        new.blocks.iter().for_each(|inner| block(inner, out));
    }
    let mut out = Vec::new();
    for change in &remedy.changes {
        match change {
            RemedyKind::Set { value, .. } => out.push(value),
            RemedyKind::AddBlock(new) => block(new, &mut out),
            RemedyKind::AddResource { body, blocks, .. } => {
                out.extend(body.iter().map(|(_, value)| value));
                blocks.iter().for_each(|new| block(new, &mut out));
            }
            RemedyKind::Append { .. }
            | RemedyKind::Remove { .. }
            | RemedyKind::AddSet { .. }
            | RemedyKind::Element(_) => {}
        }
    }
    out
}

fn first_placeholder(remedy: &Remedy) -> Option<String> {
    values(remedy).into_iter().find_map(|value| match value {
        NewValue::Choice { placeholder, .. } => Some(placeholder.clone()),
        _ => None,
    })
}
