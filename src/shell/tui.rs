//! The screen's loop: one inbox, drained before each picture.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crossterm::clipboard::CopyToClipboard;
use crossterm::execute;

use rustix::termios::{QueueSelector, tcflush};

use crate::alarm::Alarms;
use crate::app::adj_rules::update::RulesUpdate;
use crate::app::keymap::press::QUIET;
use crate::app::{ActingMode, App, Msg, NoticeLevel, Request, Setup, Viewport};
use crate::effects::Effects;
use crate::intent::Intent;
use crate::intent::{Outcome, Refusal};
use crate::model::{Needs, ProcId, SampleHistory, Snapshot};
use crate::report::json;
use crate::rows::time::parse_time;
use crate::sample::proc_root::{LiveRoot, ProcRoot};
use crate::source::Source;
use crate::ui::Theme;
use crate::units::Millis;

use super::terminal::{self, TerminalScreen};
use crate::shell::command::cli::Cli;
use crate::shell::command::explain;
use crate::shell::new_file;
use crate::shell::new_file::new_file;
use crate::shell::worker::log_sources::LogSources;
use crate::shell::worker::player;
use crate::shell::worker::player::Player;
use crate::shell::worker::psi_trigger;
use crate::shell::worker::psi_trigger::TriggerWorker;
use crate::shell::worker::recorder;
use crate::shell::worker::recorder::{KillBurst, RecorderOrder, RecorderQueue};
use crate::shell::worker::sampler::Sampler;
use crate::shell::worker::site_rules::FileWatch;
use crate::shell::worker::{adj_rules, alarm_command, input, lookup, signals, site_rules};

/// What reaches the loop.
pub(crate) enum Event {
    /// Something for the mind.
    Told(Msg),
    /// A recording was read to its end.
    AllRead,
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

/// Where looks come from.
pub(crate) enum ScreenInput {
    /// A look is taken when the pace says so.
    Looks(Box<dyn Source>),
    /// Looks come from a pipe, at the pace of the other side.
    Stream(Box<dyn Source>),
    /// A recording is played.
    Film(Player),
}

/// How often it wakes to let go of rows and messages.
const TICK: Duration = Duration::from_millis(250);
/// At least this long between two pictures, however fast keys come.
const FRAME: Duration = Duration::from_millis(15);

/// So many events are taken before the next picture: a recording that is being read brings more and more.
const BATCH: u32 = 256;

/// So many bytes of looks are kept with --ring, however long it is asked to be.
const RING: usize = 256 << 20;

const SIGHUP: i32 = 1;

struct Loop {
    app: App,
    sample: Theme,
    screen: TerminalScreen,
    hands: Box<dyn Effects>,
    /// Nobody, where a recording is played.
    sampler: Option<Sampler>,
    /// Looks come at the pace of another machine.
    stream: bool,
    /// Where a recording is to begin.
    at: Option<String>,
    /// Looks of a recording that are on their way; one is received for each that was taken.
    film: Option<Receiver<()>>,
    tape: Sender<RecorderOrder>,
    /// The looks that wait to be written.
    queue: RecorderQueue,
    /// Kills are watched for, to keep what was before them.
    burst: Option<KillBurst>,
    slow: Option<Sender<Vec<ProcId>>>,
    student: Option<Sender<ProcId>>,
    weigher: Option<Sender<Vec<ProcId>>>,
    rules: Option<Sender<()>>,
    adj_rules: Option<Sender<()>>,
    waker: Option<TriggerWorker>,
    runner: Option<alarm_command::AlarmCommandWorker>,
    ears: Option<LogSources>,
    begun: Instant,
    due: Instant,
    /// When the last look was asked for.
    looked: Instant,
    /// What came while a confirmation was waited out.
    ahead: VecDeque<Event>,
}

/// Runs until the user quits; what comes back is the exit status.
///
/// # Errors
/// The terminal or a thread could not be had.
pub(crate) fn run(
    cli: &Cli,
    setup: Setup,
    feed: ScreenInput,
    hands: Box<dyn Effects>,
    names: Option<([lookup::LookupWorker; 2], [ProcRoot; 2])>,
    watch: Option<FileWatch>,
    adj_rules: Option<(RulesUpdate, adj_rules::RulesFileWatch)>,
) -> Result<u8, String> {
    let reports = explain::on_screen(cli)?;
    let (inbox, events) = channel();
    let begun = Instant::now();
    let sample = Theme { colour: colour(), unicode: !cli.ascii && utf8() };
    terminal::hook_panics();
    signals::start(inbox.clone())?;
    let screen = TerminalScreen::take(!cli.no_alt_screen)
        .map_err(|error| format!("the terminal cannot be used: {error}"))?;
    input::start(inbox.clone(), begun)?;
    let stream = matches!(feed, ScreenInput::Stream(_));
    let (tape, writer) = recorder::start(inbox.clone())?;
    let rules = watch.and_then(|watch| site_rules::start(watch, inbox.clone()));
    let mut app = App::new(setup);
    if let Some(span) = cli.ring {
        app.playback.past = SampleHistory::new(span, RING);
        app.playback.thorough = true;
    }
    let (mut at, mut taken) = (None, None);
    let sampler = match feed {
        ScreenInput::Looks(source) | ScreenInput::Stream(source) => {
            Some(Sampler::start(source, inbox.clone())?)
        }
        ScreenInput::Film(mut film) if cli.demo => {
            // It is short, and there at once.
            while let Ok(sample) = film.source.sample(&Needs::default(), None) {
                app.update(Msg::Played(sample));
            }
            app.update(Msg::AllPlayed);
            None
        }
        ScreenInput::Film(film) => {
            app.playback.past = SampleHistory::new(Millis(u64::MAX), player::ROOM);
            app.playback.speed = film.speed;
            at = film.at;
            taken = Some(player::start(film.source, film.progress, inbox.clone())?);
            None
        }
    };
    let adj_rules = adj_rules.and_then(|(news, watch)| {
        app.update(Msg::AdjRules(news));
        adj_rules::start(watch, inbox.clone())
    });
    app.begin_with(reports);
    // What the logs tell is told with names.
    let real =
        matches!(app.start.acting, ActingMode::Free | ActingMode::Rehearsal | ActingMode::ReadOnly);
    let ears = (app.start.live && real && cli.redact.is_none()).then(|| LogSources::start(&inbox));
    app.refresh.pace.relax = cli.relax;
    app.refresh.alarms = Alarms::new(cli.alarm.clone(), cli.bell, cli.on_alarm.is_some());
    let command = cli.on_alarm.clone().filter(|_| app.start.live);
    let runner = command.and_then(|command| alarm_command::start(command, inbox.clone()));
    let (slow, student, weigher, waker) = match names {
        Some(([lines, studies], [sizes, pressure])) => {
            let live = LiveRoot::prove(pressure).ok();
            let waker = live.and_then(|root| psi_trigger::start(root, inbox.clone()));
            (
                lookup::start(lines, inbox.clone()),
                lookup::start_detail(studies, inbox.clone()),
                lookup::start_breakdowns(sizes, inbox),
                waker,
            )
        }
        None => (None, None, None, None),
    };
    let mut all = Loop {
        app,
        sample,
        screen,
        hands,
        sampler,
        stream,
        at,
        film: taken,
        tape,
        queue: RecorderQueue::default(),
        burst: cli.ring.map(|_| KillBurst::default()),
        slow,
        student,
        weigher,
        rules,
        adj_rules,
        waker,
        runner,
        ears,
        begun,
        due: begun,
        looked: begun,
        ahead: VecDeque::new(),
    };
    terminal::test_panic("main");
    match all.turn(&events) {
        Ok(End { status, keep }) => {
            let picture = if keep || (cli.keep_screen && status == 0) {
                all.screen.picture(&all.app, &all.sample)
            } else {
                Vec::new()
            };
            // The end may come before a burst of kills is over.
            if all.burst.as_mut().is_some_and(KillBurst::end) {
                all.keep_burst();
            }
            drop(all);
            // What is being written is written to its end.
            let _ = writer.join();
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
                let viewport = self.screen.draw(&self.app, &self.sample)?;
                drawn = Some(Instant::now());
                let first = viewport != self.app.display.viewport;
                self.app.update(Msg::Drawn(viewport, self.now()));
                // A first picture does not know yet how many rows there are.
                changed = first;
                if first {
                    continue;
                }
            }
            // After the first picture: only then it is known which columns are on the screen.
            let idle = self.app.refresh.lost.is_none() && Instant::now() >= self.due;
            if let Some(sampler) = self.sampler.as_mut().filter(|it| idle && !it.is_busy()) {
                let spent = self.app.take_spent();
                sampler.sample(self.app.needs(), spent);
                self.ears.iter_mut().for_each(LogSources::sample);
                for watch in [&self.rules, &self.adj_rules].into_iter().flatten() {
                    let _ = watch.send(());
                }
                self.looked = Instant::now();
                self.due = self.looked;
                if !self.stream {
                    self.due += Duration::from_millis(self.app.delay().0);
                }
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
            // A look that comes after a long sleep is judged by the clock of now.
            self.app.update(Msg::Tick(self.now()));
            let mut left = BATCH;
            while let Some(event) = next {
                if let Some(end) = self.event(event, events)? {
                    return Ok(end);
                }
                left -= 1;
                next = match self.ahead.pop_front() {
                    None if left > 0 => events.try_recv().ok(),
                    ahead => ahead,
                };
            }
            for outcome in self.hands.settle() {
                changed = true;
                self.app.update(Msg::Outcome(outcome));
            }
            let now = self.now();
            self.app.update(Msg::Tick(now));
            // Pressure or a key may have made the pace a faster one.
            self.due = self.due.min(self.looked + Duration::from_millis(self.app.delay().0));
            if let Some(waker) = &mut self.waker {
                waker.follow(self.app.pressure_of());
            }
        }
    }

    fn now(&self) -> Millis {
        Millis(u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn wait(&self, changed: bool) -> Duration {
        let busy = self.sampler.as_ref().is_none_or(Sampler::is_busy);
        let mut wait = if busy || self.app.refresh.lost.is_some() {
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
        let wanted = self.app.wanted_command_lines();
        if let Some(slow) = self.slow.as_ref().filter(|_| !wanted.is_empty()) {
            let _ = slow.send(wanted);
        }
        let wanted = self.app.wanted_breakdowns();
        if let Some(weigher) = self.weigher.as_ref().filter(|_| !wanted.is_empty()) {
            let _ = weigher.send(wanted);
        }
        if let Some(student) = &self.student
            && let Some(who) = self.app.wanted_detail()
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
                    self.app.update(Msg::Outcome(Outcome::Refused { intent, refusal }));
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
                if matches!(message, Msg::Sampled(_) | Msg::SamplingFailed(_) | Msg::SourceLost(_))
                    && let Some(sampler) = &mut self.sampler
                {
                    sampler.done();
                }
                let mut over = false;
                if let (Msg::Played(_), Some(film)) = (&message, &self.film) {
                    let _ = film.try_recv();
                }
                let mut said = None;
                if let Msg::Sampled(sample) = &message {
                    if self.app.playback.recording_since().is_some() {
                        let place;
                        (place, said) = self.queue.place();
                        if let Some(place) = place {
                            let sample = Box::new(Snapshot::clone(sample));
                            let users = self.app.names.users();
                            let _ = self.tape.send(RecorderOrder::Look(sample, users, place));
                        }
                    }
                    let kills = sample.traffic.oom_kills.value();
                    over = self.burst.as_mut().is_some_and(|burst| burst.sample(kills));
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
                if over {
                    self.keep_burst();
                }
                if let Some(said) = said {
                    self.app.update(Msg::Notice(NoticeLevel::Warn, said));
                }
            }
            Event::AllRead => {
                self.app.update(Msg::AllPlayed);
                self.begin_there();
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
                let by_hand = !matches!(intent, Intent::SetAdjByRule { .. });
                let outcome = self.hands.perform(intent);
                self.app.update(Msg::Outcome(outcome));
                if by_hand {
                    self.due = Instant::now();
                }
            }
            Request::Quit { keep } => return Ok(Some(End { status: 0, keep })),
            Request::Suspend => self.stop()?,
            Request::Redraw => self.screen.clear()?,
            Request::SampleNow => self.due = Instant::now(),
            Request::Pace(delay) => {
                self.due = Instant::now() + Duration::from_millis(delay.0);
            }
            Request::Copy(text) => {
                // OSC 52: the terminal puts it on the clipboard, also through ssh.
                execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))?;
            }
            Request::Dump => self.dump(),
            Request::Tape(true) => {
                if let Some(tree_lines) = self.tree_lines() {
                    let _ = self.tape.send(RecorderOrder::Begin(tree_lines));
                }
            }
            Request::Tape(false) => drop(self.tape.send(RecorderOrder::End)),
            Request::WritePast => self.write_past(""),
            Request::Bell => terminal::ring()?,
            Request::RunAlarm(rung) => {
                let why = match &self.runner {
                    Some(runner) => runner.run(rung),
                    None => Some(Msg::Notice(
                        NoticeLevel::Warn,
                        "the alarm's command was not run: no thread could be started".to_owned(),
                    )),
                };
                if let Some(why) = why {
                    self.app.update(why);
                }
            }
            Request::WriteJournal => {
                if let Some(scene) = &self.app.scene {
                    let (level, said) =
                        new_file::journal(&self.app.session.journal, scene.machine());
                    self.app.update(Msg::Notice(level, said));
                }
            }
            Request::Write { path, text } => {
                let (level, said) = new_file::write(&path, &text);
                self.app.update(Msg::Notice(level, said));
            }
        }
        Ok(None)
    }

    /// How the name of a recording begins; without a look there is no machine yet.
    fn tree_lines(&mut self) -> Option<String> {
        let newest = self.app.playback.past.newest();
        let newest = newest.and_then(|nth| self.app.playback.past.facts(nth));
        let tree_lines =
            newest.map(|sample| recorder::tree_lines(&sample.machine, sample.clock.unix_ms));
        if tree_lines.is_none() {
            self.app.update(Msg::Notice(NoticeLevel::Plain, "there was no look yet".to_owned()));
            self.app.update(Msg::Recording(false));
        }
        tree_lines
    }

    /// Has all that is kept written to a file.
    fn write_past(&mut self, why: &str) {
        let Some(tree_lines) = self.tree_lines() else { return };
        let past = Box::new(self.app.playback.past.clone());
        let _ = self.tape.send(RecorderOrder::Past(past, tree_lines + why, self.app.names.users()));
    }

    /// A burst of kills is over: what led to it is kept. Bounded, however often that comes.
    fn keep_burst(&mut self) {
        match self.burst.as_ref().map_or(0, |burst| burst.count) {
            count if count < recorder::MOST => self.write_past("-kill"),
            recorder::MOST => {
                let text = "so many kills were written to files that no more are: Alt-w writes one";
                self.app.update(Msg::Notice(NoticeLevel::Warn, text.to_owned()));
            }
            _ => {}
        }
    }

    /// Goes to where the recording was to begin.
    fn begin_there(&mut self) {
        let Some(at) = self.at.take() else { return };
        let past = &self.app.playback.past;
        let newest = past.newest();
        let Some(sample) = newest.and_then(|nth| past.facts(nth)) else { return };
        let clock = sample.clock;
        match parse_time(&at, clock.unix_ms, self.app.start.utc_offset) {
            Ok(ago) => self.app.go_to_time(clock.monotonic_ms.saturating_sub(ago)),
            Err(wrong) => drop(self.app.update(Msg::Notice(NoticeLevel::Warn, wrong))),
        }
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
        let hidden = Viewport { dialog: false, ..self.app.display.viewport };
        self.app.update(Msg::Drawn(hidden, self.now()));
        self.screen.enter()
    }

    /// Writes the present look to a new file in the working directory.
    fn dump(&mut self) {
        let told = match self.write_dump() {
            Ok(Some(name)) => Msg::Notice(NoticeLevel::Good, format!("written to {name}")),
            Ok(None) => Msg::Notice(NoticeLevel::Plain, "there was no look yet".to_owned()),
            Err(error) => {
                Msg::Notice(NoticeLevel::Warn, format!("the look could not be written: {error}"))
            }
        };
        self.app.update(told);
    }

    fn write_dump(&self) -> io::Result<Option<String>> {
        let Some(context) = self.app.context() else { return Ok(None) };
        let snapshot = context.scene.now();
        let (name, file) = new_file(&format!("doomtop-{}", snapshot.clock.unix_ms), "jsonl")?;
        let mut out = io::BufWriter::new(file);
        let rows: Vec<u32> = context.ranking.rows().iter().map(|row| row.at).collect();
        json::write_line(&mut out, &context, &rows, None)?;
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
pub(crate) fn utf8() -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    let locale = locale.unwrap_or_default().to_lowercase();
    let term = set("TERM").unwrap_or_default();
    let plain = term == "linux" || term == "dumb" || term.starts_with("vt");
    !plain && (locale.contains("utf-8") || locale.contains("utf8"))
}
