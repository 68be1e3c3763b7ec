//! Sending a signal: the pidfd first, identity second, the act third.

use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, kill_process, pidfd_open, pidfd_send_signal, test_kill_process,
};

use super::folder::{Folder, refusal};
use super::protect;
use crate::intent::{Consent, Refusal};
use crate::model::{ProcId, Signal};

const KILLING: &str = "another user's process: needs root or CAP_KILL";
const SENDING: &str = "sending the signal";

/// A process that may be signalled: pinned where the kernel can, looked at, and not protected.
#[derive(Debug)]
pub(super) struct Target {
    pid: Pid,
    who: ProcId,
    /// Tells when the process is gone; nothing on kernels before 5.3.
    pub pidfd: Option<OwnedFd>,
    /// Its directory, held.
    pub folder: Folder,
}

impl Target {
    /// Takes hold of the process and decides whether it may be signalled at all.
    pub fn take(
        proc: impl AsFd,
        who: ProcId,
        consent: Consent,
        with_pidfd: bool,
    ) -> Result<Self, Refusal> {
        let own = i32::try_from(std::process::id()).unwrap_or(i32::MAX);
        if let Some(why) = protect::never_signalled(who.pid, own) {
            return Err(Refusal::Protected { why });
        }
        let Some(pid) = Pid::from_raw(who.pid) else { return Err(Refusal::Gone) };

        let pidfd = if with_pidfd { pin(pid)? } else { None };
        let (folder, stat) = Folder::of(&proc, who)?;
        if stat.is_kernel_thread() {
            return Err(Refusal::Protected { why: "kernel thread: no signal ends it" });
        }
        if stat.is_dead() || pidfd.as_ref().is_some_and(is_over) {
            return Err(Refusal::Gone);
        }
        if consent == Consent::Plain {
            let ancestors = protect::ancestors(&proc, own);
            let adj = folder.adj().ok();
            if let Some(why) = protect::typed_only(who.pid, &stat, adj, &ancestors) {
                return Err(Refusal::Protected { why });
            }
        }
        Ok(Self { pid, who, pidfd, folder })
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

/// Whether every thread of the process behind the pidfd has ended. Does not wait.
pub(super) fn is_over(pidfd: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    // An interrupted poll says nothing; the next call asks again.
    poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
}
