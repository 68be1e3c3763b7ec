//! Carries out intents: the only room that changes the system.
//!
//! An intent comes in with the process *as the user saw it*; an outcome goes out. The order is always
//! the same: pin the process (a pidfd, its `/proc` directory), compare its identity, act, read back.
//!
//! [`LiveEffects`] can only be built from a root that is proven live, so neither a recording nor a test
//! directory can reach a real process; those get [`NoEffects`]. [`DryRun`] makes every check and does
//! nothing.

mod adj;
pub(crate) mod cgroup_kill;
pub(crate) mod dry_run;
pub(crate) mod expedite;
pub(crate) mod kill_guard;
pub(crate) mod live;
mod no_effects;
pub mod own_adj;
pub(crate) mod pending_exit;
pub(crate) mod proc_dir;
pub(crate) mod reap;
pub mod run_cgroup;
pub mod run_process;
mod signal;
pub(crate) mod sysctl;

pub use crate::effects::dry_run::DryRun;
pub use crate::effects::live::LiveEffects;
pub use no_effects::NoEffects;

use std::time::Duration;

use crate::intent::{Intent, Outcome};

/// Interval of [`Effects::settle`] after a recent signal: short enough to measure the time to the exit.
const FRESH_PACE: Duration = Duration::from_millis(20);
/// Interval of [`Effects::settle`] after an old signal: a process that never exits must not cost CPU for
/// ever.
const STALE_PACE: Duration = Duration::from_millis(250);
/// Age at which a signal counts as old.
const FRESH_FOR: Duration = Duration::from_secs(5);

/// Carries out intents.
pub trait Effects {
    /// Carries out the intent now, without waiting for its consequences.
    fn perform(&mut self, intent: Intent) -> Outcome;

    /// What came of earlier signals since the last call. Never blocks.
    fn settle(&mut self) -> Vec<Outcome>;

    /// Whether a signalled process is still watched, so that [`Effects::settle`] has to be called.
    fn has_pending(&self) -> bool;

    /// Maximum time until the next [`Effects::settle`]; `None` if no process is watched.
    fn pace(&self) -> Option<Duration> {
        self.has_pending().then_some(FRESH_PACE)
    }
}
