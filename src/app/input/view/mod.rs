//! The views: what each does with a new sample, a resize and an action.
//!
//! A view is one file here (behaviour), one in `app::view` (state), one in `ui::view` (drawing) and a row in
//! [`view`].

pub(crate) mod cgroups;
pub(crate) mod events;
pub(crate) mod memory;
pub mod step_up;
pub(crate) mod table;
pub(crate) mod verdicts;

use crate::app::keymap::bindings::{Action, Key, KeyContext};
use crate::app::session::notice::NoticeLevel;
use crate::app::view::click_target::RowIdentity;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};
use crate::model::{Needs, Text};

/// The behaviour of a view. Its state is in the [`App`].
pub(crate) trait View: Sync {
    /// Where its keys are looked up.
    fn context(&self) -> KeyContext;

    /// Builds its lines for the sample, policy and domain on the screen.
    fn arrange(&self, app: &mut App);

    /// Scrolls so that its cursor is on the screen.
    fn keep_visible(&self, app: &mut App);

    /// Moves its cursor by `by` lines.
    fn move_by(&self, app: &mut App, by: isize);

    /// The line that shows this, and the line of the cursor; nothing where it is not shown any more.
    fn line_of(&self, app: &App, row: &RowIdentity) -> Option<(usize, usize)>;

    /// Carries out an action that has a meaning of its own in this view; nothing where it has none.
    fn action(&self, app: &mut App, action: Action) -> Option<Vec<Request>>;

    /// Takes a digit: in the table it begins a pid.
    fn digit(&self, app: &mut App, _digit: char) {
        app.say(NoticeLevel::Plain, self.process_first());
    }

    /// Says how to choose a process, where one cannot be chosen in this view.
    fn process_first(&self) -> &'static str;

    /// Adds what the view needs in the next sample.
    fn add_needs(&self, _app: &App, _needs: &mut Needs) {}

    /// The cgroup under its cursor: the menu of domains lists those above it.
    fn cgroup<'a>(&self, app: &'a App) -> Option<&'a Text> {
        app.selected().and_then(|process| process.cgroup.as_ref().value()).map(AsRef::as_ref)
    }
}

/// The behaviour of each view.
pub(crate) fn view(kind: ViewKind) -> &'static dyn View {
    match kind {
        ViewKind::Processes => &table::ProcessesInput,
        ViewKind::Cgroups => &cgroups::CgroupsInput,
        ViewKind::Verdicts => &verdicts::VerdictsInput,
        ViewKind::Memory => &memory::MemoryInput,
        ViewKind::Events => &events::EventsInput,
    }
}

impl App {
    /// Where keys are looked up when nothing lies over the view.
    #[must_use]
    pub fn view_context(&self) -> KeyContext {
        view(self.views.kind).context()
    }

    /// Takes a key of the view on the screen.
    pub(crate) fn view_key(&mut self, key: Key) -> Vec<Request> {
        let shown = view(self.views.kind);
        if let Some(digit) = key.digit() {
            shown.digit(self, digit);
            return Vec::new();
        }
        match self.keys.meaning(shown.context(), key) {
            Some(action) => self.view_action(action),
            None => Vec::new(),
        }
    }

    /// Carries out an action in the view on the screen.
    pub(crate) fn view_action(&mut self, action: Action) -> Vec<Request> {
        let shown = view(self.views.kind);
        if let Some(by) = action.step(self.display.viewport.rows) {
            shown.move_by(self, by);
            return Vec::new();
        }
        if let Some(asked) = shown.action(self, action) {
            return asked;
        }
        match action {
            Action::Back => return self.go_to_view(ViewKind::Processes),
            Action::ProcessFirst => self.say(NoticeLevel::Plain, shown.process_first()),
            action if action.is_everywhere() => return self.table_action(action),
            _ => {}
        }
        Vec::new()
    }

    /// Goes to a view. What it shows may have to be read first.
    pub(crate) fn go_to_view(&mut self, kind: ViewKind) -> Vec<Request> {
        if self.views.kind == kind {
            self.say(NoticeLevel::Plain, format!("already in the view {}", kind.name()));
            return Vec::new();
        }
        self.views.kind = kind;
        self.display.notice = None;
        view(kind).arrange(self);
        if kind == ViewKind::Processes { Vec::new() } else { self.sample_again() }
    }

    /// Builds the lines of the view on the screen again, unless it is the table.
    pub(crate) fn arrange_other_view(&mut self) {
        if self.views.kind != ViewKind::Processes {
            view(self.views.kind).arrange(self);
        }
    }

    /// Scrolls every view so that its cursor is on the screen.
    pub(crate) fn keep_cursors_visible(&mut self) {
        for kind in ViewKind::ALL {
            view(kind).keep_visible(self);
        }
    }

    /// Asks for a sample that contains what is needed from now on.
    pub(crate) fn sample_again(&self) -> Vec<Request> {
        if self.start.live && !self.playback.paused && self.incidents.report.is_none() {
            vec![Request::SampleNow]
        } else {
            Vec::new()
        }
    }
}
