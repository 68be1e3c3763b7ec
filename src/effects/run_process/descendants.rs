//! The descendants of a command that has no cgroup of its own. doomtop adopts those that lose their parent
//! (`PR_SET_CHILD_SUBREAPER`, since 3.4), so that each of them stays below doomtop, however it detaches itself.

use std::collections::{BTreeMap, BTreeSet};

use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use rustix::fs::{Dir, Mode, OFlags, openat};
use rustix::process::{getpid, set_child_subreaper};

use super::RunProcess;
use crate::effects::proc_dir::{ProcDir, is_dead};
use crate::model::{Comm, ProcId};
use crate::sample::parse::Stat;
use crate::sample::proc_root::LiveRoot;

/// A process that descends from the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descendant {
    /// It.
    pub id: ProcId,
    /// Its name.
    pub comm: Comm,
}

/// The descendants of the command: what is below doomtop and no child of doomtop's own.
pub struct RunDescendants {
    /// The children that doomtop had before the command began.
    own: BTreeSet<ProcId>,
    /// Children that doomtop starts for itself while the command runs, by their pids.
    helpers: fn() -> BTreeSet<i32>,
}

impl RunDescendants {
    /// Adopts orphans from now on; the command has not begun. `helpers` are the children that doomtop itself starts.
    /// `None` where the kernel refuses.
    #[must_use]
    pub fn adopt(root: &LiveRoot, helpers: fn() -> BTreeSet<i32>) -> Option<Self> {
        set_child_subreaper(Some(getpid())).ok()?;
        let doomtop = getpid().as_raw_nonzero().get();
        let own = all(root).into_iter().filter(|it| it.parent == doomtop).map(|stat| id(&stat));
        Some(Self { own: own.collect(), helpers })
    }

    /// Those that run, in the order of their pids.
    #[must_use]
    pub fn members(&self, root: &LiveRoot) -> Vec<Descendant> {
        let all = all(root);
        let helpers = (self.helpers)();
        let parents: BTreeMap<i32, &Stat> = all.iter().map(|it| (it.pid, it)).collect();
        let doomtop = getpid().as_raw_nonzero().get();
        let is_own = |stat: &Stat| self.own.contains(&id(stat)) || helpers.contains(&stat.pid);
        let descends = |stat: &&Stat| {
            let mut at: &Stat = stat;
            // What is read at different times could be a circle.
            for _ in 0..all.len() {
                if at.parent == doomtop {
                    return !is_own(at);
                }
                let Some(parent) = parents.get(&at.parent) else { return false };
                at = parent;
            }
            false
        };
        let living = all.iter().filter(|stat| !is_dead(stat)).filter(descends);
        living.map(|stat| Descendant { id: id(stat), comm: stat.comm }).collect()
    }

    /// Signals all of them. Each is pinned first and compared, so that no other process gets the signal.
    pub fn signal(&self, root: &LiveRoot, number: i32) {
        for member in self.members(root) {
            let Some(process) = RunProcess::pin(member.id.pid) else { continue };
            let is_same = ProcDir::open_identified(root, member.id).is_ok();
            if is_same {
                process.signal(number);
            }
        }
    }

    /// Takes the status of adopted processes that have exited, so that no zombies pile up. That of the command, and
    /// those of doomtop's own children, are for others to take.
    pub fn reap(&self, command: i32) {
        let helpers = (self.helpers)();
        let take = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG;
        while let Ok(status) = waitid(Id::All, take | WaitPidFlag::WNOWAIT) {
            let Some(pid) = status.pid().map(Pid::as_raw) else { break };
            let is_own = self.own.iter().any(|it| it.pid == pid) || helpers.contains(&pid);
            if pid == command || is_own || waitid(Id::Pid(Pid::from_raw(pid)), take).is_err() {
                break;
            }
        }
    }
}

const fn id(stat: &Stat) -> ProcId {
    ProcId { pid: stat.pid, born: stat.born }
}

/// The processes that are visible here.
fn all(root: &LiveRoot) -> Vec<Stat> {
    let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(dir) = openat(root, ".", how, Mode::empty()).and_then(Dir::new) else {
        return Vec::new();
    };
    let pids = dir.filter_map(|entry| entry.ok()?.file_name().to_str().ok()?.parse::<i32>().ok());
    let mut found: Vec<Stat> =
        pids.filter_map(|pid| ProcDir::open(root, pid).ok()?.stat().ok()).collect();
    found.sort_by_key(|stat| stat.pid);
    found
}
