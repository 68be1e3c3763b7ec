//! Processes that are never signalled, and processes that need a typed pid: the last check before a
//! signal.
//!
//! `plan::protection` decides the same before the dialog opens, from the last sample. This file checks
//! again with facts read right before the signal, so that it holds even if the dialog was wrong or the
//! process has changed. It does not use `plan`: the effects depend on no opinion of the upper rooms.

use std::os::fd::AsFd;

use rustix::fs::readlinkat;

use crate::effects::proc_dir::ProcDir;
use crate::intent::ESSENTIAL_PROGRAMS;
use crate::sample::parse::Stat;
use crate::units::Adj;

/// Maximum number of ancestors. It only bounds the walk while the process tree changes.
const MAX_ANCESTORS: usize = 256;

/// Why this number is not the pid of a single process.
pub(crate) fn not_a_process(pid: i32) -> Option<&'static str> {
    (pid <= 0).then_some("not the pid of a single process")
}

/// Why this pid is never signalled, not even with a typed pid.
pub(crate) fn never_signalled(pid: i32, own: i32) -> Option<&'static str> {
    if pid == 1 {
        Some("pid 1: its whole pid namespace would be killed with it")
    } else if pid == own {
        Some("doomtop itself")
    } else {
        not_a_process(pid)
    }
}

/// Why the process is signalled only if the user typed its pid.
pub(crate) fn needs_typed_pid(
    pid: i32,
    stat: &Stat,
    adj: Option<Adj>,
    ancestors: &[i32],
) -> Option<&'static str> {
    if ancestors.contains(&pid) {
        Some("it is an ancestor of doomtop; type its pid to confirm")
    } else if adj == Some(Adj::MIN) {
        Some("its oom_score_adj is -1000: it is meant to survive; type its pid to confirm")
    } else if stat.session == pid && stat.tty != 0 {
        Some("it leads a terminal session; type its pid to confirm")
    } else if ESSENTIAL_PROGRAMS.iter().any(|pillar| pillar.as_bytes() == stat.comm.bytes()) {
        Some("logins, the message bus or the journal depend on it; type its pid to confirm")
    } else {
        None
    }
}

/// The pid of doomtop.
pub(crate) fn own() -> i32 {
    i32::try_from(std::process::id()).unwrap_or(i32::MAX)
}

/// The ancestors of doomtop, the parent first, up to the first one that cannot be read.
pub(crate) fn own_ancestors(proc: impl AsFd) -> Vec<i32> {
    let mut found = Vec::new();
    let mut pid = own();
    while found.len() < MAX_ANCESTORS {
        let Ok(stat) = ProcDir::open(&proc, pid).and_then(|dir| dir.stat()) else { break };
        pid = stat.parent;
        // 0 is the parent of init, and of a process that entered this pid namespace from outside.
        if pid <= 0 {
            break;
        }
        found.push(pid);
    }
    found
}

/// Whether pid 1 here is the init of the machine and not of a container. True if that cannot be read.
///
/// The initial namespace has a fixed inode: `PROC_PID_INIT_INO` of `include/linux/proc_ns.h`.
pub(crate) fn in_initial_namespace(proc: impl AsFd) -> bool {
    readlinkat(proc, "self/ns/pid", Vec::new())
        .map_or(true, |link| link.to_bytes() == format!("pid:[{}]", 0xEFFF_FFFC_u32).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::proc_dir::tests::plain as named;

    #[test]
    fn some_pids_are_never_signalled() {
        for pid in [1, 77, 0, -1, -77, i32::MIN] {
            assert!(never_signalled(pid, 77).is_some(), "{pid}");
        }
        assert_eq!(never_signalled(78, 77), None);
    }

    #[test]
    fn some_processes_need_a_typed_pid() {
        let plain = named(b"sleep");
        assert_eq!(needs_typed_pid(9, &plain, Some(Adj(-999)), &[5, 1]), None);
        assert_eq!(needs_typed_pid(9, &plain, None, &[5, 1]), None);
        assert!(needs_typed_pid(5, &plain, None, &[5, 1]).is_some(), "an ancestor");
        assert!(needs_typed_pid(9, &plain, Some(Adj::MIN), &[]).is_some(), "at -1000");

        let leader = Stat { session: 9, tty: 34_817, ..named(b"bash") };
        assert!(needs_typed_pid(9, &leader, None, &[]).is_some(), "a session leader on a terminal");
        assert_eq!(needs_typed_pid(10, &leader, None, &[]), None, "a member of that session");
        let daemon = Stat { session: 9, tty: 0, ..named(b"nginx") };
        assert_eq!(needs_typed_pid(9, &daemon, None, &[]), None, "a daemon without terminal");

        for pillar in ESSENTIAL_PROGRAMS {
            assert!(needs_typed_pid(9, &named(pillar.as_bytes()), None, &[]).is_some());
        }
    }
}
