//! The row of a process that was killed a moment ago: it stays in the table for a while, struck through.

use crate::model::ProcId;
use crate::units::Millis;

/// A killed process stays in the table for this long after the first sample without it.
pub const STRUCK_FOR: Millis = Millis(10_000);

/// Maximum number of such rows.
pub const MAX_STRUCK: usize = 16;

/// The row of a killed process, as it was in the last sample with it.
#[derive(Clone, Debug)]
pub struct StruckRow {
    /// The number of the event.
    pub event: u64,
    /// The process.
    pub id: ProcId,
    /// Its line in the table.
    pub place: usize,
    /// When the first sample without it was taken, in milliseconds since 1970, UTC.
    pub(crate) gone_at: i64,
    /// What the table was narrowed to.
    pub(crate) narrowed: (String, Option<String>),
    /// Its cells, by the id of their column.
    pub cells: Vec<(&'static str, String)>,
}

impl StruckRow {
    /// The cell of a column.
    #[must_use]
    pub fn cell(&self, column: &str) -> &str {
        self.cells.iter().find(|(id, _)| *id == column).map_or("", |(_, text)| text)
    }
}
