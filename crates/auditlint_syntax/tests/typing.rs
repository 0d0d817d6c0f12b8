//! Whatever hands do to a text: nothing panics, and every span lies inside of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;

use auditlint_syntax::hcl::{
    self, Attribute, Block, BlockCache, Body, Expr, ExprKind, HclFile, Item, ItemKind, ObjectKey,
    TemplatePart,
};
use auditlint_syntax::{Files, MemoryFiles, Source, Span, TextEdit, apply_edits, document};
use camino::{Utf8Path, Utf8PathBuf};
use proptest::prelude::*;

fn parse(text: &str) -> (Arc<Source>, HclFile) {
    let mut files = MemoryFiles::new();
    files.put(Utf8Path::new("a.tf"), text.as_bytes());
    let source = files.read(Utf8Path::new("a.tf")).unwrap();
    let file = hcl::parse(&source, &BlockCache::default());
    (source, file)
}

/// The texts of the fixtures with that ending.
fn texts(ending: &str) -> Vec<(Utf8PathBuf, String)> {
    let mut folders = vec![Utf8PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures"))];
    let mut out = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8().unwrap().flatten() {
            let path = entry.into_path();
            if path.is_dir() {
                folders.push(path);
            } else if path.as_str().ends_with(ending) {
                #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
                let text = std::fs::read_to_string(&path).unwrap();
                out.push((path, text));
            }
        }
    }
    out.sort();
    assert!(!out.is_empty(), "no fixture ends with {ending}");
    out
}

/// Checks that every span of a file lies in its text, on the boundaries of characters, and in what holds it.
fn spans_are_inside(text: &str, file: &HclFile) {
    for problem in &file.problems {
        assert!(text.get(problem.span.range()).is_some(), "{problem:?}");
    }
    let mut last = 0;
    for item in &file.items {
        let check = Check { text, item };
        match &item.piece.kind {
            ItemKind::Block(block) => last = check.block(block, last),
            ItemKind::Attribute(attribute) => last = check.inside(attribute.span, last),
            ItemKind::Unreadable(span) => last = check.inside(*span, last),
        }
        if let ItemKind::Attribute(attribute) = &item.piece.kind {
            check.attribute(attribute);
        }
    }
}

struct Check<'a> {
    text: &'a str,
    item: &'a Item,
}

impl Check<'_> {
    /// An item begins where the one before it has ended, or later; gives its own end.
    fn inside(&self, span: Span, last: u32) -> u32 {
        let at = self.span(span);
        assert!(last <= at.start, "{at:?} begins before {last}, where the item before it ends");
        at.end
    }

    fn span(&self, span: Span) -> Span {
        let at = self.item.place(span).span;
        assert!(self.text.get(at.range()).is_some(), "{at:?} of {} bytes", self.text.len());
        at
    }

    fn block(&self, block: &Block, last: u32) -> u32 {
        let end = self.inside(block.span, last);
        self.span(block.header);
        assert_eq!(&self.text[self.span(block.ident_span).range()], block.ident.as_str());
        for label in &block.labels {
            self.span(label.span);
        }
        self.body(&block.body);
        end
    }

    fn body(&self, body: &Body) {
        self.span(body.span);
        body.attributes.iter().for_each(|attribute| self.attribute(attribute));
        for block in &body.blocks {
            self.block(block, 0);
        }
    }

    fn attribute(&self, attribute: &Attribute) {
        assert_eq!(&self.text[self.span(attribute.name_span).range()], attribute.name.as_str());
        self.span(attribute.span);
        self.expr(&attribute.value);
    }

    fn expr(&self, expr: &Expr) {
        self.span(expr.span);
        match &expr.kind {
            ExprKind::Template(parts) => self.parts(parts),
            ExprKind::Tuple(items) => items.iter().for_each(|item| self.expr(item)),
            ExprKind::Object(items) => {
                for item in items {
                    self.span(item.key_span);
                    self.expr(&item.value);
                    if let ObjectKey::Expr(key) = &item.key {
                        self.expr(key);
                    }
                }
            }
            ExprKind::GetAttr(access) => {
                self.span(access.name_span);
                self.expr(&access.base);
            }
            ExprKind::Index(a, b)
            | ExprKind::AttrSplat(a, b)
            | ExprKind::FullSplat(a, b)
            | ExprKind::Binary(_, a, b) => {
                self.expr(a);
                self.expr(b);
            }
            ExprKind::Call(call) => call.arguments.iter().for_each(|argument| self.expr(argument)),
            ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => self.expr(inner),
            ExprKind::Conditional(parts) => parts.iter().for_each(|part| self.expr(part)),
            ExprKind::For(each) => {
                let rest = [&each.key_expr, &each.condition].into_iter().flatten();
                [&each.collection, &each.value_expr].into_iter().chain(rest).for_each(|part| self.expr(part));
            }
            ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Number(_)
            | ExprKind::String(_)
            | ExprKind::Variable(_)
            | ExprKind::SplatItem
            | ExprKind::Broken => {}
        }
    }

    fn parts(&self, parts: &[TemplatePart]) {
        for part in parts {
            match part {
                TemplatePart::Text(_) => {}
                TemplatePart::Value(value) => self.expr(value),
                TemplatePart::If(branch) => {
                    self.expr(&branch.condition);
                    self.parts(&branch.yes);
                    self.parts(&branch.no);
                }
                TemplatePart::For(each) => {
                    self.expr(&each.collection);
                    self.parts(&each.body);
                }
            }
        }
    }
}

/// What may be typed or pasted anywhere.
fn fragment() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "\"",
        "${",
        "%{ if ",
        "%{ endif }",
        "<<EOT\n",
        "EOT\n",
        "<<-E\n",
        "#",
        "/*",
        "*/",
        "//",
        "\n",
        "\r\n",
        "=",
        ".",
        ",",
        "?",
        ":",
        "\\",
        "\u{feff}",
        "é",
        "\u{1F4A5}",
        "\0",
        "for x in ",
        "resource \"a\" \"b\" {\n",
        "null",
        "1e999",
        "...",
        "[*]",
        "dynamic \"x\" {\n",
    ];
    prop_oneof![
        4 => prop::sample::select(KNOWN).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

/// The boundary of a character that is a `part` of the way through.
fn boundary(text: &str, part: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place"
    )]
    let at = (text.len() as f64 * part) as usize;
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A text of the fixtures with that ending after some edits: each removes a range and writes a fragment.
fn edited(ending: &'static str) -> impl Strategy<Value = String> {
    let edit = (0.0..1.0_f64, 0.0..0.2_f64, fragment());
    (prop::sample::select(texts(ending)), prop::collection::vec(edit, 1..5)).prop_map(|((_, text), edits)| {
        edits.into_iter().fold(text, |text, (start, length, new)| {
            let start = boundary(&text, start);
            // Most edits remove little.
            let end = start + boundary(&text[start..], length * length * length);
            format!("{}{new}{}", &text[..start], &text[end..])
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_becomes_a_tree_with_its_spans_inside(text in edited(".tf")) {
        let (source, file) = parse(&text);
        spans_are_inside(source.text(), &file);
        for comment in hcl::comments(&text) {
            prop_assert!(text.get(comment.range()).is_some(), "{comment:?}");
        }
    }

    #[test]
    fn any_json_becomes_a_tree_with_its_spans_inside(text in edited(".tf.json")) {
        let mut files = MemoryFiles::new();
        files.put(Utf8Path::new("a.tf.json"), text.as_bytes());
        let source = files.read(Utf8Path::new("a.tf.json")).unwrap();
        let file = hcl::parse_json(&source, &BlockCache::default());
        for problem in &file.problems {
            prop_assert!(source.text().get(problem.span.range()).is_some(), "{problem:?}");
        }
        for document in [document::parse_json(&text), document::parse_yaml(&text)] {
            for problem in &document.problems {
                prop_assert!(text.get(problem.span.range()).is_some(), "{problem:?}");
            }
        }
    }

    /// Edits change what they say they change, and every other byte stays where it was.
    #[test]
    fn edits_keep_every_other_byte(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        places in prop::collection::vec((0..220_u32, 0..20_u32, ".{0,8}"), 0..6),
    ) {
        let mut edits: Vec<TextEdit> = places
            .into_iter()
            .map(|(start, length, text)| TextEdit { span: Span::new(start, start + length), text })
            .collect();
        let applied = apply_edits(&bytes, &edits);
        edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
        let apart = edits.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start);
        let inside = edits.iter().all(|edit| edit.span.end as usize <= bytes.len());
        match applied {
            Ok(out) => {
                prop_assert!(inside, "{edits:?} reach past {} bytes", bytes.len());
                // What was kept, piece by piece, stands in the result in its order.
                let mut at = 0;
                let mut rest = out.as_slice();
                for edit in &edits {
                    let kept = &bytes[at..edit.span.start as usize];
                    prop_assert!(rest.starts_with(kept));
                    rest = &rest[kept.len()..];
                    prop_assert!(rest.starts_with(edit.text.as_bytes()));
                    rest = &rest[edit.text.len()..];
                    at = edit.span.end as usize;
                }
                prop_assert_eq!(rest, &bytes[at..]);
            }
            Err(_) => prop_assert!(!apart || !inside, "{edits:?} were refused"),
        }
    }
}
