//! A plan in a few words as the plan that Terraform would write.

use auditlint_syntax::document::{Node, NodeKind};

use super::reading::PlannedChange;

/// The JSON of a plan with these changes. What a change sets counts as written in the configuration.
pub(super) fn json(changes: &[PlannedChange]) -> String {
    let mut resources = Vec::new();
    let mut written = Vec::new();
    for change in changes {
        let (kind, name) = address(&change.address);
        let actions = change.actions.iter().map(|action| text(action)).collect::<Vec<_>>().join(",");
        let (before, after) = (value(&change.before), value(&change.after));
        let unknown = match change.after_unknown.kind {
            NodeKind::Null => "{}".to_owned(),
            _ => value(&change.after_unknown),
        };
        resources.push(format!(
            r#"{{"address":{},"mode":"managed","type":{},"name":{},"provider_name":"registry.terraform.io/hashicorp/{}","change":{{"actions":[{actions}],"before":{before},"after":{after},"after_unknown":{unknown},"before_sensitive":false,"after_sensitive":{{}}}}}}"#,
            text(&change.address),
            text(kind),
            text(name),
            kind.split('_').next().unwrap_or_default(),
        ));
        let set = change.after.entries().iter().filter(|entry| entry.value.kind != NodeKind::Null);
        let set =
            set.map(|entry| format!("{}:{{\"constant_value\":{}}}", text(&entry.key), value(&entry.value)));
        let unknown = change.after_unknown.entries().iter();
        let unknown =
            unknown.map(|entry| format!("{}:{{\"references\":[\"local.unknown\"]}}", text(&entry.key)));
        let expressions = set.chain(unknown).collect::<Vec<_>>().join(",");
        written.push(format!(
            r#"{{"address":{0},"mode":"managed","type":{1},"name":{2},"provider_config_key":"p","expressions":{{{expressions}}},"schema_version":0}}"#,
            text(&format!("{kind}.{name}")),
            text(kind),
            text(name),
        ));
    }
    format!(
        r#"{{"format_version":"1.2","terraform_version":"1.11.4","complete":true,"resource_changes":[{}],"configuration":{{"provider_config":{{}},"root_module":{{"resources":[{}]}}}}}}"#,
        resources.join(","),
        written.join(","),
    )
}

/// The type and the name of `TYPE.NAME[KEY]`.
fn address(address: &str) -> (&str, &str) {
    let (kind, name) = address.split_once('.').unwrap_or((address, ""));
    (kind, name.split('[').next().unwrap_or(name))
}

fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn value(node: &Node) -> String {
    match &node.kind {
        NodeKind::Null => "null".to_owned(),
        NodeKind::Bool(value) => value.to_string(),
        NodeKind::Number(_, written) => written.clone(),
        NodeKind::String(string) => text(string),
        NodeKind::List(items) => format!("[{}]", items.iter().map(value).collect::<Vec<_>>().join(",")),
        NodeKind::Map(entries) => {
            let entries = entries.iter().map(|entry| format!("{}:{}", text(&entry.key), value(&entry.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
    }
}
