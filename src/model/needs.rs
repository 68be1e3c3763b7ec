//! Which facts a sample must contain.

use crate::model::ProcId;

/// Which facts a look must bring. What nobody needs is not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// `/proc/PID/status`: swap, page tables, users, capabilities, exact sizes.
    pub status: bool,
    /// `/proc/PID/cgroup`.
    pub cgroup: bool,
    /// `/proc/PID/cmdline` inside the look. Only where nobody waits for a ranking (batch, JSON).
    pub cmdline: bool,
    /// Programs, working directories and environments, as far as an installed killer has rules on them.
    pub exe_cwd_environ: bool,
    /// How much of the memory cgroups.
    pub cgroups: CgroupNeeds,
    /// Whose `oom_score` to read beside the rest.
    pub scores: Scores,
    /// Whose files to keep open: the top of the ranking, best first.
    pub keep: Vec<ProcId>,
}

/// Whose `oom_score` to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scores {
    /// The processes whose files are kept open, these ones, and a rotating few of the rest.
    Some(Vec<ProcId>),
    /// Every process.
    All,
    /// None.
    #[default]
    None,
}

impl Needs {
    /// Everything that a ranking and a full table can use, for one thorough look.
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
        }
    }
}

/// How much of the memory cgroups a look brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CgroupNeeds {
    /// Nothing.
    #[default]
    Nothing,
    /// Every group's limits now and then, and how full the limited ones are: which wall is near.
    Limits,
    /// Everything about every group.
    Everything,
}
