//! Watches a signalled process until it has exited, and says why it is still there if it does not.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use crate::effects::proc_dir::{ProcDir, is_dead, means_gone, read_file};
use crate::effects::signal::has_exited;
use crate::intent::{FROZEN, FreeMemory, Outcome};
use crate::model::{ProcId, Process, Signal};
use crate::sample::cgroup::freezer;
use crate::sample::parse::{self, Stat};
use crate::units::{Kib, Millis};

/// Ages at which a process that is still there is reported: soon, and again when it must be stuck.
const NOTES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];

/// A signalled process that has not exited yet.
#[derive(Debug)]
pub(crate) struct PendingExit {
    pub who: ProcId,
    pub name: String,
    pub signal: Signal,
    /// When the signal was sent, on the clock of [`super::LiveEffects`].
    pub since: Duration,
    /// [`available_memory`] right before the signal.
    pub before: FreeMemory,
    /// [`own_memory`] right before the signal.
    pub held: Kib,
    /// `None` on kernels before 5.3; there the directory tells the exit.
    pub pidfd: Option<OwnedFd>,
    pub dir: ProcDir,
    /// How many of [`NOTES`] were reported.
    pub notes: usize,
}

impl PendingExit {
    /// What there is to report at `now`, and whether the process has exited.
    pub fn settle(&mut self, proc: impl AsFd, now: Duration) -> (Option<Outcome>, bool) {
        let elapsed = now.saturating_sub(self.since);
        let after = Millis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
        let (who, name) = (self.who, self.name.clone());
        if self.is_gone() {
            let (held, before, now) = (self.held, self.before, available_memory(proc));
            return (Some(Outcome::Exited { who, name, after, held, before, now }), true);
        }
        let due = NOTES.iter().take_while(|&&note| elapsed >= note).count();
        if due <= self.notes {
            return (None, false);
        }
        self.notes = due;
        let signal = self.signal;
        let why = ExitState::of(&self.dir)
            .map_or_else(|| "its state cannot be read".to_owned(), |state| state.why(signal));
        (Some(Outcome::StillThere { who, name, signal, after, why }), false)
    }

    fn is_gone(&self) -> bool {
        match &self.pidfd {
            Some(pidfd) => has_exited(pidfd),
            None => match self.dir.stat() {
                Ok(stat) => is_dead(&stat),
                Err(errno) => means_gone(errno),
            },
        }
    }
}

/// Available memory of the machine: `MemAvailable`, or `MemFree` before 3.14. Zero if unreadable.
pub(crate) fn available_memory(proc: impl AsFd) -> FreeMemory {
    let bytes = read_file(proc, "meminfo").unwrap_or_default();
    parse::meminfo(&bytes).map_or_else(
        |_| FreeMemory::default(),
        |read| FreeMemory {
            memory: read.memory.available_kib.value().unwrap_or(read.memory.free_kib),
            swap: read.swap.free_kib,
        },
    )
}

/// Memory that only the process has: `RssAnon` and `VmSwap`. Zero if unreadable.
pub(crate) fn own_memory(dir: &ProcDir) -> Kib {
    let status = dir.read("status").ok().and_then(|bytes| parse::status(&bytes, false).ok());
    status.map_or(Kib::ZERO, |status| {
        status.anon.unwrap_or(Kib::ZERO) + status.swap.unwrap_or(Kib::ZERO)
    })
}

/// The state of a process that does not exit.
#[derive(Debug)]
struct ExitState {
    stat: Stat,
    blocked: u64,
    ignored: u64,
    caught: u64,
    /// Whether it is pid 1 of its own pid namespace, like the first process of a container.
    namespace_init: bool,
    frozen: bool,
    /// The kernel function it sleeps in, if that may be read.
    wchan: Option<String>,
}

impl ExitState {
    /// A state of which only the `stat` is known.
    const fn new(stat: Stat) -> Self {
        Self {
            stat,
            blocked: 0,
            ignored: 0,
            caught: 0,
            namespace_init: false,
            frozen: false,
            wchan: None,
        }
    }

    fn of(dir: &ProcDir) -> Option<Self> {
        let status = dir.read("status").unwrap_or_default();
        let cgroup = dir.cgroups().unwrap_or_default();
        let wchan = dir.read("wchan").ok().and_then(|bytes| String::from_utf8(bytes).ok());
        Some(Self {
            frozen: freezer::freezers(&cgroup).iter().any(freezer::Freezer::is_frozen),
            // The kernel writes 0 if there is none, and if the reader may not know it.
            wchan: wchan.filter(|place| place.starts_with(|c: char| c.is_alphabetic() || c == '_')),
            ..Self::new(dir.stat().ok()?)
        })
        .map(|state| state.with_status(&String::from_utf8_lossy(&status)))
    }

    /// Adds the signal masks and the pids in nested namespaces from `/proc/PID/status`. The kernel escapes
    /// line ends in the name, so no name can forge another line.
    fn with_status(mut self, status: &str) -> Self {
        for (key, value) in status.lines().filter_map(|line| line.split_once(':')) {
            let mask = || u64::from_str_radix(value.trim(), 16).unwrap_or(0);
            match key {
                "SigBlk" => self.blocked = mask(),
                "SigIgn" => self.ignored = mask(),
                "SigCgt" => self.caught = mask(),
                "NSpid" => {
                    let pids: Vec<&str> = value.split_ascii_whitespace().collect();
                    self.namespace_init = pids.len() > 1 && pids.last() == Some(&"1");
                }
                _ => {}
            }
        }
        self
    }

    /// Why it has not exited, the most certain reason first.
    fn why(&self, signal: Signal) -> String {
        let Stat { state: run_state, flags, threads, .. } = self.stat;
        let state = run_state.0;
        let sets = |mask: u64| signal.0 > 0 && signal.0 <= 64 && mask >> (signal.0 - 1) & 1 == 1;
        if flags & Process::PF_DUMPCORE != 0 {
            "writing a core dump".to_owned()
        } else if state == 'Z' {
            format!(
                "its main thread has exited, {} more threads have not",
                threads.saturating_sub(1)
            )
        } else if state == 'D' {
            let place = self.wchan.as_ref().map_or_else(String::new, |at| format!(" in {at}"));
            format!(
                "in uninterruptible sleep (D){place}: it cannot die before the kernel call returns"
            )
        } else if flags & Process::PF_EXITING != 0 {
            "exiting: it is freeing its memory".to_owned()
        } else if self.frozen {
            FROZEN.to_owned()
        } else if state == 'T' {
            "stopped; the signal reaches it when it is continued (SIGCONT)".to_owned()
        } else if state == 't' {
            "stopped by a debugger".to_owned()
        } else if sets(self.ignored) {
            format!("it ignores {signal}")
        } else if sets(self.blocked) {
            format!("it blocks {signal} for now")
        } else if sets(self.caught) {
            format!("it caught {signal} and has not exited yet")
        } else if self.namespace_init && signal != Signal::KILL {
            format!("it is pid 1 of its own pid namespace, where {signal} has no default effect")
        } else {
            format!("no reason visible: it is {}", run_state.words())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::proc_dir::tests::plain;
    use crate::model::RunState;

    fn exit_state(state: char, flags: u32) -> ExitState {
        ExitState::new(Stat { state: RunState(state), flags, threads: 3, ..plain(b"x") })
    }

    #[test]
    fn every_reason_has_a_sentence() {
        let term = |state: &ExitState| state.why(Signal::TERM);
        for (state, flags, words) in [
            ('D', 0, "uninterruptible sleep (D): it cannot die before the kernel call returns"),
            ('D', Process::PF_EXITING, "uninterruptible sleep"),
            ('D', Process::PF_DUMPCORE, "core dump"),
            ('R', Process::PF_EXITING, "freeing its memory"),
            ('T', 0, "SIGCONT"),
            ('t', 0, "debugger"),
            ('Z', 0, "2 more"),
            ('S', 0, "no reason visible: it is sleeping"),
        ] {
            let said = term(&exit_state(state, flags));
            assert!(said.contains(words), "{state} {flags:x}: {said}");
        }
        let stuck = ExitState { wchan: Some("rpc_wait".to_owned()), ..exit_state('D', 0) };
        assert!(term(&stuck).contains("(D) in rpc_wait:"), "{}", term(&stuck));
        assert!(term(&ExitState { frozen: true, ..exit_state('S', 0) }).contains("frozen"));
    }

    #[test]
    fn the_signal_masks_tell_what_came_of_the_signal() {
        let of = |status: &str| exit_state('S', 0).with_status(status);
        let bit = "0000000000004000"; // SIGTERM is 15, so bit 14
        for (name, words) in
            [("SigIgn", "ignores SIGTERM"), ("SigBlk", "blocks"), ("SigCgt", "caught SIGTERM")]
        {
            let state = of(&format!("Name:\tx\n{name}:\t{bit}\nThreads:\t1\n"));
            assert!(state.why(Signal::TERM).contains(words), "{name}");
            assert!(state.why(Signal(2)).contains("no reason"), "{name} of another signal");
        }
        let forged = of("Name:\tx\\nSigIgn:\t0000000000004000\n");
        assert!(forged.why(Signal::TERM).contains("no reason"), "a name cannot forge a line");
        assert!(of("NSpid:\t4711\t1\n").why(Signal::TERM).contains("pid 1 of its own"));
        assert!(!of("NSpid:\t4711\t1\n").why(Signal::KILL).contains("pid 1"));
        assert!(!of("NSpid:\t1\n").why(Signal::TERM).contains("pid 1"));
    }
}
