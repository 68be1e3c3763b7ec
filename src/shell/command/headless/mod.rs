//! The loop of the commands that sample again and again without a screen: batch, metrics and record.

pub(crate) mod last_output;
pub(crate) mod names;
pub(crate) mod ranker;
pub(crate) mod warm_up;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::sampling::{self, Sampled};
use crate::model::{Needs, Snapshot};
use crate::shell::command_error::CommandError;
use crate::shell::stdio::RepeatedComplaint;
use crate::source::Source;
use crate::syscall::signal_action::is_ignored;
use crate::units::Millis;

/// Maximum delay until a signal ends the loop.
pub(crate) const RESPONSE: Duration = Duration::from_millis(100);

/// What a command does with its samples.
pub(crate) trait SampleConsumer {
    /// What the next sample must contain.
    fn needs(&mut self) -> Needs;

    /// Prepares the source for the next sample.
    fn prepare(&mut self, _source: &mut dyn Source) {}

    /// Takes a sample. Sampling began at `begun`.
    ///
    /// # Errors
    /// What ends the command.
    fn consume(
        &mut self,
        sample: Arc<Snapshot>,
        source: &mut dyn Source,
        begun: Instant,
    ) -> Result<AfterSample, CommandError>;
}

/// How the loop goes on after a sample.
pub(crate) enum AfterSample {
    /// With the next one, which may reuse the memory of this snapshot.
    Continue(Option<Arc<Snapshot>>),
    /// Not at all.
    Stop,
}

/// How fast and how long the loop runs.
pub(crate) struct SamplePace {
    /// Time between two samples; zero for a recording that is read as fast as possible.
    pub(crate) delay: Millis,
    /// The number of samples after which the loop ends.
    pub(crate) count: Option<u64>,
    /// What else ends it.
    pub(crate) end: EndFlag,
}

impl SamplePace {
    /// Whether the loop ends after this many samples.
    pub(crate) fn is_over(&self, samples: u64) -> bool {
        self.count.is_some_and(|count| samples >= count) || self.end.is_set()
    }
}

/// Whether a signal asked the program to end.
pub(crate) struct EndFlag(Option<Arc<AtomicBool>>);

impl EndFlag {
    /// Never set: signals end the program as they do by default.
    pub(crate) const fn default_action() -> Self {
        Self(None)
    }

    /// Set by SIGHUP, SIGINT and SIGTERM, but not by those that were ignored at the start (`nohup`, a
    /// background job).
    ///
    /// # Errors
    /// The system refuses the signal handlers.
    pub(crate) fn on_signals() -> Result<Self, CommandError> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|&it| !is_ignored(it)) {
            signal_hook::flag::register(signal, Arc::clone(&flag)).map_err(|error| {
                CommandError::failure(format!("cannot handle signals: {error}"))
            })?;
        }
        Ok(Self(Some(flag)))
    }

    /// Whether it is set.
    pub(crate) fn is_set(&self) -> bool {
        self.0.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// Waits until then, or until it is set.
    fn wait(&self, until: Instant) {
        let slice = if self.0.is_some() { RESPONSE } else { Duration::MAX };
        while !self.is_set() {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return;
            }
            thread::sleep(rest.min(slice));
        }
    }
}

/// Runs until the number of samples is reached, the source ends, the consumer stops or a signal arrives.
///
/// # Errors
/// The first sample failed, sampling failed for good, or the consumer failed.
pub(crate) fn run(
    source: &mut dyn Source,
    consumer: &mut dyn SampleConsumer,
    pace: &SamplePace,
) -> Result<(), CommandError> {
    let mut missed = RepeatedComplaint::default();
    let (mut spent, mut samples, mut due) = (None, 0, Instant::now());
    loop {
        let begun = Instant::now();
        let needs = consumer.needs();
        consumer.prepare(source);
        match sampling::next(source, &needs, spent.take(), samples)? {
            Sampled::New(sample) => {
                missed.set(None);
                samples += 1;
                match consumer.consume(sample, source, begun)? {
                    AfterSample::Continue(reusable) => spent = reusable,
                    AfterSample::Stop => return Ok(()),
                }
            }
            Sampled::Missed(why) => missed.set(Some(why)),
            Sampled::Over => return Ok(()),
        }
        if pace.is_over(samples) {
            return Ok(());
        }
        due = (due + Duration::from_millis(pace.delay.0)).max(Instant::now());
        pace.end.wait(due);
        if pace.end.is_set() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Clock;
    use crate::sample::Unreadable;
    use crate::source::SourceError;

    /// A source that gives these, one after the other, then its end.
    struct Scripted(Vec<Result<u64, SourceError>>);

    impl Source for Scripted {
        fn sample(
            &mut self,
            _: &Needs,
            _: Option<Arc<Snapshot>>,
        ) -> Result<Arc<Snapshot>, SourceError> {
            if self.0.is_empty() {
                return Err(SourceError::End);
            }
            let time = Millis(self.0.remove(0)?);
            let clock = Clock { monotonic_ms: time, ..Clock::default() };
            Ok(Arc::new(Snapshot { clock, ..Snapshot::default() }))
        }
    }

    /// Keeps the times of its samples; stops at a time.
    struct Times(Vec<u64>, Option<u64>);

    impl SampleConsumer for Times {
        fn needs(&mut self) -> Needs {
            Needs::default()
        }

        fn consume(
            &mut self,
            sample: Arc<Snapshot>,
            _: &mut dyn Source,
            _: Instant,
        ) -> Result<AfterSample, CommandError> {
            let time = sample.clock.monotonic_ms.0;
            self.0.push(time);
            let stops = self.1 == Some(time);
            Ok(if stops { AfterSample::Stop } else { AfterSample::Continue(Some(sample)) })
        }
    }

    fn times(
        samples: Vec<Result<u64, SourceError>>,
        count: Option<u64>,
        stop: Option<u64>,
    ) -> (Result<(), CommandError>, Vec<u64>) {
        let pace = SamplePace { delay: Millis(0), count, end: EndFlag::default_action() };
        let mut consumer = Times(Vec::new(), stop);
        let ended = run(&mut Scripted(samples), &mut consumer, &pace);
        (ended, consumer.0)
    }

    #[test]
    fn it_ends_with_the_source_the_count_or_the_consumer() {
        let three = || vec![Ok(1), Ok(2), Ok(3)];
        assert_eq!(times(three(), None, None), (Ok(()), vec![1, 2, 3]));
        assert_eq!(times(three(), Some(2), None), (Ok(()), vec![1, 2]));
        assert_eq!(times(three(), None, Some(1)), (Ok(()), vec![1]));
    }

    #[test]
    fn a_failure_after_the_first_sample_is_passed_over_where_the_next_one_may_succeed() {
        let missing = || Unreadable { what: "/proc/stat".to_owned(), why: "gone".to_owned() };
        let unreadable = || Err(SourceError::Unreadable(missing()));
        let cut = || Err(SourceError::Cut { name: "x".to_owned(), line: 2 });
        assert_eq!(times(vec![Ok(1), unreadable(), Ok(2)], None, None), (Ok(()), vec![1, 2]));
        assert_eq!(times(vec![Ok(1), cut(), Ok(2)], None, None), (Ok(()), vec![1]));
        for first in [unreadable(), cut(), Err(SourceError::End)] {
            assert!(times(vec![first, Ok(1)], None, None).0.is_err());
        }
        assert!(times(vec![Ok(1), Err(SourceError::WalkThread)], None, None).0.is_err());
    }
}
