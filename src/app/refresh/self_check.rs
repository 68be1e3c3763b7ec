//! The self-check that never stops: the computed `oom_score` beside the kernel's. A disagreement is
//! only called one when a second look, with both numbers read again, confirms it.

use crate::model::{ProcId, Process, Scene};
use crate::policy::{compare, kernel_skips};

/// What the last comparison of a process said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreAgreement {
    /// Both numbers were the same.
    Equal,
    /// They differed once; the next look will tell.
    Suspect,
    /// They differed twice in a row.
    Differs {
        /// What doomtop computed.
        computed: u32,
        /// What the kernel said.
        kernel: u32,
    },
}

/// What is known of one process.
#[derive(Clone, Copy, Debug)]
struct ScoreSeen {
    id: ProcId,
    said: ScoreAgreement,
    /// Whether the next look must compare again.
    again: bool,
}

/// The running count, of the living.
#[derive(Clone, Debug, Default)]
pub struct SelfCheck {
    /// Sorted by pid.
    seen: Vec<ScoreSeen>,
    /// The list of the look before, kept for its room.
    past: Vec<ScoreSeen>,
    differing: usize,
}

impl SelfCheck {
    /// Compares whatever was read afresh, and forgets the dead: both lists are in the order of the
    /// pids, so one walk does it.
    pub fn update(&mut self, scene: &Scene) {
        std::mem::swap(&mut self.seen, &mut self.past);
        self.seen.clear();
        self.differing = 0;
        let mut known = self.past.iter().peekable();
        for process in &scene.now().processes {
            while known.next_if(|seen| seen.id.pid < process.id.pid).is_some() {}
            let before = known.next_if(|seen| seen.id == process.id);
            let Some(seen) = sample(process, scene, before) else { continue };
            self.differing += usize::from(matches!(seen.said, ScoreAgreement::Differs { .. }));
            self.seen.push(seen);
        }
    }

    /// What is known of a process.
    #[must_use]
    pub fn of(&self, id: ProcId) -> Option<ScoreAgreement> {
        let at = self.seen.binary_search_by_key(&id.pid, |seen| seen.id.pid).ok()?;
        Some(self.seen[at]).filter(|seen| seen.id == id).map(|seen| seen.said)
    }

    /// Processes that the next look must compare again.
    pub fn suspects(&self) -> impl Iterator<Item = ProcId> {
        self.seen.iter().filter(|seen| seen.again).map(|seen| seen.id)
    }

    /// How many agree, of how many that were compared.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        (self.seen.len() - self.differing, self.seen.len())
    }
}

/// What is known of a process after this look, if anything.
fn sample(process: &Process, scene: &Scene, before: Option<&ScoreSeen>) -> Option<ScoreSeen> {
    let Some((computed, kernel)) = compare(process, scene) else { return before.copied() };
    let said = match before.map(|seen| seen.said) {
        _ if computed == kernel => ScoreAgreement::Equal,
        Some(ScoreAgreement::Suspect | ScoreAgreement::Differs { .. }) => {
            ScoreAgreement::Differs { computed, kernel }
        }
        _ => ScoreAgreement::Suspect,
    };
    // A 0 spares a process only while it is fresh. Whoever is spared sinks to where scores are seldom
    // read, and would be back on top with the next look: its 0 is asked for until it is none.
    let again = said != ScoreAgreement::Equal || kernel_skips(process, scene);
    Some(ScoreSeen { id: process.id, said, again })
}
