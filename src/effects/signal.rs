//! Sends a signal: open a pidfd first, compare the identity second, send third.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, kill_process, pidfd_open, pidfd_send_signal, test_kill_process,
};

use crate::effects::kill_guard;
use crate::effects::proc_dir::{ProcDir, is_dead, is_kernel_thread, read_file, refusal};
use crate::intent::{ConfirmedBy, Refusal};
use crate::model::{ProcId, Signal};
use crate::syscall::process_pid;

const KILLING: &str = "another user's process: needs root or CAP_KILL";
const SENDING: &str = "sending the signal";

/// A process that may be signalled: pinned if the kernel can, identified, and not protected.
#[derive(Debug)]
pub(crate) struct SignalTarget {
    pid: Pid,
    who: ProcId,
    /// Tells when the process has exited; `None` on kernels before 5.3.
    pub pidfd: Option<OwnedFd>,
    /// Its open `/proc` directory.
    pub dir: ProcDir,
    /// It was killed, or is exiting.
    pub dying: bool,
}

impl SignalTarget {
    /// Pins the process and checks whether it may be signalled.
    pub fn take(
        proc: impl AsFd,
        who: ProcId,
        consent: ConfirmedBy,
        with_pidfd: bool,
    ) -> Result<Self, Refusal> {
        // With a typed pid it may be an ancestor of doomtop, so they are not needed.
        let plain = consent == ConfirmedBy::Plain;
        let ancestors = if plain { kill_guard::own_ancestors(&proc) } else { Vec::new() };
        Self::take_with(proc, who, consent, with_pidfd, &ancestors)
    }

    /// Like [`Self::take`], with the ancestors of doomtop: for many processes they are read once.
    pub fn take_with(
        proc: impl AsFd,
        who: ProcId,
        consent: ConfirmedBy,
        with_pidfd: bool,
        ancestors: &[i32],
    ) -> Result<Self, Refusal> {
        if let Some(why) = kill_guard::never_signalled(who.pid, kill_guard::own()) {
            return Err(Refusal::Protected { why });
        }
        let Some(pid) = process_pid(who.pid) else { return Err(Refusal::Gone) };

        let pidfd = if with_pidfd { pin(pid)? } else { None };
        if let Some(pidfd) = &pidfd {
            same_process(&proc, pidfd, who)?;
        }
        let (dir, stat) = ProcDir::open_identified(&proc, who)?;
        if is_kernel_thread(&stat) {
            return Err(Refusal::Protected { why: "kernel thread: no signal ends it" });
        }
        if is_dead(&stat) || pidfd.as_ref().is_some_and(has_exited) {
            return Err(Refusal::Gone);
        }
        if consent == ConfirmedBy::Plain {
            let adj = dir.adj().ok();
            if let Some(why) = kill_guard::needs_typed_pid(who.pid, &stat, adj, ancestors) {
                return Err(Refusal::Protected { why });
            }
        }
        let dying = dir.is_dying(&stat);
        Ok(Self { pid, who, pidfd, dir, dying })
    }

    /// The process.
    pub const fn who(&self) -> ProcId {
        self.who
    }

    /// Sends the signal. Returns whether it went through the pidfd.
    pub fn send(&self, signal: Signal) -> Result<bool, Refusal> {
        let sent = |result: Result<(), Errno>| result.map_err(|e| refusal(e, KILLING, SENDING));
        if signal.0 == 0 {
            self.dir.identify(self.who)?;
            return sent(test_kill_process(self.pid)).map(|()| false);
        }
        let Some(raw) = rustix::process::Signal::from_named_raw(signal.0) else {
            let error = format!("{} is not a signal number with a name", signal.0);
            return Err(Refusal::Failed { doing: SENDING, error });
        };
        if let Some(pidfd) = &self.pidfd {
            match pidfd_send_signal(pidfd, raw) {
                Err(Errno::NOSYS) => {}
                result => return sent(result).map(|()| true),
            }
        }
        // Without a pidfd the pid can be reused between check and signal. Checking again right before
        // keeps that time as short as possible.
        self.dir.identify(self.who)?;
        sent(kill_process(self.pid, raw)).map(|()| false)
    }
}

/// Opens a pidfd; `None` if the kernel cannot (before 5.3).
fn pin(pid: Pid) -> Result<Option<OwnedFd>, Refusal> {
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Some(pidfd)),
        // The kernel never returns EPERM here; the seccomp filter of a container does.
        Err(Errno::NOSYS | Errno::PERM) => Ok(None),
        // The pid is a thread id now (newer kernels return ENOENT).
        Err(Errno::INVAL | Errno::NOENT) => Err(Refusal::PidReused),
        Err(errno) => Err(refusal(errno, KILLING, "opening a pidfd")),
    }
}

/// Makes sure that the pidfd and `/proc` mean the same process: pidfd_open(2) takes pids of doomtop's own
/// pid namespace, while `/proc` shows those of the namespace that it was mounted for. `/proc` itself
/// says which process the pidfd holds (`fs/pidfs.c` `pidfd_show_fdinfo`; earlier `kernel/fork.c`): -1
/// if it is gone, 0 if it has no pid in that namespace.
///
/// If the line cannot be read, the check passes, and the proof that the root is live has to do: before
/// 5.14 a process with file capabilities may not read its own `fdinfo`.
fn same_process(proc: impl AsFd, pidfd: &OwnedFd, who: ProcId) -> Result<(), Refusal> {
    let info = read_file(proc, &format!("self/fdinfo/{}", pidfd.as_raw_fd())).unwrap_or_default();
    match pid_held(&info) {
        Some(-1) => Err(Refusal::Gone),
        Some(pid) if pid != who.pid => Err(Refusal::PidReused),
        _ => Ok(()),
    }
}

/// The `Pid` line of a pidfd's `fdinfo`.
fn pid_held(info: &[u8]) -> Option<i32> {
    let line = info.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"Pid:"))?;
    std::str::from_utf8(line).ok()?.trim().parse().ok()
}

/// Whether every thread of the process behind the pidfd has exited. Does not wait.
pub(crate) fn has_exited(pidfd: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    // If poll(2) is interrupted, the answer is unknown; the next call asks again.
    poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::process::Command;

    use super::*;
    use crate::units::Ticks;

    #[test]
    fn the_pidfd_and_proc_must_mean_the_same_process() {
        let proc = File::open("/proc").expect("/proc");
        let mut child = Command::new("sleep").arg("1000").spawn().expect("sleep runs");
        let pid = i32::try_from(child.id()).expect("a pid");
        let who = |pid| ProcId { pid, born: Ticks(0) };
        let pidfd = pin(process_pid(pid).expect("a pid")).expect("a living child");
        let checks = pidfd.as_ref().map(|pidfd| {
            [who(pid), who(pid + 1), who(1)].map(|who| same_process(&proc, pidfd, who))
        });
        child.kill().expect("an own child");
        child.wait().expect("an own child");
        let Some(pidfd) = pidfd else { return }; // before 5.3, or a seccomp filter forbids it
        assert_eq!(checks, Some([Ok(()), Err(Refusal::PidReused), Err(Refusal::PidReused)]));
        assert_eq!(same_process(&proc, &pidfd, who(pid)), Err(Refusal::Gone));
        // Without the line the check passes.
        let without = File::open("/proc/self").expect("a directory without a self");
        assert_eq!(same_process(&without, &pidfd, who(pid)), Ok(()));
    }

    #[test]
    fn the_pid_line_is_found() {
        let info =
            b"pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t77\nPid:\t4711\nNSpid:\t4711\t1\n";
        assert_eq!(pid_held(info), Some(4711));
        assert_eq!(pid_held(b"Pid:\t-1\nNSpid:\t-1\n"), Some(-1));
        for none in [&b""[..], b"NSpid:\t4711\n", b"Pid:\t\n", b"Pid:\t\xff\n"] {
            assert_eq!(pid_held(none), None);
        }
    }
}
