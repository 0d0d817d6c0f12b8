//! The JSON Schema of policies, made from the table of fields.

use auditlint_policy::intent::{FIELDS, FieldKind, FieldSpec};
use auditlint_policy::{Catalogue, Category, Change, FORMATS, Level, Severity};
use serde_json::{Map, Value, json};

/// The schema, as it is published.
#[must_use]
pub fn policy_schema(catalogue: &Catalogue) -> String {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("{}/blob/main/policies/schema/policy.json", env!("CARGO_PKG_REPOSITORY")),
        "title": "LoggingPolicy",
        "description": "What must be logged, where the logs rest and for how long.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties(),
        "$defs": definitions(catalogue),
    });
    let mut out = serde_json::to_string_pretty(&schema).unwrap_or_default();
    out.push('\n');
    out
}

/// The schema of files of tests.
#[must_use]
pub fn test_schema() -> String {
    let verdict = json!({"enum": ["pass", "fail", "unknown", "exempt"]});
    let finding = object(json!({
        "rule": {"type": "string"}, "verdict": verdict, "address": {"type": "string"}, "at": {"type": "string"},
        "severity": {"type": "string"}, "enforcement": {"type": "string"}, "message": {"type": "string"},
        "fix_makes": verdict,
    }));
    let findings = list(json!({"anyOf": [{"type": "string"}, finding]}));
    let change = object(json!({
        "resource": {"type": "string"}, "actions": strings(), "before": {}, "after": {}, "after_unknown": {},
    }));
    let given = object(json!({
        "hcl": {"type": "string"}, "hcl_file": {"type": "string"}, "folder": {"type": "string"},
        "files": {"type": "object", "additionalProperties": {"type": "string"}},
        "plan": {"anyOf": [change.clone(), list(change)]}, "plan_file": {"type": "string"},
        "state_file": {"type": "string"}, "k8s_audit_policy": {"type": "string"}, "kubernetes": {"type": "string"},
    }));
    let number = json!({"type": "integer", "minimum": 0});
    let expect = object(json!({
        "fail": strings(), "unknown": strings(), "pass": strings(), "exempt": strings(), "clean": {"type": "boolean"},
        "findings": findings, "also": findings, "allow_extra": {"type": "boolean"}, "gaps": number,
        "obligations": strings(),
        "exit": {"anyOf": [number, {"type": "object", "additionalProperties": number}]},
        "environment": {"type": "string"}, "sources": {"type": "object", "additionalProperties": number},
        "flow": strings(), "policy": {"type": "object"}, "refused": {"type": "string"},
    }));
    let case = object(json!({
        "name": text("What it shows."),
        "matrix": object(json!({"environment": strings(), "parameters": list(json!({"type": "object"}))})),
        "given": given, "expect": expect,
    }));
    let survivor = object(
        json!({"operator": {"type": "string"}, "on": {"type": "string"}, "reason": {"type": "string"}}),
    );
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("{}/blob/main/policies/schema/test.json", env!("CARGO_PKG_REPOSITORY")),
        "title": "PolicyTest",
        "description": "Scenarios of policies, and mutants that somebody has to notice.",
        "type": "object",
        "additionalProperties": false,
        "required": ["kind", "policy"],
        "properties": {
            "apiVersion": {"const": "auditlint/v1"}, "kind": {"const": "PolicyTest"}, "policy": strings(),
            "defaults": object(json!({"clock": {"type": "string"}, "parameters": {"type": "object"}})),
            "cases": list(case),
            "mutate": object(json!({
                "from": strings(), "operators": strings(), "policy_mutants": {"type": "boolean"},
                "require": object(json!({"score": {"type": "number"}, "allow_survivors": list(survivor)})),
            })),
            "$schema": {"type": "string"},
        },
    });
    let mut out = serde_json::to_string_pretty(&schema).unwrap_or_default();
    out.push('\n');
    out
}

fn properties() -> Value {
    json!({
        "apiVersion": {"const": "auditlint/v1"},
        "kind": {"const": "LoggingPolicy"},
        "metadata": object(json!({
            "id": text("The name of the policy."), "title": text("What it is called."), "version": text("Its version."),
            "owner": text("Who answers for it."), "description": text("What it is for."),
            "standard": text("The standard that it is made from."), "review_by": reference("date"),
        })),
        "extends": {
            "description": "The policies that this one builds on; it may only ask for more than they do.",
            "anyOf": [reference("extended"), {"type": "array", "items": reference("extended")}],
        },
        "parameters": {
            "description": "Values with a name, used as `${NAME}`. With a `type` it is declared, otherwise set.",
            "type": "object",
        },
        "logging_policy": object(intent()),
        "rules": reference("rules"),
        "enforcement": reference("enforcement"),
        "scope": object(json!({"include": list(reference("resources")), "exclude": list(reference("resources"))})),
        "environments": {
            "description": "Where more or less is asked; the first one that matches a root counts.",
            "type": "object",
            "additionalProperties": reference("environment"),
        },
        "rego": {
            "description": "Policies in Rego that belong to this one.",
            "anyOf": [reference("rego"), {"type": "array", "items": reference("rego")}],
        },
        "accounts": {
            "type": "object",
            "description": "The organisational unit that each account is in, as Workloads/Production.",
            "additionalProperties": {"type": "string"},
        },
        "unmatched": text("The environment of roots that none matches, or `strictest` (the default)."),
        "exemptions": list(reference("exemption")),
        "foreign_suppressions": {"enum": ["ignore", "report", "honour"], "description": "What becomes of comments of checkov, tfsec, trivy and KICS that name a check of the same fact."},
        "repository": reference("repository"),
        "external_stores": {"type": "object", "description": "Stores that no root of the run manages."},
        "external_sources": {"type": "object", "description": "Sources that no root of the run holds."},
        "modules": list(reference("module")),
        // A config file may be a policy as well.
        "policy": strings(), "roots": {"type": "array"}, "stores": {"type": "array"}, "ignore_paths": strings(),
        "custom": text("The folder with rules and facts of your own, below rules/ and resources/ there."),
        "output": object(json!({
            "format": {"enum": FORMATS, "description": "How a check reports, where the command line does not say it."},
            "full": {"type": "boolean", "description": "Every frame is drawn."},
            "statistics": {"type": "boolean", "description": "Findings are counted by rule."},
            "show": list(json!({"enum": ["exempt"]})),
        })),
        "$schema": {"type": "string"},
    })
}

fn definitions(catalogue: &Catalogue) -> Value {
    let rules: Vec<&str> = catalogue.rules().iter().map(|rule| &*rule.id).collect();
    let kinds: Vec<&str> = catalogue.kinds().collect();
    let levels = Level::ALL.map(Level::as_str);
    let severities =
        [Severity::Low, Severity::Medium, Severity::High, Severity::Critical].map(Severity::as_str);
    let unknown = json!({"enum": ["warn", "block"]});
    let level = json!({"enum": levels});
    json!({
        "duration": {
            "description": "90_days, 90d, 12_months, 6_years, P1Y, or a number of days.",
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 36500},
                {"type": "string", "pattern": "^(P?[0-9]+[ _-]?([dDwWmMyY]|days?|weeks?|months?|years?)?|.*\\$\\{.*\\}.*)$"},
            ],
        },
        "module": {
            "type": "object",
            "description": "A module that is not here, of which somebody says what it provides.",
            "required": ["source", "provides", "attested_by", "review_by"],
            "properties": {
                "source": text("The source of the module call, `*` for any text."),
                "version": text("Its version as it is written, `*` for any text; without it any."),
                "provides": list(json!({"enum": Category::ALL.map(Category::as_str)})),
                "attested_by": text("Who says so."),
                "review_by": reference("date"),
            },
            "additionalProperties": false,
        },
        "date": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
        "rule": {"enum": rules},
        "kind": {"enum": kinds},
        "event": {"enum": catalogue.events(None)},
        "alert": {"enum": catalogue.alerts()},
        "level": level,
        "severity": {"enum": severities},
        "patterns": {"anyOf": [{"type": ["string", "number"]}, {"type": "array", "items": {"type": ["string", "number"]}}]},
        "extended": {"anyOf": [{"type": "string"}, object(json!({
            "ref": text("A file, auditlint:NAME, or git::URL//PATH?ref=REVISION."),
            "digest": text("The digest that a policy of another repository has to have, sha256: before it."),
        }))]},
        "rego": {"anyOf": [{"type": "string"}, object(json!({
            "path": text("A file, or a folder of .rego files, from this policy."),
            "input": {"enum": ["graph", "plan"], "description": "What they are given: resources, edges, flow and policy (the default), or the plan."},
            "packages": list(json!({"type": "string"})),
        }))]},
        "defaults": object(Value::Object(fields(None))),
        "rules": {"anyOf": [{"const": "all"}, {"type": "array", "items": {"anyOf": [reference("rule"), object(json!({
            "rule": reference("rule"), "parameters": {"type": "object"}, "severity": reference("severity"),
            "level": reference("level"),
        }))]}}]},
        "enforcement": object(json!({
            "level": reference("level"), "severity": reference("severity"),
            "on_unknown": {"anyOf": [unknown, object(json!({"hcl": unknown, "plan": unknown, "state": unknown}))]},
            "categories": {"type": "object", "propertyNames": {"enum": Category::ALL.map(|one| one.as_str())}, "additionalProperties": reference("level")},
            "rules": {"type": "object", "additionalProperties": reference("level")},
        })),
        "resources": object(json!({
            "address": {"type": "string"}, "module": {"type": "string"}, "type": {"type": "string"},
            "provider": {"type": "string"}, "region": reference("patterns"), "tags": {"type": "object", "additionalProperties": reference("patterns")},
        })),
        "roots": object(json!({
            "path": {"type": "string"}, "root": {"type": "string"}, "account": {"type": ["string", "number"]},
            "tags": {"type": "object"},
        })),
        "environment": {"anyOf": [{"type": "null"}, object(json!({
            "match": object(json!({
                "account": reference("patterns"), "organizational_unit": reference("patterns"), "project": reference("patterns"), "subscription": reference("patterns"),
                "path": reference("patterns"), "workspace": reference("patterns"),
                "tags": {"type": "object", "additionalProperties": reference("patterns")},
                "variable": {"type": "object", "additionalProperties": reference("patterns")},
            })),
            "overlay": object(json!({
                "logging_policy": object(intent()), "rules": reference("rules"),
                "enforcement": reference("enforcement"), "parameters": {"type": "object"},
            })),
            "weaken": {"const": "approved"},
            "at_least": text("The environment that this one must not fall behind."),
        }))]},
        "exemption": {
            "type": "object", "additionalProperties": false,
            "required": ["id", "rule", "targets", "owner", "reason", "expires"],
            "properties": {
                "id": {"type": ["string", "number"]}, "rule": strings(), "targets": strings(), "environments": strings(),
                "owner": {"type": "string"}, "approved_by": {"type": "string"}, "reason": {"type": "string"},
                "created": reference("date"), "expires": reference("date"), "compensating": strings(),
                "digest": {"type": "string"},
            },
        },
        "repository": object(json!({
            "may_exempt": {"anyOf": [{"type": "boolean"}, strings()]}, "max_exemption": reference("duration"),
            "approvers": strings(), "may_baseline": {"type": "boolean"},
            "suppress": {"anyOf": [{"type": "boolean"}, object(json!({
                "max": reference("duration"), "not": strings(), "severity_below": reference("severity"),
            }))]},
        })),
    })
}

/// The categories, and what holds for all of them.
fn intent() -> Value {
    let mut all = Map::new();
    all.insert("defaults".to_owned(), reference("defaults"));
    let changes = json!({"enum": Change::ALL.map(Change::as_str)});
    let mut forbidden = object(json!({"forbid": {"anyOf": [changes, {"type": "array", "items": changes}]}}));
    if let Some(forbidden) = forbidden.as_object_mut() {
        forbidden.insert("description".to_owned(), json!("What a plan must not do to logs that are there."));
    }
    all.insert("changes".to_owned(), forbidden);
    let events = json!({"anyOf": [reference("alert"), list(reference("alert"))]});
    let mut told = object(json!({"events": events}));
    if let Some(told) = told.as_object_mut() {
        told.insert("description".to_owned(), json!("The events of which somebody must be told."));
    }
    all.insert("alerting".to_owned(), told);
    for category in Category::ALL {
        let mut own = fields(Some(category));
        own.insert("required".to_owned(), json!({"type": "boolean"}));
        own.insert("required_in".to_owned(), list(reference("roots")));
        own.insert(
            "regions".to_owned(),
            json!({"type": "array", "items": {"type": "string"}, "minItems": 1}),
        );
        own.insert("provided_by".to_owned(), strings());
        own.insert("may_live_in".to_owned(), strings());
        own.insert("controls".to_owned(), strings());
        own.insert(
            "retention_period".to_owned(),
            json!({"anyOf": [reference("duration"), object(json!({"min": reference("duration"), "max": reference("duration")}))]}),
        );
        all.insert(
            category.as_str().to_owned(),
            json!({"anyOf": [{"type": "null"}, object(Value::Object(own))]}),
        );
    }
    Value::Object(all)
}

fn fields(category: Option<Category>) -> Map<String, Value> {
    let mut out = Map::new();
    for spec in FIELDS.iter().filter(|spec| spec.only.is_none_or(|only| category == Some(only))) {
        match spec.path {
            [key] => drop(out.insert((*key).to_owned(), value(spec))),
            [key, below] => {
                let group = out.entry((*key).to_owned()).or_insert_with(|| object(json!({})));
                if let Some(properties) = group.get_mut("properties").and_then(Value::as_object_mut) {
                    properties.insert((*below).to_owned(), value(spec));
                }
            }
            _ => {}
        }
    }
    out
}

fn value(spec: &FieldSpec) -> Value {
    let mut value = match spec.kind {
        FieldKind::AtLeast | FieldKind::AtMost => reference("duration"),
        FieldKind::Words(words) => json!({"enum": words}),
        FieldKind::Flag => json!({"type": "boolean"}),
        FieldKind::Kinds => list(reference("kind")),
        FieldKind::Within => reference("patterns"),
        FieldKind::Events => list(reference("event")),
    };
    if let Some(value) = value.as_object_mut() {
        value.insert("description".to_owned(), json!(spec.doc));
    }
    value
}

fn object(properties: Value) -> Value {
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

fn strings() -> Value {
    json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
}

fn text(description: &str) -> Value {
    json!({"type": ["string", "number"], "description": description})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}
