//! Actions in the table of processes.

use crate::app::dialog::prompt::PromptKind;
use crate::app::keymap::bindings::Action;
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::display::HeaderLevel;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};
use crate::columns::{CommandStyle, column};
use crate::model::ProcId;
use crate::plan::targets::subtree;
use crate::rows::arrange::Sort;
use crate::rows::filter::Filter;

impl App {
    /// Carries out what a key of the table, or a line of the palette, means.
    pub(crate) fn browse(&mut self, action: Action) -> Vec<Request> {
        if let Some(by) = action.step(self.display.viewport.rows) {
            self.table.move_by(by, self.display.viewport.rows);
            return Vec::new();
        }
        if let Some(asked) = self.time_action(action) {
            return asked;
        }
        match action {
            Action::ScrollUp => self.table.scroll_by(-1, self.display.viewport.rows),
            Action::ScrollDown => self.table.scroll_by(1, self.display.viewport.rows),
            Action::ColumnsLeft => self.table.skipped = self.table.skipped.saturating_sub(1),
            Action::ColumnsRight => {
                self.table.skipped = (self.table.skipped + 1).min(self.scrollable())
            }
            Action::ColumnsBegin => self.table.skipped = 0,
            Action::ColumnsEnd => self.table.skipped = self.scrollable(),
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
                self.table.settings.sort.descending = !self.table.settings.sort.descending;
                self.arrange();
            }
            Action::Search => self.open_prompt(PromptKind::Search),
            Action::SearchNext => self.search_on(true),
            Action::SearchPrevious => self.search_on(false),
            Action::Filter => self.open_prompt(PromptKind::Filter),
            Action::UserFilter => self.open_user_menu(),
            Action::Tag => self.tag(),
            Action::Untag => self.table.tags.clear(),
            Action::TagSubtree => self.tag_subtree(),
            Action::CommandLine => {
                self.display.command = Some(match self.command_style() {
                    CommandStyle::Name => CommandStyle::Line,
                    _ => CommandStyle::Name,
                });
            }
            Action::CommandShort => {
                self.display.command = Some(match self.command_style() {
                    CommandStyle::Short => CommandStyle::Line,
                    _ => CommandStyle::Short,
                });
            }
            Action::Tree => {
                self.table.settings.tree = !self.table.settings.tree;
                self.arrange();
            }
            Action::Expand => self.fold(Some(false)),
            Action::Collapse => self.fold(Some(true)),
            Action::ToggleBranch => self.fold(None),
            Action::Follow => self.toggle_follow(),
            Action::Pause if self.playback.is_played() => self.toggle_playing(),
            Action::Pause => {
                self.playback.paused = !self.playback.paused;
                if !self.playback.paused {
                    return vec![Request::SampleNow];
                }
            }
            Action::KernelThreads => {
                self.table.settings.kernel_threads = !self.table.settings.kernel_threads;
                let word = if self.table.settings.kernel_threads { "shown" } else { "hidden" };
                self.say(NoticeLevel::Plain, format!("kernel threads {word}"));
                self.arrange();
            }
            Action::HideSpared => {
                self.table.settings.hide_spared = !self.table.settings.hide_spared;
                let word = if self.table.settings.hide_spared { "hidden" } else { "shown" };
                self.say(NoticeLevel::Plain, format!("those who cannot be chosen are {word}"));
                self.arrange();
            }
            Action::Header => {
                self.display.header = self.display.header.next();
            }
            Action::HeaderOff => {
                self.display.header = match self.display.header {
                    HeaderLevel::Off => HeaderLevel::Full,
                    _ => HeaderLevel::Off,
                };
            }
            Action::Units => {
                self.display.scale = self.display.scale.next();
                self.say(
                    NoticeLevel::Plain,
                    format!("sizes in the table: {}", self.display.scale.word()),
                );
            }
            Action::HeaderUnits => {
                self.display.header_scale = self.display.header_scale.next();
                let word = self.display.header_scale.word();
                self.say(NoticeLevel::Plain, format!("sizes in the header: {word}"));
            }
            Action::Columns => self.open_column_menu(),
            Action::PolicyMenu => self.open_policy_menu(),
            Action::ScopeMenu => self.open_scope_menu(),
            Action::ScopeBack => return self.scope_back(),
            Action::NextView => return self.go_to_screen(self.views.kind.step(1)),
            Action::PreviousView => return self.go_to_screen(self.views.kind.step(-1)),
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
            Action::LookNow if self.playback.paused => {
                self.say(NoticeLevel::Plain, "paused: z goes on");
            }
            Action::LookNow => return vec![Request::SampleNow],
            Action::Redraw => return vec![Request::Redraw],
            Action::Palette => self.open_palette(),
            Action::Copy => self.open_copy_menu(),
            Action::Dump if self.incidents.report.is_some() => {
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
        if self.display.notice.take().is_some() {
        } else if !self.table.search.is_empty() {
            self.table.search = Filter::default();
        } else if !self.table.settings.filter.is_empty() || self.table.settings.user.is_some() {
            self.table.settings.filter = Filter::default();
            self.table.settings.user = None;
            self.arrange();
        } else {
            self.leave_report();
        }
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

    pub(crate) fn sort_by(&mut self, id: &str) {
        let Some(column) = column(id) else { return };
        let descending = if self.table.settings.sort.column.id == id {
            !self.table.settings.sort.descending
        } else {
            column.descending
        };
        // Asking for the order of death again gives it back, whatever was turned round.
        let descending = if id == "badness" { true } else { descending };
        self.table.settings.sort = Sort { column, descending };
        self.arrange();
    }

    /// Who grows most on top, and the column that says so on the screen. Asked again it stays so.
    fn sort_by_growth(&mut self) {
        let Some(column) = column("growth") else { return };
        if !self.columns().iter().any(|shown| shown.id == column.id) {
            self.table.switched.retain(|(other, _)| other.id != column.id);
            self.table.switched.push((column, true));
        }
        self.table.settings.sort = Sort { column, descending: true };
        self.arrange();
    }

    fn sort_beside(&mut self, by: isize) {
        let shown = self.columns();
        let now = shown.iter().position(|column| column.id == self.table.settings.sort.column.id);
        let next = now.unwrap_or(0).saturating_add_signed(by).min(shown.len().saturating_sub(1));
        if let Some(column) = shown.get(next) {
            self.table.settings.sort = Sort { column, descending: column.descending };
            self.arrange();
        }
    }

    fn tag(&mut self) {
        if let Some(line) = self.table.line() {
            let id = line.id;
            if !self.table.tags.remove(&id) {
                self.table.tags.insert(id);
            }
            self.table.move_by(1, self.display.viewport.rows);
        }
    }

    fn tag_subtree(&mut self) {
        if let (Some(scene), Some(line)) = (&self.scene, self.table.line()) {
            self.table.tags.extend(subtree(line.id, scene));
        }
    }

    /// Opens or closes the branch under the cursor; all of them, where nothing is said.
    pub(crate) fn fold(&mut self, close: Option<bool>) {
        if !self.table.settings.tree {
            return self.say(NoticeLevel::Plain, "that opens and closes branches of the tree (t)");
        }
        match close {
            Some(close) => {
                let Some(id) = self.table.line().map(|line| line.id) else { return };
                if close {
                    self.table.settings.folded.insert(id);
                } else {
                    self.table.settings.folded.remove(&id);
                }
            }
            None if self.table.settings.folded.is_empty() => {
                let branches = self.table.lines.iter().filter(|line| line.tree_lines.depth == 0);
                self.table.settings.folded = branches.map(|line| line.id).collect();
            }
            None => self.table.settings.folded.clear(),
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
