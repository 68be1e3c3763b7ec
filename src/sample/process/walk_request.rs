//! What one walk over all processes must read.

use crate::model::{CgroupNeeds, Needs, ProcId, Scores};
use crate::sample::cgroup::group_members::GroupMembers;
use crate::units::Kib;

/// What the machine's own files say that decides what a walk must read.
#[derive(Clone, Copy, Debug, Default)]
pub struct WalkCounters {
    /// Pages swapped in and out since boot.
    pub swap_traffic: u64,
    /// RAM and swap, which each score is a share of.
    pub total: Kib,
    /// Pages that processes can have gained since boot, if that is known.
    pub gained_pages: Option<u64>,
    /// The pid that was given away last, if that is known.
    pub last_pid: Option<i32>,
}

/// What a walk must read. Set again for each walk, to reuse its allocations.
#[derive(Debug, Default)]
pub struct WalkRequest {
    pub(crate) status: bool,
    pub(crate) cgroup: bool,
    /// Whether all cgroups are read in each walk: they decide which processes an OOM of a cgroup
    /// can kill.
    pub(crate) members: bool,
    /// What the lists of the cgroups say of that, as far as they were read.
    pub(crate) group_members: GroupMembers,
    pub(crate) cmdline: bool,
    pub(crate) scores: bool,
    /// Whether the score of each process is needed. It is read again where the process changed, where pages were
    /// swapped, and in turn.
    pub(crate) all_scores: bool,
    /// Whether all scores are read again, to be compared with the sizes of the same moment.
    pub(crate) scores_anew: bool,
    /// Sorted, as the next three.
    pub(crate) listed: Vec<ProcId>,
    /// The top of the ranking.
    pub(crate) top: Vec<ProcId>,
    pub(crate) kept: Vec<ProcId>,
    pub(crate) unopened: Vec<ProcId>,
    /// Pages swapped in and out since boot.
    pub(crate) swap_traffic: u64,
    /// [`WalkCounters::total`] of the walk before.
    pub(crate) total: Option<Kib>,
    /// [`Needs::lead`], and the pages that processes can have gained since boot.
    pub(crate) lead: Option<(u64, u64)>,
    /// The pid that was given away last.
    pub(crate) last_pid: Option<i32>,
}

impl WalkRequest {
    /// Takes the needs of a sample. The processes in `kept` are read elsewhere, through open files;
    /// the files of those in `unopened` are to be opened; both are sorted. `counters` are those of
    /// the same sample.
    pub fn set(
        &mut self,
        needs: &Needs,
        kept: impl Iterator<Item = ProcId>,
        unopened: impl Iterator<Item = ProcId>,
        counters: WalkCounters,
    ) {
        self.status = needs.status;
        self.members = needs.cgroups == CgroupNeeds::Everything;
        self.cgroup = needs.cgroup || self.members;
        self.cmdline = needs.cmdline;
        self.scores = needs.scores != Scores::None;
        let had = self.total.replace(counters.total);
        let is_other_total = had.is_some_and(|had| had != counters.total);
        self.scores_anew =
            needs.scores == Scores::All || is_other_total && needs.scores == Scores::Changed;
        self.all_scores = self.scores_anew || needs.scores == Scores::Changed;
        self.listed.clear();
        if let Scores::Some(listed) = &needs.scores {
            self.listed.extend_from_slice(listed);
            self.listed.sort_unstable();
        }
        self.top.clear();
        self.top.extend_from_slice(&needs.keep);
        self.top.sort_unstable();
        self.kept.clear();
        self.kept.extend(kept);
        self.unopened.clear();
        self.unopened.extend(unopened);
        self.swap_traffic = counters.swap_traffic;
        self.lead = needs.lead.map(|pages| pages.0).zip(counters.gained_pages);
        self.last_pid = counters.last_pid;
    }

    /// Adds what [`calibrate`](crate::sample::machine::oom_score_scale::calibrate) needs.
    pub fn for_calibration(&mut self) {
        self.status = true;
        self.scores = true;
        self.all_scores = true;
        self.scores_anew = true;
        self.lead = None;
    }
}
