//! Output that waits for the next sample, and is written if a signal ends the program before: who reads a recording
//! from a pipe may wait for that sample for ever.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::shell::command_error::CommandError;
use crate::shell::thread;
use crate::syscall::signal_action::is_ignored;

/// What is written at the end; empty: nothing.
pub(crate) struct LastOutput(Arc<Mutex<Vec<u8>>>);

impl LastOutput {
    /// Handles SIGHUP, SIGINT and SIGTERM from now on, but not those that were ignored at the start: they end the
    /// program as they do by default, after what waits has been written to standard output.
    ///
    /// # Errors
    /// The system refuses the signal handlers or the thread.
    pub(crate) fn on_signals() -> Result<Self, CommandError> {
        let handled = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|&it| !is_ignored(it));
        let mut signals = Signals::new(handled)
            .map_err(|error| CommandError::failure(format!("cannot handle signals: {error}")))?;
        let waiting = Arc::new(Mutex::new(Vec::new()));
        let last = Arc::clone(&waiting);
        // The lock of standard output belongs to the thread that samples.
        let out = io::stdout().as_fd().try_clone_to_owned();
        let mut out = out
            .map(File::from)
            .map_err(|error| CommandError::failure(format!("standard output: {error}")))?;
        let work = move || {
            for signal in &mut signals {
                let bytes =
                    std::mem::take(&mut *last.lock().unwrap_or_else(PoisonError::into_inner));
                // Whoever does not read any more gets no more.
                let _ = out.write_all(&bytes);
                let _ = emulate_default_handler(signal);
            }
        };
        thread::spawn("last output", work)?;
        Ok(Self(waiting))
    }

    /// Sets what is written if the program is ended now.
    pub(crate) fn set(&self, bytes: Vec<u8>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
    }
}
