//! A PSI trigger: the kernel wakes doomtop when tasks begin to stall on memory
//! (`Documentation/accounting/psi.rst`).
//!
//! On a machine without swap there is hardly any stall before a kill. A trigger warns early only
//! where there is swap, or page cache to reclaim.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::{Errno, pread, read, write};

use crate::model::{PressureWatch, PsiTrigger};
use crate::units::Millis;

/// The triggers to try, the most sensitive first: not every user may have the first one.
const TRIGGERS: [PsiTrigger; 2] = [PsiTrigger::SECOND, PsiTrigger::TWO_SECONDS];

/// Wakes the thread that waits at a trigger, from another thread (an eventfd).
#[derive(Debug)]
pub struct WaitInterrupt(OwnedFd);

impl WaitInterrupt {
    /// Creates the eventfd.
    ///
    /// # Errors
    /// The process has no file descriptor left.
    pub fn new() -> Result<Self, Errno> {
        eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map(Self)
    }

    /// Wakes the waiting thread. Several calls before it waits again wake it once.
    pub fn wake(&self) {
        let _ = write(&self.0, &1_u64.to_ne_bytes());
    }

    fn reset(&self) {
        let _ = read(&self.0, &mut [0; 8]);
    }
}

/// Why the wait at a trigger ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerEvent {
    /// Tasks stall on memory.
    Stalled,
    /// [`WaitInterrupt::wake`] was called.
    Woken,
    /// The file has ended: its cgroup was removed.
    Gone,
}

/// How a stall is noticed.
#[derive(Debug)]
enum Method {
    /// The kernel reports it through the trigger.
    Trigger,
    /// The file is read once per window.
    Polling {
        /// Total stall time at the last read, in microseconds.
        last_us: u64,
        /// Why the kernel took no trigger.
        why: Errno,
    },
}

/// A pressure file that is watched for stalls.
#[derive(Debug)]
pub struct TriggerFile {
    file: OwnedFd,
    rule: PsiTrigger,
    method: Method,
}

impl TriggerFile {
    /// Opens `file` below `dir` with a trigger; if the kernel takes none, the file is read once per
    /// window instead.
    ///
    /// # Errors
    /// The file does not exist, or cannot even be read.
    pub fn open(dir: impl AsFd, file: &CStr) -> Result<Self, Errno> {
        let mut refused = Errno::INVAL;
        for rule in TRIGGERS {
            match trigger(&dir, file, rule) {
                Ok(file) => return Ok(Self { file, rule, method: Method::Trigger }),
                Err(errno) => refused = errno,
            }
        }
        let file = openat(dir, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let method = Method::Polling { last_us: total_us(&file)?, why: refused };
        Ok(Self { file, rule: PsiTrigger::TWO_SECONDS, method })
    }

    /// How stalls are noticed, for the screen.
    #[must_use]
    pub fn watch(&self) -> PressureWatch {
        match self.method {
            Method::Trigger => PressureWatch::Trigger(self.rule),
            Method::Polling { why, .. } => PressureWatch::Reading(self.rule, trigger_refusal(why)),
        }
    }

    /// Sleeps until tasks stall or `wake` is used. A trigger reports at most one stall per window.
    pub fn wait(&mut self, wake: &WaitInterrupt) -> TriggerEvent {
        let window = Timespec {
            tv_sec: i64::try_from(self.rule.window.0 / 1000).unwrap_or(1),
            tv_nsec: i64::try_from(self.rule.window.0 % 1000 * 1_000_000).unwrap_or(0),
        };
        loop {
            let (seen, woken) = {
                let mut fds =
                    [PollFd::new(&wake.0, PollFlags::IN), PollFd::new(&self.file, PollFlags::PRI)];
                // Without a trigger poll(2) always reports an error on the file: it is left out.
                let (count, timeout) = match self.method {
                    Method::Trigger => (2, None),
                    Method::Polling { .. } => (1, Some(&window)),
                };
                match poll(fds.get_mut(..count).unwrap_or_default(), timeout) {
                    Ok(_) => {}
                    Err(Errno::INTR) => continue,
                    Err(_) => return TriggerEvent::Gone,
                }
                let [wake, file] = fds;
                (file.revents(), !wake.revents().is_empty())
            };
            if woken {
                wake.reset();
                return TriggerEvent::Woken;
            }
            match &mut self.method {
                Method::Trigger if seen.intersects(broken()) => return TriggerEvent::Gone,
                Method::Trigger if seen.contains(PollFlags::PRI) => return TriggerEvent::Stalled,
                Method::Trigger => {}
                Method::Polling { last_us, .. } => {
                    let Ok(now_us) = total_us(&self.file) else { return TriggerEvent::Gone };
                    let stalled = Millis(now_us.saturating_sub(*last_us) / 1000);
                    *last_us = now_us;
                    if stalled >= self.rule.stall {
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

/// Opens the file and writes the trigger to it. The trigger exists as long as this descriptor.
fn trigger(dir: impl AsFd, file: &CStr, rule: PsiTrigger) -> Result<OwnedFd, Errno> {
    let how = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(dir, file, how, Mode::empty())?;
    let text = format!("some {} {}\0", rule.stall.0 * 1000, rule.window.0 * 1000);
    if write(&file, text.as_bytes())? == text.len() { Ok(file) } else { Err(Errno::IO) }
}

/// The time since boot in which at least one task stalled, in microseconds.
fn total_us(file: impl AsFd) -> Result<u64, Errno> {
    let mut room = [0; 256];
    let length = pread(file, &mut room, 0)?;
    some_total(room.get(..length).unwrap_or_default()).ok_or(Errno::BADMSG)
}

/// The `total` of `some avg10=0.00 avg60=0.00 avg300=0.00 total=22139135`.
fn some_total(bytes: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(bytes).ok()?.lines().next()?.strip_prefix("some ")?;
    line.split(' ').find_map(|word| word.strip_prefix("total="))?.parse().ok()
}

/// Why a pressure file cannot be opened or takes no trigger, as a sentence.
#[must_use]
pub fn trigger_refusal(errno: Errno) -> String {
    match errno {
        Errno::NOENT => "there is no pressure file (needs Linux 4.20 with CONFIG_PSI)".to_owned(),
        Errno::OPNOTSUPP => "PSI is disabled (boot with psi=1 to enable it)".to_owned(),
        Errno::PERM | Errno::ACCESS => {
            "a trigger needs CAP_SYS_RESOURCE, or write access to the file".to_owned()
        }
        Errno::INVAL => "this kernel does not accept such a trigger".to_owned(),
        Errno::ROFS => "the file is read-only here, as in a container".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use proptest::prelude::*;
    use rustix::net::{SendFlags, send};

    use super::*;

    /// poll(2) reports out-of-band data of a socket as it reports a trigger: with POLLPRI.
    fn pair() -> (TcpStream, TriggerFile) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (far, _) = listener.accept().unwrap();
        (near, TriggerFile { file: far.into(), rule: PsiTrigger::SECOND, method: Method::Trigger })
    }

    #[test]
    fn a_wait_ends_by_a_stall_a_wake_and_the_end_of_the_file() {
        let wake = WaitInterrupt::new().unwrap();
        let (near, mut trigger) = pair();
        wake.wake();
        wake.wake();
        assert_eq!(trigger.wait(&wake), TriggerEvent::Woken);
        send(&near, b"x", SendFlags::OOB).unwrap();
        assert_eq!(trigger.wait(&wake), TriggerEvent::Stalled, "two wakes are one");
        drop(near);
        let (near, mut trigger) = pair();
        // A reset connection looks like the file of a removed cgroup.
        rustix::net::sockopt::set_socket_linger(&near, Some(std::time::Duration::ZERO)).unwrap();
        drop(near);
        assert_eq!(trigger.wait(&wake), TriggerEvent::Gone);
    }

    #[test]
    fn without_a_trigger_the_total_is_read() {
        let tree = tempfile::tempdir().unwrap();
        let path = tree.path().join("memory");
        let line = |total: u64| {
            let zeros = "avg10=0.00 avg60=0.00 avg300=0.00";
            std::fs::write(&path, format!("some {zeros} total={total}\nfull {zeros} total=0\n"))
                .unwrap();
        };
        line(5_000_000);
        let dir = std::fs::File::open(tree.path()).unwrap();
        let file = openat(&dir, c"memory", OFlags::RDONLY, Mode::empty()).unwrap();
        let rule = PsiTrigger { stall: Millis(100), window: Millis(1) };
        let last_us = total_us(&file).unwrap();
        let mut trigger =
            TriggerFile { file, rule, method: Method::Polling { last_us, why: Errno::PERM } };
        let PressureWatch::Reading(_, why) = trigger.watch() else { panic!("the file is read") };
        assert!(why.contains("CAP_SYS_RESOURCE"));
        let wake = WaitInterrupt::new().unwrap();
        line(5_100_000);
        assert_eq!(trigger.wait(&wake), TriggerEvent::Stalled);
        wake.wake();
        assert_eq!(trigger.wait(&wake), TriggerEvent::Woken, "the wait ends early");
        std::fs::write(&path, "none").unwrap();
        assert_eq!(trigger.wait(&wake), TriggerEvent::Gone);
        assert_eq!(TriggerFile::open(&dir, c"nothing").unwrap_err(), Errno::NOENT);
    }

    #[test]
    fn the_file_of_the_machine_takes_a_trigger() {
        let Ok(proc) = std::fs::File::open("/proc/pressure") else {
            eprintln!("skipped: no PSI here");
            return;
        };
        match TriggerFile::open(&proc, c"memory") {
            Ok(trigger) => assert!(trigger.watch().is_watching(), "{trigger:?}"),
            Err(errno) => eprintln!("skipped: {}", trigger_refusal(errno)),
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = some_total(&bytes);
        }
    }
}
