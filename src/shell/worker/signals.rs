//! The thread that turns signals into events.

use std::time::Duration;

use crossterm::terminal::disable_raw_mode;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGWINCH};
use signal_hook::iterator::Signals;

use crate::shell::command_error::CommandError;
use crate::shell::event::{Event, Inbox};
use crate::shell::exit_status::ExitStatus;
use crate::shell::thread;
use crate::syscall::signal_action::is_ignored;

/// Starts the thread.
///
/// # Errors
/// The system refuses the signal handlers or the thread.
pub(crate) fn start(inbox: Inbox) -> Result<(), CommandError> {
    let handled = [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH, SIGUSR1];
    // What was ignored at the start stays ignored.
    let mut signals = Signals::new(handled.into_iter().filter(|&signal| !is_ignored(signal)))
        .map_err(|error| CommandError::failure(format!("cannot handle signals: {error}")))?;
    let work = move || {
        for signal in &mut signals {
            let event = match signal {
                SIGTSTP => Event::Suspend,
                SIGCONT => Event::Continue,
                SIGWINCH => Event::Resize,
                SIGUSR1 => Event::Dump,
                ending => {
                    let _ = inbox.send_event(Event::Terminate(ending));
                    return end_after_grace(ending);
                }
            };
            if inbox.send_event(event).is_err() {
                return;
            }
        }
    };
    thread::spawn("signals", work).map(drop)
}

/// Time that the main loop has to end by itself.
const GRACE: Duration = Duration::from_secs(1);

/// Ends the program where the main loop does not: a terminal that takes no output (a stalled connection)
/// blocks it. Only what needs no output is restored then.
fn end_after_grace(signal: i32) {
    std::thread::sleep(GRACE);
    let _ = disable_raw_mode();
    std::process::exit(ExitStatus::Signal(signal).code().into());
}
