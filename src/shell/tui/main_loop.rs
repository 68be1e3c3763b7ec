//! The main loop: one queue of events, drained before each picture.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::termios::{QueueSelector, tcflush};

use super::drawn_areas::DrawnAreas;
use super::recording::{RecorderReport, ScreenRecorder};
use super::settings::SettingsSaver;
use super::terminal::{self, TerminalScreen};
use super::workers::Workers;
use crate::app::keymap::bindings::Key;
use crate::app::setup::ThemeName;
use crate::app::{App, Msg, NoticeLevel, Viewport};
use crate::effects::Effects;
use crate::effects::own_adj::OwnAdj;
use crate::model::{LogLines, PressureWatch, Snapshot};
use crate::shell::debug_log::{self, LogLevel};
use crate::shell::event::{Event, PointerEvent};
use crate::shell::exit_status::ExitStatus;
use crate::shell::worker::sampler::Sampler;
use crate::ui::paint::theme::palette::{Palette, RoleColour};
use crate::ui::{ColourDepth, Theme};
use crate::units::Millis;

/// Interval at which the loop wakes to expire notices and ended rows.
const TICK: Duration = Duration::from_millis(250);
/// Minimum time between two pictures, however fast keys arrive.
const FRAME: Duration = Duration::from_millis(15);
/// Maximum number of events handled before the next picture: a recording that is being read brings many.
const BATCH: u32 = 256;

/// The terminal is gone: as SIGHUP, which is signal 1.
pub(super) const HUNG_UP: ExitStatus = ExitStatus::Signal(1);

/// A recording that is played.
pub(super) struct PlaybackState {
    /// One `()` for each sample that the player has sent; taken when the sample is handled.
    pub(super) taken: Receiver<()>,
    /// Where playing starts, as it was typed, and in milliseconds since 1970 where it has a date.
    pub(super) at: Option<(Option<i64>, String)>,
}

/// What the terminal can show.
#[derive(Clone, Copy)]
pub(super) struct TerminalGlyphs {
    /// How many colours.
    pub(super) depth: ColourDepth,
    /// Whether it shows glyphs outside ASCII.
    pub(super) unicode: bool,
}

/// How the loop ended.
pub(super) struct Quit {
    pub(super) status: ExitStatus,
    /// Leave the last picture on the terminal.
    pub(super) keep: bool,
    /// Why there is nothing to show, where that is so.
    pub(super) why: Option<String>,
    /// By ^C, which belongs to the command where one is followed.
    pub(super) by_interrupt: bool,
}

impl Quit {
    /// With nothing left on the terminal.
    pub(super) const fn with(status: ExitStatus) -> Self {
        Self { status, keep: false, why: None, by_interrupt: false }
    }
}

/// What the loop joins.
pub(super) struct Parts {
    pub(super) app: App,
    pub(super) glyphs: TerminalGlyphs,
    pub(super) screen: TerminalScreen,
    pub(super) effects: Box<dyn Effects>,
    pub(super) own_adj: Option<Arc<OwnAdj>>,
    pub(super) workers: Workers,
    pub(super) recorder: ScreenRecorder,
    pub(super) playing: Option<PlaybackState>,
    pub(super) saver: SettingsSaver,
    /// Colours that the user chose over those of the themes.
    pub(super) colours: Vec<RoleColour>,
}

/// The state of the loop.
pub(super) struct MainLoop {
    pub(super) app: App,
    glyphs: TerminalGlyphs,
    pub(super) screen: TerminalScreen,
    pub(super) effects: Box<dyn Effects>,
    pub(super) own_adj: Option<Arc<OwnAdj>>,
    pub(super) workers: Workers,
    pub(super) recorder: ScreenRecorder,
    playing: Option<PlaybackState>,
    pub(super) saver: SettingsSaver,
    colours: Vec<RoleColour>,
    /// The palettes with these colours that were used so far.
    palettes: Vec<(ThemeName, &'static Palette)>,
    /// What the last pictures showed where.
    drawn: DrawnAreas,
    paced: bool,
    /// The time that all times of the app are counted from.
    begun: Instant,
    /// When the next sample is due.
    pub(super) due: Instant,
    /// When the last sample was requested.
    sampled: Instant,
    /// Events that arrived while the loop waited for a second key.
    pub(super) deferred: VecDeque<Event>,
    /// What logs told of kills since the last sample was requested.
    log: LogLines,
}

impl MainLoop {
    /// A loop whose first sample is due at once. `paced`: samples are taken at the refresh interval, not as a
    /// pipe brings them.
    pub(super) fn new(parts: Parts, paced: bool, begun: Instant) -> Self {
        let Parts {
            app,
            glyphs,
            screen,
            effects,
            own_adj,
            workers,
            recorder,
            playing,
            saver,
            colours,
        } = parts;
        let (due, sampled, deferred) = (begun, begun, VecDeque::new());
        Self {
            app,
            glyphs,
            screen,
            effects,
            own_adj,
            workers,
            recorder,
            playing,
            saver,
            colours,
            palettes: Vec::new(),
            drawn: DrawnAreas::default(),
            paced,
            begun,
            due,
            sampled,
            deferred,
            log: LogLines::default(),
        }
    }

    /// Runs until the user quits or a signal ends the program.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn run(&mut self, events: &Receiver<Event>) -> io::Result<Quit> {
        let mut drawn: Option<Instant> = None;
        let mut changed = true;
        loop {
            let fresh = drawn.is_some_and(|at| at.elapsed() < FRAME);
            if changed && !fresh {
                changed = self.draw()?;
                drawn = Some(Instant::now());
                if changed {
                    continue;
                }
            }
            self.request_sample();
            self.workers.request_lookups(&mut self.app);
            let next = match self.next_event(changed, events) {
                Ok(next) => next,
                Err(quit) => return Ok(quit),
            };
            changed |= self.app.is_due(self.now());
            // A sample that arrives after a long sleep is judged by the present time.
            self.app.update(Msg::Tick(self.now()));
            if let Some(quit) = self.handle_batch(next, events, &mut changed)? {
                return Ok(quit);
            }
            for outcome in self.effects.settle() {
                changed = true;
                self.app.update(Msg::Outcome(outcome));
            }
            self.app.update(Msg::Tick(self.now()));
            // Pressure or a key may have shortened the refresh interval.
            self.due = self.due.min(self.sampled + Duration::from_millis(self.app.delay().0));
            self.workers.follow_pressure(&self.app);
        }
    }

    /// The theme that the user chose, as far as the terminal can show it.
    fn theme(&mut self) -> Theme {
        let (name, depth) = (self.app.display.theme, self.glyphs.depth);
        let mut theme = Theme::new(name, depth, self.glyphs.unicode);
        if self.colours.is_empty() || name == ThemeName::Mono {
            return theme;
        }
        theme.palette = match self.palettes.iter().find(|(of, _)| *of == name) {
            Some((_, palette)) => palette,
            None => {
                // One for each theme that is chosen: they are few, and stay.
                let palette = Box::leak(Box::new(theme.palette.with(&self.colours, depth)));
                self.palettes.push((name, palette));
                palette
            }
        };
        theme
    }

    /// Draws a picture. Returns whether it has to be drawn again: before the first picture the app does
    /// not know how many rows there are.
    fn draw(&mut self) -> io::Result<bool> {
        let theme = self.theme();
        let viewport = self.screen.draw(&self.app, &theme, self.drawn.next())?;
        self.drawn.since = self.now();
        let is_new = viewport != self.app.display.viewport;
        self.app.update(Msg::Drawn(viewport, self.now()));
        Ok(is_new)
    }

    /// Requests a sample when one is due. Not before the first picture: what a sample must contain depends
    /// on the columns on the screen.
    fn request_sample(&mut self) {
        let idle = self.app.refresh.lost.is_none() && Instant::now() >= self.due;
        let Some(sampler) = self.workers.sampler.as_mut().filter(|it| idle && !it.is_busy()) else {
            return;
        };
        let spent = self.app.take_spent();
        sampler.sample(self.app.needs(), spent, self.log.take());
        self.workers.check_files();
        self.sampled = Instant::now();
        self.due = self.sampled;
        if self.paced {
            self.due += Duration::from_millis(self.app.delay().0);
        }
    }

    /// Time since the start.
    pub(super) fn now(&self) -> Millis {
        Millis(u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// The next event, if there is one before the loop has something else to do; or the end of the loop,
    /// where all threads have ended.
    fn next_event(
        &mut self,
        changed: bool,
        events: &Receiver<Event>,
    ) -> Result<Option<Event>, Quit> {
        let timeout = self.timeout(changed);
        if let Some(event) = self.deferred.pop_front() {
            return Ok(Some(event));
        }
        match events.recv_timeout(timeout) {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Quit::with(ExitStatus::Success)),
        }
    }

    fn timeout(&self, changed: bool) -> Duration {
        let busy = self.workers.sampler.as_ref().is_none_or(Sampler::is_busy);
        let mut timeout = if busy || self.app.refresh.lost.is_some() {
            Duration::from_secs(3600)
        } else {
            self.due.saturating_duration_since(Instant::now())
        };
        if self.app.wants_tick() {
            timeout = timeout.min(TICK);
        }
        if let Some(pace) = self.effects.pace() {
            timeout = timeout.min(pace);
        }
        if changed {
            timeout = timeout.min(FRAME);
        }
        timeout
    }

    /// Handles an event and those that are waiting behind it.
    fn handle_batch(
        &mut self,
        mut next: Option<Event>,
        events: &Receiver<Event>,
        changed: &mut bool,
    ) -> io::Result<Option<Quit>> {
        let mut left = BATCH;
        while let Some(event) = next {
            *changed |= !event.is_quiet();
            if let Some(quit) = self.handle(event, events)? {
                return Ok(Some(quit));
            }
            left -= 1;
            next = match self.deferred.pop_front() {
                None if left > 0 => events.try_recv().ok(),
                deferred => deferred,
            };
        }
        *changed |= self.app.take_headline_change();
        Ok(None)
    }

    fn handle(&mut self, event: Event, events: &Receiver<Event>) -> io::Result<Option<Quit>> {
        match event {
            Event::Message(message) => return self.handle_message(message, events),
            Event::LogLines(lines) => lines.into_iter().for_each(|line| self.log.push(line)),
            Event::Pointer(pointer) => return self.handle_pointer(pointer),
            Event::RecordingRead => {
                self.app.update(Msg::AllPlayed);
                self.go_to_start();
            }
            Event::Suspend => self.suspend()?,
            Event::Continue => self.resume()?,
            // Also where the size is the same as before: the terminal may have damaged the picture.
            Event::Resize => self.screen.clear()?,
            Event::Dump => self.dump(),
            Event::Terminate(signal) => {
                return Ok(Some(Quit::with(ExitStatus::Signal(signal))));
            }
            Event::HalfSequence => terminal::ask_attributes()?,
            Event::HungUp => return Ok(Some(Quit::with(HUNG_UP))),
        }
        Ok(None)
    }

    fn handle_message(
        &mut self,
        mut message: Msg,
        events: &Receiver<Event>,
    ) -> io::Result<Option<Quit>> {
        log_message(&message);
        if let Msg::SourceLost(why) = &message
            && self.app.has_nothing()
        {
            let why = Some(why.clone());
            return Ok(Some(Quit { why, ..Quit::with(ExitStatus::Failure) }));
        }
        let mut after = RecorderReport::default();
        let is_sample = matches!(message, Msg::Sampled(_));
        if let Msg::Sampled(sample) = &mut message {
            self.log_sampler(sample);
            self.app.add_usage_readings(sample);
            self.workers.follow_more_logs(sample);
        }
        match &message {
            Msg::Sampled(_) | Msg::SamplingFailed(_) | Msg::SourceLost(_) => {
                self.workers.sampler.iter_mut().for_each(Sampler::done);
                if let Msg::Sampled(sample) = &message {
                    after = self.recorder.sample(sample, &self.app);
                }
            }
            Msg::Played(_) => {
                if let Some(playing) = &self.playing {
                    let _ = playing.taken.try_recv();
                }
            }
            Msg::Key(key, pressed) => {
                let (by_interrupt, pressed) = (*key == Key::ctrl('c'), *pressed);
                self.drawn.forget();
                let requests = self.app.update(message);
                let quit = self.serve_key(requests, pressed, events)?;
                return Ok(quit.map(|quit| Quit { by_interrupt, ..quit }));
            }
            _ => {}
        }
        for request in self.app.update(message) {
            if let Some(quit) = self.serve(request)? {
                return Ok(Some(quit));
            }
        }
        if is_sample {
            self.workers.follow_usage(&self.app);
        }
        self.recorder.after_sample(after, &mut self.app);
        Ok(None)
    }

    /// Notes in the debug log that the processes are read in another way than before.
    fn log_sampler(&self, sample: &Snapshot) {
        let before = self.app.scene.as_ref().map(|scene| &scene.machine().sampler);
        let now = &sample.machine.sampler;
        if before.is_some_and(|before| before != now) {
            debug_log::warn("sampler", &format!("from now on {now}"));
        }
    }

    /// Resolves where the mouse was to what was drawn there at that time.
    fn handle_pointer(&mut self, pointer: PointerEvent) -> io::Result<Option<Quit>> {
        let target = self.drawn.at(pointer).cloned();
        let message = match (pointer.wheel, target) {
            (Some(lines), target) => Msg::Wheel(target, lines, pointer.at),
            (None, Some(target)) => {
                self.drawn.forget();
                Msg::Click(target, pointer.at)
            }
            (None, None) => return Ok(None),
        };
        for request in self.app.update(message) {
            if let Some(quit) = self.serve(request)? {
                return Ok(Some(quit));
            }
        }
        Ok(None)
    }

    /// Goes to where playing starts (`--at`).
    fn go_to_start(&mut self) {
        let Some((date, at)) = self.playing.as_mut().and_then(|playing| playing.at.take()) else {
            return;
        };
        if self.app.playback.past.newest().is_none() {
            return;
        }
        if let Err(wrong) = self.app.go_to_typed_time(&at, date) {
            drop(self.app.update(Msg::Notice(NoticeLevel::Warn, wrong)));
        }
    }

    /// Gives the terminal back and stops, as other programs do on ^Z. The kernel drops a SIGTSTP in an
    /// orphaned process group, but not a SIGSTOP.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        terminal::restore();
        nix::sys::signal::raise(nix::sys::signal::Signal::SIGSTOP)?;
        self.resume()
    }

    /// Takes the terminal again. What was typed meanwhile was meant for another program, and a dialog that
    /// was open has to be seen again before it takes a key.
    fn resume(&mut self) -> io::Result<()> {
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
        let hidden = Viewport { dialog: false, ..self.app.display.viewport };
        self.app.update(Msg::Drawn(hidden, self.now()));
        self.screen.enter()
    }

    /// The picture as lines of text.
    pub(super) fn picture(&mut self) -> Vec<String> {
        let theme = self.theme();
        self.screen.picture(&self.app, &theme)
    }

    /// The program ends, perhaps before a burst of kills is over.
    pub(super) fn end_recording(&mut self) {
        self.recorder.end_burst(&mut self.app);
    }

    /// Gives the terminal back and lets the threads end. The recorder is to be joined.
    pub(super) fn close(self) -> JoinHandle<()> {
        self.recorder.close()
    }
}

/// Notes in the debug log what a message decides.
fn log_message(message: &Msg) {
    let (level, about, text) = match message {
        Msg::Notice(NoticeLevel::Warn, text) => (LogLevel::Warn, "screen", text.clone()),
        Msg::Notice(_, text) => (LogLevel::Info, "screen", text.clone()),
        Msg::SamplingFailed(why) => (LogLevel::Warn, "sample", format!("failed: {why}")),
        Msg::SourceLost(why) => (LogLevel::Error, "sample", format!("no more: {why}")),
        Msg::PressureWatch(watch, cgroup) => {
            let place = cgroup.as_ref().map_or("the machine", |path| path.as_str());
            let how = match watch {
                PressureWatch::Off => "not watched".to_owned(),
                PressureWatch::Trigger(psi) => format!("a trigger at {psi}"),
                PressureWatch::Reading(psi, why) => format!("read at each {psi}, because {why}"),
                PressureWatch::Unavailable(why) => format!("unavailable: {why}"),
            };
            (LogLevel::Info, "pressure", format!("of {place}: {how}"))
        }
        Msg::Pressure => (LogLevel::Debug, "pressure", "tasks began to wait".to_owned()),
        Msg::Sampled(sample) => {
            if !debug_log::is_on(LogLevel::Debug) {
                return;
            }
            let text = format!("{} processes", sample.processes.len());
            (LogLevel::Debug, "sample", text)
        }
        _ => return,
    };
    debug_log::write(level, about, &text);
}
