//! The processes of a command that doomtop runs: each is pinned before it is signalled, so that no other process gets
//! the signal.

pub mod descendants;

use std::os::fd::OwnedFd;
use std::process::Child;

use rustix::process::{PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use crate::effects::proc_dir::{ProcDir, is_dead};
use crate::model::{Comm, Text};
use crate::sample::parse;
use crate::sample::proc_root::LiveRoot;
use crate::syscall::process_pid;

/// A process of the command.
pub struct RunProcess {
    pid: i32,
    /// It pins the process; `None` where the kernel has no pidfds (before 5.3).
    pidfd: Option<OwnedFd>,
}

impl RunProcess {
    /// A child that was not waited for: until then its pid belongs to no other process, so that it can be signalled
    /// without a pidfd, too.
    #[must_use]
    pub fn of_child(child: &Child) -> Option<Self> {
        let pid = i32::try_from(child.id()).ok()?;
        Some(Self { pid, pidfd: pinned(pid) })
    }

    /// Another process; `None` where it cannot be pinned.
    #[must_use]
    pub fn pin(pid: i32) -> Option<Self> {
        pinned(pid).map(|pidfd| Self { pid, pidfd: Some(pidfd) })
    }

    /// Its pid.
    #[must_use]
    pub const fn pid(&self) -> i32 {
        self.pid
    }

    /// A descriptor that can be read when the process has exited (`pidfd_open(2)`).
    #[must_use]
    pub const fn exit(&self) -> Option<&OwnedFd> {
        self.pidfd.as_ref()
    }

    /// Sends a signal. That it is gone is no error.
    pub fn signal(&self, number: i32) {
        match &self.pidfd {
            Some(pidfd) => {
                if let Some(signal) = Signal::from_named_raw(number) {
                    let _ = pidfd_send_signal(pidfd, signal);
                }
            }
            // Only a child is without one.
            None => {
                let signal = Signal::from_named_raw(number);
                if let Some((pid, signal)) = process_pid(self.pid).zip(signal) {
                    let _ = kill_process(pid, signal);
                }
            }
        }
    }
}

fn pinned(pid: i32) -> Option<OwnedFd> {
    pidfd_open(process_pid(pid)?, PidfdFlags::empty()).ok()
}

/// Whether it is stopped by a signal.
#[must_use]
pub fn is_stopped(root: &LiveRoot, pid: i32) -> bool {
    stat(root, pid).is_some_and(|stat| stat.state.0 == 'T')
}

/// Whether nothing of it runs any more: a zombie waits for its parent.
#[must_use]
pub fn is_gone(root: &LiveRoot, pid: i32) -> bool {
    stat(root, pid).is_none_or(|stat| is_dead(&stat))
}

/// Its name; empty where it is gone.
#[must_use]
pub fn comm(root: &LiveRoot, pid: i32) -> Comm {
    stat(root, pid).map_or_else(|| Comm::new(b""), |stat| stat.comm)
}

/// The path of its memory cgroup.
#[must_use]
pub fn memory_cgroup(root: &LiveRoot, pid: i32) -> Option<Text> {
    let cgroups = ProcDir::open(root, pid).and_then(|dir| dir.cgroups()).ok()?;
    parse::memory_cgroup(&cgroups).map(Text::new)
}

fn stat(root: &LiveRoot, pid: i32) -> Option<parse::Stat> {
    ProcDir::open(root, pid).and_then(|dir| dir.stat()).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    use super::*;
    use crate::sample::proc_root::ProcRoot;

    #[test]
    fn a_child_is_stopped_goes_on_and_is_gone_when_it_was_killed() {
        let root = LiveRoot::prove(ProcRoot::open("/proc").expect("/proc")).expect("live");
        let mut child = Command::new("sleep").arg("1000").spawn().expect("sleep runs");
        let process = RunProcess::of_child(&child).expect("a pid");
        process.signal(nix::libc::SIGSTOP);
        while !is_stopped(&root, process.pid()) {
            std::thread::yield_now();
        }
        assert!(!is_gone(&root, process.pid()));
        let own = memory_cgroup(&root, i32::try_from(std::process::id()).expect("a pid"));
        assert_eq!(memory_cgroup(&root, process.pid()), own);
        process.signal(nix::libc::SIGKILL);
        while !is_gone(&root, process.pid()) {
            std::thread::yield_now();
        }
        assert_eq!(child.wait().expect("a status").signal(), Some(nix::libc::SIGKILL));
        // The pid may be another's by now: nothing is sent to it by a pidfd that was opened before.
        process.signal(nix::libc::SIGKILL);
        assert!(RunProcess::pin(0).is_none() && RunProcess::pin(-1).is_none());
    }
}
