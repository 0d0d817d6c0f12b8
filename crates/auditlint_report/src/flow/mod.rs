//! Who logs what, where to and for how long: one module for each format.

mod dot;
mod json;
mod layout;
mod mermaid;
mod picture;
mod shape;
mod svg;
mod tree;
mod wording;

use auditlint_analysis::Flows;

/// A format of `auditlint flow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowFormat {
    /// Text, by root, category and source.
    Tree,
    /// A flowchart of Mermaid.
    Mermaid,
    /// A digraph of Graphviz.
    Dot,
    /// The stable machine format.
    Json,
    /// A picture.
    Svg,
}

/// What a reader wants to see.
#[derive(Clone, Copy, Debug, Default)]
pub struct FlowOptions {
    /// Escape sequences for colours.
    pub colour: bool,
}

/// Renders the flows of an estate.
#[must_use]
pub fn render(flows: &Flows, format: FlowFormat, options: &FlowOptions) -> String {
    match format {
        FlowFormat::Tree => tree::render(flows, options),
        FlowFormat::Json => json::render(flows),
        FlowFormat::Mermaid => mermaid::render(flows),
        FlowFormat::Dot => dot::render(flows),
        FlowFormat::Svg => svg::render(flows),
    }
}
