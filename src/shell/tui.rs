//! The screen's loop: one inbox, drained before each picture.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crossterm::clipboard::CopyToClipboard;
use crossterm::execute;

use rustix::termios::{QueueSelector, tcflush};

use crate::app::mode::QUIET;
use crate::app::sticky::News;
use crate::app::{App, Level, Msg, Request, Setup, Viewport};
use crate::effects::Effects;
use crate::intent::Intent;
use crate::intent::{Outcome, Refusal};
use crate::model::ProcId;
use crate::report::json;
use crate::sample::root::ProcRoot;
use crate::source::Source;
use crate::ui::Look;
use crate::units::Millis;

use super::cli::Cli;
use super::rules::Watch;
use super::sampler::Sampler;
use super::terminal::{self, Screen};
use super::written::{self, new_file};
use super::{input, rules, signals, slow, sticky};

/// What reaches the loop.
pub(super) enum Event {
    /// Something for the mind.
    Told(Msg),
    /// SIGTSTP.
    Stop,
    /// SIGCONT.
    Continued,
    /// SIGWINCH.
    Resized,
    /// SIGUSR1.
    Dump,
    /// A signal that ends the program.
    End(i32),
    /// The terminal is gone.
    HungUp,
}

/// How often it wakes to let go of rows and messages.
const TICK: Duration = Duration::from_millis(250);
/// At least this long between two pictures, however fast keys come.
const FRAME: Duration = Duration::from_millis(15);

const SIGHUP: i32 = 1;

struct Loop {
    app: App,
    look: Look,
    screen: Screen,
    hands: Box<dyn Effects>,
    sampler: Sampler,
    slow: Option<Sender<Vec<ProcId>>>,
    student: Option<Sender<ProcId>>,
    weigher: Option<Sender<Vec<ProcId>>>,
    rules: Option<Sender<()>>,
    adj_rules: Option<Sender<()>>,
    begun: Instant,
    due: Instant,
    /// What came while a confirmation was waited out.
    ahead: VecDeque<Event>,
}

/// Runs until the user quits; what comes back is the exit status.
///
/// # Errors
/// The terminal or a thread could not be had.
pub(super) fn run(
    cli: &Cli,
    setup: Setup,
    source: Box<dyn Source>,
    hands: Box<dyn Effects>,
    names: Option<[ProcRoot; 3]>,
    watch: Option<Watch>,
    adj_rules: Option<(News, sticky::Watch)>,
) -> Result<u8, String> {
    let (inbox, events) = channel();
    let begun = Instant::now();
    let look = Look { colour: colour(), unicode: !cli.ascii && utf8() };
    terminal::hook_panics();
    signals::start(inbox.clone())?;
    let screen = Screen::take(!cli.no_alt_screen)
        .map_err(|error| format!("the terminal cannot be used: {error}"))?;
    input::start(inbox.clone(), begun)?;
    let sampler = Sampler::start(source, inbox.clone())?;
    let rules = watch.and_then(|watch| rules::start(watch, inbox.clone()));
    let mut app = App::new(setup);
    let adj_rules = adj_rules.and_then(|(news, watch)| {
        app.update(Msg::AdjRules(news));
        sticky::start(watch, inbox.clone())
    });
    let (slow, student, weigher) = match names {
        Some([lines, studies, sizes]) => (
            slow::start(lines, inbox.clone()),
            slow::start_student(studies, inbox.clone()),
            slow::start_weigher(sizes, inbox),
        ),
        None => (None, None, None),
    };
    let mut all = Loop {
        app,
        look,
        screen,
        hands,
        sampler,
        slow,
        student,
        weigher,
        rules,
        adj_rules,
        begun,
        due: begun,
        ahead: VecDeque::new(),
    };
    terminal::test_panic("main");
    match all.turn(&events) {
        Ok(End { status, keep }) => {
            let picture = if keep || (cli.keep_screen && status == 0) {
                all.screen.picture(&all.app, &all.look)
            } else {
                Vec::new()
            };
            drop(all);
            let mut out = io::stdout();
            for line in picture {
                let _ = writeln!(out, "{line}");
            }
            Ok(status)
        }
        // Only the terminal itself fails here, and then nobody is left to read a complaint.
        Err(_) => Ok(128 + SIGHUP as u8),
    }
}

struct End {
    status: u8,
    keep: bool,
}

impl Loop {
    fn turn(&mut self, events: &Receiver<Event>) -> io::Result<End> {
        let mut drawn: Option<Instant> = None;
        let mut changed = true;
        loop {
            let fresh = drawn.is_some_and(|at| at.elapsed() < FRAME);
            if changed && !fresh {
                let viewport = self.screen.draw(&self.app, &self.look)?;
                drawn = Some(Instant::now());
                let first = viewport != self.app.viewport;
                self.app.update(Msg::Drawn(viewport, self.now()));
                // A first picture does not know yet how many rows there are.
                changed = first;
                if first {
                    continue;
                }
            }
            // After the first picture: only then it is known which columns are on the screen.
            let idle = !self.sampler.is_busy() && self.app.lost.is_none();
            if idle && Instant::now() >= self.due {
                let spent = self.app.take_spent();
                self.sampler.look(self.app.needs(), spent);
                for watch in [&self.rules, &self.adj_rules].into_iter().flatten() {
                    let _ = watch.send(());
                }
                self.due = Instant::now() + Duration::from_millis(self.app.setup.delay.0);
            }
            self.ask_for_names();
            let wait = self.wait(changed);
            let mut next = match self.ahead.pop_front() {
                Some(event) => Some(event),
                None => match events.recv_timeout(wait) {
                    Ok(event) => Some(event),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => {
                        return Ok(End { status: 0, keep: false });
                    }
                },
            };
            changed |= next.is_some() || self.app.is_due(self.now());
            while let Some(event) = next {
                if let Some(end) = self.event(event, events)? {
                    return Ok(end);
                }
                next = self.ahead.pop_front().or_else(|| events.try_recv().ok());
            }
            for outcome in self.hands.settle() {
                changed = true;
                self.app.update(Msg::Came(outcome));
            }
            let now = self.now();
            self.app.update(Msg::Tick(now));
        }
    }

    fn now(&self) -> Millis {
        Millis(u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn wait(&self, changed: bool) -> Duration {
        let mut wait = if self.sampler.is_busy() || self.app.lost.is_some() {
            Duration::from_secs(3600)
        } else {
            self.due.saturating_duration_since(Instant::now())
        };
        if self.app.wants_tick() {
            wait = wait.min(TICK);
        }
        if let Some(pace) = self.hands.pace() {
            wait = wait.min(pace);
        }
        if changed {
            wait = wait.min(FRAME);
        }
        wait
    }

    fn ask_for_names(&mut self) {
        let wanted = self.app.wanted_commands();
        if let Some(slow) = self.slow.as_ref().filter(|_| !wanted.is_empty()) {
            let _ = slow.send(wanted);
        }
        let wanted = self.app.wanted_holdings();
        if let Some(weigher) = self.weigher.as_ref().filter(|_| !wanted.is_empty()) {
            let _ = weigher.send(wanted);
        }
        if let Some(student) = &self.student
            && let Some(who) = self.app.wanted_study()
        {
            let _ = student.send(who);
        }
    }

    /// Whether no other key was pressed right behind the one that confirmed: a paste that arrives as if
    /// it were typed begins with any letter. What comes meanwhile is kept.
    fn comes_alone(&mut self, pressed: Millis, events: &Receiver<Event>) -> bool {
        let end = pressed.0.saturating_add(QUIET.0);
        loop {
            let rest = Duration::from_millis(end.saturating_sub(self.now().0));
            let Ok(event) = events.recv_timeout(rest) else { return true };
            let behind = match &event {
                Event::Told(Msg::Key(_, at)) => at.0 < end,
                Event::Told(Msg::Paste(_)) => true,
                _ => false,
            };
            self.ahead.push_back(event);
            if behind {
                return false;
            }
        }
    }

    /// Carries out what a key asked for; its acts only where it came alone.
    fn serve_key(
        &mut self,
        requests: Vec<Request>,
        pressed: Millis,
        events: &Receiver<Event>,
    ) -> io::Result<Option<End>> {
        let acts = requests.iter().any(|request| matches!(request, Request::Act(_)));
        let alone = !acts || self.comes_alone(pressed, events);
        for request in requests {
            match request {
                Request::Act(intent) if !alone => {
                    let refusal = Refusal::Failed {
                        doing: "nothing was done",
                        error: "other keys came right behind the one that confirmed, as in a paste"
                            .to_owned(),
                    };
                    self.app.update(Msg::Came(Outcome::Refused { intent, refusal }));
                }
                request => {
                    if let Some(end) = self.serve(request)? {
                        return Ok(Some(end));
                    }
                }
            }
        }
        Ok(None)
    }

    fn event(&mut self, event: Event, events: &Receiver<Event>) -> io::Result<Option<End>> {
        match event {
            Event::Told(message) => {
                if matches!(message, Msg::Sampled(_) | Msg::Missed(_) | Msg::Lost(_)) {
                    self.sampler.done();
                }
                if let Msg::Key(_, pressed) = message {
                    let requests = self.app.update(message);
                    return self.serve_key(requests, pressed, events);
                }
                for request in self.app.update(message) {
                    if let Some(end) = self.serve(request)? {
                        return Ok(Some(end));
                    }
                }
            }
            Event::Stop => self.stop()?,
            Event::Continued => self.resume()?,
            // Also where the size is the old one again: the terminal may have torn the picture.
            Event::Resized => self.screen.clear()?,
            Event::Dump => self.dump(),
            Event::End(signal) => {
                let status = 128_u8.saturating_add(u8::try_from(signal).unwrap_or(0));
                return Ok(Some(End { status, keep: false }));
            }
            Event::HungUp => {
                return Ok(Some(End { status: 128 + SIGHUP as u8, keep: false }));
            }
        }
        Ok(None)
    }

    fn serve(&mut self, request: Request) -> io::Result<Option<End>> {
        match request {
            Request::Act(intent) => {
                // What rules do is bounded by look: it brings no look of its own.
                let by_hand = !matches!(intent, Intent::KeepAdj { .. });
                let outcome = self.hands.perform(intent);
                self.app.update(Msg::Came(outcome));
                if by_hand {
                    self.due = Instant::now();
                }
            }
            Request::Quit { keep } => return Ok(Some(End { status: 0, keep })),
            Request::Suspend => self.stop()?,
            Request::Redraw => self.screen.clear()?,
            Request::LookNow => self.due = Instant::now(),
            Request::Pace(delay) => {
                self.due = Instant::now() + Duration::from_millis(delay.0);
            }
            Request::Copy(text) => {
                // OSC 52: the terminal puts it on the clipboard, also through ssh.
                execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))?;
            }
            Request::Dump => self.dump(),
            Request::WriteJournal => {
                if let Some(scene) = &self.app.scene {
                    let (level, said) = written::journal(&self.app.journal, scene.machine());
                    self.app.update(Msg::Told(level, said));
                }
            }
            Request::Write { path, text } => {
                let (level, said) = written::write(&path, &text);
                self.app.update(Msg::Told(level, said));
            }
        }
        Ok(None)
    }

    /// Gives the terminal back and stops, as every program does on ^Z. A SIGTSTP to oneself is
    /// dropped in an orphaned process group, a SIGSTOP is not.
    fn stop(&mut self) -> io::Result<()> {
        terminal::restore();
        nix::sys::signal::raise(nix::sys::signal::Signal::SIGSTOP)?;
        self.resume()
    }

    /// Takes the terminal again. What was typed meanwhile was meant for somebody else, and a dialog
    /// that was open has to be seen anew.
    fn resume(&mut self) -> io::Result<()> {
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
        let hidden = Viewport { dialog: false, ..self.app.viewport };
        self.app.update(Msg::Drawn(hidden, self.now()));
        self.screen.enter()
    }

    /// Writes the present look to a new file in the working directory.
    fn dump(&mut self) {
        let told = match self.write_dump() {
            Ok(Some(name)) => Msg::Told(Level::Good, format!("written to {name}")),
            Ok(None) => Msg::Told(Level::Plain, "there was no look yet".to_owned()),
            Err(error) => Msg::Told(Level::Warn, format!("the look could not be written: {error}")),
        };
        self.app.update(told);
    }

    fn write_dump(&self) -> io::Result<Option<String>> {
        let Some(sight) = self.app.sight() else { return Ok(None) };
        let snapshot = sight.scene.now();
        let (name, file) = new_file(&format!("doomtop-{}", snapshot.clock.unix_ms), "jsonl")?;
        let mut out = io::BufWriter::new(file);
        let rows: Vec<u32> = sight.ranking.rows().iter().map(|row| row.at).collect();
        json::write_line(&mut out, &sight, &rows, None)?;
        out.flush()?;
        Ok(Some(name))
    }
}

/// NO_COLOR, when set to anything, switches colours off (no-color.org).
fn colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether the locale's character set is UTF-8, and the terminal can show it.
pub(super) fn utf8() -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    let locale = locale.unwrap_or_default().to_lowercase();
    let term = set("TERM").unwrap_or_default();
    let plain = term == "linux" || term == "dumb" || term.starts_with("vt");
    !plain && (locale.contains("utf-8") || locale.contains("utf8"))
}
