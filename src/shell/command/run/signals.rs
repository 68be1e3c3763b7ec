//! The signals that doomtop gets while a command runs. They belong to the command first.

use std::io::{Read, Write, stdin};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::syscall::signal_action::{is_ignored, restore_default};

/// The signals that are passed on.
const PASSED: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];
/// The same, where the screen does not use them itself.
const WITHOUT_SCREEN: [i32; 2] = [SIGUSR1, SIGUSR2];

/// The signals that arrived and were not passed on yet.
pub(super) struct PassedSignals {
    flags: Vec<(i32, Arc<AtomicBool>)>,
    /// Readable after a signal, also after one that arrived before anybody waited for it.
    arrived: UnixStream,
    /// Its other end.
    wakes: UnixStream,
}

impl PassedSignals {
    /// Handles them from now on, but not those that were ignored at the start (`nohup`). An ignored SIGCHLD is no
    /// longer: the status of the command would be lost.
    ///
    /// # Errors
    /// The system refuses the handlers.
    pub(super) fn handle(with_screen: bool) -> Result<Self, CommandError> {
        restore_default(SIGCHLD);
        let more = WITHOUT_SCREEN.into_iter().filter(|_| !with_screen);
        Self::handle_these(PASSED.into_iter().chain(more).filter(|&it| !is_ignored(it)))
    }

    /// Handles these.
    pub(super) fn handle_these(signals: impl Iterator<Item = i32>) -> Result<Self, CommandError> {
        let failed = |error| CommandError::failure(format!("cannot handle signals: {error}"));
        let (arrived, wakes) = UnixStream::pair().map_err(failed)?;
        arrived.set_nonblocking(true).map_err(failed)?;
        wakes.set_nonblocking(true).map_err(failed)?;
        let mut flags = Vec::new();
        for signal in signals {
            let flag = Arc::new(AtomicBool::new(false));
            // In this order: who is woken finds the flag.
            signal_hook::flag::register(signal, Arc::clone(&flag)).map_err(failed)?;
            let wake = wakes.try_clone().map_err(failed)?;
            signal_hook::low_level::pipe::register(signal, wake).map_err(failed)?;
            flags.push((signal, flag));
        }
        Ok(Self { flags, arrived, wakes })
    }

    /// SIGINT, as if it had arrived.
    pub(super) fn interrupt(&self) {
        if let Some((_, flag)) = self.flags.iter().find(|it| it.0 == SIGINT) {
            flag.store(true, Ordering::Relaxed);
            let _ = (&self.wakes).write(&[0]);
        }
    }

    /// Becomes readable when a signal arrives, until the next [`Self::take`].
    pub(super) fn arrival(&self) -> BorrowedFd<'_> {
        self.arrived.as_fd()
    }

    /// Whether a command may begin: no signal arrived since the last call of [`Self::take`]. The terminal gave ^C to all
    /// processes that there were, so the command would not get it.
    ///
    /// # Errors
    /// The signal that ended doomtop before that.
    pub(super) fn none_so_far(&self, what: &str) -> Result<(), CommandError> {
        let ending = self.take().into_iter().find(|signal| PASSED.contains(signal));
        ending.map_or(Ok(()), |signal| {
            Err(CommandError::not_run(ExitStatus::Signal(signal), format!("{what} by a signal")))
        })
    }

    /// The signals that arrived since the last call.
    pub(super) fn take(&self) -> Vec<i32> {
        while matches!((&self.arrived).read(&mut [0; 64]), Ok(1..)) {}
        let arrived = |it: &&(i32, Arc<AtomicBool>)| it.1.swap(false, Ordering::Relaxed);
        self.flags.iter().filter(arrived).map(|it| it.0).collect()
    }
}

/// Whether the terminal sent this signal to the command as well: ^C and ^\ go to all processes in the foreground.
pub(super) fn reached_command(signal: i32) -> bool {
    if signal != SIGINT && signal != SIGQUIT {
        return false;
    }
    let group = rustix::termios::tcgetpgrp(stdin().as_fd());
    group.is_ok_and(|group| group == rustix::process::getpgrp())
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::{Signal, raise};

    use super::*;

    #[test]
    fn a_signal_before_the_command_begins_ends_doomtop_and_one_that_asks_nothing_does_not() {
        let signals =
            PassedSignals::handle_these([SIGQUIT, SIGUSR1].into_iter()).expect("handlers");
        assert!(signals.none_so_far("ended").is_ok());
        raise(Signal::SIGUSR1).expect("to ourselves");
        assert!(signals.none_so_far("ended").is_ok(), "it does not ask to end");
        raise(Signal::SIGQUIT).expect("to ourselves");
        let error = signals.none_so_far("ended").expect_err("it was ended");
        assert_eq!(error.status, ExitStatus::Signal(SIGQUIT));
        assert_eq!(error.lines(), ["ended by a signal"]);
        assert!(signals.none_so_far("ended").is_ok(), "each is told once");
    }
}
