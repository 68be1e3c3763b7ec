//! What was done in this session.

pub mod bulk_result;
pub mod journal;
pub mod notice;
pub mod pending_exit;
pub mod protection;
pub mod sysctl_history;

use crate::app::adj_rules::rules::ActiveRules;
use crate::app::session::journal::Journal;
use crate::app::session::pending_exit::CgroupReturn;
use crate::app::session::protection::ProtectionSeen;
use crate::app::session::sysctl_history::SysctlHistory;

/// What was done in this session.
#[derive(Debug, Default)]
pub struct Session {
    /// Every act, and what came of it.
    pub journal: Journal,
    /// What cgroups used before processes of theirs were signalled.
    pub cgroup_returns: Vec<CgroupReturn>,
    /// The sysctl values that were written.
    pub sysctl_history: SysctlHistory,
    /// The protection of doomtop itself.
    pub protection: ProtectionSeen,
    /// The adj rules of `--adj-rules`, once their file was read.
    pub adj_rules: Option<ActiveRules>,
}
