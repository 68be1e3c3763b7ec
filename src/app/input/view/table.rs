//! Actions in the table of processes.

use crate::app::dialog::prompt::PromptKind;
use crate::app::keymap::bindings::Action;
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::display::HeaderLevel;
use crate::app::view::kind::ViewKind;
use crate::app::view::table::CursorAnchor;
use crate::app::{App, Request};
use crate::columns::{CommandStyle, column};
use crate::plan::targets::subtree;
use crate::rows::arrange::Sort;

impl App {
    /// Carries out what a key of the table, or a line of the palette, means.
    pub(crate) fn browse(&mut self, action: Action) -> Vec<Request> {
        if let Some(by) = action.step(self.viewport.rows) {
            self.move_by(by);
            return Vec::new();
        }
        if let Some(asked) = self.time_action(action) {
            return asked;
        }
        match action {
            Action::ScrollUp => self.scroll_by(-1),
            Action::ScrollDown => self.scroll_by(1),
            Action::ColumnsLeft => self.skipped = self.skipped.saturating_sub(1),
            Action::ColumnsRight => self.skipped = (self.skipped + 1).min(self.scrollable()),
            Action::ColumnsBegin => self.skipped = 0,
            Action::ColumnsEnd => self.skipped = self.scrollable(),
            Action::Explain => self.mode = Mode::Explain(0),
            Action::Adjust => self.open_adjust(0),
            Action::Protect => self.open_adjust(-50),
            Action::Expose => self.open_adjust(50),
            Action::ProtectFine => self.open_adjust(-10),
            Action::ExposeFine => self.open_adjust(10),
            Action::Sacrifice => self.open_sacrifice(),
            Action::SignalMenu => self.open_signal_menu(),
            Action::Escalate => self.open_escalation(),
            Action::Revert => self.open_revert(false),
            Action::Redo => self.open_revert(true),
            Action::Journal => self.open_journal(),
            Action::Promises => self.open_commitments(),
            Action::Keep => return self.open_persist(),
            Action::SortBadness => self.sort_by("badness"),
            Action::SortRss => self.sort_by("rss"),
            Action::SortCpu => self.sort_by("cpu"),
            Action::SortRun => self.sort_by("run"),
            Action::SortPid => self.sort_by("pid"),
            Action::SortGrowth => self.sort_by_growth(),
            Action::SortLeft => self.sort_beside(-1),
            Action::SortRight => self.sort_beside(1),
            Action::SortMenu => self.open_sort_menu(),
            Action::Invert => {
                self.view.sort.descending = !self.view.sort.descending;
                self.arrange();
            }
            Action::Search => self.open_prompt(PromptKind::Search),
            Action::SearchNext => self.search_on(true),
            Action::SearchPrevious => self.search_on(false),
            Action::Filter => self.open_prompt(PromptKind::Filter),
            Action::UserFilter => self.open_user_menu(),
            Action::Tag => self.tag(),
            Action::Untag => self.tags.clear(),
            Action::TagSubtree => self.tag_subtree(),
            Action::CommandLine => {
                self.command = Some(match self.command_style() {
                    CommandStyle::Name => CommandStyle::Line,
                    _ => CommandStyle::Name,
                });
            }
            Action::CommandShort => {
                self.command = Some(match self.command_style() {
                    CommandStyle::Short => CommandStyle::Line,
                    _ => CommandStyle::Short,
                });
            }
            Action::Tree => {
                self.view.tree = !self.view.tree;
                self.arrange();
            }
            Action::Expand => self.fold(Some(false)),
            Action::Collapse => self.fold(Some(true)),
            Action::ToggleBranch => self.fold(None),
            Action::Follow => self.toggle_follow(),
            Action::Pause if self.playback.is_played() => self.toggle_playing(),
            Action::Pause => {
                self.paused = !self.paused;
                if !self.paused {
                    return vec![Request::SampleNow];
                }
            }
            Action::KernelThreads => {
                self.view.kernel_threads = !self.view.kernel_threads;
                let word = if self.view.kernel_threads { "shown" } else { "hidden" };
                self.say(NoticeLevel::Plain, format!("kernel threads {word}"));
                self.arrange();
            }
            Action::HideSpared => {
                self.view.hide_spared = !self.view.hide_spared;
                let word = if self.view.hide_spared { "hidden" } else { "shown" };
                self.say(NoticeLevel::Plain, format!("those who cannot be chosen are {word}"));
                self.arrange();
            }
            Action::Header => {
                self.header = match self.header {
                    HeaderLevel::Full => HeaderLevel::Small,
                    HeaderLevel::Small => HeaderLevel::Line,
                    HeaderLevel::Line => HeaderLevel::Off,
                    HeaderLevel::Off => HeaderLevel::Full,
                };
            }
            Action::HeaderOff => {
                self.header = match self.header {
                    HeaderLevel::Off => HeaderLevel::Full,
                    _ => HeaderLevel::Off,
                };
            }
            Action::Units => {
                self.scale = self.scale.next();
                self.say(NoticeLevel::Plain, format!("sizes in the table: {}", self.scale.word()));
            }
            Action::HeaderUnits => {
                self.header_scale = self.header_scale.next();
                let word = self.header_scale.word();
                self.say(NoticeLevel::Plain, format!("sizes in the header: {word}"));
            }
            Action::Columns => self.open_column_menu(),
            Action::PolicyMenu => self.open_policy_menu(),
            Action::ScopeMenu => self.open_scope_menu(),
            Action::ScopeBack => return self.scope_back(),
            Action::NextView => return self.go_to_screen(self.screen.step(1)),
            Action::PreviousView => return self.go_to_screen(self.screen.step(-1)),
            Action::ViewProcesses => return self.go_to_screen(ViewKind::Processes),
            Action::ViewCgroups => return self.go_to_screen(ViewKind::Cgroups),
            Action::ViewMemory => return self.go_to_screen(ViewKind::Memory),
            Action::ViewEvents => return self.go_to_screen(ViewKind::Events),
            Action::WhyReport => self.explain_shown(),
            Action::GoToTime => self.open_prompt(PromptKind::Time),
            Action::ViewVerdicts => return self.go_to_screen(ViewKind::Verdicts),
            Action::RulesPage => self.open_rules(),
            Action::RulesOff => self.rules_off(),
            Action::Overcommit => self.open_sysctls(),
            Action::Delay => self.open_prompt(PromptKind::Delay),
            Action::LookNow if self.paused => {
                self.say(NoticeLevel::Plain, "paused: z goes on");
            }
            Action::LookNow => return vec![Request::SampleNow],
            Action::Redraw => return vec![Request::Redraw],
            Action::Palette => self.open_palette(),
            Action::Copy => self.open_copy_menu(),
            Action::Dump if self.report.is_some() => {
                self.say(
                    NoticeLevel::Plain,
                    "a report is no look: what it tells stands in its log",
                );
            }
            Action::Dump => return vec![Request::Dump],
            Action::Record => return self.toggle_recording(),
            Action::WritePast => return self.write_past(),
            Action::Help => self.mode = Mode::Help(0),
            Action::Back => self.back(),
            Action::Quit => return vec![Request::Quit { keep: false }],
            Action::QuitKeep => return vec![Request::Quit { keep: true }],
            Action::Suspend => return vec![Request::Suspend],
            Action::Threads => self.say(
                NoticeLevel::Plain,
                "no threads here: the OOM killer picks whole processes (the column shows none)",
            ),
            Action::NotVim => {
                self.say(
                    NoticeLevel::Plain,
                    "j does nothing, because k is kill: move with the arrows",
                );
            }
            _ => {}
        }
        Vec::new()
    }

    /// How many columns can be scrolled off: rank and pid stay, and so does the last one.
    fn scrollable(&self) -> usize {
        self.columns().len().saturating_sub(3)
    }

    /// Esc: the message, then the search, then the filters; never the program.
    pub(crate) fn back(&mut self) {
        if self.notice.take().is_some() {
        } else if !self.search.is_empty() {
            self.search = crate::app::Filter::default();
        } else if !self.view.filter.is_empty() || self.view.user.is_some() {
            self.view.filter = crate::app::Filter::default();
            self.view.user = None;
            self.arrange();
        } else {
            self.leave_report();
        }
    }

    fn move_by(&mut self, by: isize) {
        let last = self.lines.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
        self.hold_on();
        self.keep_cursor_in_view();
    }

    /// From the first movement on the cursor follows its process.
    pub(crate) fn hold_on(&mut self) {
        self.anchor = match self.lines.get(self.cursor) {
            Some(line) if self.follow => CursorAnchor::Process(line.id),
            _ => CursorAnchor::Row(self.cursor),
        };
    }

    fn scroll_by(&mut self, by: isize) {
        let rows = usize::from(self.viewport.rows).max(1);
        let last_top = self.lines.len().saturating_sub(rows);
        self.top = self.top.saturating_add_signed(by).min(last_top);
        let visible = self.cursor.clamp(self.top, self.top + rows - 1);
        if visible != self.cursor {
            self.cursor = visible.min(self.lines.len().saturating_sub(1));
            self.hold_on();
        }
    }

    /// Puts the cursor on a process, if it is in the table.
    pub(crate) fn jump_to(&mut self, id: crate::model::ProcId) {
        if let Some(at) = self.lines.iter().position(|line| line.id == id) {
            self.cursor = at;
            self.hold_on();
            self.keep_cursor_in_view();
        }
    }

    /// Jumps to the typed pid, or to the lowest one that begins with it.
    pub(crate) fn go_to_pid(&mut self) {
        let Mode::GoTo(digits) = &self.mode else { return };
        let pids = || self.lines.iter().map(|line| line.id);
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

    pub(crate) fn sort_by(&mut self, id: &str) {
        let Some(column) = column(id) else { return };
        let descending = if self.view.sort.column.id == id {
            !self.view.sort.descending
        } else {
            column.descending
        };
        // Asking for the order of death again gives it back, whatever was turned round.
        let descending = if id == "badness" { true } else { descending };
        self.view.sort = Sort { column, descending };
        self.arrange();
    }

    /// Who grows most on top, and the column that says so on the screen. Asked again it stays so.
    fn sort_by_growth(&mut self) {
        let Some(column) = column("growth") else { return };
        if !self.columns().iter().any(|shown| shown.id == column.id) {
            self.switched.retain(|(other, _)| other.id != column.id);
            self.switched.push((column, true));
        }
        self.view.sort = Sort { column, descending: true };
        self.arrange();
    }

    fn sort_beside(&mut self, by: isize) {
        let shown = self.columns();
        let now = shown.iter().position(|column| column.id == self.view.sort.column.id);
        let next = now.unwrap_or(0).saturating_add_signed(by).min(shown.len().saturating_sub(1));
        if let Some(column) = shown.get(next) {
            self.view.sort = Sort { column, descending: column.descending };
            self.arrange();
        }
    }

    fn tag(&mut self) {
        if let Some(line) = self.lines.get(self.cursor) {
            let id = line.id;
            if !self.tags.remove(&id) {
                self.tags.insert(id);
            }
            self.move_by(1);
        }
    }

    fn tag_subtree(&mut self) {
        if let (Some(scene), Some(line)) = (&self.scene, self.lines.get(self.cursor)) {
            self.tags.extend(subtree(line.id, scene));
        }
    }

    /// Opens or closes the branch under the cursor; all of them, where nothing is said.
    pub(crate) fn fold(&mut self, close: Option<bool>) {
        if !self.view.tree {
            return self.say(NoticeLevel::Plain, "that opens and closes branches of the tree (t)");
        }
        match close {
            Some(close) => {
                let Some(line) = self.lines.get(self.cursor) else { return };
                if close {
                    self.view.folded.insert(line.id);
                } else {
                    self.view.folded.remove(&line.id);
                }
            }
            None if self.view.folded.is_empty() => {
                let branches = self.lines.iter().filter(|line| line.tree_lines.depth == 0);
                self.view.folded = branches.map(|line| line.id).collect();
            }
            None => self.view.folded.clear(),
        }
        self.arrange();
    }

    fn toggle_follow(&mut self) {
        self.follow = !self.follow;
        self.hold_on();
        let text =
            if self.follow { "the cursor follows its process" } else { "the cursor keeps its row" };
        self.say(NoticeLevel::Plain, text);
    }
}
