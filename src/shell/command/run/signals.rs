//! The signals that doomtop gets while a command runs. They belong to the command first.

use std::io::stdin;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

use crate::shell::command_error::CommandError;
use crate::syscall::signal_action::{is_ignored, restore_default};

/// The signals that are passed on.
const PASSED: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];
/// The same, where the screen does not use them itself.
const WITHOUT_SCREEN: [i32; 2] = [SIGUSR1, SIGUSR2];

/// The signals that arrived and were not passed on yet.
pub(super) struct PassedSignals(Vec<(i32, Arc<AtomicBool>)>);

impl PassedSignals {
    /// Handles them from now on, but not those that were ignored at the start (`nohup`). An ignored SIGCHLD is no
    /// longer: the status of the command would be lost.
    ///
    /// # Errors
    /// The system refuses the handlers.
    pub(super) fn handle(with_screen: bool) -> Result<Self, CommandError> {
        restore_default(SIGCHLD);
        let mut flags = Vec::new();
        let more = WITHOUT_SCREEN.into_iter().filter(|_| !with_screen);
        for signal in PASSED.into_iter().chain(more).filter(|&it| !is_ignored(it)) {
            let flag = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(signal, Arc::clone(&flag)).map_err(|error| {
                CommandError::failure(format!("cannot handle signals: {error}"))
            })?;
            flags.push((signal, flag));
        }
        Ok(Self(flags))
    }

    /// The signals that arrived since the last call.
    pub(super) fn take(&self) -> Vec<i32> {
        let arrived = |it: &&(i32, Arc<AtomicBool>)| it.1.swap(false, Ordering::Relaxed);
        self.0.iter().filter(arrived).map(|it| it.0).collect()
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
