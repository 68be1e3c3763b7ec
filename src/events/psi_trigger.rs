//! A trigger in a pressure file: the kernel tells when tasks begin to wait for memory
//! (`Documentation/accounting/psi.rst`).
//!
//! Without swap hardly anything waits before a kill: memory is there, and then it is not. A trigger
//! that is meant to warn needs swap, or page cache that is worth having.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::{Errno, pread, read, write};

use crate::model::{PressureWatch, PsiTrigger};
use crate::units::Millis;

/// What is tried, the quickest first.
const TRIPWIRES: [PsiTrigger; 2] = [PsiTrigger::SECOND, PsiTrigger::TWO_SECONDS];

/// Wakes whoever waits at a wire, from another thread.
#[derive(Debug)]
pub struct WakeHandle(OwnedFd);

impl WakeHandle {
    /// A bell that was not rung.
    ///
    /// # Errors
    /// There is no descriptor left.
    pub fn new() -> Result<Self, Errno> {
        eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map(Self)
    }

    /// Rings; once is enough for any number of rings before it is heard.
    pub fn wake(&self) {
        let _ = write(&self.0, &1_u64.to_ne_bytes());
    }

    fn heard(&self) {
        let _ = read(&self.0, &mut [0; 8]);
    }
}

/// Why the wait at a wire ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerEvent {
    /// Tasks wait for memory.
    Stalled,
    /// The bell rang.
    Woken,
    /// The file tells nothing any more: its cgroup was removed.
    Gone,
}

/// How a wire trips.
#[derive(Debug)]
enum By {
    Kernel,
    /// Nobody but us: what was read last, in microseconds, and why the kernel does not tell.
    Reading(u64, Errno),
}

/// A pressure file that tells when tasks begin to wait.
#[derive(Debug)]
pub struct TriggerFile {
    file: OwnedFd,
    rule: PsiTrigger,
    by: By,
}

impl TriggerFile {
    /// Lays it in `file` below `dir`: a trigger where the kernel takes one, else the file is read once
    /// a window.
    ///
    /// # Errors
    /// There is no such file, or it cannot be read either.
    pub fn open(dir: impl AsFd, file: &CStr) -> Result<Self, Errno> {
        let mut refused = Errno::INVAL;
        for rule in TRIPWIRES {
            match trigger(&dir, file, rule) {
                Ok(file) => return Ok(Self { file, rule, by: By::Kernel }),
                Err(errno) => refused = errno,
            }
        }
        let file = openat(dir, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let total = total(&file)?;
        Ok(Self { file, rule: PsiTrigger::TWO_SECONDS, by: By::Reading(total, refused) })
    }

    /// How it watches, in words for the screen.
    #[must_use]
    pub fn watch(&self) -> PressureWatch {
        match self.by {
            By::Kernel => PressureWatch::Trigger(self.rule),
            By::Reading(_, errno) => PressureWatch::Reading(self.rule, refusal(errno)),
        }
    }

    /// Sleeps until it trips or the bell rings. A kernel's trigger trips once a window at most.
    pub fn wait(&mut self, bell: &WakeHandle) -> TriggerEvent {
        let every = Timespec {
            tv_sec: i64::try_from(self.rule.window.0 / 1000).unwrap_or(1),
            tv_nsec: i64::try_from(self.rule.window.0 % 1000 * 1_000_000).unwrap_or(0),
        };
        loop {
            let wanted = match self.by {
                By::Kernel => PollFlags::PRI,
                // A file always has something to read: only the clock and the bell count.
                By::Reading(..) => PollFlags::empty(),
            };
            let limit = matches!(self.by, By::Reading(..)).then_some(&every);
            let (seen, rung) = {
                let mut fds =
                    [PollFd::new(&bell.0, PollFlags::IN), PollFd::new(&self.file, wanted)];
                // A file that is only read always has an error to show to poll.
                let count = if limit.is_some() { 1 } else { 2 };
                match poll(fds.get_mut(..count).unwrap_or_default(), limit) {
                    Ok(_) => {}
                    Err(Errno::INTR) => continue,
                    Err(_) => return TriggerEvent::Gone,
                }
                let [bell, file] = fds;
                (file.revents(), !bell.revents().is_empty())
            };
            if rung {
                bell.heard();
                return TriggerEvent::Woken;
            }
            match &mut self.by {
                By::Kernel if seen.intersects(broken()) => return TriggerEvent::Gone,
                By::Kernel if seen.contains(PollFlags::PRI) => return TriggerEvent::Stalled,
                By::Kernel => {}
                By::Reading(before, _) => {
                    let Ok(now) = total(&self.file) else { return TriggerEvent::Gone };
                    let waited = Millis(now.saturating_sub(*before) / 1000);
                    *before = now;
                    if waited >= self.rule.stall {
                        return TriggerEvent::Stalled;
                    }
                }
            }
        }
    }
}

const fn broken() -> PollFlags {
    PollFlags::ERR.union(PollFlags::HUP).union(PollFlags::NVAL)
}

/// A trigger lives as long as the descriptor that it was written to.
fn trigger(dir: impl AsFd, file: &CStr, rule: PsiTrigger) -> Result<OwnedFd, Errno> {
    let how = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(dir, file, how, Mode::empty())?;
    let text = format!("some {} {}\0", rule.stall.0 * 1000, rule.window.0 * 1000);
    if write(&file, text.as_bytes())? == text.len() { Ok(file) } else { Err(Errno::IO) }
}

/// The time that some task waited, in microseconds, since boot.
fn total(file: impl AsFd) -> Result<u64, Errno> {
    let mut room = [0; 256];
    let length = pread(file, &mut room, 0)?;
    some_total(room.get(..length).unwrap_or_default()).ok_or(Errno::BADMSG)
}

/// `some avg10=0.00 avg60=0.00 avg300=0.00 total=22139135`.
fn some_total(bytes: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(bytes).ok()?.lines().next()?.strip_prefix("some ")?;
    line.split(' ').find_map(|word| word.strip_prefix("total="))?.parse().ok()
}

/// Why a pressure file does not do what was asked of it.
#[must_use]
pub fn refusal(errno: Errno) -> String {
    match errno {
        Errno::NOENT => "there is no pressure file (CONFIG_PSI, Linux 4.20)".to_owned(),
        Errno::OPNOTSUPP => "PSI is switched off (psi=1 at boot switches it on)".to_owned(),
        Errno::PERM | Errno::ACCESS => {
            "a trigger needs CAP_SYS_RESOURCE or the right to write here".to_owned()
        }
        Errno::INVAL => "this kernel takes no such trigger".to_owned(),
        Errno::ROFS => "the file can only be read here, as in a container".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use proptest::prelude::*;
    use rustix::net::{SendFlags, send};

    use super::*;

    /// Out-of-band data of a socket shows to poll as a trigger does.
    fn pair() -> (TcpStream, TriggerFile) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (far, _) = listener.accept().unwrap();
        (near, TriggerFile { file: far.into(), rule: PsiTrigger::SECOND, by: By::Kernel })
    }

    #[test]
    fn it_trips_it_is_called_and_it_ends() {
        let bell = WakeHandle::new().unwrap();
        let (near, mut wire) = pair();
        bell.wake();
        bell.wake();
        assert_eq!(wire.wait(&bell), TriggerEvent::Woken);
        send(&near, b"x", SendFlags::OOB).unwrap();
        assert_eq!(wire.wait(&bell), TriggerEvent::Stalled, "two rings were one");
        drop(near);
        let (near, mut wire) = pair();
        // A connection that is reset, as the file of a cgroup that is gone.
        rustix::net::sockopt::set_socket_linger(&near, Some(std::time::Duration::ZERO)).unwrap();
        drop(near);
        assert_eq!(wire.wait(&bell), TriggerEvent::Gone);
    }

    #[test]
    fn where_there_is_no_trigger_the_total_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memory");
        let line = |total: u64| {
            let zeros = "avg10=0.00 avg60=0.00 avg300=0.00";
            std::fs::write(&path, format!("some {zeros} total={total}\nfull {zeros} total=0\n"))
                .unwrap();
        };
        line(5_000_000);
        let dir = std::fs::File::open(folder.path()).unwrap();
        let file = openat(&dir, c"memory", OFlags::RDONLY, Mode::empty()).unwrap();
        let rule = PsiTrigger { stall: Millis(100), window: Millis(1) };
        let before = total(&file).unwrap();
        let mut wire = TriggerFile { file, rule, by: By::Reading(before, Errno::PERM) };
        let PressureWatch::Reading(_, why) = wire.watch() else { panic!("it is read") };
        assert!(why.contains("CAP_SYS_RESOURCE"));
        let bell = WakeHandle::new().unwrap();
        line(5_100_000);
        assert_eq!(wire.wait(&bell), TriggerEvent::Stalled);
        bell.wake();
        assert_eq!(wire.wait(&bell), TriggerEvent::Woken, "it does not go on waiting");
        std::fs::write(&path, "none").unwrap();
        assert_eq!(wire.wait(&bell), TriggerEvent::Gone);
        assert_eq!(TriggerFile::open(&dir, c"nothing").unwrap_err(), Errno::NOENT);
    }

    #[test]
    fn the_machines_own_file_takes_one() {
        let Ok(proc) = std::fs::File::open("/proc/pressure") else {
            eprintln!("skipped: no PSI here");
            return;
        };
        match TriggerFile::open(&proc, c"memory") {
            Ok(wire) => assert!(wire.watch().is_watching(), "{wire:?}"),
            Err(errno) => eprintln!("skipped: {}", refusal(errno)),
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = some_total(&bytes);
        }
    }
}
