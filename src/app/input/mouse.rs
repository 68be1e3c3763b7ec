//! The mouse: it moves cursors, sorts, changes the view and presses keys of the function bar. It never
//! confirms anything, and never reaches another process than the one that was drawn under the pointer.

use crate::app::input::view::view;
use crate::app::keymap::bindings::{Action, Key, KeyCode, Keymap};
use crate::app::keymap::press_time::KeyPress;
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::click_target::{ClickTarget, RowIdentity};
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};
use crate::units::Millis;

impl App {
    /// Takes a click on what was drawn at its place. It freezes the order of the rows as a key does.
    pub(crate) fn click(&mut self, target: ClickTarget, at: Millis) -> Vec<Request> {
        self.now = self.now.max(at);
        self.refresh.pace.wake(at);
        self.pressed = Some(at);
        let mut requests = match (&self.mode, target) {
            (_, ClickTarget::Key(key)) => self.click_key(key, at),
            (Mode::Menu(_), ClickTarget::MenuLine(line)) => self.click_menu(line),
            (Mode::Browse, ClickTarget::Row(row)) => self.click_row(&row),
            (Mode::Browse, ClickTarget::Column(id)) if self.views.kind == ViewKind::Processes => {
                self.sort_by_heading(id);
                Vec::new()
            }
            (Mode::Browse, ClickTarget::View(kind)) if kind != self.views.kind => {
                self.go_to_view(kind)
            }
            _ => Vec::new(),
        };
        // A second line of defence: a click opens dialogs, and only keys answer them.
        requests.retain(|request| !matches!(request, Request::Act(_)));
        requests
    }

    /// Scrolls what was drawn under the pointer by `lines`.
    pub(crate) fn wheel(&mut self, target: Option<&ClickTarget>, lines: isize, at: Millis) {
        self.now = self.now.max(at);
        self.refresh.pace.wake(at);
        let on_list = matches!(
            target,
            Some(ClickTarget::List | ClickTarget::Row(_) | ClickTarget::Column(_))
        );
        match &mut self.mode {
            Mode::Browse if on_list && self.views.kind == ViewKind::Processes => {
                self.pressed = Some(at);
                self.table.scroll_by(lines, self.display.viewport.rows);
            }
            Mode::Browse if on_list => view(self.views.kind).move_by(self, lines),
            Mode::Menu(menu) => menu.step(lines),
            Mode::Explain(at)
            | Mode::CommandLine(at)
            | Mode::BulkResult(at)
            | Mode::Commitments(at) => {
                *at = self.display.viewport.scroll(*at, lines);
            }
            Mode::Fits(_) => self.move_in_fits(lines),
            Mode::Help { page, .. } => {
                page.scroll = self.display.viewport.scroll(page.scroll, lines);
                page.seeks = false;
            }
            Mode::AdjRules(at) => *at = self.display.viewport.scroll(*at, lines),
            Mode::Incident(page) => {
                page.scroll = self.display.viewport.scroll(page.scroll, lines);
            }
            Mode::Journal(at) => {
                let last = self.session.journal.entries.len().saturating_sub(1);
                *at = at.saturating_add_signed(lines).min(last);
            }
            // In a dialog a turn of the wheel could change what is asked.
            _ => {}
        }
    }

    /// Presses a key of the function bar. In a dialog that asks, only the key that leaves it.
    fn click_key(&mut self, key: Key, at: Millis) -> Vec<Request> {
        let meaning = self.keys.meaning(self.key_context(), key);
        if self.mode.asks() && meaning != Some(Action::Back) {
            return Vec::new();
        }
        self.key(key, KeyPress { at, alone: false })
    }

    /// Chooses a line of the menu, or switches it where lines are switched.
    fn click_menu(&mut self, line: usize) -> Vec<Request> {
        let Mode::Menu(menu) = &mut self.mode else { return Vec::new() };
        if line >= menu.matching().count() {
            return Vec::new();
        }
        menu.at = line;
        let key = if menu.toggles { Key::char(' ') } else { Key::plain(KeyCode::Enter) };
        self.menu_key(key)
    }

    /// Puts the cursor on a row. A second click on the same row is the key Enter.
    fn click_row(&mut self, row: &RowIdentity) -> Vec<Request> {
        let shown = view(self.views.kind);
        let Some((line, cursor)) = shown.line_of(self, row) else {
            self.say(NoticeLevel::Plain, "this row is gone");
            return Vec::new();
        };
        let again = self.display.clicked.as_ref() == Some(row);
        if line == cursor && again {
            // What Enter means here, whichever key the user chose for it.
            let enter = Key::plain(KeyCode::Enter);
            let meaning = Keymap::default().meaning(shown.context(), enter);
            return meaning.map_or_else(Vec::new, |action| self.view_action(action));
        }
        let by = isize::try_from(line).unwrap_or(0) - isize::try_from(cursor).unwrap_or(0);
        shown.move_by(self, by);
        self.display.clicked = Some(row.clone());
        Vec::new()
    }
}
