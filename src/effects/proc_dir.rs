//! The open `/proc` directory of one process, and the facts that are read again before an act.
//!
//! An open `/proc/PID` stays bound to the process that it was opened for. Once that process is gone,
//! every access inside fails, even if the pid was reused.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, openat, statat};
use rustix::io::{Errno, write};

use crate::intent::Refusal;
use crate::model::{ProcId, Process};
use crate::sample::parse::{self, Stat};
use crate::sample::process::living_thread::lost_its_leader;
use crate::units::Adj;

/// Why another user's process cannot be read or written.
pub(crate) const OTHERS: &str = "another user's process: needs root (CAP_DAC_OVERRIDE)";

/// An open `/proc/PID`.
#[derive(Debug)]
pub(crate) struct ProcDir(OwnedFd);

/// Whether it is a kernel thread.
pub(crate) const fn is_kernel_thread(stat: &Stat) -> bool {
    stat.flags & Process::PF_KTHREAD != 0
}

/// Whether all threads have exited and only the zombie is left. A zombie main thread alone does not prove
/// it: other threads may still run.
pub(crate) const fn is_dead(stat: &Stat) -> bool {
    matches!(stat.state.0, 'X' | 'x') || stat.state.0 == 'Z' && stat.threads <= 1
}

impl ProcDir {
    /// Opens the directory of a pid below `/proc`.
    pub fn open(proc: impl AsFd, pid: i32) -> Result<Self, Errno> {
        let how = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        openat(proc, pid.to_string(), how, Mode::empty()).map(Self)
    }

    /// Opens the directory of the process that the user saw. Refuses if the pid was reused.
    pub fn open_identified(proc: impl AsFd, who: ProcId) -> Result<(Self, Stat), Refusal> {
        let dir = Self::open(proc, who.pid)
            .map_err(|errno| refusal(errno, OTHERS, "opening its /proc directory"))?;
        let stat = dir.identify(who)?;
        Ok((dir, stat))
    }

    /// Compares the start time with that of the process that the user saw. Refuses if the pid was reused.
    pub fn identify(&self, who: ProcId) -> Result<Stat, Refusal> {
        let stat = self.stat().map_err(|errno| refusal(errno, OTHERS, "reading its stat"))?;
        if stat.born == who.born { Ok(stat) } else { Err(Refusal::PidReused) }
    }

    /// Its `stat`.
    pub fn stat(&self) -> Result<Stat, Errno> {
        parse::stat(&self.read("stat")?).map_err(|_| Errno::BADMSG)
    }

    /// Its `oom_score_adj`.
    pub fn adj(&self) -> Result<Adj, Errno> {
        parse::oom_score_adj(&self.read("oom_score_adj")?).map_err(|_| Errno::BADMSG)
    }

    /// The content of one of its files.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, Errno> {
        read_file(&self.0, name)
    }

    /// Its `cgroup` file; that of a living thread if the main thread has exited, because in version 1 of
    /// cgroups that one has left them.
    pub fn cgroups(&self) -> Result<Vec<u8>, Errno> {
        match self.stat().ok().and_then(|stat| self.living_thread(&stat)) {
            Some((tid, _)) => self.read(&format!("task/{tid}/cgroup")),
            None => self.read("cgroup"),
        }
    }

    /// Whether SIGKILL is pending, or no thread is left that could get one: a signal is useless then.
    pub fn is_dying(&self, stat: &Stat) -> bool {
        if lost_its_leader(stat) {
            self.living_thread(stat).is_none_or(|(_, stat)| stat.killed)
        } else {
            stat.killed || stat.flags & Process::PF_EXITING != 0
        }
    }

    /// The id and the `stat` of a thread that is not exiting, of a process whose main thread has exited.
    fn living_thread(&self, stat: &Stat) -> Option<(i32, Stat)> {
        let threads = if lost_its_leader(stat) { self.threads().ok()? } else { Vec::new() };
        threads.into_iter().filter(|&tid| tid != stat.pid).find_map(|tid| {
            let stat = parse::stat(&self.read(&format!("task/{tid}/stat")).ok()?).ok()?;
            (stat.flags & Process::PF_EXITING == 0).then_some((tid, stat))
        })
    }

    /// The ids of its threads.
    pub fn threads(&self) -> Result<Vec<i32>, Errno> {
        let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let tasks = Dir::new(openat(&self.0, "task", how, Mode::empty())?)?;
        let ids = tasks.filter_map(|entry| entry.ok()?.file_name().to_str().ok()?.parse().ok());
        Ok(ids.collect())
    }

    /// Whether the thread id belongs to it now.
    pub fn has_thread(&self, thread: i32) -> bool {
        statat(&self.0, format!("task/{thread}"), AtFlags::empty()).is_ok()
    }

    /// Opens one of its files for writing.
    pub fn writable(&self, name: &str) -> Result<OwnedFd, Errno> {
        openat(&self.0, name, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
    }
}

/// Writes the text in a single write(2): the kernel takes each write as a whole value.
pub(crate) fn write_once(
    file: impl AsFd,
    text: &str,
    doing: &'static str,
    refused: impl FnOnce(Errno) -> Refusal,
) -> Result<(), Refusal> {
    match write(file, text.as_bytes()) {
        Ok(taken) if taken == text.len() => Ok(()),
        Ok(taken) => {
            let error = format!("only {taken} of {} bytes were written", text.len());
            Err(Refusal::Failed { doing, error })
        }
        Err(errno) => Err(refused(errno)),
    }
}

/// The content of a file below an open directory.
pub(crate) fn read_file(dir: impl AsFd, name: &str) -> Result<Vec<u8>, Errno> {
    let file = openat(dir, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut bytes = Vec::with_capacity(2048);
    match File::from(file).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
    }
}

/// Whether the error means that the process is gone.
pub(crate) fn means_gone(errno: Errno) -> bool {
    errno == Errno::NOENT || errno == Errno::SRCH
}

/// An errno as a refusal: gone, not permitted (`hint` says what would help), or failed while `doing`.
pub(crate) fn refusal(errno: Errno, hint: &'static str, doing: &'static str) -> Refusal {
    if means_gone(errno) {
        Refusal::Gone
    } else if errno == Errno::ACCESS || errno == Errno::PERM {
        Refusal::NotPermitted { hint }
    } else {
        Refusal::Failed { doing, error: std::io::Error::from(errno).to_string() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::{Comm, RunState};

    /// The `stat` of a process with nothing special about it.
    pub(in crate::effects) fn plain(comm: &[u8]) -> Stat {
        let line = b"9 (x) S 7 8 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 4242 8192 2 \n";
        Stat { comm: Comm::new(comm), ..parse::stat(line).expect("a stat line") }
    }

    #[test]
    fn a_zombie_main_thread_alone_is_not_a_dead_process() {
        let dead =
            |state, threads| is_dead(&Stat { state: RunState(state), threads, ..plain(b"x") });
        assert!(dead('Z', 1));
        assert!(dead('X', 0));
        assert!(!dead('Z', 2));
        assert!(!dead('S', 1));
    }

    #[test]
    fn an_errno_becomes_a_refusal() {
        assert_eq!(refusal(Errno::SRCH, "h", "d"), Refusal::Gone);
        assert_eq!(refusal(Errno::NOENT, "h", "d"), Refusal::Gone);
        assert_eq!(refusal(Errno::PERM, "h", "d"), Refusal::NotPermitted { hint: "h" });
        assert_eq!(refusal(Errno::ACCESS, "h", "d"), Refusal::NotPermitted { hint: "h" });
        let Refusal::Failed { doing, error } = refusal(Errno::MFILE, "h", "d") else {
            panic!("a full file table is not a lack of rights");
        };
        assert_eq!(doing, "d");
        assert!(error.contains("Too many open files"), "{error}");
    }
}
