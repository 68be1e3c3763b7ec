//! What the app asks of the shell, carried out by the main loop.

use std::io::{self, Write};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use crossterm::clipboard::CopyToClipboard;
use crossterm::execute;

use super::main_loop::{MainLoop, Quit};
use super::terminal;
use crate::app::keymap::press_time::QUIET;
use crate::app::{Msg, NoticeLevel, Request};
use crate::effects::own_adj::{MAX_RESIDENT, OwnProtection, PROTECTED};
use crate::intent::{Intent, Outcome, Refusal};
use crate::kills::KillNews;
use crate::report::json::{self, LineExtras};
use crate::shell::debug_log;
use crate::shell::event::Event;
use crate::shell::exit_status::ExitStatus;
use crate::shell::new_file;
use crate::shell::new_file::new_file;
use crate::units::Millis;

impl MainLoop {
    /// Carries out what a key asked for. Acts are carried out only where no other key follows at once: a
    /// paste that arrives as if it were typed begins with any letter.
    pub(super) fn serve_key(
        &mut self,
        requests: Vec<Request>,
        pressed: Millis,
        events: &Receiver<Event>,
    ) -> io::Result<Option<Quit>> {
        let acts = requests.iter().any(|request| matches!(request, Request::Act(_)));
        let alone = !acts || self.comes_alone(pressed, events);
        for request in requests {
            match request {
                Request::Act(intent) if !alone => {
                    let refusal = Refusal::Failed {
                        doing: "nothing was done",
                        error: "more keys followed the confirming key at once, as in a paste"
                            .to_owned(),
                    };
                    self.app.update(Msg::Outcome(Outcome::Refused { intent, refusal }));
                }
                request => {
                    if let Some(quit) = self.serve(request)? {
                        return Ok(Some(quit));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Whether no other key follows within [`QUIET`]. What arrives meanwhile is handled later.
    fn comes_alone(&mut self, pressed: Millis, events: &Receiver<Event>) -> bool {
        let end = pressed.0.saturating_add(QUIET.0);
        loop {
            let rest = Duration::from_millis(end.saturating_sub(self.now().0));
            let Ok(event) = events.recv_timeout(rest) else { return true };
            let follows = match &event {
                Event::Message(Msg::Key(_, at) | Msg::TerminalInput(at)) => at.0 < end,
                Event::Message(Msg::Paste(_)) => true,
                // What was typed while doomtop was stopped may arrive before the signal that continues it.
                Event::Continue | Event::Suspend => true,
                _ => false,
            };
            self.deferred.push_back(event);
            if follows {
                return false;
            }
        }
    }

    /// Carries out a request. Returns what ends the loop.
    pub(super) fn serve(&mut self, request: Request) -> io::Result<Option<Quit>> {
        let writes = matches!(
            request,
            Request::Dump
                | Request::Tape(true)
                | Request::WritePast
                | Request::WriteJournal
                | Request::Write { .. }
        );
        if let Some(why) = self.saver.forbidden.clone().filter(|_| writes) {
            if matches!(request, Request::Tape(_)) {
                self.app.update(Msg::Recording(false));
            }
            self.app.update(Msg::Notice(NoticeLevel::Warn, why));
            return Ok(None);
        }
        match request {
            Request::Act(intent) => self.act(intent),
            Request::SaveSettings => {
                let (level, text) = self.saver.save(&self.app);
                self.app.update(Msg::Notice(level, text));
            }
            Request::Quit { keep } => {
                return Ok(Some(Quit { keep, ..Quit::with(ExitStatus::Success) }));
            }
            Request::Suspend => self.suspend()?,
            Request::Redraw => self.screen.clear()?,
            Request::SampleNow => self.due = Instant::now(),
            Request::Pace(delay) => {
                self.due = Instant::now() + Duration::from_millis(delay.0);
            }
            Request::Copy(text) => {
                // OSC 52: the terminal puts it on its clipboard, also through ssh.
                execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))?;
            }
            Request::Dump => self.dump(),
            Request::Tape(true) => self.recorder.begin(&mut self.app),
            Request::Tape(false) => self.recorder.end(),
            Request::WritePast => self.recorder.write_history("", &mut self.app),
            Request::ProtectItself => self.protect_itself(),
            Request::Bell => terminal::ring()?,
            Request::RunAlarm(raised) => {
                if let Some(notice) = self.workers.run_alarm(raised) {
                    self.app.update(notice);
                }
            }
            Request::WriteJournal => {
                if let Some(scene) = &self.app.scene {
                    let (level, text) =
                        new_file::journal(&self.app.session.journal, scene.machine());
                    self.app.update(Msg::Notice(level, text));
                }
            }
            Request::Write { path, text } => {
                let (level, text) = new_file::write(&path, &text);
                self.app.update(Msg::Notice(level, text));
            }
        }
        Ok(None)
    }

    fn act(&mut self, intent: Intent) {
        // Adj rules act at each sample: they must not cause the next one.
        let by_hand = !matches!(intent, Intent::SetAdjByRule { .. });
        let outcome = self.effects.perform(intent);
        debug_log::act(&outcome);
        self.app.update(Msg::Outcome(outcome));
        if by_hand {
            self.due = Instant::now();
        }
    }

    /// Lowers doomtop's own adj, and says what came of it.
    fn protect_itself(&mut self) {
        let Some(own_adj) = &self.own_adj else { return };
        let (level, text) = match own_adj.lower() {
            OwnProtection::On(before) => (
                NoticeLevel::Good,
                format!(
                    "doomtop is protected: adj {before} -> {PROTECTED}, restored above {} MiB",
                    MAX_RESIDENT.0 >> 20
                ),
            ),
            OwnProtection::Already(adj) => {
                (NoticeLevel::Plain, format!("doomtop is protected already: its adj is {adj}"))
            }
            OwnProtection::Refused(why) => (NoticeLevel::Warn, why),
        };
        self.app.update(Msg::Notice(level, text));
    }

    /// Writes the newest sample to a new file in the working directory.
    pub(super) fn dump(&mut self) {
        if let Some(why) = self.saver.forbidden.clone() {
            self.app.update(Msg::Notice(NoticeLevel::Warn, why));
            return;
        }
        let (level, text) = match self.write_dump() {
            Ok(Some(name)) => (NoticeLevel::Good, format!("written to {name}")),
            Ok(None) => (NoticeLevel::Plain, "no sample was taken yet".to_owned()),
            Err(error) => (NoticeLevel::Warn, format!("cannot write the sample: {error}")),
        };
        self.app.update(Msg::Notice(level, text));
    }

    fn write_dump(&self) -> io::Result<Option<String>> {
        let Some(context) = self.app.context() else { return Ok(None) };
        let snapshot = context.scene.now();
        let (name, file) = new_file(&format!("doomtop-{}", snapshot.clock.unix_ms), "jsonl")?;
        let mut out = io::BufWriter::new(file);
        let rows: Vec<u32> = context.ranking.rows().iter().map(|row| row.at).collect();
        let since = context.scene.before().map_or(i64::MAX, |before| before.clock.unix_ms);
        let kills = self.app.timeline().between(since, snapshot.clock.unix_ms);
        let kills = kills.iter().filter(|it| it.is_kill()).cloned();
        let kills: Vec<KillNews> = kills.map(KillNews::Kill).collect();
        let deaths = self.app.deaths.clone();
        let extras = LineExtras { verdicts: None, deaths, kills: &kills };
        json::write_line_with(&mut out, &context, &rows, None, extras)?;
        out.flush()?;
        Ok(Some(name))
    }
}
