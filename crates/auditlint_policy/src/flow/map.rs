//! The log flow as data: stations and the ways between them, for whoever shows who logs what and where to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use auditlint_graph::Cause;
use auditlint_syntax::Name;

use crate::{Category, Days};

/// Who logs what, and where to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowMap {
    /// What emits, passes on or keeps logs, sorted by root and name.
    pub stations: Vec<Station>,
    /// The ways between them, sorted.
    pub ways: Vec<Way>,
}

/// What tells one station from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StationId {
    /// The root, as reports call it; empty for a store that no root manages.
    pub root: Arc<str>,
    /// Its role where it is no resource: a name may be that of a resource as well.
    pub made: Option<Role>,
    /// The address of a resource; else the name of the store, or what is not known.
    pub name: String,
}

/// What a station does with logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It emits them.
    Source,
    /// It passes them on.
    Forwarder,
    /// It keeps them.
    Store,
    /// It keeps them, and a service made it by itself.
    ServiceStore,
    /// A store that no root of the run manages.
    External,
    /// Nobody knows where the logs rest.
    Unknown,
}

/// How sure a way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// By a reference.
    Proved,
    /// By a name that exactly one has, or by what another root says.
    Matched,
    /// Whether logs take it is not known.
    Open,
}

/// How long a store keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// So long.
    For(Days),
    /// It is not known.
    Unknown(Cause),
}

/// By whose key a store is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// One that is named.
    OwnKey,
    /// That of the service.
    ServiceKey,
    /// It is not known.
    Unknown(Cause),
}

/// Whether anybody can change or delete what a store keeps before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Immutability {
    /// Nobody can.
    Locked,
    /// Whoever may write to it can.
    Open,
    /// It is not known.
    Unknown(Cause),
}

/// Where a store stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct StorePlace {
    /// The account, project or subscription; none where it is not known.
    pub account: Option<Name>,
    /// The region or location; none where it is not known.
    pub region: Option<Name>,
}

/// Events that a source could emit and does not, or of which it is not known whether it does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Silence {
    /// Their categories.
    pub categories: Vec<Category>,
    /// Why it is not known; none where it is certain that it does not emit them.
    pub cause: Option<Cause>,
}

/// A station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Station {
    /// What tells it from others.
    pub id: StationId,
    /// What it does.
    pub role: Role,
    /// The resource type, where it has one.
    pub kind: Option<Name>,
    /// What it emits.
    pub emits: BTreeSet<Category>,
    /// What it does not emit although a rule asks for it.
    pub silent: Vec<Silence>,
    /// What it could emit and does not, and rules that ask for it are content: another resource records it, or it
    /// is not worth recording.
    pub covered: BTreeSet<Category>,
    /// What it has a destination for, although no rule that asks for it is content: logging may be off.
    pub doubted: BTreeSet<Category>,
    /// What comes in and goes through it, or rests there.
    pub carries: BTreeSet<Category>,
    /// How long it keeps, of a store.
    pub keeps: Option<Keeps>,
    /// How it is encrypted, of a store for which a rule can tell.
    pub encryption: Option<Encryption>,
    /// Whether what it keeps can be searched as it stands.
    pub is_searchable: bool,
    /// Whether anybody can change what it keeps, of a store whose type can prevent that.
    pub immutable: Option<Immutability>,
    /// Where it stands, of a store of a root.
    pub location: Option<StorePlace>,
    /// Why it is not known, of what nobody knows.
    pub cause: Option<Cause>,
}

/// A way that logs take from one station to the next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way {
    /// Where they come from.
    pub from: StationId,
    /// Where they go.
    pub to: StationId,
    /// What they are.
    pub categories: BTreeSet<Category>,
    /// How sure it is.
    pub certainty: Certainty,
}

impl Role {
    /// The word of reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Forwarder => "forwarder",
            Self::Store => "store",
            Self::ServiceStore => "service_store",
            Self::External => "external",
            Self::Unknown => "unknown",
        }
    }
}

impl Certainty {
    /// The word of reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Matched => "matched",
            Self::Open => "open",
        }
    }
}

impl FlowMap {
    /// The maps of all roots as one. A store that no root manages is the same one for all of them.
    #[must_use]
    pub fn united(maps: impl IntoIterator<Item = Self>) -> Self {
        let mut stations: BTreeMap<StationId, Station> = BTreeMap::new();
        let mut ways = Vec::new();
        for map in maps {
            ways.extend(map.ways);
            for station in map.stations {
                match stations.get_mut(&station.id) {
                    Some(known) => known.carries.extend(station.carries),
                    None => drop(stations.insert(station.id.clone(), station)),
                }
            }
        }
        ways.retain(|way: &Way| stations.contains_key(&way.from) && stations.contains_key(&way.to));
        ways.sort();
        Self { stations: stations.into_values().collect(), ways }
    }

    /// Takes note of the account of the root, and of the region of the stores that name none of their own.
    pub fn locate(&mut self, account: Option<&Name>, region: Option<&Name>) {
        for location in self.stations.iter_mut().filter_map(|station| station.location.as_mut()) {
            location.account = location.account.take().or_else(|| account.cloned());
            location.region = location.region.take().or_else(|| region.cloned());
        }
    }

    /// `stations` with everything up- and downstream of them.
    #[must_use]
    pub fn around(&self, stations: &[StationId]) -> Self {
        let downstream = reach(stations, &self.ways, |way| (&way.from, &way.to));
        let upstream = reach(stations, &self.ways, |way| (&way.to, &way.from));
        let is_near = |id: &StationId| downstream.contains(id) || upstream.contains(id);
        // A way from above to below that passes the stations by is not theirs.
        let is_theirs = |way: &&Way| {
            downstream.contains(&way.from) && downstream.contains(&way.to)
                || upstream.contains(&way.from) && upstream.contains(&way.to)
        };
        Self {
            stations: self.stations.iter().filter(|station| is_near(&station.id)).cloned().collect(),
            ways: self.ways.iter().filter(is_theirs).cloned().collect(),
        }
    }
}

/// What can be reached from `start` by ways that are followed as `ends` says.
fn reach<'m>(
    start: &'m [StationId],
    ways: &'m [Way],
    ends: impl Fn(&'m Way) -> (&'m StationId, &'m StationId),
) -> BTreeSet<&'m StationId> {
    let mut next: BTreeMap<&StationId, Vec<&StationId>> = BTreeMap::new();
    for way in ways {
        let (from, to) = ends(way);
        next.entry(from).or_default().push(to);
    }
    let mut found: BTreeSet<&StationId> = start.iter().collect();
    let mut open: Vec<&StationId> = start.iter().collect();
    while let Some(station) = open.pop() {
        for to in next.get(station).into_iter().flatten() {
            if found.insert(to) {
                open.push(to);
            }
        }
    }
    found
}

impl Station {
    pub(super) fn new(id: StationId, role: Role) -> Self {
        Self {
            id,
            role,
            kind: None,
            emits: BTreeSet::new(),
            silent: Vec::new(),
            covered: BTreeSet::new(),
            doubted: BTreeSet::new(),
            carries: BTreeSet::new(),
            keeps: None,
            encryption: None,
            is_searchable: false,
            immutable: None,
            location: None,
            cause: None,
        }
    }
}
