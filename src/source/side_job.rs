//! A job with a thread of its own. It travels to the thread and back with its buffers, and a sample waits for it
//! only as long as it can.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use crate::source::SourceError;

/// The job, and its way to the thread and back.
pub(super) struct SideJob<J> {
    jobs: SyncSender<J>,
    done: Receiver<J>,
    /// The job, while the thread does not have it.
    home: Option<J>,
}

impl<J: Send + 'static> SideJob<J> {
    /// Starts the thread, which ends when this is dropped.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start(
        name: &str,
        job: J,
        mut work: impl FnMut(&mut J) + Send + 'static,
    ) -> Result<Self, SourceError> {
        let (jobs, inbox) = sync_channel::<J>(1);
        let (outbox, done) = sync_channel(1);
        let run = move || {
            while let Ok(mut job) = inbox.recv() {
                work(&mut job);
                if outbox.send(job).is_err() {
                    return;
                }
            }
        };
        let started = thread::Builder::new().name(name.to_owned()).spawn(run);
        started.map_err(|_| SourceError::WalkThread)?;
        Ok(Self { jobs, done, home: Some(job) })
    }

    /// Begins the job, unless it is being done.
    pub(super) fn begin(&mut self, prepare: impl FnOnce(&mut J)) {
        if let Some(mut job) = self.home.take() {
            prepare(&mut job);
            let _ = self.jobs.send(job);
        }
    }

    /// Waits for the job until then; without a time until it is done. The job, if it is done.
    pub(super) fn wait(&mut self, until: Option<Instant>) -> Option<&J> {
        if self.home.is_none() {
            self.home = match until {
                None => self.done.recv().ok(),
                Some(until) => {
                    let rest = until.saturating_duration_since(Instant::now());
                    self.done.recv_timeout(rest).ok()
                }
            };
        }
        self.home.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_job_that_takes_long_is_not_waited_for_and_not_begun_twice() {
        let (gate, opened) = channel::<()>();
        let mut side = SideJob::start("test", 0, move |job| {
            let _ = opened.recv();
            *job += 1;
        })
        .expect("a thread");
        assert_eq!(side.wait(None), Some(&0), "at home");
        side.begin(|job| *job = 10);
        assert_eq!(side.wait(Some(Instant::now())), None);
        side.begin(|job| *job = 20);
        gate.send(()).expect("open");
        assert_eq!(side.wait(None), Some(&11), "the first one");
        side.begin(|job| *job = 30);
        gate.send(()).expect("open");
        assert_eq!(side.wait(None), Some(&31));
    }
}
