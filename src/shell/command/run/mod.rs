//! `doomtop run`: a command in a memory cgroup of its own, followed to its end, and the verdict.

pub mod args;
mod confine;
mod follow;
mod leftovers;
mod monitor;
mod outputs;
mod scope;
pub(crate) mod search;
mod signals;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use self::args::RunArgs;
use self::confine::{Confinement, StartFailure, StartedCommand, executable, shown};
use self::follow::{Followed, SamplingTurn, TestEnding};
use self::leftovers::{LeftBehind, clean_up};
use self::monitor::{LoadMonitor, SharedMonitor};
use self::outputs::{UnusedFiles, VerdictFiles, create, distinct};
use self::signals::PassedSignals;
use super::cli::Cli;
use super::invocation::Invocation;
use super::screen;
use crate::columns::human_size;
use crate::effects::own_adj::adj_for_children;
use crate::effects::proc_dir::ProcDir;
use crate::effects::run_cgroup::RunCgroup;
use crate::intent::CgroupLimits;
use crate::model::{Needs, Scope, Text};
use crate::report::load_test::verdict::{CommandEnd, LoadVerdict, MeasuredBy, TestEnd};
use crate::report::load_test::{LoadSummary, verdict_lines};
use crate::sample::proc_root::LiveRoot;
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::stdio::{self, complain};
use crate::shell::thread;
use crate::shell::worker::recorder::file_stem;
use crate::source::{Recorder, Source};
use crate::units::{Adj, Millis};

/// How the name of a cgroup begins that doomtop makes.
const NAME: &str = "doomtop-run";
/// The value of a process that no OOM killer chooses (`include/uapi/linux/oom.h` `OOM_SCORE_ADJ_MIN`).
const UNKILLABLE: Adj = Adj(-1000);
/// A command that is killed within this time did not get far enough to tell anything.
const START: Millis = Millis(1_000);

/// Whether the command line asks for the screen, and it can be shown.
pub(super) fn has_screen(args: &RunArgs) -> bool {
    !args.no_screen && !args.dry_run && io::stdout().is_terminal() && io::stdin().is_terminal()
}

/// Runs the command.
///
/// # Errors
/// It was not run, and why: status 125, 126 or 127.
pub(crate) fn run(
    args: &RunArgs,
    cli: &Cli,
    invocation: Invocation,
) -> Result<ExitStatus, CommandError> {
    distinct([
        ("--verdict", args.verdict.as_deref()),
        ("--junit", args.junit.as_deref()),
        ("--record", args.record.as_deref()),
        ("--output", args.output.as_deref()),
    ])?;
    load_test(args, cli, invocation).map_err(|error| match error.status {
        ExitStatus::NotExecutable | ExitStatus::NotFound | ExitStatus::Signal(_) => error,
        _ => CommandError { status: ExitStatus::NotRun, ..error },
    })
}

/// The machine that this process runs on.
///
/// # Errors
/// The samples are not those of this machine, or it may not be changed.
pub(super) fn live_root(cli: &Cli, invocation: &Invocation) -> Result<LiveRoot, CommandError> {
    if cli.read_only {
        return Err(CommandError::refused(
            "--read-only forbids making a cgroup and running a command",
        ));
    }
    let elsewhere =
        || CommandError::usage("a command can only be run on this machine, with its own /proc");
    let root = invocation.input.root()?.ok_or_else(elsewhere)?;
    LiveRoot::prove(root).map_err(|_| elsewhere())
}

/// The plan, for `--dry-run`.
fn describe(args: &RunArgs, root: &LiveRoot, name: &str) -> Result<ExitStatus, CommandError> {
    let command: Vec<String> = args.command.iter().map(|it| shown(it)).collect();
    let limits = limit_words(&args.limits());
    stdio::print(&format!(
        "dry run: doomtop {} with {limits}, runs in it: {}\n",
        Confinement::plan(root, name),
        command.join(" ")
    ))?;
    Ok(ExitStatus::Success)
}

fn limit_words(limits: &CgroupLimits) -> String {
    let parts = [
        limits.memory.map(|it| format!("a limit of {}", human_size(it))),
        limits.swap.map(|it| format!("a limit of swap of {}", human_size(it))),
        limits.high.map(|it| format!("throttling above {}", human_size(it))),
        limits.group.then(|| "kills of the whole group".to_owned()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "no limit".to_owned() } else { parts.join(", ") }
}

/// Where the command runs, and why its limits are not in force.
struct Confined {
    place: Confinement,
    limits: CgroupLimits,
    not_enforced: Option<String>,
}

/// Finds where the command can run. Without its limits only where that was asked for.
fn confine(args: &RunArgs, root: &LiveRoot, name: &str) -> Result<Confined, CommandError> {
    let limits = args.limits();
    let found = Confinement::find(root, name, &limits);
    let Confinement::None(why) = found else {
        return Ok(Confined { place: found, limits, not_enforced: None });
    };
    if limits.is_none() || args.limit_optional {
        let limits = CgroupLimits::default();
        // A cgroup without limits tells more than processes do.
        let place = Confinement::find(root, name, &limits);
        let not_enforced = (!args.limits().is_none()).then_some(why);
        return Ok(Confined { place, limits, not_enforced });
    }
    Err(CommandError::failure(format!("the limit cannot be enforced: {why}"))
        .hint("--limit-optional measures without one"))
}

/// Starts the command where that can be done. A scope that the service manager refuses is replaced by a cgroup that
/// doomtop makes.
fn start(
    args: &RunArgs,
    root: &LiveRoot,
    (mut confined, name): (Confined, &str),
    prepare: &dyn Fn(&mut Command),
) -> Result<(StartedCommand, Option<String>), CommandError> {
    let is_scope = matches!(confined.place, Confinement::Scope { .. });
    let first = confined.place.start(root, &confined.limits, &args.command, prepare);
    let why = match first {
        Ok(started) => return Ok((started, confined.not_enforced)),
        Err(StartFailure::NotExecuted(error)) => return Err(not_executed(&args.command, &error)),
        Err(StartFailure::NotConfined(why)) => why,
    };
    let made =
        if is_scope { RunCgroup::create(root, name, &confined.limits) } else { Err(String::new()) };
    let place = match made {
        Ok(made) => Confinement::Own(made),
        Err(also) => {
            let why = if also.is_empty() { why } else { format!("{why}; {also}") };
            if !args.limits().is_none() && !args.limit_optional {
                return Err(CommandError::failure(format!("the limit cannot be enforced: {why}"))
                    .hint("--limit-optional measures without one"));
            }
            confined.not_enforced = (!args.limits().is_none()).then(|| why.clone());
            Confinement::None(why)
        }
    };
    match place.start(root, &confined.limits, &args.command, prepare) {
        Ok(started) => Ok((started, confined.not_enforced)),
        Err(StartFailure::NotExecuted(error)) => Err(not_executed(&args.command, &error)),
        Err(StartFailure::NotConfined(why)) => Err(CommandError::failure(why)),
    }
}

/// The error of a command that cannot be executed, with the status of shells.
pub(super) fn not_executed(command: &[OsString], error: &io::Error) -> CommandError {
    let program = command.first().map(|it| shown(it)).unwrap_or_default();
    if error.kind() == io::ErrorKind::NotFound {
        let is_there = command.first().is_some_and(|it| executable(it).is_ok());
        let why = match error.get_ref() {
            Some(why) => why.to_string(),
            // What the kernel did not find is named in the program (execve(2), ENOENT).
            None if is_there => "the loader that it names is not found".to_owned(),
            None => "command not found".to_owned(),
        };
        CommandError::not_run(ExitStatus::NotFound, format!("{program}: {why}"))
    } else {
        let what = format!("{program}: cannot be executed: {error}");
        CommandError::not_run(ExitStatus::NotExecutable, what)
    }
}

/// The files of a test.
struct TestFiles {
    verdict: VerdictFiles,
    recording: Option<(Text, Recorder<File>)>,
    output: Option<(Text, File)>,
    /// Those that are removed again if the command is not started.
    unused: UnusedFiles,
}

impl TestFiles {
    /// Opens them.
    fn open(args: &RunArgs, stem: &str, with_screen: bool) -> Result<Self, CommandError> {
        let verdict = VerdictFiles::begin(args.verdict.as_deref(), args.junit.as_deref())?;
        let recording = if args.no_record {
            None
        } else {
            match create(args.record.as_deref(), stem, "tape") {
                Ok((name, file)) => Some((name, Recorder::new(file))),
                Err(error) if args.record.is_some() => return Err(error),
                // Nobody asked for it: a working directory that cannot be written is no reason to stop.
                Err(error) => {
                    complain(&format!("no recording: {}", error.lines().join("; ")));
                    None
                }
            }
        };
        let keeps = with_screen || args.output.is_some();
        let output = if keeps { Some(create(args.output.as_deref(), stem, "out")?) } else { None };
        let names = [recording.as_ref().map(|it| &it.0), output.as_ref().map(|it| &it.0)];
        let unused = UnusedFiles::new(names.into_iter().flatten());
        Ok(Self { verdict, recording, output, unused })
    }
}

fn load_test(
    args: &RunArgs,
    cli: &Cli,
    mut invocation: Invocation,
) -> Result<ExitStatus, CommandError> {
    let root = live_root(cli, &invocation)?;
    let name = format!("{NAME}-{}", std::process::id());
    if args.dry_run || cli.dry_run {
        return describe(args, &root, &name);
    }
    if let Some(Err(error)) = args.command.first().map(|it| executable(it)) {
        return Err(not_executed(&args.command, &error));
    }
    let with_screen = has_screen(args);
    // The first sample is taken before the command begins.
    let mut source = std::mem::replace(&mut invocation.input.source, Box::new(NoSource));
    source.learn_users(Arc::new(invocation.input.user_names()));
    let first = super::sampling::only(source.as_mut(), &Needs::everything())?;
    let stem = file_stem(&first.machine, first.clock.unix_ms);
    drop(first);
    let TestFiles { verdict: files, recording, output, unused } =
        TestFiles::open(args, &stem, with_screen)?;
    let signals = PassedSignals::handle(with_screen)?;
    let confined = confine(args, &root, &name)?;
    if args.limits().memory.is_some() && inherited_adj(&root) == Some(UNKILLABLE) {
        complain(
            "the command inherits oom_score_adj -1000, so that nothing kills it at its limit: it waits there. \
             Start doomtop with choom -n 0 --",
        );
    }
    let (recording, recorder) = recording.map_or((None, None), |(name, it)| (Some(name), Some(it)));
    let virtual_path = format!("/{name}");
    let scope = |path: &str| Scope::Memcg(Arc::new(Text::new(path.as_bytes())));
    let before = match &confined.place {
        Confinement::Own(made) => Scope::Memcg(Arc::clone(made.path())),
        _ => scope(&virtual_path),
    };
    let mut monitor = LoadMonitor::new(source, before, recorder);
    monitor.keep_window(args.window);
    monitor.sample(&Needs::everything()).map_err(CommandError::failure)?;
    let prepare = |command: &mut Command| {
        if let Some((_, file)) = &output {
            if with_screen {
                command.stdin(Stdio::null()).process_group(0);
            }
            if let (Ok(out), Ok(err)) = (file.try_clone(), file.try_clone()) {
                command.stdout(out).stderr(err);
            }
        }
    };
    signals.none_so_far("ended before the command began,")?;
    let (mut started, not_enforced) = start(args, &root, (confined, &name), &prepare)?;
    unused.keep();
    let mut ending = TestEnding::new(args, !with_screen);
    let path = started.cgroup.as_ref().map(|it| Arc::clone(it.path()));
    monitor.started(&started, path.as_ref().map(|it| Scope::Memcg(Arc::clone(it))), &virtual_path);
    let monitor = Arc::new(Mutex::new(monitor));
    let turn = SamplingTurn::default();
    let followed = Followed {
        root: &root,
        monitor: &monitor,
        signals: &signals,
        turn: &turn,
        delay: args.delay,
        shows: !args.quiet && with_screen,
    };
    let (end, ran_for) = if with_screen {
        turn.by_screen.store(true, std::sync::atomic::Ordering::Relaxed);
        invocation.input.source = Box::new(SharedMonitor(Arc::clone(&monitor)));
        if let Some(path) = &path {
            invocation.setup.scope = Scope::Memcg(Arc::clone(path));
        }
        invocation.setup.delay = args.delay;
        on_screen(cli, invocation, &followed, (&mut started, &mut ending))
    } else {
        followed.follow(&mut started, &mut ending)
    };
    stdio::progress("");
    let measured = if path.is_some() { MeasuredBy::Cgroup } else { MeasuredBy::Processes };
    let exists = started.cgroup.as_ref().is_none_or(RunCgroup::exists);
    let LeftBehind { processes: left_running, cgroup: left_cgroup } =
        clean_up(&root, started, (args.leave, ending.has_asked()));
    let mut monitor = monitor.lock().unwrap_or_else(PoisonError::into_inner);
    let is_recorded = monitor.end_recording();
    let summary = monitor.summary();
    let lost = || lost_limit(args, exists, end, summary.as_ref()).map(str::to_owned);
    let not_enforced = not_enforced.or_else(lost);
    let mut verdict = LoadVerdict {
        command: args.command.iter().map(|it| Text::new(it.as_bytes())).collect(),
        end,
        ended_by: ending.ended_by(end, ran_for),
        ran_for,
        limits: args.limits(),
        not_enforced,
        measured,
        summary,
        limit_optional: args.limit_optional,
        answers: Vec::new(),
        left_running,
        left_cgroup,
        leaves: args.leave,
        recording: recording.filter(|_| is_recorded),
        output: output.map(|(name, _)| name),
    };
    drop(monitor);
    verdict.answers = args.expect.iter().map(|it| it.answer(&verdict)).collect();
    Ok(report(args, files, &verdict))
}

/// The `oom_score_adj` that a command gets from doomtop.
fn inherited_adj(root: &LiveRoot) -> Option<Adj> {
    let own = || ProcDir::open(root, i32::try_from(std::process::id()).ok()?).ok()?.adj().ok();
    adj_for_children().or_else(own)
}

/// Why the limit that was asked for was not in force to the end.
fn lost_limit(
    args: &RunArgs,
    exists: bool,
    end: CommandEnd,
    summary: Option<&LoadSummary>,
) -> Option<&'static str> {
    let asked = args.limits().memory?;
    // A kill of the whole group takes the scope of the service manager along.
    let is_killed = matches!(end, CommandEnd::Signalled(9) | CommandEnd::Exited(137));
    if !exists && !is_killed {
        return Some("its cgroup was removed while it ran");
    }
    let is_lifted =
        summary.is_some_and(|it| it.samples > 0 && it.limit.is_none_or(|now| now > asked));
    is_lifted.then_some("its limit was raised while it ran")
}

/// Shows the screen while the command runs, and follows it on when the screen is closed. ^C is a key there: it is passed
/// on as the signal that it is elsewhere.
fn on_screen(
    cli: &Cli,
    invocation: Invocation,
    followed: &Followed<'_>,
    (started, ending): (&mut StartedCommand, &mut TestEnding),
) -> (CommandEnd, Millis) {
    std::thread::scope(|threads| {
        let follower = std::thread::Builder::new().name("command".to_owned());
        let follower = follower.spawn_scoped(threads, || {
            thread::test_panic("command");
            let ended = followed.follow(started, ending);
            let mut monitor = followed.monitor.lock().unwrap_or_else(PoisonError::into_inner);
            let code = ended.0.code();
            monitor.set_ended(format!("the command ended with status {code}; q shows the verdict"));
            ended
        });
        match screen::run(cli, invocation, None) {
            Ok(end) if end.by_interrupt => followed.signals.interrupt(),
            Ok(_) => {}
            Err(error) => complain(&error.lines().join("; ")),
        }
        // From here on the other thread takes the samples.
        followed.turn.by_screen.store(false, std::sync::atomic::Ordering::Relaxed);
        let failed = (CommandEnd::Exited(ExitStatus::NotRun.code()), Millis::ZERO);
        follower.map_or(failed, |thread| thread.join().unwrap_or(failed))
    })
}

/// Writes the verdict. Returns the status that the program ends with.
fn report(args: &RunArgs, files: VerdictFiles, verdict: &LoadVerdict) -> ExitStatus {
    if !args.quiet {
        for line in verdict_lines(verdict) {
            let _ = writeln!(io::stderr(), "{}", crate::model::printable(&line));
        }
    }
    if let Some(hint) = start_hint(verdict) {
        complain(&hint);
    }
    let failed = files.write(verdict);
    failed.iter().for_each(|why| complain(why));
    let lost = verdict.lost_limit();
    if let Some(why) = lost {
        complain(&format!("the limit was not in force to the end: {why}"));
    }
    match verdict.end {
        _ if verdict.succeeded() && (!failed.is_empty() || lost.is_some()) => ExitStatus::NotRun,
        _ if verdict.succeeded() && !verdict.is_as_expected() => ExitStatus::NotExpected,
        _ if verdict.succeeded() => ExitStatus::Success,
        CommandEnd::Signalled(signal) => ExitStatus::Signal(signal),
        CommandEnd::Exited(status) => ExitStatus::OfCommand(status),
    }
}

/// What to say of a command that was killed at once.
fn start_hint(verdict: &LoadVerdict) -> Option<String> {
    let limit = verdict.limits.memory.filter(|_| verdict.limit_enforced())?;
    let killed = verdict.end == CommandEnd::Signalled(9) && verdict.ended_by == TestEnd::Command;
    let counted = verdict.summary.as_ref().is_some_and(|it| !it.kills.is_empty());
    (killed && counted && verdict.ran_for < START).then(|| {
        let command = verdict.command.first().map(ToString::to_string).unwrap_or_default();
        let (after, limit) = (verdict.ran_for.seconds(), human_size(limit));
        format!("{command} was killed {after:.1} s after its start: it may need more than {limit} to start")
    })
}

/// In the place of a source that was taken out.
struct NoSource;

impl Source for NoSource {
    fn sample(
        &mut self,
        _: &Needs,
        _: Option<Arc<crate::model::Snapshot>>,
    ) -> Result<Arc<crate::model::Snapshot>, crate::source::SourceError> {
        Err(crate::source::SourceError::End)
    }
}
