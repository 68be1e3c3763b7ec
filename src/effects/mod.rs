//! HANDS: the only room that changes the world.
//!
//! A wish comes in with the process *as the user saw it*; what goes out says what came of it.
//! [`LiveEffects`] can only be built from a root proven live, so that neither a recording nor a
//! test folder can reach a real process; those get [`NoEffects`]. [`DryRun`] checks all and does nothing.

mod adj;
pub(crate) mod cgroup_kill;
pub(crate) mod dry_run;
pub(crate) mod expedite;
pub(crate) mod live;
pub(crate) mod pending_exit;
pub(crate) mod proc_dir;
pub(crate) mod protection;
pub(crate) mod reap;
mod refuse;
mod signal;
pub(crate) mod sysctl;

pub use crate::effects::dry_run::DryRun;
pub use crate::effects::live::LiveEffects;
pub use refuse::NoEffects;

use std::time::Duration;

use crate::intent::{Intent, Outcome};

/// How often to ask for what became of a fresh signal: fast enough to tell the time that an end took.
const FRESH_PACE: Duration = Duration::from_millis(20);
/// The same for one that has been waited for in vain: nobody sees a quarter of a second there, and a
/// process that never goes must not cost CPU for ever.
const STALE_PACE: Duration = Duration::from_millis(250);
/// When a signal is no longer fresh.
const FRESH_FOR: Duration = Duration::from_secs(5);

/// Hands: they carry out a wish and say what came of it.
pub trait Effects {
    /// Carries out the wish now, without waiting for its consequences.
    fn perform(&mut self, intent: Intent) -> Outcome;

    /// What became of earlier signals since the last call. Never blocks.
    fn settle(&mut self) -> Vec<Outcome>;

    /// Whether a signalled process is still being watched, so that [`Effects::settle`] is worth
    /// calling.
    fn pursuing(&self) -> bool;

    /// How long to wait at most until the next [`Effects::settle`]; nothing where nobody is watched.
    fn pace(&self) -> Option<Duration> {
        self.pursuing().then_some(FRESH_PACE)
    }
}
