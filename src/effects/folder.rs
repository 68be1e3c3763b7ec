//! The held directory of one process, and the few facts that the hands read again before they act.
//!
//! A directory of `/proc/PID` that is held open stays with the process it was opened for: once that
//! one is gone, everything inside fails, whoever has the pid by then.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use crate::intent::Refusal;
use crate::model::ProcId;
use crate::units::{Adj, Ticks};

/// `PF_EXITING` of `include/linux/sched.h`.
pub(super) const PF_EXITING: u32 = 0x0000_0004;
/// `PF_DUMPCORE` of `include/linux/sched.h`.
pub(super) const PF_DUMPCORE: u32 = 0x0000_0200;
/// `PF_KTHREAD` of `include/linux/sched.h`.
pub(super) const PF_KTHREAD: u32 = 0x0020_0000;

/// What stands in the way of reading or writing another user's process.
pub(super) const OTHERS: &str = "another user's process: needs root (CAP_DAC_OVERRIDE)";

/// The opened `/proc/PID`.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

/// The part of `/proc/PID/stat` that decides whether and how to act.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stat {
    /// Field 2, raw.
    pub comm: Vec<u8>,
    /// Field 3, of the main thread.
    pub state: char,
    /// Field 4.
    pub parent: i32,
    /// Field 6.
    pub session: i32,
    /// Field 7; 0 is no terminal.
    pub tty: i32,
    /// Field 9, `PF_*`, of the main thread.
    pub flags: u32,
    /// Field 20.
    pub threads: u32,
    /// Field 22.
    pub born: Ticks,
}

impl Stat {
    /// Reads the bytes of a `stat` file. The name may hold anything, brackets and line ends too:
    /// it lies between the first `(` and the last `)`.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let open = bytes.iter().position(|&byte| byte == b'(')?;
        let close = bytes.iter().rposition(|&byte| byte == b')')?;
        let comm = bytes.get(open + 1..close)?.to_vec();
        let rest = std::str::from_utf8(&bytes[close + 1..]).ok()?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // `man 5 proc` counts from 1; the first one after the name is field 3.
        let field = |number: usize| fields.get(number - 3).copied();
        Some(Self {
            comm,
            state: field(3)?.chars().next()?,
            parent: field(4)?.parse().ok()?,
            session: field(6)?.parse().ok()?,
            tty: field(7)?.parse().ok()?,
            flags: field(9)?.parse().ok()?,
            threads: field(20)?.parse().ok()?,
            born: Ticks(field(22)?.parse().ok()?),
        })
    }

    /// A kernel thread.
    pub const fn is_kernel_thread(&self) -> bool {
        self.flags & PF_KTHREAD != 0
    }

    /// No thread lives any more; what is left waits for its parent. A zombie main thread alone
    /// proves nothing: other threads may run on.
    pub const fn is_dead(&self) -> bool {
        matches!(self.state, 'X' | 'x') || self.state == 'Z' && self.threads <= 1
    }
}

impl Folder {
    /// Opens `PID` below the process tree.
    pub fn open(proc: impl AsFd, pid: i32) -> Result<Self, Errno> {
        let how = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        openat(proc, pid.to_string(), how, Mode::empty()).map(Self)
    }

    /// Opens `PID` and makes sure that it is the process the user saw.
    pub fn of(proc: impl AsFd, who: ProcId) -> Result<(Self, Stat), Refusal> {
        let folder = Self::open(proc, who.pid)
            .map_err(|errno| refusal(errno, OTHERS, "opening its /proc directory"))?;
        let stat = folder.identify(who)?;
        Ok((folder, stat))
    }

    /// Makes sure that this still is the process the user saw.
    pub fn identify(&self, who: ProcId) -> Result<Stat, Refusal> {
        let stat = self.stat().map_err(|errno| refusal(errno, OTHERS, "reading its stat"))?;
        if stat.born == who.born { Ok(stat) } else { Err(Refusal::Reborn) }
    }

    /// The facts of `stat`.
    pub fn stat(&self) -> Result<Stat, Errno> {
        Stat::parse(&self.read("stat")?).ok_or(Errno::BADMSG)
    }

    /// The present `oom_score_adj`.
    pub fn adj(&self) -> Result<Adj, Errno> {
        let bytes = self.read("oom_score_adj")?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Errno::BADMSG)?;
        text.trim().parse().map(Adj).map_err(|_| Errno::BADMSG)
    }

    /// The whole content of one file of the process.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, Errno> {
        slurp(&self.0, name)
    }

    /// Opens one file of the process for writing.
    pub fn writable(&self, name: &str) -> Result<OwnedFd, Errno> {
        openat(&self.0, name, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
    }
}

/// The whole content of a file below an opened directory.
pub(super) fn slurp(dir: impl AsFd, name: &str) -> Result<Vec<u8>, Errno> {
    let file = openat(dir, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut bytes = Vec::with_capacity(2048);
    match File::from(file).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
    }
}

/// Whether the kernel says with it that the process is gone.
pub(super) fn means_gone(errno: Errno) -> bool {
    errno == Errno::NOENT || errno == Errno::SRCH
}

/// An errno as a refusal: gone, not permitted with what would help, or the system's words.
pub(super) fn refusal(errno: Errno, hint: &'static str, doing: &'static str) -> Refusal {
    if means_gone(errno) {
        Refusal::Gone
    } else if errno == Errno::ACCESS || errno == Errno::PERM {
        Refusal::NotPermitted { hint }
    } else {
        Refusal::Failed { doing, error: std::io::Error::from(errno).to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_moves_no_field() {
        let tail = "S 7 8 9 10 11 4194560 1 2 3 4 5 6 7 8 20 0 3 0 4242 1 2";
        for name in ["bash", "a) S 1 (b", ") R 1 1 1", "two\nlines", "((", ")", ""] {
            let line = format!("12 ({name}) {tail}\n");
            let stat = Stat::parse(line.as_bytes()).expect("a stat line");
            assert_eq!(stat.comm, name.as_bytes());
            assert_eq!((stat.state, stat.parent, stat.session, stat.tty), ('S', 7, 9, 10));
            assert_eq!((stat.flags, stat.threads, stat.born), (4_194_560, 3, Ticks(4242)));
        }
    }

    #[test]
    fn a_torn_line_is_no_stat() {
        for line in ["", "12", "12 (", ") 12 (", "12 (a) S 1 2", "12 (a) S x 8 9 10 11 12"] {
            assert_eq!(Stat::parse(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn a_dead_main_thread_is_no_dead_process() {
        let stat = |state, threads| Stat { state, threads, ..Stat::default() };
        assert!(stat('Z', 1).is_dead());
        assert!(stat('X', 0).is_dead());
        assert!(!stat('Z', 2).is_dead());
        assert!(!stat('S', 1).is_dead());
    }

    #[test]
    fn an_errno_becomes_what_the_user_can_use() {
        assert_eq!(refusal(Errno::SRCH, "h", "d"), Refusal::Gone);
        assert_eq!(refusal(Errno::NOENT, "h", "d"), Refusal::Gone);
        assert_eq!(refusal(Errno::PERM, "h", "d"), Refusal::NotPermitted { hint: "h" });
        assert_eq!(refusal(Errno::ACCESS, "h", "d"), Refusal::NotPermitted { hint: "h" });
        let Refusal::Failed { doing, error } = refusal(Errno::MFILE, "h", "d") else {
            panic!("a full table of files is no matter of rights");
        };
        assert_eq!(doing, "d");
        assert!(error.contains("Too many open files"), "{error}");
    }
}
