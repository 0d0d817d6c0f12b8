//! What the files of a module folder declare.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use auditlint_syntax::hcl::{Attribute, ExprKind};
use auditlint_syntax::{FileId, Name};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::backend::Backend;
use super::declared::{BlockRef, Declaration, Declared, Part};
use crate::{Gap, GapKind, Mode};

/// What a module folder declares: its files, and an index of their names.
///
/// An edit inside of a block changes one part and no name, so that the index is shared with the folder before it.
#[derive(Debug, Default)]
pub struct Folder {
    /// The files, in the order in which Terraform reads them.
    pub(super) parts: Vec<Arc<Part>>,
    index: Arc<Index>,
    /// The files that could not be read.
    pub(super) unread: Vec<Gap>,
}

/// Where a folder's names are declared.
#[derive(Debug, Default)]
struct Index {
    /// The first declaration of each name; of variables, outputs, calls and locals the last one. The names are
    /// those of the parts.
    places: HashTable<Place>,
    /// Resources, data sources and module calls, in source order.
    order: Vec<Place>,
    /// What override files say about a resource, in the order of the files: it wins, argument by argument.
    overrides: FxHashMap<Declared, Vec<Place>>,
    /// Second declarations of a resource.
    duplicates: Vec<Place>,
}

/// The part, and the position of the declaration in it.
type Place = (u32, u32);

/// The declaration at a place.
fn at(parts: &[Arc<Part>], place: Place) -> Option<&(Declared, BlockRef)> {
    parts.get(place.0 as usize)?.declarations.get(place.1 as usize)
}

/// The hash of the name that is declared at a place.
fn hash_at(parts: &[Arc<Part>], place: Place) -> u64 {
    FxBuildHasher.hash_one(at(parts, place).map(|(declared, _)| declared))
}

impl Index {
    fn of(parts: &[Arc<Part>]) -> Self {
        let mut index = Self::default();
        for (part_at, part) in (0..).zip(parts) {
            for position in (0..).take(part.declarations.len()) {
                index.add(parts, (part_at, position), part.overrides);
            }
        }
        index.order.shrink_to_fit();
        index
    }

    fn add(&mut self, parts: &[Arc<Part>], place: Place, overrides: bool) {
        let Some((declared, _)) = at(parts, place) else { return };
        let is_same = |other: &Place| at(parts, *other).is_some_and(|(other, _)| other == declared);
        let hash_of = |other: &Place| hash_at(parts, *other);
        match self.places.entry(hash_at(parts, place), is_same, hash_of) {
            Entry::Vacant(entry) => {
                entry.insert(place);
            }
            Entry::Occupied(_) if matches!(declared, Declared::Resource(..)) => {
                if overrides {
                    self.overrides.entry(declared.clone()).or_default().push(place);
                } else {
                    self.duplicates.push(place);
                }
                return;
            }
            Entry::Occupied(mut entry) => *entry.get_mut() = place,
        }
        if matches!(declared, Declared::Resource(..) | Declared::Call(_)) {
            self.order.push(place);
        }
    }

    fn find(&self, parts: &[Arc<Part>], declared: &Declared) -> Option<Place> {
        let is_it = |place: &Place| at(parts, *place).is_some_and(|(other, _)| other == declared);
        self.places.find(FxBuildHasher.hash_one(Some(declared)), is_it).copied()
    }
}

impl Folder {
    /// The folder with these files instead; what both declare alike is shared.
    pub(super) fn with(&self, parts: Vec<Arc<Part>>, unread: Vec<Gap>) -> Self {
        let is_alike = parts.len() == self.parts.len()
            && parts
                .iter()
                .zip(&self.parts)
                .all(|(new, old)| Arc::ptr_eq(new, old) || new.declares_the_same_as(old));
        let index = if is_alike { Arc::clone(&self.index) } else { Arc::new(Index::of(&parts)) };
        Self { parts, index, unread }
    }

    fn at(&self, place: Place) -> Option<&(Declared, BlockRef)> {
        at(&self.parts, place)
    }

    fn find(&self, declared: &Declared) -> Option<&BlockRef> {
        Some(&self.at(self.index.find(&self.parts, declared)?)?.1)
    }

    /// What is declared, each name once.
    fn names(&self) -> impl Iterator<Item = &Declared> {
        self.index.places.iter().filter_map(|place| Some(&self.at(*place)?.0))
    }

    /// The block that declares a resource, override files left out.
    #[must_use]
    pub fn resource(&self, mode: Mode, kind: &Name, name: &Name) -> Option<&BlockRef> {
        self.find(&Declared::Resource(mode, kind.clone(), name.clone()))
    }

    /// What override files say about a resource, in the order of the files: it wins, argument by argument.
    pub fn overrides(
        &self,
        mode: Mode,
        kind: &Name,
        name: &Name,
    ) -> impl DoubleEndedIterator<Item = &BlockRef> {
        let places = if self.index.overrides.is_empty() {
            None
        } else {
            self.index.overrides.get(&Declared::Resource(mode, kind.clone(), name.clone()))
        };
        places.into_iter().flatten().filter_map(|place| Some(&self.at(*place)?.1))
    }

    /// Resources and data sources in source order.
    pub fn resources(&self) -> impl Iterator<Item = Declaration<'_>> {
        self.index.order.iter().filter_map(|place| match self.at(*place)? {
            (Declared::Resource(mode, kind, name), block) => {
                Some(Declaration { mode: *mode, kind, name, block })
            }
            _ => None,
        })
    }

    /// Module calls in source order.
    pub fn calls(&self) -> impl Iterator<Item = (&Name, &BlockRef)> {
        self.index.order.iter().filter_map(|place| match self.at(*place)? {
            (Declared::Call(name), block) => Some((name, block)),
            _ => None,
        })
    }

    /// The module call of that name.
    #[must_use]
    pub fn call(&self, name: &Name) -> Option<&BlockRef> {
        self.find(&Declared::Call(name.clone()))
    }

    /// The `variable` block of that name.
    #[must_use]
    pub fn variable(&self, name: &Name) -> Option<&BlockRef> {
        self.find(&Declared::Variable(name.clone()))
    }

    /// The names of all variables.
    pub(super) fn variables(&self) -> Vec<Name> {
        let names = self.names().filter_map(|declared| match declared {
            Declared::Variable(name) => Some(name.clone()),
            _ => None,
        });
        let mut names: Vec<Name> = names.collect();
        names.sort();
        names
    }

    /// The `output` block of that name.
    #[must_use]
    pub fn output(&self, name: &Name) -> Option<&BlockRef> {
        self.find(&Declared::Output(name.clone()))
    }

    /// The `provider` block of that local name and alias.
    #[must_use]
    pub fn provider(&self, local: &Name, alias: &Name) -> Option<&BlockRef> {
        self.find(&Declared::Provider(local.clone(), alias.clone()))
    }

    /// The `provider` blocks with their local names, in the order of the files.
    pub(super) fn providers(&self) -> impl Iterator<Item = (&Name, &BlockRef)> {
        let declarations = self.parts.iter().flat_map(|part| &part.declarations);
        declarations.filter_map(|(declared, block)| match declared {
            Declared::Provider(local, _) => Some((local, block)),
            _ => None,
        })
    }

    /// The names of all outputs, sorted.
    #[must_use]
    pub fn outputs(&self) -> Vec<&Name> {
        let names = self.names().filter_map(|declared| match declared {
            Declared::Output(name) => Some(name),
            _ => None,
        });
        let mut names: Vec<&Name> = names.collect();
        names.sort();
        names
    }

    /// The local value of that name, with the block that it stands in.
    #[must_use]
    pub fn local(&self, name: &Name) -> Option<(&BlockRef, &Attribute)> {
        let block = self.find(&Declared::Local(name.clone()))?;
        Some((block, block.block().body.attribute(name)?))
    }

    /// Number of Terraform files, those included that could not be read.
    #[must_use]
    pub fn files(&self) -> usize {
        self.parts.len() + self.unread.len()
    }

    /// Number of Terraform files of which nothing could be read.
    #[must_use]
    pub fn unreadable(&self) -> usize {
        self.unread.len() + self.parts.iter().filter(|part| part.is_unreadable).count()
    }

    /// Whether there is a `backend`, `cloud` or `provider` block: a folder that is meant to be a root.
    #[must_use]
    pub fn is_root_like(&self) -> bool {
        self.parts.iter().any(|part| part.is_root_like)
    }

    /// Where the root keeps its state, and the file that says so; what an override file says wins.
    pub(super) fn backend(&self) -> Option<(FileId, &Backend)> {
        self.parts.iter().rev().find_map(|part| Some((part.source.file(), part.backend.as_ref()?)))
    }

    /// What could not be read.
    pub fn gaps(&self) -> impl Iterator<Item = Gap> {
        let duplicates = self.index.duplicates.iter().filter_map(|place| {
            let (declared, block) = self.at(*place)?;
            let Declared::Resource(mode, kind, name) = declared else { return None };
            let word = if *mode == Mode::Data { "data" } else { "resource" };
            let reason =
                format!("Duplicate {word} {kind:?} configuration: {kind}.{name} was already declared");
            Some(Gap {
                kind: GapKind::Reference,
                path: self.parts.get(place.0 as usize)?.source.path().to_string(),
                at: Some(block.place(block.block().header)),
                reason,
                hint: String::new(),
                count: 1,
                module: None,
            })
        });
        let parts = self.parts.iter().flat_map(|part| part.gaps.iter());
        self.unread.iter().chain(parts).cloned().chain(duplicates)
    }

    /// The names that are declared otherwise, or elsewhere, than in `old`.
    pub(super) fn changes(&self, old: &Self) -> Vec<Declared> {
        let mut changed = Vec::new();
        let mut pairs = self.parts.iter().zip(&old.parts);
        if self.parts.len() == old.parts.len()
            && pairs.all(|(new, old)| new.source.path() == old.source.path())
        {
            for (new, old) in self.parts.iter().zip(&old.parts).filter(|(new, old)| !Arc::ptr_eq(new, old)) {
                new.changes(old, &mut changed);
            }
        } else {
            let is_in =
                |part: &Arc<Part>, others: &[Arc<Part>]| others.iter().any(|other| Arc::ptr_eq(part, other));
            let only_new = self.parts.iter().filter(|part| !is_in(part, &old.parts));
            let only_old = old.parts.iter().filter(|part| !is_in(part, &self.parts));
            let all = only_new.chain(only_old).flat_map(|part| part.declarations.iter());
            changed.extend(all.map(|(declared, _)| declared.clone()));
        }
        if changed.iter().any(|declared| matches!(declared, Declared::Output(_))) {
            changed.push(Declared::any_output());
        }
        changed
    }

    /// The literal `source` of a module call, where it is one.
    #[must_use]
    pub fn source_of(call: &BlockRef) -> Option<&str> {
        match call.block().body.attribute("source").map(|attribute: &Attribute| &attribute.value.kind) {
            Some(ExprKind::String(text)) => Some(text),
            _ => None,
        }
    }
}
