//! Actions that mean the same in every view: how things are shown, what is opened, and what the shell is
//! asked for.

use crate::app::dialog::prompt::PromptKind;
use crate::app::keymap::bindings::Action;
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::display::HeaderLevel;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};
use crate::columns::CommandStyle;

/// The message about a text for the clipboard.
pub(crate) fn sent(text: &str) -> String {
    format!("sent to the terminal's clipboard: {text}")
}

impl App {
    /// Changes how things are shown, where the action does that.
    pub(crate) fn display_action(&mut self, action: Action) -> bool {
        let style = self.command_style();
        let display = &mut self.display;
        match action {
            Action::CommandLine => {
                display.command = Some(match style {
                    CommandStyle::Name => CommandStyle::Line,
                    _ => CommandStyle::Name,
                });
            }
            Action::CommandShort => {
                display.command = Some(match style {
                    CommandStyle::Short => CommandStyle::Line,
                    _ => CommandStyle::Short,
                });
            }
            Action::Header => display.header = display.header.next(),
            Action::HeaderOff => {
                display.header = match display.header {
                    HeaderLevel::Off => HeaderLevel::Full,
                    _ => HeaderLevel::Off,
                };
            }
            Action::Mouse => {
                display.mouse = !display.mouse;
                let text = if display.mouse {
                    "mouse on: with Shift it selects text"
                } else {
                    "mouse off: it selects text"
                };
                self.say(NoticeLevel::Plain, text);
            }
            Action::Units => {
                display.scale = display.scale.next();
                let text = format!("sizes in the table: {}", display.scale.word());
                self.say(NoticeLevel::Plain, text);
            }
            Action::HeaderUnits => {
                display.header_scale = display.header_scale.next();
                let text = format!("sizes in the header: {}", display.header_scale.word());
                self.say(NoticeLevel::Plain, text);
            }
            _ => return false,
        }
        true
    }

    /// Opens a dialog, a page, a menu or a prompt, where the action does that.
    pub(crate) fn open_action(&mut self, action: Action) -> bool {
        match action {
            Action::Adjust => self.open_adjust(0),
            Action::Protect => self.open_adjust(-50),
            Action::Expose => self.open_adjust(50),
            Action::ProtectFine => self.open_adjust(-10),
            Action::ExposeFine => self.open_adjust(10),
            Action::Sacrifice => self.open_sacrifice(),
            Action::Escalate => self.open_escalation(),
            Action::Revert => self.open_revert(false),
            Action::Redo => self.open_revert(true),
            Action::Sysctls => self.open_sysctls(),
            Action::Explain => match self.struck_under_cursor().map(|row| row.event) {
                Some(kill) => self.explain_kill(kill),
                None => self.mode = Mode::Explain(0),
            },
            Action::Help => self.open_help(),
            Action::Journal => self.open_journal(),
            Action::AlarmsPage => self.open_alarms(),
            Action::Commitments => self.open_commitments(),
            Action::RulesPage => self.open_rules(),
            Action::RulesOff => self.rules_off(),
            Action::WhyReport => self.explain_shown(),
            Action::SignalMenu => self.open_signal_menu(),
            Action::SortMenu => self.open_sort_menu(),
            Action::UserFilter => self.open_user_menu(),
            Action::ThemeMenu => self.open_theme_menu(),
            Action::Columns => self.open_column_menu(),
            Action::PolicyMenu => self.open_policy_menu(),
            Action::ScopeMenu => self.open_scope_menu(),
            Action::Palette => self.open_palette(),
            Action::Copy => self.open_copy_menu(),
            Action::Search => self.open_prompt(PromptKind::Search),
            Action::Filter => self.open_prompt(PromptKind::Filter),
            Action::GoToTime => self.open_prompt(PromptKind::Time),
            Action::Delay => self.open_prompt(PromptKind::Delay),
            Action::Fits => self.open_prompt(PromptKind::Fits),
            _ => return false,
        }
        true
    }

    /// Carries out an action that may ask something of the shell. Any other action does nothing.
    pub(crate) fn request_action(&mut self, action: Action) -> Vec<Request> {
        match action {
            Action::Persist => self.open_persist(),
            Action::ScopeBack => self.scope_back(),
            Action::NextView => self.go_to_view(self.views.kind.step(1)),
            Action::PreviousView => self.go_to_view(self.views.kind.step(-1)),
            Action::ViewProcesses => self.go_to_view(ViewKind::Processes),
            Action::ViewCgroups => self.go_to_view(ViewKind::Cgroups),
            Action::ViewVerdicts => self.go_to_view(ViewKind::Verdicts),
            Action::ViewMemory => self.go_to_view(ViewKind::Memory),
            Action::ViewEvents => self.go_to_view(ViewKind::Events),
            Action::Pause => self.toggle_pause(),
            Action::SampleNow if self.playback.paused => {
                let text = format!("paused: {} resumes", self.key_name(Action::Pause));
                self.only_say(&text)
            }
            Action::SampleNow => vec![Request::SampleNow],
            Action::Redraw => vec![Request::Redraw],
            Action::Dump if self.incidents.report.is_some() => {
                self.only_say("a report is not a sample: its text is in the log")
            }
            Action::Dump => vec![Request::Dump],
            Action::Record => self.toggle_recording(),
            Action::WritePast => self.write_past(),
            Action::ProtectItself => self.protect_itself(),
            Action::Quit => vec![Request::Quit { keep: false }],
            Action::QuitKeep => vec![Request::Quit { keep: true }],
            Action::Suspend => vec![Request::Suspend],
            Action::Threads => {
                self.only_say("threads are not listed: the OOM killer kills whole processes")
            }
            Action::NotVim => self.only_say("j is unused, because k is kill: use the arrow keys"),
            _ => Vec::new(),
        }
    }

    /// Sends a text to the terminal's clipboard, and says so. Whether the terminal takes it cannot be known.
    pub(crate) fn copy(&mut self, text: String) -> Vec<Request> {
        let name = text.clone();
        self.copy_named(text, &name)
    }

    /// The same for a text that is called otherwise in the message.
    pub(crate) fn copy_named(&mut self, text: String, name: &str) -> Vec<Request> {
        self.say(NoticeLevel::Plain, sent(name));
        vec![Request::Copy(text)]
    }

    /// Says something, and asks nothing of the shell.
    fn only_say(&mut self, text: &str) -> Vec<Request> {
        self.say(NoticeLevel::Plain, text);
        Vec::new()
    }
}
