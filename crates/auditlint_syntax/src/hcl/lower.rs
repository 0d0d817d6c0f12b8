//! hcl-edit's tree to ours, at once and for good.

use hcl_edit::Span as _;
use hcl_edit::expr::{
    BinaryOperator, Expression, ObjectKey as EditKey, Traversal, TraversalOperator, UnaryOperator,
};
use hcl_edit::structure::{
    Attribute as EditAttribute, Block as EditBlock, BlockLabel, Body as EditBody, Structure,
};
use hcl_edit::template::{Directive, Element, Strip, Template};

use super::tree::{
    Attribute, BinaryOp, Block, Body, Call, Expr, ExprKind, ForExpr, GetAttr, Label, ObjectItem, ObjectKey,
    TemplatePart, UnaryOp,
};
use crate::{Name, Span};

/// What lowering needs to know: the text that was parsed, and how far it stands from the piece's first byte.
pub(super) struct Lowering<'a> {
    pub(super) text: &'a str,
    pub(super) offset: u32,
    /// Whether what is lowered stands in quotes, where a text has no lines.
    pub(super) quoted: bool,
}

impl Lowering<'_> {
    fn span(&self, range: Option<std::ops::Range<usize>>) -> Span {
        let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(self.offset);
        range.map_or(Span::new(self.offset, self.offset), |range| Span::new(at(range.start), at(range.end)))
    }

    /// The source text of a span that this lowering made.
    fn source(&self, span: Span) -> &str {
        let range = (span.start.saturating_sub(self.offset)) as usize
            ..(span.end.saturating_sub(self.offset)) as usize;
        self.text.get(range).unwrap_or_default()
    }

    pub(super) fn attribute(&mut self, attribute: &EditAttribute) -> Attribute {
        let value = self.expr(&attribute.value);
        let name_span = self.span(attribute.key.span());
        Attribute {
            name: Name::new(attribute.key.as_str()),
            name_span,
            span: Span::new(name_span.start, value.span.end),
            value,
        }
    }

    pub(super) fn block(&mut self, block: &EditBlock) -> Block {
        let ident_span = self.span(block.ident.span());
        let labels: Box<[Label]> = block
            .labels
            .iter()
            .map(|label| match label {
                BlockLabel::Ident(ident) => {
                    Label { name: Name::new(ident.as_str()), span: self.span(ident.span()) }
                }
                BlockLabel::String(text) => {
                    Label { name: Name::new(text.as_str()), span: self.span(text.span()) }
                }
            })
            .collect();
        let header =
            Span::new(ident_span.start, labels.last().map_or(ident_span.end, |label| label.span.end));
        let whole = self.span(block.span());
        let open = self.source(Span::new(header.end, whole.end)).find('{').unwrap_or(0);
        let inside =
            Span::new(header.end + u32::try_from(open).unwrap_or(0) + 1, whole.end.saturating_sub(1));
        let body = self.body(&block.body, inside);
        Block {
            ident: Name::new(block.ident.as_str()),
            ident_span,
            labels,
            header,
            span: Span::new(ident_span.start, whole.end),
            body,
        }
    }

    pub(super) fn body(&mut self, body: &EditBody, span: Span) -> Body {
        let mut attributes: Vec<Attribute> = Vec::with_capacity(body.len());
        let mut blocks = Vec::new();
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => attributes.push(self.attribute(attribute)),
                Structure::Block(block) => blocks.push(self.block(block)),
            }
        }
        Body { attributes: attributes.into(), blocks: blocks.into(), span, incomplete: false, json: false }
    }

    pub(super) fn expr(&mut self, expr: &Expression) -> Expr {
        let span = self.span(expr.span());
        let kind = match expr {
            Expression::Null(_) => ExprKind::Null,
            Expression::Bool(value) => ExprKind::Bool(*value.value()),
            Expression::Number(number) => match self.source(span) {
                "" => ExprKind::Number(Name::new(number.value().to_string())),
                written => ExprKind::Number(Name::new(written)),
            },
            Expression::String(text) => ExprKind::String(Name::new(text.as_str())),
            Expression::Array(array) => ExprKind::Tuple(array.iter().map(|item| self.expr(item)).collect()),
            Expression::Object(object) => ExprKind::Object(
                object
                    .iter()
                    .map(|(key, value)| {
                        let value = self.expr(value.expr());
                        match key {
                            EditKey::Ident(ident) => ObjectItem {
                                key: ObjectKey::Name(Name::new(ident.as_str())),
                                key_span: self.span(ident.span()),
                                value,
                            },
                            EditKey::Expression(Expression::Variable(name)) => ObjectItem {
                                key: ObjectKey::Name(Name::new(name.as_str())),
                                key_span: self.span(name.span()),
                                value,
                            },
                            EditKey::Expression(expr) => {
                                let key = self.expr(expr);
                                ObjectItem { key_span: key.span, key: ObjectKey::Expr(key), value }
                            }
                        }
                    })
                    .collect(),
            ),
            Expression::StringTemplate(template) => {
                let outer = std::mem::replace(&mut self.quoted, true);
                let parts = self.parts(template.iter());
                self.quoted = outer;
                ExprKind::Template(parts.into())
            }
            Expression::HeredocTemplate(heredoc) => {
                let outer = std::mem::replace(&mut self.quoted, false);
                let parts = self.template(&heredoc.template);
                self.quoted = outer;
                join(parts)
            }
            Expression::Parenthesis(inner) => ExprKind::Paren(Box::new(self.expr(inner.inner()))),
            Expression::Variable(name) => ExprKind::Variable(Name::new(name.as_str())),
            Expression::Conditional(conditional) => ExprKind::Conditional(Box::new([
                self.expr(&conditional.cond_expr),
                self.expr(&conditional.true_expr),
                self.expr(&conditional.false_expr),
            ])),
            Expression::FuncCall(call) => {
                let mut name = String::new();
                for part in &call.name.namespace {
                    name.push_str(part.as_str());
                    name.push_str("::");
                }
                name.push_str(call.name.name.as_str());
                let arguments = call.args.iter().map(|argument| self.expr(argument)).collect();
                let expands = call.args.expand_final();
                ExprKind::Call(Box::new(Call { name: Name::new(name), arguments, expands }))
            }
            Expression::Traversal(traversal) => return self.traversal(traversal, span),
            Expression::UnaryOp(operation) => {
                let operator = match operation.operator.value() {
                    UnaryOperator::Neg => UnaryOp::Negate,
                    UnaryOperator::Not => UnaryOp::Not,
                };
                ExprKind::Unary(operator, Box::new(self.expr(&operation.expr)))
            }
            Expression::BinaryOp(operation) => {
                let (left, right) = (self.expr(&operation.lhs_expr), self.expr(&operation.rhs_expr));
                ExprKind::Binary(binary(*operation.operator.value()), Box::new(left), Box::new(right))
            }
            Expression::ForExpr(each) => ExprKind::For(Box::new(ForExpr {
                key: each.intro.key_var.as_ref().map(|name| Name::new(name.as_str())),
                value: Name::new(each.intro.value_var.as_str()),
                collection: self.expr(&each.intro.collection_expr),
                key_expr: each.key_expr.as_ref().map(|expr| self.expr(expr)),
                value_expr: self.expr(&each.value_expr),
                grouping: each.grouping,
                condition: each.cond.as_ref().map(|condition| self.expr(&condition.expr)),
            })),
        };
        Expr { span, kind }
    }

    pub(super) fn template(&mut self, template: &Template) -> Vec<TemplatePart> {
        self.parts(template.iter())
    }

    fn parts<'e>(&mut self, elements: impl Iterator<Item = &'e Element>) -> Vec<TemplatePart> {
        let mut parts: Vec<TemplatePart> = Vec::new();
        let mut trim_next = false;
        for element in elements {
            match element {
                Element::Literal(literal) => {
                    let text = if trim_next { self.without_start(literal) } else { literal.as_str() };
                    parts.push(TemplatePart::Text(Name::new(text)));
                    trim_next = false;
                }
                Element::Interpolation(interpolation) => {
                    self.trim(&mut parts, interpolation.strip);
                    parts.push(TemplatePart::Value(self.expr(&interpolation.expr)));
                    trim_next = trims_after(interpolation.strip);
                }
                Element::Directive(directive) => trim_next = self.directive(directive, &mut parts),
            }
        }
        parts.retain(|part| !matches!(part, TemplatePart::Text(text) if text.is_empty()));
        parts
    }

    /// A text that stands after a strip marker: without its leading white space, up to the end of its first line.
    /// In quotes there are no lines, only escapes.
    fn without_start<'t>(&self, text: &'t str) -> &'t str {
        let line = text.find('\n').filter(|_| !self.quoted).map_or(text.len(), |end| end + 1);
        let blank = text.get(..line).is_some_and(|line| line.trim().is_empty());
        if blank { text.get(line..).unwrap_or_default() } else { text.trim_start() }
    }

    /// A text that stands before a strip marker, as above: its last line loses its trailing white space.
    fn without_end<'t>(&self, text: &'t str) -> &'t str {
        let line = text.strip_suffix('\n').unwrap_or(text).rfind('\n').filter(|_| !self.quoted);
        let line = line.map_or(0, |end| end + 1);
        let kept = text.get(line..).unwrap_or_default().trim_end().len();
        text.get(..line + kept).unwrap_or_default()
    }

    fn trim(&self, parts: &mut [TemplatePart], strip: Strip) {
        if matches!(strip, Strip::Start | Strip::Both)
            && let Some(TemplatePart::Text(text)) = parts.last_mut()
        {
            *text = Name::new(self.without_end(text));
        }
    }

    fn trim_front(&self, parts: &mut [TemplatePart], strip: Strip) {
        if trims_after(strip)
            && let Some(TemplatePart::Text(text)) = parts.first_mut()
        {
            *text = Name::new(self.without_start(text));
        }
    }

    /// Adds a directive; says whether the text after it loses its leading white space.
    fn directive(&mut self, directive: &Directive, parts: &mut Vec<TemplatePart>) -> bool {
        match directive {
            Directive::If(branch) => {
                self.trim(parts, branch.if_expr.strip);
                let mut yes = self.template(&branch.if_expr.template);
                self.trim_front(&mut yes, branch.if_expr.strip);
                let mut no = Vec::new();
                if let Some(other) = &branch.else_expr {
                    self.trim(&mut yes, other.strip);
                    no = self.template(&other.template);
                    self.trim_front(&mut no, other.strip);
                    self.trim(&mut no, branch.endif_expr.strip);
                } else {
                    self.trim(&mut yes, branch.endif_expr.strip);
                }
                let condition = self.expr(&branch.if_expr.cond_expr);
                parts.push(TemplatePart::If { condition, yes: yes.into(), no: no.into() });
                trims_after(branch.endif_expr.strip)
            }
            Directive::For(each) => {
                self.trim(parts, each.for_expr.strip);
                let mut body = self.template(&each.for_expr.template);
                self.trim_front(&mut body, each.for_expr.strip);
                self.trim(&mut body, each.endfor_expr.strip);
                let collection = self.expr(&each.for_expr.collection_expr);
                parts.push(TemplatePart::For {
                    key: each.for_expr.key_var.as_ref().map(|name| Name::new(name.as_str())),
                    value: Name::new(each.for_expr.value_var.as_str()),
                    collection,
                    body: body.into(),
                });
                trims_after(each.endfor_expr.strip)
            }
        }
    }

    fn traversal(&mut self, traversal: &Traversal, span: Span) -> Expr {
        let base = self.expr(&traversal.expr);
        let start = span.start;
        self.steps(base, &traversal.operators, start, span.end)
    }

    fn steps(
        &mut self,
        base: Expr,
        steps: &[hcl_edit::Decorated<TraversalOperator>],
        start: u32,
        last: u32,
    ) -> Expr {
        let mut expr = base;
        for (n, step) in steps.iter().enumerate() {
            let end = step.span().map_or(last, |range| self.span(Some(range)).end);
            let span = Span::new(start, end);
            let rest = steps.get(n + 1..).unwrap_or_default();
            let kind = match step.value() {
                TraversalOperator::GetAttr(name) => {
                    let name_span = self.span(name.span());
                    let name = Name::new(name.as_str());
                    ExprKind::GetAttr(Box::new(GetAttr { base: expr, name, name_span }))
                }
                TraversalOperator::Index(index) => {
                    let index = self.expr(index);
                    ExprKind::Index(Box::new(expr), Box::new(index))
                }
                TraversalOperator::LegacyIndex(index) => {
                    let number = ExprKind::Number(Name::new(index.value().to_string()));
                    ExprKind::Index(
                        Box::new(expr),
                        Box::new(Expr { span: Span::new(end, end), kind: number }),
                    )
                }
                TraversalOperator::AttrSplat(_) => {
                    // A legacy splat takes the attributes that follow; an index after them applies to the whole.
                    let taken = rest
                        .iter()
                        .take_while(|step| {
                            matches!(
                                step.value(),
                                TraversalOperator::GetAttr(_) | TraversalOperator::LegacyIndex(_)
                            )
                        })
                        .count();
                    let (inner, after) = rest.split_at(taken);
                    let item = Expr { span, kind: ExprKind::SplatItem };
                    let each = self.steps(item, inner, start, last);
                    let splat = ExprKind::AttrSplat(Box::new(expr), Box::new(each));
                    return self.steps(Expr { span, kind: splat }, after, start, last);
                }
                TraversalOperator::FullSplat(_) => {
                    let item = Expr { span, kind: ExprKind::SplatItem };
                    let each = self.steps(item, rest, start, last);
                    let kind = ExprKind::FullSplat(Box::new(expr), Box::new(each));
                    return Expr { span: Span::new(start, last), kind };
                }
            };
            expr = Expr { span, kind };
        }
        expr
    }
}

/// A template without interpolation is a string.
fn join(parts: Vec<TemplatePart>) -> ExprKind {
    if parts.iter().all(|part| matches!(part, TemplatePart::Text(_))) {
        let text: String = parts
            .iter()
            .map(|part| if let TemplatePart::Text(text) = part { text.as_str() } else { "" })
            .collect();
        ExprKind::String(Name::new(text))
    } else {
        ExprKind::Template(parts.into())
    }
}

const fn trims_after(strip: Strip) -> bool {
    matches!(strip, Strip::End | Strip::Both)
}

const fn binary(operator: BinaryOperator) -> BinaryOp {
    match operator {
        BinaryOperator::Eq => BinaryOp::Equal,
        BinaryOperator::NotEq => BinaryOp::NotEqual,
        BinaryOperator::LessEq => BinaryOp::LessOrEqual,
        BinaryOperator::GreaterEq => BinaryOp::GreaterOrEqual,
        BinaryOperator::Less => BinaryOp::Less,
        BinaryOperator::Greater => BinaryOp::Greater,
        BinaryOperator::Plus => BinaryOp::Add,
        BinaryOperator::Minus => BinaryOp::Subtract,
        BinaryOperator::Mul => BinaryOp::Multiply,
        BinaryOperator::Div => BinaryOp::Divide,
        BinaryOperator::Mod => BinaryOp::Modulo,
        BinaryOperator::And => BinaryOp::And,
        BinaryOperator::Or => BinaryOp::Or,
    }
}
