//! Plans and states as terraform writes them, recorded with its built-in resource type.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::io::Write as _;
use std::sync::Arc;

use auditlint_graph::plan::{Content, Keep, Plan, PlanError, read_plan};
use auditlint_graph::{
    Action, Address, FactsTable, GapKind, Interest, Mode, Resource, Tables, Target, Value,
};
use flate2::Compression;
use flate2::write::GzEncoder;

const CHANGES: &str = include_str!("recorded/changes.json");
const ERRORED: &str = include_str!("recorded/errored.json");
const TARGET: &str = include_str!("recorded/target.json");
const REFRESH_ONLY: &str = include_str!("recorded/refresh-only.json");
const STATE: &str = include_str!("recorded/state.json");
const STATE_FILE: &str = include_str!("recorded/terraform.tfstate");

fn tables() -> Tables {
    let mut interest = Interest::default();
    for attribute in ["id", "input", "triggers_replace"] {
        interest.add("terraform_data", attribute);
    }
    Tables { facts: Arc::new(FactsTable::default()), interest: Arc::new(interest) }
}

fn read(text: &[u8]) -> Result<Plan, PlanError> {
    read_plan(&mut &*text, "plan.json", &tables(), Keep::All)
}

fn whole(text: &str) -> Plan {
    let plan = read(text.as_bytes()).unwrap();
    assert!(plan.graph.gaps.is_empty(), "{:?}", plan.graph.gaps);
    plan
}

fn addresses(plan: &Plan) -> Vec<String> {
    let mut all: Vec<String> = plan.graph.iter().map(|(_, one)| one.address.to_string()).collect();
    all.sort();
    all
}

fn resource(plan: &Plan, address: &str) -> Arc<Resource> {
    let address = Address::parse(address).unwrap();
    let slots = plan.graph.instances(&Target::at(&address)).iter();
    let mut all = slots.filter_map(|slot| plan.graph.get(*slot)).filter(|one| one.address == address);
    Arc::clone(all.next().unwrap_or_else(|| panic!("{address} is not here: {:?}", addresses(plan))))
}

/// What a place in the document holds, by the pointer to it.
fn at(plan: &Plan, text: &str, address: &str, path: &str) -> serde_json::Value {
    let resource = resource(plan, address);
    let (section, index) = resource.planned.unwrap();
    let pointer = plan.graph.layout.as_ref().unwrap().pointer(section, index, &resource.attributes, path);
    let document: serde_json::Value = serde_json::from_str(text).unwrap();
    document.pointer(&pointer).unwrap_or_else(|| panic!("{pointer} leads nowhere")).clone()
}

fn sorted(text: &str) -> String {
    let document: serde_json::Value = serde_json::from_str(text).unwrap();
    serde_json::to_string_pretty(&document).unwrap()
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

const IN_THE_STATE: [&str; 9] = [
    "data.terraform_remote_state.r",
    "module.m[\"p\"].module.n.terraform_data.deep",
    "module.m[\"p\"].terraform_data.in",
    "terraform_data.counted[0]",
    "terraform_data.counted[1]",
    "terraform_data.many[\"x.y\"]",
    "terraform_data.many[\"z\"]",
    "terraform_data.plain",
    "terraform_data.swap",
];

#[test]
fn a_state_and_its_file_hold_the_same() {
    for text in [STATE, STATE_FILE, &sorted(STATE)] {
        let plan = whole(text);
        assert_eq!(plan.content, Content::State);
        assert_eq!(addresses(&plan), IN_THE_STATE);
        // The deposed object has another one.
        let swap = resource(&plan, "terraform_data.swap");
        assert_eq!(swap.attribute("input").unwrap().value().as_str(), Some("two"));
        assert_eq!(at(&plan, text, "terraform_data.swap", "id"), swap_id());
        // What is tainted is there.
        let plain = resource(&plan, "terraform_data.plain");
        assert_eq!(plain.attribute("input").unwrap().value().as_str(), Some("a"));
        assert!(resource(&plan, "data.terraform_remote_state.r").address.mode == Mode::Data);
        let many = resource(&plan, "terraform_data.many[\"x.y\"]");
        let Value::Map(input) = many.attribute("input").unwrap().value() else { panic!() };
        assert!(input.get("password").unwrap().sensitive && !input.get("key").unwrap().sensitive);
        assert_eq!(input.get("key").unwrap().value().as_str(), Some("x.y"));
        let deep = at(&plan, text, "module.m[\"p\"].module.n.terraform_data.deep", "id");
        assert_eq!(deep, "a52926a0-9f6d-02da-4091-d539c04679c0");
    }
}

fn swap_id() -> &'static str {
    "9ad62587-c668-1718-5cd3-b1fe93f7a6ed"
}

#[test]
fn the_members_of_a_state_file_may_be_sorted() {
    let plan = whole(&sorted(STATE_FILE));
    assert_eq!(addresses(&plan), IN_THE_STATE);
    assert_eq!(
        at(&plan, STATE_FILE, "terraform_data.many[\"z\"]", "id"),
        "69adf180-affc-250e-4bdb-50607414a63f"
    );
}

#[test]
fn a_state_file_that_is_cut_is_an_error_or_a_gap() {
    for cut in (0..STATE_FILE.len() - 2).step_by(7) {
        match read(&STATE_FILE.as_bytes()[..cut]) {
            Ok(plan) => {
                assert!(plan.graph.gaps.iter().any(|gap| gap.kind == GapKind::Truncated), "cut at {cut}");
                assert!(plan.graph.partial.is_some());
            }
            Err(PlanError::Malformed { .. }) => {}
            Err(error) => panic!("cut at {cut}: {error}"),
        }
    }
}

#[test]
fn other_states_say_what_to_do() {
    // The heads of files that Terraform 0.11, and OpenTofu with encryption, write.
    let old = r#"{"version": 3, "terraform_version": "0.11.14", "serial": 1, "lineage": "a", "modules": []}"#;
    let error = read(old.as_bytes()).unwrap_err();
    assert!(matches!(&error, PlanError::StateVersion(version) if version == "3"), "{error}");
    assert!(error.to_string().contains("terraform show -json"));
    let encrypted = r#"{"serial": 1, "lineage": "a", "meta": {"key_provider.pbkdf2.k": "x"}, "encrypted_data": "x", "encryption_version": "v0"}"#;
    assert!(matches!(read(encrypted.as_bytes()), Err(PlanError::Encrypted)));
    // `terraform show -json` where there is no state, and `terraform validate -json`.
    assert_eq!(whole(r#"{"format_version":"1.0"}"#).content, Content::State);
    let validated = r#"{"format_version":"1.0","valid":true,"error_count":0,"diagnostics":[]}"#;
    assert!(matches!(read(validated.as_bytes()), Err(PlanError::Malformed { .. })));
}

#[test]
fn the_address_after_the_apply_counts() {
    let plan = whole(CHANGES);
    assert!(plan.graph.complete && plan.graph.partial.is_none());
    assert_eq!(
        addresses(&plan),
        [
            "module.m[\"p\"].module.n.terraform_data.deep",
            "module.m[\"p\"].terraform_data.in",
            "terraform_data.imported",
            "terraform_data.many[\"x.y\"]",
            "terraform_data.many[\"z\"]",
            "terraform_data.numbered[0]",
            "terraform_data.numbered[1]",
            "terraform_data.plain",
            "terraform_data.swap",
        ]
    );
    let action = |address| resource(&plan, address).action.unwrap();
    assert_eq!(action("module.m[\"p\"].terraform_data.in"), Action::Forget);
    assert_eq!(action("terraform_data.imported"), Action::Update);
    assert_eq!(action("terraform_data.many[\"z\"]"), Action::Delete);
    assert_eq!(action("terraform_data.numbered[1]"), Action::NoOp);
    assert_eq!(action("terraform_data.plain"), Action::Replace);
    // The deposed object of it is deleted, it is not.
    assert_eq!(action("terraform_data.swap"), Action::NoOp);
    assert_eq!(at(&plan, CHANGES, "terraform_data.numbered[1]", "input"), 1);
}

#[test]
fn a_refresh_only_plan_holds_the_state() {
    for text in [REFRESH_ONLY, &sorted(REFRESH_ONLY)] {
        let plan = whole(text);
        assert!(plan.content == Content::Plan && plan.graph.partial.is_none() && !plan.graph.complete);
        assert_eq!(plan.graph.len(), 9);
        let plain = resource(&plan, "terraform_data.plain");
        assert!(plain.action.is_none() && plain.incomplete.is_none());
        assert_eq!(at(&plan, text, "terraform_data.swap", "id"), swap_id());
    }
    // A plan that has changes has no need of it, in whichever order its members come.
    let plan = whole(&sorted(CHANGES));
    assert_eq!(addresses(&plan), addresses(&whole(CHANGES)));
    assert_eq!(at(&plan, CHANGES, "terraform_data.numbered[1]", "input"), 1);
}

#[test]
fn a_part_of_a_plan_says_so() {
    for text in [TARGET, &sorted(TARGET)] {
        let plan = whole(text);
        assert_eq!(addresses(&plan), ["terraform_data.plain"]);
        assert!(plan.graph.partial.is_some() && !plan.graph.complete);
    }
    let plan = read(ERRORED.as_bytes()).unwrap();
    assert_eq!(plan.graph.gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>(), [GapKind::Truncated]);
    assert!(plan.graph.partial.is_some() && !plan.graph.complete);
}

#[test]
fn deferred_changes_are_undecided() {
    // The form of terraform's `deferred_changes`; the command that writes them is not released.
    let deferred = r#""deferred_changes":[
        {"reason":"instance_count_unknown","resource_change":{"address":"terraform_data.later[*]","mode":"managed","type":"terraform_data","name":"later","index_unknown":true,"provider_name":"terraform.io/builtin/terraform",
         "change":{"actions":["create"],"before":null,"after":{"input":"x"},"after_unknown":{"id":true,"output":true},"before_sensitive":false,"after_sensitive":{}}}},
        {"reason":"deferred_prereq","resource_change":{"address":"terraform_data.gone","mode":"managed","type":"terraform_data","name":"gone",
         "change":{"actions":["delete"],"before":{"input":"x"},"after":null,"after_unknown":{},"before_sensitive":{},"after_sensitive":false}}}],
        "prior_state""#;
    let text =
        CHANGES.replacen("\"prior_state\"", deferred, 1).replace("\"complete\":true", "\"complete\":false");
    for text in [sorted(&text), text] {
        let plan = read(text.as_bytes()).unwrap();
        let later = resource(&plan, "terraform_data.later");
        assert!(later.undecided.as_ref().unwrap().subject.contains("instance count unknown"));
        assert_eq!(at(&plan, &text, "terraform_data.later", "input"), "x");
        assert!(plan.graph.partial.is_some());
        let gaps: Vec<_> = plan.graph.gaps.iter().map(|gap| (gap.kind, gap.reason.as_str())).collect();
        let reason = "1 deferred changes were not understood (`deferred_changes`)";
        assert_eq!(gaps, [(GapKind::Unsupported, reason)]);
    }
}

#[test]
fn changes_that_are_null_are_none() {
    // Whoever writes such a document anew may write `null` for what was not there.
    let text = REFRESH_ONLY.replacen("\"prior_state\"", "\"resource_changes\":null,\"prior_state\"", 1);
    assert_eq!(whole(&text).graph.len(), 9);
}

#[test]
fn a_plan_is_found_inside_of_what_wraps_it() {
    for (text, prefix) in [
        (format!("{{\"plan\":{CHANGES},\"run\":{{\"id\":\"run-1\"}}}}"), "/plan"),
        (format!("{{\"input\":{{\"run\":{{\"plan\":1}},\"plan\":{CHANGES}}}}}"), "/input/plan"),
        (format!("{{\"run\":{{}},\"input\":{CHANGES}}}"), "/input"),
    ] {
        let plan = whole(&text);
        assert_eq!(addresses(&plan), addresses(&whole(CHANGES)));
        assert_eq!(at(&plan, &text, "terraform_data.numbered[1]", "input"), 1, "{prefix}");
        let (section, index) = resource(&plan, "terraform_data.plain").planned.unwrap();
        let layout = plan.graph.layout.as_ref().unwrap();
        assert!(layout.pointer(section, index, &auditlint_graph::Map::default(), "").starts_with(prefix));
    }
    for text in [
        format!("{{\"plan\":{CHANGES},\"resource_changes\":[]}}"),
        format!("{{\"a\":{CHANGES}}}"),
        format!("{{\"plan\":{{\"plan\":{{\"plan\":{CHANGES}}}}}}}"),
        "{\"plan\":{},\"input\":{}}".to_owned(),
    ] {
        assert!(matches!(read(text.as_bytes()), Err(PlanError::Malformed { .. })));
    }
}

#[test]
fn what_lives_for_a_run_only_is_no_resource() {
    // As OpenTofu 1.11 writes an ephemeral resource that is opened during the apply.
    let ephemeral = r#""resource_changes":[{"address":"ephemeral.random_password.p","mode":"ephemeral","type":"random_password","name":"p","change":{"actions":["open"],"before":null,"after":null,"after_unknown":{}}},"#;
    let text = CHANGES.replacen("\"resource_changes\":[", ephemeral, 1);
    assert_eq!(addresses(&whole(&text)), addresses(&whole(CHANGES)));
}

#[test]
fn compressed_documents_are_read() {
    for text in [CHANGES, STATE, STATE_FILE, REFRESH_ONLY] {
        let plan = read(&packed(text)).unwrap();
        assert!(plan.graph.gaps.is_empty());
        assert_eq!(addresses(&plan), addresses(&whole(text)));
    }
    let bytes = packed(CHANGES);
    for cut in 2..bytes.len() {
        match read(&bytes[..cut]) {
            Ok(plan) => assert!(plan.graph.gaps.iter().any(|gap| gap.kind == GapKind::Truncated), "{cut}"),
            Err(PlanError::Malformed { .. }) => {}
            Err(error) => panic!("cut at {cut}: {error}"),
        }
    }
    let mut damaged = bytes.clone();
    let checksum = damaged.len() - 6;
    damaged[checksum] ^= 1;
    assert!(matches!(read(&damaged), Err(PlanError::Io(_))));
    let mut twice = GzEncoder::new(Vec::new(), Compression::default());
    twice.write_all(&bytes).unwrap();
    assert!(matches!(read(&twice.finish().unwrap()), Err(PlanError::Malformed { .. })));
}
