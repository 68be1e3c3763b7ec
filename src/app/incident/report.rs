//! A report of the kernel's on the screen: its dump stands where the processes are, as a look that is
//! not of this time; looks go on being taken meanwhile.

use std::sync::Arc;

use crate::app::dialog::mode::{Mode, ViewKind};
use crate::app::refresh::self_check::SelfCheck;
use crate::app::{App, CursorAnchor, NoticeLevel};
use crate::events::{OomReport, reconstruct};
use crate::model::{Clock, EventTime, SampleIndex, Scene, Scope};
use crate::policy::{Policy, of_kernel};
use crate::units::{Millis, Ticks};
use crate::words::incident::ExplainedReport;

/// The report on the screen, and what stood there before.
#[derive(Clone)]
pub struct ShownReport {
    /// Its number.
    pub number: u64,
    /// Its place among those that can be shown, from 1, and how many there are.
    pub place: (usize, usize),
    /// How well its time is known.
    pub told: EventTime,
    /// What the log says of when.
    pub stamp: String,
    /// What there is to say of it, each with a label.
    pub lines: Vec<(&'static str, String)>,
    /// Which rule ranked before, and which one ranks the report.
    policy: &'static dyn Policy,
    taken: &'static dyn Policy,
    scope: Scope,
    at: Option<SampleIndex>,
    was_past: bool,
}

impl App {
    /// Puts a report on the screen; whether it has a dump that can be shown.
    pub(crate) fn show_report(&mut self, number: u64) -> bool {
        let Some(report) = self.timeline.report(number).cloned() else { return false };
        let common = self.timeline.common();
        let kernel = report.kernel.clone().or(common.kernel);
        let filled = OomReport { kernel, ..OomReport::clone(&report) };
        let Some(mut post) = reconstruct(&filled, common.swap) else { return false };
        let happening = self.timeline.events.iter().find(|it| it.report == Some(number));
        let (unix_ms, told) = happening.map_or((0, EventTime::Order), |it| (it.unix_ms, it.time));
        let uptime = report.stamp.uptime_us.unwrap_or(0);
        // Who is not in a dump was not hidden: it could not be chosen.
        post.snapshot.privileges.sees_others = true;
        post.snapshot.clock = Clock {
            unix_ms: if told == EventTime::Order { 0 } else { unix_ms },
            monotonic_ms: Millis(0),
            uptime_ticks: Ticks(uptime / 10_000),
        };
        let stamp = match report.stamp.uptime_us {
            Some(us) => format!("{}.{:03} s", us / 1_000_000, us / 1000 % 1000),
            None => report.stamp.text.clone(),
        };
        let before = self.report.take();
        let (scope, at, was_past) = match &before {
            Some(shown) => (shown.scope.clone(), shown.at, shown.was_past),
            None => (self.setup.scope.clone(), self.playback.at(), self.playback.step_aside()),
        };
        // A rule that was chosen for the report stays.
        let chosen = before.as_ref().is_none_or(|it| it.taken.id() != self.setup.policy.id());
        let policy = match &before {
            Some(shown) if !chosen => shown.policy,
            _ => self.setup.policy,
        };
        let taken = if policy.is_running_kernel() {
            of_kernel(post.snapshot.machine.kernel.as_str())
        } else {
            policy
        };
        let place = self.report_place(number);
        let judged = Some(taken).filter(|policy| !policy.is_running_kernel());
        let lines = ExplainedReport::new(&report, &self.timeline.common(), judged).lines();
        self.check = SelfCheck::default();
        self.report = Some(ShownReport {
            lines,
            number,
            place,
            told,
            stamp,
            policy,
            taken,
            scope,
            at,
            was_past,
        });
        self.setup.policy = taken;
        self.setup.scope = post.scope.clone();
        self.scene = Some(Scene::scoped(Arc::new(post.snapshot), None, post.scope));
        self.mode = Mode::Browse;
        self.anchor = CursorAnchor::First;
        self.rank_anew();
        self.arrange();
        true
    }

    /// The numbers of the reports that can be shown, in the order of time.
    pub(crate) fn shown_reports(&self) -> Vec<u64> {
        let mut numbers: Vec<u64> = Vec::new();
        for number in self.timeline.events.iter().filter_map(|it| it.report) {
            let dumped = |number| {
                self.timeline.report(number).is_some_and(|report| !report.tasks.is_empty())
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
        let Some(shown) = &self.report else { return };
        let all = self.shown_reports();
        let at = all.iter().position(|it| *it == shown.number);
        let to = at.and_then(|at| if next { at.checked_add(1) } else { at.checked_sub(1) });
        match to.and_then(|to| all.get(to)).copied() {
            Some(number) => {
                self.show_report(number);
                let found = self.timeline.events.iter().find(|it| it.report == Some(number));
                self.timeline.held =
                    found.map(|it| crate::app::incident::timeline::TimelineEntry::Kill(it.nth));
                self.arrange_events();
            }
            None => {
                let which = if next { "last" } else { "first" };
                self.say(NoticeLevel::Plain, format!("this is the {which} report with a dump"));
            }
        }
    }

    /// The rule and the scope by which new looks are judged: those of the screen, and where it shows a
    /// report those from before.
    pub(crate) fn of_now(&self) -> (&'static dyn Policy, &Scope) {
        match &self.report {
            Some(shown) if shown.taken.id() == self.setup.policy.id() => {
                (shown.policy, &shown.scope)
            }
            Some(shown) => (self.setup.policy, &shown.scope),
            None => {
                let scope = self.scene.as_ref().map_or(&self.setup.scope, Scene::scope);
                (self.setup.policy, scope)
            }
        }
    }

    /// Takes the report off the screen without putting anything in its place: a look follows.
    pub(crate) fn drop_report(&mut self) -> bool {
        let Some(shown) = self.report.take() else { return false };
        if self.setup.policy.id() == shown.taken.id() {
            self.setup.policy = shown.policy;
        }
        self.setup.scope = shown.scope;
        self.scene = None;
        self.playback.set_gone_back(shown.was_past);
        true
    }

    /// Back to what stood there before the report.
    pub(crate) fn leave_report(&mut self) {
        let Some(shown) = &self.report else { return };
        let (at, was_past) = (shown.at, shown.was_past);
        let past = &self.playback.past;
        let (Some(oldest), Some(newest)) = (past.oldest(), past.newest()) else {
            // Reports of a file, and nothing else.
            self.screen = ViewKind::Events;
            return self.arrange_events();
        };
        let back = at.filter(|_| was_past || self.paused).unwrap_or(newest).max(oldest);
        self.drop_report();
        self.anchor = CursorAnchor::First;
        self.go_to_sample(back);
        self.playback.set_gone_back(was_past);
        self.screen = ViewKind::Events;
        self.arrange_events();
    }
}
