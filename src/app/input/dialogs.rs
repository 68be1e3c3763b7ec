//! Keys in prompts, dialogs and pages. An intent leaves only here, and only by its own
//! confirmation, pressed while the dialog was in view.

use tui_input::InputRequest;

use crate::app::dialog::mode::{KeyPress, Mode, PromptKind};
use crate::app::dialog::signal::ConfirmStep;
use crate::app::keymap::bindings;
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext};
use crate::app::refresh::playback::parse_time;
use crate::app::{App, NoticeLevel, Request};
use crate::intent::{ConfirmedBy, Intent};
use crate::rows::filter::Filter;
use crate::units::Millis;

impl App {
    /// Pasted text goes into a line being typed; over the table a pid is gone to; nothing else.
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
    }

    pub(crate) fn prompt_key(&mut self, key: Key) -> Vec<Request> {
        let Mode::Prompt(prompt) = &mut self.mode else { return Vec::new() };
        match key.code {
            KeyCode::Esc => {
                let (asking, origin) = (prompt.asking, prompt.origin);
                self.mode = Mode::Browse;
                match asking {
                    PromptKind::Search => {
                        self.search = Filter::default();
                        if let Some(id) = origin {
                            self.jump_to(id);
                        }
                    }
                    PromptKind::Filter => {
                        self.view.filter = Filter::default();
                        self.arrange();
                    }
                    PromptKind::Delay | PromptKind::Time => {}
                }
            }
            KeyCode::Char('c') if key.ctrl => return vec![Request::Quit { keep: false }],
            KeyCode::Char('z') if key.ctrl => return vec![Request::Suspend],
            KeyCode::F(3) if prompt.asking == PromptKind::Search => {
                let (from, forward) = (self.cursor, !key.shift);
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

    /// Search and filter follow every letter.
    fn prompt_changed(&mut self) {
        let Mode::Prompt(prompt) = &mut self.mode else { return };
        let text = prompt.input.value().to_owned();
        let (asking, origin) = (prompt.asking, prompt.origin);
        if matches!(asking, PromptKind::Delay | PromptKind::Time) {
            prompt.error = None;
            return;
        }
        match Filter::parse(&text) {
            Err(bad) => prompt.error = Some(bad.what),
            Ok(filter) if asking == PromptKind::Filter => {
                prompt.error = None;
                self.view.filter = filter;
                self.arrange();
            }
            Ok(filter) => {
                self.search = filter;
                let begin = origin.and_then(|id| self.lines.iter().position(|l| l.id == id));
                let found =
                    self.search.is_empty() || self.find_from(begin.unwrap_or(0), true, true);
                if let Mode::Prompt(prompt) = &mut self.mode {
                    prompt.error = (!found).then(|| "no match".to_owned());
                }
            }
        }
    }

    fn prompt_done(&mut self) -> Vec<Request> {
        let Mode::Prompt(prompt) = &mut self.mode else { return Vec::new() };
        if prompt.asking == PromptKind::Time {
            return self.time_typed();
        }
        if prompt.asking != PromptKind::Delay {
            // A broken filter stays open, so that it can be mended.
            if prompt.asking == PromptKind::Search || prompt.error.is_none() {
                self.mode = Mode::Browse;
            }
            return Vec::new();
        }
        match parse_delay(prompt.input.value()) {
            Ok(delay) => {
                self.setup.delay = delay;
                self.mode = Mode::Browse;
                vec![Request::Pace(delay)]
            }
            Err(what) => {
                prompt.error = Some(what);
                Vec::new()
            }
        }
    }

    /// Goes to the time that was typed.
    fn time_typed(&mut self) -> Vec<Request> {
        let newest = self.playback.past.newest().and_then(|nth| self.playback.past.facts(nth));
        let Some(clock) = newest.map(|facts| facts.clock) else {
            self.mode = Mode::Browse;
            self.say(NoticeLevel::Plain, "there was no look yet");
            return Vec::new();
        };
        let Mode::Prompt(prompt) = &mut self.mode else { return Vec::new() };
        match parse_time(prompt.input.value(), clock.unix_ms, self.setup.utc_offset) {
            Ok(ago) => {
                self.mode = Mode::Browse;
                self.go_to_time(clock.monotonic_ms.saturating_sub(ago));
            }
            Err(what) => prompt.error = Some(what),
        }
        Vec::new()
    }

    pub(crate) fn adjust_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let Mode::Adjust(edit) = &mut self.mode else { return Vec::new() };
        match bindings::meaning(KeyContext::Adjust, key) {
            Some(Action::StepDown) => edit.step(-50, -1),
            Some(Action::StepUp) => edit.step(50, 1),
            Some(Action::FineDown) => edit.step(-10, -1),
            Some(Action::FineUp) => edit.step(10, 1),
            Some(Action::Lowest) => edit.step(-10_000, -100),
            Some(Action::Highest) => edit.step(10_000, 100),
            Some(Action::PresetDown) => edit.preset(false),
            Some(Action::PresetUp) => edit.preset(true),
            Some(Action::OtherScale) => edit.other_scale(),
            Some(Action::Reach) => self.next_targets(),
            Some(Action::OutOfFirst) => self.propose(false),
            Some(Action::IntoFirst) => self.propose(true),
            Some(Action::Keep) => return self.persist_edited(),
            Some(Action::Apply) => return self.apply_adjust(press),
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(Action::Back) => {
                self.mode = Mode::Browse;
                self.say(NoticeLevel::Plain, "nothing was changed");
            }
            Some(Action::Quit) => return self.leave_dialog("nothing was changed"),
            _ => match key.code {
                KeyCode::Char(c)
                    if !key.ctrl && !key.alt && (c.is_ascii_digit() || c == '-' || c == '+') =>
                {
                    edit.push(c);
                }
                KeyCode::Backspace | KeyCode::Delete => edit.pop(),
                _ => {}
            },
        }
        self.renew_preview();
        Vec::new()
    }

    fn apply_adjust(&mut self, press: KeyPress) -> Vec<Request> {
        let Mode::Adjust(edit) = &self.mode else { return Vec::new() };
        if !edit.shown.confirms_at(press) {
            return Vec::new();
        }
        let Some(to) = edit.value() else {
            let typed = if edit.typed.is_empty() { "nothing" } else { edit.typed.as_str() };
            let text = format!("{typed} is not {}", edit.complaint());
            self.say(NoticeLevel::Warn, text);
            return Vec::new();
        };
        if edit.is_wide() {
            self.open_bulk_adj(to);
            return Vec::new();
        }
        let (who, name, from) = (edit.who, edit.name.clone(), edit.from);
        self.mode = Mode::Browse;
        if to == from {
            self.say(
                NoticeLevel::Plain,
                format!("{who} {name} has {from} already: nothing was written"),
            );
            return Vec::new();
        }
        vec![Request::Act(Intent::SetAdj { who, name, from, to, revert: false })]
    }

    pub(crate) fn signal_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let Mode::Signal(confirm) = &mut self.mode else { return Vec::new() };
        let meaning = bindings::meaning(KeyContext::Confirm, key);
        // Leaving is always allowed; anything else only with the dialog in view.
        match meaning {
            Some(Action::Back) => {
                self.mode = Mode::Browse;
                self.say(NoticeLevel::Plain, "nothing was signalled");
                return Vec::new();
            }
            Some(Action::Quit) => return self.leave_dialog("nothing was signalled"),
            Some(Action::Suspend) => return vec![Request::Suspend],
            _ if !confirm.shown.was_seen_at(press.at) => return Vec::new(),
            // A typed pid may come as fast as it likes; what confirms comes alone.
            Some(_) if !press.alone => return Vec::new(),
            _ => {}
        }
        let pid = confirm.who.pid;
        match (meaning, &mut confirm.ladder) {
            (Some(Action::SwapSignal), _) if confirm.sacrifice => confirm.swap(),
            (Some(Action::WithSharers), _) => self.open_with_sharers(),
            (Some(Action::Retarget), _) if confirm.sacrifice => self.retarget(),
            (Some(Action::Yes), ConfirmStep::Yes) => {
                let intent = confirm.intent(ConfirmedBy::Plain);
                self.mode = Mode::Browse;
                return vec![Request::Act(intent)];
            }
            (Some(Action::Apply), ConfirmStep::TypePid { typed, .. })
                if typed.parse() == Ok(pid) =>
            {
                let intent = confirm.intent(ConfirmedBy::TypedPid);
                self.mode = Mode::Browse;
                return vec![Request::Act(intent)];
            }
            (Some(Action::Apply), ConfirmStep::TypePid { typed, .. }) => {
                let text = format!("{typed} is not its pid: type {pid}");
                typed.clear();
                self.say(NoticeLevel::Warn, text);
            }
            (None, ConfirmStep::TypePid { typed, .. }) => match key {
                _ if key.digit().is_some() && typed.len() < 10 => typed.extend(key.digit()),
                Key { code: KeyCode::Backspace, .. } => {
                    typed.pop();
                }
                _ => {}
            },
            _ => {}
        }
        Vec::new()
    }

    pub(crate) fn revert_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let Mode::Revert(revert) = &self.mode else { return Vec::new() };
        let home = revert.journal.map_or(Mode::Browse, Mode::Journal);
        match bindings::meaning(KeyContext::Confirm, key) {
            Some(Action::Back) => {
                self.mode = home;
                self.say(NoticeLevel::Plain, "nothing was changed");
            }
            Some(Action::Quit) => return self.leave_dialog("nothing was changed"),
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(Action::Apply) if revert.shown.confirms_at(press) => {
                let intent = Intent::SetAdj {
                    who: revert.who,
                    name: revert.name.clone(),
                    from: revert.from,
                    to: revert.to,
                    revert: !revert.again,
                };
                self.mode = home;
                return vec![Request::Act(intent)];
            }
            _ => {}
        }
        Vec::new()
    }

    pub(crate) fn bulk_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let page = self.viewport.page;
        let Mode::Bulk(several) = &mut self.mode else { return Vec::new() };
        let meaning = bindings::meaning(KeyContext::Confirm, key);
        match meaning {
            Some(Action::Back) => {
                self.mode = Mode::Browse;
                self.say(NoticeLevel::Plain, "nothing was done");
            }
            Some(Action::Quit) => return self.leave_dialog("nothing was done"),
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(action) if action.step(page).is_some() => {
                several.scroll(action.step(page).unwrap_or_default(), page);
            }
            _ if !several.shown.was_seen_at(press.at) => {}
            Some(Action::Apply) if press.alone && several.unseen() > 0 => {
                let text = format!("{} more are below: Down shows them", several.unseen());
                self.say(NoticeLevel::Warn, text);
            }
            Some(Action::Apply) if press.alone && several.is_agreed() => {
                let (title, intents) = (several.title.clone(), several.intents().collect());
                return self.begin_bulk(title, intents);
            }
            Some(Action::Apply) if press.alone => {
                let text = format!("that is not the count: type {}", several.touched());
                self.say(NoticeLevel::Warn, text);
            }
            None => match key {
                Key { code: KeyCode::Backspace, .. } => several.pop(),
                _ => key.digit().into_iter().for_each(|digit| several.push(digit)),
            },
            _ => {}
        }
        Vec::new()
    }

    /// ^C or F10 in a dialog closes it; the second one quits.
    pub(crate) fn leave_dialog(&mut self, what: &str) -> Vec<Request> {
        self.mode = Mode::Browse;
        self.say(NoticeLevel::Plain, format!("{what}; once more quits"));
        Vec::new()
    }

    pub(crate) fn page_key(&mut self, key: Key) -> Vec<Request> {
        let lines = self.viewport.page_lines.saturating_sub(self.viewport.page);
        let page = self.viewport.page.max(2) - 1;
        let at = match &mut self.mode {
            Mode::Explain(at) | Mode::Help(at) | Mode::BulkResult(at) | Mode::Commitments(at) => at,
            Mode::Incident(page) => &mut page.scroll,
            _ => return Vec::new(),
        };
        match bindings::meaning(KeyContext::Page, key) {
            Some(Action::Up) => *at = at.saturating_sub(1),
            Some(Action::Down) => *at = (*at + 1).min(lines),
            Some(Action::PageUp) => *at = at.saturating_sub(page),
            Some(Action::PageDown) => *at = at.saturating_add(page).min(lines),
            Some(Action::First) => *at = 0,
            Some(Action::Last) => *at = lines,
            Some(Action::Back) => self.mode = Mode::Browse,
            Some(Action::Quit) => return vec![Request::Quit { keep: false }],
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(Action::Journal) => self.open_journal(),
            Some(Action::Revert) => self.open_revert(false),
            Some(Action::Escalate) => {
                self.mode = Mode::Browse;
                self.open_escalation();
            }
            Some(Action::Sacrifice) if matches!(self.mode, Mode::Explain(_)) => {
                self.mode = Mode::Browse;
                self.open_sacrifice_of_one();
            }
            // The acts of the explained process are those of the table.
            Some(action) if matches!(self.mode, Mode::Explain(_)) => {
                self.mode = Mode::Browse;
                return self.browse(action);
            }
            _ => {}
        }
        Vec::new()
    }
}

/// What a key does to a line being typed.
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

/// Seconds between refreshes, as typed or given with `-d`.
///
/// # Errors
/// What it should have been, in one line.
pub fn parse_delay(text: &str) -> Result<Millis, String> {
    let wanted = || format!("{text:?} is no delay: seconds from 0.1 to 3600");
    let seconds: f64 = text.trim().parse().map_err(|_| wanted())?;
    if (0.1..=3600.0).contains(&seconds) {
        Ok(Millis((seconds * 1000.0).round() as u64))
    } else {
        Err(wanted())
    }
}
