//! Names of users and command lines for the commands without a screen. They wait for the lookup thread, but
//! not for long.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use crate::app::Msg;
use crate::model::{Comm, Names, ProcId, Process, Snapshot};
use crate::shell::event::{Event, Inbox};
use crate::shell::worker::command_lines::{self, PORTION};
use crate::shell::worker::lookup_root::LookupRoot;

/// Maximum time that a refresh waits for names.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Whether command lines are looked up, beside the names of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandLines {
    /// Nothing shows them or filters or sorts by them.
    NotNeeded,
    /// Of all processes.
    Needed,
}

/// The lookup thread, and what was asked of it.
pub(crate) struct NameLookup {
    requests: Sender<Vec<ProcId>>,
    answers: Receiver<Event>,
    requested: HashMap<ProcId, Comm>,
    /// Answers that are still to come.
    open: usize,
}

impl NameLookup {
    /// Starts the thread.
    pub(crate) fn start(root: LookupRoot) -> Option<Self> {
        let (inbox, answers) = Inbox::new();
        let requests = command_lines::start(root, inbox)?;
        // The first answer is the names of users, without a request.
        Some(Self { requests, answers, requested: HashMap::new(), open: 1 })
    }

    /// Requests what is not known and takes what arrives in time. What is late comes with the next
    /// refresh.
    pub(crate) fn learn(&mut self, names: &mut Names, snapshot: &Snapshot, lines: CommandLines) {
        self.requested.retain(|&id, _| snapshot.find(id).is_some());
        if lines == CommandLines::Needed && self.request(snapshot).is_none() {
            return;
        }
        let end = Instant::now() + TIMEOUT;
        while self.open > 0 {
            let rest = end.saturating_duration_since(Instant::now());
            let Ok(event) = self.answers.recv_timeout(rest) else { return };
            match event {
                Event::Message(Msg::Users(users)) => names.learn_users(users),
                Event::Message(Msg::Commands(found)) => {
                    for (id, line) in found {
                        if let Some(process) = snapshot.find(id) {
                            names.learn_command(process, line);
                        }
                    }
                }
                _ => {}
            }
            self.open -= 1;
        }
    }

    /// Requests the command lines of new processes, and of those with a new name. `None`: the thread has
    /// ended.
    fn request(&mut self, snapshot: &Snapshot) -> Option<()> {
        let mut is_new = |process: &&Process| {
            !process.is_kernel_thread()
                && self.requested.insert(process.id, process.comm) != Some(process.comm)
        };
        let processes = snapshot.processes.iter();
        let wanted: Vec<ProcId> = processes.filter(&mut is_new).map(|process| process.id).collect();
        self.open += wanted.len().div_ceil(PORTION);
        if wanted.is_empty() { Some(()) } else { self.requests.send(wanted).ok() }
    }
}
