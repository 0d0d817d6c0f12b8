//! Random numbers that are the same on every machine: inputs of benchmarks differ by their seed alone.

/// A stream of numbers (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    /// The stream of the `index`th thing under a seed, whichever others were made before it.
    pub(crate) fn of(seed: u64, index: usize) -> Self {
        let mut random = Self(seed ^ (index as u64).wrapping_mul(0xd134_2543_de82_ef95));
        random.next();
        random
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of `from..to`.
    pub(crate) fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from)
    }

    /// True in that many of a hundred cases.
    pub(crate) fn percent(&mut self, of_hundred: u64) -> bool {
        self.between(0, 100) < of_hundred
    }

    /// One of the choices.
    pub(crate) fn choose<T: Copy>(&mut self, choices: &[T], otherwise: T) -> T {
        let at = self.between(0, choices.len().max(1) as u64);
        usize::try_from(at).ok().and_then(|at| choices.get(at)).copied().unwrap_or(otherwise)
    }

    /// One of the choices, each as often as its weight says.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(T, u64)], otherwise: T) -> T {
        let total: u64 = choices.iter().map(|(_, weight)| weight).sum();
        let mut at = self.between(0, total.max(1));
        for (choice, weight) in choices {
            if at < *weight {
                return *choice;
            }
            at -= weight;
        }
        otherwise
    }
}
