//! The shapes and texts of an SVG picture.

use std::fmt::Write as _;

use super::layout::Place;
use super::picture::Look;
use crate::plain::plain_line;

/// How far the lid of a store, and the tips of a forwarder, reach.
pub(super) const LID: f64 = 6.0;
pub(super) const TIP: f64 = 10.0;

/// The outline of a box, which differs by its role in more than its colour.
pub(super) fn outline(out: &mut String, look: Look, place: Place) {
    let Place { x, y, width, height } = place;
    let (right, bottom, middle) = (x + width, y + height, y + height / 2.0);
    let class = class(look);
    let _ = match look {
        Look::Source => {
            writeln!(
                out,
                r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="9"/>"#
            )
        }
        Look::Silent | Look::Unknown => {
            writeln!(
                out,
                r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}"/>"#
            )
        }
        Look::Forwarder => {
            let (left_tip, right_tip) = (x + TIP, right - TIP);
            writeln!(
                out,
                r#"<path class="{class}" d="M{left_tip:.1} {y:.1}H{right_tip:.1}L{right:.1} {middle:.1}L{right_tip:.1} {bottom:.1}H{left_tip:.1}L{x:.1} {middle:.1}Z"/>"#
            )
        }
        Look::Store | Look::ServiceStore => {
            let (lid, half, base) = (LID, width / 2.0, bottom - LID);
            let top = y + lid;
            writeln!(
                out,
                r#"<path class="{class}" d="M{x:.1} {top:.1}A{half:.1} {lid} 0 0 1 {right:.1} {top:.1}V{base:.1}A{half:.1} {lid} 0 0 1 {x:.1} {base:.1}Z"/><path class="{class} lid" d="M{x:.1} {top:.1}A{half:.1} {lid} 0 0 0 {right:.1} {top:.1}"/>"#
            )
        }
        Look::External => {
            let (corner, fold) = (right - TIP, y + TIP);
            writeln!(
                out,
                r#"<path class="{class}" d="M{x:.1} {y:.1}H{corner:.1}L{right:.1} {fold:.1}V{bottom:.1}H{x:.1}Z"/><path class="{class} lid" d="M{corner:.1} {y:.1}V{fold:.1}H{right:.1}"/>"#
            )
        }
    };
}

/// The class of its style.
pub(super) const fn class(look: Look) -> &'static str {
    match look {
        Look::Source => "source",
        Look::Forwarder => "forwarder",
        Look::Store => "store",
        Look::ServiceStore => "service",
        Look::External => "external",
        Look::Unknown => "unknown",
        Look::Silent => "silent",
    }
}

/// Text for an element or an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in plain_line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // No document may hold these, however they are written.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

/// How wide a text is at most in any of the usual fonts.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let em = |c: char| match c {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | '.' | ',' | ':' | ';' | '|' | '\'' | '!' | ' ' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 1.02,
        '\u{1100}'.. => 1.1,
        c if c.is_uppercase() || c.is_ascii_digit() || c == '_' => 0.74,
        _ => 0.66,
    };
    text.chars().map(em).sum::<f64>() * size
}

/// The text with its middle left out, so that it is no wider than `most`.
pub(super) fn shortened(text: &str, size: f64, most: f64) -> String {
    let text = plain_line(text);
    if width(&text, size) <= most {
        return text;
    }
    let all: Vec<char> = text.chars().collect();
    for kept in (2..all.len()).rev() {
        // The end tells more of an address than its beginning.
        let head = kept / 3;
        let (start, end) = (all.get(..head), all.get(all.len() - (kept - head)..));
        let short: String =
            start.into_iter().flatten().chain(&['…']).chain(end.into_iter().flatten()).collect();
        if width(&short, size) <= most {
            return short;
        }
    }
    "…".to_owned()
}
