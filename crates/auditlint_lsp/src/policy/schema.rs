//! What the schema of policies says of a place.

use std::sync::OnceLock;

use auditlint_policy::Catalogue;
use serde_json::Value;

use super::cursor::Step;

/// The schema of policies, made when somebody asks for it.
pub(crate) struct PolicySchema {
    make: fn(&Catalogue) -> String,
    made: OnceLock<Value>,
}

impl PolicySchema {
    pub(crate) fn new(make: fn(&Catalogue) -> String) -> Self {
        Self { make, made: OnceLock::new() }
    }

    pub(crate) fn get(&self, catalogue: &Catalogue) -> &Value {
        self.made.get_or_init(|| serde_json::from_str(&(self.make)(catalogue)).unwrap_or(Value::Null))
    }
}

/// Deeper references lead in circles.
const DEEPEST: usize = 32;

/// The parts of the schema that speak of a place.
pub(crate) struct Schemas<'s> {
    top: &'s Value,
    nodes: Vec<&'s Value>,
}

/// A key that may be written.
pub(crate) struct Offer<'s> {
    pub(crate) name: &'s str,
    pub(crate) doc: &'s str,
    /// Whether a mapping follows.
    pub(crate) is_mapping: bool,
}

impl<'s> Schemas<'s> {
    /// Those of the place that `path` leads to.
    pub(crate) fn at(top: &'s Value, path: &[Step]) -> Self {
        let mut nodes = vec![top];
        for step in path {
            let all = expanded(top, &nodes);
            nodes = match step {
                Step::Item => all.iter().filter_map(|node| node.get("items")).collect(),
                Step::Key(key) => all
                    .iter()
                    .filter_map(|node| {
                        let named = node.get("properties").and_then(|all| all.get(key));
                        named.or_else(|| node.get("additionalProperties").filter(|node| node.is_object()))
                    })
                    .collect(),
            };
        }
        Self { top, nodes }
    }

    /// The keys of a mapping there.
    pub(crate) fn keys(&self) -> Vec<Offer<'s>> {
        let mut out: Vec<Offer<'s>> = Vec::new();
        for node in expanded(self.top, &self.nodes) {
            let Some(properties) = node.get("properties").and_then(Value::as_object) else { continue };
            for (name, inner) in properties {
                if !out.iter().any(|known| known.name == name) {
                    let inner = Self { top: self.top, nodes: vec![inner] };
                    let all = expanded(self.top, &inner.nodes);
                    let is_mapping = all.iter().any(|node| {
                        node.get("properties").is_some()
                            || node.get("additionalProperties").is_some_and(Value::is_object)
                    });
                    let is_scalar = all.iter().any(|node| {
                        node.get("enum").is_some() || node.get("items").is_some() || is_type(node, "string")
                    });
                    out.push(Offer { name, doc: inner.doc(), is_mapping: is_mapping && !is_scalar });
                }
            }
        }
        out
    }

    /// The words that may be written there.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let mut add = |word: String| {
            if !out.contains(&word) {
                out.push(word);
            }
        };
        for node in expanded(self.top, &self.nodes) {
            for word in
                node.get("enum").and_then(Value::as_array).into_iter().flatten().chain(node.get("const"))
            {
                match word {
                    Value::String(word) => add(word.clone()),
                    Value::Null => {}
                    other => add(other.to_string()),
                }
            }
            if is_type(node, "boolean") {
                ["true", "false"].into_iter().for_each(|word| add(word.to_owned()));
            }
        }
        if self.is_duration() {
            for word in ["30_days", "90_days", "1_year", "400_days", "6_years", "7_years"] {
                add(word.to_owned());
            }
        }
        out
    }

    fn is_duration(&self) -> bool {
        let is_it = |node: &&Value| node.get("$ref").and_then(Value::as_str) == Some("#/$defs/duration");
        let inside = |node: &&'s Value| -> Vec<&'s Value> {
            node.get("anyOf").and_then(Value::as_array).into_iter().flatten().collect()
        };
        self.nodes.iter().any(|node| is_it(node) || inside(node).iter().any(is_it))
    }

    /// What the schema says that it is for.
    pub(crate) fn doc(&self) -> &'s str {
        let own = |nodes: &[&'s Value]| {
            nodes.iter().find_map(|node| node.get("description").and_then(Value::as_str))
        };
        own(&self.nodes).or_else(|| own(&expanded(self.top, &self.nodes))).unwrap_or_default()
    }
}

fn is_type(node: &Value, kind: &str) -> bool {
    match node.get("type") {
        Some(Value::String(own)) => own == kind,
        Some(Value::Array(all)) => all.iter().any(|own| own == kind),
        _ => false,
    }
}

/// The nodes with those that they refer to, and every alternative.
fn expanded<'s>(top: &'s Value, nodes: &[&'s Value]) -> Vec<&'s Value> {
    let mut out = Vec::new();
    let mut open: Vec<(&'s Value, usize)> = nodes.iter().rev().map(|node| (*node, 0)).collect();
    while let Some((node, depth)) = open.pop() {
        out.push(node);
        if depth > DEEPEST {
            continue;
        }
        let meant =
            node.get("$ref").and_then(Value::as_str).and_then(|name| top.pointer(name.strip_prefix('#')?));
        open.extend(meant.map(|node| (node, depth + 1)));
        let alternatives = node.get("anyOf").and_then(Value::as_array).into_iter().flatten();
        open.extend(alternatives.map(|node| (node, depth + 1)).rev());
    }
    out
}
