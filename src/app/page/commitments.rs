//! The page of promises: who stands on it, and whose memory is to be read for it.

use std::collections::HashMap;

use crate::app::App;
use crate::app::dialog::mode::Mode;
use crate::forecast::commitments;
use crate::model::{MemoryBreakdown, ProcId, Reading};
use crate::units::Millis;

/// What was read of a process stands for so long.
const FRESH: Millis = Millis(10_000);

/// What the page shows.
#[derive(Clone, Debug, Default)]
pub struct CommitmentsPage {
    /// Who could take most, first.
    pub rows: Vec<ProcId>,
    /// What was read, and when it was asked for.
    read: HashMap<ProcId, (Reading<MemoryBreakdown>, Millis)>,
}

impl CommitmentsPage {
    /// What is known of the memory of a process.
    #[must_use]
    pub fn holding(&self, id: ProcId) -> Reading<MemoryBreakdown> {
        self.read.get(&id).map_or(Reading::NotAsked, |(holding, _)| *holding)
    }
}

impl App {
    /// Opens the page.
    pub(crate) fn open_commitments(&mut self) {
        self.mode = Mode::Commitments(0);
        self.renew_commitments();
    }

    /// Puts the rows in order anew.
    pub(crate) fn renew_commitments(&mut self) {
        let (Mode::Commitments(_), Some(scene)) = (&self.mode, &self.scene) else { return };
        self.commitments.read.retain(|&id, _| scene.find(id).is_some());
        let known = &self.commitments;
        let rows = commitments::processes(scene.now(), |id| known.holding(id));
        self.commitments.rows = rows;
    }

    /// Whose memory should be read now: of those on the screen, and of nobody where the screen shows no
    /// living machine or an earlier look.
    pub fn wanted_breakdowns(&mut self) -> Vec<ProcId> {
        let Mode::Commitments(top) = self.mode else { return Vec::new() };
        if !self.setup.live || self.playback.is_past() {
            return Vec::new();
        }
        let now = self.now;
        let shown = self.commitments.rows.iter().skip(top.into()).take(self.viewport.page.into());
        let stale = |id: &ProcId| {
            let asked = self.commitments.read.get(id);
            asked.is_none_or(|&(_, at)| now.saturating_sub(at) >= FRESH)
        };
        let wanted: Vec<ProcId> = shown.copied().filter(stale).collect();
        for &id in &wanted {
            let known = self.commitments.holding(id);
            self.commitments.read.insert(id, (known, now));
        }
        wanted
    }

    /// Takes what was read. The rows keep their order until the next look.
    pub(crate) fn take_breakdowns(&mut self, found: Vec<(ProcId, Reading<MemoryBreakdown>)>) {
        for (id, holding) in found {
            if let Some(entry) = self.commitments.read.get_mut(&id) {
                entry.0 = holding;
            }
        }
    }
}
