//! Terraform's JSON syntax as the same tree: nested objects under `resource`, `module` and the like become
//! blocks with labels, everything else attributes whose strings are templates.

use std::sync::Arc;

use super::tree::{
    Attribute, Block, Body, Expr, ExprKind, Item, ItemKind, Label, ObjectItem, ObjectKey, Piece, TemplatePart,
};
use super::{BlockCache, HclFile, piece};
use crate::document::{self, Entry, Node, NodeKind};
use crate::{Name, Problem, Source, Span};

/// Parses `.tf.json`.
#[must_use]
pub fn parse_json(source: &Source, _cache: &BlockCache) -> HclFile {
    let document = document::parse_json(source.text());
    let mut file = HclFile { items: Vec::new(), problems: document.problems };
    for entry in document.root.entries().iter().filter(|entry| entry.key != "//") {
        let labels = match entry.key.as_str() {
            "resource" | "data" | "ephemeral" => 2,
            "module" | "variable" | "output" | "provider" | "check" => 1,
            _ => 0,
        };
        blocks(&mut file, source, entry, &mut Vec::new(), &entry.value, labels);
    }
    file
}

/// Parses `.tfvars.json`: every key is a variable, strings are literal.
#[must_use]
pub fn parse_variables_json(source: &Source) -> HclFile {
    let document = document::parse_json(source.text());
    let mut file = HclFile { items: Vec::new(), problems: document.problems };
    for entry in document.root.entries() {
        let attribute =
            attribute(entry, &mut |text, span| Expr { span, kind: ExprKind::String(Name::new(text)) });
        push(&mut file, source, ItemKind::Attribute(attribute), None);
    }
    file
}

fn blocks(
    file: &mut HclFile,
    source: &Source,
    head: &Entry,
    labels: &mut Vec<(Name, Span)>,
    value: &Node,
    missing: usize,
) {
    if missing > 0 {
        for entry in value.entries().iter().filter(|entry| entry.key != "//") {
            labels.push((Name::new(&entry.key), entry.key_span));
            blocks(file, source, head, labels, &entry.value, missing - 1);
            labels.pop();
        }
        // A list of objects stands for several such objects.
        value.items().iter().for_each(|item| blocks(file, source, head, labels, item, missing));
        return;
    }
    if let NodeKind::List(items) = &value.kind {
        items.iter().for_each(|item| blocks(file, source, head, labels, item, 0));
        return;
    }
    let mut problem = None;
    let mut template = |text: &str, span: Span| template(text, span, &mut problem);
    let attributes =
        value.entries().iter().filter(|entry| entry.key != "//").map(|entry| attribute(entry, &mut template));
    let body = Body {
        attributes: attributes.collect(),
        blocks: Box::default(),
        span: value.span,
        incomplete: false,
        json: true,
    };
    let header = labels.last().map_or(head.key_span, |(_, span)| *span);
    let block = Block {
        ident: Name::new(&head.key),
        ident_span: head.key_span,
        labels: labels.iter().map(|(name, span)| Label { name: name.clone(), span: *span }).collect(),
        header,
        span: Span::new(header.start, value.span.end),
        body: body.into(),
    };
    push(file, source, ItemKind::Block(block), problem);
}

fn push(file: &mut HclFile, source: &Source, kind: ItemKind, problem: Option<Problem>) {
    file.problems.extend(problem.clone());
    let problems = problem.into_iter().collect();
    // Spans of JSON pieces are absolute, so a piece is only equal to itself at the same place of the same text.
    let hash = source.hash() ^ u64::try_from(file.items.len()).unwrap_or(0).rotate_left(32);
    file.items.push(Item { file: source.file(), base: 0, piece: Arc::new(Piece { hash, kind, problems }) });
}

fn attribute(entry: &Entry, string: &mut dyn FnMut(&str, Span) -> Expr) -> Attribute {
    Attribute {
        name: Name::new(&entry.key),
        name_span: entry.key_span,
        span: Span::new(entry.key_span.start, entry.value.span.end),
        value: expr(&entry.value, string),
    }
}

fn expr(node: &Node, string: &mut dyn FnMut(&str, Span) -> Expr) -> Expr {
    let kind = match &node.kind {
        NodeKind::Null => ExprKind::Null,
        NodeKind::Bool(value) => ExprKind::Bool(*value),
        NodeKind::Number(_, written) => ExprKind::Number(Name::new(written)),
        NodeKind::String(text) => return string(text, node.span),
        NodeKind::List(items) => ExprKind::Tuple(items.iter().map(|item| expr(item, string)).collect()),
        NodeKind::Map(entries) => ExprKind::Object(
            entries
                .iter()
                .map(|entry| ObjectItem {
                    key: ObjectKey::Name(Name::new(&entry.key)),
                    key_span: entry.key_span,
                    value: expr(&entry.value, string),
                })
                .collect(),
        ),
    };
    Expr { span: node.span, kind }
}

/// A string of JSON syntax is a template; one that is a single interpolation is that expression. Places inside
/// of it are those of the string: escapes may have moved every byte.
fn template(text: &str, span: Span, problem: &mut Option<Problem>) -> Expr {
    if !text.contains("${") && !text.contains("%{") {
        return Expr { span, kind: ExprKind::String(Name::new(text)) };
    }
    match piece::parts(text) {
        Ok(mut parts) => {
            parts.iter_mut().for_each(|part| anchor_part(part, span));
            match parts.as_slice() {
                [TemplatePart::Value(_)] => match parts.pop() {
                    Some(TemplatePart::Value(value)) => Expr { span, kind: value.kind },
                    _ => Expr { span, kind: ExprKind::Broken },
                },
                _ => Expr { span, kind: ExprKind::Template(parts.into()) },
            }
        }
        Err(refused) => {
            let message = format!("invalid template: {}", refused.message);
            problem.get_or_insert(Problem { span, message, ..refused });
            Expr { span, kind: ExprKind::Broken }
        }
    }
}

fn anchor_part(part: &mut TemplatePart, span: Span) {
    match part {
        TemplatePart::Text(_) => {}
        TemplatePart::Value(value) => anchor(value, span),
        TemplatePart::If(branch) => {
            anchor(&mut branch.condition, span);
            branch.yes.iter_mut().chain(&mut branch.no).for_each(|part| anchor_part(part, span));
        }
        TemplatePart::For(each) => {
            anchor(&mut each.collection, span);
            each.body.iter_mut().for_each(|part| anchor_part(part, span));
        }
    }
}

fn anchor(expr: &mut Expr, span: Span) {
    expr.span = span;
    match &mut expr.kind {
        ExprKind::Template(parts) => parts.iter_mut().for_each(|part| anchor_part(part, span)),
        ExprKind::Tuple(items) => items.iter_mut().for_each(|item| anchor(item, span)),
        ExprKind::Call(call) => call.arguments.iter_mut().for_each(|argument| anchor(argument, span)),
        ExprKind::Object(items) => items.iter_mut().for_each(|item| {
            item.key_span = span;
            if let ObjectKey::Expr(key) = &mut item.key {
                anchor(key, span);
            }
            anchor(&mut item.value, span);
        }),
        ExprKind::GetAttr(access) => {
            access.name_span = span;
            anchor(&mut access.base, span);
        }
        ExprKind::Index(a, b)
        | ExprKind::AttrSplat(a, b)
        | ExprKind::FullSplat(a, b)
        | ExprKind::Binary(_, a, b) => {
            anchor(a, span);
            anchor(b, span);
        }
        ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => anchor(inner, span),
        ExprKind::Conditional(parts) => parts.iter_mut().for_each(|part| anchor(part, span)),
        ExprKind::For(each) => {
            anchor(&mut each.collection, span);
            anchor(&mut each.value_expr, span);
            each.key_expr.iter_mut().chain(&mut each.condition).for_each(|part| anchor(part, span));
        }
        ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Number(_)
        | ExprKind::String(_)
        | ExprKind::Variable(_)
        | ExprKind::SplatItem
        | ExprKind::Broken => {}
    }
}
