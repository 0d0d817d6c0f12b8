//! What the `validation` blocks of a variable say about a value that is not known yet: whatever it will be,
//! Terraform takes no other.

use std::sync::Arc;

use auditlint_syntax::Name;
use auditlint_syntax::hcl::{BinaryOp, Body, Expr, ExprKind, ObjectKey, UnaryOp};

use super::convert::number;
use super::declared::BlockRef;
use super::expression::refuses;
use super::modules::{ModuleId, Scope};
use super::operators::equal;
use super::types::Type;
use super::world::World;
use crate::{Derived, Origin, Tracked, Unknown, Value};

/// The values that a condition lets through.
#[derive(Clone)]
struct Bounds {
    range: [f64; 2],
    /// The values themselves, where they are listed.
    one_of: Option<Vec<Tracked>>,
    /// Whether null is one of them.
    null: bool,
}

const ANY: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];
const NONE: [f64; 2] = [f64::INFINITY, f64::NEG_INFINITY];

impl Bounds {
    const fn any() -> Self {
        Self { range: ANY, one_of: None, null: true }
    }

    const fn null() -> Self {
        Self { range: NONE, one_of: Some(Vec::new()), null: true }
    }

    fn listed(values: Vec<Tracked>) -> Self {
        let null = values.iter().any(Tracked::is_null);
        let one_of: Vec<Tracked> = values.into_iter().filter(|value| !value.is_null()).collect();
        let numbers: Option<Vec<f64>> = one_of
            .iter()
            .map(|value| if let Value::Number(number) = value.value() { Some(number.to_f64()) } else { None })
            .collect();
        let range =
            numbers.map_or(ANY, |all| all.iter().fold(NONE, |[low, high], n| [low.min(*n), high.max(*n)]));
        Self { range, one_of: Some(one_of), null }
    }

    /// What both let through.
    fn and(self, other: Self) -> Self {
        let [low, high] = self.range;
        let [other_low, other_high] = other.range;
        let one_of = match (self.one_of, other.one_of) {
            (Some(a), Some(b)) => Some(
                a.into_iter().filter(|a| b.iter().any(|b| equal(a, b) == Some(true))).collect::<Vec<_>>(),
            ),
            (a, b) => a.or(b),
        };
        Self { range: [low.max(other_low), high.min(other_high)], one_of, null: self.null && other.null }
    }

    /// What one of them lets through.
    fn or(self, other: Self) -> Self {
        let [low, high] = self.range;
        let [other_low, other_high] = other.range;
        Self {
            range: [low.min(other_low), high.max(other_high)],
            one_of: self.one_of.zip(other.one_of).map(|(a, b)| [a, b].concat()),
            null: self.null || other.null,
        }
    }
}

impl World<'_> {
    /// `value` of the variable `name`, which `block` declares as one of `kind`, with what its validations say where it
    /// is not known.
    pub(super) fn validated(
        &self,
        id: ModuleId,
        block: &BlockRef,
        name: &Name,
        kind: &Type,
        value: Tracked,
    ) -> Tracked {
        let Some(unknown) = value.unknown().filter(|unknown| unknown.one_of.is_none() && !refuses(&value))
        else {
            return value;
        };
        let conditions = conditions(&block.block().body);
        let literal = |expr: &Expr| is_literal(expr).then(|| self.eval(id, block, expr, &Scope::default()));
        let reader = Reader { name, literal: &literal };
        let bounds = conditions.iter().map(|condition| reader.bounds(condition, true));
        let bounds = bounds.reduce(Bounds::and).unwrap_or_else(Bounds::any);
        let Some(unknown) = narrowed(unknown, bounds, kind) else { return value };
        let from = conditions.iter().map(|condition| Origin::Written(block.place(condition.span)));
        let from: Vec<Origin> = from.chain([value.origin.clone()]).collect();
        let at = block.place(block.block().header);
        let origin = Origin::Derived(Arc::new(Derived::new(at, from.into())));
        Tracked { origin, value: Value::Unknown(Arc::new(unknown)), ..value }
    }
}

/// What is known of an unknown value that is one of `bounds`; none where that is nothing new.
fn narrowed(unknown: &Unknown, bounds: Bounds, kind: &Type) -> Option<Unknown> {
    let Bounds { range: [low, high], one_of, null } = bounds;
    let [known_low, known_high] = unknown.range.unwrap_or(ANY);
    let (low, high) = (low.max(known_low), high.min(known_high));
    let plain = Unknown {
        not_null: unknown.not_null || !null,
        range: (low <= high && (low.is_finite() || high.is_finite())).then_some([low, high]),
        ..unknown.clone()
    };
    let nullable = null && !unknown.not_null;
    let fits = |value: &Tracked| {
        let of_kind = *kind == Type::Any || Type::of(value) == *kind;
        of_kind && number(value.value()).is_none_or(|n| (low..=high).contains(&n.to_f64()))
    };
    // Values of another type than the variable's are ones that it never has.
    let values: Vec<Tracked> = one_of.unwrap_or_default().into_iter().filter(fits).collect();
    if !values.is_empty() {
        let null = nullable.then(Tracked::default);
        let all: Box<[Tracked]> = values.into_iter().chain(null).collect();
        return Some(Unknown { one_of: Unknown::one_of(plain.cause.clone(), all).one_of, ..plain });
    }
    if nullable && plain.range.is_some() {
        let number = Unknown { not_null: true, ..plain.clone() };
        let number = Tracked::new(Value::Unknown(Arc::new(number)), Origin::Nowhere);
        return Some(Unknown {
            range: None,
            ..Unknown::one_of(plain.cause, Box::new([number, Tracked::default()]))
        });
    }
    (plain.range.is_some() || plain.not_null != unknown.not_null).then_some(plain)
}

/// The conditions of all `validation` blocks.
fn conditions(body: &Body) -> Vec<&Expr> {
    let blocks = body.blocks_named("validation").filter_map(|block| block.body.attribute("condition"));
    let mut out: Vec<&Expr> = blocks.map(|condition| &condition.value).collect();
    // In JSON they are an object, or a list of objects.
    let mut open: Vec<&Expr> = body.attribute("validation").map(|all| &all.value).into_iter().collect();
    while let Some(expr) = open.pop() {
        match &expr.kind {
            ExprKind::Tuple(all) => open.extend(all),
            ExprKind::Object(items) => out.extend(
                items
                    .iter()
                    .filter(|item| matches!(&item.key, ObjectKey::Name(name) if name == "condition"))
                    .map(|item| &item.value),
            ),
            _ => {}
        }
    }
    out
}

/// Whether it refers to nothing: what is made of other variables may change with them.
fn is_literal(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Null | ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::String(_) => true,
        ExprKind::Tuple(items) => items.iter().all(is_literal),
        ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => is_literal(inner),
        ExprKind::Call(call) => {
            matches!(call.name.as_str(), "tolist" | "toset" | "concat" | "range")
                && !call.expands
                && call.arguments.iter().all(is_literal)
        }
        _ => false,
    }
}

/// Reads conditions on one variable.
struct Reader<'a> {
    name: &'a Name,
    literal: &'a dyn Fn(&Expr) -> Option<Tracked>,
}

impl Reader<'_> {
    /// What lets `condition` be true, or false.
    fn bounds(&self, condition: &Expr, truth: bool) -> Bounds {
        match &condition.kind {
            ExprKind::Paren(inner) => self.bounds(inner, truth),
            ExprKind::Unary(UnaryOp::Not, inner) => self.bounds(inner, !truth),
            ExprKind::Binary(operator @ (BinaryOp::And | BinaryOp::Or), a, b) => {
                let (a, b) = (self.bounds(a, truth), self.bounds(b, truth));
                if (*operator == BinaryOp::And) == truth { a.and(b) } else { a.or(b) }
            }
            ExprKind::Binary(operator, a, b) => match (self.is_variable(a), self.is_variable(b)) {
                (true, false) => self.compared(*operator, b, truth),
                (false, true) => self.compared(turned(*operator), a, truth),
                _ => Bounds::any(),
            },
            ExprKind::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                let when = |condition_is: bool, arm: &Expr| {
                    self.bounds(condition, condition_is).and(self.bounds(arm, truth))
                };
                match (&yes.kind, &no.kind) {
                    // An arm that is the other truth value lets nothing through.
                    (ExprKind::Bool(answer), _) if *answer != truth => when(false, no),
                    (_, ExprKind::Bool(answer)) if *answer != truth => when(true, yes),
                    _ => when(true, yes).or(when(false, no)),
                }
            }
            ExprKind::Call(call) if !call.expands => match (call.name.as_str(), &*call.arguments) {
                ("contains", [list, item]) if truth && self.is_variable(item) => self.listed(list),
                ("alltrue", [list]) if truth => self.all_of(list, Bounds::and),
                ("anytrue", [list]) if truth => self.all_of(list, Bounds::or),
                ("try", [inner, Expr { kind: ExprKind::Bool(otherwise), .. }]) if *otherwise != truth => {
                    self.bounds(inner, truth)
                }
                _ => Bounds::any(),
            },
            _ => Bounds::any(),
        }
    }

    /// `var.name`, as it is or as a number.
    fn is_variable(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Paren(inner) => self.is_variable(inner),
            ExprKind::GetAttr(access) => {
                access.name == *self.name
                    && matches!(&access.base.kind, ExprKind::Variable(root) if root == "var")
            }
            ExprKind::Call(call) if call.name == "tonumber" && !call.expands => {
                matches!(&*call.arguments, [inner] if self.is_variable(inner))
            }
            _ => false,
        }
    }

    /// The variable compared with a literal.
    fn compared(&self, operator: BinaryOp, other: &Expr, truth: bool) -> Bounds {
        let Some(other) = (self.literal)(other) else { return Bounds::any() };
        let operator = if truth { operator } else { opposite(operator) };
        let limit = if let Value::Number(number) = other.value() { Some(number.to_f64()) } else { None };
        match (operator, limit) {
            (BinaryOp::Equal, _) if other.is_null() => Bounds::null(),
            (BinaryOp::NotEqual, _) if other.is_null() => Bounds { null: false, ..Bounds::any() },
            (BinaryOp::Equal, _) if other.unknown().is_none() => Bounds::listed(vec![other]),
            // Null compares with no number.
            (BinaryOp::Less | BinaryOp::LessOrEqual, Some(limit)) => {
                Bounds { range: [f64::NEG_INFINITY, limit], null: false, ..Bounds::any() }
            }
            (BinaryOp::Greater | BinaryOp::GreaterOrEqual, Some(limit)) => {
                Bounds { range: [limit, f64::INFINITY], null: false, ..Bounds::any() }
            }
            _ => Bounds::any(),
        }
    }

    fn listed(&self, list: &Expr) -> Bounds {
        match (self.literal)(list).map(Tracked::into_value) {
            Some(Value::List(items)) if items.iter().all(|item| item.unknown().is_none()) => {
                Bounds::listed(items.to_vec())
            }
            _ => Bounds::any(),
        }
    }

    fn all_of(&self, list: &Expr, with: fn(Bounds, Bounds) -> Bounds) -> Bounds {
        let ExprKind::Tuple(items) = &list.kind else { return Bounds::any() };
        items.iter().map(|item| self.bounds(item, true)).reduce(with).unwrap_or_else(Bounds::any)
    }
}

/// The operator with its sides exchanged.
const fn turned(operator: BinaryOp) -> BinaryOp {
    match operator {
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::LessOrEqual => BinaryOp::GreaterOrEqual,
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::GreaterOrEqual => BinaryOp::LessOrEqual,
        other => other,
    }
}

/// The operator that is true where this one is false.
const fn opposite(operator: BinaryOp) -> BinaryOp {
    match operator {
        BinaryOp::Less => BinaryOp::GreaterOrEqual,
        BinaryOp::LessOrEqual => BinaryOp::Greater,
        BinaryOp::Greater => BinaryOp::LessOrEqual,
        BinaryOp::GreaterOrEqual => BinaryOp::Less,
        BinaryOp::Equal => BinaryOp::NotEqual,
        BinaryOp::NotEqual => BinaryOp::Equal,
        other => other,
    }
}
