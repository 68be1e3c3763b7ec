//! Actions in the view Memory.

use crate::app::keymap::bindings;
use crate::app::keymap::bindings::{Action, Key};
use crate::app::session::notice::NoticeLevel;
use crate::app::view::kind::ViewKind;
use crate::app::view::memory;
use crate::app::view::memory::ZOOMS;
use crate::app::{App, Request};
use crate::forecast::chart_window::ChartWindow;
use crate::forecast::series::SERIES;
use crate::model::TimeAxis;
use crate::units::Millis;

impl App {
    /// A key in a view that has no processes to choose from.
    pub(crate) fn view_key(&mut self, key: Key) -> Vec<Request> {
        if key.digit().is_some() {
            self.say_choose_first();
            return Vec::new();
        }
        match bindings::meaning(self.home(), key) {
            Some(action) => self.act_here(action),
            None => Vec::new(),
        }
    }

    /// Carries out what a key of the view, or a line of its palette, means.
    pub(crate) fn memory_action(&mut self, action: Action) -> Vec<Request> {
        if let Some(by) = action.step(self.viewport.rows) {
            let last = SERIES.len().saturating_sub(1);
            self.memory.chosen = self.memory.chosen.saturating_add_signed(by).min(last);
            return Vec::new();
        }
        match action {
            Action::ZoomIn | Action::ZoomOut | Action::Enlarge
                if self.playback.history.is_empty() =>
            {
                self.say(NoticeLevel::Plain, "there is no look to draw");
            }
            Action::ZoomIn if !self.memory.zoom_by(-1) => {
                self.say(NoticeLevel::Plain, "this is the shortest time");
            }
            Action::ZoomOut if !self.memory.zoom_by(1) => {
                self.say(NoticeLevel::Plain, "this is all of the time that is kept");
            }
            Action::Enlarge => self.memory.large = !self.memory.large,
            Action::Back if self.memory.large => self.memory.large = false,
            Action::Back => return self.go_to_screen(ViewKind::Processes),
            Action::ProcessFirst => self.say_choose_first(),
            Action::LookBack | Action::FarBack => self.step_charts_back(action),
            action if action.is_everywhere() => return self.browse(action),
            Action::LookForward => _ = self.time_action(action),
            _ => {}
        }
        Vec::new()
    }

    /// Back in time; where the charts reach further back than whole looks, it says so and stays.
    fn step_charts_back(&mut self, action: Action) {
        let time = &self.playback;
        let at_end = time.at().is_some() && time.at() == time.past.oldest();
        let oldest = time.past.oldest().and_then(|oldest| time.past.time(oldest));
        let further = time.history.iter().next().map(|moment| moment.at) < oldest;
        if at_end && further {
            let text = "only the charts reach further back: no whole look of then is kept (--ring)";
            return self.say(NoticeLevel::Plain, text);
        }
        self.time_action(action);
    }

    /// Finds the cgroups to watch, where the view is shown.
    pub(crate) fn arrange_memory(&mut self) {
        if let Some(scene) = self.scene.as_ref().filter(|_| self.screen == ViewKind::Memory) {
            self.memory.groups = memory::watched(scene);
        }
    }

    /// When the look on the screen was taken.
    #[must_use]
    pub fn shown_at(&self) -> Option<Millis> {
        Some(self.scene.as_ref()?.now().clock.monotonic_ms)
    }

    /// What the charts show, on so many cells: up to now, or so that an earlier look on the screen
    /// stands in it.
    #[must_use]
    pub fn window(&self, cells: usize) -> ChartWindow<'_> {
        let history = &self.playback.history;
        let newest = history.last().map_or(Millis::ZERO, |moment| moment.at);
        let zoom = ZOOMS.get(self.memory.zoom).and_then(|(_, span)| *span);
        let (end, span) = match (zoom, self.shown_at()) {
            (Some(span), Some(shown)) => {
                // No further on than that half of it lies before the look on the screen.
                (newest.min(shown + Millis(span.0 / 2)), span)
            }
            (Some(span), None) => (newest, span),
            (None, _) => {
                let first = history.iter().next().map_or(newest, |moment| moment.at);
                (newest, Millis(newest.saturating_sub(first).0.max(60_000)))
            }
        };
        ChartWindow::new(history, TimeAxis::new(end, span, cells))
    }

    /// Where nobody can be chosen, nobody can be acted on.
    pub(crate) fn say_choose_first(&mut self) {
        self.say(NoticeLevel::Plain, "choose a process first: Tab and Esc lead to the table");
    }
}
