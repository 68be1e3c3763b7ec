//! The table of processes: its lines and its cursor.

use crate::model::ProcId;

/// To what the cursor holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CursorAnchor {
    /// The predicted victim, whoever that is: until it is moved.
    #[default]
    First,
    /// This process, wherever it goes.
    Process(ProcId),
    /// This row, whoever stands there.
    Row(usize),
}
