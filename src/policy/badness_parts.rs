//! The badness of a process as three parts that add up to it: memory, swap and adj.

use crate::policy::badness::{Badness, TermNote};
use crate::units::Points;

/// Three parts that add up to the badness. Only rules that add memory, swap and adj have them: the
/// kernel's since 3.5, and rules by resident memory alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BadnessParts {
    /// Resident memory and page tables.
    pub memory: Points,
    /// Swapped-out memory.
    pub swap: Points,
    /// What `oom_score_adj` adds or takes away, with what root is favoured by (up to 4.16). Where the rule
    /// has a minimum (up to 5.8), what it really took away.
    pub adj: Points,
}

impl BadnessParts {
    /// The parts of a badness; nothing where it has other terms.
    #[must_use]
    pub fn of(badness: &Badness) -> Option<Self> {
        let mut parts = Self::default();
        for term in badness.terms.as_slice() {
            let part = match (term.name, term.note) {
                ("rss" | "pgtables", _) => &mut parts.memory,
                ("swap", _) => &mut parts.swap,
                ("adj", TermNote::Adj { .. }) | ("root" | "floor", _) => &mut parts.adj,
                _ => return None,
            };
            *part += term.points;
        }
        (!badness.terms.as_slice().is_empty()).then_some(parts)
    }

    /// Their sum: the badness.
    #[must_use]
    pub fn sum(self) -> Points {
        self.memory + self.swap + self.adj
    }
}
