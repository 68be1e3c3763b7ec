//! The views (Processes, Cgroups, Verdicts, Memory, Events): the state of each.

pub mod cgroups;
pub mod click_target;
pub mod display;
pub mod events;
pub mod kill_banner;
pub mod kind;
pub mod last_frame;
pub mod list_cursor;
pub mod memory;
pub mod struck_row;
pub mod table;
pub mod verdicts;

use crate::app::view::cgroups::CgroupsView;
use crate::app::view::events::EventsView;
use crate::app::view::kind::ViewKind;
use crate::app::view::memory::MemoryView;
use crate::app::view::verdicts::VerdictsView;

/// The view on the screen, and the state of those beside the table of processes.
#[derive(Clone, Debug, Default)]
pub struct Views {
    /// Which one is on the screen.
    pub kind: ViewKind,
    /// Memory cgroups.
    pub cgroups: CgroupsView,
    /// The verdicts of all policies.
    pub verdicts: VerdictsView,
    /// The machine's memory over time.
    pub memory: MemoryView,
    /// OOM events.
    pub events: EventsView,
}
