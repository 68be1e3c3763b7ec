//! The thread that runs the user's command for an alarm: by `sh -c`, one command at a time, with the facts
//! in its environment and no standard streams.

use std::collections::VecDeque;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::alarm::RaisedAlarm;
use crate::app::{Msg, NoticeLevel};
use crate::effects::own_adj::adj_for_children;
use crate::shell::child;
use crate::shell::event::Inbox;
use crate::shell::thread;

/// Maximum number of alarms that wait while the command runs for another one. Further alarms are
/// reported, and the command is not run for them.
const MAX_WAITING: usize = 8;

/// How long the end of the program waits for a command that is being started.
const PATIENCE: Duration = Duration::from_secs(2);

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

/// Alarms whose command is to be started.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Box<RaisedAlarm>>,
    /// The thread is about to start one.
    is_starting: bool,
    /// No more come.
    is_closed: bool,
}

/// What the thread and its owner share.
struct Shared {
    commands: AlarmCommands,
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing in it can be left half done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the command of the next alarm; waits for one. `None` when no more come.
    fn next(&self) -> Option<(String, io::Result<Option<Child>>)> {
        let queue =
            self.changed.wait_while(self.queue(), |it| it.waiting.is_empty() && !it.is_closed);
        let mut queue = queue.unwrap_or_else(PoisonError::into_inner);
        let raised = queue.waiting.pop_front()?;
        queue.is_starting = true;
        drop(queue);
        let started = self.start(&raised);
        self.queue().is_starting = false;
        self.changed.notify_all();
        Some((raised.alarm.clone(), started))
    }

    /// Starts the command of an alarm, where it has one.
    fn start(&self, raised: &RaisedAlarm) -> io::Result<Option<Child>> {
        let command = self.commands.of(&raised.alarm);
        command.map(|command| start_command(command, raised)).transpose()
    }
}

/// The queue of alarms that the command is run for. When it is dropped, what still waits is started: the program ends,
/// and nobody waits for the end of a command.
pub(crate) struct AlarmCommandWorker(Arc<Shared>);

impl AlarmCommandWorker {
    /// Queues an alarm. Returns why the command will not run for it.
    pub(crate) fn run(&self, raised: Box<RaisedAlarm>) -> Option<Msg> {
        let mut queue = self.0.queue();
        if queue.waiting.len() < MAX_WAITING {
            queue.waiting.push_back(raised);
            drop(queue);
            self.0.changed.notify_all();
            return None;
        }
        let alarm = &raised.alarm;
        Some(warn(format!(
            "{alarm}: the command was not run: it still runs for an earlier alarm, and {MAX_WAITING} more wait"
        )))
    }
}

impl Drop for AlarmCommandWorker {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.is_closed = true;
        let waiting = std::mem::take(&mut queue.waiting);
        self.0.changed.notify_all();
        let starts = self.0.changed.wait_timeout_while(queue, PATIENCE, |it| it.is_starting);
        drop(starts.unwrap_or_else(PoisonError::into_inner));
        for raised in waiting {
            // There is nowhere left to report a failure.
            let _ = self.0.start(&raised);
        }
    }
}

fn warn(text: String) -> Msg {
    Msg::Notice(NoticeLevel::Warn, text)
}

/// Starts the thread. Only the next command waits for one that runs.
pub(crate) fn start(commands: AlarmCommands, inbox: Inbox) -> Option<AlarmCommandWorker> {
    let shared = Shared { commands, queue: Mutex::default(), changed: Condvar::new() };
    let shared = Arc::new(shared);
    let of_thread = Arc::clone(&shared);
    let work = move || {
        while let Some((alarm, started)) = of_thread.next() {
            let ended = started.and_then(|child| child.map(|mut it| it.wait()).transpose());
            if let Some(what) = failure(ended)
                && inbox.send(warn(format!("{alarm}: {what}"))).is_err()
            {
                return;
            }
        }
    };
    thread::spawn("alarm command", work).ok()?;
    Some(AlarmCommandWorker(shared))
}

/// Starts the command. Names are passed in its environment and never in its text, so
/// that the name of a process cannot become a command. A process group of its own keeps the signals of the
/// terminal from it.
fn start_command(command: &str, raised: &RaisedAlarm) -> io::Result<Child> {
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
    child::spawn_helper(&mut shell)
}

/// Why the command did not end well.
fn failure(ended: io::Result<Option<ExitStatus>>) -> Option<String> {
    match ended {
        Ok(None) => None,
        Ok(Some(status)) if status.success() => None,
        Ok(Some(status)) => Some(match (status.code(), status.signal()) {
            (Some(code), _) => format!("the command ended with status {code}"),
            (None, Some(signal)) => format!("the command was ended by signal {signal}"),
            _ => "the command failed".to_owned(),
        }),
        Err(error) => Some(format!("the command could not be run: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Text;
    use std::os::unix::fs::PermissionsExt;

    fn raised(alarm: &str) -> Box<RaisedAlarm> {
        Box::new(RaisedAlarm {
            alarm: alarm.to_owned(),
            what: "victim",
            value: None,
            incident: None,
            limit: None,
            victim: None,
            policy: "linux",
            domain: Arc::new(Text::new(b"global")),
        })
    }

    #[test]
    fn what_waits_when_the_program_ends_is_started_all_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str| folder.path().join(name);
        nix::unistd::mkfifo(&place("first"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        let folder_name = folder.path().display();
        // The first one waits for a reader that comes only after the end.
        let command = format!("echo $DOOMTOP_ALARM > '{folder_name}'/\"$DOOMTOP_ALARM\"");
        let commands = AlarmCommands { usual: Some(command), own: Vec::new() };
        let (inbox, _events) = Inbox::new();
        let worker = start(commands, inbox).expect("a thread");
        for alarm in ["first", "second", "third"] {
            assert!(worker.run(raised(alarm)).is_none());
        }
        drop(worker);
        for alarm in ["first", "second", "third"] {
            let end = std::time::Instant::now() + Duration::from_secs(60);
            let read = loop {
                match std::fs::read_to_string(place(alarm)) {
                    Ok(text) if !text.is_empty() => break text,
                    _ => assert!(std::time::Instant::now() < end, "{alarm} was not run"),
                }
                std::thread::yield_now();
            };
            assert_eq!(read, format!("{alarm}\n"));
        }
        let mode = std::fs::metadata(place("second")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o170_000, 0o100_000, "a file that the command made");
    }
}
