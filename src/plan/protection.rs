//! Which processes doomtop never acts on, and which only after their pid was typed. The effects check
//! again; this tells the user before.

use crate::intent::ESSENTIAL_PROGRAMS;
use crate::model::{ProcId, Process, Scene};
use crate::units::Adj;

/// How a process is protected from a mistake of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Not protected: `y` confirms.
    None,
    /// The pid must be typed, and why.
    TypePid(&'static str),
    /// doomtop never acts on it, and why.
    Never(&'static str),
}

/// How `process` is protected; `own` is doomtop itself.
#[must_use]
pub fn protection(process: &Process, own: ProcId, scene: &Scene) -> Protection {
    if process.id.pid <= 1 {
        return Protection::Never("pid 1: everything else would die with it");
    }
    if process.is_kernel_thread() {
        return Protection::Never("a kernel thread: signals do not reach it");
    }
    if process.id.pid == own.pid {
        return Protection::Never("this is doomtop itself: q quits");
    }
    if is_ancestor(process, own, scene) {
        return Protection::TypePid("doomtop runs below it: you would lose this screen");
    }
    if process.adj.value() == Some(Adj::MIN) {
        return Protection::TypePid("its oom_score_adj is -1000: it must not be killed");
    }
    if ESSENTIAL_PROGRAMS.iter().any(|pillar| pillar.as_bytes() == process.comm.bytes()) {
        return Protection::TypePid("logins or the system log depend on it");
    }
    if process.session == process.id.pid && process.tty != 0 {
        return Protection::TypePid("it leads a terminal session, which would get SIGHUP");
    }
    Protection::None
}

fn is_ancestor(process: &Process, own: ProcId, scene: &Scene) -> bool {
    let mut pid = own.pid;
    // A recording may contain a loop of parents.
    for _ in 0..64 {
        let Some(at) = scene.now().position(pid) else { return false };
        pid = scene.now().processes[at].parent;
        if pid == process.id.pid {
            return true;
        }
        if pid <= 1 {
            return false;
        }
    }
    false
}
