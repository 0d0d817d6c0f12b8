//! Where boxes and arrows of a picture go: columns from sources to stores, each box near what it is connected to.
//!
//! An arrow over several columns passes through a place of its own in each of them, so that it crosses no box.

use std::collections::BTreeMap;

use auditlint_policy::Category;

use super::picture::{Look, Picture};

/// Space between boxes of a column, columns, and what an arrow that passes by takes.
const GAP: f64 = 12.0;
const COLUMN_GAP: f64 = 90.0;
const PASSING: f64 = 10.0;
/// Height of a heading.
const HEADING: f64 = 30.0;
/// Rounds in which columns are found: the longest way that is followed.
const ROUNDS: usize = 16;

/// A rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Where everything goes; the top left corner is at zero.
pub(super) struct Layout {
    pub(super) boxes: Vec<Place>,
    /// The points of each arrow, in pairs: where a curve begins and where it ends; between pairs it runs straight.
    pub(super) routes: Vec<Vec<(f64, f64)>>,
    /// Headings over parts of a column: the left end of the line of text.
    pub(super) headings: Vec<(f64, f64, String)>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// What takes space in a column.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Box(usize),
    /// An arrow that passes by, in that column.
    Passing(usize, usize),
}

/// Lays out boxes of those sizes.
pub(super) fn lay_out(picture: &Picture<'_>, sizes: &[(f64, f64)]) -> Layout {
    let columns = columns(picture);
    let last = columns.iter().copied().max().unwrap_or(0);
    let of = |at: usize| columns.get(at).copied().unwrap_or(0);
    let is_connected = |at: usize| picture.arrows.iter().any(|arrow| arrow.from == at || arrow.to == at);
    let height = |item: &Item| match item {
        Item::Box(at) => sizes.get(*at).map_or(0.0, |size| size.1),
        Item::Passing(..) => PASSING,
    };
    let mut centres: BTreeMap<Item, f64> = BTreeMap::new();
    let mut headings = Vec::new();
    // The sources, by what they emit.
    let mut y = 0.0;
    let mut heading = String::new();
    for (title, at) in sources(picture, &columns) {
        if title != heading {
            y += if heading.is_empty() { HEADING } else { HEADING + GAP };
            headings.push((0.0, y - 12.0, title.clone()));
            heading = title;
        }
        let item = Item::Box(at);
        centres.insert(item, y + height(&item) / 2.0);
        y += height(&item) + GAP;
    }
    let mut bottom = y;
    let mut top = 0.0_f64;
    for column in 1..=last {
        let boxes = (0..picture.boxes.len()).filter(|at| of(*at) == column && is_connected(*at));
        let passing = picture.arrows.iter().enumerate();
        let passing = passing.filter(|(_, arrow)| (of(arrow.from) + 1..of(arrow.to)).contains(&column));
        let items: Vec<Item> =
            boxes.map(Item::Box).chain(passing.map(|(at, _)| Item::Passing(at, column))).collect();
        let mut wanted: Vec<(f64, Item)> =
            items.into_iter().map(|item| (wanted(picture, item, &centres, &of), item)).collect();
        wanted.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        let heights: Vec<(f64, f64)> = wanted.iter().map(|(at, item)| (*at, height(item))).collect();
        for ((_, item), centre) in wanted.iter().zip(settled(&heights)) {
            centres.insert(*item, centre);
            top = top.min(centre - height(item) / 2.0);
            bottom = bottom.max(centre + height(item) / 2.0 + GAP);
        }
    }
    // Stores that nothing reaches stand below the others.
    let lonely: Vec<usize> =
        (0..picture.boxes.len()).filter(|at| of(*at) == last && last > 0 && !is_connected(*at)).collect();
    let mut y = centres
        .iter()
        .filter(|(item, _)| matches!(item, Item::Box(at) if of(*at) == last))
        .map(|(item, centre)| centre + height(item) / 2.0 + GAP)
        .fold(0.0, f64::max);
    if !lonely.is_empty() {
        y += HEADING;
        headings.push((f64::INFINITY, y - 12.0, "no source here reaches".to_owned()));
    }
    for at in lonely {
        let item = Item::Box(at);
        centres.insert(item, y + height(&item) / 2.0);
        y += height(&item) + GAP;
        bottom = bottom.max(y);
    }
    let (lefts, width) = lefts(picture, &columns, sizes);
    let left = |column: usize| lefts.get(column).copied().unwrap_or((0.0, 0.0));
    let boxes = (0..picture.boxes.len())
        .map(|at| {
            let (x, _) = left(of(at));
            let (width, height) = sizes.get(at).copied().unwrap_or_default();
            let centre = centres.get(&Item::Box(at)).copied().unwrap_or_default();
            Place { x, y: centre - height / 2.0 - top, width, height }
        })
        .collect::<Vec<_>>();
    for (x, y, _) in &mut headings {
        *x = x.min(left(last).0);
        *y -= top;
    }
    let routes = routes(picture, &boxes, |arrow, column| {
        let centre = centres.get(&Item::Passing(arrow, column)).copied().unwrap_or_default() - top;
        let (x, width) = left(column);
        ((of_range(&of, picture, arrow)).contains(&column)).then_some(((x, centre), (x + width, centre)))
    });
    Layout { boxes, routes, headings, width, height: bottom - top }
}

fn of_range(of: &impl Fn(usize) -> usize, picture: &Picture<'_>, arrow: usize) -> std::ops::Range<usize> {
    picture.arrows.get(arrow).map_or(0..0, |arrow| of(arrow.from) + 1..of(arrow.to))
}

/// The column of each box: as many steps from a source as its longest way takes; where logs rest for good, the last.
fn columns(picture: &Picture<'_>) -> Vec<usize> {
    let mut depth = vec![0_usize; picture.boxes.len()];
    for _ in 0..ROUNDS {
        for arrow in &picture.arrows {
            let next = depth.get(arrow.from).map_or(0, |from| (from + 1).min(ROUNDS));
            if let Some(to) = depth.get_mut(arrow.to).filter(|to| **to < next) {
                *to = next;
            }
        }
    }
    let last = depth.iter().copied().max().unwrap_or(0);
    let is_source = |look: Look| matches!(look, Look::Source | Look::Silent);
    for (at, (depth, one)) in depth.iter_mut().zip(&picture.boxes).enumerate() {
        let leaves = picture.arrows.iter().any(|arrow| arrow.from == at);
        // What keeps its own logs stands with the sources.
        let is_end = *depth > 0 || one.first.emits.is_empty();
        if !leaves && !is_source(one.look) && is_end {
            *depth = last;
        }
    }
    depth
}

/// The boxes of the first column with their headings, in order.
fn sources(picture: &Picture<'_>, columns: &[usize]) -> Vec<(String, usize)> {
    let last = columns.iter().copied().max().unwrap_or(0);
    let mut out = Vec::new();
    for (at, one) in picture.boxes.iter().enumerate() {
        let own = columns.get(at).copied().unwrap_or(0);
        let is_store = !matches!(one.look, Look::Source | Look::Silent | Look::Forwarder);
        let targets: Vec<usize> =
            picture.arrows.iter().filter(|arrow| arrow.from == at).map(|arrow| arrow.to).collect();
        let is_end = is_store && one.first.emits.is_empty() && targets.is_empty();
        if own != 0 || is_end && last > 0 {
            continue;
        }
        let first = one.first.emits.iter().next();
        let order = first.and_then(|first| Category::ALL.iter().position(|category| category == first));
        let (order, title) = match (one.look, order, first) {
            (Look::Silent, ..) => (98, "does not log"),
            (_, Some(order), Some(category)) => (order, category.as_str()),
            (Look::Source, ..) => (97, "not known whether it logs"),
            _ => (96, "no source here reaches"),
        };
        out.push((order, targets, title.to_owned(), at));
    }
    out.sort();
    out.into_iter().map(|(_, _, title, at)| (title, at)).collect()
}

/// The height at which an item would like to be: that of what leads to it.
fn wanted(
    picture: &Picture<'_>,
    item: Item,
    centres: &BTreeMap<Item, f64>,
    of: &impl Fn(usize) -> usize,
) -> f64 {
    let before = |number: usize, column: usize| {
        let arrow = picture.arrows.get(number)?;
        let item = if of(arrow.from) + 1 >= column {
            Item::Box(arrow.from)
        } else {
            Item::Passing(number, column - 1)
        };
        centres.get(&item).copied()
    };
    let heights: Vec<f64> = match item {
        Item::Passing(number, column) => before(number, column).into_iter().collect(),
        Item::Box(at) => {
            let arrows = picture.arrows.iter().enumerate().filter(|(_, arrow)| arrow.to == at);
            arrows.filter_map(|(number, _)| before(number, of(at))).collect()
        }
    };
    let number = u32::try_from(heights.len()).map_or(1.0, f64::from).max(1.0);
    heights.iter().sum::<f64>() / number
}

/// The centres of items of such heights that are in order and do not touch, as near as can be to those wanted.
fn settled(items: &[(f64, f64)]) -> Vec<f64> {
    // Blocks of touching items: how many, where the first would begin, how high all are.
    let mut blocks: Vec<(usize, f64, f64)> = Vec::new();
    for (wanted, height) in items {
        blocks.push((1, wanted - height / 2.0, height + GAP));
        while let [.., (above, start, tall), (below, other, more)] = blocks.as_slice()
            && start + tall > *other
        {
            let (n, m) = (count(*above), count(*below));
            // Whoever moves together moves to the mean of where its parts would begin.
            let start = (start * n + (other - tall) * m) / (n + m);
            let merged = (above + below, start, tall + more);
            blocks.truncate(blocks.len() - 2);
            blocks.push(merged);
        }
    }
    let mut heights = items.iter().map(|(_, height)| *height);
    let mut out = Vec::with_capacity(items.len());
    for (number, start, _) in blocks {
        let mut y = start;
        for height in heights.by_ref().take(number) {
            out.push(y + height / 2.0);
            y += height + GAP;
        }
    }
    out
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(1.0, f64::from)
}

/// The left end and the width of each column, and the width of all.
fn lefts(picture: &Picture<'_>, columns: &[usize], sizes: &[(f64, f64)]) -> (Vec<(f64, f64)>, f64) {
    let last = columns.iter().copied().max().unwrap_or(0);
    let mut out = Vec::new();
    let mut x = 0.0;
    for column in 0..=last {
        let own = (0..picture.boxes.len()).filter(|at| columns.get(*at) == Some(&column));
        let width = own.filter_map(|at| sizes.get(at)).map(|size| size.0).fold(60.0, f64::max);
        out.push((x, width));
        x += width + COLUMN_GAP;
    }
    (out, x - COLUMN_GAP)
}

/// The points of each arrow. `passing` gives both ends of what it takes in a column that it passes.
fn routes(
    picture: &Picture<'_>,
    boxes: &[Place],
    passing: impl Fn(usize, usize) -> Option<((f64, f64), (f64, f64))>,
) -> Vec<Vec<(f64, f64)>> {
    let place = |at: usize| boxes.get(at).copied().unwrap_or_default();
    // Arrows of one side stand in the order of what they lead to.
    let port = |own: usize, number: usize, outwards: bool| {
        let ends = picture.arrows.iter().enumerate();
        let ends = ends.filter(|(_, arrow)| own == if outwards { arrow.from } else { arrow.to });
        let mut ends: Vec<(f64, usize)> =
            ends.map(|(at, arrow)| (place(if outwards { arrow.to } else { arrow.from }).y, at)).collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        let at = ends.iter().position(|(_, at)| *at == number).unwrap_or(0);
        let own = place(own);
        let step = (10.0_f64).min((own.height - 12.0) / count(ends.len()));
        let y = own.y + own.height / 2.0 + (count(at) - (count(ends.len()) - 1.0) / 2.0) * step;
        (if outwards { own.x + own.width } else { own.x }, y)
    };
    let arrows = picture.arrows.iter().enumerate();
    arrows
        .map(|(number, arrow)| {
            let mut points = vec![port(arrow.from, number, true)];
            for column in 0..=ROUNDS {
                if let Some((left, right)) = passing(number, column) {
                    points.extend([left, right]);
                }
            }
            points.push(port(arrow.to, number, false));
            points
        })
        .collect()
}
