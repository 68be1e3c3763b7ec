//! Steps that make a killed process exit sooner: raise its priority, thaw its cgroup. Freeing its memory
//! may take time and has a thread of its own, in [`super::reap`].

use rustix::io::{Errno, write};
use rustix::process::{Pid, getpriority_process, setpriority_process};

use crate::effects::proc_dir::{ProcDir, means_gone};
use crate::intent::StepResult;
use crate::sample::cgroup::freezer;
use crate::sample::cgroup::freezer::Freezer;
use crate::syscall::process_pid;

/// The highest normal priority. A real-time priority could block a CPU for ever.
const HIGHEST_NICE: i32 = -20;

/// Thread ids and the nice values that they had.
pub(crate) type FormerNice = Vec<(Pid, i32)>;

/// Raises the priority of all threads of the process. Returns their former nice values too. A thread id
/// cannot be pinned; but a thread that is still listed in the directory afterwards was the right one
/// all the time.
pub(crate) fn raise(dir: &ProcDir) -> (StepResult, FormerNice) {
    let mut former = FormerNice::new();
    let threads = match dir.threads() {
        Ok(threads) => threads,
        Err(errno) => return (refused(errno, "listing its threads"), former),
    };
    let mut refusal = None;
    for thread in threads.into_iter().filter_map(process_pid) {
        let is_own = || dir.has_thread(thread.as_raw_nonzero().get());
        let Ok(had) = getpriority_process(Some(thread)) else { continue };
        // The id may belong to a thread of another process now: leave that one alone.
        if !is_own() {
            continue;
        }
        match setpriority_process(Some(thread), HIGHEST_NICE) {
            Ok(()) if is_own() => former.push((thread, had)),
            // The thread exited in between. If its id was reused already, the nice value of the new
            // thread is lost; it gets the one of the exited thread, which is at least not the highest.
            Ok(()) => {
                let _ = setpriority_process(Some(thread), had);
            }
            Err(errno) if means_gone(errno) => {}
            Err(errno) => refusal = Some(errno),
        }
    }
    let result = match (former.len(), refusal) {
        (_, Some(Errno::ACCESS | Errno::PERM)) => {
            StepResult::Refused("needs CAP_SYS_NICE; it exits at its own priority".to_owned())
        }
        (_, Some(errno)) => refused(errno, "raising its priority"),
        (0, None) => StepResult::Unavailable("it has no thread left".to_owned()),
        (1, None) => StepResult::Done(String::new()),
        (count, None) => StepResult::Done(format!("{count} threads")),
    };
    (result, former)
}

/// Restores the nice values after the kernel refused the signal.
pub(crate) fn restore(dir: &ProcDir, former: FormerNice) {
    for (thread, had) in former {
        if dir.has_thread(thread.as_raw_nonzero().get()) {
            let _ = setpriority_process(Some(thread), had);
        }
    }
}

/// Thaws the cgroup that the user saw, if the process is still in it and the cgroup itself is frozen.
pub(crate) fn thaw(dir: &ProcDir, cgroup: &str) -> StepResult {
    let cgroups = match dir.cgroups() {
        Ok(cgroups) => cgroups,
        Err(errno) => return refused(errno, "reading its cgroup"),
    };
    let mut mine = freezer::freezers(&cgroups).into_iter();
    let Some(freezer) = mine.find(|it| it.path.as_str() == cgroup && it.is_frozen()) else {
        return StepResult::Unavailable("it is no longer frozen".to_owned());
    };
    if !freezer.is_own() {
        return StepResult::Refused("a parent cgroup is frozen: thaw that one".to_owned());
    }
    match switch(&freezer) {
        Ok(()) if freezer.is_own() => StepResult::Refused(
            "the kernel accepted the write, but the cgroup still reads as frozen".to_owned(),
        ),
        Ok(()) => StepResult::Done(String::new()),
        Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => StepResult::Refused(
            "writing to its cgroup needs root, or a delegated cgroup".to_owned(),
        ),
        Err(errno) => refused(errno, "thawing its cgroup"),
    }
}

fn switch(freezer: &Freezer) -> Result<(), Errno> {
    let (file, word) = freezer.switch();
    let file = freezer.writable(file)?;
    write(file, word.as_bytes()).map(|_| ())
}

fn refused(errno: Errno, doing: &str) -> StepResult {
    if means_gone(errno) {
        StepResult::Unavailable("it is gone already".to_owned())
    } else {
        StepResult::Refused(format!("{doing}: {}", std::io::Error::from(errno)))
    }
}
