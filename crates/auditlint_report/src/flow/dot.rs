//! A digraph of Graphviz.

use std::fmt::Write as _;

use auditlint_analysis::Flows;

use super::picture::{Boxed, Look, Picture};
use super::wording::{Counts, list};
use crate::plain::plain_line;

pub(super) fn render(flows: &Flows) -> String {
    let picture = Picture::of(flows);
    let mut out = String::from("digraph \"log flows\" {\n  rankdir=LR\n");
    let _ = writeln!(out, "  label={}", quoted([Counts::of(flows).headline(flows.roots.len())]));
    out.push_str("  node [fontname=\"Helvetica\" fontsize=11]\n  edge [fontname=\"Helvetica\" fontsize=9]\n");
    for (number, (root, boxes)) in picture.by_root().into_iter().enumerate() {
        let indent = if root.is_none() { "  " } else { "    " };
        if let Some(root) = &root {
            let _ = writeln!(out, "  subgraph cluster_{number} {{\n    label={}", quoted([root]));
        }
        for (at, one) in boxes {
            let _ = writeln!(out, "{indent}n{at} [label={} {}]", quoted(lines(one)), shape(one.look));
        }
        if root.is_some() {
            out.push_str("  }\n");
        }
    }
    for arrow in &picture.arrows {
        let style = arrow.line.as_str();
        let label = quoted([list(&arrow.categories)]);
        let _ = writeln!(out, "  n{} -> n{} [label={label} style={style}]", arrow.from, arrow.to);
    }
    out.push_str("}\n");
    out
}

fn lines(one: &Boxed<'_>) -> Vec<String> {
    [one.title()].into_iter().chain(one.place(false)).chain(one.notes()).collect()
}

const fn shape(look: Look) -> &'static str {
    match look {
        Look::Source => "shape=box style=\"rounded,filled\" fillcolor=\"#dbeafe\" color=\"#1d4ed8\"",
        Look::Forwarder => "shape=hexagon style=filled fillcolor=\"#fef3c7\" color=\"#b45309\"",
        Look::Store => "shape=cylinder style=filled fillcolor=\"#dcfce7\" color=\"#15803d\"",
        Look::ServiceStore => {
            "shape=cylinder style=\"filled,dotted\" fillcolor=\"#f1f5f9\" color=\"#475569\""
        }
        Look::External => "shape=parallelogram style=filled fillcolor=\"#ede9fe\" color=\"#6d28d9\"",
        Look::Unknown => "shape=box style=dashed color=\"#b91c1c\"",
        Look::Silent => "shape=box color=\"#64748b\" fontcolor=\"#475569\"",
    }
}

/// A string of lines in quotes.
fn quoted(lines: impl IntoIterator<Item: AsRef<str>>) -> String {
    let escape = |line: &str| plain_line(line).replace('\\', "\\\\").replace('"', "\\\"");
    let lines: Vec<String> = lines.into_iter().map(|line| escape(line.as_ref())).collect();
    format!("\"{}\"", lines.join("\\n"))
}
