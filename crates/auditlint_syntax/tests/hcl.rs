//! The resilient front end: spans, neighbours of broken blocks, and agreement with parsing a file whole.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files, and one that cannot go on panics"
)]

use std::sync::Arc;

use auditlint_syntax::hcl::{self, Block, BlockCache, ExprKind, HclFile, ItemKind, TemplatePart};
use auditlint_syntax::{Files, MemoryFiles, ProblemKind, Source};
use camino::Utf8Path;

fn source(text: &[u8]) -> Arc<Source> {
    let mut files = MemoryFiles::new();
    files.put(Utf8Path::new("a.tf"), text);
    files.read(Utf8Path::new("a.tf")).unwrap()
}

fn parse(text: &str) -> HclFile {
    hcl::parse(&source(text.as_bytes()), &BlockCache::default())
}

fn blocks(file: &HclFile) -> Vec<(String, &Block, u32)> {
    file.items
        .iter()
        .filter_map(|item| match &item.piece.kind {
            ItemKind::Block(block) => {
                let labels: Vec<&str> = block.labels.iter().map(|label| label.name.as_str()).collect();
                Some((format!("{} {}", block.ident, labels.join(" ")), block, item.base))
            }
            _ => None,
        })
        .collect()
}

const THREE: &str = r#"resource "a" "first" {
  name = "x"
}

# About the second.
resource "a" "second" {
  name  = "y"
  count = 2

  tags = {
    a = 1
  }
}

resource "a" "third" {
  name = "z"
}
"#;

#[test]
fn spans_are_byte_exact_and_relative_to_the_piece() {
    let text = "\u{FEFF}resource \"é\" \"b\" {\r\n  list = [\"ü\", var.x]\r\n  nested {\r\n    a = 1\r\n  }\r\n}\r\n";
    let file = parse(text);
    assert!(file.problems.is_empty(), "{:?}", file.problems);
    let item = &file.items[0];
    let ItemKind::Block(block) = &item.piece.kind else { panic!("no block") };
    let slice = |span| &text[item.place(span).span.range()];
    assert_eq!(slice(block.header), "resource \"é\" \"b\"");
    let list = block.body.attribute("list").unwrap();
    assert_eq!(slice(list.value.span), "[\"ü\", var.x]");
    assert_eq!(slice(list.name_span), "list");
    assert_eq!(slice(block.body.blocks[0].span), "nested {\r\n    a = 1\r\n  }");
    assert!(slice(block.body.span).starts_with("\r\n  list") && slice(block.body.span).ends_with("}\r\n"));
}

#[test]
fn neighbours_survive_every_half_typed_state() {
    let mutations = [
        ("lone attribute", "  foo = \n"),
        ("lone identifier", "  foo\n"),
        ("unclosed string", "  x = \"abc\n"),
        ("unclosed interpolation", "  x = \"${var.\n"),
        ("unfinished traversal", "  x = aws_s3_bucket.\n"),
        ("unclosed block", "  blk {\n"),
        ("unclosed list", "  x = [\n"),
        ("unclosed call", "  x = merge(\n"),
        ("unclosed heredoc", "  x = <<EOT\n"),
        ("extra brace", "  }\n"),
    ];
    for (name, line) in mutations {
        let text = THREE.replace("  name  = \"y\"\n", &format!("{line}  name  = \"y\"\n"));
        let file = parse(&text);
        let found = blocks(&file);
        let heads: Vec<&str> = found.iter().map(|(head, ..)| head.as_str()).collect();
        assert_eq!(
            heads,
            ["resource a first", "resource a second", "resource a third"],
            "{name}\n{:?}",
            file.items
        );
        assert_eq!(file.problems.len(), 1, "{name}: {:?}", file.problems);
        let second = found[1].1;
        assert!(second.body.incomplete, "{name}");
        assert!(second.body.attribute("count").is_some(), "{name}: statements lost");
        let (_, third, base) = &found[2];
        assert_eq!(
            &text[third.span.shifted(*base).range()],
            "resource \"a\" \"third\" {\n  name = \"z\"\n}",
            "{name}"
        );
        assert!(!third.body.incomplete, "{name}");
    }
}

#[test]
fn a_header_alone_and_a_missing_brace_swallow_nobody() {
    let typed = THREE.replace("# About the second.\n", "resource \"a\" \"new\"\n");
    let file = parse(&typed);
    let heads: Vec<String> = blocks(&file).into_iter().map(|(head, ..)| head).collect();
    assert_eq!(heads, ["resource a first", "resource a new", "resource a second", "resource a third"]);
    let unclosed = THREE.replace("    a = 1\n  }\n}\n", "    a = 1\n  }\n");
    let file = parse(&unclosed);
    let found = blocks(&file);
    assert_eq!(found.len(), 3, "{:?}", file.items);
    assert!(found[1].1.body.incomplete && !found[2].1.body.incomplete);
    assert_eq!(file.problems.len(), 1);
}

#[test]
fn what_terraform_accepts_is_accepted() {
    let accepted = [
        "x = [for k, v in a : k\n  ? 1\n  : 2\n]\n",
        "x = {\n  for k, v in a : k => v\n  ? 1 : 2\n}\n",
        "x = <<-EOT\n    a ${b}\n  c\n  EOT\n",
        "  resource \"a\" \"b\" {}\n  resource \"a\" \"c\" { x = 1 }\n",
        "x = \"%{ if a ~} yes %{ else }no%{ endif }\"\n",
        "x = provider::aws::arn_parse(a...)\n",
    ];
    for text in accepted {
        let file = parse(text);
        assert!(file.problems.is_empty(), "{text}: {:?}", file.problems);
    }
}

#[test]
fn what_terraform_rejects_is_a_problem_with_a_place() {
    for (text, kind, at) in [
        ("x = 10.11.10.12/32\n", ProblemKind::Syntax, "10.11.10"),
        ("a {\n  x = 1\n  x = 2\n}\n", ProblemKind::Duplicate, "x"),
        ("x = \"a\nb\"\n", ProblemKind::Syntax, ""),
    ] {
        let file = parse(text);
        let problem = file.problems.first().unwrap_or_else(|| panic!("{text} has no problem"));
        assert_eq!(problem.kind, kind, "{text}");
        if !at.is_empty() {
            assert!(
                text[problem.span.range()].starts_with(at) || text[problem.span.range()] == *at,
                "{text}: {problem:?}"
            );
        }
    }
}

#[test]
fn nesting_past_the_limit_is_isolated_and_is_no_syntax_error() {
    let deep =
        format!("a \"b\" {{\n  x = {}1{}\n  y = 2\n}}\nc \"d\" {{}}\n", "(".repeat(300), ")".repeat(300));
    let file = parse(&deep);
    assert_eq!(file.problems.len(), 1);
    assert_eq!(file.problems[0].kind, ProblemKind::Unsupported, "{:?}", file.problems);
    let found = blocks(&file);
    assert_eq!(found.len(), 2);
    assert!(matches!(found[0].1.body.attribute("x").unwrap().value.kind, ExprKind::Broken));
    assert!(found[0].1.body.attribute("y").is_some());
    for step in [".b", "[0]", "[*].b", ".0.b", "[a.b]"] {
        let file = parse(&format!("x = a{}\ny = a{}\n", step.repeat(20_000), step.repeat(20)));
        let [problem] = file.problems.as_slice() else { panic!("{step}: {:?}", file.problems) };
        assert_eq!((problem.kind, problem.span.start), (ProblemKind::Unsupported, 4), "{step}");
    }
    parse(&"[".repeat(50_000));
    parse(&"\"${".repeat(50_000));
}

#[test]
fn every_value_past_a_limit_is_told_and_the_rest_is_kept() {
    let deep = format!("{}{}", "[".repeat(3_000), "]".repeat(3_000));
    let long = format!("1{}", " + 1".repeat(200));
    let text = format!(
        "a \"b\" {{\n  x = {deep}\n  y = 2\n  n {{\n    z = {long}\n    w = [1,\n      2]\n  }}\n}}\nc = {}\n",
        "9".repeat(400)
    );
    let file = parse(&text);
    let told: Vec<_> =
        file.problems.iter().map(|problem| (problem.kind, &text[problem.span.range()])).collect();
    assert_eq!(told, [(ProblemKind::Unsupported, deep.as_str()), (ProblemKind::Unsupported, long.as_str())]);
    let found = blocks(&file);
    let body = &found[0].1.body;
    assert!(!body.incomplete && !file.items[0].piece.is_broken());
    let x = body.attribute("x").unwrap();
    assert!(matches!(x.value.kind, ExprKind::Broken) && text[x.value.span.range()] == deep);
    assert!(matches!(body.attribute("y").unwrap().value.kind, ExprKind::Number(_)));
    let inner = &body.blocks[0].body;
    assert!(matches!(inner.attribute("z").unwrap().value.kind, ExprKind::Broken));
    assert!(matches!(&inner.attribute("w").unwrap().value.kind, ExprKind::Tuple(items) if items.len() == 2));
    let ItemKind::Attribute(c) = &file.items[1].piece.kind else { panic!("no attribute") };
    assert!(matches!(&c.value.kind, ExprKind::Number(digits) if digits.len() == 400));
}

#[test]
fn a_mistake_that_no_statement_has_by_itself_is_told() {
    for (text, kind, at) in [
        ("a = 1\nb = 2\na = 3\n", ProblemKind::Duplicate, "a"),
        ("a {\n  x = 1\n  b {\n    x = 2\n  }\n  x = 3\n}\n", ProblemKind::Duplicate, "x"),
        ("a = <<EOT\nx\nEOT", ProblemKind::Syntax, "<"),
    ] {
        let file = parse(text);
        let problem = file.problems.first().unwrap_or_else(|| panic!("{text} has no problem"));
        assert_eq!((problem.kind, &text[problem.span.range()]), (kind, at), "{text}");
        assert!(!file.items.is_empty());
    }
}

#[test]
fn an_unchanged_block_is_the_same_piece() {
    let cache = BlockCache::default();
    let before = hcl::parse(&source(THREE.as_bytes()), &cache);
    let edited = THREE.replace("\"y\"", "\"yy\"");
    let after = hcl::parse(&source(edited.as_bytes()), &cache);
    let same: Vec<bool> =
        before.items.iter().zip(&after.items).map(|(old, new)| Arc::ptr_eq(&old.piece, &new.piece)).collect();
    assert_eq!(same, [true, false, true]);
}

#[test]
fn blocks_share_a_new_text_and_keep_no_edited_one() {
    let cache = BlockCache::default();
    let first = source(THREE.as_bytes());
    let _first = hcl::parse(&first, &cache);
    assert!(Arc::strong_count(first.text()) > 1);
    for edited in ["y", "x"].map(|name| THREE.replace(&format!("\"{name}\""), "\"other\"")) {
        let edited = source(edited.as_bytes());
        let _edited = hcl::parse(&edited, &cache);
        assert_eq!(Arc::strong_count(edited.text()), 1);
    }
}

#[test]
fn templates_keep_their_parts_and_lose_their_markers() {
    let file = parse("x = \"a ${~ b ~} c $${d}\"\ny = <<-EOT\n    one\n      two\n  EOT\n");
    let value = |n: usize| match &file.items[n].piece.kind {
        ItemKind::Attribute(attribute) => &attribute.value.kind,
        _ => panic!("no attribute"),
    };
    let ExprKind::Template(parts) = value(0) else { panic!("no template") };
    assert!(matches!(&parts[0], TemplatePart::Text(text) if text == "a"), "{parts:?}");
    assert!(matches!(&parts[2], TemplatePart::Text(text) if text == "c ${d}"), "{parts:?}");
    assert!(matches!(value(1), ExprKind::String(text) if text == "one\n  two\n"), "{:?}", value(1));
}

#[test]
fn a_heredoc_loses_the_indentation_of_its_lines_whatever_they_stand_in() {
    for (text, expected) in [
        ("    a\n  %{ if b }\n    c\n    %{ endif }\n", &["  a\n", "?", "\n  c\n  ", ";", "\n"][..]),
        // A line whose white space is stripped is not indented, and a newline that is stripped begins no line.
        ("    %{~ if b ~}\n    c\n    %{ endif }\n", &["", "?", "    c\n    ", ";", "\n"]),
        ("  a ${b ~}\n c\n", &["a ", "$", " c\n"]),
        ("  \n    a\n", &["  \na\n"]),
        ("  a\n  EOTX\n  EOT b\n", &["a\nEOTX\nEOT b\n"]),
    ] {
        let file = parse(&format!("x = <<-EOT\n{text}EOT\n"));
        assert!(file.problems.is_empty(), "{text}: {:?}", file.problems);
        let ItemKind::Attribute(attribute) = &file.items[0].piece.kind else { panic!("no attribute") };
        let mut out = Vec::new();
        match &attribute.value.kind {
            ExprKind::String(text) => out.push(text.to_string()),
            ExprKind::Template(parts) => row(parts, &mut out),
            other => panic!("{other:?}"),
        }
        assert_eq!(out, expected, "{text}");
    }
}

/// The parts of a template in one row, each directive with a mark where it begins and ends.
fn row(parts: &[TemplatePart], out: &mut Vec<String>) {
    for part in parts {
        match part {
            TemplatePart::Text(text) => out.push(text.to_string()),
            TemplatePart::Value(_) => out.push("$".to_owned()),
            TemplatePart::If(branch) => {
                out.push("?".to_owned());
                row(&branch.yes, out);
                row(&branch.no, out);
                out.push(";".to_owned());
            }
            TemplatePart::For(each) => row(&each.body, out),
        }
    }
}

#[test]
fn what_the_other_parser_would_not_read_is_read() {
    let text =
        "a = 1.e3\nb = { x = 1e400, x = 2, \"x\" = 3, \"x\" = 4 }\nc = [<<E\nE\n, <<E\nd\nE\n]\nd = -1[*]\n";
    let file = parse(text);
    assert!(file.problems.is_empty(), "{:?}", file.problems);
    let value = |n: usize| match &file.items[n].piece.kind {
        ItemKind::Attribute(attribute) => &attribute.value.kind,
        _ => panic!("no attribute"),
    };
    assert!(matches!(value(0), ExprKind::Number(written) if written == "1.e3"), "{:?}", value(0));
    let ExprKind::Object(items) = value(1) else { panic!("{:?}", value(1)) };
    let keys: Vec<&str> =
        items.iter().map(|item| &text[item.key_span.shifted(file.items[1].base).range()]).collect();
    assert_eq!(keys, ["x", "x", "\"x\"", "\"x\""]);
    assert!(matches!(&items[0].value.kind, ExprKind::Number(written) if written == "1e400"));
    let ExprKind::Tuple(items) = value(2) else { panic!("{:?}", value(2)) };
    assert!(matches!(&items[0].kind, ExprKind::String(text) if text.is_empty()), "{items:?}");
    assert!(matches!(&items[1].kind, ExprKind::String(text) if text == "d\n"), "{items:?}");
    assert!(matches!(value(3), ExprKind::Unary(..)), "{:?}", value(3));
}

#[test]
fn comments_are_found_outside_of_strings() {
    let text = "# one\nx = \"# no\" // two\ny = <<E\n# no\nE\n/* three */\n";
    let found: Vec<&str> = hcl::comments(text).into_iter().map(|span| &text[span.range()]).collect();
    assert_eq!(found, ["# one", "// two", "/* three */"]);
}

#[test]
fn json_syntax_gives_the_same_blocks() {
    let text = r#"{"resource": {"a": {"b": {"x": "${var.y}", "n": [{"k": "v-${1}"}], "//": "note"}}}, "locals": {"l": 1}}"#;
    let file = hcl::parse_json(&source(text.as_bytes()), &BlockCache::default());
    let found = blocks(&file);
    assert_eq!(found.iter().map(|(head, ..)| head.as_str()).collect::<Vec<_>>(), ["resource a b", "locals "]);
    let x = found[0].1.body.attribute("x").unwrap();
    assert!(matches!(x.value.kind, ExprKind::GetAttr(..)), "{:?}", x.value);
    assert_eq!(&text[x.value.span.range()], "\"${var.y}\"");
    assert_eq!(found[0].1.body.attributes.len(), 2);
}

/// Every whole file that hcl-edit parses gives the same blocks when it is cut.
#[test]
fn cutting_equals_parsing_whole_on_real_files() {
    let corpus = Utf8Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/open"));
    if !corpus.exists() {
        eprintln!("skipped: the corpus of labelled cases is not here");
        return;
    }
    let (mut files, mut different) = (0, Vec::new());
    let mut folders = vec![corpus.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8().unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path.to_owned());
            } else if path.extension() == Some("tf") {
                let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
                let Ok(body) = hcl_edit::parser::parse_body(&text) else { continue };
                files += 1;
                let file = parse(&text);
                if file.items.len() != body.len() {
                    different.push(path.to_string());
                }
            }
        }
    }
    assert!(files > 100, "{files}");
    assert!(different.is_empty(), "{different:?}");
}
