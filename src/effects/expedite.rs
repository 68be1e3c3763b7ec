//! What is done beside a deadly signal so that it takes hold sooner: priority and thaw. What may take
//! time is apart, in `release`.

use rustix::io::{Errno, write};
use rustix::process::{Pid, getpriority_process, setpriority_process};

use crate::effects::proc_dir::{ProcDir, means_gone};
use crate::intent::StepResult;
use crate::sample::cgroup::freezer;
use crate::sample::cgroup::freezer::Freezer;

/// The highest of the ordinary priorities: a real-time one could hold a CPU for good.
const HIGHEST: i32 = -20;

/// The priorities that threads had: by thread id.
pub(crate) type FormerNice = Vec<(Pid, i32)>;

/// Raises all threads of the held process; gives what they had, too. A thread id cannot be pinned, but
/// a thread that is still listed afterwards was the right one all along, and so was what it had.
pub(crate) fn raise(folder: &ProcDir) -> (StepResult, FormerNice) {
    let mut former = FormerNice::new();
    let threads = match folder.threads() {
        Ok(threads) => threads,
        Err(errno) => return (refused(errno, "listing its threads"), former),
    };
    let mut refusal = None;
    for thread in threads.into_iter().filter_map(Pid::from_raw) {
        let is_own = || folder.has_thread(thread.as_raw_nonzero().get());
        let Ok(had) = getpriority_process(Some(thread)) else { continue };
        // Whoever else has its number by now is left alone.
        if !is_own() {
            continue;
        }
        match setpriority_process(Some(thread), HIGHEST) {
            Ok(()) if is_own() => former.push((thread, had)),
            // It ended between the last two looks. If somebody has its number already, what that one had
            // is not known: it gets what the dead one had, which is at least not the highest.
            Ok(()) => {
                let _ = setpriority_process(Some(thread), had);
            }
            Err(errno) if means_gone(errno) => {}
            Err(errno) => refusal = Some(errno),
        }
    }
    let came = match (former.len(), refusal) {
        (_, Some(Errno::ACCESS | Errno::PERM)) => {
            StepResult::Refused("needs CAP_SYS_NICE; it ends at its own priority".to_owned())
        }
        (_, Some(errno)) => refused(errno, "raising its priority"),
        (0, None) => StepResult::Unavailable("it has no thread left to raise".to_owned()),
        (1, None) => StepResult::Done(String::new()),
        (count, None) => StepResult::Done(format!("{count} threads")),
    };
    (came, former)
}

/// Puts the priorities back, because the signal was refused.
pub(crate) fn lower(folder: &ProcDir, former: FormerNice) {
    for (thread, had) in former {
        if folder.has_thread(thread.as_raw_nonzero().get()) {
            let _ = setpriority_process(Some(thread), had);
        }
    }
}

/// Thaws the cgroup that the user saw, if the process still is in it and it was frozen itself.
pub(crate) fn thaw(folder: &ProcDir, cgroup: &str) -> StepResult {
    let cgroups = match folder.read("cgroup") {
        Ok(cgroups) => cgroups,
        Err(errno) => return refused(errno, "reading its cgroup"),
    };
    let mut mine = freezer::freezers(&cgroups).into_iter();
    let Some(freezer) = mine.find(|it| it.path.as_str() == cgroup && it.is_frozen()) else {
        return StepResult::Unavailable("it is not frozen any more".to_owned());
    };
    if !freezer.is_own() {
        return StepResult::Refused(
            "a cgroup above it is frozen: that one has to be thawed".to_owned(),
        );
    }
    match switch(&freezer) {
        Ok(()) if freezer.is_own() => {
            StepResult::Refused("the kernel took the write, but it reads back frozen".to_owned())
        }
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
