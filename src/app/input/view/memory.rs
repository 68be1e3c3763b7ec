//! The view Memory.

use crate::app::input::view::View;
use crate::app::keymap::bindings::{Action, KeyContext};
use crate::app::session::notice::NoticeLevel;
use crate::app::view::click_target::RowIdentity;
use crate::app::view::memory::{ZOOMS, watched};
use crate::app::{App, Request};
use crate::forecast::chart_window::ChartWindow;
use crate::forecast::series::SERIES;
use crate::model::{CgroupNeeds, EventTime, Needs, TimeAxis};
use crate::units::Millis;

pub(crate) struct MemoryInput;

impl View for MemoryInput {
    fn context(&self) -> KeyContext {
        KeyContext::Memory
    }

    fn arrange(&self, app: &mut App) {
        if let Some(scene) = &app.scene {
            app.views.memory.groups = watched(scene, &app.deaths);
        }
    }

    /// The charts do not scroll.
    fn keep_visible(&self, _app: &mut App) {}

    fn move_by(&self, app: &mut App, by: isize) {
        let last = SERIES.len().saturating_sub(1);
        app.views.memory.chosen = app.views.memory.chosen.saturating_add_signed(by).min(last);
    }

    /// The cgroups below the charts have no cursor.
    fn line_of(&self, _app: &App, _row: &RowIdentity) -> Option<(usize, usize)> {
        None
    }

    fn action(&self, app: &mut App, action: Action) -> Option<Vec<Request>> {
        match action {
            Action::ZoomIn | Action::ZoomOut | Action::Enlarge
                if app.playback.history.is_empty() =>
            {
                app.say(NoticeLevel::Plain, "there is no sample to draw");
            }
            Action::ZoomIn => {
                if !app.views.memory.zoom_by(-1) {
                    app.say(NoticeLevel::Plain, "this is the shortest time");
                }
            }
            Action::ZoomOut => {
                if !app.views.memory.zoom_by(1) {
                    app.say(NoticeLevel::Plain, "this is everything in memory");
                }
            }
            Action::Enlarge => app.views.memory.large = !app.views.memory.large,
            Action::Back if app.views.memory.large => app.views.memory.large = false,
            Action::EarlierSample | Action::TenEarlier => step_back(app, action),
            _ => return None,
        }
        Some(Vec::new())
    }

    fn add_needs(&self, _app: &App, needs: &mut Needs) {
        needs.cgroups = CgroupNeeds::Everything;
    }

    fn process_first(&self) -> &'static str {
        "choose a process first: Tab and Esc lead to the table"
    }
}

/// Goes back in time. The charts may reach further back than the samples that are kept; then it says so.
fn step_back(app: &mut App, action: Action) {
    let playback = &app.playback;
    let oldest = playback.past.oldest();
    let at_end = playback.at().is_some() && playback.at() == oldest;
    let oldest = oldest.and_then(|oldest| playback.past.time(oldest));
    let further = playback.history.iter().next().map(|moment| moment.at) < oldest;
    if at_end && further {
        let text = "only the charts go back that far (--ring keeps samples longer)";
        return app.say(NoticeLevel::Plain, text);
    }
    app.time_action(action);
}

impl App {
    /// When the sample on the screen was taken, on the monotonic clock.
    #[must_use]
    pub fn shown_at(&self) -> Option<Millis> {
        Some(self.scene.as_ref()?.now().clock.monotonic_ms)
    }

    /// The last time that charts show, on the monotonic clock: now, also where the screen shows an earlier sample
    /// of a live machine; in a recording the sample on the screen, because what follows has not happened yet.
    #[must_use]
    pub fn charted_until(&self) -> Millis {
        let newest = self.playback.history.last().map_or(Millis::ZERO, |moment| moment.at);
        if self.playback.is_played() { self.shown_at().unwrap_or(Millis::ZERO) } else { newest }
    }

    /// The times of the kills on the charts, those by userspace killers too, on the monotonic clock: each is that of the
    /// first sample after the kill.
    #[must_use]
    pub fn charted_kills(&self) -> Vec<Millis> {
        let history = &self.playback.history;
        let Some(first) = history.get(0) else { return Vec::new() };
        let until = if self.playback.is_played() { self.shown_until() } else { None };
        let (until, timeline) = (until.unwrap_or(i64::MAX), &self.incidents.timeline);
        let kills = timeline.until(until).iter().rev();
        let kills = kills.take_while(|it| it.unix_ms > first.unix_ms);
        let kills = kills.filter(|it| it.is_kill() && it.time != EventTime::Order);
        let counted = timeline.awaited_times().filter(|at| *at <= until);
        let times = kills.map(|it| it.unix_ms).chain(counted);
        times.filter_map(|at| history.since(at)).map(|sample| sample.at).collect()
    }

    /// The part of the history that the charts show on `cells` cells: up to now, or around an earlier
    /// sample on the screen of a live machine.
    #[must_use]
    pub fn window(&self, cells: usize) -> ChartWindow<'_> {
        let history = &self.playback.history;
        let newest = self.charted_until();
        let zoom = ZOOMS.get(self.views.memory.zoom).and_then(|(_, span)| *span);
        let (end, span) = match (zoom, self.shown_at()) {
            (Some(span), Some(shown)) => {
                // At least half of the span lies before the sample on the screen.
                (newest.min(shown + Millis(span.0 / 2)), span)
            }
            (Some(span), None) => (newest, span),
            (None, _) => {
                let first = history.iter().next().map_or(newest, |moment| moment.at);
                (newest, Millis(newest.saturating_sub(first).0.max(60_000)))
            }
        };
        ChartWindow::new(history, TimeAxis::new(end, span, cells)).until(newest)
    }
}
