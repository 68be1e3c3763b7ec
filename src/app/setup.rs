//! How the program was started: what stays as it is, and what the user may change later.

use crate::columns::Column;
use crate::model::{ProcId, Scope};
use crate::policy::Policy;
use crate::rows::arrange::Sort;
use crate::rows::filter::Filter;
use crate::units::Millis;

/// The values of the command line.
#[derive(Clone)]
pub struct Setup {
    /// doomtop itself; pid 0 when a recording is shown.
    pub own: ProcId,
    /// Whether it may act.
    pub acting: ActingMode,
    /// The policy that ranks.
    pub policy: &'static dyn Policy,
    /// The domain whose processes are ranked.
    pub scope: Scope,
    /// Columns named by the user.
    pub columns: Option<Vec<&'static Column>>,
    /// The first filter.
    pub filter: Filter,
    /// The first order; by badness where there is none.
    pub sort: Option<Sort>,
    /// Time between samples.
    pub delay: Millis,
    /// Seconds that local time is ahead of UTC.
    pub utc_offset: i32,
    /// A live machine, not a recording.
    pub live: bool,
}

/// Whether doomtop may act at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ActingMode {
    /// As far as the kernel permits.
    #[default]
    Free,
    /// `--dry-run`: everything is checked, and nothing is done.
    Rehearsal,
    /// `--read-only`.
    ReadOnly,
    /// A recording is shown.
    NotReal,
    /// The recording that comes with the program is shown. Dialogs open and say what they would do; every
    /// act is refused.
    Demo,
    /// Another tree than this machine's own `/proc` is shown.
    Elsewhere,
}

/// What never changes while the program runs.
#[derive(Clone, Copy, Debug)]
pub struct StartOptions {
    /// doomtop itself; pid 0 when a recording is shown.
    pub own: ProcId,
    /// Whether it may act.
    pub acting: ActingMode,
    /// Seconds that local time is ahead of UTC.
    pub utc_offset: i32,
    /// A live machine, not a recording.
    pub live: bool,
}

/// What the user may change.
#[derive(Clone)]
pub struct Settings {
    /// The policy that ranks.
    pub policy: &'static dyn Policy,
    /// The site's own policy, where one was loaded.
    pub(crate) site_policy: Option<&'static dyn Policy>,
    /// The domain whose processes are ranked.
    pub scope: Scope,
    /// Columns named by the user.
    pub columns: Option<Vec<&'static Column>>,
    /// Time between samples.
    pub delay: Millis,
}
