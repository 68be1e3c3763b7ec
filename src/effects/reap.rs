//! Frees the memory of killed processes at once (`process_mrelease(2)`). The call lasts as long as the
//! unmapping and may wait for a lock, so it has a thread of its own. The thread is started early,
//! because starting one may fail when memory is short.

use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;

use crate::effects::signal::has_exited;
use crate::intent::{Expedite, ExpediteStep, Outcome, StepResult};
use crate::model::ProcId;
use crate::syscall;

/// Maximum number of attempts, as in the kernel's own reaper (`mm/oom_kill.c`, `MAX_OOM_REAP_REMAX_ATTEMPTS`).
const MAX_ATTEMPTS: u32 = 10;
/// Interval between two attempts.
const PAUSE: Duration = Duration::from_millis(100);

/// The process whose memory is to be freed.
struct Order {
    who: ProcId,
    name: String,
    pidfd: OwnedFd,
}

/// The thread that frees memory.
#[derive(Debug)]
pub(crate) struct Reaper {
    orders: Sender<Order>,
    results: Receiver<Outcome>,
    /// Orders without a result so far.
    open: usize,
}

impl Reaper {
    /// Starts the thread, which ends when the reaper is dropped. `None` if it cannot be started.
    pub fn start() -> Option<Self> {
        let (orders, inbox) = channel::<Order>();
        let (outbox, results) = channel();
        let work = move || {
            for Order { who, name, pidfd } in inbox {
                let result = free(|| attempt(&pidfd), || thread::sleep(PAUSE));
                let taken = ExpediteStep { step: Expedite::Reap, result };
                if outbox.send(Outcome::Hastened { who, name, taken }).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("reaper".to_owned()).spawn(work).ok()?;
        Some(Self { orders, results, open: 0 })
    }

    /// Orders the memory of the process behind the pidfd to be freed. [`Reaper::results`] returns the result.
    pub fn reap(&mut self, who: ProcId, name: String, pidfd: OwnedFd) -> Result<(), StepResult> {
        self.orders.send(Order { who, name, pidfd }).map_err(|_| no_thread())?;
        self.open += 1;
        Ok(())
    }

    /// The results since the last call. Does not wait.
    pub fn results(&mut self) -> Vec<Outcome> {
        let results: Vec<Outcome> = self.results.try_iter().collect();
        self.open = self.open.saturating_sub(results.len());
        results
    }

    /// Whether a result is still to come.
    pub const fn is_busy(&self) -> bool {
        self.open > 0
    }
}

/// The result of the step without the thread.
pub(crate) fn no_thread() -> StepResult {
    StepResult::Unavailable("its thread could not be started".to_owned())
}

/// One attempt. A process that has exited has freed its memory: the call, which may wait for a lock, is
/// not made.
fn attempt(pidfd: &OwnedFd) -> Result<(), Errno> {
    if has_exited(pidfd) { Err(Errno::SRCH) } else { syscall::release_memory(pidfd) }
}

/// Repeats the call until it succeeds or cannot succeed.
fn free(mut call: impl FnMut() -> Result<(), Errno>, mut pause: impl FnMut()) -> StepResult {
    let unavailable = |why: &str| StepResult::Unavailable(why.to_owned());
    for _ in 0..MAX_ATTEMPTS {
        match call() {
            Ok(()) => return StepResult::Done(String::new()),
            Err(Errno::SRCH) => return StepResult::Done("it was freed already".to_owned()),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => pause(),
            Err(Errno::INVAL) => {
                return unavailable("a process that is not dying shares its memory");
            }
            Err(Errno::NOSYS) => return unavailable("needs Linux 5.15"),
            Err(Errno::PERM | Errno::ACCESS) => {
                return StepResult::Refused("a seccomp filter forbids process_mrelease".to_owned());
            }
            Err(errno) => return unavailable(&std::io::Error::from(errno).to_string()),
        }
    }
    unavailable("its memory stayed locked: part of it was not freed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_errno_has_a_result() {
        let result = |errno| free(|| Err(errno), || {});
        assert_eq!(free(|| Ok(()), || {}), StepResult::Done(String::new()));
        assert!(matches!(result(Errno::SRCH), StepResult::Done(word) if word.contains("already")));
        assert!(
            matches!(result(Errno::INVAL), StepResult::Unavailable(why) if why.contains("not dying"))
        );
        assert!(
            matches!(result(Errno::NOSYS), StepResult::Unavailable(why) if why.contains("5.15"))
        );
        assert!(matches!(result(Errno::PERM), StepResult::Refused(_)));
        assert!(
            matches!(result(Errno::INTR), StepResult::Unavailable(_)),
            "the attempts are limited"
        );
    }

    #[test]
    fn a_partial_result_is_retried_a_limited_number_of_times() {
        let (mut calls, mut paused) = (0, 0);
        let result = free(
            || {
                calls += 1;
                if calls < 3 { Err(Errno::AGAIN) } else { Ok(()) }
            },
            || paused += 1,
        );
        assert_eq!((result, calls, paused), (StepResult::Done(String::new()), 3, 2));
        let mut pauses = 0;
        let result = free(|| Err(Errno::AGAIN), || pauses += 1);
        assert!(matches!(result, StepResult::Unavailable(why) if why.contains("locked")));
        assert_eq!(pauses, MAX_ATTEMPTS);
    }
}
