//! What a verdict was made from, so that an edit judges again only what it may change.

use std::cell::RefCell;

use auditlint_graph::{Slot, Target};
use auditlint_syntax::Name;
use rustc_hash::{FxHashMap, FxHashSet};

use super::joins::JoinId;

/// Something that was looked at beyond the judged resource itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Read {
    /// Another resource.
    Resource(Slot),
    /// Which resources of a type there are.
    Kind(Name),
    /// What each resource of a type holds.
    Contents(Name),
    /// Which instances a block has.
    Instances(Target),
    /// Which resources of a type have that text as that attribute.
    Literal(Name, Name, Name),
    /// Who names that block by a joining attribute.
    Named(JoinId, Target),
    /// Who names that text by a joining attribute.
    Text(JoinId, Name),
    /// Of whom nobody knows yet whom they name.
    Open(JoinId),
    /// What could not be read.
    Gaps,
    /// The flow through a station.
    Flow(Slot),
}

/// The reads of one computation.
pub(crate) type Reads = RefCell<FxHashSet<Read>>;

/// What was computed of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Where its logs go.
    Flow,
    /// The verdicts on it.
    Verdict,
}

/// A computation.
pub(crate) type Reader = (Slot, Stage);

/// Who read what.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    by_read: FxHashMap<Read, FxHashSet<Reader>>,
    reads: FxHashMap<Reader, Box<[Read]>>,
}

impl Readers {
    /// `reader` was computed from these reads, and from none of those before.
    pub(crate) fn set(&mut self, reader: Reader, reads: Reads) {
        self.forget(reader);
        let reads: Box<[Read]> = reads.into_inner().into_iter().collect();
        for read in &reads {
            self.by_read.entry(read.clone()).or_default().insert(reader);
        }
        if !reads.is_empty() {
            self.reads.insert(reader, reads);
        }
    }

    pub(crate) fn forget(&mut self, reader: Reader) {
        for read in self.reads.remove(&reader).unwrap_or_default() {
            if let Some(readers) = self.by_read.get_mut(&read) {
                readers.remove(&reader);
                if readers.is_empty() {
                    self.by_read.remove(&read);
                }
            }
        }
    }

    /// Whose reads of that stage are among `changed`.
    pub(crate) fn of<'a>(
        &'a self,
        changed: impl IntoIterator<Item = &'a Read>,
        stage: Stage,
    ) -> impl Iterator<Item = Slot> {
        let readers = changed.into_iter().filter_map(|read| self.by_read.get(read)).flatten();
        readers.filter(move |(_, of)| *of == stage).map(|(slot, _)| *slot)
    }
}
