//! Expressions to values.

use std::sync::Arc;

use auditlint_syntax::hcl::{Expr, ExprKind, ObjectKey};
use auditlint_syntax::{Location, Name};

use super::convert::{boolean, normal, number, text};
use super::declared::BlockRef;
use super::modules::Scope;
use super::types::Type;
use super::world::{DEEPEST_QUESTIONS, World};
use super::{functions, operators};
use crate::{Cause, CauseKind, Derived, Map, Number, Origin, Shape, Tracked, Unknown, Value};

impl World<'_> {
    /// The value of `expr`, which stands in `block` of module `id`.
    pub(super) fn eval(&self, id: usize, block: &BlockRef, expr: &Expr, scope: &Scope) -> Tracked {
        let at = block.place(expr.span);
        if self.limits.depth.get() >= DEEPEST_QUESTIONS {
            return self.nested_too_deeply(at);
        }
        if !self.spend(1) {
            return self.too_many_steps(at);
        }
        self.limits.depth.set(self.limits.depth.get() + 1);
        let value = self.eval_kind(id, block, expr, scope, at);
        self.limits.depth.set(self.limits.depth.get() - 1);
        value
    }

    fn eval_kind(&self, id: usize, block: &BlockRef, expr: &Expr, scope: &Scope, at: Location) -> Tracked {
        let eval = |expr: &Expr| self.eval(id, block, expr, scope);
        let literal = |value: Value| Tracked::new(value, Origin::Written(at));
        match &expr.kind {
            ExprKind::Null => literal(Value::Null),
            ExprKind::Bool(value) => literal(Value::Bool(*value)),
            ExprKind::Number(written) => match Number::parse(&written.replace(' ', "")) {
                Some(number) => literal(Value::Number(number)),
                None => self.unknown(CauseKind::Function, "a number out of range", "", at),
            },
            ExprKind::String(text) => literal(Value::String(normal(text))),
            ExprKind::Template(parts) => self.template(id, block, parts, scope, at),
            ExprKind::Tuple(items) => {
                let items: Vec<Tracked> = items.iter().map(eval).collect();
                match items.iter().find(|item| refuses(item)) {
                    Some(refused) => self.passed(refused.clone(), &[], at),
                    None => literal(Value::List(items.into())),
                }
            }
            ExprKind::Object(items) => {
                let mut map = Map::with_capacity(items.len());
                let mut sensitive = false;
                for item in items {
                    let key = match &item.key {
                        ObjectKey::Name(name) => name.clone(),
                        // `null` alone is a name here, as every word is.
                        ObjectKey::Expr(key) if matches!(key.kind, ExprKind::Null) => "null".into(),
                        ObjectKey::Expr(key) => {
                            let key = eval(key);
                            sensitive |= key.sensitive;
                            match (text(key.value()), key.unknown()) {
                                (Some(key), _) => key,
                                (None, Some(unknown)) => {
                                    return self.unknown_from(unknown.cause.clone(), &[&key], at);
                                }
                                (None, None) => return self.refused(&[&key], at),
                            }
                        }
                    };
                    let value = eval(&item.value);
                    // What terraform refuses in a part it refuses as a whole.
                    if refuses(&value) {
                        return self.passed(value, &[], at);
                    }
                    map.insert(key, value);
                }
                literal(Value::Map(Arc::new(map))).marked(sensitive)
            }
            ExprKind::Variable(_) | ExprKind::GetAttr(..) | ExprKind::Index(..) => {
                self.traversal(id, block, expr, scope, at)
            }
            ExprKind::AttrSplat(base, each) | ExprKind::FullSplat(base, each) => {
                let base = eval(base);
                self.splat(id, block, &base, each, scope, at)
            }
            ExprKind::SplatItem => scope.item.clone().unwrap_or_default(),
            ExprKind::Call(call) => {
                self.call_function(id, block, &call.name, &call.arguments, call.expands, scope, at)
            }
            ExprKind::Unary(operator, operand) => {
                let operand = eval(operand);
                self.computed(operators::unary(*operator, &operand), &[&operand], at)
            }
            ExprKind::Binary(operator, left, right) => {
                let (left, right) = (eval(left), eval(right));
                if !self.spend_on([&left, &right]) {
                    return self.too_many_steps(at);
                }
                // Neither side is left out, whatever the other one says.
                if let Some(refused) = [&left, &right].into_iter().find(|side| refuses(side)) {
                    return self.passed(refused.clone(), &[&left, &right], at);
                }
                let sensitive = [&left, &right].into_iter().any(functions::is_sensitive_inside);
                self.computed(operators::binary(*operator, &left, &right), &[&left, &right], at)
                    .marked(sensitive)
            }
            ExprKind::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                let condition = eval(condition);
                match boolean(condition.value()) {
                    Some(decided) => {
                        let (yes, no) = (eval(yes), eval(no));
                        let (chosen, other) = if decided { (yes, no) } else { (no, yes) };
                        self.chosen(&condition, &chosen, &other, at)
                    }
                    None if condition.unknown().is_none() => self.refused(&[&condition], at),
                    None => {
                        let (yes, no) = (eval(yes), eval(no));
                        self.undecided(&condition, yes, no, at)
                    }
                }
            }
            ExprKind::For(each) => self.for_expr(id, block, each, scope, at),
            ExprKind::Paren(inner) => eval(inner),
            ExprKind::Broken => {
                self.unknown(CauseKind::Function, "an expression that could not be parsed", "", at)
            }
        }
    }

    /// `value` where there is one, else unknown for the first cause of the inputs.
    pub(super) fn computed(&self, value: Option<Value>, inputs: &[&Tracked], at: Location) -> Tracked {
        match value {
            Some(value) => Tracked::derive(at, inputs, value),
            None => self.unknown_of(inputs, at),
        }
    }

    /// Unknown for the first cause found in `inputs`.
    pub(super) fn unknown_of(&self, inputs: &[&Tracked], at: Location) -> Tracked {
        match inputs.iter().find_map(|input| first_cause(input)) {
            Some(cause) => self.unknown_from(cause, inputs, at),
            None => self.refused(inputs, at),
        }
    }

    /// What terraform refuses to evaluate.
    pub(super) fn refused(&self, inputs: &[&Tracked], at: Location) -> Tracked {
        let cause = Cause {
            kind: CauseKind::Function,
            subject: REFUSED.to_owned(),
            hint: "run 'terraform validate'".to_owned(),
        };
        self.unknown_from(cause, inputs, at)
    }

    pub(super) fn unknown_from(&self, cause: Cause, inputs: &[&Tracked], at: Location) -> Tracked {
        Tracked::derive(at, inputs, Value::Unknown(Arc::new(Unknown::because(cause))))
    }

    /// `value` as it passes through an expression at `at`: it keeps what it refers to.
    pub(super) fn passed(&self, value: Tracked, deciders: &[&Tracked], at: Location) -> Tracked {
        let from =
            [value.origin.clone()].into_iter().chain(deciders.iter().map(|decider| decider.origin.clone()));
        let origin = Origin::Derived(Arc::new(Derived::new(at, from.collect())));
        Tracked {
            origin,
            sensitive: value.sensitive || deciders.iter().any(|decider| decider.sensitive),
            ..value
        }
    }

    /// One of two values by a condition that is known. Both arms have one type, whichever is chosen.
    fn chosen(&self, condition: &Tracked, chosen: &Tracked, other: &Tracked, at: Location) -> Tracked {
        if !self.spend_on([chosen, other]) {
            return self.too_many_steps(at);
        }
        // A null without a type is one of the other arm's.
        let common = match [Type::of(chosen), Type::of(other)] {
            [Type::Any, kind] | [kind, Type::Any] => Some(kind),
            types => Type::unified(&types),
        };
        match common.and_then(|common| common.converted(chosen)) {
            Some(value) => self.passed(value, &[condition], at).marked(other.sensitive),
            None => self.refused(&[chosen, condition], at),
        }
    }

    /// One of two values by a condition that is not known.
    fn undecided(&self, condition: &Tracked, yes: Tracked, no: Tracked, at: Location) -> Tracked {
        if !self.spend_on([&yes, &no]) {
            return self.too_many_steps(at);
        }
        if operators::equal(&yes, &no) == Some(true) {
            return self.passed(yes, &[&no, condition], at);
        }
        let cause = first_cause(condition).unwrap_or(Cause {
            kind: CauseKind::Function,
            subject: "a condition".to_owned(),
            hint: String::new(),
        });
        let never_null = |arm: &Tracked| match arm.value() {
            Value::Null => false,
            Value::Unknown(unknown) => unknown.not_null,
            _ => true,
        };
        let unknown = Unknown {
            not_null: never_null(&yes) && never_null(&no),
            ..Unknown::one_of(cause, Box::new([yes.clone(), no.clone()]))
        };
        let value = Tracked::derive(at, &[&yes, &no, condition], Value::Unknown(Arc::new(unknown)));
        value.with_references(crate::value::united(&[&yes, &no], true))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a call and where it stands")]
    fn call_function(
        &self,
        id: usize,
        block: &BlockRef,
        name: &Name,
        arguments: &[Expr],
        expands: bool,
        scope: &Scope,
        at: Location,
    ) -> Tracked {
        match name.as_str() {
            "try" => {
                // What terraform would refuse is what this evaluator calls an invalid expression.
                for argument in arguments {
                    let value = self.eval(id, block, argument, scope);
                    if !is_refused(&value) {
                        return self.passed(value, &[], at);
                    }
                }
                return self.refused(&[], at);
            }
            // The template is one that is kept somewhere, and no expression of its own.
            "templatestring"
                if !arguments.first().is_some_and(|first| {
                    matches!(first.kind, ExprKind::Variable(_) | ExprKind::GetAttr(..) | ExprKind::Index(..))
                }) =>
            {
                return self.refused(&[], at);
            }
            "can" if arguments.len() != 1 => return self.refused(&[], at),
            "can" => {
                let value =
                    arguments.first().map(|first| self.eval(id, block, first, scope)).unwrap_or_default();
                let answer = match value.unknown() {
                    _ if is_refused(&value) => Value::Bool(false),
                    Some(unknown) if unknown.cause.subject == operators::INFINITE => Value::Bool(true),
                    Some(unknown) => Value::Unknown(Arc::clone(unknown)),
                    None => Value::Bool(true),
                };
                // Whether there is a value says nothing about the value.
                return Tracked { sensitive: false, ..Tracked::derive(at, &[&value], answer) };
            }
            _ => {}
        }
        let mut values: Vec<Tracked> =
            arguments.iter().map(|argument| self.eval(id, block, argument, scope)).collect();
        if expands && let Some(last) = values.pop() {
            match last.value() {
                Value::List(items) if !items.iter().any(is_many) => values.extend(items.iter().cloned()),
                _ => {
                    values.push(last);
                    return self.unknown_of(&values.iter().collect::<Vec<_>>(), at);
                }
            }
        }
        if !self.spend_on(&values) {
            return self.too_many_steps(at);
        }
        if let Some(refused) = values.iter().find(|value| refuses(value)) {
            return self.passed(refused.clone(), &[], at);
        }
        functions::call(self, id, name, &values, at)
    }
}

/// Whether the value is a resource instance as a whole: its attributes can be asked for.
pub(super) fn is_whole_resource(value: &Tracked) -> bool {
    matches!(value.references(), [reference] if reference.exact && reference.attribute.is_empty())
}

pub(super) fn is_many(item: &Tracked) -> bool {
    item.unknown().is_some_and(|unknown| unknown.many)
}

/// Whether terraform refuses to evaluate it.
pub(super) fn refuses(value: &Tracked) -> bool {
    value.unknown().is_some_and(|unknown| unknown.cause.subject == REFUSED)
}

/// Whether terraform refuses to evaluate it, or a part of it.
fn is_refused(value: &Tracked) -> bool {
    match value.value() {
        Value::Unknown(unknown) => unknown.cause.subject == REFUSED,
        Value::List(items) => items.iter().any(is_refused),
        Value::Map(map) => map.values().any(is_refused),
        _ => false,
    }
}

/// The cause of what terraform refuses to evaluate.
pub(super) const REFUSED: &str = "an expression that terraform refuses";

/// The first cause in a value, nested ones included.
pub(super) fn first_cause(value: &Tracked) -> Option<Cause> {
    match value.value() {
        Value::Unknown(unknown) => Some(unknown.cause.clone()),
        Value::List(items) => items.iter().find_map(first_cause),
        Value::Map(map) => map.values().find_map(first_cause),
        _ => None,
    }
}

impl World<'_> {
    /// Element `key` of `base`, which is no whole resource.
    pub(super) fn element(&self, base: &Tracked, key: &Tracked, at: Location) -> Tracked {
        let key_sensitive = key.sensitive;
        let refused = || {
            let cause = Cause {
                kind: CauseKind::Function,
                subject: REFUSED.to_owned(),
                hint: "run 'terraform validate'".to_owned(),
            };
            self.unknown_from(cause, &[base, key], at)
        };
        match (base.value(), key.value()) {
            (Value::Unknown(unknown), _) => {
                if let Some(arms) = &unknown.one_of {
                    let picked: Vec<Tracked> = arms.iter().map(|arm| self.element(arm, key, at)).collect();
                    let inner = Unknown::one_of(unknown.cause.clone(), picked.into());
                    return Tracked::derive(at, &[base], Value::Unknown(Arc::new(inner)));
                }
                self.unknown_from(unknown.cause.clone(), &[base], at)
            }
            (_, Value::Unknown(unknown)) => self.unknown_from(unknown.cause.clone(), &[base, key], at),
            (Value::Map(map), key) => {
                let found = text(key).and_then(|key| map.get(&key));
                found.map_or_else(refused, |item| {
                    self.passed(item.clone(), &[], at).marked(base.sensitive || key_sensitive)
                })
            }
            (Value::List(_), _) if base.shape == Shape::Set => refused(),
            (Value::List(items), key) => {
                self.spend(items.len() / 64);
                if items.iter().any(is_many) {
                    return self.unknown_of(&[base], at);
                }
                let index = number(key).and_then(|index| usize::try_from(index.to_i64()?).ok());
                index.and_then(|index| items.get(index)).map_or_else(refused, |item| {
                    self.passed(item.clone(), &[], at).marked(base.sensitive || key_sensitive)
                })
            }
            _ => refused(),
        }
    }
}
