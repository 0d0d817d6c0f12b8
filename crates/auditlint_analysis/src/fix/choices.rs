//! What the remedies of a finding may refer to: resources that are there already.

use auditlint_graph::{Address, Slot};
use auditlint_policy::{NewValue, Remedy};
use auditlint_syntax::Name;

use super::values;
use crate::{Analysis, RootId};

/// At most so many candidates of a choice are offered.
const MOST: usize = 5;

/// The candidates for each choice of a remedy, by the types that it takes.
#[derive(Default)]
pub(super) struct Choices(Vec<(Vec<Name>, Vec<Address>)>);

impl Choices {
    /// Those for the resource in `slot`. Found when somebody asks for fixes and not before: verdicts rest on none of them.
    pub(super) fn of(analysis: &Analysis, root: RootId, slot: Slot, remedy: &Remedy) -> Self {
        let mut all = Self::default();
        for value in values(remedy) {
            if let NewValue::Choice { types, .. } = value
                && all.among(types).is_none()
                && let Ok(found) = analysis.choices(root, slot, types, MOST)
            {
                all.0.push((types.clone(), found));
            }
        }
        all
    }

    fn among(&self, types: &[Name]) -> Option<&[Address]> {
        self.0.iter().find(|(known, _)| known == types).map(|(_, found)| found.as_slice())
    }

    /// How many candidates the first choice has.
    pub(super) fn len(&self) -> usize {
        self.0.first().map_or(0, |(_, found)| found.len())
    }

    /// A candidate of those types.
    pub(super) fn at(&self, types: &[Name], pick: usize) -> Option<&Address> {
        self.among(types)?.get(pick)
    }

    /// A candidate of the first choice, and its attribute that is written.
    pub(super) fn first<'c>(&'c self, remedy: &'c Remedy, pick: usize) -> Option<(&'c Address, &'c Name)> {
        values(remedy).into_iter().find_map(|value| match value {
            NewValue::Choice { types, attribute, .. } => Some((self.at(types, pick)?, attribute)),
            _ => None,
        })
    }
}
