//! The threads that follow logs: that of the kernel, the journal, and log files; and the tracepoint that
//! tells of victims without a log. The main loop never waits for them, and a log that cannot be read is
//! reported.

mod files;
mod journal;
mod kernel;
mod victims;

pub(crate) use files::paths as log_files;
pub(crate) use journal::program as journalctl;

use std::process::Child;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use crate::app::Msg;
use crate::events::DaemonLogReader;
use crate::events::LogUpdate;
use crate::model::{
    Killer, LogLine, LogLines, LogSource, LogWriter, Machine, Snapshot, SourceState, Text,
};
use crate::shell::child;
use crate::shell::debug_log::{self, LogLevel};
use crate::shell::event::{Event, Inbox, LoopEnded};
use crate::shell::thread;

/// The logs that are followed, until this is dropped.
pub(crate) struct LogSources {
    /// Requests to read the log files; their thread ends when this is dropped.
    files: Option<Sender<()>>,
    journal: JournalState,
    /// Whether the tracepoint was tried.
    tracepoint: bool,
    inbox: Inbox,
}

/// Whether the journal is followed. Its `journalctl` takes 7 MiB, so it is started where there is a
/// userspace killer whose kills it can tell of.
enum JournalState {
    /// Not known yet whether that is needed.
    Undecided,
    /// There was no userspace killer so far.
    NotNeeded,
    Followed(Child),
    /// It ended, or could not be started.
    Ended,
}

impl LogSources {
    /// Starts the threads.
    pub(crate) fn start(inbox: &Inbox) -> Self {
        let kernel = inbox.clone();
        let _ = thread::spawn("kernel log", move || kernel::follow(&kernel));
        let (requests, requested) = channel();
        let files = inbox.clone();
        let files = thread::spawn("log files", move || files::follow(&requested, &files));
        Self {
            files: files.is_ok().then_some(requests),
            journal: JournalState::Undecided,
            tracepoint: false,
            inbox: inbox.clone(),
        }
    }

    /// A sample is taken: the log files are read again.
    pub(crate) fn sample(&mut self) {
        if let Some(files) = &self.files {
            let _ = files.send(());
        }
    }

    /// Follows what else this sample shows a need for.
    pub(crate) fn follow(&mut self, sample: &Snapshot) {
        self.follow_journal(sample.killers.journals_kills());
        self.follow_tracepoint(&sample.machine);
    }

    /// Starts `journalctl` as soon as there is a userspace killer.
    fn follow_journal(&mut self, is_needed: bool) {
        match &mut self.journal {
            JournalState::Undecided | JournalState::NotNeeded if is_needed => {
                let child = journal::start(&self.inbox);
                self.journal = child.map_or(JournalState::Ended, JournalState::Followed);
            }
            JournalState::Undecided => {
                let why = "not followed, for there is no userspace killer here".to_owned();
                let state = SourceState::Closed(why);
                let _ = send_state(&self.inbox, LogSource::Journal, state);
                self.journal = JournalState::NotNeeded;
            }
            JournalState::Followed(child) => {
                // A journalctl that has ended must not stay a zombie.
                if !matches!(child.try_wait(), Ok(None)) {
                    self.journal = JournalState::Ended;
                }
            }
            JournalState::NotNeeded | JournalState::Ended => {}
        }
    }

    /// Listens to the tracepoint where the processes are read by BPF: it needs the same rights.
    fn follow_tracepoint(&mut self, machine: &Machine) {
        if !std::mem::replace(&mut self.tracepoint, true) && machine.sampler.is_bpf() {
            victims::start(machine.clone(), &self.inbox);
        }
    }
}

impl Drop for LogSources {
    fn drop(&mut self) {
        if let JournalState::Followed(child) = &mut self.journal {
            child::kill(child);
        }
    }
}

/// The logs, followed for a recording that is made without a screen.
pub(crate) struct FollowedLog {
    sources: LogSources,
    events: Receiver<Event>,
    lines: LogLines,
    /// Whether it is known that the kernel's log is followed, or that it cannot be.
    is_known: bool,
    /// Why the kernel's log cannot be read.
    pub(crate) unreadable: Option<String>,
}

impl FollowedLog {
    /// Starts the threads.
    pub(crate) fn start() -> Self {
        let (inbox, events) = Inbox::new();
        let sources = LogSources::start(&inbox);
        Self { sources, events, lines: LogLines::default(), is_known: false, unreadable: None }
    }

    /// Waits until the kernel's log is followed, or cannot be: what it says before that belongs to its past.
    pub(crate) fn wait_until_followed(&mut self, most: Duration) {
        let end = Instant::now() + most;
        while !self.is_known {
            match self.events.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(event) => self.take_event(event),
                Err(_) => return,
            }
        }
    }

    /// Follows what this sample shows a need for.
    pub(crate) fn follow(&mut self, sample: &Snapshot) {
        self.sources.follow(sample);
    }

    /// The lines about kills that arrived since the last call.
    pub(crate) fn take(&mut self) -> Vec<LogLine> {
        self.sources.sample();
        while let Ok(event) = self.events.try_recv() {
            self.take_event(event);
        }
        self.lines.take()
    }

    /// The same, after waiting for some that may be on their way, until then at most.
    pub(crate) fn take_late(&mut self, until: Instant) -> Vec<LogLine> {
        self.sources.sample();
        while self.unreadable.is_none() {
            match self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(event) => self.take_event(event),
                Err(_) => break,
            }
            if !self.lines.is_empty() {
                break;
            }
        }
        self.lines.take()
    }

    fn take_event(&mut self, event: Event) {
        match event {
            Event::LogLines(lines) => lines.into_iter().for_each(|line| self.lines.push(line)),
            Event::Message(Msg::Log(updates)) => {
                for update in updates {
                    if let LogUpdate::Source(LogSource::KernelLog, state) = update {
                        self.is_known = true;
                        self.unreadable = match state {
                            SourceState::Closed(why) => Some(why),
                            _ => None,
                        };
                    }
                }
            }
            _ => {}
        }
    }
}

/// Maximum length of a line in bytes. Longer ones are cut; no line of interest is longer.
const MAX_LINE: u64 = 64 << 10;

/// Sends what the logs say, if they say anything.
fn send(inbox: &Inbox, updates: Vec<LogUpdate>) -> Result<(), LoopEnded> {
    updates.iter().for_each(log_state);
    if updates.is_empty() { Ok(()) } else { inbox.send(Msg::Log(updates)) }
}

/// Notes the state of a source in the debug log.
fn log_state(update: &LogUpdate) {
    let LogUpdate::Source(source, state) = update else { return };
    let (level, text) = match state {
        SourceState::Open(place) => (LogLevel::Info, place.clone()),
        SourceState::Lost(lines) => (LogLevel::Warn, format!("{lines} lines were overwritten")),
        SourceState::Closed(why) => (LogLevel::Warn, format!("given up: {why}")),
    };
    debug_log::write(level, source.name(), &text);
}

/// Sends lines about kills, for recordings.
fn send_lines(inbox: &Inbox, lines: Vec<LogLine>) -> Result<(), LoopEnded> {
    if lines.is_empty() { Ok(()) } else { inbox.send_event(Event::LogLines(lines)) }
}

/// A line of a daemon for a recording, if it is about a kill.
fn daemon_line(unix_ms: i64, killer: Killer, text: &str, proven: bool) -> Option<LogLine> {
    DaemonLogReader::is_about_kill(killer, text).then(|| LogLine {
        unix_ms,
        by: LogWriter::of(killer),
        uptime_us: None,
        unproven: !proven,
        text: Text::new(text.as_bytes()),
    })
}

/// Sends whether a log can be read.
fn send_state(inbox: &Inbox, source: LogSource, state: SourceState) -> Result<(), LoopEnded> {
    send(inbox, vec![LogUpdate::Source(source, state)])
}

/// Milliseconds since 1970, UTC.
fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_lines_are_waited_for_as_long_as_they_can_come() {
        let (inbox, events) = Inbox::new();
        let journal = JournalState::NotNeeded;
        let sources = LogSources { files: None, journal, tracepoint: true, inbox: inbox.clone() };
        let lines = LogLines::default();
        let mut log = FollowedLog { sources, events, lines, is_known: false, unreadable: None };
        let (by, uptime_us, unproven) = (LogWriter::Kernel, None, false);
        let line = LogLine { unix_ms: 1, by, uptime_us, unproven, text: Text::new(b"a") };
        let writer = inbox.clone();
        let wanted = vec![line];
        let written = wanted.clone();
        let writer = std::thread::spawn(move || {
            send_state(&writer, LogSource::KernelLog, SourceState::Open(String::new()))
                .and_then(|()| send_lines(&writer, written))
        });
        let far = Instant::now() + Duration::from_secs(60);
        assert_eq!(log.take_late(far), wanted, "with what comes, not at the end");
        assert_eq!(writer.join().expect("a writer"), Ok(()));
        assert!(log.take_late(Instant::now()).is_empty());
        let closed = SourceState::Closed("no".to_owned());
        send_state(&inbox, LogSource::KernelLog, closed).expect("a reader");
        assert!(log.take_late(far).is_empty(), "nothing can come any more");
        assert!(Instant::now() < far);
    }
}
