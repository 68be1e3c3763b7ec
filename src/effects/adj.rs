//! Writing `oom_score_adj`: hold the directory, compare birth, look, write, read back.

use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;

use crate::effects::proc_dir::{OTHERS, ProcDir, is_kernel_thread, refusal, write_once};
use crate::effects::protection;
use crate::intent::Refusal;
use crate::model::ProcId;
use crate::units::Adj;

/// The kernel lets everybody who may write raise the value, and lower it again down to what a
/// privileged writer set last (`fs/proc/base.c` `__set_oom_adj`, `oom_score_adj_min`).
const FLOOR: &str = "going below its floor, what root set last, needs CAP_SYS_RESOURCE";

/// Its files belong to its effective user, and to root once it made itself undumpable: after a
/// `setuid`, or to hide keys (`fs/proc/base.c` `task_dump_owner`).
const OWNERS: &str = "another user's process, or one that hides itself (undumpable): needs root \
                      (CAP_DAC_OVERRIDE)";

const READING: &str = "reading its oom_score_adj";
const OPENING: &str = "opening its oom_score_adj";
const WRITING: &str = "writing its oom_score_adj";

/// Takes hold of the process, if its value may be written at all; gives the present one too.
fn take(proc: impl AsFd, who: ProcId) -> Result<(ProcDir, Adj), Refusal> {
    if let Some(why) = protection::no_process(who.pid) {
        return Err(Refusal::Protected { why });
    }
    let (folder, stat) = ProcDir::of(&proc, who)?;
    if is_kernel_thread(&stat) {
        return Err(Refusal::Protected { why: "kernel thread: it can never be chosen" });
    }
    if who.pid == 1 && protection::in_initial_namespace(&proc) {
        let why = "init is never chosen; its adj would be inherited by every service";
        return Err(Refusal::Protected { why });
    }

    let before = folder.adj().map_err(|errno| refusal(errno, OTHERS, READING))?;
    Ok((folder, before))
}

fn open(folder: &ProcDir) -> Result<OwnedFd, Refusal> {
    folder.writable("oom_score_adj").map_err(|errno| refusal(errno, OWNERS, OPENING))
}

/// Does everything but writing.
pub(crate) fn rehearse(proc: impl AsFd, who: ProcId, from: Adj) -> Result<(), Refusal> {
    let (folder, found) = take(proc, who)?;
    if found != from {
        return Err(Refusal::Changed { from, found });
    }
    open(&folder).map(drop)
}

/// Writes `to`, unless somebody else did meanwhile; gives what it was just before and what reads back.
pub(crate) fn set(proc: impl AsFd, who: ProcId, from: Adj, to: Adj) -> Result<(Adj, Adj), Refusal> {
    let (folder, before) = take(proc, who)?;
    // The user decided with another value in view, so the decision is the user's again. Only where
    // somebody did the same meanwhile is it done: those who share one memory share the value.
    if before != from {
        return if before == to {
            Ok((before, before))
        } else {
            Err(Refusal::Changed { from, found: before })
        };
    }

    let file = open(&folder)?;
    // In one write and in plain decimal: the kernel takes `010` for 8 and cuts after 12 bytes.
    write_once(&file, &to.0.to_string(), WRITING, |errno| match errno {
        Errno::INVAL => {
            let error = format!("the kernel does not take {to} (-1000 to +1000)");
            Refusal::Failed { doing: WRITING, error }
        }
        errno => refusal(errno, FLOOR, WRITING),
    })?;

    // From here on it is done, and whatever fails must not sound as if it were not.
    let now = folder.adj().map_err(|errno| match refusal(errno, OTHERS, READING) {
        Refusal::Gone => Refusal::Gone,
        _ => Refusal::NotProved { error: std::io::Error::from(errno).to_string() },
    })?;
    if now != to {
        return Err(Refusal::NotTaken { found: now });
    }
    // A held directory stays with its process: what was written and read went to the one that was
    // identified before, so that nothing more has to be asked.
    Ok((before, now))
}
