//! Where boxes and arrows of a picture go: columns from sources to stores, each box near what it is connected to.
//!
//! An arrow over several columns passes through a place of its own in each of them, so that it crosses no box.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

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
    let mut table = Table {
        picture,
        sizes,
        columns,
        last,
        centres: BTreeMap::new(),
        headings: Vec::new(),
        top: 0.0,
        bottom: 0.0,
    };
    table.stack_sources();
    (1..=last).for_each(|column| table.settle(column));
    table.stack_unreached();
    table.finish()
}

/// A layout that comes into being, column by column.
struct Table<'p> {
    picture: &'p Picture<'p>,
    sizes: &'p [(f64, f64)],
    columns: Vec<usize>,
    last: usize,
    /// The height of the middle of each item that has its place.
    centres: BTreeMap<Item, f64>,
    headings: Vec<(f64, f64, String)>,
    top: f64,
    bottom: f64,
}

impl Table<'_> {
    fn column(&self, at: usize) -> usize {
        self.columns.get(at).copied().unwrap_or(0)
    }

    fn height(&self, item: Item) -> f64 {
        match item {
            Item::Box(at) => self.sizes.get(at).map_or(0.0, |size| size.1),
            Item::Passing(..) => PASSING,
        }
    }

    fn is_connected(&self, at: usize) -> bool {
        self.picture.arrows.iter().any(|arrow| arrow.from == at || arrow.to == at)
    }

    /// The columns between both ends of an arrow.
    fn passed(&self, arrow: usize) -> Range<usize> {
        let ends = self.picture.arrows.get(arrow);
        ends.map_or(0..0, |arrow| self.column(arrow.from) + 1..self.column(arrow.to))
    }

    fn put(&mut self, item: Item, centre: f64) {
        let half = self.height(item) / 2.0;
        self.centres.insert(item, centre);
        self.top = self.top.min(centre - half);
        self.bottom = self.bottom.max(centre + half + GAP);
    }

    /// The sources, by what they emit.
    fn stack_sources(&mut self) {
        let (mut y, mut heading) = (0.0, String::new());
        for (title, at) in sources(self.picture, &self.columns) {
            if title != heading {
                y += if heading.is_empty() { HEADING } else { HEADING + GAP };
                self.headings.push((0.0, y - 12.0, title.clone()));
                heading = title;
            }
            let height = self.height(Item::Box(at));
            self.put(Item::Box(at), y + height / 2.0);
            y += height + GAP;
        }
    }

    /// A further column: each box near what leads to it.
    fn settle(&mut self, column: usize) {
        let boxes = 0..self.picture.boxes.len();
        let boxes = boxes.filter(|at| self.column(*at) == column && self.is_connected(*at)).map(Item::Box);
        let passing = (0..self.picture.arrows.len()).filter(|arrow| self.passed(*arrow).contains(&column));
        let passing = passing.map(|arrow| Item::Passing(arrow, column));
        let of = |at: usize| self.column(at);
        let wish = |item: Item| (wanted(self.picture, item, &self.centres, &of), item);
        let mut wishes: Vec<(f64, Item)> = boxes.chain(passing).map(wish).collect();
        wishes.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        let heights: Vec<(f64, f64)> = wishes.iter().map(|(at, item)| (*at, self.height(*item))).collect();
        for ((_, item), centre) in wishes.into_iter().zip(settled(&heights)) {
            self.put(item, centre);
        }
    }

    /// Stores that nothing reaches, below the others.
    fn stack_unreached(&mut self) {
        let is_unreached = |at: &usize| self.column(*at) == self.last && !self.is_connected(*at);
        let unreached: Vec<usize> =
            (0..self.picture.boxes.len()).filter(|at| self.last > 0 && is_unreached(at)).collect();
        if unreached.is_empty() {
            return;
        }
        let in_last = self.centres.iter().filter(|(item, _)| match item {
            Item::Box(at) => self.column(*at) == self.last,
            Item::Passing(..) => false,
        });
        let below = in_last.map(|(item, centre)| centre + self.height(*item) / 2.0 + GAP);
        let mut y = below.fold(0.0, f64::max) + HEADING;
        // It stands where the last column begins, which is not known yet.
        self.headings.push((f64::INFINITY, y - 12.0, "no source here reaches".to_owned()));
        for at in unreached {
            let height = self.height(Item::Box(at));
            self.put(Item::Box(at), y + height / 2.0);
            y += height + GAP;
        }
    }

    fn finish(mut self) -> Layout {
        let (lefts, width) = lefts(self.picture, &self.columns, self.sizes);
        let left = |column: usize| lefts.get(column).copied().unwrap_or((0.0, 0.0));
        let centre = |item: Item| self.centres.get(&item).copied().unwrap_or_default() - self.top;
        let place = |at: usize| {
            let (width, height) = self.sizes.get(at).copied().unwrap_or_default();
            let (x, _) = left(self.column(at));
            Place { x, y: centre(Item::Box(at)) - height / 2.0, width, height }
        };
        let boxes: Vec<Place> = (0..self.picture.boxes.len()).map(place).collect();
        let routes = routes(self.picture, &boxes, |arrow, column| {
            let (y, (x, width)) = (centre(Item::Passing(arrow, column)), left(column));
            self.passed(arrow).contains(&column).then_some(((x, y), (x + width, y)))
        });
        for (x, y, _) in &mut self.headings {
            *x = x.min(left(self.last).0);
            *y -= self.top;
        }
        Layout { boxes, routes, headings: self.headings, width, height: self.bottom - self.top }
    }
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
    // A loop is as long as ways are followed, and leaves columns empty.
    let used: BTreeSet<usize> = depth.iter().copied().collect();
    depth.iter().map(|own| used.range(..own).count()).collect()
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
            (Look::Silent, ..) if one.first.silent.is_empty() => (99, "needs no log of its own"),
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

/// Whether an arrow leads to the same column or one before.
pub(super) fn is_back(from: Place, to: Place) -> bool {
    to.x <= from.x
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
        // An arrow of a loop comes back on the side where it left.
        let comes_back =
            picture.arrows.get(number).is_some_and(|arrow| is_back(place(arrow.from), place(arrow.to)));
        (if outwards || comes_back { own.x + own.width } else { own.x }, y)
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
