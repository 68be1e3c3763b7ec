//! The thread that runs the user's command for an alarm: by `sh -c`, one command at a time, with the facts
//! in its environment and no standard streams.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};

use crate::alarm::RaisedAlarm;
use crate::app::{Msg, NoticeLevel};
use crate::effects::own_adj::adj_for_children;
use crate::shell::child;
use crate::shell::event::Inbox;
use crate::shell::thread;

/// Maximum number of alarms that wait while the command runs for another one. Further alarms are
/// reported, and the command is not run for them.
const MAX_WAITING: usize = 8;

/// The commands that alarms run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AlarmCommands {
    /// Of the alarms without one of their own (`--on-alarm`).
    pub(crate) usual: Option<String>,
    /// Of single alarms, by the alarm as doomtop writes it.
    pub(crate) own: Vec<(String, String)>,
}

impl AlarmCommands {
    /// Whether there is none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.usual.is_none() && self.own.is_empty()
    }

    /// The command of an alarm.
    fn of(&self, alarm: &str) -> Option<&str> {
        let own = self.own.iter().find(|(name, _)| name == alarm).map(|(_, command)| command);
        own.or(self.usual.as_ref()).map(String::as_str)
    }
}

/// The queue of alarms that the command is run for.
pub(crate) struct AlarmCommandWorker(SyncSender<Box<RaisedAlarm>>);

impl AlarmCommandWorker {
    /// Queues an alarm. Returns why the command will not run for it.
    pub(crate) fn run(&self, raised: Box<RaisedAlarm>) -> Option<Msg> {
        let alarm = raised.alarm.clone();
        let why = match self.0.try_send(raised) {
            Ok(()) => return None,
            Err(TrySendError::Full(_)) => {
                format!("it still runs for an earlier alarm, and {MAX_WAITING} more wait")
            }
            Err(TrySendError::Disconnected(_)) => "its thread has ended".to_owned(),
        };
        Some(warn(format!("{alarm}: the command was not run: {why}")))
    }
}

fn warn(text: String) -> Msg {
    Msg::Notice(NoticeLevel::Warn, text)
}

/// Starts the thread. Only the next command waits for one that runs.
pub(crate) fn start(commands: AlarmCommands, inbox: Inbox) -> Option<AlarmCommandWorker> {
    let (sender, alarms) = sync_channel::<Box<RaisedAlarm>>(MAX_WAITING);
    let work = move || {
        for raised in alarms {
            let Some(command) = commands.of(&raised.alarm) else { continue };
            if let Some(what) = failure(run(command, &raised))
                && inbox.send(warn(format!("{}: {what}", raised.alarm))).is_err()
            {
                return;
            }
        }
    };
    thread::spawn("alarm command", work).ok()?;
    Some(AlarmCommandWorker(sender))
}

/// Runs the command and waits for its end. Names are passed in its environment and never in its text, so
/// that the name of a process cannot become a command. A process group of its own keeps the signals of the
/// terminal from it.
fn run(command: &str, raised: &RaisedAlarm) -> io::Result<ExitStatus> {
    let mut shell = child::command("/bin/sh", &["-c", command], adj_for_children());
    shell.process_group(0);
    shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for (name, value) in raised.facts() {
        match value {
            // No name can hold a zero byte, but a value with one would keep the command from running.
            Some(value) => shell.env(name, value.replace('\0', "")),
            None => shell.env_remove(name),
        };
    }
    shell.status()
}

/// Why the command did not end well.
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
