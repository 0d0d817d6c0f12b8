//! Where values were written: in a file, in a plan, by the provider, or from others.

use std::sync::Arc;

use auditlint_syntax::{Location, Name};

use crate::{Map, Tracked, Value};

/// Where a value was written.
#[derive(Clone, Debug, Default)]
pub enum Origin {
    /// Nowhere in particular.
    #[default]
    Nowhere,
    /// As a literal in a file.
    Written(Location),
    /// As the default of a root variable: a variable file or a plan may still replace it.
    AssumedDefault(Location),
    /// By `--var`, an environment variable or the `variables` of a plan, with the variable's name.
    Given(Box<Name>),
    /// Nowhere: the provider's own default for an attribute that is not set.
    ProviderDefault,
    /// In a plan or state.
    Plan(PlanSection, u32),
    /// By an expression, from others.
    Derived(Arc<Derived>),
}

/// The history of a computed value.
#[derive(Clone, Debug)]
pub struct Derived {
    /// The expression.
    pub at: Location,
    /// The values that went in, those that decide first.
    pub from: Box<[Origin]>,
    assumed: bool,
    size: u32,
}

impl Derived {
    /// Longest history that is kept. It is a tree that shares its branches: whoever walks it visits a branch as
    /// often as it is shared, and a few lines that double each other would keep a walk busy for ever.
    const LONGEST: u32 = 1_000;

    /// The history of what was made at `at` from `from`. Of one that is too long only the two ends stay: where
    /// the value was made, and what decided first.
    #[must_use]
    pub fn new(at: Location, from: Box<[Origin]>) -> Self {
        let size = |origin: &Origin| if let Origin::Derived(derived) = origin { derived.size } else { 1 };
        let assumed = from.iter().any(Origin::is_assumed);
        let total = from.iter().fold(1_u32, |total, origin| total.saturating_add(size(origin)));
        if total <= Self::LONGEST {
            return Self { at, from, assumed, size: total };
        }
        // The second says that others decide as well: the first is not the only literal behind the value.
        let first = from.first().map(|first| first.decisive().clone()).unwrap_or_default();
        Self { at, from: Box::new([first, Origin::Nowhere]), assumed, size: 3 }
    }
}

/// A part of a plan's JSON; with an index it gives a JSON pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlanSection {
    /// `/resource_changes/N/change/after`
    ResourceChanges,
    /// `/resource_changes/N/change/after_unknown`: what is known after apply.
    AfterUnknown,
    /// A resource of `/planned_values`, counted in document order.
    PlannedValues,
    /// A resource of `/prior_state/values` or of a state's `/values`, counted in document order.
    State,
}

impl PlanSection {
    /// The JSON pointer of attribute `path` (dots between the steps) of element `index`, or of the deepest part
    /// of it that the document surely holds: `attributes` are those that were read from it.
    #[must_use]
    pub fn pointer(self, index: u32, attributes: &Map, path: &str) -> String {
        match self {
            Self::ResourceChanges | Self::AfterUnknown => {}
            Self::PlannedValues => return "/planned_values".to_owned(),
            // The modules of a state are nested; which of them holds the resource is not kept.
            Self::State => return "/values".to_owned(),
        }
        let mut steps = String::new();
        let mut part = "after";
        let mut map = Some(attributes);
        for name in path.split('.') {
            let Some(value) = map.and_then(|map| map.get(name)) else { break };
            if matches!(value.origin, Origin::Plan(Self::AfterUnknown, _)) {
                part = "after_unknown";
            }
            push_step(&mut steps, name);
            map = match value.value() {
                Value::Map(map) => Some(map),
                // A list that has no origin was made of a single object.
                Value::List(items) => match (&**items, &value.origin) {
                    ([only], Origin::Plan(..)) => {
                        steps.push_str("/0");
                        map_of(only)
                    }
                    ([only], _) => map_of(only),
                    _ => None,
                },
                _ => None,
            };
        }
        format!("/resource_changes/{index}/change/{part}{steps}")
    }
}

fn map_of(value: &Tracked) -> Option<&Map> {
    if let Value::Map(map) = value.value() { Some(map) } else { None }
}

fn push_step(out: &mut String, name: &str) {
    out.push('/');
    out.push_str(&name.replace('~', "~0").replace('/', "~1"));
}

impl Origin {
    /// Where the value stands in the resource that is judged: the expression, not what it was made from.
    #[must_use]
    pub fn at(&self) -> Option<Location> {
        match self {
            Self::Written(at) | Self::AssumedDefault(at) => Some(*at),
            Self::Derived(derived) => Some(derived.at),
            Self::Nowhere | Self::Given(_) | Self::ProviderDefault | Self::Plan(..) => None,
        }
    }

    /// The literal that decides: follows the first input down to what was written.
    #[must_use]
    pub fn decisive(&self) -> &Self {
        let mut origin = self;
        while let Self::Derived(derived) = origin {
            let Some(next) = derived.from.first() else { break };
            origin = next;
        }
        origin
    }

    /// The origin of a value that nothing replaces any more.
    #[must_use]
    pub fn settled(self) -> Self {
        if let Self::AssumedDefault(at) = self { Self::Written(at) } else { self }
    }

    /// Whether any part of it rests on the default of a root variable.
    #[must_use]
    pub fn is_assumed(&self) -> bool {
        match self {
            Self::AssumedDefault(_) => true,
            Self::Derived(derived) => derived.assumed,
            _ => false,
        }
    }
}
