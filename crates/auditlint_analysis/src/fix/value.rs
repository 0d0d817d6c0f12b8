//! Values and blocks as HCL text.

use auditlint_graph::{Address, Key, Resource};
use auditlint_policy::{LiteralValue, NewBlock, NewValue};
use auditlint_syntax::Name;

use super::align::{self, Line};
use super::block::Subject;
use super::choices::Choices;

/// Writes the values of a remedy.
pub(super) struct Writer<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) resource: &'a Resource,
    /// What may be chosen.
    pub(super) choices: &'a Choices,
    /// Which candidate of a choice.
    pub(super) pick: usize,
}

impl Writer<'_> {
    pub(super) fn value(&self, value: &NewValue) -> String {
        match value {
            NewValue::Literal(literal) => self::literal(literal),
            NewValue::SubjectAttribute(attribute) => {
                let address = &self.resource.address;
                format!("{}.{}{}.{attribute}", address.kind, address.name, self.subject.own_key())
            }
            NewValue::Choice { types, attribute, placeholder } => match self.choices.at(types, self.pick) {
                Some(address) => self.reference(address, attribute),
                None => string(placeholder),
            },
        }
    }

    /// A reference to a resource of the same module. One with the subject's own key is named by the subject's
    /// iterator, so that each instance gets its own.
    fn reference(&self, address: &Address, attribute: &Name) -> String {
        let key = match (&address.key, &self.resource.address.key) {
            (Some(theirs), Some(ours)) if theirs == ours => self.subject.own_key(),
            (Some(Key::Index(n)), _) => format!("[{n}]"),
            (Some(Key::Text(text)), _) => format!("[{}]", string(text)),
            (None, _) => String::new(),
        };
        let data = if address.mode == auditlint_graph::Mode::Data { "data." } else { "" };
        format!("{data}{}.{}{key}.{attribute}", address.kind, address.name)
    }

    /// A block with its lines, each ended.
    pub(super) fn block(&self, block: &NewBlock, indentation: &str, line_end: &str) -> String {
        let inner = format!("{indentation}  ");
        let body = self.body(&block.body, &block.blocks, &inner, line_end);
        if body.is_empty() {
            return format!("{indentation}{} {{}}{line_end}", block.name);
        }
        format!("{indentation}{} {{{line_end}{body}{indentation}}}{line_end}", block.name)
    }

    pub(super) fn body(
        &self,
        attributes: &[(Name, NewValue)],
        blocks: &[NewBlock],
        indentation: &str,
        line_end: &str,
    ) -> String {
        let lines: Vec<Line> =
            attributes.iter().map(|(name, value)| Line::new(name, &self.value(value))).collect();
        let mut out = align::fresh(&lines, indentation, line_end);
        for (n, block) in blocks.iter().enumerate() {
            if n > 0 || !lines.is_empty() {
                out.push_str(line_end);
            }
            out.push_str(&self.block(block, indentation, line_end));
        }
        out
    }
}

/// A literal as HCL writes it.
pub(super) fn literal(value: &LiteralValue) -> String {
    match value {
        LiteralValue::Bool(value) => value.to_string(),
        LiteralValue::Int(value) => value.to_string(),
        LiteralValue::String(text) => string(text),
        LiteralValue::List(items) => {
            format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        LiteralValue::Map(entries) => {
            let entries = entries.iter().map(|(name, value)| format!("{name} = {}", literal(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A quoted string; template openers are escaped.
pub(super) fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out.replace("${", "$${").replace("%{", "%%{")
}
