//! The view of verdicts: every policy's opinion side by side, and how each ranks those that matter.
//! Nothing here acts on a process.

use crate::forecast::killer_opinion::KillerOpinion;
use crate::model::ProcId;
use crate::rank::Ranking;

/// A process that matters to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerdictRow {
    /// Who.
    pub id: ProcId,
    /// Its position in the snapshot.
    pub at: usize,
    /// The best rank that any policy shown gives it; 0 where it dies in another's place.
    pub best: u32,
}

/// The view: its lines and rows, and where the cursor stands.
#[derive(Clone, Debug, Default)]
pub struct VerdictsView {
    /// A line for each policy, in the order of the table.
    pub lines: Vec<KillerOpinion>,
    /// Those that matter to any policy shown, in the order of the current one.
    pub rows: Vec<VerdictRow>,
    /// The order by the policy under the cursor.
    pub ranking: Ranking,
    /// Without the policies that agree with the current one.
    pub hide: bool,
    /// How many were left out for that.
    pub hidden: usize,
    /// The cursor's line.
    pub cursor: usize,
    /// The first line on the screen.
    pub top: usize,
    /// So many columns of ranks were scrolled off; nothing: as the cursor needs it.
    pub skipped: Option<usize>,
    /// The policy that the cursor holds to, once it was moved.
    pub(crate) held: Option<&'static str>,
}
