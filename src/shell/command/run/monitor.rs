//! The samples of a load test: summed up and recorded as they are taken, by the loop without a screen or by that of
//! the screen.

use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::confine::StartedCommand;
use crate::model::{Needs, Scope, Snapshot};
use crate::report::load_test::{LoadSummariser, LoadSummary, ProcessTree};
use crate::shell::command::sampling;
use crate::shell::stdio::complain;
use crate::shell::worker::log_sources::FollowedLog;
use crate::source::{Recorder, Source, SourceError};
use crate::units::{Bytes, Millis};

/// A kill that a counter tells of waits this often, and so long each time, for its line in the log.
const LOG_PATIENCE: (u32, Duration) = (20, Duration::from_millis(100));
/// The same where nothing but SIGKILL hints at a kill.
const HINT_PATIENCE: u32 = 3;
/// Maximum time that the start waits for the log to be read.
const LOG_START: Duration = Duration::from_secs(3);

/// Takes the samples of a load test.
pub(super) struct LoadMonitor {
    source: Box<dyn Source>,
    summariser: LoadSummariser,
    /// In the place of a cgroup.
    tree: Option<ProcessTree>,
    recorder: Option<Recorder<File>>,
    log: FollowedLog,
    /// How the command ended, for the screen.
    ended: Option<String>,
    /// The last sample, which the screen has not got yet.
    last: Option<Arc<Snapshot>>,
}

impl LoadMonitor {
    /// Nothing is sampled yet.
    pub(super) fn new(
        source: Box<dyn Source>,
        scope: Scope,
        recorder: Option<Recorder<File>>,
    ) -> Self {
        let summariser = LoadSummariser::new(scope);
        let mut log = FollowedLog::start();
        log.wait_until_followed(LOG_START);
        Self { source, summariser, tree: None, recorder, log, ended: None, last: None }
    }

    /// The command has started, in this scope; without one its processes are added up, under this path.
    pub(super) fn started(&mut self, started: &StartedCommand, scope: Option<Scope>, path: &str) {
        match scope {
            Some(scope) => self.summariser.set_scope(scope),
            None => {
                let pid = i32::try_from(started.child.id()).unwrap_or_default();
                self.tree = Some(ProcessTree::new(pid, path));
            }
        }
    }

    /// Takes a sample with everything that the summary needs, and what else is asked for.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn sample(&mut self, needs: &Needs) -> Result<Arc<Snapshot>, SourceError> {
        let all = Needs { cmdline: needs.cmdline, keep: needs.keep.clone(), ..Needs::everything() };
        self.source.add_log(self.log.take());
        let sample = sampling::sample(self.source.as_mut(), &all, None)?;
        self.log.follow(&sample);
        if let Some(recorder) = &mut self.recorder
            && let Err(error) = recorder.write(&sample)
        {
            complain(&format!("the recording ends here: {error}"));
            self.recorder = None;
        }
        let summed = match &mut self.tree {
            Some(tree) => Arc::new(tree.gather(&sample)),
            None => Arc::clone(&sample),
        };
        self.summariser.take(summed);
        Ok(sample)
    }

    /// The summary so far.
    pub(super) fn summary(&self) -> Option<LoadSummary> {
        self.summariser.summary()
    }

    /// Keeps the sizes of a window of time besides.
    pub(super) const fn keep_window(&mut self, window: Millis) {
        self.summariser.keep_window(window);
    }

    /// The sizes of that window.
    pub(super) fn recent_sizes(&self) -> &[(Millis, Bytes)] {
        self.summariser.recent_sizes()
    }

    /// What the samples tell so far.
    pub(super) const fn summariser(&self) -> &LoadSummariser {
        &self.summariser
    }

    /// The screen takes no more samples.
    pub(super) fn set_ended(&mut self, how: String) {
        self.ended = Some(how);
    }

    /// Takes the last samples: the command has ended. A kill may wait for its line in the log. `killed`: the command
    /// was ended by SIGKILL.
    pub(super) fn finish(&mut self, killed: bool) {
        let needs = Needs::everything();
        self.last = self.sample(&needs).ok();
        let (times, pause) = LOG_PATIENCE;
        for nth in 0..times {
            let kills = self.summary().map(|it| it.kills).unwrap_or_default();
            let hinted = killed && kills.is_empty() && nth < HINT_PATIENCE;
            let is_readable = self.log.unreadable.is_none();
            if !(hinted || is_readable && kills.iter().any(|it| it.event.guessed)) {
                break;
            }
            std::thread::sleep(pause);
            self.last = self.sample(&needs).ok().or(self.last.take());
        }
    }

    /// Completes the recording. Whether it is whole.
    pub(super) fn end_recording(&mut self) -> bool {
        match self.recorder.take().map(Recorder::finish) {
            Some(Ok(_)) => true,
            Some(Err(error)) => {
                complain(&format!("the recording is not complete: {error}"));
                false
            }
            None => false,
        }
    }
}

/// The samples for the screen. The monitor stays where it is when the screen is closed.
pub(super) struct SharedMonitor(pub(super) Arc<Mutex<LoadMonitor>>);

impl SharedMonitor {
    /// The monitor, also if a thread panicked that had it.
    pub(super) fn lock(shared: &Arc<Mutex<LoadMonitor>>) -> MutexGuard<'_, LoadMonitor> {
        shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for SharedMonitor {
    fn sample(
        &mut self,
        needs: &Needs,
        _spent: Option<Arc<Snapshot>>,
    ) -> Result<Arc<Snapshot>, SourceError> {
        let mut monitor = Self::lock(&self.0);
        match (monitor.ended.clone(), monitor.last.take()) {
            (Some(_), Some(last)) => Ok(last),
            (Some(how), None) => Err(SourceError::Over(how)),
            (None, _) => monitor.sample(needs),
        }
    }

    fn sample_again(&mut self, ids: &[crate::model::ProcId], snapshot: &mut Snapshot) {
        Self::lock(&self.0).source.sample_again(ids, snapshot);
    }

    fn learn_users(&mut self, users: Arc<std::collections::BTreeMap<u32, crate::model::Text>>) {
        Self::lock(&self.0).source.learn_users(users);
    }
}
