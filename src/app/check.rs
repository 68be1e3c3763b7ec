//! The self-check that never stops: the computed `oom_score` beside the kernel's. A disagreement is
//! only called one when a second look, with both numbers read again, confirms it.

use std::collections::HashMap;

use crate::model::{ProcId, Process, Scene};
use crate::policy::kernel_score;

/// What the last comparison of a process said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
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

/// The running count.
#[derive(Clone, Debug, Default)]
pub struct SelfCheck {
    seen: HashMap<ProcId, Agreement>,
    looks: u32,
    differing: usize,
}

/// Every so many looks the dead are forgotten.
const SWEEP: u32 = 16;

/// The comparison of one process, if its two numbers were read together: computed, then the
/// kernel's. Both are 0 for a process that the kernel skips (a vfork child, or already reaped).
#[must_use]
pub fn compare(process: &Process, scene: &Scene) -> Option<(u32, u32)> {
    let kernel = process.score.value().filter(|_| process.score_fresh)?;
    Some((kernel_score(process, scene), kernel))
}

impl SelfCheck {
    /// Compares whatever was read afresh.
    pub fn update(&mut self, scene: &Scene) {
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(SWEEP) {
            self.seen.retain(|&id, _| scene.find(id).is_some());
        }
        for process in &scene.now().processes {
            let Some((computed, kernel)) = compare(process, scene) else { continue };
            let before = self.seen.get(&process.id);
            let now = match before {
                _ if computed == kernel => Agreement::Equal,
                Some(Agreement::Suspect | Agreement::Differs { .. }) => {
                    Agreement::Differs { computed, kernel }
                }
                _ => Agreement::Suspect,
            };
            self.seen.insert(process.id, now);
        }
        let differs = |agreement: &&Agreement| matches!(agreement, Agreement::Differs { .. });
        self.differing = self.seen.values().filter(differs).count();
    }

    /// What is known of a process.
    #[must_use]
    pub fn of(&self, id: ProcId) -> Option<Agreement> {
        self.seen.get(&id).copied()
    }

    /// Processes that the next look must compare again.
    pub fn suspects(&self) -> impl Iterator<Item = ProcId> {
        let doubtful = |agreement: &Agreement| *agreement != Agreement::Equal;
        self.seen.iter().filter(move |(_, agreement)| doubtful(agreement)).map(|(&id, _)| id)
    }

    /// How many agree, of how many that were compared.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        (self.seen.len() - self.differing, self.seen.len())
    }
}
