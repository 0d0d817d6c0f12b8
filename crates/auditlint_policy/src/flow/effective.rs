//! What becomes of the logs of a source: the values that count are those of the stores where they come to rest.

use std::collections::{BTreeMap, BTreeSet};

use super::map::{Certainty, Encryption, FlowMap, Immutability, Keeps, Station, StationId, StorePlace, Way};
use crate::{Category, Days};

/// What holds for the events of one category of a source, over all ways that they take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effective {
    /// How long they are kept in the store that keeps them longest; none where nobody says.
    pub retention: Option<Keeps>,
    /// How long they can be searched, in the first store on the way where that is possible.
    pub hot: Option<Keeps>,
    /// The weakest encryption of a store that has them.
    pub encryption: Option<Encryption>,
    /// Whether any store makes sure that nobody changes or deletes them.
    pub immutable: Option<Immutability>,
    /// Where they rest.
    pub places: BTreeSet<StorePlace>,
}

/// The stations of a map by name, and the ways between them: made once for all sources.
#[derive(Debug)]
pub struct Ways<'m> {
    stations: BTreeMap<&'m StationId, &'m Station>,
    next: BTreeMap<&'m StationId, Vec<&'m Way>>,
}

impl<'m> Ways<'m> {
    /// Those of `map`.
    #[must_use]
    pub fn of(map: &'m FlowMap) -> Self {
        let mut next: BTreeMap<&StationId, Vec<&Way>> = BTreeMap::new();
        for way in &map.ways {
            next.entry(&way.from).or_default().push(way);
        }
        Self { stations: map.stations.iter().map(|station| (&station.id, station)).collect(), next }
    }

    /// The station of that name.
    #[must_use]
    pub fn station(&self, id: &StationId) -> Option<&'m Station> {
        self.stations.get(id).copied()
    }

    /// The ways from a station.
    #[must_use]
    pub fn from(&self, id: &StationId) -> &[&'m Way] {
        self.next.get(id).map_or(&[], Vec::as_slice)
    }

    /// What holds for the events of `category` that `source` emits. Ways that logs may not take count for nothing.
    #[must_use]
    pub fn effective(&self, source: &Station, category: Category) -> Effective {
        let mut found = Effective::default();
        let mut seen: BTreeSet<&StationId> = BTreeSet::from([&source.id]);
        let mut level: Vec<&Station> = Vec::new();
        // What keeps its own logs is its own first store.
        if source.keeps.is_some() {
            found.add([source]);
        }
        let mut from: Vec<&StationId> = vec![&source.id];
        while !from.is_empty() {
            let ways = from.iter().flat_map(|id| self.from(id));
            let taken =
                ways.filter(|way| way.certainty != Certainty::Open && way.categories.contains(&category));
            level.clear();
            level.extend(taken.filter(|way| seen.insert(&way.to)).filter_map(|way| self.station(&way.to)));
            found.add(level.iter().copied());
            from = level.iter().map(|station| &station.id).collect();
        }
        found
    }
}

impl Effective {
    /// Takes in stores that are equally far from the source.
    fn add<'s>(&mut self, stations: impl IntoIterator<Item = &'s Station>) {
        let searched = self.hot.is_some();
        for station in stations {
            let Some(keeps) = &station.keeps else { continue };
            self.retention = Some(longer(self.retention.take(), keeps));
            if station.is_searchable && !searched {
                self.hot = Some(longer(self.hot.take(), keeps));
            }
            if let Some(encryption) = &station.encryption {
                let weaker = |known: &Encryption| strength(encryption) < strength(known);
                if self.encryption.as_ref().is_none_or(weaker) {
                    self.encryption = Some(encryption.clone());
                }
            }
            if let Some(immutable) = &station.immutable {
                let safer = |known: &Immutability| safety(immutable) > safety(known);
                if self.immutable.as_ref().is_none_or(safer) {
                    self.immutable = Some(immutable.clone());
                }
            }
            self.places.extend(station.location.clone());
        }
    }
}

/// The longer of two; what is not known may be the longer one, but nothing is longer than for ever.
fn longer(known: Option<Keeps>, other: &Keeps) -> Keeps {
    match (known, other) {
        (None, other) => other.clone(),
        (Some(Keeps::For(Days::Never)), _) | (_, Keeps::For(Days::Never)) => Keeps::For(Days::Never),
        (Some(Keeps::Unknown(cause)), _) => Keeps::Unknown(cause),
        (Some(Keeps::For(_)), Keeps::Unknown(cause)) => Keeps::Unknown(cause.clone()),
        (Some(Keeps::For(one)), Keeps::For(other)) => Keeps::For(one.max(*other)),
    }
}

const fn strength(encryption: &Encryption) -> u8 {
    match encryption {
        Encryption::ServiceKey => 0,
        Encryption::Unknown(_) => 1,
        Encryption::OwnKey => 2,
    }
}

const fn safety(immutable: &Immutability) -> u8 {
    match immutable {
        Immutability::Open => 0,
        Immutability::Unknown(_) => 1,
        Immutability::Locked => 2,
    }
}
