//! Ending everybody in a cgroup with one write: the directory is held first, everybody in it is
//! compared with whom the user saw and pinned, and then the kernel kills.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::effects::proc_dir::{ProcDir, refusal, write_once};
use crate::effects::protection;
use crate::effects::signal::SignalTarget;
use crate::intent::{ConfirmedBy, Refusal};
use crate::model::{ProcId, unescape};
use crate::sample::cgroup::members;

const OPENING: &str = "opening the cgroup";
const LISTING: &str = "listing the cgroup";
const WRITING: &str = "writing its cgroup.kill";
const RIGHT: &str = "writing to this cgroup needs root, or a delegated cgroup";

/// A cgroup of which everybody was seen, may be killed, and is pinned.
#[derive(Debug)]
pub(crate) struct CgroupKill {
    switch: OwnedFd,
    /// Who is in it, with the name the user saw.
    pub targets: Vec<(SignalTarget, String)>,
}

impl CgroupKill {
    /// Takes hold of the cgroup and of everybody in it and below. Refuses where somebody is there whom
    /// the user did not see, or who may not be touched: the write makes no exceptions.
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
        let switch =
            openat(&dir, "cgroup.kill", how, Mode::empty()).map_err(|errno| match errno {
                Errno::NOENT => no_cgroup("it has no cgroup.kill: that needs Linux 5.14"),
                errno => refusal(errno, RIGHT, WRITING),
            })?;
        let there = list(&dir)?;
        make_room(there.len());
        let seen: HashMap<i32, &(ProcId, String)> =
            seen.iter().map(|member| (member.0.pid, member)).collect();
        let ancestors = protection::own_ancestors(&proc);
        let mut targets = Vec::new();
        for &pid in &there {
            let Some((who, name)) = seen.get(&pid) else {
                return Err(unseen(&proc, pid));
            };
            match SignalTarget::take_apart(&proc, *who, ConfirmedBy::Plain, with_pidfd, &ancestors)
            {
                Ok(target) => targets.push((target, name.clone())),
                Err(Refusal::Gone) => {}
                Err(Refusal::Reborn) => return Err(unseen(&proc, pid)),
                Err(other) => {
                    return Err(Refusal::Unseen {
                        who: format!("{pid} {name}: {}", other.words()),
                    });
                }
            }
        }
        if targets.is_empty() {
            return Err(Refusal::Gone);
        }
        // Pinning took its time: whoever came meanwhile was not seen either.
        if let Some(&pid) = list(&dir)?.iter().find(|pid| there.binary_search(pid).is_err()) {
            return Err(unseen(&proc, pid));
        }
        Ok(Self { switch, targets })
    }

    /// Kills them all.
    pub fn kill(&self) -> Result<(), Refusal> {
        write_once(&self.switch, "1", WRITING, |errno| match errno {
            Errno::OPNOTSUPP => no_cgroup("it is one of threads, which cannot be killed"),
            errno => refusal(errno, RIGHT, WRITING),
        })
    }
}

/// Files that a pinned and followed process keeps open.
const EACH: u64 = 3;
/// What everything else keeps open, and some to spare.
const OTHERS: u64 = 1024;

/// Lets so many processes be pinned at once: the soft limit of open files is a thousand in many places,
/// and is ours to raise up to the hard one. Where that is not enough, pinning says so and nobody is
/// touched.
fn make_room(count: usize) {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    let needed = count.saturating_mul(EACH).saturating_add(OTHERS);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < needed) {
        let current = limit.maximum.map_or(needed, |most| most.min(needed));
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(current), ..limit });
    }
}

fn list(dir: impl AsFd) -> Result<Vec<i32>, Refusal> {
    members::members(dir).map_err(|errno| match errno {
        Errno::NODEV | Errno::NOENT => Refusal::Gone,
        Errno::OPNOTSUPP => no_cgroup("it is one of threads: its processes cannot be listed"),
        errno => refusal(errno, RIGHT, LISTING),
    })
}

fn no_cgroup(error: &str) -> Refusal {
    Refusal::Failed { doing: OPENING, error: error.to_owned() }
}

/// Somebody is there whom the user did not see.
fn unseen(proc: impl AsFd, pid: i32) -> Refusal {
    if pid == 0 {
        let who = "a process of another pid namespace is in it, which cannot be seen from here";
        return Refusal::Unseen { who: who.to_owned() };
    }
    let stat = ProcDir::open(proc, pid).and_then(|folder| folder.stat());
    let name = stat.map_or_else(|_| String::new(), |stat| format!(" {}", stat.comm));
    Refusal::Unseen { who: format!("{pid}{name} is in it by now, look again") }
}
