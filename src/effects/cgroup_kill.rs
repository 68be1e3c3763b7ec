//! Kills a whole cgroup with one write to `cgroup.kill`: open its directory, pin every process in it,
//! compare them with those that the user saw, write.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use crate::effects::kill_guard;
use crate::effects::proc_dir::{ProcDir, refusal, write_once};
use crate::effects::signal::SignalTarget;
use crate::intent::{ConfirmedBy, Refusal};
use crate::model::{ProcId, unescape};
use crate::sample::cgroup::members;
use crate::syscall::file_limit;

const OPENING: &str = "opening the cgroup";
const LISTING: &str = "listing the cgroup";
const WRITING: &str = "writing its cgroup.kill";
const RIGHT: &str = "writing to this cgroup needs root, or a delegated cgroup";

/// A cgroup that may be killed: the user saw every process in it, none is protected, all are pinned.
#[derive(Debug)]
pub(crate) struct CgroupKill {
    /// Its `cgroup.kill`, open for writing.
    kill_file: OwnedFd,
    /// Its processes, with the names that the user saw.
    pub targets: Vec<(SignalTarget, String)>,
}

impl CgroupKill {
    /// Opens the cgroup and pins every process in it and below. Refuses if one of them was not seen by the
    /// user or is protected: the kernel makes no exceptions.
    pub fn take(
        proc: impl AsFd,
        path: &str,
        seen: &[(ProcId, String)],
        with_pidfd: bool,
    ) -> Result<Self, Refusal> {
        if unescape(path).split(|&byte| byte == b'/').all(|name| matches!(name, b"" | b".")) {
            let why = "the root cgroup holds the whole machine";
            return Err(Refusal::Protected { why });
        }
        let dir = members::v2_dir(path).map_err(|errno| match errno {
            Errno::NOENT => no_cgroup("there is no version-2 cgroup of this name"),
            errno => refusal(errno, RIGHT, OPENING),
        })?;
        let how = OFlags::WRONLY | OFlags::CLOEXEC;
        let kill_file =
            openat(&dir, "cgroup.kill", how, Mode::empty()).map_err(|errno| match errno {
                Errno::NOENT => no_cgroup("it has no cgroup.kill: that needs Linux 5.14"),
                errno => refusal(errno, RIGHT, WRITING),
            })?;
        let pids = list(&dir)?;
        raise_file_limit(pids.len());
        let seen: HashMap<i32, &(ProcId, String)> =
            seen.iter().map(|member| (member.0.pid, member)).collect();
        let ancestors = kill_guard::own_ancestors(&proc);
        let mut targets = Vec::new();
        for &pid in &pids {
            let Some((who, name)) = seen.get(&pid) else {
                return Err(unseen(&proc, pid));
            };
            match SignalTarget::take_with(&proc, *who, ConfirmedBy::Plain, with_pidfd, &ancestors) {
                Ok(target) => targets.push((target, name.clone())),
                Err(Refusal::Gone) => {}
                Err(Refusal::PidReused) => return Err(unseen(&proc, pid)),
                Err(other) => {
                    return Err(Refusal::NotSeen {
                        who: format!("{pid} {name}: {}", other.words()),
                    });
                }
            }
        }
        if targets.is_empty() {
            return Err(Refusal::Gone);
        }
        // The user has not seen a process that entered while the others were pinned, either.
        if let Some(&pid) = list(&dir)?.iter().find(|pid| pids.binary_search(pid).is_err()) {
            return Err(unseen(&proc, pid));
        }
        Ok(Self { kill_file, targets })
    }

    /// Kills every process in it.
    pub fn kill(&self) -> Result<(), Refusal> {
        write_once(&self.kill_file, "1", WRITING, |errno| match errno {
            Errno::OPNOTSUPP => no_cgroup("it is a threaded cgroup, which cannot be killed"),
            errno => refusal(errno, RIGHT, WRITING),
        })
    }
}

/// File descriptors that one pinned and watched process takes.
const FDS_PER_PROCESS: u64 = 3;
/// File descriptors for everything else in doomtop, with a reserve.
const OTHER_FDS: u64 = 1024;

/// Raises the soft limit of open files so that `count` processes can be pinned. If the hard limit is too low,
/// pinning fails and nothing is killed.
fn raise_file_limit(count: usize) {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    file_limit::raise_to(count.saturating_mul(FDS_PER_PROCESS).saturating_add(OTHER_FDS));
}

fn list(dir: impl AsFd) -> Result<Vec<i32>, Refusal> {
    members::members(dir).map_err(|errno| match errno {
        Errno::NODEV | Errno::NOENT => Refusal::Gone,
        Errno::OPNOTSUPP => no_cgroup("it is a threaded cgroup: its processes cannot be listed"),
        errno => refusal(errno, RIGHT, LISTING),
    })
}

fn no_cgroup(error: &str) -> Refusal {
    Refusal::Failed { doing: OPENING, error: error.to_owned() }
}

/// The cgroup holds a process that the user did not see.
fn unseen(proc: impl AsFd, pid: i32) -> Refusal {
    if pid == 0 {
        let who = "it holds a process of another pid namespace, which is invisible from here";
        return Refusal::NotSeen { who: who.to_owned() };
    }
    let stat = ProcDir::open(proc, pid).and_then(|dir| dir.stat());
    let name = stat.map_or_else(|_| String::new(), |stat| format!(" {}", stat.comm));
    Refusal::NotSeen { who: format!("{pid}{name} is in it now; check the list and try again") }
}
