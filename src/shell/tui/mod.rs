//! The screen: starts the terminal and the threads, runs the main loop, and gives the terminal back.

mod drawn_areas;
mod main_loop;
mod recording;
mod requests;
mod settings;
mod terminal;
mod workers;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use crate::alarm::{Alarm, Alarms};
use crate::app::adj_rules::reload::RulesUpdate;
use crate::app::setup::{StartOptions, ThemeName};
use crate::app::{ActingMode, App, Msg, NoticeLevel, Setup};
use crate::effects::Effects;
use crate::effects::own_adj::OwnAdj;
use crate::events::LogUpdate;
use crate::model::{Needs, SampleHistory};
use crate::shell::command_error::CommandError;
use crate::shell::event::{Event, Inbox};
use crate::shell::exit_status::ExitStatus;
use crate::shell::worker::adj_rules::AdjRulesWatch;
use crate::shell::worker::alarm_command::AlarmCommands;
use crate::shell::worker::recording_reader;
use crate::shell::worker::recording_reader::Player;
use crate::shell::worker::sampler::Sampler;
use crate::shell::worker::site_rules::SiteRuleWatch;
use crate::shell::worker::{input, signals};
use crate::shell::{date, stdio, thread};
use crate::source::Source;
use crate::syscall::signal_action;
use crate::units::Millis;

use self::main_loop::{MainLoop, Parts, PlaybackState, Quit, TerminalGlyphs};
use self::recording::ScreenRecorder;
pub(crate) use self::settings::ScreenSettings;
use self::settings::SettingsSaver;
pub(crate) use self::terminal::ScreenBuffer;
use self::terminal::TerminalScreen;
pub(crate) use self::workers::LiveTrees;
use self::workers::Workers;

/// Where samples come from.
pub(crate) enum ScreenInput {
    /// The machine: a sample is taken when it is due.
    Live(Box<dyn Source>),
    /// A pipe: samples arrive at the pace of its other side.
    Pipe(Box<dyn Source>),
    /// A recording in a file.
    Recording(Player),
    /// The recording inside the program. It is short: all of it is read at once.
    Demo(Box<dyn Source>),
}

/// How the screen looks and behaves, from the command line.
pub(crate) struct ScreenOptions {
    /// Where the picture is drawn.
    pub(crate) buffer: ScreenBuffer,
    /// Draw with ASCII only.
    pub(crate) ascii: bool,
    /// The theme that the user asked for.
    pub(crate) theme: Option<ThemeName>,
    /// Use the mouse.
    pub(crate) mouse: bool,
    /// Print the last picture at the end.
    pub(crate) keep_picture: bool,
    /// How much of the past is kept, and written around each burst of kills.
    pub(crate) ring: Option<Millis>,
    /// Sample less often while nothing happens.
    pub(crate) relax: bool,
    /// The alarms.
    pub(crate) alarms: Vec<Alarm>,
    /// An alarm rings the bell of the terminal.
    pub(crate) bell: bool,
    /// The commands that alarms run.
    pub(crate) commands: AlarmCommands,
    /// What the settings files say beside the flags.
    pub(crate) settings: ScreenSettings,
    /// Names are redacted: logs are not followed, because they hold names in their sentences.
    pub(crate) redacted: bool,
}

/// Everything that the screen starts from.
pub(crate) struct Screen {
    /// How it looks and behaves.
    pub(crate) options: ScreenOptions,
    /// What the app starts from.
    pub(crate) setup: Setup,
    /// Where samples come from.
    pub(crate) input: ScreenInput,
    /// What carries out confirmed intents.
    pub(crate) effects: Box<dyn Effects>,
    /// What the lookup threads read; `None` for a recording.
    pub(crate) live: Option<LiveTrees>,
    /// The file of the policy.
    pub(crate) site_rules: Option<SiteRuleWatch>,
    /// The file of adj rules, and the rules in it.
    pub(crate) adj_rules: Option<(RulesUpdate, AdjRulesWatch)>,
    /// Reports of a saved log, shown instead of a machine.
    pub(crate) reports: Vec<LogUpdate>,
    /// doomtop's own `oom_score_adj`; `None` where it may change nothing.
    pub(crate) own_adj: Option<Arc<OwnAdj>>,
    /// What is to be said at the start.
    pub(crate) notice: Option<String>,
}

/// How the screen ended.
pub(crate) struct ScreenEnd {
    /// The status of the program.
    pub(crate) status: ExitStatus,
    /// By ^C.
    pub(crate) by_interrupt: bool,
}

/// Maximum memory for the samples kept with `--ring`, in bytes, however long a time is asked for.
const MAX_RING_BYTES: usize = 256 << 20;

/// Runs the screen until the user quits.
///
/// # Errors
/// The terminal or a thread is not available, or the source ended before its first sample.
pub(crate) fn run(start: Screen) -> Result<ScreenEnd, CommandError> {
    let Screen { options, setup, input, effects, live, site_rules, adj_rules, .. } = start;
    let (reports, own_adj, notice) = (start.reports, start.own_adj, start.notice);
    let (inbox, events) = Inbox::new();
    let begun = Instant::now();
    terminal::hook_panics();
    let _signals = signals::start(inbox.clone())?;
    signal_action::run_before_fatal_signals(terminal::restore_in_signal_handler);
    let screen = TerminalScreen::take(options.buffer)
        .map_err(|error| CommandError::failure(format!("cannot use the terminal: {error}")))?;
    input::start(inbox.clone(), begun)?;
    let recorder = ScreenRecorder::start(inbox.clone(), options.ring)?;
    let mut app = App::new(setup);
    let calm = if stdio::colour() { ThemeName::Default } else { ThemeName::Mono };
    app.display.mouse = options.mouse;
    app.display.theme = options.theme.unwrap_or(calm);
    options.settings.apply(&mut app);
    let keep_picture = options.keep_picture;
    let follows_logs = follows_logs(&app.start, options.redacted);
    let commands = options.commands.clone();
    if let Some(span) = options.ring {
        app.playback.past = SampleHistory::new(span, MAX_RING_BYTES);
        app.playback.thorough = true;
    }
    let paced = matches!(input, ScreenInput::Live(_));
    let (sampler, playing) = start_input(input, &mut app, &inbox)?;
    let mut workers = Workers::new(sampler);
    if let Some((update, watch)) = adj_rules {
        app.update(Msg::AdjRules(update));
        workers.watch_adj_rules(watch, &inbox);
    }
    app.begin_with(reports);
    if let Some(notice) = notice {
        app.update(Msg::Notice(NoticeLevel::Warn, notice));
    }
    app.refresh.pace.relax = options.relax;
    app.refresh.alarms = Alarms::new(options.alarms, options.bell, !commands.is_empty());
    if follows_logs {
        workers.follow_logs(&inbox);
    }
    if app.start.live && !commands.is_empty() {
        workers.run_alarms(commands, &inbox);
    }
    if let Some(watch) = site_rules {
        workers.watch_site_rules(watch, &inbox);
    }
    if let Some(trees) = live {
        workers.look_up(trees, &inbox);
    }
    // Only the threads send from here on: the loop ends when the last one has ended.
    drop(inbox);
    let glyphs =
        TerminalGlyphs { depth: stdio::colour_depth(), unicode: !options.ascii && stdio::utf8() };
    if let Some(warning) = options.settings.warnings.first() {
        app.update(Msg::Notice(NoticeLevel::Warn, warning.clone()));
    }
    let saver = SettingsSaver::new(&options.settings, &app);
    let colours = options.settings.colours;
    let parts =
        Parts { app, glyphs, screen, effects, own_adj, workers, recorder, playing, saver, colours };
    let main_loop = MainLoop::new(parts, paced, begun);
    thread::test_panic("main");
    thread::touch_stack();
    finish(main_loop, &events, keep_picture)
}

/// Whether the logs of this machine belong to what the screen shows.
fn follows_logs(setup: &StartOptions, redacted: bool) -> bool {
    let is_own =
        matches!(setup.acting, ActingMode::Free | ActingMode::Rehearsal | ActingMode::ReadOnly);
    setup.live && is_own && !redacted
}

/// Starts what samples come from: a sampler, or a player.
fn start_input(
    input: ScreenInput,
    app: &mut App,
    inbox: &Inbox,
) -> Result<(Option<Sampler>, Option<PlaybackState>), CommandError> {
    match input {
        ScreenInput::Live(source) | ScreenInput::Pipe(source) => {
            Ok((Some(Sampler::start(source, inbox.clone())?), None))
        }
        ScreenInput::Demo(mut source) => {
            while let Ok(sample) = source.sample(&Needs::default(), None) {
                app.update(Msg::Played(sample));
            }
            app.update(Msg::AllPlayed);
            Ok((None, None))
        }
        ScreenInput::Recording(Player { source, progress, speed, at, part }) => {
            app.playback.past = SampleHistory::new(Millis(u64::MAX), recording_reader::MAX_BYTES);
            app.playback.speed = speed;
            let taken = recording_reader::start(source, progress, part, inbox.clone())?;
            let at = at.map(|at| (date::unix_ms(&at), at));
            Ok((None, Some(PlaybackState { taken, at })))
        }
    }
}

/// Runs the main loop and gives the terminal back.
fn finish(
    mut main_loop: MainLoop,
    events: &Receiver<Event>,
    keep_picture: bool,
) -> Result<ScreenEnd, CommandError> {
    let Ok(Quit { status, keep, why, by_interrupt }) = main_loop.run(events) else {
        // Only the terminal itself fails in the loop, and then there is nowhere to report it.
        return Ok(ScreenEnd { status: main_loop::HUNG_UP, by_interrupt: false });
    };
    let keep = keep || (keep_picture && status == ExitStatus::Success);
    let picture = if keep { main_loop.picture() } else { Vec::new() };
    main_loop.end_recording();
    // What is being written is written to its end.
    let _ = main_loop.close().join();
    let mut out = io::stdout();
    for line in picture {
        let _ = writeln!(out, "{line}");
    }
    why.map_or(Ok(ScreenEnd { status, by_interrupt }), |why| Err(CommandError::failure(why)))
}
