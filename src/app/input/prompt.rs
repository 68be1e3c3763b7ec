//! Keys in a prompt: search, filter, delay, time.

use tui_input::InputRequest;

use crate::app::dialog::prompt::{Prompt, PromptKind};
use crate::app::keymap::bindings::{Action, Key, KeyCode};
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};
use crate::rows::filter::Filter;
use crate::rows::size::parse_size;
use crate::rows::time::parse_delay;

impl App {
    pub(crate) fn open_prompt(&mut self, asking: PromptKind) {
        let text = match asking {
            PromptKind::Search => String::new(),
            PromptKind::Filter if self.views.kind == ViewKind::Events => {
                self.views.events.filter.clone()
            }
            PromptKind::Filter => self.table.settings.filter.text().to_owned(),
            PromptKind::Time | PromptKind::Fits => String::new(),
            PromptKind::Delay => format!("{}", self.settings.delay.0 as f64 / 1000.0),
        };
        let origin = self.table.line().map(|line| line.id);
        self.mode = Mode::Prompt(Prompt { asking, input: text.into(), error: None, origin });
    }

    /// Says how a search is started.
    pub(crate) fn say_no_search(&mut self) {
        let key = self.key_name(Action::Search);
        self.say(NoticeLevel::Plain, format!("no search yet: press {key} to start one"));
    }

    /// Goes to the next match; after the last to the first.
    pub(crate) fn search_on(&mut self, forward: bool) {
        if self.table.search.is_empty() {
            return self.say_no_search();
        }
        if !self.find_from(self.table.cursor.at, forward, false) {
            let text = format!("no match for {}", self.table.search.text());
            self.say(NoticeLevel::Plain, text);
        }
    }

    /// Puts the cursor on the next match from a line on (that line too, where `here`). Returns false
    /// where there is none.
    pub(crate) fn find_from(&mut self, from: usize, forward: bool, here: bool) -> bool {
        let count = self.table.lines.len();
        let found = {
            let Some(context) = self.context() else { return false };
            let matches = |&at: &usize| {
                let position = self.table.lines[at].at;
                position
                    .and_then(|position| context.row(position as usize))
                    .is_some_and(|row| self.table.search.shows(&row))
            };
            let skip = usize::from(!here);
            let steps = (skip..count + skip).map(|step| {
                if forward { (from + step) % count } else { (from + count * 2 - step) % count }
            });
            steps.into_iter().find(matches)
        };
        if let Some(at) = found {
            self.table.go_to(at, self.display.viewport.rows);
        }
        found.is_some()
    }

    /// Takes pasted text: it goes into a prompt, a pid goes to its process. It confirms nothing.
    pub(crate) fn paste(&mut self, text: &str) {
        let pid = text.trim();
        let is_pid = !pid.is_empty() && pid.len() <= 7 && pid.bytes().all(|c| c.is_ascii_digit());
        if matches!(self.mode, Mode::Browse | Mode::GoTo(_)) && is_pid {
            self.mode = Mode::GoTo(pid.to_owned());
            self.go_to_pid();
        }
        if let Mode::Prompt(prompt) = &mut self.mode {
            for c in text.chars().filter(|c| !c.is_control()).take(200) {
                prompt.input.handle(InputRequest::InsertChar(c));
            }
            self.prompt_changed();
        }
        self.paste_path(text);
        self.paste_alarm(text);
    }

    pub(crate) fn prompt_key(&mut self, key: Key) -> Vec<Request> {
        let Mode::Prompt(prompt) = &mut self.mode else { return Vec::new() };
        match key.code {
            KeyCode::Esc => {
                let (asking, origin) = (prompt.asking, prompt.origin);
                self.mode = Mode::Browse;
                if self.views.kind == ViewKind::Events {
                    self.narrow_events(asking, "");
                    return Vec::new();
                }
                match asking {
                    PromptKind::Search => {
                        self.table.search = Filter::default();
                        if let Some(id) = origin {
                            self.jump_to(id);
                        }
                    }
                    PromptKind::Filter => {
                        self.table.settings.filter = Filter::default();
                        self.arrange();
                    }
                    PromptKind::Delay | PromptKind::Time | PromptKind::Fits => {}
                }
            }
            KeyCode::Char('c') if key.ctrl => return vec![Request::Quit { keep: false }],
            KeyCode::Char('z') if key.ctrl => return vec![Request::Suspend],
            KeyCode::F(3) if self.views.kind == ViewKind::Events => {
                self.find_event(!key.shift, false);
            }
            KeyCode::F(3) if prompt.asking == PromptKind::Search => {
                let (from, forward) = (self.table.cursor.at, !key.shift);
                self.find_from(from, forward, false);
            }
            KeyCode::Enter => return self.prompt_done(),
            _ => {
                if let Some(request) = line_edit(key) {
                    prompt.input.handle(request);
                    self.prompt_changed();
                }
            }
        }
        Vec::new()
    }

    /// Search and filter apply while they are typed.
    fn prompt_changed(&mut self) {
        let Mode::Prompt(prompt) = &mut self.mode else { return };
        let text = prompt.input.value().to_owned();
        let (asking, origin) = (prompt.asking, prompt.origin);
        if matches!(asking, PromptKind::Delay | PromptKind::Time | PromptKind::Fits) {
            prompt.error = None;
            return;
        }
        if self.views.kind == ViewKind::Events {
            let found = self.narrow_events(asking, &text);
            if let Mode::Prompt(prompt) = &mut self.mode {
                prompt.error = (!found).then(|| "no match".to_owned());
            }
            return;
        }
        match Filter::parse(&text) {
            Err(bad) => prompt.error = Some(bad.what),
            Ok(filter) if asking == PromptKind::Filter => {
                prompt.error = None;
                self.table.settings.filter = filter;
                self.arrange();
            }
            Ok(filter) => {
                self.table.search = filter;
                let begin = origin.and_then(|id| self.table.lines.iter().position(|l| l.id == id));
                let found =
                    self.table.search.is_empty() || self.find_from(begin.unwrap_or(0), true, true);
                if let Mode::Prompt(prompt) = &mut self.mode {
                    prompt.error = (!found).then(|| "no match".to_owned());
                }
            }
        }
    }

    /// Searches or filters the events by these words. Returns false where no line has them.
    fn narrow_events(&mut self, asking: PromptKind, words: &str) -> bool {
        match asking {
            PromptKind::Search => {
                words.clone_into(&mut self.views.events.search);
                words.is_empty() || self.find_event(true, true)
            }
            PromptKind::Filter => {
                words.clone_into(&mut self.views.events.filter);
                self.arrange_events();
                words.is_empty() || !self.event_entries().is_empty()
            }
            PromptKind::Delay | PromptKind::Time | PromptKind::Fits => true,
        }
    }

    fn prompt_done(&mut self) -> Vec<Request> {
        let Mode::Prompt(prompt) = &mut self.mode else { return Vec::new() };
        match prompt.asking {
            PromptKind::Time => return self.time_typed(),
            PromptKind::Fits => return self.size_typed(),
            _ => {}
        }
        if prompt.asking != PromptKind::Delay {
            // The prompt of an invalid filter stays open, so that it can be corrected.
            let is_words = self.views.kind == ViewKind::Events;
            if prompt.asking == PromptKind::Search || prompt.error.is_none() || is_words {
                self.mode = Mode::Browse;
            }
            return Vec::new();
        }
        match parse_delay(prompt.input.value()) {
            Ok(delay) => {
                self.settings.delay = delay;
                self.mode = Mode::Browse;
                vec![Request::Pace(delay)]
            }
            Err(what) => {
                prompt.error = Some(what);
                Vec::new()
            }
        }
    }

    /// Asks how much more memory is needed, beginning with what was typed elsewhere and is no size.
    pub(crate) fn ask_fits_again(&mut self, typed: String) -> Vec<Request> {
        let requests = self.view_action(Action::Fits);
        match &mut self.mode {
            Mode::Prompt(prompt) if prompt.asking == PromptKind::Fits => {
                prompt.input = typed.into();
                self.size_typed()
            }
            _ => requests,
        }
    }

    /// Answers whether so much more memory as was typed would fit.
    fn size_typed(&mut self) -> Vec<Request> {
        let Mode::Prompt(prompt) = &mut self.mode else { return Vec::new() };
        match parse_size(prompt.input.value()) {
            Ok(size) => self.open_fits(size),
            Err(what) => {
                prompt.error = Some(what);
                Vec::new()
            }
        }
    }

    /// Goes to the time that was typed.
    fn time_typed(&mut self) -> Vec<Request> {
        if self.playback.past.newest().is_none() {
            self.mode = Mode::Browse;
            self.say(NoticeLevel::Plain, "there is no sample yet");
            return Vec::new();
        }
        let Mode::Prompt(prompt) = &self.mode else { return Vec::new() };
        let text = prompt.input.value().to_owned();
        match (self.go_to_typed_time(&text, None), &mut self.mode) {
            (Ok(()), _) => self.mode = Mode::Browse,
            (Err(what), Mode::Prompt(prompt)) => prompt.error = Some(what),
            _ => {}
        }
        Vec::new()
    }
}

/// What a key does to a text that is being typed.
pub(crate) fn line_edit(key: Key) -> Option<InputRequest> {
    Some(match key.code {
        KeyCode::Char('u') if key.ctrl => InputRequest::DeleteLine,
        KeyCode::Char('w') if key.ctrl => InputRequest::DeletePrevWord,
        KeyCode::Char('a') if key.ctrl => InputRequest::GoToStart,
        KeyCode::Char('e') if key.ctrl => InputRequest::GoToEnd,
        KeyCode::Char(c) if !key.ctrl && !key.alt => InputRequest::InsertChar(c),
        KeyCode::Backspace => InputRequest::DeletePrevChar,
        KeyCode::Delete => InputRequest::DeleteNextChar,
        KeyCode::Left => InputRequest::GoToPrevChar,
        KeyCode::Right => InputRequest::GoToNextChar,
        KeyCode::Home => InputRequest::GoToStart,
        KeyCode::End => InputRequest::GoToEnd,
        _ => return None,
    })
}
