//! hcl-edit's tree to ours, at once and for good.
//!
//! It says which words belong together. What they say is read from the text: hcl-edit may have parsed it in a
//! [`Disguise`].

use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{
    BinaryOperator, Expression, ObjectKey as EditKey, Traversal, TraversalOperator, UnaryOperator,
};
use hcl_edit::parser::parse_expr;
use hcl_edit::structure::{
    Attribute as EditAttribute, Block as EditBlock, BlockLabel, Body as EditBody, Structure,
};
use hcl_edit::template::{Directive, Element, Template};

use super::disguise::Disguise;
use super::literals::{Form, Literals};
use super::piece::len;
use super::tree::{
    Attribute, BinaryOp, Block, Body, Call, Expr, ExprKind, ForExpr, GetAttr, Label, ObjectItem, ObjectKey,
    TemplateFor, TemplateIf, TemplatePart, UnaryOp,
};
use crate::{Name, Span};

/// What lowering needs to know: the text as it is written, and how far it stands from the piece's first byte.
pub(super) struct Lowering<'a> {
    pub(super) text: &'a str,
    pub(super) offset: u32,
    /// The keys that have another name in the text that was parsed.
    pub(super) keys: &'a [Range<usize>],
}

impl<'a> Lowering<'a> {
    /// For a tree of `text` itself.
    pub(super) fn of(text: &'a str, offset: u32) -> Self {
        Self { text, offset, keys: &[] }
    }

    /// For a tree of `text` in a disguise.
    pub(super) fn disguised(text: &'a str, disguise: &'a Disguise, offset: u32) -> Self {
        Self { text, offset, keys: &disguise.keys }
    }

    fn span(&self, range: Option<Range<usize>>) -> Span {
        let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(self.offset);
        range.map_or(Span::new(self.offset, self.offset), |range| Span::new(at(range.start), at(range.end)))
    }

    /// Where a span that this lowering made stands in the text.
    fn range(&self, span: Span) -> Range<usize> {
        (span.start.saturating_sub(self.offset)) as usize..(span.end.saturating_sub(self.offset)) as usize
    }

    /// The source text of a span that this lowering made.
    fn source(&self, span: Span) -> &'a str {
        self.text.get(self.range(span)).unwrap_or_default()
    }

    pub(super) fn attribute(&self, attribute: &EditAttribute) -> Attribute {
        let value = self.expr(&attribute.value);
        let name_span = self.span(attribute.key.span());
        Attribute {
            name: Name::new(attribute.key.as_str()),
            name_span,
            span: Span::new(name_span.start, value.span.end),
            value,
        }
    }

    pub(super) fn block(&self, block: &EditBlock) -> Block {
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
            body: body.into(),
        }
    }

    pub(super) fn body(&self, body: &EditBody, span: Span) -> Body {
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

    pub(super) fn expr(&self, expr: &Expression) -> Expr {
        let span = self.span(expr.span());
        let kind = match expr {
            Expression::Null(_) => ExprKind::Null,
            Expression::Bool(value) => ExprKind::Bool(*value.value()),
            Expression::Number(_) => ExprKind::Number(self.number(span)),
            Expression::String(_) if self.source(span).starts_with('<') => {
                self.template(&[], span, Form::Heredoc)
            }
            Expression::String(text) => ExprKind::String(Name::new(text.as_str())),
            Expression::Array(array) => ExprKind::Tuple(array.iter().map(|item| self.expr(item)).collect()),
            Expression::Object(object) => ExprKind::Object(
                object
                    .iter()
                    .map(|(key, value)| {
                        let value = self.expr(value.expr());
                        let (key, key_span) = self.key(key);
                        ObjectItem { key, key_span, value }
                    })
                    .collect(),
            ),
            Expression::StringTemplate(template) => {
                self.template(&template.iter().collect::<Vec<_>>(), span, Form::Quoted)
            }
            Expression::HeredocTemplate(heredoc) => {
                self.template(&heredoc.template.iter().collect::<Vec<_>>(), span, Form::Heredoc)
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

    /// A number as it is written, with its sign; white space and comments may stand between the two.
    fn number(&self, span: Span) -> Name {
        let written = self.source(span);
        match written.strip_prefix('-') {
            Some(rest) => {
                let digits = rest.rsplit(|c: char| c == '/' || c.is_whitespace()).next().unwrap_or_default();
                Name::new(format!("-{digits}"))
            }
            None => Name::new(written),
        }
    }

    fn key(&self, key: &EditKey) -> (ObjectKey, Span) {
        let span = self.span(key.span());
        let at = self.range(span).start;
        if let Ok(found) = self.keys.binary_search_by_key(&at, |range| range.start)
            && let Some(range) = self.keys.get(found)
        {
            return self.renamed_key(range);
        }
        match key {
            EditKey::Ident(ident) => (ObjectKey::Name(Name::new(ident.as_str())), span),
            EditKey::Expression(Expression::Variable(name)) => {
                (ObjectKey::Name(Name::new(name.as_str())), self.span(name.span()))
            }
            EditKey::Expression(expr) => {
                let key = self.expr(expr);
                let span = key.span;
                (ObjectKey::Expr(Box::new(key)), span)
            }
        }
    }

    /// A key that has another name in the tree.
    fn renamed_key(&self, range: &Range<usize>) -> (ObjectKey, Span) {
        let span = self.span(Some(range.clone()));
        let text = self.text.get(range.clone()).unwrap_or_default();
        let key = match parse_expr(text) {
            Ok(Expression::Variable(name)) => ObjectKey::Name(Name::new(name.as_str())),
            Ok(key) => ObjectKey::Expr(Box::new(Lowering::of(text, span.start).expr(&key))),
            Err(_) => ObjectKey::Expr(Box::new(Expr { span, kind: ExprKind::Broken })),
        };
        (key, span)
    }

    /// A template that stands at `span`.
    fn template(&self, elements: &[&Element], span: Span, form: Form) -> ExprKind {
        let range = self.range(span);
        let source = self.source(span);
        let (content, form) = match source.split_once('\n').filter(|_| source.starts_with('<')) {
            Some((opening, _)) => {
                let last = source.rfind('\n').unwrap_or(opening.len());
                let form = if opening.starts_with("<<-") { Form::Flush } else { Form::Heredoc };
                (range.start + opening.len() + 1..range.start + last + 1, form)
            }
            None => (range, form),
        };
        let mut literals = Literals::of(self.text, content, form, elements);
        let parts = self.parts(elements.iter().copied(), &mut literals);
        match parts.as_slice() {
            [] => ExprKind::String(Name::default()),
            [TemplatePart::Text(text)] => ExprKind::String(text.clone()),
            _ => ExprKind::Template(parts.into()),
        }
    }

    /// A template that is the whole text.
    pub(super) fn bare(&self, template: &Template) -> Vec<TemplatePart> {
        let elements: Vec<&Element> = template.iter().collect();
        let mut literals = Literals::of(self.text, 0..self.text.len(), Form::Bare, &elements);
        self.parts(elements.into_iter(), &mut literals)
    }

    fn parts<'e>(
        &self,
        elements: impl Iterator<Item = &'e Element>,
        literals: &mut Literals<'_>,
    ) -> Vec<TemplatePart> {
        let mut parts: Vec<TemplatePart> = Vec::new();
        let text =
            |literals: &mut Literals<'_>| literals.text().map(|text| TemplatePart::Text(Name::new(text)));
        for element in elements.filter(|element| !matches!(element, Element::Literal(_))) {
            parts.extend(text(literals));
            literals.sequence();
            match element {
                Element::Literal(_) => {}
                Element::Interpolation(interpolation) => {
                    parts.push(TemplatePart::Value(self.expr(&interpolation.expr)));
                }
                Element::Directive(directive) => parts.push(self.directive(directive, literals)),
            }
        }
        parts.extend(text(literals));
        parts
    }

    /// A directive, whose first sequence is behind.
    fn directive(&self, directive: &Directive, literals: &mut Literals<'_>) -> TemplatePart {
        let part = match directive {
            Directive::If(branch) => {
                let condition = self.expr(&branch.if_expr.cond_expr);
                let yes = self.parts(branch.if_expr.template.iter(), literals);
                let no = branch.else_expr.as_ref().map(|other| {
                    literals.sequence();
                    self.parts(other.template.iter(), literals)
                });
                let no = no.unwrap_or_default().into();
                TemplatePart::If(Box::new(TemplateIf { condition, yes: yes.into(), no }))
            }
            Directive::For(each) => TemplatePart::For(Box::new(TemplateFor {
                key: each.for_expr.key_var.as_ref().map(|name| Name::new(name.as_str())),
                value: Name::new(each.for_expr.value_var.as_str()),
                collection: self.expr(&each.for_expr.collection_expr),
                body: self.parts(each.for_expr.template.iter(), literals).into(),
            })),
        };
        literals.sequence();
        part
    }

    fn traversal(&self, traversal: &Traversal, span: Span) -> Expr {
        let base = self.expr(&traversal.expr);
        let steps = |base: Expr, start: u32| self.steps(base, &traversal.operators, start, span.end);
        // A minus belongs to the number alone in hcl-edit, and to all of the steps in Terraform.
        match &base.kind {
            ExprKind::Number(written) if written.starts_with('-') => {
                let digits = written.trim_start_matches('-');
                let number = Span::new(base.span.end.saturating_sub(len(digits)), base.span.end);
                let kind = ExprKind::Number(Name::new(digits));
                let operand = steps(Expr { span: number, kind }, number.start);
                Expr { span, kind: ExprKind::Unary(UnaryOp::Negate, Box::new(operand)) }
            }
            _ => steps(base, span.start),
        }
    }

    fn steps(
        &self,
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
                    let written = self.source(self.span(index.span()));
                    let kind = ExprKind::Number(Name::new(written));
                    ExprKind::Index(Box::new(expr), Box::new(Expr { span: Span::new(end, end), kind }))
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
