//! What stands at a place of the screen, for the mouse. A row is named by what it shows, not by its number:
//! between the frame and the click the rows may have moved.

use std::sync::Arc;

use crate::app::incident::entry::TimelineEntry;
use crate::app::keymap::bindings::Key;
use crate::app::view::kind::ViewKind;
use crate::model::{ProcId, Text};

/// What stands at a place of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClickTarget {
    /// The rows of the view, also where they end before the screen does: the wheel scrolls them.
    List,
    /// A row of the view.
    Row(RowIdentity),
    /// The heading of the column of this name.
    Column(&'static str),
    /// The name of a view.
    View(ViewKind),
    /// A key of the function bar.
    Key(Key),
    /// A line of the open menu, counted among the lines that match.
    MenuLine(usize),
}

/// What a row shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowIdentity {
    /// A process.
    Process(ProcId),
    /// A cgroup by its path; nothing is the machine.
    Cgroup(Option<Arc<Text>>),
    /// A policy by its name.
    Policy(&'static str),
    /// A kill, or an act of this session.
    Event(TimelineEntry),
}
