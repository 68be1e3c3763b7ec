//! What the screen records: samples from a key on, the history on request, and the history around a burst
//! of kills with `--ring`.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;

use crate::app::{App, Msg, NoticeLevel};
use crate::model::Snapshot;
use crate::shell::command_error::CommandError;
use crate::shell::event::Inbox;
use crate::shell::oom_burst_end::{KillBurst, MAX_FILES};
use crate::shell::worker::recorder::{self, RecorderOrder, RecorderQueue};
use crate::units::Millis;

/// The main loop's side of the recorder thread.
pub(super) struct ScreenRecorder {
    orders: Sender<RecorderOrder>,
    thread: JoinHandle<()>,
    queue: RecorderQueue,
    /// With `--ring`: kills are followed.
    burst: Option<KillBurst>,
}

/// What came of a sample: told to the app after the sample itself.
#[derive(Default)]
pub(super) struct RecorderReport {
    notice: Option<String>,
    burst_is_over: bool,
}

impl ScreenRecorder {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no resources for another thread.
    pub(super) fn start(inbox: Inbox, ring: Option<Millis>) -> Result<Self, CommandError> {
        let (orders, thread) = recorder::start(inbox)?;
        let burst = ring.map(|_| KillBurst::default());
        Ok(Self { orders, thread, queue: RecorderQueue::default(), burst })
    }

    /// Takes a sample before the app does.
    pub(super) fn sample(&mut self, sample: &Arc<Snapshot>, app: &App) -> RecorderReport {
        let mut after = RecorderReport::default();
        if app.playback.recording_since().is_some() {
            let place;
            (place, after.notice) = self.queue.place();
            if let Some(place) = place {
                let sample = Box::new(Snapshot::clone(sample));
                let users = app.names.users();
                let _ = self.orders.send(RecorderOrder::Sample(sample, users, place));
            }
        }
        after.burst_is_over = self.burst.as_mut().is_some_and(|burst| burst.take(sample));
        after
    }

    /// The app has taken the sample.
    pub(super) fn after_sample(&self, after: RecorderReport, app: &mut App) {
        if after.burst_is_over {
            self.write_burst(app);
        }
        if let Some(notice) = after.notice {
            app.update(Msg::Notice(NoticeLevel::Warn, notice));
        }
    }

    /// Begins a recording.
    pub(super) fn begin(&self, app: &mut App) {
        if let Some(stem) = file_stem(app) {
            let _ = self.orders.send(RecorderOrder::Begin(stem));
        }
    }

    /// Ends the recording.
    pub(super) fn end(&self) {
        let _ = self.orders.send(RecorderOrder::End);
    }

    /// Writes the history to a file; `suffix` is appended to its name.
    pub(super) fn write_history(&self, suffix: &str, app: &mut App) {
        let Some(stem) = file_stem(app) else { return };
        let history = Box::new(app.playback.past.clone());
        let order = RecorderOrder::History(history, stem + suffix, app.names.users());
        let _ = self.orders.send(order);
    }

    /// The program ends, perhaps before a burst of kills is over.
    pub(super) fn end_burst(&mut self, app: &mut App) {
        if self.burst.as_mut().is_some_and(KillBurst::end) {
            self.write_burst(app);
        }
    }

    /// Writes what led to a burst of kills. The number of files is limited.
    fn write_burst(&self, app: &mut App) {
        match self.burst.as_ref().map_or(0, |burst| burst.count) {
            count if count < MAX_FILES => self.write_history("-kill", app),
            MAX_FILES => {
                let text = format!(
                    "{MAX_FILES} bursts of kills in this run: no more are written to files; Alt-w writes one"
                );
                app.update(Msg::Notice(NoticeLevel::Warn, text));
            }
            _ => {}
        }
    }

    /// Lets the thread end. It writes what it was given before.
    pub(super) fn close(self) -> JoinHandle<()> {
        self.thread
    }
}

/// How the name of a recording begins. Without a sample there is no machine yet: that is told.
fn file_stem(app: &mut App) -> Option<String> {
    let newest = app.playback.past.newest();
    let newest = newest.and_then(|index| app.playback.past.facts(index));
    let stem = newest.map(|sample| recorder::file_stem(&sample.machine, sample.clock.unix_ms));
    if stem.is_none() {
        app.update(Msg::Notice(NoticeLevel::Plain, "no sample was taken yet".to_owned()));
        app.update(Msg::Recording(false));
    }
    stem
}
