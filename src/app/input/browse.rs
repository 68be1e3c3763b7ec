//! Keys in the table: moving, ordering, filtering. Nothing here can change the world.

use crate::app::dialog::mode::{KeyPress, Mode, Prompt, PromptKind, ViewKind};
use crate::app::keymap::bindings;
use crate::app::keymap::bindings::{Action, Key, KeyContext};
use crate::app::{App, CursorAnchor, HeaderLevel, NoticeLevel, Request};
use crate::columns::{CommandStyle, column};

use crate::plan::targets::subtree;
use crate::rows::arrange::Sort;

impl App {
    /// Gives a key to whatever has the keys.
    pub(crate) fn key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        match &mut self.mode {
            Mode::GoTo(digits) => {
                if let Some(digit) = key.digit() {
                    if digits.len() < 7 {
                        digits.push(digit);
                    }
                    self.go_to_pid();
                    return Vec::new();
                }
                // Any other key ends the number and keeps its own meaning.
                self.mode = Mode::Browse;
                if key == Key::plain(bindings::KeyCode::Esc) {
                    return Vec::new();
                }
                self.browse_key(key)
            }
            Mode::Browse => self.browse_key(key),
            Mode::Prompt(_) => self.prompt_key(key),
            Mode::Menu(_) => self.menu_key(key),
            Mode::Adjust(_) => self.adjust_key(key, press),
            Mode::Signal(_) => self.signal_key(key, press),
            Mode::Revert(_) => self.revert_key(key, press),
            Mode::Bulk(_) => self.bulk_key(key, press),
            Mode::Journal(_) => self.journal_key(key),
            Mode::Persist(_) => self.persist_key(key, press),
            Mode::Sysctl(_) => self.sysctl_key(key, press),
            Mode::AdjRules(_) => self.adj_rules_key(key),
            Mode::RuleConsent(_) => self.rule_consent_key(key, press),
            Mode::ConfirmSysctl(_) => self.confirm_sysctl_key(key, press),
            Mode::Explain(_)
            | Mode::Help(_)
            | Mode::BulkResult(_)
            | Mode::Incident(_)
            | Mode::Commitments(_) => self.page_key(key),
        }
    }

    /// Where keys are looked up now.
    #[must_use]
    pub fn place(&self) -> KeyContext {
        match &self.mode {
            Mode::Browse | Mode::GoTo(_) | Mode::Prompt(_) => self.home(),
            Mode::Menu(_) => KeyContext::Menu,
            Mode::Adjust(_) => KeyContext::Adjust,
            Mode::Sysctl(_) => KeyContext::Sysctl,
            Mode::AdjRules(_) => KeyContext::AdjRules,
            Mode::RuleConsent(_) => KeyContext::Confirm,
            Mode::Signal(_) | Mode::Revert(_) | Mode::Bulk(_) | Mode::ConfirmSysctl(_) => {
                KeyContext::Confirm
            }
            Mode::Explain(_)
            | Mode::Help(_)
            | Mode::BulkResult(_)
            | Mode::Incident(_)
            | Mode::Commitments(_) => KeyContext::Page,
            Mode::Journal(_) => KeyContext::Journal,
            Mode::Persist(_) => KeyContext::Persist,
        }
    }

    /// The place of the view: where keys are looked up when nothing lies over it.
    #[must_use]
    pub const fn home(&self) -> KeyContext {
        match self.screen {
            ViewKind::Processes => KeyContext::Browse,
            ViewKind::Cgroups => KeyContext::Cgroups,
            ViewKind::Verdicts => KeyContext::Verdicts,
            ViewKind::Memory => KeyContext::Memory,
            ViewKind::Events => KeyContext::Events,
        }
    }

    /// Carries out an action as the view means it.
    pub(crate) fn act_here(&mut self, action: Action) -> Vec<Request> {
        match self.screen {
            ViewKind::Processes => self.browse(action),
            ViewKind::Cgroups => self.group_action(action),
            ViewKind::Verdicts => self.verdict_action(action),
            ViewKind::Memory => self.memory_action(action),
            ViewKind::Events => self.event_action(action),
        }
    }

    fn browse_key(&mut self, key: Key) -> Vec<Request> {
        match self.screen {
            ViewKind::Processes => {}
            ViewKind::Cgroups => return self.group_key(key),
            ViewKind::Verdicts => return self.verdict_key(key),
            ViewKind::Memory => return self.view_key(key),
            ViewKind::Events => return self.event_key(key),
        }
        if let Some(digit) = key.digit() {
            self.mode = Mode::GoTo(digit.to_string());
            self.go_to_pid();
            return Vec::new();
        }
        match bindings::meaning(KeyContext::Browse, key) {
            Some(action) => self.browse(action),
            None => Vec::new(),
        }
    }

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
    fn back(&mut self) {
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
    fn fold(&mut self, close: Option<bool>) {
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

    /// Goes to the next match, round the end.
    fn search_on(&mut self, forward: bool) {
        if self.search.is_empty() {
            return self.say(NoticeLevel::Plain, "nothing is searched for: / begins");
        }
        if !self.find_from(self.cursor, forward, false) {
            let text = format!("no match for {}", self.search.text());
            self.say(NoticeLevel::Plain, text);
        }
    }

    /// Finds a match from a line on (that line too, where `here`), round the end.
    pub(crate) fn find_from(&mut self, from: usize, forward: bool, here: bool) -> bool {
        let count = self.lines.len();
        let found = {
            let Some(context) = self.context() else { return false };
            let matches = |&at: &usize| {
                let position = self.lines[at].at;
                position
                    .and_then(|position| context.row(position as usize))
                    .is_some_and(|row| self.search.shows(&row))
            };
            let skip = usize::from(!here);
            let steps = (skip..count + skip).map(|step| {
                if forward { (from + step) % count } else { (from + count * 2 - step) % count }
            });
            steps.into_iter().find(matches)
        };
        if let Some(at) = found {
            self.cursor = at;
            self.hold_on();
            self.keep_cursor_in_view();
        }
        found.is_some()
    }

    fn open_prompt(&mut self, asking: PromptKind) {
        let text = match asking {
            PromptKind::Search => String::new(),
            PromptKind::Filter => self.view.filter.text().to_owned(),
            PromptKind::Time => String::new(),
            PromptKind::Delay => format!("{}", self.setup.delay.0 as f64 / 1000.0),
        };
        let origin = self.lines.get(self.cursor).map(|line| line.id);
        self.mode = Mode::Prompt(Prompt { asking, input: text.into(), error: None, origin });
    }
}
