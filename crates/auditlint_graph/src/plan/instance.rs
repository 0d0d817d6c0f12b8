//! One instance of a resource of a state file.

use auditlint_syntax::Name;
use serde_json::{Map as JsonMap, Value as Json};

use super::element::{Element, Found, Reader, Section};
use super::scan::{Halt, Scan, members, text};
use super::tokens::Tokens;
use crate::{Address, Attributes, Key, Mode};

/// What a state file says of a resource before its instances.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) module: Option<String>,
    pub(super) mode: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) name: Option<String>,
    /// Whether instances were read.
    pub(super) is_read: bool,
}

impl Block {
    /// Whether addresses can be made.
    pub(super) fn is_known(&self) -> bool {
        self.mode.is_some() && self.kind.is_some() && self.name.is_some()
    }

    fn address(&self, key: Option<&Key>) -> String {
        let part = |part: &Option<String>, end: &str| {
            part.as_deref().map(|part| format!("{part}{end}")).unwrap_or_default()
        };
        let data = if self.mode.as_deref() == Some("data") { "data." } else { "" };
        let key = key.map(ToString::to_string).unwrap_or_default();
        format!("{}{data}{}{}{key}", part(&self.module, "."), part(&self.kind, "."), part(&self.name, ""))
    }
}

impl Reader<'_> {
    /// An element of `instances`.
    pub(super) fn instance(&mut self, scan: &mut Scan<'_, '_>, block: &Block) -> Result<Found, Halt> {
        let wanted = match (block.mode.as_deref(), &block.kind) {
            (Some("managed"), Some(kind)) => self.interest.of(kind),
            _ => None,
        };
        let (mut key, mut deposed, mut flat) = (None, false, false);
        let mut values = Section::EMPTY;
        let mut paths = "[]";
        members(scan, |name, scan| {
            match name {
                b"index_key" => key = Some(scan.take()?),
                b"deposed" => deposed = !matches!(scan.take()?, "null" | "\"\""),
                b"attributes" => values = Section::read(scan, wanted)?,
                b"attributes_flat" => flat = scan.take()? != "null",
                b"sensitive_attributes" => paths = scan.take()?,
                _ => scan.skip()?,
            }
            Ok(())
        })?;
        if deposed {
            return Ok(Ok(None));
        }
        let key = key.filter(|key| *key != "null").map(|key| {
            text(key).map(|text| Key::Text(Name::new(text))).or_else(|| key.parse().ok().map(Key::Index))
        });
        let written = match &key {
            Some(None) => return Ok(Err(format!("an instance of {} without a key", block.address(None)))),
            None => block.address(None),
            Some(Some(key)) => block.address(Some(key)),
        };
        let address = match Address::parse_among(&written, self.names) {
            Ok(address) => address,
            Err(error) => return Ok(Err(error.to_string())),
        };
        if flat && address.mode == Mode::Managed {
            return Ok(Err(format!(
                "{address} was written by Terraform 0.11 or older; run `terraform refresh`"
            )));
        }
        for (_, value) in &mut values.attributes {
            *value = plain(value);
        }
        let masks = wanted.map(|wanted| masks(paths, wanted)).unwrap_or_default();
        let mut sensitive = Section::EMPTY;
        sensitive.attributes = masks.iter().map(|(name, mask)| (name.clone(), mask.as_str())).collect();
        let sections = [&values, const { &Section::EMPTY }, &sensitive];
        Ok(Ok(Some(Element::new(address, None, (self.section, self.index), sections))))
    }
}

/// The value of an attribute whose type the provider leaves open: `{"value": …, "type": …}` in this order. The
/// members of every other map or object are sorted.
fn plain(written: &str) -> &str {
    if !written.starts_with('{') {
        return written;
    }
    let mut found = Vec::new();
    let mut tokens = Tokens::default();
    let walked = members(&mut Scan::new(written.as_bytes(), true, &mut tokens), |name, scan| {
        let value = scan.take()?;
        found.push((name.to_vec(), value));
        Ok(())
    });
    match (walked, found.as_slice()) {
        (Ok(()), [(value, inner), (kind, _)]) if value == b"value" && kind == b"type" => inner,
        _ => written,
    }
}

/// The paths of `sensitive_attributes` as trees in which `true` marks what is sensitive.
fn masks(paths: &str, wanted: &Attributes) -> Vec<(Name, String)> {
    let mut all = JsonMap::new();
    match serde_json::from_str(paths) {
        Ok(Json::Array(paths)) => {
            for path in &paths {
                mark(&mut all, path, wanted);
            }
        }
        Ok(Json::Null) => {}
        _ => return Vec::new(),
    }
    all.into_iter()
        .filter_map(|(name, mask)| Some((wanted.named(name.as_bytes())?, mask.to_string())))
        .collect()
}

fn mark(all: &mut JsonMap<String, Json>, path: &Json, wanted: &Attributes) {
    let steps = path.as_array().map(Vec::as_slice).unwrap_or_default();
    let Some((first, rest)) = steps.split_first() else { return };
    let Some(name) =
        first.get("value").and_then(Json::as_str).filter(|name| wanted.named(name.as_bytes()).is_some())
    else {
        return;
    };
    let mut at = all.entry(name).or_insert(Json::Null);
    for step in rest {
        if *at == Json::Bool(true) {
            return;
        }
        // The key of an index carries its own type.
        let value = step.get("value").unwrap_or(&Json::Null);
        let value = if step.get("type").and_then(Json::as_str) == Some("index") {
            value.get("value").unwrap_or(&Json::Null)
        } else {
            value
        };
        at = match (value, value.as_u64().and_then(|n| usize::try_from(n).ok())) {
            (Json::String(name), _) => {
                if !at.is_object() {
                    *at = Json::Object(JsonMap::new());
                }
                match at {
                    Json::Object(map) => map.entry(name.as_str()).or_insert(Json::Null),
                    _ => return,
                }
            }
            (_, Some(n)) if n < LONGEST => {
                if !at.is_array() {
                    *at = Json::Array(Vec::new());
                }
                match at {
                    Json::Array(items) => {
                        if items.len() <= n {
                            items.resize(n + 1, Json::Null);
                        }
                        match items.get_mut(n) {
                            Some(item) => item,
                            None => return,
                        }
                    }
                    _ => return,
                }
            }
            // An element of a set, or what is not understood: all around it is sensitive.
            _ => break,
        };
    }
    *at = Json::Bool(true);
}

/// A mask is never longer; what lies behind makes the whole list sensitive.
const LONGEST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_value_with_its_type_is_unwrapped() {
        assert_eq!(plain(r#"{"value": [1], "type": ["tuple", ["number"]]}"#), "[1]");
        for same in [r#"{"type":"a","value":"b"}"#, r#"{"value":1}"#, r#"{}"#, r#""{""#, "[1]"] {
            assert_eq!(plain(same), same);
        }
    }

    #[test]
    fn paths_become_masks() {
        let mut interest = crate::Interest::default();
        for name in ["a", "b", "c"] {
            interest.add("t", name);
        }
        let paths = r#"[
            [{"type":"get_attr","value":"a"}],
            [{"type":"get_attr","value":"b"},{"type":"index","value":{"value":1,"type":"number"}},{"type":"get_attr","value":"password"}],
            [{"type":"get_attr","value":"c"},{"type":"index","value":{"value":{"x":1},"type":["object",{"x":"number"}]}}],
            [{"type":"get_attr","value":"unasked"}]]"#;
        let mut found = masks(paths, interest.of("t").unwrap());
        found.sort();
        let expected = [("a", "true"), ("b", r#"[null,{"password":true}]"#), ("c", "true")];
        assert_eq!(found, expected.map(|(name, mask)| (Name::new(name), mask.to_owned())));
    }
}
