//! Writes `oom_score_adj`: open the directory, compare the start time, compare the value, write, read
//! back.

use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;

use crate::effects::kill_guard;
use crate::effects::proc_dir::{OTHERS, ProcDir, is_kernel_thread, refusal, write_once};
use crate::intent::Refusal;
use crate::model::ProcId;
use crate::units::Adj;

/// Any writer may raise the value, and lower it again down to what a privileged writer set last
/// (`fs/proc/base.c` `__set_oom_adj`, `oom_score_adj_min`).
const FLOOR: &str = "lowering it below the value that root set last needs CAP_SYS_RESOURCE";

/// The files of a process belong to its effective user; to root if it is not dumpable, as after a
/// `setuid` (`fs/proc/base.c` `task_dump_owner`).
const OWNERS: &str = "another user's process, or one that is not dumpable: needs root \
                      (CAP_DAC_OVERRIDE)";

const READING: &str = "reading its oom_score_adj";
const OPENING: &str = "opening its oom_score_adj";
const WRITING: &str = "writing its oom_score_adj";

/// Opens the directory of the process if its value may be written at all. Returns the present value too.
fn open_dir(proc: impl AsFd, who: ProcId) -> Result<(ProcDir, Adj), Refusal> {
    if let Some(why) = kill_guard::not_a_process(who.pid) {
        return Err(Refusal::Protected { why });
    }
    let (dir, stat) = ProcDir::open_identified(&proc, who)?;
    if is_kernel_thread(&stat) {
        return Err(Refusal::Protected { why: "kernel thread: the OOM killer never chooses it" });
    }
    if who.pid == 1 && kill_guard::in_initial_namespace(&proc) {
        let why = "init is never chosen, and every service would inherit its adj";
        return Err(Refusal::Protected { why });
    }

    let before = dir.adj().map_err(|errno| refusal(errno, OTHERS, READING))?;
    Ok((dir, before))
}

fn open(dir: &ProcDir) -> Result<OwnedFd, Refusal> {
    dir.writable("oom_score_adj").map_err(|errno| refusal(errno, OWNERS, OPENING))
}

/// Makes every check without writing.
pub(crate) fn check(proc: impl AsFd, who: ProcId, from: Adj) -> Result<(), Refusal> {
    let (dir, found) = open_dir(proc, who)?;
    if found != from {
        return Err(Refusal::Changed { from, found });
    }
    open(&dir).map(drop)
}

/// Writes `to` if the value is still `from`. Returns the value just before and the value that reads back.
pub(crate) fn set(proc: impl AsFd, who: ProcId, from: Adj, to: Adj) -> Result<(Adj, Adj), Refusal> {
    let (dir, before) = open_dir(proc, who)?;
    // The user decided on the basis of `from`, and has to decide again. If the value is `to` already
    // there is nothing to do: processes that share their memory share the value.
    if before != from {
        return if before == to {
            Ok((before, before))
        } else {
            Err(Refusal::Changed { from, found: before })
        };
    }

    let file = open(&dir)?;
    // In one write and in plain decimal: the kernel reads `010` as octal and cuts after 12 bytes.
    write_once(&file, &to.0.to_string(), WRITING, |errno| match errno {
        Errno::INVAL => {
            let error = format!("the kernel does not accept {to}, only -1000 to +1000");
            Refusal::Failed { doing: WRITING, error }
        }
        errno => refusal(errno, FLOOR, WRITING),
    })?;

    // The value is written now. No error from here on may read as if nothing was done.
    let now = dir.adj().map_err(|errno| match refusal(errno, OTHERS, READING) {
        Refusal::Gone => Refusal::Gone,
        _ => Refusal::NotVerified { error: std::io::Error::from(errno).to_string() },
    })?;
    if now != to {
        return Err(Refusal::NotTaken { found: now });
    }
    // An open directory stays bound to its process, so the value was written to and read from the
    // process that was identified above. It need not be identified again.
    Ok((before, now))
}
