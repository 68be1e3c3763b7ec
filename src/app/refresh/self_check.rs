//! The running self-check: the computed `oom_score` compared with the kernel's. A difference counts only
//! when a second sample, with both numbers read again, confirms it.

use crate::model::{ProcId, Process, Scene};
use crate::policy::{compare, kernel_skips};

/// The result of the last comparison of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreAgreement {
    /// Both numbers are equal.
    Equal,
    /// They differed once. The next sample confirms it or does not.
    Suspect,
    /// They differed twice in a row.
    Differs {
        /// The score that doomtop computed.
        computed: u32,
        /// The score that the kernel reports.
        kernel: u32,
    },
}

/// The comparison of one process.
#[derive(Clone, Copy, Debug)]
struct ScoreSeen {
    id: ProcId,
    said: ScoreAgreement,
    /// Whether the next sample must compare it again.
    again: bool,
}

/// The comparison of all processes.
#[derive(Clone, Debug, Default)]
pub struct SelfCheck {
    /// Sorted by pid.
    seen: Vec<ScoreSeen>,
    /// The list of the sample before, kept for its buffer.
    past: Vec<ScoreSeen>,
    differing: usize,
}

impl SelfCheck {
    /// Compares the scores that were read again, and forgets processes that exited. Both lists are sorted by
    /// pid, so one pass is enough.
    pub fn update(&mut self, scene: &Scene) {
        std::mem::swap(&mut self.seen, &mut self.past);
        self.seen.clear();
        self.differing = 0;
        let mut known = self.past.iter().peekable();
        for process in &scene.now().processes {
            while known.next_if(|seen| seen.id.pid < process.id.pid).is_some() {}
            let before = known.next_if(|seen| seen.id == process.id);
            let Some(seen) = compared(process, scene, before) else { continue };
            self.differing += usize::from(matches!(seen.said, ScoreAgreement::Differs { .. }));
            self.seen.push(seen);
        }
    }

    /// The result for a process.
    #[must_use]
    pub fn of(&self, id: ProcId) -> Option<ScoreAgreement> {
        let at = self.seen.binary_search_by_key(&id.pid, |seen| seen.id.pid).ok()?;
        Some(self.seen[at]).filter(|seen| seen.id == id).map(|seen| seen.said)
    }

    /// Processes that the next sample must compare again.
    pub fn suspects(&self) -> impl Iterator<Item = ProcId> {
        self.seen.iter().filter(|seen| seen.again).map(|seen| seen.id)
    }

    /// The number of processes whose scores agree, and of those that were compared.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        (self.seen.len() - self.differing, self.seen.len())
    }
}

/// The result for a process after this sample, if there is one.
fn compared(process: &Process, scene: &Scene, before: Option<&ScoreSeen>) -> Option<ScoreSeen> {
    let Some((computed, kernel)) = compare(process, scene) else { return before.copied() };
    let said = match before.map(|seen| seen.said) {
        _ if computed == kernel => ScoreAgreement::Equal,
        Some(ScoreAgreement::Suspect | ScoreAgreement::Differs { .. }) => {
            ScoreAgreement::Differs { computed, kernel }
        }
        _ => ScoreAgreement::Suspect,
    };
    // A score of 0 spares a process only while it is fresh. A spared process sinks to where scores are
    // seldom read, so it is compared again until its score is not 0 any more.
    let again = said != ScoreAgreement::Equal || kernel_skips(process, scene);
    Some(ScoreSeen { id: process.id, said, again })
}
