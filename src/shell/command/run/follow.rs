//! Follows a command without a screen until it has ended: samples, signals, and the times that end it.

use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus as ChildStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::libc::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::args::{RunArgs, Until};
use super::confine::StartedCommand;
use super::monitor::LoadMonitor;
use super::signals::{PassedSignals, reached_command};
use crate::effects::run_cgroup::EndSignal;
use crate::effects::run_process::RunProcess;
use crate::model::Needs;
use crate::report::load_test::verdict::{CommandEnd, TestEnd};
use crate::sample::proc_root::LiveRoot;
use crate::shell::stdio::{self, complain};
use crate::units::{Bytes, Millis};

/// Time between SIGTERM and SIGKILL.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// Maximum time until an end or a signal is noticed where the kernel has no pidfds (before 5.3).
const RESPONSE: Duration = Duration::from_millis(50);

/// Signals that ask a program to end.
const ASKING: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];
/// The command is killed at so many of them.
const MOST_ASKED: u32 = 3;

/// What ends a command, and how far that is.
pub(super) struct TestEnding {
    until: Option<Until>,
    kill_after: Option<Duration>,
    tolerance: Bytes,
    window: Millis,
    begun: Instant,
    /// What ended the test, and when SIGTERM was sent.
    asked: Option<(TestEnd, Instant)>,
    killed: bool,
    /// The last signal to doomtop that was passed on to the command, and when.
    passed: Option<(i32, Instant)>,
    /// Number of signals that asked the command to end.
    asked_times: u32,
    /// Whether ^C reaches the command without doomtop.
    shares_terminal: bool,
}

impl TestEnding {
    /// The command has just begun.
    pub(super) fn new(args: &RunArgs, shares_terminal: bool) -> Self {
        Self {
            until: args.until,
            kill_after: args.kill_after.map(|time| Duration::from_millis(time.0)),
            tolerance: args.tolerance,
            window: args.window,
            begun: Instant::now(),
            asked: None,
            killed: false,
            passed: None,
            asked_times: 0,
            shares_terminal,
        }
    }

    /// For how long the command has run.
    pub(super) fn ran_for(&self) -> Millis {
        Millis(u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// What ended the test, where the command ended so after this time.
    pub(super) fn ended_by(&self, end: CommandEnd, ran_for: Millis) -> TestEnd {
        let ended = self.begun + Duration::from_millis(ran_for.0);
        match (self.asked, self.passed) {
            (Some((why, _)), _) => why,
            (None, Some((signal, at))) => {
                let by_it =
                    end == CommandEnd::Signalled(signal) || end.code() == 128 | signal as u8;
                let asks = ASKING.contains(&signal);
                let soon = ended.saturating_duration_since(at) <= GRACE;
                if by_it || asks && soon { TestEnd::Signal(signal) } else { TestEnd::Command }
            }
            (None, None) => TestEnd::Command,
        }
    }

    /// Whether all processes of the command were asked to end.
    pub(super) const fn has_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Whether the test is to end now, by what the samples tell.
    fn is_due(&self, monitor: &LoadMonitor) -> Option<TestEnd> {
        let passed = self.begun.elapsed();
        if self.kill_after.is_some_and(|after| passed >= after) {
            return Some(TestEnd::KillAfter);
        }
        let due = match self.until? {
            Until::Time(time) => passed >= Duration::from_millis(time.0),
            Until::Killed => monitor.summary().is_some_and(|it| !it.kills.is_empty()),
            Until::Stable => is_stable(monitor.recent_sizes(), self.tolerance, self.window),
        };
        due.then_some(TestEnd::Until)
    }

    /// Ends the command where that is due: SIGTERM first, SIGKILL after five seconds.
    pub(super) fn act(&mut self, root: &LiveRoot, started: &StartedCommand, monitor: &LoadMonitor) {
        match self.asked {
            None => {
                let Some(why) = self.is_due(monitor) else { return };
                self.asked = Some((why, Instant::now()));
                started.end(root, EndSignal::Term);
            }
            Some((_, since)) if !self.killed && since.elapsed() >= GRACE => {
                self.killed = true;
                started.end(root, EndSignal::Kill);
            }
            Some(_) => {}
        }
    }

    /// Passes signals on to the command, unless it has ended. The third that asks it to end kills it: it ignores them.
    pub(super) fn pass_on(
        &mut self,
        root: &LiveRoot,
        signals: &PassedSignals,
        started: &StartedCommand,
        has_ended: bool,
    ) {
        for number in signals.take() {
            self.passed = Some((number, Instant::now()));
            if has_ended {
                continue;
            }
            self.asked_times += u32::from(ASKING.contains(&number));
            if self.asked_times >= MOST_ASKED {
                started.end(root, EndSignal::Kill);
            } else if !(self.shares_terminal && reached_command(number)) {
                started.signal(number);
            }
        }
    }

    /// The time at which something is to be done next.
    fn next(&self) -> Option<Instant> {
        let at = |time: Duration| self.begun.checked_add(time);
        let until = match self.until {
            Some(Until::Time(time)) => at(Duration::from_millis(time.0)),
            _ => None,
        };
        let grace = self.asked.filter(|_| !self.killed).map(|(_, since)| since + GRACE);
        let waits = self.asked.is_none();
        let times =
            [self.kill_after.and_then(at).filter(|_| waits), until.filter(|_| waits), grace];
        times.into_iter().flatten().min()
    }
}

/// Whether memory grew by less than the tolerance (bytes a minute) over the window: the median of its last third is
/// compared with that of its first.
fn is_stable(sizes: &[(Millis, Bytes)], tolerance: Bytes, window: Millis) -> bool {
    let (Some(first), Some(last)) = (sizes.first(), sizes.last()) else { return false };
    if last.0.saturating_sub(first.0) < window {
        return false;
    }
    let part = |from: u64, to: u64| {
        let age = |it: &&(Millis, Bytes)| last.0.saturating_sub(it.0).0 * 3 / window.0.max(1);
        let mut part: Vec<u64> =
            sizes.iter().filter(|it| (from..=to).contains(&age(it))).map(|it| it.1.0).collect();
        part.sort_unstable();
        part.get(part.len() / 2).copied()
    };
    // Where samples are rarer than thirds, the oldest is compared.
    let Some((now, then)) = part(0, 0).zip(part(2, 2).or(Some(first.1.0))) else { return false };
    let grown = now.saturating_sub(then) as f64;
    let minutes = window.0 as f64 * 2.0 / 3.0 / 60_000.0;
    grown <= tolerance.0 as f64 * minutes
}

/// How a child ended.
pub(super) fn end_of(status: ChildStatus) -> CommandEnd {
    match (status.code(), status.signal()) {
        (Some(code), _) => CommandEnd::Exited(u8::try_from(code).unwrap_or(u8::MAX)),
        (None, Some(signal)) => CommandEnd::Signalled(signal),
        (None, None) => CommandEnd::Exited(u8::MAX),
    }
}

/// Who takes the samples while the command runs.
#[derive(Default)]
pub(super) struct SamplingTurn {
    /// The screen does.
    pub(super) by_screen: AtomicBool,
}

/// A command that is followed, and with what.
pub(super) struct Followed<'a> {
    pub(super) root: &'a LiveRoot,
    pub(super) monitor: &'a Mutex<LoadMonitor>,
    pub(super) signals: &'a PassedSignals,
    pub(super) turn: &'a SamplingTurn,
    /// Time between samples.
    pub(super) delay: Millis,
    /// Whether the progress is shown.
    pub(super) shows: bool,
}

impl Followed<'_> {
    fn monitor(&self) -> MutexGuard<'_, LoadMonitor> {
        self.monitor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes samples until the command has ended, and the last ones after that. Returns how it ended, and for how
    /// long it ran.
    pub(super) fn follow(
        &self,
        started: &mut StartedCommand,
        ending: &mut TestEnding,
    ) -> (CommandEnd, Millis) {
        let delay = Duration::from_millis(self.delay.0);
        let mut due = Instant::now();
        loop {
            let ended = match started.child.try_wait() {
                Ok(status) => status.map(end_of),
                Err(error) => {
                    complain(&format!("the status of the command is not known: {error}"));
                    Some(CommandEnd::Exited(u8::MAX))
                }
            };
            // After the status: ^C reaches the command as soon as doomtop, and ends it.
            ending.pass_on(self.root, self.signals, started, ended.is_some());
            if let Some(end) = ended {
                let ran_for = ending.ran_for();
                let is_killed = matches!(end, CommandEnd::Signalled(9) | CommandEnd::Exited(137));
                self.monitor().finish(is_killed);
                return (end, ran_for);
            }
            if Instant::now() >= due {
                self.sample(ending);
                started.reap();
                due = (due + delay).max(Instant::now());
            }
            ending.act(self.root, started, &self.monitor());
            let exit = started.process.as_ref().and_then(RunProcess::exit);
            wait(exit, self.signals, ending.next().map_or(due, |next| next.min(due)));
        }
    }

    fn sample(&self, ending: &TestEnding) {
        if self.turn.by_screen.load(Ordering::Relaxed) {
            return;
        }
        let mut monitor = self.monitor();
        if monitor.sample(&Needs::everything()).is_ok() && self.shows {
            stdio::progress(&progress(&monitor, ending));
        }
    }
}

/// Waits until then, until the command ends, or until a signal arrives.
fn wait(exit: Option<&OwnedFd>, signals: &PassedSignals, until: Instant) {
    let rest = until.saturating_duration_since(Instant::now());
    let Some(exit) = exit else { return std::thread::sleep(rest.min(RESPONSE)) };
    let rest = Timespec {
        tv_sec: i64::try_from(rest.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: rest.subsec_nanos().into(),
    };
    let arrival = signals.arrival();
    let ends = PollFd::new(exit, PollFlags::IN);
    let _ = poll(&mut [ends, PollFd::from_borrowed_fd(arrival, PollFlags::IN)], Some(&rest));
}

/// How far the test is, in one line.
fn progress(monitor: &LoadMonitor, ending: &TestEnding) -> String {
    let now = monitor.summariser().needed_now().map(crate::columns::human_size);
    let time = crate::columns::span_of(ending.ran_for().0 / 1000);
    let size = now.unwrap_or_else(|| "memory not known".to_owned());
    format!("doomtop run: {time}, {size} that cannot be reclaimed")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Reading, Scope, Snapshot};
    use crate::report::load_test::LoadSummariser;
    use crate::units::Kib;

    fn sizes(of: impl Fn(u64) -> u64) -> Vec<(Millis, Bytes)> {
        (0..100).map(|nth| (Millis(nth * 500), Bytes(of(nth) << 10))).collect()
    }

    #[test]
    fn a_signal_that_arrives_before_the_wait_ends_it() {
        use nix::sys::signal::{Signal, raise};
        let signals = PassedSignals::handle_these(std::iter::once(nix::libc::SIGUSR2));
        let signals = signals.expect("a handler");
        let (never, _kept) = std::os::unix::net::UnixStream::pair().expect("a pair");
        let never = OwnedFd::from(never);
        let begun = Instant::now();
        for _ in 0..2 {
            raise(Signal::SIGUSR2).expect("to ourselves");
            wait(Some(&never), &signals, begun + Duration::from_secs(20));
            assert_eq!(signals.take(), [nix::libc::SIGUSR2]);
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it was not waited for");
        assert!(signals.take().is_empty(), "each is passed on once");
    }

    #[test]
    fn memory_is_stable_after_an_hour_too() {
        let window = Millis(30_000);
        let mut summariser = LoadSummariser::new(Scope::Global);
        summariser.keep_window(window);
        for nth in 0..7200_u64 {
            let mut sample = Snapshot::default();
            sample.clock.monotonic_ms = Millis(nth * 500);
            sample.memory.total_kib = Kib(16 << 20);
            sample.memory.free_kib = Kib(10 << 20);
            sample.memory.available_kib = Reading::Value(Kib(12 << 20));
            summariser.take(Arc::new(sample));
        }
        assert!(is_stable(summariser.recent_sizes(), Bytes(1 << 20), window));
        assert!(summariser.sizes().len() < 240, "the whole test is thinned out");
    }

    #[test]
    fn a_signal_ended_the_test_only_if_the_command_ended_by_it_or_soon_after() {
        let now = Instant::now();
        let ending = |passed: Option<(i32, u64)>| TestEnding {
            until: None,
            kill_after: None,
            tolerance: Bytes(0),
            window: Millis(1),
            begun: now,
            asked: None,
            killed: false,
            passed: passed.map(|(signal, ms)| (signal, now + Duration::from_millis(ms))),
            asked_times: 0,
            shares_terminal: false,
        };
        let (zero, hour) = (CommandEnd::Exited(0), Millis(3_600_000));
        assert_eq!(ending(None).ended_by(zero, hour), TestEnd::Command);
        assert_eq!(ending(Some((SIGTERM, 1000))).ended_by(zero, hour), TestEnd::Command);
        let soon = ending(Some((SIGTERM, 3_599_000))).ended_by(zero, hour);
        assert_eq!(soon, TestEnd::Signal(SIGTERM));
        let usr1 = nix::libc::SIGUSR1;
        assert_eq!(ending(Some((usr1, 3_599_000))).ended_by(zero, hour), TestEnd::Command);
        let by_it = ending(Some((usr1, 1000))).ended_by(CommandEnd::Signalled(usr1), hour);
        assert_eq!(by_it, TestEnd::Signal(usr1));
    }

    #[test]
    fn memory_is_stable_where_it_grows_by_less_than_the_tolerance() {
        let (mib, window) = (Bytes(1 << 20), Millis(30_000));
        assert!(is_stable(&sizes(|_| 9000), mib, window));
        assert!(is_stable(&sizes(|nth| 9000 + nth % 7 * 900), mib, window), "it goes up and down");
        assert!(!is_stable(&sizes(|nth| 9000 + nth * 40), mib, window), "4.7 MiB a minute");
        assert!(is_stable(&sizes(|nth| 9000 + nth * 4), mib, window), "0.5 MiB a minute");
        assert!(is_stable(&sizes(|nth| 9000 - nth * 40), mib, window), "it shrinks");
        let early: Vec<_> = sizes(|_| 9000).into_iter().take(50).collect();
        assert!(!is_stable(&early, mib, window), "not for long enough");
        assert!(!is_stable(&[], mib, window));
    }
}
