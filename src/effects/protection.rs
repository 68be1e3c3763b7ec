//! Whom the hands do not touch: the last line of defence, with facts of its own.
//!
//! The dialog asks for the typed pid long before; this is what holds when it did not.

use std::os::fd::AsFd;

use rustix::fs::readlinkat;

use crate::effects::proc_dir::ProcDir;
use crate::intent::PILLARS;
use crate::sample::parse::Stat;
use crate::units::Adj;

/// Longer chains of parents than this do not occur; it only bounds a walk while the tree changes.
const DEEPEST: usize = 256;

/// Why this pid is no single process that can be acted on.
pub(crate) fn no_process(pid: i32) -> Option<&'static str> {
    (pid <= 0).then_some("no pid of a single process")
}

/// Why no signal ever goes to this pid, whatever the consent.
pub(crate) fn never_signalled(pid: i32, own: i32) -> Option<&'static str> {
    if pid == 1 {
        Some("pid 1: everything in its pid namespace falls with it")
    } else if pid == own {
        Some("doomtop itself")
    } else {
        no_process(pid)
    }
}

/// Why a signal goes to it only after its pid was typed.
pub(crate) fn typed_only(
    pid: i32,
    stat: &Stat,
    adj: Option<Adj>,
    ancestors: &[i32],
) -> Option<&'static str> {
    if ancestors.contains(&pid) {
        Some("doomtop runs inside it; type its pid to insist")
    } else if adj == Some(Adj::MIN) {
        Some("at oom_score_adj -1000 it is meant to outlive everything; type its pid to insist")
    } else if stat.session == pid && stat.tty != 0 {
        Some("it leads a session on a terminal; type its pid to insist")
    } else if PILLARS.iter().any(|pillar| pillar.as_bytes() == stat.comm.bytes()) {
        Some("logins, the message bus or the journal depend on it; type its pid to insist")
    } else {
        None
    }
}

/// The pid of doomtop.
pub(crate) fn own() -> i32 {
    i32::try_from(std::process::id()).unwrap_or(i32::MAX)
}

/// The parents of doomtop, nearest first. One that cannot be read ends the walk.
pub(crate) fn own_ancestors(proc: impl AsFd) -> Vec<i32> {
    let mut found = Vec::new();
    let mut pid = own();
    while found.len() < DEEPEST {
        let Ok(stat) = ProcDir::open(&proc, pid).and_then(|folder| folder.stat()) else { break };
        pid = stat.parent;
        // 0 is the parent of init, and of a process that was put into this pid namespace from outside.
        if pid <= 0 {
            break;
        }
        found.push(pid);
    }
    found
}

/// Whether pid 1 here is the machine's own init. When that cannot be told, it counts as such.
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
    fn some_never_get_a_signal() {
        for pid in [1, 77, 0, -1, -77, i32::MIN] {
            assert!(never_signalled(pid, 77).is_some(), "{pid}");
        }
        assert_eq!(never_signalled(78, 77), None);
    }

    #[test]
    fn some_only_with_the_typed_pid() {
        let plain = named(b"sleep");
        assert_eq!(typed_only(9, &plain, Some(Adj(-999)), &[5, 1]), None);
        assert_eq!(typed_only(9, &plain, None, &[5, 1]), None);
        assert!(typed_only(5, &plain, None, &[5, 1]).is_some(), "an ancestor");
        assert!(typed_only(9, &plain, Some(Adj::MIN), &[]).is_some(), "at -1000");

        let leader = Stat { session: 9, tty: 34_817, ..named(b"bash") };
        assert!(typed_only(9, &leader, None, &[]).is_some(), "a session leader on a terminal");
        assert_eq!(typed_only(10, &leader, None, &[]), None, "a member of that session");
        let daemon = Stat { session: 9, tty: 0, ..named(b"nginx") };
        assert_eq!(typed_only(9, &daemon, None, &[]), None, "a daemon without terminal");

        for pillar in PILLARS {
            assert!(typed_only(9, &named(pillar.as_bytes()), None, &[]).is_some());
        }
    }
}
