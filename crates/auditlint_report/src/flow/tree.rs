//! Text for people: by root, then category, each source with the way of its logs below it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use auditlint_analysis::{FlowRoot, Flows};
use auditlint_policy::{Category, Certainty, Role, Station, StationId, Way, Ways};

use super::FlowOptions;
use super::wording::{Counts, DOUBTED, because, in_all, is_silent, list, name, remarks, titled};
use crate::plain::plain_line;
use crate::words;

/// Longest way that is drawn; a longer one is a loop or a mistake.
const LONGEST: usize = 16;

/// How a piece of text is shown on a terminal.
#[derive(Clone, Copy)]
enum Style {
    Bold,
    Faint,
    Good,
    Doubt,
}

struct Tree<'f> {
    ways: Ways<'f>,
    out: String,
    colour: bool,
}

pub(super) fn render(flows: &Flows, options: &FlowOptions) -> String {
    let mut tree = Tree { ways: Ways::of(&flows.map), out: String::new(), colour: options.colour };
    let headline = Counts::of(flows).headline(flows.roots.len());
    let _ = writeln!(tree.out, "{headline}");
    for root in &flows.roots {
        tree.root(flows, root);
    }
    for root in flows.roots.iter().filter(|root| !root.gaps.is_empty()) {
        tree.heading(&format!("could not be read in {}", words::folder(&root.name)));
        for gap in &root.gaps {
            tree.line(2, &format!("{}: {}: {}", gap.kind.as_str(), gap.path, gap.reason));
        }
    }
    if !flows.left_out.is_empty() {
        tree.heading("left out");
        for one in &flows.left_out {
            tree.line(2, &format!("{}: {}", words::folder(one.folder.as_str()), one.reason));
        }
    }
    tree.out
}

impl Tree<'_> {
    fn root(&mut self, flows: &Flows, root: &FlowRoot) {
        let own: Vec<&Station> =
            flows.map.stations.iter().filter(|station| station.id.root == root.name).collect();
        if own.is_empty() {
            return;
        }
        self.heading(&titled(&root.name, root.account.as_ref()));
        for category in Category::ALL {
            let sources: Vec<&&Station> =
                own.iter().filter(|station| station.emits.contains(&category)).collect();
            if sources.is_empty() {
                continue;
            }
            let heading = self.styled(Style::Bold, category.as_str());
            let _ = writeln!(self.out, "  {heading}");
            for source in sources {
                let undecided = source
                    .silent
                    .iter()
                    .filter(|silence| silence.categories.contains(&category))
                    .find_map(|silence| silence.cause.as_ref());
                let doubt = undecided.map(|cause| format!("not known whether it logs: {}", because(cause)));
                // What keeps its own logs says here for how long.
                let said = if source.role == Role::Store { remarks(source) } else { Vec::new() };
                let doubted = source.doubted.contains(&category).then(|| DOUBTED.to_owned());
                let in_all = in_all(&self.ways.effective(source, category));
                let said: Vec<String> = said.into_iter().chain(in_all).chain(doubt).chain(doubted).collect();
                let line = self.station(source, &said, None);
                let _ = writeln!(self.out, "    {line}");
                self.onward(&source.id, category, "    ", &mut vec![&source.id]);
            }
        }
        self.others(flows, &own);
    }

    /// What comes in from other roots, what no source reaches, and what does not log or may not.
    fn others(&mut self, flows: &Flows, own: &[&Station]) {
        let comes_in = |way: &&Way| way.from.root != way.to.root && own.iter().any(|one| one.id == way.to);
        let arrivals = flows.map.ways.iter().filter(comes_in).map(|way| {
            let from = format!("{} in {}", way.from.name, words::folder(&way.from.root));
            format!("{from} → {} · {}", way.to.name, list(&way.categories))
        });
        self.section("from other roots", arrivals.collect());
        let reached: BTreeSet<&StationId> = flows.map.ways.iter().map(|way| &way.to).collect();
        let is_unreached = |station: &&&Station| {
            matches!(station.role, Role::Store | Role::Forwarder)
                && station.emits.is_empty()
                && !reached.contains(&station.id)
        };
        let said = |station: &&Station| {
            [name(station)].into_iter().chain(remarks(station)).collect::<Vec<_>>().join(" · ")
        };
        self.section("no source here reaches", own.iter().filter(is_unreached).map(said).collect());
        let silent = own.iter().map(|station| (station, not_emitted(station)));
        let silent = silent.filter(|(_, categories)| !categories.is_empty()).map(|(station, categories)| {
            let partly = if is_silent(station) { "" } else { " (logs other things)" };
            format!("{} · {}{partly}", station.id.name, list(&categories))
        });
        self.section("does not log", silent.collect());
        let covered = own.iter().filter(|station| !station.covered.is_empty());
        let covered = covered.map(|station| format!("{} · {}", station.id.name, list(&station.covered)));
        self.section("needs no log of its own", covered.collect());
        // What is drawn above says there that it may not log.
        let open =
            own.iter().flat_map(|station| station.silent.iter().map(move |silence| (station, silence)));
        let open = open.filter(|(station, silence)| {
            !silence.categories.iter().any(|category| station.emits.contains(category))
        });
        let open = open.filter_map(|(station, silence)| {
            let cause = because(silence.cause.as_ref()?);
            Some(format!("{} · {} · {cause}", station.id.name, list(&silence.categories)))
        });
        self.section("not known whether it logs", open.collect());
    }

    /// A heading with lines below it, where there are any.
    fn section(&mut self, heading: &str, lines: Vec<String>) {
        if lines.is_empty() {
            return;
        }
        let heading = self.styled(Style::Bold, heading);
        let _ = writeln!(self.out, "  {heading}");
        lines.iter().for_each(|line| self.line(4, line));
    }

    /// The ways that logs of `category` take from a station.
    fn onward<'s>(
        &mut self,
        from: &'s StationId,
        category: Category,
        indent: &str,
        seen: &mut Vec<&'s StationId>,
    ) where
        Self: 's,
    {
        let ways: Vec<Way> = self
            .ways
            .from(from)
            .iter()
            .filter(|way| way.categories.contains(&category) && !seen.contains(&&way.to))
            .map(|way| Way::clone(way))
            .collect();
        for (at, way) in ways.iter().enumerate() {
            let Some(station) = self.ways.station(&way.to) else { continue };
            let is_last = at + 1 == ways.len();
            let mut said = remarks(station);
            match way.certainty {
                Certainty::Proved => {}
                Certainty::Matched if station.id.made.is_none() && way.from.root == way.to.root => {
                    said.push("matched by name".to_owned());
                }
                Certainty::Matched => {}
                Certainty::Open => said.push("not known whether logs go there".to_owned()),
            }
            let line = self.station(station, &said, Some(&way.from));
            let _ = writeln!(self.out, "{indent}{} {line}", if is_last { "└─" } else { "├─" });
            if seen.len() < LONGEST {
                let below = format!("{indent}{}  ", if is_last { " " } else { "│" });
                let mut seen: Vec<&StationId> = seen.clone();
                seen.push(&way.to);
                self.onward(&way.to, category, &below, &mut seen);
            }
        }
    }

    /// A station on one line, with its root where that is another one than that of `from`.
    fn station(&self, station: &Station, said: &[String], from: Option<&StationId>) -> String {
        let root = from
            .filter(|from| from.root != station.id.root && !station.id.root.is_empty())
            .map(|_| format!("{}: ", words::folder(&station.id.root)))
            .unwrap_or_default();
        let style = match station.role {
            Role::Store => Some(Style::Good),
            Role::ServiceStore | Role::External => Some(Style::Faint),
            Role::Unknown => Some(Style::Doubt),
            Role::Source | Role::Forwarder => None,
        };
        let text = plain_line(&format!("{root}{}", name(station)));
        let text = style.map_or(text.clone(), |style| self.styled(style, &text));
        let said: String = said.iter().map(|one| format!(" · {}", plain_line(one))).collect();
        format!("{text}{said}")
    }

    fn heading(&mut self, text: &str) {
        let text = self.styled(Style::Bold, &plain_line(text));
        let _ = writeln!(self.out, "\n{text}");
    }

    fn line(&mut self, indent: usize, text: &str) {
        let _ = writeln!(self.out, "{:indent$}{}", "", plain_line(text));
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match style {
            Style::Bold => "1",
            Style::Faint => "2",
            Style::Good => "32",
            Style::Doubt => "33",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// The categories that a station could emit and for certain does not.
fn not_emitted(station: &Station) -> BTreeSet<Category> {
    let certain = station.silent.iter().filter(|silence| silence.cause.is_none());
    let all: BTreeSet<Category> = certain.flat_map(|silence| silence.categories.iter().copied()).collect();
    all.difference(&station.emits).copied().collect()
}
