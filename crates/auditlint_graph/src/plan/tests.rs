//! Small plans in the shapes that Terraform writes, and what is read from each.

use std::sync::Arc;

use super::*;
use crate::{Address, FactsTable, Interest, RefKey, Resource, Target, Value};

/// One module call whose bucket logs into a bucket of the root, as terraform 1.11 writes it.
const PLAN: &str = r#"{"format_version":"1.2","terraform_version":"1.11.4","planned_values":{"root_module":{}},
"resource_changes":[
 {"address":"aws_s3_bucket.logs","mode":"managed","type":"aws_s3_bucket","name":"logs","change":{"actions":["create"],"before":null,
  "after":{"bucket":"logs-1","tags":null,"policy":null},"after_unknown":{"id":true,"arn":true,"policy":true,"acl":true},"after_sensitive":{}}},
 {"address":"module.a[\"x.y\"].aws_s3_bucket.b[0]","module_address":"module.a[\"x.y\"]","mode":"managed","type":"aws_s3_bucket","name":"b","index":0,
  "change":{"actions":["no-op"],"before":{},"after":{"bucket":"b","acl":"","logging":[{"target_bucket":null,"target_prefix":"p"}]},
  "after_unknown":{"logging":[{"target_bucket":true}]},"after_sensitive":{"bucket":true}}},
 {"address":"aws_s3_bucket.old","mode":"managed","type":"aws_s3_bucket","name":"old","deposed":"00000001","change":{"actions":["delete"],"before":{},"after":null}},
 {"address":"aws_s3_bucket.gone","mode":"managed","type":"aws_s3_bucket","name":"gone","change":{"actions":["delete"],"before":{},"after":null}}],
"configuration":{"root_module":{
 "resources":[{"address":"aws_s3_bucket.logs","mode":"managed","type":"aws_s3_bucket","name":"logs","expressions":{"bucket":{"constant_value":"logs-1"}}}],
 "module_calls":{"a":{"source":"./a","expressions":{"target":{"references":["aws_s3_bucket.logs.id","aws_s3_bucket.logs"]}},
  "module":{"resources":[{"address":"aws_s3_bucket.b","mode":"managed","type":"aws_s3_bucket","name":"b","expressions":{
   "bucket":{"references":["var.name"]},"logging":[{"target_bucket":{"references":["var.target"]},"target_prefix":{"constant_value":"p"}}]}}]}}}}}}"#;

fn tables() -> Tables {
    let mut interest = Interest::default();
    for attribute in ["bucket", "policy", "logging", "acl"] {
        interest.add("aws_s3_bucket", attribute);
    }
    Tables { facts: Arc::new(FactsTable::default()), interest: Arc::new(interest) }
}

fn read(text: &[u8]) -> Result<Plan, PlanError> {
    read_plan(&mut &*text, "plan.json", &tables(), Keep::All)
}

fn resource(plan: &Plan, address: &str) -> Arc<Resource> {
    let address = Address::parse(address).unwrap();
    let slots = plan.graph.instances(&Target::at(&address)).to_vec();
    slots
        .iter()
        .filter_map(|slot| plan.graph.get(*slot))
        .find(|found| found.address == address)
        .unwrap()
        .clone()
}

#[test]
fn what_the_configuration_does_not_set_is_absent() {
    let plan = read(PLAN.as_bytes()).unwrap();
    assert!(plan.graph.gaps.is_empty(), "{:?}", plan.graph.gaps);
    let logs = resource(&plan, "aws_s3_bucket.logs");
    assert!(logs.attribute("policy").is_none() && logs.attribute("acl").is_none());
    assert_eq!(logs.attribute("bucket").unwrap().value().as_str(), Some("logs-1"));
    assert!(plan.graph.instances(&Target::at(&Address::parse("aws_s3_bucket.old").unwrap())).is_empty());
    assert!(resource(&plan, "aws_s3_bucket.gone").action.unwrap().removes());
}

#[test]
fn references_are_followed_through_module_variables() {
    let plan = read(PLAN.as_bytes()).unwrap();
    let bucket = resource(&plan, "module.a[\"x.y\"].aws_s3_bucket.b[0]");
    assert!(bucket.attribute("bucket").unwrap().sensitive);
    assert!(bucket.attribute("acl").is_none(), "an empty text that nobody set");
    let Value::List(blocks) = bucket.attribute("logging").unwrap().value().clone() else { panic!() };
    let Value::Map(block) = blocks[0].value().clone() else { panic!() };
    let target = &block.get("target_bucket").unwrap();
    assert!(target.unknown().is_some());
    let reference = &target.references()[0];
    assert_eq!((reference.name.as_str(), &reference.key, reference.exact), ("logs", &RefKey::None, true));
    assert!(reference.module.is_root());
}

#[test]
fn every_truncation_is_an_error_or_a_gap() {
    for cut in 0..PLAN.len() {
        match read(&PLAN.as_bytes()[..cut]) {
            Ok(plan) => {
                assert!(plan.graph.gaps.iter().any(|gap| gap.kind == GapKind::Truncated), "cut at {cut}");
            }
            Err(PlanError::Malformed { .. }) => {}
            Err(error) => panic!("cut at {cut}: {error}"),
        }
    }
}

#[test]
fn other_encodings_and_other_files() {
    let units: Vec<u8> =
        "\u{FEFF}".encode_utf16().chain(PLAN.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(&units).unwrap().graph.len(), 3);
    let units: Vec<u8> = PLAN.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(read(&units).unwrap().graph.len(), 3);
    assert_eq!(read(format!("\u{FEFF}{PLAN}").as_bytes()).unwrap().graph.len(), 3);
    assert!(matches!(read(b"PK\x03\x04rest"), Err(PlanError::Binary)));
    assert!(matches!(read(PLAN.replace("\"1.2\"", "\"2.0\"").as_bytes()), Err(PlanError::Version(_))));
    for text in ["", "[]", "null", "{}", "{\"a\":1}", "{\"version\":4,\"serial\":1}", "rules: all", "{\"a\""]
    {
        assert!(matches!(read(text.as_bytes()), Err(PlanError::Malformed { .. })), "{text}");
    }
}

#[test]
fn a_plan_without_its_configuration_has_a_gap_and_decides_no_absence() {
    let cut = PLAN.find(",\n\"configuration\"").unwrap();
    let plan = read(format!("{}}}", &PLAN[..cut]).as_bytes()).unwrap();
    assert_eq!(plan.graph.gaps.len(), 1);
    let logs = resource(&plan, "aws_s3_bucket.logs");
    assert!(logs.incomplete.is_some() && logs.attribute("acl").unwrap().unknown().is_some());
}

#[test]
fn what_a_plan_leaves_out_is_told_by_its_type() {
    let change = |address: &str| {
        format!(
            r#"{{"address":"{address}","change":{{"actions":["create"],"after":{{}},"after_unknown":{{}}}}}}"#
        )
    };
    let block = |kind: &str, more: &str| {
        format!(r#"{{"mode":"managed","type":"{kind}","name":"one","expressions":{{}}{more}}}"#)
    };
    let text = |complete: &str| {
        let changes =
            ["here.one", "module.m.inner.one", "module.each[\\\"k\\\"].below.one", "counted.one[0]"];
        let changes = changes.map(change).join(",");
        let root =
            [block("here", ""), block("gone", ""), block("counted", r#","count_expression":{}"#)].join(",");
        let (inner, lost, below) = (block("inner", ""), block("lost", ""), block("below", ""));
        format!(
            r#"{{"format_version":"1.2","resource_changes":[{changes}],{complete}"configuration":{{"root_module":{{"resources":[{root}],
            "module_calls":{{"m":{{"module":{{"resources":[{inner},{lost}]}}}},
            "each":{{"for_each_expression":{{}},"module":{{"resources":[{below}]}}}}}}}}}}}}"#
        )
    };
    let interest = Interest { everything: true, ..Interest::default() };
    let tables = Tables { facts: Arc::new(FactsTable::default()), interest: Arc::new(interest) };
    let kinds = |complete: &str| {
        let plan = read_plan(&mut text(complete).as_bytes(), "plan.json", &tables, Keep::All).unwrap();
        let partial = plan.graph.partial.as_ref().map(|partial| partial.kinds.clone().unwrap());
        let mut kinds: Vec<String> = partial.into_iter().flatten().map(|kind| kind.to_string()).collect();
        kinds.sort();
        kinds
    };
    assert_eq!(kinds(r#""complete":false,"#), ["below", "counted", "gone", "lost"]);
    assert_eq!(kinds(""), ["gone", "lost"]);
    assert!(kinds(r#""complete":true,"#).is_empty());
}

#[test]
fn the_variables_of_a_plan_are_kept_and_not_shown() {
    let text = r#"{"format_version": "1.2",
        "variables": {"days": {"value": 14}, "none": {"value": null}, "word": {"value": "hunter2"}, "odd": {}},
        "resource_changes": [],
        "configuration": {"root_module": {"variables": {"days": {}, "word": {"sensitive": true, "default": "a"}}}}}"#;
    let plan = read(text.as_bytes()).unwrap();
    let found: Vec<(&str, &str, bool)> =
        plan.variables.iter().map(|(name, value)| (name.as_str(), &*value.json, value.sensitive)).collect();
    assert_eq!(found, [("days", "14", false), ("none", "null", false), ("word", "\"hunter2\"", true)]);
    let shown = format!("{plan:?}");
    assert!(shown.contains("word") && !shown.contains("hunter2") && !shown.contains("14"), "{shown}");
}

#[test]
fn recorded_plans_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/plans");
    #[expect(clippy::disallowed_methods, reason = "a test reads recorded plans")]
    let Ok(entries) = std::fs::read_dir(folder) else {
        eprintln!("the recorded plans are not here: not read");
        return;
    };
    let mut count = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        #[expect(clippy::disallowed_methods, reason = "a test reads recorded plans")]
        let mut file = std::fs::File::open(&path).unwrap();
        read_plan(&mut file, "plan.json", &tables(), Keep::All)
            .unwrap_or_else(|error| panic!("{path:?}: {error}"));
        count += 1;
    }
    assert!(count > 0);
}
