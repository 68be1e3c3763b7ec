//! Writing `oom_score_adj`: hold the directory, compare birth, look, write, read back.

use std::os::fd::AsFd;

use rustix::io::{Errno, write};

use super::folder::{Folder, OTHERS, is_kernel_thread, refusal};
use super::protect;
use crate::intent::Refusal;
use crate::model::ProcId;
use crate::units::Adj;

/// The kernel lets everybody who may write raise the value, and lower it again down to what a
/// privileged writer set last (`fs/proc/base.c` `__set_oom_adj`, `oom_score_adj_min`).
const FLOOR: &str = "going below its floor needs CAP_SYS_RESOURCE";

const READING: &str = "reading its oom_score_adj";
const OPENING: &str = "opening its oom_score_adj";
const WRITING: &str = "writing its oom_score_adj";

/// Writes `to`; gives what it was just before and what reads back.
pub(super) fn set(proc: impl AsFd, who: ProcId, from: Adj, to: Adj) -> Result<(Adj, Adj), Refusal> {
    if let Some(why) = protect::no_process(who.pid) {
        return Err(Refusal::Protected { why });
    }
    let (folder, stat) = Folder::of(&proc, who)?;
    if is_kernel_thread(&stat) {
        return Err(Refusal::Protected { why: "kernel thread: it can never be chosen" });
    }
    if who.pid == 1 && protect::in_initial_namespace(&proc) {
        let why = "init is never chosen; its adj would be inherited by every service";
        return Err(Refusal::Protected { why });
    }

    let before = folder.adj().map_err(|errno| refusal(errno, OTHERS, READING))?;
    // The user decided with another value in view, so the decision is the user's again.
    if before != from {
        return Err(Refusal::Failed {
            doing: "its oom_score_adj changed meanwhile",
            error: format!("was {from}, is {before}; look again"),
        });
    }

    let file = folder.writable("oom_score_adj").map_err(|e| refusal(e, OTHERS, OPENING))?;
    // In one write and in plain decimal: the kernel takes `010` for 8 and cuts after 12 bytes.
    let text = to.0.to_string();
    match write(&file, text.as_bytes()) {
        Ok(taken) if taken == text.len() => {}
        Ok(taken) => {
            let error = format!("only {taken} of {} bytes were taken", text.len());
            return Err(Refusal::Failed { doing: WRITING, error });
        }
        Err(Errno::INVAL) => {
            let error = format!("the kernel does not take {to} (-1000 to +1000)");
            return Err(Refusal::Failed { doing: WRITING, error });
        }
        Err(errno) => return Err(refusal(errno, FLOOR, WRITING)),
    }

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
