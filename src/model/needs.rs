//! Which facts a sample must contain.

use crate::model::ProcId;
use crate::units::Pages;

/// Which facts a sample must contain. Facts that nothing needs are not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// `/proc/PID/status`: swap, page tables, user ids, capabilities, exact sizes.
    pub status: bool,
    /// `/proc/PID/cgroup`.
    pub cgroup: bool,
    /// `/proc/PID/cmdline`, read as part of the sample. Only where no user waits for a ranking
    /// (batch, JSON): reading it may block.
    pub cmdline: bool,
    /// Programs, working directories and environments, as far as the rules of an installed killer
    /// test them.
    pub exe_cwd_environ: bool,
    /// How much of the memory cgroups.
    pub cgroups: CgroupNeeds,
    /// The processes whose `oom_score` is read.
    pub scores: Scores,
    /// The processes whose files are kept open: the top of the ranking, best first.
    pub keep: Vec<ProcId>,
    /// Those that may die next, the likeliest first: of them it is read what they gave back with `MADV_FREE`.
    pub may_die: Vec<ProcId>,
    /// How many pages every other process must gain before it can be one of the first two. While nobody can
    /// have gained as much, and as long as it has not run, `stat` of a process that did nothing lately is read only in
    /// every fourth sample. `None`: every process is read in every sample.
    pub lead: Option<Pages>,
}

/// The processes whose `oom_score` is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scores {
    /// The processes whose files are kept open, the processes of this list, and a rotating
    /// sixteenth of the rest.
    Some(Vec<ProcId>),
    /// Every process: read again where it changed, where pages were swapped or the size of RAM and
    /// swap changed, and of the rest a rotating part. The
    /// score of a process that did not change is that of an earlier sample, and still true.
    Changed,
    /// Every process, at the time of this sample.
    All,
    /// No process.
    #[default]
    None,
}

impl Needs {
    /// Every fact that a ranking and a full table can use.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            status: true,
            cgroup: true,
            cmdline: true,
            exe_cwd_environ: true,
            cgroups: CgroupNeeds::Everything,
            scores: Scores::All,
            keep: Vec::new(),
            may_die: Vec::new(),
            lead: None,
        }
    }
}

/// How much of the memory cgroups a sample contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CgroupNeeds {
    /// Nothing.
    #[default]
    Nothing,
    /// The limits of every group every few samples, and the usage of the limited groups in each
    /// sample.
    Limits,
    /// Every fact of every group.
    Everything,
}
