//! The view Processes: the table, its cursor and its filters.

use crate::app::input::view::View;
use crate::app::keymap::bindings::{Action, KeyContext};
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::click_target::RowIdentity;
use crate::app::{App, Request};
use crate::model::ProcId;
use crate::plan::targets::subtree;
use crate::rows::arrange::TableLine;

pub(crate) struct ProcessesInput;

impl View for ProcessesInput {
    fn context(&self) -> KeyContext {
        KeyContext::Browse
    }

    fn arrange(&self, app: &mut App) {
        app.arrange();
    }

    fn keep_visible(&self, app: &mut App) {
        app.table.keep_visible(app.display.viewport.rows);
    }

    fn move_by(&self, app: &mut App, by: isize) {
        app.table.move_by(by, app.display.viewport.rows);
    }

    fn line_of(&self, app: &App, row: &RowIdentity) -> Option<(usize, usize)> {
        let RowIdentity::Process(id) = row else { return None };
        let line = app.table.lines.iter().position(|line| line.id == *id)?;
        Some((line, app.table.cursor.at))
    }

    fn action(&self, app: &mut App, action: Action) -> Option<Vec<Request>> {
        Some(app.table_action(action))
    }

    fn digit(&self, app: &mut App, digit: char) {
        app.mode = Mode::GoTo(digit.to_string());
        app.go_to_pid();
    }

    fn process_first(&self) -> &'static str {
        "choose a process first"
    }
}

impl App {
    /// Carries out an action as the table means it, and every view where it means the same.
    pub(crate) fn table_action(&mut self, action: Action) -> Vec<Request> {
        if action == Action::Back {
            return self.back();
        }
        if let Some(asked) = self.time_action(action) {
            return asked;
        }
        let done = self.scroll_action(action)
            || self.sort_action(action)
            || self.row_action(action)
            || self.display_action(action)
            || self.open_action(action);
        if done { Vec::new() } else { self.request_action(action) }
    }

    fn scroll_action(&mut self, action: Action) -> bool {
        let rows = self.display.viewport.rows;
        // Rank and pid are never scrolled off, and the last column stays.
        let last = self.columns().len().saturating_sub(3);
        match action {
            Action::ScrollUp => self.table.scroll_by(-1, rows),
            Action::ScrollDown => self.table.scroll_by(1, rows),
            Action::ColumnsLeft => self.table.skipped = self.table.skipped.saturating_sub(1),
            Action::ColumnsRight => self.table.skipped = (self.table.skipped + 1).min(last),
            Action::ColumnsBegin => self.table.skipped = 0,
            Action::ColumnsEnd => self.table.skipped = last,
            _ => return false,
        }
        true
    }

    /// Which rows are shown, and what is marked among them.
    fn row_action(&mut self, action: Action) -> bool {
        match action {
            Action::Tag => self.tag(),
            Action::Untag => self.table.tags.clear(),
            Action::TagSubtree => self.tag_subtree(),
            Action::SearchNext => self.search_on(true),
            Action::SearchPrevious => self.search_on(false),
            Action::Tree => {
                self.table.settings.tree = !self.table.settings.tree;
                self.arrange();
            }
            Action::Expand => self.fold(Some(false)),
            Action::Collapse => self.fold(Some(true)),
            Action::ToggleBranch => self.fold(None),
            Action::Follow => self.toggle_follow(),
            Action::KernelThreads => {
                let shown = !self.table.settings.kernel_threads;
                self.table.settings.kernel_threads = shown;
                let word = if shown { "shown" } else { "hidden" };
                self.say(NoticeLevel::Plain, format!("kernel threads {word}"));
                self.arrange();
            }
            Action::HideSpared => {
                let hidden = !self.table.settings.hide_spared;
                self.table.settings.hide_spared = hidden;
                let word = if hidden { "hidden" } else { "shown" };
                self.say(NoticeLevel::Plain, format!("processes that cannot be chosen are {word}"));
                self.arrange();
            }
            _ => return false,
        }
        true
    }

    /// Puts the cursor on a process, if it is in the table.
    pub(crate) fn jump_to(&mut self, id: ProcId) {
        self.table.jump_to(id, self.display.viewport.rows);
    }

    /// Jumps to the typed pid, or to the lowest one that begins with it.
    pub(crate) fn go_to_pid(&mut self) {
        let Mode::GoTo(digits) = &self.mode else { return };
        let pids = || self.table.lines.iter().map(|line| line.id);
        let exact = pids().find(|id| digits.parse() == Ok(id.pid));
        let near = || pids().filter(|id| id.pid.to_string().starts_with(digits.as_str())).min();
        match exact.or_else(near) {
            Some(id) => self.jump_to(id),
            None => {
                let text = format!("no pid {digits} in the table");
                self.say(NoticeLevel::Plain, text);
            }
        }
    }

    fn tag(&mut self) {
        let Some(&TableLine { id, at, .. }) = self.table.line() else { return };
        if at.is_none() {
            _ = self.target();
            return;
        }
        if !self.table.tags.remove(&id) {
            self.table.tags.insert(id);
        }
        self.table.move_by(1, self.display.viewport.rows);
    }

    fn tag_subtree(&mut self) {
        if let (Some(scene), Some(line)) = (&self.scene, self.table.line()) {
            self.table.tags.extend(subtree(line.id, scene));
        }
    }

    /// Closes or opens the branch under the cursor; all branches where `close` is nothing.
    fn fold(&mut self, close: Option<bool>) {
        if !self.table.settings.tree {
            let key = self.key_name(Action::Tree);
            let text = format!("this opens and closes branches of the tree: press {key} first");
            return self.say(NoticeLevel::Plain, text);
        }
        let id = self.table.line().map(|line| line.id);
        let folded = &mut self.table.settings.folded;
        match (close, id) {
            (Some(_), None) => return,
            (Some(true), Some(id)) => _ = folded.insert(id),
            (Some(false), Some(id)) => _ = folded.remove(&id),
            (None, _) if folded.is_empty() => {
                let roots = self.table.lines.iter().filter(|line| line.tree_lines.depth == 0);
                *folded = roots.map(|line| line.id).collect();
            }
            (None, _) => folded.clear(),
        }
        self.arrange();
    }

    fn toggle_follow(&mut self) {
        self.table.follow = !self.table.follow;
        self.table.set_anchor();
        let text = if self.table.follow {
            "the cursor follows its process"
        } else {
            "the cursor keeps its row"
        };
        self.say(NoticeLevel::Plain, text);
    }
}
