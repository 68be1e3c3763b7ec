//! The page of commitments: its rows, and what was read of the memory of processes.

use std::collections::HashMap;

use crate::forecast::commitments;
use crate::model::{MemoryBreakdown, ProcId, Reading, Scene};
use crate::units::Millis;

/// A breakdown is read again when it is this old.
const MAX_AGE: Millis = Millis(10_000);

/// What the page shows.
#[derive(Clone, Debug, Default)]
pub struct CommitmentsPage {
    /// The processes, the one that can still use most of its commitments first.
    pub rows: Vec<ProcId>,
    /// What was read, and when it was asked for.
    read: HashMap<ProcId, (Reading<MemoryBreakdown>, Millis)>,
}

impl CommitmentsPage {
    /// The breakdown of a process's memory, as far as it was read.
    #[must_use]
    pub fn holding(&self, id: ProcId) -> Reading<MemoryBreakdown> {
        self.read.get(&id).map_or(Reading::NotAsked, |(holding, _)| *holding)
    }

    /// Sorts the rows for a new sample and forgets the processes that exited.
    pub(crate) fn renew(&mut self, scene: &Scene) {
        self.read.retain(|&id, _| scene.find(id).is_some());
        self.rows = commitments::processes(scene.now(), |id| self.holding(id));
    }

    /// The processes among the `count` rows from `top` on whose breakdown must be read now. They count
    /// as asked for from then on.
    pub(crate) fn wanted(&mut self, top: usize, count: usize, now: Millis) -> Vec<ProcId> {
        let shown: Vec<ProcId> = self.rows.iter().skip(top).take(count).copied().collect();
        self.wanted_of(shown, now)
    }

    /// The same of these processes.
    pub(crate) fn wanted_of(&mut self, mut wanted: Vec<ProcId>, now: Millis) -> Vec<ProcId> {
        wanted.retain(|id| {
            let asked = self.read.get(id);
            asked.is_none_or(|&(_, at)| now.saturating_sub(at) >= MAX_AGE)
        });
        for &id in &wanted {
            let known = self.holding(id);
            self.read.insert(id, (known, now));
        }
        wanted
    }

    /// Takes the breakdowns that were read. The rows keep their order until the next sample.
    pub(crate) fn take(&mut self, found: Vec<(ProcId, Reading<MemoryBreakdown>)>) {
        for (id, holding) in found {
            if let Some(entry) = self.read.get_mut(&id) {
                entry.0 = holding;
            }
        }
    }
}
