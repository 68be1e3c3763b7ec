//! How the program was started.

use crate::columns::Column;
use crate::model::{ProcId, Scope};
use crate::policy::Policy;
use crate::rows::arrange::Sort;
use crate::rows::filter::Filter;
use crate::units::Millis;

/// How the program was started.
#[derive(Clone)]
pub struct Setup {
    /// doomtop itself; pid 0 when what is shown is a recording.
    pub own: ProcId,
    /// Whether it may act.
    pub acting: ActingMode,
    /// Whose rule ranks.
    pub policy: &'static dyn Policy,
    /// The domain to look at.
    pub scope: Scope,
    /// Columns named by the user.
    pub columns: Option<Vec<&'static Column>>,
    /// A filter to begin with.
    pub filter: Filter,
    /// An order to begin with.
    pub sort: Option<Sort>,
    /// Time between looks.
    pub delay: Millis,
    /// Seconds that local time is ahead of UTC.
    pub utc_offset: i32,
    /// A live machine, not a recording.
    pub live: bool,
}

/// Whether doomtop may act at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ActingMode {
    /// As far as the kernel lets it.
    #[default]
    Free,
    /// `--dry-run`: everything is checked and nothing is done.
    Rehearsal,
    /// `--read-only`.
    ReadOnly,
    /// What is shown is a recording.
    NotReal,
    /// What is shown is the recording that comes with the program: dialogs open, and say what they would
    /// do; the hands refuse.
    Demo,
    /// What is shown is another tree than this machine's own `/proc`.
    Elsewhere,
}
