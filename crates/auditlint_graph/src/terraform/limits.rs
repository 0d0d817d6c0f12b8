//! What an expression, a value and a root may cost. Whoever writes a configuration can make a few lines grow
//! without bound; what grows past a limit becomes unknown, with that as its cause, and the rest goes on.
//!
//! All limits are counts, never times: the same texts give the same verdicts on every machine.

use std::cell::Cell;

use auditlint_syntax::Location;

use super::world::World;
use crate::{CauseKind, Gap, GapKind, Tracked, Value};

/// Steps that one expression may take. What a local or a variable takes is its own.
const STEPS: u32 = 100_000;
/// Steps that all expressions of a root may take together.
const ALL_STEPS: u64 = 20_000_000;
/// Heaviest value that is followed, in the units of [`weight`].
const HEAVIEST: usize = 100_000;
/// Deepest value that is followed.
const DEEPEST: u32 = 100;
/// Longest text that is computed.
pub(super) const LONGEST_TEXT: usize = 1 << 20;
/// Most instances of all resources of a root.
const INSTANCES: u64 = 200_000;
/// Most module instances of a root.
pub(super) const MODULES: usize = 5_000;

/// What is left to spend, for a root and for those that it reads together.
pub(super) struct Limits {
    /// Questions that are open, one inside of the other.
    pub(super) depth: Cell<u32>,
    /// Attributes of resources that are evaluated for others, one inside of the other.
    pub(super) attributes: Cell<u32>,
    /// How often an expression was cut off. What was on its way then depends on who asked.
    pub(super) cuts: Cell<u64>,
    steps: Cell<u32>,
    all: Cell<u64>,
    instances: Cell<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: Cell::new(0),
            attributes: Cell::new(0),
            cuts: Cell::new(0),
            steps: Cell::new(STEPS),
            all: Cell::new(ALL_STEPS),
            instances: Cell::new(INSTANCES),
        }
    }
}

impl World<'_> {
    /// Takes `steps`; false when the expression has none left.
    pub(super) fn spend(&self, steps: usize) -> bool {
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        let (own, all) = (self.limits.steps.get(), self.limits.all.get());
        self.limits.steps.set(own.saturating_sub(steps));
        self.limits.all.set(all.saturating_sub(u64::from(steps)));
        steps <= own && u64::from(steps) <= all
    }

    /// Takes the steps of a walk over all of `values`, which costs less than to evaluate them.
    pub(super) fn spend_on<'v>(&self, values: impl IntoIterator<Item = &'v Tracked>) -> bool {
        let left = (self.limits.steps.get() as usize).saturating_mul(16);
        let mut walked = 0_usize;
        for value in values {
            walked = walked.saturating_add(weight(value, left));
            if walked > left {
                break;
            }
        }
        self.spend(walked / 16)
    }

    /// The value of an expression that others refer to, or that becomes an attribute: it has steps of its own,
    /// and is unknown when it is too large to be handed around.
    pub(super) fn bounded(&self, at: Location, ask: impl FnOnce() -> Tracked) -> Tracked {
        let outer = self.limits.steps.replace(STEPS);
        let value = ask();
        self.limits.steps.set(outer);
        if weight(&value, HEAVIEST) <= HEAVIEST {
            return value;
        }
        self.unknown(CauseKind::Function, "a value too large to be followed", "", at).marked(value.sensitive)
    }

    pub(super) fn too_many_steps(&self, at: Location) -> Tracked {
        self.limits.cuts.set(self.limits.cuts.get() + 1);
        self.unknown(CauseKind::Function, "an expression that takes too many steps", "", at)
    }

    pub(super) fn nested_too_deeply(&self, at: Location) -> Tracked {
        self.limits.cuts.set(self.limits.cuts.get() + 1);
        self.unknown(CauseKind::Function, "an expression nested too deeply", "", at)
    }

    /// Whether the root may have `count` more resource instances.
    pub(super) fn has_room_for(&self, count: u64) -> bool {
        let left = self.limits.instances.get();
        if count <= left {
            self.limits.instances.set(left - count);
        }
        count <= left
    }

    /// The gap of what is legal and past a limit.
    pub(super) fn past_limit(&self, at: Location, reason: String) {
        let path = self.path_of(at);
        self.gap(Gap {
            kind: GapKind::Unsupported,
            path,
            at: Some(at),
            reason,
            hint: String::new(),
            count: 1,
            module: None,
        });
    }
}

/// How much there is to walk in a value: its elements, and what its texts and references come to. Stops soon
/// after `limit`.
fn weight(value: &Tracked, limit: usize) -> usize {
    let mut total = 0;
    weigh(value, limit, 0, &mut total);
    total
}

fn weigh(value: &Tracked, limit: usize, depth: u32, total: &mut usize) {
    *total += 1 + value.references().len() * 8;
    if *total > limit {
        return;
    }
    if depth > DEEPEST {
        *total = limit.saturating_add(1);
        return;
    }
    weigh_value(value.value(), limit, depth, total);
}

fn weigh_value(value: &Value, limit: usize, depth: u32, total: &mut usize) {
    let each = |item: &Tracked, total: &mut usize| {
        if *total <= limit {
            weigh(item, limit, depth + 1, total);
        }
    };
    match value {
        Value::String(text) => *total += text.len() / 64,
        Value::List(items) => items.iter().for_each(|item| each(item, total)),
        Value::Map(map) => map.values().for_each(|item| each(item, total)),
        Value::Unknown(unknown) => {
            *total += unknown.prefix.as_ref().map_or(0, |prefix| prefix.len() / 64);
            unknown.one_of.iter().flatten().for_each(|item| each(item, total));
            if let Some(encoded) = &unknown.encoded
                && depth <= DEEPEST
            {
                weigh_value(encoded, limit, depth + 1, total);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
