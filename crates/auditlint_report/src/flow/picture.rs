//! What a picture shows: boxes and arrows. Resources of one type that stand in the same place of the same flows share
//! a box, so that a root with hundreds of them still fits on a page.

use std::collections::{BTreeMap, BTreeSet};

use auditlint_analysis::{FlowRoot, Flows};
use auditlint_policy::{Category, Certainty, FlowMap, Role, Station, StationId};
use auditlint_syntax::Name;

use super::wording::{DOUBTED, is_undecided, list, name, remarks, titled};

/// From so many on, resources of the same place share a box.
const SHARED: usize = 3;
/// Rounds after which places are told apart well enough: the longest way that is followed.
const ROUNDS: usize = 16;

/// Boxes and arrows, in an order that says nothing but is always the same.
pub(super) struct Picture<'f> {
    pub(super) boxes: Vec<Boxed<'f>>,
    pub(super) arrows: Vec<Arrow>,
    /// Whether boxes have to say which root they are in.
    pub(super) has_roots: bool,
    roots: &'f [FlowRoot],
}

/// One station, or several that stand in the same place.
pub(super) struct Boxed<'f> {
    pub(super) first: &'f Station,
    account: Option<&'f Name>,
    pub(super) number: usize,
    pub(super) look: Look,
}

/// What tells boxes apart for the eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    Source,
    Forwarder,
    Store,
    ServiceStore,
    External,
    Unknown,
    Silent,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Line {
    Solid,
    Dashed,
    Dotted,
}

impl Line {
    /// The word of styles.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Solid => "solid",
            Self::Dashed => "dashed",
            Self::Dotted => "dotted",
        }
    }
}

/// The title of a root and its boxes with their numbers; without a title what is in no root.
pub(super) type Group<'p, 'f> = (Option<String>, Vec<(usize, &'p Boxed<'f>)>);

pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) categories: BTreeSet<Category>,
    pub(super) line: Line,
    pub(super) is_matched: bool,
}

impl Look {
    pub(super) const ALL: [Self; 7] = [
        Self::Source,
        Self::Forwarder,
        Self::Store,
        Self::ServiceStore,
        Self::External,
        Self::Unknown,
        Self::Silent,
    ];

    fn of(station: &Station) -> Self {
        match station.role {
            Role::Source if station.emits.is_empty() && !is_undecided(station) => Self::Silent,
            Role::Source => Self::Source,
            Role::Forwarder => Self::Forwarder,
            Role::Store => Self::Store,
            Role::ServiceStore => Self::ServiceStore,
            Role::External => Self::External,
            Role::Unknown => Self::Unknown,
        }
    }

    /// What a legend says of it.
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Forwarder => "forwarder",
            Self::Store => "store",
            Self::ServiceStore => "made by the service",
            Self::External => "not managed here",
            Self::Unknown => "not known",
            Self::Silent => "does not log",
        }
    }
}

impl Boxed<'_> {
    /// `aws_lb.web`, or `12 aws_lambda_function`.
    pub(super) fn title(&self) -> String {
        match (self.number, &self.first.kind) {
            (1, Some(kind)) if self.first.id.made.is_none() => {
                let address = &self.first.id.name;
                let at = address.find(&format!("{kind}.")).unwrap_or(0);
                address.get(at..).unwrap_or(address).to_owned()
            }
            // What would tell it is left to formats with more space.
            (1, _) if self.first.role == Role::Unknown => format!("not known: {}", self.first.id.name),
            (1, _) => name(self.first),
            (number, Some(kind)) => format!("{number} {kind}"),
            (number, None) => format!("{number} × {}", name(self.first)),
        }
    }

    /// The module and, where it has to be said, the root with its account.
    pub(super) fn place(&self, with_root: bool) -> Option<String> {
        let address = &self.first.id.name;
        let module = self.first.kind.as_ref().filter(|_| self.number == 1 && self.first.id.made.is_none());
        let module = module.and_then(|kind| address.get(..address.find(&format!("{kind}."))?));
        let module = module.map(|module| module.trim_end_matches('.')).filter(|module| !module.is_empty());
        let root = Some(&*self.first.id.root).filter(|root| with_root && !root.is_empty());
        match (root.map(|root| titled(root, self.account)), module) {
            (None, None) => None,
            (None, Some(module)) => Some(module.to_owned()),
            (Some(root), None) => Some(root),
            (Some(root), Some(module)) => Some(format!("{root} · {module}")),
        }
    }

    /// What is to be said of it, each on a line.
    pub(super) fn notes(&self) -> Vec<String> {
        let station = self.first;
        let mut out = remarks(station);
        if !station.emits.is_empty() {
            out.insert(0, list(&station.emits));
        }
        let silent: BTreeSet<Category> = station
            .silent
            .iter()
            .filter(|silence| silence.cause.is_none())
            .flat_map(|silence| silence.categories.iter().copied())
            .collect();
        if !silent.is_empty() {
            out.push(format!("no {}", list(&silent)));
        }
        if !station.covered.is_empty() {
            out.push(format!("no {} of its own", list(&station.covered)));
        }
        if !station.doubted.is_empty() {
            out.push(DOUBTED.to_owned());
        }
        let cause = station.silent.iter().find_map(|silence| silence.cause.as_ref());
        out.extend(cause.map(|cause| format!("logs? {}", cause.subject)));
        out
    }
}

impl<'f> Picture<'f> {
    pub(super) fn of(flows: &'f Flows) -> Self {
        let classes = classes(&flows.map);
        let mut members: BTreeMap<usize, usize> = BTreeMap::new();
        classes.iter().for_each(|class| *members.entry(*class).or_default() += 1);
        let mut boxes: Vec<Boxed<'f>> = Vec::new();
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        let mut at: BTreeMap<&StationId, usize> = BTreeMap::new();
        for (station, class) in flows.map.stations.iter().zip(&classes) {
            let number = members.get(class).copied().unwrap_or(1);
            let is_shared = number >= SHARED && station.kind.is_some();
            let place = match shared.get(class) {
                Some(place) if is_shared => *place,
                _ => {
                    let number = if is_shared { number } else { 1 };
                    let root = flows.roots.iter().find(|root| root.name == station.id.root);
                    let account = root.and_then(|root| root.account.as_ref());
                    boxes.push(Boxed { first: station, account, number, look: Look::of(station) });
                    boxes.len() - 1
                }
            };
            shared.insert(*class, place);
            at.insert(&station.id, place);
        }
        let mut arrows: BTreeMap<(usize, usize), Arrow> = BTreeMap::new();
        for way in &flows.map.ways {
            let (Some(&from), Some(&to)) = (at.get(&way.from), at.get(&way.to)) else { continue };
            let line = match (way.certainty, way.to.made) {
                (Certainty::Open, _) | (_, Some(Role::Unknown)) => Line::Dashed,
                (_, Some(Role::ServiceStore)) => Line::Dotted,
                _ => Line::Solid,
            };
            let is_matched = way.certainty == Certainty::Matched;
            let arrow = arrows.entry((from, to)).or_insert_with(|| Arrow {
                from,
                to,
                categories: BTreeSet::new(),
                line,
                is_matched,
            });
            arrow.categories.extend(&way.categories);
        }
        let roots: BTreeSet<&str> =
            boxes.iter().map(|one| &*one.first.id.root).filter(|root| !root.is_empty()).collect();
        let has_roots = roots.len() > 1;
        Self { boxes, arrows: arrows.into_values().collect(), has_roots, roots: &flows.roots }
    }

    /// The boxes of each root with their numbers, those of no root last.
    pub(super) fn by_root(&self) -> Vec<Group<'_, 'f>> {
        let mut out: BTreeMap<usize, Vec<(usize, &Boxed<'f>)>> = BTreeMap::new();
        for (number, one) in self.boxes.iter().enumerate() {
            let root = self.roots.iter().position(|root| root.name == one.first.id.root);
            out.entry(root.unwrap_or(self.roots.len())).or_default().push((number, one));
        }
        let title = |at: usize| self.roots.get(at).map(|root| titled(&root.name, root.account.as_ref()));
        out.into_iter().map(|(at, boxes)| (title(at), boxes)).collect()
    }
}

/// For each station, a number that those share that are alike and whose neighbours are alike, and so on.
fn classes(map: &FlowMap) -> Vec<usize> {
    let at: BTreeMap<&StationId, usize> =
        map.stations.iter().enumerate().map(|(at, station)| (&station.id, at)).collect();
    let mut ways: Vec<Vec<(bool, usize, String)>> = vec![Vec::new(); map.stations.len()];
    for way in &map.ways {
        let (Some(&from), Some(&to)) = (at.get(&way.from), at.get(&way.to)) else { continue };
        let what = format!("{} {}", way.certainty.as_str(), list(&way.categories));
        if let Some(own) = ways.get_mut(from) {
            own.push((true, to, what.clone()));
        }
        if let Some(own) = ways.get_mut(to) {
            own.push((false, from, what));
        }
    }
    let own = |station: &Station| {
        let (root, made) = (&station.id.root, station.id.made.map(Role::as_str));
        let kept = (&station.keeps, &station.encryption, &station.immutable);
        let said = (&station.emits, &station.silent, &station.doubted, &station.covered);
        // What is not known for different causes is not alike; of a store that nobody manages the name counts.
        let name = if station.kind.is_none() { station.id.name.as_str() } else { "" };
        format!("{root:?} {made:?} {:?} {:?} {kept:?} {said:?} {name:?}", station.role, station.kind)
    };
    let mut classes = numbered(map.stations.iter().map(own).collect());
    for _ in 0..ROUNDS {
        let known = classes.iter().collect::<BTreeSet<_>>().len();
        let around = |own: &Vec<(bool, usize, String)>| -> BTreeSet<(bool, usize, String)> {
            let class = |at: &usize| classes.get(*at).copied().unwrap_or_default();
            own.iter().map(|(is_next, at, what)| (*is_next, class(at), what.clone())).collect()
        };
        let next = classes.iter().zip(&ways).map(|(class, own)| (*class, around(own))).collect();
        classes = numbered(next);
        if classes.iter().collect::<BTreeSet<_>>().len() == known {
            break;
        }
    }
    classes
}

/// Numbers in place of values, the same for the same.
fn numbered<T: Ord>(values: Vec<T>) -> Vec<usize> {
    let mut numbers: BTreeMap<T, usize> = BTreeMap::new();
    let mut out = Vec::with_capacity(values.len());
    for value in values {
        let next = numbers.len();
        out.push(*numbers.entry(value).or_insert(next));
    }
    out
}
