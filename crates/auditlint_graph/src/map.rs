//! Objects and maps: values by name, in source order.

use auditlint_syntax::Name;
use rustc_hash::FxHashMap;

use crate::Tracked;

/// Names are compared one by one up to so many entries; most maps have fewer, and there are very many of them.
const FEW: usize = 16;

/// An object or a map, in source order.
#[derive(Clone, Default)]
pub struct Map {
    entries: Vec<(Name, Tracked)>,
    /// Where the entry of a name stands, as soon as there are more than a few.
    index: Option<Box<FxHashMap<Name, usize>>>,
}

impl Map {
    /// An empty map with room for so many entries.
    #[must_use]
    pub fn with_capacity(entries: usize) -> Self {
        Self { entries: Vec::with_capacity(entries), index: None }
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tracked> {
        self.entries.get(self.position(name)?).map(|(_, value)| value)
    }

    /// Whether it has an entry of that name.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Gives `name` the value, in the place of the one that it had or at the end. Gives back the one that it had.
    pub fn insert(&mut self, name: Name, value: Tracked) -> Option<Tracked> {
        match self.position(&name).and_then(|at| self.entries.get_mut(at)) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                if let Some(index) = &mut self.index {
                    index.insert(name.clone(), self.entries.len());
                }
                self.entries.push((name, value));
                if self.index.is_none() {
                    self.renew_index();
                }
                None
            }
        }
    }

    /// Keeps the entries that `keeps` wants, in their order.
    pub fn retain(&mut self, mut keeps: impl FnMut(&Name, &Tracked) -> bool) {
        self.entries.retain(|(name, value)| keeps(name, value));
        self.renew_index();
    }

    /// Puts the entries into the order of their names, which is Terraform's for a map.
    pub fn sort_keys(&mut self) {
        self.entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.renew_index();
    }

    /// Gives back the room that it does not need.
    pub fn shrink_to_fit(&mut self) {
        self.entries.shrink_to_fit();
    }

    /// The entries, in source order.
    pub fn iter(&self) -> Entries<'_> {
        self.entries.iter().map(|(name, value)| (name, value))
    }

    /// The names, in source order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Name> + Clone {
        self.entries.iter().map(|(name, _)| name)
    }

    /// The values, in source order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Tracked> + Clone {
        self.entries.iter().map(|(_, value)| value)
    }

    fn position(&self, name: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(name).copied(),
            None => self.entries.iter().position(|(known, _)| known == name),
        }
    }

    fn renew_index(&mut self) {
        let places = || self.entries.iter().enumerate().map(|(at, (name, _))| (name.clone(), at));
        self.index = (self.entries.len() > FEW).then(|| Box::new(places().collect()));
    }
}

/// The entries of a map, in source order.
pub type Entries<'m> = std::iter::Map<std::slice::Iter<'m, (Name, Tracked)>, Pair<'m>>;
type Pair<'m> = fn(&'m (Name, Tracked)) -> (&'m Name, &'m Tracked);

impl<'m> IntoIterator for &'m Map {
    type Item = (&'m Name, &'m Tracked);
    type IntoIter = Entries<'m>;

    fn into_iter(self) -> Entries<'m> {
        self.iter()
    }
}

impl IntoIterator for Map {
    type Item = (Name, Tracked);
    type IntoIter = std::vec::IntoIter<(Name, Tracked)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl Extend<(Name, Tracked)> for Map {
    fn extend<I: IntoIterator<Item = (Name, Tracked)>>(&mut self, entries: I) {
        entries.into_iter().for_each(|(name, value)| {
            self.insert(name, value);
        });
    }
}

impl FromIterator<(Name, Tracked)> for Map {
    fn from_iter<I: IntoIterator<Item = (Name, Tracked)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut map = Self::with_capacity(entries.size_hint().0);
        map.extend(entries);
        map
    }
}

impl std::fmt::Debug for Map {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_map().entries(self).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Number, Origin, Value};

    fn number(value: i64) -> Tracked {
        Tracked::new(Value::Number(Number::whole(value)), Origin::Nowhere)
    }

    proptest! {
        /// Few entries or many: names find the value that they were given last, in the order of their first.
        #[test]
        fn a_map_is_a_list_without_repetitions(changes in prop::collection::vec((0_u8..40, any::<bool>()), 0..120)) {
            let mut map = Map::default();
            let mut list: Vec<(String, i64)> = Vec::new();
            for (n, (name, adds)) in (0..).zip(changes) {
                let name = format!("name{name}");
                let at = list.iter().position(|(known, _)| *known == name);
                if adds {
                    let old = map.insert(Name::new(&name), number(n));
                    prop_assert_eq!(old.is_some(), at.is_some());
                    match at {
                        Some(at) => list[at].1 = n,
                        None => list.push((name, n)),
                    }
                } else {
                    map.retain(|known, _| *known != name);
                    at.map(|at| list.remove(at));
                }
                prop_assert_eq!(map.len(), list.len());
                prop_assert!(map.keys().eq(list.iter().map(|(name, _)| name)));
                for (name, value) in &list {
                    let found = map.get(name).map(|found| found.show());
                    prop_assert_eq!(found, Some(number(*value).show()));
                }
            }
        }
    }
}
