//! Shows the report of an OOM kill in place of a sample, and leaves it again.

use std::sync::Arc;

use crate::app::App;
use crate::app::incident::entry::TimelineEntry;
use crate::app::incident::shown_report::ShownReport;
use crate::app::mode::Mode;
use crate::app::refresh::self_check::SelfCheck;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::kind::ViewKind;
use crate::events::LogUpdate;
use crate::events::{OomReport, reconstruct};
use crate::model::{Clock, EventTime, Scene};
use crate::policy::of_kernel;
use crate::units::{Millis, Ticks};
use crate::words::incident::ExplainedReport;

impl App {
    /// Shows a report. Returns false where it has no dump that can be shown.
    pub(crate) fn show_report(&mut self, number: u64) -> bool {
        let Some(report) = self.incidents.timeline.report(number).cloned() else { return false };
        let common = self.incidents.common();
        let kernel = report.kernel.clone().or(common.kernel);
        let filled = OomReport { kernel, ..OomReport::clone(&report) };
        let Some(mut post) = reconstruct(&filled, common.swap) else { return false };
        let event = self.incidents.timeline.all().iter().find(|it| it.report == Some(number));
        let (unix_ms, time) = event.map_or((0, EventTime::Order), |it| (it.unix_ms, it.time));
        let uptime = report.stamp.uptime_us.unwrap_or(0);
        // A process that is not in the dump was not hidden: it could not be chosen.
        post.snapshot.privileges.sees_others = true;
        post.snapshot.clock = Clock {
            unix_ms: if time == EventTime::Order { 0 } else { unix_ms },
            monotonic_ms: Millis(0),
            uptime_ticks: Ticks(uptime / 10_000),
        };
        let stamp = match report.stamp.uptime_us {
            Some(us) => format!("{}.{:03} s", us / 1_000_000, us / 1000 % 1000),
            None => report.stamp.shown(),
        };
        let kernel = post.snapshot.machine.kernel.as_str();
        let is_running = self.settings.policy.id() == "linux";
        let kernel_policy = is_running.then(|| of_kernel(kernel));
        let judge = kernel_policy.unwrap_or(self.settings.policy);
        let place = self.report_place(number);
        let judged = Some(judge).filter(|policy| !policy.is_running_kernel());
        let lines = ExplainedReport::new(&report, &self.incidents.common(), judged).facts();
        self.refresh.self_check = SelfCheck::default();
        self.incidents.report =
            Some(ShownReport { number, place, told: time, stamp, lines, kernel_policy });
        self.playback.playing = None;
        self.scene = Some(Scene::scoped(Arc::new(post.snapshot), None, post.scope));
        self.mode = Mode::Browse;
        self.table.follow_headline();
        self.rank_anew();
        self.predict_deaths();
        self.arrange();
        true
    }

    /// The numbers of the reports that can be shown, in the order of time.
    pub(crate) fn shown_reports(&self) -> Vec<u64> {
        let mut numbers: Vec<u64> = Vec::new();
        for number in self.shown_kills().iter().filter_map(|it| it.report) {
            let dumped = |number| {
                self.incidents
                    .timeline
                    .report(number)
                    .is_some_and(|report| !report.tasks.is_empty())
            };
            if numbers.last() != Some(&number) && dumped(number) {
                numbers.push(number);
            }
        }
        numbers
    }

    fn report_place(&self, number: u64) -> (usize, usize) {
        let all = self.shown_reports();
        let at = all.iter().position(|it| *it == number).map_or(0, |at| at + 1);
        (at, all.len())
    }

    /// Shows the next report, or the one before.
    pub(crate) fn step_report(&mut self, next: bool) {
        let Some(shown) = &self.incidents.report else { return };
        let all = self.shown_reports();
        let at = all.iter().position(|it| *it == shown.number);
        let to = at.and_then(|at| if next { at.checked_add(1) } else { at.checked_sub(1) });
        match to.and_then(|to| all.get(to)).copied() {
            Some(number) => {
                self.show_report(number);
                let found =
                    self.incidents.timeline.all().iter().find(|it| it.report == Some(number));
                self.views.events.held = found.map(|it| TimelineEntry::Kill(it.nth));
                self.arrange_events();
            }
            None => {
                let which = if next { "last" } else { "first" };
                self.say(NoticeLevel::Plain, format!("this is the {which} report with a dump"));
            }
        }
    }

    /// Takes the report off the screen. A sample must follow.
    pub(crate) fn drop_report(&mut self) {
        if self.incidents.report.take().is_some() {
            self.scene = None;
        }
    }

    /// Goes back to the sample that was on the screen before the report.
    pub(crate) fn leave_report(&mut self) {
        if self.incidents.report.is_none() {
            return;
        }
        self.views.kind = ViewKind::Events;
        let was_past = self.playback.is_past();
        let (at, past) = (self.playback.at(), &self.playback.past);
        // Where only reports are shown there is no sample to go back to.
        if let (Some(oldest), Some(newest)) = (past.oldest(), past.newest()) {
            let at = at.filter(|_| was_past || self.playback.paused);
            self.table.follow_headline();
            self.go_to_sample(at.unwrap_or(newest).max(oldest));
            self.playback.gone_back = was_past;
        }
        self.arrange_events();
    }

    /// Starts with the reports of a file and no samples. The last one with a dump is shown.
    pub fn begin_with(&mut self, reports: Vec<LogUpdate>) {
        if reports.is_empty() {
            return;
        }
        self.take_log(reports);
        let numbers = self.shown_reports();
        if let Some(&last) = numbers.last() {
            self.show_report(last);
        }
        self.views.kind = ViewKind::Events;
        self.arrange_events();
    }
}
