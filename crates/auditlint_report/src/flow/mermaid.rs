//! A flowchart of Mermaid, as Markdown hosts draw it.

use std::fmt::Write as _;

use auditlint_analysis::Flows;

use super::picture::{Boxed, Line, Look, Picture};
use super::wording::{Counts, list};
use crate::plain::plain_line;

const CLASSES: &str = "  classDef source fill:#dbeafe,stroke:#1d4ed8,color:#111
  classDef forwarder fill:#fef3c7,stroke:#b45309,color:#111
  classDef store fill:#dcfce7,stroke:#15803d,color:#111
  classDef service fill:#f1f5f9,stroke:#475569,color:#111,stroke-dasharray:2 3
  classDef external fill:#ede9fe,stroke:#6d28d9,color:#111
  classDef unknown fill:#fff,stroke:#b91c1c,color:#111,stroke-dasharray:7 4
  classDef silent fill:#fff,stroke:#64748b,color:#475569
";

pub(super) fn render(flows: &Flows) -> String {
    let picture = Picture::of(flows);
    let mut out = String::from("flowchart LR\n");
    let _ = writeln!(out, "  accTitle: Log flows");
    let _ = writeln!(out, "  accDescr: {}", Counts::of(flows).headline(flows.roots.len()));
    for (number, (root, boxes)) in picture.by_root().into_iter().enumerate() {
        let indent = if root.is_none() { "  " } else { "    " };
        if let Some(root) = &root {
            let _ = writeln!(out, "  subgraph r{number}[\"{}\"]", escaped(root));
        }
        for (at, one) in boxes {
            let (open, close, class) = shape(one.look);
            let _ = writeln!(out, "{indent}n{at}{open}\"{}\"{close}:::{class}", label(one));
        }
        if root.is_some() {
            out.push_str("  end\n");
        }
    }
    let mut dotted = Vec::new();
    for (number, arrow) in picture.arrows.iter().enumerate() {
        let line = match arrow.line {
            Line::Solid => "-->",
            Line::Dashed => "-.->",
            Line::Dotted => {
                dotted.push(number.to_string());
                "-->"
            }
        };
        let label = escaped(&list(&arrow.categories));
        let _ = writeln!(out, "  n{} {line}|\"{label}\"| n{}", arrow.from, arrow.to);
    }
    if !dotted.is_empty() {
        let _ = writeln!(out, "  linkStyle {} stroke-dasharray:2 3", dotted.join(","));
    }
    out.push_str(CLASSES);
    out
}

fn label(one: &Boxed<'_>) -> String {
    let lines = [one.title()].into_iter().chain(one.place(false)).chain(one.notes());
    lines.map(|line| escaped(&line)).collect::<Vec<_>>().join("<br/>")
}

const fn shape(look: Look) -> (&'static str, &'static str, &'static str) {
    match look {
        Look::Source => ("([", "])", "source"),
        Look::Forwarder => ("{{", "}}", "forwarder"),
        Look::Store => ("[(", ")]", "store"),
        Look::ServiceStore => ("[(", ")]", "service"),
        Look::External => ("[/", "/]", "external"),
        Look::Unknown => ("[", "]", "unknown"),
        Look::Silent => ("[", "]", "silent"),
    }
}

/// Text for a label in quotes: whatever could end it or is markup is written as a number.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in plain_line(text).chars() {
        if c.is_alphanumeric() || " .,:/_·()?…-".contains(c) {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    // Two dashes would be read as a line by some versions.
    out.replace("--", "#45;#45;")
}
