//! When samples are taken, which one is shown, and how the computed scores compare with the kernel's.

pub mod next_death_forecasters;
pub mod pace;
pub mod playback;
pub mod self_check;
pub mod showing;

use std::collections::HashMap;

use crate::alarm::Alarms;
use crate::app::refresh::next_death_forecasters::DeathTracking;
use crate::app::refresh::pace::Pace;
use crate::app::refresh::self_check::SelfCheck;
use crate::model::{Comm, ProcId, Scene};
use crate::units::Millis;

/// What follows each new sample, whatever the screen shows.
#[derive(Default)]
pub struct Refresh {
    /// When the next sample is taken.
    pub pace: Pace,
    /// Computed scores compared with the kernel's.
    pub self_check: SelfCheck,
    /// What predicts the next death.
    pub deaths: DeathTracking,
    /// The alarms of `--alarm`.
    pub alarms: Alarms,
    /// Why no further sample will come.
    pub lost: Option<String>,
    /// When a sample was asked for because of a kill.
    pub(in crate::app) sampled_after_kill: Option<Millis>,
    /// Kills that the kernel had counted when the program started.
    pub kills_at_start: Option<u64>,
    /// The newest sample, while the screen shows something else: alarms use it.
    pub(crate) unshown: Option<Scene>,
    /// The processes whose command line was asked for, with the name that they had then.
    pub(crate) commands_asked: HashMap<ProcId, Comm>,
}
