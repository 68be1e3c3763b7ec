//! The user's own command for an alarm: run by `sh -c` in a thread, one after the other, with the facts
//! in its environment and nothing to read or write.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, SyncSender, TrySendError, sync_channel};
use std::thread;

use crate::alarm::RaisedAlarm;
use crate::app::{Msg, NoticeLevel};

use crate::shell::tui::Event;

/// So many alarms wait for the command of another one; what rings then is told, and not run.
const WAITING: usize = 8;

/// Runs it when told to.
pub(crate) struct AlarmCommandWorker(SyncSender<Box<RaisedAlarm>>);

impl AlarmCommandWorker {
    /// Hands an alarm over; what comes back is why it cannot be run.
    pub(crate) fn run(&self, rung: Box<RaisedAlarm>) -> Option<Msg> {
        let alarm = rung.alarm.clone();
        match self.0.try_send(rung) {
            Ok(()) => None,
            Err(TrySendError::Full(_)) => Some(warn(format!(
                "{alarm}: the command was not run: it still runs for an alarm before, and {WAITING} wait"
            ))),
            Err(TrySendError::Disconnected(_)) => {
                Some(warn(format!("{alarm}: the command was not run: its thread has ended")))
            }
        }
    }
}

fn warn(text: String) -> Msg {
    Msg::Notice(NoticeLevel::Warn, text)
}

/// Starts the thread. Nothing waits for the command but the next one.
pub(crate) fn start(command: String, inbox: Sender<Event>) -> Option<AlarmCommandWorker> {
    let (sender, rung) = sync_channel::<Box<RaisedAlarm>>(WAITING);
    let work = move || {
        for rung in rung {
            let failure = failure(run(&command, &rung));
            if let Some(what) = failure {
                let text = format!("{}: {what}", rung.alarm);
                if inbox.send(Event::Told(warn(text))).is_err() {
                    return;
                }
            }
        }
    };
    thread::Builder::new().name("alarm".to_owned()).spawn(work).ok()?;
    Some(AlarmCommandWorker(sender))
}

/// Runs it to its end, which reaps it. Names are in its environment and never in its text: whoever names
/// a process writes no command. A process group of its own: what hangs up the terminal is not for it.
fn run(command: &str, rung: &RaisedAlarm) -> io::Result<ExitStatus> {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", command]).process_group(0);
    shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for (name, value) in rung.facts() {
        match value {
            // No name can hold a zero byte, but a value that did would keep the command from running.
            Some(value) => shell.env(name, value.replace('\0', "")),
            None => shell.env_remove(name),
        };
    }
    shell.status()
}

/// What went wrong, if anything did.
fn failure(ended: io::Result<ExitStatus>) -> Option<String> {
    match ended {
        Ok(status) if status.success() => None,
        Ok(status) => Some(match (status.code(), status.signal()) {
            (Some(code), _) => format!("the command ended with status {code}"),
            (None, Some(signal)) => format!("the command was ended by signal {signal}"),
            _ => "the command failed".to_owned(),
        }),
        Err(error) => Some(format!("the command could not be run: {error}")),
    }
}
