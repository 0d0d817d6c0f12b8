//! A plan as `terraform show -json` prints it, for policies that were written for it. What Terraform marks as sensitive is
//! replaced before any policy sees it.

use serde_json::{Map, Value};

/// Stands for a sensitive value.
const SENSITIVE: &str = "(sensitive value)";

/// The plan in `bytes`; the reason where it is none that can be given away.
pub(super) fn of(bytes: &[u8]) -> Result<Value, String> {
    let mut plan: Value = serde_json::from_slice(bytes)
        .map_err(|_| "it is no JSON text as `terraform show -json` prints it".to_owned())?;
    if !["resource_changes", "planned_values", "values"].iter().any(|key| plan.get(key).is_some()) {
        return Err("it is no plan as `terraform show -json` prints it".to_owned());
    }
    for part in ["resource_changes", "resource_drift"] {
        let changes = plan.get_mut(part).and_then(Value::as_array_mut);
        changes.into_iter().flatten().filter_map(|change| change.get_mut("change")).for_each(change_of);
    }
    if let Some(outputs) = plan.get_mut("output_changes").and_then(Value::as_object_mut) {
        outputs.values_mut().for_each(change_of);
    }
    for part in ["/planned_values", "/prior_state/values", "/values"] {
        let Some(values) = plan.pointer_mut(part) else { continue };
        if let Some(outputs) = values.get_mut("outputs").and_then(Value::as_object_mut) {
            outputs.values_mut().filter(|output| output["sensitive"] == true).for_each(|output| {
                mask(output.get_mut("value"), &Value::Bool(true));
            });
        }
        values.get_mut("root_module").into_iter().for_each(|top| module(top, 0));
    }
    let mut secret: Vec<String> = Vec::new();
    if let Some(declared) =
        plan.pointer_mut("/configuration/root_module/variables").and_then(Value::as_object_mut)
    {
        for (name, variable) in declared.iter_mut().filter(|(_, variable)| variable["sensitive"] == true) {
            secret.push(name.clone());
            mask(variable.get_mut("default"), &Value::Bool(true));
        }
    }
    for name in secret {
        mask(
            plan.pointer_mut("/variables").and_then(|all| all.get_mut(&name)?.get_mut("value")),
            &Value::Bool(true),
        );
    }
    if let Some(calls) = plan.pointer_mut("/configuration/root_module") {
        defaults(calls, 0);
    }
    Ok(plan)
}

fn change_of(change: &mut Value) {
    for side in ["before", "after"] {
        let marks = change.get(format!("{side}_sensitive")).cloned().unwrap_or(Value::Null);
        mask(change.get_mut(side), &marks);
    }
}

/// The resources of a module and of those in it.
fn module(node: &mut Value, depth: usize) {
    for resource in node.get_mut("resources").and_then(Value::as_array_mut).into_iter().flatten() {
        let marks = resource.get("sensitive_values").cloned().unwrap_or(Value::Null);
        mask(resource.get_mut("values"), &marks);
    }
    if depth < 64 {
        let inner = node.get_mut("child_modules").and_then(Value::as_array_mut);
        inner.into_iter().flatten().for_each(|inner| module(inner, depth + 1));
    }
}

/// The defaults of sensitive variables of modules that are called.
fn defaults(node: &mut Value, depth: usize) {
    let calls = node.get_mut("module_calls").and_then(Value::as_object_mut);
    for call in calls.into_iter().flat_map(Map::values_mut) {
        let Some(inner) = call.get_mut("module") else { continue };
        let variables = inner.get_mut("variables").and_then(Value::as_object_mut);
        let secret = |variable: &&mut Value| variable["sensitive"] == true;
        for variable in variables.into_iter().flat_map(Map::values_mut).filter(secret) {
            mask(variable.get_mut("default"), &Value::Bool(true));
        }
        if depth < 64 {
            defaults(inner, depth + 1);
        }
    }
}

/// Replaces what `marks` says: `true` for all of a value, else a tree of the same shape.
fn mask(value: Option<&mut Value>, marks: &Value) {
    let Some(value) = value else { return };
    match (marks, value) {
        (Value::Bool(true), value) if !value.is_null() => *value = Value::String(SENSITIVE.to_owned()),
        (Value::Array(marks), Value::Array(items)) => {
            items.iter_mut().zip(marks).for_each(|(item, marks)| mask(Some(item), marks));
        }
        (Value::Object(marks), Value::Object(map)) => {
            for (name, marks) in marks {
                mask(map.get_mut(name), marks);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensitive_value_is_nowhere_in_the_input() {
        let text = r#"{
          "variables": {"password": {"value": "s3cr3t"}, "name": {"value": "shop"}},
          "planned_values": {
            "outputs": {"o": {"sensitive": true, "value": "s3cr3t"}},
            "root_module": {
              "resources": [{"values": {"a": "s3cr3t", "b": 1}, "sensitive_values": {"a": true}}],
              "child_modules": [{"resources": [{"values": {"l": ["x", "s3cr3t"]}, "sensitive_values": {"l": [false, true]}}]}]
            }
          },
          "resource_changes": [{"change": {
            "before": {"a": "s3cr3t"}, "after": {"a": {"in": "s3cr3t", "by": 2}},
            "before_sensitive": {"a": true}, "after_sensitive": {"a": {"in": true}}
          }}],
          "output_changes": {"o": {"before": null, "after": "s3cr3t", "before_sensitive": false, "after_sensitive": true}},
          "prior_state": {"values": {"root_module": {"resources": [{"values": {"a": "s3cr3t"}, "sensitive_values": {"a": true}}]}}},
          "configuration": {"root_module": {
            "variables": {"password": {"sensitive": true, "default": "s3cr3t"}},
            "module_calls": {"m": {"module": {"variables": {"p": {"sensitive": true, "default": "s3cr3t"}}}}}
          }}
        }"#;
        let plan = of(text.as_bytes()).expect("a plan").to_string();
        assert!(!plan.contains("s3cr3t"), "{plan}");
        assert!(plan.contains("\"b\":1") && plan.contains("\"by\":2") && plan.contains("shop"), "{plan}");
    }
}
