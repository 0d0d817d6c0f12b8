//! Changes of one resource block.

use auditlint_graph::{Declared, Resource};
use auditlint_policy::{LiteralValue, NewBlock, NewValue};
use auditlint_syntax::hcl::{Attribute, Block, Body, Expr, ExprKind, HclFile, ItemKind};
use auditlint_syntax::{Name, Source, Span, TextEdit};

use super::align::{self, Line, span};
use super::layout::{indentation, inner_indentation, line_end, line_start, next_line};
use super::value::{Writer, literal};

/// Arguments that Terraform itself reads; they stand first and apart.
const META: [&str; 4] = ["count", "for_each", "provider", "depends_on"];

/// A resource block in the text that is to be changed.
pub(super) struct Subject<'a> {
    text: &'a str,
    block: &'a Block,
    base: u32,
}

/// What became of an attribute that is to be set.
pub(super) enum Set {
    /// These edits set it.
    Edits(Vec<TextEdit>),
    /// It is written as something other than a literal.
    Reference,
    /// It cannot be set by an edit.
    Impossible,
}

/// The innermost block that is there, and the steps of a path that are missing below it.
type Missing<'a, 'p> = (&'a Block, Vec<&'p str>);

impl<'a> Subject<'a> {
    /// The block that declares `resource`, or the call that it stands for.
    pub(super) fn find(source: &'a Source, file: &'a HclFile, resource: &Resource) -> Option<Self> {
        let address = &resource.address;
        let is = |block: &Block, ident: &str, labels: &[&Name]| {
            block.ident == ident && block.labels.iter().map(|label| &label.name).eq(labels.iter().copied())
        };
        file.items.iter().find_map(|item| match &item.piece.kind {
            ItemKind::Block(block) if !block.body.incomplete => {
                let own = match address.called_module() {
                    Some(_) => is(block, "module", &[&address.name]),
                    None => is(block, "resource", &[&address.kind, &address.name]),
                };
                own.then_some(Self { text: source.text(), block, base: item.base })
            }
            _ => None,
        })
    }

    /// The block that stands at `declared`.
    pub(super) fn at(source: &'a Source, file: &'a HclFile, declared: Declared) -> Option<Self> {
        file.items.iter().find_map(|item| match &item.piece.kind {
            ItemKind::Block(block) if !block.body.incomplete => {
                let here = block.span.shifted(item.base) == declared.block.span;
                here.then_some(Self { text: source.text(), block, base: item.base })
            }
            _ => None,
        })
    }

    /// The variable that the attribute at `path` is, where it is nothing else.
    pub(super) fn variable(&self, path: &str) -> Option<&'a str> {
        let (block, name) = self.body_of(path).ok()?;
        match &block.body.attribute(name)?.value.kind {
            ExprKind::GetAttr(access) => match &access.base.kind {
                ExprKind::Variable(root) if root == "var" => Some(&access.name),
                _ => None,
            },
            _ => None,
        }
    }

    /// `[count.index]`, `[each.key]` or nothing.
    pub(super) fn own_key(&self) -> String {
        let has = |name| self.block.body.attribute(name).is_some();
        match (has("count"), has("for_each")) {
            (true, _) => "[count.index]".to_owned(),
            (_, true) => "[each.key]".to_owned(),
            _ => String::new(),
        }
    }

    fn absolute(&self, span: Span) -> Span {
        span.shifted(self.base)
    }

    /// The body in which the last step of `path` stands, and that step; else the blocks that are missing.
    fn body_of<'p>(&self, path: &'p str) -> Result<(&'a Block, &'p str), Option<Missing<'a, 'p>>> {
        let steps: Vec<&str> = path.split('.').collect();
        let (last, way) = steps.split_last().ok_or(None)?;
        let mut at = self.block;
        for (n, step) in way.iter().enumerate() {
            if is_dynamic(&at.body, step) || at.body.attribute(step).is_some() {
                return Err(None);
            }
            match at.body.blocks.iter().find(|inner| inner.ident == *step) {
                Some(inner) => at = inner,
                None => return Err(Some((at, steps.get(n..).unwrap_or_default().to_vec()))),
            }
        }
        Ok((at, last))
    }

    /// Whether the attribute at `path` is written.
    pub(super) fn has(&self, path: &str) -> bool {
        matches!(self.body_of(path), Ok((block, name)) if block.body.attribute(name).is_some())
    }

    /// Gives the attribute at `path` a value.
    pub(super) fn set(&self, path: &str, value: &NewValue, writer: &Writer<'_>) -> Set {
        let written = writer.value(value);
        match self.body_of(path) {
            Ok((block, name)) => match block.body.attribute(name) {
                Some(attribute) if is_literal(&attribute.value) => {
                    Set::Edits(self.rewrite(block, attribute, &written))
                }
                Some(_) => Set::Reference,
                None => Set::Edits(self.insert(block, name, &written)),
            },
            Err(Some((block, missing))) => {
                let Some((name, way)) = missing.split_last() else { return Set::Impossible };
                let mut new: Option<NewBlock> = None;
                for step in way.iter().rev() {
                    new = Some(match new {
                        None => NewBlock {
                            name: Name::new(step),
                            body: vec![(Name::new(name), value.clone())],
                            blocks: Vec::new(),
                        },
                        Some(inner) => {
                            NewBlock { name: Name::new(step), body: Vec::new(), blocks: vec![inner] }
                        }
                    });
                }
                match new {
                    Some(new) => Set::Edits(self.insert_block(block, &new, writer)),
                    None => Set::Impossible,
                }
            }
            Err(None) => Set::Impossible,
        }
    }

    /// Replaces a literal; comments after it keep their column.
    fn rewrite(&self, block: &Block, attribute: &Attribute, written: &str) -> Vec<TextEdit> {
        let at = self.absolute(attribute.value.span);
        let own = TextEdit { span: at, text: written.to_owned() };
        if self.text.get(at.range()) == Some(written) {
            return Vec::new();
        }
        let group = self.group(block, attribute);
        if group.iter().all(|line| !line.has_comment()) {
            return vec![own];
        }
        let lines: Vec<Line> = group
            .into_iter()
            .map(|line| {
                if line.is_at(self.absolute(attribute.span).start as usize) {
                    line.with_value(written)
                } else {
                    line
                }
            })
            .collect();
        let mut edits = align::edits(self.text, &lines, "", "\n");
        edits.push(own);
        edits.sort();
        edits
    }

    /// The consecutive lines of attributes around `attribute`.
    fn group(&self, block: &Block, attribute: &Attribute) -> Vec<Line> {
        let all = &block.body.attributes;
        let Some(at) = all.iter().position(|other| other.span == attribute.span) else { return Vec::new() };
        let follows = |a: &Attribute, b: &Attribute| {
            next_line(self.text, self.absolute(a.span).end as usize)
                == line_start(self.text, self.absolute(b.span).start as usize)
        };
        let mut out: Vec<Line> = self.line(attribute).into_iter().collect();
        if out.is_empty() {
            return out;
        }
        let mut current = attribute;
        for other in all.iter().take(at).rev() {
            match self.line(other).filter(|_| follows(other, current)) {
                Some(line) => out.insert(0, line),
                None => break,
            }
            current = other;
        }
        current = attribute;
        for other in all.iter().skip(at + 1) {
            match self.line(other).filter(|_| follows(current, other)) {
                Some(line) => out.push(line),
                None => break,
            }
            current = other;
        }
        out
    }

    fn line(&self, attribute: &Attribute) -> Option<Line> {
        let at = self.absolute(attribute.span).start as usize;
        Line::read(self.text, &attribute.name, at, self.absolute(attribute.value.span))
    }

    /// Writes a new attribute after the first group of one-line attributes that are the resource's own.
    fn insert(&self, block: &Block, name: &str, written: &str) -> Vec<TextEdit> {
        let body = &block.body;
        let inner = inner_indentation(self.text, body, self.base, self.absolute(block.span).start as usize);
        let ends = line_end(self.text);
        let own = |attribute: &&Attribute| {
            !META.contains(&attribute.name.as_str()) && self.line(attribute).is_some()
        };
        let anchor = body
            .attributes
            .iter()
            .find(own)
            .or_else(|| body.attributes.iter().find(|a| self.line(a).is_some()));
        if self.is_one_line(block) {
            return self.open(block, &inner, ends, &[Line::new(name, written)]);
        }
        match anchor {
            Some(anchor) => {
                let mut lines = self.group(block, anchor);
                lines.push(Line::new(name, written));
                align::edits(self.text, &lines, &inner, ends)
            }
            None => {
                let at = next_line(self.text, self.body_start(block));
                let mut text = align::fresh(&[Line::new(name, written)], &inner, ends);
                if !body.attributes.is_empty() || !body.blocks.is_empty() {
                    text.push_str(ends);
                }
                vec![TextEdit { span: span(at, at), text }]
            }
        }
    }

    /// The byte after the opening brace.
    fn body_start(&self, block: &Block) -> usize {
        let header = self.absolute(block.header).end as usize;
        self.text.get(header..).and_then(|rest| rest.find('{')).map_or(header, |at| header + at + 1)
    }

    /// The byte of the closing brace.
    fn body_end(&self, block: &Block) -> usize {
        (self.absolute(block.span).end as usize).saturating_sub(1)
    }

    fn is_one_line(&self, block: &Block) -> bool {
        !self.text.get(self.absolute(block.span).range()).unwrap_or_default().contains('\n')
    }

    /// Breaks a one-line block into lines, with more of them.
    fn open(&self, block: &Block, inner: &str, ends: &str, more: &[Line]) -> Vec<TextEdit> {
        let (from, to) = (self.body_start(block), self.body_end(block));
        let outer = indentation(self.text, self.absolute(block.span).start as usize);
        let mut lines: Vec<Line> = block
            .body
            .attributes
            .iter()
            .map(|attribute| {
                Line::new(
                    &attribute.name,
                    self.text.get(self.absolute(attribute.value.span).range()).unwrap_or_default(),
                )
            })
            .collect();
        lines.extend(more.iter().cloned());
        let text = format!("{ends}{}{outer}", align::fresh(&lines, inner, ends));
        vec![TextEdit { span: span(from, to), text }]
    }

    /// Adds a nested block to the resource; none when a dynamic block of that name stands there.
    pub(super) fn add_block(&self, new: &NewBlock, writer: &Writer<'_>) -> Option<Vec<TextEdit>> {
        (!is_dynamic(&self.block.body, &new.name)).then(|| self.insert_block(self.block, new, writer))
    }

    fn insert_block(&self, block: &Block, new: &NewBlock, writer: &Writer<'_>) -> Vec<TextEdit> {
        let body = &block.body;
        let inner = inner_indentation(self.text, body, self.base, self.absolute(block.span).start as usize);
        let ends = line_end(self.text);
        let mut text = writer.block(new, &inner, ends);
        if self.is_one_line(block) {
            let mut edits = self.open(block, &inner, ends, &[]);
            if let Some(edit) = edits.first_mut() {
                let outer = indentation(self.text, self.absolute(block.span).start as usize);
                let kept = edit.text.len() - outer.len();
                let gap = if body.attributes.is_empty() { "" } else { ends };
                edit.text.truncate(kept);
                edit.text.push_str(&format!("{gap}{text}{outer}"));
            }
            return edits;
        }
        let at = line_start(self.text, self.body_end(block));
        if !body.attributes.is_empty() || !body.blocks.is_empty() {
            text.insert_str(0, ends);
        }
        vec![TextEdit { span: span(at, at), text }]
    }

    /// Adds elements to the list at `path`.
    pub(super) fn append(&self, path: &str, values: &[LiteralValue]) -> Option<Vec<TextEdit>> {
        let Ok((block, name)) = self.body_of(path) else { return None };
        let Some(attribute) = block.body.attribute(name) else {
            return Some(self.insert(block, name, &literal(&LiteralValue::List(values.to_vec()))));
        };
        let ExprKind::Tuple(items) = &attribute.value.kind else { return None };
        let there: Vec<&str> =
            items.iter().filter_map(|item| self.text.get(self.absolute(item.span).range())).collect();
        let missing: Vec<String> =
            values.iter().map(literal).filter(|value| !there.contains(&value.as_str())).collect();
        if missing.is_empty() {
            return Some(Vec::new());
        }
        let list = self.absolute(attribute.value.span);
        let Some(last) = items.last() else {
            return Some(vec![TextEdit { span: list, text: format!("[{}]", missing.join(", ")) }]);
        };
        let at = self.absolute(last.span).end as usize;
        let multi_line = self.text.get(list.range())?.contains('\n');
        let text = if multi_line {
            let pad = indentation(self.text, self.absolute(last.span).start as usize);
            let ends = line_end(self.text);
            missing.iter().map(|value| format!(",{ends}{pad}{value}")).collect()
        } else {
            missing.iter().map(|value| format!(", {value}")).collect::<String>()
        };
        Some(vec![TextEdit { span: span(at, at), text }])
    }

    /// Removes the attribute or all blocks at `path`, with their lines.
    pub(super) fn remove(&self, path: &str) -> Option<Vec<TextEdit>> {
        let Ok((block, name)) = self.body_of(path) else { return Some(Vec::new()) };
        let whole_lines = |span: Span| {
            let span = self.absolute(span);
            (line_start(self.text, span.start as usize), next_line(self.text, span.end as usize))
        };
        if let Some(attribute) = block.body.attribute(name) {
            let (from, to) = whole_lines(attribute.span);
            let mut group = self.group(block, attribute);
            group.retain(|line| !line.is_at(self.absolute(attribute.span).start as usize));
            let mut edits = align::edits(self.text, &group, "", "\n");
            edits.push(TextEdit { span: span(from, to), text: String::new() });
            edits.sort();
            return Some(edits);
        }
        let found = block.body.blocks_named(name).map(|inner| {
            let (mut from, to) = whole_lines(inner.span);
            // The empty line before a block goes with it.
            let before = line_start(self.text, from.saturating_sub(1));
            if from > 0 && self.text.get(before..from).is_some_and(|line| line.trim().is_empty()) {
                from = before;
            }
            TextEdit { span: span(from, to), text: String::new() }
        });
        Some(found.collect())
    }

    /// Writes a resource after this one, as many as there are of it.
    pub(super) fn add_resource(
        &self,
        kind: &str,
        body: &[(Name, NewValue)],
        blocks: &[NewBlock],
        writer: &Writer<'_>,
        taken: &dyn Fn(&str) -> bool,
    ) -> Option<Vec<TextEdit>> {
        let ends = line_end(self.text);
        let own = self.block.labels.get(1)?.name.as_str();
        let name = std::iter::once(own.to_owned())
            .chain((2..).map(|n| format!("{own}_{n}")))
            .find(|name| !taken(name))?;
        let mut text = format!("{ends}resource \"{kind}\" \"{name}\" {{{ends}");
        for meta in ["count", "for_each", "provider"] {
            if let Some(attribute) = self.block.body.attribute(meta) {
                // A resource for each of this one's instances: by reference where that is possible.
                let value = if meta == "for_each" {
                    format!("{}.{own}", self.block.labels.first()?.name)
                } else {
                    self.text.get(self.absolute(attribute.value.span).range())?.to_owned()
                };
                text.push_str(&format!("  {meta} = {value}{ends}"));
                if meta != "provider" {
                    text.push_str(ends);
                }
            }
        }
        text.push_str(&writer.body(body, blocks, "  ", ends));
        text.push_str(&format!("}}{ends}"));
        let end = self.absolute(self.block.span).end as usize;
        let at = next_line(self.text, end);
        if !self.text.get(..at).is_some_and(|before| before.ends_with('\n')) {
            text.insert_str(0, ends);
        }
        Some(vec![TextEdit { span: span(at, at), text }])
    }
}

fn is_dynamic(body: &Body, name: &str) -> bool {
    body.blocks_named("dynamic").any(|block| block.labels.first().is_some_and(|label| label.name == name))
}

/// Whether an expression is a literal that a fix may replace.
fn is_literal(expression: &Expr) -> bool {
    match &expression.kind {
        ExprKind::Null | ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::String(_) => true,
        ExprKind::Unary(_, inner) => is_literal(inner),
        ExprKind::Tuple(items) => items.iter().all(is_literal),
        _ => false,
    }
}
