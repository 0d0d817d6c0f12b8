//! A root that follows edits is, after each of them, what a fresh evaluation of the same texts gives.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on panics")]

use std::sync::Arc;

use auditlint_graph::terraform::{Caches, Configuration, Live, RootInputs};
use auditlint_graph::{Interest, Origin, Resource, Tables, Tracked, Value};
use auditlint_syntax::MemoryFiles;
use camino::{Utf8Path, Utf8PathBuf};
use proptest::prelude::*;

/// A small estate in which everything hangs together: variable files, locals in a chain, modules in modules,
/// `for_each` and `count`, an override file, names that are not declared.
const START: &[(&str, &str)] = &[
    (
        "main.tf",
        "locals {\n  a = var.days\n  b = local.a + 1\n  c = module.one[\"x\"].days\n}\n\nresource \"t\" \"plain\" {\n  days = local.b\n  name = \"n-${var.name}\"\n  other = t.each[\"y\"].name\n}\n\nresource \"t\" \"each\" {\n  for_each = toset([\"x\", \"y\"])\n  name     = each.key\n  days     = local.c\n}\n\nresource \"t\" \"count\" {\n  count = var.count\n  name  = t.plain.name\n  gone  = local.gone\n}\n",
    ),
    (
        "variables.tf",
        "variable \"days\" {\n  default = 30\n}\n\nvariable \"name\" {}\n\nvariable \"count\" {\n  default = 2\n}\n",
    ),
    (
        "modules.tf",
        "module \"one\" {\n  for_each = { x = 1, y = local.b }\n  source   = \"./m\"\n  days     = each.value\n}\n\nmodule \"two\" {\n  source = \"./n\"\n  name   = module.one[\"y\"].name\n}\n",
    ),
    ("over_override.tf", "resource \"t\" \"plain\" {\n  extra = local.a\n}\n"),
    ("terraform.tfvars", "name = \"given\"\n"),
    (
        "m/main.tf",
        "variable \"days\" {}\n\nresource \"t\" \"inner\" {\n  days = var.days\n  name = \"inner\"\n}\n\noutput \"days\" {\n  value = t.inner.days\n}\n\noutput \"name\" {\n  value = t.inner.id\n}\n",
    ),
    (
        "n/main.tf",
        "variable \"name\" {}\n\nmodule \"deep\" {\n  source = \"../m\"\n  days   = 7\n}\n\nresource \"t\" \"outer\" {\n  name  = var.name\n  whole = module.deep\n}\n",
    ),
];

/// What is typed, pasted or deleted.
const LINES: &[&str] = &[
    "",
    "}",
    "  days = 90",
    "  days = var.days",
    "  name = t.plain.name",
    "  a = local.b",
    "  count = 3",
    "  for_each = toset([\"x\"])",
    "locals {",
    "resource \"t\" \"new\" {",
    "resource \"t\" \"plain\" {",
    "variable \"days\" {",
    "module \"one\" {",
    "  source = \"./m\"",
    "  source = \"./n\"",
    "output \"days\" {",
    "  value = local.a",
    "  gone = var.gone",
    "days = 400",
    "count = 0",
    "# a comment",
    "  list = [",
];

#[derive(Clone, Debug)]
struct Edit {
    file: usize,
    line: usize,
    deleted: usize,
    pasted: usize,
    /// Whether the host is told which file changed.
    told: bool,
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = (0..START.len(), 0..40usize, 0..3usize, 0..LINES.len(), any::<bool>())
        .prop_map(|(file, line, deleted, pasted, told)| Edit { file, line, deleted, pasted, told });
    proptest::collection::vec(edit, 1..12)
}

fn tables() -> Tables {
    Tables { interest: Arc::new(Interest { everything: true, ..Interest::default() }), ..Tables::default() }
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Derived(derived) => {
            let from: Vec<String> = derived.from.iter().map(self::origin).collect();
            format!("{:?}({})", derived.at.span, from.join(", "))
        }
        other => format!("{other:?}"),
    }
}

fn value(value: &Tracked) -> String {
    let inner = match value.value() {
        Value::List(items) => items.iter().map(self::value).collect::<Vec<_>>().join("; "),
        Value::Map(map) => map
            .iter()
            .map(|(key, item)| format!("{key}={}", self::value(item)))
            .collect::<Vec<_>>()
            .join("; "),
        Value::Unknown(unknown) => format!("{:?}", unknown.cause),
        _ => value.show(),
    };
    format!("{inner} @ {} -> {:?}", origin(&value.origin), value.references)
}

fn resource(resource: &Resource) -> String {
    let attributes: Vec<String> = resource
        .attributes
        .iter()
        .map(|(name, attribute)| format!("    {name}: {}", value(attribute)))
        .collect();
    format!(
        "{} {:?} {:?} {:?}\n{}",
        resource.address,
        resource.declared,
        resource.undecided,
        resource.incomplete,
        attributes.join("\n")
    )
}

fn dump(configuration: &Configuration) -> String {
    let mut resources: Vec<String> = configuration.graph.iter().map(|(_, found)| resource(found)).collect();
    resources.sort();
    let gaps: Vec<String> = configuration.graph.gaps.iter().map(|gap| format!("{gap:?}")).collect();
    format!(
        "{}\n{}\n{:?} {}",
        resources.join("\n"),
        gaps.join("\n"),
        configuration.folders,
        configuration.files
    )
}

fn edited(text: &str, edit: &Edit) -> String {
    let mut lines: Vec<&str> = text.split('\n').collect();
    let at = edit.line.min(lines.len());
    let end = (at + edit.deleted).min(lines.len());
    lines.splice(at..end, [LINES[edit.pasted]]);
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn following_edits_equals_evaluating_anew(edits in edits()) {
        let (tables, caches, inputs) = (tables(), Caches::default(), RootInputs::default());
        let mut files = MemoryFiles::of(START.iter().copied());
        let mut texts: Vec<String> = START.iter().map(|(_, text)| (*text).to_owned()).collect();
        let mut live = Live::load(&inputs, None, &files, &caches, &tables);
        for edit in edits {
            let path = Utf8PathBuf::from(START[edit.file].0);
            texts[edit.file] = edited(&texts[edit.file], &edit);
            files.put(&path, texts[edit.file].as_bytes());
            let changed = [path];
            live.update(&inputs, None, &files, &caches, edit.told.then_some(&changed[..]));
            let fresh = Configuration::load(&inputs, None, &files, &caches, &tables);
            prop_assert_eq!(dump(&live.configuration), dump(&fresh), "after {:?}", edit);
        }
    }

    #[test]
    fn files_come_and_go(order in proptest::collection::vec(0..START.len(), 1..10)) {
        let (tables, caches, inputs) = (tables(), Caches::default(), RootInputs::default());
        let mut files = MemoryFiles::of(START.iter().copied());
        let mut there = vec![true; START.len()];
        let mut live = Live::load(&inputs, None, &files, &caches, &tables);
        for at in order {
            let (path, text) = START[at];
            there[at] = !there[at];
            if there[at] {
                files.put(Utf8Path::new(path), text.as_bytes());
            } else {
                files.remove(Utf8Path::new(path));
            }
            live.update(&inputs, None, &files, &caches, None);
            let fresh = Configuration::load(&inputs, None, &files, &caches, &tables);
            prop_assert_eq!(dump(&live.configuration), dump(&fresh), "{} is there: {}", path, there[at]);
        }
    }
}

#[test]
fn an_edit_changes_what_was_made_from_it_alone() {
    let (tables, caches, inputs) = (tables(), Caches::default(), RootInputs::default());
    let mut files = MemoryFiles::of(START.iter().copied());
    let mut live = Live::load(&inputs, None, &files, &caches, &tables);
    let path = Utf8PathBuf::from("over_override.tf");
    files.put(&path, b"resource \"t\" \"plain\" {\n  extra = 1\n}\n");
    let delta = live.update(&inputs, None, &files, &caches, Some(&[path])).unwrap();
    let changed: Vec<String> = delta
        .changed
        .iter()
        .filter_map(|slot| live.configuration.graph.get(*slot))
        .map(|resource| resource.address.to_string())
        .collect();
    // The two that read `t.plain.name` are evaluated again because their source was.
    assert_eq!(changed, ["t.plain", "t.count[0]", "t.count[1]"]);
    assert!(delta.removed.is_empty());
}

/// A file that a function reads is no part of the configuration, and what was made of it changes with it all the same.
#[test]
fn what_functions_read_is_followed() {
    let text =
        "resource \"t\" \"r\" {\n  name = file(\"a.txt\")\n  days = length(fileset(\"d\", \"*\"))\n}\n";
    let (caches, inputs) = (Caches::default(), RootInputs::default());
    let mut files = MemoryFiles::of([("main.tf", text), ("a.txt", "one"), ("d/x", "")]);
    let mut live = Live::load(&inputs, None, &files, &caches, &tables());
    let fresh =
        |files: &MemoryFiles| dump(&Configuration::load(&inputs, None, files, &Caches::default(), &tables()));
    let before = dump(&live.configuration);
    assert_eq!(before, fresh(&files));
    files.put("a.txt".into(), b"two");
    live.update(&inputs, None, &files, &caches, Some(&["a.txt".into()]));
    assert_eq!(dump(&live.configuration), fresh(&files));
    assert_ne!(dump(&live.configuration), before);
    let before = dump(&live.configuration);
    files.put("d/y".into(), b"");
    live.update(&inputs, None, &files, &caches, None);
    assert_eq!(dump(&live.configuration), fresh(&files));
    assert_ne!(dump(&live.configuration), before);
}
