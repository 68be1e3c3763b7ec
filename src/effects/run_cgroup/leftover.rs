//! Ends what a command left running in its cgroup.

use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::files::put;
use crate::effects::proc_dir::ProcDir;
use crate::model::{Hierarchy, Text, is_within};
use crate::sample::cgroup::members;
use crate::sample::parse;
use crate::sample::proc_root::LiveRoot;

/// How processes are asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndSignal {
    /// SIGTERM.
    Term,
    /// SIGKILL.
    Kill,
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
    let number = match signal {
        EndSignal::Term => Signal::TERM,
        EndSignal::Kill => Signal::KILL,
    };
    let is_spared = |pid: i32| signal == EndSignal::Term && spared == Some(pid);
    let members = members::members(dir).unwrap_or_default();
    for pid in members.into_iter().filter(|&pid| !is_spared(pid)) {
        let Some(known) = Pid::from_raw(pid).filter(|_| pid > 0) else { continue };
        // Pinned first: the pid may belong to another process by now.
        let Ok(pidfd) = pidfd_open(known, PidfdFlags::empty()) else { continue };
        let cgroups = ProcDir::open(root, pid).and_then(|dir| dir.cgroups()).unwrap_or_default();
        let inside = parse::memory_cgroup(&cgroups).map(Text::new);
        if inside.is_some_and(|inside| is_within(inside.as_str(), path)) {
            let _ = pidfd_send_signal(&pidfd, number);
        }
    }
}
