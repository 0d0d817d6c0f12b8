//! Evaluation of configurations: what a value is, where it comes from, and what stays unknown.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;

use auditlint_graph::terraform::{Caches, Configuration, RootInputs};
use auditlint_graph::{Interest, Tables, Value};
use auditlint_syntax::MemoryFiles;

fn load(files: &[(&str, &str)], vars: &[(&str, &str)]) -> Configuration {
    let tables = Tables {
        interest: Arc::new(Interest { everything: true, ..Interest::default() }),
        ..Tables::default()
    };
    let inputs = RootInputs {
        vars: vars.iter().map(|(name, value)| ((*name).into(), (*value).to_owned())).collect(),
        ..RootInputs::default()
    };
    Configuration::load(&inputs, None, &MemoryFiles::of(files.iter().copied()), &Caches::default(), &tables)
}

/// `address.attribute = value` for every attribute, sorted.
fn shown(configuration: &Configuration) -> Vec<String> {
    let mut out: Vec<String> = configuration
        .graph
        .iter()
        .flat_map(|(_, resource)| {
            let address = resource.address.to_string();
            resource
                .attributes
                .iter()
                .map(move |(name, value)| format!("{address}.{name} = {}", value.show()))
        })
        .collect();
    out.sort();
    out
}

fn value(expression: &str) -> String {
    let text = format!(
        "locals {{\n  n = null\n  m = {{ a = 1, b = 2 }}\n}}\nresource \"t\" \"r\" {{\n  x = {expression}\n}}\n"
    );
    let configuration = load(&[("main.tf", &text)], &[]);
    let (_, resource) = configuration.graph.iter().next().unwrap();
    resource.attribute("x").map_or("null".to_owned(), |value| {
        value.unknown().map_or_else(|| value.show(), |unknown| format!("unknown: {}", unknown.cause.subject))
    })
}

#[test]
fn expressions_are_what_terraform_console_says() {
    for (expression, expected) in [
        ("1 + 2 * 3", "7"),
        ("\"a-${1 + 1}-b\"", "\"a-2-b\""),
        ("true ? \"x\" : \"y\"", "\"x\""),
        ("!(1 < 2) || false", "false"),
        ("\"1\" == 1", "false"),
        ("[for s in [\"a\", \"b\"] : upper(s)]", "[\"A\", \"B\"]"),
        ("{for k, v in {a = 1, b = 2} : v => k if v > 1}", "{ 2 = \"b\" }"),
        (
            "{for s in [\"a\", \"b\", \"ab\"] : substr(s, 0, 1) => s...}",
            "{ a = [\"a\", \"ab\"], b = [\"b\"] }",
        ),
        ("merge({a = 1}, {b = 2})[\"b\"]", "2"),
        ("lookup({a = 1}, \"z\", 9)", "9"),
        ("try(local.missing_map.x, 5)", "unknown: local.missing_map"),
        ("[{a = 1}, {a = 2}][*].a", "[1, 2]"),
        ("concat([1], [2, 3])", "[1, 2, 3]"),
        ("toset([\"b\", \"a\", \"b\"])", "[\"a\", \"b\"]"),
        ("join(\",\", [\"a\", \"b\"])", "\"a,b\""),
        ("format(\"%s-%03d\", \"x\", 7)", "\"x-007\""),
        ("coalesce(null, \"\", \"c\")", "\"c\""),
        ("element([\"a\", \"b\"], 3)", "\"b\""),
        ("flatten([[1], [2, [3]]])", "[1, 2, 3]"),
        ("replace(\"a-b\", \"/[^a-z]/\", \"\")", "\"ab\""),
        ("jsonencode({b = [1, true], a = null})", "\"{\\\"a\\\":null,\\\"b\\\":[1,true]}\""),
        ("jsondecode(\"{\\\"a\\\": [1]}\").a[0]", "1"),
        ("contains([\"a\"], \"a\")", "true"),
        ("length({a = 1})", "1"),
        ("title(\"hello world\")", "\"Hello World\""),
        ("regex(\"[0-9]+\", \"ab12\")", "\"12\""),
        ("range(3)", "[0, 1, 2]"),
        ("zipmap([\"a\"], [1])", "{ a = 1 }"),
        ("keys({b = 1, a = 2})", "[\"a\", \"b\"]"),
        ("trimsuffix(\"a.tf\", \".tf\")", "\"a\""),
        ("local.n", "null"),
        ("10 / 4", "2.5"),
        ("one([])", "null"),
        ("timestamp()", "unknown: timestamp()"),
        ("cidrsubnet(\"10.0.0.0/8\", 8, 1)", "\"10.1.0.0/16\""),
        ("local.m.a", "1"),
        ("<<-E\n    a\n      b\n  E\n", "\"a\\n  b\\n\""),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn instances_come_from_count_for_each_and_dynamic() {
    let text = r#"
variable "on" { default = true }
variable "names" { default = ["a", "b"] }
resource "t" "c" {
  count = var.on ? 2 : 0
  x     = count.index
}
resource "t" "e" {
  for_each = toset(var.names)
  x        = each.key
  dynamic "rule" {
    for_each = each.key == "a" ? [1, 2] : []
    content {
      n = rule.value
    }
  }
}
resource "t" "none" {
  count = var.on ? 0 : 1
}
"#;
    assert_eq!(
        shown(&load(&[("main.tf", text)], &[])),
        [
            "t.c[0].x = 0",
            "t.c[1].x = 1",
            "t.e[\"a\"].rule = [{ n = 1 }, { n = 2 }]",
            "t.e[\"a\"].x = \"a\"",
            "t.e[\"b\"].rule = []",
            "t.e[\"b\"].x = \"b\"",
        ]
    );
    let off = load(&[("main.tf", text)], &[("on", "false"), ("names", "[\"z\"]")]);
    assert!(off.graph.iter().all(|(_, resource)| resource.address.name != "c"));
}

#[test]
fn values_and_references_travel_through_modules() {
    let files = [
        (
            "main.tf",
            r#"
module "logs" {
  source = "./modules/logs"
  for_each = { a = 30, b = 90 }
  days   = each.value
}
resource "aws_s3_bucket" "b" {
  for_each = toset(["x", "y"])
  bucket   = "b-${each.key}"
}
module "companion" {
  source = "./modules/companion"
  id     = aws_s3_bucket.b["x"].id
}
resource "t" "out" {
  arn = module.logs["a"].arn
}
"#,
        ),
        (
            "modules/logs/main.tf",
            "variable \"days\" {}\nresource \"g\" \"g\" {\n  d = var.days\n}\noutput \"arn\" {\n  value = g.g.arn\n}\n",
        ),
        (
            "modules/companion/main.tf",
            "variable \"id\" {}\nresource \"aws_s3_bucket_logging\" \"l\" {\n  bucket = var.id\n}\n",
        ),
    ];
    let configuration = load(&files, &[]);
    assert!(configuration.graph.gaps.is_empty(), "{:?}", configuration.graph.gaps);
    let find = |address: &str| {
        configuration
            .graph
            .iter()
            .find(|(_, resource)| resource.address.to_string() == address)
            .unwrap()
            .1
            .clone()
    };
    assert_eq!(find("module.logs[\"b\"].g.g").attribute("d").unwrap().show(), "90");
    let link = find("module.companion.aws_s3_bucket_logging.l");
    let reference = &link.attribute("bucket").unwrap().references.as_ref().unwrap()[0];
    assert!(reference.exact && reference.attribute == "id");
    let target = configuration.graph.resolve(reference);
    assert_eq!(configuration.graph.get(target[0]).unwrap().address.to_string(), "aws_s3_bucket.b[\"x\"]");
    let arn = find("t.out");
    let reference = &arn.attribute("arn").unwrap().references.as_ref().unwrap()[0];
    assert_eq!(reference.module.to_string(), "module.logs[\"a\"]");
}

#[test]
fn unknowns_have_causes_and_gaps_have_places() {
    let text = r#"
variable "days" {}
data "aws_region" "here" {}
resource "t" "r" {
  a = var.days
  b = data.aws_region.here.name
  c = t.other.id
  d = t.gone.id
  e = "p-${var.days}"
  f = var.days ? "x" : "y"
}
resource "t" "other" {}
module "far" {
  source  = "terraform-aws-modules/s3-bucket/aws"
  version = "4.0"
}
module "far2" {
  source  = "terraform-aws-modules/s3-bucket/aws"
  version = "4.0"
}
resource "t" "m" { x = module.far.id }
"#;
    let configuration = load(&[("main.tf", text)], &[]);
    let causes: Vec<String> = configuration
        .graph
        .iter()
        .flat_map(|(_, resource)| {
            resource
                .attributes
                .iter()
                .filter_map(|(name, value)| Some(format!("{name}: {}", value.unknown()?.cause.subject)))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(
        causes,
        [
            "a: var.days",
            "b: data.aws_region.here.name",
            "c: t.other.id",
            "d: t.gone",
            "e: var.days",
            "f: var.days",
            "x: module.far"
        ]
    );
    let gaps: Vec<String> = configuration
        .graph
        .gaps
        .iter()
        .map(|gap| format!("{} {} x{}", gap.kind.as_str(), gap.reason, gap.count))
        .collect();
    assert_eq!(
        gaps,
        [
            "missing_module module \"terraform-aws-modules/s3-bucket/aws\" 4.0 is not here x2",
            "reference t.gone is not declared in the root module x1",
        ]
    );
}

#[test]
fn variable_files_and_flags_win_in_terraforms_order() {
    let files = [
        (
            "main.tf",
            "variable \"a\" { default = 1 }\nvariable \"b\" { default = 1 }\nvariable \"c\" {\n  type = number\n}\nresource \"t\" \"r\" {\n  a = var.a\n  b = var.b\n  c = var.c\n}\n",
        ),
        ("terraform.tfvars", "a = 2\nb = 2\n"),
        ("x.auto.tfvars.json", "{\"b\": 3}"),
    ];
    assert_eq!(shown(&load(&files, &[("c", "7")])), ["t.r.a = 2", "t.r.b = 3", "t.r.c = 7"]);
}

#[test]
fn sensitive_values_stay_sensitive() {
    let text = "variable \"s\" {\n  default   = \"hunter2\"\n  sensitive = true\n}\nresource \"t\" \"r\" {\n  a = \"x-${var.s}\"\n  password = \"plain\"\n}\n";
    assert_eq!(
        shown(&load(&[("main.tf", text)], &[])),
        ["t.r.a = (sensitive value)", "t.r.password = (sensitive value)"]
    );
}

#[test]
fn a_policy_document_is_rendered() {
    let text = r#"
data "aws_iam_policy_document" "p" {
  statement {
    actions   = ["s3:PutObject"]
    resources = ["*"]
    principals {
      type        = "Service"
      identifiers = ["logging.s3.amazonaws.com"]
    }
  }
}
resource "t" "r" { policy = data.aws_iam_policy_document.p.json }
"#;
    let configuration = load(&[("main.tf", text)], &[]);
    let resource =
        configuration.graph.iter().find(|(_, resource)| resource.address.kind == "t").unwrap().1.clone();
    let Value::String(json) = resource.attribute("policy").unwrap().value() else { panic!("unknown") };
    assert!(json.contains("\"Principal\":{\"Service\":[\"logging.s3.amazonaws.com\"]}"), "{json}");
}

#[test]
fn cycles_and_deep_chains_end() {
    let text = "locals {\n  a = local.b\n  b = local.a\n}\nresource \"t\" \"r\" { x = local.a }\n";
    assert!(value("local.n").contains("null"));
    load(&[("main.tf", text)], &[]);
    load(&[("main.tf", "module \"m\" { source = \"./\" }\n")], &[]);
}
