//! Sending a signal: the pidfd first, identity second, the act third.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, kill_process, pidfd_open, pidfd_send_signal, test_kill_process,
};

use crate::effects::proc_dir::{ProcDir, is_dead, is_kernel_thread, refusal, slurp};
use crate::effects::protection;
use crate::intent::{ConfirmedBy, Refusal};
use crate::model::{ProcId, Process, Signal};

const KILLING: &str = "another user's process: needs root or CAP_KILL";
const SENDING: &str = "sending the signal";

/// A process that may be signalled: pinned where the kernel can, looked at, and not protected.
#[derive(Debug)]
pub(crate) struct SignalTarget {
    pid: Pid,
    who: ProcId,
    /// Tells when the process is gone; nothing on kernels before 5.3.
    pub pidfd: Option<OwnedFd>,
    /// Its directory, held.
    pub folder: ProcDir,
    /// It was killed already, or is on its way out.
    pub dying: bool,
}

impl SignalTarget {
    /// Takes hold of the process and decides whether it may be signalled at all.
    pub fn take(
        proc: impl AsFd,
        who: ProcId,
        consent: ConfirmedBy,
        with_pidfd: bool,
    ) -> Result<Self, Refusal> {
        // Whose pid was typed may be one of them.
        let plain = consent == ConfirmedBy::Plain;
        let ancestors = if plain { protection::own_ancestors(&proc) } else { Vec::new() };
        Self::take_apart(proc, who, consent, with_pidfd, &ancestors)
    }

    /// The same as one of many: doomtop's own parents are known.
    pub fn take_apart(
        proc: impl AsFd,
        who: ProcId,
        consent: ConfirmedBy,
        with_pidfd: bool,
        ancestors: &[i32],
    ) -> Result<Self, Refusal> {
        if let Some(why) = protection::never_signalled(who.pid, protection::own()) {
            return Err(Refusal::Protected { why });
        }
        let Some(pid) = Pid::from_raw(who.pid) else { return Err(Refusal::Gone) };

        let pidfd = if with_pidfd { pin(pid)? } else { None };
        if let Some(pidfd) = &pidfd {
            same_process(&proc, pidfd, who)?;
        }
        let (folder, stat) = ProcDir::of(&proc, who)?;
        if is_kernel_thread(&stat) {
            return Err(Refusal::Protected { why: "kernel thread: no signal ends it" });
        }
        if is_dead(&stat) || pidfd.as_ref().is_some_and(is_over) {
            return Err(Refusal::Gone);
        }
        if consent == ConfirmedBy::Plain {
            let adj = folder.adj().ok();
            if let Some(why) = protection::typed_only(who.pid, &stat, adj, ancestors) {
                return Err(Refusal::Protected { why });
            }
        }
        let dying = stat.killed || stat.flags & Process::PF_EXITING != 0;
        Ok(Self { pid, who, pidfd, folder, dying })
    }

    /// Whom.
    pub const fn who(&self) -> ProcId {
        self.who
    }

    /// Sends it; says whether it went through the pidfd.
    pub fn send(&self, signal: Signal) -> Result<bool, Refusal> {
        let sent = |result: Result<(), Errno>| result.map_err(|e| refusal(e, KILLING, SENDING));
        if signal.0 == 0 {
            self.folder.identify(self.who)?;
            return sent(test_kill_process(self.pid)).map(|()| false);
        }
        let Some(raw) = rustix::process::Signal::from_named_raw(signal.0) else {
            let error = format!("{} is no signal with a name", signal.0);
            return Err(Refusal::Failed { doing: SENDING, error });
        };
        if let Some(pidfd) = &self.pidfd {
            match pidfd_send_signal(pidfd, raw) {
                Err(Errno::NOSYS) => {}
                result => return sent(result).map(|()| true),
            }
        }
        // Without a pidfd a moment is left in which the pid could change hands; looking once more
        // right before keeps it as short as it can be.
        self.folder.identify(self.who)?;
        sent(kill_process(self.pid, raw)).map(|()| false)
    }
}

/// Pins the process behind the pid; nothing where the kernel cannot (before 5.3).
fn pin(pid: Pid) -> Result<Option<OwnedFd>, Refusal> {
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Some(pidfd)),
        // The kernel itself never answers EPERM here; a container's syscall filter does.
        Err(Errno::NOSYS | Errno::PERM) => Ok(None),
        // The pid is the one of a mere thread by now (newer kernels say ENOENT).
        Err(Errno::INVAL | Errno::NOENT) => Err(Refusal::Reborn),
        Err(errno) => Err(refusal(errno, KILLING, "opening a pidfd")),
    }
}

/// Makes sure that the pidfd and the tree that identity is read from mean the same process: a pidfd
/// counts pids in doomtop's own namespace, the tree in the one it was mounted for. The tree itself
/// says which process the pidfd holds (`fs/pidfs.c` `pidfd_show_fdinfo`; before that
/// `kernel/fork.c`): -1 once it is gone, 0 where the tree has no number for it.
///
/// Where the line cannot be read nothing is refuted, and the proof of the root has to do: before 5.14
/// a process with file capabilities may not read its own `fdinfo`.
fn same_process(proc: impl AsFd, pidfd: &OwnedFd, who: ProcId) -> Result<(), Refusal> {
    let info = slurp(proc, &format!("self/fdinfo/{}", pidfd.as_raw_fd())).unwrap_or_default();
    match pid_held(&info) {
        Some(-1) => Err(Refusal::Gone),
        Some(pid) if pid != who.pid => Err(Refusal::Reborn),
        _ => Ok(()),
    }
}

/// The `Pid` line of a pidfd's `fdinfo`.
fn pid_held(info: &[u8]) -> Option<i32> {
    let line = info.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"Pid:"))?;
    std::str::from_utf8(line).ok()?.trim().parse().ok()
}

/// Whether every thread of the process behind the pidfd has ended. Does not wait.
pub(crate) fn is_over(pidfd: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    // An interrupted poll says nothing; the next call asks again.
    poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::process::Command;

    use super::*;
    use crate::units::Ticks;

    #[test]
    fn a_pidfd_is_tied_to_the_tree_that_identity_is_read_from() {
        let proc = File::open("/proc").expect("/proc");
        let mut child = Command::new("sleep").arg("1000").spawn().expect("sleep runs");
        let pid = i32::try_from(child.id()).expect("a pid");
        let who = |pid| ProcId { pid, born: Ticks(0) };
        let pidfd = pin(Pid::from_raw(pid).expect("a pid")).expect("a living child");
        let checks = pidfd.as_ref().map(|pidfd| {
            [who(pid), who(pid + 1), who(1)].map(|who| same_process(&proc, pidfd, who))
        });
        child.kill().expect("an own child");
        child.wait().expect("an own child");
        let Some(pidfd) = pidfd else { return }; // before 5.3, or a filter that knows no pidfd
        assert_eq!(checks, Some([Ok(()), Err(Refusal::Reborn), Err(Refusal::Reborn)]));
        assert_eq!(same_process(&proc, &pidfd, who(pid)), Err(Refusal::Gone));
        // A tree that says nothing refutes nothing.
        let bare = File::open("/proc/self").expect("a directory without a self");
        assert_eq!(same_process(&bare, &pidfd, who(pid)), Ok(()));
    }

    #[test]
    fn the_pid_line_is_found_among_others() {
        let info =
            b"pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t77\nPid:\t4711\nNSpid:\t4711\t1\n";
        assert_eq!(pid_held(info), Some(4711));
        assert_eq!(pid_held(b"Pid:\t-1\nNSpid:\t-1\n"), Some(-1));
        for none in [&b""[..], b"NSpid:\t4711\n", b"Pid:\t\n", b"Pid:\t\xff\n"] {
            assert_eq!(pid_held(none), None);
        }
    }
}
