//! Terraform's functions: every expectation was asked of terraform 1.11.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;

use auditlint_graph::terraform::{Caches, Configuration, RootInputs};
use auditlint_graph::{Interest, Tables};
use auditlint_syntax::MemoryFiles;

/// An expression a line, and what `terraform console` says of `try(jsonencode(…), "REFUSED")` behind ` => `.
const ANSWERS: &str = include_str!("functions.txt");

fn value(expression: &str) -> String {
    let mut all = MemoryFiles::new();
    for (path, text) in FILES {
        all.put((*path).into(), text);
    }
    let text = format!("resource \"t\" \"r\" {{\n  x = try(jsonencode({expression}), \"REFUSED\")\n}}\n");
    all.put("main.tf".into(), text.as_bytes());
    attribute(&all, &RootInputs::default())
}

/// The attribute `x` of the only resource.
fn attribute(files: &MemoryFiles, inputs: &RootInputs) -> String {
    let tables = Tables {
        interest: Arc::new(Interest { everything: true, ..Interest::default() }),
        ..Tables::default()
    };
    let configuration = Configuration::load(inputs, None, files, &Caches::default(), &tables);
    let (_, resource) = configuration.graph.iter().next().unwrap();
    resource.attribute("x").map_or("null".to_owned(), |value| match value.value().as_str() {
        Some(text) => text.to_owned(),
        None => format!("unknown: {}", value.unknown().map_or("", |unknown| &unknown.cause.subject)),
    })
}

const FILES: &[(&str, &[u8])] = &[
    ("t1.tpl", b"a ${x}\n%{ if true ~}\n  \n  y\n%{ endif ~}\nend"),
    ("t2.tpl", b"${x}"),
    ("t3.tpl", b"%{ for k, v in x }${k}=${v}\r\n%{ endfor ~}  "),
    ("t4.tpl", b"${templatefile(\"t2.tpl\",{x=1})}"),
    ("t5.tpl", b"${var.x}"),
    ("t6.tpl", b"a\\n\"b\" $${x} %%{ if } $x ${\"q\\\"${x}\"}\n"),
    ("t7.tpl", b"${file(\"t2.tpl\")}"),
    ("t8.tpl", "<<X ${x} é\n\n  ind\n".as_bytes()),
    ("t9.tpl", b"${ upper(x) ~}   \n\n  z %{ if false }${nope}%{ endif }"),
    ("s1.tpl", b"a \n  ${~ x ~}  \n\n b"),
    ("s2.tpl", b"a\n\n%{~ if true }\n  y\n%{~ endif ~}\t\n\n\nend"),
    ("s3.tpl", b"a  ${~ x}  ${~ x ~}  b"),
    ("s4.tpl", b"a\n  %{~ for i in [1,2] ~}\n   ${i}\n  %{~ endfor ~}\n  b\r\n  ${~ x ~}\r\n c"),
    ("s5.tpl", b"%{ if true ~}${x}%{ else ~}\n n %{~ endif }\n\n${x ~}\n\n"),
    ("bad.bin", b"\xff"),
    ("bom.txt", b"\xef\xbb\xbfhi"),
    ("sub/a.json", b""),
    ("sub/.h.json", b""),
    ("sub/deep/b.json", b""),
    ("sub/deep/c.txt", b""),
];

#[test]
fn functions_are_computed_as_terraform_does() {
    let mut wrong = Vec::new();
    for line in ANSWERS.lines() {
        let (expression, expected) = line.rsplit_once("  =>  ").unwrap();
        let found = value(expression.trim());
        if found != expected {
            wrong.push(format!("{}\n   expected {expected}\n   found    {found}", expression.trim()));
        }
    }
    assert!(ANSWERS.lines().count() > 300, "only {} answers", ANSWERS.lines().count());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What terraform computes and nobody writes, and what may differ from it: not known, and nothing that `try` passes
/// over.
#[test]
fn what_is_not_computed_is_unknown() {
    for expression in [
        "regex(\"a\\\\Bb\", \"ab\")",
        "yamldecode(\"a: .inf\")",
        "yamldecode(\"{a: 1\")",
        "textencodebase64(\"x\", \"cp437\")",
        "fileset(\"sub\", \"../../*.bin\")",
        "rsadecrypt(\"YQ==\", \"-----BEGIN RSA PRIVATE KEY-----\\nMAA=\\n-----END RSA PRIVATE KEY-----\")",
        "a_function_of_tomorrow()",
        "file(\"../outside\")",
        "file(\"/etc/hostname\")",
        "fileexists(\"~/x\")",
        "abspath(\"x\")",
        "pathexpand(\"~/x\")",
        "base64gzip(\"x\")",
        "bcrypt(\"x\")",
        "uuid()",
        "plantimestamp()",
    ] {
        let found = value(expression);
        assert!(found.starts_with("unknown: "), "{expression} is {found}");
    }
}

/// The answers that OpenTofu documents for the functions that only it has.
#[test]
fn functions_of_opentofu() {
    for (expression, expected) in [
        ("cidrcontains(\"192.168.2.0/20\", \"192.168.2.1\")", "true"),
        ("urldecode(\"abc%F0%9F%8C%8E+d\")", "\"abc🌎 d\""),
        ("urldecode(\"%zz\")", "REFUSED"),
        ("base64gunzip(\"H4sIAAAAAAACA8tIzcnJVyjPL8pJAQCFEUoNCwAAAA==\")", "\"hello world\""),
        ("base64gunzip(\"aGVsbG8=\")", "REFUSED"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

/// Names are relative to the root module, and those made of `path.module` and `path.root` are found from any module.
#[test]
fn files_are_found_from_every_module() {
    for (expression, expected) in [
        ("file(\"x.txt\")", "root"),
        ("file(\"./x.txt\")", "root"),
        ("file(\"${path.root}/x.txt\")", "root"),
        ("file(\"${path.module}/x.txt\")", "module"),
        ("file(\"${path.module}/../../envs/prod/x.txt\")", "root"),
        ("file(\"../../modules/m/x.txt\")", "module"),
        ("file(var.given)", "root"),
        ("templatefile(\"${path.module}/t.tpl\", { a = var.open, b = 1 })", "unknown: var.open"),
        ("join(\",\", fileset(path.module, \"*.tpl\"))", "t.tpl"),
        ("try(file(\"gone.txt\"), \"other\")", "other"),
        ("tostring(fileexists(\"${path.module}/gone.txt\"))", "false"),
        ("try(file(\"../../../x.txt\"), \"other\")", "unknown: file()"),
    ] {
        let module = format!(
            "variable \"given\" {{}}\nvariable \"open\" {{}}\nresource \"t\" \"r\" {{\n  x = \"${{{expression}}}\"\n}}\n"
        );
        let root = "variable \"open\" {}\nmodule \"m\" {\n  source = \"../../modules/m\"\n  open   = var.open\n  given  = \"${path.module}/x.txt\"\n}\n";
        let files = MemoryFiles::of([
            ("envs/prod/main.tf", root),
            ("envs/prod/x.txt", "root"),
            ("modules/m/main.tf", &module),
            ("modules/m/x.txt", "module"),
            ("modules/m/t.tpl", "${b} ${a}"),
        ]);
        let inputs = RootInputs { folder: "envs/prod".into(), ..RootInputs::default() };
        assert_eq!(attribute(&files, &inputs), expected, "{expression}");
    }
}
