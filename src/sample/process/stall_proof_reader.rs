//! Reads what may block for ever of one process after the other, without one of them blocking the rest.
//!
//! The command line, the environment and the memory map of a process are read under the lock of its address
//! space (`mmap_lock`). Whoever can make a thread of a process wait in a page fault, as the server of a
//! FUSE file can, holds that lock for as long as they like, and each reader waits with it. So a process that
//! does not answer in time is passed over: its reader is left behind, and another one goes on with the rest.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::model::ProcId;

/// A process that does not answer for this long is passed over.
const PATIENCE: Duration = Duration::from_millis(150);

/// Maximum number of threads. Where all of them are stuck, the other processes count as passed over, too, until
/// one is free again.
pub(crate) const MAX_READERS: usize = 8;

/// How often a process that does not answer is looked for, while an answer is to come.
const TICK: Duration = Duration::from_millis(20);

/// How often a late answer is looked for, while nothing else is to come.
const LATE_TICK: Duration = Duration::from_secs(1);

/// Maximum number of answers that are handed over at once: the first ones are shown before the last ones are
/// read.
pub(crate) const MAX_ANSWERS_AT_ONCE: usize = 64;

/// What came of a request. Each has one answer, and a process that was passed over may have a late one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LookupAnswer<T> {
    /// What was read.
    Read(T),
    /// It does not answer.
    PassedOver,
    /// What was read in the end of a process that was passed over.
    Late(T),
}

/// The threads that read.
pub(crate) struct StallProofReader<T> {
    shared: Arc<Shared<T>>,
    answers: Receiver<(ProcId, LookupAnswer<T>)>,
}

struct Shared<T> {
    name: &'static str,
    read: Box<dyn Fn(ProcId) -> T + Send + Sync>,
    queue: Mutex<Queue>,
    work: Condvar,
    outbox: Sender<(ProcId, LookupAnswer<T>)>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<ProcId>,
    /// What is being read, since when, and whether it was passed over.
    reading: Vec<(ProcId, Instant, bool)>,
    /// Number of threads, also of those that are stuck.
    readers: usize,
    is_over: bool,
}

impl Queue {
    fn stuck(&self) -> usize {
        self.reading.iter().filter(|(_, _, passed)| *passed).count()
    }
}

impl<T: Send + 'static> StallProofReader<T> {
    /// Starts the first thread. `None` if it cannot be started.
    pub(crate) fn start(
        name: &'static str,
        read: impl Fn(ProcId) -> T + Send + Sync + 'static,
    ) -> Option<Self> {
        let (outbox, answers) = channel();
        let (queue, work) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { name, read: Box::new(read), queue, work, outbox });
        shared.start_reader(&mut shared.lock()).then_some(())?;
        Some(Self { shared, answers })
    }

    /// Requests these processes.
    pub(crate) fn request(&self, processes: impl IntoIterator<Item = ProcId>) {
        let mut queue = self.shared.lock();
        for who in processes {
            // A second reader would be stuck as well.
            if queue.reading.iter().any(|(other, _, passed)| *other == who && *passed) {
                let _ = self.shared.outbox.send((who, LookupAnswer::PassedOver));
            } else {
                queue.waiting.push_back(who);
            }
        }
        self.shared.work.notify_all();
    }

    /// The next answer, if there is one until then.
    pub(crate) fn next(&self, until: Instant) -> Option<(ProcId, LookupAnswer<T>)> {
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            match self.answers.recv_timeout(rest.min(TICK)) {
                Ok(answer) => return Some(answer),
                Err(_) => self.shared.pass_over(),
            }
            if rest.is_zero() {
                return self.answers.try_recv().ok();
            }
        }
    }

    /// The answers that are there.
    pub(crate) fn arrived(&self) -> impl Iterator<Item = (ProcId, LookupAnswer<T>)> {
        self.shared.pass_over();
        self.answers.try_iter()
    }

    /// Serves requests until their sender is gone or `take` returns false.
    pub(crate) fn serve(
        &self,
        requests: &Receiver<Vec<ProcId>>,
        mut take: impl FnMut(Vec<(ProcId, LookupAnswer<T>)>) -> bool,
    ) {
        loop {
            requests.try_iter().for_each(|wanted| self.request(wanted));
            let (active, stuck) = {
                let queue = self.shared.lock();
                let stuck = queue.stuck();
                (!queue.waiting.is_empty() || queue.reading.len() > stuck, stuck > 0)
            };
            // Where nothing is being read, every answer has arrived.
            let first = active.then(|| self.next(Instant::now() + TICK)).flatten();
            let mut answers: Vec<_> = first.into_iter().collect();
            answers.extend(self.answers.try_iter().take(MAX_ANSWERS_AT_ONCE - answers.len()));
            if !answers.is_empty() {
                if take(answers) {
                    continue;
                }
                return;
            }
            let wanted = if active {
                requests.recv_timeout(Duration::ZERO)
            } else if stuck {
                requests.recv_timeout(LATE_TICK)
            } else {
                requests.recv().map_err(RecvTimeoutError::from)
            };
            match wanted {
                Ok(wanted) => self.request(wanted),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

impl<T> Drop for StallProofReader<T> {
    /// Ends the threads, but for those that are stuck: they end when they are free.
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.is_over = true;
        queue.waiting.clear();
        self.shared.work.notify_all();
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Shared<T> {
    /// Starts a thread. Whether it could be started.
    fn start_reader(self: &Arc<Self>, queue: &mut Queue) -> bool {
        let own = Arc::clone(self);
        let started =
            thread::Builder::new().name(self.name.to_owned()).spawn(move || own.work()).is_ok();
        queue.readers += usize::from(started);
        started
    }

    /// Reads one process after the other.
    fn work(&self) {
        while let Some(who) = self.take() {
            let read = (self.read)(who);
            if self.done(who, read) {
                return;
            }
        }
    }

    /// Waits for the next process. Nothing when there will be no more.
    fn take(&self) -> Option<ProcId> {
        let mut queue = self.lock();
        loop {
            if queue.is_over {
                return None;
            }
            if let Some(who) = queue.waiting.pop_front() {
                queue.reading.push((who, Instant::now(), false));
                return Some(who);
            }
            queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A process was read. Returns whether this thread is needed no more.
    fn done(&self, who: ProcId, read: T) -> bool {
        let mut queue = self.lock();
        let at = queue.reading.iter().position(|(other, ..)| *other == who);
        let passed = at.is_some_and(|at| queue.reading.swap_remove(at).2);
        let answer = if passed { LookupAnswer::Late(read) } else { LookupAnswer::Read(read) };
        let is_spare = queue.readers > queue.stuck() + 1;
        queue.readers -= usize::from(is_spare);
        // With the lock: while nothing is being read, every answer is on its way.
        self.outbox.send((who, answer)).is_err() || is_spare
    }

    /// Passes over the processes that do not answer, and starts a thread in place of each that is stuck.
    fn pass_over(self: &Arc<Self>) {
        let mut queue = self.lock();
        for (who, since, passed) in &mut queue.reading {
            if !*passed && since.elapsed() >= PATIENCE {
                *passed = true;
                let _ = self.outbox.send((*who, LookupAnswer::PassedOver));
            }
        }
        let mut stuck = queue.readers <= queue.stuck();
        if stuck && queue.readers < MAX_READERS {
            stuck = !self.start_reader(&mut queue);
        }
        if stuck {
            for who in queue.waiting.drain(..) {
                let _ = self.outbox.send((who, LookupAnswer::PassedOver));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::mpsc::channel;

    use super::*;
    use crate::units::Ticks;

    const fn id(pid: i32) -> ProcId {
        ProcId { pid, born: Ticks(1) }
    }

    /// A reader for which the processes with pids below `stuck` do not answer until the gate is dropped.
    fn reader(stuck: i32) -> (StallProofReader<i32>, Sender<()>) {
        let (gate, closed) = channel::<()>();
        let closed = Mutex::new(closed);
        let opened = Arc::new((Mutex::new(false), Condvar::new()));
        let open = Arc::clone(&opened);
        thread::spawn(move || {
            let _ = closed.lock().expect("not poisoned").recv();
            *open.0.lock().expect("not poisoned") = true;
            open.1.notify_all();
        });
        let read = move |who: ProcId| {
            let mut is_open = opened.0.lock().expect("not poisoned");
            while who.pid < stuck && !*is_open {
                is_open = opened.1.wait(is_open).expect("not poisoned");
            }
            who.pid * 10
        };
        (StallProofReader::start("test", read).expect("a thread"), gate)
    }

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn a_caller_without_time_passes_over_what_is_stuck_too() {
        let (reader, gate) = reader(8);
        reader.request([id(7), id(9)]);
        let (end, mut seen) = (far(), BTreeMap::new());
        while seen.len() < 2 && Instant::now() < end {
            seen.extend(reader.next(Instant::now()).map(|(who, it)| (who.pid, it)));
        }
        assert_eq!(seen.get(&7), Some(&LookupAnswer::PassedOver));
        assert_eq!(seen.get(&9), Some(&LookupAnswer::Read(90)));
        drop(gate);
    }

    /// The answers to these requests.
    fn answers(reader: &StallProofReader<i32>, count: usize) -> BTreeMap<i32, LookupAnswer<i32>> {
        (0..count)
            .map(|_| reader.next(far()).expect("an answer"))
            .map(|(who, it)| (who.pid, it))
            .collect()
    }

    #[test]
    fn one_that_does_not_answer_keeps_no_other_from_being_read() {
        let (reader, gate) = reader(3);
        reader.request((1..=20).map(id));
        let found = answers(&reader, 20);
        for pid in 1..=20 {
            let answer =
                if pid < 3 { LookupAnswer::PassedOver } else { LookupAnswer::Read(pid * 10) };
            assert_eq!(found[&pid], answer);
        }
        assert_eq!(reader.shared.lock().readers, 3, "two are stuck");
        reader.request([id(1)]);
        assert_eq!(reader.next(far()), Some((id(1), LookupAnswer::PassedOver)), "at once");
        drop(gate);
        let late = answers(&reader, 2);
        assert_eq!(late, [(1, LookupAnswer::Late(10)), (2, LookupAnswer::Late(20))].into());
        reader.request([id(1), id(9)]);
        let again = answers(&reader, 2);
        assert_eq!(again, [(1, LookupAnswer::Read(10)), (9, LookupAnswer::Read(90))].into());
        assert_eq!(reader.shared.lock().readers, 1, "those that were stuck are not needed");
    }

    #[test]
    fn the_number_of_threads_is_bounded_and_everybody_has_an_answer() {
        let (reader, gate) = reader(100);
        let count = MAX_READERS as i32 + 30;
        reader.request((1..=count).map(id));
        let found = answers(&reader, count as usize);
        assert!(found.values().all(|it| *it == LookupAnswer::PassedOver), "{found:?}");
        assert_eq!(reader.shared.lock().readers, MAX_READERS);
        reader.request([id(200)]);
        assert_eq!(reader.next(far()), Some((id(200), LookupAnswer::PassedOver)));
        drop(gate);
        assert_eq!(answers(&reader, MAX_READERS).len(), MAX_READERS, "late, but there");
        reader.request([id(200)]);
        assert_eq!(reader.next(far()), Some((id(200), LookupAnswer::Read(2000))));
    }

    #[test]
    fn requests_are_served_until_their_sender_is_gone() {
        let (reader, gate) = reader(2);
        let (requests, requested) = channel();
        requests.send(vec![id(1), id(5)]).expect("received");
        let mut sender = Some(requests);
        let mut gate = Some(gate);
        let mut found = Vec::new();
        reader.serve(&requested, |answers| {
            found.extend(answers);
            match found.len() {
                2 => gate = None,
                3 => sender = None,
                _ => {}
            }
            true
        });
        found.sort_by_key(|(who, answer)| (who.pid, matches!(answer, LookupAnswer::Late(_))));
        assert_eq!(
            found,
            [
                (id(1), LookupAnswer::PassedOver),
                (id(1), LookupAnswer::Late(10)),
                (id(5), LookupAnswer::Read(50))
            ]
        );
    }
}
