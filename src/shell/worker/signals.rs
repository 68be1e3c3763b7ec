//! The thread that turns signals into events.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::terminal::disable_raw_mode;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGWINCH};
use signal_hook::iterator::Signals;

use crate::shell::command_error::CommandError;
use crate::shell::event::{Event, Inbox};
use crate::shell::exit_status::ExitStatus;
use crate::shell::thread;
use crate::syscall::signal_action::is_ignored;

/// As long as it lives, a signal that ends the screen also ends the program, if the screen does not end in time.
pub(crate) struct ScreenSignals {
    is_closed: Arc<AtomicBool>,
}

impl Drop for ScreenSignals {
    fn drop(&mut self) {
        self.is_closed.store(true, Ordering::Release);
    }
}

/// Starts the thread.
///
/// # Errors
/// The system refuses the signal handlers or the thread.
pub(crate) fn start(inbox: Inbox) -> Result<ScreenSignals, CommandError> {
    let handled = [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH, SIGUSR1];
    // What was ignored at the start stays ignored.
    let mut signals = Signals::new(handled.into_iter().filter(|&signal| !is_ignored(signal)))
        .map_err(|error| CommandError::failure(format!("cannot handle signals: {error}")))?;
    let is_closed = Arc::new(AtomicBool::new(false));
    let closed = Arc::clone(&is_closed);
    let work = move || {
        for signal in &mut signals {
            let event = match signal {
                SIGTSTP => Event::Suspend,
                SIGCONT => Event::Continue,
                SIGWINCH => Event::Resize,
                SIGUSR1 => Event::Dump,
                ending => {
                    let _ = inbox.send_event(Event::Terminate(ending));
                    return end_after_grace(ending, &closed);
                }
            };
            if inbox.send_event(event).is_err() {
                return;
            }
        }
    };
    thread::spawn("signals", work)?;
    Ok(ScreenSignals { is_closed })
}

/// Time that the main loop has to end by itself.
const GRACE: Duration = Duration::from_secs(1);

/// Ends the program where the main loop does not: a terminal that takes no output (a stalled connection)
/// blocks it. Only what needs no output is restored then. A screen that has ended is no reason: `doomtop run` goes on
/// until its command has ended.
fn end_after_grace(signal: i32, is_closed: &AtomicBool) {
    std::thread::sleep(GRACE);
    if is_closed.load(Ordering::Acquire) {
        return;
    }
    let _ = disable_raw_mode();
    std::process::exit(ExitStatus::Signal(signal).code().into());
}
