//! What `doomtop record` says while it runs, and at its end.

use std::path::{Path, PathBuf};

use crate::app::incident::event_text::victim_text;
use crate::columns::{human_size, span_of};
use crate::events::RecordedLog;
use crate::forecast::next_death::PredictionLog;
use crate::kills::{KillContext, NewKills, Timeline};
use crate::model::{OomEvent, SampleHistory, Snapshot};
use crate::policy::LINUX;
use crate::shell::command::headless::SamplePace;
use crate::shell::stdio::{complain, progress};
use crate::units::{Bytes, Millis};
use crate::words::daemon_kill::doubt;

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
    /// The last kills that logs tell of.
    kills: Timeline,
    counts: KillCounts,
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
            kills: Timeline::brief(),
            counts: KillCounts::default(),
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
        // What was predicted is told where the recording is read.
        let (past, predictions) = (SampleHistory::new(Millis::ZERO, 0), PredictionLog::default());
        let context = KillContext {
            past: &past,
            policy: &LINUX,
            predictions: &predictions,
            has_samples: false,
        };
        let new = self.kills.take_log(self.log.take(&sample.log), context);
        self.counts.take(new, &self.kills);
        if !self.quiet {
            let end = if self.endless { "; Ctrl-C ends it" } else { "" };
            progress(&format!("recording to {}: {}{end}", self.path.display(), self.words(bytes)));
        }
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
        self.counted.max(self.counts.by_kernel) + self.counts.by_daemons
    }

    /// Says what was recorded. `unreadable`: why the kernel's log could not be read.
    pub(super) fn summary(&self, bytes: Bytes, unreadable: Option<&str>) {
        if self.quiet {
            return;
        }
        let mut text = format!("{}, in {}", self.words(bytes), self.path.display());
        let names: Vec<String> = self.counts.named.iter().map(name).collect();
        if !names.is_empty() {
            text.push_str(": ");
            text.push_str(&names.join(", "));
            match self.counts.count().saturating_sub(names.len() as u64) {
                0 => {}
                more => text.push_str(&format!(" and {more} more")),
            }
        }
        complain(&text);
        if let Some(why) = unreadable {
            complain(&format!("the kernel log was not recorded: {why}"));
        }
    }
}

/// The victim in the summary.
fn name(event: &OomEvent) -> String {
    let doubt = doubt(event);
    match event.by.is_kernel() {
        true => format!("{}{doubt}", victim_text(event)),
        false => format!("{} ({}){doubt}", victim_text(event), event.by.word()),
    }
}

/// The kills that logs tell of: their number, and the first of them.
#[derive(Default)]
struct KillCounts {
    by_kernel: u64,
    by_daemons: u64,
    named: Vec<OomEvent>,
}

impl KillCounts {
    fn take(&mut self, new: NewKills, kills: &Timeline) {
        for change in new.changed {
            let now = change.now.and_then(|nth| kills.find(nth));
            let named = self.named.iter().position(|it| it.nth == change.before.nth);
            match (named, now) {
                (Some(at), Some(now)) => self.named[at] = now.clone(),
                (Some(at), None) => _ = self.named.remove(at),
                (None, _) => {}
            }
            if change.now.is_none() {
                let count = self.count_of(&change.before);
                *count = count.saturating_sub(1);
            }
        }
        let found = new.found.iter().filter_map(|&nth| kills.find(nth));
        for event in found.filter(|it| it.is_kill()) {
            *self.count_of(event) += 1;
            if self.named.len() < MAX_NAMED {
                self.named.push(event.clone());
            }
        }
    }

    const fn count_of(&mut self, event: &OomEvent) -> &mut u64 {
        if event.by.is_kernel() { &mut self.by_kernel } else { &mut self.by_daemons }
    }

    const fn count(&self) -> u64 {
        self.by_kernel + self.by_daemons
    }
}
