//! Signals as messages.

use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use crossterm::terminal::disable_raw_mode;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGWINCH};
use signal_hook::iterator::Signals;

use crate::shell::tui::Event;

/// Starts the thread that turns signals into messages.
///
/// # Errors
/// The system refuses the handlers or the thread.
pub(crate) fn start(inbox: Sender<Event>) -> Result<(), String> {
    let wanted = [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH, SIGUSR1];
    let mut signals =
        Signals::new(wanted).map_err(|error| format!("cannot handle signals: {error}"))?;
    let work = move || {
        for signal in &mut signals {
            let event = match signal {
                SIGTSTP => Event::Stop,
                SIGCONT => Event::Continued,
                SIGWINCH => Event::Resized,
                SIGUSR1 => Event::Dump,
                ending => {
                    let _ = inbox.send(Event::End(ending));
                    return end_anyway(ending);
                }
            };
            if inbox.send(event).is_err() {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(work)
        .map(drop)
        .map_err(|error| format!("cannot start a thread: {error}"))
}

/// So long the loop has to end by itself.
const GRACE: Duration = Duration::from_secs(1);

/// The loop may be held up by a terminal that takes nothing (a stalled connection): then the program
/// ends without it, and gives back what needs no writing.
fn end_anyway(signal: i32) {
    thread::sleep(GRACE);
    let _ = disable_raw_mode();
    std::process::exit(128 + signal);
}
