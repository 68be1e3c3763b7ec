//! The view Verdicts: the opinion of every policy, and the rank that each gives to the processes that
//! matter.

use crate::app::view::list_cursor::ListCursor;
use crate::forecast::killer_here;
use crate::forecast::killer_verdict::KillerOpinion;
use crate::model::{ProcId, Scene};
use crate::rank::Ranking;

/// A process that a policy would kill early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerdictRow {
    /// The process.
    pub id: ProcId,
    /// Its position in the snapshot.
    pub at: usize,
    /// The best rank that any policy shown gives it; 0 where it dies in another's place.
    pub best: u32,
}

/// What the view shows.
#[derive(Clone, Debug, Default)]
pub struct VerdictsView {
    /// A line for each policy: first those that act here, the running kernel on top.
    pub lines: Vec<KillerOpinion>,
    /// The processes that matter to any policy shown, in the order of the current one.
    pub rows: Vec<VerdictRow>,
    /// The ranking by the policy under the cursor.
    pub ranking: Ranking,
    /// Without the policies that agree with the current one.
    pub hide: bool,
    /// Number of policies that were left out for that.
    pub hidden: usize,
    /// With the rules of past kernels.
    pub past: bool,
    /// Number of past kernels that were left out.
    pub folded: usize,
    /// The cursor.
    pub cursor: ListCursor,
    /// Number of columns of ranks that were scrolled off; nothing: as the cursor needs it.
    pub skipped: Option<usize>,
    /// The policy that the cursor follows, once it was moved.
    pub(crate) held: Option<&'static str>,
}

impl VerdictsView {
    /// Takes the opinions of the policies shown on a sample that `current` ranks as `ranking`.
    pub(crate) fn arrange(
        &mut self,
        mut lines: Vec<KillerOpinion>,
        current: &'static str,
        scene: &Scene,
        ranking: &Ranking,
    ) {
        let all = lines.len();
        if self.hide
            && let Some(own) = lines.iter().find(|it| it.policy.id() == current).cloned()
        {
            lines.retain(|it| it.policy.id() == current || !it.agrees_with(&own));
        }
        self.hidden = all - lines.len();
        lines.sort_by_key(|it| killer_here::place(it.policy.info().kind, it.here));
        self.rows = rows(&lines, scene);
        self.rows.sort_by_key(|row| ranking.place(row.at).map_or(usize::MAX, |(place, _)| place));
        self.lines = lines;
        let held = self.held.unwrap_or(current);
        let at = self.lines.iter().position(|it| it.policy.id() == held);
        self.cursor.at = at.unwrap_or(self.cursor.at).min(self.lines.len().saturating_sub(1));
    }
}

/// The processes that any of these policies would kill early.
fn rows(lines: &[KillerOpinion], scene: &Scene) -> Vec<VerdictRow> {
    let mut rows: Vec<VerdictRow> = Vec::new();
    let mut add = |id: ProcId, rank: u32| match rows.iter_mut().find(|it| it.id == id) {
        Some(row) => row.best = row.best.min(rank),
        None => {
            let at = scene.now().position(id.pid);
            rows.extend(at.map(|at| VerdictRow { id, at, best: rank }));
        }
    };
    for line in lines {
        line.first.iter().zip(1..).for_each(|(&id, rank)| add(id, rank));
        if let Some((other, _)) = line.instead {
            add(other, 0);
        }
    }
    rows
}
