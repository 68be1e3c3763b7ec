//! OOM events and reports: what is known, and the report on the screen.

pub mod entry;
pub mod event_text;
pub mod kill_text;
pub mod shown_report;
pub mod shown_timeline;
pub mod storm;

use crate::app::incident::shown_report::ShownReport;
use crate::events::RecordedLog;
use crate::kills::{KillChange, Timeline};
use crate::words::incident::DumpContext;

/// Maximum number of changes that are kept for who tells of kills in lines.
const MAX_CHANGES: usize = 256;

/// The OOM events that are known.
#[derive(Default)]
pub struct Incidents {
    /// All of them, also those that are later than the sample on the screen: what is drawn comes from
    /// [`App::timeline`](crate::app::App::timeline).
    pub(in crate::app) timeline: Timeline,
    /// The report that is on the screen in place of a sample.
    pub report: Option<ShownReport>,
    /// The lines of logs in a recording.
    pub(in crate::app) recorded: RecordedLog,
    /// What became known of earlier events, until it is taken out.
    changed: Vec<KillChange>,
}

impl Incidents {
    /// Notes what became known of earlier events.
    pub(in crate::app) fn note_changes(&mut self, changed: &[KillChange]) {
        self.changed.extend(changed.iter().take(MAX_CHANGES).cloned());
        let over = self.changed.len().saturating_sub(MAX_CHANGES);
        self.changed.drain(..over);
    }

    /// Takes out what became known of earlier events since the last call.
    pub fn take_changes(&mut self) -> Vec<KillChange> {
        std::mem::take(&mut self.changed)
    }

    /// What is the same in all reports, and not in each.
    pub(in crate::app) fn common(&self) -> DumpContext {
        DumpContext {
            kernel: self.timeline.reports().find_map(|report| report.kernel.clone()),
            swap: self.timeline.reports().find_map(|report| report.swap_total),
        }
    }
}
