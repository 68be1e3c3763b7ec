//! Taking the memory of the killed back at once. The call lasts as long as the unmapping and may wait
//! for a lock, so it has a thread of its own, which is there before memory is gone.

use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;

use crate::effects::signal::is_over;
use crate::intent::{Expedite, ExpediteStep, Outcome, StepResult};
use crate::model::ProcId;
use crate::syscall;

/// As the kernel's own reaper does it (`mm/oom_kill.c`, `MAX_OOM_REAP_RETRIES`).
const TRIES: u32 = 10;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(100);

/// Whose memory to take back.
struct Order {
    who: ProcId,
    name: String,
    pidfd: OwnedFd,
}

/// The thread, and what it was asked.
#[derive(Debug)]
pub(crate) struct Reaper {
    orders: Sender<Order>,
    answers: Receiver<Outcome>,
    /// Answers that are still to come.
    open: usize,
}

impl Reaper {
    /// Starts the thread; it ends with what comes back. Nothing where no thread can be had.
    pub fn start() -> Option<Self> {
        let (orders, asked) = channel::<Order>();
        let (said, answers) = channel();
        let work = move || {
            for Order { who, name, pidfd } in asked {
                let came = release(|| one(&pidfd), || thread::sleep(PAUSE));
                let taken = ExpediteStep { step: Expedite::Reap, result: came };
                if said.send(Outcome::Hastened { who, name, taken }).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("releaser".to_owned()).spawn(work).ok()?;
        Some(Self { orders, answers, open: 0 })
    }

    /// Takes the memory of the process behind the pidfd back; what came of it is an answer.
    pub fn reap(&mut self, who: ProcId, name: String, pidfd: OwnedFd) -> Result<(), StepResult> {
        self.orders.send(Order { who, name, pidfd }).map_err(|_| gone())?;
        self.open += 1;
        Ok(())
    }

    /// What came since the last call. Does not wait.
    pub fn answers(&mut self) -> Vec<Outcome> {
        let came: Vec<Outcome> = self.answers.try_iter().collect();
        self.open = self.open.saturating_sub(came.len());
        came
    }

    /// Whether an answer is still to come.
    pub const fn is_busy(&self) -> bool {
        self.open > 0
    }
}

/// Why the step cannot be done without the thread.
pub(crate) fn gone() -> StepResult {
    StepResult::Unavailable("no thread could be had for it".to_owned())
}

/// Asks once. Who is gone has given its memory back: nobody waits on the lock of it.
fn one(pidfd: &OwnedFd) -> Result<(), Errno> {
    if is_over(pidfd) { Err(Errno::SRCH) } else { syscall::release_memory(pidfd) }
}

/// Asks until it is done or it makes no sense any more.
fn release(mut ask: impl FnMut() -> Result<(), Errno>, mut pause: impl FnMut()) -> StepResult {
    let no = |why: &str| StepResult::Unavailable(why.to_owned());
    for _ in 0..TRIES {
        match ask() {
            Ok(()) => return StepResult::Done(String::new()),
            Err(Errno::SRCH) => return StepResult::Done("it was given back already".to_owned()),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => pause(),
            Err(Errno::INVAL) => return no("somebody who is not dying lives in its memory"),
            Err(Errno::NOSYS) => return no("needs Linux 5.15"),
            Err(Errno::PERM | Errno::ACCESS) => {
                return StepResult::Refused("a filter of system calls forbids it".to_owned());
            }
            Err(errno) => return no(&std::io::Error::from(errno).to_string()),
        }
    }
    no("its memory is locked by somebody: a part was left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_of_the_kernel_has_its_words() {
        let one = |errno| release(|| Err(errno), || {});
        assert_eq!(release(|| Ok(()), || {}), StepResult::Done(String::new()));
        assert!(matches!(one(Errno::SRCH), StepResult::Done(word) if word.contains("already")));
        assert!(
            matches!(one(Errno::INVAL), StepResult::Unavailable(why) if why.contains("not dying"))
        );
        assert!(matches!(one(Errno::NOSYS), StepResult::Unavailable(why) if why.contains("5.15")));
        assert!(matches!(one(Errno::PERM), StepResult::Refused(_)));
        assert!(matches!(one(Errno::INTR), StepResult::Unavailable(_)), "not for ever");
    }

    #[test]
    fn a_part_is_asked_for_again_and_not_for_ever() {
        let (mut asked, mut paused) = (0, 0);
        let came = release(
            || {
                asked += 1;
                if asked < 3 { Err(Errno::AGAIN) } else { Ok(()) }
            },
            || paused += 1,
        );
        assert_eq!((came, asked, paused), (StepResult::Done(String::new()), 3, 2));
        let mut tries = 0;
        let came = release(|| Err(Errno::AGAIN), || tries += 1);
        assert!(matches!(came, StepResult::Unavailable(why) if why.contains("locked")));
        assert_eq!(tries, TRIES);
    }
}
