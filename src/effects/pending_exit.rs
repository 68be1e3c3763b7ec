//! What comes of a signal: gone after so long, or still there, and why.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use crate::effects::proc_dir::{ProcDir, is_dead, means_gone, slurp};
use crate::effects::signal::is_over;
use crate::intent::{FROZEN, FreeMemory, Outcome};
use crate::model::{ProcId, Process, Signal};
use crate::sample::cgroup::freezer;
use crate::sample::parse::{self, Stat};
use crate::units::{Kib, Millis};

/// When a process that still stands is worth a word: soon, and once more when it must be stuck.
const NOTES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];

/// A signalled process that is being watched until it is gone.
#[derive(Debug)]
pub(crate) struct PendingExit {
    pub who: ProcId,
    pub name: String,
    pub signal: Signal,
    /// When the signal was sent, on the clock of the hands.
    pub since: Duration,
    /// [`spare`] right before.
    pub before: FreeMemory,
    /// [`held`] right before.
    pub held: Kib,
    /// Nothing on kernels before 5.3; then the directory tells.
    pub pidfd: Option<OwnedFd>,
    pub folder: ProcDir,
    /// How many of [`NOTES`] are behind it.
    pub told: usize,
}

impl PendingExit {
    /// What there is to say by `now`, and whether the pursuit is over.
    pub fn settle(&mut self, proc: impl AsFd, now: Duration) -> (Option<Outcome>, bool) {
        let elapsed = now.saturating_sub(self.since);
        let after = Millis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
        let (who, name) = (self.who, self.name.clone());
        if self.is_gone() {
            let (held, before, now) = (self.held, self.before, spare(proc));
            return (Some(Outcome::Exited { who, name, after, held, before, now }), true);
        }
        let due = NOTES.iter().take_while(|&&note| elapsed >= note).count();
        if due <= self.told {
            return (None, false);
        }
        self.told = due;
        let signal = self.signal;
        let why = ExitState::of(&self.folder)
            .map_or_else(|| "it cannot be looked at now".to_owned(), |context| context.why(signal));
        (Some(Outcome::StillThere { who, name, signal, after, why }), false)
    }

    fn is_gone(&self) -> bool {
        match &self.pidfd {
            Some(pidfd) => is_over(pidfd),
            None => match self.folder.stat() {
                Ok(stat) => is_dead(&stat),
                Err(errno) => means_gone(errno),
            },
        }
    }
}

/// What the machine could give out now. Before 3.14 there is only `MemFree`. Nothing readable counts
/// as nothing.
pub(crate) fn spare(proc: impl AsFd) -> FreeMemory {
    let bytes = slurp(proc, "meminfo").unwrap_or_default();
    parse::meminfo(&bytes).map_or_else(
        |_| FreeMemory::default(),
        |read| FreeMemory {
            memory: read.memory.available_kib.value().unwrap_or(read.memory.free_kib),
            swap: read.swap.free_kib,
        },
    )
}

/// What is its own: `RssAnon` and `VmSwap`, as far as they can be read.
pub(crate) fn held(folder: &ProcDir) -> Kib {
    let status = folder.read("status").ok().and_then(|bytes| parse::status(&bytes, false).ok());
    status.map_or(Kib::ZERO, |status| {
        status.anon.unwrap_or(Kib::ZERO) + status.swap.unwrap_or(Kib::ZERO)
    })
}

/// What can be seen of a process that does not go.
#[derive(Debug)]
struct ExitState {
    stat: Stat,
    blocked: u64,
    ignored: u64,
    caught: u64,
    /// Pid 1 of a pid namespace of its own, as a container's first process is.
    inner_init: bool,
    frozen: bool,
    /// The kernel function it sleeps in, where that may be read.
    wchan: Option<String>,
}

impl ExitState {
    /// Nothing is known yet but its `stat`.
    const fn new(stat: Stat) -> Self {
        Self {
            stat,
            blocked: 0,
            ignored: 0,
            caught: 0,
            inner_init: false,
            frozen: false,
            wchan: None,
        }
    }

    fn of(folder: &ProcDir) -> Option<Self> {
        let status = folder.read("status").unwrap_or_default();
        let cgroup = folder.read("cgroup").unwrap_or_default();
        let wchan = folder.read("wchan").ok().and_then(|bytes| String::from_utf8(bytes).ok());
        Some(Self {
            frozen: freezer::freezers(&cgroup).iter().any(freezer::Freezer::is_frozen),
            // The kernel writes 0 when there is none, and when it must not be told.
            wchan: wchan.filter(|place| place.starts_with(|c: char| c.is_alphabetic() || c == '_')),
            ..Self::new(folder.stat().ok()?)
        })
        .map(|context| context.with_status(&String::from_utf8_lossy(&status)))
    }

    /// Takes the signal masks and the nested pids of `/proc/PID/status`. The kernel escapes line
    /// ends in the name there, so that no name can pass for another line.
    fn with_status(mut self, status: &str) -> Self {
        for (key, value) in status.lines().filter_map(|line| line.split_once(':')) {
            let mask = || u64::from_str_radix(value.trim(), 16).unwrap_or(0);
            match key {
                "SigBlk" => self.blocked = mask(),
                "SigIgn" => self.ignored = mask(),
                "SigCgt" => self.caught = mask(),
                "NSpid" => {
                    let pids: Vec<&str> = value.split_ascii_whitespace().collect();
                    self.inner_init = pids.len() > 1 && pids.last() == Some(&"1");
                }
                _ => {}
            }
        }
        self
    }

    /// Why it still stands, the most certain reason first.
    fn why(&self, signal: Signal) -> String {
        let Stat { state: run_state, flags, threads, .. } = self.stat;
        let state = run_state.0;
        let sets = |mask: u64| signal.0 > 0 && signal.0 <= 64 && mask >> (signal.0 - 1) & 1 == 1;
        if flags & Process::PF_DUMPCORE != 0 {
            "writing a core dump".to_owned()
        } else if state == 'Z' {
            format!("its main thread is dead, {} more still end", threads.saturating_sub(1))
        } else if state == 'D' {
            let place = self.wchan.as_ref().map_or_else(String::new, |at| format!(" in {at}"));
            format!(
                "in uninterruptible sleep (D){place}: it cannot die before the kernel call returns"
            )
        } else if flags & Process::PF_EXITING != 0 {
            "exiting: it is giving its memory back".to_owned()
        } else if self.frozen {
            FROZEN.to_owned()
        } else if state == 'T' {
            "stopped; the signal reaches it when it is continued (SIGCONT)".to_owned()
        } else if state == 't' {
            "held by a debugger".to_owned()
        } else if sets(self.ignored) {
            format!("it ignores {signal}")
        } else if sets(self.blocked) {
            format!("it blocks {signal} for now")
        } else if sets(self.caught) {
            format!("it caught {signal} and has not ended yet")
        } else if self.inner_init && signal != Signal::KILL {
            format!("it is pid 1 of its own pid namespace, which ignores {signal} unless it asks")
        } else {
            format!("no reason to be seen: it is {}", run_state.words())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::proc_dir::tests::plain;
    use crate::model::RunState;

    fn context(state: char, flags: u32) -> ExitState {
        ExitState::new(Stat { state: RunState(state), flags, threads: 3, ..plain(b"x") })
    }

    #[test]
    fn every_reason_has_its_words() {
        let term = |context: &ExitState| context.why(Signal::TERM);
        for (state, flags, words) in [
            ('D', 0, "uninterruptible sleep (D): it cannot die before the kernel call returns"),
            ('D', Process::PF_EXITING, "uninterruptible sleep"),
            ('D', Process::PF_DUMPCORE, "core dump"),
            ('R', Process::PF_EXITING, "giving its memory back"),
            ('T', 0, "SIGCONT"),
            ('t', 0, "debugger"),
            ('Z', 0, "2 more"),
            ('S', 0, "no reason to be seen: it is sleeping"),
        ] {
            let said = term(&context(state, flags));
            assert!(said.contains(words), "{state} {flags:x}: {said}");
        }
        let stuck = ExitState { wchan: Some("rpc_wait".to_owned()), ..context('D', 0) };
        assert!(term(&stuck).contains("(D) in rpc_wait:"), "{}", term(&stuck));
        assert!(term(&ExitState { frozen: true, ..context('S', 0) }).contains("frozen"));
    }

    #[test]
    fn the_masks_tell_what_became_of_the_signal() {
        let of = |status: &str| context('S', 0).with_status(status);
        let bit = "0000000000004000"; // SIGTERM is 15, so bit 14
        for (name, words) in
            [("SigIgn", "ignores SIGTERM"), ("SigBlk", "blocks"), ("SigCgt", "caught SIGTERM")]
        {
            let context = of(&format!("Name:\tx\n{name}:\t{bit}\nThreads:\t1\n"));
            assert!(context.why(Signal::TERM).contains(words), "{name}");
            assert!(context.why(Signal(2)).contains("no reason"), "{name} of another signal");
        }
        let forged = of("Name:\tx\\nSigIgn:\t0000000000004000\n");
        assert!(forged.why(Signal::TERM).contains("no reason"), "a name is no line");
        assert!(of("NSpid:\t4711\t1\n").why(Signal::TERM).contains("pid 1 of its own"));
        assert!(!of("NSpid:\t4711\t1\n").why(Signal::KILL).contains("pid 1"));
        assert!(!of("NSpid:\t1\n").why(Signal::TERM).contains("pid 1"));
    }
}
