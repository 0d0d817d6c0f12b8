//! Where the resources of a document stand in it: what makes a JSON pointer of a resource's number.

use crate::{Map, PlanSection};

/// Numbers from here on are those of `deferred_changes`: both sections are lists of changes, and are told apart by
/// their numbers alone.
const DEFERRED: u32 = 1 << 31;

/// The number that stands for element `at` of `deferred_changes`.
pub(super) fn deferred(at: u32) -> u32 {
    at | DEFERRED
}

/// The place in `deferred_changes`, where a number stands for one.
pub(super) fn place_among_deferred(index: u32) -> Option<usize> {
    (index & DEFERRED != 0).then_some((index & !DEFERRED) as usize)
}

/// How a plan or state is laid out. A resource knows only its section and its number in it; what many resources
/// share is kept here, once.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The pointer to the plan inside of a document that wraps it.
    prefix: String,
    /// Each list of resources of a state: the number of its first one, and the pointer to the list.
    lists: Vec<(u32, Box<str>)>,
    /// What leads from a resource of a state to its attributes.
    attributes: &'static str,
}

impl Layout {
    pub(super) fn enter(&mut self, key: &str) {
        self.prefix.push('/');
        self.prefix.push_str(key);
    }

    pub(super) fn leave(&mut self) {
        self.prefix.truncate(self.prefix.rfind('/').unwrap_or(0));
    }

    /// A list at `pointer` whose first resource gets the number `first`, each with its attributes behind
    /// `attributes`.
    pub(super) fn list(&mut self, first: u32, pointer: &str, attributes: &'static str) {
        self.attributes = attributes;
        // A list without a resource has no number of its own.
        if self.lists.last().is_some_and(|(last, _)| *last == first) {
            self.lists.pop();
        }
        self.lists.push((first, pointer.into()));
    }

    /// Forgets the lists of resources: they count for nothing.
    pub(super) fn without_lists(&mut self) {
        self.lists.clear();
    }

    /// The JSON pointer of attribute `path` (dots between the steps) of resource `index` of `section`, or of the
    /// deepest part of it that the document surely holds: `attributes` are those that were read from it.
    #[must_use]
    pub fn pointer(&self, section: PlanSection, index: u32, attributes: &Map, path: &str) -> String {
        let change = PlanSection::ResourceChanges.pointer(0, attributes, path);
        let steps = change.strip_prefix("/resource_changes/0").unwrap_or_default();
        let prefix = &self.prefix;
        if matches!(section, PlanSection::ResourceChanges | PlanSection::AfterUnknown) {
            return match place_among_deferred(index) {
                Some(at) => format!("{prefix}/deferred_changes/{at}/resource_change{steps}"),
                None => format!("{prefix}/resource_changes/{index}{steps}"),
            };
        }
        let at = self.lists.partition_point(|(first, _)| *first <= index);
        match at.checked_sub(1).and_then(|at| self.lists.get(at)) {
            Some((first, list)) => {
                let steps = steps.strip_prefix("/change/after").unwrap_or_default();
                format!("{prefix}{list}/{}/{}{steps}", index - first, self.attributes)
            }
            None => format!("{prefix}{}", section.pointer(index, attributes, path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_found_in_its_list() {
        let mut layout = Layout::default();
        layout.list(0, "/values/root_module/resources", "values");
        // No resource stands in this one.
        layout.list(2, "/values/root_module/child_modules/0/resources", "values");
        layout.list(2, "/values/root_module/child_modules/1/resources", "values");
        let pointer = |index| layout.pointer(PlanSection::State, index, &Map::default(), "");
        assert_eq!(pointer(1), "/values/root_module/resources/1/values");
        assert_eq!(pointer(2), "/values/root_module/child_modules/1/resources/0/values");
        assert_eq!(pointer(5), "/values/root_module/child_modules/1/resources/3/values");
    }

    #[test]
    fn deferred_changes_have_numbers_of_their_own() {
        let mut layout = Layout::default();
        layout.enter("input");
        layout.enter("plan");
        let pointer = |index| layout.pointer(PlanSection::ResourceChanges, index, &Map::default(), "");
        assert_eq!(pointer(3), "/input/plan/resource_changes/3/change/after");
        assert_eq!(pointer(deferred(3)), "/input/plan/deferred_changes/3/resource_change/change/after");
    }
}
