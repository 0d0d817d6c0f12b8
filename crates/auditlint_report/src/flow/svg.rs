//! A picture: sources on the left by what they emit, stores on the right with how long they keep it.

use std::fmt::Write as _;

use auditlint_analysis::Flows;

use super::layout::{Layout, Place, is_back, lay_out};
use super::picture::{Arrow, Boxed, Line, Look, Picture};
use super::shape::{LID, TIP, class, escaped, outline, shortened, width};
use super::wording::{Counts, list};

const MARGIN: f64 = 24.0;
/// Height of the title, of the legend, and of a line of a box.
const TITLE: f64 = 58.0;
const LEGEND: f64 = 70.0;
const LINE: f64 = 15.0;
/// Sizes of text.
const NAME: f64 = 12.0;
const NOTE: f64 = 11.0;
/// Widest text of a box.
const WIDEST: f64 = 390.0;
/// A legend needs this much.
const NARROWEST: f64 = 960.0;

const STYLE: &str = "text{font-family:'DejaVu Sans',Verdana,Helvetica,Arial,sans-serif;font-size:11px;fill:#1e293b}
.title{font-size:18px;font-weight:bold}.counts,.heading{fill:#475569}.heading{font-size:12px;font-weight:bold}
.name{font-size:12px;font-weight:bold}.place{fill:#64748b}
.source{fill:#dbeafe;stroke:#1d4ed8;stroke-width:1.4}.forwarder{fill:#fef3c7;stroke:#b45309;stroke-width:1.4}
.store{fill:#dcfce7;stroke:#15803d;stroke-width:1.8}.service{fill:#f8fafc;stroke:#334155;stroke-width:1.6;stroke-dasharray:1.5 3.5;stroke-linecap:round}
.external{fill:#ede9fe;stroke:#6d28d9;stroke-width:1.4}.unknown{fill:#fff;stroke:#b91c1c;stroke-width:1.6;stroke-dasharray:7 4}
.silent{fill:#fff;stroke:#94a3b8;stroke-width:1}.lid{fill:none}
.way{fill:none;stroke:#334155;stroke-width:1.5}.matched{stroke-width:.8}
.dashed{stroke-dasharray:7 4}.dotted{stroke-dasharray:1.5 3.5;stroke-linecap:round}";

pub(super) fn render(flows: &Flows) -> String {
    let picture = Picture::of(flows);
    let texts: Vec<Vec<String>> = picture.boxes.iter().map(|one| lines(one, picture.has_roots)).collect();
    let sizes: Vec<(f64, f64)> =
        picture.boxes.iter().zip(&texts).map(|(one, lines)| size(one.look, lines)).collect();
    let layout = lay_out(&picture, &sizes);
    let total = (layout.width + 2.0 * MARGIN).max(NARROWEST);
    let tall = layout.height + TITLE + LEGEND + MARGIN;
    let counts = escaped(&Counts::of(flows).headline(flows.roots.len()));
    let mut out = String::new();
    let _ = writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title desc" viewBox="0 0 {total:.0} {tall:.0}" width="{total:.0}" height="{tall:.0}">
<title id="title">Log flows</title>
<desc id="desc">Who logs what, where to and for how long: {counts}</desc>
<style>{STYLE}</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8Z" fill="#334155"/></marker></defs>
<rect width="{total:.0}" height="{tall:.0}" fill="#fff"/>
<text class="title" x="{MARGIN}" y="30">Who logs what, where to and for how long</text>
<text class="counts" x="{MARGIN}" y="48">{counts}</text>
<g transform="translate({MARGIN} {TITLE})">"##
    );
    for (arrow, points) in picture.arrows.iter().zip(&layout.routes) {
        way(&mut out, &picture, &layout, arrow, points);
    }
    for (x, y, text) in &layout.headings {
        let _ = writeln!(out, r#"<text class="heading" x="{x:.1}" y="{y:.1}">{}</text>"#, escaped(text));
    }
    boxes(&mut out, &picture, &layout, &texts);
    out.push_str("</g>\n");
    legend(&mut out, tall - LEGEND + 12.0);
    out.push_str("</svg>\n");
    out
}

/// The texts of a box: its name, where it is, and what is to be said of it.
fn lines(one: &Boxed<'_>, with_root: bool) -> Vec<String> {
    let name = shortened(&one.title(), NAME * 1.08, WIDEST);
    let place = one.place(with_root).unwrap_or_default();
    let others = [place].into_iter().chain(one.notes());
    [name].into_iter().chain(others.map(|text| shortened(&text, NOTE, WIDEST))).collect()
}

fn size(look: Look, lines: &[String]) -> (f64, f64) {
    let widths = lines
        .iter()
        .enumerate()
        .map(|(at, line)| if at == 0 { width(line, NAME * 1.08) } else { width(line, NOTE) });
    let (wider, higher) = match look {
        Look::Forwarder => (2.0 * TIP, 0.0),
        Look::Store | Look::ServiceStore => (0.0, 2.0 * LID),
        _ => (0.0, 0.0),
    };
    let number = u32::try_from(lines.iter().filter(|line| !line.is_empty()).count()).map_or(1.0, f64::from);
    (widths.fold(80.0, f64::max) + 20.0 + wider, number * LINE + 12.0 + higher)
}

fn way(out: &mut String, picture: &Picture<'_>, layout: &Layout, arrow: &Arrow, points: &[(f64, f64)]) {
    let place = |at: usize| layout.boxes.get(at).copied().unwrap_or_default();
    let comes_back = is_back(place(arrow.from), place(arrow.to));
    let mut path = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| points.get(before));
        let _ = match before {
            None => write!(path, "M{x:.1} {y:.1}"),
            Some((from, height)) if at % 2 == 1 => {
                let bend = ((x - from) / 2.0).max(30.0);
                let (first, second) = (from + bend, if comes_back { x + bend } else { x - bend });
                write!(path, "C{first:.1} {height:.1} {second:.1} {y:.1} {x:.1} {y:.1}")
            }
            Some(_) => write!(path, "L{x:.1} {y:.1}"),
        };
    }
    let title = |at: usize| picture.boxes.get(at).map(Boxed::title).unwrap_or_default();
    let said = format!("{} → {}: {}", title(arrow.from), title(arrow.to), list(&arrow.categories));
    let matched = if arrow.is_matched { " matched" } else { "" };
    let _ = writeln!(
        out,
        r##"<path class="way {}{matched}" d="{path}" marker-end="url(#tip)"><title>{}</title></path>"##,
        arrow.line.as_str(),
        escaped(&said)
    );
}

fn boxes(out: &mut String, picture: &Picture<'_>, layout: &Layout, texts: &[Vec<String>]) {
    for ((one, place), lines) in picture.boxes.iter().zip(&layout.boxes).zip(texts) {
        let name = if one.number == 1 { one.first.id.name.clone() } else { one.title() };
        let _ = writeln!(out, "<g><title>{}</title>", escaped(&name));
        outline(out, one.look, *place);
        let lid = if matches!(one.look, Look::Store | Look::ServiceStore) { 1.5 * LID } else { 0.0 };
        let left = place.x + 10.0 + if one.look == Look::Forwarder { TIP } else { 0.0 };
        let mut y = place.y + lid + 17.0;
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
            let class = match at {
                0 => "name",
                1 => "place",
                _ => "note",
            };
            let _ =
                writeln!(out, r#"<text class="{class}" x="{left:.1}" y="{y:.1}">{}</text>"#, escaped(line));
            y += LINE;
        }
        out.push_str("</g>\n");
    }
}

/// What shapes and lines mean.
fn legend(out: &mut String, top: f64) {
    let mut x = MARGIN;
    let _ = writeln!(out, "<g>");
    for look in Look::ALL {
        let place = Place { x, y: top, width: 30.0, height: 20.0 };
        outline(out, look, place);
        let (at, y) = (x + 36.0, top + 14.0);
        let _ = writeln!(
            out,
            r#"<text class="{}-text" x="{at:.1}" y="{y:.1}">{}</text>"#,
            class(look),
            look.meaning()
        );
        x = at + width(look.meaning(), NOTE) + 16.0;
    }
    let lines = [
        (Line::Solid, "", "proved by a reference"),
        (Line::Solid, " matched", "matched by name, or by another root"),
        (Line::Dotted, "", "to a store of the service"),
        (Line::Dashed, "", "not known"),
    ];
    let mut x = MARGIN;
    let middle = top + 38.0;
    for (line, more, meaning) in lines {
        let (end, at, y) = (x + 30.0, x + 36.0, middle + 4.0);
        let _ = writeln!(
            out,
            r##"<path class="way {}{more}" d="M{x:.1} {middle:.1}H{end:.1}" marker-end="url(#tip)"/><text x="{at:.1}" y="{y:.1}">{meaning}</text>"##,
            line.as_str()
        );
        x = at + width(meaning, NOTE) + 16.0;
    }
    out.push_str("</g>\n");
}
