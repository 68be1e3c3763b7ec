//! The threads that follow logs: that of the kernel, the journal, and log files. The main loop never waits
//! for them, and a log that cannot be read is reported.

mod files;
mod journal;
mod kernel;

use std::process::Child;
use std::sync::mpsc::{Sender, channel};

use crate::app::Msg;
use crate::app::incident::log_update::LogUpdate;
use crate::model::{LogSource, SourceState};
use crate::shell::event::{Inbox, LoopEnded};
use crate::shell::thread;

/// The logs that are followed, until this is dropped.
pub(crate) struct LogSources {
    /// Requests to read the log files; their thread ends when this is dropped.
    files: Option<Sender<()>>,
    journal: Option<Child>,
}

impl LogSources {
    /// Starts the threads.
    pub(crate) fn start(inbox: &Inbox) -> Self {
        let kernel = inbox.clone();
        let _ = thread::spawn("kernel log", move || kernel::follow(&kernel));
        let (requests, requested) = channel();
        let files = inbox.clone();
        let files = thread::spawn("log files", move || files::follow(&requested, &files));
        Self { files: files.is_ok().then_some(requests), journal: journal::start(inbox) }
    }

    /// A sample is taken: the log files are read again.
    pub(crate) fn sample(&mut self) {
        if let Some(files) = &self.files {
            let _ = files.send(());
        }
        // A journalctl that has ended must not stay a zombie.
        if let Some(child) = &mut self.journal
            && !matches!(child.try_wait(), Ok(None))
        {
            self.journal = None;
        }
    }
}

impl Drop for LogSources {
    fn drop(&mut self) {
        if let Some(mut child) = self.journal.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Maximum length of a line in bytes. Longer ones are cut; no line of interest is longer.
const MAX_LINE: u64 = 64 << 10;

/// Sends what the logs say, if they say anything.
fn send(inbox: &Inbox, updates: Vec<LogUpdate>) -> Result<(), LoopEnded> {
    if updates.is_empty() { Ok(()) } else { inbox.send(Msg::Log(updates)) }
}

/// Sends whether a log can be read.
fn send_state(inbox: &Inbox, source: LogSource, state: SourceState) -> Result<(), LoopEnded> {
    send(inbox, vec![LogUpdate::Source(source, state)])
}

/// Milliseconds since 1970, UTC.
fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
