//! Templates to texts: what stands between quotes and in heredocs.

use std::sync::Arc;

use auditlint_syntax::hcl::{TemplateFor, TemplatePart};
use auditlint_syntax::{Location, Name};

use super::convert::{boolean, normal, text};
use super::declared::BlockRef;
use super::expression::{REFUSED, first_cause};
use super::iteration::{bind, rounds};
use super::limits;
use super::modules::Scope;
use super::world::World;
use crate::{Cause, CauseKind, Origin, Tracked, Unknown, Value};

impl World<'_> {
    pub(super) fn template(
        &self,
        id: usize,
        block: &BlockRef,
        parts: &[TemplatePart],
        scope: &Scope,
        at: Location,
    ) -> Tracked {
        // `"${x}"` is x itself, whatever its type.
        if let [TemplatePart::Value(only)] = parts {
            return self.eval(id, block, only, scope);
        }
        let mut out = Rendered::default();
        self.render(id, block, parts, scope, &mut out);
        let inputs: Vec<&Tracked> = out.inputs.iter().collect();
        match out.unknown {
            None => {
                let origin_less = inputs.is_empty();
                let value = Value::String(normal(&out.text));
                if origin_less {
                    Tracked::new(value, Origin::Written(at))
                } else {
                    Tracked::derive(at, &inputs, value)
                }
            }
            Some(cause) => {
                let unknown =
                    Unknown { not_null: true, prefix: Some(Name::new(out.text)), ..Unknown::because(cause) };
                Tracked::derive(at, &inputs, Value::Unknown(Arc::new(unknown)))
            }
        }
    }

    fn render(&self, id: usize, block: &BlockRef, parts: &[TemplatePart], scope: &Scope, out: &mut Rendered) {
        for part in parts {
            match part {
                TemplatePart::Text(text) => out.push(text),
                TemplatePart::Value(value) => {
                    let value = self.eval(id, block, value, scope);
                    out.value(value);
                }
                TemplatePart::If(branch) => {
                    let condition = self.eval(id, block, &branch.condition, scope);
                    match boolean(condition.value()) {
                        Some(true) => self.render(id, block, &branch.yes, scope, out),
                        Some(false) => self.render(id, block, &branch.no, scope, out),
                        None => out.lose(first_cause(&condition)),
                    }
                    out.inputs.push(condition);
                }
                TemplatePart::For(each) => {
                    let TemplateFor { key, value, collection, body } = &**each;
                    let collection = self.eval(id, block, collection, scope);
                    match rounds(&collection) {
                        Ok(rounds) => {
                            for (name, item) in rounds {
                                let scope = bind(scope, key.as_ref().map(|key| (key, name)), value, item);
                                self.render(id, block, body, &scope, out);
                            }
                        }
                        Err(cause) => out.lose(Some(cause)),
                    }
                    out.inputs.push(collection);
                }
            }
        }
    }
}

/// The text of a template so far.
#[derive(Default)]
struct Rendered {
    text: String,
    inputs: Vec<Tracked>,
    unknown: Option<Cause>,
}

impl Rendered {
    /// After something unknown only what comes before it is known.
    fn push(&mut self, text: &str) {
        if self.unknown.is_none() && self.text.len() + text.len() > limits::LONGEST_TEXT {
            self.lose(Some(Cause {
                kind: CauseKind::Function,
                subject: "a text too long to be followed".to_owned(),
                hint: String::new(),
            }));
        }
        if self.unknown.is_none() {
            self.text.push_str(text);
        }
    }

    fn value(&mut self, value: Tracked) {
        match (text(value.value()), value.unknown()) {
            (Some(text), _) => self.push(&text),
            (None, Some(unknown)) => {
                if let Some(prefix) = unknown.prefix.clone() {
                    self.push(&prefix);
                }
                self.lose(Some(unknown.cause.clone()));
            }
            (None, None) => self.lose(None),
        }
        self.inputs.push(value);
    }

    fn lose(&mut self, cause: Option<Cause>) {
        self.unknown.get_or_insert(cause.unwrap_or(Cause {
            kind: CauseKind::Function,
            subject: REFUSED.to_owned(),
            hint: String::new(),
        }));
    }
}
