//! Compliant configurations with one thing changed: the policy has to notice each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use auditlint_policy::{Policy, Verdict};
use auditlint_syntax::hcl::{self, Attribute, Block, BlockCache, ExprKind, Item, ItemKind};
use auditlint_syntax::{EntryKind, Files, MemoryFiles, Source, Span};
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use super::{Mutant, Mutate, Mutation, Operator, Survivor};
use crate::testing::reading::{Given, Scenarios};
use crate::testing::{TestBed, given};
use crate::{Analysis, AnalysisHost, Change, PolicySet, Settings, SetupError};

/// A change of a text.
struct Edit {
    mutant: Mutant,
    path: Utf8PathBuf,
    text: String,
}

/// Mutates the configuration in `folder`, which must be clean.
pub(super) fn run(
    folder: &str,
    mutate: &Mutate,
    scenarios: &Scenarios,
    (source, bed): (&Arc<Source>, &TestBed<'_>),
    out: &mut Mutation,
) -> Result<(), SetupError> {
    let base = source.path().parent().unwrap_or_else(|| Utf8Path::new(""));
    let files = match given::folder(base, folder, bed.files) {
        Ok(files) => Arc::new(files),
        Err(reason) => {
            out.problems.push(reason);
            return Ok(());
        }
    };
    let set = given::policies(scenarios, &[], source, (bed.catalogue, bed.files, &*files))?;
    let edits = edits(&files, &set, &mutate.operators);
    out.mutants += edits.len();
    let lead = match host(folder, &files, &set, base, bed) {
        Ok(host) => host,
        Err(reason) => {
            out.problems.push(reason);
            return Ok(());
        }
    };
    let known = noticed(&lead.analysis());
    if let Some(first) = known.iter().next() {
        out.problems.push(format!("{folder} is not clean: {first}"));
        return Ok(());
    }
    let edits = super::sampled(edits, bed.mutants, bed.seed);
    out.tried += edits.len();
    let survivors: Vec<Option<Mutant>> = edits
        .into_par_iter()
        .map(|edit| {
            // What cannot be looked at was noticed by nothing.
            let Ok(mut host) = host(folder, &files, &set, base, bed) else { return Some(edit.mutant) };
            host.apply_change(Change::Overlay(edit.path, edit.text.into()));
            noticed(&host.analysis()).is_empty().then_some(edit.mutant)
        })
        .collect();
    out.survivors.extend(survivors.into_iter().flatten().map(|mutant| Survivor { mutant, allowed: None }));
    Ok(())
}

fn host(
    folder: &str,
    files: &Arc<MemoryFiles>,
    set: &PolicySet,
    base: &Utf8Path,
    bed: &TestBed<'_>,
) -> Result<AnalysisHost, String> {
    let settings = Settings { today: Some(bed.today), ..Settings::default() };
    let given = Given::Folder(folder.to_owned());
    given::host(&given, Arc::clone(files), set.clone(), settings, (base, bed.files))
}

/// Everything that a run would not pass over.
fn noticed(analysis: &Analysis) -> BTreeSet<String> {
    let Ok(report) = analysis.check(&analysis.roots()) else { return BTreeSet::new() };
    let open = report.findings().filter(|(_, one)| matches!(one.verdict, Verdict::Fail | Verdict::Unknown));
    let gaps = report.roots.iter().flat_map(|root| &root.gaps).map(|gap| gap.reason.clone());
    open.map(|(_, one)| format!("{} {} of {}: {}", one.verdict.as_str(), one.rule, one.address, one.message))
        .chain(gaps)
        .collect()
}

/// Every mutant of every resource that a rule of the policy looks at.
fn edits(files: &MemoryFiles, set: &PolicySet, operators: &[Operator]) -> Vec<Edit> {
    let looked_at = looked_at(set);
    let cache = BlockCache::default();
    let mut out = Vec::new();
    let mut folders = vec![Utf8PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in files.list(&folder) {
            let path = folder.join(&entry.name);
            match entry.kind {
                EntryKind::Folder => folders.push(path),
                EntryKind::File if path.extension() == Some("tf") => {
                    let Ok(source) = files.read(&path) else { continue };
                    let mut text = Text { path: &path, source: &source, set, operators, out: &mut out };
                    for item in &hcl::parse(&source, &cache).items {
                        text.item(item, &looked_at);
                    }
                }
                _ => {}
            }
        }
    }
    out
}

/// The paths that rules of the policy look at, by resource type.
fn looked_at(set: &PolicySet) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    let mut add = |policy: &Policy| {
        for binding in &policy.bindings {
            set.catalogue.looks(&binding.rule, &mut |kind, path| {
                all.entry(kind.to_owned()).or_insert_with(BTreeSet::new).insert(path.to_owned());
            });
        }
    };
    add(&set.policy);
    all
}

struct Text<'a> {
    path: &'a Utf8Path,
    source: &'a Source,
    set: &'a PolicySet,
    operators: &'a [Operator],
    out: &'a mut Vec<Edit>,
}

impl Text<'_> {
    fn item(&mut self, item: &Item, looked_at: &BTreeMap<String, BTreeSet<String>>) {
        let ItemKind::Block(block) = &item.piece.kind else { return };
        let [kind, name] = &*block.labels else { return };
        if block.ident != "resource" {
            return;
        }
        let kind = kind.name.as_str();
        let Some(paths) = looked_at.get(kind) else { return };
        let address = format!("{kind}.{}", name.name);
        let place = |span: Span| item.place(span).span;
        let whole = place(block.span);
        let facts = self.set.catalogue.facts(kind);
        // What only says how another one logs is nothing by itself.
        let is_companion = facts.is_none_or(|facts| facts.emits.is_empty() && facts.keeps.is_none());
        if is_companion {
            self.replace(Operator::DropCompanion, &address, self.line(whole), "");
        }
        let open = place(block.header).end;
        let brace = self.source.text().get(open as usize..).and_then(|rest| rest.find('{')).unwrap_or(0);
        let at = open + u32::try_from(brace).unwrap_or(0) + 1;
        if is_companion {
            self.replace(Operator::CountZero, &address, Span::new(at, at), "\n  count = 0");
        }
        self.ignoring(block, &address, paths, Span::new(at, at));
        self.body(block, &address, "", paths, &place);
    }

    /// A `lifecycle` that ignores one of the attributes or blocks, where there is none yet: `open` is inside of the body.
    /// What names a resource nobody changes by hand without making another one.
    fn ignoring(&mut self, block: &Block, address: &str, paths: &BTreeSet<String>, open: Span) {
        let facts = address.split('.').next().and_then(|kind| self.set.catalogue.facts(kind));
        let names = |name: &str| facts.is_some_and(|facts| facts.identity.iter().any(|known| known == name));
        let heads = paths.iter().filter_map(|path| path.split('.').next()).filter(|head| !names(head));
        let heads: BTreeSet<&str> = heads.collect();
        let written = block.body.attributes.iter().map(|attribute| attribute.name.as_str());
        let written: BTreeSet<&str> =
            written.chain(block.body.blocks.iter().map(|inner| inner.ident.as_str())).collect();
        if written.contains("lifecycle") {
            return;
        }
        for name in heads.intersection(&written) {
            let lines = format!("\n  lifecycle {{\n    ignore_changes = [{name}]\n  }}");
            self.replace(Operator::IgnoreChanges, &format!("{address}.{name}"), open, &lines);
        }
    }

    fn body(
        &mut self,
        block: &Block,
        address: &str,
        prefix: &str,
        paths: &BTreeSet<String>,
        place: &dyn Fn(Span) -> Span,
    ) {
        for attribute in &block.body.attributes {
            let path = format!("{prefix}{}", attribute.name);
            if paths.contains(&path) {
                self.attribute(attribute, &format!("{address}.{path}"), place);
            }
        }
        for inner in &block.body.blocks {
            let path = format!("{prefix}{}", inner.ident);
            let is_looked_at = paths.iter().any(|one| *one == path || one.starts_with(&format!("{path}.")));
            if is_looked_at {
                let on = format!("{address}.{path}");
                self.replace(Operator::DropBlock, &on, self.line(place(inner.span)), "");
                self.body(inner, address, &format!("{path}."), paths, place);
            }
        }
    }

    fn attribute(&mut self, attribute: &Attribute, on: &str, place: &dyn Fn(Span) -> Span) {
        let (whole, value) = (place(attribute.span), place(attribute.value.span));
        // Without it the provider does the same: then nothing changes.
        if !self.is_default(on, value) {
            self.replace(Operator::DropAttribute, on, self.line(whole), "");
            self.replace(Operator::Null, on, value, "null");
        }
        self.replace(Operator::Unknown, on, value, "var.mutant_without_value");
        match &attribute.value.kind {
            ExprKind::Bool(value_is) => {
                self.replace(Operator::FlipBool, on, value, if *value_is { "false" } else { "true" });
            }
            ExprKind::Number(_) => self.replace(Operator::BelowMinimum, on, value, "1"),
            ExprKind::String(word) => {
                if let Some(weaker) = self.weaker(on, word) {
                    self.replace(Operator::StepDownEnum, on, value, &weaker);
                }
            }
            ExprKind::GetAttr(_) | ExprKind::Index(..) => {
                self.replace(Operator::Retarget, on, value, "\"nobody-manages-this\"");
            }
            _ => {}
        }
    }

    /// Whether the value at `value` is what the provider takes where nothing is written.
    fn is_default(&self, on: &str, value: Span) -> bool {
        let Some((kind, path)) =
            on.split_once('.').and_then(|(kind, rest)| Some((kind, rest.split_once('.')?.1)))
        else {
            return false;
        };
        let Some(facts) = self.set.catalogue.facts(kind) else { return false };
        let text = self.source.text().get(value.range()).unwrap_or_default().trim_matches('"');
        facts.defaults.iter().any(|(known, default)| known.to_string() == path && default.to_string() == text)
    }

    /// The word before this one among those that the provider takes.
    fn weaker(&self, on: &str, word: &str) -> Option<String> {
        let (kind, rest) = on.split_once('.')?;
        let (_, path) = rest.split_once('.')?;
        let facts = self.set.catalogue.facts(kind)?;
        let (_, words) = facts.allowed.iter().find(|(allowed, _)| allowed.to_string() == path)?;
        let at = words.iter().position(|one| one.to_string() == word)?;
        let before = words.get(at.checked_sub(1)?)?;
        Some(format!("\"{before}\""))
    }

    /// The span with the rest of its line.
    fn line(&self, span: Span) -> Span {
        let text = self.source.text();
        let start =
            text.get(..span.start as usize).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        let is_first = text.get(start..span.start as usize).is_some_and(|before| before.trim().is_empty());
        let rest = text.get(span.end as usize..).unwrap_or_default();
        let end = rest.find('\n').filter(|at| rest.get(..*at).is_some_and(|tail| tail.trim().is_empty()));
        match (is_first, end) {
            (true, Some(end)) => {
                let add = u32::try_from(end + 1).unwrap_or(0);
                Span::new(u32::try_from(start).unwrap_or(span.start), span.end + add)
            }
            _ => span,
        }
    }

    fn replace(&mut self, operator: Operator, on: &str, span: Span, with: &str) {
        if !self.operators.contains(&operator) {
            return;
        }
        let text = self.source.text();
        let (start, end) = (span.start as usize, span.end as usize);
        let (Some(before), Some(old), Some(after)) =
            (text.get(..start), text.get(start..end), text.get(end..))
        else {
            return;
        };
        let declared =
            if operator == Operator::Unknown { "\nvariable \"mutant_without_value\" {}\n" } else { "" };
        let mutated = format!("{before}{with}{after}{declared}");
        let line = self.source.lines().line_column(text, span.start).line;
        let shown = |sign: char, text: &str| {
            text.lines()
                .filter(|line| !line.trim().is_empty())
                .map(|line| format!("{sign}{line}\n"))
                .collect::<String>()
        };
        let diff = format!("{}:{line}\n{}{}", self.path, shown('-', old), shown('+', with));
        let mutant = Mutant { operator: operator.as_str().to_owned(), on: on.to_owned(), diff };
        self.out.push(Edit { mutant, path: self.path.to_owned(), text: mutated });
    }
}
