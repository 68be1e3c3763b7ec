//! Ends what a command left running in its cgroup.

use std::os::fd::OwnedFd;

use super::files::put;
use crate::effects::run_process::{RunProcess, memory_cgroup};
use crate::model::{Hierarchy, is_within};
use crate::sample::cgroup::members;
use crate::sample::proc_root::LiveRoot;

/// How processes are asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndSignal {
    /// SIGTERM.
    Term,
    /// SIGKILL.
    Kill,
}

impl EndSignal {
    /// Its number.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::Term => nix::libc::SIGTERM,
            Self::Kill => nix::libc::SIGKILL,
        }
    }
}

/// Signals every process in a cgroup and below; SIGTERM leaves one out.
pub(super) fn signal(
    root: &LiveRoot,
    (dir, path, hierarchy): (&OwnedFd, &str, Hierarchy),
    signal: EndSignal,
    spared: Option<i32>,
) {
    // One write reaches also those that are invisible from here (5.14 and later).
    if signal == EndSignal::Kill
        && hierarchy == Hierarchy::V2
        && put(dir, "cgroup.kill", "1").is_ok()
    {
        return;
    }
    let is_spared = |pid: i32| signal == EndSignal::Term && spared == Some(pid);
    let members = members::members(dir).unwrap_or_default();
    for pid in members.into_iter().filter(|&pid| !is_spared(pid)) {
        // Pinned first: the pid may belong to another process by now.
        let Some(process) = RunProcess::pin(pid) else { continue };
        let inside = memory_cgroup(root, pid);
        if inside.is_some_and(|inside| is_within(inside.as_str(), path)) {
            process.signal(signal.number());
        }
    }
}
