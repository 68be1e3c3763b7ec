//! What `doomtop record` says while it runs, and at its end.

use std::path::{Path, PathBuf};

use crate::columns::{human_size, span_of};
use crate::events::LogUpdate;
use crate::events::RecordedLog;
use crate::events::{DaemonKill, OomReport};
use crate::model::Snapshot;
use crate::shell::command::headless::SamplePace;
use crate::shell::stdio::{complain, progress};
use crate::units::{Bytes, Millis};

/// Maximum number of victims that the summary names.
const MAX_NAMED: usize = 8;

/// The samples that were written, and the kills in them.
pub(super) struct RecordingProgress {
    path: PathBuf,
    quiet: bool,
    /// Whether the number of samples is not limited: only a key ends the recording.
    endless: bool,
    samples: u64,
    /// The monotonic time of the first and of the last sample.
    span: Option<(Millis, Millis)>,
    log: RecordedLog,
    /// The victims that logs name, and the reports they stand in.
    victims: Vec<(Option<u64>, i32, String)>,
    /// Kills that the kernel counted, and its count in the last sample.
    counted: u64,
    count: Option<u64>,
}

impl RecordingProgress {
    pub(super) fn new(path: &Path, quiet: bool, pace: &SamplePace) -> Self {
        Self {
            path: path.to_owned(),
            quiet,
            endless: pace.count.is_none(),
            samples: 0,
            span: None,
            log: RecordedLog::default(),
            victims: Vec::new(),
            counted: 0,
            count: None,
        }
    }

    /// Number of samples written.
    pub(super) const fn samples(&self) -> u64 {
        self.samples
    }

    /// Takes a sample that was written; the file has this size now.
    pub(super) fn sample(&mut self, sample: &Snapshot, bytes: Bytes) {
        self.samples += 1;
        let now = sample.clock.monotonic_ms;
        self.span = Some((self.span.map_or(now, |(first, _)| first), now));
        let count = sample.traffic.oom_kills.value();
        let more = self.count.zip(count).map_or(0, |(before, now)| now.saturating_sub(before));
        self.counted += more;
        self.count = count.or(self.count);
        for update in self.log.take(&sample.log) {
            match update {
                LogUpdate::Report { number, report, .. } => self.reported(number, &report),
                LogUpdate::Daemon { heard, .. } => self.killed_by_daemon(&heard),
                LogUpdate::Marked { .. } | LogUpdate::Source(..) => {}
            }
        }
        if !self.quiet {
            let end = if self.endless { "; Ctrl-C ends it" } else { "" };
            progress(&format!("recording to {}: {}{end}", self.path.display(), self.words(bytes)));
        }
    }

    fn reported(&mut self, number: u64, report: &OomReport) {
        for killed in &report.killed {
            let known =
                |it: &(Option<u64>, i32, String)| it.0 == Some(number) && it.1 == killed.pid;
            if !self.victims.iter().any(known) {
                let text = format!("{} {}", killed.pid, killed.name);
                self.victims.push((Some(number), killed.pid, text));
            }
        }
    }

    fn killed_by_daemon(&mut self, kill: &DaemonKill) {
        if kill.undone {
            self.victims.pop_if(|it| it.0.is_none());
            return;
        }
        let (pid, by) = (kill.pid.unwrap_or(0), kill.by.word());
        // SIGTERM may be followed by SIGKILL.
        if pid > 0 && self.victims.iter().any(|it| it.0.is_none() && it.1 == pid) {
            return;
        }
        let who = match (kill.comm, &kill.cgroup) {
            (Some(comm), _) => format!("{pid} {comm}"),
            (None, Some(path)) => path.to_string(),
            (None, None) => "somebody".to_owned(),
        };
        self.victims.push((None, pid, format!("{who} ({by})")));
    }

    fn words(&self, bytes: Bytes) -> String {
        let (first, last) = self.span.unwrap_or_default();
        let span = span_of(last.saturating_sub(first).0.div_ceil(1000));
        let samples = if self.samples == 1 { "sample" } else { "samples" };
        let mut text = format!("{} {samples}, {span}, {}", self.samples, human_size(bytes));
        match self.kills() {
            0 => {}
            1 => text.push_str(", 1 kill"),
            kills => text.push_str(&format!(", {kills} kills")),
        }
        text
    }

    /// The kernel counts its own kills; only logs tell of those by daemons.
    fn kills(&self) -> u64 {
        let by_daemons = self.victims.iter().filter(|it| it.0.is_none()).count() as u64;
        let reported = self.victims.len() as u64 - by_daemons;
        self.counted.max(reported) + by_daemons
    }

    /// Says what was recorded. `unreadable`: why the kernel's log could not be read.
    pub(super) fn summary(&self, bytes: Bytes, unreadable: Option<&str>) {
        if self.quiet {
            return;
        }
        let mut text = format!("{}, in {}", self.words(bytes), self.path.display());
        let names: Vec<&str> = self.victims.iter().map(|it| it.2.as_str()).collect();
        if !names.is_empty() {
            text.push_str(": ");
            text.push_str(&names[..names.len().min(MAX_NAMED)].join(", "));
            if names.len() > MAX_NAMED {
                text.push_str(&format!(" and {} more", names.len() - MAX_NAMED));
            }
        }
        complain(&text);
        if let Some(why) = unreadable {
            complain(&format!("the kernel log was not recorded: {why}"));
        }
    }
}
